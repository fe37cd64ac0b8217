// SPDX-License-Identifier: GPL-2.0-or-later
//! Trees to text, to the byte as Pacemaker writes them.
//!
//! Two escaping eras exist, and digests are over the text, so both are needed: until 2.1.7 control characters became
//! backslash sequences (and escaping stopped at the first two bytes in a row with the high bit set); since 2.1.8 they
//! are character references.

use crate::characters;
use crate::{ChildrenIter, Element, Node};

/// How attribute values are escaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escaping {
    /// Pacemaker 2.1.8 and later.
    #[default]
    Modern,
    /// Pacemaker up to 2.1.7.
    Legacy,
}

/// How a tree is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// All on one line.
    Compact,
    /// A line an element, two blanks a level.
    Indented,
    /// As `Indented`, with text where there is more than blanks of it: for what people have written, such as agents'
    /// meta-data.
    Document,
}

/// The compact form in today's escaping. Text nodes are left out, as Pacemaker does with the CIB and messages.
pub fn write_compact(element: &Element) -> String {
    write_with(element, Style::Compact, Escaping::Modern)
}

/// The indented form in today's escaping, ending with a line feed.
pub fn write_indented(element: &Element) -> String {
    write_with(element, Style::Indented, Escaping::Modern)
}

/// The indented form with text, in today's escaping, ending with a line feed.
pub fn write_document(element: &Element) -> String {
    write_with(element, Style::Document, Escaping::Modern)
}

/// Any form.
pub fn write_with(element: &Element, style: Style, escaping: Escaping) -> String {
    let mut out = String::new();
    write_to(&mut out, element, style, escaping, |_| false);
    out
}

/// What is written to, piece by piece.
pub(crate) trait Sink {
    fn push(&mut self, text: &str);
}

impl Sink for String {
    #[inline]
    fn push(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Any form, without the attributes of which `skip` says so.
pub(crate) fn write_to<S: Sink>(
    out: &mut S,
    element: &Element,
    style: Style,
    escaping: Escaping,
    skip: fn(&str) -> bool,
) {
    let mut writer = Writer { out, style, escaping, skip, open: Vec::new() };
    writer.element(element);
    while writer.step() {}
}

/// An element of which the opening tag has been written.
struct Open<'e> {
    element: &'e Element,
    left: ChildrenIter<'e>,
    /// What is in it is written as it is, with its text and nothing added, as blanks may mean something.
    verbatim: bool,
}

struct Writer<'w, 'e, S> {
    out: &'w mut S,
    style: Style,
    escaping: Escaping,
    skip: fn(&str) -> bool,
    open: Vec<Open<'e>>,
}

impl<'e, S: Sink> Writer<'_, 'e, S> {
    /// Writes the next child of the innermost open element, or closes that. False when all are closed.
    fn step(&mut self) -> bool {
        let Some(here) = self.open.last_mut() else { return false };
        let verbatim = here.verbatim;
        match here.left.next() {
            Some(Node::Element(child)) => self.element(child),
            Some(Node::Comment(text)) => {
                self.indent();
                for part in ["<!--", text, "-->"] {
                    self.out.push(part);
                }
                self.line_end();
            }
            Some(Node::Text(text)) if verbatim => escape_text(text, self.out),
            Some(Node::Text(_)) => {}
            None => {
                let name = here.element.name();
                // Within the tags blanks belong to the element; around them, to its parent.
                let own = self.open.pop().is_some_and(|open| !open.verbatim);
                if own {
                    self.indent();
                }
                for part in ["</", name, ">"] {
                    self.out.push(part);
                }
                self.line_end();
            }
        }
        true
    }

    fn element(&mut self, element: &'e Element) {
        self.indent();
        self.out.push("<");
        self.out.push(element.name());
        for attribute in element.attributes() {
            if (self.skip)(attribute.name()) {
                continue;
            }
            for part in [" ", attribute.name(), "=\""] {
                self.out.push(part);
            }
            escape(attribute.value(), self.escaping, self.out);
            self.out.push("\"");
        }
        let verbatim = self.is_verbatim() || self.style == Style::Document && has_text(element);
        let left = element.children().iter();
        let mut shown = left.clone().filter(|node| verbatim || !matches!(node, Node::Text(_)));
        if shown.next().is_none() {
            self.out.push("/>");
            return self.line_end();
        }
        self.out.push(">");
        if !verbatim {
            self.line_end();
        }
        self.open.push(Open { element, left, verbatim });
    }

    fn is_verbatim(&self) -> bool {
        self.open.last().is_some_and(|open| open.verbatim)
    }

    fn indent(&mut self) {
        if self.style != Style::Compact && !self.is_verbatim() {
            (0..self.open.len()).for_each(|_| self.out.push("  "));
        }
    }

    fn line_end(&mut self) {
        if self.style != Style::Compact && !self.is_verbatim() {
            self.out.push("\n");
        }
    }
}

fn has_text(element: &Element) -> bool {
    element.children().iter().any(|node| matches!(node, Node::Text(text) if !text.trim().is_empty()))
}

fn escape_text(text: &str, out: &mut impl Sink) {
    replace(text, out, *b"<>&\r", |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

pub(crate) fn escape(value: &str, escaping: Escaping, out: &mut impl Sink) {
    match escaping {
        Escaping::Modern => replace(value, out, MODERN, modern),
        Escaping::Legacy => {
            // The first byte of every non-ASCII character is followed by another with the high bit set, and there the
            // old writer stopped escaping for the rest of the value.
            let end = value.bytes().position(|byte| !byte.is_ascii()).unwrap_or(value.len());
            let (escaped, rest) = value.split_at_checked(end).unwrap_or((value, ""));
            replace(escaped, out, LEGACY, legacy);
            out.push(rest);
        }
    }
}

/// What each era replaces, besides control characters.
const MODERN: [u8; 5] = *b"<>&\"\x7f";
const LEGACY: [u8; 6] = *b"<>&\"'\x7f";

fn modern(byte: u8) -> Option<&'static str> {
    match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        _ => {
            const ALL: [&str; 32] = [
                "&#x00;", "&#x01;", "&#x02;", "&#x03;", "&#x04;", "&#x05;", "&#x06;", "&#x07;", "&#x08;",
                "&#x09;", "&#x0A;", "&#x0B;", "&#x0C;", "&#x0D;", "&#x0E;", "&#x0F;", "&#x10;", "&#x11;",
                "&#x12;", "&#x13;", "&#x14;", "&#x15;", "&#x16;", "&#x17;", "&#x18;", "&#x19;", "&#x1A;",
                "&#x1B;", "&#x1C;", "&#x1D;", "&#x1E;", "&#x1F;",
            ];
            if byte == 0x7f { Some("&#x7F;") } else { ALL.get(usize::from(byte)).copied() }
        }
    }
}

fn legacy(byte: u8) -> Option<&'static str> {
    match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&apos;"),
        b'\t' => Some("    "),
        b'\n' => Some("\\n"),
        b'\r' => Some("\\r"),
        _ => {
            const ALL: [&str; 32] = [
                "\\000", "\\001", "\\002", "\\003", "\\004", "\\005", "\\006", "\\007", "\\010", "\\011",
                "\\012", "\\013", "\\014", "\\015", "\\016", "\\017", "\\020", "\\021", "\\022", "\\023",
                "\\024", "\\025", "\\026", "\\027", "\\030", "\\031", "\\032", "\\033", "\\034", "\\035",
                "\\036", "\\037",
            ];
            if byte == 0x7f { Some("\\177") } else { ALL.get(usize::from(byte)).copied() }
        }
    }
}

/// Writes a text with some bytes replaced: such as are among the marks, or control characters.
#[inline]
fn replace<const N: usize>(
    text: &str,
    out: &mut impl Sink,
    marks: [u8; N],
    by: impl Fn(u8) -> Option<&'static str>,
) {
    let bytes = text.as_bytes();
    let (mut plain_from, mut at) = (0, 0);
    loop {
        at = characters::stop(bytes, at, marks);
        let Some(byte) = bytes.get(at) else { break };
        if let Some(replacement) = by(*byte) {
            out.push(text.get(plain_from..at).unwrap_or_default());
            out.push(replacement);
            plain_from = at + 1;
        }
        at += 1;
    }
    out.push(text.get(plain_from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn a_document_keeps_what_people_have_written() {
        let text = "<a>\n  <b lang=\"en\">one &lt; two\nlines</b>\n  <c/>\n</a>\n";
        let policy = crate::TextPolicy::Keep;
        let parsed = crate::parse_with(text, policy, crate::Limits::default()).unwrap();
        assert_eq!(write_document(&parsed), text);
        assert_eq!(write_compact(&parsed), "<a><b lang=\"en\"/><c/></a>");
        let text = "<a>\n  <b>one <i>two <!-- 2 --></i> <u/>&#13;\n three</b>\n</a>\n";
        let parsed = crate::parse_with(text, policy, crate::Limits::default()).unwrap();
        assert_eq!(write_document(&parsed), text);
    }

    fn value(text: &str, escaping: Escaping) -> String {
        let mut out = String::new();
        escape(text, escaping, &mut out);
        out
    }

    #[test]
    fn both_eras_escape_as_they_did() {
        assert_eq!(value("a<b>&\"c'", Escaping::Modern), "a&lt;b&gt;&amp;&quot;c'");
        assert_eq!(value("a<b>&\"c'", Escaping::Legacy), "a&lt;b&gt;&amp;&quot;c&apos;");
        assert_eq!(value("1\t2\n3\r4\u{7}", Escaping::Modern), "1&#x09;2&#x0A;3&#x0D;4&#x07;");
        assert_eq!(value("1\t2\n3\r4\u{7}", Escaping::Legacy), "1    2\\n3\\r4\\007");
        assert_eq!(value("<é<", Escaping::Legacy), "&lt;é<");
        assert_eq!(value("<é<", Escaping::Modern), "&lt;é&lt;");
    }

    #[test]
    fn layouts() {
        let tree = parse("<a x='1'>\n <!-- hi --> <b/>text</a>").unwrap();
        assert_eq!(write_compact(&tree), r#"<a x="1"><!-- hi --><b/></a>"#);
        assert_eq!(write_indented(&tree), "<a x=\"1\">\n  <!-- hi -->\n  <b/>\n</a>\n");
    }
}
