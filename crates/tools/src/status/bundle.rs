// SPDX-License-Identifier: GPL-2.0-or-later
//! A bundle: for each replica what runs in its container, under the name of its connection; or, where the parts of a
//! replica are looked at, each of them.

use super::outline::Outline;
use super::primitive;
use super::resources::{self, current_node, is_elsewhere, printable_id, unmanaged_word};
use super::{Medium, Show, View};
use crate::output::Entry;
use scheduler::{Replica, Resource, ResourceId};

/// A replica of which something is shown.
struct Shown<'a> {
    number: usize,
    replica: &'a Replica,
    /// The parts that are looked at, in the order in which they are shown.
    parts: Vec<ResourceId>,
}

/// The replicas of which something is shown.
fn shown<'a>(view: View<'a>, id: ResourceId) -> impl Iterator<Item = Shown<'a>> {
    let whole = is_whole(view, id);
    let replicas = view.cluster.resource(id).replicas.iter().enumerate();
    replicas.filter_map(move |(number, replica)| {
        if is_elsewhere(view, replica.container) {
            return None;
        }
        let parts = [replica.ip, replica.child, Some(replica.container), replica.remote];
        let parts: Vec<ResourceId> =
            parts.into_iter().flatten().filter(|&part| view.wants(part, whole)).collect();
        (whole || !parts.is_empty()).then_some(Shown { number, replica, parts })
    })
}

/// Whether all of it is looked at, not some parts of it.
fn is_whole(view: View<'_>, id: ResourceId) -> bool {
    view.resources.has(&view.cluster.resource(id).id)
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, id: ResourceId) -> bool {
    if !view.wants(id, true) {
        return false;
    }
    let in_parts = view.show.implicit || !is_whole(view, id);
    let several = view.cluster.resource(id).replicas.len() > 1;
    let mut section = out.section(title(view, id), false);
    for shown in shown(view, id) {
        section.open(out);
        if in_parts {
            tell_parts(out, view, &shown, several);
        } else {
            tell_replica(out, view, shown.replica);
        }
    }
    section.close(out)
}

fn tell_parts(out: &mut Outline, view: View<'_>, shown: &Shown<'_>, several: bool) {
    let title = format!("Replica[{}]", shown.number);
    let listed = match (view.medium, several) {
        (Medium::Text, several) => {
            if several {
                out.line(title);
            }
            out.begin_untitled();
            true
        }
        (Medium::Page, true) => {
            out.begin(title);
            true
        }
        (Medium::Page, false) => false,
    };
    let view = view.shown(Show { implicit: true, ..view.show });
    for &part in &shown.parts {
        resources::tell_one(out, view, part);
    }
    if listed {
        out.end();
    }
}

fn tell_replica(out: &mut Outline, view: View<'_>, replica: &Replica) {
    let cluster = view.cluster;
    let mut name = printable_id(cluster.resource(replica.remote.unwrap_or(replica.container))).to_owned();
    if let Some(address) = &replica.address {
        name.push_str(&format!(" ({address})"));
    }
    let node = current_node(cluster, replica.container);
    primitive::tell_as(out, view, replica.child.unwrap_or(replica.container), &name, node);
}

/// Its launcher (`docker`) and the image that this starts.
fn launcher(bundle: &Resource) -> (&str, &str) {
    let known = bundle.xml.elements().find(|child| matches!(child.name(), "docker" | "podman"));
    known.map_or(("unknown", ""), |launcher| (launcher.name(), launcher.attr("image").unwrap_or_default()))
}

fn title(view: View<'_>, id: ResourceId) -> String {
    let bundle = view.cluster.resource(id);
    let set = if bundle.replicas.len() > 1 { " set" } else { "" };
    let unique = if bundle.state.unique { " (unique)" } else { "" };
    let special = unmanaged_word(bundle).map(|word| format!(" ({word})")).unwrap_or_default();
    let description = resources::description_in_brackets(view, id);
    format!("Container bundle{set}: {} [{}]{unique}{description}{special}", bundle.id, launcher(bundle).1)
}

pub(super) fn entry(view: View<'_>, id: ResourceId) -> Option<Entry> {
    if !view.wants(id, true) {
        return None;
    }
    let replicas: Vec<Shown<'_>> = shown(view, id).collect();
    if replicas.is_empty() {
        return None;
    }
    let bundle = view.cluster.resource(id);
    let (launcher, image) = launcher(bundle);
    let entry = Entry::new("bundle")
        .attr("id", &*bundle.id)
        .attr("type", launcher)
        .attr("image", image)
        .attr("unique", bundle.state.unique)
        .attr("maintenance", bundle.state.maintenance)
        .attr("managed", bundle.state.managed)
        .attr("failed", bundle.state.failed)
        .attr_opt("description", resources::description(view, id));
    Some(entry.items(replicas.into_iter().map(|shown| {
        let parts = shown.parts.iter().filter_map(|&part| resources::entry_of(view, part));
        Entry::new("replica").attr("id", shown.number.to_string()).items(parts)
    })))
}
