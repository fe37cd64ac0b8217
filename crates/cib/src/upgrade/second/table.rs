// SPDX-License-Identifier: GPL-2.0-or-later
//! What the third series calls otherwise, has elsewhere, or has no more: as tables.

use super::super::note::Severity;
use std::fmt;

/// Where something moves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The defaults of operations.
    OpDefaults,
    /// The defaults of resources.
    RscDefaults,
    /// The meta-attributes of what it was an attribute of.
    MetaAttributes,
    /// The meta-attributes of the resource, from an operation's instance attributes.
    ResourceMetaAttributes,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::OpDefaults => "op_defaults",
            Place::RscDefaults => "rsc_defaults",
            Place::MetaAttributes => "meta_attributes",
            Place::ResourceMetaAttributes => "per-resource-meta_attributes",
        })
    }
}

/// When an entry is meant: by the value, or for operations by the operation's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// If no other entry of the same name is.
    Otherwise,
    /// If it is one of these, between bars.
    OneOf(&'static str),
    /// If it is a single item with this in front, which is then cut off.
    Prefix(&'static str),
}

impl When {
    fn is_met(self, selector: &str) -> bool {
        match self {
            When::Otherwise => false,
            When::OneOf(list) => format!("|{list}|").contains(&format!("|{selector}|")),
            When::Prefix(prefix) => selector.starts_with(prefix) && !selector.contains(','),
        }
    }
}

/// What becomes of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The old name.
    pub what: &'static str,
    /// The new name; none if it is dropped.
    pub with: Option<&'static str>,
    /// Where it moves to, unless it is there already; none if it stays where it is.
    pub to: Option<Place>,
    /// When.
    pub when: When,
    /// A value in place of the old one.
    pub redefined_as: Option<&'static str>,
    /// What to know or do about it.
    pub advice: Option<&'static str>,
    /// Whether it changes what a cluster does.
    pub loud: bool,
}

impl Entry {
    /// True if nothing of it stays in its place.
    pub(super) const fn leaves(&self) -> bool {
        self.with.is_none() || self.to.is_some()
    }

    /// How much it matters that this was done.
    pub const fn severity(&self) -> Severity {
        match self.advice {
            _ if self.loud => Severity::Warning,
            Some(_) => Severity::Info,
            None => Severity::Debug,
        }
    }

    /// The value it gives in place of this one.
    pub(super) fn value<'a>(&self, old: &'a str) -> &'a str
    where
        'static: 'a,
    {
        match (self.redefined_as, self.when) {
            (Some(value), _) => value,
            (None, When::Prefix(prefix)) => old.strip_prefix(prefix).unwrap_or(old),
            (None, _) => old,
        }
    }

    const fn named(what: &'static str, with: Option<&'static str>) -> Entry {
        let (to, when) = (None, When::Otherwise);
        Entry { what, with, to, when, redefined_as: None, advice: None, loud: false }
    }

    const fn renamed(what: &'static str, with: &'static str) -> Entry {
        Entry::named(what, Some(with))
    }

    const fn moved(what: &'static str, to: Place, with: &'static str) -> Entry {
        Entry { to: Some(to), ..Entry::named(what, Some(with)) }
    }

    const fn dropped(what: &'static str) -> Entry {
        Entry::named(what, None)
    }

    const fn when(self, when: When) -> Entry {
        Entry { when, ..self }
    }

    const fn redefined_as(self, value: &'static str) -> Entry {
        Entry { redefined_as: Some(value), ..self }
    }

    const fn advising(self, advice: &'static str) -> Entry {
        Entry { advice: Some(advice), ..self }
    }

    const fn loudly(self) -> Entry {
        Entry { loud: true, ..self }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match (self.with, self.to) {
            (None, _) => write!(f, "dropping {what}")?,
            (Some(with), Some(to)) => {
                write!(f, "moving {what} under {to} as {with} unless already defined there")?;
            }
            (Some(with), None) if with == what => write!(f, "keeping {what} as {with}")?,
            (Some(with), None) => write!(f, "renaming {what} as {with}")?,
        }
        if let Some(value) = self.redefined_as {
            write!(f, ", redefined as {value}")?;
        }
        match self.when {
            When::Otherwise => Ok(()),
            When::OneOf(list) => {
                let comma = if self.redefined_as.is_some() { "," } else { "" };
                write!(f, "{comma} for matching {list}")
            }
            When::Prefix(prefix) => {
                write!(f, " for matching {prefix} prefix that will, meanwhile, get dropped")
            }
        }
    }
}

/// What becomes of the names in one kind of place.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is about, as notes begin.
    pub subject: &'static str,
    entries: &'static [Entry],
}

impl Table {
    /// What becomes of a name, given what decides among the entries for it.
    pub(super) fn find(&self, name: &str, selector: &str) -> Option<&'static Entry> {
        let mut of_name = self.entries.iter().filter(|entry| entry.what == name).peekable();
        of_name.peek()?;
        let otherwise = of_name.clone().find(|entry| entry.when == When::Otherwise);
        of_name.find(|entry| entry.when.is_met(selector)).or(otherwise)
    }
}

const MIGRATION_THRESHOLD: &str = "migration-threshold in rsc_defaults can be configured instead";
const ALERTS: &str = "standalone alerts can be configured instead";
const ISOLATION: &str = "i.e. resource at hand disabled; isolation wrappers obsoleted with bundle resources";
const START_ONLY: &str = "only start/promote operation taken into account";

/// Cluster properties, by their values.
pub static CLUSTER_PROPERTIES: Table = Table {
    subject: "Cluster properties",
    entries: &[
        Entry::dropped("cluster-infrastructure")
            .when(When::OneOf("heartbeat|openais|classic openais|classic openais (with plugin)|cman"))
            .advising(
                "corosync (2+) infrastructure can be used instead, though the value is not of significance",
            ),
        Entry::renamed("cluster_recheck_interval", "cluster-recheck-interval"),
        Entry::renamed("dc_deadtime", "dc-deadtime"),
        Entry::moved("default-action-timeout", Place::OpDefaults, "timeout"),
        Entry::moved("default_action_timeout", Place::OpDefaults, "timeout"),
        Entry::dropped("default-migration-threshold").advising(MIGRATION_THRESHOLD),
        Entry::dropped("default_migration_threshold").advising(MIGRATION_THRESHOLD),
        Entry::moved("default-resource-stickiness", Place::RscDefaults, "resource-stickiness"),
        Entry::moved("default_resource_stickiness", Place::RscDefaults, "resource-stickiness"),
        Entry::moved("default-resource-failure-stickiness", Place::RscDefaults, "migration-threshold")
            .when(When::OneOf("-INFINITY"))
            .redefined_as("1"),
        Entry::dropped("default-resource-failure-stickiness").advising(MIGRATION_THRESHOLD),
        Entry::moved("default_resource_failure_stickiness", Place::RscDefaults, "migration-threshold")
            .when(When::OneOf("-INFINITY"))
            .redefined_as("1"),
        Entry::dropped("default_resource_failure_stickiness").advising(MIGRATION_THRESHOLD),
        Entry::renamed("election_timeout", "election-timeout"),
        Entry::dropped("expected-quorum-votes")
            .advising("corosync (2+) infrastructure tracks quorum on its own"),
        Entry::moved("is-managed-default", Place::RscDefaults, "is-managed"),
        Entry::moved("is_managed_default", Place::RscDefaults, "is-managed"),
        Entry::renamed("no_quorum_policy", "no-quorum-policy"),
        Entry::dropped("notification-agent").advising(ALERTS),
        Entry::dropped("notification-recipient").advising(ALERTS),
        Entry::renamed("remove_after_stop", "remove-after-stop"),
        Entry::renamed("shutdown_escalation", "shutdown-escalation"),
        Entry::renamed("startup_fencing", "startup-fencing"),
        Entry::renamed("stonith_action", "stonith-action"),
        Entry::renamed("stonith_enabled", "stonith-enabled"),
        Entry::renamed("stop_orphan_actions", "stop-orphan-actions"),
        Entry::renamed("stop_orphan_resources", "stop-orphan-resources"),
        Entry::renamed("symmetric_cluster", "symmetric-cluster"),
        Entry::renamed("transition_idle_timeout", "cluster-delay"),
    ],
};

/// Attributes of a node, by their values.
pub static NODE: Table = Table {
    subject: "Cluster node",
    entries: &[Entry::renamed("type", "type").when(When::OneOf("normal")).redefined_as("member")],
};

/// Instance attributes of a resource, by their values.
pub static RESOURCE_INSTANCE: Table = Table {
    subject: "Resource instance_attributes",
    entries: &[
        Entry::dropped("pcmk_arg_map"),
        Entry::renamed("pcmk_arg_map", "pcmk_host_argument").when(When::Prefix("port:")),
        Entry::renamed("pcmk_list_cmd", "pcmk_list_action"),
        Entry::renamed("pcmk_monitor_cmd", "pcmk_monitor_action"),
        Entry::renamed("pcmk_off_cmd", "pcmk_off_action"),
        Entry::renamed("pcmk_on_cmd", "pcmk_on_action"),
        Entry::renamed("pcmk_reboot_cmd", "pcmk_reboot_action"),
        Entry::renamed("pcmk_status_cmd", "pcmk_status_action"),
    ],
};

const fn isolated(what: &'static str) -> Entry {
    Entry::renamed(what, "target-role").redefined_as("Stopped").advising(ISOLATION).loudly()
}

/// Meta-attributes of a resource, by their values.
pub static RESOURCE_META: Table = Table {
    subject: "Resource meta_attributes",
    entries: &[
        isolated("isolation"),
        isolated("isolation-host"),
        isolated("isolation-instance"),
        isolated("isolation-wrapper"),
        Entry::renamed("resource-failure-stickiness", "migration-threshold")
            .when(When::OneOf("-INFINITY"))
            .redefined_as("1"),
        Entry::dropped("resource-failure-stickiness")
            .advising("migration-threshold can be configured instead"),
        Entry::renamed("resource_failure_stickiness", "migration-threshold")
            .when(When::OneOf("-INFINITY"))
            .redefined_as("1"),
        Entry::dropped("resource_failure_stickiness")
            .advising("migration-threshold can be configured instead"),
    ],
};

/// Attributes and meta-attributes of an operation, by the operation's name. What moves goes to the resource's
/// meta-attributes.
pub static OPERATION: Table = Table {
    subject: "Resources-operation",
    entries: &[
        Entry::dropped("requires").advising(START_ONLY),
        Entry::moved("requires", Place::MetaAttributes, "requires").when(When::OneOf("start|promote")),
    ],
};

/// Instance attributes of an operation, by the operation's name. What moves goes to the operation's meta-attributes, but
/// for `requires`, of which [`OPERATION`] has where it goes.
pub static OPERATION_INSTANCE: Table = Table {
    subject: "Resources-operation instance_attributes",
    entries: &[
        Entry::dropped("requires").advising(START_ONLY),
        Entry::moved("requires", Place::ResourceMetaAttributes, "requires")
            .when(When::OneOf("start|promote")),
        Entry::moved("interval-origin", Place::MetaAttributes, "interval-origin"),
        Entry::moved("start-delay", Place::MetaAttributes, "start-delay"),
        Entry::moved("enabled", Place::MetaAttributes, "enabled"),
        Entry::moved("on-fail", Place::MetaAttributes, "on-fail"),
        Entry::moved("record-pending", Place::MetaAttributes, "record-pending"),
        Entry::moved("role", Place::MetaAttributes, "role"),
        Entry::moved("timeout", Place::MetaAttributes, "timeout"),
    ],
};

/// Attributes of a colocation.
pub static COLOCATION: Table = Table {
    subject: "Constraints-colocation",
    entries: &[
        Entry::dropped("score-attribute").advising("was actually never in effect"),
        Entry::dropped("score-attribute-mangle").advising("was actually never in effect"),
    ],
};
