// SPDX-License-Identifier: GPL-2.0-or-later
//! Clones and promotable clones.

use crate::lint::facts::{Facts, at, is_true, ms, name};
use crate::lint::{Found, Rule, Severity};
use model::Role;
use std::collections::BTreeSet;
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL040",
        name: "clone-not-interleaved",
        severity: Severity::Warning,
        consequence: "when one instance of what it follows starts or stops on any node, all its instances everywhere are restarted",
        remedy: "set interleave=true on the clone that follows",
        check: not_interleaved,
    },
    Rule {
        id: "SL041",
        name: "promotable-without-role-monitors",
        severity: Severity::Warning,
        consequence: "a failure in the role without a monitor is never noticed",
        remedy: "add one monitor with role=Promoted and one with role=Unpromoted, with different intervals",
        check: role_monitors,
    },
    Rule {
        id: "SL042",
        name: "anonymous-clone-crowded",
        severity: Severity::Warning,
        consequence: "instances that are all the same cannot be told apart on one node: only one runs there",
        remedy: "set clone-node-max=1, or globally-unique=true if the agent supports that",
        check: crowded,
    },
    Rule {
        id: "SL043",
        name: "clone-without-stickiness",
        severity: Severity::Notice,
        consequence: "instances are shuffled between nodes whenever anything changes",
        remedy: "leave resource-stickiness of clones unset (they get 1) or set it above zero",
        check: no_stickiness,
    },
    Rule {
        id: "SL044",
        name: "too-many-instances",
        severity: Severity::Notice,
        consequence: "some of the instances can never run",
        remedy: "lower clone-max, or leave it unset to get one on each node",
        check: too_many,
    },
    Rule {
        id: "SL045",
        name: "more-promoted-than-instances",
        severity: Severity::Notice,
        consequence: "fewer are promoted than promoted-max says",
        remedy: "lower promoted-max",
        check: too_many_promoted,
    },
];

fn is_clone(element: &Element) -> bool {
    matches!(element.name(), "clone" | "master")
}

fn is_promotable(facts: &Facts<'_>, clone: &Element) -> bool {
    clone.name() == "master"
        || is_true(facts.resources().find(|r| r.id() == clone.id()).and_then(|r| facts.meta(r, "promotable")))
}

/// The clone a resource is, or is in.
fn clone_of<'a>(facts: &Facts<'a>, id: &str) -> Option<&'a Element> {
    let own = facts.by_id.get(id).copied();
    own.into_iter().chain(facts.holders(id)).find(|element| is_clone(element))
}

fn not_interleaved(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let mut told = BTreeSet::new();
    let orders = facts.pairs("rsc_order", "then", "first");
    let optional = |element: &Element| {
        element.attr("kind").is_some_and(|kind| kind != "Mandatory") || element.attr("score") == Some("0")
    };
    for (then, first, order) in orders.into_iter().filter(|(_, _, order)| !optional(order)) {
        let (Some(follower), Some(leader)) = (clone_of(facts, then), clone_of(facts, first)) else {
            continue;
        };
        if follower.id() == leader.id() || is_true(facts.meta(follower, "interleave")) {
            continue;
        }
        if told.insert(name(follower)) {
            let text = format!(
                "{} follows {} ({}) and is not interleaved",
                name(follower),
                name(leader),
                name(order)
            );
            found.push(at(follower, text));
        }
    }
}

fn role_monitors(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for clone in facts.resources().filter(|resource| is_clone(resource) && is_promotable(facts, resource)) {
        let inner = clone.descendants().filter(|element| element.name() == "primitive");
        for primitive in inner {
            let (mut promoted, mut unpromoted, mut any) = (false, false, false);
            for operation in facts.operations(primitive) {
                let recurring = ms(operation.xml.attr("interval")).is_some_and(|ms| ms > 0);
                if operation.xml.attr("name") != Some("monitor") || !recurring {
                    continue;
                }
                any = true;
                match operation.xml.attr("role").map(str::parse::<Role>) {
                    Some(Ok(Role::Promoted)) => promoted = true,
                    _ => unpromoted = true,
                }
            }
            // Without any, another rule says so.
            if any && !(promoted && unpromoted) {
                let missing = if promoted { "unpromoted" } else { "promoted" };
                found.push(at(primitive, format!("{} is not monitored while {missing}", name(primitive))));
            }
        }
    }
}

fn number(facts: &Facts<'_>, clone: &Element, names: &[&str]) -> Option<usize> {
    let clone = facts.resources().find(|resource| resource.id() == clone.id())?;
    names.iter().find_map(|name| facts.meta(clone, name)?.parse().ok())
}

fn crowded(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for clone in facts.resources().filter(|resource| is_clone(resource)) {
        let Some(per_node) = number(facts, clone, &["clone-node-max"]).filter(|&count| count > 1) else {
            continue;
        };
        if !is_true(facts.meta(clone, "globally-unique")) {
            let text = format!("{} has clone-node-max={per_node} and is not globally unique", name(clone));
            found.push(at(clone, text));
        }
    }
}

fn no_stickiness(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for clone in facts.resources().filter(|resource| is_clone(resource)) {
        if let Some(pair) = facts.value(clone, "meta_attributes", "resource-stickiness")
            && pair.attr("value") == Some("0")
        {
            found.push(at(pair, format!("{} has resource-stickiness=0", name(clone))));
        }
    }
}

fn too_many(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let nodes = facts.cluster.nodes.len();
    for clone in facts.resources().filter(|resource| is_clone(resource)) {
        let Some(max) = number(facts, clone, &["clone-max"]) else { continue };
        let per_node = number(facts, clone, &["clone-node-max"]).unwrap_or(1);
        if nodes > 0 && max > nodes.saturating_mul(per_node) {
            let text = format!(
                "{} has clone-max={max}, and there are {nodes} nodes with room for {per_node} each",
                name(clone)
            );
            found.push(at(clone, text));
        }
    }
}

fn too_many_promoted(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for clone in facts.resources().filter(|resource| is_clone(resource) && is_promotable(facts, resource)) {
        let promoted = number(facts, clone, &["promoted-max", "master-max"]);
        let max = number(facts, clone, &["clone-max"]).unwrap_or(facts.cluster.nodes.len());
        if let Some(promoted) = promoted.filter(|&promoted| promoted > max) {
            found.push(at(clone, format!("{} has promoted-max={promoted} and {max} instances", name(clone))));
        }
    }
}
