// SPDX-License-Identifier: GPL-2.0-or-later
//! How many jobs are under way on each node.
//!
//! Decides: whether a node may take another. Given: limits, and what begins and ends. Leaves to others: what the limits
//! should be (who knows the nodes' load).

use crate::{Action, ActionKind};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    jobs: u32,
    migrations: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Loads {
    of: BTreeMap<String, Load>,
    limits: BTreeMap<String, Option<u32>>,
    default_limit: Option<u32>,
    migration_limit: Option<u32>,
}

impl Loads {
    pub(super) fn new(default_limit: Option<u32>, migration_limit: Option<u32>) -> Loads {
        Loads { of: BTreeMap::new(), limits: BTreeMap::new(), default_limit, migration_limit }
    }

    pub(super) fn limit(&mut self, node: &str, limit: Option<u32>) {
        self.limits.insert(node.to_owned(), limit);
    }

    /// Whether an action may begin as far as its nodes are concerned.
    pub(super) fn admits(&self, action: &Action) -> bool {
        if action.identity.kind != ActionKind::Resource {
            return true;
        }
        let (nodes, _) = charged(action);
        nodes.into_iter().flatten().all(|node| self.has_room(node, is_migration(action)))
    }

    fn has_room(&self, node: &str, migration: bool) -> bool {
        let load = self.of.get(node).copied().unwrap_or_default();
        let limit = self.limits.get(node).copied().unwrap_or(self.default_limit);
        let full = limit.is_some_and(|limit| load.jobs >= limit);
        let migrates = migration && self.migration_limit.is_some_and(|limit| load.migrations >= limit);
        !full && !migrates
    }

    pub(super) fn add(&mut self, action: &Action) {
        self.change(action, |count| count.saturating_add(1));
    }

    pub(super) fn remove(&mut self, action: &Action) {
        self.change(action, |count| count.saturating_sub(1));
    }

    fn change(&mut self, action: &Action, change: fn(u32) -> u32) {
        let (nodes, migration) = charged(action);
        for node in nodes.into_iter().flatten() {
            let load = self.of.entry(node.to_owned()).or_default();
            load.jobs = change(load.jobs);
            if migration {
                load.migrations = change(load.migrations);
            }
        }
    }
}

fn is_migration(action: &Action) -> bool {
    matches!(action.identity.operation.as_str(), "migrate_to" | "migrate_from")
}

/// The nodes an action counts for, and whether it counts there as a migration. What happens on a remote node counts for
/// the node that speaks with it, a migration for both its ends.
fn charged(action: &Action) -> ([Option<&str>; 2], bool) {
    let identity = &action.identity;
    if let Some(router) = identity.router_node.as_deref() {
        return ([Some(router), None], false);
    }
    if is_migration(action) {
        return ([action.meta("migrate_source"), action.meta("migrate_target")], true);
    }
    ([identity.node.as_ref().map(|node| node.name.as_str()), None], false)
}
