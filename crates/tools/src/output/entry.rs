// SPDX-License-Identifier: GPL-2.0-or-later
//! What a report is made of: elements whose values know what they are (text, number, truth), so that XML and JSON are
//! both written from one description.
//!
//! Decides: nothing. Leaves to others: the two written forms (`xml_form`, `json`).

use xml::{Element, Node};

/// A value of an attribute. XML writes all of them as text; JSON keeps what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Words, names, and everything that only looks like a number (ids, versions).
    Text(String),
    /// A count, a code, an amount.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl Value {
    /// As XML has it.
    pub fn to_text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Value {
        Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// What is inside an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// An element of which there is at most one of its name.
    One(Entry),
    /// An element of which there may be any number of its name.
    Item(Entry),
    /// Text.
    Text(String),
    /// Text kept to the byte, such as a CIB.
    Raw(String),
}

/// An element of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, Value)>,
    pub(super) content: Vec<Content>,
}

impl Entry {
    /// Without anything in it.
    pub fn new(name: impl Into<String>) -> Entry {
        Entry { name: name.into(), attributes: Vec::new(), content: Vec::new() }
    }

    /// Its text is kept to the byte: for XML inside the report.
    pub fn raw(name: impl Into<String>, text: impl Into<String>) -> Entry {
        let mut entry = Entry::new(name);
        entry.content.push(Content::Raw(text.into()));
        entry
    }

    /// With one attribute more, at the end. An attribute is given once.
    pub fn attr(mut self, name: impl Into<String>, value: impl Into<Value>) -> Entry {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// With an attribute if there is a value for it.
    pub fn attr_opt(self, name: &str, value: Option<impl Into<Value>>) -> Entry {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// With text in it.
    pub fn text(mut self, text: impl Into<String>) -> Entry {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// With an element of which there is at most one of its name in here: an object in JSON.
    pub fn child(mut self, child: impl Into<Entry>) -> Entry {
        self.content.push(Content::One(child.into()));
        self
    }

    /// With an element of which there may be any number of its name in here: in JSON a member of that name's array.
    pub fn item(mut self, item: impl Into<Entry>) -> Entry {
        self.content.push(Content::Item(item.into()));
        self
    }

    /// With many of these.
    pub fn items<E: Into<Entry>>(mut self, items: impl IntoIterator<Item = E>) -> Entry {
        self.content.extend(items.into_iter().map(|item| Content::Item(item.into())));
        self
    }
}

/// What is already XML: all its values are text, and any element may be there more than once.
impl From<&Element> for Entry {
    // Recursion is bounded: trees come from the parser, which limits depth, or from code, which builds shallow ones.
    fn from(element: &Element) -> Entry {
        let mut entry = Entry::new(element.name());
        for attribute in element.attributes() {
            entry = entry.attr(&**attribute.name(), attribute.value());
        }
        for child in element.children().iter() {
            match child {
                Node::Element(child) => entry = entry.item(child),
                Node::Text(text) => entry = entry.text(&**text),
                Node::Comment(_) => {}
            }
        }
        entry
    }
}

impl From<Element> for Entry {
    fn from(element: Element) -> Entry {
        Entry::from(&element)
    }
}
