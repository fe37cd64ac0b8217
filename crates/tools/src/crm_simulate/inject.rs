// SPDX-License-Identifier: GPL-2.0-or-later
//! Events the user asks for: nodes that come, go or fail, operations that fail, tickets, quorum.
//!
//! Decides: what each changes in the CIB. Given: the options. Leaves to others: what follows from it.

use super::execute::Recording;
use super::options::Options;
use super::status_edit::{self, AgentRef, Membership, OperationResult};
use crate::status::Lists;
use model::{Interval, OcfCode, OpKey};
use scheduler::Cluster;
use xml::Element;

/// Changes the CIB as the options say, and says what it does.
pub(super) fn inject(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    cib: &mut Element,
    options: &Options,
    recording: Recording,
) {
    if !lists.is_quiet() {
        lists.begin("Performing Requested Modifications");
    }
    if let Some(quorum) = &options.quorum {
        say(lists, format_args!("Setting quorum: {quorum}"));
        cib.set_attr("have-quorum", quorum);
    }
    if let Some(watchdog) = &options.watchdog {
        say(lists, format_args!("Setting watchdog: {watchdog}"));
        set_property(cib, "have-watchdog", watchdog);
    }
    inject_nodes(lists, cib, options);
    inject_tickets(lists, cib, options);
    for spec in &options.op_inject {
        inject_operation(lists, cluster, cib, options, spec, recording);
    }
    if !lists.is_quiet() {
        lists.end();
    }
}

fn say(lists: &mut Lists<'_>, text: std::fmt::Arguments<'_>) {
    if !lists.is_quiet() {
        lists.item(text);
    }
}

/// Sets a cluster property, where it stands if it is set.
fn set_property(cib: &mut Element, name: &str, value: &str) {
    let config = cib.child_or_insert("configuration").child_or_insert("crm_config");
    let sets = config.elements_mut().filter(|set| set.name() == "cluster_property_set");
    for set in sets {
        if let Some(nvpair) = set.elements_mut().find(|nvpair| nvpair.attr("name") == Some(name)) {
            nvpair.set_attr("value", value);
            return;
        }
    }
    let set = config.child_or_insert("cluster_property_set");
    if set.id().is_none() {
        set.set_attr("id", "cib-bootstrap-options");
    }
    let id = format!("{}-{name}", set.id().unwrap_or_default());
    set.push(Element::new("nvpair").with_attr("id", id).with_attr("name", name).with_attr("value", value));
}

fn inject_nodes(lists: &mut Lists<'_>, cib: &mut Element, options: &Options) {
    // A node that comes up has to be known; then those that go have to be, too.
    let configure = !options.node_up.is_empty();
    let lists_of_nodes = [
        (&options.node_up, Membership::Up),
        (&options.node_down, Membership::Down),
        (&options.node_fail, Membership::Lost),
    ];
    for (nodes, membership) in lists_of_nodes {
        for node in nodes {
            match membership {
                Membership::Up => say(lists, format_args!("Bringing node {node} online")),
                Membership::Down => say(lists, format_args!("Taking node {node} offline")),
                Membership::Lost => say(lists, format_args!("Failing node {node}")),
            }
            if configure {
                status_edit::ensure_node(cib, node);
            }
            status_edit::set_membership(cib, node, membership);
        }
    }
}

fn inject_tickets(lists: &mut Lists<'_>, cib: &mut Element, options: &Options) {
    let changes = [
        (&options.ticket_grant, "Granting ticket", "granted", true),
        (&options.ticket_revoke, "Revoking ticket", "granted", false),
        (&options.ticket_standby, "Making ticket", "standby", true),
        (&options.ticket_activate, "Activating ticket", "standby", false),
    ];
    for (tickets, words, attribute, value) in changes {
        for ticket in tickets {
            let rest = if attribute == "standby" && value { " standby" } else { "" };
            say(lists, format_args!("{words} {ticket}{rest}"));
            let states = cib.child_or_insert("status").child_or_insert("tickets");
            if states.child_with_id("ticket_state", ticket).is_none() {
                states.push(Element::new("ticket_state").with_attr("id", ticket));
            }
            if let Some(state) = states.child_with_id_mut("ticket_state", ticket) {
                state.set_attr(attribute, value);
            }
        }
    }
}

fn inject_operation(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    cib: &mut Element,
    options: &Options,
    spec: &str,
    recording: Recording,
) {
    say(lists, format_args!("Injecting {spec} into the configuration"));
    let parse = || {
        let (key, rest) = spec.split_once('@')?;
        let (node, rc) = rest.split_once('=')?;
        Some((key.parse::<OpKey>().ok()?, node, rc.trim().parse().ok()?))
    };
    let Some((key, node, rc)) = parse() else {
        lists.error(format_args!(
            "Invalid operation spec: {spec} (expected RESOURCE_TASK_MILLISECONDS@NODE=RC)"
        ));
        return;
    };
    let Some(id) = cluster.resource_named(&key.resource) else {
        lists.error(format_args!("Invalid resource name: {}", key.resource));
        return;
    };
    let agent = cluster.resource(id).agent.as_ref().map(|agent| AgentRef {
        class: Some(agent.class.to_string()),
        provider: agent.provider.as_ref().map(ToString::to_string),
        name: Some(agent.name.to_string()),
    });
    if !options.node_up.is_empty() {
        status_edit::ensure_node(cib, node);
    }
    let state = status_edit::node_state(cib, node, None);
    let result = OperationResult {
        resource: &key.resource,
        task: &key.operation,
        interval: key.interval,
        rc: OcfCode::new(rc),
        target_rc: OcfCode::OK,
        exit_reason: "Simulated action result",
        node,
        attributes: &[],
        feature_set: recording.feature_set,
        at: recording.at,
    };
    let fatal = match &*key.operation {
        "stop" => true,
        "start" => cluster.options.start_failure_fatal,
        _ => false,
    };
    fail_count(lists, state, &key.resource, &result, fatal);
    match status_edit::resource_history(state, &key.resource, &key.resource, &agent.unwrap_or_default()) {
        Ok(history) => status_edit::record(history, &result),
        Err(error) => lists.error(error),
    }
}

/// Counts a failure, or makes it fatal, and notes when it was. A success, and a probe that found nothing running, are
/// no failures.
pub(super) fn fail_count(
    lists: &mut Lists<'_>,
    state: &mut Element,
    resource: &str,
    result: &OperationResult<'_>,
    fatal: bool,
) {
    let interval: Interval = result.interval;
    if result.rc == OcfCode::OK || (result.rc == OcfCode::NOT_RUNNING && interval.is_zero()) {
        return;
    }
    let suffix = format!("{resource}#{}_{}", result.task, interval.as_ms());
    let name = format!("fail-count-{suffix}");
    let before = status_edit::attribute(state, &name).and_then(|count| count.parse::<i32>().ok());
    let count = if fatal { "INFINITY".to_owned() } else { before.unwrap_or(0).saturating_add(1).to_string() };
    for (name, value) in [(name, count), (format!("last-failure-{suffix}"), result.at.to_string())] {
        let id = state.id().unwrap_or_default().to_owned();
        say(lists, format_args!("Injecting attribute {name}={value} into /node_state '{id}'"));
        status_edit::set_attribute(state, &name, &value);
    }
}
