// SPDX-License-Identifier: GPL-2.0-or-later
//! How the nodes are.
//!
//! Decides: which nodes are online, pending, leaving, unclean (Pacemaker Explained, "Node Status"). Given: `status`.
//! Leaves to others: what runs on them (`history`).

use crate::action::FenceReason;
use crate::notation::{integer, is_true, number, parse_bool, whole_seconds};
use crate::{Cluster, ConfigIssue, NodeId, NodeKind, QuorumPolicy};
use model::Score;
use xml::Element;

/// What a `node_state` says of membership.
struct Membership<'a> {
    /// Since when it is a member (seconds since the epoch, or 1); zero if it is none; `None` if nobody knows.
    member: Option<i64>,
    /// The same for its controller.
    online: i64,
    join: Option<&'a str>,
    expected: Option<&'a str>,
}

impl<'a> Membership<'a> {
    fn read(state: &'a Element, now: i64) -> Membership<'a> {
        let member = state.attr("in_ccm").and_then(|text| match parse_bool(text) {
            Some(true) => Some(now.max(1)),
            Some(false) => Some(0),
            None => integer(text).filter(|&when| when >= 0),
        });
        let online = match state.attr("crmd") {
            Some(text) if text.eq_ignore_ascii_case("online") => 1,
            Some(text) if !text.eq_ignore_ascii_case("offline") => integer(text).unwrap_or(0).max(0),
            _ => 0,
        };
        Membership { member, online, join: state.attr("join"), expected: state.attr("expected") }
    }

    fn is_member(&self) -> bool {
        self.member.is_some_and(|when| when > 0)
    }
}

impl Cluster {
    pub(super) fn unpack_status(&mut self) {
        let Some(status) = self.cib.child("status").cloned() else { return };
        self.unpack_tickets(&status);
        for state in status.elements_named("node_state") {
            self.unpack_node_state(state);
        }
        // One node's history may tell that others can be reached.
        while self.unpack_histories(&status, false) {}
        // With fencing, the history of lost nodes matters as well; it is read after that of the others.
        self.unpack_histories(&status, self.options.fencing_enabled);
        for container in std::mem::take(&mut self.stop_needed).into_iter().rev() {
            if let Some(node) = self.current_node(container) {
                self.stop_action(container, Some(node), false);
            }
        }
        self.conclude_reached_nodes();
    }

    /// Reads the histories that can be read; says whether there were any.
    fn unpack_histories(&mut self, status: &Element, include_lost: bool) -> bool {
        let mut any = false;
        for state in status.elements_named("node_state") {
            any |= self.unpack_node_history(state, include_lost);
        }
        any
    }

    fn unpack_node_state(&mut self, state: &Element) {
        let Some(id) = state.id() else {
            let issue = ConfigIssue::error("Ignoring invalid node_state entry without id");
            self.note_issue(issue.logged_by("unpack_node_state"));
            return;
        };
        let Some(node) = self.find_node(id, state.attr("uname")) else { return };
        if self.node(node).kind != NodeKind::Cluster {
            // How it is can only be told once all is known of its connection.
            let fenced = number(state, "node_fenced").unwrap_or(0) > 0;
            self.node_mut(node).state.remote_fenced = fenced;
            return;
        }
        self.add_node_attributes(node, state.child("transient_attributes"), true);
        let attribute = |cluster: &Cluster, name: &str| {
            is_true(cluster.node(node).attributes.get(name).map(|value| &**value))
        };
        let (standby, maintenance) = (attribute(self, "standby"), attribute(self, "maintenance"));
        let node_state = &mut self.node_mut(node).state;
        node_state.standby |= standby;
        node_state.maintenance |= maintenance;
        node_state.unclean = false;
        node_state.unseen = false;
        self.determine_online(node, state);
        let policy = self.options.quorum_policy;
        if !self.quorate && self.node(node).state.online && policy == QuorumPolicy::Fence {
            self.fence_node(node, FenceReason::NoQuorum, false);
        }
    }

    fn determine_online(&mut self, node: NodeId, state: &Element) {
        let seen = Membership::read(state, self.now.secs);
        let shutdown = self.node(node).attributes.get("shutdown").is_some_and(|value| **value != *"0");
        let node_state = &mut self.node_mut(node).state;
        node_state.shutdown = shutdown;
        if !shutdown && seen.expected.is_some_and(|e| e.eq_ignore_ascii_case("member")) {
            node_state.expected_up = true;
        }
        let online = if self.options.fencing_enabled {
            self.is_online_with_fencing(node, &seen)
        } else {
            self.is_online_without_fencing(node, &seen)
        };
        let node_state = &mut self.node_mut(node).state;
        node_state.online |= online;
        if !online || shutdown {
            node_state.score = Score::MINUS_INFINITY;
        }
        if node_state.unclean {
            let issue = format!("{} is unclean", self.node(node).name);
            self.note_issue(ConfigIssue::state_warning(issue).logged_by("determine_online_status"));
        }
    }

    fn is_online_without_fencing(&mut self, node: NodeId, seen: &Membership<'_>) -> bool {
        if !seen.is_member() {
            return false;
        }
        if seen.online > 0 {
            return seen.join.is_some_and(|join| join.eq_ignore_ascii_case("member"));
        }
        if self.node(node).state.expected_up {
            self.fence_node(node, FenceReason::UnexpectedlyDown, false);
        }
        false
    }

    fn is_online_with_fencing(&mut self, node: NodeId, seen: &Membership<'_>) -> bool {
        if self.node(node).state.shutdown {
            return seen.online > 0;
        }
        let Some(member) = seen.member else {
            self.fence_node(node, FenceReason::NotSeen, false);
            return false;
        };
        if seen.join == Some("banned") {
            self.fence_node(node, FenceReason::Refused, false);
        } else if self.is_termination_requested(node) {
            if member <= 0 && seen.online <= 0 && seen.join == Some("down") {
                return false;
            }
            self.fence_node(node, FenceReason::Requested, false);
        } else if seen.expected.is_none_or(|expected| expected == "down") {
            if self.is_pending_too_long(member, seen.online) {
                self.fence_node(node, FenceReason::PendingTooLong, false);
            } else if member > 0 || seen.online > 0 {
                let state = &mut self.node_mut(node).state;
                state.standby = true;
                state.pending = true;
            }
        } else if member <= 0 {
            self.fence_node(node, FenceReason::Lost, true);
        } else if seen.online <= 0 {
            self.fence_node(node, FenceReason::ProcessLost, false);
        } else {
            match seen.join {
                Some("member") => {}
                Some("pending" | "down") => {
                    let state = &mut self.node_mut(node).state;
                    state.standby = true;
                    state.pending = true;
                }
                _ => self.fence_node(node, FenceReason::UnknownState, false),
            }
        }
        member > 0
    }

    fn is_termination_requested(&self, node: NodeId) -> bool {
        let Some(value) = self.node(node).attributes.get("terminate") else { return false };
        parse_bool(value).unwrap_or_else(|| integer(value).is_some_and(|when| when > 0))
    }

    fn is_pending_too_long(&mut self, member: i64, online: i64) -> bool {
        let limit_ms = self.options.node_pending_timeout_ms;
        if limit_ms == 0 || member <= 0 || online > 0 {
            return false;
        }
        let deadline = member.saturating_add(whole_seconds(limit_ms));
        if self.now.secs >= deadline {
            return true;
        }
        self.recheck_at(deadline);
        false
    }

    fn unpack_node_history(&mut self, state: &Element, include_lost: bool) -> bool {
        let (Some(id), Some(name)) = (state.id(), state.attr("uname")) else { return false };
        let Some(node) = self.find_node(id, Some(name)) else { return false };
        let node_state = &self.node(node).state;
        if node_state.unpacked {
            return false;
        }
        let reached = self.node(node).kind != NodeKind::Cluster;
        let lost_matter = self.options.fencing_enabled || self.options.shutdown_lock;
        let ready = match reached {
            true => self.is_reached(node),
            false => node_state.online || lost_matter,
        };
        if !ready && !include_lost {
            return false;
        }
        if reached {
            self.determine_reached_online(node);
            self.unpack_reached_state(node, state);
        }
        self.node_mut(node).state.unpacked = true;
        let Some(resources) = state.descend(&["lrm", "lrm_resources"]) else { return true };
        for resource in resources.elements_named("lrm_resource") {
            self.unpack_resource_history(node, resource);
        }
        self.link_removed_contents(resources);
        true
    }
}
