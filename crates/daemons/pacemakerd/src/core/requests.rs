// SPDX-License-Identifier: GPL-2.0-or-later
//! What clients want of pacemakerd.

use super::Pacemakerd;
use messages::controller::{Envelope, ack};
use messages::core::{ClientId, Level, Output};
use messages::pacemakerd::{PingResponse, QuitResponse, Request};
use model::{ExitCode, Now};
use xml::Element;

impl Pacemakerd {
    /// Answers a request; `number` is there if the client waits for the acknowledgement.
    pub(super) fn request(&mut self, now: Now, client: ClientId, number: Option<i32>, message: &Element) {
        let envelope = match Envelope::from_xml(message) {
            Ok(envelope) => envelope,
            Err(error) => {
                self.log(Level::Warning, format!("Refused a message of client {}: {error}", client.0));
                return self.acknowledge(client, number, ExitCode::PROTOCOL);
            }
        };
        match Request::of(&envelope) {
            Some(Request::Ping) => {
                let response = PingResponse {
                    subsystem: envelope.sys_to.clone(),
                    state: self.state(),
                    last_good: self.last_good,
                };
                self.acknowledge(client, number, ExitCode::INDETERMINATE);
                self.answer(client, &envelope, response.to_xml());
            }
            Some(Request::Quit) => self.quit(now, client, number, &envelope),
            Some(Request::RemoveNodeCache) => self.acknowledge(client, number, ExitCode::OK),
            None => {
                let text = format!("Refused unknown request '{}' of client {}", envelope.task, client.0);
                self.log(Level::Warning, text);
                self.acknowledge(client, number, ExitCode::PROTOCOL);
            }
        }
    }

    fn quit(&mut self, now: Now, client: ClientId, number: Option<i32>, envelope: &Envelope) {
        let who = self.clients.get(&client);
        let (is_allowed, user) =
            who.map_or((false, "unknown".into()), |who| (who.privileged, who.user.clone()));
        self.acknowledge(client, number, ExitCode::INDETERMINATE);
        let status = if is_allowed { ExitCode::OK } else { ExitCode::INSUFFICIENT_PRIV };
        self.answer(client, envelope, QuitResponse { status }.to_xml());
        if is_allowed {
            let text = format!("Shutting down in response to IPC request {} from {user}", envelope.reference);
            self.log(Level::Notice, text);
            self.stop(now);
        } else {
            let text = format!("Ignoring shutdown request from unprivileged client {} ({user})", client.0);
            self.log(Level::Warning, text);
        }
    }

    fn acknowledge(&mut self, client: ClientId, number: Option<i32>, status: ExitCode) {
        if let Some(request) = number {
            let message = ack("pacemakerd", status);
            self.outputs.push_back(Output::Respond { client, request, message, after: None });
        }
    }

    fn answer(&mut self, client: ClientId, envelope: &Envelope, payload: Element) {
        let reply = envelope.reply(Some(payload));
        let message = reply.to_xml("pacemakerd", self.config.profile.feature_set());
        self.outputs.push_back(Output::Event { client, message, after: None });
    }
}
