// SPDX-License-Identifier: GPL-2.0-or-later
//! Primitives: one agent, on one node.
//!
//! Decides: where it is placed (`assign`), what is done with it (`actions`), recurring operations (`recurring`),
//! migrations (`migration`), and here what follows from being what it is. Given: a primitive. Leaves to others: those
//! around it.

mod actions;
mod assign;
mod migration;
mod recurring;

use crate::action::relation;
use crate::constraint::{ColocationId, Side, Terms};
use crate::ledger::Cause;
use crate::notation::{integer, whole_seconds};
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::{Role, Score};

/// How much a bundle's connection wants to be where its container is.
const NESTED_SCORE: i64 = 10_000;

impl Cluster {
    pub(super) fn add_primitive_constraints(&mut self, id: ResourceId) {
        let state = self.state(id);
        if !state.managed {
            return;
        }
        let promoted = state.role > Role::Unpromoted || self.work(self.top_of(id)).promotable;
        let unfence = !state.fence_device && self.unfencing && state.needs_unfencing;
        let restart = relation::ORDERED | relation::FIRST_IMPLIES_THEN | relation::INTERMEDIATE_STOP;
        self.order(id, "stop", id, "start", restart);
        if promoted {
            self.order(id, "demote", id, "stop", relation::PROMOTED_THEN_IMPLIES_FIRST);
            self.order(id, "start", id, "promote", relation::UNRUNNABLE_FIRST_BLOCKS);
        }
        let forget = relation::IF_ON_SAME_NODE | relation::THEN_CANCELS_FIRST;
        self.order(id, "lrm_delete", id, "monitor", forget);
        if unfence {
            for node in self.node_ids() {
                if self.work(id).allowed.get(node.index()).is_some_and(Option::is_some) {
                    self.order_restart_vs_unfencing(id, node);
                }
            }
        }
        self.order_after_load_stopped(id);
        if let Some(container) = self.work(id).launcher {
            self.bind_to_container(id, container);
        }
        if self.work(id).remote_connection || self.state(id).fence_device {
            self.avoid_remote_nodes(id);
        }
    }

    /// Connections, fence devices and what makes guests stay on cluster nodes.
    fn avoid_remote_nodes(&mut self, id: ResourceId) {
        for node in self.node_ids() {
            let reached = self.node(node).connection.is_some();
            if let Some(Some(allowed)) = self.work_mut(id).allowed.get_mut(node.index())
                && reached
            {
                allowed.score = Score::MINUS_INFINITY.value();
                let cause = self.ledger.cause(|| Cause::ClusterNodesOnly);
                self.account_term(id, node, Score::MINUS_INFINITY.value(), cause);
            }
        }
    }

    /// What runs in a container is where that is, and while that is. What is told to run in a guest runs on that node.
    fn bind_to_container(&mut self, id: ResourceId, container: ResourceId) {
        let guest = if self.work(id).remote_connection {
            if !self.work(id).nested {
                self.avoid_remote_nodes(container);
            }
            // If the container's history was deleted, its probe may spare the connection's recovery.
            self.order(container, "monitor", id, "stop", relation::ORDERED);
            None
        } else if self.work(container).remote_connection {
            Some(container)
        } else {
            self.guest_connection_of(container)
        };
        if let Some(connection) = guest {
            for node in self.node_ids() {
                let elsewhere = self.node(node).connection != Some(connection);
                if let Some(Some(allowed)) = self.work_mut(id).allowed.get_mut(node.index())
                    && elsewhere
                {
                    allowed.score = Score::MINUS_INFINITY.value();
                    let cause = self.ledger.cause(|| Cause::Container);
                    self.account_term(id, node, Score::MINUS_INFINITY.value(), cause);
                }
            }
            return;
        }
        // A bundle's connection would best be where its container is, but the container may be on a remote node.
        let score = if self.work(id).nested { Score::new(NESTED_SCORE) } else { Score::INFINITY };
        let up = relation::FIRST_IMPLIES_THEN | relation::UNRUNNABLE_FIRST_BLOCKS;
        self.order(container, "start", id, "start", up);
        self.order(id, "stop", container, "stop", relation::THEN_IMPLIES_FIRST);
        let terms = Terms {
            id: "#resource-with-container",
            score,
            attribute: None,
            dependent_role: None,
            primary_role: None,
            influence: true,
            explicit: false,
        };
        self.add_colocation(id, container, &terms);
    }

    fn order_restart_vs_unfencing(&mut self, id: ResourceId, node: NodeId) {
        let unfence = self.fence_action(node, Some("on"), true, None, false);
        let (stop, start) = (Side::operation(self, id, "stop"), Side::operation(self, id, "start"));
        let gate = Side::action(self, unfence);
        self.add_ordering(stop, gate.clone(), relation::ORDERED | relation::IF_ON_SAME_NODE);
        let flags = relation::FIRST_IMPLIES_SAME_NODE_THEN | relation::IF_ON_SAME_NODE;
        self.add_ordering(gate, start, flags);
    }

    // --- colocation -----------------------------------------------------------------------------------------------

    pub(super) fn primitive_with_this(
        &self,
        id: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        let resource = self.resource(id);
        if id == asker {
            self.add_with_this_list(list, &resource.work.with_this);
            if let Some(parent) = resource.parent {
                self.collect_with_this(parent, asker, list);
            }
            return;
        }
        for &colocation in &resource.work.with_this {
            if self.colocation(colocation).explicit {
                self.insert_with_this(list, colocation);
            }
        }
    }

    pub(super) fn primitive_this_with(
        &self,
        id: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        let resource = self.resource(id);
        if id == asker {
            self.add_this_with_list(list, &resource.work.this_with);
            if let Some(parent) = resource.parent {
                self.collect_this_with(parent, asker, list);
            }
            return;
        }
        for &colocation in &resource.work.this_with {
            if self.colocation(colocation).explicit {
                self.insert_this_with(list, colocation);
            }
        }
    }

    // --- shutdown locks -------------------------------------------------------------------------------------------

    /// Locks a resource to the node it runs on while that node is shut down cleanly, or keeps such a lock.
    pub(crate) fn apply_shutdown_lock(&mut self, id: ResourceId) {
        if self.resource(id).variant == Variant::Group {
            for child in self.resource(id).children.clone() {
                self.apply_shutdown_lock(child);
            }
        }
        let state = self.state(id);
        if !self.resource(id).children.is_empty() || state.fence_device || self.work(id).remote_connection {
            return;
        }
        if let Some(node) = state.lock_node {
            if !state.active_on.is_empty() {
                self.resource_action(id, "lrm_delete", 0, Some(node), false);
                let state = self.state_mut(id);
                state.lock_node = None;
                state.lock_time = 0;
            }
        } else if let &[node] = state.active_on.as_slice() {
            let node_state = &self.node(node).state;
            if node_state.shutdown && !node_state.unclean {
                let since = self.node(node).attributes.get("shutdown").and_then(|value| integer(value));
                let since = since.filter(|&since| since != 0).unwrap_or(self.now.secs);
                let state = self.state_mut(id);
                state.lock_node = Some(node);
                state.lock_time = since;
            }
        }
        let Some(locked) = self.state(id).lock_node else { return };
        if self.options.shutdown_lock_limit_ms > 0 {
            let limit_s = whole_seconds(self.options.shutdown_lock_limit_ms);
            self.recheck_at(self.state(id).lock_time.saturating_add(limit_s).saturating_add(1));
        }
        for node in self.node_ids().filter(|&node| node != locked) {
            self.add_location(id, Some(node), Score::MINUS_INFINITY, || Cause::ShutdownLock { to: locked });
        }
    }
}
