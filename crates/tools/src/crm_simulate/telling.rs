// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a simulation tells its story: lists for people as it goes, or one report for programs at the end.
//!
//! Decides: which of the two a thing is told in. Given: what there is to tell, in both forms. Leaves to others: the words,
//! how lists and reports are laid out.

use crate::failure::Failure;
use crate::output::{Entry, Output};
use crate::status::{self, Lists, Sections, Show, View};
use scheduler::Cluster;
use std::fmt::Display;

/// Who listens.
pub(super) enum Telling<'o, 'w> {
    /// People: titled lists, blank lines between them, nothing unnecessary if quiet.
    People(Lists<'o>),
    /// Programs: elements in elements. They are told everything, and none of the words between.
    Programs {
        /// The report.
        output: &'o mut Output<'w>,
        /// The lists that have begun and not ended, the innermost last.
        open: Vec<Entry>,
    },
}

impl<'o, 'w> Telling<'o, 'w> {
    /// To whoever the output is for; `fancy` titles and indents the lists.
    pub(super) fn new(output: &'o mut Output<'w>, fancy: bool) -> Telling<'o, 'w> {
        match output.is_text() {
            true => Telling::People(output.lists(fancy)),
            false => Telling::Programs { output, open: Vec::new() },
        }
    }

    /// Whether only the essential is to be told.
    pub(super) fn is_quiet(&self) -> bool {
        match self {
            Telling::People(lists) => lists.is_quiet(),
            Telling::Programs { .. } => false,
        }
    }

    /// Begins a list: its title, and the element it is in a report.
    pub(super) fn begin(&mut self, title: impl Display, entry: Entry) {
        match self {
            Telling::People(lists) => lists.begin(title),
            Telling::Programs { open, .. } => open.push(entry),
        }
    }

    /// Ends the list begun last.
    pub(super) fn end(&mut self) {
        match self {
            Telling::People(lists) => lists.end(),
            Telling::Programs { output, open } => {
                let Some(entry) = open.pop() else { return };
                match open.last_mut() {
                    Some(outer) => *outer = std::mem::replace(outer, Entry::new("")).child(entry),
                    None => output.add_once(entry),
                }
            }
        }
    }

    /// An item of the list begun last.
    pub(super) fn item(&mut self, text: impl Display, entry: impl FnOnce() -> Entry) {
        match self {
            Telling::People(lists) => lists.item(text),
            Telling::Programs { open, .. } => add(open, entry()),
        }
    }

    /// The same, unless only the essential is to be told.
    pub(super) fn detail(&mut self, text: impl Display, entry: impl FnOnce() -> Entry) {
        if !self.is_quiet() {
            self.item(text, entry);
        }
    }

    /// An item that a report has in another form.
    pub(super) fn words(&mut self, text: impl Display) {
        match self {
            Telling::People(lists) if !lists.is_quiet() => lists.item(text),
            Telling::People(_) | Telling::Programs { .. } => {}
        }
    }

    /// A line between lists. Says whether it was printed.
    pub(super) fn info(&mut self, text: impl Display) -> bool {
        match self {
            Telling::People(lists) => lists.info(text),
            Telling::Programs { .. } => false,
        }
    }

    /// Something went wrong.
    pub(super) fn error(&mut self, text: impl Display) {
        match self {
            Telling::People(lists) => lists.error(text),
            Telling::Programs { output, .. } => output.error(text),
        }
    }

    /// A line of the log, which goes to the standard error whoever listens.
    pub(super) fn log(&mut self, line: impl Display) {
        match self {
            Telling::People(lists) => lists.error(line),
            Telling::Programs { output, .. } => output.warn(line),
        }
    }

    /// A blank line, after something was printed.
    pub(super) fn spacer_if(&mut self, printed: bool) {
        if let (Telling::People(lists), true) = (self, printed) {
            lists.spacer();
        }
    }

    /// That the cluster is in maintenance mode, if it is. Says whether that was printed.
    pub(super) fn maintenance(&mut self, cluster: &Cluster) -> bool {
        match self {
            Telling::People(lists) => {
                cluster.options.maintenance_mode && status::maintenance_notice(lists, cluster)
            }
            Telling::Programs { .. } => false,
        }
    }

    /// The cluster's status, in the list begun last.
    pub(super) fn status(&mut self, cluster: &Cluster, sections: Sections, show: Show) {
        match self {
            Telling::People(lists) => drop(status::print_status(lists, cluster, sections, show)),
            Telling::Programs { open, .. } => {
                let Some(list) = open.last_mut() else { return };
                for section in View::new(cluster, sections, show).entries() {
                    *list = std::mem::replace(list, Entry::new("")).child(section);
                }
            }
        }
    }

    /// All is told; an error if it could not be printed.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Telling::People(lists) => lists.finish().map_err(Failure::unwritable),
            Telling::Programs { .. } => Ok(()),
        }
    }
}

fn add(open: &mut [Entry], entry: Entry) {
    if let Some(list) = open.last_mut() {
        *list = std::mem::replace(list, Entry::new("")).item(entry);
    }
}
