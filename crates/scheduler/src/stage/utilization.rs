// SPDX-License-Identifier: GPL-2.0-or-later
//! Placement by utilization: what resources take and nodes have.
//!
//! Decides: which nodes have room, which have most, in which order resources are placed because of it (Pacemaker
//! Explained, "Utilization and Placement Strategy"). Given: utilization attributes. Leaves to others: the choice.

use crate::action::{ActionId, relation};
use crate::cluster::{NodeTable, Parameters};
use crate::constraint::{ColocationId, Side};
use crate::ledger::Cause;
use crate::notation::{integer, merge_sort};
use crate::stage::colocation::Pull;
use crate::{Cluster, ConfigIssue, NodeId, PlacementStrategy, ResourceId, ScoreLine, Variant};
use model::Score;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How much there is of what.
pub(crate) type Capacity = BTreeMap<Arc<str>, i64>;

fn amount(text: &str) -> i64 {
    integer(text).unwrap_or(0).clamp(i64::from(i32::MIN), i64::from(i32::MAX))
}

fn add(capacity: &mut Capacity, amounts: &Parameters, sign: i64) {
    for (name, value) in amounts {
        *capacity.entry(name.clone()).or_default() += sign * amount(value);
    }
}

/// Names with amounts in the order in which Pacemaker shows them.
fn in_table_order(amounts: Vec<(Arc<str>, Arc<str>)>) -> Vec<(Arc<str>, Arc<str>)> {
    let order = model::table_order(amounts.iter().map(|(name, _)| &**name));
    order.into_iter().filter_map(|place| amounts.get(place).cloned()).collect()
}

/// Whether `have` is at least as much as `need`, of everything.
fn is_enough(have: &Capacity, need: &Capacity) -> bool {
    need.iter().all(|(name, &needed)| have.get(name).copied().unwrap_or(0) >= needed)
}

impl Cluster {
    fn uses_utilization(&self) -> bool {
        self.options.placement != PlacementStrategy::Default
    }

    /// What every node has before anything is placed.
    pub(super) fn read_capacities(&mut self) {
        self.note_odd_amounts();
        for node in &mut self.nodes {
            let mut capacity = Capacity::new();
            add(&mut capacity, &node.utilization, 1);
            node.state.capacity = capacity;
        }
    }

    /// A resource takes its share of a node, or gives it back.
    pub(crate) fn take_capacity(&mut self, id: ResourceId, node: NodeId, sign: i64) {
        let amounts = self.resource(id).utilization.clone();
        add(&mut self.node_mut(node).state.capacity, &amounts, -sign);
    }

    /// Amounts that are none count as nothing, where utilization counts at all.
    fn note_odd_amounts(&mut self) {
        if !self.uses_utilization() {
            return;
        }
        let of_nodes = self.nodes.iter().flat_map(|node| node.utilization.values());
        let of_resources = self.resources.iter().flat_map(|resource| resource.utilization.values());
        let odd = of_nodes.chain(of_resources).filter(|value| integer(value).is_none());
        let issues: BTreeSet<String> =
            odd.map(|value| format!("Using 0 for utilization instead of invalid value '{value}'")).collect();
        for issue in issues {
            self.note_issue(ConfigIssue::warning(issue).logged_by("utilization_value"));
        }
    }

    /// Shows what the nodes have, but for those in bundles, which have nothing of their own.
    pub(super) fn record_capacities(&mut self, comment: &str) {
        if !self.record_utilization {
            return;
        }
        for id in self.node_ids().filter(|&id| !self.is_bundle_node(id)).collect::<Vec<_>>() {
            let node = self.node(id);
            let shown = |(name, &left): (&Arc<str>, &i64)| {
                // As long as nothing was taken of it, it is what was configured, whether that is a number or not.
                let configured = node.utilization.get(name).filter(|text| amount(text) == left);
                (name.clone(), configured.cloned().unwrap_or_else(|| left.to_string().into()))
            };
            let capacity = in_table_order(node.state.capacity.iter().map(shown).collect());
            let (comment, node) = (comment.into(), node.name.clone());
            self.scores.push(ScoreLine::Capacity { comment, node, capacity });
        }
    }

    /// Shows what a resource takes of the node it was placed on.
    pub(crate) fn record_utilization_of(&mut self, id: ResourceId, node: NodeId) {
        if self.record_utilization {
            let resource = self.resource(id);
            let amounts = resource.utilization.iter().map(|(name, value)| (name.clone(), value.clone()));
            let amounts = in_table_order(amounts.collect());
            let line = ScoreLine::Utilization {
                resource: resource.id.clone(),
                node: self.node(node).name.clone(),
                amounts,
            };
            self.scores.push(line);
        }
    }

    /// Negative (less) if `a` has more than `b` of more things than the other way round.
    pub(crate) fn compare_capacities(&self, a: NodeId, b: NodeId) -> Ordering {
        let (a, b) = (&self.node(a).state.capacity, &self.node(b).state.capacity);
        let mut balance = 0;
        for (name, &has) in a {
            balance += match has.cmp(&b.get(name).copied().unwrap_or(0)) {
                Ordering::Greater => -1,
                Ordering::Less => 1,
                Ordering::Equal => 0,
            };
        }
        for (_, &has) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
            balance += has.signum();
        }
        balance.cmp(&0)
    }

    // --- room for all that has to be together ---------------------------------------------------------------------

    /// A resource and all that have to be on its node.
    fn colocated_resources(&self, origin: ResourceId) -> BTreeSet<ResourceId> {
        let mut found = BTreeSet::new();
        let mut open = vec![origin];
        while let Some(id) = open.pop() {
            if !found.insert(id) {
                continue;
            }
            let resource = self.resource(id);
            if resource.variant == Variant::Group && self.is_together(id) {
                open.extend(&resource.children);
                continue;
            }
            let mandatory = |colocation: ColocationId| self.colocation(colocation).score == Score::INFINITY;
            for colocation in self.this_with_colocations(id) {
                let other = self.colocation(colocation).primary;
                if mandatory(colocation) && self.may_affect(id, other, colocation) {
                    open.push(other);
                }
            }
            for colocation in self.with_this_colocations(id) {
                let other = self.colocation(colocation).dependent;
                if resource.variant == Variant::Clone && self.resource(other).variant != Variant::Clone {
                    // With which instance it will be cannot be known.
                    continue;
                }
                if mandatory(colocation) && self.may_affect(other, id, colocation) {
                    open.push(other);
                }
            }
        }
        found
    }

    fn add_needs(&self, id: ResourceId, all: &BTreeSet<ResourceId>, needs: &mut Capacity) {
        let resource = self.resource(id);
        if !resource.work.unassigned {
            return;
        }
        match resource.variant {
            Variant::Primitive => {
                add(needs, &resource.utilization, 1);
                return;
            }
            Variant::Clone => {
                self.add_needs_of_instances(id, all, needs);
                return;
            }
            // All replicas are alike, and only containers take room.
            Variant::Bundle => {
                if let Some(replica) = resource.replicas.first() {
                    self.add_needs(replica.container, all, needs);
                }
                return;
            }
            Variant::Group => {}
        }
        let count = if self.is_together(id) { resource.children.len() } else { 1 };
        for &member in resource.children.iter().take(count) {
            if self.work(member).unassigned && !all.contains(&member) {
                self.add_needs(member, all, needs);
            }
        }
    }

    /// Whether all members of a group are on one node: an instance's always count as such.
    fn is_together(&self, group: ResourceId) -> bool {
        let resource = self.resource(group);
        let in_clone = resource.parent.is_some_and(|id| self.resource(id).variant == Variant::Clone);
        resource.work.colocated || in_clone
    }

    /// Of a clone the instances concerned count; if none is, one of them.
    fn add_needs_of_instances(&self, clone: ResourceId, all: &BTreeSet<ResourceId>, needs: &mut Capacity) {
        let instances = &self.resource(clone).children;
        let mut concerned = false;
        for &instance in instances {
            if all.contains(&instance) {
                concerned = true;
            } else if self.resource(instance).children.iter().any(|member| all.contains(member)) {
                self.add_needs(instance, all, needs);
                concerned = true;
            }
        }
        if let Some(&first) = instances.first().filter(|_| !concerned) {
            self.add_needs(first, all, needs);
        }
    }

    /// Keeps a resource off nodes that have no room for it. If no node has room for all that have to be together, says
    /// which has most.
    pub(crate) fn ban_insufficient(&mut self, id: ResourceId) -> Option<NodeId> {
        if !self.uses_utilization() {
            return None;
        }
        let together = self.colocated_resources(id);
        let mut needs = Capacity::new();
        for &resource in &together {
            self.add_needs(resource, &together, &mut needs);
        }
        let usable = |cluster: &Cluster, node: NodeId| {
            let allowed = cluster.work(id).allowed.get(node.index()).and_then(Option::as_ref);
            cluster.node(node).state.is_available() && allowed.is_some_and(|allowed| allowed.score >= 0)
        };
        let nodes: Vec<NodeId> = self.node_ids().filter(|&node| usable(self, node)).collect();
        let room = |cluster: &Cluster, node: NodeId, needs: &Capacity| {
            is_enough(&cluster.node(node).state.capacity, needs)
        };
        let any = nodes.iter().any(|&node| room(self, node, &needs));
        let mut most = None;
        for &node in &nodes {
            if most.is_none_or(|most| self.compare_capacities(node, most) == Ordering::Less) {
                most = Some(node);
            }
        }
        if !any {
            needs = Capacity::new();
            add(&mut needs, &self.resource(id).utilization, 1);
        }
        for &node in &nodes {
            if !room(self, node, &needs) {
                let free = self.ledger.is_kept().then(|| self.node(node).state.capacity.clone());
                self.add_location(id, Some(node), Score::MINUS_INFINITY, || {
                    let free = free.unwrap_or_default().into_iter();
                    Cause::Capacity {
                        needs: needs.iter().map(|(name, amount)| (name.clone(), *amount)).collect(),
                        free: free.filter(|(name, _)| needs.contains_key(name)).collect(),
                    }
                });
            }
        }
        most.filter(|_| !any)
    }

    // --- order of placement ---------------------------------------------------------------------------------------

    /// The most important resources first, then those that would rather stay, then those that want nodes most.
    pub(super) fn sort_resources(&mut self) {
        if !self.uses_utilization() {
            return;
        }
        let mut nodes: Vec<(NodeId, i32)> =
            self.node_ids().map(|node| (node, self.node(node).state.score.value())).collect();
        nodes.sort_by(|a, b| self.compare_nodes(*a, *b, None));
        let pull = Pull { colocation: None, factor: 1.0, this_with: true, nonnegative: false, active: false };
        let mut ranks = BTreeMap::new();
        for id in self.top.clone() {
            let mut wishes: Option<NodeTable> = None;
            self.add_colocated_scores(id, id, &mut wishes, &pull);
            let wish = |node: Option<NodeId>| {
                let allowed =
                    wishes.as_ref().zip(node).and_then(|(table, node)| table.get(node.index())?.as_ref());
                Reverse(allowed.map_or(Score::MINUS_INFINITY.value(), |allowed| allowed.score))
            };
            let all: Vec<_> = nodes.iter().map(|&(node, _)| wish(Some(node))).collect();
            ranks.insert(id, (Reverse(self.state(id).priority), wish(self.current_node(id)), all));
        }
        self.top = merge_sort(&self.top, &|a, b| ranks.get(a).cmp(&ranks.get(b)));
    }

    // --- order of actions -----------------------------------------------------------------------------------------

    /// Nothing starts on a node before what leaves it has made room.
    pub(crate) fn order_after_load_stopped(&mut self, id: ResourceId) {
        if !self.uses_utilization() || self.resource(id).utilization.is_empty() {
            return;
        }
        let flags = relation::IF_ON_SAME_NODE_OR_TARGET;
        for node in self.state(id).active_on.clone() {
            let gate = self.load_stopped(node);
            let (first, then) = (Side::operation(self, id, "stop"), Side::action(self, gate));
            self.add_ordering(first, then, flags);
        }
        for node in self.node_ids() {
            if self.work(id).allowed.get(node.index()).is_none_or(Option::is_none) {
                continue;
            }
            let gate = self.load_stopped(node);
            for task in ["start", "migrate_to"] {
                let (first, then) = (Side::action(self, gate), Side::operation(self, id, task));
                self.add_ordering(first, then, flags);
            }
        }
    }

    fn load_stopped(&mut self, node: NodeId) -> ActionId {
        let gate = self.pseudo_action(&format!("load_stopped_{}", self.node(node).name));
        let action = self.action_mut(gate);
        if action.node.is_none() {
            action.node = Some(node);
            action.optional = false;
        }
        gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_what_is_needed_has_to_be_there() {
        let capacity = |pairs: &[(&str, i64)]| -> Capacity {
            pairs.iter().map(|&(name, amount)| (Arc::from(name), amount)).collect()
        };
        let have = capacity(&[("cpu", 4), ("memory", 8)]);
        assert!(is_enough(&have, &capacity(&[("cpu", 4)])));
        assert!(!is_enough(&have, &capacity(&[("cpu", 4), ("memory", 9)])));
        assert!(!is_enough(&have, &capacity(&[("disk", 1)])));
        assert!(is_enough(&have, &capacity(&[("disk", 0)])));
    }
}
