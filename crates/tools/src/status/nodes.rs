// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of nodes, and that of their attributes.

use super::{Lists, Show, brief, primitive, resources, summary};
use model::Score;
use scheduler::{Cluster, Node, NodeId, NodeKind, ResourceId};

/// What runs on a node.
pub(super) fn resources_on(cluster: &Cluster, node: NodeId) -> impl Iterator<Item = ResourceId> {
    cluster.node(node).state.running.iter().copied()
}

/// A node's name; if details are wanted, with the node a guest is on, and with its id.
pub(super) fn display_name(cluster: &Cluster, id: NodeId, show: Show) -> String {
    let node = cluster.node(id);
    let mut name = node.name.to_string();
    if !show.node_ids {
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

/// How healthy a node is by its `#health` attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    Red,
    Yellow,
    Green,
}

impl Health {
    pub(super) const fn as_str(self) -> &'static str {
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

fn status(cluster: &Cluster, id: NodeId) -> &'static str {
    let state = &cluster.node(id).state;
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
        match (state.online, resources_on(cluster, id).next().is_some()) {
            (false, _) => "OFFLINE (standby)",
            (true, false) => "standby",
            (true, true) => "standby (with active resources)",
        }
    } else if state.maintenance {
        if state.online { "maintenance" } else { "OFFLINE (maintenance)" }
    } else if state.online {
        "online"
    } else {
        "OFFLINE"
    }
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

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, show: Show, spacer: bool) -> bool {
    let mut section = lists.section("Node List", spacer);
    let mut words: [(&str, Vec<String>); 5] = [
        ("Online", Vec::new()),
        ("OFFLINE", Vec::new()),
        ("RemoteOnline", Vec::new()),
        ("RemoteOFFLINE", Vec::new()),
        ("GuestOnline", Vec::new()),
    ];
    for (index, node) in cluster.nodes.iter().enumerate() {
        section.open(lists);
        let name = display_name(cluster, NodeId::new(index), show);
        if show.by_node || show.feature_sets || stands_out(cluster, node) {
            let kind = match node.kind {
                NodeKind::Cluster => "Node",
                NodeKind::Remote => "RemoteNode",
                NodeKind::Guest => "GuestNode",
            };
            let health = match health(cluster, node) {
                Health::Red => " (health is RED)",
                Health::Yellow => " (health is YELLOW)",
                Health::Green => "",
            };
            let set = summary::feature_set(node).filter(|_| show.feature_sets);
            let set = set.map(|set| format!(", feature set {set}")).unwrap_or_default();
            let line = format!("{kind} {name}: {}{health}{set}", status(cluster, NodeId::new(index)));
            if show.by_node {
                print_with_resources(lists, cluster, &line, NodeId::new(index), show);
            } else {
                lists.item(line);
            }
            continue;
        }
        let list = match (node.kind, node.state.online) {
            (NodeKind::Cluster, online) => usize::from(!online),
            (NodeKind::Remote, online) => 2 + usize::from(!online),
            (NodeKind::Guest, true) => 4,
            // A guest that is down is its launcher's business, which is listed.
            (NodeKind::Guest, false) => continue,
        };
        if let Some((_, names)) = words.get_mut(list) {
            names.push(name);
        }
    }
    for (label, names) in words {
        if !names.is_empty() {
            lists.labelled(label, format_args!("[ {} ]", names.join(" ")));
        }
    }
    section.close(lists)
}

fn print_with_resources(lists: &mut Lists<'_>, cluster: &Cluster, line: &str, node: NodeId, show: Show) {
    let mut resources = resources_on(cluster, node).peekable();
    if show.brief && resources.peek().is_none() {
        return;
    }
    lists.begin(line);
    lists.begin("Resources");
    if show.brief {
        brief::print(lists, cluster, resources, Show { inactive: false, by_node: true, ..show });
    } else {
        for id in resources {
            primitive::print_on_node(lists, cluster, id, show);
        }
    }
    lists.end();
    lists.end();
}

/// Attributes the cluster keeps for itself.
fn is_internal(name: &str) -> bool {
    const PREFIXES: [&str; 6] = ["fail-count", "last-failure", "shutdown", "terminate", "standby", "#"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

pub(super) fn shown_attributes(node: &Node) -> impl Iterator<Item = (&str, &str)> {
    let all = node.attributes.iter().map(|(name, value)| (&**name, &**value));
    all.filter(|(name, _)| !is_internal(name))
}

pub(super) fn print_attributes(lists: &mut Lists<'_>, cluster: &Cluster, show: Show, spacer: bool) -> bool {
    let mut section = lists.section("Node Attributes", spacer);
    for (index, node) in cluster.nodes.iter().enumerate().filter(|(_, node)| node.state.online) {
        let attributes: Vec<(&str, &str)> = shown_attributes(node).collect();
        if attributes.is_empty() {
            continue;
        }
        section.open(lists);
        lists.begin(format_args!("Node: {}", display_name(cluster, NodeId::new(index), show)));
        for (name, value) in attributes {
            lists.item(format_args!("{name:<32}\t: {value:<10}"));
        }
        lists.end();
    }
    section.close(lists)
}
