// SPDX-License-Identifier: GPL-2.0-or-later
//! The cluster status, as `crm_mon`, `crm_simulate` and `crm_resource` show it.
//!
//! Decides: which sections are shown, of what, how, in which words. Given: a cluster as the scheduler read it, and what
//! the daemons say besides. Leaves to others: where the CIB comes from, and what the states mean.
//!
//! A [`View`] says what of a cluster is looked at. Every part of the status (nodes, clones, bans, ...) has a file that knows
//! its facts and tells them twice: to people as a part of an [`Outline`], which is printed as text (`lists`) or as a page
//! (`html`), and to programs as report entries, which become XML or JSON (`output`).

mod attributes;
mod bans;
mod brief;
mod bundle;
mod clone;
mod failures;
pub(crate) mod fencing;
mod filter;
mod group;
mod history;
mod html;
mod lists;
mod nodes;
mod outline;
mod primitive;
mod resources;
mod sections;
mod summary;
mod tickets;

pub(crate) use fencing::FencingHistory;
pub(crate) use filter::Only;
pub(crate) use html::Page;
pub use lists::Lists;
pub(crate) use outline::Outline;
pub use resources::Counts;
pub use sections::{Sections, Show};
pub(crate) use summary::friendly_state;
pub use summary::{Daemons, maintenance_notice};

use crate::output::Entry;
use scheduler::{Cluster, ResourceId};

/// What people read the status on. The words are the same but in few places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Medium {
    /// Text.
    #[default]
    Text,
    /// A page of HTML.
    Page,
}

/// What of a cluster is shown, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// What is looked at.
    pub cluster: &'a Cluster,
    /// Which parts.
    pub sections: Sections,
    /// In which way.
    pub show: Show,
    /// For whom; of no meaning to entries.
    pub medium: Medium,
    /// Which nodes.
    pub nodes: &'a Only,
    /// Which resources.
    pub resources: &'a Only,
    /// How ids of the bans that are shown begin.
    pub ban_prefix: &'a str,
    /// What the daemons say.
    pub daemons: &'a Daemons,
    /// What was fenced, if that is looked at.
    pub fencing: Option<&'a FencingHistory>,
}

impl<'a> View<'a> {
    /// All nodes and resources of a cluster, as text.
    pub fn new(cluster: &'a Cluster, sections: Sections, show: Show) -> View<'a> {
        View {
            cluster,
            sections,
            show,
            medium: Medium::Text,
            nodes: &Only::ALL,
            resources: &Only::ALL,
            ban_prefix: "",
            daemons: &Daemons::UNKNOWN,
            fencing: None,
        }
    }

    /// The same with every resource.
    fn of_all_resources(self) -> View<'a> {
        View { resources: &Only::ALL, ..self }
    }

    /// The same with another way of showing.
    fn shown(self, show: Show) -> View<'a> {
        View { show, ..self }
    }

    /// The status for people; says whether there was anything to show.
    pub fn tell(self, out: &mut Outline) -> bool {
        let mut told = summary::tell(out, self);
        if self.sections.nodes {
            told |= nodes::tell(out, self, told);
        }
        if self.sections.resources {
            told |= resources::tell(out, self, told);
        }
        if self.sections.attributes {
            told |= attributes::tell(out, self, told);
        }
        if self.sections.fail_counts || self.sections.operations {
            told |= history::tell(out, self, told);
        }
        if self.sections.failures {
            told |= failures::tell(out, self, told);
        }
        let mut history_failure_told = false;
        told |= fencing::tell_failed(out, self, told, &mut history_failure_told);
        // Pages have what was fenced before tickets and bans, texts after them.
        if self.medium == Medium::Page {
            told |= fencing::tell_others(out, self, told, false);
        }
        if self.sections.tickets {
            told |= tickets::tell(out, self, told);
        }
        if self.sections.bans {
            told |= bans::tell(out, self, told);
        }
        if self.medium == Medium::Text {
            told |= fencing::tell_others(out, self, told, history_failure_told);
        }
        told
    }

    /// One resource with all that is in it, for people; says whether there was anything to show.
    pub fn tell_resource(self, out: &mut Outline, id: ResourceId) -> bool {
        resources::tell_one(out, self, id)
    }

    /// The status for programs, a section an entry.
    pub fn entries(self) -> Vec<Entry> {
        // What is for programs is never brief: they choose themselves.
        let view = self.shown(Show { brief: false, ..self.show });
        let sections = [
            summary::entry(view),
            view.sections.nodes.then(|| nodes::entry(view)),
            view.sections.resources.then(|| resources::entry(view)).flatten(),
            view.sections.attributes.then(|| attributes::entry(view)).flatten(),
            (view.sections.fail_counts || view.sections.operations).then(|| history::entry(view)).flatten(),
            view.sections.failures.then(|| failures::entry(view)).flatten(),
            fencing::entry(view),
            view.sections.tickets.then(|| tickets::entry(view)).flatten(),
            view.sections.bans.then(|| bans::entry(view)).flatten(),
        ];
        sections.into_iter().flatten().collect()
    }

    /// One resource with all that is in it, for programs; none if nothing of it is shown.
    pub fn resource_entry(self, id: ResourceId) -> Option<Entry> {
        resources::entry_of(self, id)
    }
}

/// Prints the status; says whether there was anything to print.
pub fn print_status(lists: &mut Lists<'_>, cluster: &Cluster, sections: Sections, show: Show) -> bool {
    let mut outline = Outline::default();
    let told = View::new(cluster, sections, show).tell(&mut outline);
    outline.print(lists);
    told
}

/// Prints one resource with all that is in it.
pub fn print_resource(lists: &mut Lists<'_>, cluster: &Cluster, id: ResourceId, show: Show) -> bool {
    let mut outline = Outline::default();
    let told = View::new(cluster, Sections::default(), show).tell_resource(&mut outline, id);
    outline.print(lists);
    told
}

/// Prints into a text: lists as people see them, without what went wrong.
pub(crate) fn rendered(fancy: bool, quiet: bool, print: impl FnOnce(&mut Lists<'_>)) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    print(&mut Lists::new(&mut out, &mut err, fancy, quiet));
    String::from_utf8_lossy(&out).into_owned()
}

/// A primitive's line but for where it is.
pub(crate) fn state_of(cluster: &Cluster, id: ResourceId) -> String {
    let show = Show { resource_only: true, pending: true, ..Show::default() };
    let name = resources::printable_id(cluster.resource(id));
    primitive::describe(View::new(cluster, Sections::default(), show), id, name, None)
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
