// SPDX-License-Identifier: GPL-2.0-or-later
//! Feature sets: what a node's software can do, as one version; and the two profiles we speak.

use std::fmt;
use std::str::FromStr;

/// A feature set such as `3.20.5`. Ordered by its numbers, not its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureSet {
    /// Differs: cannot be in one cluster.
    pub major: u32,
    /// A joining node's must be at least the DC's.
    pub minor: u32,
    /// Informative.
    pub patch: u32,
}

impl FeatureSet {
    /// From its three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> FeatureSet {
        FeatureSet { major, minor, patch }
    }

    /// Whether a node with this feature set may join a cluster whose DC has `dc`'s.
    pub const fn may_join(self, dc: FeatureSet) -> bool {
        self.major == dc.major && self.minor >= dc.minor
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The text was not a feature set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a feature set (expected numbers with dots, such as 3.20.5)")]
pub struct ParseFeatureSetError(pub String);

impl FromStr for FeatureSet {
    type Err = ParseFeatureSetError;

    /// Reads one to three numbers; missing ones are zero, as old CIBs have only two.
    fn from_str(text: &str) -> Result<FeatureSet, ParseFeatureSetError> {
        let mut numbers = [0u32; 3];
        let mut parts = text.split('.');
        for slot in &mut numbers {
            let Some(part) = parts.next() else { break };
            *slot = part.parse().map_err(|_| ParseFeatureSetError(text.to_owned()))?;
        }
        if parts.next().is_some() {
            return Err(ParseFeatureSetError(text.to_owned()));
        }
        let [major, minor, patch] = numbers;
        Ok(FeatureSet { major, minor, patch })
    }
}

/// Which Pacemaker we pass for: its feature set, IPC dialect, escaping and names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Pacemaker 3.0.2.
    #[default]
    V3_0,
    /// Pacemaker 2.1.5, as in Debian 12.
    V2_1,
}

impl Profile {
    /// The feature set this profile announces.
    pub const fn feature_set(self) -> FeatureSet {
        match self {
            Profile::V3_0 => FeatureSet::new(3, 20, 5),
            Profile::V2_1 => FeatureSet::new(3, 16, 1),
        }
    }

    /// The Pacemaker version that tools are told.
    pub const fn version(self) -> &'static str {
        match self {
            Profile::V3_0 => "3.0.2",
            Profile::V2_1 => "2.1.5",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_number() {
        let old: FeatureSet = "3.9.0".parse().unwrap();
        let new: FeatureSet = "3.16.1".parse().unwrap();
        assert!(old < new);
        assert!(new.may_join(old) && !old.may_join(new));
        assert_eq!("3.1".parse(), Ok(FeatureSet::new(3, 1, 0)));
        assert!("3.x".parse::<FeatureSet>().is_err() && "1.2.3.4".parse::<FeatureSet>().is_err());
    }
}
