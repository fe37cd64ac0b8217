// SPDX-License-Identifier: GPL-2.0-or-later
//! The DC's side of the join: offers, requests, one CIB for all, everybody's history.
//!
//! Decides: who is offered a place and who gets it, whose CIB is the best, when the join is over.

use super::cib_calls::{CibReply, Purpose};
use super::context::Context;
use super::dc::{Dc, Phase};
use super::executor::quotable;
use super::peers::{Expected, Facets, JoinPhase};
use super::state::Signal;
use graph::walk::Next;
use messages::controller::Envelope;
use messages::core::Level;
use model::{FeatureSet, LegacyRc, Score};
use std::cmp::Ordering;
use std::sync::Arc;
use xml::Element;

impl Dc {
    /// Begins a new round: every node is to ask again.
    pub fn offer_all(&mut self, cx: &mut Context) {
        cx.join_id = cx.join_id.wrapping_add(1).max(1);
        cx.log(Level::Debug, format!("Starting new join round join-{}", cx.join_id));
        for peer in cx.peers.iter_mut() {
            peer.join = JoinPhase::None;
        }
        self.join.best = None;
        self.join.have_cib = false;
        cx.cib.forget_syncs();
        cx.leader = None;
        for name in names(cx) {
            self.offer(cx, &name, false);
        }
        log_outstanding(cx);
    }

    /// Offers places to those who have none; to that node in any case, if it asks.
    pub fn offer_one(&mut self, cx: &mut Context, asking: Option<&str>) {
        let Some(asking) = asking else {
            let text = format!(
                "Making join-{} offers to any unconfirmed nodes because an unknown node joined",
                cx.join_id
            );
            cx.log(Level::Info, text);
            for name in names(cx) {
                self.offer(cx, &name, true);
            }
            self.check_join(cx);
            return;
        };
        self.offer(cx, asking, false);
        let local = cx.local_name();
        if !cx.is_local(asking) {
            // The DC's own CIB must be in the comparison.
            self.offer(cx, &local, false);
        }
        self.abort(cx, Score::INFINITY.value(), Next::Restart, "Node join", None);
        log_outstanding(cx);
    }

    fn offer(&mut self, cx: &mut Context, name: &str, only_new: bool) {
        let id = cx.join_id;
        let Some(peer) = cx.peers.by_name_mut(name) else { return };
        if !peer.is_active() {
            if peer.expected.is_none() && !peer.is_member {
                // Together with an active resource this is what has it fenced.
                peer.expected = Some(Expected::Down);
            }
            cx.log(Level::Info, format!("Not making join-{id} offer to inactive node {name}"));
            return;
        }
        let phase = peer.join;
        let generation = cx.peers.generation;
        if self.join.membership != generation {
            self.join.membership = generation;
            cx.log(Level::Info, format!("Making join-{id} offers based on membership event {generation}"));
        }
        if only_new && phase > JoinPhase::None {
            let text =
                format!("Not making join-{id} offer to already known node {name} ({})", phase.as_str());
            cx.log(Level::Info, text);
            return;
        }
        cx.log(Level::Info, format!("Sending join-{id} offer to {name}"));
        let offer = dc_message(cx, "join_offer", name).with_extra("crm_feature_set", cx.feature_set());
        cx.send(&offer, "join_make_offer");
        set_phase(cx, name, JoinPhase::Welcomed);
    }

    /// A node asks for the place it was offered.
    pub fn process_request(&mut self, cx: &mut Context, request: &Envelope) {
        let id = cx.join_id;
        let Some(from) = request.src.clone() else { return };
        if request.extra("join_id") != Some(id.to_string().as_str()) {
            let asked = request.extra("join_id").unwrap_or("?");
            let text = format!("Ignoring join-{asked} request from {from} because we are on join-{id}");
            cx.log(Level::Debug, text);
            self.check_join(cx);
            return;
        }
        match self.reason_to_reject(cx, &from, request) {
            None => {
                cx.log(Level::Debug, format!("Accepting join-{id} request from {from}"));
                if let Some(version) = &request.payload {
                    self.consider(cx, &from, version);
                }
                set_phase(cx, &from, JoinPhase::Integrated);
                cx.expect(&from, Expected::Member);
            }
            Some(reason) => {
                let text = format!(
                    "Rejecting join-{id} request from node {from} {reason} | ref={}",
                    request.reference
                );
                cx.log(Level::Error, text);
                set_phase(cx, &from, JoinPhase::Nack);
                cx.expect(&from, Expected::Nack);
            }
        }
        if !self.check_join(cx) {
            log_outstanding(cx);
        }
    }

    fn reason_to_reject(&self, cx: &Context, from: &str, request: &Envelope) -> Option<String> {
        if let Some(join) = self.join.failed_syncs.get(&from.to_ascii_lowercase()) {
            return Some(format!("because we failed to sync its CIB in join-{join}"));
        }
        if !cx.peers.is_active(from) {
            return Some("because it is inactive".to_owned());
        }
        let Some(version) = request.payload.as_ref().filter(|data| data.name() == "generation_tuple") else {
            return Some("missing CIB generation".to_owned());
        };
        let theirs = request.extra("crm_feature_set").unwrap_or("pre-3.1.0");
        let compatible = theirs.parse::<FeatureSet>().is_ok_and(|theirs| theirs.may_join(cx.feature_set()));
        if !compatible {
            let ours = cx.feature_set();
            return Some(format!("because feature set {theirs} is incompatible with ours ({ours})"));
        }
        let schema = version.attr("validate-with").unwrap_or_default();
        let known = schema == "none" || schema.starts_with("pacemaker-");
        (!known).then(|| format!("due to missing or unknown schema version '{schema}'"))
    }

    /// Remembers the best CIB; this node's, if it is as good as any.
    fn consider(&mut self, cx: &Context, from: &str, version: &Element) {
        let better = match &self.join.best {
            None => true,
            Some((_, best)) => match compare_versions(best, version) {
                Ordering::Less => true,
                Ordering::Equal => cx.is_local(from),
                Ordering::Greater => false,
            },
        };
        if better {
            self.join.best = Some((from.to_owned(), version.clone()));
        }
    }

    /// Goes on if nothing has to be waited for; says whether it does.
    pub fn check_join(&mut self, cx: &mut Context) -> bool {
        let generation = cx.peers.generation;
        if self.join.membership != generation {
            if self.join.reacted_to < generation {
                self.join.reacted_to = generation;
                cx.raise_first(Signal::NodeJoin(None));
            }
            return false;
        }
        match self.phase {
            Phase::Integration { .. } if cx.peers.count(JoinPhase::Welcomed) == 0 => {
                cx.raise_first(Signal::Integrated);
                true
            }
            Phase::FinalizeJoin { .. } if !self.join.have_cib => true,
            Phase::FinalizeJoin { .. } => {
                let open = [JoinPhase::Welcomed, JoinPhase::Integrated, JoinPhase::Finalized];
                let done = open.iter().all(|&phase| cx.peers.count(phase) == 0);
                if done {
                    cx.log(Level::Debug, format!("join-{}: Complete", cx.join_id));
                    cx.raise(Signal::Finalized);
                }
                done
            }
            _ => false,
        }
    }

    /// The node with the best CIB is gone before that was everywhere: the others have to be compared anew.
    pub fn lose_best(&mut self, cx: &mut Context, name: &str) {
        let was_best = self.join.best.as_ref().is_some_and(|(best, _)| best.eq_ignore_ascii_case(name));
        if self.phase.is_joining() && !self.join.have_cib && was_best {
            self.join.best = None;
            cx.cib.forget_syncs();
            cx.raise_first(Signal::ElectionWon);
        }
    }

    /// All have asked: brings the best CIB to all of them.
    pub fn finalize(&mut self, cx: &mut Context) {
        let id = cx.join_id;
        if cx.peers.count(JoinPhase::Welcomed) > 0 {
            return;
        }
        let count = cx.peers.count(JoinPhase::Integrated) + cx.peers.count(JoinPhase::Nack);
        if count == 0 {
            cx.log(Level::Debug, format!("Finalization not needed for join-{id} at the current time"));
            self.check_join(cx);
            return;
        }
        let best = self.join.best.clone();
        let from = match &best {
            Some((node, _)) if !cx.is_local(node) => Arc::from(node.as_str()),
            _ => cx.local_name(),
        };
        self.join.have_cib = cx.is_local(&from);
        if !self.is_complete() {
            cx.log(Level::Warning, format!("Delaying join-{id} finalization while transition in progress"));
            if let Phase::FinalizeJoin { stalled, .. } = &mut self.phase {
                *stalled = true;
            }
            return;
        }
        let version = |name: &str, default: &str| {
            let found = best.as_ref().and_then(|(_, version)| version.attr(name));
            found.unwrap_or(default).to_owned()
        };
        let text = format!(
            "Finalizing join-{id} for {count} node{} (sync'ing CIB {}.{}.{} with schema {} and feature set {} from {from})",
            if count == 1 { "" } else { "s" },
            version("admin_epoch", "0"),
            version("epoch", "0"),
            version("num_updates", "0"),
            version("validate-with", "(none)"),
            version("crm_feature_set", "(none)")
        );
        cx.log(Level::Notice, text);
        cx.cib_sync_from(&from);
    }

    /// The best CIB is everywhere (or could not be had).
    pub fn synced(&mut self, cx: &mut Context, from: &str, rc: LegacyRc) {
        if !rc.is_ok() {
            let level = if rc == LegacyRc::OLD_DATA { Level::Warning } else { Level::Error };
            let text = format!("Could not sync CIB from {from} in join-{}: {}", cx.join_id, rc.text());
            cx.log(level, text);
            if rc != LegacyRc::OLD_DATA && !cx.is_local(from) {
                self.join.failed_syncs.insert(from.to_ascii_lowercase(), cx.join_id);
            }
            cx.raise(Signal::ElectionWon);
            return;
        }
        if !matches!(self.phase, Phase::FinalizeJoin { .. }) {
            let text = format!("Sync'ed CIB for join-{} but no longer in S_FINALIZE_JOIN", cx.join_id);
            cx.log(Level::Debug, text);
            return;
        }
        self.join.have_cib = true;
        if !self.check_join(cx) {
            for name in names(cx) {
                self.acknowledge(cx, &name);
            }
        }
    }

    /// Tells a node whether it has the place.
    fn acknowledge(&mut self, cx: &mut Context, name: &str) {
        let Some(peer) = cx.peers.by_name(name) else { return };
        let (phase, id, is_active) = (peer.join, peer.node.id, peer.is_active());
        let accepted = phase == JoinPhase::Integrated;
        if !accepted && phase != JoinPhase::Nack {
            return;
        }
        let entry = Element::new("node").with_attr("id", id).with_attr("uname", name);
        cx.cib_create("nodes", entry, Purpose::NodeUpdate);
        if !is_active {
            // It will ask again when it is back; a refusal would only keep it down.
            cx.expect(name, Expected::Pending);
            return;
        }
        let answer = dc_message(cx, "join_ack_nack", name).with_extra("join_ack_nack", accepted);
        if accepted {
            set_phase(cx, name, JoinPhase::Finalized);
            cx.expect(name, Expected::Member);
        }
        cx.send(&answer, "finalize_join_for");
    }

    /// A node sends its history: it takes the place of what the CIB has of that node.
    pub fn process_confirmation(&mut self, cx: &mut Context, confirmation: &Envelope) {
        let Some(from) = confirmation.src.clone() else { return };
        let phase = cx.peers.by_name(&from).map_or(JoinPhase::None, |peer| peer.join);
        let id = confirmation.extra("join_id").unwrap_or("?").to_owned();
        if phase != JoinPhase::Finalized {
            let text = format!(
                "Ignoring out-of-sequence join-{id} confirmation from {from} (currently {} not finalized)",
                phase.as_str()
            );
            cx.log(Level::Info, text);
            return;
        }
        if id != cx.join_id.to_string() {
            let text = format!(
                "Rejecting join-{id} confirmation from {from} because currently on join-{}",
                cx.join_id
            );
            cx.log(Level::Error, text);
            set_phase(cx, &from, JoinPhase::Nack);
            return;
        }
        set_phase(cx, &from, JoinPhase::Confirmed);
        let own = if cx.is_local(&from) { cx.executor_state("controld_query_executor_state") } else { None };
        let state = own.or_else(|| confirmation.payload.clone());
        let state = state.filter(|state| state.name() == "node_state");
        match (state, quotable(&from)) {
            (Some(state), Some(name)) => {
                let xpath = format!("//node_state[@uname='{name}']/lrm");
                cx.cib_replace_found(&xpath, "status", state, Purpose::JoinHistory { node: from });
            }
            _ => {
                let text = format!("join-{id} confirmation from {from} has no usable history");
                cx.log(Level::Critical, text);
                cx.raise(Signal::Error("a node's history could not be read".into()));
            }
        }
    }

    /// A node's history is (or is not) in the CIB.
    pub fn history_written(&mut self, cx: &mut Context, node: &str, reply: &CibReply) {
        if reply.rc.is_ok() {
            let text = format!("join-{} node history update for node {node} complete", cx.join_id);
            cx.log(Level::Debug, text);
            self.check_join(cx);
        } else {
            let text = format!(
                "join-{} node history update for node {node} failed: {}",
                cx.join_id,
                reply.rc.text()
            );
            cx.log(Level::Critical, text.clone());
            cx.raise(Signal::Error(text));
        }
    }

    /// The join is over: the CIB says who is there.
    pub fn write_members(&mut self, cx: &mut Context) {
        cx.write_nodes(Facets::ALL, true, "do_state_transition");
        let active = cx.peers.active().count();
        let confirmed = cx.peers.count(JoinPhase::Confirmed);
        if confirmed > active {
            let text = format!(
                "New election needed because more nodes confirmed join than are in membership ({confirmed} > {active})"
            );
            cx.log(Level::Error, text);
            cx.raise(Signal::Election);
        } else if self.join.membership != cx.peers.generation {
            cx.raise_first(Signal::NodeJoin(None));
        } else if confirmed < active {
            let text = format!("Only {confirmed} of {active} active cluster nodes fully joined");
            cx.log(Level::Warning, text);
            // Such as one that was back before its fencing was confirmed: it waits for an answer.
            if cx.peers.iter().any(|peer| peer.is_active() && peer.join == JoinPhase::None) {
                cx.raise(Signal::NodeJoin(None));
            }
        }
    }
}

fn names(cx: &Context) -> Vec<Arc<str>> {
    cx.peers.iter().map(|peer| Arc::clone(&peer.node.name)).collect()
}

fn set_phase(cx: &mut Context, name: &str, phase: JoinPhase) {
    if let Some(peer) = cx.peers.by_name_mut(name) {
        peer.join = phase;
    }
}

fn dc_message(cx: &mut Context, task: &str, to: &str) -> Envelope {
    let leaving = cx.shutting_down;
    let id = cx.join_id;
    cx.request(task, "crmd", "dc").to_host(to).with_extra("join_id", id).with_extra("dc-leaving", leaving)
}

fn log_outstanding(cx: &mut Context) {
    let count = cx.peers.count(JoinPhase::Welcomed);
    let text = format!(
        "Waiting on join-{} requests from {count} outstanding node{}",
        cx.join_id,
        if count == 1 { "" } else { "s" }
    );
    cx.log(Level::Info, text);
}

/// By the three numbers that every change raises.
fn compare_versions(a: &Element, b: &Element) -> Ordering {
    let number =
        |element: &Element, name| element.attr(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1);
    let tuple = |element: &Element| ["admin_epoch", "epoch", "num_updates"].map(|name| number(element, name));
    tuple(a).cmp(&tuple(b))
}
