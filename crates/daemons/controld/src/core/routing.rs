// SPDX-License-Identifier: GPL-2.0-or-later
//! Where messages go: to this controller, its DC side, its executor, a local client, another node.
//!
//! The rules are those all controllers of a cluster share: messages for the DC are sent to all and taken by the one
//! that is it.

use super::Controld;
use super::state::{Signal, State};
use messages::controller::{Direction, Envelope};
use messages::core::{ClusterNode, Level};
use xml::Element;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A local client.
    Client,
    /// This controller itself.
    Here,
    /// A controller of the cluster (perhaps this one).
    Cluster,
}

impl Controld {
    /// A message of a controller.
    pub(super) fn cluster_message(&mut self, from: &ClusterNode, message: &Element) {
        let mut message = match Envelope::from_xml(message) {
            Ok(message) => message,
            Err(error) => {
                let text = format!("Ignoring invalid message from node {}: {error}", from.name);
                self.cx.log(Level::Warning, text);
                return;
            }
        };
        self.cx.peers.meet(from);
        message.src = Some(from.name.to_string());
        let is_own = self.cx.is_local(&from.name);
        if self.state.is_dc() {
            if message.sys_from == "dc" && !is_own {
                let text = format!("Another DC detected: {} (op={})", from.name, message.task);
                if matches!(self.state, State::Election { .. }) {
                    self.cx.log(Level::Info, text);
                } else {
                    self.cx.log(Level::Warning, text);
                    self.cx.raise(Signal::Election);
                }
                return;
            }
        } else if message.sys_to == "dc" {
            return;
        }
        self.route(message, Origin::Cluster);
    }

    /// Brings a message to whom it is for.
    pub(super) fn route(&mut self, message: Envelope, from: Origin) {
        if message.task == "hello" {
            return;
        }
        let is_for = |system: &str| message.sys_to.eq_ignore_ascii_case(system);
        let host = message.host_to.as_deref().filter(|host| !host.is_empty());
        if is_for("dc") && message.task == "ping" && self.cx.leader.is_none() && from != Origin::Cluster {
            let reply = self.ping_reply(&message);
            self.cx.deliver_without_dc(&reply);
            return;
        }
        if is_for("dc") || is_for("dcib") || is_for("tengine") {
            return self.route_to_dc(message, from);
        }
        let for_controller = is_for("crmd") || is_for("cib");
        let is_local = match host {
            None if is_for("crmd") => {
                from == Origin::Cluster || matches!(message.task.as_str(), "node-info" | "list-nodes")
            }
            None => true,
            Some(host) => self.cx.is_local(host) || (is_for("crmd") && only_in_cib(&message)),
        };
        if !is_local {
            if let Some(host) = host.filter(|host| self.cx.peers.by_name(host).is_none()) {
                let text = format!("Ignoring message {} because node {host} is unknown", message.reference);
                self.cx.log(Level::Warning, text);
                return;
            }
            self.cx.send(&message, "relay_message");
        } else if for_controller {
            self.handle(message, from);
        } else if is_for("lrmd") {
            let user = message.extra("crm_user").map(str::to_owned);
            self.cx.invoke_executor(&message, user.as_deref());
        } else {
            let (system, reference) = (message.sys_to.clone(), message.reference.clone());
            if !self.cx.deliver(message) {
                let text = format!("Dropping message {reference} for unknown subsystem '{system}'");
                self.cx.log(Level::Info, text);
            }
        }
    }

    fn route_to_dc(&mut self, message: Envelope, from: Origin) {
        if self.state.is_dc() {
            if message.sys_to == "tengine" {
                if let Some(dc) = self.state.dc() {
                    dc.direct_result(&mut self.cx, &message);
                }
            } else {
                self.handle(message, from);
            }
            return;
        }
        let internal = matches!(message.sys_from.as_str(), "pengine" | "tengine");
        if from != Origin::Cluster && !internal {
            // All hear it, the DC takes it.
            self.cx.send(&message, "relay_message");
        }
    }

    fn handle(&mut self, message: Envelope, from: Origin) {
        match message.direction {
            Direction::Request => self.request(message, from),
            Direction::Response => {
                let expected = ["vote", "req_shutdown", "do_shutdown"];
                if !expected.contains(&message.task.as_str()) {
                    let src = message.src.as_deref().unwrap_or("unknown");
                    let text = format!("Unexpected response (op={}, src={src})", message.task);
                    self.cx.log(Level::Warning, text);
                }
            }
        }
    }
}

/// The removal of an offline node's history from the CIB, which any controller can do.
pub(super) fn only_in_cib(message: &Envelope) -> bool {
    let mode = message.payload.as_ref().and_then(|data| data.attr("mode"));
    message.task == "lrm_delete" && mode == Some("cib")
}
