// SPDX-License-Identifier: GPL-2.0-or-later
//! What other controllers and clients ask of this one.

use super::Controld;
use super::attributes::Attribute;
use super::cib_calls::Purpose;
use super::executor::quotable;
use super::peers::Expected;
use super::routing::{Origin, only_in_cib};
use super::state::{Signal, State};
use messages::controller::Envelope;
use messages::core::Level;
use model::Interval;
use xml::Element;

/// What a client without privileges may ask for.
const FOR_EVERYBODY: [&str; 8] = [
    "ping",
    "node-info",
    "list-nodes",
    "lrm_delete",
    "lrm_fail",
    "probe_again",
    "clear_failcount",
    "rm_node_cache",
];

impl Controld {
    /// A client's message. Those without privileges can ask only for what is meant for clients.
    pub(super) fn client_request(&mut self, message: Envelope, user: Option<&str>) {
        let harmless = FOR_EVERYBODY.contains(&message.task.as_str())
            && matches!(message.sys_to.as_str(), "crmd" | "dc");
        if let Some(user) = user.filter(|_| !harmless) {
            let text = format!(
                "Rejecting request '{}' to '{}': user {user} is not privileged",
                message.task, message.sys_to
            );
            self.cx.log(Level::Warning, text);
            return;
        }
        self.route(message, Origin::Client);
    }

    /// A request for this controller.
    pub(super) fn request(&mut self, message: Envelope, from: Origin) {
        let src = message.src.clone();
        if message.task == "req_shutdown"
            && let Some(node) = &src
        {
            self.cx.expect(node, Expected::Down);
            if !self.state.is_dc() {
                return;
            }
        }
        if self.state.is_dc() {
            match message.task.as_str() {
                "join_announce" => return self.cx.raise(Signal::NodeJoin(src)),
                "join_request" => return self.cx.raise(Signal::JoinRequest(Box::new(message))),
                "join_confirm" => return self.cx.raise(Signal::JoinConfirm(Box::new(message))),
                "do_shutdown" => return self.own_shutdown_confirmed(&message),
                "req_shutdown" => return self.shutdown_requested(src),
                _ => {}
            }
        }
        match message.task.as_str() {
            "vote" | "no-vote" => self.count_vote(&message),
            "join_offer" => {
                self.cx.verify_feature_set(&message);
                self.cx.raise(Signal::JoinOffer(Box::new(message)));
            }
            "join_ack_nack" => self.cx.raise(Signal::JoinResult(Box::new(message))),
            "clear_failcount" => self.clear_failures(&message),
            "lrm_delete" if only_in_cib(&message) => self.erase_from_cib(&message),
            "lrm_delete" | "lrm_fail" | "probe_again" => {
                let user = message.extra("crm_user").map(str::to_owned);
                self.cx.invoke_executor(&message, user.as_deref());
            }
            "ping" => {
                let reply = self.ping_reply(&message);
                self.cx.relay(reply);
            }
            "node-info" => self.node_info(&message),
            "list-nodes" => self.node_list(&message),
            "rm_node_cache" => self.forget_node(&message, from),
            "do_shutdown" => self.shutdown_confirmed(&message),
            // Known, and nothing to do (load is not measured yet, remote nodes are not supported yet).
            "noop" | "throttle" | "maintenance_nodes" | "remote_state" | "join_announce" | "join_request"
            | "join_confirm" => {}
            other => {
                let what = if self.state.is_dc() { "the DC" } else { "non-DC node" };
                self.cx.log(Level::Error, format!("Unexpected request ({other}) sent to {what}"));
            }
        }
    }

    fn count_vote(&mut self, message: &Envelope) {
        let Some(from) = message.src.as_deref() else { return };
        let can_win = !matches!(self.state, State::Starting) && !self.state.is_over();
        if let Some(election) = &mut self.election {
            election.on_message(self.cx.now, from, message, can_win);
        }
        self.drain_election();
    }

    // --- shutting down ------------------------------------------------------------------------------------------

    /// A node wants to leave: the scheduler is to find out how.
    fn shutdown_requested(&mut self, node: Option<String>) {
        let node = node.unwrap_or_else(|| self.cx.local_name().to_string());
        let text = format!("Creating shutdown request for {node} (state={})", self.state.name());
        self.cx.log(Level::Info, text);
        let now = self.cx.now.wall.to_string();
        self.cx.set_attributes(&[Attribute::set(&node, "shutdown", &now)]);
    }

    fn own_shutdown_confirmed(&mut self, message: &Envelope) {
        let from = message.src.as_deref().unwrap_or_default();
        if self.cx.shutting_down {
            self.cx.log(Level::Info, "Shutting down controller");
            self.cx.raise(Signal::Stop);
        } else if self.cx.leader_is(from) {
            let why = "Shutting down controller immediately due to unexpected shutdown confirmation";
            self.cx.raise(Signal::Error(why.into()));
        } else if !self.state.is_over() {
            let text =
                format!("Starting new DC election because {from} is confirming shutdown we did not request");
            self.cx.log(Level::Error, text);
            self.cx.raise(Signal::Election);
        }
    }

    fn shutdown_confirmed(&mut self, message: &Envelope) {
        let Some(from) = message.src.as_deref() else { return };
        if self.cx.leader.is_some() && !self.cx.leader_is(from) {
            let text = format!("Ignoring shutdown request from {from}, which is not the DC");
            self.cx.log(Level::Warning, text);
            return;
        }
        if self.cx.shutting_down {
            let text = format!("Shutting down controller after confirmation from {from}");
            self.cx.log(Level::Info, text);
        } else {
            let text = format!("Shutting down controller after unexpected shutdown request from {from}");
            self.cx.log(Level::Error, text);
            self.cx.stay_down = true;
        }
        self.cx.raise(Signal::Stop);
    }

    // --- history ------------------------------------------------------------------------------------------------

    fn clear_failures(&mut self, message: &Envelope) {
        let data = message.payload.as_ref();
        let resource = data.and_then(|data| data.child("primitive")).and_then(Element::id);
        let node = data.and_then(|data| data.attr("on_node"));
        let (Some(resource), Some(node)) = (resource, node) else {
            self.cx.log(Level::Warning, "Ignoring request to clear failures: it needs a resource and a node");
            return;
        };
        let (resource, node) = (resource.to_owned(), node.to_owned());
        let meta = |name: &str| data?.child("attributes")?.attr(&format!("CRM_meta_{name}"));
        let operation = meta("clear_failure_op").map(str::to_owned);
        let interval = meta("clear_failure_interval").and_then(|text| text.parse().ok());
        let interval = Interval::from_ms(interval.unwrap_or(0));
        let which = operation.as_deref().map(|operation| (operation, interval));
        let text = format!(
            "Clearing failures of {resource} on {node} from attribute manager, CIB, and executor state"
        );
        self.cx.log(Level::Debug, text);
        self.cx.clear_failures(&node, &resource, which);
        if let (Some(id), Some(uname)) = (quotable(&resource), quotable(&node)) {
            let original = match which.and_then(|(operation, _)| quotable(operation)) {
                Some(operation) => {
                    format!(" and @operation_key='{id}_{operation}_{}'", interval.as_ms())
                }
                None => String::new(),
            };
            let xpath = format!(
                "/cib/status/node_state[@uname='{uname}']/lrm/lrm_resources/lrm_resource[@id='{id}']\
                 /lrm_rsc_op[@id='{id}_last_failure_0'{original}]"
            );
            let what = format!("last failure of {resource} on {node}");
            self.cx.cib_delete_xpath(&xpath, false, None, Purpose::Erase { what });
        }
        if self.cx.is_local(&node) {
            self.cx.executor.clear_failure(&resource, which);
        }
    }

    /// The history of a node that cannot be asked.
    fn erase_from_cib(&mut self, message: &Envelope) {
        let data = message.payload.as_ref();
        let resource = data.and_then(|data| data.child("primitive")).and_then(Element::id);
        let node = data.and_then(|data| data.attr("on_node"));
        let (Some(resource), Some(node)) = (resource.map(str::to_owned), node.map(str::to_owned)) else {
            self.cx.log(Level::Warning, "Ignoring request to delete history: it needs a resource and a node");
            return;
        };
        let user = message.extra("crm_user").map(str::to_owned);
        self.cx.erase_resource_history(&resource, &node, user.as_deref());
        self.cx.confirm_deletion(message, &resource);
    }

    // --- asking -------------------------------------------------------------------------------------------------

    /// How this controller is.
    pub(super) fn ping_reply(&mut self, message: &Envelope) -> Envelope {
        let state = self.state.name();
        self.cx.log(Level::Notice, format!("Current ping state: {state}"));
        let data = Element::new("ping_response")
            .with_attr("crm_subsystem", &message.sys_to)
            .with_attr("crmd_state", state)
            .with_attr("result", "ok");
        message.reply(Some(data))
    }

    fn node_info(&mut self, message: &Envelope) {
        let mut data = Element::new("node").with_attr("crm_subsystem", "crmd");
        data.set_attr("have-quorum", self.cx.quorate);
        let id = message.extra("id").and_then(|text| text.parse::<u32>().ok()).filter(|&id| id != 0);
        let name = message.extra("uname").map(str::to_owned);
        let local = self.cx.local_name();
        let found = match (id, name) {
            (Some(id), _) => self.cx.peers.by_id(id),
            (None, Some(name)) => self.cx.peers.by_name(&name),
            (None, None) => self.cx.peers.by_name(&local),
        };
        if let Some(peer) = found {
            data.set_attr("id", peer.node.id);
            data.set_attr("uname", &*peer.node.name);
            data.set_attr("crmd", if peer.is_member { "member" } else { "lost" });
            data.set_attr("remote_node", false);
        }
        let reply = message.reply(Some(data));
        self.cx.relay(reply);
    }

    fn node_list(&mut self, message: &Envelope) {
        let nodes = self.cx.peers.iter().map(|peer| {
            Element::new("node")
                .with_attr("id", peer.node.id)
                .with_attr("uname", &*peer.node.name)
                .with_attr("in_ccm", if peer.is_member { "member" } else { "lost" })
        });
        let reply = message.reply(Some(Element::new("nodes").with_children(nodes.collect::<Vec<_>>())));
        self.cx.relay(reply);
    }

    fn forget_node(&mut self, message: &Envelope, from: Origin) {
        let id = message.extra("id").map(str::to_owned);
        let name = message.extra("uname").map(str::to_owned);
        let label = format!("{}/{}", name.as_deref().unwrap_or(""), id.as_deref().unwrap_or("0"));
        if from == Origin::Cluster {
            let id = id.and_then(|id| id.parse().ok()).filter(|&id| id != 0);
            self.cx.peers.forget(id, name.as_deref());
            if let Some(name) = name {
                self.cx.fencer.forget_failures(&name);
            }
            return;
        }
        self.cx.log(Level::Notice, format!("Instructing peers to remove references to node {label}"));
        let mut order = self.cx.request("rm_node_cache", "crmd", "crmd");
        order.extra.extend(id.map(|id| ("id", id)));
        order.extra.extend(name.map(|name| ("uname", name)));
        self.cx.send(&order, "handle_request");
    }
}
