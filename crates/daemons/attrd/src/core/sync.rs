// SPDX-License-Identifier: GPL-2.0-or-later
//! Bringing attribute managers to the same values: new peers hear everything from the writer.

use super::Attrd;
use super::table::key;
use super::voting::WRITER;
use messages::attrd::{Body, PROTOCOL_ATTRIBUTE, Update};
use messages::core::Level;
use model::Now;

impl Attrd {
    /// Tells one peer, or all, every value known here.
    pub(super) fn sync_peers(&mut self, to: Option<&str>) {
        self.log(Level::Debug, format!("Syncing values to {}", to.unwrap_or("all peers")));
        let mut values = Vec::new();
        for attribute in self.attributes.values() {
            let of = attribute.values.values();
            values.extend(of.map(|value| attribute.update(value, self.ids.of(&value.node))));
        }
        let message = self.body(Body::SyncResponse(values));
        self.send(to, message, "attrd_peer_sync");
    }

    /// Takes a peer's values. They win over all but this node's own, of which the peer hears then.
    pub(super) fn sync_response(&mut self, now: Now, peer: &str, writer: Option<i32>, values: &[Update]) {
        let is_writer = writer == Some(WRITER);
        if is_writer {
            self.peer_is_writer(now, peer);
        }
        if self.is_local(peer) {
            return;
        }
        self.log(Level::Info, format!("Processing sync-response from {peer}"));
        if is_writer {
            let values = self.attributes.values_mut().flat_map(|attribute| attribute.values.values_mut());
            values.for_each(|value| value.is_from_peer = false);
        }
        self.peer_updates(now, peer, values, true);
        if is_writer {
            self.broadcast_unseen();
        }
    }

    /// Tells all the values of this node that the writer did not know.
    fn broadcast_unseen(&mut self) {
        let Some(local) = &self.local else { return };
        let own = key(&local.name);
        let mut unseen = Vec::new();
        for attribute in self.attributes.values() {
            let Some(value) = attribute.values.get(&own).filter(|value| !value.is_from_peer) else {
                continue;
            };
            // What is being delayed here must be written by the writer at the delay's end even if it knows the value.
            let force_write = !attribute.delay.is_zero();
            unseen.push(Update { force_write, ..attribute.update(value, self.ids.of(&value.node)) });
        }
        if !unseen.is_empty() {
            self.log(Level::Debug, "Broadcasting local-only values".into());
            let message = self.body(Body::SyncResponse(unseen));
            self.send(None, message, "broadcast_unseen_local_values");
        }
    }

    /// Tells one peer, or all, which protocol this node speaks. It is an attribute like others, but never written.
    pub(super) fn announce_protocol(&mut self, to: Option<&str>) {
        let Some(local) = &self.local else { return };
        let update = Update {
            is_private: true,
            host_id: Some(local.id.to_string()),
            ..Update::set(PROTOCOL_ATTRIBUTE, &self.protocol().to_string()).on(&local.name)
        };
        let message = self.body(Body::Update(vec![update]));
        self.send(to, message, "attrd_send_protocol");
    }
}
