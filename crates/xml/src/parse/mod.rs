// SPDX-License-Identifier: GPL-2.0-or-later
//! Text to trees, with line and column in every refusal, and limits on everything a stranger can make large.
//!
//! Decides what is well-formed, as libxml2 does. Stricter where a cluster has no use for the rest: no document type, so
//! no entities of the document's own and nothing external; and no encoding but UTF-8.

mod build;
mod position;
mod scan;
mod shapes;

#[cfg(test)]
mod tests;

use crate::Element;

pub use position::{Position, locate, locate_all, locate_attribute};
pub(crate) use shapes::Shapes;

/// How much a document may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements within elements.
    pub depth: usize,
    /// Bytes of text in all.
    pub bytes: usize,
    /// Elements, comments and pieces of text in all.
    pub nodes: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Bytes of one attribute's value, as written.
    pub value_bytes: usize,
}

impl Limits {
    const NONE: Limits = Limits {
        depth: usize::MAX,
        bytes: usize::MAX,
        nodes: usize::MAX,
        attributes: usize::MAX,
        value_bytes: usize::MAX,
    };
}

impl Default for Limits {
    /// What no real CIB comes near: depth 256, 1 GiB and 4,000,000 nodes in all, 1,000 attributes an element, 10 MB a
    /// value. (A CIB of 30 MB has about 150,000 nodes.)
    fn default() -> Limits {
        Limits { depth: 256, bytes: 1 << 30, nodes: 4_000_000, attributes: 1_000, value_bytes: 10_000_000 }
    }
}

/// What becomes of text between elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextPolicy {
    /// Dropped, as Pacemaker does with the CIB and its messages. So are CDATA sections: Pacemaker keeps them, and then
    /// refuses them in what a schema describes, and ends by a failed assertion when anything else is changed beside one.
    #[default]
    Drop,
    /// Kept, as agents' meta-data needs.
    Keep,
}

/// Why a text is no tree, and where it stopped being one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct ParseError {
    /// Where.
    pub at: Position,
    /// Why.
    pub kind: ParseErrorKind,
}

/// Why a text is no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Not even tokens.
    #[error("not well-formed: {0}")]
    Syntax(String),
    /// Nothing in it.
    #[error("no element found; expected one root element")]
    Empty,
    /// More after the end.
    #[error("content after the end of the root element <{0}>")]
    Trailing(String),
    /// Text outside the root.
    #[error("text outside the root element")]
    StrayText,
    /// It ended too early.
    #[error("the text ends inside <{0}>; expected </{0}>")]
    Unclosed(String),
    /// A name that XML does not allow.
    #[error(
        "'{0}' is not a name; names begin with a letter or '_' and hold letters, digits, '.', '-', '_', ':'"
    )]
    BadName(String),
    /// An attribute that is there already.
    #[error("attribute '{attribute}' appears twice in <{element}>")]
    DuplicateAttribute {
        /// Its name.
        attribute: String,
        /// The element it is in.
        element: String,
    },
    /// An entity that nobody defined.
    #[error("unknown or malformed reference in '{0}'; known are &lt; &gt; &amp; &quot; &apos; and &#N;")]
    BadReference(String),
    /// Tags that do not fit together.
    #[error("</{found}> closes <{open}>; expected </{open}>")]
    Mismatch {
        /// The name in the closing tag.
        found: String,
        /// The innermost element that is open.
        open: String,
    },
    /// A closing tag where nothing is open.
    #[error("</{0}> closes nothing")]
    Unopened(String),
    /// A character that XML does not allow.
    #[error("character U+{0:04X} is not allowed in XML")]
    BadCharacter(u32),
    /// A document type.
    #[error("document type declarations are not accepted")]
    DocumentType,
    /// The bytes are not UTF-8, which is the only encoding taken.
    #[error("not UTF-8 text: {0}")]
    Encoding(String),
    /// Too much of something.
    #[error("more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// Reads a document, dropping text between elements, within the default limits.
pub fn parse(text: &str) -> Result<Element, ParseError> {
    parse_with(text, TextPolicy::Drop, Limits::default())
}

/// Reads a document from bytes, which must be UTF-8, as [`parse`] does.
pub fn parse_bytes(bytes: &[u8]) -> Result<Element, ParseError> {
    parse(text_of(bytes)?)
}

/// The text that bytes are, which must be UTF-8; for who needs the text as well as the tree.
pub fn text_of(bytes: &[u8]) -> Result<&str, ParseError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let good = std::str::from_utf8(good).unwrap_or_default();
            let said = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                    "it is UTF-16; convert it (iconv -f UTF-16 -t UTF-8)".to_owned()
                }
                // What is declared says best what to do.
                _ => match scan::Scanner::new(good, Limits::default()) {
                    Err(scan::Fault { kind: ParseErrorKind::Encoding(said), .. }) => said,
                    _ => error.to_string(),
                },
            };
            Err(ParseError { at: Position::of(good, good.len()), kind: ParseErrorKind::Encoding(said) })
        }
    }
}

/// Reads a document.
pub fn parse_with(text: &str, policy: TextPolicy, limits: Limits) -> Result<Element, ParseError> {
    if text.len() > limits.bytes {
        let kind = ParseErrorKind::TooMuch { what: "bytes", limit: limits.bytes };
        return Err(ParseError { at: Position { line: 1, column: 1 }, kind });
    }
    let tree = build::build(text, policy, limits);
    tree.map_err(|fault| ParseError { at: Position::of(text, fault.at), kind: fault.kind })
}
