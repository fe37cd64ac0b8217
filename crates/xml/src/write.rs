// SPDX-License-Identifier: GPL-2.0-or-later
//! Trees to text, to the byte as Pacemaker writes them.
//!
//! Two escaping eras exist, and digests are over the text, so both are needed: until 2.1.7 control characters became
//! backslash sequences (and escaping stopped at the first two bytes in a row with the high bit set); since 2.1.8 they
//! are character references.

use crate::{Element, Node};

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
    let mut writer = Writer { out: String::new(), style, escaping, skip_attr: |_| false };
    writer.element(element, 0);
    writer.out
}

/// The compact form without the attributes of which `skip_attr` says so, appended to `out`.
pub(crate) fn append_compact_without(
    out: String,
    element: &Element,
    escaping: Escaping,
    skip_attr: fn(&str) -> bool,
) -> String {
    let mut writer = Writer { out, style: Style::Compact, escaping, skip_attr };
    writer.element(element, 0);
    writer.out
}

struct Writer {
    out: String,
    style: Style,
    escaping: Escaping,
    skip_attr: fn(&str) -> bool,
}

impl Writer {
    // Recursion is bounded: the parser limits depth, and code builds shallow trees.
    fn element(&mut self, element: &Element, depth: usize) {
        self.indent(depth);
        self.out.push('<');
        self.out.push_str(element.name());
        for attribute in element.attributes() {
            if (self.skip_attr)(attribute.name()) {
                continue;
            }
            self.out.push(' ');
            self.out.push_str(attribute.name());
            self.out.push_str("=\"");
            escape(attribute.value(), self.escaping, &mut self.out);
            self.out.push('"');
        }
        if self.style == Style::Document && has_text(element) {
            self.mixed_content(element, depth);
            return;
        }
        let mut children = element.children().iter().filter(|node| !matches!(node, Node::Text(_))).peekable();
        if children.peek().is_none() {
            self.out.push_str("/>");
            self.line_end();
            return;
        }
        self.out.push('>');
        self.line_end();
        for child in children {
            match child {
                Node::Element(child) => self.element(child, depth + 1),
                Node::Comment(text) => {
                    self.indent(depth + 1);
                    self.out.push_str("<!--");
                    self.out.push_str(text);
                    self.out.push_str("-->");
                    self.line_end();
                }
                Node::Text(_) => {}
            }
        }
        self.indent(depth);
        self.out.push_str("</");
        self.out.push_str(element.name());
        self.out.push('>');
        self.line_end();
    }

    /// What is between an element's tags if there is text among it: as it is, as blanks may mean something.
    fn mixed_content(&mut self, element: &Element, depth: usize) {
        self.out.push('>');
        for child in element.children() {
            match child {
                Node::Element(child) => {
                    let style = std::mem::replace(&mut self.style, Style::Compact);
                    self.element(child, depth + 1);
                    self.style = style;
                }
                Node::Text(text) => {
                    self.out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
                }
                Node::Comment(text) => self.out.push_str(&format!("<!--{text}-->")),
            }
        }
        self.out.push_str("</");
        self.out.push_str(element.name());
        self.out.push('>');
        self.line_end();
    }

    fn indent(&mut self, depth: usize) {
        if self.style != Style::Compact {
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn line_end(&mut self) {
        if self.style != Style::Compact {
            self.out.push('\n');
        }
    }
}

fn has_text(element: &Element) -> bool {
    element.children().iter().any(|node| matches!(node, Node::Text(text) if !text.trim().is_empty()))
}

fn escape(value: &str, escaping: Escaping, out: &mut String) {
    match escaping {
        Escaping::Modern => escape_modern(value, out),
        Escaping::Legacy => escape_legacy(value, out),
    }
}

fn escape_modern(value: &str, out: &mut String) {
    let mut plain_from = 0;
    for (at, byte) in value.bytes().enumerate() {
        let entity = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            0..=0x1f | 0x7f => {
                out.push_str(&value[plain_from..at]);
                plain_from = at + 1;
                out.push_str(&format!("&#x{byte:02X};"));
                continue;
            }
            _ => continue,
        };
        out.push_str(&value[plain_from..at]);
        plain_from = at + 1;
        out.push_str(entity);
    }
    out.push_str(&value[plain_from..]);
}

fn escape_legacy(value: &str, out: &mut String) {
    let bytes = value.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => out.push_str("&lt;"),
            b'>' => out.push_str("&gt;"),
            b'&' => out.push_str("&amp;"),
            b'"' => out.push_str("&quot;"),
            b'\'' => out.push_str("&apos;"),
            b'\t' => out.push_str("    "),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            0x80.. => {
                // The first byte of every non-ASCII character is followed by another with the high bit set, and
                // there the old writer stopped escaping for the rest of the value.
                out.push_str(&value[at..]);
                return;
            }
            0..=0x1f | 0x7f => out.push_str(&format!("\\{byte:03o}")),
            _ => out.push(char::from(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_what_people_have_written() {
        let text = "<a>\n  <b lang=\"en\">one &lt; two\nlines</b>\n  <c/>\n</a>\n";
        let policy = crate::TextPolicy::Keep;
        let parsed = crate::parse_with(text, policy, crate::Limits::default()).unwrap();
        assert_eq!(write_document(&parsed), text);
        assert_eq!(write_compact(&parsed), "<a><b lang=\"en\"/><c/></a>");
    }
    use crate::parse;

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
