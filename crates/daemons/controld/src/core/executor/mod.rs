// SPDX-License-Identifier: GPL-2.0-or-later
//! This node's operations: what the DC (or a client) wants done here, asked of the executor, and recorded.
//!
//! Decides: whether an operation may run now, with which parameters, what is recorded before and after it, who is told.
//! Given: requests, and what the executor says. Leaves to others: running anything (`execd`), what an entry looks like
//! ([`super::history`]).

mod cancel;
mod forget;
mod outcome;
mod run;

use crate::core::context::Context;
use crate::core::history::{self, NodeHistory};
use crate::core::peers::Facets;
use messages::controller::Envelope;
use messages::core::{Level, Service};
use messages::execd::{self, Agent, Command, OpResult, Request};
use model::{ExecStatus, Interval, OcfCode, OpKey};
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
