// SPDX-License-Identifier: GPL-2.0-or-later
//! What a cluster, its resources and its fence devices can be told, as facts about the words: type, default, allowed values, who listens, and
//! what users read about it.
//!
//! Decides: which options there are, in the order in which users are shown them. Leaves to others: what a value does (each
//! reader's own business) and the forms in which options are listed. The descriptions are Pacemaker's, which front-ends
//! compare and translate.

mod cluster;
mod fencing;
mod primitive;

pub use cluster::CLUSTER_OPTIONS;
pub use fencing::FENCING_PARAMETERS;
pub use primitive::PRIMITIVE_META_ATTRIBUTES;

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any words Pacemaker knows for true and false.
    Boolean,
    /// A span of time, at least nothing.
    Duration,
    /// A whole number.
    Integer,
    /// A whole number, at least nothing.
    NonnegativeInteger,
    /// A share of something, with `%`.
    Percentage,
    /// Of a network protocol.
    Port,
    /// A whole number, or infinity, of either sign.
    Score,
    /// One of these.
    Select(&'static [&'static str]),
    /// Any text.
    String,
    /// A span of time, or less than nothing for "work it out".
    Timeout,
    /// Of software.
    Version,
}

impl Kind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Boolean => "boolean",
            Kind::Duration => "duration",
            Kind::Integer => "integer",
            Kind::NonnegativeInteger => "nonnegative_integer",
            Kind::Percentage => "percentage",
            Kind::Port => "port",
            Kind::Score => "score",
            Kind::Select(_) => "select",
            Kind::String => "string",
            Kind::Timeout => "timeout",
            Kind::Version => "version",
        }
    }

    /// The allowed values, where there are only so many.
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Kind::Select(values) => values,
            _ => &[],
        }
    }
}

/// Who acts on an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The CIB manager.
    Manager,
    /// The controller.
    Controller,
    /// The fencer.
    Fencer,
    /// The scheduler.
    Scheduler,
}

/// For whom an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    All,
    /// Who knows exactly why.
    Advanced,
    /// Nobody any more.
    Deprecated,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionInfo {
    /// Its name.
    pub name: &'static str,
    /// Its name of old, which still works.
    pub alias: Option<&'static str>,
    /// What values it takes.
    pub kind: Kind,
    /// What holds if it is not set, if that can be said.
    pub default: Option<&'static str>,
    /// Who acts on it.
    pub reader: Reader,
    /// For whom it is.
    pub audience: Audience,
    /// Pacemaker sets it.
    pub generated: bool,
    /// What it does, in one line.
    pub short: &'static str,
    /// What it does, in full, if there is more to say.
    pub long: Option<&'static str>,
}

impl OptionInfo {
    /// An option for everybody without a default.
    const fn new(reader: Reader, name: &'static str, kind: Kind, short: &'static str) -> OptionInfo {
        OptionInfo {
            name,
            alias: None,
            kind,
            default: None,
            reader,
            audience: Audience::All,
            generated: false,
            short,
            long: None,
        }
    }

    const fn alias(mut self, name: &'static str) -> OptionInfo {
        self.alias = Some(name);
        self
    }

    const fn default(mut self, value: &'static str) -> OptionInfo {
        self.default = Some(value);
        self
    }

    const fn long(mut self, text: &'static str) -> OptionInfo {
        self.long = Some(text);
        self
    }

    const fn advanced(mut self) -> OptionInfo {
        self.audience = Audience::Advanced;
        self
    }

    const fn deprecated(mut self) -> OptionInfo {
        self.audience = Audience::Deprecated;
        self
    }

    const fn generated(mut self) -> OptionInfo {
        self.generated = true;
        self
    }
}

/// The cluster option of a name, today's or one of old.
pub fn cluster_option(name: &str) -> Option<&'static OptionInfo> {
    CLUSTER_OPTIONS.iter().find(|option| option.name == name || option.alias == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_defaults_allowed() {
        for table in [CLUSTER_OPTIONS, FENCING_PARAMETERS, PRIMITIVE_META_ATTRIBUTES] {
            let mut names: Vec<&str> =
                table.iter().flat_map(|option| [Some(option.name), option.alias]).flatten().collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
            for option in table {
                let OptionInfo { name, kind, default, .. } = *option;
                assert!(!option.short.is_empty(), "{name}");
                let Some(default) = default else { continue };
                let fits = match kind {
                    Kind::Boolean => crate::parse_bool(default).is_some(),
                    Kind::Select(values) => values.contains(&default),
                    Kind::Integer | Kind::NonnegativeInteger => default.parse::<i64>().is_ok(),
                    Kind::Score => default.parse::<crate::Score>().is_ok(),
                    Kind::Duration => default.parse::<crate::Interval>().is_ok(),
                    Kind::Percentage => default.ends_with('%'),
                    Kind::Port => default.parse::<u16>().is_ok(),
                    Kind::String | Kind::Timeout | Kind::Version => true,
                };
                assert!(fits, "{name}: {default} is no {}", kind.as_str());
            }
        }
    }

    #[test]
    fn options_are_found_by_either_name() {
        assert_eq!(cluster_option("stonith-enabled").unwrap().name, "fencing-enabled");
        assert_eq!(cluster_option("dc-deadtime").unwrap().default, Some("20s"));
        assert!(cluster_option("no-such-option").is_none());
        assert_eq!((CLUSTER_OPTIONS.len(), FENCING_PARAMETERS.len()), (48, 25));
        assert_eq!(PRIMITIVE_META_ATTRIBUTES.len(), 18);
    }
}
