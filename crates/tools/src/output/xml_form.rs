// SPDX-License-Identifier: GPL-2.0-or-later
//! A report as XML, laid out as Pacemaker's tools lay it out: two blanks a level, text on the line of its element, no
//! declaration in front.

use super::entry::{Content, Entry};

/// The report.
pub(super) fn write(report: &Entry) -> String {
    let mut out = String::new();
    element(report, Some(0), &mut out);
    out
}

/// Without a depth everything stands on one line. Recursion is bounded by how reports are made (see [`Entry`]).
fn element(entry: &Entry, depth: Option<usize>, out: &mut String) {
    let (line_end, indent) = match depth {
        Some(depth) => ("\n", "  ".repeat(depth)),
        None => ("", String::new()),
    };
    out.push_str(&indent);
    out.push('<');
    out.push_str(&entry.name);
    for (name, value) in &entry.attributes {
        out.push_str(&format!(" {name}=\""));
        escape_attribute(&value.to_text(), out);
        out.push('"');
    }
    if entry.content.is_empty() {
        out.push_str("/>");
        out.push_str(line_end);
        return;
    }
    out.push('>');
    let has_text = entry.content.iter().any(|content| matches!(content, Content::Text(_) | Content::Raw(_)));
    let inner = depth.filter(|_| !has_text).map(|depth| depth + 1);
    if inner.is_some() {
        out.push('\n');
    }
    for content in &entry.content {
        match content {
            Content::One(child) | Content::Item(child) => element(child, inner, out),
            Content::Text(text) => escape_text(text, out),
            Content::Raw(text) => {
                // The end mark of such a section cannot be in it as it is.
                let text = text.replace("]]>", "]]]]><![CDATA[>");
                out.push_str(&format!("<![CDATA[{text}]]>"));
            }
        }
    }
    if inner.is_some() {
        out.push_str(&indent);
    }
    out.push_str(&format!("</{}>{line_end}", entry.name));
}

/// Control characters become references, so that they survive the reader's normalisation of attributes; those that
/// XML does not know at all, a replacement character.
fn escape_attribute(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#x{:02X};", u32::from(c))),
            c if c.is_ascii_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
}

fn escape_text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\r' => out.push_str("&#x0D;"),
            '\t' | '\n' => out.push(c),
            c if c.is_ascii_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_laid_out_as_pacemakers_tools_do() {
        let report = Entry::new("a")
            .attr("n", 3)
            .attr("q", "\"<\n\u{1}")
            .child(Entry::new("errors").item(Entry::new("error").text("a < b")))
            .child(Entry::raw("output", "<x>]]></x>"))
            .child(Entry::new("e"));
        let text = "<a n=\"3\" q=\"&quot;&lt;&#x0A;\u{fffd}\">\n  <errors>\n    <error>a &lt; b</error>\n  </errors>\n  \
                    <output><![CDATA[<x>]]]]><![CDATA[></x>]]></output>\n  <e/>\n</a>\n";
        assert_eq!(write(&report), text);
        let read = xml::parse_with(&write(&report), xml::TextPolicy::Keep, xml::Limits::default()).unwrap();
        assert_eq!(read.child("output").unwrap().text(), "<x>]]></x>");
    }
}
