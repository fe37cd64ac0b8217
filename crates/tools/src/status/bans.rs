// SPDX-License-Identifier: GPL-2.0-or-later
//! Location constraints that keep resources off nodes.

use super::nodes::display_name;
use super::{Lists, Show};
use model::{Role, Score};
use scheduler::{Cluster, Location, NodeId};
use xml::Element;

/// A constraint, a node it keeps the resource off, and how much.
pub(super) type Ban<'a> = (&'a Location, NodeId, Score);

pub(super) fn all(cluster: &Cluster) -> impl Iterator<Item = Ban<'_>> {
    let pairs = cluster
        .locations
        .iter()
        .flat_map(|location| location.nodes.iter().map(move |&(node, score)| (location, node, score)));
    pairs.filter(|(_, _, score)| *score < Score::ZERO)
}

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, show: Show, spacer: bool) -> bool {
    let mut section = lists.section("Negative Location Constraints", spacer);
    for (location, node, _) in all(cluster) {
        section.open(lists);
        let role = match location.role {
            Role::Promoted => "in Promoted role ",
            Role::Unpromoted => "in Unpromoted role ",
            _ => "",
        };
        let node = display_name(cluster, node, show);
        let resource = &cluster.resource(location.resource).id;
        lists.item(format_args!("{}\tprevents {resource} from running {role}on {node}", location.id));
    }
    section.close(lists)
}

pub(super) fn xml(cluster: &Cluster, (location, node, score): Ban<'_>) -> Element {
    let promoted = location.role == Role::Promoted;
    Element::new("ban")
        .with_attr("id", &location.id)
        .with_attr("resource", &cluster.resource(location.resource).id)
        .with_attr("node", &cluster.node(node).name)
        .with_attr("weight", score.value())
        .with_attr("promoted-only", promoted)
        // The name of before 2.1, which readers still look for.
        .with_attr("master_only", promoted)
}
