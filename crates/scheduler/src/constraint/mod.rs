// SPDX-License-Identifier: GPL-2.0-or-later
//! Constraints as configured: where, with whom, in which order.
//!
//! Decides: which constraints there are, with sets, tags and templates expanded. Given: `constraints`. Leaves to others:
//! applying them (`stage`).

mod colocation;
mod location;
mod order;
mod sets;
mod ticket;

pub(crate) use colocation::{Colocation, ColocationId, Terms};
pub(crate) use order::{Ordering, Side};
pub(crate) use ticket::TicketTerms;

use crate::{Cluster, ConfigIssue, ResourceId};

impl Cluster {
    pub(crate) fn unpack_constraints(&mut self) {
        let Some(section) = self.section("constraints") else { return };
        for element in section.elements() {
            let Some(id) = element.id() else {
                let issue = format!("Ignoring <{}> constraint without id", element.name());
                self.note_issue(ConfigIssue::error(issue));
                continue;
            };
            self.ledger.orderings_of(self.orderings.len(), id);
            match element.name() {
                "rsc_order" => self.unpack_order(element, id),
                "rsc_colocation" => self.unpack_colocation(element, id),
                "rsc_location" => self.unpack_location(element, id),
                "rsc_ticket" => self.unpack_ticket_constraint(element, id),
                other => {
                    let issue = format!("Unsupported constraint type: {other}");
                    self.note_issue(ConfigIssue::error(issue));
                }
            }
        }
        self.ledger.orderings_of(self.orderings.len(), "");
    }

    /// The resource a constraint names; says so if there is none.
    fn constrained(&mut self, constraint: &str, name: &str) -> Option<ResourceId> {
        // A name that instances go by in histories stands for all of them.
        let by_history = || self.by_history.get(name).map(|&instance| self.top_of(instance));
        let found = self.resource_named(name).or_else(by_history);
        if found.is_none() {
            let issue = format!("No resource, template, or tag named '{name}'");
            self.note_issue(ConfigIssue::warning(issue).logged_by("find_constraint_tag"));
            let issue =
                format!("Ignoring constraint '{constraint}' because '{name}' is not a valid resource or tag");
            self.note_issue(ConfigIssue::error(issue));
        }
        found
    }
}
