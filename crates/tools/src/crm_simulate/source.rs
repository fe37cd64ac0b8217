// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the CIB comes from, and where CIBs and graphs are written to.

use super::options::Options;
use crate::acceptable::acceptable;
use crate::cib_access::{DocumentError, read_file_or_stdin, with_status};
use crate::live;
use ::cib::schema::{self, Issue};
use ::cib::upgrade::Unacceptable;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use xml::Element;

/// The CIB could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// It could not be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The CIB manager did not give it.
    #[error(transparent)]
    Live(#[from] live::LiveError),
    /// It cannot be brought to today's schema.
    #[error(transparent)]
    Unacceptable(#[from] Box<Unacceptable>),
    /// It is not valid by today's schema, which it claims to follow.
    #[error("The configuration is not valid: {0}")]
    Invalid(Box<Issue>),
}

impl SourceError {
    pub(crate) fn exit_code(&self) -> model::ExitCode {
        match self {
            SourceError::Document(error) => error.exit_code(),
            SourceError::Live(error) => error.exit_code(),
            SourceError::Unacceptable(_) | SourceError::Invalid(_) => model::ExitCode::CONFIG,
        }
    }
}

/// The CIB the options ask for, with a status section, in today's schema. What was changed for that goes to `tell`.
pub(super) fn cib(
    options: &Options,
    input: &mut dyn Read,
    tell: impl FnMut(String),
) -> Result<Element, SourceError> {
    let cib = if options.live_check {
        live::query_cib()?
    } else {
        read_file_or_stdin(options.xml_file.as_deref().unwrap_or(Path::new("-")), input)?
    };
    usable(&with_status(cib)?, tell)
}

/// A CIB as the scheduler knows it: upgraded if it is of an older schema, and valid.
pub(super) fn usable(cib: &Element, tell: impl FnMut(String)) -> Result<Element, SourceError> {
    let cib = acceptable(cib, tell).map_err(Box::new)?;
    match schema::validate(&cib).into_iter().next() {
        Some(issue) => Err(SourceError::Invalid(Box::new(issue))),
        None => Ok(cib),
    }
}

/// Writes a tree as people can read it.
pub(super) fn write_xml(path: &Path, element: &Element) -> io::Result<()> {
    fs::write(path, xml::write_indented(element))
}
