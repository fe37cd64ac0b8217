// SPDX-License-Identifier: GPL-2.0-or-later
//! What somebody once set for a while, and forgot.

use crate::lint::facts::{Facts, at, is_false, is_true, name};
use crate::lint::{Found, Rule, Severity};
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL030",
        name: "left-behind-constraint",
        severity: Severity::Warning,
        consequence: "it goes on keeping the resource from (or to) the node, also when that node is needed",
        remedy: "run 'crm_resource --clear --resource RESOURCE' once the reason for the move is gone",
        check: left_behind,
    },
    Rule {
        id: "SL031",
        name: "maintenance-mode",
        severity: Severity::Warning,
        consequence: "nothing is started, stopped or recovered anywhere",
        remedy: "set maintenance-mode=false when the work is done",
        check: maintenance_mode,
    },
    Rule {
        id: "SL032",
        name: "stop-all-resources",
        severity: Severity::Warning,
        consequence: "nothing runs",
        remedy: "set stop-all-resources=false when the work is done",
        check: stop_all,
    },
    Rule {
        id: "SL033",
        name: "unmanaged-resource",
        severity: Severity::Warning,
        consequence: "a failure of it is not recovered, and it does not move off a node that leaves",
        remedy: "remove is-managed=false (or maintenance=true) when the work is done",
        check: unmanaged,
    },
    Rule {
        id: "SL034",
        name: "stopped-resource",
        severity: Severity::Notice,
        consequence: "it does not run, and neither does what needs it",
        remedy: "run 'crm_resource --resource RESOURCE --meta --delete-parameter target-role' if it is to run",
        check: stopped,
    },
    Rule {
        id: "SL035",
        name: "node-out-of-service",
        severity: Severity::Notice,
        consequence: "the node takes nothing over; there is less room and less redundancy than it looks",
        remedy: "run 'crm_standby --node NODE --delete' (or end the node's maintenance) when the work is done",
        check: node_out,
    },
    Rule {
        id: "SL036",
        name: "expired-rule",
        severity: Severity::Notice,
        consequence: "the rule never applies again; it only makes the configuration harder to read",
        remedy: "remove it ('crm_resource --clear --expired' removes expired moves)",
        check: expired_rule,
    },
];

fn left_behind(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for constraint in facts.constraints("rsc_location") {
        if crate::explain::is_left_behind(name(constraint)) {
            let resource = constraint.attr("rsc").unwrap_or_default();
            found.push(at(constraint, format!("left behind by a move or ban of {resource}")));
        }
    }
}

fn maintenance_mode(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if let Some(pair) = facts.property("maintenance-mode").filter(|pair| is_true(pair.attr("value"))) {
        found.push(at(pair, "the whole cluster is in maintenance mode"));
    }
}

fn stop_all(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if let Some(pair) = facts.property("stop-all-resources").filter(|pair| is_true(pair.attr("value"))) {
        found.push(at(pair, "all resources are stopped"));
    }
}

/// The meta-attributes of a resource itself, of one name.
fn own_meta<'a>(resource: &'a Element, meta: &'a str) -> impl Iterator<Item = &'a Element> {
    let sets = resource.elements_named("meta_attributes");
    sets.flat_map(Element::elements).filter(move |pair| pair.attr("name") == Some(meta))
}

fn unmanaged(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for resource in facts.resources() {
        for pair in own_meta(resource, "is-managed").filter(|pair| is_false(pair.attr("value"))) {
            found.push(at(pair, format!("{} is not managed", name(resource))));
        }
        for pair in own_meta(resource, "maintenance").filter(|pair| is_true(pair.attr("value"))) {
            found.push(at(pair, format!("{} is in maintenance", name(resource))));
        }
    }
}

fn stopped(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for resource in facts.resources() {
        let is_stopped =
            |pair: &&Element| pair.attr("value").is_some_and(|v| v.eq_ignore_ascii_case("stopped"));
        for pair in own_meta(resource, "target-role").filter(is_stopped) {
            found.push(at(pair, format!("{} is told to be stopped", name(resource))));
        }
    }
}

fn node_out(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for node in facts.section("nodes").into_iter().flat_map(Element::elements) {
        for pair in node.elements_named("instance_attributes").flat_map(Element::elements) {
            let word = pair.attr("name").unwrap_or_default();
            if matches!(word, "standby" | "maintenance") && is_true(pair.attr("value")) {
                let node = node.attr("uname").unwrap_or_else(|| name(node));
                found.push(at(pair, format!("{node} is in {word}")));
            }
        }
    }
}

fn expired_rule(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let Some(configuration) = facts.cib.child("configuration") else { return };
    let now = rules::DateTime::from_epoch(facts.now.secs, 0);
    for rule in configuration.descendants().filter(|element| element.name() == "rule") {
        let conditions: Vec<&Element> = rule.elements().collect();
        let is_over = |condition: &&Element| {
            let bounded = matches!(condition.attr("operation"), Some("lt" | "in_range") | None);
            condition.name() == "date_expression"
                && bounded
                && condition
                    .attr("end")
                    .and_then(|end| rules::DateTime::parse(end, &now).ok())
                    .is_some_and(|end| end.epoch_s() <= facts.now.secs)
        };
        let any = rule.attr("boolean-op").is_some_and(|op| op.eq_ignore_ascii_case("or"));
        let over = if any { conditions.iter().all(is_over) } else { conditions.iter().any(is_over) };
        if over && !conditions.is_empty() {
            let end = conditions.iter().find(|c| is_over(c)).and_then(|c| c.attr("end")).unwrap_or_default();
            found.push(at(rule, format!("it ended on {end}")));
        }
    }
}
