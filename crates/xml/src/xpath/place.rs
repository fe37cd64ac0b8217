// SPDX-License-Identifier: GPL-2.0-or-later
//! Places: nodes together with the way that led to them, which stands in for the parent pointers that shared elements
//! cannot have. Decides document order.

use crate::{Attribute, ChildrenIter, Element, Name, Node};
use std::rc::Rc;

/// A node. Text that follows text is one node with it, as XPath has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    /// What is above the root element.
    Document(&'a Element),
    Element(&'a Element),
    Attribute(&'a Element, Attribute<'a>),
    /// A run of text nodes: the element they are in, and where the first is.
    Text(&'a Element, usize),
    Comment(&'a str),
}

impl<'a> Item<'a> {
    /// How many positions there are below it.
    pub fn width(self) -> usize {
        match self {
            Item::Document(_) => 1,
            Item::Element(element) => element.children().len(),
            Item::Attribute(..) | Item::Text(..) | Item::Comment(_) => 0,
        }
    }

    /// The node at a position below it; none where the position only continues a run of text.
    pub fn child(self, index: usize) -> Option<Item<'a>> {
        let children = match self {
            Item::Document(root) => return (index == 0).then_some(Item::Element(root)),
            Item::Element(element) => element.children(),
            Item::Attribute(..) | Item::Text(..) | Item::Comment(_) => return None,
        };
        let is_text = |node: &Node| matches!(node, Node::Text(_));
        match children.get(index)? {
            Node::Element(element) => Some(Item::Element(element)),
            Node::Comment(text) => Some(Item::Comment(text)),
            Node::Text(_) if index > 0 && children.get(index - 1).is_some_and(is_text) => None,
            Node::Text(_) => match self {
                Item::Element(element) => Some(Item::Text(element, index)),
                _ => None,
            },
        }
    }

    /// The value of an attribute, if it is an element that has it.
    pub fn attr(self, name: &str) -> Option<&'a str> {
        match self {
            Item::Element(element) => element.attr(name),
            Item::Document(_) | Item::Attribute(..) | Item::Text(..) | Item::Comment(_) => None,
        }
    }

    /// Its name; empty where there is none.
    pub fn name(self) -> &'a str {
        match self {
            Item::Element(element) => element.name(),
            Item::Attribute(_, attribute) => attribute.name(),
            Item::Document(_) | Item::Text(..) | Item::Comment(_) => "",
        }
    }

    /// Its string-value (XPath 1.0, 5).
    pub fn text(self) -> String {
        let mut text = String::new();
        match self {
            Item::Attribute(_, attribute) => text.push_str(attribute.value()),
            Item::Comment(comment) => text.push_str(comment),
            Item::Text(element, first) => {
                let run = element.children().range(first..usize::MAX);
                push_texts(run, &mut text);
            }
            Item::Element(element) | Item::Document(element) => {
                // Depth first, without recursion: what is left to do of each level.
                let mut open = vec![element.children().iter()];
                while let Some(children) = open.last_mut() {
                    match children.next() {
                        Some(Node::Element(element)) => open.push(element.children().iter()),
                        Some(Node::Text(part)) => text.push_str(part),
                        Some(Node::Comment(_)) => {}
                        None => drop(open.pop()),
                    }
                }
            }
        }
        text
    }
}

fn push_texts(mut run: ChildrenIter<'_>, text: &mut String) {
    while let Some(Node::Text(part)) = run.next() {
        text.push_str(part);
    }
}

/// Where a node is among those of its parent. Attributes come before children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    Attribute(usize),
    Child(usize),
}

/// A node, and where it is.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub parent: Option<Rc<Place<'a>>>,
    pub order: Order,
    pub item: Item<'a>,
}

impl<'a> Place<'a> {
    pub fn document(root: &'a Element) -> Rc<Place<'a>> {
        Rc::new(Place { parent: None, order: Order::Child(0), item: Item::Document(root) })
    }

    pub fn below(parent: &Rc<Place<'a>>, order: Order, item: Item<'a>) -> Rc<Place<'a>> {
        Rc::new(Place { parent: Some(Rc::clone(parent)), order, item })
    }

    /// The way from the document: compares in document order.
    pub fn way(&self) -> Vec<Order> {
        let mut way = Vec::with_capacity(12);
        let mut place = self;
        while let Some(parent) = &place.parent {
            way.push(place.order);
            place = parent;
        }
        way.reverse();
        way
    }

    /// True if it comes before another, which is a cheap question among siblings.
    pub fn is_before(&self, other: &Place<'a>) -> bool {
        match (&self.parent, &other.parent) {
            (Some(a), Some(b)) if Rc::ptr_eq(a, b) => self.order < other.order,
            _ => self.way() < other.way(),
        }
    }

    pub fn selected(&self, root: &'a Element) -> Selected<'a> {
        // The first step is from the document to the root element, the empty path.
        let path = self.way().into_iter().skip(1).filter_map(|order| match order {
            Order::Child(index) => Some(index),
            Order::Attribute(_) => None,
        });
        let target = match self.item {
            Item::Document(_) => Target::Document,
            Item::Element(element) => Target::Element(element),
            Item::Attribute(element, attribute) => Target::Attribute(element, attribute),
            Item::Text(..) => Target::Text(self.item.text()),
            Item::Comment(comment) => Target::Comment(comment),
        };
        Selected { root, path: path.collect(), target }
    }
}

/// What was selected.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<'a> {
    /// What is above the root element; `/` selects it.
    Document,
    /// An element.
    Element(&'a Element),
    /// An attribute, with the element it is in.
    Attribute(&'a Element, Attribute<'a>),
    /// A text.
    Text(String),
    /// A comment.
    Comment(&'a str),
}

/// Where something is that was selected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The positions among all children that lead from the root to it (for an attribute: to its element). Empty is the
    /// root.
    pub path: Vec<usize>,
    /// The attribute's name, if it is an attribute that was found.
    pub attribute: Option<Name>,
}

/// One node that an expression selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected<'a> {
    root: &'a Element,
    path: Vec<usize>,
    target: Target<'a>,
}

impl<'a> Selected<'a> {
    /// Positions among all children, from the root element (the empty path) to the node; for an attribute, to the
    /// element it is in. For [`Element::at_mut`].
    pub fn path(&self) -> &[usize] {
        &self.path
    }

    /// What was selected.
    pub fn target(&self) -> &Target<'a> {
        &self.target
    }

    /// The element, if it is one.
    pub fn element(&self) -> Option<&'a Element> {
        match self.target {
            Target::Element(element) => Some(element),
            Target::Document | Target::Attribute(..) | Target::Text(_) | Target::Comment(_) => None,
        }
    }

    /// The element that Pacemaker works on where an expression selects something else: the root for the document, the
    /// one around for attributes, text and comments. With its path.
    pub fn nearest_element(&self) -> (&[usize], &'a Element) {
        match self.target {
            Target::Document => (&[], self.root),
            Target::Element(element) | Target::Attribute(element, _) => (&self.path, element),
            Target::Text(_) | Target::Comment(_) => {
                let parents = self.path.split_last().map_or(&[][..], |(_, parents)| parents);
                (parents, self.root.at(parents).unwrap_or(self.root))
            }
        }
    }

    /// Where it is, without the tree.
    pub fn found(&self) -> Found {
        let attribute = match self.target {
            Target::Attribute(_, attribute) => Some(attribute.name().clone()),
            Target::Document | Target::Element(_) | Target::Text(_) | Target::Comment(_) => None,
        };
        Found { path: self.path.clone(), attribute }
    }

    /// The value of the attribute, if it is one.
    pub fn value(&self) -> Option<&'a str> {
        match self.target {
            Target::Attribute(_, attribute) => Some(attribute.value()),
            Target::Document | Target::Element(_) | Target::Text(_) | Target::Comment(_) => None,
        }
    }

    /// The address of the nearest element, see [`Element::address`].
    pub fn address(&self) -> String {
        self.root.address(self.nearest_element().0).unwrap_or_default()
    }
}
