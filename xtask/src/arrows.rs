// SPDX-License-Identifier: GPL-2.0-or-later
//! Which room may depend on which: the table, and its check against what cargo knows.

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};

const DAEMONS: [&str; 7] = ["pacemakerd", "based", "attrd", "execd", "fenced", "schedulerd", "controld"];

/// Each room, and the rooms it may name. What is not here may not be.
const ROOMS: [(&str, &[&str]); 17] = [
    ("model", &[]),
    ("xml", &["model"]),
    ("cib", &["model", "xml", "rules"]),
    ("rules", &["model", "xml"]),
    ("graph", &["model", "xml"]),
    ("scheduler", &["model", "xml", "cib", "rules", "graph"]),
    ("advice", &["model", "xml", "cib", "rules", "graph", "scheduler"]),
    ("messages", &["model", "xml"]),
    ("ipc", &["model", "xml", "messages"]),
    ("cluster", &["model", "xml", "messages", "ipc"]),
    ("agents", &["model", "xml"]),
    ("election", &["model", "xml", "messages"]),
    ("shell", &["model", "xml", "messages", "ipc", "cluster"]),
    ("tools", &["model", "xml", "cib", "rules", "graph", "scheduler", "advice", "messages", "ipc", "agents"]),
    (
        "DAEMON",
        &[
            "model",
            "xml",
            "cib",
            "graph",
            "scheduler",
            "messages",
            "ipc",
            "cluster",
            "agents",
            "election",
            "shell",
        ],
    ),
    ("fuzz_targets", &["model", "xml", "cib", "rules"]),
    ("xtask", &["model", "xml", "cib", "graph", "scheduler", "tools", "fuzz_targets"]),
];

/// Checks every dependency between the workspace's crates, those of tests excepted.
pub fn verify() -> Result<()> {
    let output =
        super::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--locked"]).output()?;
    anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some(may) = allowed.get(if DAEMONS.contains(&name) { "DAEMON" } else { name }) else {
            // The simulator, the lab and the binary put everything together: they may name any room below them.
            if matches!(name, "simulator" | "lab" | "systole") {
                continue;
            }
            bail!("{name} has no row in xtask/src/arrows.rs: say which rooms it may depend on");
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            let for_tests_only = dependency["kind"] == "dev";
            if ours.contains(target) && !for_tests_only && !may.contains(&target) {
                wrong.push(format!("{name} -> {target}"));
            }
        }
    }
    anyhow::ensure!(
        wrong.is_empty(),
        "arrows that the plan of the house does not have: {}",
        wrong.join(", ")
    );
    println!("arrows: {} crates, all as planned", packages.len());
    Ok(())
}
