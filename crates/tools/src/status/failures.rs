// SPDX-License-Identifier: GPL-2.0-or-later
//! Failed operations.

use super::View;
use super::outline::Outline;
use crate::date;
use crate::output::Entry;
use model::{ExecStatus, Interval, OcfCode, OpKey};
use scheduler::{Cluster, FailedOperation, NodeId, ResourceId, Variant};
use xml::Element;

fn number<T: std::str::FromStr>(operation: &Element, name: &str) -> Option<T> {
    operation.attr(name)?.parse().ok()
}

fn code(operation: &Element) -> OcfCode {
    OcfCode::new(number(operation, "rc-code").unwrap_or(0))
}

fn status(operation: &Element) -> ExecStatus {
    ExecStatus::from_value(number(operation, "op-status").unwrap_or(0))
}

/// The operation's key, which very old histories have in the id alone.
fn key(operation: &Element) -> Option<&str> {
    operation.attr("operation_key").or(operation.id())
}

/// A probe that failed because the resource cannot run there, which is no failure worth a word.
fn is_masked_probe(operation: &Element) -> bool {
    let probe = operation.attr("operation") == Some("monitor")
        && number::<i64>(operation, "interval").unwrap_or(0) == 0;
    probe
        && (matches!(code(operation), OcfCode::NOT_INSTALLED | OcfCode::INVALID_PARAM)
            || status(operation) == ExecStatus::NotInstalled)
}

/// What a masked probe of a resource found, on a node if one is given.
pub(super) fn failed_probe(cluster: &Cluster, id: ResourceId, node: Option<NodeId>) -> Option<OcfCode> {
    // Probes of a clone's instances are recorded under the name of what is cloned.
    let top = cluster.resource(cluster.top_of(id));
    let child = top.children.first().filter(|_| top.variant == Variant::Clone);
    let wanted = match child.and_then(|&child| cluster.resource(child).xml.id()) {
        Some(child) => child,
        None => &*cluster.resource(id).id,
    };
    let matches = |failed: &&FailedOperation| {
        let operation = &failed.operation;
        let Some(on_node) = operation.attr("on_node") else { return false };
        let here = node.is_none_or(|node| cluster.node(node).name.eq_ignore_ascii_case(on_node));
        let of_it = || key(operation)?.parse::<OpKey>().ok().map(|key| key.resource == wanted);
        here && is_masked_probe(operation) && of_it() == Some(true)
    };
    cluster.failed.iter().find(matches).map(|failed| code(&failed.operation))
}

/// Failed operations worth showing.
fn shown(view: View<'_>) -> impl Iterator<Item = &FailedOperation> {
    view.cluster.failed.iter().filter(move |failed| {
        let parsed = key(&failed.operation).and_then(|key| key.parse::<OpKey>().ok());
        view.nodes.has_node(&failed.node)
            && !is_masked_probe(&failed.operation)
            && parsed.is_some_and(|key| view.resources.has(&key.resource))
    })
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let mut section = out.section("Failed Resource Actions", spacer);
    for failed in shown(view) {
        section.open(out);
        out.line(if view.show.failure_details { technical(failed) } else { friendly(failed) });
    }
    section.close(out)
}

pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    let mut failed = shown(view).peekable();
    failed.peek().is_some().then(|| Entry::new("failures").items(failed.map(failure)))
}

fn failure(failed: &FailedOperation) -> Entry {
    let operation = &failed.operation;
    let name = if operation.attr("operation_key").is_some() { "op_key" } else { "id" };
    let reason = operation.attr("exit-reason").unwrap_or("none");
    let entry = Entry::new("failure")
        .attr_opt(name, key(operation))
        .attr("node", &failed.node)
        .attr("exitstatus", code(operation).to_string())
        .attr("exitreason", reason)
        .attr("exitcode", code(operation).value())
        .attr_opt("call", operation.attr("call-id"))
        .attr("status", status(operation).to_string());
    let changed: Option<i64> = number(operation, "last-rc-change").filter(|&secs: &i64| secs > 0);
    let Some(changed) = changed else { return entry };
    entry
        .attr("last-rc-change", date::utc(changed))
        .attr_opt("queued", operation.attr("queue-time"))
        .attr_opt("exec", operation.attr("exec-time"))
        .attr("interval", number::<i64>(operation, "interval").unwrap_or(0))
        .attr_opt("task", operation.attr("operation"))
}

fn technical(failed: &FailedOperation) -> String {
    let operation = &failed.operation;
    let mut text = format!(
        "{} on {} '{}' ({}): call={}, status='{}'",
        key(operation).unwrap_or("unknown operation"),
        failed.node,
        code(operation),
        code(operation).value(),
        operation.attr("call-id").unwrap_or("unknown"),
        status(operation),
    );
    let mut add = |label: &str, value: Option<&str>, (before, after): (&str, &str)| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.push_str(&format!(", {label}={before}{value}{after}"));
        }
    };
    let changed = number(operation, "last-rc-change").map(date::local);
    add("exitreason", operation.attr("exit-reason"), ("'", "'"));
    add("last-rc-change", changed.as_deref(), ("'", "'"));
    add("queued", operation.attr("queue-time"), ("", "ms"));
    add("exec", operation.attr("exec-time"), ("", "ms"));
    text
}

fn friendly(failed: &FailedOperation) -> String {
    let operation = &failed.operation;
    let parsed = key(operation).and_then(|key| key.parse::<OpKey>().ok());
    let (resource, task, interval) = match &parsed {
        Some(key) => (&*key.resource, &*key.operation, key.interval),
        None => ("unknown resource", "unknown action", Interval::ZERO),
    };
    let mut text = format!("{resource} ");
    if !interval.is_zero() {
        text.push_str(&format!("{}-interval ", date::readable_span(interval)));
    }
    let probe = task == "monitor" && interval.is_zero();
    text.push_str(&format!("{} on {}", if probe { "probe" } else { task }, failed.node));
    let reason = operation.attr("exit-reason").filter(|reason| !reason.is_empty());
    if status(operation) == ExecStatus::Done {
        text.push_str(&format!(" returned '{}'", code(operation)));
        if let Some(reason) = reason {
            text.push_str(&format!(" ({reason})"));
        }
    } else {
        text.push_str(&format!(" could not be executed ({}", status(operation)));
        if let Some(reason) = reason {
            text.push_str(&format!(": {reason}"));
        }
        text.push(')');
    }
    if let Some(changed) = number(operation, "last-rc-change") {
        text.push_str(&format!(" at {}", date::local(changed)));
    }
    if let Some(ms) = number(operation, "exec-time").filter(|&ms| ms > 0) {
        text.push_str(&format!(" after {}", date::readable_span(Interval::from_ms(ms))));
    }
    text
}
