// SPDX-License-Identifier: GPL-2.0-or-later
//! Nodes that come and go, and quorum.

use super::Controld;
use super::peers::{Change, Expected, Facets, JoinPhase};
use super::state::{Signal, State};
use messages::core::{ClusterNode, Level, Membership};
use std::sync::Arc;
use std::time::Duration;

impl Controld {
    /// Who is there has changed.
    pub(super) fn membership(&mut self, membership: &Membership) {
        let changes = self.cx.peers.update(membership, self.cx.now.wall);
        for change in &changes {
            self.log_change(*change);
        }
        let active: Vec<ClusterNode> = self.cx.peers.active().cloned().collect();
        if let Some(election) = &mut self.election {
            if let Some(leader) = &self.cx.leader
                && !active.iter().any(|node| node.name.eq_ignore_ascii_case(&leader.name))
            {
                // Without this nobody might stand, all having just lost to the node that is gone.
                election.clear_dampening();
            }
            election.set_members(&active);
        }
        self.membership_known = true;
        if matches!(self.state, State::Starting) || self.state.is_over() {
            self.set_quorum(membership.quorate);
            return;
        }
        let local = self.cx.local_name();
        if !self.cx.peers.is_active(&local) {
            self.cx.raise(Signal::Error("We're not part of the cluster anymore".into()));
            return;
        }
        self.drain_election();
        self.watch_leader();
        for change in changes {
            self.peer_changed(change);
        }
        self.reap_inactive();
        let is_dc = self.state.is_dc();
        if is_dc {
            let facets = Facets { join: false, ..Facets::ALL };
            self.cx.write_nodes(facets, true, "post_cache_update");
        }
        // Two DCs that meet again notice each other by this.
        let noop = self.cx.request("noop", "crmd", if is_dc { "dc" } else { "crmd" });
        self.cx.send(&noop, "post_cache_update");
        self.set_quorum(membership.quorate);
    }

    fn log_change(&mut self, change: Change) {
        let Some(peer) = self.cx.peers.by_id(change.id) else { return };
        let name = Arc::clone(&peer.node.name);
        if let Some(is_member) = change.member {
            let state = if is_member { "member" } else { "lost" };
            self.cx.log(Level::Info, format!("Cluster node {name} is now {state}"));
        }
        if let Some(online) = change.online {
            let verb = if online { "now" } else { "no longer" };
            let leader = self.cx.leader.as_ref().map_or("<none>".into(), |leader| leader.name.to_string());
            self.cx.log(Level::Info, format!("Node {name} is {verb} a peer | DC={leader}"));
        }
    }

    /// Without its DC a node calls an election.
    fn watch_leader(&mut self) {
        let Some(leader) = self.cx.leader.as_ref().map(|leader| Arc::clone(&leader.name)) else { return };
        let following = !self.state.is_dc() && !matches!(self.state, State::Election { .. });
        if following && !self.cx.peers.is_active(&leader) {
            self.cx.log(Level::Notice, format!("Our peer on the DC ({leader}) is dead"));
            self.cx.raise(Signal::Election);
        }
    }

    fn peer_changed(&mut self, change: Change) {
        let Some(peer) = self.cx.peers.by_id(change.id).cloned() else { return };
        let name = Arc::clone(&peer.node.name);
        let appeared = change.member == Some(true) || change.online == Some(true);
        let gone = change.member == Some(false) || change.online == Some(false);
        if change.member == Some(true) {
            self.cx.fencer.came_back(&name);
        }
        if change.online == Some(true) && (self.state.is_dc() || self.cx.leader.is_none()) {
            self.cx.sync_fencing_history_in(Duration::from_secs(5));
        }
        let Some(dc) = self.state.dc() else { return };
        dc.join.failed_syncs.remove(&name.to_ascii_lowercase());
        let mut facets = Facets::PEER;
        if appeared && peer.is_active() {
            self.cx.raise_first(Signal::NodeJoin(None));
        }
        if gone {
            dc.lose_best(&mut self.cx, &name);
            match dc.down_event(&peer.id()) {
                // Written when the fencer says so.
                Some((_, operation)) if operation == "stonith" => {}
                Some((_, operation)) if operation == "do_shutdown" => {
                    facets = Facets { cluster: true, ..Facets::ALL };
                    self.cx.peer_down(&name);
                    let progress = if peer.is_member || peer.in_group { "in progress" } else { "complete" };
                    self.cx.log(Level::Notice, format!("do_shutdown of peer {name} is {progress}"));
                    dc.check_join(&mut self.cx);
                }
                _ => {
                    let known = dc.walk.is_some();
                    let (level, text) = if known && peer.expected != Some(Expected::Down) {
                        (Level::Warning, "was not expected")
                    } else {
                        (Level::Info, "is unknown to the current DC")
                    };
                    self.cx.log(level, format!("Fencing/shutdown of node {name} {text}"));
                    if let Some(peer) = self.cx.peers.by_name_mut(&name) {
                        peer.join = JoinPhase::None;
                    }
                    if dc.phase.is_joining() {
                        dc.check_join(&mut self.cx);
                    }
                    dc.restart(&mut self.cx, "Node failure", None);
                    dc.lose_node(&mut self.cx, &peer.id(), &name);
                }
            }
        }
        if let Some(peer) = self.cx.peers.by_name_mut(&name)
            && change.online == Some(false)
            && peer.is_member
        {
            // The machine is there, its controller is not: it must not be taken for one that is still starting.
            peer.member_since = 1;
            facets.cluster = true;
        }
        if let Some(state) = self.cx.node_state(&name, facets, "peer_update_callback") {
            self.cx.cib_create("status", state, super::cib_calls::Purpose::NodeUpdate);
        }
    }

    fn reap_inactive(&mut self) {
        for peer in self.cx.peers.iter_mut().filter(|peer| !peer.is_active()) {
            peer.join = JoinPhase::None;
        }
        let inactive: Vec<(String, Arc<str>)> = self
            .cx
            .peers
            .iter()
            .filter(|peer| !peer.is_active())
            .map(|peer| (peer.id(), Arc::clone(&peer.node.name)))
            .collect();
        let Some(dc) = self.state.dc() else { return };
        for (id, name) in inactive {
            dc.lose_node(&mut self.cx, &id, &name);
        }
        if dc.phase.is_joining() {
            dc.check_join(&mut self.cx);
        }
    }

    fn set_quorum(&mut self, quorate: bool) {
        let had = std::mem::replace(&mut self.cx.quorate, quorate);
        if quorate != had {
            let (level, text) = if quorate { (Level::Notice, "acquired") } else { (Level::Warning, "lost") };
            self.cx.log(level, format!("Quorum {text}"));
        }
        self.cx.ever_quorate |= quorate;
        if let Some(dc) = self.state.dc() {
            dc.write_quorum(&mut self.cx, had, false);
        }
    }
}
