// SPDX-License-Identifier: GPL-2.0-or-later
//! What was run on each node, and how often it failed.

use super::nodes::display_name;
use super::resources::printable_id;
use super::{Lists, Sections, Show};
use crate::date;
use model::{Interval, OcfCode, Score};
use scheduler::{Cluster, Node, NodeId, Resource};
use xml::Element;

/// How often a resource failed on a node and when last (0 if unknown), whether it still counts or not.
fn fail_count(node: &Node, resource: &Resource) -> (Score, i64) {
    let name = resource.history_id.as_deref().unwrap_or(&resource.id);
    let name = if resource.state.unique { name } else { name.split(':').next().unwrap_or(name) };
    let of = |prefix: &'static str| {
        node.attributes.iter().filter_map(move |(attribute, value)| {
            let rest = attribute.strip_prefix(prefix)?.strip_prefix(name)?;
            rest.starts_with('#').then_some(&**value)
        })
    };
    let count =
        of("fail-count-").filter_map(|text| text.parse::<Score>().ok()).fold(Score::ZERO, |a, b| a + b);
    let last = of("last-failure-").filter_map(|text| text.parse::<i64>().ok()).max().unwrap_or(0);
    if count <= Score::ZERO { (Score::ZERO, 0) } else { (count, last) }
}

/// What a node's history says of a resource.
pub(super) struct Entry<'a> {
    /// The name it is shown under.
    name: &'a str,
    resource: &'a Resource,
    count: Score,
    last_failure: i64,
    operations: Vec<&'a Element>,
}

/// The nodes that are online and have a state, with their histories, in the order of the status section.
fn of_nodes(cluster: &Cluster, sections: Sections) -> impl Iterator<Item = (NodeId, Vec<Entry<'_>>)> {
    let states = cluster.cib.child("status").into_iter().flat_map(|s| s.elements_named("node_state"));
    states.filter_map(move |state| {
        let mut nodes = cluster.nodes.iter().enumerate();
        let (index, node) = nodes.find(|(_, node)| state.id() == Some(&*node.id) && node.state.online)?;
        let resources = state.descend(&["lrm", "lrm_resources"]).into_iter();
        let histories = resources.flat_map(|list| list.elements_named("lrm_resource"));
        let entries = histories.filter_map(|history| entry(cluster, node, history));
        let worth = |entry: &Entry<'_>| {
            if sections.operations { !entry.operations.is_empty() } else { entry.count > Score::ZERO }
        };
        Some((NodeId::new(index), entries.filter(worth).collect()))
    })
}

fn entry<'a>(cluster: &'a Cluster, node: &Node, history: &'a Element) -> Option<Entry<'a>> {
    let id = history.id()?;
    let resource = cluster.resources.iter().find(|r| *r.id == *id || r.history_id.as_deref() == Some(id))?;
    let (count, last_failure) = fail_count(node, resource);
    let operations = operations(history);
    Some(Entry { name: printable_id(resource), resource, count, last_failure, operations })
}

/// Prints fail counts, or all operations if they are asked for.
pub(super) fn print(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    sections: Sections,
    show: Show,
    spacer: bool,
) -> bool {
    let title = if sections.operations { "Operations" } else { "Migration Summary" };
    let mut section = lists.section(title, spacer);
    for (node, entries) in of_nodes(cluster, sections) {
        section.open(lists);
        if entries.is_empty() {
            continue;
        }
        lists.begin(format_args!("Node: {}", display_name(cluster, node, show)));
        for entry in entries {
            if !sections.operations {
                lists.item(heading(&entry));
                continue;
            }
            lists.begin(heading(&entry));
            for operation in &entry.operations {
                lists.item(describe(operation, show));
            }
            lists.end();
        }
        lists.end();
    }
    section.close(lists)
}

fn heading(entry: &Entry<'_>) -> String {
    let mut text =
        format!("{}: migration-threshold={}", entry.name, entry.resource.state.migration_threshold);
    if entry.count > Score::ZERO {
        text.push_str(&format!(" fail-count={}", entry.count.value()));
    }
    if entry.last_failure > 0 {
        text.push_str(&format!(" last-failure='{}'", date::local(entry.last_failure)));
    }
    text
}

/// All of it as XML; none if there is nothing.
pub(super) fn xml(cluster: &Cluster, sections: Sections) -> Option<Element> {
    let nodes = of_nodes(cluster, sections).filter(|(_, entries)| !entries.is_empty());
    let nodes = nodes.map(|(node, entries)| {
        let entries = entries.iter().map(|entry| entry_xml(entry, sections));
        Element::new("node").with_attr("name", &cluster.node(node).name).with_children(entries)
    });
    let out = Element::new("node_history").with_children(nodes);
    out.first_element().is_some().then_some(out)
}

fn entry_xml(entry: &Entry<'_>, sections: Sections) -> Element {
    let mut out = Element::new("resource_history")
        .with_attr("id", entry.name)
        .with_attr("orphan", false)
        .with_attr("removed", false)
        .with_attr("migration-threshold", entry.resource.state.migration_threshold);
    out.set_attr_opt("fail-count", (entry.count > Score::ZERO).then_some(entry.count.value()));
    out.set_attr_opt("last-failure", (entry.last_failure > 0).then(|| date::local(entry.last_failure)));
    let operations = entry.operations.iter().filter(|_| sections.operations);
    out.with_children(operations.map(|operation| operation_xml(operation)))
}

fn operation_xml(operation: &Element) -> Element {
    let code = OcfCode::new(i32::try_from(number(operation, "rc-code")).unwrap_or(1));
    let mut out = Element::new("operation_history");
    out.set_attr_opt("call", operation.attr("call-id"));
    out.set_attr("task", task(operation));
    out.set_attr("rc", code.value());
    out.set_attr("rc_text", code);
    let interval = number(operation, "interval");
    out.set_attr_opt("interval", (interval != 0).then(|| format!("{interval}ms")));
    let changed = number(operation, "last-rc-change");
    out.set_attr_opt("last-rc-change", (changed > 0).then(|| date::local(changed)));
    for name in ["exec-time", "queue-time"] {
        out.set_attr_opt(name, operation.attr(name).map(|value| format!("{value}ms")));
    }
    out
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
fn operations(history: &Element) -> Vec<&Element> {
    let found_nothing =
        |op: &Element| is_probe(op) && number(op, "rc-code") == i64::from(OcfCode::NOT_RUNNING.value());
    let all = history.elements_named("lrm_rsc_op");
    let mut shown: Vec<&Element> =
        all.filter(|op| op.attr("operation") != Some("notify") && !found_nothing(op)).collect();
    // Those with equal or no number stay as they are.
    shown.sort_by_key(|op| number(op, "call-id"));
    shown
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
