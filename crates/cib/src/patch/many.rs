// SPDX-License-Identifier: GPL-2.0-or-later
//! Changes made to an index of the tree: opened is what changes lead to, and of the children of what is opened it is
//! known where which of a name and id is. Costs what is opened, and little for each of many changes.

use super::apply::{Applied, Change, Order, Position, changes, set_attributes};
use super::error::PatchError;
use super::ranked::Ranked;
use super::steps::Step;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use xml::{Element, Node};

/// A patch being applied.
pub(super) struct Many<'a> {
    /// The first is the root.
    opened: Vec<Opened>,
    order: Order,
    /// Its tree is made at the end.
    applied: Applied,
    later: Vec<Placement<'a>>,
    /// By parent and slot: the placements of what is there and moves.
    moved: BTreeMap<(usize, usize), Vec<usize>>,
}

struct Placement<'a> {
    position: Position,
    parent: usize,
    what: Placed<'a>,
}

#[derive(Clone, Copy)]
enum Placed<'a> {
    Made(&'a Node),
    /// The child in that slot.
    Moved(usize),
}

/// An element whose children are looked at one by one.
struct Opened {
    /// The element without them.
    shell: Element,
    parent: Option<usize>,
    gone: bool,
    slots: Vec<Slot>,
    /// The slots in the order of the children. Until things are put in their places, that is the order of their numbers.
    list: Ranked,
    index: Index,
}

/// A child.
enum Slot {
    Gone,
    Is(Node),
    Opened(usize),
}

/// The slots of children by what leads to them.
#[derive(Default)]
struct Index {
    named: HashMap<String, Named>,
    comments: BTreeSet<usize>,
}

#[derive(Default)]
struct Named {
    all: BTreeSet<usize>,
    by_id: HashMap<String, Vec<usize>>,
}

/// What a path leads to.
#[derive(Clone, Copy)]
struct Found {
    /// The parent and the slot; none for the root.
    child: Option<(usize, usize)>,
    /// The element; none for a comment.
    element: Option<usize>,
}

impl Index {
    fn add(&mut self, slot: usize, node: &Node) {
        match node {
            Node::Element(element) => self.add_element(slot, element),
            Node::Comment(_) => {
                self.comments.insert(slot);
            }
            Node::Text(_) => {}
        }
    }

    fn add_element(&mut self, slot: usize, element: &Element) {
        if !self.named.contains_key(element.name()) {
            self.named.insert(element.name().to_owned(), Named::default());
        }
        let Some(named) = self.named.get_mut(element.name()) else { return };
        named.all.insert(slot);
        if let Some(id) = element.id() {
            let slots = named.by_id.entry(id.to_owned()).or_default();
            slots.insert(slots.partition_point(|other| *other < slot), slot);
        }
    }

    fn remove_element(&mut self, slot: usize, element: &Element) {
        let Some(named) = self.named.get_mut(element.name()) else { return };
        named.all.remove(&slot);
        if let Some(slots) = element.id().and_then(|id| named.by_id.get_mut(id)) {
            slots.retain(|other| *other != slot);
        }
    }
}

impl Opened {
    fn new(element: &Element, parent: Option<usize>) -> Opened {
        let mut index = Index::default();
        let slots: Vec<Slot> = element.children().iter().cloned().map(Slot::Is).collect();
        for (at, node) in element.children().iter().enumerate() {
            index.add(at, node);
        }
        let list = Ranked::up_to(slots.len());
        Opened { shell: element.without_children(), parent, gone: false, slots, list, index }
    }

    /// The slot of the first child that a step leads to. `position` is that of a comment, if it has to be there.
    fn slot(&self, step: &Step, position: Option<usize>) -> Option<usize> {
        let named = self.index.named.get(&step.name);
        let element = named.and_then(|named| match &step.id {
            None => named.all.first().copied(),
            Some(id) => named.by_id.get(id).and_then(|slots| slots.first().copied()),
        });
        if !step.may_be_comment() {
            return element;
        }
        let comment = match position {
            None => self.index.comments.first().copied(),
            Some(position) => self.list.at(position).filter(|slot| self.index.comments.contains(slot)),
        };
        match (element, comment) {
            (Some(element), Some(comment)) => Some(element.min(comment)),
            (one, other) => one.or(other),
        }
    }

    fn push(&mut self, slot: Slot) -> usize {
        self.slots.push(slot);
        self.slots.len() - 1
    }
}

impl<'a> Many<'a> {
    pub fn new(cib: &Element, order: Order) -> Many<'a> {
        let applied = Applied { cib: cib.clone(), changed: false, configuration_changed: false };
        Many {
            opened: vec![Opened::new(cib, None)],
            order,
            applied,
            later: Vec::new(),
            moved: BTreeMap::new(),
        }
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
        self.applied.cib = self.closed(0);
        Ok(self.applied)
    }

    fn change(&mut self, change: &Change<'a>) -> Result<(), PatchError> {
        let position = change.comment_position().filter(|_| change.operation == "delete");
        let Some(found) = self.find(&change.steps, position) else {
            // What is gone already needs no deleting.
            return if change.operation == "delete" { Ok(()) } else { Err(change.no_match()) };
        };
        match change.operation {
            "delete" => drop(self.take(found).ok_or_else(|| change.no_match())?),
            "modify" => {
                let result = change.result()?;
                self.modify(found, result).ok_or_else(|| change.no_match())?;
            }
            "create" => {
                let parent = found.element.ok_or_else(|| change.no_match())?;
                let what = Placed::Made(change.made()?);
                self.later.push(Placement { position: change.placement(), parent, what });
            }
            "move" => {
                let (parent, slot) = self.put_last(found).ok_or_else(|| change.no_match())?;
                let what = Placed::Moved(slot);
                self.moved.entry((parent, slot)).or_default().push(self.later.len());
                self.later.push(Placement { position: change.placement(), parent, what });
                return Ok(());
            }
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

    fn find(&mut self, steps: &[Step], position: Option<usize>) -> Option<Found> {
        let (first, rest) = steps.split_first()?;
        let root = &self.opened.first()?.shell;
        if first.name != root.name() || first.id.as_deref().is_some_and(|id| root.id() != Some(id)) {
            return None;
        }
        let mut found = Found { child: None, element: Some(0) };
        for (index, step) in rest.iter().enumerate() {
            let parent = found.element?;
            let last = index + 1 == rest.len();
            let slot = self.opened.get(parent)?.slot(step, position.filter(|_| last))?;
            found = Found { child: Some((parent, slot)), element: self.open(parent, slot) };
        }
        Some(found)
    }

    /// The child in a slot, opened; none if it is no element.
    fn open(&mut self, parent: usize, slot: usize) -> Option<usize> {
        let next = self.opened.len();
        let element = match self.opened.get(parent)?.slots.get(slot)? {
            Slot::Opened(opened) => return Some(*opened),
            Slot::Is(Node::Element(element)) => element.clone(),
            Slot::Is(Node::Comment(_) | Node::Text(_)) | Slot::Gone => return None,
        };
        *self.opened.get_mut(parent)?.slots.get_mut(slot)? = Slot::Opened(next);
        self.opened.push(Opened::new(&element, Some(parent)));
        Some(next)
    }

    /// Takes a child out of its parent.
    fn take(&mut self, found: Found) -> Option<Slot> {
        let (parent, slot) = found.child?;
        let shell = match found.element {
            Some(element) => {
                let element = self.opened.get_mut(element)?;
                element.gone = true;
                Some(element.shell.clone())
            }
            None => None,
        };
        let parent = self.opened.get_mut(parent)?;
        match shell {
            Some(shell) => parent.index.remove_element(slot, &shell),
            None => drop(parent.index.comments.remove(&slot)),
        }
        parent.list.remove(slot);
        Some(std::mem::replace(parent.slots.get_mut(slot)?, Slot::Gone))
    }

    /// What moves is put at the end for now, out of the way of positions: in a slot of its own, so that slots stay in
    /// order.
    fn put_last(&mut self, found: Found) -> Option<(usize, usize)> {
        let (parent, old_slot) = found.child?;
        let taken = self.take(found)?;
        let shell = match found.element {
            Some(element) => {
                let element = self.opened.get_mut(element)?;
                element.gone = false;
                Some(element.shell.clone())
            }
            None => None,
        };
        let home = self.opened.get_mut(parent)?;
        let slot = home.push(taken);
        match shell {
            Some(shell) => home.index.add_element(slot, &shell),
            None => drop(home.index.comments.insert(slot)),
        }
        home.list.insert(home.list.len(), slot);
        // What was to be moved before is moved from where it is now.
        if let Some(placements) = self.moved.remove(&(parent, old_slot)) {
            for placement in &placements {
                if let Some(placement) = self.later.get_mut(*placement) {
                    placement.what = Placed::Moved(slot);
                }
            }
            self.moved.insert((parent, slot), placements);
        }
        Some((parent, slot))
    }

    fn modify(&mut self, found: Found, result: Option<&Element>) -> Option<()> {
        let element = self.opened.get_mut(found.element?)?;
        let before = element.shell.clone();
        set_attributes(&mut element.shell, result, self.order);
        let after = element.shell.clone();
        if let Some((parent, slot)) = found.child
            && before.id() != after.id()
        {
            let parent = self.opened.get_mut(parent)?;
            parent.index.remove_element(slot, &before);
            parent.index.add_element(slot, &after);
        }
        Some(())
    }

    /// In the order of positions, so that all before a position is right when it is filled.
    fn place(&mut self) -> Result<(), PatchError> {
        let mut later = std::mem::take(&mut self.later);
        later.sort_by_key(|placement| placement.position.sorts);
        let mut ended = Ok(());
        for Placement { position, parent, what } in later {
            if let Err(error) = self.place_one(position, parent, what) {
                ended = Err(error);
            }
        }
        ended
    }

    fn place_one(&mut self, position: Position, parent: usize, what: Placed<'_>) -> Result<(), PatchError> {
        let gone = match what {
            Placed::Made(_) => || ("create", "parent"),
            Placed::Moved(_) => || ("move", "element"),
        };
        let missing = || position.incomplete(gone().0, gone().1);
        if self.is_gone(parent) {
            return Err(missing());
        }
        let parent = self.opened.get_mut(parent).ok_or_else(missing)?;
        match what {
            Placed::Made(node) => {
                let at = position.among(parent.list.len());
                let slot = parent.push(Slot::Is(node.clone()));
                parent.list.insert(at, slot);
            }
            Placed::Moved(slot) => {
                if matches!(parent.slots.get(slot), None | Some(Slot::Gone)) {
                    return Err(missing());
                }
                let at = position.of_moved(parent.list.len())?;
                parent.list.remove(slot);
                parent.list.insert(at, slot);
            }
        }
        Ok(())
    }

    fn is_gone(&self, opened: usize) -> bool {
        let mut next = Some(opened);
        while let Some(element) = next.and_then(|at| self.opened.get(at)) {
            if element.gone {
                return true;
            }
            next = element.parent;
        }
        false
    }

    /// The tree again. Recursion is bounded by the depth that the parser accepts.
    fn closed(&self, opened: usize) -> Element {
        let Some(element) = self.opened.get(opened) else { return Element::new("cib") };
        let children = element.list.iter().filter_map(|slot| match element.slots.get(slot)? {
            Slot::Is(node) => Some(node.clone()),
            Slot::Opened(child) => Some(Node::Element(self.closed(*child))),
            Slot::Gone => None,
        });
        let mut closed = element.shell.clone();
        closed.set_children(children);
        closed
    }
}
