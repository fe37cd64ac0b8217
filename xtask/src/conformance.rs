// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask conformance`: our scheduler against the cases of another.
//!
//! Decides: what counts as the same. Given: a corpus of cases (inputs with the outputs that are expected of them), which
//! is no part of this project. Leaves to others: the answers (`tools::crm_simulate`, run within this process).

mod account;
mod case;
mod diff;
mod random;

use anyhow::{Context, Result, bail};
use case::{Case, Kind, Verdict};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Where the number of cases that must match is kept, below the workspace's root.
const FLOOR: &str = "xtask/conformance.floor";

#[derive(clap::Args, Default)]
pub struct Options {
    /// Show how these cases differ, instead of counting all
    names: Vec<String>,
    /// List the cases that match in everything (or in nothing else but KIND, if one is given)
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "all")]
    list: Option<String>,
    /// Count only the cases named in this file, a name a line
    #[arg(long, value_name = "FILE")]
    only: Option<PathBuf>,
    /// Make CIBs up, this many, and compare with another crm_simulate instead
    #[arg(long, value_name = "N", requires = "against")]
    random: Option<u64>,
    /// Where to begin with making up
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// The other crm_simulate (its schemas are found as it is told by PCMK_schema_directory)
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
}

/// Runs the task.
pub fn run(options: &Options) -> Result<()> {
    if let (Some(count), Some(against)) = (options.random, &options.against) {
        return random::run(count, options.seed, against);
    }
    let Some(corpus) = find_corpus() else {
        eprintln!(
            "conformance: not run, as there is no corpus. A corpus is a folder `scheduler` with `cases.tsv` (a name, a \
             tab, extra arguments) and the folders xml, exp, dot, scores, summary and stderr of Pacemaker's own \
             cts/scheduler (release 3.0.2). Put it beside the workspace as ../shared/corpus, or set SYSTOLE_CORPUS to \
             the folder that holds `scheduler`."
        );
        if std::env::var("CI").is_ok_and(|value| value == "true") {
            bail!("CI is set, and a check that does not run is a check that fails");
        }
        return Ok(());
    };
    let mut cases = case::read_all(&corpus)?;
    if let Some(file) = &options.only {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let names: Vec<&str> = text.lines().map(str::trim).collect();
        cases.retain(|case| names.contains(&case.name.as_str()));
    }
    if !options.names.is_empty() {
        return show(&cases, &options.names);
    }
    // A case that panics is reported as such; the trace would drown the others.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let verdicts = judge_all(&cases);
    let _ = std::panic::take_hook();
    if let Some(kind) = &options.list {
        return list(&cases, &verdicts, kind);
    }
    println!("conformance: {} cases in {:.1} s", cases.len(), started.elapsed().as_secs_f64());
    for kind in Kind::ALL {
        println!("{:>9} {:>4}", kind.as_str(), count(&verdicts, |verdict| verdict.matches(kind)));
    }
    let full = count(&verdicts, Verdict::matches_fully);
    println!("{:>9} {full:>4}", "all");
    let unaccounted = account::verify(&cases)?;
    println!("{:>9} {:>4}", "accounts", cases.len() - unaccounted.len());
    let panicked = count(&verdicts, |verdict| verdict.panicked);
    if panicked > 0 {
        println!("{:>9} {panicked:>4}", "panicked");
    }
    if let Some((name, why)) = unaccounted.first() {
        bail!("the account of scores is wrong in {} cases, in {name} for one: {why}", unaccounted.len());
    }
    if options.only.is_none() {
        check_floor(full)?;
    }
    Ok(())
}

fn count(verdicts: &[Verdict], matches: impl Fn(&Verdict) -> bool) -> usize {
    verdicts.iter().filter(|verdict| matches(verdict)).count()
}

fn check_floor(full: usize) -> Result<()> {
    let path = crate::root().join(FLOOR);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let floor: usize = text.trim().parse().with_context(|| format!("{FLOOR} holds no number"))?;
    if full < floor {
        bail!("{full} cases match in everything, and {floor} did before: see `cargo xtask conformance NAME`");
    }
    if full > floor {
        println!("({full} is more than the floor of {floor}: raise it in {FLOOR})");
    }
    Ok(())
}

/// The folder with the scheduler's cases.
fn find_corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("SYSTOLE_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => crate::root().parent()?.join("shared/corpus"),
    };
    let folder = folder.join("scheduler");
    folder.join("cases.tsv").is_file().then_some(folder)
}

fn judge_all(cases: &[Case]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(vec![Verdict::default(); cases.len()]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let verdict = case.judge();
                    if let Some(slot) = verdicts.lock().ok().as_mut().and_then(|all| all.get_mut(index)) {
                        *slot = verdict;
                    }
                }
            });
        }
    });
    verdicts.into_inner().unwrap_or_default()
}

fn list(cases: &[Case], verdicts: &[Verdict], kind: &str) -> Result<()> {
    let wanted: Box<dyn Fn(&Verdict) -> bool> = match Kind::ALL.into_iter().find(|k| k.as_str() == kind) {
        Some(kind) => Box::new(move |verdict| verdict.fails_only(kind)),
        None if kind == "all" => Box::new(Verdict::matches_fully),
        None if kind == "panicked" => Box::new(|verdict| verdict.panicked),
        None => bail!("'{kind}' is none of all, panicked, summary, graph, dot, scores, stderr"),
    };
    for (case, _) in cases.iter().zip(verdicts).filter(|(_, verdict)| wanted(verdict)) {
        println!("{}", case.name);
    }
    Ok(())
}

fn show(cases: &[Case], names: &[String]) -> Result<()> {
    let mut same = true;
    for name in names {
        let case = cases.iter().find(|case| case.name == *name);
        let case = case.with_context(|| format!("there is no case '{name}'"))?;
        let outputs = case.run()?;
        for kind in Kind::ALL {
            let (expected, actual) = (case.expected(kind)?, outputs.of(kind));
            if expected == *actual {
                println!("{name}: {}: the same", kind.as_str());
            } else {
                same = false;
                println!("{name}: {}: - expected, + ours", kind.as_str());
                print!("{}", diff::lines(&expected, actual));
            }
        }
    }
    if !same {
        bail!("there are differences");
    }
    Ok(())
}

/// The folder of a kind's expectations.
fn expectation(folder: &Path, kind: Kind, name: &str) -> PathBuf {
    let (sub, extension) = match kind {
        Kind::Summary => ("summary", "summary"),
        Kind::Graph => ("exp", "exp"),
        Kind::Dot => ("dot", "dot"),
        Kind::Scores => ("scores", "scores"),
        Kind::Stderr => ("stderr", "stderr"),
    };
    folder.join(sub).join(format!("{name}.{extension}"))
}
