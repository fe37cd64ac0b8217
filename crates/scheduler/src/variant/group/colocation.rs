// SPDX-License-Identifier: GPL-2.0-or-later
//! Groups and colocations: whoever wants to be with a group wants to be with a member of it.
//!
//! Decides: which member stands for the group. Given: a colocation. Leaves to others: what the member does with it.

use crate::constraint::{ColocationId, Terms};
use crate::unpack::add_scores;
use crate::{Cluster, ConfigIssue, ResourceId};
use model::Score;

impl Cluster {
    pub(super) fn colocate_members(&mut self, member: ResourceId, previous: ResourceId) {
        let terms = Terms {
            id: "#group-members",
            score: Score::INFINITY,
            attribute: None,
            dependent_role: None,
            primary_role: None,
            influence: self.state(member).critical,
            explicit: false,
        };
        self.add_colocation(member, previous, &terms);
    }

    fn refuse_scattered(&mut self, group: ResourceId) {
        let id = self.resource(group).id.clone();
        let issue = format!("{id}: Cannot perform mandatory colocation with non-colocated group");
        self.note_issue(ConfigIssue::error(issue));
    }

    pub(in crate::variant) fn colocate_group_with(
        &mut self,
        group: ResourceId,
        primary: ResourceId,
        colocation: ColocationId,
    ) -> i32 {
        let members = self.resource(group).children.clone();
        let Some(&first) = members.first() else { return 0 };
        let mut delta = 0;
        if self.work(group).colocated {
            delta = self.apply_colocation(first, primary, colocation, true);
        } else {
            if self.colocation(colocation).score == Score::INFINITY {
                self.refuse_scattered(group);
                return 0;
            }
            for member in members {
                let one = self.apply_colocation(member, primary, colocation, false);
                delta = add_scores(delta, one);
            }
        }
        if delta != 0 {
            let state = self.state_mut(group);
            state.priority = add_scores(delta, state.priority);
        }
        delta
    }

    pub(in crate::variant) fn colocate_with_group(
        &mut self,
        dependent: ResourceId,
        group: ResourceId,
        colocation: ColocationId,
    ) -> i32 {
        if self.work(group).unassigned {
            return 0;
        }
        let members = self.resource(group).children.clone();
        let mandatory = self.colocation(colocation).score == Score::INFINITY;
        if self.work(group).colocated {
            let member = if mandatory { members.last() } else { members.first() };
            return member.map_or(0, |&member| self.apply_colocation(dependent, member, colocation, false));
        }
        if mandatory {
            self.refuse_scattered(group);
            return 0;
        }
        let mut delta = 0;
        for member in members {
            let one = self.apply_colocation(dependent, member, colocation, false);
            delta = add_scores(delta, one);
        }
        delta
    }

    pub(in crate::variant) fn group_with_this(
        &self,
        group: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        let resource = self.resource(group);
        let is_last = resource.children.last() == Some(&asker);
        if resource.children.is_empty() || asker != group && !is_last {
            return;
        }
        self.add_with_this_list(list, &resource.work.with_this);
        if let Some(parent) = resource.parent {
            self.collect_with_this(parent, asker, list);
        }
        if !resource.work.colocated {
            return;
        }
        for &member in resource.children.iter().filter(|&&member| member != asker) {
            self.collect_with_this(member, asker, list);
        }
    }

    pub(in crate::variant) fn group_this_with(
        &self,
        group: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        let resource = self.resource(group);
        let Some(&first) = resource.children.first() else { return };
        if asker == group || asker == first {
            self.add_this_with_list(list, &resource.work.this_with);
            if let Some(parent) = resource.parent {
                self.collect_this_with(parent, asker, list);
            }
            if resource.work.colocated {
                for &member in resource.children.iter().filter(|&&member| member != asker) {
                    self.collect_this_with(member, asker, list);
                }
            }
            return;
        }
        // A member after one that cannot be moved has to see for itself that it fits the group's wishes.
        let before = resource.children.iter().take_while(|&&member| member != asker);
        if before.clone().any(|&member| !self.state(member).managed) {
            for &colocation in &resource.work.this_with {
                if self.colocation(colocation).score == Score::INFINITY {
                    self.insert_this_with(list, colocation);
                }
            }
        }
    }

    /// The member that speaks for the group: the last one depends on all others, on the first one all others depend.
    pub(in crate::variant) fn group_spokesman(
        &self,
        group: ResourceId,
        from_itself: bool,
    ) -> Option<ResourceId> {
        let members = &self.resource(group).children;
        if from_itself { members.last() } else { members.first() }.copied()
    }
}
