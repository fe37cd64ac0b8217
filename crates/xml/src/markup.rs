// SPDX-License-Identifier: GPL-2.0-or-later
//! What is made element by element, as a tree or as text, by one and the same description.
//!
//! Decides: how both come about. Given: elements as they begin and end, in the order of the text. Leaves to others: what
//! they are. A large document that is only to be written needs no tree.

use crate::parse::Shapes;
use crate::tree::{Packer, Shape, Values};
use crate::write::{Sink, escape};
use crate::{Element, Escaping, Node};
use std::fmt;
use std::sync::Arc;

/// Takes a document piece by piece. Each element is opened, given its attributes (none twice: of two of a name only the
/// first counts in a tree), then those in it, and closed. Names must be XML names.
pub trait Markup<'t> {
    /// An element begins.
    fn open(&mut self, name: &'t str);
    /// An attribute of the element that was opened last, before anything is opened in it.
    fn attribute(&mut self, name: &'t str, value: &str);
    /// The element that was opened last, and not closed yet, ends.
    fn close(&mut self);

    /// An attribute that is a number or the like.
    fn attribute_of(&mut self, name: &'t str, value: impl fmt::Display)
    where
        Self: Sized,
    {
        self.attribute(name, &value.to_string());
    }

    /// An attribute, if there is a value for it.
    fn attribute_opt(&mut self, name: &'t str, value: Option<&str>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }
}

/// Makes a tree. Elements that are alike share what they have in common, as if they had been parsed.
pub struct TreeMarkup<'t> {
    shapes: Shapes<'t>,
    /// The names and values of the tag that may get more of them.
    names: Vec<&'t str>,
    values: Packer,
    tag: Option<(&'t str, Option<u32>)>,
    open: Vec<(Arc<Shape>, Values, usize)>,
    nodes: Vec<Node>,
}

impl<'t> TreeMarkup<'t> {
    /// Nothing yet.
    pub fn new() -> TreeMarkup<'t> {
        TreeMarkup {
            shapes: Shapes::new(),
            names: Vec::new(),
            values: Packer::default(),
            tag: None,
            open: Vec::new(),
            nodes: Vec::new(),
        }
    }

    fn end_tag(&mut self) {
        let Some((name, place)) = self.tag.take() else { return };
        let shape = self.shapes.shape(place, name, &self.names);
        self.names.clear();
        self.open.push((shape, self.values.finish(), self.nodes.len()));
    }

    /// The element that was opened first; none if nothing was, or if it was not closed.
    pub fn finish(self) -> Option<Element> {
        if self.tag.is_some() || !self.open.is_empty() {
            return None;
        }
        self.nodes.first().and_then(Node::element).cloned()
    }
}

impl Default for TreeMarkup<'_> {
    fn default() -> Self {
        TreeMarkup::new()
    }
}

impl<'t> Markup<'t> for TreeMarkup<'t> {
    fn open(&mut self, name: &'t str) {
        self.end_tag();
        self.tag = Some((name, self.shapes.element(name)));
    }

    fn attribute(&mut self, name: &'t str, value: &str) {
        let Some((_, place)) = &mut self.tag else { return };
        match self.shapes.attribute(*place, name) {
            Ok(Some(next)) => *place = Some(next),
            Ok(None) if self.names.contains(&name) => return,
            Ok(None) => *place = None,
            Err(_) => return,
        }
        self.names.push(name);
        self.values.push(value);
    }

    fn close(&mut self) {
        self.end_tag();
        if let Some((shape, values, from)) = self.open.pop() {
            let children = self.nodes.drain(from..).collect();
            self.nodes.push(Element::of_shape(shape, values, children).into());
        }
    }
}

/// Writes text: indented, in today's escaping, as [`crate::write_indented`] does with a tree.
pub struct TextMarkup<'t, W: fmt::Write> {
    out: Checked<W>,
    open: Vec<&'t str>,
    /// The last tag can still get attributes.
    in_tag: bool,
}

impl<W: fmt::Write> TextMarkup<'_, W> {
    /// Writes there.
    pub fn new(out: W) -> Self {
        TextMarkup { out: Checked { out, result: Ok(()) }, open: Vec::new(), in_tag: false }
    }

    fn indent(&mut self) {
        for _ in 0..self.open.len() {
            self.out.push("  ");
        }
    }

    /// Whether all could be written.
    pub fn finish(self) -> fmt::Result {
        self.out.result
    }
}

/// Remembers the first failure, and writes nothing more after it.
struct Checked<W> {
    out: W,
    result: fmt::Result,
}

impl<W: fmt::Write> Sink for Checked<W> {
    fn push(&mut self, text: &str) {
        if self.result.is_ok() {
            self.result = self.out.write_str(text);
        }
    }
}

impl<'t, W: fmt::Write> Markup<'t> for TextMarkup<'t, W> {
    fn open(&mut self, name: &'t str) {
        if std::mem::replace(&mut self.in_tag, true) {
            self.out.push(">\n");
        }
        self.indent();
        self.out.push("<");
        self.out.push(name);
        self.open.push(name);
    }

    fn attribute(&mut self, name: &'t str, value: &str) {
        for part in [" ", name, "=\""] {
            self.out.push(part);
        }
        escape(value, Escaping::Modern, &mut self.out);
        self.out.push("\"");
    }

    fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        if std::mem::replace(&mut self.in_tag, false) {
            return self.out.push("/>\n");
        }
        self.indent();
        for part in ["</", name, ">\n"] {
            self.out.push(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe<'t>(to: &mut impl Markup<'t>) {
        to.open("a");
        to.attribute("x", "1 < 2\n");
        to.attribute_of("y", 7);
        for name in ["b", "b", "c"] {
            to.open(name);
            to.attribute_opt("z", (name == "b").then_some("é\"&"));
            to.attribute_opt("none", None);
            to.open("d");
            to.close();
            to.close();
        }
        to.open("e");
        to.close();
        to.close();
    }

    #[test]
    fn tree_and_text_are_the_same() {
        let mut tree = TreeMarkup::new();
        describe(&mut tree);
        let tree = tree.finish().unwrap();
        let mut text = String::new();
        let mut markup = TextMarkup::new(&mut text);
        describe(&mut markup);
        assert_eq!(markup.finish(), Ok(()));
        assert_eq!(crate::write_indented(&tree), text);
        assert_eq!(crate::parse(&text).unwrap(), tree);
    }

    #[test]
    fn what_is_not_closed_is_no_tree() {
        let mut tree = TreeMarkup::new();
        assert!(TreeMarkup::new().finish().is_none());
        tree.open("a");
        tree.attribute("x", "first");
        tree.attribute("x", "second");
        tree.close();
        assert_eq!(tree.finish().unwrap().to_string(), r#"<a x="first"/>"#);
        let mut tree = TreeMarkup::new();
        tree.open("a");
        assert!(tree.finish().is_none());
    }

    #[test]
    fn a_failure_to_write_is_told() {
        struct Full(usize);
        impl fmt::Write for Full {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
                Ok(())
            }
        }
        let mut markup = TextMarkup::new(Full(12));
        describe(&mut markup);
        assert_eq!(markup.finish(), Err(fmt::Error));
    }
}
