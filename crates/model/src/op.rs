// SPDX-License-Identifier: GPL-2.0-or-later
//! Names of operations: the key of an operation, the key of its place in a transition, and the record of its end.

use crate::{ExecStatus, Interval, OcfCode};
use std::fmt;
use std::str::FromStr;

/// The text was not a key of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not {expected}")]
pub struct ParseKeyError {
    text: String,
    expected: &'static str,
}

/// Resource, operation and interval: `web_monitor_10000`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpKey {
    /// The resource's id.
    pub resource: String,
    /// `start`, `stop`, `monitor`, `migrate_to`, …
    pub operation: String,
    /// Zero unless recurring.
    pub interval: Interval,
}

impl OpKey {
    /// From its parts.
    pub fn new(resource: impl Into<String>, operation: impl Into<String>, interval: Interval) -> OpKey {
        OpKey { resource: resource.into(), operation: operation.into(), interval }
    }
}

impl fmt::Display for OpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.resource, self.operation, self.interval.as_ms())
    }
}

impl FromStr for OpKey {
    type Err = ParseKeyError;

    /// Reads from the right, as resource ids may hold underscores. Migrations have one in the operation; notify
    /// operations have their kind between resource and operation, which belongs to neither.
    fn from_str(text: &str) -> Result<OpKey, ParseKeyError> {
        let bad = || ParseKeyError {
            text: text.to_owned(),
            expected: "an operation key (RESOURCE_OPERATION_MILLISECONDS)",
        };
        let (head, interval) = text.rsplit_once('_').ok_or_else(bad)?;
        let interval = interval.parse().map(Interval::from_ms).map_err(|_| bad())?;
        let (mut resource, mut operation) = head.rsplit_once('_').ok_or_else(bad)?;
        if let Some(shorter) =
            resource.strip_suffix("_migrate").filter(|_| matches!(operation, "to" | "from"))
        {
            operation = &head[shorter.len() + 1..];
            resource = shorter;
        }
        for kind in ["_pre_notify", "_confirmed-pre_notify", "_post_notify", "_confirmed-post_notify"] {
            if let Some(shorter) = resource.strip_suffix(kind) {
                resource = shorter;
                operation = "notify";
                break;
            }
        }
        if resource.is_empty() || operation.is_empty() {
            return Err(bad());
        }
        Ok(OpKey::new(resource, operation, interval))
    }
}

/// Where in which transition an action stands, and what it should return: `5:12:0:<uuid>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransitionKey {
    /// The action's number in its graph.
    pub action: i32,
    /// The transition's number; -1 for results that nobody scheduled.
    pub transition: i32,
    /// What the agent should return.
    pub target_rc: OcfCode,
    /// Which controller made the transition.
    pub uuid: String,
}

impl fmt::Display for TransitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{:<36}", self.action, self.transition, self.target_rc.value(), self.uuid)
    }
}

impl FromStr for TransitionKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<TransitionKey, ParseKeyError> {
        let parse = || {
            let mut parts = text.splitn(4, ':');
            let mut number = || parts.next()?.parse::<i32>().ok();
            let (action, transition, rc) = (number()?, number()?, number()?);
            let uuid = parts.next().filter(|uuid| !uuid.is_empty())?.to_owned();
            Some(TransitionKey { action, transition, target_rc: OcfCode::new(rc), uuid })
        };
        parse().ok_or_else(|| ParseKeyError {
            text: text.to_owned(),
            expected: "a transition key (ACTION:TRANSITION:RC:UUID)",
        })
    }
}

/// A transition key with the result in front: `0:7;5:12:7:<uuid>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransitionMagic {
    /// How the execution ended.
    pub status: ExecStatus,
    /// What the agent returned.
    pub rc: OcfCode,
    /// Which action this was.
    pub key: TransitionKey,
}

impl fmt::Display for TransitionMagic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{};{}", self.status.value(), self.rc.value(), self.key)
    }
}

impl FromStr for TransitionMagic {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<TransitionMagic, ParseKeyError> {
        let parse = || {
            let (result, key) = text.split_once(';')?;
            let (status, rc) = result.split_once(':')?;
            Some(TransitionMagic {
                status: ExecStatus::from_value(status.parse().ok()?),
                rc: OcfCode::new(rc.parse().ok()?),
                key: key.parse().ok()?,
            })
        };
        parse().ok_or_else(|| ParseKeyError {
            text: text.to_owned(),
            expected: "a transition magic (STATUS:RC;ACTION:TRANSITION:RC:UUID)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_the_right() {
        for (text, resource, operation, interval_ms) in [
            ("web_monitor_10000", "web", "monitor", 10_000),
            ("my_web_1_start_0", "my_web_1", "start", 0),
            ("db_migrate_to_0", "db", "migrate_to", 0),
            ("db_pre_notify_start_0", "db", "notify", 0),
            ("db_confirmed-post_notify_demote_0", "db", "notify", 0),
        ] {
            let key: OpKey = text.parse().unwrap();
            assert_eq!(key, OpKey::new(resource, operation, Interval::from_ms(interval_ms)), "{text}");
        }
        for bad in ["", "web", "web_start", "_start_0", "web_start_x"] {
            assert!(bad.parse::<OpKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn magic_survives_a_round_trip() {
        let text = "0:7;5:12:7:d3fa8d09-1c5c-4a9c-b4d5-8a1f1c5c4a9c";
        let magic: TransitionMagic = text.parse().unwrap();
        assert_eq!(magic.key.action, 5);
        assert_eq!(magic.rc, OcfCode::NOT_RUNNING);
        assert_eq!(magic.to_string(), text);
        for bad in ["", "0:7", "0;5:12:7:d3fa", "x:7;5:12:7:d3fa8d09-1c5c-4a9c-b4d5-8a1f1c5c4a9c"] {
            assert!(bad.parse::<TransitionMagic>().is_err(), "{bad:?}");
        }
    }
}
