// SPDX-License-Identifier: GPL-2.0-or-later
//! A fencing operation from the request to the broadcast of its outcome.
//!
//! The owner asks all fencers who can (query), asks one of those to do it, then another if that fails, and tells all how
//! it ended. Every fencer, the owner included, takes note when it hears of it, not before.

use super::Fencer;
use super::jobs::Asker;
use super::operation::{Choice, Operation, Phase, with_margin};
use super::timers::Timer;
use messages::core::{ClientId, Level};
use messages::fencer::{
    ActionResult, Command, Fence, FenceReply, OpState, QueryReply, Request, is_fencing_action, options,
};
use model::{ExecStatus, Now};
use std::time::Duration;
use xml::Element;

/// Timeout of clients that do not say.
const DEFAULT_TIMEOUT_S: u32 = 60;

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

impl Fencer {
    /// A client wants a node fenced.
    pub(super) fn fence_for_client(
        &mut self,
        client: ClientId,
        mut command: Command,
        mut fence: Fence,
        now: Now,
    ) {
        let asker = Asker::Client(client);
        if self.local.is_none() {
            self.reply(&asker, &command, super::not_joined());
            return;
        }
        if !is_fencing_action(&fence.action) {
            let reason = format!("'{}' is no fencing action (expected off, reboot or on)", fence.action);
            self.reply(&asker, &command, ActionResult::bad_request(reason));
            return;
        }
        if command.options & options::TARGET_IS_NODE_ID != 0 {
            fence.target = self.name_of(&fence.target);
        }
        if command.timeout_s == 0 {
            command.timeout_s = DEFAULT_TIMEOUT_S;
        }
        if command.options & options::MANUAL_ACK != 0 {
            self.confirm(&command, &fence, now);
            return;
        }
        self.log(
            Level::Notice,
            format!(
                "Client {} wants to fence ({}) {} using {}",
                command.client.name.as_deref().unwrap_or("unknown"),
                fence.action,
                fence.target,
                fence.device.as_deref().unwrap_or("any device")
            ),
        );
        if self.was_just_fenced(&fence, now) {
            self.reply(&asker, &command, ActionResult::ok());
            return;
        }
        match self.peer_instead_of_self(&fence.target) {
            Some(peer) => self.relay(&peer, command, fence, now),
            None => self.initiate(&command, &fence, None, now),
        }
    }

    /// A human says that the node is off.
    fn confirm(&mut self, command: &Command, fence: &Fence, now: Now) {
        let text = format!("Received manual confirmation that {} has been fenced", fence.target);
        self.log(Level::Notice, text);
        let id = self.create(command, fence, now);
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.is_owner = true;
            operation.state = OpState::Done;
            operation.delegate = Some("a human".to_owned());
        }
        self.end(&id, ActionResult::ok(), now);
    }

    fn was_just_fenced(&mut self, fence: &Fence, now: Now) -> bool {
        let tolerance_s = i64::from(fence.tolerance_s);
        let is_it = |operation: &&Operation| {
            operation.state == OpState::Done
                && operation.target.eq_ignore_ascii_case(&fence.target)
                && operation.requested == fence.action
                && now.wall.secs - operation.completed.secs <= tolerance_s
        };
        let Some(last) = self.operations.values().find(is_it).filter(|_| tolerance_s > 0) else {
            return false;
        };
        let text = format!(
            "Target {} was fenced ({}) less than {tolerance_s}s ago by {} on behalf of {}",
            fence.target,
            fence.action,
            last.delegate.as_deref().unwrap_or("unknown node"),
            last.origin
        );
        self.log(Level::Notice, text);
        true
    }

    /// If this node is the target, somebody else should see to it: this one may not live to tell.
    fn peer_instead_of_self(&mut self, target: &str) -> Option<String> {
        if !self.is_local(target) {
            return None;
        }
        let other = self.peers.iter().find(|peer| !peer.eq_ignore_ascii_case(target)).cloned();
        match &other {
            Some(peer) => self.log(Level::Notice, format!("Forwarding self-fencing request to {peer}")),
            None => {
                self.log(Level::Warning, "Will handle own fencing because no peer can".to_owned());
            }
        }
        other
    }

    fn relay(&mut self, peer: &str, command: Command, fence: Fence, now: Now) {
        let id = self.create(&command, &fence, now);
        let relayed = Command { request: Request::Relay(fence), remote_op: Some(id), ..command };
        self.send(Some(peer), relayed.to_xml());
    }

    /// Another node asks this one to see to its own fencing.
    pub(super) fn relayed(&mut self, from: &str, mut command: Command, mut fence: Fence, now: Now) {
        if command.options & options::TARGET_IS_NODE_ID != 0 {
            fence.target = self.name_of(&fence.target);
        }
        let (action, target) = (&fence.action, &fence.target);
        self.log(
            Level::Notice,
            format!("Received forwarded fencing request from peer {from} to fence ({action}) peer {target}"),
        );
        let relay_of = command.remote_op.take();
        command.client.name = Some(format!("pacemaker-fenced.{}", self.config.pid));
        self.initiate(&command, &fence, relay_of, now);
    }

    /// A new operation of this node, for a client's request.
    fn create(&mut self, command: &Command, fence: &Fence, now: Now) -> String {
        let id = self.ids.next(now.wall);
        let origin = self.local_name().to_owned();
        let mut operation = Operation::new(id.clone(), command, &fence.target, &fence.action, &origin, now);
        operation.delay_s = fence.delay_s;
        operation.expected.clone_from(&self.peers);
        self.insert(operation, now);
        id
    }

    fn insert(&mut self, mut operation: Operation, now: Now) {
        self.merge_into_equal(&mut operation, now);
        let is_news = operation.state != OpState::Duplicate;
        self.operations.insert(operation.id.clone(), operation);
        if is_news {
            self.tell_history_changed();
        }
        self.trim_history();
    }

    /// If the same goes on for another client already, the new operation ends with that.
    fn merge_into_equal(&mut self, operation: &mut Operation, now: Now) {
        let is_equal = |(_, other): &(&String, &mut Operation)| {
            matches!(other.state, OpState::Query | OpState::Exec)
                && other.id != operation.id
                && other.target.eq_ignore_ascii_case(&operation.target)
                && other.requested == operation.requested
                && other.client_name() != operation.client_name()
                // Self-fencing is relayed; and what an owner that is gone has begun, nobody ends.
                && !other.target.eq_ignore_ascii_case(&other.origin)
                && self.peers.iter().any(|peer| peer.eq_ignore_ascii_case(&other.origin))
                && (other.total_timeout_s == 0 || other.age_s(now) <= other.total_timeout_s.into())
        };
        let Some((_, other)) = self.operations.iter_mut().find(is_equal) else { return };
        other.duplicates.push(operation.id.clone());
        if other.total_timeout_s == 0 {
            other.total_timeout_s = with_margin(operation.whole_timeout_s(None, &self.topology));
        }
        operation.total_timeout_s = other.total_timeout_s;
        operation.state = OpState::Duplicate;
        let text = format!(
            "Merging fencing action '{}' targeting {} originating from client {} with identical request from {}@{} \
             | original={} duplicate={} total_timeout={}s",
            operation.requested,
            operation.target,
            operation.client_name(),
            other.client_name(),
            other.origin,
            operation.short_id(),
            other.short_id(),
            other.total_timeout_s
        );
        self.log(Level::Notice, text);
    }

    fn initiate(&mut self, command: &Command, fence: &Fence, relay_of: Option<String>, now: Now) {
        let id = self.create(command, fence, now);
        let Some(operation) = self.operations.get_mut(&id) else { return };
        operation.is_owner = true;
        operation.relay_of = relay_of;
        if operation.state == OpState::Duplicate {
            let timeout_s = operation.total_timeout_s;
            self.tell_timeout(&id, timeout_s);
            return;
        }
        self.ask_everybody(&id, now);
    }

    pub(super) fn ask_everybody(&mut self, id: &str, now: Now) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        operation.state = OpState::Query;
        operation.expected.clone_from(&self.peers);
        operation.next_level(&self.topology);
        let mut query = Command::new(
            Request::Query {
                target: Some(operation.target.clone()),
                action: Some(operation.requested.clone()),
            },
            operation.call_id,
            operation.options,
            operation.base_timeout_s,
        );
        query.client = operation.client.clone();
        query.remote_op = Some(operation.id.clone());
        query.origin = Some(operation.origin.clone());
        query.relay_of.clone_from(&operation.relay_of);
        let timeout_s = operation.base_timeout_s;
        let text = format!(
            "Requesting peer fencing ({}) targeting {} | id={} state=querying base_timeout={timeout_s}s",
            operation.requested,
            operation.target,
            operation.short_id()
        );
        self.log(Level::Notice, text);
        self.send(None, query.to_peer_xml());
        self.timers.set(Timer::Query(id.to_owned()), now.instant, seconds(with_margin(timeout_s)));
    }

    /// Everybody keeps a record of what is asked for.
    pub(super) fn record_query(&mut self, command: &Command, from: &str, now: Now) {
        let Request::Query { target: Some(target), action: Some(action) } = &command.request else { return };
        let Some(id) = &command.remote_op else { return };
        if !self.operations.contains_key(id) {
            let origin = command.origin.as_deref().unwrap_or(from);
            let operation = Operation::new(id.clone(), command, target, action, origin, now);
            self.insert(operation, now);
        }
        // What this node had passed on, because it is the target, is this operation now.
        if let Some(relayed) = command.relay_of.as_ref().filter(|_| self.is_local(target)) {
            self.operations.remove(relayed);
            for other in self.operations.values_mut() {
                other.duplicates.retain(|duplicate| duplicate != relayed);
            }
        }
    }

    pub(super) fn query_answered(&mut self, from: &str, reply: QueryReply, now: Now) {
        let Some(id) = reply.remote_op else { return };
        let Some(operation) = self.operations.get_mut(&id).filter(|operation| operation.is_owner) else {
            let text = format!("Received query reply for unknown or expired operation {id}");
            self.log(Level::Debug, text);
            return;
        };
        operation.replied.insert(from.to_owned());
        let count = reply.devices.len();
        let text = format!(
            "Query result {} of {} from {from} for {}/{} ({count} devices) {id}",
            operation.replied.len(),
            operation.expected.len(),
            operation.target,
            operation.action()
        );
        if count > 0 {
            operation.add_peer(from, reply.devices);
        }
        self.log(Level::Info, text);
        self.act_on_answers(&id, Some(from), now);
    }

    /// Begins as soon as it is clear whom to ask.
    pub(super) fn act_on_answers(&mut self, id: &str, from: Option<&str>, now: Now) {
        let Some(operation) = self.operations.get(id) else { return };
        if operation.state != OpState::Query || operation.is_ending {
            return;
        }
        let is_clear = operation.all_have_replied(&self.peers)
            || if operation.has_levels() {
                operation.all_level_devices_found(&self.topology)
            } else {
                from.is_some_and(|from| operation.has_verified_device(from))
            };
        if is_clear {
            self.ask_a_peer(id, now);
        }
    }

    pub(super) fn query_timed_out(&mut self, id: &str, now: Now) {
        let Some(operation) = self.operations.get(id) else { return };
        if operation.state != OpState::Query {
            return;
        }
        if operation.peers.is_empty() {
            self.timed_out(id, "No capable peers replied to device query within timeout", now);
        } else {
            self.ask_a_peer(id, now);
        }
    }

    /// Asks the best peer that is left to do it, or gives up.
    pub(super) fn ask_a_peer(&mut self, id: &str, now: Now) {
        loop {
            let Some(operation) = self.operations.get_mut(id) else { return };
            if operation.is_ending {
                return;
            }
            if operation.phase == Phase::On && self.stays_off(id) {
                if !self.device_done(id, now) {
                    return;
                }
                continue;
            }
            let Some(operation) = self.operations.get_mut(id) else { return };
            let may_wait =
                self.timers.is_set(&Timer::Query(id.to_owned())) && !operation.all_have_replied(&self.peers);
            match operation.choose_peer(may_wait) {
                Choice::Peer(host) => {
                    self.ask(id, &host, now);
                    return;
                }
                Choice::Wait => return,
                Choice::Nobody if operation.phase == Phase::On => {
                    let device = operation.devices.front().cloned().unwrap_or_default();
                    let target = operation.target.clone();
                    self.log(
                        Level::Warning,
                        format!(
                            "Ignoring {device} 'on' failure (no capable peers) targeting {target} after successful \
                             'off'"
                        ),
                    );
                    if !self.device_done(id, now) {
                        return;
                    }
                }
                Choice::Nobody if operation.has_levels() && operation.next_level(&self.topology) => {}
                Choice::Nobody => {
                    self.nobody_can(id, now);
                    return;
                }
            }
        }
    }

    /// A device that must not, or cannot, turn the node on again, as far as this node knows it.
    fn stays_off(&mut self, id: &str) -> bool {
        let Some(operation) = self.operations.get(id) else { return false };
        let (Some(device_id), target) = (operation.devices.front().cloned(), operation.target.clone()) else {
            return false;
        };
        let device = self.devices.get(&device_id);
        let reboot = device.and_then(|device| device.parameters.get("pcmk_reboot_action"));
        let can = device.is_some_and(|device| device.flags.has(messages::fencer::SupportFlags::ON));
        let why = if reboot.is_some_and(|action| action == "off") {
            "the device is configured to stay off (pcmk_reboot_action='off')"
        } else if !can {
            "the agent doesn't support 'on'"
        } else {
            return false;
        };
        self.log(Level::Info, format!("Not turning {target} back on using {device_id} because {why}"));
        true
    }

    fn ask(&mut self, id: &str, host: &str, now: Now) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        let device = operation.devices.front().cloned().filter(|_| operation.has_levels());
        let first = operation.asked.is_none();
        if first || operation.total_timeout_s == 0 {
            operation.total_timeout_s = with_margin(operation.whole_timeout_s(Some(host), &self.topology));
        }
        let total_s = operation.total_timeout_s;
        let timeout_s = operation.device_timeout_s(Some(host), device.as_deref(), false);
        let one_s = with_margin(u32::try_from(operation.delay_s).unwrap_or(0))
            + with_margin(match &device {
                Some(device) => operation.device_timeout_s(Some(host), Some(device), true),
                None => operation.peer_timeout_s(host),
            });
        operation.state = OpState::Exec;
        operation.asked = Some(host.to_owned());
        if let Some(peer) = operation.peers.iter_mut().find(|peer| peer.host == host) {
            peer.tried = true;
        }
        let fence = Fence {
            target: operation.target.clone(),
            action: operation.action().to_owned(),
            device: device.clone(),
            tolerance_s: 0,
            delay_s: operation.delay_s,
        };
        let mut command =
            Command::new(Request::Fence(fence), operation.call_id, operation.options, timeout_s);
        command.client = operation.client.clone();
        command.remote_op = Some(operation.id.clone());
        command.origin = Some(operation.origin.clone());
        let (action, target, client) = (operation.action(), &operation.target, operation.client_name());
        let using = device.map(|device| format!(" using {device}")).unwrap_or_default();
        let text = format!(
            "Requesting that {host} perform '{action}' action targeting {target}{using} | for client {client} \
             ({one_s}s)"
        );
        let total = format!(
            "Total timeout set to {total_s}s for peer's fencing targeting {target} for {client} | id={}",
            operation.short_id()
        );
        if first {
            self.timers.set(Timer::Total(id.to_owned()), now.instant, seconds(total_s));
            self.log(Level::Info, total);
            self.tell_timeout(id, total_s);
        }
        self.log(Level::Notice, text);
        self.timers.set(Timer::OnePeer(id.to_owned()), now.instant, seconds(one_s));
        self.send(Some(host), command.to_peer_xml());
    }

    fn nobody_can(&mut self, id: &str, now: Now) {
        let Some(operation) = self.operations.get(id) else { return };
        let using = operation.devices.front().map_or("any device", String::as_str);
        let text = format!(
            "Couldn't find anyone to fence ({}) {} using {using}",
            operation.action(),
            operation.target
        );
        self.log(Level::Notice, text);
        let Some(operation) = self.operations.get(id) else { return };
        // What the last one said is the best there is to tell; if nobody was asked, nobody could be.
        let result = if operation.state == OpState::Exec && !operation.result.is_ok() {
            operation.result.clone()
        } else if self.timers.is_set(&Timer::Query(id.to_owned())) || operation.asked.is_none() {
            let reason = format!("No fence device can {} {}", operation.action(), operation.target);
            ActionResult::not_done(ExecStatus::NoFenceDevice, reason)
        } else {
            ActionResult::not_done(ExecStatus::Timeout, "All nodes failed, or are unable, to fence target")
        };
        self.end(id, result, now);
    }

    pub(super) fn peer_timed_out(&mut self, id: &str, now: Now) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        operation.result =
            ActionResult::not_done(ExecStatus::Timeout, "Peer did not return fence result within timeout");
        operation.delay_s = operation.delay_s.min(0);
        let text = format!(
            "Peer's '{}' action targeting {} for client {} timed out | id={}",
            operation.action(),
            operation.target,
            operation.client_name(),
            operation.short_id()
        );
        self.log(Level::Notice, text);
        self.ask_a_peer(id, now);
    }

    pub(super) fn operation_timed_out(&mut self, id: &str, now: Now) {
        let reason = "Fencing did not complete within a total timeout based on the configured timeout and retries \
                      for any devices attempted";
        self.timed_out(id, reason, now);
    }

    fn timed_out(&mut self, id: &str, reason: &str, now: Now) {
        let Some(operation) = self.operations.get(id) else { return };
        // The node is off: that it could not be turned on again is no failure of fencing.
        let result = if operation.phase == Phase::On {
            ActionResult::ok()
        } else {
            ActionResult::not_done(ExecStatus::Timeout, reason)
        };
        self.end(id, result, now);
    }

    /// A peer that was asked has answered, or the end of an operation is told to all.
    pub(super) fn fence_answered(&mut self, from: &str, reply: &FenceReply, message: &Element, now: Now) {
        if reply.is_broadcast {
            self.outcome_told(from, reply, message, now);
            return;
        }
        let id = &reply.remote_op;
        let Some(operation) = self.operations.get_mut(id).filter(|operation| operation.is_owner) else {
            let text = format!("Received peer result of unknown or expired operation {id}");
            self.log(Level::Info, text);
            return;
        };
        if operation.is_ending || operation.asked.as_deref() != Some(from) {
            let text = format!("Result of {from} for operation {} arrived too late", operation.short_id());
            self.log(Level::Notice, text);
            return;
        }
        let expected = operation.devices.front().filter(|_| operation.has_levels());
        if let (Some(expected), Some(device)) = (expected, &reply.device)
            && expected != device
        {
            let text = format!("Received outdated reply for device {device} (instead of {expected})");
            self.log(Level::Error, text);
            return;
        }
        self.timers.clear(&Timer::OnePeer(id.clone()));
        operation.result = reply.result.clone();
        if reply.result.status != ExecStatus::NoFenceDevice {
            operation.delegate = Some(from.to_owned());
        }
        let reason = reply.result.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let device = reply.device.as_ref().map(|device| format!(" using {device}")).unwrap_or_default();
        let text = format!(
            "Action '{}' targeting {}{device} on behalf of {}@{}: {}{reason}",
            operation.action(),
            operation.target,
            operation.client_name(),
            operation.origin,
            if reply.result.is_ok() { "complete" } else { status_text(&reply.result) }
        );
        self.log(Level::Notice, text);
        self.act_on_result(id, now);
    }

    fn act_on_result(&mut self, id: &str, now: Now) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        let ok = operation.result.is_ok();
        if operation.has_levels() {
            if ok || operation.phase == Phase::On {
                if self.device_done(id, now) {
                    self.ask_a_peer(id, now);
                }
            } else if operation.next_level(&self.topology) {
                self.ask_a_peer(id, now);
            } else {
                let result = operation.result.clone();
                self.end(id, result, now);
            }
        } else if ok || operation.result.status == ExecStatus::Timeout {
            // Who has used up the time leaves none for others.
            let result = operation.result.clone();
            self.end(id, result, now);
        } else {
            self.ask_a_peer(id, now);
        }
    }

    /// The device of a level has done its part. Whether another is to be asked for; if not, the operation has succeeded.
    fn device_done(&mut self, id: &str, now: Now) -> bool {
        let Some(operation) = self.operations.get_mut(id) else { return false };
        let before = operation.phase;
        let more = operation.next_device();
        let turned = (before == Phase::Off && operation.phase == Phase::On).then(|| {
            format!(
                "Remapped 'off' targeting {} complete, remapping to 'on' for {} | id={}",
                operation.target,
                operation.client_name(),
                operation.short_id()
            )
        });
        if let Some(text) = turned {
            self.log(Level::Info, text);
        }
        if !more {
            self.end(id, ActionResult::ok(), now);
        }
        more
    }

    /// A client that does not wait should know how long it may take.
    pub(super) fn tell_timeout(&mut self, id: &str, timeout_s: u32) {
        let Some(operation) = self.operations.get(id) else { return };
        if operation.options & options::SYNC != 0 {
            return;
        }
        let mut command = Command::new(Request::TimeoutUpdate, operation.call_id, 0, timeout_s);
        command.client = operation.client.clone();
        command.remote_op = Some(operation.id.clone());
        match operation.client.node.clone() {
            Some(node) if !self.is_local(&node) => self.send(Some(&node), command.to_xml()),
            _ => self.pass_on_timeout(&command),
        }
    }

    /// The name of a node of which somebody knows the number only.
    pub(super) fn name_of(&self, number: &str) -> String {
        let named = number.parse::<u32>().ok().and_then(|id| self.names.get(&id));
        named.cloned().unwrap_or_else(|| number.to_owned())
    }
}

fn status_text(result: &ActionResult) -> &'static str {
    if result.status == ExecStatus::Done { result.exit.as_str() } else { result.status.as_str() }
}
