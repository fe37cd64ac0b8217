// SPDX-License-Identifier: GPL-2.0-or-later
//! Failed operations.

use super::{Lists, Show, resources};
use crate::date;
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
pub(super) fn key(operation: &Element) -> Option<&str> {
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
    let top = cluster.resource(resources::top(cluster, id));
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
pub(super) fn shown(cluster: &Cluster) -> impl Iterator<Item = &FailedOperation> {
    cluster.failed.iter().filter(|failed| {
        let has_key = key(&failed.operation).is_some_and(|key| key.parse::<OpKey>().is_ok());
        has_key && !is_masked_probe(&failed.operation)
    })
}

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, show: Show, spacer: bool) -> bool {
    let mut section = lists.section("Failed Resource Actions", spacer);
    for failed in shown(cluster) {
        section.open(lists);
        lists.item(if show.failure_details { technical(failed) } else { friendly(failed) });
    }
    section.close(lists)
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
