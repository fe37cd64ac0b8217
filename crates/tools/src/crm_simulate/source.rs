// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the CIB comes from, and where CIBs, graphs and drawings are written to.
//!
//! Decides: what of the world is read and written, and the words and exit codes if that fails. Given: the options. Leaves
//! to others: what is in it.

use super::options::{Options, Source};
use super::telling::Telling;
use crate::acceptable::acceptable;
use crate::cib_access::{
    CibPlace, DocumentError, bytes_for, bytes_of, read_file, read_pipe, replace_file, with_status,
};
use crate::failure::{Failure, system_words};
use crate::live;
use ::cib::schema;
use graph::TransitionGraph;
use model::{ExitCode, LegacyRc};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use xml::Element;

/// The CIB the options ask for, with a status section, in today's schema.
pub(super) fn cib(
    options: &Options,
    input: &mut dyn Read,
    telling: &mut Telling<'_, '_>,
) -> Result<Element, Failure> {
    let cib = match options.source() {
        Source::Live => {
            live::query_cib().map_err(|error| Failure::new(error.exit_code(), error.to_string()))?
        }
        Source::File(path) => read_file(path).map_err(unreadable)?,
        Source::Pipe => read_pipe(input).map_err(unreadable)?,
    };
    usable(&with_status(cib).map_err(unreadable)?, telling)
}

fn unreadable(error: DocumentError) -> Failure {
    match error {
        DocumentError::NotACib(_) => Failure::new(error.exit_code(), error),
        _ => Failure::new(error.exit_code(), "Could not read input XML: Bad input value provided")
            .with_detail(error.place_and_problem()),
    }
}

/// A CIB as the scheduler knows it: upgraded if it is of an older schema, and valid.
pub(super) fn usable(cib: &Element, telling: &mut Telling<'_, '_>) -> Result<Element, Failure> {
    let refused = |words: String| Failure::new(ExitCode::CONFIG, words);
    let cib = acceptable(cib, |line| telling.log(line)).map_err(|refusal| refused(refusal.to_string()))?;
    match schema::validate(&cib).into_iter().next() {
        Some(issue) => Err(refused(format!("The configuration is not valid: {issue}"))),
        None => Ok(cib),
    }
}

/// Writes a CIB where people can read it.
pub(super) fn write_cib(path: &Path, cib: &Element) -> Result<(), Failure> {
    write_document(path, cib).map_err(|error| {
        let code =
            error.raw_os_error().map_or(ExitCode::CANTCREAT, |errno| LegacyRc::new(-errno).exit_code());
        Failure::new(code, format_args!("Could not create '{}': {}", path.display(), system_words(&error)))
    })
}

/// Writes a graph. It can be far larger than the CIB, so no tree is made of it.
pub(super) fn write_graph(path: &Path, graph: &TransitionGraph) -> Result<(), Failure> {
    let mut text = String::new();
    let described = graph.write_indented(&mut text).map_err(io::Error::other);
    let written = described.and_then(|()| bytes_of(path, text)).and_then(|bytes| replace_file(path, &bytes));
    written.map_err(|error| unwritten("graph", path, &error))
}

/// Writes the drawing of a graph.
pub(super) fn write_drawing(path: &Path, dot: &str) -> Result<(), Failure> {
    replace_file(path, dot.as_bytes()).map_err(|error| unwritten("dot", path, &error))
}

fn write_document(path: &Path, document: &Element) -> io::Result<()> {
    bytes_for(path, document).and_then(|bytes| replace_file(path, &bytes))
}

fn unwritten(what: &str, path: &Path, error: &io::Error) -> Failure {
    let why = system_words(error);
    Failure::new(ExitCode::IOERR, format_args!("Could not write {what} file '{}': {why}", path.display()))
}

/// Where the simulated CIB is to be written, if anywhere.
pub(super) fn destination(options: &Options) -> Option<PathBuf> {
    let in_place = match options.source() {
        Source::File(path) => Some(path.clone()),
        Source::Live => match CibPlace::from_environment() {
            Ok(CibPlace::Shadow { path, .. } | CibPlace::File(path)) => Some(path),
            _ => None,
        },
        Source::Pipe => None,
    };
    in_place.filter(|_| options.in_place).or_else(|| options.save_output.clone())
}
