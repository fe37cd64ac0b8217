// SPDX-License-Identifier: GPL-2.0-or-later
//! The table as one version has it: guards decided, names followed, parameters put in.
//!
//! Decides: which kinds of element a version has and what each consists of; refuses a table that makes no sense. Given: the
//! table and a version. Leaves to others: how a tree is held against it (`machine`, `validator`), and how it is written as RNG
//! (`rng`).
//!
//! One thing RELAX NG would allow and this does not: children of one element that share their name are of one kind. So an
//! element's kind follows from its name and its parent's kind, and each element is held against its own content only.

use super::datatype::{Datatype, Expression, Integer, Sign};
use super::table::{
    Attribute, ElementPattern, Guarded, Pattern, Reference, Table, TableError, Times, Type, admitted,
};
use super::version::SchemaVersion;
use model::Profile;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// A kind of element: an index into [`Grammar::kinds`].
pub(super) type KindId = usize;
/// A kind of attribute: an index into [`Grammar::attributes`].
pub(super) type AttributeId = usize;

/// One version of the schema.
#[derive(Debug)]
pub(super) struct Grammar {
    pub version: SchemaVersion,
    pub profile: Profile,
    /// The kind of the root.
    pub root: KindId,
    pub kinds: Vec<Kind>,
    pub attributes: Vec<AttributeKind>,
}

/// A kind of element.
#[derive(Debug)]
pub(super) struct Kind {
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    pub content: Content,
}

/// A kind of attribute.
#[derive(Debug)]
pub(super) struct AttributeKind {
    pub name: &'static str,
    pub datatype: Datatype,
    /// What it is for; empty where it is the same as elsewhere in its element.
    pub about: &'static str,
}

/// What an element consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One of these; of none, there is no way.
    Choice(Vec<Content>),
    /// All of these, mixed.
    Interleave(Vec<Content>),
    /// All of these, in order; of none, nothing.
    Group(Vec<Content>),
    Repeat(Box<Content>, Times),
    Attribute(AttributeId),
    Element(KindId),
    /// Whatever one likes.
    Anything,
}

impl Content {
    /// All parts of it in the order they are written, itself first, but nothing of what is in its elements.
    pub fn parts(&self) -> Vec<&Content> {
        let (mut parts, mut waiting) = (Vec::new(), vec![self]);
        while let Some(part) = waiting.pop() {
            parts.push(part);
            match part {
                Content::Choice(inner) | Content::Interleave(inner) | Content::Group(inner) => {
                    waiting.extend(inner.iter().rev());
                }
                Content::Repeat(inner, _) => waiting.push(inner),
                Content::Attribute(_) | Content::Element(_) | Content::Anything => {}
            }
        }
        parts
    }
}

impl Grammar {
    /// The table as a version has it.
    pub fn new(
        table: &'static Table,
        version: SchemaVersion,
        profile: Profile,
    ) -> Result<Grammar, TableError> {
        let mut builder = Builder {
            table,
            version,
            profile,
            ids: BTreeMap::new(),
            waiting: VecDeque::new(),
            kinds: Vec::new(),
            attributes: Vec::new(),
        };
        let start = Closed { name: &table.start, arguments: Vec::new(), line: 1 };
        let Content::Element(root) = builder.definition(&start, &mut Vec::new())? else {
            return fail(1, "what the table starts with is not one element");
        };
        while let Some((kind, element, bound)) = builder.waiting.pop_front() {
            let content = builder.content(&element.content, &bound, &mut Vec::new())?;
            builder.check(element, &content)?;
            builder.kinds[kind].content = content;
        }
        let Builder { kinds, attributes, .. } = builder;
        Ok(Grammar { version, profile, root, kinds, attributes })
    }

    /// The kinds of element that can be in one, each once, in the order of the table.
    pub fn children(&self, kind: KindId) -> Vec<KindId> {
        let mut found = Vec::new();
        for part in self.kinds[kind].content.parts() {
            if let Content::Element(child) = part
                && !found.contains(child)
            {
                found.push(*child);
            }
        }
        found
    }

    /// The kinds of attribute that can be in one.
    pub fn attributes(&self, kind: KindId) -> impl Iterator<Item = &AttributeKind> {
        self.kinds[kind].content.parts().into_iter().filter_map(|part| match part {
            Content::Attribute(id) => self.attributes.get(*id),
            _ => None,
        })
    }
}

fn fail<T>(line: usize, problem: impl Into<String>) -> Result<T, TableError> {
    Err(TableError { line, problem: problem.into() })
}

/// A reference in which no parameter is left.
#[derive(Clone, Debug)]
struct Closed {
    name: &'static str,
    arguments: Vec<Closed>,
    line: usize,
}

impl Closed {
    fn new(reference: &'static Reference, bound: &Bound) -> Closed {
        if let Some((_, argument)) = bound.iter().find(|(parameter, _)| *parameter == reference.name) {
            return argument.clone();
        }
        let arguments = reference.arguments.iter().map(|inner| Closed::new(inner, bound)).collect();
        Closed { name: &reference.name, arguments, line: reference.line }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (at, argument) in self.arguments.iter().enumerate() {
            write!(f, "{}{argument}", if at == 0 { '(' } else { ',' })?;
        }
        f.write_str(if self.arguments.is_empty() { "" } else { ")" })
    }
}

/// What was put in for the parameters of the definition we are in.
type Bound = Vec<(&'static str, Closed)>;

struct Builder {
    table: &'static Table,
    version: SchemaVersion,
    profile: Profile,
    /// The kind of an element pattern, with what was put in for its definition's parameter.
    ids: BTreeMap<(usize, String), KindId>,
    /// Kinds whose content is not known yet.
    waiting: VecDeque<(KindId, &'static ElementPattern, Bound)>,
    kinds: Vec<Kind>,
    attributes: Vec<AttributeKind>,
}

/// The names that we are in the middle of, outermost first: one that comes again would never end.
type Within = Vec<&'static str>;

impl Builder {
    fn content(
        &mut self,
        pattern: &'static Pattern,
        bound: &Bound,
        within: &mut Within,
    ) -> Result<Content, TableError> {
        Ok(match pattern {
            Pattern::Choice(parts) => Content::Choice(self.contents(parts, bound, within)?),
            Pattern::Interleave(parts) => Content::Interleave(self.contents(parts, bound, within)?),
            Pattern::Group(parts) => Content::Group(self.contents(parts, bound, within)?),
            Pattern::Repeat(part, times) => {
                Content::Repeat(Box::new(self.content(part, bound, within)?), *times)
            }
            Pattern::Attribute(attribute) => Content::Attribute(self.attribute(attribute)?),
            Pattern::Element(element) => Content::Element(self.element(element, bound)),
            Pattern::Reference(reference) => self.definition(&Closed::new(reference, bound), within)?,
            Pattern::Anything => Content::Anything,
        })
    }

    fn contents(
        &mut self,
        parts: &'static [Guarded<Pattern>],
        bound: &Bound,
        within: &mut Within,
    ) -> Result<Vec<Content>, TableError> {
        let (version, profile) = (self.version, self.profile);
        admitted(parts, version, profile).map(|part| self.content(part, bound, within)).collect()
    }

    fn definition(&mut self, reference: &Closed, within: &mut Within) -> Result<Content, TableError> {
        let Closed { name, arguments, line } = reference;
        let Some(definition) = self.table.definitions.get(*name) else {
            return fail(*line, format!("'{name}' is not defined"));
        };
        if definition.parameters.len() != arguments.len() {
            let (wanted, found) = (definition.parameters.len(), arguments.len());
            return fail(*line, format!("'{name}' has {wanted} parameters, and here are {found}"));
        }
        let bound: Bound =
            definition.parameters.iter().map(String::as_str).zip(arguments.iter().cloned()).collect();
        if within.contains(name) {
            return fail(definition.line, format!("'{name}' contains itself without an element between"));
        }
        within.push(name);
        let content = self.content(&definition.body, &bound, within);
        within.pop();
        content
    }

    fn element(&mut self, element: &'static ElementPattern, bound: &Bound) -> KindId {
        let arguments: Vec<String> = bound.iter().map(|(_, argument)| argument.to_string()).collect();
        let key = (element.number, arguments.join(","));
        if let Some(known) = self.ids.get(&key) {
            return *known;
        }
        let id = self.kinds.len();
        let (name, about) = (element.name.as_str(), element.about.as_str());
        self.kinds.push(Kind { name, about, content: Content::Choice(Vec::new()) });
        self.ids.insert(key, id);
        self.waiting.push_back((id, element, bound.clone()));
        id
    }

    fn attribute(&mut self, attribute: &'static Attribute) -> Result<AttributeId, TableError> {
        let datatype = self.datatype(&attribute.value, attribute.line, &mut Vec::new())?;
        let (name, about) = (attribute.name.as_str(), attribute.about.as_str());
        self.attributes.push(AttributeKind { name, datatype, about });
        Ok(self.attributes.len() - 1)
    }

    fn datatype(
        &self,
        types: &'static [Guarded<Type>],
        line: usize,
        within: &mut Within,
    ) -> Result<Datatype, TableError> {
        let mut found = Vec::new();
        for item in admitted(types, self.version, self.profile) {
            found.push(self.single_datatype(item, within)?);
        }
        match found.pop() {
            None => fail(line, format!("no type in {}", self.version)),
            Some(only) if found.is_empty() => Ok(only),
            Some(last) => {
                found.push(last);
                Ok(Datatype::OneOf(found))
            }
        }
    }

    fn single_datatype(&self, item: &'static Type, within: &mut Within) -> Result<Datatype, TableError> {
        let words = |words: &'static [Guarded<String>]| {
            admitted(words, self.version, self.profile).cloned().collect::<Vec<_>>()
        };
        Ok(match item {
            Type::Words(list) => Datatype::Words(words(list)),
            Type::NotWords(list) => Datatype::NotWords(words(list)),
            Type::Exactly(list) => Datatype::Exactly(words(list)),
            Type::Matching { expression, line } => match Expression::new(expression) {
                Ok(expression) => Datatype::Matching(expression),
                Err(problem) => return fail(*line, problem),
            },
            Type::Named { name, at_most, line } => {
                let integer = |sign| Datatype::Integer(Integer { sign, at_most: *at_most });
                match name.as_str() {
                    "integer" => integer(Sign::Any),
                    "nonNegativeInteger" => integer(Sign::NotNegative),
                    "positiveInteger" => integer(Sign::Positive),
                    _ if at_most.is_some() => return fail(*line, format!("'{name}' is no number")),
                    "text" => Datatype::Text,
                    "ID" => Datatype::Id,
                    "IDREF" => Datatype::IdRef,
                    "boolean" => Datatype::Boolean,
                    "schema" => Datatype::Words(self.schema_names()),
                    _ => {
                        let Some((name, types)) = self.table.types.get_key_value(name) else {
                            return fail(*line, format!("'{name}' is not a type"));
                        };
                        if within.contains(&name.as_str()) {
                            return fail(*line, format!("the type '{name}' contains itself"));
                        }
                        within.push(name);
                        let datatype = self.datatype(types, *line, within)?;
                        within.pop();
                        datatype
                    }
                }
            }
        })
    }

    /// What `validate-with` may say.
    fn schema_names(&self) -> Vec<String> {
        let newest = SchemaVersion::newest(self.profile);
        let known = SchemaVersion::ALL.into_iter().filter(|version| *version <= newest);
        std::iter::once("none".to_owned()).chain(known.map(|version| version.to_string())).collect()
    }

    fn check(&self, element: &ElementPattern, content: &Content) -> Result<(), TableError> {
        let parts = content.parts();
        if parts.len() > 1 && parts.contains(&&Content::Anything) {
            return fail(element.line, format!("in <{}>, anything stands beside something", element.name));
        }
        let mut kinds = BTreeMap::new();
        for part in parts {
            let Content::Element(kind) = part else { continue };
            let name = self.kinds[*kind].name;
            if kinds.insert(name, *kind).is_some_and(|other| other != *kind) {
                let problem = format!("in <{}>, <{name}> can be of two kinds", element.name);
                return fail(element.line, problem);
            }
        }
        Ok(())
    }
}
