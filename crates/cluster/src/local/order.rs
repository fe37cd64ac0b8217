// SPDX-License-Identifier: GPL-2.0-or-later
//! What the hub decides: who is a member, who hears what in which order, who has quorum. No I/O.
//!
//! Given: who came, went, said something, and what the person at the control socket wants. Leaves to others: sockets.

use messages::core::{ClusterNode, Member, Membership};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

/// One connection of one daemon, as long as it lasts. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// How quorum is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumRule {
    /// Votes there are in all; every node has one. More than half of them are quorum.
    pub expected_votes: usize,
    /// With two expected votes, one is enough, once both nodes have been seen together.
    pub two_node: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Tell a daemon who is there.
    Membership {
        /// Which.
        link: LinkId,
        /// What it sees.
        membership: Membership,
    },
    /// Tell a daemon what somebody said.
    Message {
        /// Which.
        link: LinkId,
        /// Who.
        from: ClusterNode,
        /// What.
        text: Arc<str>,
    },
    /// Hang up on a daemon.
    Cut {
        /// Which.
        link: LinkId,
    },
}

/// It cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such node.
    #[error("node '{name}' is not known (known are: {known})")]
    UnknownNode {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// It is kept away.
    #[error("node '{0}' is down until it is told to be up")]
    Down(String),
    /// Two sides have it.
    #[error("node '{0}' cannot be on two sides")]
    TwoSides(String),
}

#[derive(Debug)]
struct Node {
    id: ClusterNode,
    /// Nobody of it may connect.
    down: bool,
    /// Nodes of the same number see each other.
    side: usize,
}

#[derive(Debug)]
struct Connected {
    /// The node's place in the list.
    node: usize,
    group: Arc<str>,
    /// What it was told last; the generation apart.
    told: Option<Membership>,
}

/// The hub's state.
#[derive(Debug)]
pub struct Order {
    nodes: Vec<Node>,
    links: BTreeMap<LinkId, Connected>,
    rule: QuorumRule,
    all_seen: bool,
    generation: u64,
    deliveries: VecDeque<Delivery>,
}

impl Order {
    /// A hub for these nodes, none of which is there yet.
    pub fn new(names: &[String], rule: QuorumRule) -> Order {
        let node = |(index, name): (usize, &String)| Node {
            id: ClusterNode {
                id: u32::try_from(index + 1).unwrap_or(u32::MAX),
                name: Arc::from(name.as_str()),
            },
            down: false,
            side: 0,
        };
        Order {
            nodes: names.iter().enumerate().map(node).collect(),
            links: BTreeMap::new(),
            rule,
            all_seen: false,
            generation: 0,
            deliveries: VecDeque::new(),
        }
    }

    /// The next thing to be done, in order.
    pub fn poll(&mut self) -> Option<Delivery> {
        self.deliveries.pop_front()
    }

    /// A daemon wants to be in a group. An older connection of the same daemon is cut: its process must be gone, even
    /// if its end was not heard yet; and the others see it leave and come.
    pub fn join(&mut self, link: LinkId, name: &str, group: &str) -> Result<ClusterNode, Refusal> {
        let node = self.find(name)?;
        let Some(Node { id, down: false, .. }) = self.nodes.get(node) else {
            return Err(Refusal::Down(name.to_owned()));
        };
        let local = id.clone();
        let is_same = |other: &Connected| other.node == node && other.group.as_ref() == group;
        let older: Vec<LinkId> =
            self.links.iter().filter(|(_, other)| is_same(other)).map(|(older, _)| *older).collect();
        for older in older {
            self.cut_link(older);
            self.tell_membership();
        }
        self.links.insert(link, Connected { node, group: Arc::from(group), told: None });
        self.tell_membership();
        Ok(local)
    }

    /// A daemon is gone.
    pub fn leave(&mut self, link: LinkId) {
        if self.links.remove(&link).is_some() {
            self.tell_membership();
        }
    }

    /// A daemon says something to its group: to those of one node, or to all on its side.
    pub fn say(&mut self, link: LinkId, to: Option<&str>, text: &Arc<str>) {
        let Some(speaker) = self.links.get(&link) else { return };
        let Some(from) = self.nodes.get(speaker.node) else { return };
        for (other, hearer) in &self.links {
            let Some(node) = self.nodes.get(hearer.node) else { continue };
            let is_meant = to.is_none_or(|name| node.id.name.eq_ignore_ascii_case(name));
            if is_meant && hearer.group == speaker.group && node.side == from.side {
                let delivery =
                    Delivery::Message { link: *other, from: from.id.clone(), text: Arc::clone(text) };
                self.deliveries.push_back(delivery);
            }
        }
    }

    /// Cuts all connections of a node. It may come back at once.
    pub fn kill(&mut self, name: &str) -> Result<(), Refusal> {
        let node = self.find(name)?;
        let links: Vec<LinkId> =
            self.links.iter().filter(|(_, other)| other.node == node).map(|(link, _)| *link).collect();
        for link in links {
            self.cut_link(link);
        }
        self.tell_membership();
        Ok(())
    }

    /// Cuts all connections of a node and keeps it away.
    pub fn down(&mut self, name: &str) -> Result<(), Refusal> {
        let index = self.find(name)?;
        if let Some(node) = self.nodes.get_mut(index) {
            node.down = true;
        }
        self.kill(name)
    }

    /// Lets a node come back.
    pub fn up(&mut self, name: &str) -> Result<(), Refusal> {
        let index = self.find(name)?;
        if let Some(node) = self.nodes.get_mut(index) {
            node.down = false;
        }
        Ok(())
    }

    /// Makes sides that do not see each other. Nodes that are not named are one side more.
    pub fn cut(&mut self, sides: &[Vec<String>]) -> Result<(), Refusal> {
        let mut side_of = vec![0; self.nodes.len()];
        for (side, names) in sides.iter().enumerate() {
            for name in names {
                match side_of.get_mut(self.find(name)?) {
                    Some(slot) if *slot == 0 || *slot == side + 1 => *slot = side + 1,
                    _ => return Err(Refusal::TwoSides(name.clone())),
                }
            }
        }
        for (node, side) in self.nodes.iter_mut().zip(side_of) {
            node.side = side;
        }
        self.tell_membership();
        Ok(())
    }

    /// Lets all nodes see each other.
    pub fn heal(&mut self) {
        for node in &mut self.nodes {
            node.side = 0;
        }
        self.tell_membership();
    }

    /// A line for every node: id, name, `up`, `gone` or `down`, side, and the groups it is in.
    pub fn list(&self) -> String {
        let mut text = String::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let groups: Vec<&str> = self
                .links
                .values()
                .filter(|link| link.node == index)
                .map(|link| link.group.as_ref())
                .collect();
            let state = match (node.down, groups.is_empty()) {
                (true, _) => "down",
                (false, true) => "gone",
                (false, false) => "up",
            };
            let groups = if groups.is_empty() { "-".to_owned() } else { groups.join(",") };
            let _ =
                writeln!(text, "{} {} {state} side={} groups={groups}", node.id.id, node.id.name, node.side);
        }
        text
    }

    fn find(&self, name: &str) -> Result<usize, Refusal> {
        let found = self.nodes.iter().position(|node| node.id.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Refusal::UnknownNode {
            name: name.to_owned(),
            known: self.nodes.iter().map(|node| node.id.name.as_ref()).collect::<Vec<_>>().join(", "),
        })
    }

    fn cut_link(&mut self, link: LinkId) {
        if self.links.remove(&link).is_some() {
            self.deliveries.push_back(Delivery::Cut { link });
        }
    }

    fn is_up(&self, node: usize) -> bool {
        self.links.values().any(|link| link.node == node)
    }

    /// Tells everybody who is there, if that is not what they were told last.
    fn tell_membership(&mut self) {
        let up: Vec<bool> = (0..self.nodes.len()).map(|node| self.is_up(node)).collect();
        let together =
            |side: usize| self.nodes.iter().zip(&up).filter(|(node, up)| **up && node.side == side).count();
        self.all_seen |= self.nodes.iter().any(|node| together(node.side) == self.nodes.len());
        let views: Vec<(LinkId, Membership)> = self
            .links
            .iter()
            .filter_map(|(link, own)| {
                let side = self.nodes.get(own.node)?.side;
                Some((*link, self.view(side, &own.group, &up, together(side))))
            })
            .collect();
        self.generation += 1;
        for (link, mut membership) in views {
            let Some(own) = self.links.get_mut(&link) else { continue };
            if own.told.as_ref() != Some(&membership) {
                own.told = Some(membership.clone());
                membership.generation = self.generation;
                self.deliveries.push_back(Delivery::Membership { link, membership });
            }
        }
    }

    /// What a group sees on a side; with generation 0.
    fn view(&self, side: usize, group: &str, up: &[bool], votes: usize) -> Membership {
        let member = |(index, node): (usize, &Node)| {
            let is_member = node.side == side && up.get(index) == Some(&true);
            let in_group = is_member
                && self.links.values().any(|link| link.node == index && link.group.as_ref() == group);
            Member { node: node.id.clone(), is_member, in_group }
        };
        let expected = self.rule.expected_votes.max(votes);
        let one_is_enough = self.rule.two_node && expected == 2 && self.all_seen && votes > 0;
        Membership {
            generation: 0,
            quorate: votes * 2 > expected || one_is_enough,
            nodes: self.nodes.iter().enumerate().map(member).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(nodes: &[&str]) -> Order {
        let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        Order::new(&names, QuorumRule { expected_votes: names.len(), two_node: false })
    }

    /// What each link was told, as words: `+n1 ~n2 q` (n1 a peer, n2 a member that is not in the group, quorate),
    /// `n1: text`, `cut`.
    fn drain(order: &mut Order) -> Vec<(u64, String)> {
        let mut said = Vec::new();
        while let Some(delivery) = order.poll() {
            said.push(match delivery {
                Delivery::Membership { link, membership } => {
                    let mut words: Vec<String> = membership
                        .nodes
                        .iter()
                        .filter(|member| member.is_member)
                        .map(|member| {
                            format!("{}{}", if member.in_group { "+" } else { "~" }, member.node.name)
                        })
                        .collect();
                    words.extend(membership.quorate.then(|| "q".to_owned()));
                    (link.0, words.join(" "))
                }
                Delivery::Message { link, from, text } => (link.0, format!("{}: {text}", from.name)),
                Delivery::Cut { link } => (link.0, "cut".to_owned()),
            });
        }
        said
    }

    fn joined(nodes: &[&str]) -> Order {
        let mut order = hub(nodes);
        for (index, name) in nodes.iter().enumerate() {
            order.join(LinkId(index as u64 + 1), name, "crmd").unwrap();
        }
        drain(&mut order);
        order
    }

    fn expect(order: &mut Order, wanted: &[(u64, &str)]) {
        let wanted: Vec<(u64, String)> =
            wanted.iter().map(|(link, text)| (*link, (*text).to_owned())).collect();
        assert_eq!(drain(order), wanted);
    }

    #[test]
    fn nodes_come_one_by_one() {
        let mut order = hub(&["a", "b", "c"]);
        assert_eq!(order.join(LinkId(1), "b", "crmd").unwrap().id, 2);
        expect(&mut order, &[(1, "+b")]);
        order.join(LinkId(2), "C", "cib").unwrap();
        expect(&mut order, &[(1, "+b ~c q"), (2, "~b +c q")]);
        order.join(LinkId(3), "c", "crmd").unwrap();
        expect(&mut order, &[(1, "+b +c q"), (3, "+b +c q")]);
        assert_eq!(
            order.list(),
            "1 a gone side=0 groups=-\n2 b up side=0 groups=crmd\n3 c up side=0 groups=cib,crmd\n"
        );
    }

    #[test]
    fn what_is_said_reaches_the_group_and_comes_back() {
        let mut order = joined(&["a", "b"]);
        order.join(LinkId(9), "a", "cib").unwrap();
        drain(&mut order);
        order.say(LinkId(1), None, &Arc::from("all"));
        order.say(LinkId(2), Some("A"), &Arc::from("you"));
        order.say(LinkId(77), None, &Arc::from("a stranger"));
        expect(&mut order, &[(1, "a: all"), (2, "a: all"), (1, "b: you")]);
    }

    #[test]
    fn a_lost_node_has_its_place_in_the_order() {
        let mut order = joined(&["a", "b", "c"]);
        order.say(LinkId(3), None, &Arc::from("last words"));
        order.leave(LinkId(3));
        order.say(LinkId(1), None, &Arc::from("gone"));
        expect(
            &mut order,
            &[
                (1, "c: last words"),
                (2, "c: last words"),
                (3, "c: last words"),
                (1, "+a +b q"),
                (2, "+a +b q"),
                (1, "a: gone"),
                (2, "a: gone"),
            ],
        );
    }

    #[test]
    fn a_killed_node_may_come_back_but_a_downed_one_not() {
        let mut order = joined(&["a", "b"]);
        order.kill("b").unwrap();
        expect(&mut order, &[(2, "cut"), (1, "+a")]);
        order.join(LinkId(3), "b", "crmd").unwrap();
        expect(&mut order, &[(1, "+a +b q"), (3, "+a +b q")]);
        order.down("b").unwrap();
        drain(&mut order);
        assert_eq!(order.join(LinkId(4), "b", "crmd"), Err(Refusal::Down("b".into())));
        order.up("b").unwrap();
        assert!(order.join(LinkId(5), "b", "crmd").is_ok());
        assert!(order.kill("x").unwrap_err().to_string().contains("a, b"));
    }

    #[test]
    fn each_side_of_a_cut_goes_on_alone() {
        let mut order = joined(&["a", "b", "c"]);
        order.cut(&[vec!["a".into()], vec!["b".into(), "c".into()]]).unwrap();
        expect(&mut order, &[(1, "+a"), (2, "+b +c q"), (3, "+b +c q")]);
        order.say(LinkId(1), None, &Arc::from("alone"));
        order.say(LinkId(2), None, &Arc::from("we"));
        expect(&mut order, &[(1, "a: alone"), (2, "b: we"), (3, "b: we")]);
        order.heal();
        expect(&mut order, &[(1, "+a +b +c q"), (2, "+a +b +c q"), (3, "+a +b +c q")]);
        assert!(order.cut(&[vec!["a".into()], vec!["a".into()]]).is_err());
    }

    #[test]
    fn a_respawned_daemon_is_seen_to_leave_and_come() {
        let mut order = joined(&["a", "b"]);
        order.join(LinkId(3), "b", "crmd").unwrap();
        expect(&mut order, &[(2, "cut"), (1, "+a"), (1, "+a +b q"), (3, "+a +b q")]);
        order.leave(LinkId(2));
        expect(&mut order, &[]);
    }

    #[test]
    fn two_nodes_wait_for_each_other_once() {
        let names = ["a".to_owned(), "b".to_owned()];
        let mut order = Order::new(&names, QuorumRule { expected_votes: 2, two_node: true });
        order.join(LinkId(1), "a", "crmd").unwrap();
        expect(&mut order, &[(1, "+a")]);
        order.join(LinkId(2), "b", "crmd").unwrap();
        expect(&mut order, &[(1, "+a +b q"), (2, "+a +b q")]);
        order.leave(LinkId(2));
        expect(&mut order, &[(1, "+a q")]);
    }
}
