// SPDX-License-Identifier: GPL-2.0-or-later
//! Colocations: which resources want to be, or must not be, with which others.
//!
//! Decides: pairs with scores, from simple constraints and sets (Pacemaker Explained, "Placing Resources Relative to
//! other Resources"). Given: `rsc_colocation`. Leaves to others: what they do to placement (`stage::colocation`).

use super::sets::Set;
use crate::action::relation;
use crate::notation::{insert_sorted, parse_bool, parse_score};
use crate::{Cluster, ConfigIssue, ResourceId, Variant};
use model::{Role, Score};
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use xml::Element;

/// A colocation's place among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ColocationId(u32);

impl ColocationId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One resource with another.
#[derive(Clone, Debug)]
pub(crate) struct Colocation {
    /// The constraint's (or its set's) id.
    pub id: Arc<str>,
    /// The one that follows.
    pub dependent: ResourceId,
    /// The one that is followed.
    pub primary: ResourceId,
    /// How much; never zero.
    pub score: Score,
    /// Matters only in this role of the dependent, if not unknown.
    pub dependent_role: Role,
    /// Matters only in this role of the primary, if not unknown.
    pub primary_role: Role,
    /// Nodes are the same if this attribute is the same.
    pub attribute: Arc<str>,
    /// The dependent's wishes count for the primary even if that is active.
    pub influence: bool,
    /// Configured, not implied by a group.
    pub explicit: bool,
}

/// What a colocation is made of, besides the two resources.
pub(crate) struct Terms<'a> {
    pub id: &'a str,
    pub score: Score,
    pub attribute: Option<&'a str>,
    pub dependent_role: Option<&'a str>,
    pub primary_role: Option<&'a str>,
    pub influence: bool,
    pub explicit: bool,
}

fn role(text: Option<&str>) -> Option<Role> {
    match text.map(str::parse) {
        None | Some(Ok(Role::Started)) => Some(Role::Unknown),
        Some(Ok(Role::Unknown) | Err(_)) => None,
        Some(Ok(role)) => Some(role),
    }
}

impl Cluster {
    pub(crate) fn colocation(&self, id: ColocationId) -> &Colocation {
        &self.colocations[id.index()]
    }

    fn compare_colocated(&self, a: ResourceId, b: ResourceId) -> Ordering {
        let rank = |id: ResourceId| {
            let resource = self.resource(id);
            let promotable = resource.variant == Variant::Clone && resource.work.promotable;
            (Reverse(resource.state.priority), Reverse(resource.variant), Reverse(promotable))
        };
        rank(a).cmp(&rank(b)).then_with(|| self.resource(a).id.cmp(&self.resource(b).id))
    }

    /// Puts a colocation into a list of those of one dependent.
    pub(crate) fn insert_this_with(&self, list: &mut Vec<ColocationId>, id: ColocationId) {
        insert_sorted(list, id, |a, b| {
            self.compare_colocated(self.colocation(*a).primary, self.colocation(*b).primary)
        });
    }

    /// Puts a colocation into a list of those with one primary.
    pub(crate) fn insert_with_this(&self, list: &mut Vec<ColocationId>, id: ColocationId) {
        insert_sorted(list, id, |a, b| {
            self.compare_colocated(self.colocation(*a).dependent, self.colocation(*b).dependent)
        });
    }

    /// Adds a colocation.
    pub(crate) fn add_colocation(&mut self, dependent: ResourceId, primary: ResourceId, terms: &Terms<'_>) {
        let roles = (role(terms.dependent_role), role(terms.primary_role));
        let (dependent_role, primary_role) = roles;
        let (Some(dependent_role), Some(primary_role)) = (dependent_role, primary_role) else {
            let wrong = if dependent_role.is_none() { terms.dependent_role } else { terms.primary_role };
            let wrong = wrong.unwrap_or_default();
            let issue = format!("Ignoring constraint {}: Invalid role '{wrong}'", terms.id);
            self.note_issue(ConfigIssue::error(issue).logged_by("pcmk__parse_constraint_role"));
            return;
        };
        if terms.score == Score::ZERO {
            return;
        }
        let id = ColocationId(self.colocations.len() as u32);
        self.colocations.push(Colocation {
            id: Arc::from(terms.id),
            dependent,
            primary,
            score: terms.score,
            dependent_role,
            primary_role,
            attribute: Arc::from(terms.attribute.unwrap_or("#uname")),
            influence: terms.influence,
            explicit: terms.explicit,
        });
        let mut list = std::mem::take(&mut self.work_mut(dependent).this_with);
        self.insert_this_with(&mut list, id);
        self.work_mut(dependent).this_with = list;
        let mut list = std::mem::take(&mut self.work_mut(primary).with_this);
        self.insert_with_this(&mut list, id);
        self.work_mut(primary).with_this = list;
        if terms.score == Score::MINUS_INFINITY {
            self.order_apart(dependent, dependent_role, primary, primary_role);
            self.order_apart(primary, primary_role, dependent, dependent_role);
        }
    }

    /// What may not be together has to leave a node before the other comes.
    fn order_apart(&mut self, first: ResourceId, first_role: Role, then: ResourceId, then_role: Role) {
        let leaving: &[&str] = match first_role {
            Role::Promoted => &["demote"],
            Role::Unpromoted => &["stop", "promote"],
            _ => &["stop"],
        };
        let coming: &[&str] = match then_role {
            Role::Promoted => &["promote"],
            Role::Unpromoted => &["start", "demote"],
            _ => &["start"],
        };
        for leave in leaving {
            for come in coming {
                self.order(first, leave, then, come, relation::IF_REQUIRED_ON_SAME_NODE);
            }
        }
    }

    pub(super) fn unpack_colocation(&mut self, xml: &Element, id: &str) {
        let is_tag = |name: &str| xml.attr(name).is_some_and(|name| self.is_tag(name));
        if is_tag("rsc") && is_tag("with-rsc") {
            let issue =
                format!("Ignoring constraint '{id}' because two templates or tags cannot be colocated");
            self.note_issue(ConfigIssue::error(issue));
            return;
        }
        let expanded =
            self.expand_tags(xml, &[("rsc", "rsc-role", "role"), ("with-rsc", "with-rsc-role", "role")]);
        let Some(score) = xml.attr("score").map_or(Some(Score::ZERO), parse_score) else {
            let score = xml.attr("score").unwrap_or_default();
            let issue = format!("Ignoring colocation {id} because '{score}' is not a valid score");
            self.note_issue(ConfigIssue::error(issue));
            return;
        };
        let influence = xml.attr("influence");
        if expanded.child("resource_set").is_none() {
            self.unpack_simple_colocation(xml, id, score, influence);
            return;
        }
        let Some(sets) = self.sets(&expanded, id) else { return };
        let mut last: Option<Set> = None;
        for set in sets {
            self.colocate_set(&set, score, influence);
            if let Some(last) = &last {
                self.colocate_sets(id, last, &set, score, influence);
            }
            last = Some(set);
        }
    }

    fn influence(&self, dependent: ResourceId, configured: Option<&str>) -> bool {
        configured.and_then(parse_bool).unwrap_or(self.state(dependent).critical)
    }

    fn unpack_simple_colocation(&mut self, xml: &Element, id: &str, score: Score, influence: Option<&str>) {
        let (Some(dependent), Some(primary)) = (xml.attr("rsc"), xml.attr("with-rsc")) else {
            let issue = format!("Ignoring colocation '{id}' without rsc and with-rsc");
            self.note_issue(ConfigIssue::error(issue));
            return;
        };
        let Some(dependent) = self.constrained(id, dependent) else { return };
        let Some(primary) = self.constrained(id, primary) else { return };
        let terms = Terms {
            id,
            score,
            attribute: xml.attr("node-attribute"),
            dependent_role: xml.attr("rsc-role"),
            primary_role: xml.attr("with-rsc-role"),
            influence: self.influence(dependent, influence),
            explicit: true,
        };
        self.add_colocation(dependent, primary, &terms);
    }

    /// The members of one set with each other.
    fn colocate_set(&mut self, set: &Set, score: Score, influence: Option<&str>) {
        let score = match set.xml.attr("score").map(parse_score) {
            None => score,
            Some(Some(own)) => own,
            Some(None) => return,
        };
        if score == Score::ZERO || set.sequential == Some(false) {
            return;
        }
        let role = set.xml.attr("role");
        let with_previous = set.xml.attr("ordering").is_none_or(|word| word.eq_ignore_ascii_case("group"));
        let terms = |cluster: &Cluster, member: ResourceId| Terms {
            id: &set.id,
            score,
            attribute: None,
            dependent_role: role,
            primary_role: role,
            influence: cluster.influence(member, influence),
            explicit: true,
        };
        if score > Score::ZERO {
            for pair in set.members.windows(2) {
                let &[other, member] = pair else { continue };
                let terms = terms(self, member);
                let (dependent, primary) = if with_previous { (member, other) } else { (other, member) };
                self.add_colocation(dependent, primary, &terms);
            }
            return;
        }
        for (index, &member) in set.members.iter().enumerate() {
            let terms = terms(self, member);
            for &other in set.members.iter().take(index).take_while(|&&other| other != member) {
                self.add_colocation(member, other, &terms);
            }
        }
    }

    /// One set with the next.
    fn colocate_sets(&mut self, id: &str, set: &Set, next: &Set, score: Score, influence: Option<&str>) {
        let whole = |set: &Set, single: Option<ResourceId>| match single {
            Some(member) if set.sequential != Some(false) => vec![member],
            _ => set.members.clone(),
        };
        let dependents = whole(set, set.members.first().copied());
        let primaries = whole(next, next.members.last().copied());
        for &dependent in &dependents {
            for &primary in &primaries {
                let terms = Terms {
                    id,
                    score,
                    attribute: None,
                    dependent_role: set.xml.attr("role"),
                    primary_role: next.xml.attr("role"),
                    influence: self.influence(dependent, influence),
                    explicit: true,
                };
                self.add_colocation(dependent, primary, &terms);
            }
        }
    }
}
