// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done with a primitive to bring it from its role to the next.
//!
//! Decides: stops, starts, promotions, demotions. Given: where it is and where it should be. Leaves to others: their
//! order.

use crate::action::{Reason, relation};
use crate::cluster::MultiplyActive;
use crate::{Cluster, ConfigIssue, NodeId, ResourceId};
use model::Role;

/// One step from a role towards another.
fn step_towards(role: Role, goal: Role) -> Role {
    match (role, goal) {
        (Role::Unknown, Role::Unknown) => Role::Unknown,
        (Role::Unknown, _) | (_, Role::Unknown | Role::Stopped) => match role {
            Role::Promoted if goal == Role::Stopped => Role::Unpromoted,
            _ => Role::Stopped,
        },
        (Role::Stopped, Role::Started) => Role::Started,
        (Role::Stopped, _) => Role::Unpromoted,
        (Role::Started, goal) => goal,
        (Role::Unpromoted, Role::Started) => Role::Stopped,
        (Role::Unpromoted, goal) => goal,
        (Role::Promoted, Role::Promoted) => Role::Promoted,
        (Role::Promoted, _) => Role::Unpromoted,
    }
}

#[derive(Clone, Copy)]
enum Step {
    Stop,
    Start,
    Demote,
    Promote,
}

/// What is done for one step; nothing if nothing needs to be (or can be).
fn step(role: Role, next: Role) -> Option<Step> {
    match (role, next) {
        (Role::Unknown | Role::Started, Role::Stopped) => Some(Step::Stop),
        (Role::Stopped, Role::Started | Role::Unpromoted) => Some(Step::Start),
        (Role::Started | Role::Unpromoted, Role::Promoted) => Some(Step::Promote),
        (Role::Unpromoted, Role::Stopped | Role::Started) => Some(Step::Stop),
        (Role::Promoted, Role::Stopped | Role::Started | Role::Unpromoted) => Some(Step::Demote),
        _ => None,
    }
}

impl Cluster {
    pub(in crate::variant) fn create_primitive_actions(&mut self, id: ResourceId) {
        if self.state(id).next_role == Role::Unknown {
            let placed = self.work(id).assigned.is_some();
            self.state_mut(id).next_role = if placed { Role::Started } else { Role::Stopped };
        }
        let (current, all, clean) = self.active_nodes(id);
        for source in self.work(id).dangling.clone().into_iter().rev() {
            let stop = self.stop_action(id, Some(source), false);
            self.action_mut(stop).ends_migration = true;
        }
        let assigned = self.work(id).assigned;
        let moving = current.is_some()
            && assigned.is_some()
            && current != assigned
            && self.state(id).next_role >= Role::Started;
        let mut migrate = moving && self.can_migrate(id, current);
        let mut need_stop = moving;
        let mut need_promote = false;
        let (source, target) = (self.work(id).migration_source, self.work(id).migration_target);
        let continuing = source.is_some()
            && target.is_some()
            && migrate
            && all == 2
            && current == source
            && assigned == target;
        let mut multiply_active = false;
        if continuing {
            // Only the second half is left.
        } else if source.is_some() || target.is_some() {
            need_stop = true;
            migrate = false;
            let work = self.work_mut(id);
            work.migration_source = None;
            work.migration_target = None;
        } else {
            multiply_active = if self.state(id).needs_fencing { all > 1 } else { clean > 1 };
        }
        if multiply_active {
            self.note_multiply_active(id, all);
            match self.work(id).multiply_active {
                MultiplyActive::Restart => need_stop = true,
                MultiplyActive::StopUnexpected => {
                    need_stop = true;
                    self.state_mut(id).stop_unexpected = true;
                }
                MultiplyActive::StopOnly | MultiplyActive::Block => {}
            }
        } else {
            self.state_mut(id).stop_unexpected = false;
        }
        if self.state(id).start_pending {
            let start = self.start_action(id, assigned, true);
            self.action_mut(start).always_in_graph = true;
        }
        let state = self.state(id);
        if moving {
            // The stop is needed already.
        } else if state.failed {
            if state.stop_if_failed {
                need_stop = true;
            } else {
                need_promote = state.next_role == Role::Promoted;
            }
        } else if state.blocked {
            need_stop = true;
        } else if state.role > Role::Started && current.is_some() && assigned.is_some() {
            let start = self.start_action(id, assigned, true);
            need_stop |= !self.action(start).optional;
        }
        self.create_restart(id, need_stop, need_promote);
        self.create_transition(id);
        self.create_recurring(id);
        if let Some(current) = current.filter(|_| migrate) {
            self.create_migration(id, current);
        }
    }

    /// Down from the role it has, and up to it again: optional unless something needs it.
    fn create_restart(&mut self, id: ResourceId, need_stop: bool, need_promote: bool) {
        let original = self.state(id).role;
        let mut role = original;
        self.work_mut(id).restarting = true;
        while role != Role::Stopped {
            let next = step_towards(role, Role::Stopped);
            let Some(step) = step(role, next) else { break };
            self.create_step(id, step, !need_stop);
            role = next;
        }
        while original <= self.state(id).next_role && role != original && !self.state(id).blocked {
            let next = step_towards(role, original);
            let required = need_stop || next == Role::Promoted && need_promote;
            let Some(step) = step(role, next) else { break };
            self.create_step(id, step, !required);
            role = next;
        }
        self.work_mut(id).restarting = false;
    }

    fn create_transition(&mut self, id: ResourceId) {
        let mut role = self.state(id).role;
        let goal = self.state(id).next_role;
        while role != goal {
            let next = step_towards(role, goal);
            let Some(step) = step(role, next) else { break };
            self.create_step(id, step, false);
            role = next;
        }
    }

    fn create_step(&mut self, id: ResourceId, step: Step, optional: bool) {
        match (step, self.work(id).assigned) {
            (Step::Stop, _) => self.create_stops(id, optional),
            (Step::Demote, _) => self.create_demotes(id, optional),
            (Step::Start, Some(node)) => self.create_start(id, node, optional),
            (Step::Promote, Some(node)) => self.create_promote(id, node, optional),
            // Nowhere to start or promote it.
            (Step::Start | Step::Promote, None) => {}
        }
    }

    /// Active more than once, but here it is as it should be.
    fn is_expected_on(&self, id: ResourceId, node: NodeId) -> bool {
        let (state, work) = (self.state(id), self.work(id));
        state.stop_unexpected
            && work.restarting
            && state.next_role > Role::Stopped
            && work.assigned == Some(node)
    }

    fn create_stops(&mut self, id: ResourceId, optional: bool) {
        let mut optional = optional;
        for current in self.state(id).active_on.clone() {
            if self.is_expected_on(id, current) {
                continue;
            }
            let (assigned, target) = (self.work(id).assigned, self.work(id).migration_target);
            if target.is_some() {
                if target == Some(current) && assigned == Some(current) {
                    continue;
                }
                optional = false;
            }
            let stop = self.stop_action(id, Some(current), optional);
            let state = self.state(id);
            let multiply_active = self.work(id).restarting && state.stop_unexpected;
            let (managed, needs_unfencing) = (state.managed, state.needs_unfencing);
            let action = self.action_mut(stop);
            if assigned.is_none() {
                action.set_reason(Some(Reason::NodeAvailability), true);
            } else if multiply_active {
                action.set_reason(Some(Reason::MultiplyActive), true);
            }
            if !managed {
                action.runnable = false;
            }
            if needs_unfencing {
                let unfence = self.fence_action(current, Some("on"), true, None, false);
                self.order_actions(stop, unfence, relation::THEN_IMPLIES_FIRST);
                if !self.is_unfenced(current) {
                    let (resource, node) = (&self.resource(id).id, &self.node(current).name);
                    let issue = format!("Stopping {resource} until {node} can be unfenced");
                    self.note_issue(ConfigIssue::state_error(issue).logged_by("stop_resource"));
                }
            }
        }
    }

    /// That a resource is where it should not be as well.
    fn note_multiply_active(&mut self, id: ResourceId, count: usize) {
        let what = match self.work(id).multiply_active {
            MultiplyActive::StopOnly => "shutting it down",
            MultiplyActive::Restart => "attempting recovery",
            MultiplyActive::Block => "waiting for an administrator",
            MultiplyActive::StopUnexpected => "stopping unexpected instances",
        };
        let resource = self.resource(id);
        let class = resource.agent.as_ref().map_or("Untyped", |agent| &*agent.class);
        let issue = format!("{class} resource {} might be active on {count} nodes ({what})", resource.id);
        self.note_issue(ConfigIssue::state_error(issue).logged_by("pcmk__primitive_create_actions"));
    }

    fn create_demotes(&mut self, id: ResourceId, optional: bool) {
        for current in self.state(id).active_on.clone() {
            if !self.is_expected_on(id, current) {
                self.resource_action(id, "demote", 0, Some(current), optional);
            }
        }
    }

    fn create_start(&mut self, id: ResourceId, node: NodeId, optional: bool) {
        let start = self.start_action(id, Some(node), true);
        self.order_vs_unfencing(id, node, start, relation::FIRST_IMPLIES_THEN);
        let expected = self.is_expected_on(id, node);
        let action = self.action_mut(start);
        if action.runnable && !optional {
            action.optional = false;
        }
        if expected {
            action.pseudo = true;
        }
    }

    fn create_promote(&mut self, id: ResourceId, node: NodeId, optional: bool) {
        let start = self.key(id, "start");
        let starts = self.find_actions_on(id, &start, node);
        if starts.iter().all(|&start| self.action(start).runnable) {
            let promote = self.resource_action(id, "promote", 0, Some(node), optional);
            if self.is_expected_on(id, node) {
                self.action_mut(promote).pseudo = true;
            }
            return;
        }
        let promote = self.key(id, "promote");
        for promote in self.find_actions_on(id, &promote, node) {
            self.action_mut(promote).runnable = false;
        }
    }

    /// Has the history of a resource on a node deleted, between its stop and its start.
    pub(crate) fn create_cleanup(&mut self, id: ResourceId, node: NodeId) {
        let node_state = &self.node(node).state;
        if self.state(id).failed || node_state.unclean || !node_state.online {
            return;
        }
        self.resource_action(id, "delete", 0, Some(node), false);
        self.order(id, "stop", id, "delete", relation::ORDERED);
        self.order(id, "delete", id, "start", relation::ORDERED);
    }
}
