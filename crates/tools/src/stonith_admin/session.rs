// SPDX-License-Identifier: GPL-2.0-or-later
//! `stonith_admin`'s talk with the fencer of this node.
//!
//! Decides: how long it waits, and what is said of refusals. Leaves to others: what is asked.

use super::options::Options;
use crate::failure::Failure;
use ipc::ClientOptions;
use ipc::blocking::Client;
use messages::fencer::{
    self, ActionResult, Command, Event, HistoryEntry, Reply, Request, Topic, history_from_xml,
};
use model::ExitCode;
use std::time::{Duration, Instant};

/// A fencer may be starting just now: how often, and how far apart, it is tried to reach it when a node is to be fenced.
pub(super) const CONNECT_TRIES: (u32, Duration) = (5, Duration::from_secs(1));

/// The answer may take so much longer than the fencing itself.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// What was refused, and why; the fencer's own reason says more than the code.
pub(super) fn failed(what: &str, result: &ActionResult) -> Failure {
    let rc = result.legacy();
    let text = rc.text();
    let reason = result.reason.as_ref().filter(|reason| **reason != text);
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Failure::new(rc.exit_code(), format_args!("{what}: {text}{reason}"))
}

/// A connection to this node's fencer.
pub(super) struct Session {
    client: Client,
    timeout_s: u32,
    last_call: i32,
}

impl Session {
    pub fn open(options: &Options, tries: u32) -> Result<Session, Failure> {
        let connection = ClientOptions::from_environment();
        let mut tried = 1;
        let client = loop {
            match Client::connect("stonith-ng", &connection) {
                Ok(client) => break client,
                Err(error) if tried >= tries => {
                    let text = format!("Could not connect to fencer: {error}");
                    return Err(Failure::new(ExitCode::DISCONNECT, text));
                }
                Err(_) => {
                    tried += 1;
                    std::thread::sleep(CONNECT_TRIES.1);
                }
            }
        };
        let mut session =
            Session { client, timeout_s: options.timeout_s().unwrap_or_default(), last_call: 0 };
        let hello = Command::new(Request::Register { client_name: options.client_name() }, 0, 0, 0);
        session.exchange(&hello, "Could not connect to fencer")?;
        Ok(session)
    }

    fn exchange(&mut self, command: &Command, what: &str) -> Result<xml::Element, Failure> {
        let timeout = Duration::from_secs(self.timeout_s.into()) + GRACE;
        self.client.request(&command.to_xml(), Some(timeout)).map_err(|error| lost(what, &error))
    }

    pub fn subscribe(&mut self, what: &str) -> Result<(), Failure> {
        let subscribe = Request::Subscribe { topic: Topic::Fence, activate: true };
        self.exchange(&Command::new(subscribe, 0, 0, 0), what).map(|_| ())
    }

    fn command(&mut self, request: Request, flags: u32) -> Command {
        self.last_call += 1;
        Command::new(request, self.last_call, flags, self.timeout_s)
    }

    /// Asks and waits; whatever comes back.
    pub fn request(&mut self, request: Request, flags: u32, what: &str) -> Result<xml::Element, Failure> {
        let flags = flags | fencer::options::SYNC | fencer::options::ALLOW_SELF_FENCING;
        let command = self.command(request, flags);
        let answer = self.exchange(&command, what)?;
        let result = ActionResult::read(&answer);
        if result.is_ok() { Ok(answer) } else { Err(failed(what, &result)) }
    }

    /// Asks and waits for success.
    pub fn expect(&mut self, request: Request, flags: u32, what: &str) -> Result<Reply, Failure> {
        let answer = self.request(request, flags, what)?;
        let text = || format!("{what}: the fencer's answer makes no sense");
        Reply::from_xml(&answer).ok_or_else(|| Failure::new(ExitCode::PROTOCOL, text()))
    }

    pub fn history(&mut self, target: Option<String>, flags: u32) -> Result<Vec<HistoryEntry>, Failure> {
        let reply = self.expect(Request::History { target, known: None }, flags, "Couldn't get history")?;
        Ok(reply.data.map(|history| history_from_xml(&history).0).unwrap_or_default())
    }

    /// Asks without waiting; the number of the call.
    pub fn send(&mut self, request: Request, flags: u32, what: &str) -> Result<i32, Failure> {
        let command = self.command(request, flags);
        self.client.send(&command.to_xml()).map_err(|error| lost(what, &error))?;
        Ok(command.call_id)
    }

    pub fn next_event(&mut self, timeout: Duration, what: &str) -> Result<Option<Event>, Failure> {
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
    Failure::new(code, format_args!("{what}: {error}"))
}
