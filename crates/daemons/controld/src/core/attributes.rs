// SPDX-License-Identifier: GPL-2.0-or-later
//! What is asked of the attribute manager: fail counts, shutdown requests, the forgetting of nodes.

use super::context::Context;
use messages::attrd::{Body, ClearFailure, Message, Update};
use messages::core::Service;
use model::Interval;

/// How much is kept for an attribute manager that is away.
const QUEUE_LIMIT: usize = 1000;

/// An attribute of a node, and its new value.
pub(super) struct Attribute(Update);

impl Attribute {
    pub fn set(node: &str, name: &str, value: &str) -> Attribute {
        Attribute(Update::set(name, value).on(node))
    }
}

impl Context {
    /// Changes attributes, all at once.
    pub fn set_attributes(&mut self, attributes: &[Attribute]) {
        let updates = attributes.iter().map(|attribute| attribute.0.clone()).collect();
        self.attrd_call(Body::Update(updates));
    }

    /// Forgets a node's attributes (not the node).
    pub fn purge_attributes(&mut self, node: &str) {
        let body = Body::PeerRemove { host: Some(node.to_owned()), host_id: None, reap: Some(false) };
        self.attrd_call(body);
    }

    /// Forgets a resource's failures on a node: of one operation, or all.
    pub fn clear_failures(&mut self, node: &str, resource: &str, operation: Option<(&str, Interval)>) {
        let interval = operation.map(|(_, interval)| interval).filter(|interval| !interval.is_zero());
        self.attrd_call(Body::ClearFailure(ClearFailure {
            resource: Some(resource.to_owned()),
            operation: operation.map(|(action, _)| action.to_owned()),
            interval: interval.map(|interval| interval.to_string()),
            host: Some(node.to_owned()),
            ..ClearFailure::default()
        }));
    }

    fn attrd_call(&mut self, body: Body) {
        let message = Message::new("crmd", body).to_xml("attrd_update");
        if self.attrd_connected {
            self.call(Service::Attrd, true, message);
        } else if self.attrd_queue.len() < QUEUE_LIMIT {
            self.attrd_queue.push_back(message);
        }
    }

    /// The attribute manager is (back) there: tells it what it has missed.
    pub fn attrd_connect(&mut self) {
        self.attrd_connected = true;
        for message in std::mem::take(&mut self.attrd_queue) {
            self.call(Service::Attrd, true, message);
        }
    }
}

/// The name of the attribute that counts an operation's failures.
pub(super) fn failcount_name(resource: &str, operation: &str, interval: Interval) -> String {
    format!("fail-count-{resource}#{operation}_{}", interval.as_ms())
}

/// The name of the attribute that says when an operation failed last.
pub(super) fn lastfailure_name(resource: &str, operation: &str, interval: Interval) -> String {
    format!("last-failure-{resource}#{operation}_{}", interval.as_ms())
}
