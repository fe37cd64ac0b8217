// SPDX-License-Identifier: GPL-2.0-or-later
//! The cluster status, as `crm_mon` and `crm_simulate` show it.
//!
//! Decides: which sections are shown, how, in which words. Given: a cluster as the scheduler read it. Leaves to others:
//! where the CIB comes from, and what the states mean.

mod bans;
mod brief;
mod bundle;
mod clone;
mod failures;
mod group;
mod history;
mod lists;
mod nodes;
mod primitive;
mod resources;
mod summary;
pub(crate) mod xml_form;

pub use lists::Lists;
pub use resources::Counts;
pub(crate) use summary::friendly_state;
pub use summary::{Daemons, maintenance_notice};

use scheduler::Cluster;

/// Which parts of the status are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// Stack, DC, times and counts.
    pub summary: bool,
    /// Cluster options.
    pub options: bool,
    /// Nodes.
    pub nodes: bool,
    /// Resources.
    pub resources: bool,
    /// Node attributes.
    pub attributes: bool,
    /// How often resources failed on nodes.
    pub fail_counts: bool,
    /// What was run on nodes, with fail counts.
    pub operations: bool,
    /// Failed actions.
    pub failures: bool,
    /// Location constraints that keep resources off nodes.
    pub bans: bool,
}

/// How they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Inactive resources too.
    pub inactive: bool,
    /// What is being done with resources right now.
    pub pending: bool,
    /// Nodes' ids, where they differ from their names.
    pub node_ids: bool,
    /// Nodes' feature sets, and with them a line for each node.
    pub feature_sets: bool,
    /// Descriptions of resources.
    pub descriptions: bool,
    /// Each instance of a clone, even if there is nothing special about it.
    pub clone_detail: bool,
    /// Resources counted by their agents.
    pub brief: bool,
    /// Resources below the nodes they run on.
    pub by_node: bool,
    /// Resources without the nodes they run on.
    pub resource_only: bool,
    /// Operations with when and how long they ran.
    pub timing: bool,
    /// Failed actions with all technical details.
    pub failure_details: bool,
}

/// Prints the status; says whether there was anything to print.
pub fn print_status(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    sections: Sections,
    show: Show,
    daemons: Option<&Daemons>,
) -> bool {
    let mut printed = summary::print(lists, cluster, sections, show, daemons);
    if sections.nodes {
        printed |= nodes::print(lists, cluster, show, printed);
    }
    if sections.resources {
        printed |= resources::print(lists, cluster, show, printed);
    }
    if sections.attributes {
        printed |= nodes::print_attributes(lists, cluster, show, printed);
    }
    if sections.fail_counts || sections.operations {
        printed |= history::print(lists, cluster, sections, show, printed);
    }
    if sections.failures {
        printed |= failures::print(lists, cluster, show, printed);
    }
    if sections.bans {
        printed |= bans::print(lists, cluster, show, printed);
    }
    printed
}

/// Prints one resource with all that is in it.
pub fn print_resource(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    id: scheduler::ResourceId,
    show: Show,
) -> bool {
    resources::print_one(lists, cluster, id, show)
}

/// Prints into a text: lists as people see them, without what went wrong.
pub(crate) fn rendered(fancy: bool, quiet: bool, print: impl FnOnce(&mut Lists<'_>)) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    print(&mut Lists::new(&mut out, &mut err, fancy, quiet));
    String::from_utf8_lossy(&out).into_owned()
}

/// A primitive's line but for where it is.
pub(crate) fn state_of(cluster: &Cluster, id: scheduler::ResourceId) -> String {
    primitive::describe(cluster, id, None, Show { resource_only: true, pending: true, ..Show::default() })
}

/// Whether nothing may be run on a node because of its health: as far as the strategy says so by itself.
pub(crate) fn is_too_ill(cluster: &Cluster, node: scheduler::NodeId) -> bool {
    let health = nodes::health(cluster, cluster.node(node));
    match cluster.options.value("node-health-strategy") {
        Some("migrate-on-red") => health == nodes::Health::Red,
        Some("only-green") => health != nodes::Health::Green,
        _ => false,
    }
}
