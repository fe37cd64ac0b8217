// SPDX-License-Identifier: GPL-2.0-or-later
//! Resources by their agents: how many, and how many of them are active where.

use super::primitive::agent_name;
use super::{Lists, Show};
use scheduler::{Cluster, NodeId, ResourceId, Variant};
use std::collections::BTreeMap;

/// What there is of one agent.
#[derive(Default)]
struct Tally {
    all: usize,
    active: BTreeMap<NodeId, usize>,
}

/// Prints a line per agent and node for the primitives among `resources`; says whether there were any.
pub(super) fn print(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    resources: impl Iterator<Item = ResourceId>,
    show: Show,
) -> bool {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for id in resources {
        let resource = cluster.resource(id);
        if resource.variant != Variant::Primitive {
            continue;
        }
        let tally = tallies.entry(agent_name(resource)).or_default();
        tally.all += 1;
        for &node in &resource.state.active_on {
            let state = &cluster.node(node).state;
            if state.unclean || state.online || !resource.state.managed {
                *tally.active.entry(node).or_default() += 1;
            }
        }
    }
    let mut printed = false;
    for (agent, Tally { all, active }) in tallies {
        let of_all = if show.inactive { format!("/{all}") } else { String::new() };
        for (&node, count) in &active {
            let name = if show.by_node { "" } else { &*cluster.node(node).name };
            lists.item(format_args!("{count}{of_all}\t({agent}):\tActive {name}"));
            printed = true;
        }
        if show.inactive && active.is_empty() {
            lists.item(format_args!("0{of_all}\t({agent}):\tActive"));
            printed = true;
        }
    }
    printed
}
