// SPDX-License-Identifier: GPL-2.0-or-later
//! A group: what is special about all of it, then its members.

use super::outline::Outline;
use super::resources::{self, is_active, is_disabled, unmanaged_word};
use super::{Only, Show, View, brief};
use crate::output::Entry;
use scheduler::ResourceId;

pub(super) fn tell(out: &mut Outline, view: View<'_>, id: ResourceId) -> bool {
    if !view.wants(id, true) {
        return false;
    }
    let mut section = out.section(title(view, id), false);
    if view.show.brief {
        let members = brief::wanted(view, &view.cluster.resource(id).children);
        if !members.is_empty() {
            section.open(out);
            brief::tell(out, view.shown(Show { inactive: true, ..view.show }), members);
        }
        return section.close(out);
    }
    for member in shown_members(view, id) {
        section.open(out);
        resources::tell_one(out, view, member);
    }
    section.close(out)
}

/// Its members: inactive ones only if wanted, or asked for by name.
fn shown_members(view: View<'_>, id: ResourceId) -> impl Iterator<Item = ResourceId> {
    let whole = view.names(id);
    view.cluster.resource(id).children.iter().copied().filter(move |&member| {
        let wanted = view.wants(member, false);
        if wanted && *view.resources != Only::All {
            return true;
        }
        (wanted || whole) && (view.show.inactive || is_active(view.cluster, member, false))
    })
}

fn title(view: View<'_>, id: ResourceId) -> String {
    let cluster = view.cluster;
    let group = cluster.resource(id);
    let mut words: Vec<String> = Vec::new();
    let partly = is_active(cluster, id, false) && !is_active(cluster, id, true);
    if partly && !view.show.inactive {
        let inactive = group.children.iter().filter(|&&member| !is_active(cluster, member, true)).count();
        words.push(format!("{inactive} member{} inactive", if inactive == 1 { "" } else { "s" }));
    }
    if is_disabled(cluster, id) {
        words.push("disabled".to_owned());
    }
    words.extend(unmanaged_word(group).map(str::to_owned));
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    format!("Resource Group: {}{words}{}", group.id, resources::description_in_brackets(view, id))
}

pub(super) fn entry(view: View<'_>, id: ResourceId) -> Option<Entry> {
    if !view.wants(id, true) {
        return None;
    }
    let group = view.cluster.resource(id);
    let mut members = shown_members(view, id).peekable();
    // Counted from the first that is shown to the last there is, as it always has been.
    let first = *members.peek()?;
    let count = group.children.iter().skip_while(|&&member| member != first).count();
    let entry = Entry::new("group")
        .attr("id", &*group.id)
        .attr("number_resources", count)
        .attr("maintenance", group.state.maintenance)
        .attr("managed", group.state.managed)
        .attr("disabled", is_disabled(view.cluster, id))
        .attr_opt("description", resources::description(view, id));
    Some(entry.items(members.filter_map(|member| resources::entry_of(view, member))))
}
