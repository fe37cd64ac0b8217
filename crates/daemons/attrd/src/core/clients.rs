// SPDX-License-Identifier: GPL-2.0-or-later
//! What clients ask: made complete here, told to all attribute managers, and done when it comes back.

use super::patterns::compile;
use super::table::{incremented, is_increment, key};
use super::waiting::Answer;
use super::write::Scope;
use super::{Attrd, HELD_MAX, Held};
use messages::attrd::{
    Body, ClearFailure, Message, PROTOCOL_CONFIRM, PROTOCOL_MULTIPLE, QueryReply, SyncPoint, Update,
    UpdateKind, ack,
};
use messages::core::{ClientId, Level, Output};
use model::{ExitCode, Now};
use std::collections::BTreeSet;
use xml::Element;

/// Why an update cannot be done; the client is told the exit code, the log the text.
#[derive(Debug, thiserror::Error)]
enum UpdateError {
    #[error("update request names neither an attribute nor a pattern")]
    NoName,
    #[error("bad pattern '{pattern}': {error}")]
    BadPattern { pattern: String, error: regex_lite::Error },
    #[error("attribute {0} does not exist, so its write delay cannot be changed")]
    NoSuchAttribute(String),
}

impl UpdateError {
    const fn exit_code(&self) -> ExitCode {
        match self {
            UpdateError::NoName => ExitCode::DATAERR,
            UpdateError::BadPattern { .. } => ExitCode::INVALID_PARAM,
            UpdateError::NoSuchAttribute(_) => ExitCode::NOSUCH,
        }
    }
}

impl Attrd {
    pub(super) fn client_message(
        &mut self,
        now: Now,
        client: ClientId,
        request: i32,
        wants_response: bool,
        message: &Element,
    ) {
        let answer = wants_response.then_some(Answer { client, request });
        if self.is_shutting_down {
            return;
        }
        if !self.is_started {
            if self.held.len() < HELD_MAX {
                self.held.push_back(Held { client, request, wants_response, message: message.clone() });
            } else {
                self.acknowledge(answer, ExitCode::TEMPFAIL);
            }
            return;
        }
        let mut message = match Message::from_xml(message) {
            Ok(message) => message,
            Err(error) => {
                let text = format!("Ignoring IPC request from {}: {error}", self.client_name(client, None));
                self.log(Level::Error, text);
                self.acknowledge(answer, ExitCode::PROTOCOL);
                return;
            }
        };
        self.stamp_user(client, &mut message.body);
        let name = self.client_name(client, message.src.as_deref());
        match message.body {
            Body::Update(updates) => self.client_update(now, answer, &name, message.src, updates),
            Body::ClearFailure(clear) => self.client_clear_failure(now, answer, message.src, clear),
            Body::Query { name: attribute, host } => {
                self.client_query(client, request, answer, attribute, host)
            }
            Body::Refresh => {
                self.log(Level::Info, "Updating all attributes".into());
                self.acknowledge(answer, ExitCode::INDETERMINATE);
                self.write_all(now, Scope::All, true);
            }
            Body::PeerRemove { host, host_id, reap } => {
                self.acknowledge(answer, ExitCode::INDETERMINATE);
                self.client_peer_remove(&name, message.src, host, host_id.as_deref(), reap);
            }
            Body::SyncResponse(_) | Body::Confirm => {
                let text = format!("Unknown IPC request {} from client {name}", message.body.task());
                self.log(Level::Error, text);
                self.acknowledge(answer, ExitCode::PROTOCOL);
            }
        }
    }

    /// Says that a client's request has been taken, or why not, if the client waits for that.
    fn acknowledge(&mut self, answer: Option<Answer>, status: ExitCode) {
        if let Some(answer) = answer {
            self.respond(answer, status);
        }
    }

    pub(super) fn respond(&mut self, answer: Answer, status: ExitCode) {
        let message = ack("attrd_send_ack", status);
        let Answer { client, request } = answer;
        self.outputs.push_back(Output::Respond { client, request, message, after: None });
    }

    /// Tells a client that the sync point it waited for has been reached.
    pub(super) fn reached(&mut self, answer: Option<Answer>, point: SyncPoint) {
        let Some(answer) = answer else { return };
        let name = self.client_name(answer.client, None);
        let point = match point {
            SyncPoint::Local => "local",
            SyncPoint::Cluster => "cluster",
        };
        self.log(Level::Notice, format!("Alerting client {name} for reached {point} sync point"));
        self.respond(answer, ExitCode::INDETERMINATE);
    }

    fn client_name(&self, client: ClientId, src: Option<&str>) -> String {
        let pid = self.clients.get(&client).map_or(0, |credentials| credentials.pid);
        format!("{}.{pid}", src.unwrap_or("client"))
    }

    /// Nobody writes with another user's permissions but the privileged, who may say whose.
    fn stamp_user(&self, client: ClientId, body: &mut Body) {
        let user = match self.clients.get(&client) {
            Some(credentials) if credentials.privileged => return,
            Some(credentials) => credentials.user.to_string(),
            // Nobody can speak before connecting; should it seem so, it may do as little as anybody.
            None => "#unprivileged".to_owned(),
        };
        let user = Some(user);
        match body {
            Body::Update(updates) => updates.iter_mut().for_each(|update| update.user.clone_from(&user)),
            Body::ClearFailure(clear) => clear.user = user,
            _ => {}
        }
    }

    fn client_update(
        &mut self,
        now: Now,
        answer: Option<Answer>,
        client: &str,
        src: Option<String>,
        updates: Vec<Update>,
    ) {
        let mut complete = Vec::with_capacity(updates.len());
        for update in updates {
            if let Err(error) = self.complete(update, &mut complete) {
                self.log(Level::Warning, format!("Ignoring update from client {client}: {error}"));
                self.acknowledge(answer, error.exit_code());
                return;
            }
        }
        if complete.is_empty() {
            // A pattern that matches nothing is done.
            self.acknowledge(answer, ExitCode::INDETERMINATE);
            return;
        }
        let can_take_several = self.peers.values().all(|p| p.protocol.is_none_or(|v| v >= PROTOCOL_MULTIPLE));
        if complete.len() > 1 && !can_take_several {
            // Peers of old take one at a time and know of no sync points over several.
            self.acknowledge(answer, ExitCode::INDETERMINATE);
            for update in complete {
                let update = Update { sync_point: None, ..update };
                self.broadcast(now, None, src.clone(), Body::Update(vec![update]));
            }
            return;
        }
        self.broadcast(now, answer, src, Body::Update(complete));
    }

    /// Adds to `complete` what an update of a client means: every attribute that a pattern matches, with a host, and
    /// with a plain value.
    fn complete(&self, update: Update, complete: &mut Vec<Update>) -> Result<(), UpdateError> {
        let names = match (&update.name, &update.pattern) {
            (Some(name), _) => vec![name.clone()],
            (None, Some(pattern)) => {
                let matcher = compile(pattern)
                    .map_err(|error| UpdateError::BadPattern { pattern: pattern.clone(), error })?;
                self.attributes.keys().filter(|name| matcher.is_match(name)).cloned().collect()
            }
            (None, None) => return Err(UpdateError::NoName),
        };
        for name in names {
            let mut update = Update { name: Some(name.clone()), pattern: None, ..update.clone() };
            if let (None, Some(local)) = (&update.host, &self.local) {
                update.host = Some(local.name.to_string());
                update.host_id = Some(local.id.to_string());
            }
            let attribute = self.attributes.get(&name);
            if attribute.is_none() && update.kind == UpdateKind::Delay {
                return Err(UpdateError::NoSuchAttribute(name));
            }
            if let Some(value) = update.value.as_deref().filter(|value| is_increment(value)) {
                let old = update.host.as_deref().and_then(|host| attribute?.value(host));
                update.value = Some(incremented(value, old).to_string());
            }
            complete.push(update);
        }
        Ok(())
    }

    fn client_clear_failure(
        &mut self,
        now: Now,
        answer: Option<Answer>,
        src: Option<String>,
        clear: ClearFailure,
    ) {
        self.broadcast(now, answer, src, Body::ClearFailure(clear));
    }

    /// Tells all, and answers the client: now, or when what it waits for has come.
    fn broadcast(&mut self, now: Now, answer: Option<Answer>, src: Option<String>, body: Body) {
        let point = body.sync_point();
        let call_id = match (answer, point) {
            (Some(answer), Some(SyncPoint::Local)) => Some(self.waiting.for_local(answer)),
            (Some(answer), Some(SyncPoint::Cluster)) => {
                let confirming = self.confirming_peers();
                Some(self.waiting.for_cluster(answer, confirming, now.instant))
            }
            (answer, _) => {
                self.acknowledge(answer, ExitCode::INDETERMINATE);
                None
            }
        };
        let confirm = call_id.is_some() && point == Some(SyncPoint::Cluster);
        let message = Message { src, body, version: None, writer: None, confirm, call_id };
        self.send(None, message, "attrd_client_update");
    }

    /// The peers that will confirm a message; this node among them.
    fn confirming_peers(&self) -> BTreeSet<String> {
        let able = self.peers.iter().filter(|(_, peer)| peer.protocol.is_some_and(|v| v >= PROTOCOL_CONFIRM));
        let own = self.local.iter().map(|local| key(&local.name));
        able.map(|(key, _)| key.clone()).chain(own).collect()
    }

    fn client_query(
        &mut self,
        client: ClientId,
        request: i32,
        answer: Option<Answer>,
        name: Option<String>,
        host: Option<String>,
    ) {
        let Some(name) = name else {
            self.log(Level::Warning, "Ignoring malformed query (no attribute name given)".into());
            self.acknowledge(answer, ExitCode::DATAERR);
            return;
        };
        let host = host.map(|host| match &self.local {
            Some(local) if host.eq_ignore_ascii_case("localhost") => local.name.to_string(),
            _ => host,
        });
        let reply = match (self.attributes.get(&name), host) {
            (None, _) => QueryReply { name: None, values: Vec::new() },
            (Some(attribute), Some(host)) => {
                let value = attribute.value(&host).map(str::to_owned);
                QueryReply { name: Some(name), values: vec![(host, value)] }
            }
            (Some(attribute), None) => {
                let values =
                    attribute.values.values().map(|value| (value.node.clone(), value.current.clone()));
                QueryReply { name: Some(name), values: values.collect() }
            }
        };
        let message = reply.to_xml();
        self.outputs.push_back(match answer {
            Some(_) => Output::Respond { client, request, message, after: None },
            None => Output::Event { client, message, after: None },
        });
    }

    fn client_peer_remove(
        &mut self,
        client: &str,
        src: Option<String>,
        host: Option<String>,
        host_id: Option<&str>,
        reap: Option<bool>,
    ) {
        let by_id = || {
            let id: u32 = host_id?.parse().ok()?;
            self.peers.values().find(|peer| peer.node.id == id).map(|peer| peer.node.name.to_string())
        };
        let Some(host) = host.or_else(by_id) else {
            let text = format!(
                "Ignoring request by client {client} to remove all peer values without specifying peer"
            );
            self.log(Level::Info, text);
            return;
        };
        self.log(Level::Info, format!("Client {client} is requesting all values for {host} be removed"));
        let body = Body::PeerRemove { host: Some(host), host_id: None, reap };
        let message = Message { src, body, version: None, writer: None, confirm: false, call_id: None };
        self.send(None, message, "attrd_client_peer_remove");
    }
}
