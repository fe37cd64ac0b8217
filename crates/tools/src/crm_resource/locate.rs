// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a resource runs.

use super::Said;
use super::site::Site;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use model::{ExitCode, Role};
use scheduler::{Cluster, NodeId, Resource, ResourceId, Variant};

/// A node that a resource runs on.
pub(super) struct Place {
    pub node: NodeId,
    pub promoted: bool,
}

/// Where it runs; the node that was found last comes first.
pub(super) fn places(cluster: &Cluster, id: ResourceId, requested: &str) -> Vec<Place> {
    let resource = cluster.resource(id);
    let clone = match resource.variant {
        Variant::Clone => Some(id),
        _ => clone_by_instances_name(cluster, id, resource, requested),
    };
    let instances = match clone {
        Some(clone) => cluster.resource(clone).children.clone(),
        None => vec![id],
    };
    let mut places = Vec::new();
    for instance in instances {
        let promoted = cluster.traits(instance).promotable && cluster.role_of(instance) == Role::Promoted;
        let nodes = cluster.resource(instance).state.active_on.iter();
        places.extend(nodes.map(|&node| Place { node, promoted }));
    }
    places.reverse();
    places
}

/// The clone, if the name is what all its instances have in common.
fn clone_by_instances_name(
    cluster: &Cluster,
    id: ResourceId,
    resource: &Resource,
    requested: &str,
) -> Option<ResourceId> {
    let top = cluster.outermost(id);
    let is_common = !resource.state.unique
        && resource.history_id.as_deref() == Some(requested)
        && &*resource.id != requested;
    (is_common && cluster.resource(top).variant == Variant::Clone).then_some(top)
}

pub(super) fn show(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (id, _) = site.resource()?;
    let requested = site.requested();
    let places = places(&site.cluster, id, requested);
    if out.is_text() && places.is_empty() {
        if !out.is_quiet() {
            out.error(format_args!("resource {requested} is NOT running"));
        }
        return Ok(ExitCode::OK);
    }
    let quiet = out.is_quiet();
    let line = |place: &Place| {
        let (node, promoted) = (site.node_name(place.node), if place.promoted { " Promoted" } else { "" });
        if quiet {
            format!("{node}\n")
        } else {
            format!("resource {requested} is running on: {node}{promoted}\n")
        }
    };
    let entry = |place: &Place| {
        let state = place.promoted.then_some("promoted");
        Entry::new("node").attr_opt("state", state).text(site.node_name(place.node))
    };
    out.say(&Said {
        text: places.iter().map(line).collect(),
        entry: Entry::new("nodes").attr("resource", requested).items(places.iter().map(entry)),
    })?;
    Ok(ExitCode::OK)
}
