// SPDX-License-Identifier: GPL-2.0-or-later
//! Results, a line each: ours, C's, and whether it is what we want.

use std::fmt::Write as _;
use std::time::Duration;

/// What is wanted of a result.
#[derive(Clone, Copy)]
pub enum Wanted {
    /// So many times as fast as C.
    TimesC(f64),
    /// No longer than this.
    Within(Duration),
    /// It is only shown.
    Nothing,
}

#[derive(Default)]
pub struct Table {
    missed: Vec<String>,
}

impl Table {
    pub fn new() -> Table {
        println!("{:<34} {:>12} {:>12} {:>9}  wanted", "", "systole", "C", "ratio");
        Table::default()
    }

    /// The heading of a group.
    pub fn group(&self, title: &str) {
        println!("{title}");
    }

    /// A time of ours, with C's if there is one.
    pub fn time(&mut self, what: &str, ours: Duration, theirs: Option<Duration>, wanted: Wanted) {
        let ratio = theirs.map(|theirs| theirs.as_secs_f64() / ours.as_secs_f64());
        let (wish, met) = match wanted {
            // Where C is not there to compare with, nothing is missed.
            Wanted::TimesC(times) => (format!(">= {times}x"), ratio.is_none_or(|ratio| ratio >= times)),
            Wanted::Within(limit) => (format!("< {}", shown(limit)), ours < limit),
            Wanted::Nothing => (String::new(), true),
        };
        let theirs = theirs.map_or_else(|| "-".to_owned(), shown);
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}x"));
        self.line(what, &shown(ours), &theirs, &ratio, &wish, met);
    }

    /// Anything else, with whether it is what we want.
    pub fn other(&mut self, what: &str, ours: &str, ratio: &str, wish: &str, met: bool) {
        self.line(what, ours, "-", ratio, wish, met);
    }

    fn line(&mut self, what: &str, ours: &str, theirs: &str, ratio: &str, wish: &str, met: bool) {
        let mut line = format!("  {what:<32} {ours:>12} {theirs:>12} {ratio:>9}  {wish}");
        if !met {
            let _ = write!(line, "  MISSED");
            self.missed.push(what.to_owned());
        }
        println!("{}", line.trim_end());
    }

    /// Says what was missed, if anything was.
    pub fn finish(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.missed.is_empty(),
            "missed: {} (a busy machine may be why; only what is missed again and again counts)",
            self.missed.join(", ")
        );
        Ok(())
    }
}

fn shown(time: Duration) -> String {
    let ns = time.as_nanos();
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}
