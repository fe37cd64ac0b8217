// SPDX-License-Identifier: GPL-2.0-or-later
//! Clients: who they are, what they subscribe to, where what they ask for is done.

use super::{Based, MAX_WAITING, Pending, ids};
use ::cib::{CallOptions, Operation, Refusal, Request};
use messages::cib::{self, Reply};
use messages::core::{ClientId, Credentials, EffectId, Level, Output};
use model::{ExitCode, LegacyRc, Now, Profile};
use std::collections::BTreeMap;
use xml::Element;

/// Calls of one client that may be without an answer. No client of good will has so many.
const MAX_PENDING: usize = 10_000;

/// A connected client.
#[derive(Debug)]
pub(super) struct Client {
    /// What all managers call it.
    pub id: String,
    /// What it calls itself.
    name: Option<String>,
    credentials: Credentials,
    /// Came by a channel that is only for reading.
    read_only: bool,
    /// Wants to be told of changes.
    wants_diffs: bool,
    /// Calls without an answer, by its own numbers.
    pending: BTreeMap<i32, Pending>,
}

/// What is subscribed to but never happens any more.
const OLD_NOTIFICATIONS: [&str; 4] =
    ["cib_pre_notify", "cib_post_notify", "cib_refresh_notify", "cib_update_confirmation"];

/// The number a client gave a message, and its options.
fn call_of(message: &Element) -> (i32, CallOptions) {
    let number = |name| message.attr(name).and_then(|text| text.trim().parse::<i32>().ok());
    let options = number("cib_callopt").and_then(|bits| u32::try_from(bits).ok()).unwrap_or(0);
    (number("cib_callid").unwrap_or(0), CallOptions::from_bits(options))
}

impl Based {
    pub(super) fn client_connected(
        &mut self,
        now: Now,
        client: ClientId,
        channel: &'static str,
        credentials: Credentials,
    ) {
        if self.shutdown.is_some() {
            self.log(Level::Info, format!("Ignoring new IPC client [{}] during shutdown", credentials.pid));
            return self.outputs.push_back(Output::Disconnect { client });
        }
        self.clients_ever += 1;
        let id = ids::client_id(self.node_name(), now, self.clients_ever);
        let read_only = channel == "cib_ro";
        let known =
            Client { id, name: None, credentials, read_only, wants_diffs: false, pending: BTreeMap::new() };
        self.clients.insert(client, known);
    }

    pub(super) fn client_gone(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    pub(super) fn client_message(
        &mut self,
        now: Now,
        client: ClientId,
        request: Option<i32>,
        mut message: Element,
    ) {
        let Some(known) = self.clients.get_mut(&client) else { return };
        if known.name.is_none() {
            let name = message.attr("cib_clientname").map(str::to_owned);
            known.name = Some(name.unwrap_or_else(|| known.credentials.pid.to_string()));
        }
        match message.attr("cib_op") {
            Some("register") => {
                let answer = cib::registered(&known.id, self.config.profile);
                self.answer(client, request, answer, None);
            }
            Some("cib_notify") => {
                let status = self.subscribe(client, &message);
                self.answer(client, request, cib::ack(status), None);
            }
            Some(_) => {
                known.stamp(&mut message);
                self.client_command(now, client, request, message);
            }
            None => {
                self.log(
                    Level::Warning,
                    format!("Client {client:?} sent <{}>, which has no cib_op", message.name()),
                );
                self.answer(client, request, cib::ack(ExitCode::PROTOCOL), None);
            }
        }
    }

    fn subscribe(&mut self, client: ClientId, message: &Element) -> ExitCode {
        let activate = message.attr("cib_notify_activate").and_then(model::parse_bool);
        let (Some(activate), Some(known)) = (activate, self.clients.get_mut(&client)) else {
            return ExitCode::INVALID_PARAM;
        };
        match message.attr("cib_notify_type") {
            Some(cib::DIFF_NOTIFY) => {
                known.wants_diffs = activate;
                ExitCode::OK
            }
            Some(old) if self.config.profile == Profile::V2_1 && OLD_NOTIFICATIONS.contains(&old) => {
                ExitCode::OK
            }
            _ => ExitCode::INVALID_PARAM,
        }
    }

    /// Does what is asked for, here or everywhere.
    fn client_command(&mut self, now: Now, client: ClientId, request: Option<i32>, mut message: Element) {
        let (call, options) = call_of(&message);
        if options.has(CallOptions::TRANSACTION) {
            let text = "Ignoring CIB request with cib_transaction flag set outside of any transaction";
            self.log(Level::Warning, text.to_owned());
            return self.refuse(client, request, &message, LegacyRc::EINVAL);
        }
        message.set_attr("src", self.node_name());
        let parsed = match Request::from_message(&message) {
            Ok(parsed) => parsed,
            Err(refusal) => {
                self.log(Level::Error, format!("Pre-processing of command failed: {refusal}"));
                return self.refuse(client, request, &message, refusal.rc());
            }
        };
        let Some(known) = self.clients.get_mut(&client) else { return };
        if known.read_only && parsed.operation.privileged() {
            return self.refuse(client, request, &message, LegacyRc::EACCES);
        }
        let elsewhere = parsed.host.as_deref().is_some_and(|host| !self.is_here(host));
        let Some(known) = self.clients.get_mut(&client) else { return };
        if !options.has(CallOptions::DISCARD_REPLY) {
            if known.pending.len() >= MAX_PENDING {
                return self.refuse(client, request, &message, LegacyRc::EAGAIN);
            }
            known.pending.insert(call, Pending { request });
        }
        let goes_around = parsed.operation.modifies() || elsewhere;
        if !goes_around || parsed.operation.local() || self.config.stand_alone {
            if let Some(reply) = self.process(now, &parsed, &message) {
                self.answer_client(&message, reply);
            }
        } else if self.local.is_some() {
            self.forward(now, message);
        } else if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(message);
        } else {
            let rc = LegacyRc::EAGAIN;
            self.answer_client(&message, super::execute::Answer::only(rc));
        }
    }

    /// Passes a client's request on to all managers, or to the one it names.
    pub(super) fn forward(&mut self, _now: Now, mut message: Element) {
        let text = |name, missing: &str| message.attr(name).unwrap_or(missing).to_owned();
        let (op, section, host) =
            (text("cib_op", "invalid"), text("cib_section", "all"), text("cib_host", "all"));
        let (client, call) = (text("cib_clientname", "unspecified"), text("cib_callid", "unspecified"));
        let level = if op == Operation::Noop.as_str() { Level::Debug } else { Level::Info };
        let node = self.node_name().to_owned();
        self.log(
            level,
            format!(
                "Forwarding {op} operation for section {section} to {host} (origin={node}/{client}/{call})"
            ),
        );
        message.set_attr("cib_delegated_from", node);
        let host = message.attr("cib_host").filter(|host| !host.is_empty()).map(str::to_owned);
        self.send(host.as_deref(), message);
    }

    /// Answers at once that something is not done.
    fn refuse(&mut self, client: ClientId, request: Option<i32>, message: &Element, rc: LegacyRc) {
        let (call_id, options) = call_of(message);
        if options.has(CallOptions::DISCARD_REPLY) {
            return;
        }
        let reply = Reply {
            op: message.attr("cib_op").unwrap_or_default().to_owned(),
            call_id,
            client_id: self.clients.get(&client).map(|known| known.id.clone()),
            options: options.bits(),
            rc,
            data: None,
        };
        self.answer(client, request, reply.to_xml(), None);
    }

    /// Answers the client (of this node) that a message is from, if it is still there and was not answered yet.
    pub(super) fn answer_client(&mut self, message: &Element, answer: super::execute::Answer) {
        let (call, _) = call_of(message);
        let Some(id) = message.attr("cib_clientid") else { return };
        let Some((&client, known)) = self.clients.iter_mut().find(|(_, known)| known.id == id) else {
            return;
        };
        let Some(Pending { request }) = known.pending.remove(&call) else { return };
        let reply = answer.to_reply(message);
        self.answer(client, request, reply, answer.after);
    }

    /// The response if the client waits for one, an event otherwise.
    fn answer(&mut self, client: ClientId, request: Option<i32>, message: Element, after: Option<EffectId>) {
        self.outputs.push_back(match request {
            Some(request) => Output::Respond { client, request, message, after },
            None => Output::Event { client, message, after },
        });
    }

    /// Tells every subscriber.
    pub(super) fn notify(&mut self, notification: &Element) {
        for (client, known) in &self.clients {
            if known.wants_diffs {
                let message = notification.clone();
                self.outputs.push_back(Output::Event { client: *client, message, after: None });
            }
        }
    }

    pub(super) fn hang_up_on_all(&mut self) -> usize {
        let clients = std::mem::take(&mut self.clients);
        for client in clients.keys() {
            self.outputs.push_back(Output::Disconnect { client: *client });
        }
        clients.len()
    }
}

impl Client {
    /// Writes into a message whose it is, whatever it says itself. Who is privileged may speak for others.
    fn stamp(&self, message: &mut Element) {
        message.set_attr("cib_clientid", &self.id);
        message.set_attr_opt("cib_clientname", self.name.as_ref());
        let requested = message.attr("acl_target").or_else(|| message.attr("cib_user"));
        let user = match requested {
            Some(requested) if self.credentials.privileged => requested.to_owned(),
            _ => self.credentials.user.to_string(),
        };
        message.set_attr("acl_target", &user);
        message.set_attr("cib_user", user);
        // These are what managers say to each other.
        for name in ["cib_delegated_from", "cib_isreplyto", "cib_update", "cib_upgrade_rc", "cib_schema_max"]
        {
            message.remove_attr(name);
        }
    }
}

impl Based {
    /// Whether a refusal should be read by people.
    pub(super) fn refusal_level(refusal: &Refusal) -> Level {
        match refusal {
            Refusal::Invalid { .. } | Refusal::Digest { .. } => Level::Error,
            _ => Level::Warning,
        }
    }
}
