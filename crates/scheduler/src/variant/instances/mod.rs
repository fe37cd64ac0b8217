// SPDX-License-Identifier: GPL-2.0-or-later
//! What clones and bundles have in common: several instances of one thing (of a bundle: its containers).
//!
//! Decides: which instance fits to another resource, here; where instances are placed (`assign`), what is done with all
//! of them (`actions`), what an ordering of the whole means for each (`order`). Given: a clone or bundle. Leaves to
//! others: each instance.

mod actions;
mod assign;
mod order;

use crate::{Cluster, NodeId, ResourceId, ResourceState};
use model::Role;

/// What an instance has to be like to fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit<'a> {
    /// In this role, if not unknown.
    pub role: Role,
    /// As it is now, not as it shall be.
    pub current: bool,
    /// On a node with the same value of this attribute, not on the very node.
    pub attribute: Option<&'a str>,
}

impl Cluster {
    /// A clone's instances, a bundle's containers, a group's members.
    pub(crate) fn instances(&self, id: ResourceId) -> Vec<ResourceId> {
        match self.resource(id).variant {
            crate::Variant::Bundle => self.containers(id),
            _ => self.resource(id).children.clone(),
        }
    }

    /// The nodes a resource, or what is in it, is on or shall be on, each once.
    pub(crate) fn locations(&self, id: ResourceId, current: bool) -> Vec<NodeId> {
        let resource = self.resource(id);
        if resource.children.is_empty() {
            return match current {
                true => resource.state.active_on.clone(),
                false => resource.work.assigned.into_iter().collect(),
            };
        }
        let mut nodes: Vec<NodeId> = Vec::new();
        for &child in &resource.children {
            for node in self.locations(child, current) {
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
        nodes
    }

    /// The one node a resource is on or shall be on, if it is one.
    pub(crate) fn location(&self, id: ResourceId, current: bool) -> Option<NodeId> {
        match self.locations(id, current).as_slice() {
            &[node] => Some(node),
            _ => None,
        }
    }

    /// The role a resource shall have: of several in it, the highest.
    pub(crate) fn next_role(&self, id: ResourceId) -> Role {
        let resource = self.resource(id);
        if resource.children.is_empty() {
            return resource.state.next_role;
        }
        let roles = resource.children.iter().map(|&child| self.next_role(child));
        roles.max().unwrap_or(Role::Unknown)
    }

    /// Whether something holds for a resource or anything in it.
    pub(crate) fn any_in(&self, id: ResourceId, holds: fn(&ResourceState) -> bool) -> bool {
        let resource = self.resource(id);
        holds(&resource.state) || resource.children.iter().any(|&child| self.any_in(child, holds))
    }

    /// Where an instance is, as far as that makes it fit for something.
    pub(in crate::variant) fn place_to_match(&self, instance: ResourceId, fit: &Fit<'_>) -> Option<NodeId> {
        let role = if fit.current { self.current_role(instance) } else { self.next_role(instance) };
        if fit.role != Role::Unknown && fit.role != role || self.any_in(instance, |state| state.blocked) {
            return None;
        }
        self.location(instance, fit.current)
    }

    /// The first instance that fits to a resource: on its node, or else on the best node it could have.
    pub(crate) fn compatible_instance(
        &self,
        matched: ResourceId,
        collective: ResourceId,
        fit: &Fit<'_>,
    ) -> Option<ResourceId> {
        let places: Vec<(ResourceId, NodeId)> = self
            .instances(collective)
            .into_iter()
            .filter_map(|instance| Some((instance, self.place_to_match(instance, fit)?)))
            .collect();
        let matches = |&&(instance, place): &&(ResourceId, NodeId), node: NodeId| match fit.attribute {
            None => place == node,
            Some(attribute) => {
                let value = |node| self.colocation_value(node, attribute, instance);
                crate::stage::colocation::same_value(value(place), value(node))
            }
        };
        let on = |node: NodeId| places.iter().find(|pair| matches(pair, node)).map(|&(instance, _)| instance);
        if let Some(node) = self.location(matched, fit.current) {
            return on(node);
        }
        if places.is_empty() {
            return None;
        }
        self.sorted_allowed(matched, None).into_iter().find_map(on)
    }
}
