// SPDX-License-Identifier: GPL-2.0-or-later
//! Events the user asks for: nodes that come, go or fail, operations that fail, tickets, quorum.
//!
//! Decides: what each changes in the CIB. Given: the options. Leaves to others: what follows from it.

use super::execute::Recording;
use super::options::Options;
use super::status_edit::{self, AgentRef, Membership, OperationResult};
use super::telling::Telling;
use crate::failure::Failure;
use crate::output::Entry;
use model::{ExitCode, Interval, OcfCode, OpKey};
use scheduler::Cluster;
use xml::Element;

/// Changes the CIB as the options say, and says what it does.
pub(super) fn inject(
    telling: &mut Telling<'_, '_>,
    cluster: &Cluster,
    cib: &mut Element,
    options: &Options,
    recording: Recording,
) -> Result<(), Failure> {
    let (quorum, watchdog) = (options.quorum.as_deref(), options.watchdog.as_deref());
    if !telling.is_quiet() {
        let entry = Entry::new("modifications").attr_opt("quorum", quorum).attr_opt("watchdog", watchdog);
        telling.begin("Performing Requested Modifications", entry);
    }
    if let Some(quorum) = quorum {
        if model::parse_bool(quorum).is_none() {
            return Err(Failure::usage(format_args!("Invalid quorum '{quorum}': expected true or false")));
        }
        telling.words(format_args!("Setting quorum: {quorum}"));
        status_edit::counted(cib, |cib| cib.set_attr("have-quorum", quorum));
    }
    if let Some(watchdog) = watchdog {
        telling.words(format_args!("Setting watchdog: {watchdog}"));
        set_property(cib, "have-watchdog", watchdog);
    }
    inject_nodes(telling, cib, options)?;
    inject_tickets(telling, cib, options);
    for spec in &options.op_inject {
        inject_operation(telling, cluster, cib, options, spec, recording)?;
    }
    if !telling.is_quiet() {
        telling.end();
    }
    Ok(())
}

/// Sets a cluster property, where it stands if it is set.
fn set_property(cib: &mut Element, name: &str, value: &str) {
    let before = cib.clone();
    let config = cib.child_or_insert("configuration").child_or_insert("crm_config");
    if !change_property(config, name, value) {
        const USUAL_SET: &str = "cib-bootstrap-options";
        if config.child_with_id("cluster_property_set", USUAL_SET).is_none() {
            config.push(Element::new("cluster_property_set").with_attr("id", USUAL_SET));
        }
        if let Some(set) = config.child_with_id_mut("cluster_property_set", USUAL_SET) {
            let nvpair = Element::new("nvpair").with_attr("id", format!("{USUAL_SET}-{name}"));
            set.push(nvpair.with_attr("name", name).with_attr("value", value));
        }
    }
    if *cib != before {
        status_edit::count_configuration_change(cib);
    }
}

/// Changes a property that is set; says whether it is.
fn change_property(config: &mut Element, name: &str, value: &str) -> bool {
    let sets = config.elements_mut().filter(|set| set.name() == "cluster_property_set");
    for set in sets {
        if let Some(nvpair) = set.elements_mut().find(|nvpair| nvpair.attr("name") == Some(name)) {
            nvpair.set_attr("value", value);
            return true;
        }
    }
    false
}

fn inject_nodes(telling: &mut Telling<'_, '_>, cib: &mut Element, options: &Options) -> Result<(), Failure> {
    // A node that comes up is made known to the configuration, and with it every other that something happens to.
    let configure = !options.node_up.is_empty();
    let lists_of_nodes = [
        (&options.node_up, Membership::Up),
        (&options.node_down, Membership::Down),
        (&options.node_fail, Membership::Lost),
    ];
    for (nodes, membership) in lists_of_nodes {
        for node in nodes {
            let (words, action) = match membership {
                Membership::Up => (format!("Bringing node {node} online"), "Online"),
                Membership::Down => (format!("Taking node {node} offline"), "Offline"),
                Membership::Lost => (format!("Failing node {node}"), "Failing"),
            };
            telling.detail(words, || Entry::new("modify_node").attr("action", action).attr("node", node));
            if configure {
                status_edit::ensure_node(cib, node);
            }
            status_edit::set_membership(cib, node, membership, status_edit::ORIGIN)?;
        }
    }
    Ok(())
}

fn inject_tickets(telling: &mut Telling<'_, '_>, cib: &mut Element, options: &Options) {
    let changes = [
        (&options.ticket_grant, "Granting", "granted", true),
        (&options.ticket_revoke, "Revoking", "granted", false),
        (&options.ticket_standby, "Standby", "standby", true),
        (&options.ticket_activate, "Activating", "standby", false),
    ];
    for (tickets, action, attribute, value) in changes {
        for ticket in tickets {
            let words = match action {
                "Standby" => format!("Making ticket {ticket} standby"),
                action => format!("{action} ticket {ticket}"),
            };
            telling
                .detail(words, || Entry::new("modify_ticket").attr("action", action).attr("ticket", ticket));
            status_edit::counted(cib, |cib| {
                let states = cib.child_or_insert("status").child_or_insert("tickets");
                if states.child_with_id("ticket_state", ticket).is_none() {
                    states.push(Element::new("ticket_state").with_attr("id", ticket));
                }
                if let Some(state) = states.child_with_id_mut("ticket_state", ticket) {
                    state.set_attr(attribute, value);
                }
            });
        }
    }
}

/// What `RESOURCE_TASK_MILLISECONDS@NODE=RC` says.
struct Specification<'a> {
    key: &'a str,
    node: &'a str,
    rc: i32,
}

impl Specification<'_> {
    /// Reads one; an error is how many of its three parts were understood.
    fn parse(spec: &str) -> Result<Specification<'_>, usize> {
        let (key, rest) = spec.split_once('@').unwrap_or((spec, ""));
        let (node, rc) = rest.split_once('=').unwrap_or((rest, ""));
        if key.is_empty() || node.is_empty() {
            return Err(usize::from(!key.is_empty()));
        }
        // What follows the number is not looked at.
        let rc = rc.trim_start();
        let digits = rc.strip_prefix(['-', '+']).unwrap_or(rc);
        let length = rc.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        rc[..length].parse().map(|rc| Specification { key, node, rc }).map_err(|_| 2)
    }
}

fn inject_operation(
    telling: &mut Telling<'_, '_>,
    cluster: &Cluster,
    cib: &mut Element,
    options: &Options,
    spec: &str,
    recording: Recording,
) -> Result<(), Failure> {
    telling.detail(format_args!("Injecting {spec} into the configuration"), || {
        Entry::new("inject_spec").attr("spec", spec)
    });
    let Specification { key, node, rc } = match Specification::parse(spec) {
        Ok(specification) => specification,
        Err(fields) => {
            telling.error(format_args!("Invalid operation spec: {spec}.  Only found {fields} fields"));
            return Ok(());
        }
    };
    let Ok(key) = key.parse::<OpKey>() else {
        telling
            .error(format_args!("Invalid operation spec: {spec}.  '{key}' is no RESOURCE_TASK_MILLISECONDS"));
        return Ok(());
    };
    let Some(id) = cluster.resource_known_as(&key.resource) else {
        telling.error(format_args!("Invalid resource name: {}", key.resource));
        return Ok(());
    };
    let agent = cluster.resource(id).agent.as_ref().map(|agent| AgentRef {
        class: Some(agent.class.to_string()),
        provider: agent.provider.as_ref().map(ToString::to_string),
        name: Some(agent.name.to_string()),
    });
    if !options.node_up.is_empty() {
        status_edit::ensure_node(cib, node);
    }
    status_edit::node_state(cib, node, None)?;
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
    let agent = agent.unwrap_or_default();
    status_edit::counted(cib, |cib| {
        let state = status_edit::node_state(cib, node, None)?;
        fail_count(telling, state, &key.resource, &result, fatal);
        status_edit::record_result(state, &key.resource, &key.resource, &agent, &result)
            .map_err(|error| Failure::new(ExitCode::NOSUCH, error))
    })
}

/// Counts a failure, or makes it fatal, and notes when it was. A success, and a probe that found nothing running, are
/// no failures.
pub(super) fn fail_count(
    telling: &mut Telling<'_, '_>,
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
        telling.detail(format_args!("Injecting attribute {name}={value} into /node_state '{id}'"), || {
            Entry::new("inject_attr")
                .attr("name", &name)
                .attr("value", &value)
                .attr("node_path", "/node_state")
                .attr("cib_node", &id)
        });
        status_edit::set_attribute(state, &name, &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_are_read_part_by_part() {
        let read = |spec| Specification::parse(spec).map(|spec| (spec.key, spec.node, spec.rc));
        assert_eq!(read("a_monitor_10@n=7"), Ok(("a_monitor_10", "n", 7)));
        assert_eq!(read("a@n= -1st"), Ok(("a", "n", -1)));
        for (spec, found) in
            [("", 0), ("@n=1", 0), ("a", 1), ("a@", 1), ("a@=1", 1), ("a@n", 2), ("a@n=x", 2)]
        {
            assert_eq!(read(spec), Err(found), "{spec}");
        }
    }
}
