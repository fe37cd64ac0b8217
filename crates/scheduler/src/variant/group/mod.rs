// SPDX-License-Identifier: GPL-2.0-or-later
//! Groups: members that run on one node, started in their order and stopped in the reverse one.
//!
//! Decides: what that means in each stage. Given: a group. Leaves to others: its members.

mod colocation;
mod order;

pub(super) use order::member_task;

use crate::action::{ActionId, relation};
use crate::constraint::Side;
use crate::notation::is_true;
use crate::{Cluster, NodeId, ResourceId};

impl Cluster {
    pub(super) fn assign_group(
        &mut self,
        group: ResourceId,
        prefer: Option<NodeId>,
        stop_if_fail: bool,
    ) -> Option<NodeId> {
        let work = self.work(group);
        if !work.unassigned {
            return work.assigned;
        }
        if work.assigning {
            return None;
        }
        let members = self.resource(group).children.clone();
        let Some(&first) = members.first() else {
            self.work_mut(group).unassigned = false;
            return None;
        };
        self.work_mut(group).assigning = true;
        self.state_mut(group).role = self.state(first).role;
        self.record_scores(group, "pcmk__group_assign");
        let mut node = None;
        for &member in &members {
            let assigned = self.assign(member, prefer, stop_if_fail);
            node = node.or(assigned);
        }
        let next_role = self.state(first).next_role;
        self.state_mut(group).next_role = next_role;
        let work = self.work_mut(group);
        work.assigning = false;
        work.unassigned = false;
        node.filter(|_| work.colocated)
    }

    pub(super) fn create_group_actions(&mut self, group: ResourceId) {
        for member in self.resource(group).children.clone() {
            self.create_actions(member);
        }
        let promotable = self.resource(group).meta.get("promotable");
        let roles = if is_true(promotable.map(|value| &**value)) {
            ["demote", "demoted", "promote", "promoted"].as_slice()
        } else {
            &[]
        };
        for task in ["start", "running", "stop", "stopped"].iter().chain(roles) {
            self.stand_in(group, task, true, true);
        }
    }

    pub(super) fn add_group_constraints(&mut self, group: ResourceId) {
        self.order(group, "stop", group, "stopped", relation::UNRUNNABLE_FIRST_BLOCKS);
        self.order(group, "stopped", group, "start", relation::ORDERED);
        self.order(group, "start", group, "running", relation::UNRUNNABLE_FIRST_BLOCKS);
        let mut previous = None;
        let mut last_active = None;
        for member in self.resource(group).children.clone() {
            self.add_member_constraints(group, member, previous, &mut last_active);
            previous = Some(member);
        }
    }

    fn add_member_constraints(
        &mut self,
        group: ResourceId,
        member: ResourceId,
        previous: Option<ResourceId>,
        last_active: &mut Option<ResourceId>,
    ) {
        use relation::{
            FIRST_IMPLIES_THEN, FIRST_IMPLIES_THEN_GRAPHED, INTERMEDIATE_STOP, NONE, ORDERED,
            THEN_IMPLIES_FIRST, THEN_IMPLIES_FIRST_GRAPHED, UNRUNNABLE_FIRST_BLOCKS,
        };
        let (ordered, colocated) = (self.work(group).ordered, self.work(group).colocated);
        self.add_internal_constraints(member);
        let first_of_ordered = previous.is_none() && ordered;
        if let Some(previous) = previous.filter(|_| colocated) {
            self.colocate_members(member, previous);
        }
        let down = THEN_IMPLIES_FIRST_GRAPHED | if first_of_ordered { ORDERED } else { NONE };
        let after_down = if first_of_ordered { FIRST_IMPLIES_THEN } else { FIRST_IMPLIES_THEN_GRAPHED };
        let promotable = self.work(self.top_of(group)).promotable;
        if promotable {
            self.order(group, "demote", member, "demote", down);
            self.order(member, "demote", group, "demoted", after_down);
            let after_up = UNRUNNABLE_FIRST_BLOCKS | FIRST_IMPLIES_THEN | FIRST_IMPLIES_THEN_GRAPHED;
            self.order(member, "promote", group, "promoted", after_up);
            self.order(group, "promote", member, "promote", THEN_IMPLIES_FIRST_GRAPHED);
        }
        self.order(group, "stop", member, "stop", down);
        self.order(member, "stop", group, "stopped", after_down);
        self.order(group, "start", member, "start", THEN_IMPLIES_FIRST_GRAPHED);
        let after_up = UNRUNNABLE_FIRST_BLOCKS | FIRST_IMPLIES_THEN | FIRST_IMPLIES_THEN_GRAPHED;
        self.order(member, "start", group, "running", after_up);
        let is_active = |cluster: &Cluster, id: ResourceId| !cluster.state(id).active_on.is_empty();
        let member_active = is_active(self, member);
        match previous {
            _ if !ordered => {
                let up = FIRST_IMPLIES_THEN | UNRUNNABLE_FIRST_BLOCKS | THEN_IMPLIES_FIRST_GRAPHED;
                self.order(group, "start", member, "start", up);
                if promotable {
                    self.order(group, "promote", member, "promote", up);
                }
            }
            None => {
                self.order(group, "start", member, "start", NONE);
                if promotable {
                    self.order(group, "promote", member, "promote", NONE);
                }
            }
            Some(previous) => {
                self.order(previous, "start", member, "start", FIRST_IMPLIES_THEN | UNRUNNABLE_FIRST_BLOCKS);
                self.order(member, "stop", previous, "stop", ORDERED | INTERMEDIATE_STOP);
                if member_active && !is_active(self, previous) {
                    // A member that was put before one that runs already.
                    let flags = THEN_IMPLIES_FIRST | UNRUNNABLE_FIRST_BLOCKS;
                    self.order(member, "stop", previous, "start", flags);
                }
                if promotable {
                    let up = FIRST_IMPLIES_THEN | UNRUNNABLE_FIRST_BLOCKS;
                    self.order(previous, "promote", member, "promote", up);
                    self.order(member, "demote", previous, "demote", ORDERED);
                }
            }
        }
        if member_active {
            let gap = previous.is_some_and(|previous| !is_active(self, previous));
            if let Some(last) = last_active.filter(|_| ordered && gap) {
                self.order(member, "stop", last, "stop", ORDERED);
            }
            *last_active = Some(member);
        }
    }

    /// Orders a resource's clearing of fail counts before its stop.
    pub(crate) fn order_clear_before_stop(&mut self, resource: ResourceId, clear: ActionId) {
        let first = Side::action(self, clear);
        let then = Side::operation(self, resource, "stop");
        self.add_ordering(first, then, relation::ORDERED);
    }
}
