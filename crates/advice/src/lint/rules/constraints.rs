// SPDX-License-Identifier: GPL-2.0-or-later
//! Constraints that contradict each other, say a thing twice, or say half of what was meant.

use crate::lint::facts::{Facts, at, name, overall};
use crate::lint::{Found, Rule, Severity};
use model::Score;
use scheduler::Variant;
use std::collections::{BTreeMap, BTreeSet};
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL050",
        name: "group-members-colocated",
        severity: Severity::Warning,
        consequence: "members of a group are together and in order already; a second constraint can only contradict that",
        remedy: "remove the constraint",
        check: members_constrained,
    },
    Rule {
        id: "SL051",
        name: "colocated-not-ordered",
        severity: Severity::Notice,
        consequence: "both start at the same time: what needs the other may start before it is there, and fail",
        remedy: "add an order constraint, if one of them needs the other",
        check: not_ordered,
    },
    Rule {
        id: "SL052",
        name: "ordered-not-colocated",
        severity: Severity::Notice,
        consequence: "the two may run on different nodes",
        remedy: "add a colocation constraint, if one of them needs the other on its node",
        check: not_colocated,
    },
    Rule {
        id: "SL053",
        name: "contradicting-colocations",
        severity: Severity::Danger,
        consequence: "they cannot be together and apart: one of them will not run",
        remedy: "remove one of the constraints",
        check: contradicting,
    },
    Rule {
        id: "SL054",
        name: "order-loop",
        severity: Severity::Danger,
        consequence: "each waits for the next: the cluster has to break the loop somewhere, or none of them starts",
        remedy: "remove one of the constraints",
        check: order_loop,
    },
    Rule {
        id: "SL055",
        name: "ticket-without-loss-policy",
        severity: Severity::Notice,
        consequence: "when the ticket is lost resources are stopped in good order, which can take longer than the other site waits",
        remedy: "say what is to be done: loss-policy=fence, stop, demote or freeze",
        check: no_loss_policy,
    },
    Rule {
        id: "SL056",
        name: "rule-never-matches",
        severity: Severity::Warning,
        consequence: "the constraint does nothing",
        remedy: "check the names and values of attributes in the rule ('crm_mon --include=attributes' shows those of nodes)",
        check: never_matches,
    },
    Rule {
        id: "SL057",
        name: "no-room",
        severity: Severity::Warning,
        consequence: "the resource can run nowhere: no node has as much as it needs",
        remedy: "set the utilization attributes of nodes, or lower those of the resource",
        check: no_room,
    },
    Rule {
        id: "SL058",
        name: "utilization-unused",
        severity: Severity::Notice,
        consequence: "utilization is not looked at: nodes may be overloaded",
        remedy: "set placement-strategy to utilization, minimal or balanced",
        check: utilization_unused,
    },
    Rule {
        id: "SL059",
        name: "banned-everywhere",
        severity: Severity::Warning,
        consequence: "the resource can run nowhere",
        remedy: "remove or lower some of the location constraints with -INFINITY",
        check: banned_everywhere,
    },
];

fn score(element: &Element) -> Option<i32> {
    element.attr("score")?.parse::<Score>().ok().map(Score::value)
}

fn members_constrained(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let group_of = |id: &str| {
        facts.parents.get(id).copied().filter(|parent| parent.name() == "group").and_then(Element::id)
    };
    let colocations = facts.pairs("rsc_colocation", "rsc", "with-rsc");
    let orders = facts.pairs("rsc_order", "first", "then");
    for (a, b, element) in colocations.into_iter().chain(orders) {
        if let (Some(group), Some(other)) = (group_of(a), group_of(b))
            && group == other
        {
            found.push(at(element, format!("{a} and {b} are both in group {group}")));
        }
    }
}

/// The pairs of top resources that something orders, either way.
fn ordered_pairs<'a>(facts: &Facts<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let mut pairs = BTreeSet::new();
    for (first, then, _) in facts.pairs("rsc_order", "first", "then") {
        let (first, then) = (facts.top(first), facts.top(then));
        pairs.extend([(first, then), (then, first)]);
    }
    pairs.extend(set_pairs(facts, "rsc_order"));
    pairs
}

/// The pairs of top resources in sets of one constraint.
fn set_pairs<'a>(facts: &Facts<'a>, constraint: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    for element in facts.constraints(constraint) {
        let sets = element.elements_named("resource_set");
        let members: Vec<&str> = sets
            .flat_map(|set| set.elements_named("resource_ref"))
            .filter_map(Element::id)
            .take(100)
            .map(|id| facts.top(id))
            .collect();
        pairs.extend(members.iter().flat_map(|&a| members.iter().map(move |&b| (a, b))));
    }
    pairs
}

fn colocated_pairs<'a>(facts: &Facts<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let mut pairs = BTreeSet::new();
    for (a, b, _) in facts.pairs("rsc_colocation", "rsc", "with-rsc") {
        let (a, b) = (facts.top(a), facts.top(b));
        pairs.extend([(a, b), (b, a)]);
    }
    pairs.extend(set_pairs(facts, "rsc_colocation"));
    pairs
}

fn not_ordered(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let ordered = ordered_pairs(facts);
    for (dependent, primary, element) in facts.pairs("rsc_colocation", "rsc", "with-rsc") {
        let (a, b) = (facts.top(dependent), facts.top(primary));
        if score(element) == Some(Score::INFINITY.value()) && a != b && !ordered.contains(&(a, b)) {
            found.push(at(element, format!("{dependent} is kept with {primary}, and no order is given")));
        }
    }
}

fn not_colocated(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let colocated = colocated_pairs(facts);
    for (first, then, element) in facts.pairs("rsc_order", "first", "then") {
        let (a, b) = (facts.top(first), facts.top(then));
        let mandatory =
            element.attr("kind").is_none_or(|kind| kind == "Mandatory") && score(element) != Some(0);
        // Clones are on many nodes, so those that follow them are near one anyway.
        let single = |id: &str| matches!(facts.variant(id), Some(Variant::Primitive | Variant::Group));
        if mandatory && a != b && single(a) && single(b) && !colocated.contains(&(a, b)) {
            found.push(at(element, format!("{then} starts after {first}, wherever that runs")));
        }
    }
}

fn contradicting(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let mut together: BTreeMap<(&str, &str), &Element> = BTreeMap::new();
    let pairs = facts.pairs("rsc_colocation", "rsc", "with-rsc");
    let plain = |element: &Element| {
        element.attr("rsc-role").is_none()
            && element.attr("with-rsc-role").is_none()
            && element.attr("node-attribute").is_none()
    };
    let infinite = |element: &Element, value: i32| score(element) == Some(value) && plain(element);
    for (a, b, element) in &pairs {
        if infinite(element, Score::INFINITY.value()) {
            together.insert((a, b), element);
            together.insert((b, a), element);
        }
    }
    for (a, b, element) in &pairs {
        if infinite(element, Score::MINUS_INFINITY.value())
            && let Some(other) = together.get(&(*a, *b))
        {
            let text = format!("{} keeps {a} and {b} apart, {} together", name(element), name(other));
            found.push(at(element, text));
        }
    }
}

/// Starts that wait for each other in a circle, each circle once. Only plain constraints are looked at.
fn order_loop(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let mut next: BTreeMap<&str, Vec<(&str, &Element)>> = BTreeMap::new();
    for (first, then, element) in facts.pairs("rsc_order", "first", "then") {
        let starts = |action: &str| element.attr(action).is_none_or(|action| action == "start");
        let mandatory =
            element.attr("kind").is_none_or(|kind| kind == "Mandatory") && score(element) != Some(0);
        if mandatory && starts("first-action") && starts("then-action") {
            next.entry(first).or_default().push((then, element));
        }
    }
    // Done ones lead to no circle that was not told.
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for &start in next.keys() {
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((at_id, index)) = path.last().copied() {
            let step = next.get(at_id).and_then(|steps| steps.get(index)).copied();
            if let Some(last) = path.last_mut() {
                last.1 += 1;
            }
            match step {
                None => {
                    done.insert(at_id);
                    path.pop();
                }
                Some((then, element)) => {
                    if let Some(from) = path.iter().position(|(id, _)| *id == then) {
                        let circle: Vec<&str> = path.iter().skip(from).map(|(id, _)| *id).collect();
                        found.push(at(element, format!("{} -> {then}", circle.join(" -> "))));
                    } else if !done.contains(then) {
                        path.push((then, 0));
                    }
                }
            }
        }
    }
}

fn no_loss_policy(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for constraint in facts.constraints("rsc_ticket").filter(|element| element.attr("loss-policy").is_none())
    {
        let ticket = constraint.attr("ticket").unwrap_or_default();
        found.push(at(constraint, format!("no loss-policy for ticket {ticket}")));
    }
}

fn never_matches(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let mut matched: BTreeMap<&str, bool> = BTreeMap::new();
    for location in &facts.cluster.locations {
        if let Some(constraint) = location.constraint.as_deref() {
            *matched.entry(constraint).or_default() |= !location.nodes.is_empty();
        }
    }
    for constraint in facts.constraints("rsc_location") {
        let Some(rule) = constraint.child("rule") else { continue };
        if is_hopeless(facts, rule) && constraint.id().and_then(|id| matched.get(id)) == Some(&false) {
            found.push(at(rule, format!("no node can match the rule of {}", name(constraint))));
        }
    }
}

/// Whether a rule asks for what no node has at all, not only not now: an attribute that nobody sets, or a node that is none.
/// Rules within rules are not looked into.
fn is_hopeless(facts: &Facts<'_>, rule: &Element) -> bool {
    let hopeless = |part: &Element| {
        let operation = part.attr("operation").unwrap_or_default();
        let Some(attribute) = part.attr("attribute").filter(|_| part.name() == "expression") else {
            return false;
        };
        if attribute == "#uname" {
            let value = part.attr("value").unwrap_or_default();
            return operation == "eq" && facts.cluster.node_named(value).is_none();
        }
        // What is not there is not equal, and is not defined.
        let matches_nothing = matches!(operation, "not_defined" | "ne");
        !matches_nothing && !facts.cluster.nodes.iter().any(|node| node.attributes.contains_key(attribute))
    };
    let mut parts = rule.elements();
    match rule.attr("boolean-op").is_some_and(|op| op.eq_ignore_ascii_case("or")) {
        true => parts.all(hopeless),
        false => parts.any(hopeless),
    }
}

fn amount(text: &str) -> i64 {
    model::lenient::integer(text).unwrap_or(0)
}

fn no_room(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.cluster.options.placement == scheduler::PlacementStrategy::Default {
        return;
    }
    for primitive in facts.primitives() {
        let id = name(primitive);
        let instance =
            facts.cluster.resource_named(id).or_else(|| facts.cluster.resource_named(&format!("{id}:0")));
        let Some(resource) = instance.map(|id| facts.cluster.resource(id)) else { continue };
        let fits = |node: &scheduler::Node| {
            resource.utilization.iter().all(|(name, needed)| {
                node.utilization.get(name).map_or(0, |has| amount(has)) >= amount(needed)
            })
        };
        if !resource.utilization.is_empty()
            && !facts.cluster.nodes.is_empty()
            && !facts.cluster.nodes.iter().any(fits)
        {
            let needs: Vec<String> =
                resource.utilization.iter().map(|(name, value)| format!("{name}={value}")).collect();
            found.push(at(primitive, format!("{id} needs {}, and no node has that", needs.join(" "))));
        }
    }
}

fn utilization_unused(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.cluster.options.placement != scheduler::PlacementStrategy::Default {
        return;
    }
    let uses = facts.primitives().filter(|primitive| primitive.child("utilization").is_some()).count();
    if uses > 0 {
        found.push(overall(
            "crm_config",
            format!("{uses} resources say what they take, and placement-strategy is default"),
        ));
    }
}

fn banned_everywhere(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let mut banned: BTreeMap<scheduler::ResourceId, BTreeSet<scheduler::NodeId>> = BTreeMap::new();
    for location in facts.cluster.locations.iter().filter(|location| location.constraint.is_some()) {
        if location.role != model::Role::Unknown {
            continue;
        }
        for (node, score) in &location.nodes {
            if *score == Score::MINUS_INFINITY {
                banned.entry(location.resource).or_default().insert(*node);
            }
        }
    }
    let bundled = |node: &scheduler::Node| {
        node.state.score == Score::MINUS_INFINITY && node.kind == scheduler::NodeKind::Guest
    };
    let all = facts.cluster.nodes.iter().filter(|node| !bundled(node)).count();
    for (resource, nodes) in banned {
        let id = &facts.cluster.resource(resource).id;
        if let Some(element) = facts.by_id.get(&**id)
            && nodes.len() >= all
            && all > 0
        {
            found.push(at(element, format!("{id} is banned from all {all} nodes by location constraints")));
        }
    }
}
