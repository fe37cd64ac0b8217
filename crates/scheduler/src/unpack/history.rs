// SPDX-License-Identifier: GPL-2.0-or-later
//! What runs where, as the history tells it.
//!
//! Decides: a resource's role and nodes, and what its failures lead to. Given: `lrm_resource`s. Leaves to others: what
//! a single operation says (`outcome`); half-done migrations (`migration`).

use super::outcome::Failure;
use crate::action::{FenceReason, OnFail};
use crate::cluster::MultiplyActive;
use crate::ledger::Cause;
use crate::notation::{merge_sort, number, whole_seconds};
use crate::{Cluster, NodeId, NodeKind, ResourceId, Variant};
use model::{Role, Score, TransitionMagic};
use std::cmp::Ordering;
use std::sync::Arc;
use xml::Element;

/// Which of two operations came later, as far as can be told.
pub(crate) fn compare_operations(a: &Element, b: &Element) -> Ordering {
    let same_node = match (a.attr("on_node"), b.attr("on_node")) {
        (Some(x), Some(y)) => x.eq_ignore_ascii_case(y),
        (x, y) => x.is_none() && y.is_none(),
    };
    if same_node && a.id() == b.id() {
        return Ordering::Equal;
    }
    let call = |op: &Element| number(op, "call-id").unwrap_or(-1);
    let (call_a, call_b) = (call(a), call(b));
    if call_a == -1 && call_b == -1 {
        return Ordering::Equal;
    }
    if same_node && call_a >= 0 && call_a < call_b {
        return Ordering::Less;
    }
    if same_node && call_b >= 0 && call_a > call_b {
        return Ordering::Greater;
    }
    if call_a >= 0 && call_b >= 0 && (!same_node || call_a == call_b) {
        let when = |op: &Element| number(op, "last-rc-change").unwrap_or(-1);
        let (when_a, when_b) = (when(a), when(b));
        return match () {
            () if when_a >= 0 && when_a < when_b => Ordering::Less,
            () if when_b >= 0 && when_a > when_b => Ordering::Greater,
            () => Ordering::Equal,
        };
    }
    compare_transitions(a, b, call_a, call_b)
}

/// One of them is still pending: the transition they belong to tells.
fn compare_transitions(a: &Element, b: &Element, call_a: i64, call_b: i64) -> Ordering {
    let magic = |op: &Element| op.attr("transition-magic")?.parse::<TransitionMagic>().ok();
    let (Some(magic_a), Some(magic_b)) = (magic(a), magic(b)) else { return Ordering::Equal };
    let (id_a, id_b) = (magic_a.key.transition, magic_b.key.transition);
    if !magic_a.key.uuid.eq_ignore_ascii_case(&magic_b.key.uuid) || id_a == id_b {
        if call_b == -1 {
            Ordering::Less
        } else if call_a == -1 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    } else if id_a >= 0 && id_a < id_b || id_b == -1 {
        Ordering::Less
    } else if id_b >= 0 && id_a > id_b || id_a == -1 {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// A resource's operations on a node, oldest first.
pub(crate) fn sorted_operations(resource: &Element) -> Vec<Element> {
    let newest_first: Vec<Element> = resource.elements_named("lrm_rsc_op").rev().cloned().collect();
    if newest_first.len() < 2 {
        return newest_first;
    }
    merge_sort(&newest_first, &|a, b| compare_operations(a, b))
}

/// Where the last start (or what implies one) and the last stop stand among sorted operations.
pub(crate) fn active_range(operations: &[Element]) -> (Option<usize>, Option<usize>) {
    let (mut start, mut stop) = (None, None);
    let (mut by_monitor, mut by_role) = (None, None);
    for (index, op) in operations.iter().enumerate() {
        let task = op.attr("operation").unwrap_or_default();
        match task {
            "stop" if op.attr("op-status") == Some("0") => stop = Some(index),
            "start" | "migrate_from" => start = Some(index),
            "monitor" if by_monitor <= stop => {
                if matches!(op.attr("rc-code"), Some("0" | "8")) {
                    by_monitor = Some(index);
                }
            }
            "promote" | "demote" => by_role = Some(index),
            _ => {}
        }
    }
    (start.or(by_role).or(by_monitor), stop)
}

impl Cluster {
    pub(super) fn unpack_resource_history(&mut self, node: NodeId, entry: &Element) {
        let Some(history_id) = entry.id() else { return };
        let operations = sorted_operations(entry);
        if operations.is_empty() && !self.options.shutdown_lock {
            return;
        }
        let resource = match self.history_owner(node, history_id) {
            Some(id) => id,
            None if operations.is_empty() => return,
            None => match self.removed_resource(entry) {
                Some(id) => id,
                None => return,
            },
        };
        if self.options.shutdown_lock {
            self.unpack_shutdown_lock(entry, resource, node);
        }
        let saved_role = std::mem::replace(&mut self.state_mut(resource).role, Role::Unknown);
        let mut failure = Failure::default();
        for operation in &operations {
            self.unpack_operation(resource, node, operation, &mut failure);
        }
        self.note_recurring(resource, node, &operations);
        self.apply_history(resource, node, failure.on_fail);
        if let Some(role) = self.target_role(resource, false) {
            let state = self.state_mut(resource);
            if state.next_role == Role::Unknown || role < state.next_role {
                state.next_role = role;
            }
        }
        let state = self.state_mut(resource);
        state.role = state.role.max(saved_role);
    }

    /// A resource that is in the history only.
    fn removed_resource(&mut self, entry: &Element) -> Option<ResourceId> {
        let mut xml = Element::new("primitive");
        xml.replace_attrs(entry);
        // The id may be that of something else by now, a group perhaps; the history is not of that.
        let taken = entry.id().and_then(|id| self.by_id.remove(id).map(|other| (Arc::from(id), other)));
        let id = self.unpack_resource(&xml, None);
        self.by_id.extend(taken);
        let id = id?;
        self.revive_removed_node(id);
        self.top.push(id);
        let state = self.state_mut(id);
        state.removed = true;
        state.removed_filler = entry.attr("container").is_some();
        if self.options.stop_removed {
            self.add_location(id, None, Score::MINUS_INFINITY, || Cause::Removed);
        } else {
            self.state_mut(id).managed = false;
        }
        Some(id)
    }

    fn unpack_shutdown_lock(&mut self, entry: &Element, resource: ResourceId, node: NodeId) {
        let Some(since) = number(entry, "shutdown-lock").filter(|&since| since != 0) else { return };
        let limit_ms = self.options.shutdown_lock_limit_ms;
        if limit_ms > 0 && self.now.secs > since.saturating_add(whole_seconds(limit_ms)) {
            self.resource_action(resource, "lrm_delete", 0, Some(node), false);
        } else {
            let state = self.state_mut(resource);
            state.lock_node = Some(node);
            state.lock_time = since;
        }
    }

    /// Recurring operations that run now need not be started.
    fn note_recurring(&mut self, resource: ResourceId, node: NodeId, operations: &[Element]) {
        if !self.node(node).state.online {
            return;
        }
        let (start, stop) = active_range(operations);
        for (index, op) in operations.iter().enumerate() {
            if start < stop && Some(index) <= stop || Some(index) < start {
                continue;
            }
            let interval = number(op, "interval").and_then(|i| u64::try_from(i).ok()).unwrap_or(0);
            if interval == 0 || op.attr("op-status") == Some("-1") {
                continue;
            }
            let task = op.attr("operation").unwrap_or_default();
            self.resource_action(resource, task, interval, Some(node), true);
        }
    }

    /// Draws the conclusions from all operations of a resource on a node.
    fn apply_history(&mut self, resource: ResourceId, node: NodeId, on_fail: OnFail) {
        let known_active = self.state(resource).role > Role::Stopped;
        if self.state(resource).role != Role::Unknown {
            self.note_known(resource, node);
        }
        let node_state = &self.node(node).state;
        if known_active && !node_state.online && !node_state.maintenance && self.state(resource).managed {
            self.fence_for_active(resource, node);
        }
        let effective = if self.node(node).state.unclean { OnFail::Ignore } else { on_fail };
        self.react(resource, node, effective, known_active);
        if self.state(resource).failed
            && let Some(remote) = self.remote_node_of(resource)
            && self.node(remote).state.unclean
        {
            // The node is fenced even if the connection will be tried again.
            self.node_mut(remote).state.unseen = false;
        }
        if known_active {
            self.add_active(resource, node, on_fail != OnFail::Ignore);
            let state = self.state_mut(resource);
            match effective {
                OnFail::Ignore => {}
                OnFail::Demote | OnFail::Block => state.failed = true,
                _ => {
                    state.failed = true;
                    state.stop_if_failed = true;
                }
            }
        } else if self.resource(resource).history_id.as_ref().is_some_and(|id| id.contains(':')) {
            // Very old histories had instance numbers; a stopped instance is none that was removed.
            if let Some(old) = self.resource_mut(resource).history_id.take() {
                self.by_history.remove(&old);
            }
        } else if !self.work(resource).actions.is_empty() {
            let key = self.key(resource, "stop");
            for stop in self.find_actions(resource, &key, Some(node)) {
                self.action_mut(stop).optional = true;
            }
        }
        let (state, work) = (self.state(resource), self.work(resource));
        if state.role == Role::Stopped
            && !state.active_on.is_empty()
            && work.migration_target.is_some()
            && work.migration_source == Some(node)
        {
            self.state_mut(resource).role = Role::Started;
        }
    }

    /// Something runs, or may, on a node that is not online.
    fn fence_for_active(&mut self, resource: ResourceId, node: NodeId) {
        let id = self.resource(resource).id.clone();
        match self.node(node).kind {
            NodeKind::Guest => {
                // Its container is recovered, whether fencing is enabled or not, and with it all that ran there.
                let state = self.state_mut(resource);
                state.failed = true;
                state.stop_if_failed = true;
                self.fence_node(node, FenceReason::ThoughtActive(id), false);
            }
            _ if !self.options.fencing_enabled => {}
            NodeKind::Remote
                if self.node(node).connection.is_some_and(|connection| !self.state(connection).failed) =>
            {
                // The connection may be made again from elsewhere; then the node need not be fenced.
                self.node_mut(node).state.unseen = true;
                self.fence_node(node, FenceReason::ActiveBehindConnection(id), false);
            }
            _ => self.fence_node(node, FenceReason::ThoughtActive(id), false),
        }
    }

    /// The resource's state on the node is known; so is that of what it is in, unless instances are unique.
    fn note_known(&mut self, resource: ResourceId, node: NodeId) {
        let mut holder = Some(resource);
        while let Some(id) = holder {
            let state = self.state_mut(id);
            if !state.known_on.contains(&node) {
                state.known_on.push(node);
            }
            if state.unique {
                break;
            }
            holder = self.resource(id).parent;
        }
    }

    fn react(&mut self, resource: ResourceId, node: NodeId, on_fail: OnFail, known_active: bool) {
        match on_fail {
            OnFail::Ignore => {}
            OnFail::Demote => {
                self.state_mut(resource).failed = true;
                self.resource_action(resource, "demote", 0, Some(node), false);
            }
            OnFail::Fence => {
                let reason = FenceReason::ResourceFailed(self.resource(resource).id.clone());
                self.fence_node(node, reason, false);
            }
            OnFail::Standby => {
                let state = &mut self.node_mut(node).state;
                state.standby = true;
                state.standby_on_fail = true;
            }
            OnFail::Block => {
                let state = self.state_mut(resource);
                state.managed = false;
                state.blocked = true;
            }
            OnFail::Ban => {
                self.add_location(resource, Some(node), Score::MINUS_INFINITY, || Cause::FailedThere {
                    of: resource,
                });
            }
            OnFail::Stop => self.state_mut(resource).next_role = Role::Stopped,
            OnFail::Restart if known_active => {
                let state = self.state_mut(resource);
                state.failed = true;
                state.stop_if_failed = true;
                self.stop_action(resource, Some(node), false);
            }
            OnFail::Restart => {}
            OnFail::RestartContainer => {
                let state = self.state_mut(resource);
                state.failed = true;
                state.stop_if_failed = true;
                match self.work(resource).launcher {
                    // Where a bundle's container is need not be known yet, nor is it where its connection is.
                    Some(launcher) if self.is_bundled(resource) => self.stop_needed.push(launcher),
                    Some(launcher) => {
                        self.stop_action(launcher, Some(node), false);
                    }
                    None if known_active => {
                        self.stop_action(resource, Some(node), false);
                    }
                    None => {}
                }
            }
            OnFail::ResetRemote => self.reset_remote(resource, node, known_active),
        }
    }

    /// The connection to a remote node is lost: the node is fenced, so that nothing runs there unwatched.
    fn reset_remote(&mut self, resource: ResourceId, node: NodeId, known_active: bool) {
        let state = self.state_mut(resource);
        state.failed = true;
        state.stop_if_failed = true;
        let remote = self.remote_node_of(resource);
        let unfenced = |cluster: &Cluster, remote: NodeId| {
            let node = cluster.node(remote);
            node.kind == NodeKind::Remote && !node.state.remote_fenced
        };
        if let Some(remote) = remote.filter(|&r| self.options.fencing_enabled && unfenced(self, r)) {
            self.fence_node(remote, FenceReason::ConnectionUnrecoverable, false);
        }
        if known_active {
            self.stop_action(resource, Some(node), false);
        }
        if self.work(resource).reconnect_ms > 0 {
            self.state_mut(resource).next_role = Role::Stopped;
        }
    }

    /// The node a connection leads to.
    pub(crate) fn remote_node_of(&self, resource: ResourceId) -> Option<NodeId> {
        let name = &self.resource(resource).id;
        self.work(resource).remote_connection.then(|| self.node_named(name)).flatten()
    }

    /// Resources that were removed while they ran in containers that are still there.
    pub(super) fn link_removed_contents(&mut self, history: &Element) {
        for entry in history.elements_named("lrm_resource") {
            let (Some(id), Some(container)) = (entry.id(), entry.attr("container")) else { continue };
            let (Some(resource), Some(launcher)) = (self.resource_named(id), self.resource_named(container))
            else {
                continue;
            };
            if self.work(resource).launcher.is_none() && self.state(resource).removed_filler {
                self.work_mut(resource).launcher = Some(launcher);
                self.work_mut(launcher).launched.push(resource);
                if let Some(node) = self.remote_node_of(resource) {
                    // With its container known, the node is a guest.
                    self.node_mut(node).kind = NodeKind::Guest;
                }
            }
        }
    }

    /// The resource is active on a node.
    pub(super) fn add_active(&mut self, resource: ResourceId, node: NodeId, failed: bool) {
        if self.state(resource).active_on.contains(&node) {
            return;
        }
        self.state_mut(resource).active_on.push(node);
        let is_primitive = self.resource(resource).variant == Variant::Primitive;
        if is_primitive {
            self.node_mut(node).state.running.push(resource);
            let state = self.state(resource);
            if state.priority != 0 && !failed {
                let priority = state.priority.saturating_add(i32::from(state.role == Role::Promoted));
                let node_priority = &mut self.node_mut(node).state.priority;
                *node_priority = node_priority.saturating_add(priority);
                // What runs on a guest makes its host more important too.
                let launcher = self.launcher_of(node);
                for host in launcher.map(|id| self.state(id).active_on.clone()).unwrap_or_default() {
                    let host_priority = &mut self.node_mut(host).state.priority;
                    *host_priority = host_priority.saturating_add(priority);
                }
            }
            if self.node(node).state.maintenance {
                let state = self.state_mut(resource);
                state.managed = false;
                state.maintenance = true;
            }
        }
        let parent = self.resource(resource).parent;
        if !self.state(resource).managed {
            self.add_location(resource, Some(node), Score::INFINITY, || Cause::Unmanaged);
            let mut holder = parent;
            while let Some(id) = holder {
                self.state_mut(id).active_on.push(node);
                holder = self.resource(id).parent;
            }
            return;
        }
        if is_primitive && self.active_count_required(resource) > 1 {
            self.limit_activity(resource);
        }
        if let Some(parent) = parent {
            self.add_active(parent, node, false);
        }
    }

    /// It is active more often than it should be.
    fn limit_activity(&mut self, resource: ResourceId) {
        match self.work(resource).multiply_active {
            MultiplyActive::StopOnly => {
                self.ban_everywhere(resource, || Cause::MultiplyActive);
            }
            MultiplyActive::Block => {
                let mut blocked = vec![resource];
                if let Some(parent) = self.resource(resource).parent
                    && matches!(self.resource(parent).variant, Variant::Group | Variant::Bundle)
                    && self.work(parent).multiply_active == MultiplyActive::Block
                {
                    blocked.extend(self.resource(parent).children.iter().copied());
                }
                for id in blocked {
                    let state = self.state_mut(id);
                    state.managed = false;
                    state.blocked = true;
                }
            }
            MultiplyActive::Restart | MultiplyActive::StopUnexpected => {}
        }
    }
}
