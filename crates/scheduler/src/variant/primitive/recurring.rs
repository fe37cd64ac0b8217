// SPDX-License-Identifier: GPL-2.0-or-later
//! Recurring operations: monitors, mostly.
//!
//! Decides: which run where, which are cancelled. Given: the configured operations. Leaves to others: their order beyond
//! that with the resource's own start and stop.

use crate::action::{ActionId, FenceReason, relation};
use crate::constraint::Side;
use crate::notation::{interval_ms, op_key};
use crate::{Cluster, ConfigIssue, NodeId, ResourceId};
use model::Role;
use std::sync::Arc;
use xml::Element;

/// A configured recurring operation.
struct Recurring {
    name: String,
    interval: u64,
    key: String,
    /// Only in this role, if not unknown.
    role: Role,
}

const CANNOT_RECUR: [&str; 7] =
    ["stop", "start", "demote", "promote", "reload-agent", "migrate_to", "migrate_from"];

impl Cluster {
    pub(super) fn create_recurring(&mut self, id: ResourceId) {
        let state = self.state(id);
        if state.blocked || state.maintenance {
            return;
        }
        let assigned = self.work(id).assigned;
        let active = assigned.is_some_and(|node| !self.node(node).state.maintenance)
            && (state.next_role != Role::Stopped || !state.managed);
        let start = active.then(|| self.start_action(id, assigned, true));
        for index in 0..self.resource(id).operations.len() {
            let operation = self.resource(id).operations[index].clone();
            let Some(recurring) = self.read_recurring(id, &operation) else { continue };
            if let (Some(start), Some(node)) = (start, assigned) {
                self.recur_where_active(id, start, node, &recurring);
            }
            self.recur_where_inactive(id, assigned, &recurring);
        }
    }

    fn read_recurring(&mut self, id: ResourceId, operation: &Element) -> Option<Recurring> {
        let interval = interval_ms(operation.attr("interval"));
        if interval == 0 {
            return None;
        }
        let name = operation.attr("name").unwrap_or_default().to_owned();
        let resource = self.resource(id).id.clone();
        if operation.id().is_none_or(str::is_empty) || CANNOT_RECUR.contains(&name.as_str()) {
            let issue = match operation.id().filter(|id| !id.is_empty()) {
                Some(id) => format!("Ignoring {id} because {name} action cannot be recurring"),
                None => "Ignoring resource history entry without ID".to_owned(),
            };
            self.note_issue(ConfigIssue::error(issue).logged_by("is_recurring_history"));
            return None;
        }
        let same = |op: &&Element| {
            op.attr("name") == Some(name.as_str())
                && interval_ms(op.attr("interval")) == interval
                && op.id().is_some()
        };
        let mut alike = self.resource(id).operations.iter().filter(same).filter_map(Element::id);
        if let (Some(first), Some(second)) = (alike.next(), alike.next()) {
            let issue = format!(
                "Operation {second} is duplicate of {first} (do not use same name and interval combination more than once \
                 per resource)"
            );
            self.note_issue(ConfigIssue::error(issue).logged_by("is_op_dup"));
            return None;
        }
        let role = match operation.attr("role").map(str::parse) {
            None => Role::Unknown,
            Some(Ok(role)) if role != Role::Unknown => role,
            Some(_) => {
                let (id, role) =
                    (operation.id().unwrap_or_default(), operation.attr("role").unwrap_or_default());
                let issue = format!("Ignoring {id} role because {role} is not a valid role");
                self.note_issue(ConfigIssue::error(issue).logged_by("is_recurring_history"));
                return None;
            }
        };
        self.operation_config(id, &name, interval, false)?;
        let key = op_key(&resource, &name, interval);
        Some(Recurring { name, interval, key, role })
    }

    fn recur_where_active(&mut self, id: ResourceId, start: ActionId, node: NodeId, op: &Recurring) {
        if op.role == Role::Stopped {
            return;
        }
        let running = self.find_actions_on(id, &op.key, node);
        let optional = self.action_flags(start, None).optional
            && !running.is_empty()
            && !running.iter().any(|&known| self.action(known).reschedule);
        let next_role = self.state(id).next_role;
        let fits = match op.role {
            Role::Unknown => next_role != Role::Promoted,
            role => next_role == role,
        };
        if !fits {
            if optional {
                self.cancel_for_role(id, node, op);
            }
            return;
        }
        let monitor = self.keyed_action(id, &op.key, &op.name, op.interval, Some(node), optional);
        let node_state = &self.node(node).state;
        if !self.action(start).runnable || !node_state.online || node_state.unclean {
            self.action_mut(monitor).runnable = false;
        }
        if next_role == Role::Promoted {
            self.action_mut(monitor).set_meta("op_target_rc", "8");
        }
        if !self.state(id).managed {
            return;
        }
        let then = Side::action(self, monitor);
        let follow = relation::FIRST_IMPLIES_THEN | relation::UNRUNNABLE_FIRST_BLOCKS;
        let after = relation::ORDERED | relation::UNRUNNABLE_FIRST_BLOCKS;
        self.add_ordering(Side::operation(self, id, "start"), then.clone(), follow);
        self.add_ordering(Side::operation(self, id, "reload-agent"), then.clone(), follow);
        if next_role == Role::Promoted {
            self.add_ordering(Side::operation(self, id, "promote"), then, after);
        } else if self.state(id).role == Role::Promoted {
            self.add_ordering(Side::operation(self, id, "demote"), then, after);
        }
    }

    /// It runs, but not in the role the resource will have.
    fn cancel_for_role(&mut self, id: ResourceId, node: NodeId, op: &Recurring) {
        let cancel = self.cancel_action(id, &op.name, op.interval, node);
        let state = self.state(id);
        let then = match (state.role, state.next_role) {
            (Role::Unpromoted | Role::Started, Role::Promoted) => "promote",
            (Role::Unpromoted | Role::Started, Role::Stopped) => "stop",
            (Role::Promoted, _) => "demote",
            _ => return,
        };
        let first = Side::action(self, cancel);
        let then = Side::operation(self, id, then);
        self.add_ordering(first, then, relation::UNRUNNABLE_FIRST_BLOCKS);
    }

    /// Operations for the role `Stopped` run on all nodes where the resource is not.
    fn recur_where_inactive(&mut self, id: ResourceId, assigned: Option<NodeId>, op: &Recurring) {
        if op.role != Role::Stopped || !self.state(id).unique {
            return;
        }
        for node in self.node_ids() {
            if assigned == Some(node) {
                self.cancel_if_running(id, node, op);
                continue;
            }
            let optional = !self.find_actions_on(id, &op.key, node).is_empty();
            let monitor = self.keyed_action(id, &op.key, &op.name, op.interval, Some(node), optional);
            self.action_mut(monitor).set_meta("op_target_rc", "7");
            let managed = self.state(id).managed;
            if managed {
                let probe = self.key(id, "monitor");
                for probe in self.find_actions(id, &probe, Some(node)) {
                    self.order_actions(probe, monitor, relation::UNRUNNABLE_FIRST_BLOCKS);
                }
            }
            self.order_after_stops(id, node, monitor, managed);
            let node_state = &self.node(node).state;
            if !node_state.online || node_state.unclean {
                self.action_mut(monitor).runnable = false;
            }
        }
    }

    fn order_after_stops(&mut self, id: ResourceId, node: NodeId, monitor: ActionId, managed: bool) {
        let stop = self.key(id, "stop");
        for stop in self.find_actions_on(id, &stop, node) {
            let (optional, runnable) = (self.action(stop).optional, self.action(stop).runnable);
            let action = self.action_mut(monitor);
            if !optional && !action.optional && !managed {
                action.optional = true;
            }
            if !runnable {
                action.runnable = false;
            }
            if managed {
                let (first, then) = (Side::action(self, stop), Side::action(self, monitor));
                let flags = relation::FIRST_IMPLIES_THEN | relation::UNRUNNABLE_FIRST_BLOCKS;
                self.add_ordering(first, then, flags);
            }
        }
    }

    fn cancel_if_running(&mut self, id: ResourceId, node: NodeId, op: &Recurring) {
        if self.find_actions_on(id, &op.key, node).is_empty() {
            return;
        }
        let cancel = self.cancel_action(id, &op.name, op.interval, node);
        if matches!(self.state(id).next_role, Role::Started | Role::Unpromoted) {
            let first = Side::action(self, cancel);
            let then = Side::operation(self, id, "start");
            self.add_ordering(first, then, relation::UNRUNNABLE_FIRST_BLOCKS);
        }
    }

    /// Ends a recurring operation.
    pub(crate) fn cancel_action(
        &mut self,
        id: ResourceId,
        task: &str,
        interval: u64,
        node: NodeId,
    ) -> ActionId {
        let key = op_key(&self.resource(id).id, task, interval);
        let cancel = self.keyed_action(id, &key, "cancel", interval, Some(node), false);
        let action = self.action_mut(cancel);
        action.task = Arc::from("cancel");
        action.cancel_task = Some(Arc::from(task));
        action.set_meta("operation", task);
        action.set_meta("interval", interval.to_string());
        cancel
    }

    /// Ends a recurring operation that should not run any more.
    pub(crate) fn schedule_cancel(
        &mut self,
        id: ResourceId,
        operation: &Element,
        task: &str,
        interval: u64,
        node: NodeId,
    ) {
        let cancel = self.cancel_action(id, task, interval, node);
        if let Some(call) = operation.attr("call-id") {
            self.action_mut(cancel).set_meta("call-id", call);
        }
        let first = Side::operation(self, id, "stop");
        let then = Side::action(self, cancel);
        self.add_ordering(first, then, relation::ORDERED);
    }

    /// Starts a recurring operation anew, because its definition changed.
    pub(crate) fn reschedule(&mut self, id: ResourceId, task: &str, interval: u64, node: NodeId) {
        self.trigger_unfencing(
            Some(id),
            Some(node),
            FenceReason::DeviceParametersChanged(Some("reschedule")),
        );
        let action = self.resource_action(id, task, interval, Some(node), true);
        self.action_mut(action).reschedule = true;
    }
}
