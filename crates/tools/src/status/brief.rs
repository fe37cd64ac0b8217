// SPDX-License-Identifier: GPL-2.0-or-later
//! Resources by their agents: how many, and how many of them are active where.

use super::View;
use super::outline::Outline;
use super::primitive::agent_name;
use super::resources::printable_id;
use scheduler::{NodeId, ResourceId, Variant};
use std::collections::BTreeMap;

/// What there is of one agent.
#[derive(Default)]
struct Tally {
    all: usize,
    active: BTreeMap<NodeId, usize>,
}

/// Those of some resources that are looked at, themselves or with what holds them.
pub(super) fn wanted(view: View<'_>, resources: &[ResourceId]) -> Vec<ResourceId> {
    let named = |id: ResourceId| view.resources.has(printable_id(view.cluster.resource(id)));
    let wanted = |id: &ResourceId| named(*id) || view.cluster.resource(*id).parent.is_some_and(named);
    resources.iter().copied().filter(wanted).collect()
}

/// A line per agent and node for the primitives among `resources`; says whether there were any.
pub(super) fn tell(out: &mut Outline, view: View<'_>, resources: Vec<ResourceId>) -> bool {
    let (cluster, show) = (view.cluster, view.show);
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
    let mut told = false;
    for (agent, Tally { all, active }) in tallies {
        let of_all = if show.inactive { format!("/{all}") } else { String::new() };
        for (&node, count) in &active {
            let name = if show.resource_only { "" } else { &*cluster.node(node).name };
            out.line(format!("{count}{of_all}\t({agent}):\tActive {name}"));
            told = true;
        }
        if show.inactive && active.is_empty() {
            out.line(format!("0{of_all}\t({agent}):\tActive"));
            told = true;
        }
    }
    told
}
