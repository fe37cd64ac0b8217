// SPDX-License-Identifier: GPL-2.0-or-later
//! A primitive's line: what it is, what it does, where, and what is special about it.

use super::resources::{current_node, is_promotable, printable_id};
use super::{Lists, Show, failures};
use model::Role;
use scheduler::{Cluster, NodeId, Resource, ResourceId};

/// Started instances of promotable clones are shown as unpromoted.
pub(super) fn displayed_role(cluster: &Cluster, id: ResourceId) -> Role {
    match cluster.resource(id).state.role {
        Role::Started if is_promotable(cluster, id) => Role::Unpromoted,
        // What nobody knows anything of does not run.
        Role::Unknown => Role::Stopped,
        role => role,
    }
}

/// The words for an action that will change what the resource does.
fn pending_state(resource: &Resource) -> Option<&'static str> {
    match resource.state.pending_action.as_deref()? {
        "start" => Some("Starting"),
        "stop" => Some("Stopping"),
        "migrate_to" | "migrate_from" => Some("Migrating"),
        "promote" => Some("Promoting"),
        "demote" => Some("Demoting"),
        _ => None,
    }
}

/// The word for an action that will not.
pub(super) fn pending_action(resource: &Resource) -> Option<&'static str> {
    (resource.state.pending_action.as_deref() == Some("monitor")).then_some("Monitoring")
}

pub(super) fn displayed_state(cluster: &Cluster, id: ResourceId, show: Show) -> &'static str {
    let pending = if show.pending { pending_state(cluster.resource(id)) } else { None };
    pending.unwrap_or(displayed_role(cluster, id).as_str())
}

/// Resources that the configuration does not name, such as connections to remote nodes.
fn is_implicit(resource: &Resource) -> bool {
    resource.meta.get("internal_rsc").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// An agent as it is written: `ocf:heartbeat:Dummy`. Only OCF agents have a provider, whatever is configured.
pub(super) fn agent_name(resource: &Resource) -> String {
    let Some(agent) = &resource.agent else { return "unknown:unknown".to_owned() };
    match &agent.provider {
        Some(provider) if &*agent.class == "ocf" => {
            format!("{}:{provider}:{}", agent.class, agent.name)
        }
        _ => format!("{}:{}", agent.class, agent.name),
    }
}

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) -> bool {
    let resource = cluster.resource(id);
    if is_implicit(resource) {
        return false;
    }
    let node = current_node(cluster, id).or(resource.state.pending_node);
    lists.item(describe(cluster, id, node, show));
    true
}

/// The line below a node, which need not say where.
pub(super) fn print_on_node(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) {
    if !is_implicit(cluster.resource(id)) {
        lists.item(describe(cluster, id, None, Show { by_node: true, ..show }));
    }
}

pub(super) fn describe(cluster: &Cluster, id: ResourceId, node: Option<NodeId>, show: Show) -> String {
    describe_as(cluster, id, printable_id(cluster.resource(id)), node, show)
}

/// A line under another name than the resource's.
pub(super) fn describe_as(
    cluster: &Cluster,
    id: ResourceId,
    name: &str,
    node: Option<NodeId>,
    show: Show,
) -> String {
    let resource = cluster.resource(id);
    let state = &resource.state;
    let several = state.active_on.len() > 1;
    let below_node = show.resource_only || (show.by_node && !state.active_on.is_empty());
    let node = node.or(state.lock_node).filter(|_| !several && !below_node);

    let mut text = format!("{name}\t({}):\t", agent_name(resource));
    if state.removed {
        text.push_str(" ORPHANED");
    }
    if state.failed {
        text.push_str(" FAILED");
        let role = displayed_role(cluster, id);
        if role > Role::Unpromoted {
            push_word(&mut text, role.as_str());
        }
    } else {
        push_word(&mut text, displayed_state(cluster, id, show));
    }
    if let Some(node) = node {
        push_word(&mut text, &cluster.node(node).name);
    }
    let stopped = displayed_role(cluster, id) == Role::Stopped;
    if let Some(code) = failures::failed_probe(cluster, id, node).filter(|_| stopped) {
        text.push_str(&format!(" ({code}) "));
    }
    let flags = flags(cluster, id, node, show);
    if !flags.is_empty() {
        text.push_str(&format!(" ({})", flags.join(", ")));
    }
    if let Some(description) =
        resource.xml.attr("description").filter(|_| several || below_node || show.descriptions)
    {
        text.push_str(&format!(" ({description})"));
    }
    if several && !below_node {
        let names: Vec<&str> = state.active_on.iter().map(|&node| &*cluster.node(node).name).collect();
        text.push_str(&format!(" [ {} ]", names.join(" ")));
    }
    text
}

fn push_word(text: &mut String, word: &str) {
    text.push(' ');
    text.push_str(word);
}

fn flags(cluster: &Cluster, id: ResourceId, node: Option<NodeId>, show: Show) -> Vec<String> {
    let resource = cluster.resource(id);
    let state = &resource.state;
    let mut flags: Vec<String> = Vec::new();
    if let Some(node) = node {
        let of_node = &cluster.node(node).state;
        if !of_node.online && of_node.unclean {
            flags.push("UNCLEAN".to_owned());
        }
        if state.lock_node == Some(node) {
            flags.push("LOCKED".to_owned());
        }
    }
    if let Some(action) = pending_action(resource).filter(|_| show.pending) {
        flags.push(action.to_owned());
    }
    if let Some(text) = resource.meta.get("target-role") {
        match text.parse() {
            Ok(Role::Stopped) => flags.push("disabled".to_owned()),
            Ok(Role::Unpromoted) if is_promotable(cluster, id) => flags.push(format!("target-role:{text}")),
            _ => {}
        }
    }
    if state.blocked {
        flags.push("blocked".to_owned());
    } else if state.maintenance {
        flags.push("maintenance".to_owned());
    } else if !state.managed {
        flags.push("unmanaged".to_owned());
    }
    if state.failure_ignored {
        flags.push("failure ignored".to_owned());
    }
    flags
}
