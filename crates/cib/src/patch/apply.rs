// SPDX-License-Identifier: GPL-2.0-or-later
//! Doing what a patch says, if it is for this CIB.

use super::steps::{self, Step};
use crate::Version;
use crate::path::Path;
use model::LegacyRc;
use std::cmp::Ordering;
use xml::{Element, Escaping, Ids, Node, digest_v2};

/// Why a patch was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Not a patch of format 2.
    #[error("the patch has format {0:?}, expected \"2\"")]
    Format(Option<String>),
    /// A version in it is not whole.
    #[error("the patch's <{0}> lacks admin_epoch, epoch or num_updates (or has no numbers there)")]
    BadVersion(&'static str),
    /// It is for a newer CIB: something was missed.
    #[error("the patch is from {from} to {to}, but the CIB is at {current} only")]
    Ahead {
        /// Where the CIB is.
        current: Version,
        /// What the patch is for.
        from: Version,
        /// What it leads to.
        to: Version,
    },
    /// It is for an older CIB: it was applied already, or something else was.
    #[error("the patch is from {from} to {to}, but the CIB is at {current} already")]
    Behind {
        /// Where the CIB is.
        current: Version,
        /// What the patch is for.
        from: Version,
        /// What it leads to.
        to: Version,
    },
    /// It leads to no newer version.
    #[error("the patch leads from {0} to {1}, which is not newer")]
    NoProgress(Version, Version),
    /// A path in it is none.
    #[error("change {index}: '{path}' is not a path such as /cib/status/node_state[@id='1']")]
    BadPath {
        /// Which change, from 1.
        index: usize,
        /// Its path.
        path: String,
    },
    /// A path leads to nothing.
    #[error("change {index}: {operation} of '{path}': nothing there")]
    NoMatch {
        /// Which change, from 1.
        index: usize,
        /// What was to be done.
        operation: String,
        /// Where.
        path: String,
    },
    /// Not an operation of patches.
    #[error("change {index}: '{operation}' is not create, modify, move or delete")]
    UnknownOperation {
        /// Which change, from 1.
        index: usize,
        /// What it says.
        operation: String,
    },
    /// A change lacks what it needs.
    #[error("change {index}: {operation} lacks its {what}")]
    Incomplete {
        /// Which change, from 1.
        index: usize,
        /// What was to be done.
        operation: String,
        /// What is not there.
        what: &'static str,
    },
    /// The outcome is not what it should be.
    #[error("the patched CIB has digest {found}, expected {expected}")]
    Digest {
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl PatchError {
    /// The number that travels.
    pub fn rc(&self) -> LegacyRc {
        match self {
            PatchError::Format(_) | PatchError::BadVersion(_) => LegacyRc::EINVAL,
            PatchError::Behind { .. } | PatchError::NoProgress(..) => LegacyRc::OLD_DATA,
            PatchError::Incomplete { operation, .. } if operation == "modify" => LegacyRc::new(-42),
            PatchError::Ahead { .. }
            | PatchError::BadPath { .. }
            | PatchError::NoMatch { .. }
            | PatchError::UnknownOperation { .. }
            | PatchError::Incomplete { .. }
            | PatchError::Digest { .. } => LegacyRc::DIFF_FAILED,
        }
    }

    /// True if what the patch says is known already, so that a follower need not ask for the whole CIB.
    pub const fn is_old_news(&self) -> bool {
        matches!(self, PatchError::Behind { .. } | PatchError::NoProgress(..))
    }
}

/// What came of a patch.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The new CIB.
    pub cib: Element,
    /// Something other than the places of elements changed.
    pub changed: bool,
    /// And that in the configuration.
    pub configuration_changed: bool,
}

/// The versions a patch leads from and to; `None` where it does not say.
pub fn versions(patch: &Element) -> Result<(Option<Version>, Option<Version>), PatchError> {
    if patch.attr("format") != Some("2") {
        return Err(PatchError::Format(patch.attr("format").map(str::to_owned)));
    }
    let of = |name: &'static str| match patch.child("version").and_then(|version| version.child(name)) {
        None => Ok(None),
        Some(element) => Version::strict(element).map(Some).ok_or(PatchError::BadVersion(name)),
    };
    Ok((of("source")?, of("target")?))
}

/// The CIB that a patch makes of this one, if it is for it.
pub fn apply(cib: &Element, patch: &Element, escaping: Escaping) -> Result<Applied, PatchError> {
    let (source, target) = versions(patch)?;
    let current = Version::of(cib);
    let current = Version::new(current.admin_epoch.max(0), current.epoch.max(0), current.num_updates.max(0));
    let from = source.unwrap_or(current);
    let next = Version { num_updates: current.num_updates.saturating_add(1), ..current };
    let to = target.unwrap_or(next);
    if current < from {
        return Err(PatchError::Ahead { current, from, to });
    }
    if current > from {
        return Err(PatchError::Behind { current, from, to });
    }
    // Any number that rose is enough, even below one that fell.
    if to.admin_epoch <= from.admin_epoch && to.epoch <= from.epoch && to.num_updates <= from.num_updates {
        return Err(PatchError::NoProgress(from, to));
    }
    apply_unversioned(cib, patch, escaping)
}

/// The same without a look at versions.
pub fn apply_unversioned(cib: &Element, patch: &Element, escaping: Escaping) -> Result<Applied, PatchError> {
    if patch.attr("format") != Some("2") {
        return Err(PatchError::Format(patch.attr("format").map(str::to_owned)));
    }
    let mut work =
        Work { root: cib.clone(), changed: false, configuration_changed: false, later: Vec::new() };
    for (index, change) in patch.elements_named("change").enumerate() {
        work.change(index + 1, change)?;
    }
    work.place()?;
    if let Some(expected) = patch.attr("digest") {
        let found = digest_v2(&work.root, escaping);
        if !found.eq_ignore_ascii_case(expected) {
            return Err(PatchError::Digest { expected: expected.to_owned(), found });
        }
    }
    let Work { root, changed, configuration_changed, .. } = work;
    Ok(Applied { cib: root, changed, configuration_changed })
}

/// What is put in its place when all deletions and modifications are done.
struct Placement<'a> {
    index: usize,
    position: usize,
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

struct Work<'a> {
    root: Element,
    changed: bool,
    configuration_changed: bool,
    later: Vec<Placement<'a>>,
}

/// One change, read as far as all operations need it.
struct Change<'a> {
    index: usize,
    operation: &'a str,
    path: &'a str,
    element: &'a Element,
    steps: Vec<Step>,
    position: Option<usize>,
}

impl Change<'_> {
    fn no_match(&self) -> PatchError {
        let (operation, path) = (self.operation.to_owned(), self.path.to_owned());
        PatchError::NoMatch { index: self.index, operation, path }
    }

    fn incomplete(&self, what: &'static str) -> PatchError {
        PatchError::Incomplete { index: self.index, operation: self.operation.to_owned(), what }
    }
}

impl<'a> Work<'a> {
    fn change(&mut self, index: usize, element: &'a Element) -> Result<(), PatchError> {
        let Some(operation) = element.attr("operation") else { return Ok(()) };
        let path = element.attr("path").unwrap_or_default();
        let steps = steps::parse(path).ok_or_else(|| PatchError::BadPath { index, path: path.to_owned() })?;
        let position = element.attr("position").and_then(|text| text.trim().parse::<usize>().ok());
        let change = Change { index, operation, path, element, steps, position };
        match operation {
            "delete" => self.delete(&change),
            "modify" => self.modify(&change),
            "create" => self.create(&change),
            "move" => self.move_later(&change),
            other => Err(PatchError::UnknownOperation { index, operation: other.to_owned() }),
        }
    }

    fn delete(&mut self, change: &Change<'_>) -> Result<(), PatchError> {
        // What is gone already needs no deleting.
        let Some(found) = find(&self.root, &change.steps, change.position) else { return Ok(()) };
        self.remove(&found).ok_or_else(|| change.no_match())?;
        self.note(&change.steps);
        Ok(())
    }

    fn modify(&mut self, change: &Change<'_>) -> Result<(), PatchError> {
        let found = find(&self.root, &change.steps, None).ok_or_else(|| change.no_match())?;
        let result = change.element.child("change-result").and_then(Element::first_element);
        let result = result.ok_or_else(|| change.incomplete("<change-result>"))?;
        self.root.at_mut(&found).ok_or_else(|| change.no_match())?.replace_attrs(result);
        self.note(&change.steps);
        Ok(())
    }

    fn create(&mut self, change: &Change<'a>) -> Result<(), PatchError> {
        let parent = find(&self.root, &change.steps, None).ok_or_else(|| change.no_match())?;
        self.root.at(&parent).ok_or_else(|| change.no_match())?;
        let made = change.element.children().iter().find(|node| !matches!(node, Node::Text(_)));
        let made = made.ok_or_else(|| change.incomplete("element"))?;
        self.note(&change.steps);
        if let ([_], Some(element)) = (change.steps.as_slice(), made.element()) {
            self.configuration_changed |= element.name() == "configuration";
        }
        let (index, position) = (change.index, change.position.unwrap_or(0));
        self.later.push(Placement { index, position, place: Some(parent), what: Placed::Made(made) });
        Ok(())
    }

    /// What moves is put at the end for now, out of the way of positions.
    fn move_later(&mut self, change: &Change<'_>) -> Result<(), PatchError> {
        let found = find(&self.root, &change.steps, None).ok_or_else(|| change.no_match())?;
        let (_, parent) = found.split_last().ok_or_else(|| change.no_match())?;
        let end = self.root.at(parent).map_or(0, |parent| parent.children().len().saturating_sub(1));
        self.relocate(&found, end).ok_or_else(|| change.no_match())?;
        let place = Some([parent, &[end]].concat());
        let (index, position) = (change.index, change.position.unwrap_or(0));
        self.later.push(Placement { index, position, place, what: Placed::Moved });
        Ok(())
    }

    /// Moves a child to another position (counted without it); what is remembered goes with it.
    fn relocate(&mut self, from: &[usize], to: usize) -> Option<()> {
        let (&at, parent) = from.split_last()?;
        let node = self.root.remove_at(from)?;
        self.root.at_mut(parent)?.insert(to, node);
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
        self.root.remove_at(found)?;
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

    fn insert(&mut self, parent: &[usize], at: usize, node: Node) -> Option<()> {
        let parent_element = self.root.at_mut(parent)?;
        let at = at.min(parent_element.children().len());
        parent_element.insert(at, node);
        for place in self.later.iter_mut().filter_map(|later| later.place.as_mut()) {
            if let Some(step) = step_below(place, parent)
                && *step >= at
            {
                *step += 1;
            }
        }
        Some(())
    }

    fn note(&mut self, steps: &[Step]) {
        self.changed = true;
        let mut names = steps.iter().map(|step| step.name.as_str());
        self.configuration_changed |= names.next() == Some("cib") && names.next() == Some("configuration");
    }

    /// In the order of positions, so that all before a position is right when it is filled.
    fn place(&mut self) -> Result<(), PatchError> {
        self.later.sort_by_key(|placement| placement.position);
        for next in 0..self.later.len() {
            let Some(Placement { index, position, place, what }) = self.later.get_mut(next) else { break };
            let (index, position, place, what) = (*index, *position, place.take(), *what);
            let incomplete = |operation: &str, what| PatchError::Incomplete {
                index,
                operation: operation.to_owned(),
                what,
            };
            match what {
                Placed::Made(node) => {
                    let placed = place.and_then(|parent| self.insert(&parent, position, node.clone()));
                    placed.ok_or_else(|| incomplete("create", "parent"))?;
                }
                Placed::Moved => {
                    let place = place.ok_or_else(|| incomplete("move", "element"))?;
                    let parent = place.split_last().and_then(|(_, parent)| self.root.at(parent));
                    if parent.is_none_or(|parent| position >= parent.children().len()) {
                        return Err(incomplete("move", "position (there are fewer elements)"));
                    }
                    self.relocate(&place, position).ok_or_else(|| incomplete("move", "element"))?;
                }
            }
        }
        Ok(())
    }
}

/// The step of a place that is just below a parent, if the place is there.
fn step_below<'p>(place: &'p mut Path, parent: &[usize]) -> Option<&'p mut usize> {
    if place.starts_with(parent) { place.get_mut(parent.len()) } else { None }
}

/// Where steps lead: always to the first that fits. `position` is for the last step, if that is a comment.
fn find(root: &Element, steps: &[Step], position: Option<usize>) -> Option<Path> {
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

/// The places in a CIB of what a patch deletes, as far as they are there.
pub(crate) fn deleted(cib: &Element, patch: &Element) -> Vec<Path> {
    let mut places: Vec<Path> = Vec::new();
    let deletes = patch.elements_named("change").filter(|change| change.attr("operation") == Some("delete"));
    for change in deletes {
        let steps = change.attr("path").and_then(steps::parse).unwrap_or_default();
        let position = change.attr("position").and_then(|text| text.trim().parse::<usize>().ok());
        places.extend(find(cib, &steps, position));
    }
    places
}
