// SPDX-License-Identifier: GPL-2.0-or-later
//! The attributes and their values: what is known, what changed since it was last written, when it will be written.
//!
//! Decides: what an update does to one attribute. Leaves to others: who is told, and the writing itself.

use messages::attrd::{INSTANCE_ATTRIBUTES, UTILIZATION, Update, UpdateKind};
use model::{Instant, Interval, Score};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long to wait before a failed write of an attribute without a write delay is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// The key of a node's name: names are compared without regard to case.
pub(super) fn key(node: &str) -> String {
    node.to_ascii_lowercase()
}

/// One node's value.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// The node's name as it was first said.
    pub node: String,
    /// The value; `None` is unset.
    pub current: Option<String>,
    /// The value that is being written, for the log.
    pub requested: Option<String>,
    /// The node is a remote node.
    pub is_remote: bool,
    /// A peer has said this value: what no peer has said, it may not know.
    pub is_from_peer: bool,
}

/// One attribute, on all nodes.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub name: String,
    pub set_type: String,
    pub set: Option<String>,
    pub user: Option<String>,
    pub is_private: bool,
    /// How long to wait for further changes before writing.
    pub delay: Interval,
    pub values: BTreeMap<String, Value>,
    /// Some value has changed since the last write.
    pub is_changed: bool,
    /// Some value could not be written for want of the node's id.
    pub is_node_unknown: bool,
    /// To be written by the next writer without delay, even if unchanged.
    pub force_write: bool,
    /// When the write delay ends.
    pub write_at: Option<Instant>,
    /// The CIB call that writes it.
    pub write_call: Option<i32>,
}

impl Attribute {
    /// From the first update of it; `Err` says why it is ignored.
    pub fn new(update: &Update, name: &str) -> Result<Attribute, String> {
        let set_type = update.set_type.as_deref().unwrap_or(INSTANCE_ATTRIBUTES);
        if !update.is_private && ![INSTANCE_ATTRIBUTES, UTILIZATION].contains(&set_type) {
            return Err(format!("Ignoring attribute {name} with invalid set type {set_type}"));
        }
        Ok(Attribute {
            name: name.to_owned(),
            set_type: set_type.to_owned(),
            set: update.set.clone().filter(|set| !set.is_empty()),
            user: update.user.clone(),
            is_private: update.is_private,
            delay: update.dampening.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default(),
            values: BTreeMap::new(),
            is_changed: false,
            is_node_unknown: false,
            force_write: false,
            write_at: None,
            write_call: None,
        })
    }

    /// A node's value.
    pub fn value(&self, node: &str) -> Option<&str> {
        self.values.get(&key(node))?.current.as_deref()
    }

    /// A value as peers are told it.
    pub fn update(&self, value: &Value, host_id: Option<&String>) -> Update {
        Update {
            kind: UpdateKind::Value,
            name: Some(self.name.clone()),
            pattern: None,
            value: value.current.clone(),
            dampening: Some(peer_delay(self.delay)),
            host: Some(value.node.clone()),
            host_id: host_id.cloned(),
            set: self.set.clone(),
            set_type: Some(self.set_type.clone()),
            user: self.user.clone(),
            is_remote: value.is_remote,
            is_private: self.is_private,
            force_write: false,
            sync_point: None,
        }
    }

    /// Starts the write delay over; without a delay, that of a failed write.
    pub fn delay_write(&mut self, now: Instant) {
        let delay = if self.delay.is_zero() { RETRY } else { self.delay.into() };
        self.write_at = Some(now + delay);
    }

    /// For the log.
    pub fn set_name(&self) -> &str {
        self.set.as_deref().unwrap_or("unspecified")
    }
}

/// The delay in whole seconds where it is that, which peers of every age read.
fn peer_delay(delay: Interval) -> String {
    match delay.as_ms() % 1000 {
        0 => delay.as_secs().to_string(),
        _ => delay.to_string(),
    }
}

/// Whether a value says how to change the old one: `value++` or `value+=N`. Only the place of the sign counts.
pub(super) fn is_increment(value: &str) -> bool {
    matches!(value.as_bytes(), [_, _, _, _, _, b'+', b'+' | b'=', ..])
}

/// The value that an increment makes of the old one. An old value that is no number counts anew from 0; an increment
/// that is none adds nothing.
pub(super) fn incremented(value: &str, old: Option<&str>) -> i32 {
    let Ok(old) = old.map_or(Ok(Score::ZERO), str::parse::<Score>) else {
        return 0;
    };
    let by = match value.as_bytes() {
        [_, _, _, _, _, b'+', b'+', ..] => 1,
        _ => value.get(7..).and_then(|text| text.parse::<Score>().ok()).map_or(0, Score::value),
    };
    Score::new(i64::from(old.value()) + i64::from(by)).value()
}

/// A span for people: `1m30s`, `2.500s`, `250ms`.
pub(super) fn readable(delay: Interval) -> String {
    let mut ms = delay.as_ms();
    if ms == 0 {
        return "no".to_owned();
    }
    let mut text = String::new();
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")] {
        if ms >= unit_ms {
            text += &format!("{}{unit}", ms / unit_ms);
            ms %= unit_ms;
        }
    }
    match (ms / 1000, ms % 1000) {
        (0, 0) => {}
        (0, ms) => text += &format!("{ms}ms"),
        (s, 0) => text += &format!("{s}s"),
        (s, ms) => text += &format!("{s}.{ms:03}s"),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increments_are_told_by_the_place_of_the_sign() {
        assert!(is_increment("value++") && is_increment("value+=3") && is_increment("value+=-3"));
        assert!(
            !is_increment("1++") && !is_increment("value+") && !is_increment("") && !is_increment("value-=1")
        );
        for (value, old, new) in [
            ("value++", None, 1),
            ("value++", Some("4"), 5),
            ("value++", Some("abc"), 0),
            ("value+=10", Some("4"), 14),
            ("value+=-10", Some("4"), -6),
            ("value+=x", Some("4"), 4),
            ("value+=INFINITY", Some("4"), 1_000_000),
            ("value++", Some("INFINITY"), 1_000_000),
        ] {
            assert_eq!(incremented(value, old), new, "{value} of {old:?}");
        }
    }

    #[test]
    fn spans_are_readable() {
        for (ms, text) in [(0, "no"), (5000, "5s"), (250, "250ms"), (2500, "2.500s"), (90_000, "1m30s")] {
            assert_eq!(readable(Interval::from_ms(ms)), text);
        }
    }
}
