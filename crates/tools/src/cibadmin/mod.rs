// SPDX-License-Identifier: GPL-2.0-or-later
//! `cibadmin`: reads and changes the CIB.
//!
//! Decides: options, what is asked, how the answer is printed and what it exits with. Given: the command line and the
//! input it names. Leaves to others: which CIB (`cib_access`), and everything about changes (`cib`).

mod access;
mod options;

#[cfg(test)]
mod tests;

use crate::acceptable::tell_events;
use crate::cib_access::{Answer, CibAccess, read_file_or_stdin, read_pipe};
use crate::command_line;
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use ::cib::upgrade::Severity;
use ::cib::{newest_schema, schema};
use messages::cib::{Command, option};
use model::{ExitCode, LegacyRc, Profile};
use options::{Action, Options};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::time::Duration;
use xml::{Element, Escaping, digest_v1, digest_v2};

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    // Not locked: what `CIB_file=-` names is read elsewhere.
    command_line::main(&args, |options, out| work(options, &mut io::stdin(), out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, stdin: &mut dyn Read, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    perform(options, options.action, stdin, out).map(|()| ExitCode::OK)
}

fn perform(
    options: &Options,
    action: Action,
    stdin: &mut dyn Read,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if action.is_dangerous() && !options.force {
        let text = "The supplied command is considered dangerous. To prevent accidental destruction of the cluster, \
                    the --force flag is required in order to proceed.";
        return Err(Failure::new(ExitCode::UNSAFE, text));
    }
    let by_xpath = action.takes_xpath_for_input() && options.xpath.is_some();
    let input =
        if action.needs_input() && !by_xpath { Some(read_input(options, action, stdin)?) } else { None };
    match (action.operation(), input) {
        (Some(operation), input) => ask(options, action, operation, input, out),
        (None, None) => print_xml(out, &empty(options)),
        (None, Some(input)) => {
            let digest = match action {
                Action::Md5Sum => digest_v1(&input, Escaping::Modern),
                _ => digest_v2(&input, Escaping::Modern),
            };
            out.say(&Digest(digest))
        }
    }
}

/// A digest of what was given.
struct Digest(String);

impl Message for Digest {
    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.0)
    }

    fn entry(&self) -> Option<Entry> {
        Some(Entry::new("md5-sum").attr("digest", &self.0))
    }
}

fn print_xml(out: &mut Output<'_>, element: &Element) -> Result<(), Failure> {
    out.xml("output", &xml::write_indented(element))
}

/// An empty CIB that can be put in place of a running cluster's.
fn empty(options: &Options) -> Element {
    let mut empty = ::cib::empty(Profile::default()).with_attr("epoch", 1);
    let schema = options.empty.as_deref().filter(|schema| !schema.is_empty());
    empty.set_attr("validate-with", schema.unwrap_or(newest_schema(Profile::default())));
    empty
}

fn read_input(options: &Options, action: Action, stdin: &mut dyn Read) -> Result<Element, Failure> {
    let (source, read) = if let Some(file) = &options.xml_file {
        (
            file.display().to_string(),
            read_file_or_stdin(file, stdin).map_err(|error| error.place_and_problem()),
        )
    } else if let Some(text) = &options.xml_text {
        ("input string".to_owned(), xml::parse(text).map_err(|error| error.to_string()))
    } else if options.xml_pipe {
        ("stdin".to_owned(), read_pipe(stdin).map_err(|error| error.place_and_problem()))
    } else {
        let xpath = if action.takes_xpath_for_input() { "either --xpath or " } else { "" };
        return Err(Failure::usage(format_args!(
            "The supplied command requires {xpath}input via --xml-file, --xml-text, or --xml-pipe"
        )));
    };
    read.map_err(|why| {
        Failure::new(ExitCode::DATAERR, format_args!("Couldn't parse input from {source}")).with_detail(why)
    })
}

fn ask(
    options: &Options,
    action: Action,
    operation: &str,
    mut input: Option<Element>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if let (Action::Replace, Some(input)) = (action, &mut input)
        && input.name() == "cib"
        && ::cib::find_section(input, Some("status")).is_none()
    {
        input.push(Element::new("status"));
    }
    if let Some(scope) = &options.scope
        && (matches!(scope.as_str(), "cib" | "all") || ::cib::section_path(scope).is_none())
    {
        let text = format!("Invalid value '{scope}' for '--scope'. Operation will apply to the entire CIB");
        out.error(text);
    }
    // What is shown is the user's; it is read by who asks, who sees all of it.
    let shown = options.show_access.filter(|_| action == Action::Query);
    let shown = shown.map(|show| match &options.user {
        Some(user) => Ok((show, user.clone())),
        None => Err(Failure::new(ExitCode::USAGE, "-U/--user is required with -S/--show-access")),
    });
    let shown = shown.transpose()?;
    if let Some((_, user)) = &shown {
        warn_of_own_acls(user, out)?;
    }
    let mut timeout = options.timeout;
    if timeout < 1 {
        timeout = 30;
        out.error(format_args!("Timeout must be positive, defaulting to {timeout}"));
    }
    let timeout = Duration::from_secs(u64::try_from(timeout).unwrap_or(30));
    let command = Command {
        section: options.xpath.clone().or_else(|| options.scope.clone()),
        host: options.node.clone(),
        user: options.user.clone().filter(|_| shown.is_none()),
        data: input,
        ..Command::new(operation, 0, call_options(options, action))
    };
    let mut cib =
        CibAccess::open("cibadmin").map_err(|error| error.failure("Could not connect to the CIB API"))?;
    let answer = cib.call(command, timeout)?;
    // What an upgrade did is told to those who want to know.
    let down_to = match options.common.verbose {
        0 => None,
        1 => Some(Severity::Info),
        _ => Some(Severity::Debug),
    };
    tell_events(&answer.events, down_to, |line| out.warn(line));
    let result = report(action, options.common.verbose, &answer, out);
    match (&answer.data, &shown) {
        (Some(data), Some((show, user))) if answer.rc.is_ok() && data.name() == "cib" => {
            let text = access::rendered(data, user, *show)?;
            let end = if out.is_text() { "\n" } else { "" };
            out.xml("output", &(text + end))?;
        }
        (Some(data), _) => print_answer(options, data, out)?,
        // What could not be made is shown with why.
        (None, _) => match &answer.refused {
            Some(failed) if failed.name() == "failed" => print_xml(out, failed)?,
            _ => {}
        },
    }
    let closed = cib.close();
    result?;
    Ok(closed?)
}

/// Who is restricted cannot see all that decides what others may do.
fn warn_of_own_acls(user: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    let id = nix::unistd::geteuid();
    let Some(own) = nix::unistd::User::from_uid(id).ok().flatten() else {
        let text = format!("Failed to get username from password database for effective user ID {id}");
        return Err(Failure::new(ExitCode::NOSUCH, text));
    };
    if ::cib::acl::is_restricted(&own.name) {
        let text = format!(
            "Warning: cibadmin is being run as user {}, which is subject to ACLs. As a result, ACLs for user {user} may be \
             incorrect or incomplete in the output. In a future release, running as a privileged user (root or hacluster) \
             will be required for -S/--show-access.",
            own.name
        );
        out.error(text);
    }
    Ok(())
}

fn call_options(options: &Options, action: Action) -> u32 {
    let mut bits = option::NONE;
    let mut set = |when: bool, bit: u32| bits |= if when { bit } else { 0 };
    set(options.xpath.is_some(), option::XPATH);
    set(action == Action::DeleteAll, option::MULTIPLE);
    // Counting is what it has always done; `--score` is how to say so.
    set(action == Action::Modify, option::SCORE_UPDATE);
    set(action == Action::Modify && options.allow_create, option::CAN_CREATE);
    set(action == Action::Query && options.node_path, option::XPATH_ADDRESS);
    set(action == Action::Query && options.no_children, option::NO_CHILDREN);
    bits
}

/// Says what went wrong, with everything that is known of it.
fn report(action: Action, verbose: u8, answer: &Answer, out: &mut Output<'_>) -> Result<(), Failure> {
    if answer.rc.is_ok() {
        return Ok(());
    }
    let unchanged = LegacyRc::new(-211);
    if action == Action::Upgrade && answer.rc == unchanged {
        return out.info(format_args!("Upgrade unnecessary: {}", answer.rc.text()));
    }
    let is_invalid = answer.rc == LegacyRc::SCHEMA_VALIDATION;
    let invalid = answer.refused.as_ref().filter(|data| is_invalid && data.name() == "cib");
    // Scripts get Pacemaker's words alone, unless they ask for more.
    let wants_details = verbose > 0 || out.is_ours() || io::stderr().is_terminal();
    match (invalid, &answer.reason) {
        (Some(cib), _) if wants_details => {
            schema::validate(cib).into_iter().for_each(|issue| out.error(issue))
        }
        (None, Some(reason)) if wants_details => out.error(reason),
        _ => {}
    }
    Err(Failure::new(answer.rc.exit_code(), format!("CIB API call failed: {}", answer.rc.text())))
}

fn print_answer(options: &Options, data: &Element, out: &mut Output<'_>) -> Result<(), Failure> {
    if options.node_path && data.name() == "xpath-query" && out.is_text() {
        for path in data.elements_named("xpath-query-path") {
            out.print(&format!("{}\n", path.id().unwrap_or_default()))?;
        }
        return Ok(());
    }
    print_xml(out, data)
}
