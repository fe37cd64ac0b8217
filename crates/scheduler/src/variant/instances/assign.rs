// SPDX-License-Identifier: GPL-2.0-or-later
//! Placing instances.
//!
//! Decides: in which order instances are placed, how many may be on a node, who stays where it is. Given: scores of the
//! whole and of each instance. Leaves to others: the node of each (its variant).

use crate::cluster::{Allowed, NodeTable};
use crate::ledger::Cause;
use crate::notation::merge_sort;
use crate::stage::colocation::Pull;
use crate::{Cluster, NodeId, ResourceId};
use model::Score;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What instances are compared by, as far as it does not depend on the other one.
struct Rank {
    active_count: usize,
    /// Active where it may not be.
    misplaced: bool,
    priority: i32,
    /// The node it is active on, if it may be there.
    node: Option<NodeId>,
    /// That node can run something.
    available: bool,
    /// How many instances the whole has on that node; none if it may not be there.
    count: Option<usize>,
    failed: bool,
    /// The node's score with the wishes of those it is colocated with.
    colocated: i32,
    number: i64,
}

/// An instance's number: after a colon, or, in bundles, after a dash.
pub(crate) fn instance_number(id: &str) -> i64 {
    let digits = id.rsplit_once(':').or_else(|| id.rsplit_once('-')).map_or("", |(_, digits)| digits);
    digits.parse().unwrap_or(0)
}

fn compare(a: &Rank, b: &Rank) -> Ordering {
    if a.active_count > 0 && b.active_count > 0 && a.active_count != b.active_count {
        return a.active_count.cmp(&b.active_count);
    }
    let early = a.misplaced.cmp(&b.misplaced).then(b.priority.cmp(&a.priority));
    if early != Ordering::Equal {
        return early;
    }
    match (a.node, b.node) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Greater,
        (Some(_), None) => return Ordering::Less,
        (Some(_), Some(_)) => {}
    }
    if a.available != b.available {
        return b.available.cmp(&a.available);
    }
    match (a.count, b.count) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Greater,
        (Some(_), None) => return Ordering::Less,
        (Some(x), Some(y)) if x != y => return x.cmp(&y),
        _ => {}
    }
    a.failed.cmp(&b.failed).then(b.colocated.cmp(&a.colocated)).then(a.number.cmp(&b.number))
}

impl Cluster {
    pub(crate) fn sort_by_number(&mut self, collective: ResourceId) {
        let mut children = std::mem::take(&mut self.resource_mut(collective).children);
        children.sort_by_key(|&child| instance_number(&self.resource(child).id));
        self.resource_mut(collective).children = children;
    }

    /// Puts instances into the order in which they are placed: those first that have most to lose.
    pub(in crate::variant) fn sort_for_assignment(&mut self, instances: &[ResourceId]) -> Vec<ResourceId> {
        self.sort_instances(instances, |_, _, _| Ordering::Equal)
    }

    /// As `sort_for_assignment`, but for what another comparison says first.
    pub(in crate::variant) fn sort_instances(
        &mut self,
        instances: &[ResourceId],
        first: impl Fn(&Cluster, ResourceId, ResourceId) -> Ordering,
    ) -> Vec<ResourceId> {
        let ranks: BTreeMap<ResourceId, Rank> = instances.iter().map(|&id| (id, self.rank(id))).collect();
        merge_sort(instances, &|&a, &b| {
            let by_rank = || match (ranks.get(&a), ranks.get(&b)) {
                (Some(a), Some(b)) => compare(a, b),
                _ => Ordering::Equal,
            };
            first(self, a, b).then_with(by_rank)
        })
    }

    fn rank(&mut self, id: ResourceId) -> Rank {
        let (active, active_count, _) = self.active_nodes(id);
        let allowed = |node: &NodeId| {
            let allowed = self.work(id).allowed.get(node.index()).and_then(Option::as_ref);
            allowed.is_some_and(|allowed| allowed.score >= 0)
        };
        let node = active.filter(allowed);
        let count = node.and_then(|node| self.top_allowed(id, node)).map(|allowed| allowed.count);
        Rank {
            active_count,
            misplaced: active.is_some() && node.is_none(),
            priority: self.state(id).priority,
            available: node.is_some_and(|node| self.node(node).state.is_available()),
            count,
            failed: self.any_in(id, |state| state.failed),
            colocated: node.map_or(0, |node| self.colocated_score(id, node)),
            node,
            number: instance_number(&self.resource(id).id),
        }
    }

    /// What the whole that an instance belongs to thinks of a node.
    pub(crate) fn top_allowed(&self, id: ResourceId, node: NodeId) -> Option<&Allowed> {
        let holder = self.resource(id).parent.unwrap_or(id);
        self.work(holder).allowed.get(node.index()).and_then(Option::as_ref)
    }

    /// A node's score with the wishes of all that an instance is colocated with.
    fn colocated_score(&mut self, id: ResourceId, node: NodeId) -> i32 {
        let base = self.node(node).state.score.value();
        let (this_with, with_this) = (self.this_with_colocations(id), self.with_this_colocations(id));
        if this_with.is_empty() && with_this.is_empty() {
            return base;
        }
        let mut table: NodeTable = vec![None; self.nodes.len()];
        if let Some(entry) = table.get_mut(node.index()) {
            *entry = Some(Allowed { score: base, ..Allowed::default() });
        }
        let mut nodes = Some(table);
        for (colocations, as_dependent) in [(this_with, true), (with_this, false)] {
            for colocation in colocations {
                let terms = self.colocation(colocation);
                let other = if as_dependent { terms.primary } else { terms.dependent };
                let pull = Pull {
                    colocation: Some(colocation),
                    factor: terms.score.value() as f32 / Score::INFINITY.value() as f32,
                    this_with: false,
                    nonnegative: !as_dependent,
                    active: false,
                };
                if as_dependent || self.has_influence_on(colocation, id) {
                    self.add_colocated_scores(other, id, &mut nodes, &pull);
                }
            }
        }
        let nodes = nodes.unwrap_or_default();
        nodes.get(node.index()).and_then(Option::as_ref).map_or(base, |allowed| allowed.score)
    }

    // --- placing --------------------------------------------------------------------------------------------------

    /// Places instances: first those that can stay where they are, then the others, as long as there may be more.
    pub(in crate::variant) fn assign_instances(
        &mut self,
        collective: ResourceId,
        instances: &[ResourceId],
        max: usize,
        per_node: usize,
    ) {
        let available = self.reset_counts(collective);
        let optimal = max.checked_div(available).unwrap_or(0).max(1);
        let mut assigned = 0;
        for &instance in instances {
            if assigned >= max {
                break;
            }
            if let Some(current) = self.node_to_keep(instance, optimal)
                && self.assign_early(instance, current, per_node, max - assigned)
            {
                assigned += 1;
            }
        }
        for &instance in instances {
            if !self.work(instance).unassigned {
                continue;
            }
            if assigned >= max {
                let cause = || Cause::InstancesPlaced { of: collective };
                self.add_location(instance, None, Score::MINUS_INFINITY, cause);
            } else if self.assign_instance(instance, None, per_node).is_some() {
                assigned += 1;
            }
        }
    }

    /// Forgets how many instances are where; says how many nodes can run any.
    pub(in crate::variant) fn reset_counts(&mut self, collective: ResourceId) -> usize {
        for allowed in self.work_mut(collective).allowed.iter_mut().flatten() {
            allowed.count = 0;
        }
        let known = self.work(collective).allowed.iter().zip(&self.nodes);
        known.filter(|(allowed, node)| allowed.is_some() && node.state.is_available()).count()
    }

    /// The node an instance is on, if it would best stay there.
    fn node_to_keep(&self, instance: ResourceId, optimal: usize) -> Option<NodeId> {
        if !self.work(instance).unassigned || self.state(instance).failed {
            return None;
        }
        let node = self.current_node(instance)?;
        let state = &self.node(node).state;
        let full = self.top_allowed(instance, node).is_some_and(|allowed| allowed.count >= optimal);
        (state.is_available() && state.score >= Score::ZERO && !full).then_some(node)
    }

    /// Tries to place an instance where it is. Where that fails because another node is better, that node is taken to
    /// have got an instance, and the next try is made without it: so every node gets as many as it deserves, and those
    /// that are there already. Says whether the instance stays.
    fn assign_early(
        &mut self,
        instance: ResourceId,
        current: NodeId,
        per_node: usize,
        available: usize,
    ) -> bool {
        let Some(parent) = self.resource(instance).parent else { return false };
        let allowed = self.work(instance).allowed.get(current.index()).and_then(Option::as_ref);
        if !self.node(current).state.is_available() || allowed.is_none_or(|allowed| allowed.score < 0) {
            return false;
        }
        let mut saved = Vec::new();
        self.save_tables(instance, &mut saved);
        let parent_table = self.work(parent).allowed.clone();
        let tried = saved.iter().map(|&(id, _)| id);
        let (mark, parent_mark) = (self.mark_accounts(tried), self.mark_accounts([parent]));
        let mut chosen = None;
        for _ in 0..available {
            chosen = self.assign_instance(instance, Some(current), per_node);
            if chosen == Some(current) {
                break;
            }
            for (id, table) in &saved {
                self.work_mut(*id).allowed.clone_from(table);
            }
            self.restore_accounts(&mark);
            if chosen.is_none() {
                self.work_mut(instance).unassigned = true;
                break;
            }
            self.unassign(instance);
            chosen = None;
        }
        self.work_mut(parent).allowed = parent_table;
        self.restore_accounts(&parent_mark);
        self.count_instance(instance, chosen);
        chosen.is_some()
    }

    fn save_tables(&self, id: ResourceId, saved: &mut Vec<(ResourceId, NodeTable)>) {
        saved.push((id, self.work(id).allowed.clone()));
        for &child in &self.resource(id).children {
            self.save_tables(child, saved);
        }
    }

    fn assign_instance(
        &mut self,
        instance: ResourceId,
        prefer: Option<NodeId>,
        per_node: usize,
    ) -> Option<NodeId> {
        if self.work(instance).assigning {
            return None;
        }
        self.ban_full_nodes(instance, per_node);
        let chosen = self.assign(instance, prefer, prefer.is_none());
        self.count_instance(instance, chosen);
        chosen
    }

    fn count_instance(&mut self, instance: ResourceId, node: Option<NodeId>) {
        let holder = self.resource(instance).parent.unwrap_or(instance);
        if let Some(node) = node
            && let Some(Some(allowed)) = self.work_mut(holder).allowed.get_mut(node.index())
        {
            allowed.count += 1;
        }
    }

    /// An instance cannot have a node that cannot run anything, that the whole must avoid, or that has enough already.
    fn ban_full_nodes(&mut self, instance: ResourceId, per_node: usize) {
        let removed = self.state(instance).removed;
        for node in self.node_ids() {
            let fits = |allowed: &Allowed| allowed.score >= 0 && allowed.count < per_node;
            if !removed
                && self.node(node).state.is_available()
                && self.top_allowed(instance, node).is_some_and(fits)
            {
                continue;
            }
            if self.work(instance).allowed.get(node.index()).is_none_or(Option::is_none) {
                continue;
            }
            self.forbid_node(instance, node);
            for child in self.resource(instance).children.clone() {
                self.forbid_node(child, node);
            }
        }
    }

    fn forbid_node(&mut self, id: ResourceId, node: NodeId) {
        if let Some(Some(allowed)) = self.work_mut(id).allowed.get_mut(node.index()) {
            allowed.score = Score::MINUS_INFINITY.value();
            let of = self.resource(id).parent.unwrap_or(id);
            let cause = self.ledger.cause(|| Cause::InstanceLimit { of });
            self.account_term(id, node, Score::MINUS_INFINITY.value(), cause);
        }
    }
}
