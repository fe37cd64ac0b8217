// SPDX-License-Identifier: GPL-2.0-or-later
//! Versions of the schema, and which one a CIB claims to follow.

use model::Profile;
use std::fmt;
use std::str::FromStr;
use xml::Element;

/// A released version of the schema, such as `pacemaker-3.9`. Ordered as they were released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaVersion {
    major: u8,
    minor: u8,
}

const fn version(major: u8, minor: u8) -> SchemaVersion {
    SchemaVersion { major, minor }
}

impl SchemaVersion {
    /// All of them, the oldest first. There has never been a 1.1.
    pub const ALL: [SchemaVersion; 26] = [
        version(1, 0),
        version(1, 2),
        version(1, 3),
        version(2, 0),
        version(2, 1),
        version(2, 2),
        version(2, 3),
        version(2, 4),
        version(2, 5),
        version(2, 6),
        version(2, 7),
        version(2, 8),
        version(2, 9),
        version(2, 10),
        version(3, 0),
        version(3, 1),
        version(3, 2),
        version(3, 3),
        version(3, 4),
        version(3, 5),
        version(3, 6),
        version(3, 7),
        version(3, 8),
        version(3, 9),
        version(3, 10),
        version(4, 0),
    ];

    /// The oldest.
    pub const OLDEST: SchemaVersion = version(1, 0);

    /// The newest that a profile knows.
    pub const fn newest(profile: Profile) -> SchemaVersion {
        match profile {
            Profile::V3_0 => version(4, 0),
            Profile::V2_1 => version(3, 9),
        }
    }

    /// The version of these numbers, if it was released.
    pub fn new(major: u8, minor: u8) -> Option<SchemaVersion> {
        Self::ALL.into_iter().find(|known| *known == version(major, minor))
    }

    /// The number before the dot: what changes when a configuration may have to be transformed.
    pub const fn major(self) -> u8 {
        self.major
    }

    /// The number after the dot.
    pub const fn minor(self) -> u8 {
        self.minor
    }

    /// Its place in [`SchemaVersion::ALL`].
    pub fn index(self) -> usize {
        Self::ALL.iter().take_while(|known| **known < self).count()
    }

    /// The version released after it.
    pub fn next(self) -> Option<SchemaVersion> {
        Self::ALL.get(self.index() + 1).copied()
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("pacemaker-{}.{}", self.major, self.minor))
    }
}

/// No schema has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a known schema; expected one of {first} to {last}, such as {last}", first = SchemaVersion::OLDEST, last = SchemaVersion::newest(Profile::V3_0))]
pub struct UnknownSchema(pub String);

impl FromStr for SchemaVersion {
    type Err = UnknownSchema;

    /// Reads a name exactly as `validate-with` has it: `pacemaker-3.09` is none.
    fn from_str(text: &str) -> Result<SchemaVersion, UnknownSchema> {
        let numbers = text.strip_prefix("pacemaker-").and_then(|numbers| numbers.split_once('.'));
        let known = numbers.and_then(|(major, minor)| Self::new(major.parse().ok()?, minor.parse().ok()?));
        known.filter(|known| known.to_string() == text).ok_or_else(|| UnknownSchema(text.to_owned()))
    }
}

/// What a CIB says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It follows this version.
    Version(SchemaVersion),
    /// It follows none (`validate-with="none"`), and anything goes.
    Nothing,
}

impl Claim {
    /// What the `validate-with` of a CIB says; `None` if there is none, an error if it names what nobody knows.
    pub fn of(cib: &Element) -> Result<Option<Claim>, UnknownSchema> {
        match cib.attr("validate-with") {
            None => Ok(None),
            Some("none") => Ok(Some(Claim::Nothing)),
            Some(name) => name.parse().map(|version| Some(Claim::Version(version))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_named_and_read_exactly() {
        assert!(SchemaVersion::ALL.is_sorted_by(|a, b| a < b));
        for (index, version) in SchemaVersion::ALL.into_iter().enumerate() {
            assert_eq!(version.to_string().parse(), Ok(version));
            assert_eq!(version.index(), index);
        }
        assert_eq!(SchemaVersion::ALL.last(), Some(&SchemaVersion::newest(Profile::V3_0)));
        assert_eq!(version(2, 10).next(), Some(version(3, 0)));
        assert_eq!(version(4, 0).next(), None);
        for wrong in [
            "",
            "none",
            "3.0",
            "pacemaker-1.1",
            "pacemaker-3.00",
            "pacemaker-+3.0",
            "pacemaker-3.0 ",
            "pacemaker-next",
            "Pacemaker-3.0",
        ] {
            assert_eq!(wrong.parse::<SchemaVersion>(), Err(UnknownSchema(wrong.to_owned())));
        }
    }
}
