// SPDX-License-Identifier: GPL-2.0-or-later
//! Colocations with bundles: with which of the containers?
//!
//! Decides: the containers that count for a dependent; who in a bundle has the bundle's colocations. Given: colocations.
//! Leaves to others: what a container does to the dependent.

use crate::constraint::ColocationId;
use crate::unpack::add_scores;
use crate::variant::instances::Fit;
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::{Role, Score};

impl Cluster {
    pub(in crate::variant) fn colocate_with_bundle(
        &mut self,
        dependent: ResourceId,
        bundle: ResourceId,
        colocation: ColocationId,
    ) -> i32 {
        if self.work(bundle).unassigned {
            return 0;
        }
        let terms = self.colocation(colocation);
        let (score, role) = (terms.score, terms.primary_role);
        if self.resource(terms.dependent).variant > Variant::Group {
            if let Some(container) = self.compatible_container(dependent, bundle) {
                return self.apply_colocation(dependent, container, colocation, true);
            }
            if score == Score::INFINITY {
                self.force_assign(dependent, None);
            }
            return 0;
        }
        let mut delta = 0;
        let mut hosts: Vec<(NodeId, i32)> = Vec::new();
        for replica in self.resource(bundle).replicas.clone() {
            let container = replica.container;
            if score < Score::INFINITY {
                let one = self.apply_colocation(dependent, container, colocation, false);
                delta = add_scores(delta, one);
                continue;
            }
            let promoted = |id: ResourceId| self.state(id).next_role >= Role::Promoted;
            let fits = role < Role::Promoted || replica.child.is_some_and(promoted);
            if let Some(host) = self.location(container, false)
                && !self.any_in(container, |state| state.blocked)
                && fits
            {
                hosts.push((host, 0));
            }
        }
        if score == Score::INFINITY {
            self.keep_to_nodes(dependent, &hosts, colocation);
        }
        delta
    }

    /// The host of a bundle's node; of others the node itself.
    fn assigned_host_of(&self, node: NodeId) -> Option<NodeId> {
        match self.launcher_of(node).filter(|_| self.is_bundle_node(node)) {
            Some(container) => self.location(container, false),
            None => Some(node),
        }
    }

    /// The container on a dependent's node, or else on the best node it could have.
    fn compatible_container(&self, dependent: ResourceId, bundle: ResourceId) -> Option<ResourceId> {
        let fit = Fit { role: Role::Unknown, current: false, attribute: None };
        let containers = self.containers(bundle);
        let places: Vec<(ResourceId, NodeId)> = containers
            .into_iter()
            .filter_map(|container| Some((container, self.place_to_match(container, &fit)?)))
            .collect();
        let on = |node: NodeId| places.iter().find(|(_, place)| *place == node).map(|&(id, _)| id);
        if let Some(host) = self.location(dependent, false).and_then(|node| self.assigned_host_of(node)) {
            return on(host);
        }
        let nodes = self.sorted_allowed(dependent, None);
        nodes.into_iter().filter_map(|node| self.assigned_host_of(node)).find_map(on)
    }

    /// Whether a resource has its bundle's colocations: the containers always; what is in them, if it can be promoted,
    /// once roles are being chosen.
    fn shares_bundle_colocations(&self, bundle: ResourceId, asker: ResourceId) -> bool {
        if asker == bundle || self.is_container(asker) {
            return true;
        }
        let Some(clone) = self.bundled_clone(bundle) else { return false };
        if !self.work(clone).promotable || self.top_of(asker) != clone {
            return false;
        }
        if asker == clone { self.work(clone).promotion.is_sorted() } else { !self.work(asker).unassigned }
    }

    pub(in crate::variant) fn bundle_with_this(
        &self,
        bundle: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        if self.shares_bundle_colocations(bundle, asker) {
            self.add_with_this_list(list, &self.work(bundle).with_this);
        }
    }

    pub(in crate::variant) fn bundle_this_with(
        &self,
        bundle: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        if self.shares_bundle_colocations(bundle, asker) {
            self.add_this_with_list(list, &self.work(bundle).this_with);
        }
    }
}
