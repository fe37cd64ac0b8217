// SPDX-License-Identifier: GPL-2.0-or-later
//! A primitive: what it is, what it does, where, and what is special about it.

use super::outline::{Outline, Span};
use super::resources::{current_node, description, is_active, printable_id, unmanaged_word};
use super::{Show, View, failures};
use crate::output::Entry;
use model::{Role, parse_bool};
use scheduler::{Cluster, NodeId, Resource, ResourceId};

/// Started instances of promotable clones are shown as unpromoted.
fn displayed_role(cluster: &Cluster, id: ResourceId) -> Role {
    match cluster.resource(id).state.role {
        Role::Started if cluster.is_promotable(id) => Role::Unpromoted,
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
fn pending_action(resource: &Resource, show: Show) -> Option<&'static str> {
    let monitors = resource.state.pending_action.as_deref() == Some("monitor");
    (show.pending && monitors).then_some("Monitoring")
}

fn displayed_state(view: View<'_>, id: ResourceId) -> &'static str {
    let pending = if view.show.pending { pending_state(view.cluster.resource(id)) } else { None };
    pending.unwrap_or(displayed_role(view.cluster, id).as_str())
}

/// Resources that the configuration does not name, such as connections to remote nodes.
fn is_implicit(resource: &Resource) -> bool {
    resource.meta.get("internal_rsc").and_then(|value| parse_bool(value)) == Some(true)
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

pub(super) fn tell(out: &mut Outline, view: View<'_>, id: ResourceId) -> bool {
    let resource = view.cluster.resource(id);
    if !view.wants(id, true) {
        return false;
    }
    let node = current_node(view.cluster, id).or(resource.state.pending_node);
    tell_as(out, view, id, printable_id(resource), node)
}

/// Its line under another name, and on another node, than its own.
pub(super) fn tell_as(
    out: &mut Outline,
    view: View<'_>,
    id: ResourceId,
    name: &str,
    node: Option<NodeId>,
) -> bool {
    let resource = view.cluster.resource(id);
    if is_implicit(resource) && !view.show.implicit {
        return false;
    }
    out.spans(vec![Span::classed(class(resource), describe(view, id, name, node))]);
    true
}

/// How it looks on a page.
fn class(resource: &Resource) -> &'static str {
    let state = &resource.state;
    if !state.managed {
        "rsc-managed"
    } else if state.failed || state.active_on.is_empty() {
        "rsc-failed"
    } else if state.active_on.len() > 1 {
        "rsc-multiple"
    } else if state.failure_ignored {
        "rsc-failure-ignored"
    } else {
        "rsc-ok"
    }
}

/// Its line.
pub(super) fn describe(view: View<'_>, id: ResourceId, name: &str, node: Option<NodeId>) -> String {
    let (cluster, show) = (view.cluster, view.show);
    let resource = cluster.resource(id);
    let state = &resource.state;
    let several = state.active_on.len() > 1;
    let node = node.or(state.lock_node).filter(|_| !several && !show.resource_only);

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
        push_word(&mut text, displayed_state(view, id));
    }
    if let Some(node) = node {
        push_word(&mut text, &cluster.node(node).name);
    }
    let stopped = displayed_role(cluster, id) == Role::Stopped;
    if let Some(code) = failures::failed_probe(cluster, id, node).filter(|_| stopped) {
        text.push_str(&format!(" ({code}) "));
    }
    let flags = flags(view, id, node);
    if !flags.is_empty() {
        text.push_str(&format!(" ({})", flags.join(", ")));
    }
    let wanted = several || show.resource_only || show.descriptions;
    if let Some(description) = resource.xml.attr("description").filter(|_| wanted) {
        text.push_str(&format!(" ({description})"));
    }
    if several && !show.resource_only {
        let names: Vec<&str> = state.active_on.iter().map(|&node| &*cluster.node(node).name).collect();
        text.push_str(&format!(" [ {} ]", names.join(" ")));
    }
    text
}

fn push_word(text: &mut String, word: &str) {
    text.push(' ');
    text.push_str(word);
}

fn flags(view: View<'_>, id: ResourceId, node: Option<NodeId>) -> Vec<String> {
    let cluster = view.cluster;
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
    if let Some(action) = pending_action(resource, view.show) {
        flags.push(action.to_owned());
    }
    if let Some(text) = resource.meta.get("target-role") {
        match text.parse() {
            Ok(Role::Stopped) => flags.push("disabled".to_owned()),
            Ok(Role::Unpromoted) if cluster.is_promotable(id) => flags.push(format!("target-role:{text}")),
            _ => {}
        }
    }
    if state.blocked {
        flags.push("blocked".to_owned());
    } else if let Some(word) = unmanaged_word(resource) {
        flags.push(word.to_owned());
    }
    if state.failure_ignored {
        flags.push("failure ignored".to_owned());
    }
    flags
}

pub(super) fn entry(view: View<'_>, id: ResourceId) -> Option<Entry> {
    if !view.wants(id, true) {
        return None;
    }
    let cluster = view.cluster;
    let resource = cluster.resource(id);
    let state = &resource.state;
    let nodes = state.active_on.iter().map(|&node| cluster.node(node));
    let entry = Entry::new("resource")
        .attr("id", printable_id(resource))
        .attr("resource_agent", configured_agent(resource))
        .attr("role", displayed_state(view, id))
        .attr_opt("target_role", resource.meta.get("target-role").map(|role| &**role))
        .attr("active", is_active(cluster, id, true))
        .attr("orphaned", state.removed)
        .attr("removed", state.removed)
        .attr("blocked", state.blocked)
        .attr("maintenance", state.maintenance)
        .attr("managed", state.managed)
        .attr("failed", state.failed)
        .attr("failure_ignored", state.failure_ignored)
        .attr("nodes_running_on", state.active_on.len())
        .attr_opt("pending", pending_action(resource, view.show))
        .attr_opt("locked_to", state.lock_node.map(|node| &*cluster.node(node).name))
        .attr_opt("description", description(view, id));
    Some(entry.items(nodes.map(|node| {
        Entry::new("node").attr("name", &*node.name).attr("id", &*node.id).attr("cached", node.state.online)
    })))
}

/// An agent as it is configured, with its provider whatever its class.
fn configured_agent(resource: &Resource) -> String {
    let word = |name| resource.xml.attr(name);
    let (class, kind) = (word("class").unwrap_or("unknown"), word("type").unwrap_or("unknown"));
    match word("provider") {
        Some(provider) => format!("{class}:{provider}:{kind}"),
        None => format!("{class}:{kind}"),
    }
}
