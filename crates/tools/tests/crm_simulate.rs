// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_simulate` as a user runs it: exit codes, and what is printed.

use model::{ExitCode, WallTime};
use std::ffi::OsString;

/// Runs it on a CIB given by pipe.
fn simulate(arguments: &[&str], cib: &str) -> (ExitCode, String, String) {
    let program = std::iter::once("crm_simulate");
    let arguments: Vec<OsString> = program.chain(arguments.iter().copied()).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let now = WallTime::from_secs(1_767_225_600);
    let code = tools::crm_simulate::run(&arguments, now, &mut cib.as_bytes(), &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (code, text(out), text(err))
}

#[test]
fn wrong_usage_is_said_to_be_so() {
    let (code, out, err) = simulate(&["--no-such-option"], "");
    assert_eq!((code, out.as_str()), (ExitCode::USAGE, ""));
    assert!(err.starts_with("crm_simulate: ") && err.contains("--no-such-option"), "{err}");
    assert_eq!(simulate(&["-S", "-t", "tomorrow"], TWO_NODES).0, ExitCode::USAGE);
}

#[test]
fn help_and_version_are_answers() {
    let (code, out, err) = simulate(&["--version"], "");
    assert_eq!((code, err.as_str()), (ExitCode::OK, ""));
    assert!(out.starts_with("Pacemaker 3.0.2\n"), "{out}");
    let (code, out, _) = simulate(&["--help"], "");
    assert_eq!(code, ExitCode::OK);
    assert!(out.contains("--op-inject") && out.contains("Operation Specification:"), "{out}");
}

#[test]
fn bad_input_is_refused_by_name() {
    let (code, _, err) = simulate(&["-x", "/no/such/file"], "");
    assert_eq!(code, ExitCode::DATAERR);
    assert_eq!(
        err,
        "/no/such/file: No such file or directory\ncrm_simulate: Could not read input XML: Bad input value provided\n"
    );
    let (code, _, err) = simulate(&["-p"], "<cib");
    assert_eq!(code, ExitCode::DATAERR);
    assert!(err.contains("line 1"), "{err}");
    assert_eq!(simulate(&["-p"], "<tree/>").0, ExitCode::CONFIG);
}

#[test]
fn an_old_configuration_is_upgraded_and_that_is_told() {
    let of = |schema: &str, sections: &str| {
        format!(
            "<cib validate-with='{schema}' admin_epoch='0' epoch='1' num_updates='0'><configuration><crm_config>\
             <cluster_property_set id='p'><nvpair id='s' name='stonith_enabled' value='false'/></cluster_property_set>\
             </crm_config><nodes/><resources/><constraints/>{sections}</configuration></cib>"
        )
    };
    let old = "<op_defaults/><rsc_defaults/>";
    let (code, _, err) = simulate(&["-S"], &of("pacemaker-2.10", old));
    assert_eq!(code, ExitCode::OK);
    assert_eq!(err, "DEBUG: Cluster properties: s: renaming stonith_enabled as stonith-enabled\n");
    let (code, _, err) = simulate(&["-S"], &of("pacemaker-2.10", "<zoo/>"));
    assert_eq!(code, ExitCode::CONFIG);
    assert!(
        err.contains("zoo") && err.contains("Cannot upgrade configuration (claiming pacemaker-2.10"),
        "{err}"
    );
    let (code, _, err) = simulate(&["-S"], &of("pacemaker-4.0", "<zoo/>"));
    assert_eq!(code, ExitCode::CONFIG);
    assert!(err.contains("zoo"), "{err}");
    let (code, _, err) = simulate(&["-S"], &of("none", "<zoo/>"));
    assert_eq!(code, ExitCode::OK);
    assert!(err.starts_with("Schema validation of configuration is disabled"), "{err}");
}

const TWO_NODES: &str = include_str!("cases/two-nodes.xml");

#[test]
fn a_simulation_shows_what_will_be_and_how_it_is_then() {
    let (code, out, err) = simulate(&["-S"], TWO_NODES);
    assert_eq!((code, err.as_str()), (ExitCode::OK, ""));
    assert_eq!(out, include_str!("cases/two-nodes.summary"));
}

#[test]
fn what_is_saved_can_be_simulated_further() {
    let folder = tempfile::tempdir().unwrap();
    let after = folder.path().join("after.xml");
    let after = after.to_str().unwrap();
    let (code, out, _) = simulate(&["-QS", "-O", after], TWO_NODES);
    assert_eq!((code, out.as_str()), (ExitCode::OK, ""));
    let (_, out, _) = simulate(&["-R", "-x", after], "");
    assert!(
        out.contains("Full List of Resources:\n    * fencing\t(stonith:fence_lab):\t Started one\n"),
        "{out}"
    );
    assert!(out.ends_with("\nTransition Summary:\n"), "nothing is left to be done: {out}");

    let (code, out, err) =
        simulate(&["-S", "-x", after, "-i", "address_monitor_10000@two=7", "-F", "address_stop_0@two=1"], "");
    assert_eq!((code, err.as_str()), (ExitCode::OK, ""));
    for line in [
        "Performing Requested Modifications:",
        "  * Injecting attribute fail-count-address#monitor_10000=1 into /node_state '2'",
        "  * Recover    address     (   two )",
        "  * Injecting attribute fail-count-address#stop_0=INFINITY into /node_state '2'",
        "    * Node two: UNCLEAN (online)",
        "      * address\t(ocf:heartbeat:IPaddr2):\t FAILED two",
    ] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is missing in {out}");
    }
}

#[test]
fn a_failing_node_is_fenced_and_its_services_go_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (after, graph) = (folder.path().join("after.xml"), folder.path().join("graph.xml"));
    let (after, graph) = (after.to_str().unwrap(), graph.to_str().unwrap());
    simulate(&["-QS", "-O", after], TWO_NODES);
    let (code, out, _) = simulate(&["-S", "-x", after, "-f", "two", "-G", graph], "");
    assert_eq!(code, ExitCode::OK);
    for line in [
        "  * Fence (reboot) two 'peer is no longer part of the cluster'",
        "  * Move       address     ( two -> one )",
        "  * Fencing two (reboot)",
        "    * OFFLINE: [ two ]",
        "      * server\t(ocf:heartbeat:apache):\t Started one",
    ] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is missing in {out}");
    }
    let graph = xml::parse(&std::fs::read_to_string(graph).unwrap()).unwrap();
    assert!(graph.descendants().any(|action| action.attr("operation") == Some("stonith")));
}

#[test]
fn scores_are_shown_to_who_asks() {
    let (code, out, _) = simulate(&["-sQ"], TWO_NODES);
    assert_eq!(code, ExitCode::OK);
    assert!(out.starts_with("pcmk__primitive_assign: fencing allocation score on one: 0\n"), "{out}");
    let (_, out, _) = simulate(&["-s"], TWO_NODES);
    assert!(out.contains("\nAssignment Scores:\n  * pcmk__"), "{out}");
}

#[test]
fn a_folder_can_be_timed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let (code, out, err) = simulate(&["-P", folder, "-N", "2"], "");
    assert_eq!((code, err.as_str()), (ExitCode::OK, ""));
    assert!(out.starts_with("Timings:\n  * Testing ") && out.ends_with(" secs\n"), "{out}");
    assert_eq!(simulate(&["-P", "/no/such/folder"], "").0, ExitCode::NOSUCH);
}
