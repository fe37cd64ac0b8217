// SPDX-License-Identifier: GPL-2.0-or-later
//! Who is in which group, as far as ACLs depend on it: when the system is asked, and what holds until it has answered.
//!
//! A group that nobody has looked up yet leaves those users without any right whose rights depend on it (for an instant,
//! after the ACLs have begun to speak of it). What was looked up is used until it has been looked up again.

use super::{Based, Effect};
use ::cib::acl::{self, Groups};
use messages::core::{EffectId, Output};
use model::{Instant, Now};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use xml::Element;

/// What was looked up this long ago is looked up again when it is used.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// What is known of groups.
#[derive(Debug)]
pub(super) struct GroupMembership {
    pub known: Arc<Groups>,
    asked: BTreeSet<String>,
    asked_at: Option<Instant>,
}

impl GroupMembership {
    pub fn new(known: Groups) -> GroupMembership {
        GroupMembership { known: Arc::new(known), asked: BTreeSet::new(), asked_at: None }
    }
}

impl Based {
    /// Asks for groups that the ACLs have begun to speak of.
    pub(super) fn look_up_new_groups(&mut self, old: &Element, now: Now) {
        let acls = |cib: &Element| cib.descend(&["configuration", "acls"]).cloned();
        let unchanged = match (acls(old), acls(&self.cib)) {
            (Some(old), Some(new)) => old.ptr_eq(&new),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        if unchanged {
            return;
        }
        let new = |name: &&str| !self.membership.known.knows(name) && !self.membership.asked.contains(*name);
        let names: Vec<String> =
            acl::group_names(&self.cib).into_iter().filter(new).map(str::to_owned).collect();
        self.look_up(names, now);
    }

    /// Asks again for all groups, if a user's rights depend on what was learned long ago.
    pub(super) fn refresh_groups(&mut self, user: Option<&str>, now: Now) {
        let is_recent = |at: Instant| now.instant.since(at) < STALE_AFTER;
        if !user.is_some_and(acl::is_restricted) || self.membership.asked_at.is_some_and(is_recent) {
            return;
        }
        let names = acl::group_names(&self.cib).into_iter().map(str::to_owned).collect();
        self.look_up(names, now);
    }

    fn look_up(&mut self, names: Vec<String>, now: Now) {
        if names.is_empty() {
            return;
        }
        self.membership.asked.extend(names.iter().cloned());
        self.membership.asked_at = Some(now.instant);
        self.effects_ever += 1;
        let effect = Effect::LookUpGroups(names);
        self.outputs.push_back(Output::Effect { id: EffectId(self.effects_ever), effect });
    }

    pub(super) fn groups_found(&mut self, groups: Vec<(String, Vec<String>)>) {
        let known = Arc::make_mut(&mut self.membership.known);
        for (name, members) in groups {
            self.membership.asked.remove(&name);
            known.insert(name, members);
        }
    }
}
