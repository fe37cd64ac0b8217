// SPDX-License-Identifier: GPL-2.0-or-later
//! `cibsecret`: parameters of resources that are not in the CIB, but in files that only root can read, one on each node.
//!
//! Decides: what is done in which order, and what is said. Given: the command line. Leaves to others: the files (`store`),
//! other nodes (`peers`), what the CIB says of the parameter (`parameter`).
//!
//! A secret is on this node before it is on others, and on them before the CIB says that there is one: what fails on the
//! way leaves at most a file that nobody looks for.

mod parameter;
mod peers;
mod store;

#[cfg(test)]
mod tests;

use crate::cib_access::CibSession;
use crate::command_line::{self, CommonOptions, Tool};
use crate::failure::{Failure, system_words};
use crate::output::{Entry, Output};
use clap::Parser;
use model::ExitCode;
use parameter::Parameter;
use peers::Peers;
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use store::{Secrets, md5};

const PROGRAM: &str = "cibsecret";

/// What stands in the CIB in place of a secret.
const MAGIC: &str = "lrm://";

/// Manage sensitive information in Pacemaker CIB
///
/// Parameters of resources that not everybody who can read the CIB should know are kept in files instead, which only
/// root can read; in the CIB stands that there is one. The files are not encrypted. Every node needs them: they are copied
/// to all that answer a ping (by fping, or ping), with the first of pssh, pdsh and ssh that there is.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Commands:

check <resource-id> <resource-parameter>
\tSay whether the value on this node is the one that was stored.

delete <resource-id> <resource-parameter>
\tRemove a secret, here, on the other nodes, and from the CIB.

get <resource-id> <resource-parameter>
\tDisplay the value on this node.

set <resource-id> <resource-parameter> <value>
\tStore a secret.

stash <resource-id> <resource-parameter>
\tMake a secret of what is in the CIB. Not with -C.

sync
\tCopy all secrets of this node to all others, in place of theirs.

unstash <resource-id> <resource-parameter>
\tPut a secret back into the CIB, for all to read. Not with -C.

Known limitations:

While a secret changes, nodes may have different values: put the cluster into maintenance mode first.
No agent is told of a new value, as the CIB does not change by it.
A node that is down needs 'cibsecret sync' (from another node) before the cluster is started on it.
Secrets can be managed on full cluster nodes only.

Examples:

\t# cibsecret set ipmi_node1 passwd SecreT_PASS

\t# cibsecret get ipmi_node1 passwd

\t# cibsecret check ipmi_node1 passwd

\t# cibsecret stash ipmi_node2 passwd

\t# cibsecret sync")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Don't read or write the CIB
    #[arg(short = 'C', long)]
    no_cib: bool,
    /// A command and what it needs
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
}

impl Tool for Options {
    const NAME: &'static str = PROGRAM;
    const USAGE: &'static str = "[OPTION...] <subcommand> [options]";

    fn common(&self) -> &CommonOptions {
        &self.common
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Check,
    Delete,
    Get,
    Set,
    Stash,
    Sync,
    Unstash,
}

/// Every command with how many words follow it, and how it is used.
const COMMANDS: [(&str, Command, usize, &str); 7] = [
    ("check", Command::Check, 2, "check <resource-id> <resource-parameter>"),
    ("delete", Command::Delete, 2, "delete <resource-id> <resource-parameter>"),
    ("get", Command::Get, 2, "get <resource-id> <resource-parameter>"),
    ("set", Command::Set, 3, "set <resource-id> <resource-parameter> <value>"),
    ("stash", Command::Stash, 2, "stash <resource-id> <resource-parameter>"),
    ("sync", Command::Sync, 0, "sync"),
    ("unstash", Command::Unstash, 2, "unstash <resource-id> <resource-parameter>"),
];

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, work)
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let Some((name, words)) = options.words.split_first() else {
        let help = command_line::help_text::<Options>();
        return Err(Failure::usage(format_args!("Must specify a command option\n\n{help}")));
    };
    let Some((_, command, count, usage)) = COMMANDS.into_iter().find(|(known, ..)| known == name) else {
        let known = COMMANDS.map(|(known, ..)| known).join(", ");
        return Err(Failure::usage(format_args!("Invalid subcommand given; valid subcommands: {known}")));
    };
    if words.len() != count {
        return Err(Failure::usage(format_args!("Usage: {usage}")));
    }
    if options.no_cib && matches!(command, Command::Stash | Command::Unstash) {
        return Ok(told(out, ExitCode::USAGE, format_args!("No access to Pacemaker, {name} not supported")));
    }
    let secrets = Secrets::of_this_node();
    let (resource, parameter) = match words {
        [resource, parameter, ..] => (resource.as_str(), parameter.as_str()),
        _ => return synchronize(&secrets, out),
    };
    for word in [resource, parameter] {
        if !store::is_name(word) {
            return Err(Failure::usage(format_args!(
                "'{word}' is no id of a resource or parameter: expected letters, digits, '.', '_' and '-'"
            )));
        }
    }
    let cib = match options.no_cib {
        true => None,
        false => Some(Parameter::find(CibSession::open(PROGRAM)?, resource, parameter)?),
    };
    let secret = Secret { secrets, resource, parameter, cib };
    match command {
        Command::Check => secret.check(out).map(|checked| checked.err().unwrap_or(ExitCode::OK)),
        Command::Get => secret.get(out),
        Command::Set => secret.set(words.get(2).map_or("", String::as_str), out),
        Command::Delete => secret.delete(out),
        Command::Stash => secret.stash(out),
        _ => secret.unstash(out),
    }
}

/// Says why not, in words that stand for themselves.
fn told(out: &mut Output<'_>, code: ExitCode, text: impl Display) -> ExitCode {
    out.error(text);
    code
}

/// One secret parameter.
struct Secret<'a> {
    secrets: Secrets,
    resource: &'a str,
    parameter: &'a str,
    /// What the CIB says of it; none if it must not be asked.
    cib: Option<Parameter>,
}

impl Secret<'_> {
    /// Where the CIB must not be asked, it is believed to say that it is one.
    fn is_secret_in_cib(&self) -> bool {
        self.cib.as_ref().is_none_or(|cib| cib.value() == Some(MAGIC))
    }

    fn file(&self) -> PathBuf {
        self.secrets.file(self.resource, self.parameter)
    }

    /// The value, if it is the one that was stored; what is wrong has been said otherwise.
    fn check(&self, out: &mut Output<'_>) -> Result<Result<String, ExitCode>, Failure> {
        let Secret { resource, parameter, .. } = self;
        if !self.is_secret_in_cib() {
            let text =
                format!("Resource {resource} parameter {parameter} not set as secret, nothing to check");
            return Ok(Err(told(out, ExitCode::CONFIG, text)));
        }
        let Some(sum) = self.secrets.sum(resource, parameter).map_err(unreadable)? else {
            let text = format!("No checksum for resource {resource} parameter {parameter}");
            return Ok(Err(told(out, ExitCode::NOSUCH, text)));
        };
        let value = self.secrets.value(resource, parameter).map_err(unreadable)?;
        Ok(match value.filter(|value| md5(value) == sum) {
            Some(value) => Ok(value),
            None => {
                let text = format!("Checksum mismatch for resource {resource} parameter {parameter}");
                Err(told(out, ExitCode::DIGEST, text))
            }
        })
    }

    fn get(&self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        match self.check(out)? {
            Ok(value) => {
                out.info(&value)?;
                out.add_of_ours(Entry::new("secret").attr("value", value));
                Ok(ExitCode::OK)
            }
            Err(code) => Ok(code),
        }
    }

    fn set(mut self, value: &str, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        let Secret { resource, parameter, .. } = self;
        let current = self.cib.as_ref().and_then(Parameter::value);
        if let Some(current) = current.filter(|current| *current != MAGIC && *current != value) {
            let text = format!(
                "CIB value <{current}> different for {resource} rsc parameter {parameter}; please delete it first"
            );
            return Ok(told(out, ExitCode::CONFIG, text));
        }
        if let Err(error) = self.secrets.store(resource, parameter, value) {
            let text = format!("Could not create file {}: {}", self.file().display(), system_words(&error));
            return Ok(told(out, ExitCode::IOERR, text));
        }
        let code = self.distribute(out)?;
        if code == ExitCode::OK
            && let Some(cib) = &mut self.cib
        {
            cib.set(MAGIC)?;
        }
        Ok(code)
    }

    fn delete(mut self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        let code = self.remove_files(out)?;
        if code == ExitCode::OK
            && let Some(cib) = &mut self.cib
            && !cib.remove()?
        {
            let Secret { resource, parameter, .. } = self;
            let text = format!("Resource {resource} parameter {parameter} is not in the CIB");
            return Ok(told(out, ExitCode::ERROR, text));
        }
        Ok(code)
    }

    fn stash(self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        let Secret { resource, parameter, .. } = self;
        let value = self.cib.as_ref().and_then(Parameter::value).map(str::to_owned);
        let Some(value) = value else {
            let text = format!("Nothing to stash for resource {resource} parameter {parameter}");
            return Ok(told(out, ExitCode::NOSUCH, text));
        };
        if value == MAGIC {
            let text = format!("Resource {resource} parameter {parameter} already set as secret");
            return Ok(told(out, ExitCode::EXISTS, text));
        }
        self.set(&value, out)
    }

    fn unstash(mut self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        let Secret { resource, parameter, .. } = self;
        let Some(value) = self.secrets.value(resource, parameter).map_err(unreadable)? else {
            let text = format!("Nothing to unstash for resource {resource} parameter {parameter}");
            return Ok(told(out, ExitCode::NOSUCH, text));
        };
        if !self.is_secret_in_cib() {
            out.info(format_args!(
                "Resource {resource} parameter {parameter} is not set as secret, but we have a local value so proceeding \
                 anyway"
            ))?;
        }
        let code = self.remove_files(out)?;
        if code == ExitCode::OK
            && let Some(cib) = &mut self.cib
        {
            cib.set(&value)?;
        }
        Ok(code)
    }

    fn remove_files(&self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        if let Err(error) = self.secrets.remove(self.resource, self.parameter) {
            let text = format!("Could not remove {}: {}", self.file().display(), system_words(&error));
            return Ok(told(out, ExitCode::IOERR, text));
        }
        self.distribute(out)
    }

    /// Makes the other nodes have what this one has.
    fn distribute(&self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        let Some(peers) = Peers::reachable(out)? else { return Ok(ExitCode::OK) };
        let file = self.file();
        let is_there = file.is_file();
        let (verb, to) = if is_there { ("Syncing", "to") } else { ("Deleting", "from") };
        out.info(format_args!("{verb} {} {to} {} ...", file.display(), peers.names()))?;
        let done = match is_there {
            true => peers.copy_with_sum(&file, out),
            false => peers.remove_with_sum(&file, out),
        };
        Ok(if done { ExitCode::OK } else { ExitCode::ERROR })
    }
}

/// All secrets of this node in place of those of the others.
fn synchronize(secrets: &Secrets, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let Some(peers) = Peers::reachable(out)? else { return Ok(ExitCode::OK) };
    let folder = secrets.folder();
    if !folder.is_dir() {
        // To have none is to want none there: but rather ask twice than take the secrets of a whole cluster away.
        let text = format!("There are no secrets on this node to sync: {} is not there", folder.display());
        return Ok(told(out, ExitCode::NOSUCH, text));
    }
    out.info(format_args!("Syncing {} to {} ...", folder.display(), peers.names()))?;
    Ok(if peers.replace_folder(folder, out) { ExitCode::OK } else { ExitCode::ERROR })
}

fn unreadable(error: io::Error) -> Failure {
    Failure::new(ExitCode::IOERR, format_args!("Could not read the secret: {}", system_words(&error)))
}
