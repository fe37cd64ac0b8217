// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading XML documents that people name: files, compressed or not, the standard input, and text on a command line.
//!
//! Decides: how much is read, and what is said when it cannot be. Leaves to others: what is well-formed (`xml`).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use xml::{Element, ParseError};

/// What is read at most, in bytes, after decompression.
const BYTES_MAX: u64 = 1 << 30;

/// A document could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    /// It could not be read.
    #[error("Could not read input XML: {}: {source}", path.display())]
    Read {
        /// Which file (`-`: the standard input).
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no XML.
    #[error("Could not read input XML: {}: {source}", path.display())]
    Parse {
        /// Which file (`-`: the standard input).
        path: PathBuf,
        /// Why, with line and column.
        source: ParseError,
    },
    /// It is no CIB.
    #[error("The input is no CIB: expected a <cib> element, found <{0}>")]
    NotACib(String),
}

impl DocumentError {
    /// True if there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, DocumentError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub fn exit_code(&self) -> model::ExitCode {
        match self {
            DocumentError::Read { .. } | DocumentError::Parse { .. } => model::ExitCode::DATAERR,
            DocumentError::NotACib(_) => model::ExitCode::CONFIG,
        }
    }

    /// Where, and what is wrong there, without the lead.
    pub fn place_and_problem(&self) -> String {
        match self {
            DocumentError::Read { path, source } => {
                format!("{}: {}", path.display(), crate::failure::system_words(source))
            }
            DocumentError::Parse { path, source } => format!("{}: {source}", path.display()),
            DocumentError::NotACib(_) => self.to_string(),
        }
    }
}

/// Reads a document from a file (decompressed if its name says so).
pub(crate) fn read_file(path: &Path) -> Result<Element, DocumentError> {
    parse(path, &read_bytes(path)?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, DocumentError> {
    let read = |source| DocumentError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    let is_compressed = path.extension().is_some_and(|extension| extension == "bz2");
    let bytes = if is_compressed { bounded(bzip2::read::MultiBzDecoder::new(file)) } else { bounded(file) };
    bytes.map_err(read)
}

/// What is in a file (decompressed if its name says so), or comes from the standard input if that is what `-` stands for.
pub(crate) fn read_bytes_or_stdin(path: &Path, stdin: &mut dyn Read) -> Result<Vec<u8>, DocumentError> {
    if path.as_os_str() == "-" { pipe_bytes(stdin) } else { read_bytes(path) }
}

/// Reads a document from a file, or from the standard input if that is what `-` stands for here.
pub(crate) fn read_file_or_stdin(path: &Path, stdin: &mut dyn Read) -> Result<Element, DocumentError> {
    if path.as_os_str() == "-" { read_pipe(stdin) } else { read_file(path) }
}

/// Reads a document from a stream.
pub(crate) fn read_pipe(input: &mut dyn Read) -> Result<Element, DocumentError> {
    parse(Path::new("-"), &pipe_bytes(input)?)
}

fn pipe_bytes(input: &mut dyn Read) -> Result<Vec<u8>, DocumentError> {
    bounded(input).map_err(|source| DocumentError::Read { path: PathBuf::from("-"), source })
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Element, DocumentError> {
    xml::parse_bytes(bytes).map_err(|source| DocumentError::Parse { path: path.to_owned(), source })
}

fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(io::Error::other(format!(
            "larger than {BYTES_MAX} bytes, which is the most that is read"
        )));
    }
    Ok(bytes)
}

/// The CIB with a status section, if it is one.
pub(crate) fn with_status(mut cib: Element) -> Result<Element, DocumentError> {
    if cib.name() != "cib" {
        return Err(DocumentError::NotACib(cib.name().to_owned()));
    }
    cib.child_or_insert("status");
    Ok(cib)
}
