// SPDX-License-Identifier: GPL-2.0-or-later
//! What the executor says: operations accepted, refused and ended, and who is told of it.

use super::{ActiveOp, Asked, Call, Deletion, is_recordable, readable_action};
use crate::core::cib_calls::Purpose;
use crate::core::context::Context;
use crate::core::history;
use crate::core::peers::Facets;
use crate::core::state::Signal;
use messages::controller::{Direction, Envelope};
use messages::core::Level;
use messages::execd::{self, Agent, OpResult};
use model::{ExecStatus, LegacyRc, OcfCode, OpKey};
use xml::Element;

impl Context {
    /// Tells of a result that is not recorded (or not only).
    pub(super) fn tell(&mut self, host: Option<&str>, system: &str, result: &OpResult) {
        let (id, name, version) = (self.local_id(), self.local_name(), self.feature_set());
        let mut resource = Element::new("lrm_resource").with_attr("id", &result.resource);
        history::add_operation(&mut resource, result, &name, "controld_ack_event_directly", version);
        let lrm = Element::new("lrm")
            .with_attr("id", &id)
            .with_child(Element::new("lrm_resources").with_child(resource));
        let Some(state) = self.node_state(&name, Facets::NONE, "controld_ack_event_directly") else { return };
        let mut message = Envelope::request("lrm_invoke", "direct-ack".into(), system, "lrmd");
        message.direction = Direction::Response;
        message.host_to = host.map(str::to_owned);
        message.payload = Some(state.with_child(lrm));
        self.relay(message);
    }

    /// The response to a call.
    pub fn executor_response(&mut self, call: i32, message: &Element) {
        let Some(purpose) = self.executor.calls.remove(&call) else { return };
        let rc = match execd::Reply::from_xml(message) {
            Ok(reply) => LegacyRc::new(reply.rc),
            Err(_) => LegacyRc::EPROTO,
        };
        match purpose {
            Call::Register if rc.is_ok() => {
                self.executor.connected = true;
                self.log(Level::Info, "Connection to the local executor established");
            }
            Call::Register => {
                self.raise(Signal::Error(format!("The executor refuses this controller: {}", rc.text())));
            }
            Call::Resource { resource } if !rc.is_ok() && rc != LegacyRc::EEXIST => {
                self.executor.registered.remove(&resource);
                let text = format!("Could not register resource {resource} with the executor: {}", rc.text());
                self.log(Level::Error, text);
            }
            Call::Resource { .. } => {}
            Call::Exec => self.exec_accepted(call, rc),
            Call::Cancel { op, request } => self.cancel_answered(op, rc, request),
            Call::Unregister(deletion) => {
                const EINPROGRESS: LegacyRc = LegacyRc::new(-115);
                if rc == EINPROGRESS {
                    self.executor.deletions.push(deletion);
                } else {
                    let rc = if rc == LegacyRc::ENODEV { LegacyRc::OK } else { rc };
                    let Deletion { resource, request, user } = deletion;
                    self.deleted(&resource, rc, request, user.as_deref());
                }
            }
        }
    }

    fn exec_accepted(&mut self, call: i32, rc: LegacyRc) {
        let Some(place) = self.executor.ops.iter().position(|op| op.call == call) else { return };
        if rc.value() > 0 {
            self.executor.ops[place].call_id = Some(rc.value());
            return;
        }
        let mut op = self.executor.ops.remove(place).result;
        let text = format!(
            "Could not initiate {} action for resource {} locally: {}",
            op.action,
            op.resource,
            rc.text()
        );
        self.log(Level::Error, text);
        self.fake(&mut op, ExecStatus::NotConnected, OcfCode::UNKNOWN_ERROR, &rc.text());
        match self.executor.registered.get(&op.resource).cloned() {
            Some(agent) => self.record_and_tell(&agent, op),
            None => {
                op.exit_reason = Some("Could not register resource with executor".into());
                op.rc = OcfCode::INVALID_PARAM;
                op.status = ExecStatus::Error;
                self.tell(None, "tengine", &op);
            }
        }
    }

    pub(super) fn cancel_answered(&mut self, call: i32, rc: LegacyRc, request: Option<Asked>) {
        if rc.is_ok() {
            return;
        }
        let Some(place) = self.executor.ops.iter().position(|op| op.call == call) else { return };
        let op = self.executor.ops.remove(place);
        if let Some((asker, action)) = request {
            let (key, result) = (op.key(), op.result);
            self.nothing_to_cancel(&result.resource, &result.action, &key, op.call_id, asker, &action);
        }
    }

    /// An operation has ended (or a recurring one has another result).
    pub fn operation_ended(&mut self, mut result: OpResult) {
        let place = self.executor.ops.iter().position(|op| match op.call_id {
            Some(call_id) => call_id == result.call_id && op.result.resource == result.resource,
            // The event has overtaken the response.
            None => {
                op.key() == OpKey::new(&result.resource, &result.action, result.interval).to_string()
                    && op.result.user_data == result.user_data
            }
        });
        let known = place.map(|place| self.executor.ops[place].clone());
        if let Some(place) = place {
            self.executor.ops[place].call_id = Some(result.call_id);
        }
        if result.status == ExecStatus::Error
            && matches!(
                result.rc,
                OcfCode::NOT_RUNNING
                    | OcfCode::RUNNING_PROMOTED
                    | OcfCode::DEGRADED
                    | OcfCode::DEGRADED_PROMOTED
            )
        {
            // Whether that is an error is the DC's to say.
            result.status = ExecStatus::Done;
        }
        if result.parameters.is_empty()
            && let Some(op) = &known
        {
            result.parameters = op.result.parameters.clone();
        }
        let agent = self.executor.registered.get(&result.resource).cloned();
        if self.wants_direct_ack(&result, known.as_ref(), agent.as_ref()) {
            self.tell(None, "tengine", &result);
        }
        let cancelled = result.status == ExecStatus::Cancelled;
        let over = result.interval.is_zero() || cancelled;
        if let Some(place) = place.filter(|_| over) {
            self.executor.ops.remove(place);
        }
        self.log_result(&result, over && known.is_some());
        if result.resource_deleted {
            self.deletion_complete(&result.resource);
        } else if let Some(agent) = agent {
            self.remember(&agent, &result);
        }
    }

    fn deletion_complete(&mut self, id: &str) {
        let (done, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.executor.deletions)
            .into_iter()
            .partition(|deletion| deletion.resource == id);
        self.executor.deletions = rest;
        self.deleted(id, LegacyRc::OK, None, None);
        for Deletion { resource, request, user } in done {
            self.deleted(&resource, LegacyRc::OK, request, user.as_deref());
        }
    }

    /// Records a result; says whether the DC has to be told of it in another way.
    fn wants_direct_ack(&mut self, result: &OpResult, op: Option<&ActiveOp>, agent: Option<&Agent>) -> bool {
        if result.status != ExecStatus::Cancelled {
            return match agent {
                Some(agent) if is_recordable(&result.action) && !result.resource_deleted => {
                    self.record(agent, result);
                    false
                }
                _ => true,
            };
        }
        if result.interval.is_zero() {
            return true;
        }
        match op {
            Some(op) if op.remove => {
                self.erase_operation(result);
                let known = self.executor.history.get(&result.resource);
                known.is_some_and(|known| known.failed_as(&result.action, result.interval))
            }
            Some(_) => result.resource_deleted,
            None => false,
        }
    }

    fn erase_operation(&mut self, result: &OpResult) {
        let key = OpKey::new(&result.resource, &result.action, result.interval).to_string();
        let mut entry = Element::new("lrm_rsc_op").with_attr("call-id", result.call_id);
        entry.set_attr_opt("transition-key", result.user_data.as_ref());
        if !result.interval.is_zero() {
            entry.set_attr("id", &key);
        }
        self.cib_delete("status", entry, Purpose::Erase { what: key });
    }

    pub(super) fn log_result(&mut self, result: &OpResult, confirmed: bool) {
        let mut level = Level::Error;
        let said = match result.status {
            ExecStatus::Done => {
                level = Level::Notice;
                result.rc.to_string()
            }
            ExecStatus::Timeout => format!("{} after {}ms", result.status, result.timeout_ms),
            ExecStatus::Cancelled => {
                level = Level::Info;
                result.status.to_string()
            }
            _ => result.status.to_string(),
        };
        let fine = result.status == ExecStatus::Done && result.rc == OcfCode::OK;
        let reason = result.exit_reason.as_deref().filter(|reason| !fine && !reason.is_empty());
        let key = OpKey::new(&result.resource, &result.action, result.interval);
        let mut text = format!(
            "Result of {} operation for {} on {}: {said}",
            readable_action(result),
            result.resource,
            self.local_name()
        );
        if let Some(reason) = reason {
            text += &format!(" ({reason})");
        }
        text += &format!(
            " | graph action {}confirmed; call={} key={key}",
            if confirmed { "" } else { "un" },
            result.call_id
        );
        if result.status == ExecStatus::Done {
            text += &format!(" rc={}", result.rc.value());
        }
        self.log(level, text);
        if let Some(output) = result.output.as_deref().filter(|_| result.rc != OcfCode::OK) {
            let prefix = format!("{key}@{} output", self.local_name());
            for line in output.lines().filter(|line| !line.trim().is_empty()).take(50) {
                self.log(Level::Notice, format!("{prefix} [ {line} ]"));
            }
        }
    }
}
