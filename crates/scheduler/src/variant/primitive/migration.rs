// SPDX-License-Identifier: GPL-2.0-or-later
//! Moving a primitive while it runs.
//!
//! Decides: when that is possible, and with which actions (Pacemaker Explained, "Migrating Resources"). Given: a
//! primitive that moves. Leaves to others: whether something in the way makes it a stop and a start after all.

use crate::action::relation;
use crate::{Cluster, NodeId, ResourceId};

impl Cluster {
    pub(super) fn can_migrate(&self, id: ResourceId, current: Option<NodeId>) -> bool {
        let state = self.state(id);
        let clean = |node: Option<NodeId>| node.is_some_and(|node| !self.node(node).state.unclean);
        state.migratable
            && state.managed
            && !state.failed
            && !state.start_pending
            && clean(current)
            && clean(self.work(id).assigned)
    }

    pub(super) fn create_migration(&mut self, id: ResourceId, current: NodeId) {
        let Some(assigned) = self.work(id).assigned else { return };
        let continuing = self.work(id).migration_target.is_some();
        let start = self.start_action(id, Some(assigned), true);
        let stop = self.stop_action(id, Some(current), true);
        let to = (!continuing).then(|| self.resource_action(id, "migrate_to", 0, Some(current), true));
        let from = self.resource_action(id, "migrate_from", 0, Some(assigned), true);
        self.action_mut(start).migratable = true;
        self.action_mut(stop).migratable = true;
        self.action_mut(start).pseudo = true;
        self.action_mut(from).migratable = true;
        let needs = self.action(start).needs;
        match to {
            Some(to) => {
                self.action_mut(to).migratable = true;
                self.action_mut(to).needs = needs;
                self.order(id, "monitor", id, "migrate_to", relation::ORDERED);
                let both = relation::ORDERED | relation::UNMIGRATABLE_THEN_BLOCKS;
                self.order(id, "migrate_to", id, "migrate_from", both);
            }
            None => {
                self.action_mut(from).needs = needs;
                self.order(id, "monitor", id, "migrate_from", relation::ORDERED);
            }
        }
        let both = relation::ORDERED | relation::UNMIGRATABLE_THEN_BLOCKS;
        self.order(id, "migrate_from", id, "stop", both);
        self.order(id, "migrate_from", id, "start", both | relation::FIRST_ELSE_THEN);
        let names = [current, assigned].map(|node| self.node(node).name.clone());
        for action in [to, Some(from)].into_iter().flatten() {
            let action = self.action_mut(action);
            action.set_meta("migrate_source", &*names[0]);
            action.set_meta("migrate_target", &*names[1]);
        }
        if let Some(to) = to
            && !self.work(id).remote_connection
        {
            self.action_mut(to).set_meta("record-pending", "true");
        }
    }
}
