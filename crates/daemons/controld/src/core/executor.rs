//! This node's operations: what the DC (or a client) wants done here, asked of the executor, and recorded.
//!
//! Decides: whether an operation may run now, with which parameters, what is recorded before and after it, who is told.
//! Given: requests, and what the executor says. Leaves to others: running anything (`execd`), what an entry looks like
//! ([`super::history`]).
// SPDX-License-Identifier: GPL-2.0-or-later

use super::cib_calls::Purpose;
use super::context::Context;
use super::history::{self, NodeHistory, ResourceHistory};
use super::peers::Facets;
use super::state::Signal;
use messages::controller::{Direction, Envelope};
use messages::core::{Level, Service};
use messages::execd::{self, Agent, Command, Exec, OpResult, Parameters, Request};
use model::{ExecStatus, Interval, LegacyRc, OcfCode, OpKey, WallTime};
use std::collections::BTreeMap;
use xml::Element;

/// An operation that the executor has been asked for.
#[derive(Clone, Debug)]
pub(super) struct ActiveOp {
    /// Our number of the request; the executor's for its events comes with the response.
    call: i32,
    call_id: Option<i32>,
    /// As far as it is known before the end.
    result: OpResult,
    cancelled: bool,
    /// Its record goes when it is cancelled.
    remove: bool,
}

impl ActiveOp {
    fn key(&self) -> String {
        OpKey::new(&self.result.resource, &self.result.action, self.result.interval).to_string()
    }

    fn recurs(&self) -> bool {
        !self.result.interval.is_zero()
    }
}

/// Who asked for something, to be told of its end.
#[derive(Clone, Debug)]
struct Asker {
    system: String,
    host: Option<String>,
}

/// A request that is answered later: who asked, and for which action.
type Asked = (Asker, Element);

/// A resource that is to be forgotten.
#[derive(Clone, Debug)]
struct Deletion {
    resource: String,
    request: Option<Asked>,
    user: Option<String>,
}

/// What a call to the executor was for.
#[derive(Clone, Debug)]
enum Call {
    Register,
    Resource { resource: String },
    Exec,
    Cancel { op: i32, request: Option<Asked> },
    Unregister(Deletion),
}

/// The connection to the executor, and what it is doing.
#[derive(Clone, Debug, Default)]
pub(super) struct Executor {
    pub connected: bool,
    pub history: NodeHistory,
    registered: BTreeMap<String, Agent>,
    ops: Vec<ActiveOp>,
    calls: BTreeMap<i32, Call>,
    /// Unregistered while an operation ran: told of when that has ended.
    deletions: Vec<Deletion>,
}

impl Executor {
    /// Operations with an end that is still to come (recurring ones have none).
    pub fn pending(&self) -> usize {
        self.ops.iter().filter(|op| !op.recurs()).count()
    }

    pub fn active_resources(&self) -> usize {
        self.history.values().filter(|known| known.is_active()).count()
    }

    /// Forgets a resource's last failure (of one operation, or of any).
    pub fn clear_failure(&mut self, resource: &str, operation: Option<(&str, Interval)>) {
        if let Some(known) = self.history.get_mut(resource)
            && operation.is_none_or(|(action, interval)| known.failed_as(action, interval))
        {
            known.failed = None;
        }
    }
}

impl Context {
    /// Introduces itself to an executor that has just come up.
    pub fn executor_connect(&mut self) {
        self.executor =
            Executor { history: std::mem::take(&mut self.executor.history), ..Executor::default() };
        let register = Request::Register {
            client_name: "crmd".into(),
            protocol_version: execd::PROTOCOL_VERSION.into(),
            is_ipc_provider: false,
        };
        self.executor_call(Command::new(register), Call::Register);
    }

    fn executor_call(&mut self, command: Command, purpose: Call) -> i32 {
        let call = self.call(Service::Execd, true, command.to_xml());
        self.executor.calls.insert(call, purpose);
        call
    }

    /// The `<node_state>` with all this node knows of its resources.
    pub fn executor_state(&self, origin: &str) -> Option<Element> {
        let (id, name) = (self.local_id(), self.local_name());
        let state = self.node_state(&name, Facets::LIVENESS, origin)?;
        Some(state.with_child(history::to_lrm(&self.executor.history, &id, &name, self.feature_set())))
    }

    /// Does what a request to `lrmd` says, on this node.
    pub fn invoke_executor(&mut self, request: &Envelope, user: Option<&str>) {
        let Some(action) = request.payload.clone() else {
            self.log(Level::Warning, format!("Ignoring executor request {} without data", request.reference));
            return;
        };
        let asker = Asker {
            system: request.sys_from.clone(),
            host: if request.sys_from == "tengine" { None } else { request.src.clone() },
        };
        let operation = match request.task.as_str() {
            "lrm_delete" => "delete".to_owned(),
            _ => action.attr("operation").unwrap_or_default().to_owned(),
        };
        let agent = action.child("primitive").and_then(|primitive| {
            let attr = |name| primitive.attr(name).map(str::to_owned);
            Some((
                attr("id")?,
                Agent { class: attr("class")?, provider: attr("provider"), kind: attr("type")? },
            ))
        });
        match request.task.as_str() {
            "probe_again" => return self.reprobe(request),
            "lrm_fail" => return self.fail_resource(&asker, &action, agent, user),
            _ if operation == "probe_again" => return self.reprobe(request),
            _ => {}
        }
        let id = action.child("primitive").and_then(Element::id).map(str::to_owned);
        match (operation.as_str(), id, agent) {
            ("", _, _) => {
                let text = format!("Invalid execution request: unknown command '{}'", request.task);
                self.log(Level::Error, text);
            }
            (_, None, _) => {
                let text =
                    format!("Ignoring {operation} request {} that names no resource", request.reference);
                self.log(Level::Error, text);
            }
            ("delete", Some(id), _) => self.delete_resource(&id, Some((asker, action)), user),
            ("cancel", Some(id), _) => self.cancel_request(&id, asker, &action),
            (_, Some(id), None) => {
                self.log(Level::Error, format!("Invalid resource definition for {id}"));
                let agent = Agent { class: String::new(), provider: None, kind: String::new() };
                let mut failed = self.construct(&action, &id, &operation);
                self.fake(
                    &mut failed,
                    ExecStatus::Error,
                    OcfCode::NOT_CONFIGURED,
                    "Invalid resource definition",
                );
                self.record_and_tell(&agent, failed);
            }
            (operation, Some(id), Some((_, agent))) => self.run_operation(&id, agent, operation, &action),
        }
    }

    // --- running ------------------------------------------------------------------------------------------------

    fn run_operation(&mut self, id: &str, agent: Agent, operation: &str, action: &Element) {
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

    fn register_resource(&mut self, id: &str, agent: &Agent) {
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
    fn construct(&self, action: &Element, id: &str, operation: &str) -> OpResult {
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

    fn record(&mut self, agent: &Agent, result: &OpResult) {
        let (id, name, version) = (self.local_id(), self.local_name(), self.feature_set());
        let origin = "controld_update_resource_history";
        let update = history::status_update(&id, &name, agent, result, version, origin);
        let operation = OpKey::new(&result.resource, &result.action, result.interval).to_string();
        self.cib_modify("status", update, Purpose::History { operation });
    }

    // --- cancelling ---------------------------------------------------------------------------------------------

    fn cancel_recurring(&mut self, which: impl Fn(&ActiveOp) -> bool) {
        let found: Vec<i32> = self
            .executor
            .ops
            .iter()
            .filter(|op| op.recurs() && !op.cancelled && which(op))
            .map(|op| op.call)
            .collect();
        for call in found {
            self.cancel(call, false, None);
        }
    }

    /// Before this node leaves.
    pub fn cancel_all_recurring(&mut self) {
        self.cancel_recurring(|_| true);
    }

    fn cancel(&mut self, call: i32, remove: bool, request: Option<Asked>) {
        let Some(op) = self.executor.ops.iter_mut().find(|op| op.call == call) else { return };
        op.remove |= remove;
        op.cancelled = true;
        let cancel = Request::Cancel {
            resource: op.result.resource.clone(),
            action: op.result.action.clone(),
            interval: op.result.interval,
        };
        self.executor_call(Command::new(cancel), Call::Cancel { op: call, request });
    }

    fn cancel_request(&mut self, id: &str, asker: Asker, action: &Element) {
        let meta = |name: &str| action.child("attributes")?.attr(name).map(str::to_owned);
        let number = |name: &str| meta(name).and_then(|text| text.parse::<u64>().ok());
        let (Some(task), Some(interval)) = (meta("CRM_meta_operation"), number("CRM_meta_interval")) else {
            self.log(Level::Warning, format!("Ignoring request to cancel an unnamed operation of {id}"));
            return;
        };
        let key = OpKey::new(id, &task, Interval::from_ms(interval)).to_string();
        let call_id = number("CRM_meta_call_id").and_then(|id| i32::try_from(id).ok()).filter(|&id| id != 0);
        let found = self.executor.ops.iter_mut().find(|op| match call_id {
            Some(call_id) => op.call_id == Some(call_id) && op.result.resource == id,
            None => op.key() == key,
        });
        match found {
            Some(op) if op.cancelled => op.remove = true,
            Some(op) => {
                let call = op.call;
                self.cancel(call, true, Some((asker, action.clone())));
            }
            None => self.nothing_to_cancel(id, &task, &key, call_id, asker, action),
        }
    }

    fn nothing_to_cancel(
        &mut self,
        id: &str,
        task: &str,
        key: &str,
        call_id: Option<i32>,
        asker: Asker,
        action: &Element,
    ) {
        self.log(Level::Info, format!("Nothing known about operation {} for {key}", call_id.unwrap_or(0)));
        let node = self.local_name();
        let entry = match call_id {
            Some(call_id) => format!("@id='{key}' and @call-id='{call_id}'"),
            None => format!("@id='{key}'"),
        };
        if let (Some(node), Some(id), Some(_)) = (quotable(&node), quotable(id), quotable(key)) {
            let xpath = format!(
                "/cib/status/node_state[@uname='{node}']/lrm/lrm_resources/lrm_resource[@id='{id}']/lrm_rsc_op[{entry}]"
            );
            self.cib_delete_xpath(&xpath, false, None, Purpose::Erase { what: key.to_owned() });
        }
        let mut done = self.construct(action, id, task);
        (done.status, done.rc) = (ExecStatus::Done, OcfCode::OK);
        self.tell(asker.host.as_deref(), &asker.system, &done);
    }

    // --- deleting and failing -----------------------------------------------------------------------------------

    fn delete_resource(&mut self, id: &str, request: Option<Asked>, user: Option<&str>) {
        let user = user.map(str::to_owned);
        if !self.executor.registered.contains_key(id) {
            // Deleting what does not exist is a success.
            self.deleted(id, LegacyRc::OK, request, user.as_deref());
            return;
        }
        self.log(Level::Info, format!("Removing resource {id} from executor"));
        let unregister = Request::UnregisterResource { resource: id.to_owned() };
        let purpose = Call::Unregister(Deletion { resource: id.to_owned(), request, user });
        self.executor_call(Command::new(unregister), purpose);
    }

    fn deleted(&mut self, id: &str, rc: LegacyRc, request: Option<Asked>, user: Option<&str>) {
        if rc.is_ok() {
            self.executor.history.remove(id);
            self.executor.registered.remove(id);
            self.executor.ops.retain(|op| op.result.resource != id);
            self.erase_resource_history(id, &self.local_name(), user);
        }
        let Some((asker, action)) = request else { return };
        let verb = if rc.is_ok() { "was" } else { "was not" };
        let host = asker.host.as_deref().unwrap_or("localhost");
        self.log(Level::Info, format!("Notifying {} on {host} that {id} {verb} deleted", asker.system));
        let mut done = self.construct(&action, id, "delete");
        (done.status, done.rc) = match rc {
            rc if rc.is_ok() => (ExecStatus::Done, OcfCode::OK),
            LegacyRc::EACCES => (ExecStatus::Error, OcfCode::INSUFFICIENT_PRIV),
            _ => (ExecStatus::Error, OcfCode::UNKNOWN_ERROR),
        };
        self.tell(asker.host.as_deref(), &asker.system, &done);
        if asker.system != "tengine" {
            self.trigger_refresh();
        }
    }

    /// Tells who asked that a history was removed from the CIB (and from nowhere else).
    pub fn confirm_deletion(&mut self, message: &Envelope, resource: &str) {
        let from_transition = message.sys_from == "tengine";
        let action = message.payload.clone().unwrap_or_else(|| Element::new("crm_event"));
        let mut done = self.construct(&action, resource, "delete");
        let key = message.extra("transition-key").filter(|_| from_transition);
        done.user_data = key.map(str::to_owned).or(done.user_data).or(Some(history::FAKE_UUID.to_owned()));
        (done.status, done.rc) = (ExecStatus::Done, OcfCode::OK);
        let host = message.src.clone();
        self.tell(host.as_deref(), &message.sys_from, &done);
        if !from_transition {
            self.trigger_refresh();
        }
    }

    /// Writes a meaningless property, so that the cluster looks at everything again.
    fn trigger_refresh(&mut self) {
        let update = self.options.property_update("last-lrm-refresh", &self.now.wall.to_string());
        self.cib_create("crm_config", update, Purpose::Unimportant);
    }

    /// Removes a resource's history on a node from the CIB.
    pub fn erase_resource_history(&mut self, id: &str, node: &str, user: Option<&str>) {
        let (Some(resource), Some(node)) = (quotable(id), quotable(node)) else { return };
        let xpath = format!("//node_state[@uname='{node}']/lrm/lrm_resources/lrm_resource[@id='{resource}']");
        let what = format!("resource history for {id} on {node}");
        self.cib_delete_xpath(&xpath, false, user, Purpose::Erase { what });
    }

    fn reprobe(&mut self, request: &Envelope) {
        self.log(Level::Notice, "Forcing the status of all resources to be redetected");
        let ids: Vec<String> = self.executor.registered.keys().cloned().collect();
        for id in ids {
            self.executor.history.remove(&id);
            let unregister = Request::UnregisterResource { resource: id.clone() };
            let purpose = Call::Unregister(Deletion { resource: id, request: None, user: None });
            self.executor_call(Command::new(unregister), purpose);
        }
        self.executor.history.clear();
        self.erase_node_history(&self.local_name());
        if !matches!(request.sys_from.as_str(), "tengine" | "pengine") {
            let reply = request.reply(None);
            self.relay(reply);
        }
    }

    fn fail_resource(
        &mut self,
        asker: &Asker,
        action: &Element,
        agent: Option<(String, Agent)>,
        user: Option<&str>,
    ) {
        let Some((id, agent)) = agent else {
            self.log(Level::Warning, "Cannot fail a resource without its definition");
            return;
        };
        let mut op = self.construct(action, &id, "asyncmon");
        op.user_data = None;
        op.interval = Interval::ZERO;
        if let Some(user) = user {
            self.log(Level::Error, format!("{user} does not have permission to fail {id}"));
            let reason = "Unprivileged user cannot fail resources";
            self.fake(&mut op, ExecStatus::Error, OcfCode::INSUFFICIENT_PRIV, reason);
        } else {
            self.log(Level::Info, format!("Failing resource {id}..."));
            self.register_resource(&id, &agent);
            self.fake(&mut op, ExecStatus::Done, OcfCode::UNKNOWN_ERROR, "Simulated failure");
            self.record_and_tell(&agent, op.clone());
            // That it was failed is a success.
            op.rc = OcfCode::OK;
        }
        self.tell(asker.host.as_deref(), &asker.system, &op);
    }

    /// Makes a result of something that did not run.
    fn fake(&self, op: &mut OpResult, status: ExecStatus, rc: OcfCode, reason: &str) {
        let known = self.executor.history.get(&op.resource);
        // Later than anything the scheduler knows of the resource.
        op.call_id = known.map_or(999_999_999, |known| known.last_call_id.saturating_add(1).max(1));
        op.run_time = WallTime::from_secs(self.now.wall.secs);
        op.rc_change_time = op.run_time;
        if op.action == "notify" {
            (op.status, op.rc) = (ExecStatus::Done, OcfCode::OK);
        } else {
            (op.status, op.rc, op.exit_reason) = (status, rc, Some(reason.to_owned()));
        }
    }

    fn record_and_tell(&mut self, agent: &Agent, result: OpResult) {
        if is_recordable(&result.action) || result.action == "asyncmon" {
            self.record(agent, &result);
        } else {
            self.tell(None, "tengine", &result);
        }
        self.log_result(&result, false);
        self.remember(agent, &result);
    }

    fn remember(&mut self, agent: &Agent, result: &OpResult) {
        if result.action == "notify" {
            return;
        }
        let known = self.executor.history.entry(result.resource.clone());
        known.or_insert_with(|| ResourceHistory::new(agent.clone())).record(result);
    }

    // --- telling ------------------------------------------------------------------------------------------------

    /// Tells of a result that is not recorded (or not only).
    fn tell(&mut self, host: Option<&str>, system: &str, result: &OpResult) {
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

    // --- what the executor says ---------------------------------------------------------------------------------

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

    fn cancel_answered(&mut self, call: i32, rc: LegacyRc, request: Option<Asked>) {
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

    fn log_result(&mut self, result: &OpResult, confirmed: bool) {
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

/// Whether results of an operation are kept in the CIB.
pub(super) fn is_recordable(action: &str) -> bool {
    !matches!(action, "cancel" | "delete" | "notify" | "meta-data" | "clear_failcount" | "lrm_delete")
}

/// `probe` for monitors that run once.
fn readable_action(result: &OpResult) -> &str {
    if result.action == "monitor" && result.interval.is_zero() { "probe" } else { &result.action }
}

/// A text that can stand in an XPath's quotes.
pub(super) fn quotable(text: &str) -> Option<&str> {
    (!text.contains(['\'', '"'])).then_some(text)
}
