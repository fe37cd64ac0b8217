// SPDX-License-Identifier: GPL-2.0-or-later
//! From orderings between operations to relations between actions.
//!
//! Decides: which actions an ordering is about, and which relations cannot be kept. Given: orderings. Leaves to others:
//! what relations do (`order`).

use crate::action::{ActionId, Relation, relation};
use crate::constraint::Ordering;
use crate::notation::parse_op_key;
use crate::{Cluster, ConfigIssue, ResourceId};
use model::Role;
use std::collections::BTreeSet;

impl Cluster {
    pub(super) fn apply_orderings(&mut self) {
        for index in 0..self.orderings.len() {
            let ordering = self.orderings[index].clone();
            match (ordering.first.resource, ordering.then.resource) {
                (Some(first), _) => self.relate_from(first, &ordering),
                (None, Some(then)) => self.relate_to(ordering.first.action, then, &ordering),
                (None, None) => {
                    if let (Some(first), Some(then)) = (ordering.first.action, ordering.then.action) {
                        self.order_actions(first, then, ordering.flags);
                    }
                }
            }
        }
        for index in (0..self.actions.len()).rev() {
            self.block_colocation_dependents(ActionId::new(index));
        }
        self.order_probes();
        for index in (0..self.actions.len()).rev() {
            self.update_for_orderings(ActionId::new(index));
        }
        self.disable_invalid_orderings();
    }

    // --- from operations to actions -------------------------------------------------------------------------------

    /// The resource's actions of a key; if the key is another's, its own of the same operation.
    fn find_by_task(&mut self, id: ResourceId, key: &str) -> Vec<ActionId> {
        let found = self.find_actions(id, key, None);
        if !found.is_empty() {
            return found;
        }
        let Some((_, task, interval)) = parse_op_key(key) else { return found };
        let own = crate::notation::op_key(&self.resource(id).id, task, interval);
        self.find_actions(id, &own, None)
    }

    fn relate_from(&mut self, first: ResourceId, ordering: &Ordering) {
        let then = ordering.then.resource;
        let key = ordering.first.key.as_deref().unwrap_or_default();
        let mut firsts = match ordering.first.action {
            Some(action) => vec![action],
            None => self.find_by_task(first, key),
        };
        if firsts.is_empty() && then != Some(first) {
            let Some((_, task, interval)) = parse_op_key(key) else { return };
            let role = self.current_role(first);
            let implied =
                role == Role::Stopped && task == "stop" || role == Role::Unpromoted && task == "demote";
            if !implied {
                firsts.push(self.resource_action(first, task, interval, None, true));
            }
        }
        let then = match (then, ordering.then.action) {
            (Some(then), _) => Some(then),
            (None, Some(action)) => self.action(action).resource,
            (None, None) => return,
        };
        for first in firsts {
            match (then, ordering.then.action) {
                (Some(then), _) => self.relate_to(Some(first), then, ordering),
                (None, Some(action)) => {
                    self.order_actions(first, action, ordering.flags);
                }
                (None, None) => {}
            }
        }
    }

    fn relate_to(&mut self, first: Option<ActionId>, then: ResourceId, ordering: &Ordering) {
        let mut flags = ordering.flags;
        let thens = match (ordering.then.action, &ordering.then.key) {
            (Some(action), _) => vec![action],
            (None, Some(key)) => self.find_by_task(then, &key.clone()),
            (None, None) => return,
        };
        if let Some(first) = first
            && self.action(first).resource == Some(then)
            && self.action(first).ends_migration
        {
            flags &= !relation::FIRST_IMPLIES_THEN;
        }
        if first.is_none() && flags & relation::FIRST_IMPLIES_THEN == 0 {
            return;
        }
        for action in thens {
            match first {
                Some(first) => {
                    self.order_actions(first, action, flags);
                }
                None => self.action_mut(action).runnable = false,
            }
        }
    }

    // --- loops ----------------------------------------------------------------------------------------------------

    /// What runs in a guest is not ordered with what makes the guest, but as follows from that. And a migration to a node
    /// that would have to wait for itself does not wait.
    fn disable_invalid_orderings(&mut self) {
        for index in (0..self.actions.len()).rev() {
            let id = ActionId::new(index);
            self.disable_orderings_with_own_guest(id);
            if *self.action(id).task != *"migrate_to" {
                continue;
            }
            for at in (0..self.action(id).before.len()).rev() {
                let only = self.action(id).before[at].flags == relation::IF_ON_SAME_NODE_OR_TARGET;
                if only && self.leads_back(id, at) {
                    self.action_mut(id).before[at].flags = relation::NONE;
                }
            }
        }
    }

    fn disable_orderings_with_own_guest(&mut self, id: ActionId) {
        let Some(launcher) = self.action(id).resource.filter(|&id| !self.work(id).launched.is_empty()) else {
            return;
        };
        for at in 0..self.action(id).before.len() {
            let input = self.action(id).before[at];
            let first = self.action(input.action);
            let inside =
                first.node.and_then(|node| self.node(node).connection).map(|id| self.work(id).launcher);
            let configured = input.flags & relation::GUEST_ALLOWED == 0 && first.resource.is_some();
            if configured && inside == Some(Some(launcher)) {
                let first = first.resource.map(|id| self.resource(id).id.clone()).unwrap_or_default();
                let then = &self.resource(launcher).id;
                let issue = format!("Invalid ordering constraint between {first} and {then}");
                self.note_issue(ConfigIssue::warning(issue).logged_by("ordering_is_invalid"));
                self.action_mut(id).before[at].flags = relation::NONE;
            }
        }
    }

    /// Whether what comes before an action, by one of its relations, comes after it as well.
    fn leads_back(&mut self, start: ActionId, at: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![(start, at)];
        while let Some((action, at)) = open.pop() {
            let input = self.action(action).before[at].action;
            if seen.contains(&input) || !self.is_input_graphed(action, at) {
                continue;
            }
            if input == start {
                return true;
            }
            seen.insert(input);
            open.extend((0..self.action(input).before.len()).map(|at| (input, at)));
        }
        false
    }

    /// Puts what comes before an action into the order of numbers, each once.
    pub(super) fn deduplicate_inputs(&mut self, id: ActionId) {
        let mut inputs = std::mem::take(&mut self.action_mut(id).before);
        // Relations are looked at from the end, so the lowest number goes there.
        inputs.sort_by_key(|relation| std::cmp::Reverse(relation.action));
        let mut merged: Vec<Relation> = Vec::with_capacity(inputs.len());
        for input in inputs {
            match merged.last_mut().filter(|last| last.action == input.action) {
                Some(last) => last.flags |= input.flags,
                None => merged.push(input),
            }
        }
        self.action_mut(id).before = merged;
    }
}
