// SPDX-License-Identifier: GPL-2.0-or-later
//! A clone: what is special about all of it, the instances that are worth a line of their own, and the nodes of the
//! others by what they do there.

use super::outline::Outline;
use super::resources::{self, active_on, is_active, is_disabled, is_elsewhere, unmanaged_word};
use super::{View, failures};
use crate::output::Entry;
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

/// The instances that are looked at.
fn shown_instances(view: View<'_>, id: ResourceId) -> impl Iterator<Item = ResourceId> {
    let whole = view.names(id);
    let instances = view.cluster.resource(id).children.iter().copied();
    instances.filter(move |&instance| !is_elsewhere(view, instance) && view.wants(instance, whole))
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, id: ResourceId) -> bool {
    if !view.wants(id, true) {
        return false;
    }
    let clone = view.cluster.resource(id);
    let mut section = out.section(title(view, id), false);
    let mut places = Places::default();
    for instance in shown_instances(view, id) {
        if has_line(view, clone, instance, &mut places) {
            section.open(out);
            resources::tell_one(out, view.of_all_resources(), instance);
        }
    }
    if view.show.clone_detail {
        section.close(out);
        return true;
    }
    let mut active = 0;
    let lists = [("Promoted", places.promoted), (started_word(view.cluster, id), places.started)];
    for (word, mut nodes) in lists {
        nodes.retain(|&node| view.nodes.has_node(&view.cluster.node(node).name));
        nodes.sort();
        active += nodes.len();
        if !nodes.is_empty() {
            section.open(out);
            let names: Vec<&str> = nodes.iter().map(|&node| &*view.cluster.node(node).name).collect();
            out.line(format!("{word}: [ {} ]", names.join(" ")));
        }
    }
    if view.show.inactive {
        let stopped = stopped(view, id, active, places.stopped);
        if !stopped.is_empty() || active == 0 {
            section.open(out);
        }
        for (words, of) in stopped {
            out.line(format!("{words}: [ {} ]", of.join(" ")));
        }
    }
    section.close(out)
}

/// What instances are called that are not promoted.
fn started_word(cluster: &Cluster, id: ResourceId) -> &'static str {
    match (cluster.is_promotable(id), configured_role(cluster, id)) {
        (false, _) => "Started",
        (true, Some(Role::Unpromoted)) => "Unpromoted (target-role)",
        (true, _) => "Unpromoted",
    }
}

fn title(view: View<'_>, id: ResourceId) -> String {
    let cluster = view.cluster;
    let clone = cluster.resource(id);
    let mut words = Vec::new();
    if cluster.is_promotable(id) {
        words.push("promotable");
    }
    if clone.state.unique {
        words.push("unique");
    }
    if is_disabled(cluster, id) {
        words.push("disabled");
    }
    words.extend(unmanaged_word(clone));
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let child = clone.children.first().and_then(|&child| cluster.resource(child).xml.id());
    let description = resources::description_in_brackets(view, id);
    format!("Clone Set: {} [{}]{words}{description}", clone.id, child.unwrap_or_default())
}

/// The role that is configured for it, or for any of its instances.
fn configured_role_word(cluster: &Cluster, id: ResourceId) -> Option<&str> {
    let clone = cluster.resource(id);
    let of_instance = || cluster.resource(*clone.children.first()?).meta.get("target-role");
    clone.meta.get("target-role").or_else(of_instance).map(|role| &**role)
}

fn configured_role(cluster: &Cluster, id: ResourceId) -> Option<Role> {
    configured_role_word(cluster, id)?.parse().ok()
}

/// Whether something holds for a resource or for anything that is in it.
fn any_of(cluster: &Cluster, id: ResourceId, holds: fn(&ResourceState) -> bool) -> bool {
    let resource = cluster.resource(id);
    holds(&resource.state) || resource.children.iter().any(|&child| any_of(cluster, child, holds))
}

fn current_role(cluster: &Cluster, id: ResourceId) -> Role {
    let resource = cluster.resource(id);
    let inner = resource.children.iter().map(|&child| current_role(cluster, child));
    inner.max().unwrap_or(resource.state.role)
}

/// Whether an instance has a line of its own; if not, its place is noted.
fn has_line(view: View<'_>, clone: &Resource, instance: ResourceId, places: &mut Places) -> bool {
    let (cluster, show) = (view.cluster, view.show);
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
    view: View<'_>,
    id: ResourceId,
    active: usize,
    instances: Vec<String>,
) -> BTreeMap<String, Vec<String>> {
    let cluster = view.cluster;
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
    let disabled = configured_role(cluster, id) == Some(Role::Stopped);
    let possible: BTreeSet<NodeId> = match clone.possible_on.as_slice() {
        // Where nothing is allowed by default it may be wherever it has been looked for.
        [] => {
            let instances = clone.children.iter().map(|&child| &cluster.resource(child).state);
            instances.flat_map(|state| state.known_on.iter().copied()).collect()
        }
        nodes => nodes.iter().copied().collect(),
    };
    for node_id in possible.difference(&running).copied() {
        let node = cluster.node(node_id);
        if !view.nodes.has_node(&node.name) {
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

pub(super) fn entry(view: View<'_>, id: ResourceId) -> Option<Entry> {
    if !view.wants(id, true) {
        return None;
    }
    let mut instances = shown_instances(view, id).peekable();
    instances.peek()?;
    let cluster = view.cluster;
    let clone = cluster.resource(id);
    let entry = Entry::new("clone")
        .attr("id", &*clone.id)
        .attr("multi_state", cluster.is_promotable(id))
        .attr("unique", clone.state.unique)
        .attr("maintenance", clone.state.maintenance)
        .attr("managed", clone.state.managed)
        .attr("disabled", is_disabled(cluster, id))
        .attr("failed", clone.state.failed)
        .attr("failure_ignored", clone.state.failure_ignored)
        .attr_opt("target_role", configured_role_word(cluster, id))
        .attr_opt("description", resources::description(view, id));
    let whole = view.of_all_resources();
    Some(entry.items(instances.filter_map(|instance| resources::entry_of(whole, instance))))
}
