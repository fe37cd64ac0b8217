// SPDX-License-Identifier: GPL-2.0-or-later
//! `systole explain`, `systole plan`, `systole lint`: what an operator wants to know of a configuration.
//!
//! Decides: which CIB is meant, for what moment, and how what is said looks. Leaves to others: everything that is said
//! (`advice`).

pub mod explain;
pub mod lint;
pub mod plan;
mod style;

use crate::acceptable::acceptable;
use crate::cib_access::{DocumentError, read_bytes_or_stdin, read_file_or_stdin, with_status};
use crate::failure::Failure;
use crate::live;
use crate::output::Output;
use ::cib::schema;
use model::{ExitCode, WallTime};
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::SystemTime;
use xml::Element;

pub(crate) use style::Style;

/// The present moment.
fn now() -> WallTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// The moment a CIB is about: that for which it was recorded (the scheduler's inputs say so), else the present.
fn moment(cib: &Element) -> WallTime {
    let recorded = cib.attr("execution-date").and_then(|text| text.parse::<i64>().ok());
    recorded.filter(|&secs| secs != 0).map_or_else(now, WallTime::from_secs)
}

/// A CIB from a file (`-`: the standard input), or else the one that the environment says; as the scheduler knows it.
fn read_cib(file: Option<&Path>, stdin: &mut dyn Read, out: &mut Output<'_>) -> Result<Element, Failure> {
    let document = document(file, stdin)?;
    usable(&document.tree, out)
}

/// A CIB as it was found, with its text if it is from a file.
struct Document {
    tree: Element,
    text: Option<String>,
}

/// A CIB from a file (`-`: the standard input), or else the one that the environment says, as it is there.
fn document(file: Option<&Path>, stdin: &mut dyn Read) -> Result<Document, Failure> {
    let Some(path) = file else {
        let tree = live::query_cib().map_err(|error| Failure::new(error.exit_code(), error))?;
        return Ok(Document { tree, text: None });
    };
    let read = read_bytes_or_stdin(path, stdin).and_then(|bytes| {
        let tree = xml::parse_bytes(&bytes);
        let tree = tree.map_err(|source| DocumentError::Parse { path: path.to_owned(), source })?;
        let text = xml::text_of(&bytes).ok().map(str::to_owned);
        Ok(Document { tree: with_status(tree)?, text })
    });
    read.map_err(|error| Failure::new(error.exit_code(), error))
}

/// A document of any kind from a file (`-`: the standard input).
fn tree(file: &Path, stdin: &mut dyn Read) -> Result<Element, Failure> {
    read_file_or_stdin(file, stdin).map_err(|error| Failure::new(error.exit_code(), error))
}

/// A CIB in today's schema, and valid.
fn usable(cib: &Element, out: &mut Output<'_>) -> Result<Element, Failure> {
    let mut lines = Vec::new();
    let accepted = acceptable(cib, |line| lines.push(line));
    let cib = accepted.map_err(|refusal| {
        lines.iter().for_each(|line| out.error(line));
        Failure::new(ExitCode::CONFIG, refusal)
    })?;
    match schema::validate(&cib).into_iter().next() {
        Some(issue) => {
            Err(Failure::new(ExitCode::CONFIG, format_args!("the configuration is not valid: {issue}")))
        }
        None => Ok(cib),
    }
}

/// Colour is for people at a terminal who have not said that they want none.
fn has_colour(out: &Output<'_>, to_file: bool) -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    out.is_text() && !to_file && !unwanted && std::io::stdout().is_terminal()
}
