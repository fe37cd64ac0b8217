// SPDX-License-Identifier: GPL-2.0-or-later
//! What orderings do to actions: one that cannot be done blocks others, one that has to be done requires others.
//!
//! Decides: which actions end up required and runnable, with the reason (Pacemaker Explained, "Specifying the Order in
//! which Resources Should Start/Stop"). Given: orderings between operations. Leaves to others: the graph.

use crate::action::{ActionId, Flags, Loss, Reason, relation};
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::Role;
use std::ops::BitOrAssign;

/// How deep one update may lead to another at once; what is deeper is done after it.
const UPDATE_DEPTH_MAX: usize = 200;

/// What was put off because too much was under way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PutOff {
    /// To look at what comes before an action.
    Update(ActionId),
    /// To block those that have to be with what cannot start.
    Block(ActionId),
}

/// Which of two ordered actions changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub first: bool,
    pub then: bool,
}

impl BitOrAssign for Change {
    fn bitor_assign(&mut self, other: Change) {
        self.first |= other.first;
        self.then |= other.then;
    }
}

/// What is looked at, and in view of which kind of ordering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    /// First's properties, as this ordering sees them.
    pub flags: Flags,
    /// Whether `optional` may change.
    pub optional: bool,
    /// Whether `runnable` may change.
    pub runnable: bool,
    /// One kind, see `action::relation`.
    pub kind: u32,
}

impl Cluster {
    // --- what relations do ----------------------------------------------------------------------------------------

    /// Looks at all that comes before an action, and lets it change the action, and that others.
    pub(crate) fn update_for_orderings(&mut self, then: ActionId) {
        if self.is_too_deep() {
            self.put_off.push(PutOff::Update(then));
            return;
        }
        self.update_depth += 1;
        self.update_once(then);
        self.update_depth -= 1;
        self.catch_up();
    }

    pub(super) fn is_too_deep(&self) -> bool {
        self.update_depth >= UPDATE_DEPTH_MAX
    }

    /// Does what was put off, once nothing else is under way.
    pub(super) fn catch_up(&mut self) {
        if self.update_depth > 0 {
            return;
        }
        self.update_depth = 1;
        while let Some(next) = self.put_off.pop() {
            match next {
                PutOff::Update(action) => self.update_once(action),
                PutOff::Block(action) => self.block_dependents_once(action),
            }
        }
        self.update_depth = 0;
    }

    fn update_once(&mut self, then: ActionId) {
        let mut change = Change::default();
        let before = self.action(then).flags();
        let counts = self.action(then).required_before > 0;
        if counts {
            let action = self.action_mut(then);
            action.runnable_before = 0;
            action.runnable = false;
        }
        for index in (0..self.action(then).before.len()).rev() {
            change.first = false;
            let Some(first) = self.consider(then, index, &mut change) else { continue };
            if change.first {
                for index in (0..self.action(first).after.len()).rev() {
                    let next = self.action(first).after[index].action;
                    self.update_for_orderings(next);
                }
                self.update_for_orderings(first);
            }
        }
        if counts {
            change.then = self.action(then).flags() != before;
        }
        if change.then {
            if before.runnable && !self.action(then).runnable {
                self.block_colocation_dependents(then);
            }
            self.update_for_orderings(then);
            for index in (0..self.action(then).after.len()).rev() {
                let next = self.action(then).after[index].action;
                self.update_for_orderings(next);
            }
        }
    }

    /// One relation of an action with one before it; says which action was really meant by that.
    fn consider(&mut self, then: ActionId, index: usize, change: &mut Change) -> Option<ActionId> {
        let relation = self.action(then).before[index];
        let mut first = relation.action;
        let (first_resource, then_resource) = (self.action(first).resource, self.action(then).resource);
        let first_node = self.effective_node(first);
        let then_node = self.effective_node(then);
        if relation.flags & relation::IF_ON_SAME_NODE != 0
            && first_node.is_some()
            && then_node.is_some()
            && first_node != then_node
        {
            self.action_mut(then).before[index].flags = relation::NONE;
            return None;
        }
        if let Some(resource) = first_resource
            && relation.flags & relation::THEN_CANCELS_FIRST != 0
            && !self.action(then).optional
        {
            self.action_mut(first).optional = true;
            if *self.action(first).task == *"reload-agent" {
                self.state_mut(resource).reload = false;
            }
        }
        if let (Some(a), Some(b)) = (first_resource, then_resource)
            && a != b
            && !self.is_inside(b, a)
        {
            first = self.finished_action(first, a);
        }
        if first == relation.action {
            let first_flags = self.flags_for_ordering(first, then_node);
            let then_flags = self.flags_for_ordering(then, first_node);
            *change |= self.apply_relation(first, then, index, first_flags, then_flags);
        } else if self.order_actions(first, then, relation.flags) {
            // What was pushed is behind the place that is being looked at.
            change.then = true;
            self.action_mut(then).before[index].flags = relation::NONE;
        }
        Some(first)
    }

    /// The node of an action; of a group's start, where the group is to run.
    fn effective_node(&self, id: ActionId) -> Option<NodeId> {
        let action = self.action(id);
        match action.resource {
            Some(resource)
                if *action.task == *"start" && self.resource(resource).variant == Variant::Group =>
            {
                self.assigned_node(resource)
            }
            _ => action.node,
        }
    }

    /// An action's properties, in view of where the other side of an ordering is. Of a clone only what is done there has
    /// to be done because of it, but it can be done if it can be anywhere.
    fn flags_for_ordering(&mut self, id: ActionId, node: Option<NodeId>) -> Flags {
        let flags = self.action_flags(id, None);
        let clone = self.action(id).resource.is_some_and(|id| self.resource(id).variant == Variant::Clone);
        if node.is_none() || !clone {
            return flags;
        }
        let there = self.action_flags(id, node);
        Flags { runnable: there.runnable || flags.runnable, ..there }
    }

    /// What comes after a group's start really comes after all of it is started, and all are told of it.
    fn finished_action(&self, id: ActionId, resource: ResourceId) -> ActionId {
        let variant = self.resource(resource).variant;
        if variant < Variant::Group || self.action(id).key.contains("notify") {
            return id;
        }
        let finished = match &*self.action(id).task {
            "stop" | "stopped" => "stopped",
            "start" | "running" => "running",
            "promote" | "promoted" => "promoted",
            "demote" | "demoted" => "demoted",
            _ => return id,
        };
        let notifies = variant == Variant::Clone || self.is_bundled(resource);
        let kind = if self.work(resource).notify && notifies { "_confirmed-post_notify_" } else { "_" };
        let key = format!("{}{kind}{finished}_0", self.resource(resource).id);
        let of_key = |action: &&ActionId| *self.action(**action).key == *key;
        self.work(resource).actions.iter().rev().find(of_key).copied().unwrap_or(id)
    }

    fn apply_relation(
        &mut self,
        first: ActionId,
        then: ActionId,
        index: usize,
        first_flags: Flags,
        then_flags: Flags,
    ) -> Change {
        let mut change = Change::default();
        let mut node = self.action(then).node;
        let entry = &mut self.action_mut(then).before[index];
        if entry.flags & relation::FIRST_IMPLIES_SAME_NODE_THEN != 0 {
            entry.flags &= !relation::FIRST_IMPLIES_SAME_NODE_THEN;
            entry.flags |= relation::FIRST_IMPLIES_THEN;
            node = self.action(first).node;
        }
        let kinds = self.action(then).before[index].flags;
        let both = Filter { flags: first_flags, optional: true, runnable: true, kind: relation::NONE };
        let optional = Filter { runnable: false, ..both };
        let runnable = Filter { optional: false, ..both };
        let steps = [
            (relation::FIRST_IMPLIES_THEN, optional),
            (relation::INTERMEDIATE_STOP, both),
            (relation::THEN_IMPLIES_FIRST, optional),
            (relation::PROMOTED_THEN_IMPLIES_FIRST, optional),
            (relation::MIN_RUNNABLE, runnable),
            (relation::NESTED_REMOTE_PROBE, runnable),
            (relation::UNRUNNABLE_FIRST_BLOCKS, runnable),
            (relation::UNMIGRATABLE_THEN_BLOCKS, optional),
            (relation::FIRST_ELSE_THEN, optional),
            (relation::ORDERED, runnable),
            (relation::ASYMMETRIC, runnable),
        ];
        for (kind, filter) in steps {
            if kinds & kind == 0 {
                continue;
            }
            let mut kind = kind;
            if kind == relation::NESTED_REMOTE_PROBE {
                if self.action(then).resource.is_none() || self.is_stopping(first, first_flags) {
                    self.action_mut(then).before[index].flags = relation::NONE;
                    continue;
                }
                kind = relation::UNRUNNABLE_FIRST_BLOCKS;
            }
            let updated = if kind == relation::THEN_IMPLIES_FIRST {
                self.action(first).resource
            } else {
                self.action(then).resource
            };
            change |= match updated {
                Some(resource) => {
                    self.update_by_variant(resource, first, then, node, &Filter { kind, ..filter })
                }
                None => self.update_without_resource(first, then, kind, first_flags),
            };
        }
        self.keep_in_graph(first, then, kinds, first_flags, then_flags);
        let forces =
            relation::FIRST_IMPLIES_THEN | relation::THEN_IMPLIES_FIRST | relation::INTERMEDIATE_STOP;
        let action = self.action(first);
        if kinds & forces != 0
            && !action.runnable
            && *action.task == *"stop"
            && action.resource.is_some_and(|id| !self.state(id).managed && self.state(id).blocked)
            && self.action(then).runnable
        {
            self.action_mut(then).runnable = false;
            change.then = true;
        }
        change
    }

    /// The start of something that is active and cannot be started is not to come: it is being stopped.
    fn is_stopping(&self, start: ActionId, flags: Flags) -> bool {
        let active = |id: ResourceId| !self.state(id).active_on.is_empty();
        !flags.runnable && self.action(start).resource.is_some_and(active)
    }

    /// Relations of fencing, shutdown and gates.
    fn update_without_resource(
        &mut self,
        first: ActionId,
        then: ActionId,
        kind: u32,
        first_flags: Flags,
    ) -> Change {
        let mut change = Change::default();
        match kind {
            relation::FIRST_IMPLIES_THEN if !first_flags.optional && self.action(then).optional => {
                self.action_mut(then).optional = false;
                change.then = true;
            }
            relation::THEN_IMPLIES_FIRST if !first_flags.optional && self.action(first).runnable => {
                self.action_mut(first).runnable = false;
                change.first = true;
            }
            relation::MIN_RUNNABLE if first_flags.runnable => {
                let action = self.action_mut(then);
                action.runnable_before += 1;
                if action.runnable_before >= action.required_before && !action.runnable {
                    action.runnable = true;
                    change.then = true;
                }
            }
            relation::UNRUNNABLE_FIRST_BLOCKS if !first_flags.runnable && self.action(then).runnable => {
                self.action_mut(then).runnable = false;
                change.then = true;
            }
            _ => {}
        }
        change
    }

    fn keep_in_graph(
        &mut self,
        first: ActionId,
        then: ActionId,
        kinds: u32,
        first_flags: Flags,
        then_flags: Flags,
    ) {
        if kinds & relation::FIRST_IMPLIES_THEN_GRAPHED != 0
            && self.action(first).runnable
            && !first_flags.optional
        {
            self.action_mut(then).always_in_graph = true;
        }
        if kinds & relation::THEN_IMPLIES_FIRST_GRAPHED != 0 && !then_flags.optional {
            self.action_mut(first).always_in_graph = true;
        }
    }

    pub(crate) fn update_by_variant(
        &mut self,
        resource: ResourceId,
        first: ActionId,
        then: ActionId,
        node: Option<NodeId>,
        filter: &Filter,
    ) -> Change {
        if self.resource(resource).variant >= Variant::Clone {
            return self.update_ordered_instances(first, then, node, filter);
        }
        let mut change = self.update_ordered(first, then, filter);
        if self.resource(resource).variant == Variant::Group
            && let Some(group) = self.action(then).resource
        {
            change |= self.update_group_members(first, then, group, node, filter);
        }
        change
    }

    /// Takes a loss from an action, because of another.
    fn take(&mut self, id: ActionId, loss: Loss, because: ActionId) {
        let action = self.action_mut(id);
        let has = match loss {
            Loss::Optional => &mut action.optional,
            Loss::Runnable => &mut action.runnable,
            Loss::Migratable => &mut action.migratable,
        };
        if !std::mem::replace(has, false) {
            return;
        }
        let cause = self.action(because);
        if cause.resource == self.action(id).resource {
            return;
        }
        let reason = Reason::Ordering {
            loss,
            resource: cause.resource.map(|resource| self.resource(resource).id.clone()),
            task: cause.task.clone(),
        };
        self.action_mut(id).set_reason(Some(reason), false);
    }

    /// One kind of ordering between two actions.
    pub(crate) fn update_ordered(&mut self, first: ActionId, then: ActionId, filter: &Filter) -> Change {
        let first_before = (self.action(first).flags(), self.action(first).always_in_graph);
        let then_before = (self.action(then).flags(), self.action(then).always_in_graph);
        let (was_first, was_then) = (first_before.0, then_before.0);
        let flags = filter.flags;
        match filter.kind {
            relation::ASYMMETRIC => self.apply_asymmetric(first, then),
            relation::THEN_IMPLIES_FIRST if !was_then.optional => {
                if filter.optional && !flags.optional && was_first.optional {
                    self.take(first, Loss::Optional, then);
                }
                if flags.migratable && !self.action(then).migratable {
                    self.take(first, Loss::Migratable, then);
                }
            }
            relation::PROMOTED_THEN_IMPLIES_FIRST => self.apply_promoted(first, then, filter),
            relation::UNMIGRATABLE_THEN_BLOCKS if filter.optional => {
                if !(was_then.migratable && was_then.runnable) {
                    self.take(first, Loss::Runnable, then);
                }
                if !was_then.optional {
                    self.take(first, Loss::Optional, then);
                }
            }
            relation::FIRST_ELSE_THEN if filter.optional && !was_first.runnable => {
                self.take(then, Loss::Migratable, first);
                self.action_mut(then).pseudo = false;
            }
            relation::UNRUNNABLE_FIRST_BLOCKS if filter.runnable && was_then.runnable && !flags.runnable => {
                self.take(then, Loss::Runnable, first);
                self.take(then, Loss::Migratable, first);
            }
            relation::FIRST_IMPLIES_THEN
                if filter.optional && was_then.optional && !flags.optional && !was_first.migratable =>
            {
                self.take(then, Loss::Optional, first);
            }
            relation::INTERMEDIATE_STOP => self.apply_restart(first, then, filter),
            _ => {}
        }
        let mut change = Change::default();
        if then_before != (self.action(then).flags(), self.action(then).always_in_graph) {
            change.then = true;
            let parent = self.action(then).resource.and_then(|id| self.resource(id).parent);
            if parent.is_some() {
                self.update_for_orderings(then);
            }
        }
        change.first = first_before != (self.action(first).flags(), self.action(first).always_in_graph);
        change
    }

    fn apply_asymmetric(&mut self, first: ActionId, then: ActionId) {
        let action = self.action(then);
        let Some(resource) = action.resource.filter(|_| !self.action(first).runnable) else { return };
        if action.optional {
            let role = self.current_role(resource);
            let only_there = || matches!((self.state(resource).active_on.as_slice(), action.node), (&[a], Some(b)) if a == b);
            match &*action.task {
                "stop" if role == Role::Stopped => return,
                "start" if role >= Role::Started && only_there() => return,
                _ => {}
            }
        }
        self.take(then, Loss::Optional, first);
        self.take(then, Loss::Runnable, first);
    }

    fn apply_promoted(&mut self, first: ActionId, then: ActionId, filter: &Filter) {
        let action = self.action(then);
        let promoted = action.resource.is_some_and(|id| self.state(id).role == Role::Promoted);
        if promoted && filter.optional && !action.optional {
            self.take(first, Loss::Optional, then);
            if self.action(first).migratable && !self.action(then).migratable {
                self.take(first, Loss::Migratable, then);
            }
        }
    }

    /// A start that has to be done needs the stop before it.
    fn apply_restart(&mut self, first: ActionId, then: ActionId, filter: &Filter) {
        let (first_action, then_action) = (self.action(first), self.action(then));
        let required = filter.optional && !then_action.optional;
        let unrunnable = filter.runnable
            && !then_action.runnable
            && then_action.resource.is_some_and(|id| self.state(id).managed)
            && first_action.resource == then_action.resource;
        if !required && !unrunnable {
            return;
        }
        if first_action.runnable {
            self.take(first, Loss::Optional, then);
        }
        if !self.action(then).optional {
            self.take(first, Loss::Optional, then);
        }
        if !self.action(then).migratable {
            self.take(first, Loss::Migratable, then);
        }
        if !self.action(first).optional && !self.action(first).runnable {
            self.take(then, Loss::Runnable, first);
        }
    }
}
