// SPDX-License-Identifier: GPL-2.0-or-later
//! Comparing: a while after the last change, the primary asks all managers for the digests of their CIBs, and sends its
//! own to those who have another.

use super::Based;
use ::cib::Version;
use messages::core::{ClusterNode, Level};
use model::{Instant, Now};
use xml::{Element, digest_v2};

/// A comparison.
#[derive(Debug, Default)]
pub(super) struct Ping {
    /// When to begin the next.
    pub due: Option<Instant>,
    sequence: u64,
    /// Of our CIB, as long as it has not changed.
    digest: Option<String>,
    changed_since: bool,
}

impl Ping {
    /// Answers to the present comparison say nothing any more.
    pub(super) fn changed(&mut self) {
        self.changed_since = true;
    }
}

impl Based {
    pub(super) fn ping_if_due(&mut self, now: Now) {
        if self.ping.due.is_none_or(|due| due > now.instant) {
            return;
        }
        self.ping.due = None;
        if !self.is_primary || self.local.is_none() {
            return;
        }
        self.ping.sequence += 1;
        self.ping.digest = None;
        self.ping.changed_since = false;
        let ping = Element::new("ping")
            .with_attr("t", "cib")
            .with_attr("cib_op", "ping")
            .with_attr("cib_ping_id", self.ping.sequence)
            .with_attr("crm_feature_set", self.config.profile.feature_set());
        self.send(None, ping);
    }

    /// The answer to a ping: the digest, and the root element so that people can see what differs.
    pub(super) fn pong(&mut self, message: &Element) -> Element {
        let digest = digest_v2(&self.cib, self.escaping());
        let asker = message.attr("src").unwrap_or("local").to_owned();
        let version = Version::of(&self.cib);
        self.log(Level::Info, format!("Reporting our current digest to {asker}: {digest} for {version}"));
        let mut root = Element::new(self.cib.name_shared().clone());
        root.replace_attrs(&self.cib);
        let mut pong = Element::new("ping_response")
            .with_attr("crm_feature_set", self.config.profile.feature_set())
            .with_attr("digest", digest);
        pong.set_attr_opt("cib_ping_id", message.attr("cib_ping_id"));
        pong.with_child(Element::new("cib_calldata").with_child(root))
    }

    /// Another manager's answer.
    pub(super) fn compare(&mut self, from: &ClusterNode, message: &Element) {
        let Some(pong) = message.child("cib_calldata").and_then(Element::first_element) else { return };
        let sequence = pong.attr("cib_ping_id").and_then(|text| text.trim().parse::<u64>().ok());
        let Some(theirs) = pong.attr("digest") else { return };
        if sequence != Some(self.ping.sequence) || self.ping.changed_since {
            return;
        }
        let ours = match &self.ping.digest {
            Some(ours) => ours.clone(),
            None => digest_v2(&self.cib, self.escaping()),
        };
        self.ping.digest = Some(ours.clone());
        if ours.eq_ignore_ascii_case(theirs) {
            return;
        }
        let their_cib = pong.child("cib_calldata").and_then(Element::first_element);
        let field = |name| their_cib.and_then(|cib| cib.attr(name)).unwrap_or("_");
        let text = format!(
            "Local CIB {}.{ours} differs from {}: {}.{}.{}.{theirs}",
            Version::of(&self.cib),
            from.name,
            field("admin_epoch"),
            field("epoch"),
            field("num_updates"),
        );
        self.log(Level::Notice, text);
        self.send_copy(message, Some(&from.name));
    }
}
