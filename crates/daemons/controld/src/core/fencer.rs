// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencing: what is asked of the fencer, what its answers and news mean.
//!
//! Decides: what is written about a fenced node, when fencing is given up for now, what this node does when it hears of
//! its own fencing. Leaves to others: fencing (`fenced`), who has to be fenced (the scheduler).

use super::cib_calls::Purpose;
use super::context::Context;
use super::dc::Dc;
use super::executor::quotable;
use super::peers::{Expected, Facets, JoinPhase};
use super::state::Signal;
use graph::Action;
use graph::walk::{ActionId, Next};
use messages::core::{Level, Service};
use messages::fencer::{ActionResult, Command, Event, Fence, FenceNotice, Request, Topic, options};
use model::{ExecStatus, ExitCode, Instant, OcfCode, Score, TransitionKey};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How much longer than the fencer's own limits its answer is waited for.
const FENCER_SLACK: Duration = Duration::from_secs(30);

/// A fencing that was asked for.
#[derive(Clone, Debug)]
struct FenceCall {
    key: TransitionKey,
    target: String,
    deadline: Instant,
    /// Its success was heard of already.
    noticed: bool,
}

/// The connection to the fencer.
#[derive(Clone, Debug, Default)]
pub(super) struct Fencer {
    pub connected: bool,
    client_id: Option<String>,
    register_call: Option<i32>,
    calls: BTreeMap<i32, FenceCall>,
    /// Targets of which success was answered before it was told to everybody.
    answered: BTreeSet<String>,
    /// How often fencing has failed, by target.
    failures: BTreeMap<String, u32>,
    /// Fenced while there was no DC to write that down.
    cleanup: Vec<String>,
    history_sync_at: Option<Instant>,
    /// Asked for while there was no connection.
    unsent: Vec<(i32, xml::Element)>,
}

impl Fencer {
    /// Another transition begins.
    pub fn new_transition(&mut self) {
        self.answered.clear();
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.calls.values().map(|call| call.deadline).chain(self.history_sync_at).min()
    }

    pub fn forget_failures(&mut self, target: &str) {
        self.failures.remove(&target.to_ascii_lowercase());
    }

    /// It is back: nothing has to be written about its fencing.
    pub fn came_back(&mut self, node: &str) {
        self.cleanup.retain(|target| !target.eq_ignore_ascii_case(node));
    }

    /// Another leads, who will have written it.
    pub fn purge_cleanup(&mut self) {
        self.cleanup.clear();
    }

    fn count_failure(&mut self, target: &str) {
        *self.failures.entry(target.to_ascii_lowercase()).or_default() += 1;
    }

    fn take_expired(&mut self, now: Instant) -> Vec<FenceCall> {
        let late: Vec<i32> =
            self.calls.iter().filter(|(_, call)| call.deadline <= now).map(|(&id, _)| id).collect();
        late.into_iter().filter_map(|id| self.calls.remove(&id)).collect()
    }
}

impl Context {
    /// Introduces itself to a fencer that has just come up.
    pub fn fencer_connect(&mut self) {
        let register = Request::Register { client_name: "pacemaker-controld".into() };
        let call = self.next_call();
        let message = Command::new(register, call, 0, 0).to_xml();
        self.call_numbered(Service::Fenced, call, true, message);
        self.fencer.register_call = Some(call);
        for topic in [Topic::Fence, Topic::HistorySynced] {
            let subscribe = Request::Subscribe { topic, activate: true };
            let call = self.next_call();
            let message = Command::new(subscribe, call, options::SYNC, 0).to_xml();
            self.call_numbered(Service::Fenced, call, true, message);
        }
        self.fencer.connected = true;
        for (call, message) in std::mem::take(&mut self.fencer.unsent) {
            self.call_numbered(Service::Fenced, call, false, message);
        }
        self.log(Level::Notice, "Fencer successfully connected");
        self.sync_fencing_history_in(Duration::from_secs(30));
    }

    /// A response of the fencer: only that to the registration says anything.
    pub fn fencer_response(&mut self, call: i32, message: &xml::Element) {
        if self.fencer.register_call == Some(call) {
            self.fencer.register_call = None;
            self.fencer.client_id = message.attr("st_clientid").map(str::to_owned);
        }
    }

    /// Lets all fencers compare their history, a while from now.
    pub fn sync_fencing_history_in(&mut self, delay: Duration) {
        let at = self.now.instant + delay;
        self.fencer.history_sync_at = Some(self.fencer.history_sync_at.map_or(at, |earlier| earlier.min(at)));
    }

    fn sync_fencing_history(&mut self) {
        self.fencer.history_sync_at = None;
        if self.fencer.connected {
            let call = self.next_call();
            let request = Request::History { target: None, known: None };
            let message = Command::new(request, call, options::SYNC | options::BROADCAST, 5).to_xml();
            self.call_numbered(Service::Fenced, call, true, message);
        }
    }

    /// Writes down what a fenced node is now: nothing, and nothing runs on it.
    fn write_fenced(&mut self, target: &str, target_id: &str) {
        let never_seen = self.peers.by_name(target).is_none_or(|peer| !peer.seen);
        self.peer_down(target);
        let facets = Facets { cluster: never_seen, ..Facets::INTENT };
        let state = self.node_state(target, facets, "update_node_state_after_fencing");
        let state = state.unwrap_or_else(|| {
            // Known from the configuration only.
            let gone = if self.states_are_times() { "0" } else { "false" };
            xml::Element::new("node_state")
                .with_attr("id", target_id)
                .with_attr("uname", target)
                .with_attr("in_ccm", gone)
                .with_attr("join", "down")
                .with_attr("expected", "down")
                .with_attr("crm-debug-origin", "update_node_state_after_fencing")
        });
        self.cib_create("status", state, Purpose::Fenced { target: target.to_owned() });
        self.erase_node_history(target);
        self.purge_attributes(target);
    }

    /// Removes all of a node's history from the CIB.
    pub fn erase_node_history(&mut self, node: &str) {
        let Some(name) = quotable(node) else { return };
        let what = format!("resource history for node {node}");
        self.log(Level::Info, format!("Deleting {what}"));
        self.cib_delete_xpath(
            &format!("//node_state[@uname='{name}']/lrm"),
            true,
            None,
            Purpose::Erase { what },
        );
    }

    /// Writes what happened while there was no DC.
    pub fn fencing_cleanup(&mut self) {
        for target in std::mem::take(&mut self.fencer.cleanup) {
            let text = format!("Marking {target}, target of a previous fencing action, as clean");
            self.log(Level::Notice, text);
            let id = self.peers.by_name(&target).map(super::peers::Peer::id).unwrap_or_default();
            self.write_fenced(&target, &id);
        }
    }

    fn too_many_failures(&mut self, target: Option<&str>) -> bool {
        let target = target.map(str::to_ascii_lowercase);
        let limit = self.options.fencing_max_attempts;
        let hit =
            self.fencer.failures.iter().find(|(name, count)| {
                **count >= limit && target.as_ref().is_none_or(|target| target == *name)
            });
        let Some(text) =
            hit.map(|(name, count)| format!("Too many failures ({count}) to fence {name}, giving up"))
        else {
            return false;
        };
        self.log(Level::Warning, text);
        true
    }

    /// The fencer says something on its own. `dc` is this node's DC side, if it is one.
    pub fn fencer_event(&mut self, message: &xml::Element, dc: Option<&mut Dc>) {
        match Event::from_xml(message) {
            Some(Event::Fence(notice)) => self.fence_notice(&notice, dc),
            Some(Event::Reply(reply)) => {
                if let Some(call) = self.fencer.calls.remove(&reply.call_id) {
                    self.fencing_answered(reply.call_id, call, &reply.result, dc);
                }
            }
            Some(Event::Timeout { call_id, timeout_s }) => {
                let deadline = self.now.instant + Duration::from_secs(u64::from(timeout_s));
                if let Some(call) = self.fencer.calls.get_mut(&call_id) {
                    call.deadline = call.deadline.max(deadline);
                }
            }
            Some(Event::HistorySynced) => self.fencer.history_sync_at = None,
            Some(Event::HistoryChanged | Event::Configuration { .. }) | None => {}
        }
    }

    /// Whatever should have been answered by now.
    pub fn fencer_tick(&mut self, mut dc: Option<&mut Dc>) {
        if self.fencer.history_sync_at.is_some_and(|at| at <= self.now.instant) {
            self.sync_fencing_history();
        }
        for call in self.fencer.take_expired(self.now.instant) {
            let result = ActionResult::not_done(ExecStatus::Timeout, "Fencer did not answer in time");
            self.fencing_answered(0, call, &result, dc.as_deref_mut());
        }
    }

    /// The fencer is gone, with all that was asked of it.
    pub fn fencer_lost(&mut self, dc: Option<&mut Dc>) {
        self.log(Level::Error, "Lost fencer connection (will attempt to reconnect)");
        let calls = std::mem::take(&mut self.fencer.calls);
        self.fencer = Fencer {
            failures: std::mem::take(&mut self.fencer.failures),
            cleanup: std::mem::take(&mut self.fencer.cleanup),
            ..Fencer::default()
        };
        let Some(dc) = dc else { return };
        let (mut any, transition) = (false, dc.transition_id());
        for call in calls.into_values().filter(|call| call.key.transition == transition) {
            any = true;
            let text =
                format!("Failing action {} (fencing of {}): fencer terminated", call.key.action, call.target);
            self.log(Level::Notice, text);
            dc.confirm(call.key.action, false);
        }
        if any {
            dc.abort_for_fencing_failure(self, Next::Restart, None);
        }
    }

    /// Somebody was fenced, or not: everybody is told.
    fn fence_notice(&mut self, notice: &FenceNotice, dc: Option<&mut Dc>) {
        let by = notice.delegate.as_deref().unwrap_or("the cluster");
        let client = notice.client_name.as_deref().unwrap_or("a client");
        let succeeded = notice.result.is_ok();
        let (target, origin, action) = (&notice.target, &notice.origin, &notice.action);
        let outcome = outcome(&notice.result);
        if action == "on" {
            if succeeded {
                let text = format!("{target} was unfenced by {by} at the request of {client}@{origin}");
                self.log(Level::Notice, text);
            } else {
                self.log(Level::Error, format!("Unfencing of {target} by {by} failed ({outcome})"));
            }
            return;
        }
        if succeeded && self.is_local(target) {
            return self.fenced_alive(by, origin);
        }
        let is_dc = dc.is_some();
        if !is_dc && succeeded {
            self.fencer.forget_failures(target);
        } else if !is_dc {
            self.fencer.count_failure(target);
        }
        let text = format!(
            "Peer {target} was{} terminated ({action}) by {by} on behalf of {client}@{origin}: {outcome} | event={}",
            if succeeded { "" } else { " not" },
            notice.remote_op
        );
        self.log(Level::Notice, text);
        if succeeded {
            self.peer_was_fenced(notice, dc);
        }
    }

    fn peer_was_fenced(&mut self, notice: &FenceNotice, dc: Option<&mut Dc>) {
        let target = notice.target.as_str();
        let Some(id) = self.peers.by_name(target).map(super::peers::Peer::id) else { return };
        let ours = notice.client_id.is_some() && notice.client_id == self.fencer.client_id;
        match dc {
            Some(dc) => {
                let answered = ours && self.fencer.answered.remove(&target.to_ascii_lowercase());
                if ours && let Some(call) = self.fencer.calls.values_mut().find(|call| call.target == target)
                {
                    call.noticed = true;
                }
                if !answered {
                    self.write_fenced(target, &id);
                }
                if !ours {
                    let client = notice.client_name.as_deref().unwrap_or("a client");
                    self.log(
                        Level::Info,
                        format!("External fencing operation from {client} fenced {target}"),
                    );
                    dc.restart(self, "External Fencing Operation", None);
                }
            }
            None if self.leader.as_ref().is_none_or(|leader| leader.name.eq_ignore_ascii_case(target)) => {
                let verb = if self.leader.is_some() { "was" } else { "may have been" };
                self.log(Level::Notice, format!("Fencing target {target} {verb} our DC"));
                // One node writes it now; whoever becomes DC will write it again, as CIBs are brought together then.
                if notice.delegate.as_deref().is_some_and(|by| self.is_local(by)) {
                    self.write_fenced(target, &id);
                }
                self.fencer.cleanup.push(target.to_owned());
            }
            None => {}
        }
        if let Some(peer) = self.peers.by_name_mut(target) {
            peer.join = JoinPhase::None;
        }
        self.expect(target, Expected::Down);
    }

    /// The others believe that this node is off. Whatever the reason, it must not go on.
    fn fenced_alive(&mut self, by: &str, origin: &str) {
        let text = format!("We were allegedly just fenced by {by} for {origin}!");
        self.log(Level::Critical, text);
        self.stay_down = true;
        let code = if self.options.panic_when_fenced { ExitCode::PANIC } else { ExitCode::FATAL };
        self.raise_first(Signal::Exit(code));
    }

    fn fencing_answered(&mut self, id: i32, call: FenceCall, result: &ActionResult, dc: Option<&mut Dc>) {
        let target = call.target.as_str();
        let Some(dc) = dc else {
            self.log(
                Level::Notice,
                format!("Result of fence operation {id}: {} | key={}", outcome(result), call.key),
            );
            return;
        };
        let current = call.key.uuid == self.config.uuid
            && call.key.transition == dc.transition_id()
            && !dc.is_complete();
        if !current {
            self.log(
                Level::Info,
                format!("Ignoring fence operation {id} result: Not from current transition"),
            );
            return;
        }
        if result.is_ok() {
            self.log(Level::Info, format!("Fence operation {id} for {target} succeeded"));
            self.fencer.forget_failures(target);
            dc.fencing_succeeded(self, &call);
            return;
        }
        let text = outcome(result);
        // Without a device there is no point in trying again at once.
        let hopeless = result.status == ExecStatus::NoFenceDevice;
        if hopeless {
            let text = format!(
                "Fence operation {id} for {target} failed: {text} (aborting transition and giving up for now)"
            );
            self.log(Level::Warning, text);
        } else {
            let text = format!("Fence operation {id} for {target} failed: {text} (aborting transition)");
            self.log(Level::Notice, text);
        }
        self.fencer.count_failure(target);
        dc.abort_for_fencing_failure(self, if hopeless { Next::Wait } else { Next::Restart }, Some(target));
        dc.confirm(call.key.action, false);
    }
}

impl Dc {
    /// Asks for a node to be fenced.
    pub fn run_fencing(&mut self, cx: &mut Context, id: ActionId, action: &Action) -> bool {
        let (Some(node), Some(how)) = (&action.identity.node, action.meta("stonith_action")) else {
            return false;
        };
        let timeout = self.walk.as_ref().map(|walk| walk.graph().options.fencing_timeout.clone());
        let timeout = timeout.and_then(|text| text.parse::<model::Interval>().ok());
        let timeout_s = timeout.map_or(60, |span| span.as_ms().div_ceil(1000));
        let priority_delay =
            action.attribute("priority-fencing-delay").or_else(|| action.meta("priority-fencing-delay"));
        let delay_s = priority_delay.and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
        let text = format!(
            "Requesting fencing ({how}) targeting node {} | action={id} timeout={timeout_s}",
            node.name
        );
        cx.log(Level::Notice, text);
        let alone = cx.peers.count(JoinPhase::Confirmed) == 1;
        let call = cx.next_call();
        let fence = Fence { target: node.name.clone(), action: how.to_owned(), delay_s, ..Fence::default() };
        let flags = if alone { options::ALLOW_SELF_FENCING } else { 0 };
        let timeout_s32 = u32::try_from(timeout_s).unwrap_or(u32::MAX);
        let command =
            Command::new(Request::Fence(fence), call, flags | options::TIMEOUT_UPDATES, timeout_s32);
        // The fencer answers in time by itself, unless something is wrong with it. How long it really needs depends on
        // its devices and levels, which it may or may not tell.
        let delay = u64::try_from(delay_s).unwrap_or(0);
        let patience = Duration::from_secs(timeout_s.saturating_mul(3).saturating_add(delay)) + FENCER_SLACK;
        let fence_call = FenceCall {
            key: self.key_of(cx, id, OcfCode::OK),
            target: node.name.clone(),
            deadline: cx.now.instant + patience,
            noticed: false,
        };
        cx.fencer.calls.insert(call, fence_call);
        if cx.fencer.connected {
            cx.call_numbered(Service::Fenced, call, false, command.to_xml());
        } else {
            cx.fencer.unsent.push((call, command.to_xml()));
        }
        true
    }

    fn fencing_succeeded(&mut self, cx: &mut Context, call: &FenceCall) {
        let id = call.key.action;
        let Some(action) = self.walk.as_ref().and_then(|walk| walk.action(id)).cloned() else { return };
        if !self.confirm(id, true) {
            return;
        }
        if action.meta("stonith_action").is_some_and(|how| how.eq_ignore_ascii_case("on")) {
            let now = cx.now.wall.to_string();
            let mut updates = vec![super::attributes::Attribute::set(&call.target, "#node-unfenced", &now)];
            for (name, meta) in [("#digests-all", "digests-all"), ("#digests-secure", "digests-secure")] {
                if let Some(value) = action.meta(meta) {
                    updates.push(super::attributes::Attribute::set(&call.target, name, value));
                }
            }
            cx.set_attributes(&updates);
        } else if !call.noticed {
            cx.fencer.answered.insert(call.target.to_ascii_lowercase());
            let id = action.identity.node.as_ref().map(|node| node.id.clone()).unwrap_or_default();
            cx.write_fenced(&call.target, &id);
        }
    }

    fn abort_for_fencing_failure(&mut self, cx: &mut Context, next: Next, target: Option<&str>) {
        let give_up = next != Next::Wait && cx.too_many_failures(target);
        let next = if give_up { Next::Wait } else { next };
        self.abort(cx, Score::INFINITY.value(), next, "Stonith failed", None);
    }
}

fn outcome(result: &ActionResult) -> String {
    if result.is_ok() {
        return "OK".to_owned();
    }
    let status = if result.status == ExecStatus::Done { ExecStatus::Error } else { result.status };
    match &result.reason {
        Some(reason) => format!("{status} ({reason})"),
        None => status.to_string(),
    }
}
