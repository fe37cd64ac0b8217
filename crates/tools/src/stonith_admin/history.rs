// SPDX-License-Identifier: GPL-2.0-or-later
//! How what was fenced is told.
//!
//! Decides: what of it is shown. Given: what the fencer remembers. Leaves to others: order and words (`status::fencing`).

use super::report::{count, list_entry};
use crate::output::{Entry, Message};
use crate::status::fencing::{Telling, describe, later_success, moment};
use messages::fencer::{HistoryEntry, OpState};

/// One line, with all details. `full`: one of all there are, not the last of its kind.
fn line(entry: &HistoryEntry, full: bool, later: Option<&str>) -> String {
    describe(entry, Telling { full, details: true }, later)
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
            history.iter().map(|entry| line(entry, true, later_success(entry, history))).collect()
        } else {
            self.last().map(|last| line(last, false, None)).into_iter().collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fencing::sort;
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
            line(&history[1], false, None),
            "turning off of n3 successful: delegate=n2, client=stonith_admin.7, origin=n1, \
             last-successful='1970-01-02 00:00:01.000005Z'"
        );
        let later = later_success(&history[2], &history);
        assert_eq!(
            line(&history[2], true, later),
            "turning off of n3 failed (Fence agent did not complete within 2s): client=stonith_admin.7, origin=n1, \
             completed='1970-01-02 00:00:00.000005Z' (a later attempt from n2 succeeded)"
        );
        assert_eq!(
            line(&history[0], true, None),
            "turning off of n3 pending: client=stonith_admin.7, origin=n1"
        );
    }
}
