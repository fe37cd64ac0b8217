// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with a CIB, and how it is said.

use super::version::UnknownSchema;
use std::fmt;
use xml::{Element, Position};

/// Something wrong with a CIB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The way to the element: which child (elements and comments count, from 0), from the root down. Empty for the root.
    pub path: Vec<usize>,
    /// Where it is in the text it was read from (or the attribute in question is), once [`locate`] has looked there.
    pub at: Option<Position>,
    /// The element's name.
    pub element: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The root is something else than a CIB.
    Root,
    /// The CIB does not say which schema it follows.
    NoSchema,
    /// It says one that nobody knows.
    UnknownSchema(UnknownSchema),
    /// The element has no place where it is.
    Misplaced {
        /// The element it is in.
        parent: String,
        /// What may be there, as far as it was complete before.
        expected: Vec<String>,
        /// Why it may have been thought to have a place.
        hint: Hint,
    },
    /// Elements (or attributes) that must be in it are not; one of these would do.
    Missing(Vec<Wanted>),
    /// An attribute that has no place in it.
    MisplacedAttribute {
        /// The attribute.
        attribute: String,
        /// The attributes that could still be there.
        expected: Vec<String>,
        /// Why it may have been thought to have a place.
        hint: Hint,
    },
    /// An attribute's value is not of its type.
    BadValue {
        /// The attribute.
        attribute: String,
        /// Its value, cut short if long.
        value: String,
        /// What it may be, in words.
        expected: String,
        /// What may have been meant.
        hint: Hint,
    },
    /// Another element has the same id.
    RepeatedId {
        /// The attribute that is the id.
        attribute: String,
        /// The id.
        id: String,
        /// The other element's name.
        other: String,
    },
    /// A reference to nothing.
    DanglingReference {
        /// The attribute that refers.
        attribute: String,
        /// To what.
        value: String,
        /// What may have been meant.
        hint: Hint,
    },
    /// Text where only elements may be.
    Text(String),
    /// A namespace, of which a CIB has none.
    Namespace(String),
    /// Elements in each other, deeper than anybody looks.
    TooDeep(usize),
    /// The table of the schema itself is broken, so nothing can be said. (Tests see to it that this does not happen.)
    BrokenTable(String),
}

/// Something that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An attribute.
    Attribute(String),
    /// An element.
    Element(String),
}

/// What somebody may have had in mind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The nearest right word.
    pub nearest: Option<String>,
    /// It is known, but not here and now: why.
    pub known: Option<String>,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(known) = &self.known {
            write!(f, "; {known}")?;
        }
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean '{nearest}'?"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Attribute(name) => write!(f, "attribute '{name}'"),
            Wanted::Element(name) => write!(f, "<{name}>"),
        }
    }
}

/// No more words than this are listed in a row.
const MAX_LISTED: usize = 20;

fn listed(words: &[String]) -> String {
    match words.len() {
        0 => "nothing more".to_owned(),
        count if count > MAX_LISTED => {
            format!("{} and {} others", words[..MAX_LISTED].join(", "), count - MAX_LISTED)
        }
        _ => super::words::either(words),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Root => f.write_str("the root element must be <cib>"),
            Problem::NoSchema => {
                f.write_str("attribute 'validate-with' is missing; expected the name of a schema")
            }
            Problem::UnknownSchema(unknown) => write!(f, "validate-with: {unknown}"),
            Problem::Misplaced { parent, expected, hint } => {
                write!(f, "is not expected in <{parent}>; expected {}{hint}", listed(expected))
            }
            Problem::Missing(wanted) => {
                let words: Vec<String> = wanted.iter().map(ToString::to_string).collect();
                match words.as_slice() {
                    [only] => write!(f, "{only} is missing"),
                    several => write!(f, "one of these is missing: {}", listed(several)),
                }
            }
            Problem::MisplacedAttribute { attribute, expected, hint } => {
                write!(f, "attribute '{attribute}' is not expected; expected {}{hint}", listed(expected))
            }
            Problem::BadValue { attribute, value, expected, hint } => {
                write!(f, "{attribute}=\"{value}\" is not valid; expected {expected}{hint}")
            }
            Problem::RepeatedId { attribute, id, other } => {
                write!(
                    f,
                    "{attribute}=\"{id}\" is already the id of another element, <{other}>; choose another"
                )
            }
            Problem::DanglingReference { attribute, value, hint } => write!(
                f,
                "{attribute}=\"{value}\" refers to nothing; expected the id of an element of the configuration{hint}"
            ),
            Problem::Text(text) => write!(f, "text is not expected: '{text}'"),
            Problem::Namespace(name) => write!(f, "namespace '{name}': elements of a CIB are in none"),
            Problem::TooDeep(limit) => write!(f, "more than {limit} elements in each other"),
            Problem::BrokenTable(problem) => write!(f, "the schema itself cannot be read: {problem}"),
        }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{at}: {}", self.words()),
            None => f.write_str(&self.words()),
        }
    }
}

impl Issue {
    /// What is wrong with which element, without the place.
    pub fn words(&self) -> String {
        let id = self.id.as_ref().map(|id| format!(" id=\"{id}\"")).unwrap_or_default();
        let joint = if matches!(self.problem, Problem::Misplaced { .. }) { " " } else { ": " };
        format!("<{}{id}>{joint}{}", self.element, self.problem)
    }

    /// Something wrong with an element.
    pub(super) fn new(path: Vec<usize>, element: &Element, problem: Problem) -> Issue {
        let (name, id) = (short(element.name()), element.id().map(short));
        Issue { path, at: None, element: name, id, problem }
    }
}

/// Finds where issues are in the text that the tree was read from. They must be in order, as validation gives them. It does
/// not matter whether text between elements was kept, nor whether something (a `status`) was added at the end.
pub fn locate(issues: &mut [Issue], text: &str) {
    let places: Vec<(&[usize], Option<&str>)> =
        issues.iter().map(|issue| (issue.path.as_slice(), issue.problem.attribute())).collect();
    let positions = xml::locate_all(text, &places);
    for (issue, position) in issues.iter_mut().zip(positions) {
        issue.at = position;
    }
}

impl Problem {
    /// The attribute it is about, if it is there and about one.
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Problem::MisplacedAttribute { attribute, .. }
            | Problem::BadValue { attribute, .. }
            | Problem::RepeatedId { attribute, .. }
            | Problem::DanglingReference { attribute, .. } => Some(attribute),
            Problem::Namespace(_) => Some("xmlns"),
            Problem::UnknownSchema(_) => Some("validate-with"),
            _ => None,
        }
    }
}

/// Names and values longer than this are cut in messages.
const MAX_SHOWN: usize = 100;

/// A text that fits into a message.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
