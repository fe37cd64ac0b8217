// SPDX-License-Identifier: GPL-2.0-or-later
//! Traces: lines with a time in front that agents and the power switch append, each for itself, so that what happened can
//! be judged from outside the cluster.

use anyhow::{Context, Result};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in microseconds since the epoch; the clock of all traces.
pub fn now_us() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

/// A file that lines are appended to, by several processes at once.
#[derive(Clone, Debug)]
pub struct Trace(PathBuf);

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// When, in microseconds since the epoch.
    pub at_us: u64,
    /// The node it happened on, or to.
    pub node: String,
    /// What was done.
    pub action: String,
    /// The exit code.
    pub rc: i32,
}

impl Trace {
    /// The trace in this file.
    pub fn new(path: impl Into<PathBuf>) -> Trace {
        Trace(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Appends a line with the time in front. A trace that cannot be written must not stop what is traced.
    pub fn line(&self, words: &[&str]) {
        let (secs, micros) = (now_us() / 1_000_000, now_us() % 1_000_000);
        let text = format!("{secs}.{micros:06} {}\n", words.join(" "));
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.0) {
            let _ = file.write_all(text.as_bytes());
        }
    }

    /// All lines so far, in the order they were appended.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let text = match std::fs::read_to_string(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(|| format!("cannot read {}", self.0.display()))?,
        };
        text.lines()
            .map(|line| parse(line).with_context(|| format!("{}: no trace line: {line}", self.0.display())))
            .collect()
    }
}

fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split_whitespace();
    let at_us = parse_time_us(words.next()?)?;
    let (node, action) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Entry { at_us, node, action, rc: words.next()?.parse().ok()? })
}

/// Seconds with a fraction of any length, in microseconds.
pub fn parse_time_us(text: &str) -> Option<u64> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some(secs.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_with_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let trace = Trace::new(folder.path().join("t"));
        assert_eq!(trace.entries().unwrap(), []);
        let before = now_us();
        trace.line(&["n1", "off", "0"]);
        let entries = trace.entries().unwrap();
        assert_eq!((entries[0].node.as_str(), entries[0].action.as_str(), entries[0].rc), ("n1", "off", 0));
        assert!(entries[0].at_us >= before && entries[0].at_us <= now_us());
        assert_eq!(parse_time_us("12.5"), Some(12_500_000));
        std::fs::write(trace.path(), "nonsense\n").unwrap();
        assert!(trace.entries().is_err());
    }
}
