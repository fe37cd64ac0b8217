// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a CIB is still valid after a change, without a second look at what the change left as it was.
//!
//! Trees share what they have in common, so what is the very same in memory as in a valid CIB is valid. Ids and references
//! concern the whole, though. A change that brings no id and no reference, and takes no id, cannot break them; for any
//! other, one quick walk looks for the few that it did bring or take, and for nothing else.
//!
//! Decides: that a changed CIB is valid. Given: a valid CIB and what became of it. Leaves to others: what is wrong with one
//! of which that cannot be said (`validator` looks at everything then).

use super::compiled::{Compiled, CompiledKind};
use super::datatype::trimmed;
use super::grammar::KindId;
use super::machine::{Machine, State, Taken};
use super::validator::MAX_DEPTH;
use std::collections::{BTreeMap, VecDeque};
use xml::{Element, Node};

/// True if the new CIB is surely valid because the old one is; false says nothing.
pub(super) fn is_surely_valid(
    old: &Element,
    new: &Element,
    compiled: &Compiled,
    machine: &mut Machine,
) -> bool {
    let root = compiled.grammar.root;
    if old.name() != new.name() || new.name() != compiled.grammar.kinds[root].name {
        return false;
    }
    let mut walk = Walk { compiled, machine, gone: Vec::new(), came: Vec::new() };
    if !walk.changed(old, new, root, 0) {
        return false;
    }
    let Walk { gone, came, .. } = walk;
    Changes::of(gone, came).are_right(new, compiled)
}

/// An id or a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mark<'a> {
    is_id: bool,
    id: &'a str,
}

// --- what elements look like ------------------------------------------------------------------------------------

struct Walk<'a, 'm> {
    compiled: &'m Compiled,
    machine: &'m mut Machine,
    /// The marks in the parts that are not the same in both: in the old tree, and in the new one.
    gone: Vec<Mark<'a>>,
    came: Vec<Mark<'a>>,
}

impl<'a> Walk<'a, '_> {
    /// An element of a kind in the place of another of the same kind that was valid.
    fn changed(&mut self, old: &'a Element, new: &'a Element, id: KindId, depth: usize) -> bool {
        let kind = self.compiled.kind(id);
        if old.ptr_eq(new) || kind.holds_anything {
            return true;
        }
        self.gone.extend(marks(old, kind, self.compiled));
        let Some(mut state) = self.begin(new, id, depth) else { return false };
        let (before, after) = (old.children(), new.children());
        let begin = before.shared_begin(after);
        let end = before.shared_end(after, before.len().min(after.len()) - begin);
        let mut replaced = Replaced::new(before.range(begin..before.len() - end));
        // What comes before and after has not changed, but what may come between depends on it.
        for (index, node) in after.iter().enumerate() {
            let Some((child, next)) = self.step(node, state) else { return false };
            state = next;
            let is_shared = index < begin || index >= after.len() - end;
            let Some((child, kind)) = child.filter(|_| !is_shared) else { continue };
            let valid = match replaced.take(child) {
                Some(other) => self.changed(other, child, kind, depth + 1),
                None => self.fresh(child, kind, depth + 1),
            };
            if !valid {
                return false;
            }
        }
        replaced.rest().for_each(|child| self.taken(child, id));
        self.machine.is_complete(state)
    }

    /// An element of a kind in no other's place.
    fn fresh(&mut self, new: &'a Element, id: KindId, depth: usize) -> bool {
        if self.compiled.kind(id).holds_anything {
            return true;
        }
        let Some(mut state) = self.begin(new, id, depth) else { return false };
        for node in new.children() {
            let Some((child, next)) = self.step(node, state) else { return false };
            state = next;
            if child.is_some_and(|(child, kind)| !self.fresh(child, kind, depth + 1)) {
                return false;
            }
        }
        self.machine.is_complete(state)
    }

    /// An element that was in one of a kind is not there any more, with all that was in it.
    fn taken(&mut self, old: &'a Element, parent: KindId) {
        if let Some(kind) = self.compiled.child(parent, old) {
            self.gone.extend(all_marks(old, kind, self.compiled));
        }
    }

    /// What can come after the attributes of an element; `None` if something is wrong with them.
    fn begin(&mut self, new: &'a Element, id: KindId, depth: usize) -> Option<State> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let kind = self.compiled.kind(id);
        let mut state = self.machine.start(id);
        for attribute in new.attributes() {
            let (name, value) = (attribute.name().as_str(), attribute.value());
            match self.machine.attribute_of(kind, state, name, value, self.compiled) {
                Taken::Fit(_, next) => state = next,
                Taken::Unfit(_) | Taken::Misplaced => return None,
            }
        }
        self.came.extend(marks(new, kind, self.compiled));
        self.machine.opened(state)
    }

    /// What can come after a child, which is told with its kind if it is an element; `None` if it may not be there.
    fn step(&mut self, node: &'a Node, state: State) -> Option<(Option<(&'a Element, KindId)>, State)> {
        match node {
            Node::Element(child) => {
                let name = self.compiled.names.find(child.name())?;
                let (kind, next) = self.machine.child(state, name, self.compiled)?;
                Some((Some((child, kind)), next))
            }
            Node::Text(text) if !trimmed(text).is_empty() => None,
            Node::Text(_) | Node::Comment(_) => Some((None, state)),
        }
    }
}

/// Elements that are not where they were, to be found again by name and id.
struct Replaced<'a>(BTreeMap<(&'a str, &'a str), VecDeque<&'a Element>>);

impl<'a> Replaced<'a> {
    fn new(nodes: impl Iterator<Item = &'a Node>) -> Replaced<'a> {
        let mut by_name: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
        for element in nodes.filter_map(Node::element) {
            by_name.entry(key(element)).or_default().push_back(element);
        }
        Replaced(by_name)
    }

    fn take(&mut self, element: &'a Element) -> Option<&'a Element> {
        self.0.get_mut(&key(element))?.pop_front()
    }

    fn rest(self) -> impl Iterator<Item = &'a Element> {
        self.0.into_values().flatten()
    }
}

fn key(element: &Element) -> (&str, &str) {
    (element.name(), element.id().unwrap_or_default())
}

// --- ids and references -----------------------------------------------------------------------------------------

/// The ids and references of an element.
fn marks<'a, 'c>(
    element: &'a Element,
    kind: &'c CompiledKind,
    compiled: &'c Compiled,
) -> impl Iterator<Item = Mark<'a>> + use<'a, 'c> {
    kind.marks.iter().filter_map(|(attribute, is_id)| {
        let id = trimmed(element.attr(compiled.grammar.attributes[*attribute].name)?);
        Some(Mark { is_id: *is_id, id })
    })
}

/// The marks of an element of a kind and of all that is in it.
fn all_marks<'a, 'c>(
    element: &'a Element,
    kind: KindId,
    compiled: &'c Compiled,
) -> impl Iterator<Item = Mark<'a>> + use<'a, 'c> {
    let mut waiting = vec![(element, kind)];
    std::iter::from_fn(move || {
        let (element, id) = waiting.pop()?;
        let kind = compiled.kind(id);
        if !kind.holds_anything {
            let children = element.elements();
            waiting.extend(children.filter_map(|child| Some((child, compiled.child(id, child)?))));
        }
        Some(marks(element, kind, compiled))
    })
    .flatten()
}

/// The marks of which there are now more, or fewer.
struct Changes<'a> {
    /// Ids that are there more often than before.
    ids_more: Vec<&'a str>,
    /// Ids that are not there any more.
    ids_less: Vec<&'a str>,
    /// References that nothing that was changed had before.
    references: Vec<&'a str>,
}

impl<'a> Changes<'a> {
    fn of(mut gone: Vec<Mark<'a>>, mut came: Vec<Mark<'a>>) -> Changes<'a> {
        gone.sort_unstable();
        came.sort_unstable();
        let ids = |marks: Vec<Mark<'a>>| marks.into_iter().filter(|mark| mark.is_id).map(|mark| mark.id);
        Changes {
            references: left_over(&came, &gone)
                .into_iter()
                .filter(|mark| !mark.is_id)
                .map(|mark| mark.id)
                .collect(),
            ids_more: ids(left_over(&came, &gone)).collect(),
            ids_less: ids(left_over(&gone, &came)).collect(),
        }
    }

    /// Whether each id is there once and each reference leads somewhere, which they did before. Walks the whole tree if
    /// there is anything to look for, but only compares.
    fn are_right(mut self, new: &Element, compiled: &Compiled) -> bool {
        // A reference to what is new is as good as the new id is; those are looked for anyway.
        self.references.retain(|id| self.ids_more.binary_search(id).is_err());
        self.references.dedup();
        if self.ids_more.is_empty() && self.ids_less.is_empty() && self.references.is_empty() {
            return true;
        }
        let (mut found_ids, mut found_references) =
            (vec![false; self.ids_more.len()], vec![false; self.references.len()]);
        for mark in all_marks(new, compiled.grammar.root, compiled) {
            if !mark.is_id {
                if self.ids_less.binary_search(&mark.id).is_ok() {
                    return false;
                }
                continue;
            }
            if let Ok(at) = self.references.binary_search(&mark.id) {
                found_references[at] = true;
            }
            // One that came twice is found in a place that is taken, wherever the search ends up.
            if let Ok(at) = self.ids_more.binary_search(&mark.id)
                && std::mem::replace(&mut found_ids[at], true)
            {
                return false;
            }
        }
        found_references.into_iter().all(|found| found)
    }
}

/// What is in one sorted list more often than in another.
fn left_over<T: Ord + Copy>(list: &[T], other: &[T]) -> Vec<T> {
    let mut other = other.iter().peekable();
    let is_left = |item: &&T| {
        while other.next_if(|next| next < item).is_some() {}
        other.next_if(|next| next == item).is_none()
    };
    list.iter().filter(is_left).copied().collect()
}
