// SPDX-License-Identifier: GPL-2.0-or-later
//! Elements, their attributes and children, shared until changed.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The name of an element or attribute. Cheap to clone; compares by text.
#[derive(Clone)]
pub enum Name {
    /// A name known when the program was written.
    Static(&'static str),
    /// A name that came from outside; the parser makes one per distinct name of a document.
    Shared(Arc<str>),
}

impl Name {
    /// A name that is only known now.
    pub fn new(text: &str) -> Name {
        Name::Shared(Arc::from(text))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        match self {
            Name::Static(text) => text,
            Name::Shared(text) => text,
        }
    }
}

impl From<&'static str> for Name {
    fn from(text: &'static str) -> Name {
        Name::Static(text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name::Shared(text.into())
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        let (a, b) = (self.as_str(), other.as_str());
        std::ptr::eq(a, b) || a == b
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// One attribute. Their order in an element is kept: digests depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    name: Name,
    value: Arc<str>,
}

impl Attribute {
    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its value, unescaped.
    pub fn value(&self) -> &str {
        &self.value
    }
}

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
}

impl From<Element> for Node {
    fn from(element: Element) -> Node {
        Node::Element(element)
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    name: Name,
    attributes: Vec<Attribute>,
    children: Vec<Node>,
}

/// An element with all that is below it. Cloning shares; changing a clone leaves the original as it was.
#[derive(Clone)]
pub struct Element(Arc<Inner>);

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<Name>) -> Element {
        Element(Arc::new(Inner { name: name.into(), attributes: Vec::new(), children: Vec::new() }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// Its name, as it can be shared.
    pub fn name_shared(&self) -> &Name {
        &self.0.name
    }

    /// True if both are the very same element in memory, so surely equal without a look below.
    pub fn ptr_eq(&self, other: &Element) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    // --- attributes ---------------------------------------------------------------------------------------------

    /// The value of an attribute.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.0.attributes.iter().find(|attribute| attribute.name.as_str() == name).map(Attribute::value)
    }

    /// The `id` attribute.
    pub fn id(&self) -> Option<&str> {
        self.attr("id")
    }

    /// All attributes, in order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.0.attributes
    }

    /// Sets an attribute: in its old place if it was there, else as the last.
    pub fn set_attr(&mut self, name: impl Into<Name>, value: impl ToString) {
        let (name, value) = (name.into(), Arc::<str>::from(value.to_string()));
        let attributes = &mut self.inner_mut().attributes;
        match attributes.iter_mut().find(|attribute| attribute.name == name) {
            Some(attribute) => attribute.value = value,
            None => attributes.push(Attribute { name, value }),
        }
    }

    /// Sets an attribute if there is a value for it.
    pub fn set_attr_opt(&mut self, name: impl Into<Name>, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set_attr(name, value);
        }
    }

    /// Removes an attribute; says whether it was there.
    pub fn remove_attr(&mut self, name: &str) -> bool {
        if self.attr(name).is_none() {
            return false;
        }
        self.inner_mut().attributes.retain(|attribute| attribute.name.as_str() != name);
        true
    }

    /// Keeps the attributes of which `keep` says so.
    pub fn retain_attrs(&mut self, mut keep: impl FnMut(&Attribute) -> bool) {
        if !self.0.attributes.iter().all(&mut keep) {
            self.inner_mut().attributes.retain(keep);
        }
    }

    /// Puts the attributes into the order of their names.
    pub fn sort_attrs(&mut self) {
        if !self.0.attributes.is_sorted_by(|a, b| a.name <= b.name) {
            self.inner_mut().attributes.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }

    /// Takes all attributes of `other`, with their order, in place of its own.
    pub fn replace_attrs(&mut self, other: &Element) {
        self.inner_mut().attributes = other.0.attributes.clone();
    }

    /// Itself with an attribute set; for building.
    #[must_use]
    pub fn with_attr(mut self, name: impl Into<Name>, value: impl ToString) -> Element {
        self.set_attr(name, value);
        self
    }

    // --- children -----------------------------------------------------------------------------------------------

    /// All children: elements, comments, text.
    pub fn children(&self) -> &[Node] {
        &self.0.children
    }

    /// The child elements, in order.
    pub fn elements(&self) -> impl DoubleEndedIterator<Item = &Element> + Clone {
        self.0.children.iter().filter_map(Node::element)
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
        self.elements().find(|element| element.name() == name)
    }

    /// The first child element of a name and `id`.
    pub fn child_with_id(&self, name: &str, id: &str) -> Option<&Element> {
        self.elements().find(|element| element.name() == name && element.id() == Some(id))
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
        let texts = self.0.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(&**text),
            Node::Element(_) | Node::Comment(_) => None,
        });
        texts.collect()
    }

    /// Adds a child at the end.
    pub fn push(&mut self, child: impl Into<Node>) {
        self.inner_mut().children.push(child.into());
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
        self.inner_mut().children.extend(children.into_iter().map(Into::into));
        self
    }

    /// The children, to be changed. Copies this element's list of children if it is shared (not what they hold).
    pub fn children_mut(&mut self) -> &mut Vec<Node> {
        &mut self.inner_mut().children
    }

    /// The child elements, to be changed. Only those really changed are copied.
    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.inner_mut().children.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) => None,
        })
    }

    /// The first child element of a name, to be changed.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Element> {
        let index = self.0.children.iter().position(|n| n.element().is_some_and(|e| e.name() == name))?;
        self.element_at_mut(index)
    }

    /// The first child element of a name and `id`, to be changed.
    pub fn child_with_id_mut(&mut self, name: &str, id: &str) -> Option<&mut Element> {
        let wanted = |e: &Element| e.name() == name && e.id() == Some(id);
        let index = self.0.children.iter().position(|n| n.element().is_some_and(wanted))?;
        self.element_at_mut(index)
    }

    /// The first child element of a name, to be changed; made at the end if there is none.
    pub fn child_or_insert(&mut self, name: &'static str) -> &mut Element {
        let found = self.0.children.iter().position(|n| n.element().is_some_and(|e| e.name() == name));
        let index = found.unwrap_or_else(|| {
            self.push(Element::new(name));
            self.0.children.len() - 1
        });
        match &mut self.inner_mut().children[index] {
            Node::Element(element) => element,
            Node::Text(_) | Node::Comment(_) => unreachable!("the index is that of an element"),
        }
    }

    /// The element at a position among all children, to be changed; `None` if there is no element there.
    pub fn element_at_mut(&mut self, index: usize) -> Option<&mut Element> {
        self.0.children.get(index)?.element()?;
        match self.inner_mut().children.get_mut(index)? {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) => None,
        }
    }

    /// Removes the child elements of which `matches` says so; says how many they were.
    pub fn remove_elements(&mut self, mut matches: impl FnMut(&Element) -> bool) -> usize {
        let before = self.0.children.len();
        if !self.elements().any(&mut matches) {
            return 0;
        }
        self.inner_mut().children.retain(|node| !node.element().is_some_and(&mut matches));
        before - self.0.children.len()
    }

    /// This element and all elements below, parents before children.
    pub fn descendants(&self) -> Descendants<'_> {
        Descendants { stack: vec![self] }
    }

    fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }
}

/// Depth-first walk over elements, see [`Element::descendants`].
pub struct Descendants<'a> {
    stack: Vec<&'a Element>,
}

impl<'a> Iterator for Descendants<'a> {
    type Item = &'a Element;

    fn next(&mut self) -> Option<&'a Element> {
        let element = self.stack.pop()?;
        self.stack.extend(element.elements().rev());
        Some(element)
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Element) -> bool {
        self.ptr_eq(other) || self.0 == other.0
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn a_change_copies_its_path_only() {
        let old = parse("<a><b id='1'><c/></b><b id='2'><c/></b></a>").unwrap();
        let mut new = old.clone();
        new.child_with_id_mut("b", "1").unwrap().set_attr("x", 1);
        assert!(old.child_with_id("b", "1").unwrap().attr("x").is_none());
        assert_eq!(new.child_with_id("b", "1").unwrap().attr("x"), Some("1"));
        assert!(old.child_with_id("b", "2").unwrap().ptr_eq(new.child_with_id("b", "2").unwrap()));
        assert!(
            old.child("b").unwrap().child("c").unwrap().ptr_eq(new.child("b").unwrap().child("c").unwrap())
        );
    }

    #[test]
    fn attributes_keep_their_order() {
        let mut e = parse("<a z='1' a='2' m='3'/>").unwrap();
        e.set_attr("a", "two");
        e.set_attr("b", "4");
        assert_eq!(e.to_string(), r#"<a z="1" a="two" m="3" b="4"/>"#);
        assert!(e.remove_attr("m") && !e.remove_attr("m"));
        e.sort_attrs();
        assert_eq!(e.to_string(), r#"<a a="two" b="4" z="1"/>"#);
    }

    #[test]
    fn descendants_come_in_document_order() {
        let e = parse("<a><b><c/></b><d/></a>").unwrap();
        assert_eq!(e.descendants().map(Element::name).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    }
}
