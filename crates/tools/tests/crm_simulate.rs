//! `crm_simulate` as a user runs it: exit codes, and what is printed.
// SPDX-License-Identifier: GPL-2.0-or-later

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
    assert_eq!(simulate(&["-S", "-t", "tomorrow"], "<cib/>").0, ExitCode::USAGE);
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
    assert!(err.starts_with("crm_simulate: Could not read input XML: /no/such/file"), "{err}");
    let (code, _, err) = simulate(&["-p"], "<cib");
    assert_eq!(code, ExitCode::DATAERR);
    assert!(err.contains("line 1"), "{err}");
    assert_eq!(simulate(&["-p"], "<tree/>").0, ExitCode::CONFIG);
}
