// SPDX-License-Identifier: GPL-2.0-or-later
//! Doing what a patch says, if it is for this CIB.
//!
//! First everything is deleted and modified, in the order of the patch, and what moves is put last among its siblings;
//! then, in the order of their positions, what is made and what moves gets its place. A few changes are made to the
//! tree itself (`few`), many to an index of it (`many`), with the same outcome.

use super::error::PatchError;
use super::few::{self, Few};
use super::many::Many;
use super::steps::{self, Step};
use crate::Version;
use crate::path::Path;
use xml::{Element, Escaping, Node, digest_v2};

/// More changes than this are many.
const FEW: usize = 32;

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

/// In which order attributes are after they were modified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As the patch has them.
    AsPatched,
    /// Those that were there stay in their places: so in the CIB manager (where Pacemaker removes attributes only when all
    /// is done, and so finds them in their old places when it sets them again).
    AsBefore,
}

/// The versions a patch leads from and to; `None` where it does not say.
pub fn versions(patch: &Element) -> Result<(Option<Version>, Option<Version>), PatchError> {
    check_format(patch)?;
    let of = |name: &'static str| match patch.child("version").and_then(|version| version.child(name)) {
        None => Ok(None),
        Some(element) => Version::strict(element).map(Some).ok_or(PatchError::BadVersion(name)),
    };
    Ok((of("source")?, of("target")?))
}

fn check_format(patch: &Element) -> Result<(), PatchError> {
    match patch.attr("format") {
        Some("2") => Ok(()),
        other => Err(PatchError::Format(other.map(str::to_owned))),
    }
}

fn check_version(cib: &Element, patch: &Element) -> Result<(), PatchError> {
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
    Ok(())
}

/// The CIB that a patch makes of this one, if it is for it.
pub fn apply(cib: &Element, patch: &Element, escaping: Escaping) -> Result<Applied, PatchError> {
    check_version(cib, patch)?;
    apply_unversioned(cib, patch, escaping)
}

/// The same without a look at versions.
pub fn apply_unversioned(cib: &Element, patch: &Element, escaping: Escaping) -> Result<Applied, PatchError> {
    check_format(patch)?;
    apply_ordered(cib, patch, escaping, Order::AsPatched)
}

/// The same as an operation of the CIB manager.
pub(crate) fn apply_managed(
    cib: &Element,
    patch: &Element,
    escaping: Escaping,
) -> Result<Applied, PatchError> {
    check_version(cib, patch)?;
    apply_ordered(cib, patch, escaping, Order::AsBefore)
}

fn apply_ordered(
    cib: &Element,
    patch: &Element,
    escaping: Escaping,
    order: Order,
) -> Result<Applied, PatchError> {
    let changes = changes(patch).count();
    let applied = if changes > FEW {
        Many::new(cib, order).apply(patch)?
    } else {
        Few::new(cib, order).apply(patch)?
    };
    if let Some(expected) = patch.attr("digest") {
        let found = digest_v2(&applied.cib, escaping);
        if !found.eq_ignore_ascii_case(expected) {
            return Err(PatchError::Digest { expected: expected.to_owned(), found });
        }
    }
    Ok(applied)
}

/// The changes of a patch, numbered from 1.
pub(super) fn changes(patch: &Element) -> impl Iterator<Item = (usize, &Element)> {
    (1..).zip(patch.elements().filter(|change| change.attr("operation").is_some()))
}

/// One change, read as far as all operations need it.
pub(super) struct Change<'a> {
    pub index: usize,
    pub operation: &'a str,
    pub path: &'a str,
    pub element: &'a Element,
    pub steps: Vec<Step>,
    pub position: Option<i64>,
}

impl<'a> Change<'a> {
    pub fn read(index: usize, element: &'a Element) -> Result<Change<'a>, PatchError> {
        let operation = element.attr("operation").unwrap_or_default();
        let path = element.attr("path").unwrap_or_default();
        let steps = steps::parse(path).ok_or_else(|| PatchError::BadPath { index, path: path.to_owned() })?;
        let position = element.attr("position").and_then(|text| text.trim().parse().ok());
        Ok(Change { index, operation, path, element, steps, position })
    }

    pub fn no_match(&self) -> PatchError {
        let (operation, path) = (self.operation.to_owned(), self.path.to_owned());
        PatchError::NoMatch { index: self.index, operation, path }
    }

    pub fn incomplete(&self, what: &'static str) -> PatchError {
        PatchError::Incomplete { index: self.index, operation: self.operation.to_owned(), what }
    }

    /// The position of the comment it is about, if it is about one.
    pub fn comment_position(&self) -> Option<usize> {
        self.position.and_then(|position| usize::try_from(position).ok())
    }

    /// The attributes that a modified element is to have, by an element that has them. (A comment has none.)
    pub fn result(&self) -> Result<Option<&'a Element>, PatchError> {
        let result = self.element.child("change-result");
        let first =
            result.and_then(|result| result.children().iter().find(|node| !matches!(node, Node::Text(_))));
        first.map(Node::element).ok_or_else(|| self.incomplete("<change-result>"))
    }

    /// What is to be made.
    pub fn made(&self) -> Result<&'a Node, PatchError> {
        let made = self.element.children().iter().find(|node| !matches!(node, Node::Text(_)));
        made.ok_or_else(|| self.incomplete("element"))
    }

    /// What is put where it belongs later.
    pub fn placement(&self) -> Position {
        Position {
            index: self.index,
            sorts: self.position.unwrap_or(-1),
            position: self.position.unwrap_or(0),
        }
    }

    /// Takes note that something was changed.
    pub fn note(&self, applied: &mut Applied) {
        applied.changed = true;
        let mut names = self.steps.iter().map(|step| step.name.as_str());
        let inside = names.next() == Some("cib") && names.next() == Some("configuration");
        let made = self.operation == "create" && self.steps.len() == 1;
        let configuration =
            || matches!(self.made(), Ok(Node::Element(made)) if made.name() == "configuration");
        applied.configuration_changed |= inside || made && configuration();
    }
}

/// Where something is to be among its siblings.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// The change's number.
    pub index: usize,
    /// When its turn is.
    pub sorts: i64,
    pub position: i64,
}

impl Position {
    pub fn incomplete(self, operation: &str, what: &'static str) -> PatchError {
        PatchError::Incomplete { index: self.index, operation: operation.to_owned(), what }
    }

    /// Where to put what is new among so many siblings. What lies beyond them is after the last.
    pub fn among(self, siblings: usize) -> usize {
        usize::try_from(self.position).map_or(siblings, |position| position.min(siblings))
    }

    /// Where to put what moves, one of so many siblings.
    pub fn of_moved(self, siblings: usize) -> Result<usize, PatchError> {
        let position = usize::try_from(self.position).ok().filter(|position| *position < siblings);
        position.ok_or_else(|| self.incomplete("move", "position (there are fewer elements)"))
    }
}

/// Gives an element the attributes of another, or none.
pub(super) fn set_attributes(element: &mut Element, result: Option<&Element>, order: Order) {
    let Some(result) = result else { return element.retain_attrs(|_| false) };
    if order == Order::AsPatched {
        return element.replace_attrs(result);
    }
    element.retain_attrs(|attribute| result.attr(attribute.name()).is_some());
    for attribute in result.attributes() {
        if element.attr(attribute.name()) != Some(attribute.value()) {
            element.set_attr(attribute.name().clone(), attribute.value());
        }
    }
}

/// The places in a CIB of what a patch deletes and of what it modifies, as far as they are there.
pub(crate) fn places(cib: &Element, patch: &Element) -> (Vec<Path>, Vec<Path>) {
    let (mut deleted, mut modified) = (Vec::new(), Vec::new());
    for (index, element) in changes(patch) {
        let Ok(change) = Change::read(index, element) else { continue };
        match change.operation {
            "delete" => deleted.extend(few::find(cib, &change.steps, change.comment_position())),
            "modify" => modified.extend(few::find(cib, &change.steps, None)),
            _ => {}
        }
    }
    (deleted, modified)
}
