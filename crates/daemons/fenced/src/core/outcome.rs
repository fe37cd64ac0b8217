// SPDX-License-Identifier: GPL-2.0-or-later
//! How a fencing operation ends: its owner tells all, and all take note.
//!
//! Also what becomes of operations when fencers leave in their midst.

use super::Fencer;
use super::operation::{Operation, Phase};
use super::timers::Timer;
use messages::core::{Level, Output};
use messages::fencer::{
    ActionResult, Command, Event as News, Fence, FenceNotice, FenceReply, OpState, Reply, Request, Topic,
};
use model::{ExecStatus, Now};
use std::collections::BTreeSet;
use xml::Element;

impl Fencer {
    /// Ends an operation of this node: by telling all, this one included.
    pub(super) fn end(&mut self, id: &str, result: ActionResult, now: Now) {
        self.clear_timers(id);
        let Some(operation) = self.operations.get_mut(id) else { return };
        if operation.is_ending || operation.is_told {
            return;
        }
        operation.is_ending = true;
        operation.phase = Phase::Requested;
        operation.completed = now.wall;
        operation.state = if result.is_ok() { OpState::Done } else { OpState::Failed };
        operation.result = result;
        let notice = operation.notice();
        self.broadcasts += 1;
        let message = notice.to_broadcast(self.broadcasts, false);
        self.send(None, message);
    }

    pub(super) fn clear_timers(&mut self, id: &str) {
        for timer in [Timer::Query(id.into()), Timer::OnePeer(id.into()), Timer::Total(id.into())] {
            self.timers.clear(&timer);
        }
    }

    /// All are told how an operation has ended; by its owner, or by who has fenced the owner.
    pub(super) fn outcome_told(&mut self, from: &str, reply: &FenceReply, message: &Element, now: Now) {
        let id = reply.remote_op.clone();
        let notice = FenceNotice::from_xml(message);
        if !self.operations.contains_key(&id) {
            // It began before this fencer did.
            let Some(notice) = &notice else { return };
            let mut command = Command::new(Request::TimeoutUpdate, 0, 0, 0);
            command.client.id.clone_from(&notice.client_id);
            command.client.name.clone_from(&notice.client_name);
            let operation =
                Operation::new(id.clone(), &command, &notice.target, &notice.action, &notice.origin, now);
            self.operations.insert(id.clone(), operation);
        }
        let Some(operation) = self.operations.get_mut(&id) else { return };
        if operation.is_told {
            let text = format!("Result for operation {} arrived too late", operation.short_id());
            self.log(Level::Notice, text);
            return;
        }
        operation.result = reply.result.clone();
        operation.state = if reply.result.is_ok() { OpState::Done } else { OpState::Failed };
        let told_delegate = notice.as_ref().and_then(|notice| notice.delegate.clone());
        let own = message.attr("st_delegate").map(str::to_owned);
        let fallback = || (notice.is_none() && reply.result.is_ok()).then(|| from.to_owned());
        operation.delegate = told_delegate.or(own).or_else(|| operation.delegate.clone()).or_else(fallback);
        self.conclude(&id, reply.merged, now);
    }

    /// Takes note of an end: log, clients, history, and what was merged with it.
    fn conclude(&mut self, id: &str, merged: bool, now: Now) {
        self.clear_timers(id);
        let Some(operation) = self.operations.get_mut(id) else { return };
        operation.phase = Phase::Requested;
        operation.completed = now.wall;
        operation.is_told = true;
        operation.is_ending = true;
        operation.peers.clear();
        let notice = operation.notice();
        let duplicates = std::mem::take(&mut operation.duplicates);
        let by_us =
            self.local.as_ref().is_some_and(|local| local.name.eq_ignore_ascii_case(&operation.origin));
        let level = if notice.result.is_ok() || merged || !by_us { Level::Notice } else { Level::Error };
        let reason = notice.result.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let text = format!(
            "Operation '{}' targeting {} by {} for {}@{}{}: {} ({}{reason}) | id={}",
            notice.action,
            notice.target,
            notice.delegate.as_deref().unwrap_or("unknown node"),
            operation.client_name(),
            notice.origin,
            if merged { " (merged)" } else { "" },
            notice.result.exit.as_str(),
            notice.result.status.as_str(),
            operation.short_id()
        );
        let reply = self.reply_of(id);
        self.log(level, text);
        self.outputs.extend(reply);
        self.tell(Topic::Fence, &News::Fence(Box::new(notice.clone())));
        self.tell_history_changed();
        for duplicate in duplicates {
            if let Some(other) =
                self.operations.get_mut(&duplicate).filter(|other| other.state == OpState::Duplicate)
            {
                other.state = notice.state;
                other.result = notice.result.clone();
                other.delegate.clone_from(&notice.delegate);
                self.conclude(&duplicate, true, now);
            }
        }
    }

    /// The answer to the client that asked, if it is one of this node.
    fn reply_of(&mut self, id: &str) -> Option<Output<super::Effect>> {
        let operation = self.operations.get(id)?;
        let client = self.client_of(operation.client.id.as_deref())?;
        let fence = Fence {
            target: operation.target.clone(),
            action: operation.requested.clone(),
            ..Fence::default()
        };
        let mut command = Command::new(
            Request::Fence(fence),
            operation.call_id,
            operation.options,
            operation.base_timeout_s,
        );
        command.client = operation.client.clone();
        command.remote_op = Some(operation.id.clone());
        let data = Element::new("remote-op")
            .with_attr("state", operation.state.value())
            .with_attr("st_target", &operation.target)
            .with_attr("st_op", &operation.requested);
        let mut reply = Reply::to(&command, operation.result.clone()).with_data(data);
        reply.delegate.clone_from(&operation.delegate);
        let message = reply.to_xml(&command);
        let known = self.clients.get_mut(&client)?;
        let waiting = if command.is_sync() { known.waiting.remove(&command.call_id) } else { None };
        Some(match waiting {
            Some(request) => Output::Respond { client, request, message, after: None },
            None => Output::Event { client, message, after: None },
        })
    }

    /// Fencers have gone: nobody waits for them any more.
    pub(super) fn peers_left(&mut self, before: &BTreeSet<String>, now: Now) {
        let left: Vec<String> = before.iter().filter(|peer| !self.is_active(peer)).cloned().collect();
        if left.is_empty() {
            return;
        }
        let is_pending = |operation: &&Operation| operation.state.is_pending() && !operation.is_ending;
        let pending: Vec<String> =
            self.operations.values().filter(is_pending).map(|operation| operation.id.clone()).collect();
        for id in pending {
            let Some(operation) = self.operations.get_mut(&id) else { continue };
            let is_gone = |name: &str| left.iter().any(|peer| peer.eq_ignore_ascii_case(name));
            if operation.is_owner {
                let asked = operation.asked.clone().filter(|asked| is_gone(asked));
                match (operation.state, asked) {
                    (OpState::Exec, Some(asked)) => {
                        let reason = format!("{asked} left before it returned a fence result");
                        operation.result = ActionResult::not_done(ExecStatus::Error, reason.clone());
                        self.timers.clear(&Timer::OnePeer(id.clone()));
                        self.log(Level::Notice, format!("{reason}, asking another"));
                        self.ask_a_peer(&id, now);
                    }
                    (OpState::Query, _) => self.act_on_answers(&id, None, now),
                    _ => {}
                }
            } else if is_gone(&operation.origin) && !operation.target.eq_ignore_ascii_case(&operation.origin)
            {
                self.orphaned(&id, now);
            }
        }
    }

    /// The owner of an operation has gone. What was merged with it goes on by itself.
    fn orphaned(&mut self, id: &str, now: Now) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        operation.state = OpState::Failed;
        operation.completed = now.wall;
        operation.result = ActionResult::not_done(ExecStatus::Error, "Originator is dead");
        let duplicates = std::mem::take(&mut operation.duplicates);
        let text = format!(
            "Failing action '{}' targeting {} originating from client {}@{}: Originator is dead | id={}",
            operation.requested,
            operation.target,
            operation.client_name(),
            operation.origin,
            operation.short_id()
        );
        self.log(Level::Notice, text);
        self.tell_history_changed();
        for duplicate in duplicates {
            if self.operations.get(&duplicate).is_some_and(|other| other.is_owner) {
                self.ask_everybody(&duplicate, now);
            }
        }
    }
}
