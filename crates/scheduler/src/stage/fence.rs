// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencing and shutting down nodes.
//!
//! Decides: which nodes, in which order, and what waits for it. Given: unclean and leaving nodes. Leaves to others: how
//! a node is fenced.

use crate::action::{ActionId, FenceReason, Requires, relation};
use crate::constraint::Side;
use crate::{Cluster, ConfigIssue, NodeId, NodeKind, ResourceId, Variant};

impl Cluster {
    pub(super) fn schedule_fencing_and_shutdowns(&mut self) {
        let have_managed = self.resources.iter().any(|r| r.children.is_empty() && r.state.managed)
            || self.top.iter().any(|&id| self.state(id).managed);
        let (mut dc_down, mut fencings, mut shutdowns) = (None, Vec::<ActionId>::new(), Vec::new());
        let mut unfenced = Vec::new();
        for node in self.node_ids() {
            let state = &self.node(node).state;
            let is_dc = self.dc == Some(node);
            if self.node(node).kind == NodeKind::Guest {
                if state.remote_reset && have_managed && self.can_fence(node) {
                    self.fence_guest(node);
                }
                continue;
            }
            let must_be_fenced = have_managed && state.unclean && self.can_fence(node);
            if state.unclean && !must_be_fenced {
                unfenced.push(node);
            }
            if must_be_fenced {
                let fencing = self.fence_action(node, None, false, Some(FenceReason::Unclean), false);
                let issue = format!("Scheduling node {} for fencing", self.node(node).name);
                self.note_issue(ConfigIssue::state_warning(issue).logged_by("schedule_fencing"));
                self.order_vs_fencing(fencing, node);
                if is_dc {
                    dc_down = Some(fencing);
                    continue;
                }
                if let Some(&last) = fencings.last().filter(|_| !self.options.concurrent_fencing) {
                    self.order_actions(last, fencing, relation::ORDERED);
                }
                fencings.push(fencing);
            } else if state.online && state.shutdown && self.node(node).kind == NodeKind::Cluster {
                let down = self.shutdown_action(node);
                if is_dc {
                    dc_down = Some(down);
                } else {
                    shutdowns.push(down);
                }
            }
        }
        self.note_unfenced(&unfenced);
        let Some(dc_down) = dc_down else { return };
        // The DC goes last: somebody has to see to the others.
        if *self.action(dc_down).task == *"do_shutdown" {
            for &shutdown in shutdowns.iter().rev() {
                self.order_actions(shutdown, dc_down, relation::ORDERED);
            }
        }
        let before: Vec<ActionId> = if self.options.concurrent_fencing {
            fencings.iter().rev().copied().collect()
        } else {
            fencings.last().copied().into_iter().collect()
        };
        for fencing in before {
            self.order_actions(fencing, dc_down, relation::ORDERED);
        }
    }

    fn note_unfenced(&mut self, nodes: &[NodeId]) {
        const FUNCTION: &str = "schedule_fencing_and_shutdowns";
        for &node in nodes {
            let issue = format!("Node {} is unclean but cannot be fenced", self.node(node).name);
            self.note_issue(ConfigIssue::warning(issue).logged_by(FUNCTION));
        }
        if !nodes.is_empty() && !self.options.fencing_enabled {
            let issue = "Resource functionality and data integrity cannot be guaranteed (configure, enable, and test \
                         fencing to correct this)";
            self.note_issue(ConfigIssue::warning(issue).logged_by(FUNCTION));
        }
    }

    fn shutdown_action(&mut self, node: NodeId) -> ActionId {
        let key = format!("do_shutdown-{}", self.node(node).name);
        let down = self.cluster_action(&key, "do_shutdown", Some(node), false);
        for index in (0..self.actions.len()).rev() {
            let stop = ActionId::new(index);
            let action = self.action(stop);
            let Some(resource) =
                action.resource.filter(|_| action.node == Some(node) && *action.task == *"stop")
            else {
                continue;
            };
            let state = self.state(resource);
            if state.maintenance || self.node(node).state.maintenance || !(state.managed || state.blocked) {
                continue;
            }
            self.action_mut(stop).optional = false;
            let (first, then) = (Side::action(self, stop), Side::action(self, down));
            self.add_ordering(first, then, relation::ORDERED | relation::UNRUNNABLE_FIRST_BLOCKS);
        }
        self.action_mut(down).set_meta("op_no_wait", "true");
        down
    }

    /// Tells of a guest's being down, which its container's recovery brings about.
    fn fence_guest(&mut self, node: NodeId) {
        let Some(launcher) = self.launcher_of(node) else { return };
        let stop = self.find_first_action(launcher, "stop", None);
        let restarts = self.find_first_action(launcher, "start", None).is_some();
        let kind = if restarts { "reboot" } else { "off" };
        let fencing = self.fence_action(node, Some(kind), false, Some(FenceReason::GuestUnclean), false);
        let action = self.action_mut(fencing);
        action.pseudo = true;
        action.runnable = true;
        let implies = relation::UNRUNNABLE_FIRST_BLOCKS | relation::FIRST_IMPLIES_THEN;
        let stop_node = stop.and_then(|stop| self.action(stop).node);
        match (stop, stop_node) {
            (Some(stop), Some(host)) if self.action(stop).pseudo => {
                let host_fencing = self.fence_action(host, None, false, None, false);
                self.order_actions(host_fencing, fencing, implies);
            }
            (Some(stop), _) => {
                self.order_actions(stop, fencing, implies);
            }
            (None, _) => {
                // It seems to be stopped already, perhaps only because its history was deleted: then a probe will tell,
                // which the connection's stop waits for.
                let connection = self.node(node).connection;
                let close = connection.and_then(|id| self.find_first_action(id, "stop", None));
                if let Some(close) = close {
                    self.order_actions(close, fencing, relation::ORDERED);
                }
            }
        }
        self.order_vs_fencing(fencing, node);
    }

    /// What may only be done once a node is known to be down waits for its fencing; what runs there is stopped by it.
    fn order_vs_fencing(&mut self, fencing: ActionId, target: NodeId) {
        for resource in self.top.clone() {
            self.order_resource_vs_fencing(resource, fencing, target);
        }
    }

    fn order_resource_vs_fencing(&mut self, id: ResourceId, fencing: ActionId, target: NodeId) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for child in resource.children.clone() {
                self.order_resource_vs_fencing(child, fencing, target);
            }
        } else if resource.state.managed {
            self.order_starts_vs_fencing(id, fencing, target);
            self.order_stops_vs_fencing(id, fencing, target);
        }
    }

    fn order_starts_vs_fencing(&mut self, id: ResourceId, fencing: ActionId, target: NodeId) {
        let resource = self.resource(id);
        let allowed = resource.work.allowed.get(target.index()).is_some_and(Option::is_some);
        let known = self.is_known_on(id, target);
        for index in (0..self.work(id).actions.len()).rev() {
            let action = self.work(id).actions[index];
            let (needs, is_start) = (self.action(action).needs, *self.action(action).task == *"start");
            match needs {
                Requires::Nothing => {}
                Requires::Fencing => {
                    self.order_actions(fencing, action, relation::ORDERED);
                }
                Requires::Quorum if is_start && allowed && !known => {
                    let flags = relation::ORDERED | relation::UNRUNNABLE_FIRST_BLOCKS;
                    self.order_actions(fencing, action, flags);
                }
                Requires::Quorum => {}
            }
        }
    }

    /// Whether a resource's state on a node is known. Instances that are all the same share what is known of any, but not
    /// those of groups, of which only a part may be known.
    fn is_known_on(&self, id: ResourceId, node: NodeId) -> bool {
        let resource = self.resource(id);
        let by_siblings = |parent: ResourceId| {
            let parent = self.resource(parent);
            parent.variant == Variant::Clone && !parent.state.unique && parent.state.known_on.contains(&node)
        };
        resource.state.known_on.contains(&node)
            || resource.variant == Variant::Primitive && resource.parent.is_some_and(by_siblings)
    }

    fn order_stops_vs_fencing(&mut self, id: ResourceId, fencing: ActionId, target: NodeId) {
        // A guest is fenced by its being stopped, which has to come first in any case.
        let implied = self.state(id).needs_fencing || self.node(target).kind == NodeKind::Guest;
        let bundled = self.is_bundled(id);
        let stop_key = self.key(id, "stop");
        let stops = self.find_actions(id, &stop_key, Some(target));
        let top = self.top_of(id);
        let parent_stop =
            if implied && !stops.is_empty() { self.find_first_action(top, "stop", None) } else { None };
        for stop in stops {
            let action = self.action_mut(stop);
            action.pseudo = true;
            action.runnable = true;
            if implied {
                if !bundled {
                    // The stop of the whole is ordered; more would lead in a circle.
                    self.order_actions(fencing, stop, relation::GUEST_ALLOWED);
                }
                if let Some(parent_stop) = parent_stop {
                    self.order_actions(fencing, parent_stop, relation::GUEST_ALLOWED);
                }
            }
            if self.work(id).notify {
                self.notify_after_fencing(stop, id, fencing);
            }
        }
        let demote_key = self.key(id, "demote");
        for demote in self.find_actions(id, &demote_key, Some(target)) {
            let state = &self.node(target).state;
            if state.online && !state.unclean && !self.state(id).failed {
                continue;
            }
            let action = self.action_mut(demote);
            action.pseudo = true;
            action.runnable = true;
            if implied && !bundled {
                self.order_actions(fencing, demote, relation::GUEST_ALLOWED | relation::ORDERED);
            }
        }
    }
}
