// SPDX-License-Identifier: GPL-2.0-or-later
//! Changes made to the tree itself, one after another. Costs the square of their number, and little for one in a large
//! tree.

use super::apply::{Applied, Change, Order, Position, changes, set_attributes};
use super::error::PatchError;
use super::steps::Step;
use crate::path::Path;
use std::cmp::Ordering;
use xml::{Element, Ids, Node};

/// What is put in its place when all deletions and modifications are done.
struct Placement<'a> {
    position: Position,
    /// Where the parent (of what is made) or the element itself (that moves) is at the moment; `None` if it has been
    /// deleted since.
    place: Option<Path>,
    what: Placed<'a>,
}

#[derive(Clone, Copy)]
enum Placed<'a> {
    Made(&'a Node),
    Moved,
}

/// A patch being applied.
pub(super) struct Few<'a> {
    applied: Applied,
    order: Order,
    later: Vec<Placement<'a>>,
}

impl<'a> Few<'a> {
    pub fn new(cib: &Element, order: Order) -> Few<'a> {
        let applied = Applied { cib: cib.clone(), changed: false, configuration_changed: false };
        Few { applied, order, later: Vec::new() }
    }

    /// Does all that can be done; of what cannot, the last is told.
    pub fn apply(mut self, patch: &'a Element) -> Result<Applied, PatchError> {
        let mut ended = Ok(());
        for (index, element) in changes(patch) {
            if let Err(error) = Change::read(index, element).and_then(|change| self.change(&change)) {
                ended = Err(error);
            }
        }
        let placed = self.place();
        placed.and(ended)?;
        Ok(self.applied)
    }

    fn change(&mut self, change: &Change<'a>) -> Result<(), PatchError> {
        let position = change.comment_position().filter(|_| change.operation == "delete");
        let Some(found) = find(&self.applied.cib, &change.steps, position) else {
            // What is gone already needs no deleting.
            return if change.operation == "delete" { Ok(()) } else { Err(change.no_match()) };
        };
        match change.operation {
            "delete" => self.remove(&found).ok_or_else(|| change.no_match())?,
            "modify" => {
                let result = change.result()?;
                let element = self.applied.cib.at_mut(&found).ok_or_else(|| change.no_match())?;
                set_attributes(element, result, self.order);
            }
            "create" => {
                self.applied.cib.at(&found).ok_or_else(|| change.no_match())?;
                let what = Placed::Made(change.made()?);
                self.later.push(Placement { position: change.placement(), place: Some(found), what });
            }
            "move" => return self.move_later(change, &found),
            other => {
                return Err(PatchError::UnknownOperation {
                    index: change.index,
                    operation: other.to_owned(),
                });
            }
        }
        change.note(&mut self.applied);
        Ok(())
    }

    /// What moves is put at the end for now, out of the way of positions.
    fn move_later(&mut self, change: &Change<'_>, found: &[usize]) -> Result<(), PatchError> {
        let (_, parent) = found.split_last().ok_or_else(|| change.no_match())?;
        let end = self.applied.cib.at(parent).map_or(0, |parent| parent.children().len().saturating_sub(1));
        self.relocate(found, end).ok_or_else(|| change.no_match())?;
        let place = Some([parent, &[end]].concat());
        self.later.push(Placement { position: change.placement(), place, what: Placed::Moved });
        Ok(())
    }

    /// Moves a child to another position (counted without it); what is remembered goes with it.
    fn relocate(&mut self, from: &[usize], to: usize) -> Option<()> {
        let (&at, parent) = from.split_last()?;
        let node = self.applied.cib.remove_at(from)?;
        self.applied.cib.at_mut(parent)?.insert(to, node);
        for place in self.later.iter_mut().filter_map(|later| later.place.as_mut()) {
            let Some(step) = step_below(place, parent) else { continue };
            *step = match *step {
                step if step == at => to,
                step => {
                    let without = if step > at { step - 1 } else { step };
                    if without >= to { without + 1 } else { without }
                }
            };
        }
        Some(())
    }

    fn remove(&mut self, found: &[usize]) -> Option<()> {
        let (&at, parent) = found.split_last()?;
        self.applied.cib.remove_at(found)?;
        for later in &mut self.later {
            let Some(step) = later.place.as_mut().and_then(|place| step_below(place, parent)) else {
                continue;
            };
            match (*step).cmp(&at) {
                Ordering::Less => {}
                Ordering::Equal => later.place = None,
                Ordering::Greater => *step -= 1,
            }
        }
        Some(())
    }

    fn insert(&mut self, parent: &[usize], position: Position, node: Node) -> Option<()> {
        let element = self.applied.cib.at_mut(parent)?;
        let at = position.among(element.children().len());
        element.insert(at, node);
        for place in self.later.iter_mut().filter_map(|later| later.place.as_mut()) {
            if let Some(step) = step_below(place, parent)
                && *step >= at
            {
                *step += 1;
            }
        }
        Some(())
    }

    /// In the order of positions, so that all before a position is right when it is filled.
    fn place(&mut self) -> Result<(), PatchError> {
        self.later.sort_by_key(|placement| placement.position.sorts);
        let mut ended = Ok(());
        for next in 0..self.later.len() {
            let Some(Placement { position, place, what }) = self.later.get_mut(next) else { break };
            let (position, place, what) = (*position, place.take(), *what);
            if let Err(error) = self.place_one(position, place, what) {
                ended = Err(error);
            }
        }
        ended
    }

    fn place_one(
        &mut self,
        position: Position,
        place: Option<Path>,
        what: Placed<'_>,
    ) -> Result<(), PatchError> {
        match what {
            Placed::Made(node) => {
                let placed = place.and_then(|parent| self.insert(&parent, position, node.clone()));
                placed.ok_or_else(|| position.incomplete("create", "parent"))
            }
            Placed::Moved => {
                let gone = || position.incomplete("move", "element");
                let place = place.ok_or_else(gone)?;
                let parent = place.split_last().and_then(|(_, parent)| self.applied.cib.at(parent));
                let to = position.of_moved(parent.map_or(0, |parent| parent.children().len()))?;
                self.relocate(&place, to).ok_or_else(gone)
            }
        }
    }
}

/// The step of a place that is just below a parent, if the place is there.
fn step_below<'p>(place: &'p mut Path, parent: &[usize]) -> Option<&'p mut usize> {
    if place.starts_with(parent) { place.get_mut(parent.len()) } else { None }
}

/// Where steps lead: always to the first that fits. `position` is for the last step, if that is a comment.
pub(super) fn find(root: &Element, steps: &[Step], position: Option<usize>) -> Option<Path> {
    let (first, rest) = steps.split_first()?;
    if first.name != root.name() || first.id.as_deref().is_some_and(|id| root.id() != Some(id)) {
        return None;
    }
    let mut found = Path::new();
    let mut here = root;
    for (index, step) in rest.iter().enumerate() {
        let last = index + 1 == rest.len();
        let fits = |(at, node): &(usize, &Node)| {
            let elsewhere =
                last && matches!(node, Node::Comment(_)) && position.is_some_and(|position| position != *at);
            step.leads_to(node) && !elsewhere
        };
        let at = if step.may_be_comment() {
            here.children().iter().enumerate().find(fits)?.0
        } else {
            here.position(&step.name, step.id.as_deref().map_or(Ids::Any, Ids::Is))?
        };
        found.push(at);
        match here.children().get(at)?.element() {
            Some(element) => here = element,
            None if last => {}
            None => return None,
        }
    }
    Some(found)
}
