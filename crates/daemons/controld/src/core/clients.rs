// SPDX-License-Identifier: GPL-2.0-or-later
//! The local programs that are connected: who they are, and how messages find them again.

use super::context::Context;
use messages::controller::{Envelope, ack};
use messages::core::{ClientId, Credentials, Level, Output};
use model::ExitCode;
use std::collections::BTreeMap;
use xml::Element;

#[derive(Clone, Debug)]
pub(super) struct Client {
    /// What stands for it in messages.
    pub address: String,
    pub credentials: Credentials,
    name: Option<String>,
}

/// All connected clients.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    known: BTreeMap<ClientId, Client>,
}

impl Clients {
    pub fn remove(&mut self, client: ClientId) {
        self.known.remove(&client);
    }

    fn by_address(&self, address: &str) -> Option<ClientId> {
        self.known.iter().find(|(_, client)| client.address == address).map(|(&id, _)| id)
    }
}

impl Context {
    pub fn client_connected(&mut self, client: ClientId, credentials: Credentials) {
        // Unique among all nodes as long as this controller lives: answers come back through the cluster.
        let address = format!("{}-{:08x}", self.config.uuid, client.0);
        self.clients.known.insert(client, Client { address, credentials, name: None });
    }

    /// Acknowledges a message; gives it with its sender in it if there is more to be done. The user is that on whose
    /// behalf it is, unless it may do anything.
    pub fn client_message(
        &mut self,
        client: ClientId,
        request: i32,
        wants_response: bool,
        message: &Element,
    ) -> Option<(Envelope, Option<String>)> {
        let known = self.clients.known.get(&client)?.clone();
        let envelope = Envelope::from_xml(message);
        if wants_response {
            let status = if envelope.is_ok() { ExitCode::INDETERMINATE } else { ExitCode::PROTOCOL };
            let message = ack("dispatch_controller_ipc", status);
            self.outputs.push_back(Output::Respond { client, request, message, after: None });
        }
        let mut envelope = match envelope {
            Ok(envelope) => envelope,
            Err(error) => {
                let text = format!("Ignoring invalid message from client {}: {error}", known.label());
                self.log(Level::Warning, text);
                return None;
            }
        };
        if envelope.task == "hello" {
            self.hello(client, &envelope);
            return None;
        }
        envelope.sys_from = known.address;
        envelope.src = None;
        let user = match known.credentials.privileged {
            true => envelope.extra("crm_user").filter(|user| !is_root(user)).map(str::to_owned),
            false => Some(known.credentials.user.to_string()),
        };
        envelope.extra.retain(|(name, _)| *name != "crm_user");
        if let Some(user) = &user {
            envelope.extra.push(("crm_user", user.clone()));
        }
        Some((envelope, user))
    }

    fn hello(&mut self, client: ClientId, message: &Envelope) {
        let attr = |name| message.payload.as_ref().and_then(|options| options.attr(name));
        let version = |name| attr(name).and_then(|text| text.parse::<u32>().ok()).is_some();
        let name = attr("client_name").filter(|name| !name.is_empty());
        let valid = version("major_version") && version("minor_version");
        match name.filter(|_| valid).map(str::to_owned) {
            Some(name) => {
                if let Some(known) = self.clients.known.get_mut(&client) {
                    known.name = Some(name);
                }
            }
            None => {
                let text = "Rejected IPC hello: it needs client_name, major_version and minor_version";
                self.log(Level::Warning, text);
                self.clients.known.remove(&client);
                self.outputs.push_back(Output::Disconnect { client });
            }
        }
    }

    /// Delivers a message to the client it is addressed to; says whether there is one.
    pub fn deliver(&mut self, mut message: Envelope) -> bool {
        let Some(client) = self.clients.by_address(&message.sys_to) else { return false };
        if message.src.is_none() {
            message.src = Some(self.local_name().to_string());
        }
        let message = message.to_xml("send_msg_via_ipc", self.feature_set());
        self.outputs.push_back(Output::Event { client, message, after: None });
        true
    }

    /// Answers a client that asked before there was a DC: the missing sender says so.
    pub fn deliver_without_dc(&mut self, message: &Envelope) {
        if let Some(client) = self.clients.by_address(&message.sys_to) {
            let message = message.to_xml("create_ping_reply", self.feature_set());
            self.outputs.push_back(Output::Event { client, message, after: None });
        }
    }
}

impl Client {
    fn label(&self) -> String {
        let name = self.name.as_deref().unwrap_or("(unnamed)");
        format!("{name} (pid {}, user {})", self.credentials.pid, self.credentials.user)
    }
}

/// Users whose permissions are never checked.
fn is_root(user: &str) -> bool {
    matches!(user, "root" | "hacluster")
}
