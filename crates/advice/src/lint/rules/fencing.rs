// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencing: whether every node can be fenced, and both at once not.

use crate::lint::facts::{Facts, at, is_true, ms, name, overall};
use crate::lint::{Found, Rule, Severity};
use std::collections::BTreeSet;
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL001",
        name: "fencing-disabled",
        severity: Severity::Danger,
        consequence: "a node that is lost may still run what is started elsewhere: two writers on one disk corrupt it",
        remedy: "configure a fence device for every node, then set fencing-enabled=true",
        check: disabled,
    },
    Rule {
        id: "SL002",
        name: "no-fence-device",
        severity: Severity::Danger,
        consequence: "fencing is required but cannot be done: after a node is lost nothing it may run is recovered",
        remedy: "configure a fence device (class stonith) for every node",
        check: no_device,
    },
    Rule {
        id: "SL003",
        name: "node-without-fence-device",
        severity: Severity::Danger,
        consequence: "when this node is lost it cannot be fenced, and nothing it may run is recovered",
        remedy: "add the node to pcmk_host_list or pcmk_host_map of a device that can reach it, or configure one more device",
        check: node_without_device,
    },
    Rule {
        id: "SL004",
        name: "fence-targets-unknown",
        severity: Severity::Notice,
        consequence: "which nodes the device can fence is only known when it is asked, which may be too late",
        remedy: "set pcmk_host_list or pcmk_host_map, and test with 'stonith_admin --list NODE'",
        check: targets_unknown,
    },
    Rule {
        id: "SL005",
        name: "two-nodes-without-delay",
        severity: Severity::Warning,
        consequence: "when the two nodes lose sight of each other, each fences the other at the same moment, and both go down",
        remedy: "set priority-fencing-delay (with priorities of resources), or different values of pcmk_delay_base for the two nodes",
        check: symmetric_delays,
    },
    Rule {
        id: "SL006",
        name: "fence-device-without-monitor",
        severity: Severity::Warning,
        consequence: "that the device does not answer any more is only noticed when it is needed",
        remedy: "add a monitor operation, for instance every 60 s or more",
        check: unmonitored_device,
    },
    Rule {
        id: "SL007",
        name: "fencing-level-dead-reference",
        severity: Severity::Danger,
        consequence: "the level cannot be used, so fencing of its target may fail",
        remedy: "name devices and nodes that exist in fencing-level, or remove the level",
        check: dead_levels,
    },
    Rule {
        id: "SL008",
        name: "fencing-timeout-too-short",
        severity: Severity::Warning,
        consequence: "the cluster gives up fencing before the device can have finished",
        remedy: "raise fencing-timeout above the device's timeout with its delays",
        check: short_timeout,
    },
    Rule {
        id: "SL009",
        name: "startup-fencing-off",
        severity: Severity::Danger,
        consequence: "nodes that have not been seen since the cluster came up are taken to run nothing, though they may",
        remedy: "remove startup-fencing=false",
        check: no_startup_fencing,
    },
];

fn disabled(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.is_fencing_enabled() {
        return;
    }
    if let Some(pair) = facts.property("fencing-enabled") {
        found.push(at(pair, "fencing is switched off"));
    }
}

fn has_watchdog(facts: &Facts<'_>) -> bool {
    let timeout = facts.property_value("fencing-watchdog-timeout");
    facts.cluster.options.have_watchdog && ms(timeout).is_some_and(|ms| ms != 0)
}

fn no_device(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.is_fencing_enabled()
        && facts.devices().next().is_none()
        && !has_watchdog(facts)
        && facts.primitives().next().is_some()
    {
        found.push(overall("resources", "there is no fence device"));
    }
}

/// The nodes a device says it can fence; none if it does not say.
fn targets<'a>(facts: &Facts<'a>, device: &'a Element) -> Option<BTreeSet<String>> {
    let mut targets = BTreeSet::new();
    let list = facts.parameter(device, "pcmk_host_list");
    let map = facts.parameter(device, "pcmk_host_map");
    let check = facts.parameter(device, "pcmk_host_check");
    if check == Some("none") {
        return Some(facts.node_names().into_iter().map(str::to_owned).collect());
    }
    if check.is_some_and(|check| check != "static-list") || list.or(map).is_none() {
        return None;
    }
    let separator = |c: char| c.is_whitespace() || c == ',' || c == ';';
    let words = list.into_iter().flat_map(|list| list.split(separator));
    targets.extend(words.filter(|word| !word.is_empty()).map(str::to_lowercase));
    for pair in map.into_iter().flat_map(|map| map.split(separator)) {
        targets.extend(pair.split([':', '=']).next().filter(|node| !node.is_empty()).map(str::to_lowercase));
    }
    Some(targets)
}

fn node_without_device(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let devices: Vec<_> = facts.devices().map(|device| targets(facts, device)).collect();
    // One that does not say may be able to.
    if !facts.is_fencing_enabled() || devices.is_empty() || devices.contains(&None) || has_watchdog(facts) {
        return;
    }
    for node in facts.node_names() {
        if !devices.iter().flatten().any(|targets| targets.contains(&node.to_lowercase())) {
            found.push(Found {
                element: "node".to_owned(),
                id: Some(node.to_owned()),
                text: format!("no fence device has {node} among its targets"),
            });
        }
    }
}

fn targets_unknown(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for device in facts.devices().filter(|device| targets(facts, device).is_none()) {
        found.push(at(device, format!("{} does not say which nodes it can fence", name(device))));
    }
}

fn symmetric_delays(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let devices: Vec<&Element> = facts.devices().collect();
    let two = facts.node_names().len() == 2;
    if !two || !facts.is_fencing_enabled() || devices.is_empty() {
        return;
    }
    if facts.cluster.options.priority_fencing_delay_ms > 0 {
        return;
    }
    let delay = |device: &&Element, parameter: &str| {
        facts.devices().find(|other| other == device).and_then(|device| facts.parameter(device, parameter))
    };
    let is_set = |value: Option<&str>| {
        value.is_some_and(|value| value.contains(':') || ms(Some(value)).is_some_and(|ms| ms > 0))
    };
    let random = devices.iter().any(|device| is_set(delay(device, "pcmk_delay_max")));
    let bases: BTreeSet<Option<&str>> =
        devices.iter().map(|device| delay(device, "pcmk_delay_base")).collect();
    let any_base = devices.iter().any(|device| is_set(delay(device, "pcmk_delay_base")));
    let by_node = bases.iter().flatten().any(|base| base.contains(':'));
    if random || by_node || any_base && bases.len() > 1 {
        return;
    }
    // Equal delays, or one device with one delay for both.
    if let Some(device) = devices.first() {
        let what = if any_base { "the same delay for both nodes" } else { "no delay for either node" };
        found.push(at(device, format!("two nodes, and {what}")));
    }
}

fn unmonitored_device(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for device in facts.devices() {
        let monitored = facts.operations(device).iter().any(|operation| {
            operation.xml.attr("name") == Some("monitor")
                && ms(operation.xml.attr("interval")).is_some_and(|ms| ms > 0)
        });
        if !monitored {
            found.push(at(device, format!("{} is never checked", name(device))));
        }
    }
}

fn dead_levels(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let Some(topology) = facts.section("fencing-topology") else { return };
    let devices: BTreeSet<&str> = facts.devices().filter_map(Element::id).collect();
    for level in topology.elements_named("fencing-level") {
        let names = level.attr("devices").unwrap_or_default().split(',').map(str::trim);
        for device in names.filter(|device| !device.is_empty() && *device != "watchdog") {
            if !devices.contains(device) {
                found.push(at(level, format!("there is no fence device {device}")));
            }
        }
        if let Some(target) = level.attr("target")
            && facts.cluster.node_named(target).is_none()
        {
            found.push(at(level, format!("there is no node {target}")));
        }
    }
}

fn short_timeout(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let whole = ms(facts.property_value("fencing-timeout")).unwrap_or(60_000);
    for device in facts.devices() {
        let parameter = |name: &str| facts.parameter(device, name);
        let delay = |name: &str| ms(parameter(name).filter(|value| !value.contains(':'))).unwrap_or(0);
        let delays = delay("pcmk_delay_max").max(delay("pcmk_delay_base"));
        for action in ["reboot", "off"] {
            let parameter_name = format!("pcmk_{action}_timeout");
            let Some(own) = ms(parameter(&parameter_name)) else { continue };
            if own.saturating_add(delays) > whole {
                let text = format!(
                    "{}: {parameter_name} is {} s{}, and fencing-timeout is {} s",
                    name(device),
                    own / 1000,
                    if delays > 0 {
                        format!(" after a delay of up to {} s", delays / 1000)
                    } else {
                        String::new()
                    },
                    whole / 1000
                );
                found.push(at(device, text));
                break;
            }
        }
    }
}

fn no_startup_fencing(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if let Some(pair) = facts.property("startup-fencing")
        && !is_true(pair.attr("value"))
    {
        found.push(at(pair, "nodes that are not seen at startup are not fenced"));
    }
}
