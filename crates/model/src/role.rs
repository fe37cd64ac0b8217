// SPDX-License-Identifier: GPL-2.0-or-later
//! Roles: what an instance of a resource is doing on a node.

use std::fmt;
use std::str::FromStr;

/// What a resource instance does, in ascending order of activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Not running.
    Stopped,
    /// Running (and not promotable).
    Started,
    /// Running as a secondary of a promotable clone.
    Unpromoted,
    /// Running as the promoted one of a promotable clone.
    Promoted,
}

impl Role {
    /// The word used in the configuration and in every tool's output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Unknown => "Unknown",
            Role::Stopped => "Stopped",
            Role::Started => "Started",
            Role::Unpromoted => "Unpromoted",
            Role::Promoted => "Promoted",
        }
    }

    /// True if something runs in this role.
    pub const fn is_active(self) -> bool {
        matches!(self, Role::Started | Role::Unpromoted | Role::Promoted)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text was not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a role (expected Stopped, Started, Unpromoted or Promoted)")]
pub struct ParseRoleError(pub String);

impl FromStr for Role {
    type Err = ParseRoleError;

    /// Reads a role in any case, the old words `Slave` and `Master` included.
    fn from_str(text: &str) -> Result<Role, ParseRoleError> {
        const WORDS: [(&str, Role); 7] = [
            ("Unknown", Role::Unknown),
            ("Stopped", Role::Stopped),
            ("Started", Role::Started),
            ("Unpromoted", Role::Unpromoted),
            ("Slave", Role::Unpromoted),
            ("Promoted", Role::Promoted),
            ("Master", Role::Promoted),
        ];
        WORDS
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
            .map(|&(_, role)| role)
            .ok_or_else(|| ParseRoleError(text.to_owned()))
    }
}
