// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_ticket`: what a cluster site may run only while it has a ticket for it, and whether it has.
//!
//! Decides: what is asked for, what needs `--force`, what is printed. Leaves to others: what tickets do (the scheduler),
//! changing the CIB (its manager), which site gets which ticket (booth).

mod change;
mod options;
mod show;
mod tickets;

use crate::acceptable::acceptable;
use crate::cib_access::{CibSession, read_file};
use crate::command_line::{self, Tool};
use crate::failure::Failure;
use crate::output::Output;
use model::{ExitCode, StandardRc, WallTime};
use options::{Command, Detail, Options};
use show::{Attribute, Constraints, List, States};
use std::ffi::OsString;
use std::time::SystemTime;
use xml::Element;

/// What there is none of.
const NOTHING: StandardRc = StandardRc::new(6);
/// What may not be done.
const NOT_ALLOWED: StandardRc = StandardRc::new(13);

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    command_line::main(&args, |options, out| work(options, now, &|| CibSession::open(Options::NAME), out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(
    options: &Options,
    now: WallTime,
    open: &dyn Fn() -> Result<CibSession, Failure>,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let mut session = open()?;
    let cib = session.read()?.map_err(|refused| failed("Could not get local CIB", refused.rc))?;
    let current = match &options.xml_file {
        Some(path) => read_file(path).map_err(|error| Failure::new(ExitCode::NOINPUT, error))?,
        None => cib.clone(),
    };
    let current = acceptable(&current, |line| out.warn(line)).map_err(|refusal| {
        let text = "Could not update local CIB to latest schema version";
        Failure::new(ExitCode::CONFIG, text).with_detail(refusal)
    })?;
    let known = tickets::tickets(&current);
    let site = change::Site { cib: &cib, known: &known, force: options.force, now };
    let ticket = options.ticket.as_deref();
    match options.command {
        Command::List(detail) => list(&known, ticket, detail, out),
        Command::State => state(&cib, ticket, out),
        Command::Constraints => {
            let constraints = tickets::constraints(&cib, ticket);
            if constraints.is_empty() {
                return Err(failed("Could not show ticket constraints", NOTHING));
            }
            out.say(&Constraints(constraints)).map(|()| ExitCode::OK)
        }
        Command::GetAttribute => attribute(options, &known, out),
        Command::Cleanup => site.forget(&mut session, ticket.ok_or_else(no_ticket)?, out),
        Command::Change => site.change(&mut session, options, out),
    }
}

fn failed(what: &str, rc: StandardRc) -> Failure {
    Failure::new(rc.exit_code(), format_args!("{what}: {rc}"))
}

fn no_ticket() -> Failure {
    Failure::usage("Must supply ticket ID with -t")
}

fn unknown(ticket: &str) -> Failure {
    Failure::new(ExitCode::NOSUCH, format_args!("No such ticket '{ticket}'"))
}

fn list(
    known: &change::Known,
    ticket: Option<&str>,
    detail: Detail,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let tickets = match ticket {
        Some(id) => vec![(id, known.get(id).ok_or_else(|| unknown(id))?)],
        None => known.iter().map(|(id, ticket)| (id.as_str(), ticket)).collect(),
    };
    out.say(&List { tickets, detail }).map(|()| ExitCode::OK)
}

fn state(cib: &Element, ticket: Option<&str>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let nothing = || failed("Could not query ticket XML", NOTHING);
    let states = tickets::states(cib, ticket);
    let shown = match (ticket, states.as_slice()) {
        (None, _) => cib.descend(&["status", "tickets"]).ok_or_else(nothing)?.clone(),
        (Some(_), []) => return Err(nothing()),
        (Some(_), [state]) => (*state).clone(),
        (Some(ticket), several) => {
            change::tell_several(ticket, out)?;
            Element::new("xpath-query").with_children(several.iter().map(|state| (*state).clone()))
        }
    };
    out.say(&States { shown, states }).map(|()| ExitCode::OK)
}

fn attribute(options: &Options, known: &change::Known, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let Some(ticket) = options.ticket.as_deref() else {
        return Err(Failure { code: ExitCode::NOSUCH, ..no_ticket() });
    };
    let name = options.get_attr.as_deref().unwrap_or_default();
    let value = known.get(ticket).and_then(|ticket| ticket.attribute(name)).or(options.default.as_deref());
    match value {
        Some(value) => out.say(&Attribute { ticket, name, value }).map(|()| ExitCode::OK),
        // The exit code says it.
        None => Ok(ExitCode::NOSUCH),
    }
}
