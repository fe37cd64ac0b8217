// SPDX-License-Identifier: GPL-2.0-or-later
//! Marks to a tree: whether they fit together, and how much there is of everything.

use super::scan::{Fault, InTag, Mark, Raw, Scanner};
use super::shapes::{Place, Shapes, Twice};
use super::{Limits, ParseErrorKind, TextPolicy};
use crate::characters;
use crate::tree::{Packer, Shape, Values};
use crate::{Element, Node};
use std::sync::Arc;

type Result<T> = std::result::Result<T, Fault>;

/// Reads a document.
pub(super) fn build(text: &str, policy: TextPolicy, limits: Limits) -> Result<Element> {
    let mut builder = Builder {
        scanner: Scanner::new(text, limits)?,
        policy,
        limits,
        shapes: Shapes::new(),
        tag: Tag::default(),
        open: Vec::new(),
        nodes: Vec::new(),
        count: 0,
        piece: String::new(),
        root: None,
    };
    while builder.step()? {}
    let end = |kind| Fault { at: text.len(), kind };
    match (builder.open.last(), builder.root) {
        (Some(open), _) => Err(end(ParseErrorKind::Unclosed(open.name.to_owned()))),
        (None, Some(root)) => Ok(root),
        (None, None) => Err(end(ParseErrorKind::Empty)),
    }
}

/// An element whose end is to come.
struct Open<'t> {
    name: &'t str,
    shape: Arc<Shape>,
    values: Values,
    /// Where its children begin among the nodes.
    children: usize,
}

/// The names and values of the tag that is being read.
#[derive(Default)]
struct Tag<'t> {
    names: Vec<&'t str>,
    /// Where the names are.
    at: Vec<usize>,
    values: Packer,
    /// A value that was not written as it is.
    value: String,
}

struct Builder<'t> {
    scanner: Scanner<'t>,
    policy: TextPolicy,
    limits: Limits,
    shapes: Shapes<'t>,
    tag: Tag<'t>,
    open: Vec<Open<'t>>,
    /// The children so far of all open elements, one after another.
    nodes: Vec<Node>,
    count: usize,
    /// Text that has not come to its end.
    piece: String,
    root: Option<Element>,
}

impl<'t> Builder<'t> {
    /// False at the end.
    fn step(&mut self) -> Result<bool> {
        let at = self.scanner.at;
        match self.scanner.mark()? {
            Mark::Open(name) => self.element(at, name)?,
            Mark::Close(name) => self.close(at, name)?,
            Mark::Text(raw) => {
                let blank = raw.text.bytes().all(characters::is_blank);
                if self.open.is_empty() && !blank {
                    return Err(Fault { at, kind: ParseErrorKind::StrayText });
                }
                self.text(raw, characters::unescape_text);
            }
            Mark::Data(_) if self.open.is_empty() => {
                return Err(Fault { at, kind: ParseErrorKind::StrayText });
            }
            Mark::Data(raw) => self.text(raw, characters::normalize_line_ends),
            Mark::Comment(raw) => {
                self.end_text(at)?;
                if !self.open.is_empty() {
                    let text = if raw.plain {
                        Arc::from(raw.text)
                    } else {
                        let mut text = String::with_capacity(raw.text.len());
                        characters::normalize_line_ends(raw.text, &mut text);
                        text.into()
                    };
                    self.place(at, Node::Comment(text))?;
                }
            }
            Mark::Instruction => {}
            Mark::End => return Ok(false),
        }
        Ok(true)
    }

    fn element(&mut self, at: usize, name: &'t str) -> Result<()> {
        self.end_text(at)?;
        if self.open.is_empty()
            && let Some(root) = &self.root
        {
            return Err(Fault { at, kind: ParseErrorKind::Trailing(root.name().to_owned()) });
        }
        let mut place = self.shapes.element(name);
        self.tag.names.clear();
        self.tag.at.clear();
        let empty = loop {
            match self.scanner.attribute(self.shapes.guess(place))? {
                InTag::Attribute { at, name: attribute, value } => {
                    place = self.shapes.attribute(place, attribute).map_err(|Twice| {
                        let (attribute, element) = (attribute.to_owned(), name.to_owned());
                        Fault { at, kind: ParseErrorKind::DuplicateAttribute { attribute, element } }
                    })?;
                    if self.tag.names.len() >= self.limits.attributes {
                        let limit = self.limits.attributes;
                        let kind = ParseErrorKind::TooMuch { what: "attributes in one element", limit };
                        return Err(Fault { at, kind });
                    }
                    self.tag.add(at, attribute, value);
                }
                InTag::End => break false,
                InTag::EmptyEnd => break true,
            }
        };
        let shape = self.shape(place, name)?;
        let values = self.tag.values.finish();
        if empty {
            return self.place(at, Element::of_shape(shape, values, Vec::new()).into());
        }
        if self.open.len() >= self.limits.depth {
            let kind = ParseErrorKind::TooMuch { what: "levels of elements", limit: self.limits.depth };
            return Err(Fault { at, kind });
        }
        self.open.push(Open { name, shape, values, children: self.nodes.len() });
        Ok(())
    }

    fn shape(&mut self, place: Place, name: &'t str) -> Result<Arc<Shape>> {
        if place.is_none()
            && let Some((at, attribute)) = self.tag.twice()
        {
            let (attribute, element) = (attribute.to_owned(), name.to_owned());
            return Err(Fault { at, kind: ParseErrorKind::DuplicateAttribute { attribute, element } });
        }
        Ok(self.shapes.shape(place, name, &self.tag.names))
    }

    fn close(&mut self, at: usize, name: &str) -> Result<()> {
        self.end_text(at)?;
        match self.open.pop() {
            Some(open) if open.name == name => {
                let children = self.nodes.drain(open.children..).collect();
                self.place(at, Element::of_shape(open.shape, open.values, children).into())
            }
            Some(open) => {
                let (found, open) = (name.to_owned(), open.name.to_owned());
                Err(Fault { at, kind: ParseErrorKind::Mismatch { found, open } })
            }
            None => Err(Fault { at, kind: ParseErrorKind::Unopened(name.to_owned()) }),
        }
    }

    fn place(&mut self, at: usize, node: Node) -> Result<()> {
        self.count += 1;
        if self.count > self.limits.nodes {
            let limit = self.limits.nodes;
            return Err(Fault { at, kind: ParseErrorKind::TooMuch { what: "elements and comments", limit } });
        }
        match node {
            Node::Element(root) if self.open.is_empty() => self.root = Some(root),
            node => self.nodes.push(node),
        }
        Ok(())
    }

    /// Text and CDATA in a row are one piece of text.
    fn text(&mut self, raw: Raw<'_>, unescape: fn(&str, &mut String)) {
        if self.policy == TextPolicy::Keep && !self.open.is_empty() {
            if raw.plain { self.piece.push_str(raw.text) } else { unescape(raw.text, &mut self.piece) }
        }
    }

    fn end_text(&mut self, at: usize) -> Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let text = Arc::from(self.piece.as_str());
        self.piece.clear();
        self.place(at, Node::Text(text))
    }
}

impl<'t> Tag<'t> {
    fn add(&mut self, at: usize, name: &'t str, value: Raw<'_>) {
        self.names.push(name);
        self.at.push(at);
        if value.plain {
            return self.values.push(value.text);
        }
        self.value.clear();
        characters::unescape_value(value.text, &mut self.value);
        self.values.push(&self.value);
    }

    /// An attribute that has been there before.
    fn twice(&self) -> Option<(usize, &'t str)> {
        let mut sorted: Vec<(&str, usize)> =
            self.names.iter().copied().zip(self.at.iter().copied()).collect();
        sorted.sort_unstable();
        let pairs = sorted.windows(2).filter_map(|pair| match pair {
            [(a, _), (b, at)] if a == b => Some((*at, *b)),
            _ => None,
        });
        pairs.min()
    }
}
