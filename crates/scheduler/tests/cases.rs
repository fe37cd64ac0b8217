//! Small cases, each a folder with a `cib.xml` and what has to come of it in `expected`.
//!
//! `BLESS=1 cargo test -p scheduler --test cases` writes what comes of them; read the difference before committing it.
// SPDX-License-Identifier: GPL-2.0-or-later
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use scheduler::{Cluster, ConfigIssue, Options, Schedule};
use std::fmt::Write as _;
use std::path::PathBuf;
use xml::{Element, Node};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(name: &str) -> Element {
    let text = std::fs::read_to_string(folder().join(name).join("cib.xml")).unwrap();
    xml::parse(&text).unwrap()
}

fn plan(cib: &Element) -> (Cluster, Vec<ConfigIssue>, Schedule) {
    let now = cib.attr("execution-date").and_then(|date| date.parse().ok()).unwrap_or(1_000_000);
    let (cluster, issues) = scheduler::unpack(cib, model::WallTime::from_secs(now));
    let schedule = scheduler::schedule(&cluster, &Options::default());
    (cluster, issues, schedule)
}

/// Issues, placements, and the graph, a line each.
fn describe(cluster: &Cluster, issues: &[ConfigIssue], schedule: &Schedule) -> String {
    let mut out = String::new();
    for issue in issues {
        writeln!(out, "issue {issue}").unwrap();
    }
    for (resource, placement) in cluster.resources.iter().zip(&schedule.placements) {
        let node = placement.assigned.map_or("-", |node| &cluster.node(node).name);
        writeln!(
            out,
            "place {} {} {} -> {node}",
            resource.id, resource.state.role, placement.state.next_role
        )
        .unwrap();
    }
    for synapse in &schedule.graph.synapses {
        for action in &synapse.actions {
            let id = &action.identity;
            let node = id.node.as_ref().map_or("", |node| node.name.as_str());
            write!(out, "{} {} {} {node}", id.kind.as_str(), id.id, id.operation_key).unwrap();
            let planned = schedule.actions.get(id.id as usize - 1).unwrap();
            if let Some(reason) = &planned.reason {
                write!(out, " due to {reason}").unwrap();
            }
        }
        let inputs: Vec<String> = synapse.inputs.iter().map(|input| input.id.to_string()).collect();
        writeln!(out, " after [{}]", inputs.join(" ")).unwrap();
    }
    out
}

#[test]
fn every_case_comes_out_as_expected() {
    let names = names();
    assert!(!names.is_empty());
    for name in names {
        let (cluster, issues, schedule) = plan(&read(&name));
        let ours = describe(&cluster, &issues, &schedule);
        let path = folder().join(&name).join("expected");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &ours).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert_eq!(ours, expected, "{name}");
    }
}

#[test]
fn same_input_same_bytes() {
    for name in names() {
        let text = || {
            let (cluster, _, schedule) = plan(&read(&name));
            let dot = schedule.to_dot(&cluster, true, true).to_string();
            xml::write_indented(&schedule.graph.to_xml()) + &dot
        };
        assert_eq!(text(), text(), "{name}");
    }
}

/// A generator of numbers that are always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

const ODD_VALUES: [&str; 14] = [
    "",
    "-1",
    "99999999999999999999",
    "INFINITY",
    "-INFINITY",
    "true",
    "false",
    "n1",
    "web",
    "g",
    "stop",
    "P1Y",
    "ä:0",
    "web_start_0",
];

/// Changes something somewhere: an attribute's value, a missing attribute, a missing or doubled element.
fn damage(element: &mut Element, numbers: &mut Numbers) {
    let children = element.children().len();
    if children > 0 && numbers.next(4) > 0 {
        let index = numbers.next(children);
        match numbers.next(12) {
            0 => {
                element.children_mut().remove(index);
            }
            1 => {
                let copy: Node = element.children()[index].clone();
                element.children_mut().push(copy);
            }
            _ => {
                if let Some(child) = element.element_at_mut(index) {
                    damage(child, numbers);
                }
            }
        }
        return;
    }
    let attributes = element.attributes().len();
    if attributes > 0 {
        let name = element.attributes()[numbers.next(attributes)].name().clone();
        if numbers.next(3) == 0 {
            element.remove_attr(&name);
        } else {
            element.set_attr(name, ODD_VALUES[numbers.next(ODD_VALUES.len())]);
        }
    }
}

#[test]
fn no_cib_makes_it_panic() {
    let mut numbers = Numbers(1);
    for name in names() {
        let cib = read(&name);
        for _ in 0..300 {
            let mut damaged = cib.clone();
            for _ in 0..=numbers.next(6) {
                damage(&mut damaged, &mut numbers);
            }
            let (cluster, _, schedule) = plan(&damaged);
            assert_eq!(schedule.placements.len(), cluster.resources.len());
            schedule.to_dot(&cluster, true, true);
            let _ = schedule.graph.to_xml().to_string();
        }
    }
}

/// A chain in which everything depends on the one before it.
fn chain(length: usize) -> Element {
    let mut cib = read("first-start");
    let Some(configuration) = cib.child_mut("configuration") else {
        unreachable!("a CIB has a configuration")
    };
    let resources = configuration.child_or_insert("resources");
    for index in 0..length {
        let primitive = Element::new("primitive").with_attr("id", format!("r{index}"));
        let agent = [("class", "ocf"), ("provider", "pacemaker"), ("type", "Dummy")];
        resources
            .push(agent.iter().fold(primitive, |element, &(name, value)| element.with_attr(name, value)));
    }
    let constraints = configuration.child_or_insert("constraints");
    for index in 1..length {
        let (this, last) = (format!("r{index}"), format!("r{}", index - 1));
        let with = Element::new("rsc_colocation")
            .with_attr("id", format!("c{index}"))
            .with_attr("score", "INFINITY");
        constraints.push(with.with_attr("rsc", &this).with_attr("with-rsc", &last));
        let order = Element::new("rsc_order").with_attr("id", format!("o{index}"));
        constraints.push(order.with_attr("first", &last).with_attr("then", &this));
    }
    cib
}

#[test]
fn long_chains_need_no_deep_stack() {
    let length = 1_000;
    let (cluster, _, schedule) = plan(&chain(length));
    let nodes: Vec<_> = schedule.placements.iter().skip(1).map(|placement| placement.assigned).collect();
    assert_eq!(cluster.resources.len(), length + 1);
    assert!(nodes.iter().all(|node| node.is_some() && *node == nodes[0]));
}
