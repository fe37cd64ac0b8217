// SPDX-License-Identifier: GPL-2.0-or-later
//! What is different between two configurations, in pieces that can be taken back one by one.
//!
//! Decides: the pieces. An element that both have and that differs in its attributes is one; one that only one of them
//! has is one, with all in it. Elements are told apart by their names and ids. Leaves to others: what comes of them.

use crate::edit;
use std::collections::BTreeSet;
use xml::Element;

/// How deep configurations are compared; no valid one is nearly as deep.
const DEPTH_MAX: usize = 64;

/// What kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only the new one has it.
    Added,
    /// Only the old one had it.
    Removed,
    /// Both have it, with other attributes.
    Changed,
}

impl Kind {
    /// As one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        }
    }
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind.
    pub kind: Kind,
    /// The element's name.
    pub element: String,
    /// The element's id, if it has one.
    pub id: Option<String>,
    /// In words.
    pub text: String,
    /// The element as it was, if it was.
    old: Option<Element>,
    /// The id (or, without one, the name) of what it is in.
    parent: String,
    /// Its place there.
    place: usize,
}

fn key(element: &Element) -> (&str, Option<&str>) {
    (element.name(), element.id())
}

fn label(element: &Element) -> String {
    match (element.name(), element.attr("name")) {
        ("nvpair", Some(name)) => format!("{name} (nvpair {})", element.id().unwrap_or_default()),
        (tag, _) => match element.id() {
            Some(id) => format!("{tag} {id}"),
            None => tag.to_owned(),
        },
    }
}

/// All differences, in the order of the new configuration; what is gone comes where it was.
pub(super) fn differences(old: &Element, new: &Element) -> Vec<Difference> {
    let mut found = Vec::new();
    if let (Some(old), Some(new)) = (old.child("configuration"), new.child("configuration")) {
        compare(old, new, &mut Vec::new(), &mut found);
    }
    found
}

fn within(owners: &[String]) -> String {
    owners.last().map(|owner| format!(" in {owner}")).unwrap_or_default()
}

fn compare(old: &Element, new: &Element, owners: &mut Vec<String>, found: &mut Vec<Difference>) {
    if old.ptr_eq(new) || owners.len() > DEPTH_MAX {
        return;
    }
    let parent = new.id().unwrap_or(new.name()).to_owned();
    let difference =
        |kind: Kind, at: &Element, old: Option<&Element>, place: usize, text: String| Difference {
            kind,
            element: at.name().to_owned(),
            id: at.id().map(str::to_owned),
            text,
            old: old.cloned(),
            parent: parent.clone(),
            place,
        };
    let is_owner = crate::lint::is_resource(new);
    if is_owner {
        owners.push(label(new));
    }
    let known: BTreeSet<_> = new.elements().map(key).collect();
    for (place, gone) in old.elements().enumerate().filter(|(_, child)| !known.contains(&key(child))) {
        let text = format!("{} removed{}", described(gone), within(owners));
        found.push(difference(Kind::Removed, gone, Some(gone), place, text));
    }
    for (place, child) in new.elements().enumerate() {
        let Some(was) = old.elements().find(|other| key(other) == key(child)) else {
            let text = format!("{} added{}", described(child), within(owners));
            found.push(difference(Kind::Added, child, None, place, text));
            continue;
        };
        let changed = changes(was, child);
        if !changed.is_empty() {
            let text = format!("{}: {}{}", label(child), changed.join(", "), within(owners));
            found.push(difference(Kind::Changed, child, Some(was), place, text));
        }
        compare(was, child, owners, found);
    }
    if is_owner {
        owners.pop();
    }
}

/// With its value, if that is what it is about.
fn described(element: &Element) -> String {
    match element.attr("value") {
        Some(value) if element.name() == "nvpair" => {
            format!(
                "{}={value} (nvpair {})",
                element.attr("name").unwrap_or_default(),
                element.id().unwrap_or_default()
            )
        }
        _ => label(element),
    }
}

/// What differs between the attributes of two elements.
fn changes(old: &Element, new: &Element) -> Vec<String> {
    let names: BTreeSet<&str> = old
        .attributes()
        .iter()
        .chain(new.attributes().iter())
        .map(|attribute| attribute.name().as_str())
        .collect();
    let differ = names.into_iter().filter(|name| old.attr(name) != new.attr(name));
    differ
        .map(|name| {
            let word = |value: Option<&str>| value.map_or("unset".to_owned(), |value| format!("'{value}'"));
            format!("{name} {} -> {}", word(old.attr(name)), word(new.attr(name)))
        })
        .collect()
}

impl Difference {
    /// The new CIB without this difference.
    pub(super) fn taken_back(&self, new: &Element) -> Option<Element> {
        match (self.kind, &self.old) {
            (Kind::Added, _) => edit::without(new, self.id.as_deref()?),
            (Kind::Changed, Some(old)) => edit::with_changed(new, self.id.as_deref()?, |element| {
                element.retain_attrs(|_| false);
                for attribute in old.attributes().iter() {
                    element.set_attr(attribute.name().clone(), attribute.value());
                }
            }),
            (Kind::Removed, Some(old)) => {
                let put_back = |element: &mut Element| {
                    element.insert(self.place.min(element.children().len()), old.clone())
                };
                edit::with_changed_at(new, |at| at.id().unwrap_or(at.name()) == self.parent, put_back)
            }
            _ => None,
        }
    }
}
