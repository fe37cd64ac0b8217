// SPDX-License-Identifier: GPL-2.0-or-later
//! A group's lines: a title with what is special about all of it, then its members.

use super::resources::{is_active, is_disabled, print_one};
use super::{Lists, Show, brief, resources};
use scheduler::{Cluster, ResourceId};

pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) -> bool {
    let mut section = lists.section(title(cluster, id, show), false);
    let members = &cluster.resource(id).children;
    if show.brief {
        section.open(lists);
        brief::print(lists, cluster, members.iter().copied(), Show { inactive: true, ..show });
        return section.close(lists);
    }
    for &member in members {
        if show.inactive || is_active(cluster, member, false) {
            section.open(lists);
            print_one(lists, cluster, member, show);
        }
    }
    section.close(lists)
}

fn title(cluster: &Cluster, id: ResourceId, show: Show) -> String {
    let group = cluster.resource(id);
    let mut words: Vec<String> = Vec::new();
    let partly = is_active(cluster, id, false) && !is_active(cluster, id, true);
    if partly && !show.inactive {
        let inactive = group.children.iter().filter(|&&member| !is_active(cluster, member, true)).count();
        words.push(format!("{inactive} member{} inactive", if inactive == 1 { "" } else { "s" }));
    }
    if is_disabled(cluster, id) {
        words.push("disabled".to_owned());
    }
    if group.state.maintenance {
        words.push("maintenance".to_owned());
    } else if !group.state.managed {
        words.push("unmanaged".to_owned());
    }
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let description = resources::description(group, show);
    format!("Resource Group: {}{words}{description}", group.id)
}
