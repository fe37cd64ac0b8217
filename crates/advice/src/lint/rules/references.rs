// SPDX-License-Identifier: GPL-2.0-or-later
//! Names that lead nowhere.

use crate::lint::facts::{Facts, at, name};
use crate::lint::{Found, Rule, Severity};
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL060",
        name: "unknown-resource",
        severity: Severity::Danger,
        consequence: "the constraint is ignored: what it was to keep apart, together or in order is not",
        remedy: "name a resource that exists, or remove the constraint",
        check: unknown_resource,
    },
    Rule {
        id: "SL061",
        name: "unknown-node",
        severity: Severity::Warning,
        consequence: "the constraint does nothing",
        remedy: "name a node that exists, or remove the constraint",
        check: unknown_node,
    },
    Rule {
        id: "SL062",
        name: "empty-tag",
        severity: Severity::Notice,
        consequence: "constraints that name the tag do not reach what it seems to stand for",
        remedy: "mend or remove the reference in the tag",
        check: dead_tag,
    },
];

fn unknown_resource(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let exists = |id: &str| {
        facts.by_id.get(id).is_some_and(|element| {
            crate::lint::facts::is_resource(element) || matches!(element.name(), "template" | "tag")
        }) || facts.cluster.resource_named(id).is_some()
    };
    for constraint in facts.section("constraints").into_iter().flat_map(Element::elements) {
        let named = ["rsc", "with-rsc", "first", "then"].into_iter().filter_map(|side| constraint.attr(side));
        let sets = constraint.elements_named("resource_set");
        let members = sets.flat_map(|set| set.elements_named("resource_ref")).filter_map(Element::id);
        for resource in named.chain(members).filter(|id| !exists(id)) {
            found.push(at(constraint, format!("there is no resource {resource}")));
        }
    }
}

fn unknown_node(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.cluster.nodes.is_empty() {
        return;
    }
    for constraint in facts.constraints("rsc_location") {
        let Some(node) = constraint.attr("node") else { continue };
        if facts.cluster.node_named(node).is_none() {
            found.push(at(constraint, format!("{}: there is no node {node}", name(constraint))));
        }
    }
}

fn dead_tag(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for tag in facts.section("tags").into_iter().flat_map(|tags| tags.elements_named("tag")) {
        for id in tag.elements_named("obj_ref").filter_map(Element::id) {
            if !facts.by_id.contains_key(id) {
                found.push(at(tag, format!("tag {} names {id}, which does not exist", name(tag))));
            }
        }
    }
}
