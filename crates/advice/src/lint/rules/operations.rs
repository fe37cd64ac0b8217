// SPDX-License-Identifier: GPL-2.0-or-later
//! Operations: monitors that are missing or cannot work, and traps of on-fail.

use crate::lint::facts::{Facts, Operation, at, ms, name};
use crate::lint::{Found, Rule, Severity};
use std::collections::BTreeMap;
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL020",
        name: "no-monitor",
        severity: Severity::Warning,
        consequence: "a failure of the service is never noticed, so nothing is recovered",
        remedy: "add a monitor operation with an interval",
        check: no_monitor,
    },
    Rule {
        id: "SL021",
        name: "duplicate-monitor",
        severity: Severity::Danger,
        consequence: "operations of the same name and interval overwrite each other: one of them is not run",
        remedy: "give each monitor an interval of its own (for roles: 10 s and 11 s, say)",
        check: duplicate_monitor,
    },
    Rule {
        id: "SL022",
        name: "timeout-exceeds-interval",
        severity: Severity::Notice,
        consequence: "checks that hang follow each other without a pause, and a failure is noticed late",
        remedy: "make the interval at least as long as the timeout",
        check: timeout_exceeds_interval,
    },
    Rule {
        id: "SL023",
        name: "timeout-too-short",
        severity: Severity::Warning,
        consequence: "the operation is taken to have failed before it can have finished; for a stop that means fencing",
        remedy: "raise the timeout to what the agent's meta-data advises, or at least to some seconds",
        check: timeout_too_short,
    },
    Rule {
        id: "SL024",
        name: "failed-stop-ignored",
        severity: Severity::Danger,
        consequence: "what could not be stopped is started elsewhere while it may still run: two writers on one disk",
        remedy: "use on-fail=fence for stop operations (the default where fencing is enabled)",
        check: failed_stop_ignored,
    },
    Rule {
        id: "SL025",
        name: "failed-stop-blocks",
        severity: Severity::Warning,
        consequence: "after a failed stop the resource is left as it is until somebody looks, though fencing could recover it",
        remedy: "use on-fail=fence for stop operations",
        check: failed_stop_blocks,
    },
    Rule {
        id: "SL026",
        name: "on-fail-fence-without-fencing",
        severity: Severity::Danger,
        consequence: "on-fail=fence cannot be done, so the failure is answered by stopping the resource instead",
        remedy: "enable fencing, or use another on-fail",
        check: fence_without_fencing,
    },
    Rule {
        id: "SL027",
        name: "threshold-without-timeout",
        severity: Severity::Notice,
        consequence: "failures count for ever: after enough of them, years apart, the node is banned until somebody cleans up",
        remedy: "set failure-timeout, or clean up after failures",
        check: threshold_without_timeout,
    },
    Rule {
        id: "SL028",
        name: "failure-ignored",
        severity: Severity::Notice,
        consequence: "the cluster notices the failure and does nothing",
        remedy: "remove on-fail=ignore, unless the check is for display only",
        check: failure_ignored,
    },
];

fn interval(op: &Element) -> i64 {
    ms(op.attr("interval")).unwrap_or(0)
}

fn is_monitor(operation: &Operation<'_>) -> bool {
    operation.xml.attr("name") == Some("monitor") && interval(operation.xml) > 0
}

fn no_monitor(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for primitive in facts.primitives().filter(|primitive| facts.class(primitive) != "stonith") {
        if !facts.operations(primitive).iter().any(is_monitor) {
            found.push(at(primitive, format!("{} has no recurring monitor", name(primitive))));
        }
    }
}

fn duplicate_monitor(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for primitive in facts.primitives() {
        let mut seen: BTreeMap<(&str, i64), &Element> = BTreeMap::new();
        for operation in facts.operations(primitive).iter().filter(|operation| interval(operation.xml) > 0) {
            let key = (operation.xml.attr("name").unwrap_or_default(), interval(operation.xml));
            if let Some(other) = seen.insert(key, operation.xml) {
                let text = format!(
                    "{}: {} and {} are both {} every {} s",
                    name(primitive),
                    name(other),
                    name(operation.xml),
                    key.0,
                    key.1 / 1000
                );
                found.push(at(operation.xml, text));
            }
        }
    }
}

fn timeout_exceeds_interval(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for operation in facts.all_operations().iter().filter(|operation| is_monitor(operation)) {
        let Some(timeout) = ms(operation.xml.attr("timeout")) else { continue };
        if timeout > interval(operation.xml) {
            let text = format!(
                "{}: monitor every {} s may take {} s",
                name(operation.resource),
                interval(operation.xml) / 1000,
                timeout / 1000
            );
            found.push(at(operation.xml, text));
        }
    }
}

/// Nothing that talks to a service is sure to be done within less.
const SECONDS_MIN: i64 = 3;

fn timeout_too_short(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for operation in facts.all_operations() {
        let Some(task) = operation.xml.attr("name") else { continue };
        let Some(timeout) = ms(operation.xml.attr("timeout")).filter(|&timeout| timeout > 0) else {
            continue;
        };
        if matches!(task, "start" | "stop" | "promote" | "demote" | "monitor") && timeout < SECONDS_MIN * 1000
        {
            let text = format!("{}: {task} has only {timeout} ms", name(operation.resource));
            found.push(at(operation.xml, text));
        }
    }
}

fn with_on_fail<'a>(facts: &Facts<'a>, word: &str) -> Vec<Operation<'a>> {
    let mut operations = facts.all_operations();
    operations.retain(|operation| {
        operation.xml.attr("on-fail").is_some_and(|given| given.eq_ignore_ascii_case(word))
    });
    operations
}

fn failed_stop_ignored(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for operation in with_on_fail(facts, "ignore") {
        if operation.xml.attr("name") == Some("stop") {
            found.push(at(operation.xml, format!("{}: stop with on-fail=ignore", name(operation.resource))));
        }
    }
}

fn failed_stop_blocks(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for operation in with_on_fail(facts, "block") {
        if operation.xml.attr("name") == Some("stop") && facts.is_fencing_enabled() {
            found.push(at(operation.xml, format!("{}: stop with on-fail=block", name(operation.resource))));
        }
    }
}

fn fence_without_fencing(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.is_fencing_enabled() {
        return;
    }
    for operation in with_on_fail(facts, "fence") {
        let task = operation.xml.attr("name").unwrap_or_default();
        let text = format!("{}: {task} with on-fail=fence, and fencing is off", name(operation.resource));
        found.push(at(operation.xml, text));
    }
}

fn failure_ignored(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for operation in with_on_fail(facts, "ignore") {
        let task = operation.xml.attr("name").unwrap_or_default();
        if task != "stop" {
            found
                .push(at(operation.xml, format!("{}: {task} with on-fail=ignore", name(operation.resource))));
        }
    }
}

/// Where a meta-attribute of resources is set: each resource that has it, and the defaults.
fn holders<'a>(facts: &Facts<'a>, meta: &str) -> Vec<&'a Element> {
    let defaults = facts.section("rsc_defaults").into_iter().flat_map(Element::elements);
    let own = facts.resources().flat_map(|resource| resource.elements_named("meta_attributes"));
    let sets = defaults.chain(own);
    sets.flat_map(Element::elements).filter(|pair| pair.attr("name") == Some(meta)).collect()
}

fn threshold_without_timeout(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if !holders(facts, "failure-timeout").is_empty() {
        return;
    }
    let finite = |pair: &&Element| {
        pair.attr("value").is_some_and(|v| v.parse::<u32>().is_ok_and(|n| n > 0 && n < 1_000_000))
    };
    if let Some(pair) = holders(facts, "migration-threshold").into_iter().find(finite) {
        let value = pair.attr("value").unwrap_or_default();
        found.push(at(pair, format!("migration-threshold is {value}, and there is no failure-timeout")));
    }
}
