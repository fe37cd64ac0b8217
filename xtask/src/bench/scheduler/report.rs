// SPDX-License-Identifier: GPL-2.0-or-later
//! The table of what was measured, and what is wanted of it.
//!
//! Decides: the targets. Given: what each run cost.

use super::State;
use super::generate::Size;
use super::process::{Cost, Outcome};
use super::stages::{self, Times};

/// What was measured of one size in one state.
pub struct Row {
    pub size: Size,
    pub state: State,
    pub ours: Cost,
    pub theirs: Outcome,
    /// Whether C planned the same to the byte, if it planned.
    pub same_plan: Option<bool>,
    pub stages: Times,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.theirs.cost().map(|theirs| theirs.cpu_s / self.ours.cpu_s)
    }

    fn name(&self) -> String {
        format!("{} {}", self.size, self.state.as_str())
    }
}

/// So many times faster than C, at these sizes.
const TIMES_FASTER: [(usize, usize, &[State], f64); 3] = [
    (8, 200, &[State::Cold, State::NodeFail], 5.0),
    (16, 1_000, &[State::Cold, State::NodeFail], 30.0),
    (32, 2_000, &[State::NodeFail], 50.0),
];
/// Within so many seconds, at these.
const WITHIN_S: [(usize, usize, State, f64); 2] =
    [(32, 2_000, State::Cold, 2.0), (100, 10_000, State::NodeFail, 10.0)];
/// The share of C's memory that we may take, from this size on: below it most of ours is the program itself.
const MEMORY_SHARE: f64 = 0.25;
const MEMORY_FROM: usize = 16_000;
/// Four times the nodes and resources may cost so many times as much.
const GROWTH_FOR_FOUR: f64 = 5.0;

/// Prints rows as they come.
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub fn new() -> Report {
        println!(
            "Times are of the processor, in seconds; growth is from the size before, and in brackets that of nodes x"
        );
        println!("resources. The stages of ours are in milliseconds.");
        println!();
        print!(
            "{:<10} {:<8} {:>8} {:>8} {:>7} {:>6} {:>6}",
            "size", "state", "C", "ours", "ratio", "C MB", "MB"
        );
        print!(" {:>8} {:>8} {:>8} ", "C grows", "ours", "(size)");
        for name in stages::NAMES {
            print!(" {name:>9}");
        }
        println!();
        Report { rows: Vec::new() }
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn add(&mut self, row: Row) {
        let shown =
            |number: Option<f64>, digits: usize| number.map_or("-".to_owned(), |n| format!("{n:.digits$}"));
        let theirs = match row.theirs {
            Outcome::Done(cost) => format!("{:.2}", cost.cpu_s),
            Outcome::Over(limit_s) => format!("> {limit_s}"),
            Outcome::NotRun => "not run".to_owned(),
        };
        let before = self.rows.iter().rev().find(|other| other.state == row.state);
        let growth = before.map(|before| row.ours.cpu_s / before.ours.cpu_s);
        let size_growth = before.map(|before| row.size.product() as f64 / before.size.product() as f64);
        let theirs_growth =
            before.and_then(|before| Some(row.theirs.cost()?.cpu_s / before.theirs.cost()?.cpu_s));
        print!(
            "{:<10} {:<8} {theirs:>8} {:>8.3} {:>7} {:>6} {:>6.0}",
            row.size.to_string(),
            row.state.as_str(),
            row.ours.cpu_s,
            shown(row.ratio(), 1),
            shown(row.theirs.cost().map(|cost| cost.peak_mb), 0),
            row.ours.peak_mb,
        );
        print!(" {:>8} {:>8} {:>8} ", shown(theirs_growth, 1), shown(growth, 1), shown(size_growth, 1));
        for time in row.stages {
            print!(" {time:>9.1}");
        }
        println!();
        self.rows.push(row);
    }

    /// Says which targets were met and which not.
    pub fn finish(self) -> anyhow::Result<()> {
        let mut missed = Vec::new();
        let mut judge = |what: String, met: Option<bool>| {
            let verdict = match met {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "not measured",
            };
            println!("  {what:<62} {verdict}");
            if met == Some(false) {
                missed.push(what);
            }
        };
        println!("targets:");
        for row in &self.rows {
            let here = |nodes: usize, resources: usize| row.size == Size { nodes, resources };
            for (nodes, resources, states, times) in TIMES_FASTER {
                if here(nodes, resources) && states.contains(&row.state) {
                    judge(
                        format!("{}: {times} times faster than C", row.name()),
                        row.ratio().map(|r| r >= times),
                    );
                }
            }
            for (nodes, resources, state, limit_s) in WITHIN_S {
                if here(nodes, resources) && state == row.state {
                    judge(format!("{}: under {limit_s} s", row.name()), Some(row.ours.cpu_s < limit_s));
                }
            }
            // Releases differ in which of two equal nodes comes first, so another plan of another release is no fault.
            if let Some(same) = row.same_plan {
                let what = format!("{}: the same plan as this C, to the byte", row.name());
                println!("  {what:<62} {}", if same { "yes" } else { "no" });
            }
            if row.size.product() >= MEMORY_FROM
                && let Some(theirs) = row.theirs.cost()
            {
                let met = row.ours.peak_mb <= theirs.peak_mb * MEMORY_SHARE;
                judge(format!("{}: a quarter of C's memory", row.name()), Some(met));
            }
        }
        for state in State::ALL {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.state == state).collect();
            for pair in rows.windows(2) {
                let &[small, large] = pair else { continue };
                // What is asked of four times the size, of any.
                let grown = large.size.product() as f64 / small.size.product() as f64;
                let allowed = GROWTH_FOR_FOUR.powf(grown.log(4.0));
                let cost = large.ours.cpu_s / small.ours.cpu_s;
                let what = format!(
                    "{} after {}: {cost:.1} times the cost, {allowed:.1} allowed",
                    large.name(),
                    small.size
                );
                judge(what, Some(cost <= allowed));
            }
        }
        anyhow::ensure!(
            missed.is_empty(),
            "missed: {} (a busy machine may be why; only what is missed again and again counts)",
            missed.join("; ")
        );
        Ok(())
    }
}
