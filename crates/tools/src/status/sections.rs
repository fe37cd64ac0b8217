// SPDX-License-Identifier: GPL-2.0-or-later
//! Which parts of the status are shown, by the names they have on command lines, and how.

/// Which parts of the status are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// What the cluster runs on.
    pub stack: bool,
    /// Who decides.
    pub dc: bool,
    /// When the status was taken, and when the configuration was changed.
    pub times: bool,
    /// How many nodes and resources there are.
    pub counts: bool,
    /// That nothing is managed, if so.
    pub maintenance: bool,
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
    /// Failed fencing.
    pub fencing_failed: bool,
    /// Fencing that goes on.
    pub fencing_pending: bool,
    /// Fencing that worked.
    pub fencing_succeeded: bool,
    /// Tickets.
    pub tickets: bool,
    /// Location constraints that keep resources off nodes.
    pub bans: bool,
}

/// Gives access to one section.
pub(crate) type Slot = fn(&mut Sections) -> &mut bool;

/// The sections by name. The names of several stand for all of them.
pub(crate) const NAMED: [(&str, &[Slot]); 19] = [
    ("attributes", &[|s| &mut s.attributes]),
    ("bans", &[|s| &mut s.bans]),
    ("counts", &[|s| &mut s.counts]),
    ("dc", &[|s| &mut s.dc]),
    ("failcounts", &[|s| &mut s.fail_counts]),
    ("failures", &[|s| &mut s.failures]),
    ("fencing", &[|s| &mut s.fencing_failed, |s| &mut s.fencing_pending, |s| &mut s.fencing_succeeded]),
    ("fencing-failed", &[|s| &mut s.fencing_failed]),
    ("fencing-pending", &[|s| &mut s.fencing_pending]),
    ("fencing-succeeded", &[|s| &mut s.fencing_succeeded]),
    ("maint-mode", &[|s| &mut s.maintenance]),
    ("nodes", &[|s| &mut s.nodes]),
    ("operations", &[|s| &mut s.operations]),
    ("options", &[|s| &mut s.options]),
    ("resources", &[|s| &mut s.resources]),
    ("stack", &[|s| &mut s.stack]),
    (
        "summary",
        &[|s| &mut s.stack, |s| &mut s.dc, |s| &mut s.times, |s| &mut s.counts, |s| &mut s.maintenance],
    ),
    ("tickets", &[|s| &mut s.tickets]),
    ("times", &[|s| &mut s.times]),
];

impl Sections {
    /// All.
    pub const ALL: Sections = Sections {
        stack: true,
        dc: true,
        times: true,
        counts: true,
        maintenance: true,
        options: true,
        nodes: true,
        resources: true,
        attributes: true,
        fail_counts: true,
        operations: true,
        failures: true,
        fencing_failed: true,
        fencing_pending: true,
        fencing_succeeded: true,
        tickets: true,
        bans: true,
    };

    /// What people see if they say nothing.
    pub const FOR_PEOPLE: Sections = Sections {
        options: false,
        attributes: false,
        fail_counts: false,
        operations: false,
        fencing_failed: false,
        fencing_pending: false,
        fencing_succeeded: false,
        tickets: false,
        bans: false,
        ..Sections::ALL
    };

    /// Shows or hides the sections of a name; says whether it is one.
    pub(crate) fn set(&mut self, name: &str, on: bool) -> bool {
        let named = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.iter().flat_map(|(_, slots)| slots.iter()).for_each(|slot| *slot(self) = on);
        named.is_some()
    }

    /// Shows others, too.
    pub(crate) fn show_also(&mut self, mut others: Sections) {
        for slot in NAMED.iter().flat_map(|(_, slots)| slots.iter()) {
            *slot(self) |= *slot(&mut others);
        }
    }

    /// Every kind of fencing is shown.
    pub(crate) const fn has_all_fencing(&self) -> bool {
        self.fencing_failed && self.fencing_pending && self.fencing_succeeded
    }

    /// Some kind of fencing is shown.
    pub(crate) const fn has_fencing(&self) -> bool {
        self.fencing_failed || self.fencing_pending || self.fencing_succeeded
    }
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
    /// Resources that the configuration does not name, such as connections into containers.
    pub implicit: bool,
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

impl Show {
    /// Shows more, or less, of everything that has more to it.
    pub(crate) fn set_details(&mut self, on: bool) {
        self.node_ids = on;
        self.feature_sets = on;
        self.descriptions = on;
        self.clone_detail = on;
        self.implicit = on;
        self.failure_details = on;
    }
}
