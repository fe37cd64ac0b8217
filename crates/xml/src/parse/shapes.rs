// SPDX-License-Identifier: GPL-2.0-or-later
//! The shapes of a document's elements, found again by the names as they come.
//!
//! Names seen after each other are steps of a tree: from the document to an element's name, from there to its first
//! attribute, and so on. Elements that are alike walk the same way again, where each next name can be guessed. A way
//! that has been walked has no name twice, so that is only looked for where a step is new.

use crate::tree::Shape;
use std::sync::Arc;

/// How many steps are remembered, and how many from one place on. What goes beyond is slower, and no larger for it.
const STEPS: usize = 1 << 16;
const BESIDES: u32 = 64;
/// How many names of elements are.
const ELEMENTS: u32 = 512;
/// How long a way is remembered.
const LENGTH: u32 = 64;
/// Where to look first for the name of an element.
const HINTS: usize = 256;

#[derive(Default)]
struct Step<'t> {
    name: &'t str,
    before: u32,
    length: u32,
    /// The steps from here on: the first, and for each the next beside it. Zero, which is the document, is none.
    first: u32,
    beside: u32,
    count: u32,
    /// The one that was taken the last time.
    last: u32,
    /// The shape of an element that ends here.
    shape: Option<Arc<Shape>>,
}

/// Where an element is among the ways; `None` if it is none of those that are remembered.
pub(crate) type Place = Option<u32>;

pub(crate) struct Shapes<'t> {
    steps: Vec<Step<'t>>,
    hints: Vec<u32>,
}

/// A name that is on the way already.
pub(crate) struct Twice;

impl<'t> Shapes<'t> {
    pub fn new() -> Shapes<'t> {
        Shapes { steps: vec![Step::default()], hints: vec![0; HINTS] }
    }

    /// Begins an element.
    pub fn element(&mut self, name: &'t str) -> Place {
        let bytes = name.as_bytes();
        let sum = [bytes.first(), bytes.last(), bytes.get(bytes.len() / 2)];
        let sum = sum.into_iter().flatten().fold(bytes.len(), |sum, byte| sum * 31 + usize::from(*byte));
        let hint = self.hints.get(sum % HINTS).copied().unwrap_or(0);
        if hint != 0 && self.steps.get(hint as usize).is_some_and(|step| step.name == name) {
            return Some(hint);
        }
        let found = self.find(0, name).or_else(|| self.make(0, name, ELEMENTS));
        if let (Some(found), Some(hint)) = (found, self.hints.get_mut(sum % HINTS)) {
            *hint = found;
        }
        found
    }

    /// The name that is likely to come after a place.
    pub fn guess(&self, place: Place) -> Option<&'t str> {
        let last = self.steps.get(place? as usize)?.last;
        (last != 0).then(|| self.steps.get(last as usize).map(|step| step.name)).flatten()
    }

    /// Goes on to an attribute.
    pub fn attribute(&mut self, place: Place, name: &'t str) -> Result<Place, Twice> {
        let Some(from) = place else { return Ok(None) };
        let last = self.steps.get(from as usize).map_or(0, |step| step.last);
        // The name that was guessed is the same text, not just an equal one.
        if let Some(step) = self.steps.get(last as usize)
            && last != 0
            && (std::ptr::eq(step.name, name) || step.name == name)
        {
            return Ok(Some(last));
        }
        let found = match self.find(from, name) {
            Some(found) => Some(found),
            None if self.is_on_way(from, name) => return Err(Twice),
            None => self.make(from, name, BESIDES),
        };
        if let (Some(found), Some(step)) = (found, self.steps.get_mut(from as usize)) {
            step.last = found;
        }
        Ok(found)
    }

    fn find(&self, from: u32, name: &str) -> Option<u32> {
        let mut next = self.steps.get(from as usize)?.first;
        while next != 0 {
            let step = self.steps.get(next as usize)?;
            if step.name == name {
                return Some(next);
            }
            next = step.beside;
        }
        None
    }

    fn is_on_way(&self, mut place: u32, name: &str) -> bool {
        while let Some(step) = self.steps.get(place as usize)
            && step.length > 1
        {
            if step.name == name {
                return true;
            }
            place = step.before;
        }
        false
    }

    fn make(&mut self, from: u32, name: &'t str, besides: u32) -> Option<u32> {
        let made = u32::try_from(self.steps.len()).ok()?;
        let full = self.steps.len() >= STEPS;
        let before = self.steps.get_mut(from as usize)?;
        if full || before.count >= besides || before.length >= LENGTH {
            return None;
        }
        let (beside, length) = (std::mem::replace(&mut before.first, made), before.length + 1);
        before.count += 1;
        self.steps.push(Step { name, before: from, length, beside, ..Step::default() });
        Some(made)
    }

    /// The shape of the element that ends at a place, which has these names.
    pub fn shape(&mut self, place: Place, name: &str, attributes: &[&str]) -> Arc<Shape> {
        let step = place.and_then(|place| self.steps.get_mut(place as usize));
        match step {
            Some(step) => Arc::clone(step.shape.get_or_insert_with(|| Shape::shared(name, attributes))),
            None => Shape::shared(name, attributes),
        }
    }
}
