// SPDX-License-Identifier: GPL-2.0-or-later
//! Sets of attributes that are given by reference: copied out before the tables change them, and referred to again
//! afterwards where copy and original are still the same.
//!
//! A copy is known by its id, which is the original's with a prefix; everything in it has the original's id in its own.

use crate::upgrade::COPIES_MAX;
use crate::upgrade::StepError;
use crate::upgrade::note::Note;
use crate::upgrade::walk::{self, Above, MAX_DEPTH, Transform, deeper_than, descend, with_children};
use std::collections::HashMap;
use xml::{Element, Node};

/// What the id of a copy begins with.
const PREFIX: &str = "_cibtr-2_";

fn is_set(element: &Element) -> bool {
    matches!(element.name(), "cluster_property_set" | "instance_attributes" | "meta_attributes")
}

/// The sets of a tree, by name and id.
struct Sets<'a>(HashMap<(&'a str, &'a str), Found<'a>>);

#[derive(Clone, Copy)]
enum Found<'a> {
    One(&'a Element),
    Several,
}

impl<'a> Sets<'a> {
    fn of(root: &'a Element) -> Sets<'a> {
        let mut sets = HashMap::new();
        for set in root.descendants().filter(|element| is_set(element)) {
            if let Some(id) = set.id() {
                sets.entry((set.name(), id))
                    .and_modify(|found| *found = Found::Several)
                    .or_insert(Found::One(set));
            }
        }
        Sets(sets)
    }
}

/// Copies what references name to where they are.
pub(in crate::upgrade) fn copy_out(cib: &Element) -> Result<Element, StepError> {
    if !cib.descendants().any(|element| is_set(element) && element.attr("id-ref").is_some()) {
        return Ok(cib.clone());
    }
    let mut copier = Copier { sets: Sets::of(cib), copied: 0, error: None };
    let new = walk::transform(cib, &mut copier);
    match copier.error {
        None if deeper_than(&new, MAX_DEPTH) => Err(StepError::TooDeep),
        None => Ok(new),
        Some(error) => Err(error),
    }
}

struct Copier<'a> {
    sets: Sets<'a>,
    copied: usize,
    error: Option<StepError>,
}

impl Transform for Copier<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        match element.attr("id-ref") {
            Some(id) if is_set(element) => match self.copy_of(element, id, 0) {
                Ok(copy) => out.push(copy.into()),
                Err(error) => self.error = Some(error),
            },
            _ => out.push(descend(self, element, above).into()),
        }
    }
}

impl Copier<'_> {
    fn copy_of(&mut self, reference: &Element, id: &str, depth: usize) -> Result<Element, StepError> {
        let dangling = || StepError::Reference { element: reference.name().to_owned(), id: id.to_owned() };
        let original = match self.sets.0.get(&(reference.name(), id)) {
            Some(Found::One(original)) => *original,
            Some(Found::Several) => {
                return Err(StepError::Ambiguous { element: reference.name().to_owned(), id: id.to_owned() });
            }
            None => return Err(dangling()),
        };
        let mut copy = Element::new(reference.name_shared().clone()).with_attr("id", format!("{PREFIX}{id}"));
        for attribute in original.attributes() {
            if attribute.name().as_str() != "id" {
                copy.set_attr(attribute.name().clone(), attribute.value());
            }
        }
        let content = self.copies(original, &format!("_{PREFIX}{id}__"), depth)?;
        Ok(copy.with_children(content))
    }

    /// Copies of what is in an element, with a prefix to all ids.
    fn copies(&mut self, original: &Element, prefix: &str, depth: usize) -> Result<Vec<Node>, StepError> {
        if depth >= MAX_DEPTH {
            return Err(StepError::TooDeep);
        }
        let mut content = Vec::with_capacity(original.children().len());
        for child in original.children().iter() {
            self.copied += 1;
            if self.copied > COPIES_MAX {
                return Err(StepError::TooManyCopies);
            }
            let Node::Element(element) = child else {
                content.push(child.clone());
                continue;
            };
            let copy = match element.attr("id-ref") {
                Some(id) if is_set(element) => self.copy_of(element, id, depth + 1)?,
                _ => {
                    let below = self.copies(element, prefix, depth + 1)?;
                    let mut copy = with_children(element, below);
                    // What a reference to a resource has as its id is the resource's.
                    if let Some(id) = element.id().filter(|_| element.name() != "resource_ref") {
                        copy.set_attr("id", format!("{prefix}{id}"));
                    }
                    copy
                }
            };
            content.push(copy.into());
        }
        Ok(content)
    }
}

/// Puts references back in place of copies that are still what their originals are.
pub(in crate::upgrade) fn refer_again(cib: &Element, notes: &mut Vec<Note>) -> Result<Element, StepError> {
    let is_copy =
        |element: &Element| is_set(element) && element.id().is_some_and(|id| id.starts_with(PREFIX));
    if !cib.descendants().any(is_copy) {
        return Ok(cib.clone());
    }
    let mut referrer = Referrer { sets: Sets::of(cib), notes, error: None };
    let new = walk::transform(cib, &mut referrer);
    match referrer.error {
        None => Ok(new),
        Some(error) => Err(error),
    }
}

struct Referrer<'a> {
    sets: Sets<'a>,
    notes: &'a mut Vec<Note>,
    error: Option<StepError>,
}

impl Transform for Referrer<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        if is_set(element)
            && let Some(id) = element.id().and_then(|id| id.strip_prefix(PREFIX))
        {
            let named = || (element.name().to_owned(), id.to_owned());
            match self.sets.0.get(&(element.name(), id)) {
                None => {
                    let (element, id) = named();
                    self.notes.push(Note::ReferencedGone { element, id });
                }
                Some(Found::Several) => {
                    let (element, id) = named();
                    self.error = Some(StepError::Ambiguous { element, id });
                    return;
                }
                Some(Found::One(original)) if equal_but_for_ids(original, element) => {
                    let reference = Element::new(element.name_shared().clone()).with_attr("id-ref", id);
                    out.push(reference.into());
                    return;
                }
                Some(Found::One(_)) => {}
            }
        }
        out.push(descend(self, element, above).into());
    }
}

fn equal_but_for_ids(a: &Element, b: &Element) -> bool {
    let attributes = |element: &Element| -> Vec<(String, String)> {
        let all = element.attributes().iter().filter(|attribute| attribute.name().as_str() != "id");
        all.map(|attribute| (attribute.name().to_string(), attribute.value().to_owned())).collect()
    };
    attributes(a) == attributes(b)
        && a.children().len() == b.children().len()
        && a.children().iter().zip(b.children().iter()).all(|nodes| match nodes {
            (Node::Element(a), Node::Element(b)) => a.name() == b.name() && equal_but_for_ids(a, b),
            (a, b) => a == b,
        })
}
