// SPDX-License-Identifier: GPL-2.0-or-later
//! What a schedule will do, a line each for the log.

use scheduler::{Action, Cluster, NodeId, ResourceId, Schedule};
use std::collections::BTreeMap;

/// What happens to one resource.
#[derive(Default)]
struct Change<'a> {
    stop: Option<&'a Action>,
    start: Option<&'a Action>,
    promote: Option<&'a Action>,
    demote: Option<&'a Action>,
}

/// The lines: fencing first, then the resources in their order. Probes and recurring operations are not worth one.
pub(super) fn lines(cluster: &Cluster, schedule: &Schedule) -> Vec<String> {
    let mut lines = Vec::new();
    let mut changes: BTreeMap<ResourceId, Change<'_>> = BTreeMap::new();
    for action in schedule.actions.iter().filter(|action| action.in_graph && !action.pseudo) {
        match (action.resource, &*action.task) {
            (None, "stonith") => {
                let why = reason(&[Some(action)]);
                lines.push(format!("Actions: Fence      {}{why}", node(cluster, action.node)));
            }
            (None, "do_shutdown") => {
                lines.push(format!("Actions: Shutdown   {}", node(cluster, action.node)));
            }
            (Some(resource), "stop") => changes.entry(resource).or_default().stop = Some(action),
            (Some(resource), "start") => changes.entry(resource).or_default().start = Some(action),
            (Some(resource), "promote") => changes.entry(resource).or_default().promote = Some(action),
            (Some(resource), "demote") => changes.entry(resource).or_default().demote = Some(action),
            _ => {}
        }
    }
    for (resource, change) in changes {
        if let Some(line) = resource_line(cluster, resource, &change) {
            lines.push(line);
        }
    }
    lines
}

fn resource_line(cluster: &Cluster, resource: ResourceId, change: &Change<'_>) -> Option<String> {
    let at = |action: Option<&Action>| node(cluster, action.and_then(|action| action.node));
    let why = reason(&[change.stop, change.start, change.promote, change.demote]);
    let (verb, place) = match (change.stop, change.start) {
        (Some(stop), Some(start)) if stop.node == start.node => ("Restart", at(Some(start))),
        (Some(stop), Some(start)) => ("Move", format!("{} -> {}", at(Some(stop)), at(Some(start)))),
        (Some(stop), None) => ("Stop", at(Some(stop))),
        (None, Some(start)) => ("Start", at(Some(start))),
        (None, None) => match (change.demote, change.promote) {
            (Some(demote), None) => ("Demote", at(Some(demote))),
            (_, Some(promote)) => ("Promote", at(Some(promote))),
            (None, None) => return None,
        },
    };
    let id = &cluster.resources.get(resource.index())?.id;
    Some(format!("Actions: {verb:<10} {id} ( {place} ){why}"))
}

fn node(cluster: &Cluster, node: Option<NodeId>) -> String {
    let found = node.and_then(|node| cluster.nodes.get(node.index()));
    found.map_or_else(|| "unknown".to_owned(), |node| node.name.to_string())
}

fn reason(actions: &[Option<&Action>]) -> String {
    let reason = actions.iter().flatten().find_map(|action| action.reason.as_ref());
    reason.map_or_else(String::new, |reason| format!("  due to {reason}"))
}
