// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything that is given by reference: copied out first, and referred to again last.

use super::{CHANGED, ORIGINAL, PREFIX, id, is_original, marked_new};
use crate::upgrade::note::Note;
use crate::upgrade::walk::{self, Above, MAX_DEPTH, Transform, deeper_than, descend, with_children};
use crate::upgrade::{COPIES_MAX, StepError};
use std::collections::{HashMap, HashSet};
use xml::{Element, Node};

/// Copies what `id-ref` names to where it is named; the copies are marked. Marks of the document's own go.
pub(in crate::upgrade) fn copy_out(cib: &Element) -> Result<Element, StepError> {
    let matters = |element: &Element| element.attr("id-ref").is_some() || element.attr(ORIGINAL).is_some();
    if !cib.descendants().any(matters) {
        return Ok(cib.clone());
    }
    let mut elements: HashMap<&str, Vec<&Element>> = HashMap::new();
    for element in cib.descendants() {
        if let Some(id) = element.id() {
            elements.entry(id).or_default().push(element);
        }
    }
    let mut copier = Copier { elements, copied: 0, error: None };
    let new = walk::transform(cib, &mut copier);
    match copier.error {
        None if deeper_than(&new, MAX_DEPTH) => Err(StepError::TooDeep),
        None => Ok(new),
        Some(error) => Err(error),
    }
}

struct Copier<'a> {
    elements: HashMap<&'a str, Vec<&'a Element>>,
    copied: usize,
    error: Option<StepError>,
}

impl Transform for Copier<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        if self.error.is_some() {
            return;
        }
        match element.attr("id-ref") {
            Some(id) => {
                if let Err(error) = self.referenced(element, id, 0, out) {
                    self.error = Some(error);
                }
            }
            None => {
                let mut element = element.clone();
                element.remove_attr(ORIGINAL);
                out.push(descend(self, &element, above).into());
            }
        }
    }
}

impl<'a> Copier<'a> {
    fn referenced(
        &mut self,
        reference: &Element,
        id: &str,
        depth: usize,
        out: &mut Vec<Node>,
    ) -> Result<(), StepError> {
        let named: Vec<&'a Element> = self.elements.get(id).cloned().unwrap_or_default();
        if let ("nvpair", Some(name)) = (reference.name(), reference.attr("name")) {
            out.push(self.pair_under_another_name(reference, &named, name, depth)?.into());
            return Ok(());
        }
        for original in named {
            self.copy(original, depth, out)?;
        }
        Ok(())
    }

    /// A reference to a pair may have another name for its value. That makes it a pair of its own.
    fn pair_under_another_name(
        &mut self,
        reference: &Element,
        named: &[&'a Element],
        name: &str,
        depth: usize,
    ) -> Result<Element, StepError> {
        let mut pair = Element::new(reference.name_shared().clone());
        for attribute in named.iter().flat_map(|element| element.attributes()) {
            pair.set_attr(attribute.name().clone(), attribute.value());
        }
        let original = named.first().map_or("", |element| id(element));
        let pair =
            marked_new(pair).with_attr("id", format!("{PREFIX}{original}-{name}")).with_attr("name", name);
        let mut content = Vec::new();
        for child in reference.children().iter() {
            match child {
                Node::Element(child) => self.copy(child, depth, &mut content)?,
                other => content.push(other.clone()),
            }
        }
        Ok(pair.with_children(content))
    }

    fn copy(&mut self, original: &Element, depth: usize, out: &mut Vec<Node>) -> Result<(), StepError> {
        self.copied += 1;
        if self.copied > COPIES_MAX {
            return Err(StepError::TooManyCopies);
        }
        if depth >= MAX_DEPTH {
            return Err(StepError::TooDeep);
        }
        if let Some(id) = original.attr("id-ref") {
            return self.referenced(original, id, depth + 1, out);
        }
        let mut content = Vec::with_capacity(original.children().len());
        for child in original.children().iter() {
            match child {
                Node::Element(child) => self.copy(child, depth + 1, &mut content)?,
                other => content.push(other.clone()),
            }
        }
        out.push(marked_new(with_children(original, content)).into());
        Ok(())
    }
}

/// Makes references of copies again, takes the marks away, and mends what refers to elements that are gone.
pub(in crate::upgrade) fn refer_again(cib: &Element, notes: &mut Vec<Note>) -> Element {
    let mut settler = Settler::default();
    let (mut changed, mut by_xpath) = (false, false);
    for element in cib.descendants() {
        if let Some(id) = element.id() {
            settler.ids.insert(id);
            if is_original(element) {
                settler.originals.insert(id);
            }
        }
        changed |= element.attr(CHANGED).is_some();
        by_xpath |= element.name() == "acl_permission" && element.attr("xpath").is_some();
    }
    if changed && by_xpath {
        notes.push(Note::AclXPath);
    }
    walk::transform(cib, &mut settler)
}

#[derive(Default)]
struct Settler<'a> {
    /// All ids.
    ids: HashSet<&'a str>,
    /// Those of elements that were in the document.
    originals: HashSet<&'a str>,
    /// Those that came before, of what is a copy or new.
    seen: HashSet<String>,
}

impl Transform for Settler<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        if element.name() == "dropped" {
            element.descendants().for_each(|below| self.see(below));
            return;
        }
        if let Some(id) = element.id().filter(|_| !is_original(element))
            && (self.originals.contains(id) || self.seen.contains(id))
        {
            element.descendants().for_each(|below| self.see(below));
            out.push(Element::new(element.name_shared().clone()).with_attr("id-ref", id).into());
            return;
        }
        self.see(element);
        let mut element = element.clone();
        element.remove_attr(ORIGINAL);
        element.remove_attr(CHANGED);
        let element = self.with_living_reference(element);
        out.push(descend(self, &element, above).into());
    }
}

impl Settler<'_> {
    fn see(&mut self, element: &Element) {
        if let Some(id) = element.id()
            && !self.originals.contains(id)
        {
            self.seen.insert(id.to_owned());
        }
    }

    /// A permission that is about an element which is gone is about nothing from now on. It stays, as others may be
    /// about it.
    fn with_living_reference(&self, element: Element) -> Element {
        let dead = element.name() == "acl_permission"
            && element.attr("reference").is_some_and(|reference| !self.ids.contains(reference));
        if !dead {
            return element;
        }
        let attributes = element.attributes().iter().map(|attribute| match attribute.name().as_str() {
            "reference" => ("xpath".into(), "/*[false()]"),
            _ => (attribute.name().clone(), attribute.value()),
        });
        let mut mended = Element::new(element.name_shared().clone());
        for (name, value) in attributes {
            mended.set_attr(name, value);
        }
        mended.with_children(element.children().iter().cloned())
    }
}
