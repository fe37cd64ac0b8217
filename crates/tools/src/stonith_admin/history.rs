// SPDX-License-Identifier: GPL-2.0-or-later
//! How what was fenced is told.
//!
//! Decides: the order, what of it is shown, the words. Given: what the fencer remembers.

use super::report::{count, list_entry};
use crate::date;
use crate::output::{Entry, Message};
use messages::fencer::{HistoryEntry, OpState};
use std::cmp::Reverse;

/// Newest first; what goes on before all.
pub(super) fn sort(history: &mut [HistoryEntry]) {
    history.sort_by_key(|entry| (!entry.state.is_pending(), Reverse(entry.completed)));
}

/// What is remembered: all of it, or only the last success.
pub(super) struct Shown {
    /// In order.
    pub history: Vec<HistoryEntry>,
    /// All of it.
    pub all: bool,
}

impl Shown {
    fn last(&self) -> Option<&HistoryEntry> {
        self.history.iter().rfind(|entry| entry.state == OpState::Done)
    }
}

impl Message for Shown {
    fn text(&self, quiet: bool) -> String {
        if quiet {
            return self.last().map(|last| format!("{}\n", last.completed.secs)).unwrap_or_default();
        }
        let lines: Vec<String> = if self.all {
            let history = &self.history;
            history.iter().map(|entry| describe(entry, true, later_success(entry, history))).collect()
        } else {
            self.last().map(|last| describe(last, false, None)).into_iter().collect()
        };
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        text + &count(lines.len(), "event")
    }

    fn entry(&self) -> Option<Entry> {
        let shown: Vec<&HistoryEntry> =
            if self.all { self.history.iter().collect() } else { self.last().into_iter().collect() };
        Some(list_entry("Fencing history", shown.into_iter().map(event)))
    }
}

/// One event in a report.
fn event(entry: &HistoryEntry) -> Entry {
    let event = Entry::new("fence_event")
        .attr("action", &entry.action)
        .attr("target", &entry.target)
        .attr_opt("client", entry.client_name.as_ref())
        .attr("origin", &entry.origin);
    let event = match entry.state {
        OpState::Failed => {
            event.attr("status", "failed").attr_opt("exit-reason", entry.result.reason.as_ref())
        }
        OpState::Done => event.attr("status", "success"),
        state => event.attr("status", "pending").attr("extended-status", state.value().to_string()),
    };
    let event = event.attr_opt("delegate", entry.delegate.as_ref());
    let completed = (!entry.state.is_pending()).then(|| moment(entry));
    event.attr_opt("completed", completed)
}

/// Somebody succeeded later where this one failed: who.
pub(super) fn later_success<'a>(entry: &HistoryEntry, history: &'a [HistoryEntry]) -> Option<&'a str> {
    let is_later_success = |other: &&HistoryEntry| {
        other.state == OpState::Done
            && other.target.eq_ignore_ascii_case(&entry.target)
            && other.action == entry.action
            && other.completed > entry.completed
    };
    let later: Vec<&HistoryEntry> = history.iter().filter(is_later_success).collect();
    let same = later.iter().find(|other| entry.delegate.is_none() || other.delegate == entry.delegate);
    let found = same.or_else(|| later.first())?;
    Some(found.delegate.as_deref().unwrap_or("some node"))
}

/// One line. `full`: one of all there are, not the last of its kind.
pub(super) fn describe(entry: &HistoryEntry, full: bool, later: Option<&str>) -> String {
    let action = match entry.action.as_str() {
        "on" => "unfencing",
        "off" => "turning off",
        other => other,
    };
    let has_ended = !entry.state.is_pending();
    let failed = entry.state == OpState::Failed;
    let state = match entry.state {
        OpState::Failed => "failed",
        OpState::Done => "successful",
        OpState::Query | OpState::Exec | OpState::Duplicate => "pending",
    };
    let mut text = format!("{action} of {} {state}", entry.target);
    if let Some(reason) = entry.result.reason.as_ref().filter(|_| failed) {
        text.push_str(&format!(" ({reason})"));
    }
    text.push_str(": ");
    if let Some(delegate) = entry.delegate.as_ref().filter(|_| has_ended) {
        text.push_str(&format!("delegate={delegate}, "));
    }
    let client = entry.client_name.as_deref().unwrap_or("unknown");
    text.push_str(&format!("client={client}, origin={}", entry.origin));
    if has_ended {
        let kind = match (full, failed) {
            (true, _) => "completed",
            (false, true) => "last-failed",
            (false, false) => "last-successful",
        };
        text.push_str(&format!(", {kind}='{}'", moment(entry)));
    }
    if let Some(node) = later.filter(|_| failed) {
        text.push_str(&format!(" (a later attempt from {node} succeeded)"));
    }
    text
}

fn moment(entry: &HistoryEntry) -> String {
    let text = date::utc(entry.completed.secs);
    let micros = entry.completed.nanos / 1000;
    match text.strip_suffix('Z') {
        Some(whole) => format!("{whole}.{micros:06}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use messages::fencer::ActionResult;
    use model::{ExecStatus, WallTime};

    fn entry(state: OpState, secs: i64, delegate: Option<&str>) -> HistoryEntry {
        let failed = ActionResult::not_done(ExecStatus::Timeout, "Fence agent did not complete within 2s");
        HistoryEntry {
            remote_op: None,
            target: "n3".into(),
            action: "off".into(),
            origin: "n1".into(),
            delegate: delegate.map(str::to_owned),
            client_name: Some("stonith_admin.7".into()),
            completed: WallTime { secs, nanos: 5_000 },
            state,
            result: if state == OpState::Failed { failed } else { ActionResult::ok() },
        }
    }

    #[test]
    fn history_reads_as_in_pacemaker() {
        let mut history = [
            entry(OpState::Failed, 86_400, None),
            entry(OpState::Done, 86_401, Some("n2")),
            entry(OpState::Exec, 0, None),
        ];
        sort(&mut history);
        assert_eq!(
            history.each_ref().map(|entry| entry.state),
            [OpState::Exec, OpState::Done, OpState::Failed]
        );
        assert_eq!(
            describe(&history[1], false, None),
            "turning off of n3 successful: delegate=n2, client=stonith_admin.7, origin=n1, \
             last-successful='1970-01-02 00:00:01.000005Z'"
        );
        let later = later_success(&history[2], &history);
        assert_eq!(
            describe(&history[2], true, later),
            "turning off of n3 failed (Fence agent did not complete within 2s): client=stonith_admin.7, origin=n1, \
             completed='1970-01-02 00:00:00.000005Z' (a later attempt from n2 succeeded)"
        );
        assert_eq!(
            describe(&history[0], true, None),
            "turning off of n3 pending: client=stonith_admin.7, origin=n1"
        );
    }
}
