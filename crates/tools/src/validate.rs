// SPDX-License-Identifier: GPL-2.0-or-later
//! `systole validate`: whether files are CIBs as the schema has them, and if not, where and why not.
//!
//! Decides: what is said of each file, and the exit code. Given: files. Leaves to others: what is valid (`cib::schema`), and
//! whether a cluster can work with it (`crm_verify`).

use crate::cib_access::{DocumentError, read_bytes_or_stdin};
use crate::command_line::{self, CommonOptions, Tool};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use ::cib::schema::{self, Claim, Issue, SchemaVersion};
use clap::Parser;
use model::ExitCode;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use xml::{Limits, TextPolicy};

/// Hold CIB files against the schema
///
/// Each file is held against the version of the schema that its 'validate-with' names. Whatever has no place is told with
/// its line and column, what was expected there, and what may have been meant. Nothing is asked of a cluster, and whether
/// a cluster could work with the configuration is another question, which crm_verify answers.
///
/// Exit codes: 0 if all files are valid, 78 if one is not, 65 if one is no XML, 66 if one cannot be read; of several,
/// the last of these in this order.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

Check two files:

\tsystole validate cib.xml new.xml

See what stands in the way of a newer version:

\tsystole validate --schema pacemaker-4.0 cib.xml")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Use this version of the schema, such as pacemaker-4.0, whatever the files claim
    #[arg(short = 's', long, value_name = "VERSION", value_parser = version)]
    schema: Option<SchemaVersion>,
    /// Say nothing but by the exit code
    #[arg(short = 'q', long)]
    quiet: bool,
    /// The files (decompressed if the name ends in .bz2; "-" for stdin)
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Tool for Options {
    const NAME: &'static str = "validate";
    const USAGE: &'static str = "[OPTION...] FILE...";

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }
}

fn version(text: &str) -> Result<SchemaVersion, String> {
    let known = text.parse().or_else(|_| format!("pacemaker-{text}").parse());
    known.map_err(|_: schema::UnknownSchema| schema::UnknownSchema(text.to_owned()).to_string())
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| work(options, &mut io::stdin(), out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, stdin: &mut dyn Read, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    if options.files.is_empty() {
        return Err(Failure::usage("no file is named; expected FILE... (\"-\" for stdin)"));
    }
    let mut worst = Verdict::Valid;
    for file in &options.files {
        let checked = check(file, options.schema, stdin);
        worst = worst.max(checked.verdict);
        out.say(&checked)?;
    }
    Ok(match worst {
        Verdict::Valid => ExitCode::OK,
        Verdict::Invalid => ExitCode::CONFIG,
        Verdict::NoXml => ExitCode::DATAERR,
        Verdict::Unreadable => ExitCode::NOINPUT,
    })
}

/// What came of a file, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Valid,
    Invalid,
    NoXml,
    Unreadable,
}

/// A file with what there is to say of it.
struct Checked {
    file: String,
    verdict: Verdict,
    /// What it was held against.
    schema: String,
    issues: Vec<Issue>,
    /// Why it could not be held against anything.
    trouble: Option<Trouble>,
}

struct Trouble {
    at: Option<xml::Position>,
    text: String,
}

fn check(path: &Path, wanted: Option<SchemaVersion>, stdin: &mut dyn Read) -> Checked {
    let mut checked = Checked {
        file: path.display().to_string(),
        verdict: Verdict::Valid,
        schema: String::new(),
        issues: Vec::new(),
        trouble: None,
    };
    let parsed = read_bytes_or_stdin(path, stdin).and_then(|bytes| {
        let text =
            xml::text_of(&bytes).map_err(|source| DocumentError::Parse { path: path.to_owned(), source })?;
        // Text between elements is wrong in a CIB, so it has to be seen.
        let tree = xml::parse_with(text, TextPolicy::Keep, Limits::default());
        let tree = tree.map_err(|source| DocumentError::Parse { path: path.to_owned(), source })?;
        let mut issues = match wanted {
            Some(version) => schema::validate_against(&tree, version),
            None => schema::validate(&tree),
        };
        schema::locate(&mut issues, text);
        let schema = match (wanted, Claim::of(&tree)) {
            (Some(version), _) | (None, Ok(Some(Claim::Version(version)))) => version.to_string(),
            (None, Ok(Some(Claim::Nothing))) => "none".to_owned(),
            (None, _) => String::new(),
        };
        Ok((schema, issues))
    });
    match parsed {
        Ok((schema, issues)) => {
            checked.verdict = if issues.is_empty() { Verdict::Valid } else { Verdict::Invalid };
            (checked.schema, checked.issues) = (schema, issues);
        }
        Err(DocumentError::Parse { source, .. }) => {
            checked.verdict = Verdict::NoXml;
            checked.trouble = Some(Trouble { at: Some(source.at), text: source.kind.to_string() });
        }
        Err(error) => {
            checked.verdict = Verdict::Unreadable;
            let text = match &error {
                DocumentError::Read { source, .. } => crate::failure::system_words(source),
                _ => error.to_string(),
            };
            checked.trouble = Some(Trouble { at: None, text });
        }
    }
    checked
}

impl Checked {
    /// More issues may be there than were named.
    fn is_cut(&self) -> bool {
        self.issues.len() >= schema::MAX_ISSUES
    }

    fn place(&self, at: Option<xml::Position>) -> String {
        match at {
            Some(at) => format!("{}:{}:{}", self.file, at.line, at.column),
            None => self.file.clone(),
        }
    }
}

impl Message for Checked {
    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        let mut text = String::new();
        for issue in &self.issues {
            text += &format!("{}: {}\n", self.place(issue.at), issue.words());
        }
        if self.is_cut() {
            text += &format!("{}: only the first {} issues are told\n", self.file, schema::MAX_ISSUES);
        }
        if let Some(trouble) = &self.trouble {
            text += &format!("{}: {}\n", self.place(trouble.at), trouble.text);
        }
        match (self.verdict, self.schema.as_str()) {
            (Verdict::Valid, "none") => {
                text += &format!(
                    "{}: not held against anything, as it asks for (validate-with=\"none\")\n",
                    self.file
                );
            }
            (Verdict::Valid, schema) => text += &format!("{}: valid ({schema})\n", self.file),
            _ => {}
        }
        text
    }

    fn entries(&self) -> Vec<Entry> {
        let place = |entry: Entry, at: Option<xml::Position>| {
            let (line, column) = (at.map(|at| at.line), at.map(|at| at.column));
            entry.attr_opt("line", line).attr_opt("column", column)
        };
        let mut entry =
            Entry::new("file").attr("name", &self.file).attr("valid", self.verdict == Verdict::Valid);
        if !self.schema.is_empty() {
            entry = entry.attr("schema", &self.schema);
        }
        if self.is_cut() {
            entry = entry.attr("incomplete", true);
        }
        let issues = self.issues.iter().map(|issue| {
            let item = Entry::new("issue").attr("element", &issue.element).attr_opt("id", issue.id.as_ref());
            place(item, issue.at).text(issue.words())
        });
        entry = entry.items(issues);
        if let Some(trouble) = &self.trouble {
            entry = entry.item(place(Entry::new("issue"), trouble.at).text(trouble.text.as_str()));
        }
        vec![entry]
    }
}
