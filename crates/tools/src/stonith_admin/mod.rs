// SPDX-License-Identifier: GPL-2.0-or-later
//! `stonith_admin`: fence a node, see what can, and what was.
//!
//! Decides: options, what the fencer of this node is asked, how its answer is printed. Leaves to others: who may do what
//! and how a node is fenced (the fencers).

mod agent;
mod history;
mod options;
mod report;
mod session;

use crate::command_line;
use crate::failure::Failure;
use crate::output::Output;
use crate::status::fencing;
use agents::Finder;
use messages::fencer::{self, ActionResult, Device, Event, Fence, OpState, QueryReply, Request};
use model::{ExecStatus, ExitCode};
use options::{Action, Options, OptionsError};
use report::{LastFenced, List};
use session::{CONNECT_TRIES, GRACE, Session, failed};
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, work)
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let parsed = options.timeout_s().and_then(|timeout_s| Ok((timeout_s, options.action()?)));
    let (timeout_s, action) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            if error != OptionsError::Command {
                out.error(&error);
            }
            if matches!(error, OptionsError::Command | OptionsError::Agent) {
                out.error(command_line::help_text::<Options>());
            }
            return Ok(ExitCode::USAGE);
        }
    };
    if let Action::Fence { target, action } = &action {
        return fence(options, timeout_s, target, action).map(|()| ExitCode::OK);
    }
    // All other refusals speak for themselves.
    Ok(match carry_out(options, timeout_s, action, out) {
        Ok(()) => ExitCode::OK,
        Err(failure) => {
            failure.details.iter().chain(&failure.text).for_each(|line| out.error(line));
            failure.code
        }
    })
}

fn carry_out(options: &Options, timeout_s: u32, action: Action, out: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        Action::Installed => {
            let agents = Finder::from_environment().fence_agents();
            out.say(&List::devices("Installed fence devices", agents))
        }
        Action::Metadata { agent } => agent::show_metadata(&agent, timeout_s, out),
        Action::Validate { agent, device, parameters } => {
            agent::validate(&agent, device, &parameters, timeout_s, out)
        }
        other => {
            let mut session = Session::open(options, 1)?;
            ask(&mut session, options, other, out)
        }
    }
}

/// What is asked of the fencer and answered at once.
fn ask(
    session: &mut Session,
    options: &Options,
    action: Action,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    match action {
        Action::Registered { target } => {
            let what = "Failed to list registered devices";
            let query = Request::Query { target, action: Some("off".into()) };
            let answer = session.request(query, 0, what)?;
            let devices = QueryReply::from_xml(&answer).map(|reply| reply.devices).unwrap_or_default();
            let ids: Vec<String> = devices.into_iter().map(|device| device.id).collect();
            out.say(&List::devices("Registered fence devices", ids))
        }
        Action::Targets { device } => {
            let request = Request::Execute { device, action: "list".into(), target: None };
            let reply = session.expect(request, 0, "Couldn't list targets")?;
            let targets = agents::fence::targets(reply.result.output.as_deref().unwrap_or_default());
            out.say(&List::targets(targets))
        }
        Action::Query { device } => {
            let request = |action: &str| Request::Execute {
                device: device.clone(),
                action: action.into(),
                target: None,
            };
            let what = format!("Couldn't query device {device}");
            session
                .expect(request("monitor"), 0, &what)
                .or_else(|_| session.expect(request("list"), 0, &what))
                .map(|_| ())
        }
        Action::Register { device, agent, parameters } => {
            let what = format!("Can't register device {device} using agent {agent}");
            let device = Device { id: device, agent, namespace: None, provides: None, parameters };
            session.expect(Request::RegisterDevice(device), 0, &what).map(|_| ())
        }
        Action::Deregister { device } => {
            let what = format!("Can't unregister device {device}");
            session.expect(Request::RemoveDevice { id: device }, 0, &what).map(|_| ())
        }
        Action::AddLevel(level) => {
            let what = format!("Can't register topology level {}", level.index);
            session.expect(Request::AddLevel(level), 0, &what).map(|_| ())
        }
        Action::RemoveLevel(level) => {
            let what = format!("Can't unregister topology level {}", level.index);
            session.expect(Request::RemoveLevel(level), 0, &what).map(|_| ())
        }
        Action::Confirm { target } => {
            let what = format!("Couldn't confirm that {target} is down");
            let fence = Fence { target, action: "off".into(), ..Fence::default() };
            session.expect(Request::Fence(fence), fencer::options::MANUAL_ACK, &what).map(|_| ())
        }
        Action::Last { target, as_node_id } => {
            let flags = if as_node_id { fencer::options::TARGET_IS_NODE_ID } else { 0 };
            let history = session.history(Some(target.clone()), flags)?;
            let done = history.iter().filter(|entry| entry.state == OpState::Done);
            let at_s = done.map(|entry| entry.completed.secs).max();
            out.say(&LastFenced { target, at_s })
        }
        Action::History { target } => show_history(session, options, target, out),
        Action::Installed | Action::Metadata { .. } | Action::Validate { .. } | Action::Fence { .. } => {
            Ok(())
        }
    }
}

fn show_history(
    session: &mut Session,
    options: &Options,
    target: Option<String>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if options.cleanup {
        let node = target.as_deref().unwrap_or("*");
        out.info(format_args!("cleaning up fencing-history for node {node}"))?;
        let request = Request::History { target, known: None };
        return session.expect(request, fencer::options::CLEANUP, "Couldn't clean up history").map(|_| ());
    }
    if options.broadcast {
        out.info("gather fencing-history from all nodes")?;
        let request = Request::History { target: target.clone(), known: None };
        session.expect(request, fencer::options::BROADCAST, "Couldn't gather history")?;
    }
    let mut history = session.history(target, 0)?;
    fencing::sort(&mut history);
    out.say(&history::Shown { history, all: options.common.verbose > 0 && !out.is_quiet() })
}

/// Fences, and waits until it is done or has failed.
fn fence(options: &Options, timeout_s: u32, target: &str, action: &str) -> Result<(), Failure> {
    let verb = if action == "on" { "unfence" } else { "fence" };
    let what = format!("Couldn't {verb} {target}");
    let mut session = Session::open(options, CONNECT_TRIES.0)
        .map_err(|failure| Failure { text: failure.text.map(|text| format!("{what}: {text}")), ..failure })?;
    session.subscribe(&what)?;
    let fence = Fence {
        target: target.to_owned(),
        action: action.to_owned(),
        device: None,
        tolerance_s: options.tolerance_s(),
        delay_s: options.delay,
    };
    let call_id = session.send(Request::Fence(fence), fencer::options::ALLOW_SELF_FENCING, &what)?;
    let delay_s = u64::try_from(options.delay).unwrap_or(0);
    let mut deadline = Instant::now() + Duration::from_secs(u64::from(timeout_s) + delay_s) + GRACE;
    let result = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(event) = session.next_event(left, &what)? else {
            break ActionResult::not_done(ExecStatus::Timeout, "Fencer did not answer in time");
        };
        match event {
            Event::Reply(reply) if reply.call_id == call_id => break reply.result,
            // Also if somebody else's wish was the same: it is what was wanted.
            Event::Fence(notice) if notice.target.eq_ignore_ascii_case(target) && notice.action == action => {
                break notice.result;
            }
            Event::Timeout { call_id: call, timeout_s: total_s } if call == call_id => {
                deadline = Instant::now() + Duration::from_secs(total_s.into()) + GRACE;
            }
            _ => {}
        }
    };
    if result.is_ok() { Ok(()) } else { Err(failed(&what, &result)) }
}
