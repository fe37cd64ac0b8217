// SPDX-License-Identifier: GPL-2.0-or-later
//! Operations: options that were given as instance attributes become meta-attributes, which they always meant.

use super::pairs::{Rest, sift};
use super::table::{Entry, OPERATION, OPERATION_INSTANCE, Place, Table};
use super::{Notes, PREFIX, has_rule, id};
use crate::upgrade::walk::with_children;
use std::collections::{BTreeMap, BTreeSet};
use xml::{Element, Node};

/// The name of an operation.
pub(super) fn name(op: &Element) -> &str {
    op.attr("name").unwrap_or_default()
}

/// True if the `requires` of an operation of this name is one of the resource's now.
pub(super) fn requires_moves(name: &str) -> bool {
    OPERATION.find("requires", name).is_some_and(|entry| entry.to.is_some())
}

/// Meta-attributes in place of another set: its id with a prefix, its other attributes before that.
pub(super) fn meta_set_from(set: &Element) -> Element {
    let mut new = Element::new("meta_attributes");
    for attribute in set.attributes() {
        if attribute.name().as_str() != "id" {
            new.set_attr(attribute.name().clone(), attribute.value());
        }
    }
    new.with_attr("id", format!("{PREFIX}{}", id(set)))
}

/// An operation in the third series. `own` are the names of the resource's own meta-attributes: what is among them is
/// not said by the operation again.
pub(super) fn operation(
    op: &Element,
    resource: &str,
    own: &BTreeSet<&str>,
    notes: &mut Notes<'_>,
) -> Element {
    note_changes(op, resource, notes);
    let movable = Movable::of(op, own);
    let unconditional: Vec<Node> = op
        .elements_named("instance_attributes")
        .enumerate()
        .filter(|(_, set)| !has_rule(set))
        .flat_map(|(number, set)| movable.pairs(number, set))
        .collect();
    let mut content = Vec::with_capacity(op.children().len());
    let mut placed = unconditional.is_empty();
    for child in op.children().iter() {
        match child {
            Node::Element(set) if set.name() == "instance_attributes" => {
                content.extend(staying(set, op, &OPERATION_INSTANCE).map(Node::Element));
            }
            Node::Element(set) if set.name() == "meta_attributes" => {
                let stays = staying(set, op, &OPERATION);
                if placed || has_rule(set) {
                    content.extend(stays.map(Node::Element));
                } else {
                    placed = true;
                    let set = stays.unwrap_or_else(|| set.without_children());
                    content.push(set.with_children(unconditional.iter().cloned()).into());
                }
            }
            other => content.push(other.clone()),
        }
    }
    if !placed {
        let set = Element::new("meta_attributes").with_attr("id", format!("{PREFIX}{}-meta", id(op)));
        content.push(set.with_children(unconditional).into());
    }
    for (number, set) in op.elements_named("instance_attributes").enumerate() {
        let pairs = if has_rule(set) { movable.pairs(number, set) } else { Vec::new() };
        if !pairs.is_empty() {
            let rest =
                set.children().iter().filter(|node| node.element().is_none_or(|e| e.name() != "nvpair"));
            content.push(meta_set_from(set).with_children(rest.cloned()).with_children(pairs).into());
        }
    }
    let mut new = op.clone();
    new.remove_attr("requires");
    with_children(&new, content)
}

fn entry(pair: &Element, op: &Element, table: &'static Table) -> Option<&'static Entry> {
    table.find(pair.attr("name")?, name(op))
}

/// What of a set is no business of a table; nothing if no pair is.
fn staying(set: &Element, op: &Element, table: &'static Table) -> Option<Element> {
    let mut any = false;
    let content = sift(set, Rest::WithPairs, |pair| {
        let stays = entry(pair, op, table).is_none();
        any |= stays;
        stays.then(|| pair.clone())
    });
    any.then(|| with_children(set, content))
}

/// What is to become meta-attributes of the operation: of a name that comes in several sets, what the last one without
/// rule has, and what sets with a rule have after that one.
struct Movable<'a> {
    op: &'a Element,
    own: &'a BTreeSet<&'a str>,
    /// By name, the number of the last set without rule that has it.
    last: BTreeMap<&'a str, usize>,
}

impl<'a> Movable<'a> {
    fn of(op: &'a Element, own: &'a BTreeSet<&'a str>) -> Movable<'a> {
        let mut last = BTreeMap::new();
        for (number, set) in op.elements_named("instance_attributes").enumerate() {
            if !has_rule(set) {
                let names = set.elements_named("nvpair").filter_map(|pair| pair.attr("name"));
                last.extend(names.map(|name| (name, number)));
            }
        }
        Movable { op, own, last }
    }

    fn pairs(&self, number: usize, set: &Element) -> Vec<Node> {
        sift(set, Rest::Goes, |pair| {
            let entry = entry(pair, self.op, &OPERATION_INSTANCE)?;
            let moves = entry.to == Some(Place::MetaAttributes)
                && !self.own.contains(entry.what)
                && self.last.get(entry.what).is_none_or(|last| *last <= number);
            moves.then(|| pair.without_children())
        })
    }
}

/// Notes in upstream's order: instance attributes without rule, meta-attributes, instance attributes with a rule.
fn note_changes(op: &Element, resource: &str, notes: &mut Notes<'_>) {
    let mut note = |set: &Element, table: &'static Table| {
        for pair in set.elements_named("nvpair") {
            if let Some(entry) = entry(pair, op, table) {
                let context = format!("{} (rsc={resource}, meta={})", id(op), id(set));
                notes.note(table, entry, context);
            }
        }
    };
    let instance = || op.elements_named("instance_attributes");
    instance().filter(|set| !has_rule(set)).for_each(|set| note(set, &OPERATION_INSTANCE));
    op.elements_named("meta_attributes").for_each(|set| note(set, &OPERATION));
    instance().filter(|set| has_rule(set)).for_each(|set| note(set, &OPERATION_INSTANCE));
}
