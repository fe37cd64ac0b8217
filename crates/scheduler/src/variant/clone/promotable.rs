// SPDX-License-Identifier: GPL-2.0-or-later
//! Promotable clones: what is done to promote and demote instances, in which order, and what colocations with a role
//! mean.
//!
//! Decides: that. Given: who shall be promoted (`promotion`). Leaves to others: the instances' own actions.

use crate::action::relation;
use crate::constraint::ColocationId;
use crate::ledger::Cause;
use crate::stage::colocation::same_value;
use crate::unpack::add_scores;
use crate::variant::instances::Fit;
use crate::{Cluster, NodeId, ResourceId};
use model::{Role, Score};

impl Cluster {
    pub(super) fn create_promotable_actions(&mut self, clone: ResourceId) {
        let instances = self.resource(clone).children.clone();
        let (mut promoting, mut demoting) = (false, false);
        for &instance in &instances {
            self.create_actions(instance);
            self.note_role_changes(instance, &mut promoting, &mut demoting);
        }
        self.create_promote_demote_stand_ins(clone, promoting, demoting);
        // An instance's priority was its promotion score for a while.
        let priority = self.state(clone).priority;
        for instance in instances {
            self.state_mut(instance).priority = priority;
        }
    }

    fn note_role_changes(&self, id: ResourceId, promoting: &mut bool, demoting: &mut bool) {
        let resource = self.resource(id);
        for &child in &resource.children {
            self.note_role_changes(child, promoting, demoting);
        }
        if resource.children.is_empty() {
            let required = resource.work.actions.iter().map(|&id| self.action(id)).filter(|a| !a.optional);
            for action in required {
                *promoting |= *action.task == *"promote";
                *demoting |= *action.task == *"demote";
            }
        }
    }

    /// The actions that stand for all promotions and all demotions.
    fn create_promote_demote_stand_ins(&mut self, clone: ResourceId, promoting: bool, demoting: bool) {
        let promote = self.stand_in(clone, "promote", !promoting, true);
        let promoted = self.stand_in(clone, "promoted", !promoting, true);
        self.action_mut(promoted).priority = Score::INFINITY.value();
        self.create_promotion_notice(clone, promote, promoted);
        let demote = self.stand_in(clone, "demote", !demoting, true);
        let demoted = self.stand_in(clone, "demoted", !demoting, true);
        self.action_mut(demoted).priority = Score::INFINITY.value();
        self.create_demotion_notice(clone, demote, demoted);
    }

    /// What is stopped, started, demoted and promoted in one transition is so in this order.
    pub(in crate::variant) fn order_promotion_restarts(&mut self, collective: ResourceId) {
        for (first, then) in [
            ("stopped", "start"),
            ("stopped", "promote"),
            ("demoted", "stop"),
            ("demoted", "start"),
            ("demoted", "promote"),
            ("running", "promote"),
            ("demote", "demoted"),
        ] {
            self.order(collective, first, collective, then, relation::ORDERED);
        }
    }

    pub(super) fn order_promotions(&mut self, clone: ResourceId) {
        use relation::{FIRST_IMPLIES_THEN_GRAPHED, ORDERED, THEN_IMPLIES_FIRST_GRAPHED};
        self.order_promotion_restarts(clone);
        let ordered = self.resource(clone).instances.ordered;
        let mut previous = None;
        for instance in self.resource(clone).children.clone() {
            self.order(instance, "demote", instance, "promote", ORDERED);
            self.order(clone, "promote", instance, "promote", ORDERED);
            self.order(instance, "promote", clone, "promoted", ORDERED);
            let previous = previous.replace(instance).filter(|_| ordered);
            if let Some(previous) = previous {
                self.order(previous, "promote", instance, "promote", ORDERED);
            }
            self.order(clone, "demote", instance, "demote", THEN_IMPLIES_FIRST_GRAPHED);
            self.order(instance, "demote", clone, "demoted", FIRST_IMPLIES_THEN_GRAPHED);
            if let Some(previous) = previous {
                self.order(instance, "demote", previous, "demote", ORDERED);
            }
        }
    }

    // --- colocations with a role ----------------------------------------------------------------------------------

    /// A dependent that is still to be placed wants to be where an instance will be in a role.
    pub(super) fn colocate_with_role(
        &mut self,
        dependent: ResourceId,
        clone: ResourceId,
        colocation: ColocationId,
    ) {
        let terms = self.colocation(colocation);
        let (score, role) = (terms.score, terms.primary_role);
        let both_promoted = terms.dependent_role == Role::Promoted && role == Role::Promoted;
        let mut affected: Vec<(NodeId, i32)> = Vec::new();
        for instance in self.resource(clone).children.clone() {
            let Some(node) = self.location(instance, false) else { continue };
            if self.next_role(instance) != role {
                continue;
            }
            if score < Score::INFINITY {
                self.prefer_like(dependent, node, colocation);
            }
            affected.push((node, self.assigned_score(instance)));
        }
        // Unpromoted instances have to be somewhere too, so promotion alone is no reason to ban any node.
        if score == Score::INFINITY && !both_promoted {
            self.keep_to_nodes(dependent, &affected, colocation);
        }
    }

    /// How much an instance wanted the node it was given.
    fn assigned_score(&self, id: ResourceId) -> i32 {
        let resource = self.resource(id);
        match resource.children.first() {
            Some(&child) => self.assigned_score(child),
            None => resource.work.assigned_score,
        }
    }

    /// Adds to what a dependent thinks of all nodes that are like one.
    fn prefer_like(&mut self, dependent: ResourceId, node: NodeId, colocation: ColocationId) {
        let terms = self.colocation(colocation).clone();
        let (score, attribute) = (terms.score, &*terms.attribute);
        let value = self.colocation_value(node, attribute, terms.primary).map(str::to_owned);
        let cause = self.ledger.cause(|| Cause::Colocation { id: terms.id.clone(), with: terms.primary });
        for other in self.node_ids() {
            let like = same_value(self.colocation_value(other, attribute, dependent), value.as_deref());
            if let Some(Some(allowed)) = self.work_mut(dependent).allowed.get_mut(other.index())
                && like
            {
                allowed.score = add_scores(allowed.score, score.value());
                self.account_term(dependent, other, score.value(), cause);
            }
        }
    }

    /// A dependent that is placed would rather be promoted where an instance will be in a role.
    pub(super) fn promote_with_role(
        &mut self,
        dependent: ResourceId,
        clone: ResourceId,
        colocation: ColocationId,
    ) -> i32 {
        let terms = self.colocation(colocation);
        let (score, attribute) = (terms.score, terms.attribute.clone());
        let fit = Fit { role: terms.primary_role, current: false, attribute: Some(&attribute) };
        if self.compatible_instance(dependent, clone, &fit).is_some() {
            let state = self.state_mut(dependent);
            state.priority = add_scores(state.priority, score.value());
            return score.value();
        }
        if score == Score::INFINITY {
            self.state_mut(dependent).priority = Score::MINUS_INFINITY.value();
            return Score::MINUS_INFINITY.value();
        }
        0
    }
}
