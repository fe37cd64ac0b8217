// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencing as actions, and what makes a node need it.
//!
//! Decides: whether a node can be fenced, that it has to be, with which meta-attributes. Given: a node and a reason.
//! Leaves to others: the order against everything else (`stage::fence`).
//! A guest node is fenced by recovering what it runs in.

use super::{ActionId, FenceReason, Reason};
use crate::notation::{is_true, whole_seconds};
use crate::{Cluster, ConfigIssue, NodeId, NodeKind, QuorumPolicy, ResourceId};
use std::sync::Arc;

impl Cluster {
    /// Whether the cluster could fence a node now.
    pub(crate) fn can_fence(&self, node: NodeId) -> bool {
        if self.launcher_of(node).is_some() {
            return self.can_stop_container(node);
        }
        if !self.options.fencing_enabled || !self.have_fencing {
            return false;
        }
        if self.quorate || self.options.quorum_policy == QuorumPolicy::Ignore {
            return true;
        }
        let known = self.node(node);
        known.state.online && !(known.kind == NodeKind::Remote && self.may_be_elsewhere(known.connection))
    }

    /// A guest is fenced by stopping what it runs in, which takes a host that can be trusted or fenced. The host may be a
    /// guest again; and of one that is said to run in itself nobody can be trusted.
    fn can_stop_container(&self, guest: NodeId) -> bool {
        let (mut open, mut seen) = (vec![guest], vec![false; self.nodes.len()]);
        while let Some(node) = open.pop() {
            let Some(launcher) = self.launcher_of(node) else {
                if !self.can_fence(node) {
                    return false;
                }
                continue;
            };
            if std::mem::replace(&mut seen[node.index()], true) {
                continue;
            }
            let hosts = self.state(launcher).active_on.iter();
            for &host in hosts.filter(|&&host| !self.node(host).state.online) {
                if host == guest {
                    return false;
                }
                open.push(host);
            }
        }
        true
    }

    /// Without quorum, a remote node's connection may have been moved by those in the other partition.
    fn may_be_elsewhere(&self, connection: Option<ResourceId>) -> bool {
        if is_true(self.options.value("fence-remote-without-quorum")) {
            return false;
        }
        let allowed = connection.map(|id| self.work(id).allowed.iter().zip(&self.nodes));
        allowed.is_some_and(|mut nodes| nodes.any(|(allowed, node)| allowed.is_some() && !node.state.online))
    }

    /// A node has to be fenced, as soon as it can be.
    pub(crate) fn fence_node(&mut self, node: NodeId, reason: FenceReason, priority_delay: bool) {
        let connection = self.node(node).connection;
        if let Some(launcher) = self.launcher_of(node) {
            // Recovering its container is enough, and it may run resources again in the same transition.
            let state = self.state_mut(launcher);
            if !state.failed && state.managed {
                state.failed = true;
                state.stop_if_failed = true;
                self.node_mut(node).state.remote_reset = true;
                let (guest, launcher) = (&self.node(node).name, &self.resource(launcher).id);
                let issue = format!(
                    "Guest node {guest} will be fenced (by recovering its guest resource {launcher}): {reason}"
                );
                self.note_issue(ConfigIssue::state_warning(issue).logged_by("pe_fence_node"));
            }
            return;
        }
        if self.node(node).kind == NodeKind::Remote {
            let is_reset = self.node(node).state.remote_reset;
            match connection.map(|id| self.state_mut(id)) {
                // The guest's container was removed, and was stopped for it.
                Some(state) if state.removed_filler => {
                    state.failed = true;
                    state.stop_if_failed = true;
                    return;
                }
                Some(state) if !state.managed => {}
                _ if is_reset => {}
                _ => {
                    self.node_mut(node).state.remote_reset = true;
                    self.note_need_of_fencing("Remote", node, &reason);
                }
            }
            self.node_mut(node).state.unclean = true;
            self.fence_action(node, None, true, Some(reason), false);
            return;
        }
        if !self.node(node).state.unclean {
            self.note_need_of_fencing("Cluster", node, &reason);
            self.node_mut(node).state.unclean = true;
            self.fence_action(node, None, true, Some(reason), priority_delay);
        }
    }

    fn note_need_of_fencing(&mut self, kind: &str, node: NodeId, reason: &FenceReason) {
        let what = if self.can_fence(node) { "will be fenced" } else { "is unclean" };
        let issue = format!("{kind} node {} {what}: {reason}", self.node(node).name);
        self.note_issue(ConfigIssue::state_warning(issue).logged_by("pe_fence_node"));
    }

    /// The fencing (or unfencing, with `on`) of a node.
    pub(crate) fn fence_action(
        &mut self,
        node: NodeId,
        action: Option<&str>,
        optional: bool,
        reason: Option<FenceReason>,
        priority_delay: bool,
    ) -> ActionId {
        let kind = action.map_or_else(|| self.options.fencing_action.clone(), Arc::from);
        let (name, node_id) = (self.node(node).name.clone(), self.node(node).id.clone());
        let key = format!("stonith-{name}-{kind}");
        let id = match self.singletons.get(key.as_str()) {
            Some(&id) => id,
            None => {
                let id = self.cluster_action(&key, "stonith", Some(node), true);
                let action = self.action_mut(id);
                action.set_meta("on_node", name);
                action.set_meta("on_node_uuid", node_id);
                action.set_meta("stonith_action", kind);
                id
            }
        };
        let optional = if self.unfencing && self.action(id).meta("digests-all").is_none() {
            self.note_unfencing_digests(id, node, optional)
        } else {
            optional
        };
        if self.options.priority_fencing_delay_ms > 0
            && (priority_delay || self.action(id).meta("priority-fencing-delay").is_some())
        {
            let delay = self.priority_delay_s(node).to_string();
            self.action_mut(id).set_meta("priority-fencing-delay", delay);
        }
        let can_fence = self.can_fence(node);
        let action = self.action_mut(id);
        if !optional && can_fence {
            action.optional = false;
            action.set_reason(reason.map(Reason::from), false);
        } else if reason.is_some() {
            action.set_reason(reason.map(Reason::from), false);
        }
        id
    }

    /// How long to wait before fencing a node that has more important resources than its peers, in seconds.
    fn priority_delay_s(&self, node: NodeId) -> i64 {
        let lost = self.node(node);
        let members = || self.nodes.iter().filter(|n| n.kind == NodeKind::Cluster);
        if lost.kind != NodeKind::Cluster || lost.state.online {
            return 0;
        }
        let online = members().filter(|n| n.state.online).count();
        let top = members().map(|n| n.state.priority).max().unwrap_or(0);
        let lowest = members().map(|n| n.state.priority).min().unwrap_or(0);
        if online > members().count() / 2 || lowest == top || lost.state.priority < top {
            return 0;
        }
        whole_seconds(self.options.priority_fencing_delay_ms)
    }

    /// Whether the node has been unfenced since it came up.
    pub(crate) fn is_unfenced(&self, node: NodeId) -> bool {
        self.node(node).attributes.get("#node-unfenced").is_some_and(|value| **value != *"0")
    }

    /// A fence device changed, or something else needs it: the nodes it concerns have to be unfenced.
    pub(crate) fn trigger_unfencing(
        &mut self,
        resource: Option<ResourceId>,
        node: Option<NodeId>,
        reason: FenceReason,
    ) {
        if !self.unfencing || resource.is_some_and(|r| !self.state(r).fence_device) {
            return;
        }
        let fit = |state: &crate::NodeState| state.online && !state.unclean && !state.shutdown;
        if let Some(node) = node.filter(|&n| fit(&self.node(n).state)) {
            self.fence_action(node, Some("on"), false, Some(reason), false);
        } else if let Some(resource) = resource {
            for node in self.node_ids() {
                let allowed = self.work(resource).allowed.get(node.index()).is_some_and(Option::is_some);
                if allowed && fit(&self.node(node).state) {
                    self.fence_action(node, Some("on"), false, Some(reason.clone()), false);
                }
            }
        }
    }

    /// An action needs its node to be unfenced, if unfencing is used.
    pub(crate) fn order_vs_unfencing(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        action: ActionId,
        flags: u32,
    ) {
        let state = self.state(resource);
        if !(state.needs_unfencing || state.fence_device && self.unfencing) {
            return;
        }
        let unfence = self.fence_action(node, Some("on"), true, None, false);
        self.order_actions(unfence, action, flags);
        if !self.is_unfenced(node) {
            let reason = FenceReason::RequiredBy {
                resource: self.resource(resource).id.clone(),
                task: self.action(action).task.clone(),
            };
            self.trigger_unfencing(None, Some(node), reason);
        }
    }
}
