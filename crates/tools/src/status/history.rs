//! What was run on each node, and how often it failed.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::nodes::display_name;
use super::resources::printable_id;
use super::{Lists, Sections, Show};
use crate::date;
use model::{Interval, OcfCode, Score};
use scheduler::{Cluster, Node, Resource};
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
    let states = cluster.cib.child("status").into_iter().flat_map(|s| s.elements_named("node_state"));
    for state in states {
        let node = cluster.nodes.iter().find(|node| state.id() == Some(&*node.id) && node.state.online);
        let Some(node) = node else { continue };
        section.open(lists);
        print_node(lists, cluster, node, state, sections, show);
    }
    section.close(lists)
}

fn print_node(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    node: &Node,
    state: &Element,
    sections: Sections,
    show: Show,
) {
    let mut section = lists.section(format_args!("Node: {}", display_name(node, show)), false);
    let resources = state.descend(&["lrm", "lrm_resources"]);
    for history in resources.into_iter().flat_map(|list| list.elements_named("lrm_resource")) {
        let known = |r: &&Resource| {
            history.id() == Some(&*r.id) || r.history_id.as_deref().is_some_and(|id| history.id() == Some(id))
        };
        let Some(resource) = cluster.resources.iter().find(known) else { continue };
        let (count, last) = fail_count(node, resource);
        if !sections.operations {
            if count > Score::ZERO {
                section.open(lists);
                lists.item(heading(history.id().unwrap_or_default(), resource, count, last));
            }
            continue;
        }
        let operations = operations(history);
        if !operations.is_empty() {
            section.open(lists);
            lists.begin(heading(printable_id(resource), resource, count, last));
            for operation in operations {
                lists.item(describe(operation, show));
            }
            lists.end();
        }
    }
    section.close(lists);
}

fn heading(name: &str, resource: &Resource, count: Score, last: i64) -> String {
    let mut text = format!("{name}: migration-threshold={}", resource.state.migration_threshold);
    if count > Score::ZERO {
        text.push_str(&format!(" fail-count={}", count.value()));
    }
    if last > 0 {
        text.push_str(&format!(" last-failure='{}'", date::local(last)));
    }
    text
}

fn number(operation: &Element, name: &str) -> i64 {
    operation.attr(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn is_probe(operation: &Element) -> bool {
    operation.attr("operation") == Some("monitor") && number(operation, "interval") == 0
}

/// The operations worth showing, in the order they were run in: no notifications, and no probes that found nothing.
fn operations(history: &Element) -> Vec<&Element> {
    let found_nothing =
        |op: &Element| is_probe(op) && number(op, "rc-code") == i64::from(OcfCode::NOT_RUNNING.value());
    let all = history.elements_named("lrm_rsc_op");
    let mut shown: Vec<&Element> =
        all.filter(|op| op.attr("operation") != Some("notify") && !found_nothing(op)).collect();
    shown.sort_by_key(|op| number(op, "call-id"));
    shown
}

fn describe(operation: &Element, show: Show) -> String {
    let call = operation.attr("call-id").unwrap_or_default();
    let task = if is_probe(operation) { "probe" } else { operation.attr("operation").unwrap_or_default() };
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
