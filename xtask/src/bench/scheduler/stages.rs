// SPDX-License-Identifier: GPL-2.0-or-later
//! Where our time goes, stage by stage.
//!
//! Decides: which stages are told apart. The scheduler reads no clock; it says which stage begins, and the time is taken
//! here: that of the processor, as for whole runs.

use anyhow::Result;
use model::{Profile, WallTime};
use nix::time::{ClockId, clock_gettime};
use scheduler::Stage;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The stages in the order of a run.
pub const NAMES: [&str; 10] =
    ["parse", "validate", "unpack", "constrain", "assign", "probe", "act", "order", "graph", "write"];

/// Milliseconds for each of [`NAMES`].
pub type Times = [f64; NAMES.len()];

fn place(stage: Stage) -> usize {
    match stage {
        Stage::Constraints => 3,
        Stage::Assignment => 4,
        Stage::Probes => 5,
        Stage::Actions => 6,
        Stage::Orderings => 7,
        Stage::Graph => 8,
    }
}

/// The stages of planning a file, measured in a process of its own.
pub fn of(file: &Path) -> Result<Times> {
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.args(["bench", "stages"]).arg(file).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut times = Times::default();
    let said = String::from_utf8_lossy(&output.stdout);
    for (time, word) in times.iter_mut().zip(said.split_whitespace()) {
        *time = word.parse()?;
    }
    Ok(times)
}

/// The child's part: does what `crm_simulate -R -Q -x FILE -G GRAPH` does, and prints how long each part took.
pub fn measure(file: &Path) -> Result<()> {
    let mut clock = Clock { times: Times::default(), running: 0, since: used()? };
    let text = std::fs::read_to_string(file)?;
    let cib = xml::parse(&text)?;
    clock.enter(1);
    let cib = cib::upgrade::acceptable(&cib, Profile::default()).map_err(anyhow::Error::msg)?.cib;
    anyhow::ensure!(cib::schema::validate(&cib).is_empty(), "{} is not valid", file.display());
    clock.enter(2);
    let (cluster, _) = scheduler::unpack(&cib, WallTime::from_secs(0));
    let options = scheduler::Options::default();
    let schedule = scheduler::schedule_watched(&cluster, &options, &mut |stage| clock.enter(place(stage)));
    clock.enter(9);
    let written = xml::write_indented(&schedule.graph.to_xml());
    clock.enter(9);
    anyhow::ensure!(!written.is_empty(), "no graph");
    println!("{}", clock.times.map(|time| format!("{time:.3}")).join(" "));
    Ok(())
}

struct Clock {
    times: Times,
    running: usize,
    since: Duration,
}

impl Clock {
    /// Another stage begins.
    fn enter(&mut self, place: usize) {
        let Ok(now) = used() else { return };
        if let Some(time) = self.times.get_mut(self.running) {
            *time += now.saturating_sub(self.since).as_secs_f64() * 1e3;
        }
        self.running = place;
        self.since = now;
    }
}

/// How long this process has used the processor.
fn used() -> nix::Result<Duration> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from)
}
