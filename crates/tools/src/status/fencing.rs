// SPDX-License-Identifier: GPL-2.0-or-later
//! What was fenced, and what is being fenced.
//!
//! Decides: order, what is left out, the words. Given: the history as the fencer has it. Leaves to others: asking it.

use super::outline::Outline;
use super::{Sections, View};
use crate::date;
use crate::output::Entry;
use messages::fencer::{HistoryEntry, OpState};
use model::ExitCode;
use std::cmp::Reverse;

/// What the fencer says: newest first, what goes on before all; or why it says nothing.
#[derive(Clone, Debug)]
pub(crate) struct FencingHistory(Result<Vec<HistoryEntry>, ExitCode>);

impl FencingHistory {
    /// Puts it in order.
    pub fn new(answer: Result<Vec<HistoryEntry>, ExitCode>) -> FencingHistory {
        FencingHistory(answer.map(|mut entries| {
            sort(&mut entries);
            entries
        }))
    }

    /// Without what is outdated: of what ended alike for a node, only the last.
    pub fn reduced(self) -> FencingHistory {
        FencingHistory(self.0.map(|entries| {
            let mut kept: Vec<HistoryEntry> = Vec::new();
            // Quadratic in the kinds of what happened, which are few; the fencer's history is limited besides.
            for entry in entries {
                let outdated =
                    !entry.state.is_pending() && kept.iter().any(|newer| is_of_a_kind(&entry, newer));
                if !outdated {
                    kept.push(entry);
                }
            }
            kept
        }))
    }
}

/// Newest first; what goes on before all.
pub(crate) fn sort(history: &mut [HistoryEntry]) {
    history.sort_by_key(|entry| (!entry.state.is_pending(), Reverse(entry.completed)));
}

fn is_of_a_kind(one: &HistoryEntry, other: &HistoryEntry) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (None, None) => true,
        _ => false,
    };
    one.target.eq_ignore_ascii_case(&other.target)
        && one.action == other.action
        && one.state == other.state
        && (one.state == OpState::Done || same(&one.delegate, &other.delegate))
}

/// Who succeeded later where this one failed, if anybody did.
pub(crate) fn later_success<'a>(entry: &HistoryEntry, newest_first: &'a [HistoryEntry]) -> Option<&'a str> {
    let later = newest_first.iter().take_while(|other| *other != entry).filter(|other| {
        other.state == OpState::Done
            && other.target.eq_ignore_ascii_case(&entry.target)
            && other.action == entry.action
            && other.completed > entry.completed
    });
    let later: Vec<&HistoryEntry> = later.collect();
    let same = later.iter().find(|other| entry.delegate.is_none() || other.delegate == entry.delegate);
    let found = same.or_else(|| later.first())?;
    Some(found.delegate.as_deref().unwrap_or("some node"))
}

/// How one is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling {
    /// It is one of all there are, not the last of its kind.
    pub full: bool,
    /// With all technical details.
    pub details: bool,
}

/// One line.
pub(crate) fn describe(entry: &HistoryEntry, telling: Telling, later: Option<&str>) -> String {
    let action = match entry.action.as_str() {
        "on" => "unfencing",
        "off" => "turning off",
        other => other,
    };
    let ended = !entry.state.is_pending();
    let failed = entry.state == OpState::Failed;
    let state = match entry.state {
        OpState::Failed => "failed",
        OpState::Done => "successful",
        OpState::Query | OpState::Exec | OpState::Duplicate => "pending",
    };
    let delegate = entry.delegate.as_ref().filter(|_| ended);
    let client = entry.client_name.as_deref().unwrap_or("unknown");
    let reason = entry.result.reason.as_ref().filter(|_| failed);
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let mut text = format!("{action} of {}", entry.target);
    if telling.details {
        let delegate = delegate.map(|delegate| format!("delegate={delegate}, ")).unwrap_or_default();
        text.push_str(&format!(" {state}{reason}: {delegate}client={client}, origin={}", entry.origin));
        let kind = match (telling.full, failed) {
            (true, _) => "completed",
            (false, true) => "last-failed",
            (false, false) => "last-successful",
        };
        if ended {
            text.push_str(&format!(", {kind}='{}'", moment(entry)));
        }
    } else {
        let delegate = delegate.map(|delegate| format!(" by {delegate}")).unwrap_or_default();
        let last = if telling.full { "" } else { " last" };
        text.push_str(&format!("{delegate} for {client}@{}{last} {state}{reason}", entry.origin));
        if ended {
            text.push_str(&format!(" at {}", moment(entry)));
        }
    }
    if let Some(node) = later.filter(|_| failed) {
        text.push_str(&format!(" (a later attempt from {node} succeeded)"));
    }
    text
}

/// When it ended.
pub(crate) fn moment(entry: &HistoryEntry) -> String {
    let text = date::utc(entry.completed.secs);
    let micros = entry.completed.nanos / 1000;
    match text.strip_suffix('Z') {
        Some(whole) => format!("{whole}.{micros:06}Z"),
        None => text,
    }
}

fn event(view: View<'_>, entry: &HistoryEntry, all: &[HistoryEntry], out: &mut Outline) {
    let telling = Telling { full: view.sections.has_all_fencing(), details: view.show.failure_details };
    let class = match entry.state {
        OpState::Failed => "failed-stonith-event",
        OpState::Done => "successful-stonith-event",
        OpState::Query | OpState::Exec | OpState::Duplicate => "pending-stonith-event",
    };
    out.classed_line(class, describe(entry, telling, later_success(entry, all)));
}

fn tell_list<'e>(
    out: &mut Outline,
    view: View<'_>,
    title: &str,
    spacer: bool,
    entries: impl Iterator<Item = &'e HistoryEntry>,
    all: &[HistoryEntry],
) -> bool {
    let mut section = out.section(title, spacer);
    for entry in entries.filter(|entry| view.nodes.has_node(&entry.target)) {
        section.open(out);
        event(view, entry, all, out);
    }
    section.close(out)
}

fn tell_failure(out: &mut Outline, spacer: bool, code: ExitCode) -> bool {
    let mut section = out.section("Failed Fencing Actions", spacer);
    section.open(out);
    out.line(format!("Failed to get fencing history: {code}"));
    section.close(out)
}

/// Fencing that failed.
pub(super) fn tell_failed(out: &mut Outline, view: View<'_>, spacer: bool, failure_told: &mut bool) -> bool {
    let Some(FencingHistory(answer)) = view.fencing.filter(|_| view.sections.fencing_failed) else {
        return false;
    };
    match answer {
        Ok(all) => {
            let failed = all.iter().filter(|entry| entry.state == OpState::Failed);
            tell_list(out, view, "Failed Fencing Actions", spacer, failed, all)
        }
        Err(code) => {
            *failure_told = true;
            tell_failure(out, spacer, *code);
            false
        }
    }
}

/// Fencing that did not fail: all of it, or what still goes on.
pub(super) fn tell_others(out: &mut Outline, view: View<'_>, spacer: bool, failure_told: bool) -> bool {
    let Sections { fencing_succeeded, fencing_pending, .. } = view.sections;
    let Some(FencingHistory(answer)) = view.fencing.filter(|_| view.sections.has_fencing()) else {
        return false;
    };
    match answer {
        Err(code) => {
            if !failure_told {
                tell_failure(out, spacer, *code);
            }
            false
        }
        Ok(all) if fencing_succeeded => {
            let others = all.iter().filter(|entry| entry.state != OpState::Failed);
            tell_list(out, view, "Fencing History", spacer, others, all)
        }
        Ok(all) if fencing_pending => {
            let pending = all.iter().take_while(|entry| entry.state.is_pending());
            tell_list(out, view, "Pending Fencing Actions", spacer, pending, all)
        }
        Ok(_) => false,
    }
}

/// All of it; none unless every kind is looked at.
pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    match view.fencing.filter(|_| view.sections.has_all_fencing())? {
        FencingHistory(Err(code)) => Some(Entry::new("fence_history").attr("status", code.value())),
        FencingHistory(Ok(all)) => {
            let mut shown = all.iter().filter(|entry| view.nodes.has_node(&entry.target)).peekable();
            shown.peek()?;
            Some(Entry::new("fence_history").items(shown.map(event_entry)))
        }
    }
}

fn event_entry(entry: &HistoryEntry) -> Entry {
    let out = Entry::new("fence_event")
        .attr("action", &entry.action)
        .attr("target", &entry.target)
        .attr("client", entry.client_name.as_deref().unwrap_or("unknown"))
        .attr("origin", &entry.origin);
    let out = match entry.state {
        OpState::Failed => out.attr("status", "failed").attr_opt("exit-reason", entry.result.reason.as_ref()),
        OpState::Done => out.attr("status", "success"),
        state => out.attr("status", "pending").attr("extended-status", state.value()),
    };
    let ended = (!entry.state.is_pending()).then(|| moment(entry));
    out.attr_opt("delegate", entry.delegate.as_ref()).attr_opt("completed", ended)
}
