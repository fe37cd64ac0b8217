// SPDX-License-Identifier: GPL-2.0-or-later
//! How tickets are printed.

use super::options::Detail;
use super::tickets::{Ticket, seconds};
use crate::date;
use crate::output::{Entry, Message};
use std::collections::BTreeSet;
use xml::{Element, write_indented};

/// Tickets with what is wanted of them.
pub(super) struct List<'t> {
    pub tickets: Vec<(&'t str, &'t Ticket)>,
    pub detail: Detail,
}

impl Message for List<'_> {
    fn text(&self, _quiet: bool) -> String {
        let line = |(id, ticket): &(&str, &Ticket)| match self.detail {
            Detail::Ids => format!("{id}\n"),
            Detail::Info => format!("{id}\t{}{}\n", status(ticket), last_granted(ticket)),
            Detail::All => format!("{id}\t{}{}\n", status(ticket), details(ticket)),
        };
        self.tickets.iter().map(line).collect()
    }

    fn entries(&self) -> Vec<Entry> {
        // Of nothing, nothing is said.
        match self.tickets.as_slice() {
            [] => Vec::new(),
            tickets => vec![
                tickets
                    .iter()
                    .fold(Entry::new("tickets"), |all, (id, ticket)| all.item(described(id, ticket))),
            ],
        }
    }
}

const fn word(granted: bool) -> &'static str {
    if granted { "granted" } else { "revoked" }
}

fn status(ticket: &Ticket) -> String {
    format!("{}{}", word(ticket.is_granted()), if ticket.is_standby() { " [standby]" } else { "" })
}

fn last_granted(ticket: &Ticket) -> String {
    let moment = ticket.last_granted().map(|secs| format!(" last-granted=\"{}\"", date::local(secs)));
    moment.unwrap_or_default()
}

fn details(ticket: &Ticket) -> String {
    if ticket.state.is_empty() {
        return String::new();
    }
    let shown = |(name, value): &(String, String)| match name.as_str() {
        "last-granted" | "expires" => format!("{name}={}", date::local(seconds(value))),
        _ => format!("{name}={value}"),
    };
    let attributes: Vec<String> = ticket.state.iter().map(shown).collect();
    let gap = if ticket.last_granted().is_some() { " " } else { "" };
    format!("{gap}\t({})", attributes.join(", "))
}

fn described(id: &str, ticket: &Ticket) -> Entry {
    let entry = Entry::new("ticket").attr("id", id).attr("status", word(ticket.is_granted()));
    let entry = entry.attr("standby", ticket.is_standby());
    let entry = entry.attr_opt("last-granted", ticket.last_granted().map(date::local));
    let told = ["status", "standby", "last-granted", "expires"];
    let more = ticket.state.iter().filter(|(name, _)| !told.contains(&name.as_str()));
    more.fold(entry, |entry, (name, value)| entry.attr(name, value))
}

/// What the CIB holds of tickets.
pub(super) struct States<'c> {
    /// What is shown to people.
    pub shown: Element,
    pub states: Vec<&'c Element>,
}

impl Message for States<'_> {
    fn text(&self, _quiet: bool) -> String {
        format!("State XML:\n\n{}", write_indented(&self.shown))
    }

    fn entries(&self) -> Vec<Entry> {
        let ticket = |state: &Element| {
            let attributes = state.attributes().into_iter();
            attributes.fold(Entry::new("ticket"), |entry, attribute| {
                entry.attr(&**attribute.name(), attribute.value())
            })
        };
        vec![self.states.iter().fold(Entry::new("tickets"), |all, state| all.item(ticket(state)))]
    }
}

/// Constraints that depend on tickets.
pub(super) struct Constraints<'c>(pub Vec<&'c Element>);

impl Message for Constraints<'_> {
    fn text(&self, _quiet: bool) -> String {
        let each = self.0.iter().map(|constraint| write_indented(constraint));
        format!("Constraints XML:\n\n{}", each.collect::<String>())
    }

    fn entries(&self) -> Vec<Entry> {
        let attr = |element: &Element, name| element.attr(name).unwrap_or_default().to_owned();
        let mut tickets = Entry::new("tickets");
        let mut resources = Entry::new("resources");
        let mut named = BTreeSet::new();
        for constraint in &self.0 {
            let inner = Entry::new("constraints").item(*constraint);
            tickets = tickets.item(Entry::new("ticket").attr("id", attr(constraint, "ticket")).child(inner));
            // What a constraint refers to must be there, once, for the report to be valid.
            let resource = attr(constraint, "rsc");
            if named.insert(resource.clone()) {
                resources = resources.item(Entry::new("resource").attr("id", resource));
            }
        }
        vec![tickets, resources]
    }
}

/// One attribute of a ticket.
pub(super) struct Attribute<'t> {
    pub ticket: &'t str,
    pub name: &'t str,
    pub value: &'t str,
}

impl Message for Attribute<'_> {
    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.value)
    }

    fn entries(&self) -> Vec<Entry> {
        let attribute = Entry::new("attribute").attr("name", self.name).attr("value", self.value);
        let ticket = Entry::new("ticket").attr("id", self.ticket).child(attribute);
        vec![Entry::new("tickets").item(ticket)]
    }
}
