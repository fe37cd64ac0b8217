// SPDX-License-Identifier: GPL-2.0-or-later
//! What happens on remote and guest nodes happens through a connection.
//!
//! Decides: what waits for a connection to be made, and what before it is closed; which node carries an action out.
//! Given: actions on such nodes. Leaves to others: the connections themselves, which are resources like others.

use crate::action::{Action, ActionId, FenceReason, relation};
use crate::constraint::Side;
use crate::{Cluster, NodeId, NodeKind, ResourceId};
use model::Role;

/// How things stand with the connection to a remote node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// It can be made, but it is not known yet whether it can be kept.
    Unknown,
    /// It is up, and will be.
    Alive,
    /// It has to be made elsewhere first.
    Resting,
    /// It is lost for good.
    Failed,
    /// It is closed, or will be.
    Stopped,
}

impl Cluster {
    fn link_to(&self, node: NodeId, connection: ResourceId) -> Link {
        let (state, work) = (self.state(connection), self.work(connection));
        let current = self.current_node(connection);
        let host_lost = current.is_some_and(|host| self.node(host).state.unclean);
        if state.next_role == Role::Stopped || work.assigned.is_none() {
            if host_lost {
                return Link::Failed;
            }
            if !state.failed {
                return Link::Stopped;
            }
            // Until the reconnect interval is over nobody knows whether it can be made again.
            let node = self.node(node);
            let leaving = node.attributes.get("shutdown").is_some_and(|value| **value != *"0");
            let waits = state.next_role == Role::Stopped
                && work.reconnect_ms > 0
                && node.state.remote_fenced
                && !leaving;
            return if waits { Link::Unknown } else { Link::Failed };
        }
        let Some(current) = current else { return Link::Unknown };
        let migrating =
            state.active_on.len() > 1 && work.migration_source.is_some() && work.migration_target.is_some();
        if host_lost || !self.node(current).state.online || migrating {
            return Link::Resting;
        }
        Link::Alive
    }

    /// Whether a remote node's connection is lost for good.
    pub(super) fn is_cut_off(&self, node: NodeId) -> bool {
        let known = self.node(node);
        let connection = known.connection.filter(|_| known.kind == NodeKind::Remote);
        connection.is_some_and(|connection| self.link_to(node, connection) == Link::Failed)
    }

    /// Has whatever is done through connections wait for them.
    pub(super) fn order_remote_actions(&mut self) {
        if !self.nodes.iter().any(|node| node.kind != NodeKind::Cluster) {
            return;
        }
        for index in (0..self.actions.len()).rev() {
            self.order_remote_action(ActionId::new(index));
        }
    }

    fn order_remote_action(&mut self, id: ActionId) {
        let action = self.action(id);
        let Some(resource) = action.resource else { return };
        if self.work(resource).remote_connection && *action.task == *"clear_failcount" {
            let (first, then) = (Side::action(self, id), Side::operation(self, resource, "start"));
            self.add_ordering(first, then, relation::ORDERED);
            return;
        }
        let Some(node) = action.node.filter(|_| !action.pseudo) else { return };
        let Some(connection) = self.node(node).connection else { return };
        if *action.task == *"start" {
            self.keep_until_connected(resource, node, connection);
        }
        match self.work(connection).launcher {
            Some(launcher) => self.order_guest_action(id, node, connection, launcher),
            None => self.order_behind_link(id, node, connection),
        }
    }

    /// A resource that moves to a node leaves its old one only once the new one can be reached.
    fn keep_until_connected(&mut self, resource: ResourceId, node: NodeId, connection: ResourceId) {
        for index in (0..self.work(resource).actions.len()).rev() {
            let stop = self.work(resource).actions[index];
            let action = self.action(stop);
            if action.node != Some(node) && action.node.is_some() && *action.task == *"stop" {
                let (first, then) = (Side::operation(self, connection, "start"), Side::action(self, stop));
                self.add_ordering(first, then, relation::ORDERED);
            }
        }
    }

    /// An action waits for the start of a connection (or container).
    fn order_after_start(&mut self, resource: ResourceId, action: ActionId, flags: u32) {
        let (first, then) = (Side::operation(self, resource, "start"), Side::action(self, action));
        let flags = flags | relation::GUEST_ALLOWED | relation::UNRUNNABLE_FIRST_BLOCKS;
        self.add_ordering(first, then, flags);
    }

    /// A connection is closed only after an action.
    fn order_before_stop(&mut self, action: ActionId, resource: ResourceId, flags: u32) {
        let (first, then) = (Side::action(self, action), Side::operation(self, resource, "stop"));
        self.add_ordering(first, then, flags | relation::GUEST_ALLOWED);
    }

    fn order_behind_link(&mut self, id: ActionId, node: NodeId, connection: ResourceId) {
        let link = self.link_to(node, connection);
        let task = self.action(id).task.clone();
        let recurs = !self.action(id).interval.is_zero();
        match &*task {
            "start" | "promote" => {
                let flags = if link == Link::Failed { relation::FIRST_IMPLIES_THEN } else { relation::NONE };
                self.order_after_start(connection, id, flags);
            }
            // Migrations go the way of stops, whichever end of them it is.
            "stop" | "migrate_to" | "migrate_from" => match link {
                // The stop will be implied by the fencing.
                Link::Failed => self.fence_node(node, FenceReason::ActiveUnreachable, false),
                Link::Alive => self.order_before_stop(id, connection, relation::THEN_IMPLIES_FIRST),
                _ if self.state(connection).next_role == Role::Stopped => {
                    self.order_before_stop(id, connection, relation::THEN_IMPLIES_FIRST);
                }
                _ => self.order_after_start(connection, id, relation::NONE),
            },
            "demote" => {
                // Otherwise the stop that follows is ordered.
                if matches!(link, Link::Resting | Link::Unknown) {
                    self.order_after_start(connection, id, relation::NONE);
                }
            }
            _ if recurs => self.order_after_start(connection, id, relation::FIRST_IMPLIES_THEN),
            task => {
                if task == "monitor" && link == Link::Failed {
                    self.fence_node(node, FenceReason::UnknownUnreachable, false);
                }
                if link == Link::Stopped && self.current_node(connection).is_some() {
                    // It is still up: what is to be found out is found out before it closes.
                    self.order_before_stop(id, connection, relation::UNRUNNABLE_FIRST_BLOCKS);
                } else {
                    self.order_after_start(connection, id, relation::NONE);
                }
            }
        }
    }

    fn order_guest_action(
        &mut self,
        id: ActionId,
        node: NodeId,
        connection: ResourceId,
        launcher: ResourceId,
    ) {
        let failed = self.state(launcher).failed;
        if failed {
            self.fence_node(node, FenceReason::ContainerFailed, false);
        }
        let task = self.action(id).task.clone();
        let recurs = !self.action(id).interval.is_zero();
        match &*task {
            "start" | "promote" => {
                self.order_after_start(launcher, id, relation::FIRST_IMPLIES_THEN);
                self.order_after_start(connection, id, relation::NONE);
            }
            "stop" | "demote" | "migrate_to" | "migrate_from" => {
                // With the container gone, so is what ran in it.
                if !failed {
                    self.order_before_stop(id, connection, relation::NONE);
                }
            }
            "monitor" if recurs => self.order_after_start(connection, id, relation::FIRST_IMPLIES_THEN),
            _ if recurs => {}
            _ => self.order_after_start(connection, id, relation::NONE),
        }
    }

    // --- who carries it out ---------------------------------------------------------------------------------------

    /// The cluster node through which an action on a remote or guest node is done.
    pub(crate) fn router_of(&self, action: &Action) -> Option<NodeId> {
        let node = action.node.filter(|_| *action.task != *"stonith")?;
        let connection = self.node(node).connection?;
        let (began, ended) = (self.current_node(connection), self.work(connection).assigned);
        let (Some(began_on), Some(ended_on)) = (began, ended) else { return began.or(ended) };
        if began_on == ended_on {
            return began;
        }
        let work = self.work(connection);
        let half_migrated = work.launcher.is_none() && work.migration_target.is_some();
        let task = match &*action.task {
            "notify" => action.meta("notify_operation").unwrap_or_default(),
            task => task,
        };
        // What has to be done before the connection moves is done where it still is.
        let before = matches!(task, "cancel" | "stop" | "demote" | "migrate_from" | "migrate_to");
        if before && !half_migrated { began } else { ended }
    }

    /// Where the guest of an action is, or will be, when that is done.
    pub(crate) fn guest_host_of(&self, action: &Action) -> Option<NodeId> {
        let launcher = self.launcher_of(action.node?)?;
        let task = match &*action.task {
            "notify" | "notified" => action.meta("notify_operation").unwrap_or_default(),
            task => task,
        };
        match task {
            "stop" | "stopped" | "demote" | "demoted" => self.current_node(launcher),
            "start" | "running" | "monitor" | "promote" | "promoted" => self.work(launcher).assigned,
            _ => None,
        }
    }

    /// The guests that run on a node, by the connections that are made from there.
    pub(crate) fn guests_on(&self, host: NodeId) -> Vec<NodeId> {
        let connections = self.node(host).state.running.iter().copied();
        let connections = connections.filter(|&id| self.work(id).launcher.is_some());
        connections.filter_map(|id| self.remote_node_of(id)).collect()
    }
}
