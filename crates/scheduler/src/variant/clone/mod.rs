// SPDX-License-Identifier: GPL-2.0-or-later
//! Clones: several instances of a primitive or group, on several nodes.
//!
//! Decides: what that means in each stage, here; who is promoted (`promotion`) and what follows from that
//! (`promotable`); who is told of what (`notify`). Given: a clone. Leaves to others: what clones share with bundles
//! (`variant::instances`), each instance.

mod colocation;
mod notify;
mod promotable;
mod promotion;

pub(crate) use notify::Notices;
pub(crate) use promotion::Promotion;

use crate::action::relation;
use crate::{Cluster, NodeId, ResourceId};

impl Cluster {
    pub(super) fn assign_clone(&mut self, clone: ResourceId, prefer: Option<NodeId>, stop_if_fail: bool) {
        let work = self.work(clone);
        if !work.unassigned || work.assigning {
            return;
        }
        self.work_mut(clone).assigning = true;
        let promotable = self.work(clone).promotable;
        if promotable {
            self.add_promotion_scores(clone);
        }
        for colocation in self.this_with_colocations(clone) {
            let primary = self.colocation(colocation).primary;
            self.assign(primary, prefer, stop_if_fail);
        }
        for colocation in self.with_this_colocations(clone) {
            self.add_dependent_scores(colocation, clone);
        }
        self.record_scores(clone, "pcmk__clone_assign");
        let instances = self.resource(clone).children.clone();
        let sorted = self.sort_for_assignment(&instances);
        self.resource_mut(clone).children.clone_from(&sorted);
        let terms = &self.resource(clone).instances;
        let (max, per_node) = (terms.max, terms.per_node);
        self.assign_instances(clone, &sorted, max, per_node);
        if promotable {
            self.choose_promoted(clone);
        }
        let work = self.work_mut(clone);
        work.unassigned = false;
        work.assigning = false;
    }

    pub(super) fn create_clone_actions(&mut self, clone: ResourceId) {
        let instances = self.resource(clone).children.clone();
        self.create_instance_actions(clone, &instances);
        if self.work(clone).promotable {
            self.create_promotable_actions(clone);
        }
    }

    pub(super) fn add_clone_constraints(&mut self, clone: ResourceId) {
        use relation::{
            FIRST_IMPLIES_THEN_GRAPHED, ORDERED, THEN_IMPLIES_FIRST_GRAPHED, UNRUNNABLE_FIRST_BLOCKS,
        };
        self.order(clone, "stopped", clone, "start", ORDERED);
        self.order(clone, "start", clone, "running", UNRUNNABLE_FIRST_BLOCKS);
        self.order(clone, "stop", clone, "stopped", UNRUNNABLE_FIRST_BLOCKS);
        let promotable = self.work(clone).promotable;
        if promotable {
            self.order(clone, "demoted", clone, "stop", ORDERED);
            self.order(clone, "running", clone, "promote", UNRUNNABLE_FIRST_BLOCKS);
        }
        let ordered = self.resource(clone).instances.ordered;
        if ordered {
            self.sort_by_number(clone);
        }
        let instances = self.resource(clone).children.clone();
        for (index, &instance) in instances.iter().enumerate() {
            self.add_internal_constraints(instance);
            let up = UNRUNNABLE_FIRST_BLOCKS | THEN_IMPLIES_FIRST_GRAPHED;
            self.order(clone, "start", instance, "start", up);
            self.order(instance, "start", clone, "running", FIRST_IMPLIES_THEN_GRAPHED);
            self.order(clone, "stop", instance, "stop", THEN_IMPLIES_FIRST_GRAPHED);
            self.order(instance, "stop", clone, "stopped", FIRST_IMPLIES_THEN_GRAPHED);
            // As only some may have to start or stop, each is ordered with every later one.
            for &later in instances.iter().skip(index + 1).filter(|_| ordered) {
                self.order(instance, "start", later, "start", ORDERED);
                self.order(later, "stop", instance, "stop", ORDERED);
            }
        }
        if promotable {
            self.order_promotions(clone);
        }
    }
}
