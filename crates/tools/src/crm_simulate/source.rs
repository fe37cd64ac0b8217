// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the CIB comes from, and where CIBs and graphs are written to.

use super::options::Options;
use crate::cib_access::{DocumentError, read_file_or_stdin, with_status};
use crate::live;
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
}

impl SourceError {
    pub(crate) fn exit_code(&self) -> model::ExitCode {
        match self {
            SourceError::Document(error) => error.exit_code(),
            SourceError::Live(error) => error.exit_code(),
        }
    }
}

/// The CIB the options ask for, with a status section.
pub(super) fn cib(options: &Options, input: &mut dyn Read) -> Result<Element, SourceError> {
    let cib = if options.live_check {
        live::query_cib()?
    } else {
        read_file_or_stdin(options.xml_file.as_deref().unwrap_or(Path::new("-")), input)?
    };
    Ok(with_status(cib)?)
}

/// Writes a tree as people can read it.
pub(super) fn write_xml(path: &Path, element: &Element) -> io::Result<()> {
    fs::write(path, xml::write_indented(element))
}
