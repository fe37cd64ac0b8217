// SPDX-License-Identifier: GPL-2.0-or-later
//! Moving resources: constraints that make them prefer a node or keep off one, and taking those back.

use super::Task;
use crate::failure::Failure;
use crate::status::Lists;
use model::ExitCode;
use scheduler::{NodeId, Variant};
use std::collections::BTreeSet;
use xml::Element;

fn location(id: String) -> Element {
    Element::new("rsc_location").with_attr("id", id)
}

/// For one node and role, with a score.
fn scored(id: String, resource: &str, node: &str, score: &str) -> Element {
    let constraint = location(id)
        .with_attr("rsc", resource)
        .with_attr("role", "Started")
        .with_attr("node", node)
        .with_attr("score", score);
    Element::new("constraints").with_child(constraint)
}

/// Keeps a resource off a node: the given one, or the only one it is on.
pub(super) fn ban(task: &mut Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let node = match task.node {
        Some(node) => node,
        None => only_node(task)?,
    };
    keep_off(task, lists, node)?;
    Ok(ExitCode::OK)
}

/// Moves a resource to a node, or away from the only one it is on.
pub(super) fn move_resource(task: &mut Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let Some(destination) = task.node else { return ban(task, lists) };
    let (id, resource) = task.resource()?;
    let active = task.active_on(id);
    if active.len() > 1 && resource.variant != Variant::Clone {
        return Err(Failure::bare(ExitCode::MULTIPLE));
    }
    let current = active.first().copied().filter(|_| active.len() == 1);
    if current == Some(destination) && !task.options.force {
        return Err(Failure::bare(ExitCode::EXISTS));
    }
    let name = task.requested().to_owned();
    let node = task.node_name(destination).to_owned();
    // An older wish, and an older ban from where it shall go, would be in the way.
    for id in [format!("cli-prefer-{name}"), format!("cli-ban-{name}-on-{node}")] {
        task.session.delete("constraints", location(id))?;
    }
    let wish = scored(format!("cli-prefer-{name}"), &name, &node, "INFINITY");
    task.session.modify("constraints", wish)?;
    if let Some(current) = current.filter(|&current| task.options.force && current != destination) {
        keep_off(task, lists, current)?;
    }
    Ok(ExitCode::OK)
}

fn only_node(task: &Task<'_>) -> Result<NodeId, Failure> {
    let (id, _) = task.resource()?;
    match task.active_on(id).as_slice() {
        [node] => Ok(*node),
        nodes => {
            let (name, count) = (task.requested(), nodes.len());
            Err(Failure::usage(format_args!(
                "Resource '{name}' not moved: active in {count} locations.\n\
                 To prevent '{name}' from running on a specific location, specify a node."
            )))
        }
    }
}

fn keep_off(task: &mut Task<'_>, lists: &mut Lists<'_>, node: NodeId) -> Result<(), Failure> {
    let (name, node) = (task.requested().to_owned(), task.node_name(node).to_owned());
    let id = format!("cli-ban-{name}-on-{node}");
    lists.info(format_args!(
        "WARNING: Creating rsc_location constraint '{id}' with a score of -INFINITY for resource {name} on {node}.\n\
         \tThis will prevent {name} from running on {node} until the constraint is removed using the clear option or by \
         editing the CIB with an appropriate tool.\n\
         \tThis will be the case even if {node} is the last node in the cluster"
    ));
    task.session.modify("constraints", scored(id, &name, &node, "-INFINITY"))
}

/// Takes back what moving and banning made: all of it, or that for one node.
pub(super) fn clear(task: &mut Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let name = task.requested().to_owned();
    let node = task.node.map(|node| task.node_name(node).to_owned());
    let cib = task.cluster.cib.clone();
    let present = cib.descend(&["configuration", "constraints"]);
    let ours = |constraint: &&Element| {
        let Some(id) = constraint.id() else { return false };
        let prefer = id == format!("cli-prefer-{name}");
        match &node {
            // A wish for another node stays, unless forced.
            Some(node) => {
                let for_node = constraint.attr("node") == Some(node) || task.options.force;
                id == format!("cli-ban-{name}-on-{node}") || (prefer && for_node)
            }
            None => prefer || id.starts_with(&format!("cli-ban-{name}-on-")),
        }
    };
    let found = present.into_iter().flat_map(|all| all.elements_named("rsc_location")).filter(ours);
    let ids: BTreeSet<String> = found.filter_map(|constraint| constraint.id().map(str::to_owned)).collect();
    for id in ids {
        task.session.delete("constraints", location(id.clone()))?;
        lists.info(format_args!("Removing constraint: {id}"));
    }
    Ok(ExitCode::OK)
}
