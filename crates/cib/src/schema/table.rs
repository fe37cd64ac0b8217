// SPDX-License-Identifier: GPL-2.0-or-later
//! The table of all versions of the schema, as it is written in `cib.schema`.
//!
//! Decides: what a table consists of, and in which versions a guarded part is there. Leaves to others: how it is written
//! (`notation`), and what it means for one version (`grammar`).

use super::notation;
use super::version::SchemaVersion;
use model::Profile;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The table, as text.
const TEXT: &str = include_str!("cib.schema");

/// All versions of the schema at once.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The name of the definition that is the whole.
    pub start: String,
    /// What stands under a name.
    pub definitions: BTreeMap<String, Definition>,
    /// Types that have a name.
    pub types: BTreeMap<String, Vec<Guarded<Type>>>,
}

impl Table {
    /// The one that is built in. A test reads it, so that it can only be read.
    pub fn built_in() -> Result<&'static Table, &'static TableError> {
        static TABLE: OnceLock<Result<Table, TableError>> = OnceLock::new();
        TABLE.get_or_init(|| notation::read(TEXT)).as_ref()
    }
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the table of the schema: {problem}")]
pub(super) struct TableError {
    pub line: usize,
    pub problem: String,
}

/// What stands under a name.
#[derive(Debug)]
pub(super) struct Definition {
    /// Names for what is put in where it is used.
    pub parameters: Vec<String>,
    pub body: Pattern,
    pub line: usize,
}

/// Something that is there in some versions only.
#[derive(Clone, Debug)]
pub(super) struct Guarded<T> {
    pub guard: Guard,
    pub item: T,
}

/// In which versions, and for which software, something is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    pub since: Option<SchemaVersion>,
    pub until: Option<SchemaVersion>,
    pub profile: Option<Profile>,
}

impl Guard {
    /// Always there.
    pub const ALWAYS: Guard = Guard { since: None, until: None, profile: None };

    /// Whether it is there.
    pub fn admits(self, version: SchemaVersion, profile: Profile) -> bool {
        self.since.is_none_or(|since| since <= version)
            && self.until.is_none_or(|until| version <= until)
            && self.profile.is_none_or(|wanted| wanted == profile)
    }
}

/// A pattern, for all versions.
#[derive(Debug)]
pub(super) enum Pattern {
    /// One of these; one that is not there cannot be chosen.
    Choice(Vec<Guarded<Pattern>>),
    /// All of these, in any order; one that is not there is nothing.
    Interleave(Vec<Guarded<Pattern>>),
    /// All of these, in this order; one that is not there is nothing.
    Group(Vec<Guarded<Pattern>>),
    /// As many of it.
    Repeat(Box<Pattern>, Times),
    /// An attribute.
    Attribute(Attribute),
    /// An element.
    Element(ElementPattern),
    /// What stands under a name, or was put in for a parameter.
    Reference(Reference),
    /// Whatever one likes: attributes, elements, text, all the way down.
    Anything,
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Optional,
    Any,
    AtLeastOne,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub name: String,
    pub value: Vec<Guarded<Type>>,
    /// What it is for.
    pub about: String,
    pub line: usize,
}

#[derive(Debug)]
pub(super) struct ElementPattern {
    /// Which of all the element patterns of the table this is.
    pub number: usize,
    pub name: String,
    pub content: Box<Pattern>,
    /// What it is for.
    pub about: String,
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub name: String,
    pub arguments: Vec<Reference>,
    pub line: usize,
}

/// A type of values.
#[derive(Clone, Debug)]
pub(super) enum Type {
    /// One of those that have a name of their own.
    Named { name: String, at_most: Option<u32>, line: usize },
    /// One of these words; blanks around and between do not count.
    Words(Vec<Guarded<String>>),
    /// None of these words.
    NotWords(Vec<Guarded<String>>),
    /// One of these texts, to the letter.
    Exactly(Vec<Guarded<String>>),
    /// All of it matches a regular expression.
    Matching { expression: String, line: usize },
}

/// What a guard leaves of a list.
pub(super) fn admitted<T>(
    items: &[Guarded<T>],
    version: SchemaVersion,
    profile: Profile,
) -> impl Iterator<Item = &T> {
    items.iter().filter(move |item| item.guard.admits(version, profile)).map(|item| &item.item)
}
