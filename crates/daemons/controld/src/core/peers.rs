// SPDX-License-Identifier: GPL-2.0-or-later
//! The nodes the controller knows of: membership, place in the join, what is expected of them; and how that is written
//! into the CIB.

use super::context::Context;
use messages::core::{ClusterNode, Membership};
use model::WallTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

/// How far a node has come in the present join.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum JoinPhase {
    /// Refused.
    Nack,
    /// Not in it.
    #[default]
    None,
    /// Has been offered a place.
    Welcomed,
    /// Has asked for it.
    Integrated,
    /// Has been accepted.
    Finalized,
    /// Has sent its history.
    Confirmed,
}

impl JoinPhase {
    pub fn as_str(self) -> &'static str {
        match self {
            JoinPhase::Nack => "nack",
            JoinPhase::None => "none",
            JoinPhase::Welcomed => "welcomed",
            JoinPhase::Integrated => "integrated",
            JoinPhase::Finalized => "finalized",
            JoinPhase::Confirmed => "confirmed",
        }
    }
}

/// What the cluster thinks a node should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Member,
    Down,
    Pending,
    Nack,
}

impl Expected {
    pub fn as_str(self) -> &'static str {
        match self {
            Expected::Member => "member",
            Expected::Down => "down",
            Expected::Pending => "pending",
            Expected::Nack => "banned",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub node: ClusterNode,
    pub is_member: bool,
    pub in_group: bool,
    /// Seconds since the epoch; 0 when it is none.
    pub member_since: i64,
    pub online_since: i64,
    /// The cluster layer has said something about it at all.
    pub seen: bool,
    pub join: JoinPhase,
    pub expected: Option<Expected>,
}

impl Peer {
    fn new(node: ClusterNode) -> Peer {
        Peer {
            node,
            is_member: false,
            in_group: false,
            member_since: 0,
            online_since: 0,
            seen: false,
            join: JoinPhase::None,
            expected: None,
        }
    }

    pub fn is_active(&self) -> bool {
        self.is_member && self.in_group
    }

    pub fn id(&self) -> String {
        self.node.id.to_string()
    }
}

/// What of a node is to be written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facets {
    pub cluster: bool,
    pub peer: bool,
    pub join: bool,
    pub expected: bool,
}

impl Facets {
    pub const ALL: Facets = Facets { cluster: true, peer: true, join: true, expected: true };
    pub const LIVENESS: Facets = Facets { cluster: true, peer: true, join: false, expected: false };
    pub const INTENT: Facets = Facets { cluster: false, peer: false, join: true, expected: true };
    pub const PEER: Facets = Facets { cluster: false, peer: true, join: false, expected: false };
    pub const EXPECTED: Facets = Facets { cluster: false, peer: false, join: false, expected: true };
    pub const NONE: Facets = Facets { cluster: false, peer: false, join: false, expected: false };
}

/// What a membership has changed for one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub id: u32,
    /// `Some(now)` if membership in the cluster changed.
    pub member: Option<bool>,
    /// `Some(now)` if its controller came or went.
    pub online: Option<bool>,
}

/// All nodes, by their number.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    nodes: BTreeMap<u32, Peer>,
    /// Of the newest membership.
    pub generation: u64,
}

impl Peers {
    pub fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.nodes.values()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.nodes.values_mut()
    }

    pub fn by_id(&self, id: u32) -> Option<&Peer> {
        self.nodes.get(&id)
    }

    pub fn by_name(&self, name: &str) -> Option<&Peer> {
        self.nodes.values().find(|peer| peer.node.name.eq_ignore_ascii_case(name))
    }

    pub fn by_name_mut(&mut self, name: &str) -> Option<&mut Peer> {
        self.nodes.values_mut().find(|peer| peer.node.name.eq_ignore_ascii_case(name))
    }

    /// The name a node has, by its id in the CIB.
    pub fn name_of(&self, id: &str) -> Option<Arc<str>> {
        let id: u32 = id.parse().ok()?;
        self.nodes.get(&id).map(|peer| Arc::clone(&peer.node.name))
    }

    pub fn is_active(&self, name: &str) -> bool {
        self.by_name(name).is_some_and(Peer::is_active)
    }

    pub fn active(&self) -> impl Iterator<Item = &ClusterNode> {
        self.nodes.values().filter(|peer| peer.is_active()).map(|peer| &peer.node)
    }

    pub fn forget(&mut self, id: Option<u32>, name: Option<&str>) {
        self.nodes.retain(|_, peer| {
            let named = name.is_none_or(|name| peer.node.name.eq_ignore_ascii_case(name));
            let numbered = id.is_none_or(|id| peer.node.id == id);
            peer.is_active() || (name.is_none() && id.is_none()) || !(named && numbered)
        });
    }

    pub fn count(&self, phase: JoinPhase) -> usize {
        self.nodes.values().filter(|peer| peer.join == phase).count()
    }

    /// A node that is heard of (its name learnt from a message).
    pub fn meet(&mut self, node: &ClusterNode) -> &mut Peer {
        self.nodes.entry(node.id).or_insert_with(|| Peer::new(node.clone()))
    }

    /// Takes over who is there.
    pub fn update(&mut self, membership: &Membership, now: WallTime) -> Vec<Change> {
        self.generation = membership.generation;
        let mut changes = Vec::new();
        let mut apply = |peer: &mut Peer, is_member: bool, in_group: bool| {
            let first = !std::mem::replace(&mut peer.seen, true);
            let member = (peer.is_member != is_member || first).then_some(is_member);
            let online = (peer.in_group != in_group).then_some(in_group);
            if peer.is_member != is_member {
                peer.member_since = if is_member { now.secs.max(2) } else { 0 };
            }
            if peer.in_group != in_group {
                peer.online_since = if in_group { now.secs.max(2) } else { 0 };
            }
            (peer.is_member, peer.in_group) = (is_member, in_group);
            if member.is_some() || online.is_some() {
                changes.push(Change { id: peer.node.id, member, online });
            }
        };
        for member in &membership.nodes {
            let peer = self.nodes.entry(member.node.id).or_insert_with(|| Peer::new(member.node.clone()));
            peer.node = member.node.clone();
            apply(peer, member.is_member, member.in_group);
        }
        for peer in self.nodes.values_mut() {
            if peer.seen && !membership.nodes.iter().any(|member| member.node.id == peer.node.id) {
                apply(peer, false, false);
            }
        }
        changes
    }
}

impl Context {
    /// A node's entry for `<status>`. `None` while the cluster layer has said nothing of it.
    pub fn node_state(&self, name: &str, facets: Facets, origin: &str) -> Option<Element> {
        let peer = self.peers.by_name(name).filter(|peer| peer.seen)?;
        let mut state =
            Element::new("node_state").with_attr("id", peer.node.id).with_attr("uname", &*peer.node.name);
        if facets.cluster {
            if self.states_are_times() {
                state.set_attr("in_ccm", peer.member_since);
            } else {
                state.set_attr("in_ccm", peer.is_member);
            }
        }
        if facets.peer {
            if self.states_are_times() {
                state.set_attr("crmd", peer.online_since);
            } else {
                state.set_attr("crmd", if peer.in_group { "online" } else { "offline" });
            }
        }
        if facets.join {
            state.set_attr("join", if peer.join > JoinPhase::None { "member" } else { "down" });
        }
        if facets.expected {
            state.set_attr_opt("expected", peer.expected.map(Expected::as_str));
        }
        state.set_attr("crm-debug-origin", origin);
        Some(state)
    }

    /// Writes all nodes into the configuration, and (as DC) their states.
    pub fn write_nodes(&mut self, facets: Facets, as_dc: bool, origin: &str) {
        let nodes = self.peers.iter().map(|peer| {
            Element::new("node").with_attr("id", peer.node.id).with_attr("uname", &*peer.node.name)
        });
        let nodes = Element::new("nodes").with_children(nodes.collect::<Vec<_>>());
        self.cib_modify("nodes", nodes, super::cib_calls::Purpose::NodeUpdate);
        if as_dc {
            let names: Vec<_> = self.peers.iter().map(|peer| Arc::clone(&peer.node.name)).collect();
            let states: Vec<_> =
                names.iter().filter_map(|name| self.node_state(name, facets, origin)).collect();
            let status = Element::new("status").with_children(states);
            self.cib_modify("status", status, super::cib_calls::Purpose::NodeUpdate);
        }
    }

    /// Notes what is expected of a node.
    pub fn expect(&mut self, name: &str, expected: Expected) {
        if let Some(peer) = self.peers.by_name_mut(name)
            && peer.expected != Some(expected)
        {
            let old = peer.expected.replace(expected).map_or("none", Expected::as_str);
            let text = format!("Node {name} expected state is now {} (was {old})", expected.as_str());
            self.log(messages::core::Level::Info, text);
        }
    }

    /// A node that is to be thought of as down, whatever it was.
    pub fn peer_down(&mut self, name: &str) {
        if let Some(peer) = self.peers.by_name_mut(name) {
            peer.seen = true;
            peer.join = JoinPhase::None;
        }
        self.expect(name, Expected::Down);
    }
}
