// SPDX-License-Identifier: GPL-2.0-or-later
//! What was run on each node, and how often it failed.

use super::outline::Outline;
use super::resources::printable_id;
use super::{Show, View, nodes};
use crate::date;
use crate::output::Entry;
use model::{Interval, OcfCode};
use scheduler::{NodeId, ResourceId, Variant};
use std::collections::BTreeMap;
use xml::Element;

/// What a node's history says of a resource.
struct Record<'a> {
    /// The name it is shown under.
    name: &'a str,
    threshold: i32,
    count: i32,
    last_failure: i64,
    operations: Vec<Element>,
}

/// The nodes that are online and have a state, with their histories, in the order of the status section.
fn of_nodes<'a>(view: View<'a>) -> impl Iterator<Item = (NodeId, Vec<Record<'a>>)> {
    let by_id: BTreeMap<&str, NodeId> =
        nodes::shown(view).filter(|(_, node)| node.state.online).map(|(id, node)| (&*node.id, id)).collect();
    let states = view.cluster.cib.child("status").into_iter().flat_map(|s| s.elements_named("node_state"));
    states.filter_map(move |state| {
        let node = *by_id.get(state.id()?)?;
        let resources = state.descend(&["lrm", "lrm_resources"]).into_iter();
        let histories = resources.flat_map(|list| list.elements_named("lrm_resource"));
        let records = histories.filter_map(|history| record(view, node, history));
        let worth = |record: &Record<'_>| match view.sections.operations {
            true => !record.operations.is_empty(),
            false => record.count > 0,
        };
        Some((node, records.filter(worth).collect()))
    })
}

fn record<'a>(view: View<'a>, node: NodeId, history: &'a Element) -> Option<Record<'a>> {
    let cluster = view.cluster;
    let kept_as = history.id()?;
    let id = cluster.resource_in_history(kept_as)?;
    if !is_wanted(view, id) {
        return None;
    }
    let resource = cluster.resource(id);
    let (count, last_failure) = cluster.failures_on(id, node);
    Some(Record {
        // Failures alone are shown under the name their history has.
        name: if view.sections.operations { printable_id(resource) } else { kept_as },
        threshold: resource.state.migration_threshold,
        count,
        last_failure,
        operations: operations(history),
    })
}

/// Of a group's members, only those asked for by name, or with the whole group.
fn is_wanted(view: View<'_>, id: ResourceId) -> bool {
    let cluster = view.cluster;
    let top = cluster.resource(cluster.top_of(id));
    if top.variant == Variant::Group {
        return view.resources.has(printable_id(cluster.resource(id)))
            || view.resources.has(printable_id(top));
    }
    view.wants(id, true)
}

/// Fail counts, or all operations if they are asked for.
pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let title = if view.sections.operations { "Operations" } else { "Migration Summary" };
    let mut section = out.section(title, spacer);
    for (node, records) in of_nodes(view) {
        section.open(out);
        if records.is_empty() {
            continue;
        }
        out.begin(nodes::heading(view, node));
        for record in records {
            if !view.sections.operations {
                out.line(heading(&record));
                continue;
            }
            out.begin(heading(&record));
            record.operations.iter().for_each(|operation| out.line(describe(operation, view.show)));
            out.end();
        }
        out.end();
    }
    section.close(out)
}

fn heading(record: &Record<'_>) -> String {
    let mut text = format!("{}: migration-threshold={}", record.name, record.threshold);
    if record.count > 0 {
        text.push_str(&format!(" fail-count={}", record.count));
    }
    if record.last_failure > 0 {
        text.push_str(&format!(" last-failure='{}'", date::local(record.last_failure)));
    }
    text
}

/// All of it; none if there is nothing.
pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    let mut nodes = of_nodes(view).peekable();
    nodes.peek()?;
    let nodes = nodes.filter(|(_, records)| !records.is_empty()).map(|(node, records)| {
        let records = records.iter().map(|record| record_entry(view, record));
        Entry::new("node").attr("name", &*view.cluster.node(node).name).items(records)
    });
    Some(Entry::new("node_history").items(nodes))
}

fn record_entry(view: View<'_>, record: &Record<'_>) -> Entry {
    let entry = Entry::new("resource_history")
        .attr("id", record.name)
        .attr("orphan", false)
        .attr("removed", false)
        .attr("migration-threshold", record.threshold)
        .attr_opt("fail-count", (record.count > 0).then_some(record.count))
        .attr_opt("last-failure", (record.last_failure > 0).then(|| date::local(record.last_failure)));
    let operations = record.operations.iter().filter(|_| view.sections.operations);
    entry.items(operations.map(|operation| operation_entry(operation, view.show)))
}

fn operation_entry(operation: &Element, show: Show) -> Entry {
    let code = OcfCode::new(i32::try_from(number(operation, "rc-code")).unwrap_or(1));
    let interval = number(operation, "interval");
    let entry = Entry::new("operation_history")
        .attr_opt("call", operation.attr("call-id"))
        .attr("task", task(operation))
        .attr("rc", code.value())
        .attr("rc_text", code.to_string())
        .attr_opt("interval", (interval != 0).then(|| format!("{interval}ms")));
    if !show.timing {
        return entry;
    }
    let changed = number(operation, "last-rc-change");
    let ms = |name| operation.attr(name).map(|value| format!("{value}ms"));
    entry
        .attr_opt("last-rc-change", (changed > 0).then(|| date::local(changed)))
        .attr_opt("exec-time", ms("exec-time"))
        .attr_opt("queue-time", ms("queue-time"))
}

fn number(operation: &Element, name: &str) -> i64 {
    operation.attr(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn is_probe(operation: &Element) -> bool {
    operation.attr("operation") == Some("monitor") && number(operation, "interval") == 0
}

fn task(operation: &Element) -> &str {
    if is_probe(operation) { "probe" } else { operation.attr("operation").unwrap_or_default() }
}

/// The operations worth showing, in the order they were run in: no notifications, and no probes that found nothing.
fn operations(history: &Element) -> Vec<Element> {
    let mut all = scheduler::operations_of(history, false);
    all.retain(|op| {
        let found_nothing = is_probe(op) && number(op, "rc-code") == i64::from(OcfCode::NOT_RUNNING.value());
        op.attr("operation") != Some("notify") && !found_nothing
    });
    all
}

fn describe(operation: &Element, show: Show) -> String {
    let call = operation.attr("call-id").unwrap_or_default();
    let task = task(operation);
    let interval = Interval::from_ms(u64::try_from(number(operation, "interval")).unwrap_or(0));
    let interval =
        if interval.is_zero() { String::new() } else { format!(" interval=\"{}ms\"", interval.as_ms()) };
    if !show.timing {
        let colon = if interval.is_empty() { "" } else { ":" };
        return format!("({call}) {task}{colon}{interval}");
    }
    let mut text = format!("({call}) {task}:{interval}");
    let changed = number(operation, "last-rc-change");
    if changed > 0 {
        text.push_str(&format!(" last-rc-change=\"{}\"", date::local(changed)));
    }
    for name in ["exec-time", "queue-time"] {
        if let Some(value) = operation.attr(name) {
            text.push_str(&format!(" {name}=\"{value}ms\""));
        }
    }
    let code = OcfCode::new(i32::try_from(number(operation, "rc-code")).unwrap_or(1));
    text + &format!(" rc={} ({code})", code.value())
}
