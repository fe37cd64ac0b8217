// SPDX-License-Identifier: GPL-2.0-or-later
//! Who is promoted.
//!
//! Decides: which instances of a promotable clone are promoted (Pacemaker Explained, "Determining Which Instance is
//! Promoted"). Given: promotion scores (node attributes), locations and colocations for the role, tickets. Leaves to
//! others: what has to be done for it (`promotable`).

use crate::ledger::Cause;
use crate::notation::{base_name, parse_score};
use crate::stage::colocation::Pull;
use crate::unpack::add_scores;
use crate::{Cluster, ConfigIssue, Location, NodeId, QuorumPolicy, ResourceId, ScoreLine};
use model::{Role, Score};

/// What a clone's promotion scores have been used for already: each only once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Promotion {
    /// They have been added to what instances think of the nodes.
    scores_added: bool,
    /// The instances have been sorted by them.
    sorted: bool,
}

impl Promotion {
    /// Whether roles are being, or have been, chosen.
    pub(in crate::variant) const fn is_sorted(self) -> bool {
        self.sorted
    }
}

impl Cluster {
    // --- scores ---------------------------------------------------------------------------------------------------

    /// An instance rather goes where it could be promoted.
    pub(super) fn add_promotion_scores(&mut self, clone: ResourceId) {
        if std::mem::replace(&mut self.work_mut(clone).promotion.scores_added, true) {
            return;
        }
        let cause = self.ledger.cause(|| Cause::PromotionScore);
        for instance in self.resource(clone).children.clone() {
            for node in self.node_ids() {
                let known = self.work(instance).allowed.get(node.index()).is_some_and(Option::is_some);
                if !known || !self.node(node).state.is_available() {
                    continue;
                }
                let (score, _) = self.promotion_score(instance, node);
                if let Some(Some(allowed)) = self.work_mut(instance).allowed.get_mut(node.index())
                    && score > 0
                {
                    allowed.score = add_scores(allowed.score, score);
                    self.account_term(instance, node, score, cause);
                }
                let state = self.state_mut(instance);
                state.priority = state.priority.max(score);
            }
        }
    }

    /// An instance's promotion score on a node (of a group: the sum of its members'), and whether any is set.
    fn promotion_score(&self, id: ResourceId, node: NodeId) -> (i32, bool) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            let scores = resource.children.iter().map(|&child| self.promotion_score(child, node));
            return scores
                .fold((0, false), |(sum, any), (score, set)| (sum.saturating_add(score), any || set));
        }
        if !self.promotion_score_counts(id, node) {
            return (0, false);
        }
        let named = |name: &str| self.promotion_attribute(id, node, name);
        let base = base_name(&resource.id);
        let plain = || if resource.state.unique || base == &*resource.id { None } else { named(base) };
        let value = named(resource.history_id.as_ref().unwrap_or(&resource.id)).or_else(plain);
        (value.and_then(parse_score).unwrap_or_default().value(), value.is_some())
    }

    fn promotion_attribute(&self, id: ResourceId, node: NodeId, name: &str) -> Option<&str> {
        let current = self.work(id).unassigned;
        self.attribute_for(node, &format!("master-{name}"), id, current)
    }

    /// Whether a promotion score says something of this very instance: instances that are all the same share one.
    fn promotion_score_counts(&self, id: ResourceId, node: NodeId) -> bool {
        let resource = self.resource(id);
        let is_allowed = || {
            let allowed = resource.work.allowed.get(node.index()).and_then(Option::as_ref);
            allowed.is_some_and(|allowed| allowed.score >= 0)
        };
        let clone = self.resource(self.top_of(id));
        if !resource.state.unique {
            let base = base_name(&resource.id);
            let siblings = || clone.children.iter().filter_map(|&child| self.made_from(child, base));
            let active = siblings().find(|&other| self.state(other).active_on.contains(&node));
            let known = || siblings().any(|other| self.state(other).known_on.contains(&node));
            if active == Some(id) || active.is_none() && known() {
                return is_allowed();
            }
        }
        let state = &resource.state;
        let nothing_known = state.active_on.is_empty() && state.known_on.is_empty();
        let known_here = state.known_on.contains(&node) || state.active_on.contains(&node);
        (nothing_known || known_here) && is_allowed()
    }

    // --- choice ---------------------------------------------------------------------------------------------------

    /// Decides which instances are promoted, once they are placed.
    pub(super) fn choose_promoted(&mut self, clone: ResourceId) {
        self.reset_counts(clone);
        for instance in self.resource(clone).children.clone() {
            self.set_promotion_priority(clone, instance);
        }
        self.sort_by_promotion(clone);
        let mut promoted = 0;
        for instance in self.resource(clone).children.clone() {
            self.choose_role(clone, instance, &mut promoted);
        }
    }

    fn set_promotion_priority(&mut self, clone: ResourceId, instance: ResourceId) {
        if self.current_role(instance) == Role::Started {
            self.call_unpromoted(instance);
        }
        if self.locations(instance, false).len() > 1 {
            let issue = format!("Cannot promote non-colocated child {}", self.resource(instance).id);
            self.note_issue(ConfigIssue::error(issue));
        }
        let Some(node) = self.location(instance, false) else { return };
        let next_role = self.next_role(instance);
        match next_role {
            Role::Started | Role::Unknown => {
                // Without any score, a location for the role alone can make an instance worth promoting.
                let (score, set) = self.promotion_score(instance, node);
                self.state_mut(instance).priority = if set { score } else { -1 };
                let cause = || if set { Cause::PromotionScore } else { Cause::PromotionUnset };
                self.account_promotion(instance, true, cause);
            }
            Role::Unpromoted | Role::Stopped => {
                self.state_mut(instance).priority = Score::MINUS_INFINITY.value();
                self.account_promotion(instance, true, || Cause::Role { role: next_role });
            }
            Role::Promoted => self.account_promotion(instance, true, || Cause::Role { role: next_role }),
        }
        for of in [instance, clone] {
            self.add_promoted_locations(instance, of, node);
        }
        for colocation in self.this_with_colocations(instance) {
            let primary = self.colocation(colocation).primary;
            self.apply_colocation(instance, primary, colocation, true);
            if self.ledger.is_kept() {
                let id = self.colocation(colocation).id.clone();
                self.account_promotion(instance, false, || Cause::Colocation { id, with: primary });
            }
        }
        let priority = self.state(instance).priority;
        let promoted = next_role == Role::Promoted;
        self.work_mut(instance).promotion_priority =
            if promoted { Score::INFINITY.value() } else { priority };
    }

    fn call_unpromoted(&mut self, id: ResourceId) {
        let state = self.state_mut(id);
        if state.role == Role::Started {
            state.role = Role::Unpromoted;
        }
        for child in self.resource(id).children.clone() {
            self.call_unpromoted(child);
        }
    }

    /// Adds what locations say of an instance's being promoted on its node, the last one first.
    fn add_promoted_locations(&mut self, instance: ResourceId, of: ResourceId, node: NodeId) {
        // What is said of a bundle's roles is said of what is in it.
        let bundle = self.resource(of).parent.filter(|&id| self.bundled_clone(id) == Some(of));
        let says = |location: &&Location| {
            (location.resource == of || Some(location.resource) == bundle) && location.role == Role::Promoted
        };
        let scores: Vec<(Score, usize)> = self
            .locations
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, location)| says(location))
            .filter_map(|(index, location)| {
                Some((location.nodes.iter().find(|(other, _)| *other == node)?.1, index))
            })
            .collect();
        for (score, index) in scores {
            let state = self.state_mut(instance);
            state.priority = add_scores(state.priority, score.value());
            if self.ledger.is_kept() {
                let cause = self.locations[index].cause();
                self.account_promotion(instance, false, || cause);
            }
        }
    }

    fn sort_by_promotion(&mut self, clone: ResourceId) {
        if std::mem::replace(&mut self.work_mut(clone).promotion.sorted, true) {
            return;
        }
        self.work_mut(clone).updating = true;
        let instances = self.resource(clone).children.clone();
        for &instance in &instances {
            let priority = self.work(instance).promotion_priority;
            if let Some(node) = self.location(instance, false)
                && let Some(Some(allowed)) = self.work_mut(clone).allowed.get_mut(node.index())
                && priority >= 0
            {
                allowed.score = add_scores(priority, allowed.score);
                let cause = self.ledger.cause(|| Cause::PromotionPriority { of: instance });
                self.account_term(clone, node, priority, cause);
            }
        }
        for colocation in self.with_this_colocations(clone) {
            let terms = self.colocation(colocation);
            if terms.primary_role != Role::Promoted || !self.has_influence(colocation) {
                continue;
            }
            let pull = Pull {
                colocation: Some(colocation),
                factor: terms.score.value() as f32 / Score::INFINITY.value() as f32,
                this_with: false,
                nonnegative: true,
                active: true,
            };
            let dependent = terms.dependent;
            let mut nodes = Some(self.work(clone).allowed.clone());
            self.add_colocated_scores(dependent, clone, &mut nodes, &pull);
            self.work_mut(clone).allowed = nodes.unwrap_or_default();
            self.account_dependent(clone, colocation);
        }
        if self.work(clone).promotion_barred {
            self.add_location(clone, None, Score::MINUS_INFINITY, || Cause::PromotionBarred);
        }
        for &instance in &instances {
            let priority = self.final_priority(clone, instance);
            self.work_mut(instance).promotion_priority = priority;
        }
        let sorted = self.sort_instances(&instances, |cluster, a, b| {
            let rank = |id: ResourceId| (cluster.work(id).promotion_priority, cluster.current_role(id));
            rank(b).cmp(&rank(a))
        });
        self.resource_mut(clone).children = sorted;
        self.work_mut(clone).updating = false;
    }

    fn final_priority(&self, clone: ResourceId, instance: ResourceId) -> i32 {
        let state = self.state(instance);
        let priority = self.work(instance).promotion_priority;
        if !state.managed && state.next_role == Role::Promoted {
            return Score::INFINITY.value();
        }
        let Some(node) = self.location(instance, false) else { return Score::MINUS_INFINITY.value() };
        if priority < 0 {
            return priority;
        }
        let allowed = self.work(clone).allowed.get(node.index()).and_then(Option::as_ref);
        allowed.map_or(priority, |allowed| allowed.score)
    }

    fn choose_role(&mut self, clone: ResourceId, instance: ResourceId, promoted: &mut usize) {
        self.record_promotion_score(instance);
        let node = self.location(instance, false);
        self.close_promotion(clone, instance, node);
        let room = *promoted < self.resource(clone).instances.promoted_max || !self.state(clone).managed;
        let chosen = if self.work(instance).promotion_priority >= 0 && room {
            self.node_to_promote_on(clone, instance)
        } else {
            None
        };
        let rising = self.state(instance).role < Role::Promoted;
        let frozen = rising && !self.quorate && self.options.quorum_policy == QuorumPolicy::Freeze;
        let Some(node) = chosen.filter(|_| !frozen) else {
            self.leave_unpromoted(instance);
            return;
        };
        if let Some(Some(allowed)) = self.work_mut(clone).allowed.get_mut(node.index()) {
            allowed.count += 1;
        }
        self.make_promoted(instance);
        *promoted += 1;
    }

    fn record_promotion_score(&mut self, instance: ResourceId) {
        let node = self.location(instance, false).map(|node| self.node(node).name.clone());
        self.scores.push(ScoreLine::Promotion {
            resource: self.resource(instance).id.clone(),
            node,
            score: Score::new(i64::from(self.work(instance).promotion_priority)),
        });
    }

    fn leave_unpromoted(&mut self, id: ResourceId) {
        let placed = !self.locations(id, false).is_empty();
        self.state_mut(id).next_role = if placed { Role::Unpromoted } else { Role::Stopped };
        for child in self.resource(id).children.clone() {
            self.leave_unpromoted(child);
        }
    }

    fn make_promoted(&mut self, id: ResourceId) {
        let state = self.state_mut(id);
        if state.next_role == Role::Unknown {
            state.next_role = Role::Promoted;
        }
        for child in self.resource(id).children.clone() {
            self.make_promoted(child);
        }
    }

    /// Where an instance can be promoted, if it can: all of it, where it is, and with room for one more.
    fn node_to_promote_on(&self, clone: ResourceId, id: ResourceId) -> Option<NodeId> {
        let resource = self.resource(id);
        if resource.children.iter().any(|&child| self.node_to_promote_on(clone, child).is_none()) {
            return None;
        }
        let node = self.location(id, false)?;
        let managed = resource.state.managed;
        if !managed {
            if self.current_role(id) != Role::Promoted {
                return None;
            }
        } else if resource.state.priority < 0 || !self.is_available_for_promotion(node) {
            return None;
        }
        let allowed = self.work(clone).allowed.get(node.index()).and_then(Option::as_ref)?;
        let full = allowed.count >= self.resource(clone).instances.promoted_per_node;
        (!(full && managed)).then_some(node)
    }
}
