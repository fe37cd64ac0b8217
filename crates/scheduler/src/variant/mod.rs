// SPDX-License-Identifier: GPL-2.0-or-later
//! What differs between kinds of resources: each stage asks here, and the resource's own folder answers.
//!
//! Decides: which folder. Given: a resource. Leaves to others: everything.

mod bundle;
mod clone;
mod group;
pub(crate) mod instances;
mod primitive;

pub(crate) use clone::{Notices, Promotion};

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
        if self.resource(id).variant != Variant::Bundle {
            return self.active_among(id, &self.state(id).active_on);
        }
        // A bundle is where its containers are, whatever else of it may be anywhere.
        let containers = self.resource(id).replicas.iter().map(|replica| replica.container);
        let active: Vec<ResourceId> =
            containers.filter(|&container| !self.state(container).active_on.is_empty()).collect();
        if let [container] = *active {
            return self.active_nodes(container);
        }
        let mut nodes: Vec<NodeId> = Vec::new();
        for &container in &active {
            for &node in &self.state(container).active_on {
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
        self.active_among(id, &nodes)
    }

    fn active_among(&self, id: ResourceId, nodes: &[NodeId]) -> (Option<NodeId>, usize, usize) {
        let (state, work) = (self.state(id), self.work(id));
        let (mut active, mut all, mut clean) = (None, 0, 0);
        let is_clean = |node: NodeId| {
            let state = &self.node(node).state;
            state.online && !state.unclean
        };
        for &node in nodes {
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
            Variant::Bundle => self.is_bundle_active(id, all),
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
            Variant::Bundle => Role::Unknown,
            Variant::Group | Variant::Clone => {
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

    /// Places a resource; says where, if that is one node.
    pub(crate) fn assign(
        &mut self,
        id: ResourceId,
        prefer: Option<NodeId>,
        stop_if_fail: bool,
    ) -> Option<NodeId> {
        match self.resource(id).variant {
            Variant::Primitive => self.assign_primitive(id, prefer, stop_if_fail),
            Variant::Group => self.assign_group(id, prefer, stop_if_fail),
            Variant::Clone => {
                self.assign_clone(id, prefer, stop_if_fail);
                None
            }
            Variant::Bundle => {
                self.assign_bundle(id, prefer, stop_if_fail);
                None
            }
        }
    }

    /// Makes the actions that lead from what is to what should be.
    pub(crate) fn create_actions(&mut self, id: ResourceId) {
        match self.resource(id).variant {
            Variant::Primitive => self.create_primitive_actions(id),
            Variant::Group => self.create_group_actions(id),
            Variant::Clone => self.create_clone_actions(id),
            Variant::Bundle => self.create_bundle_actions(id),
        }
    }

    /// Makes the constraints that follow from what it is.
    pub(crate) fn add_internal_constraints(&mut self, id: ResourceId) {
        match self.resource(id).variant {
            Variant::Primitive => self.add_primitive_constraints(id),
            Variant::Group => self.add_group_constraints(id),
            Variant::Clone => self.add_clone_constraints(id),
            Variant::Bundle => self.add_bundle_constraints(id),
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
        match (self.resource(asked).variant, for_dependent) {
            (Variant::Group, true) => self.colocate_group_with(dependent, primary, colocation),
            (Variant::Group, false) => self.colocate_with_group(dependent, primary, colocation),
            (Variant::Clone, false) => self.colocate_with_clone(dependent, primary, colocation),
            (Variant::Bundle, false) => self.colocate_with_bundle(dependent, primary, colocation),
            (Variant::Primitive, true) => self.apply_colocation(dependent, primary, colocation, false),
            (Variant::Primitive, false) => self.colocate_primitives(dependent, primary, colocation),
            // Instances have the colocations of the whole, which is never asked itself.
            (Variant::Clone | Variant::Bundle, true) => 0,
        }
    }

    /// Colocations of others with a resource, as seen by `asker`.
    pub(crate) fn collect_with_this(&self, id: ResourceId, asker: ResourceId, list: &mut Vec<ColocationId>) {
        match self.resource(id).variant {
            Variant::Primitive => self.primitive_with_this(id, asker, list),
            Variant::Group => self.group_with_this(id, asker, list),
            Variant::Clone => self.clone_with_this(id, asker, list),
            Variant::Bundle => self.bundle_with_this(id, asker, list),
        }
    }

    /// Colocations of a resource with others, as seen by `asker`.
    pub(crate) fn collect_this_with(&self, id: ResourceId, asker: ResourceId, list: &mut Vec<ColocationId>) {
        match self.resource(id).variant {
            Variant::Primitive => self.primitive_this_with(id, asker, list),
            Variant::Group => self.group_this_with(id, asker, list),
            Variant::Clone => self.clone_this_with(id, asker, list),
            Variant::Bundle => self.bundle_this_with(id, asker, list),
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

    /// An action's properties as orderings see them; those of a stand-in follow from what it stands for.
    pub(crate) fn action_flags(&mut self, id: ActionId, node: Option<NodeId>) -> Flags {
        let Some(resource) = self.action(id).resource else { return self.action(id).flags() };
        match self.resource(resource).variant {
            Variant::Primitive => self.action(id).flags(),
            Variant::Group => self.group_action_flags(id, resource, node),
            Variant::Clone | Variant::Bundle => {
                // What is done with roles in a bundle is done with what is in it, not with its containers.
                let inner = matches!(
                    &*self.action(id).task,
                    "promote" | "promoted" | "demote" | "demoted" | "notify" | "notified"
                );
                let clone = self.bundled_clone(resource).filter(|_| inner);
                let instances = self.instances(clone.unwrap_or(resource));
                self.collective_flags(id, &instances, node)
            }
        }
    }

    /// An action that does nothing, but stands for what is done with all in a resource.
    pub(in crate::variant) fn stand_in(
        &mut self,
        id: ResourceId,
        task: &str,
        optional: bool,
        runnable: bool,
    ) -> ActionId {
        let stand_in = self.resource_action(id, task, 0, None, optional);
        let action = self.action_mut(stand_in);
        action.pseudo = true;
        action.runnable |= runnable;
        stand_in
    }

    /// Whether something can be promoted on a node; on a guest only if that will run.
    pub(crate) fn is_available_for_promotion(&self, node: NodeId) -> bool {
        let runs = |launcher: ResourceId| self.location(launcher, false).is_some();
        self.node(node).state.is_available() && self.launcher_of(node).is_none_or(runs)
    }

    /// Whether an action is on a node that is reached through a connection which cannot be made.
    pub(crate) fn is_connection_blocked(&self, action: ActionId) -> bool {
        let connection = self.action(action).node.and_then(|node| self.node(node).connection);
        let start = connection.and_then(|id| self.find_first_action(id, "start", None));
        start.is_some_and(|start| !self.action(start).runnable)
    }

    /// The node a guest runs on; of others itself.
    pub(crate) fn host_of(&self, node: NodeId) -> NodeId {
        self.launcher_of(node).and_then(|launcher| self.current_node(launcher)).unwrap_or(node)
    }
}
