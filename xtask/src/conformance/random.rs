// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask conformance --random N --against PATH`: made-up CIBs, side by side with another `crm_simulate`.
//!
//! Decides: what counts as the same, and how differences are sorted. Given: a seed, how many, the other program. Leaves to
//! others: what is in the CIBs (the generator of the scheduler's own tests).

use super::case::{sorted_dot, without_release};
use anyhow::{Context, Result};
use model::{ExitCode, WallTime};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

#[allow(dead_code, clippy::unwrap_used)] // it is made for tests
#[path = "../../../crates/scheduler/tests/random_cib/mod.rs"]
mod random_cib;

/// What a program made of a CIB.
struct Answer {
    graph: String,
    dot: String,
    scores: Vec<String>,
    /// It walked its graph to the end.
    complete: bool,
}

/// Compares, prints how often what was seen, with the seeds where something differs.
pub fn run(count: u64, seed: u64, against: &Path) -> Result<()> {
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let scratch = tempfile::tempdir()?;
    for seed in seed..seed.saturating_add(count) {
        let input = scratch.path().join(format!("{seed}.xml"));
        fs::write(&input, random_cib::cib(&mut random_cib::Choices::from_seed(seed)))?;
        let kind = compare(&input, scratch.path(), against)?;
        seen.entry(kind).or_default().push(seed);
        fs::remove_file(&input)?;
    }
    for (kind, seeds) in &seen {
        let shown: Vec<String> = seeds.iter().take(20).map(u64::to_string).collect();
        println!(
            "{:>6} {kind} (seeds {}{})",
            seeds.len(),
            shown.join(" "),
            if seeds.len() > 20 { " …" } else { "" }
        );
    }
    Ok(())
}

fn compare(input: &Path, scratch: &Path, against: &Path) -> Result<String> {
    let Some(theirs) = other(input, scratch, against)? else {
        return Ok("theirs gives no answer".to_owned());
    };
    let ours = own(input, scratch)?;
    if !theirs.complete {
        let how = if ours.complete { "ours is walked to its end" } else { "NEITHER IS OURS" };
        return Ok(format!("theirs cannot be walked to its end, {how}"));
    }
    let parts = [
        ("graph", ours.graph == theirs.graph),
        ("scores", ours.scores == theirs.scores),
        ("dot", ours.dot == theirs.dot),
        ("walk", ours.complete),
    ];
    let different: Vec<&str> = parts.iter().filter(|(_, same)| !same).map(|&(name, _)| name).collect();
    Ok(if different.is_empty() {
        "the same".to_owned()
    } else {
        format!("DIFFERENT: {}", different.join(", "))
    })
}

fn arguments(input: &Path, scratch: &Path) -> (Vec<OsString>, PathBuf, PathBuf) {
    let (dot, graph) = (scratch.join("dot"), scratch.join("graph"));
    // What an earlier run left behind is no answer.
    for old in [&dot, &graph] {
        fs::remove_file(old).unwrap_or_default();
    }
    let words: [&std::ffi::OsStr; 7] = [
        "-x".as_ref(),
        input.as_ref(),
        "-D".as_ref(),
        dot.as_ref(),
        "-G".as_ref(),
        graph.as_ref(),
        "-sSQ".as_ref(),
    ];
    (words.iter().map(OsString::from).collect(), dot, graph)
}

fn answer(dot: &Path, graph: &Path, out: &str, err: &str) -> Option<Answer> {
    let (dot, graph) = (fs::read_to_string(dot).ok()?, fs::read_to_string(graph).ok()?);
    let mut scores: Vec<String> = out.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    scores.sort();
    let complete = !err.contains("An invalid transition was produced");
    let graph = installed_as_usual(&without_release(&graph));
    Some(Answer { graph, dot: sorted_dot(&dot), scores, complete })
}

/// A graph as of a program that is installed at the usual place: what is in containers is told where that is.
fn installed_as_usual(graph: &str) -> String {
    let program = "/sbin/pacemaker-remoted";
    let prefix =
        graph.find(program).and_then(|end| graph[..end].rfind('"').map(|begin| &graph[begin + 1..end]));
    match prefix.filter(|prefix| !prefix.is_empty() && *prefix != "/usr") {
        Some(prefix) => graph.replace(&format!("{prefix}/sbin"), "/usr/sbin").replace(prefix, ""),
        None => graph.to_owned(),
    }
}

/// The other program's answer; none if it ended before it had one.
fn other(input: &Path, scratch: &Path, against: &Path) -> Result<Option<Answer>> {
    let (arguments, dot, graph) = arguments(input, scratch);
    let mut command = Command::new(against);
    let output = command.args(arguments).env("CIB_shadow_dir", scratch).output();
    let output = output.with_context(|| format!("cannot run {}", against.display()))?;
    if output.status.code().is_none() {
        return Ok(None);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(answer(&dot, &graph, &text(&output.stdout), &text(&output.stderr)))
}

fn own(input: &Path, scratch: &Path) -> Result<Answer> {
    let (arguments, dot, graph) = arguments(input, scratch);
    let all: Vec<OsString> = std::iter::once(OsString::from("crm_simulate")).chain(arguments).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let now = WallTime::from_secs(random_cib::MOMENT);
    let code = tools::crm_simulate::run(&all, now, &mut io::empty(), &mut out, &mut err);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let answer = answer(&dot, &graph, &text(&out), &text(&err)).context("no graph was written")?;
    Ok(Answer { complete: answer.complete && code == ExitCode::OK, ..answer })
}
