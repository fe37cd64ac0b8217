// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_mon` as a user runs it, on a CIB in a file.

use model::{ExitCode, WallTime};
use std::ffi::OsString;

const CIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/two-nodes.xml");

fn monitor(arguments: &[&str]) -> (ExitCode, String, String) {
    let program = std::iter::once("crm_mon");
    let arguments: Vec<OsString> = program.chain(arguments.iter().copied()).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = tools::crm_mon::run(&arguments, WallTime::from_secs(1_800_000_000), &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (code, text(out), text(err))
}

#[test]
fn people_see_what_matters_to_them() {
    let (code, out, err) = monitor(&["-1", "-r", "-x", CIB]);
    assert_eq!((code, err.as_str()), (ExitCode::OK, ""));
    // When it was taken depends on the time zone of whoever looks.
    let lines: Vec<&str> = out.lines().filter(|line| !line.starts_with("  * Last updated: ")).collect();
    assert_eq!(lines.join("\n"), include_str!("cases/two-nodes.monitor").trim_end());
}

#[test]
fn sections_come_and_go() {
    let (_, out, _) = monitor(&["-1", "-x", CIB, "--include=none,resources"]);
    assert_eq!(out, "Active Resources:\n  * No active resources\n");
    let (_, out, _) = monitor(&["-1", "-x", CIB, "--exclude=summary,nodes,resources"]);
    assert_eq!(out, "");
    assert_eq!(monitor(&["-1", "-x", CIB, "--include=nonsense"]).0, ExitCode::USAGE);
}

#[test]
fn programs_get_everything() {
    let (code, out, _) = monitor(&["--output-as=xml", "-x", CIB]);
    assert_eq!(code, ExitCode::OK);
    let report = xml::parse(&out).unwrap();
    assert_eq!(report.name(), "pacemaker-result");
    assert_eq!(report.descend(&["summary", "current_dc"]).unwrap().attr("name"), Some("one"));
    let nodes: Vec<_> = report
        .child("nodes")
        .unwrap()
        .elements()
        .map(|node| (node.attr("name"), node.attr("is_dc")))
        .collect();
    assert_eq!(nodes, [(Some("one"), Some("true")), (Some("two"), Some("false"))]);
    let group = report.descend(&["resources", "group"]).unwrap();
    assert_eq!(group.attr("number_resources"), Some("2"));
    assert_eq!(group.first_element().unwrap().attr("resource_agent"), Some("ocf:heartbeat:IPaddr2"));
    assert_eq!(report.child("status").unwrap().attr("code"), Some("0"));

    let (code, out, _) = monitor(&["--output-as=json", "-1", "-x", CIB]);
    assert_eq!(code, ExitCode::OK);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["nodes"]["node"][1]["name"], "two");
}

#[test]
fn a_file_that_is_not_there_is_told_in_every_format() {
    let why = "Could not connect to the CIB: No such device or address";
    let (_, out, err) = monitor(&["-1", "-x", "/no/such/file"]);
    assert_eq!((out.as_str(), err.trim_end()), ("", why));
    let (_, out, _) = monitor(&["--output-as=xml", "-x", "/no/such/file"]);
    assert!(out.contains(&format!("<error>{why}</error>")), "{out}");
    let (_, out, _) = monitor(&["--output-as=html", "-x", "/no/such/file"]);
    assert!(out.contains(&format!("<li>{why}</li>")), "{out}");
}

#[test]
fn what_runs_can_be_seen_by_node_and_in_brief() {
    let folder = tempfile::tempdir().unwrap();
    let after = folder.path().join("after.xml");
    let after = after.to_str().unwrap();
    let simulate: Vec<OsString> =
        ["crm_simulate", "-QS", "-x", CIB, "-O", after].into_iter().map(OsString::from).collect();
    let now = WallTime::from_secs(1_800_000_000);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = tools::crm_simulate::run(&simulate, now, &mut std::io::empty(), &mut out, &mut err);
    assert_eq!(code, ExitCode::OK);

    let (_, out, _) = monitor(&["-1nD", "-x", after]);
    let expected = "Node List:\n  * Node one: online:\n    * Resources:\n      * fencing\t(stonith:fence_lab):\t Started\n  \
                    * Node two: online:\n    * Resources:\n      * address\t(ocf:heartbeat:IPaddr2):\t Started\n      \
                    * server\t(ocf:heartbeat:apache):\t Started\n";
    assert_eq!(out, expected);
    let (_, out, _) = monitor(&["-1brD", "-x", after]);
    let expected = "Node List:\n  * Online: [ one two ]\n\nFull List of Resources:\n  \
                    * 0/1\t(ocf:heartbeat:Dummy):\tActive\n  * 1/1\t(stonith:fence_lab):\tActive one\n  \
                    * Resource Group: web:\n    * 1/1\t(ocf:heartbeat:IPaddr2):\tActive two\n    \
                    * 1/1\t(ocf:heartbeat:apache):\tActive two\n";
    assert_eq!(out, expected);
    let (_, out, _) = monitor(&["-1oD", "-x", after, "--exclude=nodes,resources"]);
    let expected = "Operations:\n  * Node: one:\n    * fencing: migration-threshold=1000000:\n      * (2) start\n  \
                    * Node: two:\n    * address: migration-threshold=1000000:\n      * (2) start\n      \
                    * (3) monitor: interval=\"10000ms\"\n    * server: migration-threshold=1000000:\n      * (2) start\n";
    assert_eq!(out, expected);
}
