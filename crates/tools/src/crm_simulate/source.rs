// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the CIB comes from, and where CIBs and graphs are written to.

use super::options::Options;
use crate::live;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use xml::{Element, ParseError};

/// The CIB could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The file could not be read.
    #[error("Could not read input XML: {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no XML.
    #[error("Could not read input XML: {}: {source}", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// Why.
        source: ParseError,
    },
    /// It is no CIB.
    #[error("The input is no CIB: expected a <cib> element, found <{0}>")]
    NotACib(String),
    /// The CIB manager did not give it.
    #[error(transparent)]
    Live(#[from] live::LiveError),
}

impl SourceError {
    pub(crate) fn exit_code(&self) -> model::ExitCode {
        match self {
            SourceError::Read { .. } | SourceError::Parse { .. } => model::ExitCode::DATAERR,
            SourceError::NotACib(_) => model::ExitCode::CONFIG,
            SourceError::Live(error) => error.exit_code(),
        }
    }
}

/// How much a compressed file may become.
const BYTES_MAX: u64 = 1 << 30;

/// Reads a document from a file (decompressed if its name says so).
pub(crate) fn read_file(path: &Path) -> Result<Element, SourceError> {
    let read = |source| SourceError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(read)?;
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|extension| extension == "bz2") {
        bzip2::read::MultiBzDecoder::new(file).take(BYTES_MAX).read_to_end(&mut bytes).map_err(read)?;
    } else {
        file.read_to_end(&mut bytes).map_err(read)?;
    }
    xml::parse_bytes(&bytes).map_err(|source| SourceError::Parse { path: path.to_owned(), source })
}

/// The CIB the options ask for, with a status section.
pub(super) fn cib(options: &Options, input: &mut dyn Read) -> Result<Element, SourceError> {
    let cib = if options.live_check {
        live::query_cib()?
    } else {
        match options.xml_file.as_deref().filter(|path| *path != Path::new("-")) {
            Some(path) => read_file(path)?,
            None => read_pipe(input)?,
        }
    };
    with_status(cib)
}

/// Reads a document from a stream.
pub(crate) fn read_pipe(input: &mut dyn Read) -> Result<Element, SourceError> {
    let path = || PathBuf::from("-");
    let mut bytes = Vec::new();
    let read = input.take(BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|source| SourceError::Read { path: path(), source })?;
    xml::parse_bytes(&bytes).map_err(|source| SourceError::Parse { path: path(), source })
}

/// The CIB with a status section, if it is one.
pub(crate) fn with_status(mut cib: Element) -> Result<Element, SourceError> {
    if cib.name() != "cib" {
        return Err(SourceError::NotACib(cib.name().to_owned()));
    }
    cib.child_or_insert("status");
    Ok(cib)
}

/// Writes a tree as people can read it.
pub(super) fn write_xml(path: &Path, element: &Element) -> io::Result<()> {
    fs::write(path, xml::write_indented(element))
}
