// SPDX-License-Identifier: GPL-2.0-or-later
//! What tools ask of a cluster that was read, beyond what its fields say.
//!
//! Decides: nothing new; it gives away what the stages look at, too. Given: a cluster before any plan. Leaves to others:
//! what is shown of it, and how.

use crate::cluster::Parameters;
use crate::notation::RuleNews;
use crate::unpack::{active_range, compare_operations, sorted_operations};
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::{Role, Score};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use xml::Element;

/// A colocation, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Companionship<'c> {
    /// The constraint's (or its set's) id.
    pub id: &'c str,
    /// The one that follows.
    pub dependent: ResourceId,
    /// The one that is followed.
    pub primary: ResourceId,
    /// How much; never zero.
    pub score: Score,
    /// Matters only in this role of the dependent, if not unknown.
    pub dependent_role: Role,
    /// Matters only in this role of the primary, if not unknown.
    pub primary_role: Role,
    /// Nodes are the same if this attribute is the same.
    pub attribute: &'c str,
}

/// Properties of a resource that only those who watch the cluster's inner life want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// It is (in) a clone whose instances may be promoted.
    pub promotable: bool,
    /// Its instances are told of what is done with the others.
    pub notify: bool,
    /// It is still to be placed.
    pub unassigned: bool,
    /// It is a connection to a remote or guest node.
    pub remote_connection: bool,
    /// It is a bundle's connection.
    pub nested: bool,
    /// It is a bundle's container.
    pub container: bool,
    /// It is only probed where a constraint says so.
    pub exclusive_probes: bool,
}

impl Cluster {
    /// The outermost resource that one is in: itself, or the group or clone that holds it. A bundle does not count.
    pub fn outermost(&self, id: ResourceId) -> ResourceId {
        self.top_of(id)
    }

    /// Whether a resource is a bundle or is in one.
    pub fn is_of_bundle(&self, id: ResourceId) -> bool {
        self.is_bundled(id)
    }

    /// Inner properties of a resource.
    pub fn traits(&self, id: ResourceId) -> Traits {
        let work = self.work(id);
        Traits {
            promotable: work.promotable,
            notify: work.notify,
            unassigned: work.unassigned,
            remote_connection: work.remote_connection,
            nested: work.nested,
            container: self.resource_in_container(id).is_some(),
            exclusive_probes: work.exclusive_probes,
        }
    }

    /// The role of a resource, or the highest of what is in it.
    pub fn role_of(&self, id: ResourceId) -> Role {
        self.current_role(id)
    }

    /// The node a resource counts as running on, if it runs.
    pub fn node_of(&self, id: ResourceId) -> Option<NodeId> {
        self.active_node(id).0
    }

    /// On how many nodes a resource is active.
    pub fn active_count(&self, id: ResourceId) -> usize {
        self.active_node(id).1
    }

    /// The node a resource counts as running on, and on how many it runs as far as that could do harm: what need not be
    /// fenced does no harm where it is lost.
    pub fn node_and_risks(&self, id: ResourceId) -> (Option<NodeId>, usize) {
        let (node, all, clean) = self.active_node(id);
        (node, if self.state(id).needs_fencing { all } else { clean })
    }

    /// Of a bundle, only its containers count.
    fn active_node(&self, id: ResourceId) -> (Option<NodeId>, usize, usize) {
        let resource = self.resource(id);
        if resource.variant != Variant::Bundle {
            return self.active_nodes(id);
        }
        let runs = |id: &ResourceId| !self.state(*id).active_on.is_empty();
        let containers: Vec<ResourceId> =
            resource.replicas.iter().map(|replica| replica.container).filter(runs).collect();
        if let &[container] = containers.as_slice() {
            return self.active_nodes(container);
        }
        let nodes: Vec<NodeId> =
            containers.iter().flat_map(|&id| self.state(id).active_on.iter().copied()).collect();
        let distinct: BTreeSet<NodeId> = nodes.iter().copied().collect();
        let is_clean = |node: &&NodeId| {
            let state = &self.node(**node).state;
            state.online && !state.unclean
        };
        let first_clean = nodes.iter().find(is_clean).or(nodes.first());
        (first_clean.copied(), distinct.len(), distinct.iter().filter(is_clean).count())
    }

    /// Where a resource, or anything in it, is active; in the order found, each once.
    pub fn locations_of(&self, id: ResourceId) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        self.gather_locations(id, &mut nodes);
        nodes
    }

    // Resources are nested a few levels deep, which bounds the recursion.
    fn gather_locations(&self, id: ResourceId, nodes: &mut Vec<NodeId>) {
        let resource = self.resource(id);
        if resource.children.is_empty() {
            for &node in &resource.state.active_on {
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
        resource.children.iter().for_each(|&child| self.gather_locations(child, nodes));
    }

    /// The nodes a resource may be on as far as its configuration goes, with what it thinks of them.
    pub fn nodes_considered(&self, id: ResourceId) -> impl Iterator<Item = (NodeId, Score)> {
        let table = self.work(id).allowed.iter().enumerate();
        table.filter_map(|(index, allowed)| {
            let score = Score::new(i64::from(allowed.as_ref()?.score));
            Some((NodeId::new(index), score))
        })
    }

    /// Colocations of a resource with others, the most important first.
    pub fn companions_followed(&self, id: ResourceId) -> impl Iterator<Item = Companionship<'_>> {
        self.work(id).this_with.iter().map(|&id| self.companionship(id))
    }

    /// Colocations of others with a resource, the most important first.
    pub fn companions_following(&self, id: ResourceId) -> impl Iterator<Item = Companionship<'_>> {
        self.work(id).with_this.iter().map(|&id| self.companionship(id))
    }

    fn companionship(&self, id: crate::constraint::ColocationId) -> Companionship<'_> {
        let colocation = self.colocation(id);
        Companionship {
            id: &colocation.id,
            dependent: colocation.dependent,
            primary: colocation.primary,
            score: colocation.score,
            dependent_role: colocation.dependent_role,
            primary_role: colocation.primary_role,
            attribute: &colocation.attribute,
        }
    }

    /// The parameters that a resource's agent gets on a node; without one, as far as they are the same on all.
    pub fn parameters_on(&self, id: ResourceId, node: Option<NodeId>) -> Parameters {
        self.read_parameters(id, node, &mut RuleNews::default())
    }

    /// How long an operation of a resource may take, in milliseconds.
    pub fn timeout_ms_of(&self, id: ResourceId, task: &str) -> u64 {
        let config = self.operation_config(id, task, 0, true);
        let meta = self.clone().action_meta(id, None, task, 0, config.as_ref());
        meta.get("timeout").and_then(|timeout| timeout.parse().ok()).unwrap_or_default()
    }
}

/// The operations of a resource's history on a node (an `lrm_resource`), oldest first; or only those that tell how the
/// resource is now, of which there are none if it was stopped last.
pub fn operations_of(entry: &Element, only_active: bool) -> Vec<Element> {
    let mut operations = sorted_operations(entry);
    if !only_active {
        return operations;
    }
    let (start, stop) = active_range(&operations);
    if start < stop {
        return Vec::new();
    }
    operations.drain(..start.unwrap_or(0)).for_each(drop);
    operations
}

/// Which of two operations of a history came later, as far as can be told.
pub fn order_of_operations(a: &Element, b: &Element) -> Ordering {
    compare_operations(a, b)
}
