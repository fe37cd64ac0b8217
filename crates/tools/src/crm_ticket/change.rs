// SPDX-License-Identifier: GPL-2.0-or-later
//! Granting, revoking and forgetting tickets, and setting their attributes.

use super::options::{Changes, Options};
use super::tickets::{Ticket, states};
use super::{NOT_ALLOWED, NOTHING, failed, no_ticket, unknown};
use crate::cib_access::{CibSession, Refused};
use crate::failure::Failure;
use crate::output::Output;
use ::cib::Operation;
use messages::cib::option;
use model::{ExitCode, WallTime, parse_bool};
use std::collections::BTreeMap;
use xml::Element;

/// Tickets by id.
pub(super) type Known = BTreeMap<String, Ticket>;

/// What is known where a change is to be made.
pub(super) struct Site<'a> {
    pub cib: &'a Element,
    pub known: &'a Known,
    pub force: bool,
    pub now: WallTime,
}

impl Site<'_> {
    /// Forgets all that is known of a ticket.
    pub fn forget(
        &self,
        session: &mut CibSession,
        ticket: &str,
        out: &mut Output<'_>,
    ) -> Result<ExitCode, Failure> {
        if !self.force {
            let known = self.known.get(ticket).ok_or_else(|| unknown(ticket))?;
            if known.is_granted() {
                out.error(revoke_warning(ticket));
                return Ok(NOT_ALLOWED.exit_code());
            }
        }
        let states = states(self.cib, Some(ticket));
        if states.len() > 1 {
            tell_several(ticket, out)?;
        }
        for state in &states {
            let state = (*state).clone();
            if let Err(Refused { rc, .. }) =
                session.attempt(Operation::Delete, option::NONE, STATUS, state)?
            {
                return Err(failed("Could not clean up ticket", rc));
            }
        }
        if !states.is_empty() {
            out.info(format_args!("Cleaned up {ticket}"))?;
        }
        Ok(ExitCode::OK)
    }

    /// Sets and deletes attributes.
    pub fn change(
        &self,
        session: &mut CibSession,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<ExitCode, Failure> {
        let (changes, delete) = (&options.changes, options.delete_attr.as_slice());
        let ticket = checked(changes, delete, options.ticket.as_deref())?;
        let granted = changes.set.iter().find(|(name, _)| name == "granted").map(|(_, value)| value.as_str());
        let unsafe_ = match delete {
            [] => granted.is_some(),
            delete => delete.iter().any(|name| name == "granted"),
        };
        let states = states(self.cib, Some(ticket));
        if states.len() > 1 {
            tell_several(ticket, out)?;
        }
        if unsafe_ && !self.force {
            let grants = delete.is_empty() && granted.and_then(parse_bool).unwrap_or(false);
            out.error(if grants { grant_warning(ticket) } else { revoke_warning(ticket) });
            return Err(Failure::new(ExitCode::UNSAFE, "Ticket modification not allowed without --force"));
        }
        let (operation, data) = match (delete, states.as_slice()) {
            ([], []) => {
                let state = self.set(Element::new("ticket_state").with_attr("id", ticket), ticket, changes);
                let tickets = Element::new("tickets").with_child(state);
                (Operation::Modify, Element::new(STATUS).with_child(tickets))
            }
            ([], [state]) => (Operation::Modify, self.set((*state).clone(), ticket, changes)),
            (delete, [state]) => {
                let mut state = (*state).clone();
                delete.iter().for_each(|name| {
                    state.remove_attr(name);
                });
                (Operation::Replace, state)
            }
            // Of nothing, nothing can be deleted, and of several it is not known which is meant.
            _ => return Err(failed("Could not modify ticket", NOTHING)),
        };
        match session.attempt(operation, option::NONE, STATUS, data)? {
            Ok(()) => Ok(ExitCode::OK),
            Err(Refused { rc, .. }) => Err(failed("Could not modify ticket", rc)),
        }
    }

    /// The state with what is to be set; a ticket that is granted anew knows since when.
    fn set(&self, mut state: Element, ticket: &str, changes: &Changes) -> Element {
        let had_it = self.known.get(ticket).is_some_and(Ticket::is_granted);
        for (name, value) in &changes.set {
            state.set_attr(name.clone(), value);
            if name == "granted" && !had_it && parse_bool(value).unwrap_or(false) {
                state.set_attr("last-granted", self.now.secs);
            }
        }
        state
    }
}

const STATUS: &str = "status";

/// The ticket, if all is there that a change needs.
fn checked<'t>(changes: &Changes, delete: &[String], ticket: Option<&'t str>) -> Result<&'t str, Failure> {
    let Changes { set, name_without_value, value_without_name } = changes;
    let some = !set.is_empty() || !delete.is_empty();
    if !some && name_without_value.as_deref().is_none_or(str::is_empty) {
        return Err(Failure::usage("Must supply a command"));
    }
    let ticket = ticket.ok_or_else(no_ticket)?;
    if let Some(value) = value_without_name {
        return Err(Failure::usage(format_args!("Must supply attribute name with -S for -v {value}")));
    }
    match name_without_value {
        Some(name) if some => {
            return Err(Failure::usage(format_args!("Must supply attribute value with -v for -S {name}")));
        }
        Some(name) => return Err(Failure::usage(format_args!("Must supply value with -v for -S {name}"))),
        None => {}
    }
    let names = set.iter().map(|(name, _)| name).chain(delete);
    for name in names {
        if name == "id" {
            return Err(Failure::usage("The id of a ticket cannot be changed"));
        }
        if name.is_empty() || name.contains(':') || xml::sanitized_id(name) != *name {
            let text = format!(
                "'{name}' is no name of an attribute: only letters, digits, '_', '-' and '.' can be in it"
            );
            return Err(Failure::usage(text));
        }
    }
    Ok(ticket)
}

pub(super) fn tell_several(ticket: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    out.info(format_args!("Multiple ticket_states match ticket={ticket}"))
}

fn grant_warning(ticket: &str) -> String {
    format!(
        "This command cannot help you verify whether '{ticket}' has been already granted elsewhere.\n\
         If you really want to grant '{ticket}' to this site now, and you know what you are doing,\n\
         please specify --force."
    )
}

/// To the letter what Pacemaker says, which front-ends look for.
fn revoke_warning(ticket: &str) -> String {
    format!(
        "Revoking '{ticket}' can trigger the specified 'loss-policy'(s) relating to '{ticket}'.\n\n\
         You can check that with:\n\
         crm_ticket --ticket {ticket} --constraints\n\n\
         Otherwise before revoking '{ticket}', you may want to make '{ticket}'standby with:\n\
         crm_ticket --ticket {ticket} --standby\n\n\
         If you really want to revoke '{ticket}' from this site now, and you know what you are doing,\n\
         please specify --force."
    )
}
