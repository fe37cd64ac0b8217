// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of resources.
//!
//! Decides: which resources are listed, and where one is said to be. Leaves to the variants' files: a resource's lines.

use super::{Lists, Show, brief, bundle, clone, group, primitive};
use model::Role;
use scheduler::{Cluster, NodeId, Resource, ResourceId, Variant};

/// The outermost resource a resource is in.
pub(super) fn top(cluster: &Cluster, id: ResourceId) -> ResourceId {
    let mut id = id;
    while let Some(parent) = cluster.resource(id).parent {
        id = parent;
    }
    id
}

/// Whether a resource is (in) a promotable clone.
pub(super) fn is_promotable(cluster: &Cluster, id: ResourceId) -> bool {
    let mut holder = Some(id);
    while let Some(id) = holder {
        let resource = cluster.resource(id);
        if resource.variant == Variant::Clone {
            let wanted = resource.meta.get("promotable").and_then(|value| model::parse_bool(value));
            return wanted == Some(true);
        }
        holder = resource.parent;
    }
    false
}

/// The name under which a resource is shown: instances that are all the same go by their common name.
pub(super) fn printable_id(resource: &Resource) -> &str {
    if resource.state.unique { &resource.id } else { resource.xml.id().unwrap_or(&resource.id) }
}

/// What the configuration says it is for, in brackets, if that is wanted.
pub(super) fn description(resource: &Resource, show: Show) -> String {
    let text = resource.xml.attr("description").filter(|_| show.descriptions);
    text.map(|text| format!(" ({text})")).unwrap_or_default()
}

/// Whether its configuration wants a resource stopped (or not promoted).
pub fn is_disabled(cluster: &Cluster, id: ResourceId) -> bool {
    let role = cluster.resource(id).meta.get("target-role").and_then(|role| role.parse::<Role>().ok());
    match role {
        Some(Role::Stopped) => true,
        Some(Role::Unpromoted) => is_promotable(cluster, id),
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

/// Whether a resource is active: `all` asks whether all of its members are.
pub(super) fn is_active(cluster: &Cluster, id: ResourceId, all: bool) -> bool {
    let resource = cluster.resource(id);
    if resource.variant == Variant::Primitive {
        return resource.state.active_on.iter().any(|&node| {
            let node = &cluster.node(node).state;
            node.unclean || node.online || !resource.state.managed
        });
    }
    if resource.variant == Variant::Bundle {
        return cluster.is_active(id, all);
    }
    let mut members = resource.children.iter().map(|&child| is_active(cluster, child, all));
    // An empty collection has nothing active in it.
    if all {
        !resource.children.is_empty() && members.all(|active| active)
    } else {
        members.any(|active| active)
    }
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
        let mut counts = Counts::default();
        for (index, resource) in cluster.resources.iter().enumerate() {
            let state = &resource.state;
            let gone = state.removed && state.role <= Role::Stopped;
            if resource.variant != Variant::Primitive || gone {
                continue;
            }
            counts.instances += 1;
            counts.disabled += usize::from(is_disabled(cluster, ResourceId::new(index)));
            counts.blocked += usize::from(state.blocked);
        }
        counts
    }
}

/// The resources that are listed: not those that are neither configured nor active, and inactive ones only if wanted.
pub(super) fn listed(cluster: &Cluster, show: Show) -> impl Iterator<Item = ResourceId> {
    cluster.top.iter().copied().filter(move |&id| {
        if show.by_node {
            // The active ones stand below their nodes.
            return show.inactive && !is_active(cluster, id, true) && !cluster.resource(id).state.removed;
        }
        let gone = cluster.resource(id).state.removed && !is_active(cluster, id, true);
        !gone && (show.inactive || is_active(cluster, id, false))
    })
}

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, show: Show, spacer: bool) -> bool {
    if show.by_node && !show.inactive {
        return false;
    }
    let (title, none) = match (show.by_node, show.inactive) {
        (true, _) => ("Inactive Resources", "No inactive resources"),
        (false, true) => ("Full List of Resources", "No resources"),
        (false, false) => ("Active Resources", "No active resources"),
    };
    let mut section = lists.section(title, spacer);
    let mut printed = false;
    let counted = show.brief && !show.by_node;
    if counted {
        section.open(lists);
        printed = brief::print(lists, cluster, cluster.top.iter().copied(), show);
    }
    for id in listed(cluster, show) {
        if counted && cluster.resource(id).variant == Variant::Primitive {
            continue;
        }
        section.open(lists);
        printed |= print_one(lists, cluster, id, show);
    }
    if !printed {
        section.open(lists);
        lists.item(none);
    }
    section.close(lists);
    printed
}

/// Prints a resource with all that is in it; says whether there was anything to print.
pub(super) fn print_one(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) -> bool {
    match cluster.resource(id).variant {
        Variant::Primitive => primitive::print(lists, cluster, id, show),
        Variant::Group => group::print(lists, cluster, id, show),
        Variant::Clone => clone::print(lists, cluster, id, show),
        Variant::Bundle => bundle::print(lists, cluster, id, show),
    }
}
