// SPDX-License-Identifier: GPL-2.0-or-later
//! Beginning an operation: whether it may run, with which parameters, and what is recorded before.

use super::{ActiveOp, Call, is_recordable, readable_action};
use crate::core::cib_calls::Purpose;
use crate::core::context::Context;
use crate::core::history;
use messages::core::Level;
use messages::execd::{self, Agent, Command, Exec, OpResult, Parameters, Request};
use model::{ExecStatus, Interval, OcfCode, OpKey, WallTime};
use xml::Element;

impl Context {
    pub(super) fn run_operation(&mut self, id: &str, agent: Agent, operation: &str, action: &Element) {
        let operation = if operation == "reload" { "reload-agent" } else { operation };
        let mut op = self.construct(action, id, operation);
        if op.interval.is_zero() && !matches!(operation, "monitor" | "notify") {
            // Its state will change: what watches the old state must not report that as a failure.
            self.cancel_recurring(|known| known.result.resource == id);
        }
        let readable = readable_action(&op);
        if let Some(reason) = self.reason_to_refuse(operation) {
            let text = format!(
                "Not requesting local execution of {readable} operation for {id} on {} in state {}: {reason}",
                self.local_name(),
                self.state
            );
            self.log(Level::Notice, text);
            (op.status, op.rc, op.exit_reason) =
                (ExecStatus::Invalid, OcfCode::UNKNOWN_ERROR, Some(reason.to_owned()));
            self.tell(None, "tengine", &op);
            return;
        }
        let transition = op.user_data.as_deref().unwrap_or_default();
        let text = format!(
            "Requesting local execution of {readable} operation for {id} on {} | transition {transition}",
            self.local_name()
        );
        self.log(Level::Notice, text);
        self.record_pending(&agent, &op);
        if !op.interval.is_zero() {
            let key = OpKey::new(id, operation, op.interval).to_string();
            self.cancel_recurring(|known| known.key() == key);
        }
        self.register_resource(id, &agent);
        let exec = Exec {
            resource: id.to_owned(),
            action: operation.to_owned(),
            interval: op.interval,
            timeout_ms: op.timeout_ms,
            start_delay_ms: op.start_delay_ms,
            user_data: op.user_data.clone(),
            parameters: op.parameters.clone(),
        };
        let command =
            Command { options: execd::OPT_NOTIFY_CHANGES_ONLY, ..Command::new(Request::Exec(exec)) };
        let call = self.executor_call(command, Call::Exec);
        self.executor.ops.push(ActiveOp { call, call_id: None, result: op, cancelled: false, remove: false });
    }

    pub(super) fn register_resource(&mut self, id: &str, agent: &Agent) {
        if self.executor.registered.get(id) == Some(agent) {
            return;
        }
        self.executor.registered.insert(id.to_owned(), agent.clone());
        let request = Request::RegisterResource { resource: id.to_owned(), agent: agent.clone() };
        let command = Command { options: execd::OPT_DROP_RECURRING, ..Command::new(request) };
        self.executor_call(command, Call::Resource { resource: id.to_owned() });
    }

    /// Why this operation must not run now.
    fn reason_to_refuse(&self, operation: &str) -> Option<&'static str> {
        if self.shutting_down && operation == "start" {
            return Some("Not attempting start due to shutdown in progress");
        }
        let fit = matches!(self.state, "S_NOT_DC" | "S_POLICY_ENGINE" | "S_TRANSITION_ENGINE");
        (!fit && operation != "stop").then_some("Controller cannot attempt actions at this time")
    }

    /// An operation from the action that wants it, not run yet.
    pub(super) fn construct(&self, action: &Element, id: &str, operation: &str) -> OpResult {
        let mut parameters = Parameters::new();
        if let Some(attributes) = action.child("attributes") {
            for attribute in attributes.attributes() {
                parameters.insert(attribute.name().to_string(), attribute.value().to_owned());
            }
        }
        parameters.remove("CRM_meta_op_target_rc");
        let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let mut interval_ms = number("CRM_meta_interval");
        if matches!(operation, "start" | "stop") {
            interval_ms = 0;
        }
        let timeout_ms = Some(number("CRM_meta_timeout")).filter(|&ms| ms > 0).unwrap_or(interval_ms);
        let start_delay_ms = number("CRM_meta_start_delay");
        let started_with = self.executor.history.get(id).and_then(|known| known.stop_parameters.as_ref());
        if let Some(old) = started_with.filter(|_| operation == "stop") {
            parameters.retain(|name, _| name.starts_with("CRM_meta_"));
            parameters.extend(old.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        OpResult {
            call_id: 0,
            resource: id.to_owned(),
            action: operation.to_owned(),
            interval: Interval::from_ms(interval_ms),
            timeout_ms,
            start_delay_ms,
            user_data: action.attr("transition-key").map(str::to_owned),
            rc: OcfCode::UNKNOWN,
            status: ExecStatus::Pending,
            exit_reason: None,
            output: None,
            resource_deleted: false,
            run_time: WallTime::default(),
            rc_change_time: WallTime::default(),
            exec_time_ms: 0,
            queue_time_ms: 0,
            parameters,
        }
    }

    fn record_pending(&mut self, agent: &Agent, op: &OpResult) {
        let wanted = op.parameters.get("CRM_meta_record_pending").and_then(|text| model::parse_bool(text));
        if !is_recordable(&op.action) || wanted == Some(false) {
            return;
        }
        let mut pending = op.clone();
        pending.call_id = -1;
        pending.run_time = WallTime::from_secs(self.now.wall.secs);
        pending.rc_change_time = pending.run_time;
        self.record(agent, &pending);
    }

    pub(super) fn record(&mut self, agent: &Agent, result: &OpResult) {
        let (id, name, version) = (self.local_id(), self.local_name(), self.feature_set());
        let origin = "controld_update_resource_history";
        let update = history::status_update(&id, &name, agent, result, version, origin);
        let operation = OpKey::new(&result.resource, &result.action, result.interval).to_string();
        self.cib_modify("status", update, Purpose::History { operation });
    }
}
