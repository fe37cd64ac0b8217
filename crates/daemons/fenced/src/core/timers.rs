// SPDX-License-Identifier: GPL-2.0-or-later
//! All moments this core waits for, in one table.

use model::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The CIB has changed; it is read when it has been quiet for a moment.
    ReadCib,
    /// An agent could not describe itself; ask it again.
    Describe(String),
    /// A job's delay, before its first or next try.
    Job(u64),
    /// Not all peers have answered an operation's query.
    Query(String),
    /// The peer that was asked has not answered.
    OnePeer(String),
    /// The operation has taken too long.
    Total(String),
}

#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, Instant>);

impl Timers {
    pub fn set(&mut self, timer: Timer, now: Instant, after: Duration) {
        self.0.insert(timer, now + after);
    }

    pub fn clear(&mut self, timer: &Timer) {
        self.0.remove(timer);
    }

    pub fn is_set(&self, timer: &Timer) -> bool {
        self.0.contains_key(timer)
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Takes out the one that is due first.
    pub fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let due = self.0.iter().filter(|(_, at)| **at <= now).min_by_key(|(_, at)| **at)?;
        let timer = due.0.clone();
        self.0.remove(&timer);
        Some(timer)
    }
}
