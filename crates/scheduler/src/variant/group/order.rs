// SPDX-License-Identifier: GPL-2.0-or-later
//! Groups and orderings: a group's action is as its members' actions are.
//!
//! Decides: when a group's pseudo-action is required and runnable; an ordering after a group's action holds for its
//! members' too. Given: an action of a group. Leaves to others: its members.

use crate::action::{ActionId, Flags};
use crate::stage::order::{Change, Filter};
use crate::{Cluster, NodeId, ResourceId};

/// What a primitive does when a group has this done: `running` is over when the last `start` is.
pub(in crate::variant) fn member_task(task: &str) -> &str {
    match task {
        "stopped" => "stop",
        "running" => "start",
        "demoted" => "demote",
        "promoted" => "promote",
        other => other,
    }
}

impl Cluster {
    pub(in crate::variant) fn group_action_flags(
        &mut self,
        id: ActionId,
        group: ResourceId,
        node: Option<NodeId>,
    ) -> Flags {
        let mut flags = Flags { optional: true, runnable: true, migratable: false, pseudo: true };
        let task = self.action(id).task.clone();
        let wanted = member_task(&task);
        for index in 0..self.resource(group).children.len() {
            let member = self.resource(group).children[index];
            let Some(action) = self.find_first_action(member, wanted, node) else {
                if !matches!(wanted, "stop" | "demote") {
                    flags.runnable = false;
                }
                continue;
            };
            let member_flags = self.action_flags(action, node);
            if flags.optional && !member_flags.optional {
                flags.optional = false;
                self.action_mut(id).optional = false;
            }
            if *wanted != *task && flags.runnable && !member_flags.runnable {
                flags.runnable = false;
                self.action_mut(id).runnable = false;
            }
        }
        flags
    }

    /// An ordering changed a group's action: its members' actions of the same task are looked at in the same way.
    pub(crate) fn update_group_members(
        &mut self,
        first: ActionId,
        then: ActionId,
        group: ResourceId,
        node: Option<NodeId>,
        filter: &Filter,
    ) -> Change {
        let mut change = Change::default();
        let task = self.action(then).task.clone();
        for index in 0..self.resource(group).children.len() {
            let member = self.resource(group).children[index];
            if let Some(action) = self.find_first_action(member, &task, node) {
                change |= self.update_by_variant(member, first, action, node, filter);
            }
        }
        change
    }
}
