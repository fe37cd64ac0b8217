// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencing and shutting down nodes.
//!
//! Decides: which nodes, in which order, and what waits for it. Given: unclean and leaving nodes. Leaves to others: how
//! a node is fenced.

use crate::action::{ActionId, FenceReason, Requires, relation};
use crate::constraint::Side;
use crate::{Cluster, ConfigIssue, NodeId, ResourceId, Variant};

impl Cluster {
    pub(super) fn schedule_fencing_and_shutdowns(&mut self) {
        let have_managed = self.resources.iter().any(|r| r.children.is_empty() && r.state.managed)
            || self.top.iter().any(|&id| self.state(id).managed);
        let (mut dc_down, mut fencings, mut shutdowns) = (None, Vec::<ActionId>::new(), Vec::new());
        let mut unfenced = Vec::new();
        for node in self.node_ids() {
            let state = &self.node(node).state;
            let is_dc = self.dc == Some(node);
            let must_be_fenced = have_managed && state.unclean && self.can_fence(node);
            if state.unclean && !must_be_fenced {
                unfenced.push(node);
            }
            if must_be_fenced {
                let fencing = self.fence_action(node, None, false, Some(FenceReason::Unclean), false);
                self.order_vs_fencing(fencing, node);
                if is_dc {
                    dc_down = Some(fencing);
                    continue;
                }
                if let Some(&last) = fencings.last().filter(|_| !self.options.concurrent_fencing) {
                    self.order_actions(last, fencing, relation::ORDERED);
                }
                fencings.push(fencing);
            } else if state.online && state.shutdown {
                let down = self.shutdown_action(node);
                if is_dc {
                    dc_down = Some(down);
                } else {
                    shutdowns.push(down);
                }
            }
        }
        for node in unfenced {
            let issue = format!("Node {} is unclean but cannot be fenced", self.node(node).name);
            self.note_issue(ConfigIssue::warning(issue));
        }
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
        let implied = self.state(id).needs_fencing;
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
                self.order_actions(fencing, stop, relation::GUEST_ALLOWED);
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
            if implied {
                self.order_actions(fencing, demote, relation::GUEST_ALLOWED | relation::ORDERED);
            }
        }
    }
}
