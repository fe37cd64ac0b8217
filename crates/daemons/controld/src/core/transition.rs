// SPDX-License-Identifier: GPL-2.0-or-later
//! The walk through a transition: each action to whoever carries it out, and what follows its end.
//!
//! Decides: where actions are sent, what an abort leads to. Leaves to others: the order ([`graph::walk`]), whether an
//! action has succeeded ([`super::confirm`], [`super::fencer`]).

use super::cib_calls::Purpose;
use super::context::Context;
use super::dc::{Dc, Phase};
use super::executor::is_recordable;
use super::history;
use super::peers::Expected;
use super::state::Signal;
use graph::walk::{ActionId, Ending, Limits, Next, Output, Walk};
use graph::{Action, ActionKind, TransitionGraph};
use messages::controller::Envelope;
use messages::core::Level;
use messages::execd::{Agent, OpResult, Parameters};
use model::{ExecStatus, Interval, OcfCode, OpKey, Score, TransitionKey, WallTime};
use std::sync::Arc;

impl Dc {
    /// Takes up what the scheduler has planned.
    pub fn begin_transition(&mut self, cx: &mut Context, answer: &Envelope) {
        let Some(plan) = &answer.payload else {
            cx.log(Level::Error, "The scheduler's answer has no transition graph");
            self.phase = Phase::Idle { recheck_at: self.recheck_at(cx) };
            return;
        };
        let source = answer.extra("crm-tgraph-in").unwrap_or("(not saved)").to_owned();
        match TransitionGraph::from_xml(plan) {
            Ok(graph) => {
                let id = graph.options.transition_id;
                let reference = &answer.reference;
                cx.log(Level::Info, format!("Processing graph {id} (ref={reference}) derived from {source}"));
                self.recheck_by = graph.options.recheck_by;
                self.walk = Some(Walk::new(graph, Limits::default()));
                self.walk_source = source;
                cx.fencer.new_transition();
            }
            Err(error) => {
                cx.log(Level::Error, format!("The scheduler's transition graph cannot be used: {error}"));
                cx.raise(Signal::TeSuccess);
            }
        }
    }

    /// Goes on as far as the walk can.
    pub fn walk_on(&mut self, cx: &mut Context) {
        loop {
            let Some(walk) = &mut self.walk else { return };
            match walk.poll(cx.now.instant) {
                None => return,
                Some(Output::Passed(id)) => {
                    let key = walk.action(id).map(|action| action.identity.operation_key.clone());
                    let text =
                        format!("Pseudo-action {id} ({}) fired and confirmed", key.unwrap_or_default());
                    cx.log(Level::Debug, text);
                }
                Some(Output::Run(id)) => {
                    if let Some(action) = walk.action(id).cloned() {
                        self.run_action(cx, id, &action);
                    }
                }
                Some(Output::Lost(id)) => {
                    if let Some(action) = walk.action(id).cloned() {
                        self.action_lost(cx, id, &action);
                    }
                }
                Some(Output::Finished(ending)) => self.transition_ended(cx, ending),
            }
        }
    }

    pub fn transition_id(&self) -> i32 {
        self.walk.as_ref().map_or(-1, Walk::transition_id)
    }

    pub fn key_of(&self, cx: &Context, id: ActionId, target_rc: OcfCode) -> TransitionKey {
        TransitionKey {
            action: id,
            transition: self.transition_id(),
            target_rc,
            uuid: cx.config.uuid.clone(),
        }
    }

    fn run_action(&mut self, cx: &mut Context, id: ActionId, action: &Action) {
        let operation = action.identity.operation.as_str();
        let sent = match action.identity.kind {
            ActionKind::Pseudo => true,
            ActionKind::Resource => self.run_resource_action(cx, id, action),
            ActionKind::Cluster if operation == "stonith" => self.run_fencing(cx, id, action),
            ActionKind::Cluster => self.run_cluster_action(cx, id, action),
        };
        if !sent {
            let key = &action.identity.operation_key;
            cx.log(Level::Error, format!("Action {id} ({key}) cannot be sent: it does not say where to"));
            if let Some(walk) = &mut self.walk {
                walk.refuse(id);
            }
        }
    }

    fn run_resource_action(&mut self, cx: &mut Context, id: ActionId, action: &Action) -> bool {
        let Some(node) = &action.identity.node else { return false };
        let router = action.identity.router_node.as_deref().unwrap_or(&node.name);
        let key = self.key_of(cx, id, target_rc(action));
        let mut payload = action.to_xml();
        payload.set_attr("transition-key", &key);
        let mut request = cx.request("lrm_invoke", "lrmd", "tengine").to_host(router).with_payload(payload);
        if cx.is_local(router) {
            request.src = Some(cx.local_name().to_string());
            cx.invoke_executor(&request, None);
        } else {
            let text = format!(
                "Asking {router} to execute {} on {}{} | transition {key} action {id}",
                action.identity.operation_key,
                node.name,
                if waits(action) { "" } else { " without waiting" }
            );
            cx.log(Level::Notice, text);
            cx.send(&request, "execute_rsc_action");
        }
        true
    }

    fn run_cluster_action(&mut self, cx: &mut Context, id: ActionId, action: &Action) -> bool {
        let Some(node) = &action.identity.node else { return false };
        let operation = action.identity.operation.as_str();
        let only_cib = operation == "lrm_delete" && action.identity.mode.as_deref() == Some("cib");
        let local = cx.local_name();
        let default = if only_cib { &*local } else { node.name.as_str() };
        let router = action.identity.router_node.as_deref().unwrap_or(default).to_owned();
        let is_local = cx.is_local(&router);
        let text = format!(
            "Handling controller request '{id}' ({operation} on {}){}{}",
            node.name,
            if is_local { " locally" } else { "" },
            if waits(action) { "" } else { " without waiting" }
        );
        cx.log(Level::Info, text);
        if operation == "do_shutdown" {
            if is_local {
                // Not before everything else is done.
                cx.log(Level::Info, format!("Controller request '{id}' is a local shutdown"));
                if let Some(walk) = &mut self.walk {
                    walk.abort(0, Next::Shutdown, "local shutdown");
                }
                self.confirm(id, true);
                return true;
            }
            cx.expect(&router, Expected::Down);
        }
        let key = self.key_of(cx, id, target_rc(action)).to_string();
        let request = cx
            .request(operation, "crmd", "tengine")
            .to_host(&router)
            .with_extra("transition-key", key)
            .with_payload(action.to_xml());
        cx.send(&request, "execute_cluster_action");
        true
    }

    /// The end of an action.
    pub fn confirm(&mut self, id: ActionId, succeeded: bool) -> bool {
        let outcome = if succeeded { graph::walk::Outcome::Done } else { graph::walk::Outcome::Failed };
        self.walk.as_mut().is_some_and(|walk| walk.confirm(id, outcome))
    }

    fn action_lost(&mut self, cx: &mut Context, id: ActionId, action: &Action) {
        let node = action.identity.node.as_ref().map_or("", |node| node.name.as_str());
        let via = action.identity.router_node.as_deref().unwrap_or("controller");
        let text = format!(
            "Node {node} did not send {} result (via {via}) in time (action timeout plus cluster-delay)",
            action.identity.operation
        );
        cx.log(Level::Error, text);
        self.log_abort(cx, Level::Notice, "Action lost", None);
        if action.identity.kind == ActionKind::Resource && is_recordable(&action.identity.operation) {
            self.record_lost(cx, id, action);
        }
    }

    /// Records a result in place of the node that should have sent one.
    fn record_lost(&mut self, cx: &mut Context, id: ActionId, action: &Action) {
        let identity = &action.identity;
        let (Some(node), Some(resource)) = (&identity.node, &action.resource) else { return };
        let text = format!("rsc_op {id}: {} on {} timed out", identity.operation_key, node.name);
        cx.log(Level::Warning, text);
        let reason = if cx.is_local(&node.name) {
            "Local executor did not return result in time".to_owned()
        } else {
            let router = identity.router_node.as_deref().unwrap_or(&node.name);
            format!("Controller on {router} did not return result in time")
        };
        let agent = Agent {
            class: resource.class.clone().unwrap_or_default(),
            provider: resource.provider.clone(),
            kind: resource.agent.clone().unwrap_or_default(),
        };
        let text = |(name, value): &(Arc<str>, Arc<str>)| (name.to_string(), value.to_string());
        let mut parameters: Parameters = action.attributes.iter().map(text).collect();
        parameters.remove("CRM_meta_op_target_rc");
        let now = WallTime::from_secs(cx.now.wall.secs);
        let result = OpResult {
            call_id: -1,
            resource: resource.id.clone(),
            action: identity.operation.clone(),
            interval: interval_of(action),
            timeout_ms: meta_number(action, "timeout"),
            start_delay_ms: meta_number(action, "start_delay"),
            user_data: Some(self.key_of(cx, id, target_rc(action)).to_string()),
            rc: OcfCode::UNKNOWN_ERROR,
            status: ExecStatus::Timeout,
            exit_reason: Some(reason),
            output: None,
            resource_deleted: false,
            run_time: now,
            rc_change_time: now,
            exec_time_ms: 0,
            queue_time_ms: 0,
            parameters,
        };
        let version = cx.feature_set();
        let origin = "controld_record_action_event";
        let update = history::status_update(&node.id, &node.name, &agent, &result, version, origin);
        let operation = OpKey::new(&result.resource, &result.action, result.interval).to_string();
        cx.cib_modify("status", update, Purpose::History { operation });
    }

    fn transition_ended(&mut self, cx: &mut Context, ending: Ending) {
        let Some(walk) = &self.walk else { return };
        let counts = walk.counts();
        let (id, next) = (walk.transition_id(), walk.next());
        let text = format!(
            "Transition {id} (Complete={}, Pending={}, Fired=0, Skipped={}, Incomplete={}, Source={}): {}",
            counts.completed,
            counts.pending,
            counts.skipped,
            counts.incomplete,
            self.walk_source,
            ending.as_str()
        );
        cx.log(if ending == Ending::Terminated { Level::Warning } else { Level::Notice }, text);
        let reason = walk.abort_reason().unwrap_or("unspecified reason");
        let text = format!("Transition {id} status: {} - {reason}", next.as_str());
        cx.log(Level::Debug, text);
        match (next, &self.phase) {
            (Next::Done | Next::Wait, Phase::TransitionEngine) => cx.raise(Signal::TeSuccess),
            (Next::Restart, Phase::TransitionEngine | Phase::PolicyEngine(_)) => cx.raise(Signal::PeCalc),
            (Next::Shutdown, _) if cx.shutting_down => cx.raise(Signal::Stop),
            (Next::Shutdown, _) => {
                let why = "We didn't ask to be shut down, yet the scheduler is telling us to";
                cx.raise(Signal::Error(why.into()));
            }
            _ => {}
        }
        if let Phase::FinalizeJoin { stalled, .. } = &mut self.phase
            && std::mem::take(stalled)
        {
            self.finalize(cx);
        }
    }

    // --- aborting -----------------------------------------------------------------------------------------------

    /// Something has happened that the present plan did not know of. `by` says what, for the log.
    pub fn abort(&mut self, cx: &mut Context, priority: i32, next: Next, reason: &str, by: Option<&str>) {
        self.delayed_abort = None;
        let complete = self.is_complete();
        let news = !complete && self.walk.as_mut().is_some_and(|walk| walk.abort(priority, next, reason));
        self.log_abort(cx, if news { Level::Notice } else { Level::Info }, reason, by);
        if complete && next == Next::Restart {
            cx.raise(Signal::PeCalc);
        }
    }

    /// Plan anew, whatever is under way.
    pub fn restart(&mut self, cx: &mut Context, reason: &str, by: Option<&str>) {
        self.abort(cx, Score::INFINITY.value(), Next::Restart, reason, by);
    }

    fn log_abort(&self, cx: &mut Context, level: Level, reason: &str, by: Option<&str>) {
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let text = format!(
            "Transition {} aborted{by}: {reason} | complete={}",
            self.transition_id(),
            self.is_complete()
        );
        cx.log(level, text);
    }

    /// A node is gone: what was to be done there will not be.
    pub fn lose_node(&mut self, cx: &mut Context, id: &str, name: &str) {
        let Some(walk) = &mut self.walk else { return };
        for action in walk.lose_node(id, name) {
            let key = walk.action(action).map(|action| action.identity.operation_key.clone());
            let text =
                format!("Action {action} ({}) was pending on {name} (offline)", key.unwrap_or_default());
            cx.log(Level::Notice, text);
        }
    }

    /// The action of this transition that makes it natural for a node to be down.
    pub fn down_event(&self, node_id: &str) -> Option<(ActionId, String)> {
        let walk = self.walk.as_ref()?;
        let mut begun =
            walk.actions().filter(|(action, confirmed)| *confirmed || walk.is_under_way(action.identity.id));
        begun.find_map(|(action, _)| {
            let downed = action.downed.as_ref()?;
            let hit = downed.iter().any(|id| id == node_id);
            hit.then(|| (action.identity.id, action.identity.operation.clone()))
        })
    }
}

fn waits(action: &Action) -> bool {
    action.meta("op_no_wait").and_then(model::parse_bool) != Some(true)
}

fn meta_number(action: &Action, name: &str) -> u64 {
    action.meta(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn interval_of(action: &Action) -> Interval {
    Interval::from_ms(meta_number(action, "interval"))
}

/// What the agent should return.
fn target_rc(action: &Action) -> OcfCode {
    OcfCode::new(action.meta("op_target_rc").and_then(|text| text.parse().ok()).unwrap_or(0))
}
