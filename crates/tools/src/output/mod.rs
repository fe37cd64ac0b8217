// SPDX-License-Identifier: GPL-2.0-or-later
//! What a tool says: described once, and printed as text (Pacemaker's own words), as the XML of Pacemaker's API schemas,
//! or as JSON made from the same report (its rules are in `json`).
//!
//! Decides: where things go. In text, messages go to the output as they come and errors to the standard error; the two
//! other forms are one report, written at the end with how it all went. Given: the streams. Leaves to others: every
//! word (each tool's messages).

mod entry;
mod json;
mod xml_form;

pub(crate) use entry::Entry;

use crate::failure::{Failure, system_words};
use crate::status::Lists;
use clap::ValueEnum;
use model::ExitCode;
use std::fmt::Display;
use std::io::Write;

/// The version of the API schema that reports follow.
pub(crate) const API_VERSION: &str = "2.42";

/// How it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs that know Pacemaker.
    Xml,
    /// For programs that do not.
    Json,
    /// For nobody: the exit code says it all.
    None,
}

/// One thing a tool has to say.
pub(crate) trait Message {
    /// For people: whole lines. `quiet` says that only the essential is wanted.
    fn text(&self, quiet: bool) -> String;

    /// The same as an element of which a report has at most one.
    fn entry(&self) -> Option<Entry> {
        None
    }

    /// The same as elements of which a report may have any number.
    fn entries(&self) -> Vec<Entry> {
        Vec::new()
    }
}

/// Where a tool's messages go.
pub(crate) struct Output<'a> {
    program: String,
    format: Format,
    quiet: bool,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    report: Entry,
    /// How it all went stands in the report.
    has_status: bool,
    errors: Vec<String>,
}

impl<'a> Output<'a> {
    /// `request` is the command line, as reports repeat it.
    pub fn new(
        program: &str,
        request: &str,
        format: Format,
        quiet: bool,
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
    ) -> Output<'a> {
        let report = Entry::new("pacemaker-result").attr("api-version", API_VERSION).attr("request", request);
        Output {
            program: program.to_owned(),
            format,
            quiet,
            out,
            err,
            report,
            has_status: true,
            errors: Vec::new(),
        }
    }

    /// The report is of another root, and does not tell how it all went, as reports did before there was a schema.
    pub fn with_old_root(mut self, root: Entry) -> Output<'a> {
        self.report = root;
        self.has_status = false;
        self
    }

    /// True if it is for people.
    pub fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// True if only the essential is wanted.
    pub const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// From now on, only the essential is wanted.
    pub const fn hush(&mut self) {
        self.quiet = true;
    }

    /// Says it.
    pub fn say(&mut self, message: &dyn Message) -> Result<(), Failure> {
        if self.is_text() {
            let text = message.text(self.quiet);
            return self.print(&text);
        }
        if let Some(entry) = message.entry() {
            self.add_once(entry);
        }
        self.add(message.entries());
        Ok(())
    }

    /// Puts elements into the report; people are not told.
    pub fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let report = std::mem::replace(&mut self.report, Entry::new(""));
        self.report = report.items(entries);
    }

    /// Puts an element into the report of which there is but one there; people are not told.
    pub fn add_once(&mut self, entry: Entry) {
        let report = std::mem::replace(&mut self.report, Entry::new(""));
        self.report = report.child(entry);
    }

    /// Puts an element into the report that Pacemaker's schemas have no place for: only our own form, JSON, has it.
    pub fn add_of_ours(&mut self, entry: Entry) {
        if self.is_ours() {
            self.add_once(entry);
        }
    }

    /// True for the form that is only ours, which may say more than Pacemaker does.
    pub fn is_ours(&self) -> bool {
        self.format == Format::Json
    }

    /// A line for people who want to know more than the essential. Not part of a report.
    pub fn info(&mut self, line: impl Display) -> Result<(), Failure> {
        if self.is_text() && !self.quiet { self.print(&format!("{line}\n")) } else { Ok(()) }
    }

    /// XML as it is: in text, the text itself; in a report an element of that name that keeps it to the byte.
    pub fn xml(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        if self.is_text() {
            return self.print(text);
        }
        self.add_once(Entry::raw(name, text));
        Ok(())
    }

    /// What went wrong: a line on the standard error, or among the report's errors.
    pub fn error(&mut self, line: impl Display) {
        if self.is_text() {
            // What was printed before comes before. If nobody can be told, the exit code has to do.
            let _ = self.out.flush();
            let _ = writeln!(self.err, "{line}");
        } else {
            self.errors.push(line.to_string());
        }
    }

    /// A line on the standard error whatever the form is: for what is about the call itself and not its result.
    pub fn warn(&mut self, line: impl Display) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{line}");
    }

    /// The two streams as titled lists, for tools whose text is laid out in such; `fancy` titles and indents them. Not part
    /// of a report.
    pub fn lists(&mut self, fancy: bool) -> Lists<'_> {
        Lists::new(self.out, self.err, fancy, self.quiet)
    }

    /// Prints text as it is, which must be in no report.
    pub fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(Failure::unwritable)
    }

    /// What was printed so far is out: before something waits, or another program prints.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::unwritable)
    }

    /// Ends it: a failure is told, a report gets its status and is written.
    pub(crate) fn finish(mut self, ended: Result<ExitCode, Failure>) -> ExitCode {
        let mut code = match ended {
            Ok(code) => code,
            Err(failure) => {
                failure.details.iter().for_each(|detail| self.error(detail));
                self.error(failure.words(&self.program));
                failure.code
            }
        };
        let mut report = std::mem::replace(&mut self.report, Entry::new(""));
        if self.has_status {
            report = report.child(status(code, &self.errors));
        }
        let text = match self.format {
            Format::Text | Format::None => String::new(),
            Format::Xml => xml_form::write(&report),
            Format::Json => json::write(&report),
        };
        if let Err(error) = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            // A reader that has gone has seen enough.
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                let _ = writeln!(self.err, "{}: cannot print: {}", self.program, system_words(&error));
            }
            if code == ExitCode::OK {
                code = ExitCode::IOERR;
            }
        }
        code
    }
}

/// How it all went, which every report ends with.
fn status(code: ExitCode, errors: &[String]) -> Entry {
    let status = Entry::new("status").attr("code", code.value()).attr("message", code.to_string());
    if errors.is_empty() {
        return status;
    }
    let errors = errors.iter().map(|error| Entry::new("error").text(error));
    status.child(Entry::new("errors").items(errors))
}
