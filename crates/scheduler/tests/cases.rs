// SPDX-License-Identifier: GPL-2.0-or-later
//! Small cases, each a folder with a `cib.xml` and what has to come of it in `expected`.
//!
//! `BLESS=1 cargo test -p scheduler --test cases` writes what comes of them; read the difference before committing it.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod damage;

use damage::{Numbers, damage};
use scheduler::{Cluster, ConfigIssue, Options, Schedule};
use std::fmt::Write as _;
use std::path::PathBuf;
use xml::Element;

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
    for issue in issues.iter().chain(&schedule.issues) {
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

/// How often something is tried: by default so often that nobody has to wait; `SYSTOLE_ROUNDS` says how much more.
fn rounds(by_default: usize) -> usize {
    let factor = std::env::var("SYSTOLE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    by_default * factor
}

#[test]
fn no_cib_makes_it_panic() {
    let mut numbers = Numbers::new(1);
    for name in names() {
        let cib = read(&name);
        for _ in 0..rounds(20) {
            let mut damaged = cib.clone();
            for _ in 0..=numbers.next(6) {
                damage(&mut damaged, &mut numbers);
            }
            if let Some(path) = std::env::var_os("SYSTOLE_LAST") {
                // What a run did not come back from can then be looked at.
                std::fs::write(path, xml::write_indented(&damaged)).unwrap();
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
