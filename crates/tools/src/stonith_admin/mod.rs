// SPDX-License-Identifier: GPL-2.0-or-later
//! `stonith_admin`: fence a node, see what can, and what was.
//!
//! Decides: options, what the fencer of this node is asked, how its answer is printed. Leaves to others: who may do what
//! and how a node is fenced (the fencers).

mod history;
mod options;

use crate::{command_line, date};
use agents::{Description, End, Finder, run};
use clap::Parser;
use ipc::ClientOptions;
use ipc::blocking::Client;
use messages::fencer::{
    self, ActionResult, Command, Device, Event, Fence, HistoryEntry, OpState, QueryReply, Reply, Request,
    Topic, history_from_xml,
};
use model::{ExecStatus, ExitCode, LegacyRc};
use options::{Action, Options};
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// A fencer may be starting just now: how often, and how far apart, it is tried to reach it when a node is to be fenced.
const CONNECT_TRIES: (u32, Duration) = (5, Duration::from_secs(1));

/// The answer may take so much longer than the fencing itself.
const GRACE: Duration = Duration::from_secs(10);

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::stdout().lock();
    let err = &mut io::stderr().lock();
    let options = match Options::try_parse_from(&args) {
        Ok(options) => options,
        Err(error) => return command_line::refuse("stonith_admin", &error, out, err),
    };
    if options.version {
        return command_line::print_version(out);
    }
    let told = if options.output_as == "text" {
        match options.action() {
            Ok(action) => carry_out(&options, action, out),
            Err(error) => Err(Failure { code: ExitCode::USAGE, text: Some(error.to_string()) }),
        }
    } else {
        let text = format!("Error creating output format {}: Unknown output format", options.output_as);
        Err(Failure { code: ExitCode::ERROR, text: Some(text) })
    };
    match told.and_then(|()| out.flush().map_err(Failure::from)) {
        Ok(()) => ExitCode::OK,
        Err(failure) => {
            if let Some(text) = failure.text {
                // If nobody can be told, the exit code has to do.
                let _ = writeln!(err, "stonith_admin: {text}");
            }
            failure.code
        }
    }
}

/// Why not, and what to exit with.
#[derive(Debug)]
struct Failure {
    code: ExitCode,
    text: Option<String>,
}

impl Failure {
    fn refused(what: &str, rc: LegacyRc) -> Failure {
        Failure { code: rc.exit_code(), text: Some(format!("{what}: {}", rc.text())) }
    }

    /// The fencer's own reason says more than the code.
    fn result(what: &str, result: &ActionResult) -> Failure {
        let rc = result.legacy();
        let text = rc.text();
        let reason = result.reason.as_ref().filter(|reason| **reason != text);
        let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        Failure { code: rc.exit_code(), text: Some(format!("{what}: {text}{reason}")) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure { code: ExitCode::IOERR, text: Some(format!("cannot write the answer: {error}")) }
    }
}

fn carry_out(options: &Options, action: Action, out: &mut dyn Write) -> Result<(), Failure> {
    match action {
        Action::Installed => print_list(out, &Finder::from_environment().fence_agents(), "fence device"),
        Action::Metadata { agent } => print_metadata(&agent, options.timeout, out),
        Action::Fence { target, action } => fence(options, &target, action),
        other => {
            let mut session = Session::open(options, 1)?;
            ask(&mut session, options, other, out)
        }
    }
}

/// What is asked of the fencer and answered at once.
fn ask(session: &mut Session, options: &Options, action: Action, out: &mut dyn Write) -> Result<(), Failure> {
    match action {
        Action::Registered { target } => {
            let what = "Failed to list registered devices";
            let query = Request::Query { target, action: Some("off".into()) };
            let answer = session.request(query, 0, what)?;
            let devices = QueryReply::from_xml(&answer).map(|reply| reply.devices).unwrap_or_default();
            let ids: Vec<String> = devices.into_iter().map(|device| device.id).collect();
            print_list(out, &ids, "fence device")
        }
        Action::Targets { device } => {
            let request = Request::Execute { device, action: "list".into(), target: None };
            let reply = session.expect(request, 0, "Couldn't list targets")?;
            let targets = agents::fence::targets(reply.result.output.as_deref().unwrap_or_default());
            print_list(out, &targets, "fence target")
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
            match done.map(|entry| entry.completed.secs).max() {
                Some(secs) => writeln!(out, "Node {target} last fenced at: {}", date::local(secs))?,
                None => writeln!(out, "Node {target} has never been fenced")?,
            }
            Ok(())
        }
        Action::History { target } => print_history(session, options, target, out),
        Action::Installed | Action::Metadata { .. } | Action::Fence { .. } => Ok(()),
    }
}

fn print_list(out: &mut dyn Write, items: &[String], noun: &str) -> Result<(), Failure> {
    for item in items {
        writeln!(out, "{item}")?;
    }
    print_count(out, items.len(), noun)
}

fn print_count(out: &mut dyn Write, count: usize, noun: &str) -> Result<(), Failure> {
    let plural = if count == 1 { "" } else { "s" };
    writeln!(out, "{count} {noun}{plural} found")?;
    Ok(())
}

fn print_history(
    session: &mut Session,
    options: &Options,
    target: Option<String>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if options.cleanup {
        if !options.quiet {
            let node = target.as_deref().unwrap_or("*");
            writeln!(out, "cleaning up fencing-history for node {node}")?;
        }
        let request = Request::History { target, known: None };
        return session.expect(request, fencer::options::CLEANUP, "Couldn't clean up history").map(|_| ());
    }
    if options.broadcast {
        if !options.quiet {
            writeln!(out, "gather fencing-history from all nodes")?;
        }
        let request = Request::History { target: target.clone(), known: None };
        session.expect(request, fencer::options::BROADCAST, "Couldn't gather history")?;
    }
    let mut history = session.history(target, 0)?;
    history::sort(&mut history);
    let last = history.iter().rfind(|entry| entry.state == OpState::Done);
    let mut count = 0;
    if options.verbose > 0 && !options.quiet {
        for entry in &history {
            writeln!(out, "{}", history::describe(entry, true, history::later_success(entry, &history)))?;
            count += 1;
        }
    }
    if let Some(last) = last {
        if options.quiet {
            writeln!(out, "{}", last.completed.secs)?;
        } else if options.verbose == 0 {
            writeln!(out, "{}", history::describe(last, false, None))?;
            count += 1;
        }
    }
    if options.quiet { Ok(()) } else { print_count(out, count, "event") }
}

fn print_metadata(agent: &str, timeout_s: u32, out: &mut dyn Write) -> Result<(), Failure> {
    let what = "Can't get fence agent meta-data";
    let failed = |rc: i32| Failure::refused(what, LegacyRc::new(rc));
    // ENOENT, EINVAL and the schema's refusal are what there is to say.
    let timeout_ms = u64::from(timeout_s).saturating_mul(1000);
    let invocation = agents::fence::describe(&Finder::from_environment(), agent, timeout_ms)
        .map_err(|error| Failure { code: ExitCode::NOSUCH, text: Some(format!("{what}: {error}")) })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(run::run(&invocation, std::future::pending()));
    if outcome.end != End::Exited(0) {
        let verdict = agents::fence::verdict(&invocation, &outcome);
        let result = ActionResult {
            exit: ExitCode::new(verdict.rc.value()),
            status: verdict.status,
            reason: verdict.reason,
            output: None,
        };
        return Err(Failure::result(what, &result));
    }
    let description = Description::parse(&outcome.stdout).map_err(|error| {
        let mut failure = failed(LegacyRc::SCHEMA_VALIDATION.value());
        failure.text = Some(format!("{what}: {error}"));
        failure
    })?;
    let metadata = agents::fence::adjusted_metadata(&description);
    write!(out, "{}", xml::write_document(&metadata))?;
    Ok(())
}

/// Fences, and waits until it is done or has failed.
fn fence(options: &Options, target: &str, action: &str) -> Result<(), Failure> {
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
    let mut deadline = Instant::now() + Duration::from_secs(u64::from(options.timeout) + delay_s) + GRACE;
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
            Event::Timeout { call_id: call, timeout_s } if call == call_id => {
                deadline = Instant::now() + Duration::from_secs(timeout_s.into()) + GRACE;
            }
            _ => {}
        }
    };
    if result.is_ok() { Ok(()) } else { Err(Failure::result(&what, &result)) }
}

/// A connection to this node's fencer.
struct Session {
    client: Client,
    timeout_s: u32,
    last_call: i32,
}

impl Session {
    fn open(options: &Options, tries: u32) -> Result<Session, Failure> {
        let connection = ClientOptions::from_environment();
        let mut tried = 1;
        let client = loop {
            match Client::connect("stonith-ng", &connection) {
                Ok(client) => break client,
                Err(error) if tried >= tries => {
                    let text = format!("Could not connect to fencer: {error}");
                    return Err(Failure { code: ExitCode::DISCONNECT, text: Some(text) });
                }
                Err(_) => {
                    tried += 1;
                    std::thread::sleep(CONNECT_TRIES.1);
                }
            }
        };
        let mut session = Session { client, timeout_s: options.timeout, last_call: 0 };
        let hello = Command::new(Request::Register { client_name: options.client_name() }, 0, 0, 0);
        session.exchange(&hello, "Could not connect to fencer")?;
        Ok(session)
    }

    fn exchange(&mut self, command: &Command, what: &str) -> Result<xml::Element, Failure> {
        let timeout = Duration::from_secs(self.timeout_s.into()) + GRACE;
        self.client.request(&command.to_xml(), Some(timeout)).map_err(|error| lost(what, &error))
    }

    fn subscribe(&mut self, what: &str) -> Result<(), Failure> {
        let subscribe = Request::Subscribe { topic: Topic::Fence, activate: true };
        self.exchange(&Command::new(subscribe, 0, 0, 0), what).map(|_| ())
    }

    fn command(&mut self, request: Request, flags: u32) -> Command {
        self.last_call += 1;
        Command::new(request, self.last_call, flags, self.timeout_s)
    }

    /// Asks and waits; whatever comes back.
    fn request(&mut self, request: Request, flags: u32, what: &str) -> Result<xml::Element, Failure> {
        let flags = flags | fencer::options::SYNC | fencer::options::ALLOW_SELF_FENCING;
        let command = self.command(request, flags);
        let answer = self.exchange(&command, what)?;
        let result = ActionResult::read(&answer);
        if result.is_ok() { Ok(answer) } else { Err(Failure::result(what, &result)) }
    }

    /// Asks and waits for success.
    fn expect(&mut self, request: Request, flags: u32, what: &str) -> Result<Reply, Failure> {
        let answer = self.request(request, flags, what)?;
        let text = || Some(format!("{what}: the fencer's answer makes no sense"));
        Reply::from_xml(&answer).ok_or_else(|| Failure { code: ExitCode::PROTOCOL, text: text() })
    }

    fn history(&mut self, target: Option<String>, flags: u32) -> Result<Vec<HistoryEntry>, Failure> {
        let reply = self.expect(Request::History { target, known: None }, flags, "Couldn't get history")?;
        Ok(reply.data.map(|history| history_from_xml(&history).0).unwrap_or_default())
    }

    /// Asks without waiting; the number of the call.
    fn send(&mut self, request: Request, flags: u32, what: &str) -> Result<i32, Failure> {
        let command = self.command(request, flags);
        self.client.send(&command.to_xml()).map_err(|error| lost(what, &error))?;
        Ok(command.call_id)
    }

    fn next_event(&mut self, timeout: Duration, what: &str) -> Result<Option<Event>, Failure> {
        let begin = Instant::now();
        loop {
            let left = timeout.saturating_sub(begin.elapsed());
            let message = self.client.next_event(Some(left)).map_err(|error| lost(what, &error))?;
            let Some(message) = message else { return Ok(None) };
            if let Some(event) = Event::from_xml(&message) {
                return Ok(Some(event));
            }
        }
    }
}

fn lost(what: &str, error: &ipc::RequestError) -> Failure {
    let code = match error {
        ipc::RequestError::Timeout { .. } => ExitCode::TIMEOUT,
        _ => ExitCode::DISCONNECT,
    };
    Failure { code, text: Some(format!("{what}: {error}")) }
}
