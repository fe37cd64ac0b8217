// SPDX-License-Identifier: GPL-2.0-or-later
//! What is asked for, whichever of the tools for attributes was asked.

use messages::attrd::SyncPoint;

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Command {
    /// Read.
    #[default]
    Query,
    /// Set to this value.
    Update(String),
    /// Unset.
    Delete,
}

/// Of what, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// What is to be done.
    pub command: Command,
    /// The section of the CIB, or for how long a node's attribute holds (`reboot`, `forever`); `None` for what goes
    /// with the rest.
    pub section: Option<String>,
    /// The attribute is a promotion score.
    pub is_promotion: bool,
    /// The attribute is of a node's utilization.
    pub utilization: bool,
    /// The node.
    pub node: Option<String>,
    /// The attribute's name.
    pub name: Option<String>,
    /// All attributes whose names match.
    pub pattern: Option<String>,
    /// The id of the set that the attribute is in.
    pub set: Option<String>,
    /// The id of the attribute.
    pub id: Option<String>,
    /// What is to be shown for what is not there.
    pub default: Option<String>,
    /// Where a change must be known before the tool ends.
    pub sync_point: Option<SyncPoint>,
}

impl Request {
    /// The section that is really meant.
    pub fn section(&self) -> &str {
        match &self.section {
            None if self.is_promotion => "status",
            None if self.node.is_some() => "nodes",
            None => "crm_config",
            Some(section) if section.eq_ignore_ascii_case("reboot") => "status",
            Some(section) if section.eq_ignore_ascii_case("forever") => "nodes",
            Some(section) => section,
        }
    }
}
