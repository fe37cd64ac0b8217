// SPDX-License-Identifier: GPL-2.0-or-later
//! A version of the schema, made ready for quick looks.
//!
//! Decides: numbers for names; which attributes of a kind of element may simply be there or not, so that no state has to
//! remember them. Given: a grammar. Leaves to others: what depends on what came before (`machine`).

use super::datatype::Datatype;
use super::grammar::{AttributeId, Content, Grammar, KindId};
use super::table::Times;
use std::collections::BTreeMap;
use xml::Element;

/// The number of a name of elements or attributes.
pub(super) type NameId = u16;

/// A grammar, ready for use.
#[derive(Debug)]
pub(super) struct Compiled {
    pub grammar: Grammar,
    pub names: Names,
    /// One for each kind of the grammar.
    pub kinds: Vec<CompiledKind>,
    /// The number of the name of each attribute of the grammar.
    pub attribute_names: Vec<NameId>,
    /// For each attribute of the grammar, the first one that is the same.
    pub same_attribute: Vec<AttributeId>,
}

/// A kind of element, ready for use.
#[derive(Debug)]
pub(super) struct CompiledKind {
    pub name: NameId,
    /// Whatever is in it is right.
    pub holds_anything: bool,
    /// Attributes that may be there or not, whatever else is.
    pub free: Vec<(NameId, AttributeId)>,
    /// All the rest.
    pub bound: Content,
    /// Which attributes are ids (`true`) or references; of each name one.
    pub marks: Vec<(AttributeId, bool)>,
    /// What a child of a name is.
    pub children: Vec<(NameId, KindId)>,
}

impl Compiled {
    /// Makes a grammar ready.
    pub fn new(grammar: Grammar) -> Compiled {
        let mut names = Names::default();
        let attribute_names: Vec<NameId> =
            grammar.attributes.iter().map(|attribute| names.add(attribute.name)).collect();
        let mut firsts: BTreeMap<NameId, Vec<AttributeId>> = BTreeMap::new();
        let mut same_attribute = Vec::new();
        for (id, (attribute, name)) in grammar.attributes.iter().zip(&attribute_names).enumerate() {
            let known = firsts.entry(*name).or_default();
            let same = known.iter().find(|first| grammar.attributes[**first].datatype == attribute.datatype);
            let same = same.copied().unwrap_or_else(|| {
                known.push(id);
                id
            });
            same_attribute.push(same);
        }
        let mut kinds = Vec::new();
        for kind in &grammar.kinds {
            let mut free = Vec::new();
            let bound = without_free(&kind.content, &kind.content, &attribute_names, &mut free);
            let holds_anything = kind.content == Content::Anything;
            let marks = marks(&kind.content, &grammar, &attribute_names);
            let (name, children) = (names.add(kind.name), Vec::new());
            kinds.push(CompiledKind { name, holds_anything, free, bound, marks, children });
        }
        for id in 0..kinds.len() {
            let children = grammar.children(id).into_iter();
            kinds[id].children = children.map(|child| (kinds[child].name, child)).collect();
        }
        Compiled { grammar, names, kinds, attribute_names, same_attribute }
    }

    /// A kind of element.
    pub fn kind(&self, kind: KindId) -> &CompiledKind {
        &self.kinds[kind]
    }

    /// What a child of an element of a kind is, if it may be there at all.
    pub fn child(&self, parent: KindId, child: &Element) -> Option<KindId> {
        let name = self.names.find(child.name())?;
        let children = self.kinds[parent].children.iter();
        children.filter(|(known, _)| *known == name).map(|(_, kind)| *kind).next()
    }
}

/// `content` without the attributes that are optional whatever else is there, which are put into `free`.
fn without_free(
    content: &Content,
    whole: &Content,
    names: &[NameId],
    free: &mut Vec<(NameId, AttributeId)>,
) -> Content {
    let mut all = |parts: &[Content]| -> Vec<Content> {
        parts.iter().map(|part| without_free(part, whole, names, free)).collect()
    };
    match content {
        Content::Group(parts) => Content::Group(all(parts)),
        Content::Interleave(parts) => Content::Interleave(all(parts)),
        Content::Repeat(inner, Times::Optional) => match **inner {
            Content::Attribute(id) if is_there_once(names[id], whole, names) => {
                free.push((names[id], id));
                Content::Group(Vec::new())
            }
            _ => content.clone(),
        },
        _ => content.clone(),
    }
}

fn marks(content: &Content, grammar: &Grammar, names: &[NameId]) -> Vec<(AttributeId, bool)> {
    let mut marks: Vec<(AttributeId, bool)> = Vec::new();
    for part in content.parts() {
        let Content::Attribute(id) = part else { continue };
        let is_id = match grammar.attributes[*id].datatype {
            Datatype::Id => true,
            Datatype::IdRef => false,
            _ => continue,
        };
        if !marks.iter().any(|(known, _)| names[*known] == names[*id]) {
            marks.push((*id, is_id));
        }
    }
    marks
}

fn is_there_once(name: NameId, whole: &Content, names: &[NameId]) -> bool {
    let parts = whole.parts();
    parts.iter().filter(|part| matches!(part, Content::Attribute(id) if names[*id] == name)).count() == 1
}

const BUCKETS: usize = 1024;

/// Numbers for names, found without comparing more than one or two of them.
#[derive(Debug)]
pub(super) struct Names {
    buckets: Vec<Vec<(&'static str, NameId)>>,
    count: NameId,
}

impl Default for Names {
    fn default() -> Names {
        Names { buckets: vec![Vec::new(); BUCKETS], count: 0 }
    }
}

impl Names {
    fn add(&mut self, name: &'static str) -> NameId {
        if let Some(known) = self.find(name) {
            return known;
        }
        let id = self.count;
        self.buckets[bucket(name)].push((name, id));
        self.count += 1;
        id
    }

    /// The number of a name, if it is one of the schema's.
    pub fn find(&self, name: &str) -> Option<NameId> {
        let bucket = &self.buckets[bucket(name)];
        bucket.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
    }
}

/// Names differ in their length, their ends and their middle.
fn bucket(name: &str) -> usize {
    let bytes = name.as_bytes();
    let at = |index: usize| usize::from(bytes.get(index).copied().unwrap_or_default());
    let (last, middle) = (bytes.len().saturating_sub(1), bytes.len() / 2);
    (bytes.len() * 131 + at(0) * 31 + at(last) * 17 + at(middle) * 7) % BUCKETS
}
