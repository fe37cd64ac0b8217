// SPDX-License-Identifier: GPL-2.0-or-later
//! Axes: from one node to those that a step takes, in the order of the axis.

use super::XPathErrorKind;
use super::ast::{Axis, NodeTest, Step};
use super::eval::Budget;
use super::place::{Item, Order, Place};
use crate::tree::Mark;
use crate::{Element, Ids};
use std::rc::Rc;

type Places<'a> = Vec<Rc<Place<'a>>>;

/// What a node that is kept costs of the budget, on top of being looked at: it is what needs memory.
const KEPT: u64 = 15;

impl Step {
    /// True if the step's name and conditions on attributes fit; predicates are not looked at.
    fn takes(&self, item: Item<'_>) -> bool {
        let named = match item {
            Item::Element(_) => self.axis != Axis::Attribute,
            Item::Attribute(..) => self.axis == Axis::Attribute,
            Item::Document(_) | Item::Text(..) | Item::Comment(_) => false,
        };
        let fits = match &self.test {
            NodeTest::Any => named,
            NodeTest::Prefix(prefix) => named && item.name().starts_with(prefix),
            NodeTest::Name(name) => named && item.name() == name,
            NodeTest::Node => true,
            NodeTest::Text => matches!(item, Item::Text(..)),
            NodeTest::Comment => matches!(item, Item::Comment(_)),
            NodeTest::Instruction => false,
        };
        fits && self.attributes.iter().all(|wanted| item.attr(&wanted.name) == Some(&wanted.value))
    }
}

impl Step {
    /// The name and id of the children it takes, if it takes none of another.
    fn named_child(&self) -> Option<(&str, &str)> {
        let NodeTest::Name(name) = &self.test else { return None };
        let id = self.attributes.iter().find(|wanted| wanted.name == "id")?;
        Some((name, &id.value))
    }
}

/// Where the children of a name and id are.
fn positions_of(parent: &Element, name: &str, id: &str) -> impl Iterator<Item = usize> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let at = parent.children().position(next..parent.children().len(), name, Ids::Is(id))?;
        next = at + 1;
        Some(at)
    })
}

/// Adds what the axis of a step leads to from a node and the step takes; predicates are left to the caller.
pub(super) fn walk<'a>(
    from: &Rc<Place<'a>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    match step.axis {
        Axis::SelfNode => keep(from, step, budget, into),
        Axis::Child => match (from.item, step.named_child()) {
            (Item::Element(parent), Some((name, id))) => {
                let positions = positions_of(parent, name, id);
                // Of many children, those that are not it cost next to nothing.
                budget.spend(1 + parent.children().len() as u64 / 32)?;
                children(from, positions, step, budget, into)
            }
            _ => children(from, 0..from.item.width(), step, budget, into),
        },
        Axis::Attribute => attributes(from, step, budget, into),
        Axis::Descendant => below(from, step, budget, into),
        Axis::DescendantOrSelf => {
            keep(from, step, budget, into)?;
            below(from, step, budget, into)
        }
        Axis::Parent => from.parent.as_ref().map_or(Ok(()), |parent| keep(parent, step, budget, into)),
        Axis::Ancestor => ancestors(from.parent.as_ref(), step, budget, into),
        Axis::AncestorOrSelf => ancestors(Some(from), step, budget, into),
        Axis::FollowingSibling => match (&from.parent, from.order) {
            (Some(parent), Order::Child(at)) => {
                children(parent, at + 1..parent.item.width(), step, budget, into)
            }
            _ => Ok(()),
        },
        Axis::PrecedingSibling => match (&from.parent, from.order) {
            (Some(parent), Order::Child(at)) => children(parent, (0..at).rev(), step, budget, into),
            _ => Ok(()),
        },
        Axis::Following => following(from, step, budget, into),
        Axis::Preceding => preceding(from, step, budget, into),
        // Of namespaces there are none.
        Axis::Namespace => Ok(()),
    }
}

fn keep<'a>(
    place: &Rc<Place<'a>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    budget.spend(1)?;
    if step.takes(place.item) {
        budget.spend(KEPT)?;
        into.push(Rc::clone(place));
    }
    Ok(())
}

fn children<'a>(
    parent: &Rc<Place<'a>>,
    indices: impl Iterator<Item = usize>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    for index in indices {
        budget.spend(1)?;
        if let Some(item) = parent.item.child(index)
            && step.takes(item)
        {
            budget.spend(KEPT)?;
            into.push(Place::below(parent, Order::Child(index), item));
        }
    }
    Ok(())
}

fn attributes<'a>(
    from: &Rc<Place<'a>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    let Item::Element(element) = from.item else {
        return Ok(());
    };
    for (index, attribute) in element.attributes().iter().enumerate() {
        budget.spend(1)?;
        let item = Item::Attribute(element, attribute);
        if step.takes(item) {
            budget.spend(KEPT)?;
            into.push(Place::below(from, Order::Attribute(index), item));
        }
    }
    Ok(())
}

fn ancestors<'a>(
    mut next: Option<&Rc<Place<'a>>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    while let Some(place) = next {
        keep(place, step, budget, into)?;
        next = place.parent.as_ref();
    }
    Ok(())
}

/// One level of a walk downwards. Its place is made only when something below it is kept.
struct Level<'a> {
    item: Item<'a>,
    index: usize,
    next: usize,
    place: Option<Rc<Place<'a>>>,
}

/// All below a node, parents before children. Costs no memory for what is not taken.
fn below<'a>(
    from: &Rc<Place<'a>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    let mut levels: Vec<Level<'a>> = Vec::new();
    let (mut item, mut next) = (from.item, 0);
    // What has no element of the name below it is not walked.
    let mark = match &step.test {
        NodeTest::Name(name) => Some(Mark::of(name)),
        _ => None,
    };
    let may_hold = |item: Item<'_>| match (mark, item) {
        (Some(mark), Item::Element(element)) => element.may_hold_marked(mark),
        _ => item.width() > 0,
    };
    if !may_hold(from.item) {
        return Ok(());
    }
    loop {
        if next >= item.width() {
            let Some(done) = levels.pop() else { return Ok(()) };
            item = levels.last().map_or(from.item, |level| level.item);
            next = done.next;
            continue;
        }
        budget.spend(1)?;
        let index = next;
        next += 1;
        let Some(child) = item.child(index) else { continue };
        let mut place = None;
        if step.takes(child) {
            budget.spend(KEPT)?;
            let parent = place_of(&mut levels, from);
            let taken = Place::below(&parent, Order::Child(index), child);
            into.push(Rc::clone(&taken));
            place = Some(taken);
        }
        if may_hold(child) {
            // `next` of a level is where its parent goes on when the level is done.
            levels.push(Level { item: child, index, next, place });
            (item, next) = (child, 0);
        }
    }
}

/// The place of the innermost level, made with all those above it that are not made yet.
fn place_of<'a>(levels: &mut [Level<'a>], from: &Rc<Place<'a>>) -> Rc<Place<'a>> {
    let made = levels.iter().rposition(|level| level.place.is_some()).map_or(0, |at| at + 1);
    let mut place = match made.checked_sub(1).and_then(|at| levels.get(at)?.place.as_ref()) {
        Some(place) => Rc::clone(place),
        None => Rc::clone(from),
    };
    for level in levels.iter_mut().skip(made) {
        place = Place::below(&place, Order::Child(level.index), level.item);
        level.place = Some(Rc::clone(&place));
    }
    place
}

/// All that begins after the end of a node.
fn following<'a>(
    from: &Rc<Place<'a>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    let mut place = from;
    while let Some(parent) = &place.parent {
        let first = match place.order {
            Order::Child(index) => index + 1,
            // All below an element comes after its attributes.
            Order::Attribute(_) => 0,
        };
        for index in first..parent.item.width() {
            budget.spend(1)?;
            if let Some(item) = parent.item.child(index) {
                let sibling = Place::below(parent, Order::Child(index), item);
                keep(&sibling, step, budget, into)?;
                below(&sibling, step, budget, into)?;
            }
        }
        place = parent;
    }
    Ok(())
}

/// All that ends before the begin of a node, the nearest first.
fn preceding<'a>(
    from: &Rc<Place<'a>>,
    step: &Step,
    budget: &Budget,
    into: &mut Places<'a>,
) -> Result<(), XPathErrorKind> {
    let mut place = from;
    while let Some(parent) = &place.parent {
        if let Order::Child(at) = place.order {
            for index in (0..at).rev() {
                budget.spend(1)?;
                if let Some(item) = parent.item.child(index) {
                    let sibling = Place::below(parent, Order::Child(index), item);
                    let first = into.len();
                    keep(&sibling, step, budget, into)?;
                    below(&sibling, step, budget, into)?;
                    into.get_mut(first..).unwrap_or_default().reverse();
                }
            }
        }
        place = parent;
    }
    Ok(())
}
