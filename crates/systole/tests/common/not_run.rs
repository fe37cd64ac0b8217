// SPDX-License-Identifier: GPL-2.0-or-later
//! What a test says that cannot run on a machine.

/// Says loudly that a test was not run, and what is missing for it; in CI that is a failure.
pub fn not_run(test: &str, missing: &str) {
    eprintln!("\n*** NOT RUN: {test}: {missing} ***\n");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "this must run in CI: {test}: {missing}");
}
