// SPDX-License-Identifier: GPL-2.0-or-later
//! Which resources there are.

use super::site::Site;
use super::{Said, find, plain_list};
use crate::failure::Failure;
use crate::output::{Entry, Output};
use crate::status::{self, Sections, Show, View};
use model::ExitCode;
use scheduler::{Cluster, ResourceId};

/// All resources with their state.
pub(super) fn status(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let sections = Sections { resources: true, ..Sections::default() };
    let show = Show { inactive: true, pending: true, resource_only: true, ..Show::default() };
    let mut printed = false;
    let text = status::rendered(true, out.is_quiet(), |lists| {
        printed = status::print_status(lists, &site.cluster, sections, show);
    });
    if out.is_text() {
        out.print(&text)?;
    } else {
        let entries = View::new(&site.cluster, sections, show).entries();
        entries.into_iter().for_each(|entry| out.add_once(entry));
    }
    // That there are none counts as not finding any.
    Ok(if printed { ExitCode::OK } else { ExitCode::NOSUCH })
}

/// The ids of what really runs.
pub(super) fn names(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let cluster = &site.cluster;
    if cluster.top.is_empty() {
        out.error("NO resources configured\n");
        return Ok(ExitCode::NOSUCH);
    }
    let leaves = find::in_order(cluster).map(|id| cluster.resource(id));
    let names: Vec<&str> = leaves.filter(|leaf| leaf.children.is_empty()).map(|leaf| &*leaf.id).collect();
    let item = |name: &&str| Entry::new("item").attr("name", "resource").text(*name);
    out.say(&Said {
        text: names.iter().map(|name| format!("{name}\n")).collect(),
        entry: plain_list("resource names", names.iter().map(item).collect()),
    })?;
    Ok(ExitCode::OK)
}

/// What Pacemaker's cluster tests want to know, in the form they read.
pub(super) fn for_tests(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let cluster = &site.cluster;
    for id in find::in_order(cluster) {
        let resource = cluster.resource(id);
        let attr = |name| resource.xml.attr(name);
        let history_id = resource.history_id.as_ref().unwrap_or(&resource.id);
        let parent = resource.parent.map_or("NA", |parent| &*cluster.resource(parent).id);
        let host = cluster.node_of(id).map_or("NA", |node| site.node_name(node));
        let flags = flags(cluster, id);
        out.info(format_args!(
            "Resource: {} {} {history_id} {parent} {} {} {} {host} {} {flags} {flags:#018x}",
            resource.xml.name(),
            resource.id,
            attr("provider").unwrap_or("NA"),
            attr("class").unwrap_or("(null)"),
            attr("type").unwrap_or("(null)"),
            u8::from(!resource.state.fence_device),
        ))?;
    }
    let constraints = cluster.cib.descend(&["configuration", "constraints"]);
    for constraint in constraints.into_iter().flat_map(|all| all.elements_named("rsc_colocation")) {
        let words = ["id", "rsc", "with-rsc", "score", "rsc-role", "with-rsc-role"];
        let words = words.map(|name| constraint.attr(name).unwrap_or("NA"));
        out.info(format_args!("Constraint {} {}", constraint.name(), words.join(" ")))?;
    }
    Ok(ExitCode::OK)
}

/// Properties of a resource as the bits that Pacemaker's scheduler keeps them in.
fn flags(cluster: &Cluster, id: ResourceId) -> u64 {
    let (state, traits) = (&cluster.resource(id).state, cluster.traits(id));
    let bits = [
        (0, state.removed),
        (1, state.managed),
        (2, state.blocked),
        (3, state.removed_filler),
        (4, traits.notify),
        (5, state.unique),
        (6, state.fence_device),
        (7, traits.promotable),
        (8, traits.unassigned),
        (12, state.stop_if_failed),
        (13, state.reload),
        (14, traits.nested),
        (15, state.critical),
        (16, state.failed),
        (18, traits.remote_connection),
        (19, state.start_pending),
        (20, traits.exclusive_probes),
        (22, state.stop_unexpected),
        (23, state.migratable),
        (24, state.failure_ignored),
        (25, traits.container),
        (26, state.maintenance),
        (28, state.needs_quorum),
        (29, state.needs_fencing),
        (30, state.needs_unfencing),
    ];
    bits.into_iter().filter(|(_, set)| *set).fold(0, |flags, (bit, _)| flags | 1 << bit)
}
