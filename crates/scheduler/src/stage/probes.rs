// SPDX-License-Identifier: GPL-2.0-or-later
//! Probes: one-time monitors that find out where a resource runs.
//!
//! Decides: what is probed where, and what waits for it. Given: what is known. Leaves to others: what the probes find.

use crate::action::{ActionId, FenceReason, Relation, relation};
use crate::constraint::Side;
use crate::variant::instances::Fit;
use crate::{Cluster, Discovery, NodeId, NodeKind, ResourceId, Variant};
use model::Role;
use std::collections::BTreeSet;

impl Cluster {
    pub(super) fn schedule_probes(&mut self) {
        if !self.options.startup_probes {
            return;
        }
        for node in self.node_ids() {
            if !self.node(node).state.online && self.is_cut_off(node) {
                self.fence_node(node, FenceReason::ConnectionLost, false);
            }
            let state = &self.node(node).state;
            if !state.online || state.unclean || state.discovery_disabled {
                continue;
            }
            for resource in self.top.clone() {
                self.probe(resource, node);
            }
        }
    }

    /// Probes a resource on a node, if need be; says whether.
    pub(crate) fn probe(&mut self, id: ResourceId, node: NodeId) -> bool {
        match self.resource(id).variant {
            Variant::Clone => return self.probe_clone(id, node),
            Variant::Bundle => return self.probe_bundle(id, node),
            Variant::Primitive | Variant::Group => {}
        }
        if self.node(node).kind != NodeKind::Cluster && !self.can_be_behind_connection(id, node) {
            return false;
        }
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            return self.probe_all(&resource.children.clone(), node);
        }
        let contained = resource.work.launcher.is_some() && !resource.work.remote_connection;
        if contained || resource.state.removed || resource.state.known_on.contains(&node) {
            return false;
        }
        let allowed = resource.work.allowed.get(node.index()).and_then(Option::as_ref);
        let never = self.node(node).state.never_probed;
        let default = if never { Discovery::Never } else { Discovery::Always };
        let probe_mode = allowed.map_or(Some(default), |allowed| Some(allowed.probe));
        let probe_mode = probe_mode.filter(|_| allowed.is_some() || never);
        let exclusive = resource.work.exclusive_probes || self.work(self.top_of(id)).exclusive_probes;
        if exclusive && probe_mode != Some(Discovery::Exclusive) || probe_mode == Some(Discovery::Never) {
            return false;
        }
        if let Some(launcher) = self.launcher_of(node)
            && !self.is_guest_to_be_probed(node, launcher, id)
        {
            return false;
        }
        let probe = self.probe_action(id, node);
        // What a probe of an instance finds may make the start of any instance of the clone one too many.
        let top = self.top_of(id);
        let gated = if self.resource(top).variant == Variant::Clone { top } else { id };
        let mut flags = relation::ORDERED;
        if !self.action(probe).runnable && self.state(gated).active_on.is_empty() {
            flags |= relation::UNRUNNABLE_FIRST_BLOCKS;
        }
        let first = Side::action(self, probe);
        self.add_ordering(first.clone(), Side::operation(self, gated, "start"), flags);
        let reload = Side { resource: Some(gated), ..Side::operation(self, id, "reload-agent") };
        self.add_ordering(first, reload, relation::ORDERED);
        true
    }

    fn probe_all(&mut self, ids: &[ResourceId], node: NodeId) -> bool {
        ids.iter().fold(false, |any, &id| self.probe(id, node) | any)
    }

    /// Connections, fence devices and what makes guests cannot be behind a connection.
    fn can_be_behind_connection(&self, id: ResourceId, node: NodeId) -> bool {
        let guest_in_guest =
            self.node(node).kind == NodeKind::Guest && self.guest_connection_of(id).is_some();
        !self.state(id).fence_device && !self.work(id).remote_connection && !guest_in_guest
    }

    /// The connection to the guest that a resource makes, if it makes one.
    pub(crate) fn guest_connection_of(&self, id: ResourceId) -> Option<ResourceId> {
        let launched = self.work(id).launched.iter().copied();
        launched.into_iter().find(|&launched| self.work(launched).remote_connection)
    }

    /// Whether something is probed on a guest: nothing runs there if that does not, and nothing will after its stop.
    fn is_guest_to_be_probed(&mut self, node: NodeId, launcher: ResourceId, id: ResourceId) -> bool {
        let top = self.top_of(id);
        let state = self.state(launcher);
        let assigned = self.work(launcher).assigned;
        if state.role == Role::Stopped {
            // Whether it really is stopped, its own probe tells.
            if assigned.is_some_and(|node| !state.known_on.contains(&node)) {
                self.order(launcher, "monitor", top, "start", relation::ORDERED);
            }
            return false;
        }
        let node_state = &self.node(node).state;
        let moves = state.role > Role::Stopped
            && assigned.is_some_and(|assigned| !state.active_on.contains(&assigned));
        if node_state.remote_reset
            || node_state.unclean
            || state.failed
            || state.next_role == Role::Stopped
            || moves
        {
            self.order(launcher, "stop", top, "start", relation::ORDERED);
            return false;
        }
        true
    }

    /// Of instances that are all the same one probe tells about all.
    fn probe_clone(&mut self, clone: ResourceId, node: NodeId) -> bool {
        if self.work(clone).exclusive_probes {
            let entry = self.work_mut(clone).allowed.get_mut(node.index());
            if let Some(entry) = entry
                && entry.as_ref().is_none_or(|allowed| allowed.probe != Discovery::Exclusive)
            {
                // Instances are not told of nodes they can never be on.
                *entry = None;
                return false;
            }
        }
        self.sort_by_number(clone);
        let instances = self.resource(clone).children.clone();
        if self.state(clone).unique {
            return self.probe_all(&instances, node);
        }
        let probed = instances.iter().find(|&&instance| self.is_probed_on(instance, node));
        let planned = || instances.iter().find(|&&id| self.location(id, false) == Some(node));
        let chosen = probed.or_else(planned).or(instances.first()).copied();
        chosen.is_some_and(|instance| self.probe(instance, node))
    }

    fn is_probed_on(&self, id: ResourceId, node: NodeId) -> bool {
        let resource = self.resource(id);
        if resource.children.is_empty() {
            return resource.state.known_on.contains(&node);
        }
        resource.children.iter().any(|&child| self.is_probed_on(child, node))
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
                let after = self.action(probe).after[index];
                self.order_starts_after_failed_probe(probe, after);
                self.order_restarts_after_probe(id, probe, after.action);
            }
        }
    }

    /// Follows what has to be done after a probe, each action once, and has it wait where it would restart something.
    fn order_restarts_after_probe(&mut self, probed: ResourceId, probe: ActionId, then: ActionId) {
        let mut seen = BTreeSet::from([then]);
        self.order_reverse_after_probe(probed, probe, then);
        let mut path = vec![(then, self.action(then).after.len(), self.neighbour_of(probed, then))];
        while let Some((action, left, neighbour)) = path.last_mut() {
            let (action, neighbour) = (*action, *neighbour);
            let Some(index) = left.checked_sub(1) else {
                path.pop();
                continue;
            };
            *left = index;
            let next = self.action(action).after[index];
            let follows = next.flags & relation::FIRST_IMPLIES_THEN != 0
                || self.passes_into_member(probed, self.action(action).resource, next.action, neighbour);
            if follows && seen.insert(next.action) {
                self.order_reverse_after_probe(probed, probe, next.action);
                let neighbour = self.neighbour_of(probed, next.action);
                path.push((next.action, self.action(next.action).after.len(), neighbour));
            }
        }
    }

    /// Another resource's stop before this start (or demotion before this promotion) waits for the probe.
    fn order_reverse_after_probe(&mut self, probed: ResourceId, probe: ActionId, after: ActionId) {
        let action = self.action(after);
        let Some(resource) = action.resource.filter(|&resource| resource != probed) else { return };
        if self.resource(resource).variant != Variant::Primitive {
            return;
        }
        let reverse = match &*action.task {
            "start" => "stop",
            "promote" => "demote",
            _ => return,
        };
        let key = self.key(resource, reverse);
        for then in self.find_actions(resource, &key, None) {
            if !self.action(then).pseudo {
                self.order_actions(probe, then, relation::ORDERED);
            }
        }
    }

    /// A probe that cannot be done keeps the instances of its clone that are not active from starting: there might be too
    /// many of them. (Those that are active must not stop for it, so the clone's own start is not kept.)
    fn order_starts_after_failed_probe(&mut self, probe: ActionId, after: Relation) {
        let start = self.action(after.action);
        let Some(clone) = start.resource.filter(|&id| self.resource(id).variant > Variant::Group) else {
            return;
        };
        let probe_top = self.action(probe).resource.map(|id| self.top_of(id));
        if self.action(probe).runnable
            || after.flags & relation::UNRUNNABLE_FIRST_BLOCKS != 0
            || probe_top != Some(clone)
            || *start.task != *"start"
        {
            return;
        }
        for index in (0..self.action(after.action).after.len()).rev() {
            let then = self.action(after.action).after[index].action;
            let action = self.action(then);
            let Some(resource) = action.resource else { continue };
            let inactive = self.state(resource).active_on.is_empty();
            if inactive && self.top_of(resource) == clone && *action.task == *"start" {
                let flags = relation::ORDERED | relation::UNRUNNABLE_FIRST_BLOCKS;
                self.order_actions(probe, then, flags);
            }
        }
    }

    /// Of an interleaved clone only the instance on the same node matters: whether it is one, and that instance.
    fn neighbour_of(&self, probed: ResourceId, action: ActionId) -> Option<Option<ResourceId>> {
        let clone = self.action(action).resource?;
        if self.resource(clone).variant <= Variant::Group || !self.work(clone).interleave {
            return None;
        }
        let fit = Fit { role: Role::Unknown, current: false, attribute: None };
        Some(self.compatible_instance(probed, clone, &fit))
    }

    /// From a stand-in's action the way leads on to the actions of those it stands for.
    fn passes_into_member(
        &self,
        probed: ResourceId,
        group: Option<ResourceId>,
        next: ActionId,
        neighbour: Option<Option<ResourceId>>,
    ) -> bool {
        let Some(group) = group.filter(|&id| self.resource(id).variant != Variant::Primitive) else {
            return false;
        };
        if self.resource(probed).parent == Some(group) {
            return false;
        }
        let chained = self.action(next).resource;
        chained.is_some_and(|id| {
            let resource = self.resource(id);
            let inside = resource.variant <= Variant::Group && resource.parent == Some(group);
            inside && neighbour.is_none_or(|neighbour| neighbour == Some(id))
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
            let then_is_stop = match (ordering.then.action, &ordering.then.key) {
                (Some(action), _) => *self.action(action).task == *"stop",
                (None, key) => key.as_ref().is_some_and(|key| key.ends_with("_stop_0")),
            };
            let container = self.work(first).launcher;
            if then_is_stop && container.is_some() && container == ordering.then.resource {
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
