// SPDX-License-Identifier: GPL-2.0-or-later
//! What was fenced: bounded, the same on all nodes as far as they have heard of it.

use super::Fencer;
use super::jobs::Asker;
use super::operation::Operation;
use messages::core::{ClientId, Level};
use messages::fencer::{
    ActionResult, Command, Event as News, HistoryEntry, OpState, Reply, Request, Topic, history_from_xml,
    history_to_xml, options,
};
use model::{ExecStatus, ExitCode, Now};
use std::collections::{BTreeMap, BTreeSet};
use xml::Element;

/// More operations than this are not kept; then half of it.
const LIMIT: usize = 500;

impl Fencer {
    pub(super) fn history_for_client(&mut self, client: ClientId, command: &Command, target: Option<&str>) {
        let asker = Asker::Client(client);
        if command.options & options::CLEANUP != 0 {
            // Done here, too, when it comes back.
            self.broadcast_history(None, options::CLEANUP, target);
            self.reply(&asker, command, ActionResult::ok());
        } else if command.options & options::BROADCAST != 0 {
            self.tell(Topic::HistorySynced, &News::HistorySynced);
            let known = history_to_xml(&self.history(None), false);
            self.broadcast_history(Some(known), options::BROADCAST, None);
            self.reply(&asker, command, ActionResult::ok());
        } else {
            let mut entries = self.history(target);
            for entry in &mut entries {
                entry.remote_op = None;
            }
            let reply = Reply::to(command, ActionResult::ok()).with_data(history_to_xml(&entries, false));
            self.answer(&asker, command, reply.to_xml(command));
        }
    }

    /// Another fencer (or this one) tells what it knows, or wants it erased.
    pub(super) fn history_from_peer(
        &mut self,
        is_self: bool,
        command: &Command,
        target: Option<&str>,
        known: Option<&Element>,
        now: Now,
    ) {
        if command.options & options::CLEANUP != 0 {
            self.operations.retain(|_, operation| {
                let is_wanted = target.is_none_or(|target| operation.target.eq_ignore_ascii_case(target));
                operation.state.is_pending() || !is_wanted
            });
            self.tell_history_changed();
            return;
        }
        if command.options & options::BROADCAST == 0 {
            return;
        }
        self.tell(Topic::HistorySynced, &News::HistorySynced);
        if is_self {
            return;
        }
        let (theirs, is_difference) = known.map(history_from_xml).unwrap_or_default();
        let lacking = self.merge(theirs, now);
        if !is_difference && !lacking.is_empty() {
            let difference = history_to_xml(&lacking, true);
            self.broadcast_history(Some(difference), options::BROADCAST, None);
        }
    }

    /// Those who have just joined know nothing: one who was there before tells them.
    pub(super) fn share_history_with_new_peers(&mut self, before: &BTreeSet<String>) {
        let local = self.local_name().to_owned();
        let has_new = self.peers.iter().any(|peer| !before.contains(peer) && *peer != local);
        let first_old = self.peers.intersection(before).next();
        if has_new && first_old == Some(&local) && !self.operations.is_empty() {
            let known = history_to_xml(&self.history(None), false);
            self.broadcast_history(Some(known), options::BROADCAST, None);
        }
    }

    fn broadcast_history(&mut self, known: Option<Element>, option: u32, target: Option<&str>) {
        let request = Request::History { target: target.map(str::to_owned), known };
        let message = Command::new(request, 0, option | options::DISCARD_REPLY, 0).to_xml();
        self.send(None, message);
    }

    /// Newest first; what goes on before all.
    fn history(&self, target: Option<&str>) -> Vec<HistoryEntry> {
        let wanted = self
            .operations
            .values()
            .filter(|operation| target.is_none_or(|target| operation.target.eq_ignore_ascii_case(target)));
        let mut entries: Vec<HistoryEntry> = wanted.map(Operation::to_history).collect();
        entries.sort_by(|a, b| {
            let key = |entry: &HistoryEntry| (!entry.state.is_pending(), std::cmp::Reverse(entry.completed));
            key(a).cmp(&key(b)).then_with(|| a.remote_op.cmp(&b.remote_op))
        });
        entries
    }

    /// Takes over what another node knows better; says what it does not know.
    fn merge(&mut self, theirs: Vec<HistoryEntry>, now: Now) -> Vec<HistoryEntry> {
        let mut theirs: BTreeMap<String, HistoryEntry> =
            theirs.into_iter().filter_map(|entry| Some((entry.remote_op.clone()?, entry))).collect();
        let mut lacking = Vec::new();
        let mut is_changed = false;
        for operation in self.operations.values_mut() {
            match theirs.remove(&operation.id) {
                None => lacking.push(operation.to_history()),
                Some(entry) if operation.state.is_pending() && !entry.state.is_pending() => {
                    let id = operation.id.clone();
                    let duplicates = std::mem::take(&mut operation.duplicates);
                    *operation = Operation::from_history(id, entry, now);
                    operation.duplicates = duplicates;
                    is_changed = true;
                }
                Some(entry) if !operation.state.is_pending() && entry.state.is_pending() => {
                    lacking.push(operation.to_history());
                }
                Some(_) => {}
            }
        }
        for (id, entry) in theirs {
            is_changed = true;
            let mut operation = Operation::from_history(id.clone(), entry, now);
            if operation.state.is_pending() && self.is_local(&operation.origin) {
                // Ours, and we do not know it: it was begun by a fencer of this node that is gone.
                let text = format!(
                    "Failing pending operation {} originated by us but known only from peer history",
                    operation.short_id()
                );
                self.log(Level::Warning, text);
                operation.state = OpState::Failed;
                operation.completed = now.wall;
                operation.result = ActionResult {
                    exit: ExitCode::EXPIRED,
                    status: ExecStatus::Invalid,
                    reason: Some("Initiated by earlier fencer process and presumed failed".to_owned()),
                    output: None,
                };
                self.broadcasts += 1;
                let message = operation.notice().to_broadcast(self.broadcasts, false);
                self.send(None, message);
            }
            self.operations.insert(id, operation);
        }
        if is_changed {
            self.trim_history();
            self.tell_history_changed();
        }
        lacking
    }

    /// Forgets the oldest operations that have ended, if there are too many.
    pub(super) fn trim_history(&mut self) {
        if self.operations.len() <= LIMIT {
            return;
        }
        let keep: BTreeSet<String> =
            self.history(None).into_iter().take(LIMIT / 2).filter_map(|entry| entry.remote_op).collect();
        self.operations.retain(|id, operation| operation.state.is_pending() || keep.contains(id));
    }
}
