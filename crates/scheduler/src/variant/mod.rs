// SPDX-License-Identifier: GPL-2.0-or-later
//! What differs between kinds of resources: each stage asks here, and the resource's own folder answers.
//!
//! Decides: which folder. Given: a resource. Leaves to others: everything. Clones and bundles will add an arm each.

mod group;
mod primitive;

use crate::action::{ActionId, Flags};
use crate::constraint::ColocationId;
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::Role;

impl Cluster {
    fn is_group(&self, id: ResourceId) -> bool {
        self.resource(id).variant == Variant::Group
    }

    /// The node a resource counts as running on: the first one on which it can be trusted to.
    pub(crate) fn current_node(&self, id: ResourceId) -> Option<NodeId> {
        self.active_nodes(id).0
    }

    /// The node a resource counts as running on, on how many nodes it is active, and on how many clean ones.
    pub(crate) fn active_nodes(&self, id: ResourceId) -> (Option<NodeId>, usize, usize) {
        let (state, work) = (self.state(id), self.work(id));
        let (mut active, mut all, mut clean) = (None, 0, 0);
        let is_clean = |node: NodeId| {
            let state = &self.node(node).state;
            state.online && !state.unclean
        };
        for &node in &state.active_on {
            all += 1;
            clean += usize::from(is_clean(node));
            if let Some(source) = work.migration_source {
                if source == node {
                    active = Some(node);
                }
            } else if !state.needs_fencing && is_clean(node) && active.is_none_or(|other| !is_clean(other)) {
                active = Some(node);
            }
            active = active.or(Some(node));
        }
        (active, all, clean)
    }

    /// On how many nodes it is active, as far as that could do harm.
    pub(crate) fn active_count_required(&self, id: ResourceId) -> usize {
        let (_, all, clean) = self.active_nodes(id);
        if self.state(id).needs_fencing { all } else { clean }
    }

    /// Whether a resource is active; with `all`, whether all in it is.
    pub fn is_active(&self, id: ResourceId, all: bool) -> bool {
        let resource = self.resource(id);
        match resource.variant {
            Variant::Primitive => resource.state.active_on.iter().any(|&node| {
                let node = &self.node(node).state;
                node.unclean || node.online || !resource.state.managed
            }),
            _ => {
                let mut children = resource.children.iter();
                let any = resource.children.iter().any(|&child| self.is_active(child, all));
                any && (!all || children.all(|&child| self.is_active(child, all)))
            }
        }
    }

    /// The role a resource has now: of a group, the highest of its members.
    pub(crate) fn current_role(&self, id: ResourceId) -> Role {
        let resource = self.resource(id);
        match resource.variant {
            Variant::Primitive => resource.state.role,
            _ => {
                let roles = resource.children.iter().map(|&child| self.current_role(child));
                roles.max().unwrap_or(Role::Unknown)
            }
        }
    }

    /// The one node a resource (of a group: all its members that have one) is to run on, if it is one.
    pub(crate) fn assigned_node(&self, id: ResourceId) -> Option<NodeId> {
        let resource = self.resource(id);
        if resource.children.is_empty() {
            return resource.work.assigned;
        }
        let mut nodes: Vec<NodeId> = Vec::new();
        for &child in &resource.children {
            if let Some(node) = self.assigned_node(child)
                && !nodes.contains(&node)
            {
                nodes.push(node);
            }
        }
        match nodes.as_slice() {
            &[node] => Some(node),
            _ => None,
        }
    }

    // --- stages ---------------------------------------------------------------------------------------------------

    /// Places a resource; says where.
    pub(crate) fn assign(
        &mut self,
        id: ResourceId,
        prefer: Option<NodeId>,
        stop_if_fail: bool,
    ) -> Option<NodeId> {
        if self.is_group(id) {
            self.assign_group(id, prefer, stop_if_fail)
        } else {
            self.assign_primitive(id, prefer, stop_if_fail)
        }
    }

    /// Makes the actions that lead from what is to what should be.
    pub(crate) fn create_actions(&mut self, id: ResourceId) {
        if self.is_group(id) { self.create_group_actions(id) } else { self.create_primitive_actions(id) }
    }

    /// Makes the constraints that follow from what it is.
    pub(crate) fn add_internal_constraints(&mut self, id: ResourceId) {
        if self.is_group(id) {
            self.add_group_constraints(id);
        } else {
            self.add_primitive_constraints(id);
        }
    }

    /// Applies a colocation to one of its two; says by how much the dependent's priority changed.
    pub(crate) fn apply_colocation(
        &mut self,
        dependent: ResourceId,
        primary: ResourceId,
        colocation: ColocationId,
        for_dependent: bool,
    ) -> i32 {
        let asked = if for_dependent { dependent } else { primary };
        match (self.is_group(asked), for_dependent) {
            (true, true) => self.colocate_group_with(dependent, primary, colocation),
            (true, false) => self.colocate_with_group(dependent, primary, colocation),
            (false, true) => self.apply_colocation(dependent, primary, colocation, false),
            (false, false) => self.colocate_primitives(dependent, primary, colocation),
        }
    }

    /// Colocations of others with a resource, as seen by `asker`.
    pub(crate) fn collect_with_this(&self, id: ResourceId, asker: ResourceId, list: &mut Vec<ColocationId>) {
        if self.is_group(id) {
            self.group_with_this(id, asker, list);
        } else {
            self.primitive_with_this(id, asker, list);
        }
    }

    /// Colocations of a resource with others, as seen by `asker`.
    pub(crate) fn collect_this_with(&self, id: ResourceId, asker: ResourceId, list: &mut Vec<ColocationId>) {
        if self.is_group(id) {
            self.group_this_with(id, asker, list);
        } else {
            self.primitive_this_with(id, asker, list);
        }
    }

    /// Who speaks for a resource about nodes: a group has a member do it. Nobody while it is being asked already.
    pub(crate) fn spokesman(
        &self,
        id: ResourceId,
        from_itself: bool,
    ) -> Option<(ResourceId, Option<ResourceId>)> {
        if !self.is_group(id) {
            return Some((id, None));
        }
        if self.work(id).updating {
            return None;
        }
        self.group_spokesman(id, from_itself).map(|member| (member, Some(id)))
    }

    /// An action's properties as orderings see them; a group's follow from its members'.
    pub(crate) fn action_flags(&mut self, id: ActionId, node: Option<NodeId>) -> Flags {
        match self.action(id).resource {
            Some(resource) if self.is_group(resource) => self.group_action_flags(id, resource, node),
            _ => self.action(id).flags(),
        }
    }
}
