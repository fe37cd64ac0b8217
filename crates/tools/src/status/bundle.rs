// SPDX-License-Identifier: GPL-2.0-or-later
//! A bundle's lines: a title, then for each replica what runs in its container, under the name of its connection.

use super::primitive::describe_as;
use super::resources::{self, current_node, printable_id};
use super::{Lists, Show};
use scheduler::{Cluster, Replica, Resource, ResourceId};

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) -> bool {
    let bundle = cluster.resource(id);
    let mut section = lists.section(title(bundle, show), false);
    for replica in &bundle.replicas {
        section.open(lists);
        lists.item(line(cluster, replica, show));
    }
    section.close(lists)
}

fn line(cluster: &Cluster, replica: &Replica, show: Show) -> String {
    let mut name = printable_id(cluster.resource(replica.remote.unwrap_or(replica.container))).to_owned();
    if let Some(address) = &replica.address {
        name.push_str(&format!(" ({address})"));
    }
    let node = current_node(cluster, replica.container);
    describe_as(cluster, replica.child.unwrap_or(replica.container), &name, node, show)
}

/// Its launcher (`docker`) and the image that this starts.
pub(super) fn launcher(bundle: &Resource) -> (&str, &str) {
    let known = bundle.xml.elements().find(|child| matches!(child.name(), "docker" | "podman"));
    known.map_or(("unknown", ""), |launcher| (launcher.name(), launcher.attr("image").unwrap_or_default()))
}

fn title(bundle: &Resource, show: Show) -> String {
    let set = if bundle.replicas.len() > 1 { " set" } else { "" };
    let unique = if bundle.state.unique { " (unique)" } else { "" };
    let special = match (bundle.state.maintenance, bundle.state.managed) {
        (true, _) => " (maintenance)",
        (false, false) => " (unmanaged)",
        (false, true) => "",
    };
    let description = resources::description(bundle, show);
    format!("Container bundle{set}: {} [{}]{unique}{description}{special}", bundle.id, launcher(bundle).1)
}
