// SPDX-License-Identifier: GPL-2.0-or-later
//! Primitives and templates: their own attributes, and `requires`, which was the operation's and is the resource's.

use super::operation::{self, requires_moves};
use super::pairs::{Rest, sift};
use super::table::{OPERATION, RESOURCE_INSTANCE, RESOURCE_META};
use super::{Notes, PREFIX, entry_for, has_rule, id, redefined, renamed};
use crate::upgrade::walk::with_children;
use std::collections::{BTreeMap, BTreeSet};
use xml::{Element, Node};

/// A primitive or template in the third series.
pub(super) fn resource(resource: &Element, notes: &mut Notes<'_>) -> Element {
    let own: BTreeSet<&str> = resource
        .elements_named("meta_attributes")
        .filter(|set| !has_rule(set))
        .flat_map(|set| set.elements_named("nvpair"))
        .filter_map(|pair| pair.attr("name"))
        .collect();
    let renamed = LastRenames::of(resource);
    let mut content: Vec<Node> = Vec::with_capacity(resource.children().len());
    for (place, child) in resource.children().iter().enumerate() {
        let new = match child {
            Node::Element(element) => match element.name() {
                "operations" => Some(operations(element, id(resource), &own, notes)),
                "instance_attributes" => instance_attributes(element, notes),
                "meta_attributes" => meta_attributes(element, resource, renamed.after(place), notes),
                _ => Some(element.clone()),
            }
            .map(Node::Element),
            other => Some(other.clone()),
        };
        content.extend(new);
    }
    let operations: Vec<&Element> =
        resource.elements_named("operations").flat_map(|all| all.elements_named("op")).collect();
    for operation in &operations {
        if operation.attr("requires").is_some()
            && let Some(entry) = OPERATION.find("requires", operation::name(operation))
        {
            notes.note(&OPERATION, entry, format!("{} (rsc={})", id(operation), id(resource)));
        }
    }
    if !own.contains("requires") {
        content.extend(requires(resource, &operations));
    }
    with_children(resource, content)
}

fn operations(operations: &Element, resource: &str, own: &BTreeSet<&str>, notes: &mut Notes<'_>) -> Element {
    let content = operations.children().iter().map(|child| match child {
        Node::Element(op) if op.name() == "op" => operation::operation(op, resource, own, notes).into(),
        other => other.clone(),
    });
    let content = content.collect();
    with_children(operations, content)
}

/// Instance attributes, renamed; nothing if no pair stays.
fn instance_attributes(set: &Element, notes: &mut Notes<'_>) -> Option<Element> {
    let (content, any) = renamed(set, Rest::Stays, &RESOURCE_INSTANCE, notes);
    (any || begins_with_comment(set)).then(|| with_children(set, content))
}

/// Meta-attributes, renamed; nothing if every pair is dropped.
///
/// A renamed one must not come twice, so upstream looks for its like in this set and those after it. What it goes by in
/// effect: in a set without rule, a renamed pair stays only if it is the first that stays at all; in one with a rule,
/// if no set without rule after it renames one to the same name. All nodes of a cluster must agree, so ours does too.
fn meta_attributes(
    set: &Element,
    resource: &Element,
    renamed_later: impl Fn(&str) -> bool,
    notes: &mut Notes<'_>,
) -> Option<Element> {
    let ruled = has_rule(set);
    let mut any = false;
    let content = sift(set, Rest::Stays, |pair| {
        let Some(entry) = entry_for(pair, &RESOURCE_META) else {
            any = true;
            return Some(pair.clone());
        };
        notes.note(&RESOURCE_META, entry, format!("{} (meta={})", id(resource), id(set)));
        let with = entry.with?;
        let stays = if ruled { !renamed_later(with) } else { !any };
        any = true;
        stays.then(|| redefined(pair, entry))
    });
    (any || begins_with_comment(set)).then(|| with_children(set, content))
}

/// True for a set of comments and pairs alone, the first comment not being empty. Such a set
/// stays even if no pair does: to the XPath of libxml2, what begins with a comment is not empty.
fn begins_with_comment(set: &Element) -> bool {
    let first = set.children().iter().find_map(|node| match node {
        Node::Comment(text) => Some(!text.is_empty()),
        _ => None,
    });
    first == Some(true) && set.elements().all(|element| element.name() == "nvpair")
}

/// For each new name of a meta-attribute, the last set without rule that renames one to it.
struct LastRenames(BTreeMap<&'static str, usize>);

impl LastRenames {
    fn of(resource: &Element) -> LastRenames {
        let mut last = BTreeMap::new();
        for (place, child) in resource.children().iter().enumerate() {
            let Node::Element(set) = child else { continue };
            if set.name() != "meta_attributes" || has_rule(set) {
                continue;
            }
            let entries = set.elements_named("nvpair").filter_map(|pair| entry_for(pair, &RESOURCE_META));
            for with in entries.filter_map(|entry| entry.with) {
                last.insert(with, place);
            }
        }
        LastRenames(last)
    }

    /// Whether a name is renamed to after a place.
    fn after(&self, place: usize) -> impl Fn(&str) -> bool + '_ {
        move |name| self.0.get(name).is_some_and(|last| *last > place)
    }
}

/// The sets that hold what operations say of `requires`, for a resource that does not say it itself. An operation's
/// attribute wins over its meta-attributes, these over its instance attributes, and the last of a kind over those
/// before it.
fn requires(resource: &Element, operations: &[&Element]) -> Vec<Node> {
    let with_attribute =
        |op: &&&Element| op.attr("requires").is_some() && requires_moves(operation::name(op));
    if let Some(op) = operations.iter().rev().find(with_attribute) {
        let pair = Element::new("nvpair")
            .with_attr("id", format!("{PREFIX}{}-meta-requires", id(op)))
            .with_attr("name", "requires")
            .with_attr("value", op.attr("requires").unwrap_or_default());
        let set = Element::new("meta_attributes").with_attr("id", format!("{PREFIX}{}-meta", id(resource)));
        return vec![set.with_child(pair).into()];
    }
    let sets: Vec<(&Element, &Element)> = operations
        .iter()
        .flat_map(|op| op.elements().map(|set| (*op, set)))
        .filter(|(_, set)| matches!(set.name(), "meta_attributes" | "instance_attributes"))
        .collect();
    let mut winners = vec![false; sets.len()];
    for kind in ["meta_attributes", "instance_attributes"] {
        // Sets with a rule give way to others, but let those before them be.
        let mut unconditional = false;
        for (place, (op, set)) in sets.iter().enumerate().rev().filter(|(_, (_, set))| set.name() == kind) {
            let wins = !unconditional && requires_moves(operation::name(op)) && says_requires(set);
            winners[place] = wins;
            unconditional |= wins && !has_rule(set);
        }
        if unconditional {
            break;
        }
    }
    let winning = sets.iter().zip(winners).filter(|(_, wins)| *wins);
    winning.map(|((_, set), _)| alone(set).into()).collect()
}

fn says_requires(set: &Element) -> bool {
    set.elements_named("nvpair").any(|pair| pair.attr("name") == Some("requires"))
}

/// A set of the resource with the `requires` of an operation's set, under the same rule.
fn alone(set: &Element) -> Element {
    let rest = set.children().iter().filter(|node| node.element().is_none_or(|e| e.name() != "nvpair"));
    let pairs = set.elements_named("nvpair").filter(|pair| pair.attr("name") == Some("requires"));
    operation::meta_set_from(set)
        .with_children(rest.cloned())
        .with_children(pairs.map(|pair| Node::Element(pair.without_children())))
}
