// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_diff`: what is different between two CIBs, as a patch; and what a patch makes of a CIB.
//!
//! Decides: options, which documents are compared, and what of their versions counts. Leaves to others: making and
//! applying patches (`cib::patch`).

use crate::cib_access::{DocumentError, read_file_or_stdin, read_pipe};
use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::failure::Failure;
use crate::output::Output;
use ::cib::patch::{self, AttributeOrder, PatchError};
use clap::Parser;
use model::ExitCode;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use xml::{Element, Escaping};

/// Compare two Pacemaker configurations (in XML format) to produce a custom diff-like output, or apply such an output as a
/// patch
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

Get the configurations of two clusters:

\t# cibadmin --query > cib-old.xml

\t# cibadmin --query > cib-new.xml

Save what is different between them:

\t# crm_diff --original cib-old.xml --new cib-new.xml > patch.xml

Apply that to the first of them:

\t# crm_diff --original cib-old.xml --patch patch.xml > updated.xml

Apply it to the running cluster:

\t# cibadmin --patch -x patch.xml")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// XML is contained in the named file (--original-string overrides this)
    #[arg(short = 'o', long, value_name = "FILE", help_heading = "Original XML")]
    original: Option<PathBuf>,
    /// XML is contained in the supplied string
    #[arg(short = 'O', long, value_name = "STRING", help_heading = "Original XML")]
    original_string: Option<String>,

    /// Compare the original XML to the contents of the named file (--new-string overrides this; of this and --patch, the
    /// last names the file)
    #[arg(short = 'n', long, value_name = "FILE", help_heading = "Operation")]
    new: Option<PathBuf>,
    /// Compare the original XML with the contents of the supplied string
    #[arg(short = 'N', long, value_name = "STRING", help_heading = "Operation")]
    new_string: Option<String>,
    /// Patch the original XML with the contents of the named file (or with what --new-string, or a later --new, gives)
    #[arg(short = 'p', long, value_name = "FILE", help_heading = "Operation")]
    patch: Option<PathBuf>,

    /// Compare/patch the inputs as a CIB (includes version details)
    #[arg(short = 'c', long, help_heading = "Additional Options")]
    cib: bool,
    /// Generate the difference without version details
    #[arg(short = 'u', long, help_heading = "Additional Options")]
    no_version: bool,
    #[arg(short = 's', long, hide = true)]
    stdin: bool,

    /// The file of the new document or patch, whichever option named it last.
    #[arg(skip)]
    target: Option<PathBuf>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_diff";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-xml", heading: "Original XML", about: "Show original XML options" },
        Group { option: "help-operation", heading: "Operation", about: "Show operation options" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        self.target = match order.last(&["new", "patch"]) {
            Some("new") => self.new.clone(),
            _ => self.patch.clone(),
        };
    }
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
    let patches = options.patch.is_some();
    if options.no_version && options.cib {
        return Err(Failure::usage("-u/--no-version incompatible with -c/--cib"));
    }
    if options.no_version && patches {
        out.error("Warning: -u/--no-version ignored with -p/--patch");
    }
    let original = Source::of(options.original_string.as_deref(), options.stdin, options.original.as_deref())
        .ok_or_else(|| Failure::usage("Either --original or --original-string must be specified"))?;
    let target = Source::of(options.new_string.as_deref(), options.stdin, options.target.as_deref())
        .ok_or_else(|| Failure::usage("Either --new, --new-string, or --patch must be specified"))?;
    let original = original.read("original", stdin)?;
    let target = target.read(if patches { "patch" } else { "new" }, stdin)?;
    if patches { apply(options, &original, &target, out) } else { compare(options, &original, target, out) }
}

/// Where a document comes from; what is earlier here wins.
enum Source<'a> {
    Text(&'a str),
    Stdin,
    File(&'a Path),
}

impl<'a> Source<'a> {
    fn of(text: Option<&'a str>, stdin: bool, file: Option<&'a Path>) -> Option<Source<'a>> {
        match (text, stdin, file) {
            (Some(text), ..) => Some(Source::Text(text)),
            (None, true, _) => Some(Source::Stdin),
            (None, false, file) => file.map(Source::File),
        }
    }

    fn read(&self, what: &str, stdin: &mut dyn Read) -> Result<Element, Failure> {
        let where_and_why = |error: DocumentError| error.place_and_problem();
        let read = match self {
            Source::Text(text) => xml::parse(text).map_err(|error| error.to_string()),
            Source::Stdin => read_pipe(stdin).map_err(where_and_why),
            Source::File(path) => read_file_or_stdin(path, stdin).map_err(where_and_why),
        };
        let failed = |why| {
            Failure::new(ExitCode::DATAERR, format_args!("Failed to parse {what} XML")).with_detail(why)
        };
        read.map_err(failed)
    }
}

fn apply(
    options: &Options,
    original: &Element,
    patch: &Element,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let applied = match options.cib {
        true => patch::apply(original, patch, Escaping::Modern),
        false => patch::apply_unversioned(original, patch, Escaping::Modern),
    };
    let applied = applied.map_err(|error| {
        let rc = error.rc();
        let failure = Failure::new(rc.exit_code(), format_args!("Could not apply patch: {}", rc.text()));
        // Two digests that differ tell people nothing beyond that.
        if matches!(error, PatchError::Digest { .. }) { failure } else { failure.with_detail(error) }
    })?;
    out.xml("updated", &xml::write_indented(&applied.cib))?;
    Ok(ExitCode::OK)
}

/// Being different is no failure, but told by the exit code all the same, as `diff` does.
fn compare(
    options: &Options,
    original: &Element,
    mut new: Element,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    if options.no_version {
        for field in ["admin_epoch", "epoch", "num_updates"] {
            match original.attr(field) {
                Some(value) => new.set_attr(field, value),
                None => drop(new.remove_attr(field)),
            }
        }
    }
    let order = if options.cib { AttributeOrder::Ignored } else { AttributeOrder::Counts };
    let made = patch::listed(original, &new, order);
    let Some(mut made) = made else { return Ok(ExitCode::OK) };
    if options.cib {
        made = patch::with_digest(made, &new, Escaping::Modern);
    } else if options.no_version {
        made.remove_elements(|element| element.name() == "version");
    }
    out.xml("patchset", &xml::write_indented(&made))?;
    Ok(ExitCode::ERROR)
}
