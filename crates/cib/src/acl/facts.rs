// SPDX-License-Identifier: GPL-2.0-or-later
//! What ACLs depend on besides the CIB.

use model::WallTime;
use rules::DateTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use xml::Element;

/// What ACLs depend on besides the CIB.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The moment: `enable-acl` may stand under a rule.
    pub now: WallTime,
    /// How far local time is east of Greenwich, in seconds.
    pub utc_offset_s: i32,
    /// Who is in which group.
    pub groups: Arc<Groups>,
}

impl Facts {
    pub(super) fn date(&self) -> DateTime {
        DateTime::from_wall(self.now, self.utc_offset_s)
    }
}

/// Which users the system's group database names as members of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    members: BTreeMap<String, BTreeSet<String>>,
}

impl Groups {
    /// Adds (or replaces) a group. One that does not exist is one without members.
    pub fn insert(&mut self, group: impl Into<String>, members: impl IntoIterator<Item = String>) {
        self.members.insert(group.into(), members.into_iter().collect());
    }

    /// Whether a group has been looked up.
    pub fn knows(&self, group: &str) -> bool {
        self.members.contains_key(group)
    }

    /// Whether a user is a member of a group; `None` if nobody has looked it up.
    pub fn has(&self, group: &str, user: &str) -> Option<bool> {
        self.members.get(group).map(|members| members.contains(user))
    }
}

/// The groups that a CIB's ACLs speak of, each once.
pub fn group_names(cib: &Element) -> BTreeSet<&str> {
    let groups = super::section(cib).into_iter().flat_map(|acls| acls.elements_named("acl_group"));
    groups.filter_map(|group| group.attr("name").or_else(|| group.id())).collect()
}
