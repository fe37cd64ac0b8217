// SPDX-License-Identifier: GPL-2.0-or-later
//! A clone's lines: a title with what is special about all of it, the instances that are worth a line of their own, and
//! the nodes of the others by what they do there.

use super::resources::{is_active, is_disabled, is_promotable, print_one};
use super::{Lists, Show, failures, resources};
use model::Role;
use scheduler::{Cluster, NodeId, Resource, ResourceId, ResourceState};
use std::collections::{BTreeMap, BTreeSet};

/// Where instances that need no line of their own are.
#[derive(Default)]
struct Places {
    promoted: Vec<NodeId>,
    started: Vec<NodeId>,
    /// Ids of instances that are nowhere.
    stopped: Vec<String>,
}

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) -> bool {
    let clone = cluster.resource(id);
    let mut section = lists.section(title(cluster, id, show), false);
    let mut places = Places::default();
    for &instance in &clone.children {
        if has_line(cluster, clone, instance, show, &mut places) {
            section.open(lists);
            print_one(lists, cluster, instance, show);
        }
    }
    if show.clone_detail {
        section.close(lists);
        return true;
    }
    places.promoted.sort();
    places.started.sort();
    if !places.promoted.is_empty() {
        section.open(lists);
        lists.item(format_args!("Promoted: [ {} ]", names(cluster, &places.promoted)));
    }
    if !places.started.is_empty() {
        section.open(lists);
        let word = match (is_promotable(cluster, id), configured_role(cluster, clone)) {
            (false, _) => "Started",
            (true, Some(Role::Unpromoted)) => "Unpromoted (target-role)",
            (true, _) => "Unpromoted",
        };
        lists.item(format_args!("{word}: [ {} ]", names(cluster, &places.started)));
    }
    if show.inactive {
        let active = places.promoted.len() + places.started.len();
        let stopped = stopped(cluster, id, active, places.stopped);
        if !stopped.is_empty() || active == 0 {
            section.open(lists);
        }
        for (words, of) in stopped {
            lists.item(format_args!("{words}: [ {} ]", of.join(" ")));
        }
    }
    section.close(lists)
}

fn title(cluster: &Cluster, id: ResourceId, show: Show) -> String {
    let clone = cluster.resource(id);
    let mut words = Vec::new();
    if is_promotable(cluster, id) {
        words.push("promotable");
    }
    if clone.state.unique {
        words.push("unique");
    }
    if is_disabled(cluster, id) {
        words.push("disabled");
    }
    if clone.state.maintenance {
        words.push("maintenance");
    } else if !clone.state.managed {
        words.push("unmanaged");
    }
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let child = clone.children.first().and_then(|&child| cluster.resource(child).xml.id());
    let description = resources::description(clone, show);
    format!("Clone Set: {} [{}]{words}{description}", clone.id, child.unwrap_or_default())
}

fn names(cluster: &Cluster, nodes: &[NodeId]) -> String {
    let names: Vec<&str> = nodes.iter().map(|&node| &*cluster.node(node).name).collect();
    names.join(" ")
}

/// The role the configuration asks of the clone, or of its instances.
fn configured_role(cluster: &Cluster, clone: &Resource) -> Option<Role> {
    let of_instance = || cluster.resource(*clone.children.first()?).meta.get("target-role");
    clone.meta.get("target-role").or_else(of_instance)?.parse().ok()
}

/// Whether something holds for a resource and all that is in it, or for any of it.
fn any_of(cluster: &Cluster, id: ResourceId, holds: fn(&ResourceState) -> bool) -> bool {
    let resource = cluster.resource(id);
    holds(&resource.state) || resource.children.iter().any(|&child| any_of(cluster, child, holds))
}

/// The nodes a resource, or what is in it, is active on.
fn active_on(cluster: &Cluster, id: ResourceId) -> BTreeSet<NodeId> {
    let resource = cluster.resource(id);
    if resource.children.is_empty() {
        return resource.state.active_on.iter().copied().collect();
    }
    resource.children.iter().flat_map(|&child| active_on(cluster, child)).collect()
}

fn current_role(cluster: &Cluster, id: ResourceId) -> Role {
    let resource = cluster.resource(id);
    let inner = resource.children.iter().map(|&child| current_role(cluster, child));
    inner.max().unwrap_or(resource.state.role)
}

/// Whether an instance has a line of its own; if not, its place is noted.
fn has_line(
    cluster: &Cluster,
    clone: &Resource,
    instance: ResourceId,
    show: Show,
    places: &mut Places,
) -> bool {
    let resource = cluster.resource(instance);
    let partly_active = is_active(cluster, instance, false);
    if show.clone_detail {
        return true;
    }
    if clone.state.unique {
        return partly_active || !clone.state.removed;
    }
    if show.pending && resource.state.pending_action.as_deref().is_some_and(|action| action != "probe") {
        return true;
    }
    if !partly_active {
        if !resource.state.removed && show.inactive {
            places.stopped.push(resource.id.to_string());
        }
        return false;
    }
    let special = any_of(cluster, instance, |state| state.removed || state.failed || !state.managed);
    if special || !is_active(cluster, instance, true) {
        return true;
    }
    let nodes = active_on(cluster, instance);
    let (Some(&node), 1) = (nodes.first(), nodes.len()) else { return true };
    let state = &cluster.node(node).state;
    if !state.online && state.unclean {
        return true;
    }
    if current_role(cluster, instance) > Role::Unpromoted {
        places.promoted.push(node);
    } else {
        places.started.push(node);
    }
    false
}

/// What is to be said of stopped instances: words, and the nodes (or instances) they are said of.
fn stopped(
    cluster: &Cluster,
    id: ResourceId,
    active: usize,
    instances: Vec<String>,
) -> BTreeMap<String, Vec<String>> {
    let clone = cluster.resource(id);
    let mut stopped = BTreeMap::new();
    if clone.state.unique || clone.instances.max <= active {
        if !instances.is_empty() {
            stopped.insert("Stopped".to_owned(), instances);
        }
        return stopped;
    }
    // Instances that are all the same have no place of their own: any node without one could have one.
    let running = active_on(cluster, id);
    let disabled = configured_role(cluster, clone) == Some(Role::Stopped);
    let probed = |node: NodeId| {
        clone.children.iter().any(|&child| cluster.resource(child).state.known_on.contains(&node))
    };
    for (index, node) in cluster.nodes.iter().enumerate() {
        let node_id = NodeId::new(index);
        let possible = match clone.possible_on.as_slice() {
            // Where nothing is allowed by default it may be wherever it has been looked for.
            [] => probed(node_id),
            nodes => nodes.contains(&node_id),
        };
        if running.contains(&node_id) || !possible {
            continue;
        }
        let words = match failures::failed_probe(cluster, id, Some(node_id)) {
            Some(code) => format!("Stopped ({code})"),
            None if disabled => "Stopped (disabled)".to_owned(),
            None => "Stopped".to_owned(),
        };
        stopped.entry(words).or_insert_with(Vec::new).push(node.name.to_string());
    }
    stopped
}
