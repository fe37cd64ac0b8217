// SPDX-License-Identifier: GPL-2.0-or-later
//! Nodes' attributes, but those the cluster keeps for itself; of those that count what a node can reach, whether that
//! is enough.

use super::outline::{Outline, Span, span};
use super::{Medium, View, nodes};
use crate::output::Entry;
use scheduler::{Node, NodeId};
use std::collections::BTreeMap;

/// Attributes the cluster keeps for itself.
fn is_internal(name: &str) -> bool {
    const PREFIXES: [&str; 6] = ["fail-count", "last-failure", "shutdown", "terminate", "standby", "#"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// An attribute with the value that it should have, if that is known.
struct Attribute<'a> {
    name: &'a str,
    value: &'a str,
    expected: Option<i32>,
}

/// The nodes that are online and have attributes.
fn shown(view: View<'_>) -> impl Iterator<Item = (NodeId, &Node, Vec<Attribute<'_>>)> {
    nodes::shown(view).filter(|(_, node)| node.state.online).filter_map(move |(id, node)| {
        let all = node.attributes.iter().map(|(name, value)| (&**name, &**value));
        let mut shown = all.filter(|(name, _)| !is_internal(name)).peekable();
        shown.peek()?;
        let expected = expected_on(view, id);
        let attributes = shown.map(|(name, value)| {
            let expected = expected.get(&name.to_ascii_lowercase()).copied();
            Attribute { name, value, expected }
        });
        Some((id, node, attributes.collect()))
    })
}

/// What the agents on a node that count what it can reach would write if it reached everything, by the attribute that
/// they write.
fn expected_on(view: View<'_>, node: NodeId) -> BTreeMap<String, i32> {
    let mut expected = BTreeMap::new();
    for &id in &view.cluster.node(node).state.running {
        let kind = view.cluster.resource(id).agent.as_ref().map(|agent| agent.name.to_ascii_lowercase());
        if !matches!(kind.as_deref(), Some("ping" | "pingd")) {
            continue;
        }
        let parameters = view.cluster.parameters_on(id, Some(node));
        let hosts = parameters.get("host_list").map_or(0, |hosts| hosts.split(' ').count());
        let multiplier = parameters.get("multiplier").and_then(|text| text.parse().ok()).unwrap_or(1);
        let hosts = i32::try_from(hosts).unwrap_or(i32::MAX);
        let name = parameters.get("name").map_or("pingd", |name| &**name).to_ascii_lowercase();
        // Of several that write the same, the first decides.
        expected.entry(name).or_insert(hosts.saturating_mul(multiplier));
    }
    expected
}

/// Whether a node reaches less than it should.
enum Reach {
    Lost,
    Degraded(i32),
}

fn reach(attribute: &Attribute<'_>) -> Option<Reach> {
    let expected = attribute.expected?;
    // What is no number reaches nothing.
    let value = attribute.value.parse::<i32>().unwrap_or(0);
    match value {
        ..=0 => Some(Reach::Lost),
        value if value < expected => Some(Reach::Degraded(expected)),
        _ => None,
    }
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let mut section = out.section("Node Attributes", spacer);
    for (id, _, attributes) in shown(view) {
        section.open(out);
        out.begin(nodes::heading(view, id));
        for attribute in attributes {
            match view.medium {
                Medium::Text => out.line(text(&attribute)),
                Medium::Page => tell_on_page(out, &attribute),
            }
        }
        out.end();
    }
    section.close(out)
}

fn text(attribute: &Attribute<'_>) -> String {
    let remark = match reach(attribute) {
        None => String::new(),
        Some(Reach::Lost) => "\t: Connectivity is lost".to_owned(),
        Some(Reach::Degraded(expected)) => format!("\t: Connectivity is degraded (Expected={expected})"),
    };
    format!("{:<32}\t: {:<10}{remark}", attribute.name, attribute.value)
}

fn tell_on_page(out: &mut Outline, attribute: &Attribute<'_>) {
    let words = format!("{}: {}", attribute.name, attribute.value);
    if attribute.expected.is_none() {
        out.line(words);
        return;
    }
    let remark = match reach(attribute) {
        None => None,
        Some(Reach::Lost) => Some("(connectivity is lost)".to_owned()),
        Some(Reach::Degraded(expected)) => Some(format!("(connectivity is degraded -- expected {expected})")),
    };
    let remark = remark.map(|remark| Span::classed("bold", remark));
    out.spans(std::iter::once(span(words)).chain(remark).collect());
}

pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    let mut nodes = shown(view).peekable();
    nodes.peek()?;
    Some(Entry::new("node_attributes").items(nodes.map(|(_, node, attributes)| {
        Entry::new("node").attr("name", &*node.name).items(attributes.into_iter().map(|attribute| {
            Entry::new("attribute")
                .attr("name", attribute.name)
                .attr("value", attribute.value)
                .attr_opt("expected", attribute.expected)
        }))
    })))
}
