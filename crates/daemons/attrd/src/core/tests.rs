// SPDX-License-Identifier: GPL-2.0-or-later
//! Attribute managers of several nodes, wired together in virtual time: what one sends arrives at all in one order. The
//! CIB manager is the test's: it records what it is asked, does it to a real CIB, and answers with the result or as told.

use super::*;
use messages::attrd::{QueryReply, SyncPoint, Update, UpdateKind};
use messages::core::{Member, Membership};
use model::{LegacyRc, WallTime};
use std::time::Duration;

const CLIENT: ClientId = ClientId(1);

/// All nodes that a test has; index 0 is `node1` with id 1.
struct World {
    nodes: Vec<Attrd>,
    up: Vec<bool>,
    elapsed: Duration,
    generation: u64,
    /// What the CIB managers were asked (node, command), but for introductions.
    cib: Vec<(usize, Element)>,
    /// The CIB, the same for all.
    real: Element,
    /// What they answer instead of what came out, if that is no success.
    rc: LegacyRc,
    /// Whether they answer.
    answers: bool,
    /// What clients were answered: node, request number, message.
    responses: Vec<(usize, i32, Element)>,
    logs: Vec<String>,
    in_flight: VecDeque<(usize, Option<Arc<str>>, Element)>,
}

fn node(index: usize) -> ClusterNode {
    ClusterNode { id: index as u32 + 1, name: Arc::from(format!("node{}", index + 1)) }
}

fn empty_cib(nodes: usize) -> Element {
    let mut cib = ::cib::empty(Profile::V3_0);
    let state = |index: usize| {
        let node = node(index);
        Element::new("node_state").with_attr("id", node.id).with_attr("uname", node.name)
    };
    cib.child_or_insert("status").extend((0..nodes).map(state));
    cib
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn credentials(privileged: bool) -> Credentials {
    let user = if privileged { "root" } else { "alice" };
    Credentials { uid: 1, gid: 1, pid: 77, user: Arc::from(user), privileged }
}

impl World {
    fn new(count: usize) -> World {
        World::with(count, Config::default())
    }

    fn with(count: usize, config: Config) -> World {
        let mut world = World {
            nodes: (0..count).map(|_| Attrd::new(config)).collect(),
            up: vec![false; count],
            elapsed: Duration::ZERO,
            generation: 0,
            cib: Vec::new(),
            real: empty_cib(count),
            rc: LegacyRc::OK,
            answers: true,
            responses: Vec::new(),
            logs: Vec::new(),
            in_flight: VecDeque::new(),
        };
        for index in 0..count {
            world.boot(index);
        }
        world
    }

    fn now(&self, index: usize) -> Now {
        // The lower a node's number, the longer it has worked: node1 is the best writer.
        let cpu = Duration::from_secs(100 - index as u64);
        Now { instant: Instant::since_origin(self.elapsed), wall: WallTime::from_secs(1_700_000_000), cpu }
    }

    fn boot(&mut self, index: usize) {
        self.up[index] = true;
        self.feed(index, Input::ServiceUp { service: Service::Based });
        self.feed(index, Input::ClusterJoined { local: node(index) });
        self.membership();
        let client =
            Input::ClientConnected { client: CLIENT, channel: "attrd", credentials: credentials(true) };
        self.feed(index, client);
        self.run();
    }

    /// A node fails and comes back with nothing in memory.
    fn kill(&mut self, index: usize) {
        self.up[index] = false;
        self.nodes[index] = Attrd::new(Config::default());
        self.membership();
        self.run();
    }

    fn membership(&mut self) {
        self.generation += 1;
        let members = self.up.iter().enumerate().map(|(index, up)| Member {
            node: node(index),
            is_member: *up,
            in_group: *up,
        });
        let nodes: Vec<Member> = members.collect();
        for index in 0..self.nodes.len() {
            if self.up[index] {
                let membership =
                    Membership { generation: self.generation, quorate: true, nodes: nodes.clone() };
                self.feed(index, Input::Membership(membership));
            }
        }
    }

    fn feed(&mut self, index: usize, input: Input<Event>) {
        let now = self.now(index);
        self.nodes[index].handle(now, input);
        while let Some(output) = self.nodes[index].poll() {
            match output {
                Output::Send { to, message, .. } => self.in_flight.push_back((index, to, message)),
                Output::Call { message, .. } => self.called(index, message),
                Output::Respond { request, message, .. } => self.responses.push((index, request, message)),
                Output::Log { text, .. } => self.logs.push(format!("node{}: {text}", index + 1)),
                Output::Exit { .. } => self.up[index] = false,
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    fn called(&mut self, index: usize, message: Element) {
        let is_command = message.attr("cib_op").is_some_and(|op| op != "register");
        let Some(call) = message.attr("cib_callid").map(str::to_owned).filter(|_| is_command) else { return };
        let rc = if self.rc.is_ok() { self.perform(&message) } else { self.rc };
        self.cib.push((index, message));
        if self.answers {
            let reply = Element::new("cib-reply")
                .with_attr("t", "cib")
                .with_attr("cib_callid", call)
                .with_attr("cib_rc", rc.value());
            self.feed(index, Input::ServiceEvent { service: Service::Based, message: reply });
        }
    }

    fn perform(&mut self, message: &Element) -> LegacyRc {
        let request = ::cib::Request::from_message(message).unwrap();
        let context = ::cib::Context::default();
        match ::cib::perform(&self.real, &request, &context) {
            Ok(outcome) => {
                self.real = outcome.cib;
                LegacyRc::OK
            }
            Err(refusal) => refusal.rc(),
        }
    }

    /// A node's transient attributes as they are in the CIB: name and value.
    fn written(&self, node: &str) -> Vec<(String, String)> {
        let states = self.real.descend(&["status"]).unwrap().elements_named("node_state");
        let transient = states
            .filter(|state| state.attr("uname") == Some(node))
            .filter_map(|s| s.child("transient_attributes"));
        let pairs = transient.flat_map(Element::descendants).filter(|element| element.name() == "nvpair");
        let text = |pair: &Element, name| pair.attr(name).unwrap_or_default().to_owned();
        let mut pairs: Vec<_> = pairs.map(|pair| (text(pair, "name"), text(pair, "value"))).collect();
        pairs.sort();
        pairs
    }

    /// Delivers everything that is under way.
    fn run(&mut self) {
        for _ in 0..10_000 {
            let Some((from, to, message)) = self.in_flight.pop_front() else { return };
            // Through text, as on the wire.
            let message = xml::parse(&message.to_string()).unwrap();
            for index in 0..self.nodes.len() {
                let meant = to.as_ref().is_none_or(|to| to.eq_ignore_ascii_case(&node(index).name));
                if self.up[index] && meant {
                    let message = message.clone();
                    self.feed(index, Input::ClusterMessage { from: node(from), message });
                }
            }
        }
        panic!("the attribute managers do not come to rest");
    }

    /// Lets time pass.
    fn pass(&mut self, span: Duration) {
        let end = self.elapsed + span;
        loop {
            let due = |index: &usize| self.up[*index];
            let next = (0..self.nodes.len())
                .filter(due)
                .filter_map(|i| Some((self.nodes[i].next_timeout()?, i)))
                .min();
            let Some((at, index)) = next.filter(|(at, _)| at.elapsed() <= end) else { break };
            self.elapsed = self.elapsed.max(at.elapsed());
            self.feed(index, Input::Tick);
            self.run();
        }
        self.elapsed = end;
    }

    fn ask(&mut self, index: usize, request: i32, body: Body) {
        let message = Message::new("test", body).to_xml("test");
        self.feed(index, Input::ClientMessage { client: CLIENT, request, wants_response: true, message });
        self.run();
    }

    fn update(&mut self, index: usize, update: Update) {
        self.ask(index, 1, Body::Update(vec![update]));
    }

    fn values(&self, attribute: &str, of: &str) -> Vec<Option<&str>> {
        let up = self.nodes.iter().zip(&self.up).filter(|(_, up)| **up);
        up.map(|(attrd, _)| attrd.value(attribute, of)).collect()
    }

    /// The commands of the CIB that name a text, each as a string; and forgets all.
    fn cib_about(&mut self, what: &str) -> Vec<(usize, String)> {
        let all = std::mem::take(&mut self.cib);
        all.into_iter().map(|(i, m)| (i, m.to_string())).filter(|(_, text)| text.contains(what)).collect()
    }

    fn status(&self, request: i32) -> Option<&str> {
        self.responses
            .iter()
            .find(|(_, r, _)| *r == request)
            .and_then(|(_, _, message)| message.attr("status"))
    }

    fn logged(&self, what: &str) -> bool {
        self.logs.iter().any(|line| line.contains(what))
    }
}

#[test]
fn an_update_reaches_all_nodes_and_the_writer_alone_writes_it() {
    let mut world = World::new(3);
    assert!(world.nodes.iter().all(|attrd| attrd.writer() == Some("node1")), "{:#?}", world.logs);
    world.cib.clear();
    world.update(2, Update::set("ping", "100"));
    assert_eq!(world.values("ping", "node3"), [Some("100"); 3]);
    assert_eq!(world.status(1), Some("112"));
    let writes = world.cib_about("ping");
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0].0, 0, "node1 is the writer");
    let call = &writes[0].1;
    assert!(call.contains(r#"cib_op="cib_commit_transact""#), "{call}");
    let change = r#"<node_state id="3"><transient_attributes id="3"><instance_attributes id="status-3"><nvpair id="status-3-ping" name="ping" value="100"/></instance_attributes></transient_attributes></node_state>"#;
    assert!(call.contains(change), "{call}");
    assert!(call.contains(r#"cib_op="cib_modify" cib_section="status""#), "{call}");
    assert!(call.contains(r#"cib_callopt="1032""#), "can create, in a transaction: {call}");
    let setting = "Setting ping[node3] in instance_attributes: (unset) -> 100 | from node3 with no write delay and node XML ID 3";
    assert!(world.logged(setting), "{:#?}", world.logs);
}

#[test]
fn the_cib_comes_to_hold_what_is_known() {
    for profile in [Profile::V3_0, Profile::V2_1] {
        let mut world = World::with(3, Config { profile, stand_alone: false });
        world.update(0, Update::set("a", "1"));
        world.update(1, Update::set("a", "2"));
        world.update(1, Update::set("fail-count-db#start_0", "INFINITY"));
        world.update(2, Update { set: Some("mine".into()), ..Update::set("b", "<&>'\"") });
        world.update(2, Update::set("it's \"odd\"", "1"));
        assert_eq!(world.written("node1"), pairs(&[("a", "1")]), "{:#?}", world.logs);
        assert_eq!(world.written("node2"), pairs(&[("a", "2"), ("fail-count-db#start_0", "INFINITY")]));
        assert_eq!(
            world.written("node3"),
            pairs(&[("b", "<&>'\""), ("it's \"odd\"", "1")]),
            "{}",
            world.real
        );
        world.update(0, Update::set("a", "3"));
        world.update(1, Update::unset("a"));
        world.update(2, Update::unset("it's \"odd\""));
        assert_eq!(world.written("node1"), pairs(&[("a", "3")]));
        assert_eq!(world.written("node2"), pairs(&[("fail-count-db#start_0", "INFINITY")]));
        assert_eq!(world.written("node3"), pairs(&[("b", "<&>'\"")]));
        world.pass(Duration::from_secs(3));
        world.kill(0);
        assert_eq!(world.written("node1"), pairs(&[]), "{:#?}", world.logs);
        assert_eq!(world.written("node2"), pairs(&[("fail-count-db#start_0", "INFINITY")]));
    }
}

#[test]
fn without_transactions_the_changes_go_one_by_one() {
    let mut world = World::with(2, Config { profile: Profile::V2_1, stand_alone: false });
    world.update(0, Update::set("a", "1"));
    world.update(1, Update::set("a", "2"));
    world.cib.clear();
    world.update(0, Update::unset("a"));
    let calls = world.cib_about("cib_");
    assert_eq!(calls.len(), 2, "{calls:#?}");
    assert!(calls[0].1.contains(r#"cib_op="cib_delete""#), "{}", calls[0].1);
    assert!(calls[1].1.contains(r#"cib_op="cib_modify""#), "{}", calls[1].1);
}

#[test]
fn an_unset_value_is_removed_from_the_cib() {
    let mut world = World::new(2);
    world.update(1, Update::set("fail-count-db#start_0", "1"));
    world.cib.clear();
    world.update(1, Update::unset("fail-count-db#start_0"));
    assert_eq!(world.values("fail-count-db#start_0", "node2"), [None; 2]);
    let writes = world.cib_about("cib_delete");
    assert_eq!(writes.len(), 1);
    let xpath = "/cib/status/node_state[@id='2']/transient_attributes[@id='2']/instance_attributes[@id='status-2']\
                 /nvpair[@id='status-2-fail-count-db.start_0' and @name='fail-count-db#start_0']";
    let sent = xml::parse(&writes[0].1).unwrap();
    let sections: Vec<_> = sent.descendants().filter_map(|element| element.attr("cib_section")).collect();
    assert_eq!(sections, [xpath]);
}

#[test]
fn increments_count_from_what_is_known() {
    let mut world = World::new(2);
    let name = "fail-count-db#monitor_10000";
    world.update(0, Update::set(name, "value++").on("node2"));
    world.update(1, Update::set(name, "value++").on("node2"));
    world.update(0, Update::set(name, "value+=5").on("node2"));
    assert_eq!(world.values(name, "node2"), [Some("7"); 2]);
    world.update(0, Update::set(name, "INFINITY").on("node2"));
    world.update(0, Update::set(name, "value++").on("node2"));
    assert_eq!(world.values(name, "node2"), [Some("1000000"); 2]);
}

#[test]
fn private_attributes_are_never_written() {
    let mut world = World::new(2);
    world.cib.clear();
    world.update(1, Update { is_private: true, set: Some("foo".into()), ..Update::set("secret", "1") });
    assert_eq!(world.values("secret", "node2"), [Some("1"); 2]);
    assert_eq!(world.cib_about("secret"), []);
    assert!(world.logged("Processed 1 private change for secret (set foo)"));
}

#[test]
fn a_write_delay_waits_for_quiet() {
    let mut world = World::new(2);
    let delayed = |value: &str| Update {
        kind: UpdateKind::Both,
        dampening: Some("5s".into()),
        ..Update::set("ping", value)
    };
    world.cib.clear();
    for value in ["1", "2", "3"] {
        world.update(1, delayed(value));
        world.pass(Duration::from_secs(3));
    }
    assert_eq!(world.cib_about("ping"), [], "every change starts the delay over");
    world.pass(Duration::from_secs(3));
    let writes = world.cib_about("ping");
    assert_eq!(writes.len(), 1);
    assert!(writes[0].1.contains(r#"value="3""#));
    // Changing the delay alone writes at once; a delay for nothing is refused.
    world
        .update(1, Update { kind: UpdateKind::Delay, dampening: Some("10".into()), ..Update::unset("ping") });
    assert_eq!(world.cib_about("ping").len(), 1);
    world.ask(1, 9, Body::Update(vec![Update { kind: UpdateKind::Delay, ..Update::unset("none") }]));
    assert_eq!(world.status(9), Some("105"));
}

#[test]
fn a_refused_write_is_tried_again_later() {
    let mut world = World::new(2);
    world.cib.clear();
    world.rc = LegacyRc::EACCES;
    world.update(0, Update::set("a", "1"));
    assert_eq!(world.cib_about("name=\"a\"").len(), 1);
    world.pass(Duration::from_millis(1900));
    assert_eq!(world.cib_about("name=\"a\"").len(), 0);
    world.rc = LegacyRc::OK;
    world.pass(Duration::from_millis(200));
    assert_eq!(world.cib_about("name=\"a\"").len(), 1);
    world.pass(Duration::from_secs(300));
    assert_eq!(world.cib_about("name=\"a\"").len(), 0);
}

#[test]
fn changes_during_a_write_are_written_after_it() {
    let mut world = World::new(1);
    world.cib.clear();
    world.answers = false;
    world.update(0, Update::set("a", "1"));
    world.update(0, Update::set("a", "2"));
    assert_eq!(world.cib.len(), 1);
    let call = world.cib[0].1.attr("cib_callid").unwrap().to_owned();
    world.answers = true;
    let reply =
        Element::new("cib-reply").with_attr("t", "cib").with_attr("cib_callid", call).with_attr("cib_rc", 0);
    world.feed(0, Input::ServiceEvent { service: Service::Based, message: reply });
    let writes = world.cib_about(r#"value="2""#);
    assert_eq!(writes.len(), 1);
}

#[test]
fn a_cib_manager_that_never_answers_is_asked_again() {
    let mut world = World::new(1);
    world.cib.clear();
    world.answers = false;
    world.update(0, Update::set("a", "1"));
    world.answers = true;
    world.cib.clear();
    world.pass(Duration::from_secs(125));
    assert_eq!(world.cib_about("name=\"a\"").len(), 1);
}

#[test]
fn a_cib_manager_that_comes_back_gets_everything() {
    let mut world = World::new(2);
    world.update(1, Update::set("a", "1"));
    world.feed(0, Input::ServiceDown { service: Service::Based });
    world.cib.clear();
    world.update(1, Update::set("a", "2"));
    assert_eq!(world.cib.len(), 0);
    world.feed(0, Input::ServiceUp { service: Service::Based });
    let writes = world.cib_about(r#"value="2""#);
    assert_eq!(writes.len(), 1);
}

#[test]
fn a_lost_node_is_forgotten_and_erased_by_the_writer() {
    let mut world = World::new(3);
    world.update(2, Update::set("ping", "100"));
    world.cib.clear();
    world.kill(2);
    assert_eq!(world.values("ping", "node3"), [None; 2]);
    let erased = world.cib_about("//node_state[@uname='node3']/transient_attributes");
    assert_eq!(erased.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_lost_writer_is_replaced_and_its_attributes_are_erased() {
    let mut world = World::new(3);
    world.update(0, Update::set("ping", "1"));
    world.update(1, Update::set("ping", "2"));
    world.cib.clear();
    world.pass(Duration::from_secs(3));
    world.kill(0);
    assert_eq!(world.nodes[1].writer(), Some("node2"), "{:#?}", world.logs);
    assert_eq!(world.nodes[2].writer(), Some("node2"));
    let asked = world.cib_about("");
    let erased = asked.iter().filter(|(_, text)| text.contains("@uname='node1'")).count();
    assert_eq!(erased, 1, "{asked:#?}");
    let written: Vec<_> = asked.iter().filter(|(_, text)| text.contains(r#"value="2""#)).collect();
    assert_eq!(written.len(), 1, "{asked:#?}");
    assert!(asked.iter().all(|(index, _)| *index == 1), "only the new writer writes: {asked:#?}");
}

#[test]
fn a_node_that_comes_back_erases_its_past_and_hears_the_rest() {
    let mut world = World::new(3);
    world.update(1, Update::set("ping", "2"));
    world.update(2, Update::set("ping", "3"));
    world.kill(2);
    world.cib.clear();
    world.boot(2);
    assert_eq!(world.values("ping", "node2"), [Some("2"); 3]);
    assert_eq!(world.values("ping", "node3"), [None; 3]);
    let erased = world.cib_about("@uname='node3'");
    assert_eq!(erased[0].0, 2, "the node itself asks for it");
}

#[test]
fn a_node_whose_restart_nobody_noticed_overrules_what_others_remember() {
    let mut world = World::new(2);
    world.update(1, Update::set("ping", "2"));
    // No membership change tells node1 that node2 was away.
    world.nodes[1] = Attrd::new(Config::default());
    world.feed(1, Input::ServiceUp { service: Service::Based });
    world.feed(1, Input::ClusterJoined { local: node(1) });
    let members = (0..2).map(|index| Member { node: node(index), is_member: true, in_group: true });
    let membership = Membership { generation: 9, quorate: true, nodes: members.collect() };
    world.feed(1, Input::Membership(membership));
    world.run();
    world.pass(Duration::from_secs(200));
    assert_eq!(world.values("ping", "node2"), [None; 2], "{:#?}", world.logs);
}

#[test]
fn two_writers_find_out() {
    let mut world = World::new(4);
    // A partition: both sides elect.
    let side = |nodes: &[usize]| {
        let members = (0..4).map(|index| {
            let is_there = nodes.contains(&index);
            Member { node: node(index), is_member: is_there, in_group: is_there }
        });
        Membership { generation: 5, quorate: true, nodes: members.collect() }
    };
    for index in 0..4 {
        let nodes: &[usize] = if index < 2 { &[0, 1] } else { &[2, 3] };
        world.feed(index, Input::Membership(side(nodes)));
        let (up, others) = (world.up.clone(), nodes.to_vec());
        world.up = (0..4).map(|i| others.contains(&i)).collect();
        world.run();
        world.up = up;
    }
    assert_eq!(world.nodes[0].writer(), Some("node1"));
    assert_eq!(world.nodes[3].writer(), Some("node3"), "{:#?}", world.logs);
    world.pass(Duration::from_secs(3));
    world.membership();
    world.run();
    world.pass(Duration::from_secs(200));
    for attrd in &world.nodes {
        assert_eq!(attrd.writer(), Some("node1"), "{:#?}", world.logs);
    }
}

#[test]
fn failures_are_cleared_by_resource_operation_and_node() {
    let mut world = World::new(2);
    for (name, on) in [
        ("fail-count-db#start_0", "node1"),
        ("last-failure-db#start_0", "node1"),
        ("fail-count-db#start_0", "node2"),
        ("fail-count-web#start_0", "node1"),
        ("ping", "node1"),
    ] {
        world.update(0, Update::set(name, "1").on(on));
    }
    let clear = messages::attrd::ClearFailure {
        resource: Some("db".into()),
        host: Some("node1".into()),
        ..Default::default()
    };
    world.ask(1, 5, Body::ClearFailure(clear));
    assert_eq!(world.status(5), Some("112"));
    assert_eq!(world.values("fail-count-db#start_0", "node1"), [None; 2]);
    assert_eq!(world.values("last-failure-db#start_0", "node1"), [None; 2]);
    assert_eq!(world.values("fail-count-db#start_0", "node2"), [Some("1"); 2]);
    assert_eq!(world.values("fail-count-web#start_0", "node1"), [Some("1"); 2]);
    world.ask(0, 6, Body::ClearFailure(Default::default()));
    assert_eq!(world.values("fail-count-db#start_0", "node2"), [None; 2]);
    assert_eq!(world.values("ping", "node1"), [Some("1"); 2]);
}

#[test]
fn patterns_mean_every_match() {
    let mut world = World::new(2);
    for name in ["alpha", "alps", "beta"] {
        world.update(0, Update::set(name, "1"));
    }
    let by = |pattern: &str| Update {
        pattern: Some(pattern.into()),
        value: Some("2".into()),
        ..Update::default()
    };
    world.ask(0, 5, Body::Update(vec![by("^alp")]));
    assert_eq!(world.values("alpha", "node1"), [Some("2"); 2]);
    assert_eq!(world.values("alps", "node1"), [Some("2"); 2]);
    assert_eq!(world.values("beta", "node1"), [Some("1"); 2]);
    world.ask(0, 6, Body::Update(vec![by("(")]));
    assert_eq!(world.status(6), Some("2"));
    world.ask(0, 7, Body::Update(vec![by("nothing")]));
    assert_eq!(world.status(7), Some("112"));
}

#[test]
fn clients_wait_for_their_sync_point() {
    let mut world = World::new(3);
    let with = |point| Update { sync_point: Some(point), ..Update::set("a", "1") };
    // Nothing is delivered yet.
    let message = Message::new("test", Body::Update(vec![with(SyncPoint::Local)])).to_xml("test");
    world.feed(0, Input::ClientMessage { client: CLIENT, request: 1, wants_response: true, message });
    assert_eq!(world.status(1), None);
    world.run();
    assert_eq!(world.status(1), Some("112"));
    let message = Message::new("test", Body::Update(vec![with(SyncPoint::Cluster)])).to_xml("test");
    world.feed(0, Input::ClientMessage { client: CLIENT, request: 2, wants_response: true, message });
    // The last node does not hear it: no answer, until the wait is over.
    world.up[2] = false;
    world.run();
    assert_eq!(world.status(2), None);
    world.pass(Duration::from_secs(16));
    assert_eq!(world.status(2), Some("124"));
    world.up[2] = true;
    world.ask(0, 3, Body::Update(vec![with(SyncPoint::Cluster)]));
    assert_eq!(world.status(3), Some("112"));
    assert!(world.logged("for reached cluster sync point"));
    // A node that is lost need not confirm.
    let message = Message::new("test", Body::Update(vec![with(SyncPoint::Cluster)])).to_xml("test");
    world.feed(0, Input::ClientMessage { client: CLIENT, request: 4, wants_response: true, message });
    world.up[2] = false;
    world.run();
    assert_eq!(world.status(4), None);
    world.kill(2);
    assert_eq!(world.status(4), Some("112"));
}

#[test]
fn several_updates_travel_together() {
    let mut world = World::new(2);
    let updates = vec![Update::set("a", "1").on("node1"), Update::set("b", "value++").on("node2")];
    world.ask(0, 1, Body::Update(updates));
    assert_eq!(world.values("a", "node1"), [Some("1"); 2]);
    assert_eq!(world.values("b", "node2"), [Some("1"); 2]);
}

#[test]
fn queries_are_answered_from_memory() {
    let mut world = World::new(2);
    world.update(0, Update::set("a", "1"));
    world.update(1, Update::set("a", "2"));
    let query = |name: &str, host: Option<&str>| Body::Query {
        name: Some(name.into()),
        host: host.map(str::to_owned),
    };
    world.ask(0, 11, query("a", None));
    world.ask(0, 12, query("a", Some("localhost")));
    world.ask(0, 13, query("none", None));
    world.ask(0, 14, Body::Query { name: None, host: None });
    let reply = |request: i32| {
        let found = world.responses.iter().find(|(_, r, _)| *r == request);
        QueryReply::from_xml(&found.unwrap().2)
    };
    let some = |of: &[(&str, &str)]| -> Vec<(String, Option<String>)> {
        pairs(of).into_iter().map(|(node, value)| (node, Some(value))).collect()
    };
    assert_eq!(reply(11).unwrap().values, some(&[("node1", "1"), ("node2", "2")]));
    assert_eq!(reply(12).unwrap().values, some(&[("node1", "1")]));
    assert!(reply(13).is_err());
    assert_eq!(world.status(14), Some("65"));
}

#[test]
fn a_removed_node_can_come_back() {
    let mut world = World::new(2);
    world.update(0, Update::set("a", "1").on("gone"));
    assert!(world.logged("Cannot write a[gone]='1' to CIB because node's XML ID is unknown"));
    world.cib.clear();
    world.ask(1, 1, Body::PeerRemove { host: Some("gone".into()), host_id: None, reap: Some(true) });
    assert_eq!(world.values("a", "gone"), [None; 2]);
    assert_eq!(world.cib_about("@uname='gone'").len(), 1);
    // With an id, it can be written.
    world.update(0, Update { host_id: Some("9".into()), ..Update::set("a", "2").on("gone") });
    assert_eq!(world.cib_about(r#"node_state id="9""#).len(), 1);
}

#[test]
fn foreign_changes_of_the_status_are_put_right() {
    let mut world = World::new(2);
    world.update(0, Update::set("a", "1"));
    let notify = |client: &str, path: &str| {
        let text = format!(
            "<notify t='cib_notify' subt='cib_diff_notify' cib_op='cib_replace' cib_rc='0' cib_clientname='{client}'>\
             <cib_update_result><diff format='2'><change operation='delete' path='{path}'/></diff>\
             </cib_update_result></notify>"
        );
        Input::ServiceEvent { service: Service::Based, message: xml::parse(&text).unwrap() }
    };
    let status = "/cib/status/node_state[@id=&quot;1&quot;]";
    world.cib.clear();
    world.feed(0, notify("crmd", status));
    world.feed(1, notify("cibadmin", status));
    world.feed(0, notify("cibadmin", "/cib/configuration/resources"));
    assert_eq!(world.cib_about("").len(), 0);
    world.feed(0, notify("cibadmin", status));
    assert_eq!(world.cib_about("name=\"a\"").len(), 1);
}

#[test]
fn only_the_privileged_say_whose_permissions_count() {
    let mut world = World::new(1);
    let other = ClientId(2);
    let connected =
        Input::ClientConnected { client: other, channel: "attrd", credentials: credentials(false) };
    world.feed(0, connected);
    for (client, user) in [(CLIENT, "bob"), (other, "alice"), (ClientId(99), "#unprivileged")] {
        world.cib.clear();
        let name = format!("by-{user}");
        let update = Update { user: Some("bob".into()), ..Update::set(&name, "1") };
        let message = Message::new("test", Body::Update(vec![update])).to_xml("test");
        world.feed(0, Input::ClientMessage { client, request: 1, wants_response: true, message });
        world.run();
        let writes = world.cib_about(&name);
        assert!(writes[0].1.contains(&format!(r#"cib_user="{user}""#)), "{writes:?}");
    }
}

#[test]
fn hostile_messages_do_no_harm() {
    let mut world = World::new(2);
    for text in [
        "<x/>",
        "<x t='attrd'/>",
        "<x t='attrd' task='update'/>",
        "<x t='attrd' task='update'><op/></x>",
        "<x t='attrd' task='update' attr_name=\"a'b&quot;c\" attr_value='1'/>",
        "<x t='attrd' task='update' attr_name=\"a'b&quot;c\"/>",
        "<x t='attrd' task='update-both' attr_name='a' attr_dampening='-5'/>",
        "<x t='attrd' task='peer-remove'/>",
        "<x t='attrd' task='confirm' call-id='1'/>",
        "<x t='attrd' task='sync-response' attr_writer='3'><y/></x>",
        "<x t='crmd' crm_task='vote'/>",
    ] {
        let message = xml::parse(text).unwrap();
        world.feed(0, Input::ClusterMessage { from: node(1), message: message.clone() });
        world.feed(0, Input::ClientMessage { client: CLIENT, request: 1, wants_response: true, message });
        world.run();
    }
    world.pass(Duration::from_secs(300));
    world.update(1, Update::set("still", "alive"));
    assert_eq!(world.values("still", "node2"), [Some("alive"); 2]);
}

#[test]
fn clients_that_come_early_are_served_when_the_cluster_is_there() {
    let mut attrd = Attrd::new(Config::default());
    let now = Now::default();
    attrd.handle(
        now,
        Input::ClientConnected { client: CLIENT, channel: "attrd", credentials: credentials(true) },
    );
    let message = Message::new("test", Body::Update(vec![Update::set("a", "1")])).to_xml("test");
    attrd.handle(now, Input::ClientMessage { client: CLIENT, request: 1, wants_response: true, message });
    attrd.handle(now, Input::ClusterJoined { local: node(0) });
    let drain = |attrd: &mut Attrd| std::iter::from_fn(|| attrd.poll()).collect::<Vec<_>>();
    let answered = |outputs: &[Output<Effect>]| outputs.iter().any(|o| matches!(o, Output::Respond { .. }));
    assert!(!answered(&drain(&mut attrd)));
    attrd.handle(now, Input::ServiceUp { service: Service::Based });
    let outputs = drain(&mut attrd);
    assert!(answered(&outputs), "{outputs:?}");
}

#[test]
fn ends_in_good_order() {
    let mut world = World::new(2);
    world.feed(0, Input::Shutdown);
    assert!(!world.up[0]);
    world.membership();
    world.run();
    world.pass(Duration::from_secs(3));
    assert_eq!(world.nodes[1].writer(), Some("node2"), "{:#?}", world.logs);
}
