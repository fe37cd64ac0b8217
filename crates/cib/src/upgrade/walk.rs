// SPDX-License-Identifier: GPL-2.0-or-later
//! How a transform goes through a tree: from the root down, with what is above each element at hand.
//!
//! What no rule touches is shared with the old tree, down from the highest element of which that is true. The way down
//! is recursive; [`deeper_than`] keeps everything out that would take it too far.

use xml::{Element, Node};

/// Elements within elements that an upgrade goes down into: what the parser lets in.
pub(super) const MAX_DEPTH: usize = 256;

/// What is above an element.
#[derive(Clone, Copy)]
pub(super) struct Above<'a> {
    element: &'a Element,
    next: Option<&'a Above<'a>>,
}

impl Above<'_> {
    /// The parent's name.
    pub fn parent(&self) -> &str {
        self.element.name()
    }

    /// The parent's id.
    pub fn parent_id(&self) -> &str {
        self.element.id().unwrap_or_default()
    }

    /// The name of the parent's parent.
    pub fn grandparent(&self) -> &str {
        self.next.map_or("", Above::parent)
    }
}

/// A transform: a rule for every element it wants to change.
pub(super) trait Transform {
    /// Writes what becomes of an element (one, several, nothing) to `out`. Whoever has no rule for it pushes what
    /// [`descend`] makes of it.
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>);
}

/// The whole tree, transformed. A root for which there is not exactly one element afterwards stays as it was.
pub(super) fn transform(root: &Element, rules: &mut impl Transform) -> Element {
    let mut out = Vec::with_capacity(1);
    rules.element(root, None, &mut out);
    match out.pop() {
        Some(Node::Element(new)) if out.is_empty() => new,
        _ => root.clone(),
    }
}

/// The element, with everything below it transformed.
pub(super) fn descend<T: Transform>(rules: &mut T, element: &Element, above: Option<&Above<'_>>) -> Element {
    descend_in_order(rules, element, element.children().iter(), above)
}

/// The element, with its children transformed in an order of the caller's.
pub(super) fn descend_in_order<'a, T: Transform>(
    rules: &mut T,
    element: &Element,
    children: impl ExactSizeIterator<Item = &'a Node>,
    above: Option<&Above<'_>>,
) -> Element {
    let mut out = Vec::with_capacity(children.len());
    let here = Above { element, next: above };
    for child in children {
        match child {
            Node::Element(child) => rules.element(child, Some(&here), &mut out),
            other => out.push(other.clone()),
        }
    }
    with_children(element, out)
}

/// The element with other children; itself if they are the ones it has.
pub(super) fn with_children(element: &Element, children: Vec<Node>) -> Element {
    let same = |(old, new): (&Node, &Node)| old.is_shared_with(new);
    if element.children().len() == children.len() && element.children().iter().zip(&children).all(same) {
        return element.clone();
    }
    element.without_children().with_children(children)
}

/// The element with its attributes and children under another name.
pub(super) fn renamed(element: &Element, name: &'static str) -> Element {
    let mut renamed = Element::new(name);
    renamed.replace_attrs(element);
    renamed.with_children(element.children().iter().cloned())
}

/// True if there are more elements within elements than `max`.
pub(super) fn deeper_than(root: &Element, max: usize) -> bool {
    let mut open = vec![(root, 1)];
    while let Some((element, depth)) = open.pop() {
        if depth > max {
            return true;
        }
        open.extend(element.elements().map(|child| (child, depth + 1)));
    }
    false
}
