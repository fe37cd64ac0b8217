// SPDX-License-Identifier: GPL-2.0-or-later
//! Placing everything.
//!
//! Decides: in which order resources are placed, and how nodes compare. Given: scores. Leaves to others: each placement
//! (`variant`).

use crate::{Cluster, NodeId, PlacementStrategy, ResourceId};
use model::Score;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

/// How far the way to the primaries of a colocation may lead before they are placed beforehand.
const ASSIGN_DEPTH_MAX: usize = 100;

impl Cluster {
    pub(super) fn assign_resources(&mut self) {
        self.read_capacities();
        self.sort_resources();
        self.record_capacities("Original");
        // Connections first: where they go decides which nodes there are for the others.
        let is_connection = |cluster: &Cluster, id: ResourceId| cluster.work(id).remote_connection;
        for connections in [true, false] {
            for resource in self.top.clone() {
                if is_connection(self, resource) == connections {
                    let target = self.work(resource).migration_target.filter(|_| connections);
                    self.assign_far_primaries(resource);
                    self.assign(resource, target, true);
                }
            }
        }
        self.record_capacities("Remaining");
    }

    /// A resource is placed after those it is colocated with, which are placed on the way. If that way is long, they are
    /// placed beforehand, the farthest first.
    fn assign_far_primaries(&mut self, id: ResourceId) {
        let mut seen = BTreeSet::from([id]);
        let mut order = Vec::new();
        let (mut path, mut deepest) = (vec![(id, self.waits_for(id))], 0);
        while let Some((resource, primaries)) = path.last_mut() {
            match primaries.pop() {
                Some(primary) if seen.insert(primary) => {
                    let further = self.waits_for(primary);
                    path.push((primary, further));
                    deepest = deepest.max(path.len());
                }
                Some(_) => {}
                None => {
                    order.push(*resource);
                    path.pop();
                }
            }
        }
        if deepest > ASSIGN_DEPTH_MAX {
            for resource in order {
                self.assign(resource, None, true);
            }
        }
    }

    /// The resources that have to be placed before one, the last one first.
    fn waits_for(&self, id: ResourceId) -> Vec<ResourceId> {
        let resource = self.resource(id);
        let own =
            self.this_with_colocations(id).into_iter().map(|colocation| self.colocation(colocation).primary);
        let waiting = resource.children.iter().rev().copied().chain(own);
        let mut primaries: Vec<ResourceId> = waiting.filter(|&other| self.work(other).unassigned).collect();
        primaries.reverse();
        primaries
    }

    /// The nodes a resource knows, the best first.
    pub(crate) fn sorted_allowed(&self, id: ResourceId, preferred: Option<NodeId>) -> Vec<NodeId> {
        let known = self.work(id).allowed.iter().enumerate();
        let mut nodes: Vec<(NodeId, i32)> = known
            .filter_map(|(index, allowed)| Some((NodeId::new(index), allowed.as_ref()?.score)))
            .collect();
        nodes.sort_by(|a, b| self.compare_nodes(*a, *b, preferred));
        nodes.into_iter().map(|(node, _)| node).collect()
    }

    pub(super) fn compare_nodes(
        &self,
        a: (NodeId, i32),
        b: (NodeId, i32),
        preferred: Option<NodeId>,
    ) -> Ordering {
        let score = |(node, score): (NodeId, i32)| {
            let available = self.node(node).state.is_available();
            if available { score } else { Score::MINUS_INFINITY.value() }
        };
        let ((node_a, _), (node_b, _)) = (a, b);
        let by_score = Reverse(score(a)).cmp(&Reverse(score(b)));
        let by_name = || self.node(node_a).name.cmp(&self.node(node_b).name);
        if self.options.placement == PlacementStrategy::Minimal {
            return by_score.then_with(by_name);
        }
        let load = |node: NodeId| self.node(node).state.resource_count;
        let by_capacity = || match self.options.placement {
            PlacementStrategy::Balanced => self.compare_capacities(node_a, node_b),
            _ => Ordering::Equal,
        };
        by_score
            .then_with(by_capacity)
            .then_with(|| load(node_a).cmp(&load(node_b)))
            .then_with(|| (preferred != Some(node_a)).cmp(&(preferred != Some(node_b))))
            .then_with(by_name)
    }
}
