// SPDX-License-Identifier: GPL-2.0-or-later
//! Clients that wait for their update to be done: where their answer goes, and what it waits for.

use messages::attrd::SyncPoint;
use messages::core::ClientId;
use model::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long to wait for confirmations of all peers.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(15);

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub client: ClientId,
    pub request: i32,
}

#[derive(Debug)]
struct Waiter {
    answer: Answer,
    point: SyncPoint,
    /// Who has not confirmed yet; for [`SyncPoint::Cluster`].
    unconfirmed: BTreeSet<String>,
    deadline: Option<Instant>,
}

/// All that wait, by the number their message travels under.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    last_call: i32,
    waiters: BTreeMap<i32, Waiter>,
}

impl Waiting {
    /// Adds one that waits until this node knows its update.
    pub fn for_local(&mut self, answer: Answer) -> i32 {
        self.add(Waiter { answer, point: SyncPoint::Local, unconfirmed: BTreeSet::new(), deadline: None })
    }

    /// Adds one that waits until all these nodes have confirmed.
    pub fn for_cluster(&mut self, answer: Answer, nodes: BTreeSet<String>, now: Instant) -> i32 {
        let deadline = Some(now + CONFIRMATION_TIMEOUT);
        self.add(Waiter { answer, point: SyncPoint::Cluster, unconfirmed: nodes, deadline })
    }

    fn add(&mut self, waiter: Waiter) -> i32 {
        loop {
            self.last_call = self.last_call.checked_add(1).unwrap_or(1);
            if !self.waiters.contains_key(&self.last_call) {
                break;
            }
        }
        self.waiters.insert(self.last_call, waiter);
        self.last_call
    }

    /// This node has done what travelled under that number. Whom to answer now.
    pub fn done_here(&mut self, call: i32) -> Option<Answer> {
        self.waiters.get(&call).filter(|waiter| waiter.point == SyncPoint::Local)?;
        self.waiters.remove(&call).map(|waiter| waiter.answer)
    }

    /// A node (by its key) has confirmed. Whom to answer now.
    pub fn confirmed(&mut self, call: i32, node: &str) -> Option<Answer> {
        let waiter = self.waiters.get_mut(&call).filter(|waiter| waiter.point == SyncPoint::Cluster)?;
        waiter.unconfirmed.remove(node);
        waiter.unconfirmed.is_empty().then_some(())?;
        self.waiters.remove(&call).map(|waiter| waiter.answer)
    }

    /// A node (by its key) has gone and will not confirm anything. Whom to answer now.
    pub fn gone(&mut self, node: &str) -> Vec<Answer> {
        let calls: Vec<i32> = self.waiters.keys().copied().collect();
        calls.into_iter().filter_map(|call| self.confirmed(call, node)).collect()
    }

    /// A client has gone.
    pub fn forget(&mut self, client: ClientId) {
        self.waiters.retain(|_, waiter| waiter.answer.client != client);
    }

    /// Whom to tell that it took too long.
    pub fn expire(&mut self, now: Instant) -> Vec<Answer> {
        let late = |waiter: &Waiter| waiter.deadline.is_some_and(|deadline| deadline <= now);
        let answers =
            self.waiters.values().filter(|waiter| late(waiter)).map(|waiter| waiter.answer).collect();
        self.waiters.retain(|_, waiter| !late(waiter));
        answers
    }

    /// When the next waits too long.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.waiters.values().filter_map(|waiter| waiter.deadline).min()
    }
}
