// SPDX-License-Identifier: GPL-2.0-or-later
//! What a program costs: processor time and memory, as the kernel counts them.
//!
//! Decides: how a program is run so that these are its own. The kernel sums up what all children of a process cost, so each
//! run has a small process of its own between us and the program, which has no other child.

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use std::path::Path;
use std::process::{Command, Stdio};

/// What one run cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Of the processor, by the program and by the kernel for it, in seconds.
    pub cpu_s: f64,
    /// At most resident at a time, in megabytes.
    pub peak_mb: f64,
}

/// What came of trying to run a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It did what it should.
    Done(Cost),
    /// It was ended when it had used up so many seconds of the processor.
    Over(u64),
    /// It was not run.
    NotRun,
}

impl Outcome {
    pub fn cost(self) -> Option<Cost> {
        match self {
            Outcome::Done(cost) => Some(cost),
            Outcome::Over(_) | Outcome::NotRun => None,
        }
    }
}

/// What is repeated, until it has taken this many seconds together.
const ENOUGH_S: f64 = 1.5;
/// And at most so many times.
const TIMES_MAX: usize = 5;

/// Plans a file with a `crm_simulate`, some times over if that is quick; the cheapest run counts, as whatever else the
/// machine does only adds to it.
pub fn simulate(program: &[&Path], file: &Path, graph: &Path, limit_s: u64) -> Result<Outcome> {
    let (mut least, mut spent_s) = (None::<Cost>, 0.0);
    for _ in 0..TIMES_MAX {
        let Some(cost) = simulate_once(program, file, graph, limit_s)? else {
            return Ok(Outcome::Over(limit_s));
        };
        spent_s += cost.cpu_s;
        if least.is_none_or(|least| cost.cpu_s < least.cpu_s) {
            least = Some(cost);
        }
        if spent_s > ENOUGH_S {
            break;
        }
    }
    Ok(least.map_or(Outcome::NotRun, Outcome::Done))
}

fn simulate_once(program: &[&Path], file: &Path, graph: &Path, limit_s: u64) -> Result<Option<Cost>> {
    // Each writes a new file; what replacing one takes is not the point here.
    if graph.exists() {
        std::fs::remove_file(graph)?;
    }
    let mut between = Command::new(std::env::current_exe()?);
    between.args(["bench", "cost", &limit_s.to_string(), "--"]).args(program);
    let output = between.args(["-R", "-Q", "-x"]).arg(file).arg("-G").arg(graph).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    if said.trim() == OVER {
        return Ok(None);
    }
    let mut numbers = said.split_whitespace().map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(cpu_s)), Some(Ok(peak_mb))) => Ok(Some(Cost { cpu_s, peak_mb })),
        _ => anyhow::bail!("the process between says '{said}'"),
    }
}

const OVER: &str = "over";

/// The part of the process between: runs a program and says what it cost.
pub fn cost(limit_s: u64, command: &[String]) -> Result<()> {
    setrlimit(Resource::RLIMIT_CPU, limit_s, limit_s.saturating_add(5))?;
    let (program, arguments) = command.split_first().context("no program given")?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (user, system) = (usage.user_time(), usage.system_time());
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu_s = seconds(user) + seconds(system);
    if output.status.code().is_none() && cpu_s >= limit_s as f64 {
        println!("{OVER}");
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    println!("{cpu_s} {}", usage.max_rss() as f64 * 1024.0 / 1e6);
    Ok(())
}
