// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_shadow`: copies of the CIB to try changes on.
//!
//! Decides: what is done with which copy, and what must not be done without `--force`. Given: the command line and the
//! environment. Leaves to others: where copies are and how the cluster's own CIB is reached (`cib_access`), what changed
//! (`cib::patch`), how a shell or an editor takes over (`session`).

mod options;
mod session;

use crate::cib_access::{
    CibAccess, CibPlace, DocumentError, bytes_for, make_shadow_folder, read_file, replace_file, shadow_file,
};
use crate::command_line;
use crate::failure::{Failure, system_words};
use crate::output::{Entry, Message, Output};
use ::cib::Operation;
use ::cib::patch::{self, AttributeOrder};
use messages::cib::{Command as Request, option};
use model::{ExitCode, LegacyRc, Profile};
use options::{Command, Options};
use session::Surroundings;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use xml::Element;

const PROGRAM: &str = "crm_shadow";

/// How long the CIB manager may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, work)
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let Some(command) = options.command else {
        let help = command_line::help_text::<Options>();
        return Err(Failure::usage(format_args!("Must specify a query or command option\n\n{help}")));
    };
    let surroundings = Surroundings::of_process();
    match command {
        Command::Which | Command::Display | Command::Diff | Command::File | Command::Edit => {
            let shadow = Shadow::active(&surroundings)?;
            match command {
                Command::Which => shadow.show(Shown::Name, out),
                Command::File => shadow.show(Shown::File, out),
                Command::Display => shadow.display(out),
                Command::Diff => shadow.diff(out),
                _ => {
                    shadow.must_exist()?;
                    out.flush()?;
                    Err(session::edit(&surroundings, &shadow.path))
                }
            }
        }
        _ => {
            let shadow = Shadow::named(options.name())?;
            let task = Task { options, surroundings: &surroundings, shadow };
            task.perform(command, out).map(|()| ExitCode::OK)
        }
    }
}

/// A shadow copy, which may not be there.
struct Shadow {
    name: String,
    path: PathBuf,
}

impl Shadow {
    fn named(name: &str) -> Result<Shadow, Failure> {
        let path = shadow_file(name).map_err(Failure::usage)?;
        Ok(Shadow { name: name.to_owned(), path })
    }

    /// The one in use.
    fn active(surroundings: &Surroundings) -> Result<Shadow, Failure> {
        let none = || Failure::new(ExitCode::NOSUCH, "No active shadow configuration defined");
        Shadow::named(surroundings.active.as_ref().ok_or_else(none)?)
    }

    fn must_exist(&self) -> Result<(), Failure> {
        fs::metadata(&self.path).map(drop).map_err(|error| {
            let text = format!("Could not access shadow instance '{}': {}", self.name, system_words(&error));
            Failure::new(exit_code(&error), text)
        })
    }

    fn read(&self) -> Result<Element, Failure> {
        read_file(&self.path).map_err(|error: DocumentError| {
            let text = format!("Could not parse XML from input file '{}'", self.path.display());
            Failure::new(ExitCode::NOINPUT, text).with_detail(error.place_and_problem())
        })
    }

    fn show(&self, what: Shown, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        out.say(&View { shadow: self, what })?;
        Ok(ExitCode::OK)
    }

    fn display(&self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        self.must_exist()?;
        self.show(Shown::Content(self.read()?), out)
    }

    /// What differs from the cluster's own CIB, which the exit code tells too.
    fn diff(&self, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
        self.must_exist()?;
        let real = query_real()?;
        let patch = patch::listed(&real, &self.read()?, AttributeOrder::Counts);
        let code = if patch.is_some() { ExitCode::ERROR } else { ExitCode::OK };
        out.say(&View { shadow: self, what: Shown::Patch(patch) })?;
        Ok(code)
    }
}

/// What is shown of a copy.
enum Shown {
    Name,
    File,
    Content(Element),
    Patch(Option<Element>),
}

struct View<'a> {
    shadow: &'a Shadow,
    what: Shown,
}

impl Message for View<'_> {
    fn text(&self, _quiet: bool) -> String {
        match &self.what {
            Shown::Name => format!("{}\n", self.shadow.name),
            Shown::File => format!("{}\n", self.shadow.path.display()),
            Shown::Content(content) => xml::write_indented(content),
            Shown::Patch(patch) => patch.as_ref().map(patch::describe).unwrap_or_default(),
        }
    }

    fn entry(&self) -> Option<Entry> {
        let entry = Entry::new("shadow").attr("instance", &self.shadow.name);
        Some(match &self.what {
            Shown::Name | Shown::Patch(None) => entry,
            Shown::File => entry.attr("file", self.shadow.path.display().to_string()),
            Shown::Content(content) => entry.child(Entry::raw("content", xml::write_indented(content))),
            Shown::Patch(Some(patch)) => entry.child(Entry::raw("xml-patchset", xml::write_indented(patch))),
        })
    }
}

/// What is done with a named copy.
struct Task<'a> {
    options: &'a Options,
    surroundings: &'a Surroundings,
    shadow: Shadow,
}

/// What a command is dangerous to.
#[derive(Clone, Copy)]
enum Endangered {
    Cluster,
    Shadow,
}

impl Task<'_> {
    fn perform(&self, command: Command, out: &mut Output<'_>) -> Result<(), Failure> {
        match command {
            Command::Create => self.create(false, out),
            Command::CreateEmpty => self.create_empty(out),
            Command::Reset => self.create(true, out),
            Command::Commit => self.commit(),
            Command::Delete => self.delete(out),
            _ => {
                self.shadow.must_exist()?;
                session::set_up(self.surroundings, &self.shadow.name, true, self.options.batch, out)
            }
        }
    }

    fn create(&self, reset: bool, out: &mut Output<'_>) -> Result<(), Failure> {
        if !self.options.force {
            if reset {
                let reason = "The reset command overwrites the active shadow configuration";
                return Err(self.danger(ExitCode::USAGE, self.with_mismatch(reason), Endangered::Shadow));
            }
            self.must_be_new()?;
        }
        let real = query_real()?;
        self.write(&real, if reset { "reset" } else { "create" })?;
        session::set_up(self.surroundings, &self.shadow.name, false, self.options.batch, out)
    }

    fn create_empty(&self, out: &mut Output<'_>) -> Result<(), Failure> {
        if !self.options.force {
            self.must_be_new()?;
        }
        let mut empty = ::cib::empty(Profile::default());
        if let Some(schema) = &self.options.validate_with {
            empty.set_attr("validate-with", schema);
        }
        let schema = empty.attr("validate-with").unwrap_or_default();
        out.info(format_args!("Created new {schema} configuration"))?;
        self.write(&empty, "create")?;
        session::set_up(self.surroundings, &self.shadow.name, false, self.options.batch, out)
    }

    fn must_be_new(&self) -> Result<(), Failure> {
        if fs::metadata(&self.shadow.path).is_err() {
            return Ok(());
        }
        let reason = format!("A shadow instance '{}' already exists", self.shadow.name);
        Err(self.danger(ExitCode::CANTCREAT, reason, Endangered::Shadow))
    }

    fn write(&self, cib: &Element, verb: &str) -> Result<(), Failure> {
        let path = &self.shadow.path;
        let written = make_shadow_folder()
            .and_then(|()| bytes_for(path, cib))
            .and_then(|bytes| replace_file(path, &bytes));
        written.map_err(|error| {
            let why = system_words(&error);
            let text = format!("Could not {verb} the shadow instance '{}': {why}", self.shadow.name);
            Failure::new(exit_code(&error), text)
        })
    }

    fn commit(&self) -> Result<(), Failure> {
        if !self.options.force {
            let reason = "The commit command overwrites the active cluster configuration";
            return Err(self.danger(ExitCode::USAGE, self.with_mismatch(reason), Endangered::Cluster));
        }
        self.shadow.must_exist()?;
        let mut real = open_real()?;
        let shadow = self.shadow.read()?;
        let failed = |code: ExitCode, why: &str| {
            let name = &self.shadow.name;
            Failure::new(code, format_args!("Could not commit shadow instance '{name}' to the CIB: {why}"))
        };
        let replace = Request::new(Operation::Replace.as_str(), 0, option::NONE);
        let replace = match self.options.all {
            true => replace.data(shadow),
            false => {
                let configuration = shadow.child("configuration").cloned();
                let none =
                    || failed(ExitCode::USAGE, "Invalid argument").with_detail("It has no <configuration>");
                replace.section("configuration").data(configuration.ok_or_else(none)?)
            }
        };
        let answer =
            real.call(replace, TIMEOUT).map_err(|error| failed(error.exit_code(), &error.reason()))?;
        if !answer.rc.is_ok() {
            let failure = failed(answer.rc.exit_code(), &answer.rc.text());
            return Err(match answer.reason {
                Some(reason) => failure.with_detail(reason),
                None => failure,
            });
        }
        real.close().map_err(|error| failed(error.exit_code(), &error.reason()))
    }

    fn delete(&self, out: &mut Output<'_>) -> Result<(), Failure> {
        if !self.options.force {
            let reason = "The delete command removes the specified shadow file";
            return Err(self.danger(ExitCode::USAGE, self.with_mismatch(reason), Endangered::Shadow));
        }
        match fs::remove_file(&self.shadow.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let why = system_words(&error);
                let text = format!("Could not remove shadow instance '{}': {why}", self.shadow.name);
                Err(Failure::new(exit_code(&error), text))
            }
            _ => session::tear_down(self.surroundings, &self.shadow.name, out),
        }
    }

    /// That the copy meant is not the one in use may be a mistake.
    fn with_mismatch(&self, reason: &str) -> String {
        match &self.surroundings.active {
            Some(active) if *active != self.shadow.name => format!(
                "{reason}.\nAdditionally, the supplied shadow instance ({}) is not the same as the active one ({active})",
                self.shadow.name
            ),
            _ => reason.to_owned(),
        }
    }

    fn danger(&self, code: ExitCode, reason: String, endangered: Endangered) -> Failure {
        let what = match endangered {
            Endangered::Cluster => "cluster",
            Endangered::Shadow => "shadow file",
        };
        let text = format!(
            "{reason}.\nTo prevent accidental destruction of the {what}, the --force flag is required in order to proceed."
        );
        Failure::new(code, text)
    }
}

/// The cluster's own CIB, whatever copy is in use.
fn open_real() -> Result<CibAccess, Failure> {
    let opened = CibAccess::open_place(CibPlace::beneath_shadow(), PROGRAM);
    opened.map_err(|error| error.failure("Could not connect to CIB"))
}

fn query_real() -> Result<Element, Failure> {
    let failed = |code: ExitCode, why: &str| {
        Failure::new(code, format_args!("Could not query the non-shadow CIB: {why}"))
    };
    let query = Request::new(Operation::Query.as_str(), 0, option::NONE);
    let answer =
        open_real()?.call(query, TIMEOUT).map_err(|error| failed(error.exit_code(), &error.reason()))?;
    let refused = || failed(answer.rc.exit_code(), &answer.rc.text());
    answer.data.filter(|_| answer.rc.is_ok()).ok_or_else(refused)
}

/// What a tool exits with when the system refuses.
fn exit_code(error: &io::Error) -> ExitCode {
    match error.raw_os_error() {
        Some(number) => LegacyRc::new(-number).exit_code(),
        None => ExitCode::ERROR,
    }
}
