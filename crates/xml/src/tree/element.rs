// SPDX-License-Identifier: GPL-2.0-or-later
//! Elements, their attributes and children, shared until changed.

use super::attributes::{Attribute, Attributes, Packer, Values};
use super::children::{Children, Elements, Kids};
use super::key::Ids;
use super::marks::{Kept, Mark, Marks};
use super::name::Name;
use super::shape::Shape;
use std::fmt;
use std::sync::Arc;

/// What an element can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text between elements (kept only where the parser was asked to, as in agents' meta-data).
    Text(Arc<str>),
    /// A comment, without its marks.
    Comment(Arc<str>),
}

impl Node {
    /// The element, if it is one.
    pub fn element(&self) -> Option<&Element> {
        match self {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) => None,
        }
    }

    fn element_mut(&mut self) -> Option<&mut Element> {
        match self {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) => None,
        }
    }

    /// True if both are the very same element in memory, or comments of the same text.
    pub fn is_shared_with(&self, other: &Node) -> bool {
        match (self, other) {
            (Node::Element(one), Node::Element(other)) => one.ptr_eq(other),
            (Node::Comment(one), Node::Comment(other)) => one == other,
            _ => false,
        }
    }
}

impl From<Element> for Node {
    fn from(element: Element) -> Node {
        Node::Element(element)
    }
}

#[derive(Clone)]
struct Inner {
    shape: Arc<Shape>,
    values: Values,
    children: Kids,
    /// The names of all elements below.
    below: Kept,
}

/// How deep names are looked for at a time. What is deeper counts as having all.
const MARKS_DEPTH: usize = 128;

impl Drop for Inner {
    /// One level after the other, so that no depth is too much for the stack.
    fn drop(&mut self) {
        if self.children.len() == 0 {
            return;
        }
        let mut nodes = Vec::new();
        let mut waiting = vec![std::mem::take(&mut self.children)];
        while let Some(children) = waiting.pop() {
            children.dismantle(&mut nodes);
            for node in nodes.drain(..) {
                if let Node::Element(element) = node
                    && let Some(mut inner) = Arc::into_inner(element.0)
                    && inner.children.len() > 0
                {
                    waiting.push(std::mem::take(&mut inner.children));
                }
            }
        }
    }
}

/// An element with all that is below it. Cloning shares; changing a clone leaves the original as it was.
///
/// A clone copies a pointer. A change copies the element, its list of children (of many, the few blocks of that on the
/// way), and the same of those above it. Elements that have the same name and attributes share these too.
#[derive(Clone)]
pub struct Element(Arc<Inner>);

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<Name>) -> Element {
        Element::of_shape(Arc::new(Shape::new(name.into(), Vec::new())), Values::default(), Vec::new())
    }

    /// An element of parts; there must be as many values as the shape has attributes.
    pub(crate) fn of_shape(shape: Arc<Shape>, values: Values, children: Vec<Node>) -> Element {
        Element(Arc::new(Inner { shape, values, children: children.into(), below: Kept::default() }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.shape.name().as_str()
    }

    /// Its name, as it can be shared.
    pub fn name_shared(&self) -> &Name {
        self.0.shape.name()
    }

    pub(super) fn name_key(&self) -> u32 {
        self.0.shape.name_key()
    }

    /// True if both are the very same element in memory, so surely equal without a look below.
    pub fn ptr_eq(&self, other: &Element) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The element alone, without what is in it. Shares its attributes.
    #[must_use]
    pub fn without_children(&self) -> Element {
        Element::of_shape(Arc::clone(&self.0.shape), self.0.values.clone(), Vec::new())
    }

    // --- attributes ---------------------------------------------------------------------------------------------

    /// The value of an attribute.
    pub fn attr(&self, name: &str) -> Option<&str> {
        let index = self.0.shape.position(name)?;
        Some(self.0.values.value(self.0.shape.attributes().len(), index))
    }

    /// The `id` attribute.
    pub fn id(&self) -> Option<&str> {
        self.attr("id")
    }

    /// All attributes, in order.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::new(&self.0.shape, &self.0.values)
    }

    /// Sets an attribute: in its old place if it was there, else as the last.
    pub fn set_attr(&mut self, name: impl Into<Name>, value: impl ToString) {
        let (name, value) = (name.into(), value.to_string());
        let at = self.0.shape.position(&name);
        let mut packer = Packer::default();
        for (index, attribute) in self.attributes().iter().enumerate() {
            packer.push(if at == Some(index) { &value } else { attribute.value() });
        }
        if at.is_none() {
            packer.push(&value);
        }
        let inner = self.inner_mut();
        if at.is_none() {
            Arc::make_mut(&mut inner.shape).push(name);
        }
        inner.values = packer.finish();
    }

    /// Sets an attribute if there is a value for it.
    pub fn set_attr_opt(&mut self, name: impl Into<Name>, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set_attr(name, value);
        }
    }

    /// Sets all attributes, in this order. If a name comes twice, its last value counts.
    pub fn set_attrs<N: Into<Name>, V: AsRef<str>>(&mut self, attributes: impl IntoIterator<Item = (N, V)>) {
        let mut names: Vec<Name> = Vec::new();
        let mut packer = Packer::default();
        let mut again = Vec::new();
        for (name, value) in attributes {
            let name = name.into();
            if names.contains(&name) {
                again.push((name, value));
                continue;
            }
            names.push(name);
            packer.push(value.as_ref());
        }
        self.put_attributes(names, packer);
        for (name, value) in again {
            self.set_attr(name, value.as_ref());
        }
    }

    fn put_attributes(&mut self, names: Vec<Name>, mut packer: Packer) {
        let inner = self.inner_mut();
        if inner.shape.attributes() != names {
            inner.shape = Arc::new(Shape::new(inner.shape.name().clone(), names));
        }
        inner.values = packer.finish();
    }

    /// Removes an attribute; says whether it was there.
    pub fn remove_attr(&mut self, name: &str) -> bool {
        let there = self.0.shape.position(name).is_some();
        self.retain_attrs(|attribute| attribute.name().as_str() != name);
        there
    }

    /// Keeps the attributes of which `keep` says so; it is asked once for each.
    pub fn retain_attrs(&mut self, mut keep: impl FnMut(&Attribute<'_>) -> bool) {
        let mut names = Vec::new();
        let mut packer = Packer::default();
        for attribute in self.attributes().iter().filter(|attribute| keep(attribute)) {
            names.push(attribute.name().clone());
            packer.push(attribute.value());
        }
        if names.len() < self.attributes().len() {
            self.put_attributes(names, packer);
        }
    }

    /// Puts the attributes into the order of their names.
    pub fn sort_attrs(&mut self) {
        if self.0.shape.attributes().is_sorted() {
            return;
        }
        let mut sorted: Vec<Attribute<'_>> = self.attributes().iter().collect();
        sorted.sort_by(|a, b| a.name().cmp(b.name()));
        let names = sorted.iter().map(|attribute| attribute.name().clone()).collect();
        let mut packer = Packer::default();
        sorted.iter().for_each(|attribute| packer.push(attribute.value()));
        self.put_attributes(names, packer);
    }

    /// Takes all attributes of `other`, with their order, in place of its own.
    pub fn replace_attrs(&mut self, other: &Element) {
        let inner = self.inner_mut();
        if !inner.shape.has_same_attributes(&other.0.shape) {
            inner.shape = if inner.shape.name() == other.0.shape.name() {
                Arc::clone(&other.0.shape)
            } else {
                let names = other.0.shape.attributes().to_vec();
                Arc::new(Shape::new(inner.shape.name().clone(), names))
            };
        }
        inner.values = other.0.values.clone();
    }

    /// Itself with an attribute set; for building.
    #[must_use]
    pub fn with_attr(mut self, name: impl Into<Name>, value: impl ToString) -> Element {
        self.set_attr(name, value);
        self
    }

    // --- children -----------------------------------------------------------------------------------------------

    /// All children: elements, comments, text.
    pub fn children(&self) -> Children<'_> {
        Children(&self.0.children)
    }

    /// The child elements, in order.
    pub fn elements(&self) -> Elements<'_> {
        Elements(self.children().iter())
    }

    /// The child elements of a name, in order.
    pub fn elements_named<'a>(
        &'a self,
        name: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a Element> + Clone {
        self.elements().filter(move |element| element.name() == name)
    }

    /// The first child element of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children().get(self.position(name, Ids::Any)?)?.element()
    }

    /// The first child element of a name and `id`.
    pub fn child_with_id(&self, name: &str, id: &str) -> Option<&Element> {
        self.children().get(self.position(name, Ids::Is(id))?)?.element()
    }

    /// Where among all children the first element of a name and `id` is.
    pub fn position(&self, name: &str, ids: Ids<'_>) -> Option<usize> {
        self.children().position(0..usize::MAX, name, ids)
    }

    /// The first child element.
    pub fn first_element(&self) -> Option<&Element> {
        self.elements().next()
    }

    /// Follows child names downwards, the first of each.
    pub fn descend(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text directly below, put together.
    pub fn text(&self) -> String {
        let texts = self.children().iter().filter_map(|node| match node {
            Node::Text(text) => Some(&**text),
            Node::Element(_) | Node::Comment(_) => None,
        });
        texts.collect()
    }

    /// Adds a child at the end.
    pub fn push(&mut self, child: impl Into<Node>) {
        self.insert(usize::MAX, child);
    }

    /// Adds a child before that at a position among all children; at the end, if there are not that many.
    pub fn insert(&mut self, index: usize, child: impl Into<Node>) {
        self.children_mut().insert(index, child.into());
    }

    /// Adds children at the end.
    pub fn extend<N: Into<Node>>(&mut self, children: impl IntoIterator<Item = N>) {
        let new: Vec<Node> = children.into_iter().map(Into::into).collect();
        if new.is_empty() {
            return;
        }
        let kids = self.children_mut();
        if kids.len() == 0 {
            *kids = new.into();
        } else {
            new.into_iter().for_each(|node| kids.insert(usize::MAX, node));
        }
    }

    /// Itself with a child added at the end; for building.
    #[must_use]
    pub fn with_child(mut self, child: impl Into<Node>) -> Element {
        self.push(child);
        self
    }

    /// Itself with children added at the end; for building.
    #[must_use]
    pub fn with_children<N: Into<Node>>(mut self, children: impl IntoIterator<Item = N>) -> Element {
        self.extend(children);
        self
    }

    /// Removes the child at a position among all children; gives it back. `None` if there is none.
    pub fn remove(&mut self, index: usize) -> Option<Node> {
        self.children().get(index)?;
        self.children_mut().remove(index)
    }

    /// Removes the last child; gives it back.
    pub fn pop(&mut self) -> Option<Node> {
        self.remove(self.children().len().checked_sub(1)?)
    }

    /// Puts another child in the place of the one at a position among all children; gives the old one back. `None` if
    /// there is none, and nothing happens then.
    pub fn replace(&mut self, index: usize, child: impl Into<Node>) -> Option<Node> {
        self.children().get(index)?;
        let slot = self.children_mut().get_mut(index)?;
        Some(std::mem::replace(slot, child.into()))
    }

    /// Puts these in place of all children.
    pub fn set_children<N: Into<Node>>(&mut self, children: impl IntoIterator<Item = N>) {
        let nodes: Vec<Node> = children.into_iter().map(Into::into).collect();
        *self.children_mut() = nodes.into();
    }

    /// Removes all children.
    pub fn clear(&mut self) {
        if !self.children().is_empty() {
            *self.children_mut() = Kids::default();
        }
    }

    /// Keeps the children of which `keep` says so, which is asked once for each; says how many went. If all stay, all
    /// stays shared.
    pub fn retain(&mut self, mut keep: impl FnMut(&Node) -> bool) -> usize {
        let gone: Vec<usize> =
            self.children().iter().enumerate().filter(|(_, node)| !keep(node)).map(|(at, _)| at).collect();
        let count = self.children().len();
        if gone.len() > 4 && gone.len() * 8 > count {
            let mut left = gone.iter().copied().peekable();
            let stay = self.children().iter().enumerate().filter(|(at, _)| left.next_if_eq(at).is_none());
            let stay: Vec<Node> = stay.map(|(_, node)| node.clone()).collect();
            *self.children_mut() = stay.into();
        } else if !gone.is_empty() {
            let children = self.children_mut();
            gone.iter().rev().for_each(|&at| drop(children.remove(at)));
        }
        gone.len()
    }

    /// Removes the child elements of which `matches` says so; says how many they were.
    pub fn remove_elements(&mut self, mut matches: impl FnMut(&Element) -> bool) -> usize {
        self.retain(|node| !node.element().is_some_and(&mut matches))
    }

    /// The child elements, to be changed. Of the elements, only those really changed are copied; the list of them is in
    /// any case.
    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.children_mut().all_mut().into_iter().filter_map(Node::element_mut)
    }

    /// The first child element of a name, to be changed.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Element> {
        self.element_at_mut(self.position(name, Ids::Any)?)
    }

    /// The first child element of a name and `id`, to be changed.
    pub fn child_with_id_mut(&mut self, name: &str, id: &str) -> Option<&mut Element> {
        self.element_at_mut(self.position(name, Ids::Is(id))?)
    }

    /// The first child element of a name, to be changed; made at the end if there is none.
    pub fn child_or_insert(&mut self, name: &'static str) -> &mut Element {
        let index = self.position(name, Ids::Any).unwrap_or_else(|| {
            self.push(Element::new(name));
            self.children().len() - 1
        });
        match self.children_mut().get_mut(index) {
            Some(Node::Element(element)) => element,
            _ => unreachable!("the index is that of an element"),
        }
    }

    /// The element at a position among all children, to be changed; `None` if there is no element there.
    pub fn element_at_mut(&mut self, index: usize) -> Option<&mut Element> {
        self.children().get(index)?.element()?;
        self.children_mut().get_mut(index)?.element_mut()
    }

    /// This element and all elements below, parents before children.
    pub fn descendants(&self) -> Descendants<'_> {
        Descendants { this: Some(self), levels: Vec::new() }
    }

    /// Whether there may be an element of this name below, at any depth. False is certain; true is likely. Costs nothing
    /// but for the first question after a change, and then little: so a search can leave out what has nothing for it.
    pub fn may_hold(&self, name: &str) -> bool {
        self.may_hold_marked(Mark::of(name))
    }

    pub(crate) fn may_hold_marked(&self, mark: Mark) -> bool {
        self.marks_below(MARKS_DEPTH).has(mark)
    }

    fn marks_below(&self, depth: usize) -> Marks {
        if self.0.children.len() == 0 {
            return Marks::NONE;
        }
        let Some(depth) = depth.checked_sub(1) else { return Marks::ALL };
        self.0.below.or_find(|| self.0.children.marks(depth))
    }

    /// Its name and those below, down to a depth.
    pub(super) fn marks(&self, depth: usize) -> Marks {
        self.marks_below(depth).with(Mark::of_key(self.name_key()))
    }

    /// For changes of attributes only.
    fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }

    fn children_mut(&mut self) -> &mut Kids {
        let inner = Arc::make_mut(&mut self.0);
        inner.below.forget();
        &mut inner.children
    }
}

/// Depth-first walk over elements, see [`Element::descendants`].
pub struct Descendants<'a> {
    this: Option<&'a Element>,
    /// What is left of the children of each level.
    levels: Vec<Elements<'a>>,
}

impl<'a> Iterator for Descendants<'a> {
    type Item = &'a Element;

    fn next(&mut self) -> Option<&'a Element> {
        if let Some(this) = self.this.take() {
            self.levels.push(this.elements());
            return Some(this);
        }
        loop {
            match self.levels.last_mut()?.next() {
                Some(element) => {
                    if !element.children().is_empty() {
                        self.levels.push(element.elements());
                    }
                    return Some(element);
                }
                None => drop(self.levels.pop()),
            }
        }
    }
}

impl PartialEq for Element {
    /// Without a look at what both share, and without recursion.
    fn eq(&self, other: &Element) -> bool {
        let mut waiting = vec![(self, other)];
        while let Some((a, b)) = waiting.pop() {
            if a.ptr_eq(b) {
                continue;
            }
            let (old, new) = (a.children(), b.children());
            if a.name_shared() != b.name_shared()
                || a.attributes() != b.attributes()
                || old.len() != new.len()
            {
                return false;
            }
            for at in old.unshared(new, 0..old.len()) {
                match (old.get(at), new.get(at)) {
                    (Some(Node::Element(a)), Some(Node::Element(b))) => waiting.push((a, b)),
                    (Some(Node::Text(a)), Some(Node::Text(b))) if a == b => {}
                    _ => return false,
                }
            }
        }
        true
    }
}

impl Eq for Element {}

impl fmt::Display for Element {
    /// The compact form in today's escaping.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::write_compact(self))
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::write_compact(self))
    }
}
