// SPDX-License-Identifier: GPL-2.0-or-later
//! Orderings: which operation comes before which.
//!
//! Decides: pairs of operations with the kind of their relation (Pacemaker Explained, "Specifying the Order in which
//! Resources Should Start/Stop"). Given: `rsc_order`; what other stages ask for. Leaves to others: finding the actions
//! and what the relation does to them (`stage::order`).

use super::sets::Set;
use crate::action::{ActionId, relation};
use crate::notation::{flag, integer, is_true, op_key, parse_op_key, parse_score};
use crate::{Cluster, ConfigIssue, ResourceId, Variant};
use model::Score;
use std::sync::Arc;
use xml::Element;

/// One side of an ordering: an operation by its key, or a certain action.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    /// Whose.
    pub resource: Option<ResourceId>,
    /// The operation's key.
    pub key: Option<Arc<str>>,
    /// The action, if it is known already.
    pub action: Option<ActionId>,
}

/// An ordering to be resolved.
#[derive(Clone, Debug)]
pub(crate) struct Ordering {
    /// What comes first.
    pub first: Side,
    /// What comes then.
    pub then: Side,
    /// See `action::relation`.
    pub flags: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Optional,
    Mandatory,
    Serialize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symmetry {
    Asymmetric,
    Symmetric,
    Inverse,
}

fn invert(action: &str) -> Option<&'static str> {
    Some(match action {
        "start" => "stop",
        "stop" => "start",
        "promote" => "demote",
        "demote" => "promote",
        "promoted" => "demoted",
        "demoted" => "promoted",
        "running" => "stopped",
        "stopped" => "running",
        _ => return None,
    })
}

fn kind(xml: &Element) -> Kind {
    match xml.attr("kind") {
        Some("Optional") => Kind::Optional,
        Some("Serialize") => Kind::Serialize,
        Some(_) => Kind::Mandatory,
        None => match xml.attr("score").map(|score| parse_score(score).unwrap_or_default()) {
            Some(Score::ZERO) => Kind::Optional,
            _ => Kind::Mandatory,
        },
    }
}

fn symmetry(xml: &Element, parent: Kind, parent_symmetrical: Option<&str>) -> Symmetry {
    let own_kind = xml.attr("kind").is_some() || xml.attr("score").is_some();
    let kind = if own_kind { kind(xml) } else { parent };
    let symmetrical =
        flag(xml, "symmetrical").or_else(|| parent_symmetrical.map(|value| is_true(Some(value))));
    match symmetrical {
        Some(true) if kind != Kind::Serialize => Symmetry::Symmetric,
        Some(_) => Symmetry::Asymmetric,
        None if kind == Kind::Serialize => Symmetry::Asymmetric,
        None => Symmetry::Symmetric,
    }
}

fn flags_for(kind: Kind, first: &str, symmetry: Symmetry) -> u32 {
    match (kind, symmetry) {
        (Kind::Optional, _) => relation::ORDERED,
        (Kind::Serialize, _) => relation::SERIALIZE,
        (Kind::Mandatory, Symmetry::Asymmetric) => relation::ORDERED | relation::ASYMMETRIC,
        (Kind::Mandatory, Symmetry::Inverse) => relation::ORDERED | relation::THEN_IMPLIES_FIRST,
        (Kind::Mandatory, Symmetry::Symmetric) => {
            let up = matches!(first, "start" | "promote" | "migrate_from");
            let blocks = if up { relation::UNRUNNABLE_FIRST_BLOCKS } else { relation::NONE };
            relation::ORDERED | relation::FIRST_IMPLIES_THEN | blocks
        }
    }
}

impl Side {
    /// An operation of a resource.
    pub(crate) fn operation(cluster: &Cluster, resource: ResourceId, task: &str) -> Side {
        let key = op_key(&cluster.resource(resource).id, task, 0);
        Side { resource: Some(resource), key: Some(Arc::from(key)), action: None }
    }

    /// A certain action.
    pub(crate) fn action(cluster: &Cluster, action: ActionId) -> Side {
        let known = cluster.action(action);
        Side { resource: known.resource, key: Some(known.key.clone()), action: Some(action) }
    }

    /// What is done on this side.
    pub(crate) fn task(&self, cluster: &Cluster) -> Option<Arc<str>> {
        match (self.action, &self.key) {
            (Some(action), _) => Some(cluster.action(action).task.clone()),
            (None, Some(key)) => parse_op_key(key).map(|(_, task, _)| Arc::from(task)),
            (None, None) => None,
        }
    }
}

impl Cluster {
    /// Orders operations of resources.
    pub(crate) fn order(
        &mut self,
        first: ResourceId,
        first_task: &str,
        then: ResourceId,
        then_task: &str,
        flags: u32,
    ) {
        let first = Side::operation(self, first, first_task);
        let then = Side::operation(self, then, then_task);
        self.add_ordering(first, then, flags);
    }

    /// Adds an ordering, and what it means for migrations.
    pub(crate) fn add_ordering(&mut self, first: Side, then: Side, flags: u32) {
        let ordering = Ordering { first, then, flags };
        self.orderings.push(ordering.clone());
        self.order_migration_equivalents(&ordering);
    }

    pub(super) fn unpack_order(&mut self, xml: &Element, id: &str) {
        let expanded =
            self.expand_tags(xml, &[("first", "first-action", "action"), ("then", "then-action", "action")]);
        if expanded.child("resource_set").is_none() {
            self.unpack_simple_order(xml, id);
            return;
        }
        let Some(sets) = self.sets(&expanded, id) else { return };
        self.check_kind(xml, id);
        let kind = kind(xml);
        let symmetry = symmetry(xml, kind, None);
        let mut last: Option<Set> = None;
        for set in sets {
            self.order_within(&set, kind, xml.attr("symmetrical"));
            if let Some(last) = &last {
                self.order_sets(last, &set, kind, symmetry);
                if symmetry == Symmetry::Symmetric {
                    self.order_sets(&set, last, kind, Symmetry::Inverse);
                }
            }
            last = Some(set);
        }
    }

    fn unpack_simple_order(&mut self, xml: &Element, id: &str) {
        let (Some(first), Some(then)) = (xml.attr("first"), xml.attr("then")) else {
            let issue = format!("Ignoring ordering '{id}' without first and then");
            self.note_issue(ConfigIssue::error(issue));
            return;
        };
        let Some(first) = self.constrained(id, first) else { return };
        let Some(then) = self.constrained(id, then) else { return };
        let first_action = xml.attr("first-action").unwrap_or("start");
        let then_action = xml.attr("then-action").unwrap_or(first_action);
        self.check_kind(xml, id);
        let kind = kind(xml);
        let symmetry = symmetry(xml, kind, None);
        if flag(xml, "require-all").is_some()
            && self.resource(first).variant == Variant::Clone
            && !self.resource(first).meta.contains_key("clone-min")
        {
            self.note_once(
                "Support for require-all in ordering constraints is deprecated and will be removed in a future release (use \
                 clone-min clone meta-attribute instead)",
            );
        }
        let flags = flags_for(kind, first_action, symmetry);
        match self.minimum_before(first, xml) {
            0 => self.order(first, first_action, then, then_action, flags),
            minimum => self.order_some_before(id, first, first_action, then, then_action, (flags, minimum)),
        }
        if symmetry != Symmetry::Symmetric {
            return;
        }
        match (self.inverse(first_action), self.inverse(then_action)) {
            (Some(first_inverse), Some(then_inverse)) => {
                let flags = flags_for(kind, first_inverse, Symmetry::Inverse);
                self.order(then, then_inverse, first, first_inverse, flags);
            }
            _ => {
                let issue = format!("Cannot invert constraint '{id}' (please specify inverse manually)");
                self.note_issue(ConfigIssue::warning(issue));
            }
        }
    }

    /// What is wrong or deprecated in how strict an ordering is.
    fn check_kind(&mut self, xml: &Element, id: &str) {
        match xml.attr("kind") {
            None if xml.attr("score").is_some() => self.note_once(
                "Support for 'score' in rsc_order is deprecated and will be removed in a future release (use 'kind' instead)",
            ),
            None | Some("Mandatory" | "Optional") => {}
            Some("Serialize") => {
                if flag(xml, "symmetrical") == Some(true) {
                    let issue =
                        format!("Ignoring symmetrical for '{id}' because not valid with kind of 'Serialize'");
                    self.note_issue(ConfigIssue::warning(issue).logged_by("get_ordering_symmetry"));
                }
            }
            Some(other) => {
                let issue =
                    format!("Resetting 'kind' for constraint {id} to 'Mandatory' because '{other}' is not valid");
                self.note_issue(ConfigIssue::error(issue).logged_by("get_ordering_type"));
            }
        }
    }

    /// What undoes an action. Of one that nothing undoes it is said, for every place that needs it.
    fn inverse(&mut self, action: &str) -> Option<&'static str> {
        let inverse = invert(action);
        if inverse.is_none() {
            let issue = format!("Unknown action '{action}' specified in order constraint");
            self.issues.push(ConfigIssue::warning(issue).logged_by("invert_action"));
        }
        inverse
    }

    /// How many instances are enough; zero: all that there shall be.
    fn minimum_before(&self, first: ResourceId, xml: &Element) -> usize {
        let resource = self.resource(first);
        if resource.variant != Variant::Clone {
            return 0;
        }
        match resource.meta.get("clone-min") {
            Some(minimum) => integer(minimum).and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            None => usize::from(flag(xml, "require-all") == Some(false)),
        }
    }

    /// Some instances of a clone are enough for what comes then.
    fn order_some_before(
        &mut self,
        id: &str,
        first: ResourceId,
        first_action: &str,
        then: ResourceId,
        then_action: &str,
        (flags, minimum): (u32, usize),
    ) {
        let gate = self.pseudo_action(&format!("clone-one-or-more:{id}"));
        self.action_mut(gate).required_before = minimum;
        for instance in self.resource(first).children.clone() {
            let first = Side::operation(self, instance, first_action);
            let then = Side::action(self, gate);
            let kinds = relation::MIN_RUNNABLE | relation::FIRST_IMPLIES_THEN_GRAPHED;
            self.add_ordering(first, then, kinds);
        }
        let then = Side::operation(self, then, then_action);
        let first = Side::action(self, gate);
        self.add_ordering(first, then, flags | relation::UNRUNNABLE_FIRST_BLOCKS);
    }

    /// The members of one set among each other.
    fn order_within(&mut self, set: &Set, parent: Kind, parent_symmetrical: Option<&str>) {
        if set.members.len() < 2 {
            return;
        }
        let action = set.xml.attr("action").unwrap_or("start");
        let local = if set.xml.attr("kind").is_some() { kind(&set.xml) } else { parent };
        let sequential = set.xml.attr("sequential").is_none_or(|value| is_true(Some(value)));
        let symmetry = symmetry(&set.xml, parent, parent_symmetrical);
        let flags = flags_for(local, action, symmetry);
        if local == Kind::Serialize {
            for (index, &first) in set.members.iter().enumerate() {
                for &then in set.members.iter().skip(index + 1) {
                    self.order(first, action, then, action, flags);
                }
            }
        } else if sequential {
            for pair in set.members.windows(2) {
                let &[first, then] = pair else { continue };
                self.order(first, action, then, action, flags);
            }
        }
        if symmetry == Symmetry::Asymmetric {
            return;
        }
        let Some(inverse) = self.inverse(action).filter(|_| sequential) else { return };
        let flags = flags_for(local, inverse, Symmetry::Inverse);
        for pair in set.members.windows(2) {
            let &[first, then] = pair else { continue };
            self.order(then, inverse, first, inverse, flags);
        }
    }

    /// One set before the next.
    fn order_sets(&mut self, set: &Set, next: &Set, kind: Kind, symmetry: Symmetry) {
        let inverse = symmetry == Symmetry::Inverse;
        let mut action = |set: &Set| {
            let action = set.xml.attr("action").unwrap_or("start").to_owned();
            if inverse { self.inverse(&action).map(str::to_owned) } else { Some(action) }
        };
        let (Some(first_action), Some(then_action)) = (action(set), action(next)) else { return };
        let down = matches!(first_action.as_str(), "stop" | "demote");
        let require_all = flag(&set.xml, "require-all").unwrap_or(true) || down;
        let flags = flags_for(kind, &first_action, symmetry);
        if !require_all {
            self.order_any_before(set, &first_action, next, &then_action, flags);
            return;
        }
        // Of a sequential set only the end that touches the other set is ordered.
        let touching = |set: &Set, at_end: bool| {
            let one = if at_end { set.members.last() } else { set.members.first() };
            match one {
                Some(&one) if set.sequential == Some(true) => vec![one],
                _ => set.members.clone(),
            }
        };
        let firsts = touching(set, !inverse);
        let thens = touching(next, inverse);
        for &first in &firsts {
            for &then in &thens {
                self.order(first, &first_action, then, &then_action, flags);
            }
        }
    }

    /// Any one of a set is enough for the next.
    fn order_any_before(&mut self, set: &Set, first_action: &str, next: &Set, then_action: &str, flags: u32) {
        let gate = self.pseudo_action(&format!("one-or-more:{}", set.id));
        self.action_mut(gate).required_before = 1;
        for &first in &set.members {
            let first = Side::operation(self, first, first_action);
            let then = Side::action(self, gate);
            let kinds = relation::MIN_RUNNABLE | relation::FIRST_IMPLIES_THEN_GRAPHED;
            self.add_ordering(first, then, kinds);
        }
        for &then in &next.members {
            let first = Side::action(self, gate);
            let then = Side::operation(self, then, then_action);
            self.add_ordering(first, then, flags | relation::UNRUNNABLE_FIRST_BLOCKS);
        }
    }

    /// What an ordering of starts and stops means where they are part of migrations.
    fn order_migration_equivalents(&mut self, ordering: &Ordering) {
        let (Some(first), Some(then)) = (ordering.first.resource, ordering.then.resource) else { return };
        let first_migratable = self.state(first).migratable;
        let then_migratable = self.state(then).migratable;
        if first == then || !(first_migratable || then_migratable) {
            return;
        }
        if self.is_inside(first, then) || self.is_inside(then, first) {
            return;
        }
        let tasks = (ordering.first.task(self), ordering.then.task(self));
        let (Some(first_task), Some(then_task)) = tasks else { return };
        let if_unmigratable = if first_migratable { relation::IF_FIRST_UNMIGRATABLE } else { relation::NONE };
        let to_target = self.work(then).migration_target.is_some();
        match (&*first_task, &*then_task) {
            ("start", "start") => {
                if first_migratable && then_migratable {
                    self.order(first, "migrate_from", then, "migrate_to", relation::ORDERED);
                }
                if then_migratable {
                    self.order(first, "start", then, "migrate_to", relation::ORDERED | if_unmigratable);
                }
            }
            ("stop", "stop") if then_migratable => {
                let flags = relation::ORDERED | if_unmigratable;
                self.order(first, "stop", then, "migrate_to", flags);
                if to_target {
                    self.order(first, "stop", then, "migrate_from", flags);
                }
            }
            ("promote", "start") if then_migratable => {
                self.order(first, "promote", then, "migrate_to", relation::ORDERED);
            }
            ("demote", "stop") if then_migratable => {
                self.order(first, "demote", then, "migrate_to", relation::ORDERED);
                if to_target {
                    self.order(first, "demote", then, "migrate_from", relation::ORDERED);
                }
            }
            _ => {}
        }
    }
}
