// SPDX-License-Identifier: GPL-2.0-or-later
//! What was fenced, and what is being fenced.

use super::ActionResult;
use model::{ExecStatus, ExitCode, WallTime};
use std::fmt;
use xml::Element;

/// How far a fencing operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum OpState {
    /// Somebody who can do it is looked for.
    Query = 0,
    /// It is being done.
    Exec = 1,
    /// The node was fenced.
    Done = 2,
    /// An equal one goes on already.
    Duplicate = 3,
    /// It failed.
    Failed = 4,
}

impl OpState {
    /// The number on the wire.
    pub const fn value(self) -> i32 {
        self as i32
    }

    /// From the number on the wire; numbers nobody knows are `Failed`.
    pub const fn from_value(value: i32) -> OpState {
        match value {
            0 => OpState::Query,
            1 => OpState::Exec,
            2 => OpState::Done,
            3 => OpState::Duplicate,
            _ => OpState::Failed,
        }
    }

    /// It has not ended.
    pub const fn is_pending(self) -> bool {
        !matches!(self, OpState::Done | OpState::Failed)
    }
}

impl fmt::Display for OpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            OpState::Query => "querying",
            OpState::Exec => "executing",
            OpState::Done => "done",
            OpState::Duplicate => "duplicate",
            OpState::Failed => "failed",
        })
    }
}

/// One fencing operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Which operation; clients are not told.
    pub remote_op: Option<String>,
    /// Which node.
    pub target: String,
    /// `off`, `reboot` or `on`.
    pub action: String,
    /// The node whose client asked.
    pub origin: String,
    /// The node that did it.
    pub delegate: Option<String>,
    /// The client's name.
    pub client_name: Option<String>,
    /// When it ended; the epoch if it has not.
    pub completed: WallTime,
    /// How far it is.
    pub state: OpState,
    /// How it ended.
    pub result: ActionResult,
}

impl HistoryEntry {
    fn to_xml(&self) -> Element {
        let mut entry = Element::new("st_execute");
        entry.set_attr_opt("st_remote_op", self.remote_op.as_ref());
        entry.set_attr("st_target", &self.target);
        entry.set_attr("st_device_action", &self.action);
        entry.set_attr("st_origin", &self.origin);
        entry.set_attr_opt("st_delegate", self.delegate.as_ref());
        entry.set_attr_opt("st_clientname", self.client_name.as_ref());
        entry.set_attr("st_date", self.completed.secs);
        entry.set_attr("st_date_nsec", self.completed.nanos);
        entry.set_attr("st_state", self.state.value());
        self.result.write(&mut entry);
        entry
    }

    fn from_xml(entry: &Element) -> Option<HistoryEntry> {
        let text = |name| entry.attr(name).map(str::to_owned);
        let result = if entry.attr("rc-code").is_some() {
            ActionResult::read(entry)
        } else {
            ActionResult { exit: ExitCode::INDETERMINATE, status: ExecStatus::Unknown, ..ActionResult::ok() }
        };
        Some(HistoryEntry {
            remote_op: text("st_remote_op"),
            target: text("st_target")?,
            action: text("st_device_action")?,
            origin: text("st_origin").unwrap_or_default(),
            delegate: text("st_delegate"),
            client_name: text("st_clientname"),
            completed: WallTime {
                secs: entry.attr("st_date").and_then(|secs| secs.parse().ok()).unwrap_or_default(),
                nanos: entry.attr("st_date_nsec").and_then(|nanos| nanos.parse().ok()).unwrap_or_default(),
            },
            state: OpState::from_value(entry.attr("st_state")?.parse().ok()?),
            result,
        })
    }
}

/// A history for the wire. `differential`: what the receiver did not have.
pub fn history_to_xml<'a>(
    entries: impl IntoIterator<Item = &'a HistoryEntry>,
    differential: bool,
) -> Element {
    let mut history = Element::new("st_history");
    if differential {
        history.set_attr("st_differential", "true");
    }
    history.with_children(entries.into_iter().map(HistoryEntry::to_xml))
}

/// The entries of an `<st_history>`, and whether they are differential. Entries that make no sense are left out.
pub fn history_from_xml(history: &Element) -> (Vec<HistoryEntry>, bool) {
    let differential = history.attr("st_differential").and_then(model::parse_bool) == Some(true);
    (history.elements().filter_map(HistoryEntry::from_xml).collect(), differential)
}
