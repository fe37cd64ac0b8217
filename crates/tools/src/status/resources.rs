// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of resources.
//!
//! Decides: which resources are listed, and where one is said to be. Leaves to the variants' files: what is said of one.

use super::outline::Outline;
use super::{View, brief, bundle, clone, group, primitive};
use crate::output::Entry;
use model::Role;
use scheduler::{Cluster, NodeId, Resource, ResourceId, Variant};
use std::collections::BTreeSet;

/// The name under which a resource is shown: instances that are all the same go by their common name.
pub(super) fn printable_id(resource: &Resource) -> &str {
    if resource.state.unique { &resource.id } else { resource.xml.id().unwrap_or(&resource.id) }
}

/// What the configuration says it is for, if that is wanted.
pub(super) fn description(view: View<'_>, id: ResourceId) -> Option<&str> {
    let wanted = view.show.descriptions || view.show.resource_only;
    view.cluster.resource(id).xml.attr("description").filter(|_| wanted)
}

/// The same in brackets.
pub(super) fn description_in_brackets(view: View<'_>, id: ResourceId) -> String {
    description(view, id).map(|text| format!(" ({text})")).unwrap_or_default()
}

/// That the cluster does not care for it, if so.
pub(super) fn unmanaged_word(resource: &Resource) -> Option<&'static str> {
    match (resource.state.maintenance, resource.state.managed) {
        (true, _) => Some("maintenance"),
        (false, false) => Some("unmanaged"),
        (false, true) => None,
    }
}

/// Whether its configuration wants a resource stopped (or not promoted).
pub fn is_disabled(cluster: &Cluster, id: ResourceId) -> bool {
    let role = cluster.resource(id).meta.get("target-role").and_then(|role| role.parse::<Role>().ok());
    match role {
        Some(Role::Stopped) => true,
        Some(Role::Unpromoted) => cluster.is_promotable(id),
        _ => false,
    }
}

/// The node a resource is said to be on: of several the first that is online and clean, or, if it cannot be recovered
/// without fencing, the first.
pub fn current_node(cluster: &Cluster, id: ResourceId) -> Option<NodeId> {
    let state = &cluster.resource(id).state;
    let is_happy = |node: &&NodeId| {
        let state = &cluster.node(**node).state;
        state.online && !state.unclean
    };
    let happy = if state.needs_fencing { None } else { state.active_on.iter().find(is_happy) };
    happy.or(state.active_on.first()).copied()
}

/// The nodes a resource, or what is in it, is active on.
pub(super) fn active_on(cluster: &Cluster, id: ResourceId) -> BTreeSet<NodeId> {
    let resource = cluster.resource(id);
    let replicas = resource.replicas.iter();
    let parts = replicas.flat_map(|r| [r.ip, r.child, Some(r.container), r.remote].into_iter().flatten());
    let inner = resource.children.iter().copied().chain(parts);
    let mut nodes: BTreeSet<NodeId> = inner.flat_map(|inner| active_on(cluster, inner)).collect();
    if resource.variant == Variant::Primitive {
        nodes.extend(resource.state.active_on.iter().copied());
    }
    nodes
}

/// Whether a resource is active: `all` asks whether all of its members are.
pub(super) fn is_active(cluster: &Cluster, id: ResourceId, all: bool) -> bool {
    let resource = cluster.resource(id);
    let mut members = resource.children.iter().map(|&child| is_active(cluster, child, all));
    match (resource.variant, all) {
        (Variant::Primitive | Variant::Bundle, _) => cluster.is_active(id, all),
        // Of a clone without instances, all are active; of a group without members, none.
        (Variant::Clone, true) => members.all(|active| active),
        (Variant::Group, true) => !resource.children.is_empty() && members.all(|active| active),
        (Variant::Clone | Variant::Group, false) => members.any(|active| active),
    }
}

/// Whether a resource runs, and only on nodes that are not looked at.
pub(super) fn is_elsewhere(view: View<'_>, id: ResourceId) -> bool {
    is_active(view.cluster, id, false) && !view.is_on_wanted_node(id)
}

/// How many instances of resources there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub instances: usize,
    /// Those that should not run.
    pub disabled: usize,
    /// Those that nothing may be done with because of a failure.
    pub blocked: usize,
}

impl Counts {
    /// Counts a cluster's.
    pub fn of(cluster: &Cluster) -> Counts {
        // As they were found: what follows from tickets does not count.
        let mut counts = Counts { blocked: cluster.blocked_count, ..Counts::default() };
        for (index, resource) in cluster.resources.iter().enumerate() {
            let state = &resource.state;
            let gone = state.removed && state.role <= Role::Stopped;
            if resource.variant != Variant::Primitive || gone {
                continue;
            }
            counts.instances += 1;
            counts.disabled += usize::from(is_disabled(cluster, ResourceId::new(index)));
        }
        counts
    }
}

/// The resources that are listed: not those that are neither configured nor active, and inactive ones only if wanted.
fn listed(view: View<'_>) -> impl Iterator<Item = ResourceId> {
    let cluster = view.cluster;
    cluster.top.iter().copied().filter(move |&id| {
        let all_active = is_active(cluster, id, true);
        if cluster.resource(id).state.removed && !all_active {
            return false;
        }
        if view.show.by_node {
            // The active ones stand below their nodes.
            return !all_active;
        }
        match is_active(cluster, id, false) {
            true => view.is_on_wanted_node(id),
            false => view.show.inactive,
        }
    })
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let show = view.show;
    if show.by_node && !show.inactive {
        return false;
    }
    let (title, none) = match (show.by_node, show.inactive) {
        (true, _) => ("Inactive Resources", "No inactive resources"),
        (false, true) => ("Full List of Resources", "No resources"),
        (false, false) => ("Active Resources", "No active resources"),
    };
    let mut section = out.section(title, spacer);
    let mut told = false;
    let counted = show.brief && !show.by_node;
    if counted {
        section.open(out);
        told = brief::tell(out, view, brief::wanted(view, &view.cluster.top));
    }
    for id in listed(view) {
        if counted && view.cluster.resource(id).variant == Variant::Primitive {
            continue;
        }
        section.open(out);
        told |= tell_one(out, view, id);
    }
    if !told {
        section.open(out);
        out.line(none);
    }
    section.close(out);
    told
}

/// Tells of a resource with all that is in it; says whether there was anything to tell.
pub(super) fn tell_one(out: &mut Outline, view: View<'_>, id: ResourceId) -> bool {
    match view.cluster.resource(id).variant {
        Variant::Primitive => primitive::tell(out, view, id),
        Variant::Group => group::tell(out, view, id),
        Variant::Clone => clone::tell(out, view, id),
        Variant::Bundle => bundle::tell(out, view, id),
    }
}

/// The listed resources; none where the list has nothing that is not below the nodes.
pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    if view.show.by_node && !view.show.inactive {
        return None;
    }
    let resources: Vec<ResourceId> = listed(view).collect();
    (!resources.is_empty())
        .then(|| Entry::new("resources").items(resources.into_iter().filter_map(|id| entry_of(view, id))))
}

/// A resource with all that is in it; none if nothing of it is shown.
pub(super) fn entry_of(view: View<'_>, id: ResourceId) -> Option<Entry> {
    match view.cluster.resource(id).variant {
        Variant::Primitive => primitive::entry(view, id),
        Variant::Group => group::entry(view, id),
        Variant::Clone => clone::entry(view, id),
        Variant::Bundle => bundle::entry(view, id),
    }
}
