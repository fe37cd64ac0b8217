// SPDX-License-Identifier: GPL-2.0-or-later
//! Resources of class stonith: the fencer has the devices, and does what is done with them.
//!
//! To start one is to register it and to see that its monitor succeeds; to stop one is to remove it; a probe needs nobody:
//! it tells whether this executor has started it.

use super::Executor;
use super::operation::{Ended, OpNumber, State};
use messages::core::{Level, Output, Service};
use messages::execd::Exec;
use messages::fencer::{self, ActionResult, Device, Event, Reply, Request, options};
use model::{ExecStatus, Now, OcfCode};
use std::collections::BTreeMap;
use std::time::Duration;

/// The fencer may take so much longer than the operation's own timeout, because it has to queue it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a device is known to the fencer, as far as this executor can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DeviceState {
    /// No: it was never started, or stopped.
    #[default]
    Stopped,
    /// Yes.
    Started,
    /// It was, but the fencer has gone since.
    Lost,
}

/// What a call to the fencer was for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Hello,
    Register(OpNumber),
    Remove(OpNumber),
    Monitor(OpNumber),
}

/// The connection to the fencer.
#[derive(Debug, Default)]
pub(super) struct Fencer {
    /// It has answered our hello.
    ready: bool,
    last_call: i32,
    calls: BTreeMap<i32, Purpose>,
}

impl Executor {
    /// Responses come by our number of the call; what is asked without one, as an event with the same number.
    fn call_fencer(&mut self, request: Request, purpose: Purpose, timeout_s: u32) -> i32 {
        self.fencer.last_call = self.fencer.last_call.checked_add(1).unwrap_or(1);
        let call = self.fencer.last_call;
        let respond = !matches!(purpose, Purpose::Monitor(_));
        let options = if respond { options::SYNC } else { 0 };
        let message = fencer::Command::new(request, call, options, timeout_s).to_xml();
        self.fencer.calls.insert(call, purpose);
        self.outputs.push_back(Output::Call { service: Service::Fenced, call, respond, message });
        call
    }

    pub(super) fn fencer_up(&mut self) {
        self.fencer.ready = false;
        self.fencer.calls.clear();
        self.call_fencer(Request::Register { client_name: "pacemaker-execd".into() }, Purpose::Hello, 0);
    }

    pub(super) fn fencer_down(&mut self, now: Now) {
        if std::mem::take(&mut self.fencer.ready) {
            self.log(
                Level::Warning,
                "Connection to fencer lost (any pending operations for fence devices will be considered failed)"
                    .to_owned(),
            );
        }
        self.fencer.calls.clear();
        for resource in self.resources.values_mut() {
            if resource.device == DeviceState::Started {
                resource.device = DeviceState::Lost;
            }
        }
        let waiting = |(number, op): (&OpNumber, &super::operation::Op)| {
            matches!(op.state, State::AtFencer { .. }).then_some(*number)
        };
        for number in self.ops.iter().filter_map(waiting).collect::<Vec<_>>() {
            self.fencing_ended(number, &not_connected("Lost connection to fencer"), now);
        }
    }

    pub(super) fn execute_fencing(&mut self, number: OpNumber, exec: &Exec, agent: &str, now: Now) {
        if exec.action == "monitor" && exec.interval.is_zero() {
            self.probe(number, &exec.resource, now);
            return;
        }
        if !self.fencer.ready {
            self.fencing_ended(number, &not_connected("No connection to fencer"), now);
            return;
        }
        let timeout_s = seconds(exec.timeout_ms);
        let call = match exec.action.as_str() {
            "start" => {
                let device = Device {
                    id: exec.resource.clone(),
                    agent: agent.to_owned(),
                    namespace: None,
                    provides: None,
                    parameters: exec.parameters.clone(),
                };
                self.call_fencer(Request::RegisterDevice(device), Purpose::Register(number), timeout_s)
            }
            "stop" => {
                let id = exec.resource.clone();
                self.call_fencer(Request::RemoveDevice { id }, Purpose::Remove(number), timeout_s)
            }
            "monitor" => self.monitor(number, exec, timeout_s),
            action => {
                let reason = format!("Fence devices have no action '{action}'");
                let ended = Ended::new(OcfCode::UNIMPLEMENT_FEATURE, ExecStatus::Error, Some(reason));
                self.finish(number, ended, now);
                return;
            }
        };
        self.wait_for_fencer(number, call, exec, now);
    }

    fn monitor(&mut self, number: OpNumber, exec: &Exec, timeout_s: u32) -> i32 {
        let request =
            Request::Execute { device: exec.resource.clone(), action: "monitor".into(), target: None };
        self.call_fencer(request, Purpose::Monitor(number), timeout_s)
    }

    fn wait_for_fencer(&mut self, number: OpNumber, call: i32, exec: &Exec, now: Now) {
        let until = now.instant + Duration::from_millis(exec.timeout_ms) + PATIENCE;
        self.set_state(number, State::AtFencer { call, until });
    }

    fn probe(&mut self, number: OpNumber, resource: &str, now: Now) {
        let ended = match self.resources.get(resource).map(|known| known.device).unwrap_or_default() {
            DeviceState::Stopped => Ended::new(OcfCode::NOT_RUNNING, ExecStatus::Done, None),
            DeviceState::Started => Ended::new(OcfCode::OK, ExecStatus::Done, None),
            DeviceState::Lost => Ended::new(
                OcfCode::UNKNOWN_ERROR,
                ExecStatus::Error,
                Some("Lost connection to fencer".to_owned()),
            ),
        };
        self.finish(number, ended, now);
    }

    pub(super) fn fencer_response(&mut self, call: i32, message: &xml::Element, now: Now) {
        let Some(purpose) = self.fencer.calls.remove(&call) else { return };
        let result =
            Reply::from_xml(message).map_or_else(|| ActionResult::read(message), |reply| reply.result);
        match purpose {
            Purpose::Hello => self.fencer.ready = true,
            Purpose::Remove(number) | Purpose::Monitor(number) => self.fencing_ended(number, &result, now),
            Purpose::Register(number) if result.is_ok() => {
                let Some(exec) = self.ops.get(&number).map(|op| op.exec.clone()) else { return };
                let call = self.monitor(number, &exec, seconds(exec.timeout_ms));
                self.wait_for_fencer(number, call, &exec, now);
            }
            Purpose::Register(number) => self.fencing_ended(number, &result, now),
        }
    }

    pub(super) fn fencer_event(&mut self, message: &xml::Element, now: Now) {
        if let Some(Event::Reply(reply)) = Event::from_xml(message)
            && let Some(Purpose::Monitor(number)) = self.fencer.calls.get(&reply.call_id).copied()
        {
            self.fencer.calls.remove(&reply.call_id);
            self.fencing_ended(number, &reply.result, now);
        }
    }

    pub(super) fn fencer_is_late(&mut self, number: OpNumber, now: Now) {
        let result = ActionResult::not_done(ExecStatus::Timeout, "Fencer did not answer in time");
        self.fencing_ended(number, &result, now);
    }

    fn fencing_ended(&mut self, number: OpNumber, result: &ActionResult, now: Now) {
        let Some(op) = self.ops.get(&number) else { return };
        let (resource, action) = (op.exec.resource.clone(), op.exec.action.clone());
        let ended = in_our_words(&action, result);
        if ended.is_ok()
            && !op.cancelled
            && let Some(resource) = self.resources.get_mut(&resource)
        {
            match action.as_str() {
                "start" => resource.device = DeviceState::Started,
                "stop" => resource.device = DeviceState::Stopped,
                _ => {}
            }
        }
        self.finish(number, ended, now);
    }
}

fn not_connected(reason: &str) -> ActionResult {
    ActionResult::not_done(ExecStatus::NotConnected, reason)
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// A fencer's result, as clients of an executor expect results.
fn in_our_words(action: &str, result: &ActionResult) -> Ended {
    let failed = OcfCode::UNKNOWN_ERROR;
    let (rc, status) = match result.status {
        _ if result.is_ok() => (OcfCode::OK, ExecStatus::Done),
        ExecStatus::NotConnected | ExecStatus::Invalid => (failed, ExecStatus::Error),
        ExecStatus::NoFenceDevice => match action {
            "monitor" => (OcfCode::NOT_RUNNING, ExecStatus::Error),
            "stop" => (OcfCode::OK, ExecStatus::Done),
            _ => (OcfCode::NOT_INSTALLED, ExecStatus::Error),
        },
        ExecStatus::NotInstalled => (OcfCode::NOT_INSTALLED, ExecStatus::NotInstalled),
        ExecStatus::NotSupported => (OcfCode::UNIMPLEMENT_FEATURE, ExecStatus::NotSupported),
        status => (failed, status),
    };
    Ended { output: result.output.clone(), ..Ended::new(rc, status, result.reason.clone()) }
}
