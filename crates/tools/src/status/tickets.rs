// SPDX-License-Identifier: GPL-2.0-or-later
//! Tickets: which this cluster has, of those it knows.

use super::View;
use super::outline::Outline;
use crate::date;
use crate::output::Entry;
use model::table_order;
use scheduler::{Cluster, Ticket};
use std::collections::BTreeSet;
use xml::Element;

fn status(ticket: &Ticket) -> &'static str {
    if ticket.granted { "granted" } else { "revoked" }
}

/// The tickets in the order of Pacemaker's table, in which those with a state come first and then those that constraints
/// name.
fn shown(cluster: &Cluster) -> impl Iterator<Item = (&str, &Ticket)> {
    let states = states(cluster).filter_map(Element::id);
    let constraints = cluster.cib.descend(&["configuration", "constraints"]);
    let constraints = constraints.into_iter().flat_map(|all| all.elements_named("rsc_ticket"));
    let mut seen = BTreeSet::new();
    let names = states.chain(constraints.filter_map(|constraint| constraint.attr("ticket")));
    let names: Vec<&str> =
        names.filter(|name| cluster.tickets.contains_key(*name) && seen.insert(*name)).collect();
    let order = table_order(names.iter().copied());
    order.into_iter().filter_map(move |at| {
        let name = *names.get(at)?;
        Some((name, cluster.tickets.get(name)?))
    })
}

/// What the CIB holds of tickets.
fn states(cluster: &Cluster) -> impl Iterator<Item = &Element> {
    let lists = cluster.cib.child("status").into_iter().flat_map(|status| status.elements_named("tickets"));
    lists.flat_map(|list| list.elements_named("ticket_state"))
}

pub(super) fn tell(out: &mut Outline, view: View<'_>, spacer: bool) -> bool {
    let mut section = out.section("Tickets", spacer);
    for (id, ticket) in shown(view.cluster) {
        section.open(out);
        let standby = if ticket.standby { " [standby]" } else { "" };
        let last = ticket.last_granted.map(|secs| format!(" last-granted=\"{}\"", date::local(secs)));
        out.line(format!("{id}\t{}{standby}{}", status(ticket), last.unwrap_or_default()));
    }
    section.close(out)
}

pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    let mut tickets = shown(view.cluster).peekable();
    tickets.peek()?;
    Some(Entry::new("tickets").items(tickets.map(|(id, ticket)| {
        let entry = Entry::new("ticket")
            .attr("id", id)
            .attr("status", status(ticket))
            .attr("standby", ticket.standby)
            .attr_opt("last-granted", ticket.last_granted.map(date::local));
        // What the ones above say already is not said twice.
        let said = ["last-granted", "expires", "standby", "id", "status"];
        let others = ticket.attributes.iter().filter(|(name, _)| !said.contains(&&***name));
        others.fold(entry, |entry, (name, value)| entry.attr(&**name, &**value))
    })))
}
