// SPDX-License-Identifier: GPL-2.0-or-later
//! Text to trees, with line and column in every refusal, and limits on everything a stranger can make large.
//!
//! Stricter than XML where a cluster has no use for the rest: no document type, so no entities of the document's own
//! and nothing external.

use crate::tree::{Packer, Shape};
use crate::{Element, Node};
use quick_xml::Reader;
use quick_xml::escape::{EscapeError, unescape};
use quick_xml::events::{BytesStart, Event};
use std::fmt;
use std::sync::Arc;

/// How much a document may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements within elements.
    pub depth: usize,
    /// Bytes of text in all.
    pub bytes: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Bytes of one attribute's value, as written.
    pub value_bytes: usize,
}

impl Default for Limits {
    /// What no real CIB comes near: depth 256, 1 GiB in all, 1,000 attributes an element, 10 MB a value.
    fn default() -> Limits {
        Limits { depth: 256, bytes: 1 << 30, attributes: 1_000, value_bytes: 10_000_000 }
    }
}

/// What becomes of text between elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextPolicy {
    /// Dropped, as Pacemaker does with the CIB and its messages.
    #[default]
    Drop,
    /// Kept, as agents' meta-data needs.
    Keep,
}

/// A place in a text, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// The place of a byte offset.
    fn of(text: &str, offset: usize) -> Position {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
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
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let at = Position::of(&good, good.len());
            Err(ParseError { at, kind: ParseErrorKind::Encoding(error.to_string()) })
        }
    }
}

/// Reads a document.
pub fn parse_with(text: &str, policy: TextPolicy, limits: Limits) -> Result<Element, ParseError> {
    if text.len() > limits.bytes {
        let kind = ParseErrorKind::TooMuch { what: "bytes", limit: limits.bytes };
        return Err(ParseError { at: Position { line: 1, column: 1 }, kind });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut builder = Builder { policy, limits, open: Vec::new(), root: None };
    loop {
        let start = offset(reader.buffer_position());
        let event = reader.read_event().map_err(|error| {
            let at = offset(reader.error_position());
            ParseError { at: Position::of(text, at), kind: builder.classify(&error) }
        })?;
        if matches!(event, Event::Eof) {
            break;
        }
        builder.event(event).map_err(|kind| ParseError { at: Position::of(text, start), kind })?;
    }
    let end = Position::of(text, text.len());
    builder.finish().map_err(|kind| ParseError { at: end, kind })
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

struct Builder {
    policy: TextPolicy,
    limits: Limits,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), ParseErrorKind> {
        match event {
            Event::Start(start) => {
                let element = self.element(&start)?;
                if self.open.len() >= self.limits.depth {
                    return Err(ParseErrorKind::TooMuch {
                        what: "levels of elements",
                        limit: self.limits.depth,
                    });
                }
                self.open.push(element);
                Ok(())
            }
            Event::Empty(start) => {
                let element = self.element(&start)?;
                self.place(element);
                Ok(())
            }
            Event::End(_) => {
                // quick-xml has checked that it closes the innermost open element.
                if let Some(element) = self.open.pop() {
                    self.place(element);
                }
                Ok(())
            }
            Event::Text(text) => self.text_value(&resolve(&text)?),
            Event::GeneralRef(reference) => self.text_value(&resolve(&format!("&{};", &*reference))?),
            Event::CData(data) => self.text_value(&data),
            Event::Comment(comment) => {
                allowed(&comment)?;
                if let Some(parent) = self.open.last_mut() {
                    parent.push(Node::Comment(Arc::from(&*comment)));
                }
                Ok(())
            }
            Event::DocType(_) => Err(ParseErrorKind::DocumentType),
            Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn text_value(&mut self, text: &str) -> Result<(), ParseErrorKind> {
        allowed(text)?;
        match self.open.last_mut() {
            None if text.trim().is_empty() => Ok(()),
            None => Err(ParseErrorKind::StrayText),
            Some(parent) => {
                if self.policy == TextPolicy::Keep {
                    parent.push(Node::Text(Arc::from(text)));
                }
                Ok(())
            }
        }
    }

    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, ParseErrorKind> {
        if self.open.is_empty()
            && let Some(root) = &self.root
        {
            return Err(ParseErrorKind::Trailing(root.name().to_owned()));
        }
        let tag = start.name();
        let tag = tag.as_ref();
        is_name(tag)?;
        let (mut names, mut packer) = (Vec::new(), Packer::default());
        // Duplicates are looked for below.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| ParseErrorKind::Syntax(error.to_string()))?;
            if names.len() >= self.limits.attributes {
                let limit = self.limits.attributes;
                return Err(ParseErrorKind::TooMuch { what: "attributes in one element", limit });
            }
            let raw = &*attribute.value;
            if raw.len() > self.limits.value_bytes {
                let limit = self.limits.value_bytes;
                return Err(ParseErrorKind::TooMuch { what: "bytes in one attribute value", limit });
            }
            if raw.contains('<') {
                return Err(ParseErrorKind::Syntax("'<' in an attribute value (write &lt;)".to_owned()));
            }
            let value = resolve(&normalized(raw))?.into_owned();
            allowed(&value)?;
            let name = attribute.key.into_inner();
            is_name(name)?;
            if names.contains(&name) {
                let (attribute, element) = (name.to_owned(), tag.to_owned());
                return Err(ParseErrorKind::DuplicateAttribute { attribute, element });
            }
            names.push(name);
            packer.push(&value);
        }
        Ok(Element::of_shape(Shape::shared(tag, &names), packer.finish(), Vec::new()))
    }

    fn place(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => parent.push(element),
            None => self.root = Some(element),
        }
    }

    fn finish(self) -> Result<Element, ParseErrorKind> {
        match (self.open.last(), self.root) {
            (Some(open), _) => Err(ParseErrorKind::Unclosed(open.name().to_owned())),
            (None, Some(root)) => Ok(root),
            (None, None) => Err(ParseErrorKind::Empty),
        }
    }

    fn classify(&self, error: &quick_xml::Error) -> ParseErrorKind {
        match error {
            quick_xml::Error::Encoding(error) => ParseErrorKind::Encoding(error.to_string()),
            other => ParseErrorKind::Syntax(other.to_string()),
        }
    }
}

fn is_name(text: &str) -> Result<(), ParseErrorKind> {
    let mut chars = text.chars();
    let head_ok = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == ':');
    let tail_ok = chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.' | '\u{b7}'));
    if head_ok && tail_ok { Ok(()) } else { Err(ParseErrorKind::BadName(text.to_owned())) }
}

/// White space in attribute values is blanks, unless it was written as a reference (XML 1.0, 3.3.3).
fn normalized(raw: &str) -> std::borrow::Cow<'_, str> {
    if raw.contains(['\t', '\n', '\r']) {
        raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ").into()
    } else {
        raw.into()
    }
}

fn resolve(raw: &str) -> Result<std::borrow::Cow<'_, str>, ParseErrorKind> {
    unescape(raw).map_err(|error| match error {
        EscapeError::InvalidCharRef(_)
        | EscapeError::UnterminatedEntity(_)
        | EscapeError::UnrecognizedEntity(..) => ParseErrorKind::BadReference(raw.chars().take(40).collect()),
        other => ParseErrorKind::Syntax(other.to_string()),
    })
}

/// Refuses the characters that XML 1.0 has no place for.
fn allowed(text: &str) -> Result<(), ParseErrorKind> {
    let bad = |c: &char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    match text.chars().find(bad) {
        Some(c) => Err(ParseErrorKind::BadCharacter(u32::from(c))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |tree| format!("accepted {tree}"))
    }

    #[test]
    fn reads_what_pacemaker_writes() {
        let text = r#"<?xml version="1.0"?>
<cib epoch="3"><!-- c --><a x="&lt;&#x41;&#9;&quot;'"/>
</cib>
"#;
        let tree = parse(text).unwrap();
        assert_eq!(tree.child("a").unwrap().attr("x"), Some("<A\t\"'"));
        assert_eq!(tree.to_string(), r#"<cib epoch="3"><!-- c --><a x="&lt;A&#x09;&quot;'"/></cib>"#);
    }

    #[test]
    fn keeps_text_where_asked() {
        let tree =
            parse_with("<a>one<b/>&amp;<![CDATA[<two>]]></a>", TextPolicy::Keep, Limits::default()).unwrap();
        assert_eq!(tree.text(), "one&<two>");
        assert_eq!(parse("<a>one</a>").unwrap().text(), "");
    }

    #[test]
    fn refusals_say_where_and_why() {
        assert_eq!(error(""), "line 1, column 1: no element found; expected one root element");
        assert!(error("hello").contains("text outside the root element"), "{}", error("hello"));
        assert!(error("<a>\n <b>\n</a>").starts_with("line 3, column 1:"), "{}", error("<a>\n <b>\n</a>"));
        assert_eq!(
            error("<a>\n  <b x='1' x='2'/></a>"),
            "line 2, column 3: attribute 'x' appears twice in <b>"
        );
        assert_eq!(error("<a><b>"), "line 1, column 7: the text ends inside <b>; expected </b>");
        assert!(error("<a/><b/>").contains("content after the end of the root element <a>"));
        assert!(
            error("<!DOCTYPE a [<!ENTITY x 'y'>]><a/>")
                .contains("document type declarations are not accepted")
        );
        assert!(
            error("<a x='&y;'/>").contains("unknown or malformed reference"),
            "{}",
            error("<a x='&y;'/>")
        );
        assert!(error("<a x='&#1;'/>").contains("U+0001 is not allowed"), "{}", error("<a x='&#1;'/>"));
        assert!(error("<a 1x='2'/>").contains("is not a name"), "{}", error("<a 1x='2'/>"));
        assert!(error("<a x='1<2'/>").contains("&lt;"), "{}", error("<a x='1<2'/>"));
    }

    #[test]
    fn other_encodings_are_refused_with_their_place() {
        let error = parse_bytes(b"<a>\n<b x='\xe9'/></a>").unwrap_err();
        assert_eq!(error.at, Position { line: 2, column: 7 });
        assert!(error.to_string().contains("not UTF-8"), "{error}");
        assert!(parse_bytes(b"<a/>").is_ok());
    }

    #[test]
    fn limits_hold() {
        let deep = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
        assert!(error(&deep).ends_with("more than 256 levels of elements"));
        let wide: String = (0..2_000).map(|n| format!(" x{n}='1'")).collect();
        assert!(error(&format!("<a{wide}/>")).ends_with("more than 1000 attributes in one element"));
        let long = format!("<a x='{}'/>", "y".repeat(10_000_001));
        assert!(error(&long).ends_with("more than 10000000 bytes in one attribute value"));
        let small = Limits { bytes: 10, ..Limits::default() };
        assert!(parse_with("<abcdefghijk/>", TextPolicy::Drop, small).is_err());
    }
}
