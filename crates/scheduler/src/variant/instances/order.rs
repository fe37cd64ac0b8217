// SPDX-License-Identifier: GPL-2.0-or-later
//! What an ordering of the whole means for its instances.
//!
//! Decides: when the action that stands for all is required and runnable; whether an ordering holds instance by instance
//! (`interleave`) or for all at once. Given: an action of a clone or bundle. Leaves to others: each instance's action.

use super::Fit;
use crate::action::{ActionId, Flags, relation};
use crate::notation::parse_op_key;
use crate::stage::order::{Change, Filter};
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::Role;

impl Cluster {
    /// What an action of the whole is called with its instances: a notification goes by what it is about, and of
    /// primitives there is no `running` or `stopped`.
    fn instance_task(&self, id: ActionId) -> String {
        let action = self.action(id);
        let task = match &*action.task {
            "notify" | "notified" => {
                let about = parse_op_key(&action.key).and_then(|(_, task, _)| task.split_once("_notify_"));
                about.map_or("", |(_, about)| about)
            }
            task => task,
        };
        let resource = action.resource.map(|id| self.resource(id));
        let child =
            resource.and_then(|resource| resource.children.first()).map(|&child| self.resource(child));
        if child.is_some_and(|child| child.variant == Variant::Primitive) {
            return crate::variant::group::member_task(task).to_owned();
        }
        task.to_owned()
    }

    /// The properties of an action that stands for all instances: required if any instance's is, runnable if any's is.
    pub(in crate::variant) fn collective_flags(
        &mut self,
        id: ActionId,
        instances: &[ResourceId],
        node: Option<NodeId>,
    ) -> Flags {
        let mut flags = Flags { optional: true, runnable: true, migratable: false, pseudo: true };
        let task = self.instance_task(id);
        let mut any_runnable = false;
        for &instance in instances {
            // The node only tells single actions apart.
            let on = node.filter(|_| self.resource(instance).variant == Variant::Primitive);
            let Some(action) = self.find_first_action(instance, &task, on) else { continue };
            let of_instance = self.action_flags(action, node);
            if flags.optional && !of_instance.optional {
                flags.optional = false;
                self.action_mut(id).optional = false;
            }
            any_runnable |= of_instance.runnable;
        }
        if !any_runnable {
            flags.runnable = false;
            if node.is_none() {
                self.action_mut(id).runnable = false;
            }
        }
        flags
    }

    /// An ordering of actions that stand for all instances.
    pub(crate) fn update_ordered_instances(
        &mut self,
        first: ActionId,
        then: ActionId,
        node: Option<NodeId>,
        filter: &Filter,
    ) -> Change {
        let Some(collective) = self.action(then).resource else { return Change::default() };
        if self.can_interleave(first, then) {
            return self.update_interleaved(first, then, collective, node, filter);
        }
        let mut change = self.update_ordered(first, then, filter);
        let task = self.action(then).task.clone();
        for instance in self.instances(collective) {
            let Some(action) = self.find_first_action(instance, &task, node) else { continue };
            if !self.action_flags(action, node).runnable {
                continue;
            }
            let updated = self.update_by_variant(instance, first, action, node, filter);
            if updated.then {
                for index in (0..self.action(action).after.len()).rev() {
                    let next = self.action(action).after[index].action;
                    self.update_for_orderings(next);
                }
            }
            change |= updated;
        }
        change
    }

    fn can_interleave(&self, first: ActionId, then: ActionId) -> bool {
        let (Some(first_of), Some(then_of)) = (self.action(first).resource, self.action(then).resource)
        else {
            return false;
        };
        let collective = |id: ResourceId| self.resource(id).variant >= Variant::Clone;
        if first_of == then_of || !collective(first_of) || !collective(then_of) {
            return false;
        }
        // Whoever depends says whether it depends on all or on its neighbour.
        let key = &self.action(then).key;
        let down = key.ends_with("_stop_0") || key.ends_with("_demote_0");
        self.work(if down { first_of } else { then_of }).interleave
    }

    fn update_interleaved(
        &mut self,
        first: ActionId,
        then: ActionId,
        collective: ResourceId,
        node: Option<NodeId>,
        filter: &Filter,
    ) -> Change {
        let mut change = Change::default();
        let Some(first_of) = self.action(first).resource else { return change };
        let first_task = self.instance_task(first);
        let then_task = self.action(then).task.clone();
        let key = self.action(first).key.clone();
        let current = key.ends_with("_stopped_0") || key.ends_with("_demoted_0");
        let fit = Fit { role: Role::Unknown, current, attribute: None };
        for instance in self.instances(collective) {
            let Some(partner) = self.compatible_instance(instance, first_of, &fit) else {
                let needs = relation::UNRUNNABLE_FIRST_BLOCKS | relation::FIRST_IMPLIES_THEN;
                if !current && filter.kind & needs != 0 {
                    // Nothing there that it needs: it cannot be up either.
                    change.then |= self.force_assign(instance, None);
                }
                continue;
            };
            let Some(first_action) = self.instance_action(first, partner, &first_task, node, true) else {
                continue;
            };
            let Some(then_action) = self.instance_action(then, instance, &then_task, node, false) else {
                continue;
            };
            if self.order_actions(first_action, then_action, filter.kind) {
                change |= Change { first: true, then: true };
            }
            let flags = self.action_flags(first_action, node);
            let filter = Filter { flags, ..*filter };
            change |= self.update_by_variant(instance, first_action, then_action, node, &filter);
        }
        change
    }

    /// The action of an instance that an ordering of the whole is about. Of a bundle that is the container's, or that of
    /// what runs in it: others need the service, not its container, but a container itself may need others.
    fn instance_action(
        &self,
        action: ActionId,
        instance: ResourceId,
        task: &str,
        node: Option<NodeId>,
        is_first: bool,
    ) -> Option<ActionId> {
        let of_whole = &*self.action(action).task;
        let inner = match is_first {
            true => !matches!(of_whole, "stop" | "stopped"),
            false => matches!(of_whole, "promote" | "promoted" | "demote" | "demoted"),
        };
        match self.resource_in_container(instance).filter(|_| inner) {
            Some(contained) => self.find_first_action(contained, task, None),
            None => self.find_first_action(instance, task, node),
        }
    }
}
