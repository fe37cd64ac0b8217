// SPDX-License-Identifier: GPL-2.0-or-later
//! A version of the schema as RELAX NG, for other programs: one file that needs no other.
//!
//! Decides: how the table's parts are written. Each kind of element is a definition; the words about elements and attributes
//! are in it as documentation.

use super::datatype::{Datatype, Integer, Sign};
use super::grammar::{Content, Grammar, KindId};
use super::table::Times;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Longer lines are not made by joining.
const MAX_LINE: usize = 100;

/// What every file begins with; `VERSION` is replaced.
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
<!-- What a CIB with validate-with="VERSION" may look like. Written by `cargo xtask schema`: change the table, not this. -->
<grammar xmlns="http://relaxng.org/ns/structure/1.0" xmlns:a="http://relaxng.org/ns/compatibility/annotations/1.0"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
"#;

/// Whatever one likes, all the way down.
const ANYTHING: &str = "  <define name=\"anything\">
    <zeroOrMore>
      <choice>
        <attribute><anyName/></attribute>
        <element><anyName/><ref name=\"anything\"/></element>
        <text/>
      </choice>
    </zeroOrMore>
  </define>
";

/// A grammar as an RNG file.
pub(super) fn write(grammar: &Grammar) -> String {
    let mut writer = Writer { grammar, names: names(grammar), text: String::new(), depth: 1 };
    writer.text.push_str(&HEAD.replace("VERSION", &grammar.version.to_string()));
    writer.tag("start", |writer| writer.reference(grammar.root));
    for kind in 0..grammar.kinds.len() {
        writer.definition(kind);
    }
    if grammar.kinds.iter().any(|kind| kind.content == Content::Anything) {
        writer.text.push_str(ANYTHING);
    }
    writer.text.push_str("</grammar>\n");
    writer.text
}

/// A name for each kind: its elements' name, and a number where several kinds share that.
fn names(grammar: &Grammar) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for kind in &grammar.kinds {
        let count = seen.entry(kind.name).or_default();
        *count += 1;
        names.push(match *count {
            1 => kind.name.to_owned(),
            count => format!("{}.{count}", kind.name),
        });
    }
    names
}

struct Writer<'g> {
    grammar: &'g Grammar,
    names: Vec<String>,
    text: String,
    depth: usize,
}

impl Writer<'_> {
    // --- lines --------------------------------------------------------------------------------------------------

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:width$}{line}", "", width = 2 * self.depth);
    }

    /// An element; on one line, if what is in it is one and there is room.
    fn tag(&mut self, tag: &str, inside: impl FnOnce(&mut Self)) {
        let name = tag.split(' ').next().unwrap_or_default();
        let begin = self.text.len();
        self.line(&format!("<{tag}>"));
        let content = self.text.len();
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        let only = self.text[content..].trim();
        if only.lines().count() == 1 && tag.len() + only.len() < MAX_LINE {
            let line = format!("<{tag}>{only}</{name}>");
            self.text.truncate(begin);
            self.line(&line);
        } else {
            self.line(&format!("</{name}>"));
        }
    }

    fn about(&mut self, about: &str) {
        if !about.is_empty() {
            self.line(&format!("<a:documentation>{}</a:documentation>", escaped(about)));
        }
    }

    // --- patterns -----------------------------------------------------------------------------------------------

    fn reference(&mut self, kind: KindId) {
        let line = format!("<ref name=\"{}\"/>", self.names[kind]);
        self.line(&line);
    }

    fn definition(&mut self, kind: KindId) {
        let (define, name) = (format!("define name=\"{}\"", self.names[kind]), self.grammar.kinds[kind].name);
        self.tag(&define, |writer| {
            writer.tag(&format!("element name=\"{name}\""), |writer| {
                let kind = &writer.grammar.kinds[kind];
                writer.about(kind.about);
                writer.sequence(&kind.content);
            });
        });
    }

    /// What may stand where a sequence is meant anyway.
    fn sequence(&mut self, content: &Content) {
        match content {
            Content::Group(parts) if !parts.is_empty() => parts.iter().for_each(|part| self.sequence(part)),
            _ => self.content(content),
        }
    }

    fn content(&mut self, content: &Content) {
        match content {
            Content::Choice(parts) => {
                let flat = parts.iter().flat_map(|part| match part {
                    Content::Choice(inner) => inner.as_slice(),
                    _ => std::slice::from_ref(part),
                });
                self.several("choice", "notAllowed", &flat.cloned().collect::<Vec<_>>());
            }
            Content::Interleave(parts) => self.several("interleave", "empty", parts),
            Content::Group(parts) => self.several("group", "empty", parts),
            Content::Repeat(part, times) => {
                let tag = match times {
                    Times::Optional => "optional",
                    Times::Any => "zeroOrMore",
                    Times::AtLeastOne => "oneOrMore",
                };
                self.tag(tag, |writer| writer.sequence(part));
            }
            Content::Attribute(id) => {
                let attribute = &self.grammar.attributes[*id];
                self.tag(&format!("attribute name=\"{}\"", attribute.name), |writer| {
                    writer.about(attribute.about);
                    writer.datatype(&attribute.datatype);
                });
            }
            Content::Element(kind) => self.reference(*kind),
            Content::Anything => self.line("<ref name=\"anything\"/>"),
        }
    }

    fn several(&mut self, tag: &str, none: &str, parts: &[Content]) {
        match parts {
            [] => self.line(&format!("<{none}/>")),
            [only] => self.content(only),
            _ => self.tag(tag, |writer| parts.iter().for_each(|part| writer.content(part))),
        }
    }

    // --- types --------------------------------------------------------------------------------------------------

    fn datatype(&mut self, datatype: &Datatype) {
        match datatype {
            Datatype::Text => self.line("<text/>"),
            Datatype::Id => self.line("<data type=\"ID\"/>"),
            Datatype::IdRef => self.line("<data type=\"IDREF\"/>"),
            Datatype::Boolean => self.line("<data type=\"boolean\"/>"),
            Datatype::Integer(integer) => self.integer(*integer),
            Datatype::Words(words) => self.values(words, ""),
            Datatype::Exactly(words) => self.values(words, " type=\"string\""),
            Datatype::NotWords(words) => self.tag("data type=\"string\"", |writer| {
                writer.tag("except", |writer| writer.values(words, ""));
            }),
            Datatype::Matching(expression) => self.tag("data type=\"string\"", |writer| {
                writer.line(&format!("<param name=\"pattern\">{}</param>", escaped(&expression.text)));
            }),
            Datatype::OneOf(types) => self.tag("choice", |writer| {
                types.iter().for_each(|datatype| writer.datatype(datatype));
            }),
        }
    }

    fn integer(&mut self, integer: Integer) {
        let name = match integer.sign {
            Sign::Any => "integer",
            Sign::NotNegative => "nonNegativeInteger",
            Sign::Positive => "positiveInteger",
        };
        match integer.at_most {
            None => self.line(&format!("<data type=\"{name}\"/>")),
            Some(most) => self.tag(&format!("data type=\"{name}\""), |writer| {
                writer.line(&format!("<param name=\"maxInclusive\">{most}</param>"));
            }),
        }
    }

    fn values(&mut self, words: &[String], kind: &str) {
        let value = |writer: &mut Self, word: &String| {
            writer.line(&format!("<value{kind}>{}</value>", escaped(word)));
        };
        match words {
            [only] => value(self, only),
            _ => self.tag("choice", |writer| words.iter().for_each(|word| value(writer, word))),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
