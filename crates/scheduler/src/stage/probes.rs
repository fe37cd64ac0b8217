//! Probes: one-time monitors that find out where a resource runs.
//!
//! Decides: what is probed where, and what waits for it. Given: what is known. Leaves to others: what the probes find.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::action::{ActionId, relation};
use crate::constraint::Side;
use crate::{Cluster, Discovery, NodeId, ResourceId, Variant};
use model::Role;

impl Cluster {
    pub(super) fn schedule_probes(&mut self) {
        if !self.options.startup_probes {
            return;
        }
        for node in self.node_ids() {
            let state = &self.node(node).state;
            if !state.online || state.unclean || state.discovery_disabled {
                continue;
            }
            for resource in self.top.clone() {
                self.probe(resource, node);
            }
        }
    }

    fn probe(&mut self, id: ResourceId, node: NodeId) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for child in resource.children.clone() {
                self.probe(child, node);
            }
            return;
        }
        if resource.state.removed || resource.state.known_on.contains(&node) {
            return;
        }
        let allowed = resource.work.allowed.get(node.index()).and_then(Option::as_ref);
        let probe_mode = allowed.map(|allowed| allowed.probe);
        let exclusive = resource.work.exclusive_probes || self.work(self.top_of(id)).exclusive_probes;
        if exclusive && probe_mode != Some(Discovery::Exclusive) || probe_mode == Some(Discovery::Never) {
            return;
        }
        let probe = self.probe_action(id, node);
        let mut flags = relation::ORDERED;
        if !self.action(probe).runnable && self.state(id).active_on.is_empty() {
            flags |= relation::UNRUNNABLE_FIRST_BLOCKS;
        }
        let first = Side::action(self, probe);
        self.add_ordering(first.clone(), Side::operation(self, id, "start"), flags);
        self.add_ordering(first, Side::operation(self, id, "reload-agent"), relation::ORDERED);
    }

    fn probe_action(&mut self, id: ResourceId, node: NodeId) -> ActionId {
        let probe = self.resource_action(id, "monitor", 0, Some(node), false);
        self.action_mut(probe).optional = false;
        self.order_vs_unfencing(id, node, probe, relation::ORDERED);
        let state = self.state(id);
        let expected = if !state.active_on.contains(&node) {
            Some("7")
        } else if state.role == Role::Promoted {
            Some("8")
        } else {
            None
        };
        if let Some(rc) = expected {
            self.action_mut(probe).set_meta("op_target_rc", rc);
        }
        probe
    }

    // --- order ----------------------------------------------------------------------------------------------------

    /// Whatever would come after a start comes after the probe that decides about that start.
    pub(super) fn order_probes(&mut self) {
        for resource in self.top.clone() {
            self.order_restarts_after_probes(resource);
        }
        self.order_probes_before_stops_followers();
    }

    fn order_restarts_after_probes(&mut self, id: ResourceId) {
        if self.resource(id).variant != Variant::Primitive {
            for child in self.resource(id).children.clone() {
                self.order_restarts_after_probes(child);
            }
            return;
        }
        let key = self.key(id, "monitor");
        for probe in self.find_actions(id, &key, None) {
            for index in (0..self.action(probe).after.len()).rev() {
                let then = self.action(probe).after[index].action;
                let mut path = Vec::new();
                self.order_restarts_after_probe(probe, then, &mut path);
                for seen in path {
                    self.action_mut(seen).on_path = false;
                }
            }
        }
    }

    fn order_restarts_after_probe(&mut self, probe: ActionId, after: ActionId, path: &mut Vec<ActionId>) {
        let (probe_resource, is_probe) = {
            let action = self.action(probe);
            (action.resource, *action.task == *"monitor")
        };
        if !is_probe || self.action(after).on_path {
            return;
        }
        self.action_mut(after).on_path = true;
        path.push(after);
        let after_resource = self.action(after).resource;
        if let Some(resource) = after_resource.filter(|&r| Some(r) != probe_resource)
            && self.resource(resource).variant == Variant::Primitive
        {
            let reverse = match &*self.action(after).task {
                "start" => Some("stop"),
                "promote" => Some("demote"),
                _ => None,
            };
            if let Some(reverse) = reverse {
                let key = self.key(resource, reverse);
                for then in self.find_actions(resource, &key, None) {
                    if !self.action(then).pseudo {
                        self.order_actions(probe, then, relation::ORDERED);
                    }
                }
            }
        }
        for index in (0..self.action(after).after.len()).rev() {
            let next = self.action(after).after[index];
            if next.flags & relation::FIRST_IMPLIES_THEN == 0
                && !self.passes_into_member(probe_resource, after_resource, next.action)
            {
                continue;
            }
            self.order_restarts_after_probe(probe, next.action, path);
        }
    }

    /// From a group's pseudo-action the way leads on to its members' actions.
    fn passes_into_member(
        &self,
        probe_resource: Option<ResourceId>,
        group: Option<ResourceId>,
        next: ActionId,
    ) -> bool {
        let Some(group) = group.filter(|&id| self.resource(id).variant != Variant::Primitive) else {
            return false;
        };
        if probe_resource.and_then(|id| self.resource(id).parent) == Some(group) {
            return false;
        }
        let chained = self.action(next).resource;
        chained.is_some_and(|id| {
            let resource = self.resource(id);
            resource.variant <= Variant::Group && resource.parent == Some(group)
        })
    }

    /// What is ordered after a stop is ordered after the probes that may lead to that stop.
    fn order_probes_before_stops_followers(&mut self) {
        for index in 0..self.orderings.len() {
            let ordering = self.orderings[index].clone();
            let Some(first) = ordering.first.resource else { continue };
            if ordering.flags == relation::NONE || ordering.then.resource == Some(first) {
                continue;
            }
            let is_stop = match (ordering.first.action, &ordering.first.key) {
                (Some(action), _) => *self.action(action).task == *"stop",
                (None, Some(key)) => key.ends_with("_stop_0"),
                (None, None) => false,
            };
            if !is_stop {
                continue;
            }
            let passing = relation::IF_FIRST_UNMIGRATABLE | relation::IF_ON_SAME_NODE;
            let flags = match ordering.flags {
                only @ (relation::IF_REQUIRED_ON_SAME_NODE | relation::IF_ON_SAME_NODE_OR_TARGET) => only,
                flags => relation::ORDERED | flags & passing,
            };
            let key = self.key(first, "monitor");
            let probes = self.find_actions(first, &key, None);
            if probes.is_empty() {
                continue;
            }
            let thens = match (ordering.then.action, ordering.then.resource, &ordering.then.key) {
                (Some(then), ..) => vec![then],
                (None, Some(then), Some(key)) => self.find_actions(then, key, None),
                _ => continue,
            };
            for &probe in &probes {
                for &then in &thens {
                    if self.is_probe_needed_before(probe, then) {
                        self.order_actions(probe, then, flags);
                    }
                }
            }
        }
    }

    fn is_probe_needed_before(&self, probe: ActionId, then: ActionId) -> bool {
        let (probe, then) = (self.action(probe), self.action(then));
        match &*then.task {
            "stonith" => !(probe.node == then.node && then.meta("stonith_action") == Some("on")),
            "do_shutdown" => {
                let different: fn(Option<NodeId>, Option<NodeId>) -> bool =
                    |a, b| matches!((a, b), (Some(a), Some(b)) if a != b);
                !different(probe.node, then.node)
            }
            _ => true,
        }
    }
}
