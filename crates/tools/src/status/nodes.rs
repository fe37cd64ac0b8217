// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of nodes.

use super::outline::{Outline, Span, span};
use super::{Medium, Show, View, brief, primitive, resources, summary};
use crate::output::Entry;
use model::Score;
use scheduler::{Cluster, Node, NodeId, NodeKind, ResourceId};

/// A node's name; if details are wanted, with the node a guest is on, and with its id.
pub(super) fn display_name(view: View<'_>, id: NodeId) -> String {
    let cluster = view.cluster;
    let node = cluster.node(id);
    let mut name = node.name.to_string();
    if !view.show.node_ids {
        return name;
    }
    if node.kind == NodeKind::Guest {
        let host = cluster.launcher_of(id).and_then(|launcher| resources::current_node(cluster, launcher));
        name.push('@');
        name.push_str(host.map_or("", |host| &cluster.node(host).name));
    }
    if !node.name.eq_ignore_ascii_case(&node.id) {
        name.push_str(&format!(" ({})", node.id));
    }
    name
}

/// How a node is introduced where something of it is listed.
pub(super) fn heading(view: View<'_>, id: NodeId) -> String {
    match view.medium {
        Medium::Text => format!("Node: {}", display_name(view, id)),
        Medium::Page => format!("{}:", display_name(view, id)),
    }
}

/// How healthy a node is by its `#health` attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    Red,
    Yellow,
    Green,
}

impl Health {
    const fn as_str(self) -> &'static str {
        match self {
            Health::Red => "red",
            Health::Yellow => "yellow",
            Health::Green => "green",
        }
    }
}

/// The worst of a node's health attributes, if the cluster looks at health at all.
pub(super) fn health(cluster: &Cluster, node: &Node) -> Health {
    let strategy = cluster.options.value("node-health-strategy").unwrap_or("none");
    if strategy == "none" {
        return Health::Green;
    }
    let configured = |name, default: Score| match cluster.options.value(name) {
        Some(text) => text.parse().unwrap_or(default),
        None => default,
    };
    let (red, yellow, green) = match strategy {
        "migrate-on-red" => (Score::MINUS_INFINITY, Score::ZERO, Score::ZERO),
        "only-green" => (Score::MINUS_INFINITY, Score::MINUS_INFINITY, Score::ZERO),
        _ => (
            configured("node-health-red", Score::MINUS_INFINITY),
            configured("node-health-yellow", Score::ZERO),
            configured("node-health-green", Score::ZERO),
        ),
    };
    let of = |value: &str| match value.to_ascii_lowercase().as_str() {
        "red" => Health::Red,
        "yellow" => Health::Yellow,
        other => match other.parse::<Score>() {
            Ok(score) if score <= red => Health::Red,
            Ok(score) if score <= yellow && yellow != green => Health::Yellow,
            _ => Health::Green,
        },
    };
    let values = node.attributes.iter().filter(|(name, _)| name.starts_with("#health"));
    values.map(|(_, value)| of(value)).min().unwrap_or(Health::Green)
}

/// A node's state in words.
fn status(node: &Node) -> &'static str {
    let state = &node.state;
    if state.unclean {
        return match (state.online, state.pending) {
            (true, _) => "UNCLEAN (online)",
            (false, true) => "UNCLEAN (pending)",
            (false, false) => "UNCLEAN (offline)",
        };
    }
    if state.pending {
        "pending"
    } else if state.standby_on_fail && state.online {
        "standby (on-fail)"
    } else if state.standby {
        match (state.online, state.running.is_empty()) {
            (false, _) => "OFFLINE (standby)",
            (true, true) => "standby",
            (true, false) => "standby (with active resources)",
        }
    } else if state.maintenance {
        if state.online { "maintenance" } else { "OFFLINE (maintenance)" }
    } else if state.online {
        "online"
    } else {
        "OFFLINE"
    }
}

/// The same for a page, where everything that is to be said of a node has its own words.
fn status_spans(view: View<'_>, node: &Node) -> Vec<Span> {
    let state = &node.state;
    let mut spans = vec![match state.online {
        true => Span::classed("online", " online"),
        false => Span::classed("offline", " OFFLINE"),
    }];
    let why = match (state.standby_on_fail, state.standby) {
        (true, _) => Some(" due to on-fail"),
        (false, true) => Some(""),
        (false, false) => None,
    };
    if let Some(why) = why {
        let busy = if state.running.is_empty() { "" } else { ", with active resources" };
        spans.push(Span::classed("standby", format!(" (in standby{why}{busy})")));
    }
    if state.maintenance {
        spans.push(Span::classed("maint", " (in maintenance mode)"));
    }
    match health(view.cluster, node) {
        Health::Red => spans.push(Span::classed("health_red", " (health is RED)")),
        Health::Yellow => spans.push(Span::classed("health_yellow", " (health is YELLOW)")),
        Health::Green => {}
    }
    if let Some(set) = summary::feature_set(node).filter(|_| view.show.feature_sets) {
        spans.push(span(format!(", feature set {set}")));
    }
    spans
}

/// A node that has a line of its own, because something about it is worth one.
fn stands_out(cluster: &Cluster, node: &Node) -> bool {
    let state = &node.state;
    state.unclean
        || state.pending
        || (state.standby_on_fail && state.online)
        || state.standby
        || state.maintenance
        || health(cluster, node) != Health::Green
}

/// The nodes that are looked at.
pub(super) fn shown(view: View<'_>) -> impl Iterator<Item = (NodeId, &Node)> {
    let all = view.cluster.nodes.iter().enumerate();
    all.filter(move |(_, node)| view.nodes.has_node(&node.name))
        .map(|(index, node)| (NodeId::new(index), node))
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let mut section = out.section("Node List", spacer);
    let mut lists: [(&str, Vec<String>); 5] = [
        ("Online", Vec::new()),
        ("OFFLINE", Vec::new()),
        ("RemoteOnline", Vec::new()),
        ("RemoteOFFLINE", Vec::new()),
        ("GuestOnline", Vec::new()),
    ];
    for (id, node) in shown(view) {
        section.open(out);
        if view.medium == Medium::Page {
            tell_on_page(out, view, id, node);
            continue;
        }
        if view.show.by_node || view.show.feature_sets || stands_out(view.cluster, node) {
            tell_line(out, view, id, node);
            continue;
        }
        let list = match (node.kind, node.state.online) {
            (NodeKind::Cluster, online) => usize::from(!online),
            (NodeKind::Remote, online) => 2 + usize::from(!online),
            (NodeKind::Guest, true) => 4,
            // A guest that is down is its launcher's business, which is listed.
            (NodeKind::Guest, false) => continue,
        };
        if let Some((_, names)) = lists.get_mut(list) {
            names.push(display_name(view, id));
        }
    }
    for (label, names) in lists {
        if !names.is_empty() {
            out.labelled(label, vec![span(format!("[ {} ]", names.join(" ")))]);
        }
    }
    section.close(out)
}

fn tell_line(out: &mut Outline, view: View<'_>, id: NodeId, node: &Node) {
    let kind = match node.kind {
        NodeKind::Cluster => "Node",
        NodeKind::Remote => "RemoteNode",
        NodeKind::Guest => "GuestNode",
    };
    let health = match health(view.cluster, node) {
        Health::Red => " (health is RED)",
        Health::Yellow => " (health is YELLOW)",
        Health::Green => "",
    };
    let set = summary::feature_set(node).filter(|_| view.show.feature_sets);
    let set = set.map(|set| format!(", feature set {set}")).unwrap_or_default();
    let line = format!("{kind} {}: {}{health}{set}", display_name(view, id), status(node));
    if !view.show.by_node {
        out.line(line);
        return;
    }
    if view.show.brief && brief::wanted(view, &node.state.running).is_empty() {
        return;
    }
    out.begin(line);
    out.begin("Resources");
    tell_running(out, view, node);
    out.end();
    out.end();
}

fn tell_on_page(out: &mut Outline, view: View<'_>, id: NodeId, node: &Node) {
    let name = format!("{}:", display_name(view, id));
    if !view.show.by_node {
        let spans = std::iter::once(Span::classed("bold", name)).chain(status_spans(view, node));
        out.spans(spans.collect());
        return;
    }
    out.begin(name);
    let spans = std::iter::once(span("Status:")).chain(status_spans(view, node));
    out.open(spans.collect());
    let none = match view.show.brief {
        true => brief::wanted(view, &node.state.running).is_empty(),
        false => node.state.running.is_empty(),
    };
    if !none {
        out.begin("Resources");
        tell_running(out, view, node);
        out.end();
    }
    out.close();
    out.end();
}

/// What runs on a node, below it: where, need not be said.
fn tell_running(out: &mut Outline, view: View<'_>, node: &Node) {
    let view = view.shown(Show { resource_only: true, ..view.show });
    if view.show.brief {
        let running = brief::wanted(view, &node.state.running);
        brief::tell(out, view.shown(Show { inactive: false, ..view.show }), running);
        return;
    }
    for &id in &node.state.running {
        primitive::tell(out, view, id);
    }
}

pub(super) fn entry(view: View<'_>) -> Entry {
    Entry::new("nodes").items(shown(view).map(|(id, node)| node_entry(view, id, node)))
}

fn node_entry(view: View<'_>, id: NodeId, node: &Node) -> Entry {
    let state = &node.state;
    let kind = match node.kind {
        NodeKind::Cluster => "member",
        NodeKind::Remote | NodeKind::Guest => "remote",
    };
    let launcher: Option<ResourceId> = match node.kind {
        NodeKind::Guest => view.cluster.launcher_of(id),
        NodeKind::Cluster | NodeKind::Remote => None,
    };
    let entry = Entry::new("node")
        .attr("name", &*node.name)
        .attr("id", &*node.id)
        .attr("online", state.online)
        .attr("standby", state.standby)
        .attr("standby_onfail", state.standby_on_fail)
        .attr("maintenance", state.maintenance)
        .attr("pending", state.pending)
        .attr("unclean", state.unclean)
        .attr("health", health(view.cluster, node).as_str())
        .attr_opt("feature_set", summary::feature_set(node))
        .attr("shutdown", state.shutdown)
        .attr("expected_up", state.expected_up)
        .attr("is_dc", view.cluster.dc == Some(id))
        .attr("resources_running", state.running.len())
        .attr("type", kind)
        .attr_opt("id_as_resource", launcher.map(|id| &*view.cluster.resource(id).id));
    if !view.show.by_node {
        return entry;
    }
    let below = view.shown(Show { resource_only: true, ..view.show });
    entry.items(state.running.iter().filter_map(|&id| primitive::entry(below, id)))
}
