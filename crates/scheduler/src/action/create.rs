// SPDX-License-Identifier: GPL-2.0-or-later
//! Making actions, each once: the same action asked for twice is one.
//!
//! Decides: whether an action exists already, whether it can be done (its node, quorum, what it requires). Given: a
//! resource, a task, a node. Leaves to others: which actions to ask for; their order.

use super::{Action, ActionId, ActionMeta, Relation, Requires, relation};
use crate::action::{FenceReason, Reason};
use crate::notation::op_key;
use crate::{Cluster, NodeId, NodeKind, QuorumPolicy, ResourceId};
use model::{Interval, Role};
use std::sync::Arc;

impl Cluster {
    // --- finding --------------------------------------------------------------------------------------------------

    /// The resource's actions of a key, oldest first. With a node: only those there; those without a node are taken to
    /// be there from now on.
    pub(crate) fn find_actions(
        &mut self,
        resource: ResourceId,
        key: &str,
        node: Option<NodeId>,
    ) -> Vec<ActionId> {
        let mut found = Vec::new();
        for index in 0..self.work(resource).actions.len() {
            let id = self.work(resource).actions[index];
            let action = self.action(id);
            if let (Some(wanted), Some(actual)) = (node, action.node)
                && wanted != actual
            {
                continue;
            }
            if *action.key != *key {
                continue;
            }
            if node.is_some() && action.node.is_none() {
                self.action_mut(id).node = node;
            }
            found.push(id);
        }
        found
    }

    /// The resource's actions of a key on a node, oldest first.
    pub(crate) fn find_actions_on(&self, resource: ResourceId, key: &str, node: NodeId) -> Vec<ActionId> {
        let matches = |id: &ActionId| {
            let action = self.action(*id);
            action.node == Some(node) && *action.key == *key
        };
        self.work(resource).actions.iter().copied().filter(matches).collect()
    }

    /// The newest action of a task (on a node, if one is given).
    pub(crate) fn find_first_action(
        &self,
        resource: ResourceId,
        task: &str,
        node: Option<NodeId>,
    ) -> Option<ActionId> {
        let matches = |id: &ActionId| {
            let action = self.action(*id);
            *action.task == *task && (node.is_none() || action.node == node)
        };
        self.work(resource).actions.iter().rev().copied().find(matches)
    }

    /// The key of one of a resource's operations.
    pub(crate) fn key(&self, resource: ResourceId, task: &str) -> String {
        op_key(&self.resource(resource).id, task, 0)
    }

    // --- making ---------------------------------------------------------------------------------------------------

    fn push_action(&mut self, mut action: Action) -> ActionId {
        let id = ActionId::new(self.actions.len());
        action.id = i32::try_from(self.actions.len() + 1).unwrap_or(i32::MAX);
        self.actions.push(action);
        id
    }

    /// An action of a resource: the one there is, or a new one. What is asked for as required becomes required.
    pub(crate) fn resource_action(
        &mut self,
        resource: ResourceId,
        task: &str,
        interval_ms: u64,
        node: Option<NodeId>,
        optional: bool,
    ) -> ActionId {
        let key = op_key(&self.resource(resource).id, task, interval_ms);
        self.keyed_action(resource, &key, task, interval_ms, node, optional)
    }

    /// As `resource_action`, under another key.
    pub(crate) fn keyed_action(
        &mut self,
        resource: ResourceId,
        key: &str,
        task: &str,
        interval_ms: u64,
        node: Option<NodeId>,
        optional: bool,
    ) -> ActionId {
        let id = match self.find_actions(resource, key, node).first() {
            Some(&id) => id,
            None => self.new_resource_action(resource, key, task, interval_ms, node, optional),
        };
        self.update_optional(id, resource, optional);
        self.read_extra(id);
        self.update_runnable(id, resource);
        id
    }

    fn new_resource_action(
        &mut self,
        resource: ResourceId,
        key: &str,
        task: &str,
        interval_ms: u64,
        node: Option<NodeId>,
        optional: bool,
    ) -> ActionId {
        // Whatever is part of a notification is configured as "notify".
        let terms = self.operation_terms(resource, node, task, interval_ms, key.contains("_notify_"));
        let id = self.push_action(Action {
            resource: Some(resource),
            node,
            task: terms.task,
            key: Arc::from(key),
            interval: Interval::from_ms(interval_ms),
            runnable: true,
            optional,
            on_dc: task == "lrm_delete",
            needs: self.requirement(resource, task),
            config: terms.config,
            meta: ActionMeta::new(terms.meta),
            ..Action::default()
        });
        self.work_mut(resource).actions.push(id);
        id
    }

    /// An action that is of no resource.
    pub(crate) fn cluster_action(
        &mut self,
        key: &str,
        task: &str,
        node: Option<NodeId>,
        optional: bool,
    ) -> ActionId {
        if let Some(&id) = self.singletons.get(key) {
            if !optional {
                self.action_mut(id).optional = false;
            }
            return id;
        }
        let action = Action {
            node,
            task: Arc::from(task),
            key: Arc::from(key),
            runnable: true,
            optional,
            ..Action::default()
        };
        let id = self.push_action(action);
        self.singletons.insert(Arc::from(key), id);
        id
    }

    /// An action that is of no resource and does nothing.
    pub(crate) fn pseudo_action(&mut self, name: &str) -> ActionId {
        if let Some(&id) = self.singletons.get(name) {
            return id;
        }
        let id = self.cluster_action(name, name, None, true);
        let action = self.action_mut(id);
        action.pseudo = true;
        action.runnable = true;
        id
    }

    /// Start.
    pub(crate) fn start_action(
        &mut self,
        resource: ResourceId,
        node: Option<NodeId>,
        optional: bool,
    ) -> ActionId {
        self.resource_action(resource, "start", 0, node, optional)
    }

    /// Stop.
    pub(crate) fn stop_action(
        &mut self,
        resource: ResourceId,
        node: Option<NodeId>,
        optional: bool,
    ) -> ActionId {
        self.resource_action(resource, "stop", 0, node, optional)
    }

    /// The fail count of a resource on a node is to be forgotten.
    pub(crate) fn clear_fail_count(&mut self, resource: ResourceId, node: NodeId) -> ActionId {
        let id = self.resource_action(resource, "clear_failcount", 0, Some(node), false);
        self.action_mut(id).set_meta("op_no_wait", "true");
        id
    }

    // --- what is given at the start -------------------------------------------------------------------------------

    fn requirement(&self, resource: ResourceId, task: &str) -> Requires {
        let state = self.state(resource);
        if !matches!(task, "start" | "promote") {
            Requires::Nothing
        } else if state.needs_fencing {
            Requires::Fencing
        } else if state.needs_quorum {
            Requires::Quorum
        } else {
            Requires::Nothing
        }
    }

    fn update_optional(&mut self, id: ActionId, resource: ResourceId, optional: bool) {
        let managed = self.state(resource).managed;
        let action = self.action_mut(id);
        if action.node.is_some() && !action.pseudo && !managed && action.meta("interval").is_none() {
            action.optional = true;
        } else if !optional {
            action.optional = false;
        }
    }

    fn update_runnable(&mut self, id: ActionId, resource: ResourceId) {
        let action = self.action(id);
        if action.pseudo {
            return;
        }
        let Some(node_id) = action.node else {
            self.action_mut(id).runnable = false;
            return;
        };
        let node = &self.node(node_id).state;
        // A guest is taken to come up, unless all that ran there is to be brought down first.
        let guest = self.node(node_id).kind == NodeKind::Guest;
        if !action.on_dc && !node.online && (!guest || node.remote_reset) {
            let fence = self.state(resource).managed && *action.task == *"stop" && !node.unclean;
            self.action_mut(id).runnable = false;
            if fence {
                self.fence_node(node_id, FenceReason::StopUnrunnable, false);
            }
        } else if !action.on_dc && node.pending {
            self.action_mut(id).runnable = false;
        } else if action.needs == Requires::Nothing {
            let runnable = !guest || self.can_fence(node_id);
            let action = self.action_mut(id);
            action.set_reason(None, true);
            action.runnable = runnable;
        } else {
            self.update_runnable_by_quorum(id, resource);
        }
    }

    fn update_runnable_by_quorum(&mut self, id: ActionId, resource: ResourceId) {
        match self.effective_quorum_policy(resource) {
            QuorumPolicy::Stop => {
                let action = self.action_mut(id);
                action.runnable = false;
                action.set_reason(Some(Reason::NoQuorum), true);
            }
            QuorumPolicy::Freeze => {
                let state = self.state(resource);
                let rising = state.next_role > state.role;
                if rising || !self.is_active(resource, true) {
                    let action = self.action_mut(id);
                    action.runnable = false;
                    action.set_reason(Some(Reason::QuorumFreeze), true);
                }
            }
            QuorumPolicy::Demote | QuorumPolicy::Ignore | QuorumPolicy::Fence => {
                self.action_mut(id).runnable = true;
            }
        }
    }

    fn effective_quorum_policy(&mut self, resource: ResourceId) -> QuorumPolicy {
        let policy = self.options.quorum_policy;
        if self.quorate {
            return QuorumPolicy::Ignore;
        }
        if policy != QuorumPolicy::Demote {
            return policy;
        }
        let state = self.state_mut(resource);
        if !matches!(state.role, Role::Promoted | Role::Unpromoted) {
            return QuorumPolicy::Stop;
        }
        if state.next_role > Role::Unpromoted {
            state.next_role = Role::Unpromoted;
        }
        QuorumPolicy::Ignore
    }

    // --- relating -------------------------------------------------------------------------------------------------

    /// Orders two actions; false if they already were, in one of these ways.
    pub(crate) fn order_actions(&mut self, first: ActionId, then: ActionId, flags: u32) -> bool {
        if flags == relation::NONE {
            return false;
        }
        // Whichever list is shorter tells as well whether they already were.
        let known = if self.action(first).after.len() <= self.action(then).before.len() {
            self.action(first).after.iter().any(|r| r.action == then && r.flags & flags != 0)
        } else {
            // Only the other side's flags count: this side's may have been changed since.
            self.action(then).before.iter().any(|r| r.action == first)
                && self.action(first).after.iter().any(|r| r.action == then && r.flags & flags != 0)
        };
        if known {
            return false;
        }
        self.action_mut(first).after.push(Relation { action: then, flags, graphed: false });
        self.action_mut(then).before.push(Relation { action: first, flags, graphed: false });
        true
    }
}
