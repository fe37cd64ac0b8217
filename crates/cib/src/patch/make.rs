// SPDX-License-Identifier: GPL-2.0-or-later
//! Saying what changed.

use super::compare::{self, AttrChange, Fate};
use super::steps;
use crate::version::FIELDS;
use xml::{Element, Escaping, Node, digest_v2};

/// The patch that turns `old` into `new`. What both share in memory is not looked at, so that a patch costs what the
/// change costs. `None` if they are equal.
pub fn make(old: &Element, new: &Element) -> Option<Element> {
    let mut maker = Maker::default();
    // A path leads to the root whatever its id, if it says none.
    let root = if old.id() == new.id() { steps::below("", new) } else { format!("/{}", new.name()) };
    if maker.element(old, new, &root).is_err() {
        // Nothing above the root can be made anew: the paths are written as they are.
        maker = Maker { forced: true, ..Maker::default() };
        let _ = maker.element(old, new, &root);
    }
    if maker.deletes.is_empty() && maker.changes.is_empty() {
        return None;
    }
    Some(maker.patch(old, new))
}

/// The same, and where nothing changed, a patch that says so.
pub(crate) fn make_always(old: &Element, new: &Element) -> Element {
    make(old, new).unwrap_or_else(|| Maker::default().patch(old, new))
}

/// The patch with the digest of what must come out.
pub fn with_digest(patch: Element, new: &Element, escaping: Escaping) -> Element {
    patch.with_attr("digest", digest_v2(new, escaping))
}

fn version_of(name: &'static str, cib: &Element) -> Element {
    FIELDS
        .into_iter()
        .fold(Element::new(name), |version, field| version.with_attr(field, cib.attr(field).unwrap_or("1")))
}

/// The patch between two CIBs that consists of these changes.
pub(super) fn patch_of(
    old: &Element,
    new: &Element,
    deletes: Vec<Element>,
    changes: Vec<Element>,
) -> Element {
    let version =
        Element::new("version").with_child(version_of("source", old)).with_child(version_of("target", new));
    Element::new("diff")
        .with_attr("format", 2)
        .with_child(version)
        .with_children(deletes)
        .with_children(changes)
}

#[derive(Default)]
struct Maker {
    /// Come first in the patch.
    deletes: Vec<Element>,
    changes: Vec<Element>,
    /// Also paths that lead elsewhere are written.
    forced: bool,
}

/// No path leads to what changed, so that what is around it has to be made anew.
struct Unaddressable;

impl Maker {
    fn patch(self, old: &Element, new: &Element) -> Element {
        patch_of(old, new, self.deletes, self.changes)
    }

    // Recursion is bounded by the depth that the parser accepts.
    fn element(&mut self, old: &Element, new: &Element, path: &str) -> Result<(), Unaddressable> {
        if old.ptr_eq(new) {
            return Ok(());
        }
        self.attributes(old, new, path);
        if old.children().is_empty() && new.children().is_empty() {
            return Ok(());
        }
        let children = compare::children(old, new);
        self.deleted(old, &children.deleted, path)?;
        for &(position, fate) in &children.changed {
            if let Some(node) = new.children().get(position) {
                self.child(old, node, fate, position, path)?;
            }
        }
        Ok(())
    }

    fn child(
        &mut self,
        old: &Element,
        node: &Node,
        fate: Fate,
        position: usize,
        parent: &str,
    ) -> Result<(), Unaddressable> {
        let (old_at, moved) = match fate {
            Fate::Made => {
                self.create(node, position, parent);
                return Ok(());
            }
            Fate::Kept { old } => (old, false),
            Fate::Moved { old } => (old, true),
        };
        // Comments that stay are equal.
        let (Some(Node::Element(before)), Node::Element(after)) = (old.children().get(old_at), node) else {
            return Ok(());
        };
        if !moved && before.ptr_eq(after) {
            return Ok(());
        }
        let addressable = self.forced || steps::is_addressable(after);
        let said = (self.deletes.len(), self.changes.len());
        let path = steps::below(parent, after);
        let inside = self.element(before, after, &path);
        if moved {
            self.changes.push(change("move", &path).with_attr("position", position));
        }
        if !addressable && said != (self.deletes.len(), self.changes.len()) {
            return Err(Unaddressable);
        }
        if inside.is_err() {
            self.deletes.truncate(said.0);
            self.changes.truncate(said.1);
            self.deletes.push(change("delete", &path));
            self.create(node, position, parent);
        }
        Ok(())
    }

    fn create(&mut self, node: &Node, position: usize, parent: &str) {
        self.changes.push(change("create", parent).with_attr("position", position).with_child(node.clone()));
    }

    fn attributes(&mut self, old: &Element, new: &Element, path: &str) {
        let changes = compare::attributes(old, new);
        if changes.is_empty() {
            return;
        }
        let list = changes.into_iter().map(|change| match change {
            AttrChange::Set(name, value) => Element::new("change-attr")
                .with_attr("name", name)
                .with_attr("operation", "set")
                .with_attr("value", value),
            AttrChange::Unset(name) => {
                Element::new("change-attr").with_attr("name", name).with_attr("operation", "unset")
            }
        });
        self.changes.push(
            change("modify", path)
                .with_child(Element::new("change-list").with_children(list))
                .with_child(Element::new("change-result").with_child(new.without_children())),
        );
    }

    /// Elements with ids first: a path without one leads to the first of its name.
    fn deleted(&mut self, old: &Element, positions: &[usize], path: &str) -> Result<(), Unaddressable> {
        let gone = |&position: &usize| old.children().get(position).map(|node| (position, node));
        let elements = positions.iter().filter_map(gone).filter_map(|(_, node)| node.element());
        let (with_id, without): (Vec<&Element>, Vec<&Element>) = elements.partition(|e| e.id().is_some());
        for element in with_id.into_iter().chain(without) {
            if !self.forced && !steps::is_addressable(element) {
                return Err(Unaddressable);
            }
            self.deletes.push(change("delete", &steps::below(path, element)));
        }
        for (before, (position, node)) in positions.iter().filter_map(gone).enumerate() {
            // A comment's position is that when all deleted before it are gone.
            if matches!(node, Node::Comment(_)) {
                let comment = change("delete", &format!("{path}/comment"));
                self.deletes.push(comment.with_attr("position", position - before));
            }
        }
        Ok(())
    }
}

pub(super) fn change(operation: &str, path: &str) -> Element {
    Element::new("change").with_attr("operation", operation).with_attr("path", path)
}
