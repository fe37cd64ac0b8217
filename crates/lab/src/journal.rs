// SPDX-License-Identifier: GPL-2.0-or-later
//! The shared data of the lab's service, and the proof that it never had two writers.
//!
//! Whoever runs the service appends `TIME NODE PID NUMBER` many times a second to one file that all nodes share. Two
//! writers at once would show as lines of one node between lines of another.

use crate::trace::parse_time_us;
use anyhow::{Context, Result};
use std::path::Path;

/// An unbroken run of lines by one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The node that wrote.
    pub node: String,
    /// The process that wrote.
    pub pid: u32,
    /// Its first line's time, in microseconds since the epoch.
    pub from_us: u64,
    /// Its last line's time.
    pub to_us: u64,
    /// How many lines.
    pub lines: usize,
}

/// Who wrote when, in order. A process that appears twice with another in between has shared the data with it; that is
/// left for the caller to see with [`double_writers`].
pub fn tenures(journal: &Path) -> Result<Vec<Tenure>> {
    let text =
        std::fs::read_to_string(journal).with_context(|| format!("cannot read {}", journal.display()))?;
    let mut found: Vec<Tenure> = Vec::new();
    for line in text.lines() {
        let parse = || {
            let mut words = line.split_whitespace();
            let at_us = parse_time_us(words.next()?)?;
            Some((at_us, words.next()?, words.next()?.parse::<u32>().ok()?))
        };
        let (at_us, node, pid) =
            parse().with_context(|| format!("{}: no journal line: {line}", journal.display()))?;
        match found.last_mut() {
            Some(last) if last.pid == pid && last.node == node => {
                last.to_us = at_us;
                last.lines += 1;
            }
            _ => found.push(Tenure { node: node.to_owned(), pid, from_us: at_us, to_us: at_us, lines: 1 }),
        }
    }
    Ok(found)
}

/// The processes that wrote, stopped for another's lines, and wrote again: two at once on shared data.
pub fn double_writers(tenures: &[Tenure]) -> Vec<(String, u32)> {
    let mut seen = std::collections::BTreeSet::new();
    let again = tenures.iter().filter(|tenure| !seen.insert((tenure.node.clone(), tenure.pid)));
    again.map(|tenure| (tenure.node.clone(), tenure.pid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writers_at_once_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "1.0 n1 10 1\n1.1 n1 10 2\n2.0 n2 20 1\n").unwrap();
        let good = tenures(&path).unwrap();
        assert_eq!(good.len(), 2);
        assert_eq!((good[0].lines, good[0].to_us), (2, 1_100_000));
        assert!(double_writers(&good).is_empty());
        std::fs::write(&path, "1.0 n1 10 1\n2.0 n2 20 1\n2.1 n1 10 2\n").unwrap();
        assert_eq!(double_writers(&tenures(&path).unwrap()), [("n1".to_owned(), 10)]);
    }
}
