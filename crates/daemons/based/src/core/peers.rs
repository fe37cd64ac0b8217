// SPDX-License-Identifier: GPL-2.0-or-later
//! What other managers say (and this one, when its own messages come back).

use super::Based;
use super::execute::Answer;
use ::cib::{CallOptions, Operation, Refusal, Request, upgrade};
use messages::core::{ClusterNode, Level};
use model::Now;
use xml::Element;

impl Based {
    pub(super) fn peer_message(&mut self, now: Now, from: &ClusterNode, mut message: Element) {
        if self.local.is_none() {
            return self
                .log(Level::Warning, format!("Discarding message from {}: not joined yet", from.name));
        }
        message.set_attr("src", &from.name);
        if message.attr("cib_clientname").is_none() {
            message.set_attr("cib_clientname", &from.name);
        }
        let request = match Request::from_message(&message) {
            Ok(request) => request,
            Err(refusal) => {
                return self.log(Level::Error, format!("Ignoring a message from {}: {refusal}", from.name));
            }
        };
        if request.options.has(CallOptions::TRANSACTION) {
            let text =
                format!("Ignoring part of a transaction from {} outside of any transaction", from.name);
            return self.log(Level::Warning, text);
        }
        let reply_to = message.attr("cib_isreplyto");
        let answers_us = reply_to.is_some_and(|node| self.is_here(node));
        match request.operation {
            Operation::Replace => {
                // A copy of somebody's CIB is also the answer to who asked for it.
                let delegated = reply_to.or_else(|| message.attr("cib_delegated_from"));
                let ours = delegated.is_some_and(|node| self.is_here(node));
                self.peer_request(now, from, &request, &message, ours);
            }
            Operation::Ping if answers_us => self.compare(from, &message),
            Operation::Shutdown => self.peer_leaves(from, &message),
            Operation::Upgrade if request.schema_max.is_none() => {
                self.upgrade_question(from, &message, answers_us)
            }
            _ if answers_us && request.operation.modifies() && request.operation != Operation::Upgrade => {}
            _ if answers_us && request.schema_max.is_none() => {
                self.answer_client(&message, Answer::from_peer(&message));
            }
            _ if reply_to.is_some() && !answers_us && !request.operation.modifies() => {}
            _ => {
                let ours = message.attr("cib_delegated_from").is_some_and(|node| self.is_here(node));
                self.peer_request(now, from, &request, &message, ours);
            }
        }
    }

    /// Does what is asked of all, or of this manager alone, and answers where the client is.
    fn peer_request(
        &mut self,
        now: Now,
        from: &ClusterNode,
        request: &Request,
        message: &Element,
        ours: bool,
    ) {
        if request.host.as_deref().is_some_and(|host| !self.is_here(host)) {
            return;
        }
        let asks_us = request.host.is_some() || request.operation == Operation::Ping;
        let Some(answer) = self.process(now, request, message) else { return };
        if request.options.has(CallOptions::DISCARD_REPLY) {
            return;
        }
        if ours {
            self.answer_client(message, answer);
        } else if asks_us && !request.operation.modifies() {
            self.answer_peer(from, message, &answer);
        }
    }

    fn answer_peer(&mut self, to: &ClusterNode, message: &Element, answer: &Answer) {
        let reply = answer.to_reply(message).with_attr("cib_isreplyto", &to.name);
        self.send(Some(&to.name), reply);
    }

    /// Somebody wants to upgrade to the newest schema. The primary says which that is, for all.
    fn upgrade_question(&mut self, from: &ClusterNode, message: &Element, answers_us: bool) {
        if answers_us {
            return self.answer_client(message, Answer::from_peer(message));
        }
        if !self.is_primary {
            return;
        }
        let mut verdict = Element::new("cib_process_upgrade_server")
            .with_attr("t", "cib")
            .with_attr("cib_op", Operation::Upgrade)
            .with_attr("cib_delegated_from", &from.name);
        for name in ["cib_clientid", "cib_callopt", "cib_callid"] {
            verdict.set_attr_opt(name, message.attr(name));
        }
        match self.upgraded_schema() {
            Ok(schema) => {
                self.log(Level::Notice, format!("Upgrade request from {} verified", from.name));
                self.send(None, verdict.with_attr("cib_schema_max", schema));
            }
            Err(refusal) => {
                let text = format!("Rejecting upgrade request from {}: {refusal}", from.name);
                self.log(Level::Info, text);
                let verdict = verdict
                    .with_attr("cib_isreplyto", &from.name)
                    .with_attr("cib_upgrade_rc", refusal.rc().value());
                self.send(Some(&from.name), verdict);
            }
        }
    }

    /// The newest schema that the CIB can follow.
    fn upgraded_schema(&mut self) -> Result<String, Refusal> {
        let upgraded = upgrade::upgrade(&self.cib, None, self.config.profile);
        self.log_upgrade(&upgraded.events);
        match (upgraded.to, upgraded.trouble) {
            (Some(to), _) if upgraded.to > upgraded.from => Ok(to.to_string()),
            (_, Some(trouble)) => Err(Refusal::Upgrade { trouble, events: upgraded.events }),
            (to, None) => {
                Err(Refusal::SchemaUnchanged(to.map_or_else(|| "none".to_owned(), |to| to.to_string())))
            }
        }
    }

    /// Another manager is about to end, or has heard that this one is.
    fn peer_leaves(&mut self, from: &ClusterNode, message: &Element) {
        if message.attr("cib_isreplyto").is_some() {
            return self.leave_acknowledged(from);
        }
        self.log(Level::Info, format!("Peer {} is requesting to shut down", from.name));
        self.answer_peer(from, message, &Answer::only(model::LegacyRc::OK));
    }
}
