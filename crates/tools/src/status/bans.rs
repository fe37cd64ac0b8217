// SPDX-License-Identifier: GPL-2.0-or-later
//! Location constraints that keep resources off nodes.

use super::View;
use super::nodes::display_name;
use super::outline::Outline;
use super::resources::printable_id;
use crate::output::Entry;
use model::{Role, Score};
use scheduler::{Location, NodeId};

/// A constraint, a node it keeps the resource off, and how much.
type Ban<'a> = (&'a Location, NodeId, Score);

fn shown<'a>(view: View<'a>) -> impl Iterator<Item = Ban<'a>> {
    let cluster = view.cluster;
    let wanted = move |location: &&'a Location| {
        let named = |id| view.resources.has(printable_id(cluster.resource(id)));
        // What the health of nodes forbids is no constraint of anybody's; it goes by the name of the strategy.
        Some(location.id.as_str()) != cluster.options.value("node-health-strategy")
            && location.id.starts_with(view.ban_prefix)
            && (named(location.resource) || named(cluster.top_of(location.resource)))
    };
    // The last one comes first, as it always has.
    let locations = cluster.locations.iter().rev().filter(wanted);
    let pairs = locations
        .flat_map(|location| location.nodes.iter().rev().map(move |&(node, score)| (location, node, score)));
    pairs.filter(|(_, _, score)| *score < Score::ZERO)
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let mut section = out.section("Negative Location Constraints", spacer);
    for (location, node, _) in shown(view) {
        section.open(out);
        let role = if location.role == Role::Promoted { "in Promoted role " } else { "" };
        let node = display_name(view, node);
        let resource = &view.cluster.resource(location.resource).id;
        out.line(format!("{}\tprevents {resource} from running {role}on {node}", location.id));
    }
    section.close(out)
}

pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    let mut bans = shown(view).peekable();
    bans.peek()?;
    Some(Entry::new("bans").items(bans.map(|(location, node, score)| {
        let promoted = location.role == Role::Promoted;
        Entry::new("ban")
            .attr("id", &location.id)
            .attr("resource", &*view.cluster.resource(location.resource).id)
            .attr("node", &*view.cluster.node(node).name)
            .attr("weight", score.value())
            .attr("promoted-only", promoted)
            // The name of before 2.1, which readers still look for.
            .attr("master_only", promoted)
    })))
}
