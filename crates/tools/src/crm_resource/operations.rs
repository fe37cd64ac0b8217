// SPDX-License-Identifier: GPL-2.0-or-later
//! What has been done with resources, as nodes' histories have it.

use super::Said;
use super::find::find_by_history;
use super::site::Site;
use crate::date;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use crate::status;
use model::{ExecStatus, ExitCode};
use scheduler::operations_of;
use xml::Element;

/// An operation, and where it was done.
struct Done<'a> {
    node: &'a str,
    resource: &'a str,
    operation: Element,
}

/// The operations of the named resource on the named node, or of all; or only those that tell how it is now.
pub(super) fn list(site: &Site<'_>, only_active: bool, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let all = find(site, only_active);
    if all.is_empty() {
        return Ok(ExitCode::OK);
    }
    out.say(&Said {
        text: all.iter().map(|done| line(site, done)).collect(),
        entry: Entry::new("operations").items(all.iter().map(|done| entry(site, done))),
    })?;
    Ok(ExitCode::OK)
}

fn find<'s>(site: &'s Site<'_>, only_active: bool) -> Vec<Done<'s>> {
    let cluster = &site.cluster;
    let wanted_node = site.node.map(|node| site.node_name(node));
    let mut all = Vec::new();
    for state in
        cluster.cib.child("status").into_iter().flat_map(|status| status.elements_named("node_state"))
    {
        let Some(name) = state.attr("uname") else { continue };
        let Some(node) = cluster.node_named(name) else { continue };
        let is_wanted = wanted_node.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name));
        // Without fencing, nothing runs on a node that is offline.
        if !is_wanted || !(cluster.node(node).state.online || cluster.options.fencing_enabled) {
            continue;
        }
        let histories = state.descend(&["lrm", "lrm_resources"]);
        for history in histories.into_iter().flat_map(|list| list.elements_named("lrm_resource")) {
            let Some(resource) = history.id() else { continue };
            if site.options.resource.as_deref().is_none_or(|wanted| wanted == resource) {
                let operations = operations_of(history, only_active).into_iter();
                all.extend(operations.map(|operation| Done { node: name, resource, operation }));
            }
        }
    }
    all
}

fn status_of(operation: &Element) -> ExecStatus {
    let status = operation.attr("op-status").and_then(|text| text.parse().ok());
    status.map_or(ExecStatus::Unknown, ExecStatus::from_value)
}

fn changed(operation: &Element) -> Option<String> {
    let secs = operation.attr("last-rc-change")?.parse().ok()?;
    Some(date::local(secs))
}

fn key(operation: &Element) -> &str {
    operation.attr("operation_key").or(operation.id()).unwrap_or("(null)")
}

fn line(site: &Site<'_>, done: &Done<'_>) -> String {
    let Done { node, resource, operation } = done;
    let subject = match find_by_history(&site.cluster, resource) {
        Some(id) => status::state_of(&site.cluster, id),
        None => format!("Unknown resource {resource}"),
    };
    let attr = |name| operation.attr(name).unwrap_or("(null)");
    let when = changed(operation)
        .map(|changed| format!(", last-rc-change='{changed}', exec={}ms", attr("exec-time")));
    format!(
        "{subject}: {} (node={node}, call={}, rc={}{}): {}\n",
        key(operation),
        attr("call-id"),
        attr("rc-code"),
        when.unwrap_or_default(),
        status_of(operation)
    )
}

fn entry(site: &Site<'_>, done: &Done<'_>) -> Entry {
    let Done { node, resource, operation } = done;
    let mut entry = Entry::new("operation")
        .attr("op", key(operation))
        .attr("node", *node)
        .attr_opt("call", operation.attr("call-id"))
        .attr_opt("rc", operation.attr("rc-code"))
        .attr("status", status_of(operation).to_string());
    if let Some(id) = find_by_history(&site.cluster, resource) {
        let resource = site.cluster.resource(id);
        let name =
            if resource.state.unique { &resource.id } else { resource.xml.id().unwrap_or(&resource.id) };
        entry = entry.attr("rsc", name);
        // Here, the place of a provider is kept even where there is none.
        let (class, provider, agent) = match &resource.agent {
            Some(agent) => (&*agent.class, agent.provider.as_deref(), &*agent.name),
            None => ("(null)", None, "(null)"),
        };
        let provider = provider.filter(|_| class.eq_ignore_ascii_case("ocf")).unwrap_or_default();
        entry = entry.attr("agent", format!("{class}:{provider}:{agent}"));
    }
    match changed(operation) {
        Some(changed) => {
            entry.attr("last-rc-change", changed).attr_opt("exec-time", operation.attr("exec-time"))
        }
        None => entry,
    }
}
