// SPDX-License-Identifier: GPL-2.0-or-later
//! What peers say, and what new and lost peers mean.

use super::patterns::is_failure;
use super::table::{Attribute, Value, key, readable};
use super::write::Scope;
use super::{Attrd, Peer};
use messages::attrd::{Body, Message, PROTOCOL_ATTRIBUTE, SyncPoint, Update, UpdateKind};
use messages::core::{ClusterNode, Level, Membership};
use model::{Interval, Now};
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

fn readable_value(value: Option<&str>) -> &str {
    value.unwrap_or("(unset)")
}

impl Attrd {
    pub(super) fn cluster_message(&mut self, now: Now, from: &ClusterNode, message: &Element) {
        if message.attr("crm_task").is_some() {
            // Votes count even while shutting down: others may need this node's.
            return self.election_message(now, from, message);
        }
        if self.is_shutting_down {
            return;
        }
        let message = match Message::from_xml(message) {
            Ok(message) => message,
            Err(error) => {
                self.log(Level::Error, format!("Ignoring message from peer {}: {error}", from.name));
                return;
            }
        };
        let peer = &*from.name;
        match &message.body {
            Body::Update(updates) => self.peer_updates(now, peer, updates, false),
            Body::ClearFailure(clear) => {
                let matching = self.attributes.keys().filter(|name| is_failure(name, clear));
                let updates = matching.map(|name| Update {
                    host: clear.host.clone(),
                    user: clear.user.clone(),
                    is_remote: clear.is_remote,
                    ..Update::unset(name)
                });
                let updates: Vec<Update> = updates.collect();
                self.peer_updates(now, peer, &updates, false);
            }
            Body::PeerRemove { host: Some(host), reap, .. } => {
                self.remove_node(now, host, reap.unwrap_or(true), peer);
            }
            Body::SyncResponse(values) => self.sync_response(now, peer, message.writer, values),
            Body::Confirm => {
                let answer = message.call_id.and_then(|call| self.waiting.confirmed(call, &key(peer)));
                self.reached(answer, SyncPoint::Cluster);
                return;
            }
            Body::Query { .. } | Body::Refresh | Body::PeerRemove { host: None, .. } => {
                let text = format!("Unknown CPG request {} from peer {peer}", message.body.task());
                self.log(Level::Error, text);
            }
        }
        self.answer_sync_points(peer, &message);
    }

    /// What travelled has been done here: tells the peer that asked for it, and the own client that waits for it.
    fn answer_sync_points(&mut self, peer: &str, message: &Message) {
        if message.confirm {
            let confirmation = Message { call_id: message.call_id, ..self.body(Body::Confirm) };
            self.send(Some(peer), confirmation, "attrd_confirmation");
        }
        if self.is_local(peer) {
            let answer = message.call_id.and_then(|call| self.waiting.done_here(call));
            self.reached(answer, SyncPoint::Local);
        }
    }

    pub(super) fn peer_updates(&mut self, now: Now, peer: &str, updates: &[Update], filter: bool) {
        for update in updates {
            self.peer_update(now, peer, update, filter);
        }
    }

    /// Does one update. `filter`: a peer's view of this node's own values does not count.
    fn peer_update(&mut self, now: Now, peer: &str, update: &Update, filter: bool) {
        let Some(name) = &update.name else {
            self.log(Level::Warning, "Could not update attribute: peer did not specify name".into());
            return;
        };
        if !self.attributes.contains_key(name) {
            let made = match update.kind {
                UpdateKind::Delay => Err(format!("Could not update {name}: attribute not found")),
                UpdateKind::Value | UpdateKind::Both => Attribute::new(update, name),
            };
            match made {
                Ok(attribute) => {
                    self.attributes.insert(name.clone(), attribute);
                }
                Err(text) => return self.log(Level::Warning, text),
            }
        }
        if update.kind != UpdateKind::Value {
            let known = self.update_delay(now, name, update.dampening.as_deref());
            if !known || update.kind == UpdateKind::Delay {
                return;
            }
        }
        match &update.host {
            Some(host) => self.update_value(now, peer, name, host, update, filter),
            None => {
                // For all nodes that have a value; an id would be that of one.
                let values = self.attributes.get(name).map(|attribute| &attribute.values);
                let hosts: Vec<String> =
                    values.into_iter().flatten().map(|(_, value)| value.node.clone()).collect();
                let update = Update { host_id: None, ..update.clone() };
                for host in hosts {
                    self.update_value(now, peer, name, &host, &update, filter);
                }
            }
        }
        if name == PROTOCOL_ATTRIBUTE
            && let Some(peer) = self.peers.get_mut(&key(peer))
        {
            peer.protocol = update.value.as_deref().and_then(|value| value.parse().ok());
        }
    }

    /// Sets the write delay. A changed one means writing at once: else changes of the delay could put off the writing
    /// for ever. False if there is none to set.
    fn update_delay(&mut self, now: Now, name: &str, dampening: Option<&str>) -> bool {
        let Some(text) = dampening else {
            let text = format!("Could not update {name}: peer did not specify value for delay");
            self.log(Level::Warning, text);
            return false;
        };
        let Ok(delay) = text.parse::<Interval>() else {
            self.log(Level::Warning, format!("Could not update {name}: invalid delay value ({text})"));
            return false;
        };
        let Some(attribute) = self.attributes.get_mut(name).filter(|attribute| attribute.delay != delay)
        else {
            return true;
        };
        attribute.delay = delay;
        attribute.write_at = None;
        let text = match delay.is_zero() {
            true => format!("Update attribute {name} to remove delay"),
            false => format!("Update attribute {name} delay to {delay} ({text})"),
        };
        self.log(Level::Info, text);
        self.write_or_elect(now, name);
        true
    }

    fn update_value(&mut self, now: Now, peer: &str, name: &str, host: &str, update: &Update, filter: bool) {
        self.removed.remove(&key(host));
        let is_local = self.is_local(host);
        let Some(attribute) = self.attributes.get_mut(name) else { return };
        let value = attribute.values.entry(key(host)).or_insert_with(|| Value {
            node: host.to_owned(),
            current: None,
            requested: None,
            is_remote: false,
            is_from_peer: false,
        });
        value.is_remote |= update.is_remote;
        value.is_from_peer = true;
        // Peers of all versions compare without regard to case; they and we must agree on what is a change.
        let is_same = match (&value.current, &update.value) {
            (Some(old), Some(new)) => old.eq_ignore_ascii_case(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        let id = update.host_id.clone().or_else(|| self.ids.of(host).cloned());
        if is_same {
            if update.force_write && !attribute.delay.is_zero() {
                attribute.force_write = true;
            }
        } else if filter && is_local {
            let text = format!(
                "{name}[{host}]: local value '{}' takes priority over '{}' from {peer}",
                readable_value(value.current.as_deref()),
                readable_value(update.value.as_deref()),
            );
            let own = value.clone();
            let own = attribute.update(&own, id.as_ref());
            self.log(Level::Notice, text);
            let message = self.body(Body::Update(vec![own]));
            self.send(None, message, "attrd_broadcast_value");
        } else {
            let text = format!(
                "Setting {name}[{host}] in {}: {} -> {} | from {peer} with {} write delay and node XML ID {}",
                attribute.set_type,
                readable_value(value.current.as_deref()),
                readable_value(update.value.as_deref()),
                readable(attribute.delay),
                id.as_deref().unwrap_or("unknown"),
            );
            value.current.clone_from(&update.value);
            attribute.is_changed = true;
            let is_delayed = !attribute.delay.is_zero();
            if is_delayed {
                attribute.delay_write(now.instant);
            }
            self.log(Level::Notice, text);
            if !is_delayed {
                self.write_or_elect(now, name);
            }
        }
        if let Some(id) = &update.host_id {
            self.learn_id(now, host, id);
        }
    }

    /// Remembers a node's id. What could not be written for want of it can be now.
    fn learn_id(&mut self, now: Now, node: &str, id: &str) {
        if self.ids.learn(node, id) && self.is_writer() {
            self.write_all(now, Scope::Changed, false);
        }
    }

    /// Forgets all of a node's values, here and in the CIB.
    fn remove_node(&mut self, now: Now, node: &str, reap: bool, source: &str) {
        let reaping = if reap { "and" } else { "without" };
        let text =
            format!("Removing all {node} attributes for node {source} | {reaping} reaping node from cache");
        self.log(Level::Notice, text);
        for attribute in self.attributes.values_mut() {
            attribute.values.remove(&key(node));
        }
        if self.is_writer() {
            self.erase(now, node);
        } else {
            // The writer erases them. Should it be lost before, or there be none: whoever is next does.
            self.removed.insert(key(node), node.to_owned());
            self.elect_if_needed(now);
        }
        if reap {
            self.ids.forget(node);
        }
    }

    pub(super) fn membership(&mut self, now: Now, membership: &Membership) {
        let before = std::mem::take(&mut self.peers);
        for node in membership.peers() {
            let protocol = before.get(&key(&node.name)).and_then(|peer| peer.protocol);
            self.peers.insert(key(&node.name), Peer { node: node.clone(), protocol });
        }
        let names = |of: &BTreeMap<String, Peer>, than: &BTreeMap<String, Peer>| -> Vec<Arc<str>> {
            let new = of.iter().filter(|(key, _)| !than.contains_key(*key));
            new.map(|(_, peer)| Arc::clone(&peer.node.name)).collect()
        };
        let lost = names(&before, &self.peers);
        let joined = names(&self.peers, &before);
        for member in &membership.nodes {
            self.learn_id(now, &member.node.name, &member.node.id.to_string());
        }
        for node in lost.iter().filter(|node| !self.is_local(node)).cloned().collect::<Vec<_>>() {
            self.log(Level::Debug, format!("Node {node} is no longer a peer"));
            self.remove_node(now, &node, false, "loss");
            for answer in self.waiting.gone(&key(&node)) {
                self.reached(Some(answer), SyncPoint::Cluster);
            }
        }
        self.voters_changed(now, &lost);
        if !self.is_started {
            return;
        }
        for node in joined.iter().filter(|node| !self.is_local(node)).cloned().collect::<Vec<_>>() {
            self.log(Level::Debug, format!("Node {node} is now a peer"));
            if self.is_writer() {
                self.sync_peers(Some(&node));
            } else {
                // So that it learns our version.
                self.announce_protocol(Some(&node));
            }
        }
    }
}
