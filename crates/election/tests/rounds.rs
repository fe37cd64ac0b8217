// SPDX-License-Identifier: GPL-2.0-or-later
//! Elections among several nodes, their messages delivered in one order.

#![allow(clippy::unwrap_used)] // a broken vote must fail the test

use election::{Election, Output, Standing};
use messages::controller::Envelope;
use messages::core::ClusterNode;
use model::{FeatureSet, Instant, Now, WallTime};
use std::collections::VecDeque;
use std::time::Duration;

struct Peer {
    election: Election,
    node: ClusterNode,
    version: FeatureSet,
    cpu: Duration,
    won: usize,
}

struct World {
    peers: Vec<Peer>,
    now: Duration,
    wire: VecDeque<(usize, Option<String>, xml::Element)>,
    delivered: usize,
}

impl World {
    fn new(nodes: &[(&str, FeatureSet, u64)]) -> World {
        let mut peers: Vec<Peer> = Vec::new();
        for (index, &(name, version, cpu_s)) in nodes.iter().enumerate() {
            let node = ClusterNode { id: index as u32 + 1, name: name.into() };
            let election = Election::new("crmd", node.clone(), version);
            peers.push(Peer { election, node, version, cpu: Duration::from_secs(cpu_s), won: 0 });
        }
        let mut world = World { peers, now: Duration::from_secs(100), wire: VecDeque::new(), delivered: 0 };
        let all: Vec<usize> = (0..world.peers.len()).collect();
        world.members(&all);
        world
    }

    fn members(&mut self, up: &[usize]) {
        let nodes: Vec<ClusterNode> = up.iter().map(|&index| self.peers[index].node.clone()).collect();
        for &index in up {
            self.peers[index].election.set_members(&nodes);
            self.drain(index);
        }
    }

    fn now(&self, index: usize) -> Now {
        Now {
            instant: Instant::since_origin(self.now),
            wall: WallTime::from_secs(1_700_000_000),
            cpu: self.peers[index].cpu,
        }
    }

    fn start(&mut self, index: usize) {
        let now = self.now(index);
        self.peers[index].election.start(now);
        self.drain(index);
    }

    fn drain(&mut self, index: usize) {
        while let Some(output) = self.peers[index].election.poll() {
            let version = self.peers[index].version;
            match output {
                Output::Broadcast(message) => {
                    self.wire.push_back((index, None, message.to_xml("test", version)));
                }
                Output::Send { to, message } => {
                    self.wire.push_back((index, Some(to.to_string()), message.to_xml("test", version)));
                }
                Output::Challenged => self.start(index),
                Output::Won => self.peers[index].won += 1,
                Output::Lost { .. } | Output::Log { .. } => {}
            }
        }
    }

    fn run(&mut self, up: &[usize]) {
        while let Some((from, to, message)) = self.wire.pop_front() {
            self.delivered += 1;
            assert!(self.delivered < 1000, "the election never ends");
            let from = self.peers[from].node.name.clone();
            for &index in up {
                let name = self.peers[index].node.name.clone();
                if to.as_deref().is_none_or(|to| to == &*name) {
                    let now = self.now(index);
                    let envelope = Envelope::from_xml(&message).unwrap();
                    self.peers[index].election.on_message(now, &from, &envelope, true);
                    self.drain(index);
                }
            }
        }
    }

    fn standings(&self) -> Vec<Standing> {
        self.peers.iter().map(|peer| peer.election.standing()).collect()
    }
}

const OLD: FeatureSet = FeatureSet::new(3, 16, 1);
const NEW: FeatureSet = FeatureSet::new(3, 20, 5);

#[test]
fn equals_elect_the_first_name_whoever_calls() {
    for caller in 0..3 {
        let mut world = World::new(&[("b", NEW, 1), ("A", NEW, 1), ("c", NEW, 1)]);
        world.start(caller);
        world.run(&[0, 1, 2]);
        assert_eq!(world.standings(), [Standing::Lost, Standing::Won, Standing::Lost], "caller {caller}");
        assert_eq!(world.peers.iter().map(|peer| peer.won).sum::<usize>(), 1);
    }
}

#[test]
fn lower_feature_set_beats_work_done_beats_name() {
    let mut world = World::new(&[("a", NEW, 9), ("b", OLD, 0), ("c", NEW, 5)]);
    world.start(0);
    world.run(&[0, 1, 2]);
    assert_eq!(world.standings()[1], Standing::Won);

    let mut world = World::new(&[("a", NEW, 0), ("b", NEW, 1), ("c", NEW, 5)]);
    world.start(0);
    world.run(&[0, 1, 2]);
    assert_eq!(world.standings(), [Standing::Lost, Standing::Lost, Standing::Won]);
}

#[test]
fn a_silent_peer_delays_until_the_timeout_or_its_leave() {
    let mut world = World::new(&[("a", NEW, 1), ("b", NEW, 1), ("c", NEW, 1)]);
    world.start(0);
    world.run(&[0, 1]);
    assert_eq!(world.standings()[0], Standing::InProgress);
    let deadline = world.peers[0].election.next_timeout().unwrap();
    assert_eq!(deadline.elapsed(), Duration::from_secs(220));
    let mut timed_out = world.peers[0].election.clone();
    timed_out.tick(Now { instant: deadline, ..Now::default() });
    assert_eq!(timed_out.standing(), Standing::Won);

    world.members(&[0, 1]);
    assert_eq!((world.standings()[0], world.peers[0].won), (Standing::Won, 1));
}

#[test]
fn two_callers_at_once_still_make_one_winner() {
    let mut world = World::new(&[("a", NEW, 1), ("b", NEW, 1), ("c", NEW, 1)]);
    for index in [2, 1, 0] {
        world.start(index);
    }
    world.run(&[0, 1, 2]);
    assert_eq!(world.standings(), [Standing::Won, Standing::Lost, Standing::Lost]);
}

#[test]
fn who_just_lost_does_not_start_another_round() {
    let mut world = World::new(&[("a", NEW, 1), ("b", NEW, 1)]);
    world.start(0);
    world.run(&[0, 1]);
    assert_eq!(world.standings(), [Standing::Won, Standing::Lost]);
    // Node a is replaced by a node with a later name: b is better but has only just lost.
    let late = ClusterNode { id: 9, name: "z".into() };
    let vote = Envelope::request("vote", "r".into(), "crmd", "crmd")
        .with_extra("election-owner", 9)
        .with_extra("election-id", 1)
        .with_extra("election-age-sec", 0)
        .with_extra("election-age-nano-sec", 5);
    let vote = Envelope::from_xml(&vote.to_xml("test", NEW)).unwrap();
    let local = world.peers[1].node.clone();
    world.peers[1].election.set_members([&local, &late]);
    let now = world.now(1);
    let mut cleared = world.peers[1].election.clone();
    assert_eq!(world.peers[1].election.on_message(now, "z", &vote, true), Standing::Lost);
    cleared.clear_dampening();
    assert_eq!(cleared.on_message(now, "z", &vote, true), Standing::Challenged);
}

#[test]
fn hostile_votes_change_nothing() {
    let mut world = World::new(&[("a", NEW, 1), ("b", NEW, 1)]);
    world.start(0);
    let now = world.now(0);
    let base = || Envelope::request("vote", "r".into(), "crmd", "crmd").with_extra("election-owner", 2);
    let round = |value: &str| base().with_extra("election-id", value);
    let age = |value: &str| round("1").with_extra("election-age-sec", value);
    for bad in [
        base(),
        round("-1"),
        round("x"),
        age("1"),
        age("-1").with_extra("election-age-nano-sec", 0),
        Envelope::request("noop", "r".into(), "crmd", "crmd"),
    ] {
        let bad = Envelope::from_xml(&bad.to_xml("test", NEW)).unwrap();
        assert_eq!(world.peers[0].election.on_message(now, "b", &bad, true), Standing::InProgress);
    }
    // A full vote of somebody who is no peer does not count either.
    let stranger = age("99").with_extra("election-age-nano-sec", 0);
    let stranger = Envelope::from_xml(&stranger.to_xml("test", NEW)).unwrap();
    assert_eq!(world.peers[0].election.on_message(now, "nobody", &stranger, true), Standing::InProgress);
}

#[test]
fn who_may_not_lead_says_so() {
    let mut world = World::new(&[("a", NEW, 1), ("b", NEW, 1)]);
    world.start(1);
    let (_, _, vote) = world.wire.pop_front().unwrap();
    let vote = Envelope::from_xml(&vote).unwrap();
    let now = world.now(0);
    assert_eq!(world.peers[0].election.on_message(now, "b", &vote, false), Standing::Lost);
    let sent = std::iter::from_fn(|| world.peers[0].election.poll()).any(
        |output| matches!(&output, Output::Send { to, message } if &**to == "b" && message.task == "no-vote"),
    );
    assert!(sent);
}

#[test]
fn ages_that_a_vote_cannot_tell_apart_are_equal() {
    let set = FeatureSet::new(3, 20, 5);
    let mut world = World::new(&[("a", set, 1), ("b", set, 1), ("c", set, 1)]);
    for (index, nanos) in [(0, 700), (1, 800), (2, 900)] {
        world.peers[index].cpu += Duration::from_nanos(nanos);
    }
    for index in 0..3 {
        world.start(index);
    }
    world.run(&[0, 1, 2]);
    assert_eq!(world.peers.iter().map(|peer| peer.won).sum::<usize>(), 1);
}
