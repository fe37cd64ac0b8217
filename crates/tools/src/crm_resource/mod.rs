// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_resource`: resources as they are, and what administrators do with them.
//!
//! Decides: what each command needs, which resource and node are meant, what is printed. Given: the CIB (the cluster's or
//! a file's). Leaves to others: the state of resources (`scheduler`), changes of the CIB (its manager), failures and
//! history (the attribute manager and the controllers), running agents (`agents`).

mod agent;
mod attribute;
mod clear;
mod config;
mod constraints;
mod digests;
mod execute;
mod find;
mod history;
mod list;
mod locate;
mod location;
mod operations;
mod options;
mod restart;
mod set;
mod site;
mod usage;
mod wait;
mod why;

#[cfg(test)]
mod tests;

use crate::cib_access::CibSession;
use crate::command_line::{self, Tool};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use model::{ExitCode, StandardRc, WallTime};
use options::{Command, Options};
use site::Site;
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::SystemTime;

const PROGRAM: &str = Options::NAME;

/// There is no such thing (`ENXIO`).
const NOTHING: StandardRc = StandardRc::new(6);

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    run(&args, now(), || CibSession::open(PROGRAM), out, &mut io::stderr())
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

/// The program with what it touches: arguments (its name first), the time, how to open the CIB, and the streams.
pub(crate) fn run(
    args: &[OsString],
    now: WallTime,
    open: impl FnOnce() -> Result<CibSession, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    command_line::run::<Options>(args, out, err, |options, out| explained(work(options, now, open, out)))
}

fn now() -> WallTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// Whatever went wrong but the command line is followed by the words for the exit code.
fn explained(ended: Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    let failure = match ended {
        Ok(code @ (ExitCode::OK | ExitCode::USAGE)) => return Ok(code),
        Ok(code) => Failure::bare(code),
        Err(failure) => failure,
    };
    let code = failure.code;
    let text = match (failure.text.clone(), code) {
        (Some(text), ExitCode::USAGE) => text,
        (Some(text), code) => format!("{text}\nError performing operation: {code}"),
        (None, code) => format!("Error performing operation: {code}"),
    };
    Err(Failure { text: Some(text), ..failure })
}

fn work(
    options: &Options,
    now: WallTime,
    open: impl FnOnce() -> Result<CibSession, Failure>,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let overrides = usage::checked(options)?;
    if options.names_agent() {
        usage::no_node(options)?;
        return execute::from_command_line(options, &overrides, out);
    }
    let needs = options.command.needs();
    if needs.cluster {
        let mut site = Site::open(options, now, open()?, out)?;
        return with_site(&mut site, &overrides, out);
    }
    match options.command {
        Command::Delete => {
            let session = open()?;
            usage::no_node(options)?;
            set::delete_resource(options, session)
        }
        Command::Wait => {
            let session = open()?;
            usage::no_node(options)?;
            wait::until_stable(options, session, out)
        }
        command => {
            usage::no_node(options)?;
            agent::answer(options, command, out)
        }
    }
}

/// What needs a cluster that is understood.
fn with_site(
    site: &mut Site<'_>,
    overrides: &[(String, String)],
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    match site.options.command {
        Command::ListRaw => list::names(site, out),
        Command::ListCts => list::for_tests(site, out),
        Command::ListOperations => operations::list(site, true, out),
        Command::ListAllOperations => operations::list(site, false, out),
        Command::QueryXml => config::show(site, config::Form::Expanded, out),
        Command::QueryXmlRaw => config::show(site, config::Form::Raw, out),
        Command::GetParameter => attribute::show(site, out),
        Command::Locate => locate::show(site, out),
        Command::Constraints => constraints::show(site, out),
        Command::Why => why::show(site, out),
        Command::Digests => digests::show(site, overrides, out),
        Command::Cleanup => history::cleanup(site, out),
        Command::Refresh => history::refresh(site, out),
        Command::Fail => history::fail(site, out),
        Command::SetParameter => set::set(site, out),
        Command::DeleteParameter => set::delete(site, out),
        Command::Move => location::move_resource(site, out),
        Command::Ban => location::ban(site, out),
        Command::Clear => clear::clear(site, out),
        Command::Restart => restart::restart(site, out),
        Command::Execute => execute::resource(site, overrides, out),
        _ => list::status(site, out),
    }
}

/// Something said in both forms at once: as whole lines, and as an element of which there may be any number.
struct Said {
    text: String,
    entry: Entry,
}

impl Message for Said {
    fn text(&self, _quiet: bool) -> String {
        self.text.clone()
    }

    fn entries(&self) -> Vec<Entry> {
        vec![self.entry.clone()]
    }
}

/// A list in the form that reports have for what has no form of its own.
fn plain_list(title: &str, items: Vec<Entry>) -> Entry {
    Entry::new("list").attr("name", title).attr("count", items.len()).items(items)
}

/// A refusal in a number of Pacemaker's.
fn refused(rc: StandardRc) -> Failure {
    Failure::bare(rc.exit_code())
}
