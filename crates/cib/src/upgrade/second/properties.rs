// SPDX-License-Identifier: GPL-2.0-or-later
//! Cluster properties: which stay, and which become defaults of resources or operations.

use super::pairs::{Rest, sift};
use super::table::{CLUSTER_PROPERTIES, Place};
use super::{Notes, PREFIX, entry_for, has_rule, redefined, renamed};
use crate::upgrade::walk::with_children;
use std::collections::BTreeSet;
use xml::{Element, Node};

/// What stays of a set of properties; nothing if no pair does.
pub(super) fn stay(set: &Element, notes: &mut Notes<'_>) -> Option<Element> {
    let (content, any) = renamed(set, Rest::WithPairs, &CLUSTER_PROPERTIES, notes);
    any.then(|| with_children(set, content))
}

/// What moves to one section of defaults.
pub(super) struct Moved {
    section: &'static str,
    id: &'static str,
    pairs: Vec<Node>,
}

/// What moves to the defaults of operations and of resources: what was in sets without rule, unless the defaults have
/// it themselves.
pub(super) fn moved(configuration: &Element) -> [Moved; 2] {
    [
        moved_to(configuration, Place::OpDefaults, "op_defaults", "-op-defaults"),
        moved_to(configuration, Place::RscDefaults, "rsc_defaults", "-rsc-defaults"),
    ]
}

fn moved_to(configuration: &Element, to: Place, section: &'static str, id: &'static str) -> Moved {
    let sets = configuration
        .elements_named(section)
        .flat_map(|defaults| defaults.elements_named("meta_attributes").filter(|set| !has_rule(set)));
    let present: BTreeSet<&str> =
        sets.flat_map(|set| set.elements_named("nvpair")).filter_map(|pair| pair.attr("name")).collect();
    let sets = configuration
        .elements_named("crm_config")
        .flat_map(|section| section.elements_named("cluster_property_set"))
        .filter(|set| !has_rule(set));
    let pairs = sets.flat_map(|set| {
        sift(set, Rest::Goes, |pair| {
            let entry = entry_for(pair, &CLUSTER_PROPERTIES).filter(|entry| entry.to == Some(to))?;
            entry.with.filter(|with| !present.contains(with))?;
            Some(redefined(pair, entry))
        })
    });
    Moved { section, id, pairs: pairs.collect() }
}

/// The configuration with what moved: in the first set without rule of each section. A section without such a set has
/// no place for it; one that is not there is made.
pub(super) fn into_defaults(configuration: &Element, moved: [Moved; 2]) -> Element {
    if moved.iter().all(|moved| moved.pairs.is_empty()) {
        return configuration.clone();
    }
    let mut content: Vec<Node> = configuration.children().iter().cloned().collect();
    for Moved { section, id, pairs } in moved.into_iter().filter(|moved| !moved.pairs.is_empty()) {
        let mut found = false;
        for node in &mut content {
            if let Node::Element(defaults) = node
                && defaults.name() == section
            {
                found = true;
                *node = with_moved(defaults, &pairs).into();
            }
        }
        if !found {
            let set = Element::new("meta_attributes").with_attr("id", format!("{PREFIX}{id}"));
            content.push(Element::new(section).with_child(set.with_children(pairs)).into());
        }
    }
    configuration.without_children().with_children(content)
}

fn with_moved(defaults: &Element, pairs: &[Node]) -> Element {
    let mut first = true;
    let content = defaults.children().iter().map(|child| match child {
        Node::Element(set) if set.name() == "meta_attributes" && first && !has_rule(set) => {
            first = false;
            set.clone().with_children(pairs.iter().cloned()).into()
        }
        other => other.clone(),
    });
    let content = content.collect();
    with_children(defaults, content)
}
