// SPDX-License-Identifier: GPL-2.0-or-later
//! What colocations do to scores.
//!
//! Decides: which nodes a dependent may still have once its primary is placed; how much a primary heeds its dependents'
//! wishes (Pacemaker Explained, "Placing Resources Relative to other Resources"). Given: colocations. Leaves to others:
//! the choice.

use crate::action::Reason;
use crate::cluster::NodeTable;
use crate::constraint::ColocationId;
use crate::ledger::Cause;
use crate::stage::order::PutOff;
use crate::unpack::add_scores;
use crate::{Cluster, NodeId, ResourceId, Variant};
use model::{Role, Score};

/// Marks a node whose sum went below zero where that must not count; far beyond any score.
const SPOILT: i32 = -100_000_000;

/// How strongly, and by which colocation, wishes are passed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pull {
    /// The colocation they come along.
    pub colocation: Option<ColocationId>,
    /// The part of a wish that counts.
    pub factor: f32,
    /// Follow colocations of the source with others, not of others with it.
    pub this_with: bool,
    /// Sums that become negative do not count.
    pub nonnegative: bool,
    /// Leave all as it is if no node is left.
    pub active: bool,
}

/// A resource whose wishes are being added, with how far that has come.
struct Visit {
    source: ResourceId,
    group: Option<ResourceId>,
    target: ResourceId,
    colocations: Vec<ColocationId>,
    next: usize,
    sum: NodeTable,
    pull: Pull,
}

/// What a colocation can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    /// Where the dependent may be.
    Location,
    /// How much the dependent should be promoted.
    Role,
}

impl Cluster {
    /// All colocations of a resource with others, its group's included.
    pub(crate) fn this_with_colocations(&self, id: ResourceId) -> Vec<ColocationId> {
        let mut list = Vec::new();
        self.collect_this_with(id, id, &mut list);
        list
    }

    /// All colocations of others with a resource, with its group included.
    pub(crate) fn with_this_colocations(&self, id: ResourceId) -> Vec<ColocationId> {
        let mut list = Vec::new();
        self.collect_with_this(id, id, &mut list);
        list
    }

    pub(crate) fn add_this_with_list(&self, list: &mut Vec<ColocationId>, addition: &[ColocationId]) {
        if list.is_empty() {
            list.extend_from_slice(addition);
            return;
        }
        // The peers add the first one over and over here; who wants what they want has to do the same.
        for _ in addition {
            if let Some(&first) = addition.first() {
                self.insert_this_with(list, first);
            }
        }
    }

    pub(crate) fn add_with_this_list(&self, list: &mut Vec<ColocationId>, addition: &[ColocationId]) {
        if list.is_empty() {
            list.extend_from_slice(addition);
            return;
        }
        for _ in addition {
            if let Some(&first) = addition.first() {
                self.insert_with_this(list, first);
            }
        }
    }

    /// Whether any node is left.
    pub(crate) fn any_available(&self, nodes: &NodeTable) -> bool {
        nodes.iter().zip(&self.nodes).any(|(allowed, node)| {
            node.state.is_available() && allowed.as_ref().is_some_and(|allowed| allowed.score >= 0)
        })
    }

    /// Where a resource's node attributes are looked up: `host` means that of a container's host.
    pub(crate) fn attribute_source(&self, id: ResourceId) -> Option<&str> {
        self.resource(id).meta.get("container-attribute-target").map(|value| &**value)
    }

    /// A node's attribute, as a resource sees it.
    pub(crate) fn attribute_for(
        &self,
        node: NodeId,
        name: &str,
        resource: ResourceId,
        current: bool,
    ) -> Option<&str> {
        let source = self.attribute_source(resource);
        self.attribute_from(
            node,
            name,
            source.is_some_and(|source| source.eq_ignore_ascii_case("host")),
            current,
        )
    }

    /// A node's attribute, or, of a guest, that of its host: where it is (`current`) or will be.
    fn attribute_from(&self, node: NodeId, name: &str, of_host: bool, current: bool) -> Option<&str> {
        let mut node = node;
        if let Some(launcher) = self.launcher_of(node).filter(|_| of_host) {
            node = match current {
                true => *self.state(launcher).active_on.first()?,
                false => self.work(launcher).assigned?,
            };
        }
        self.node(node).attributes.get(name).map(|value| &**value)
    }

    /// A node's attribute by which colocations compare nodes.
    pub(crate) fn colocation_value(&self, node: NodeId, name: &str, resource: ResourceId) -> Option<&str> {
        // Only what is in a bundle can be on its nodes, so whoever is with that is with the container.
        let in_bundle = self.is_bundle_node(node)
            && self.resource(self.top_of(resource)).variant == Variant::Clone
            && self.is_bundled(resource);
        if in_bundle {
            return self.attribute_from(node, name, true, false);
        }
        self.attribute_for(node, name, resource, false)
    }

    fn effect(
        &self,
        dependent: ResourceId,
        primary: ResourceId,
        colocation: ColocationId,
        preview: bool,
    ) -> Effect {
        let terms = self.colocation(colocation);
        if !preview && self.work(primary).unassigned {
            return Effect::Nothing;
        }
        let (dependent_is, primary) = (self.speaker_for_role(dependent), self.speaker_for_role(primary));
        let in_promotable = self.resource(dependent_is).parent.is_some_and(|id| self.work(id).promotable);
        let placed = !self.work(dependent_is).unassigned;
        if terms.dependent_role >= Role::Unpromoted && in_promotable && placed {
            return Effect::Role;
        }
        if !preview && !self.work(dependent).unassigned {
            return Effect::Nothing;
        }
        let dependent = dependent_is;
        let fits = |role: Role, id: ResourceId| role == Role::Unknown || role == self.state(id).next_role;
        if fits(terms.dependent_role, dependent) && fits(terms.primary_role, primary) {
            Effect::Location
        } else {
            Effect::Nothing
        }
    }

    /// Whether a colocation can say where the dependent may be, once both are placed.
    pub(super) fn may_affect(
        &self,
        dependent: ResourceId,
        primary: ResourceId,
        colocation: ColocationId,
    ) -> bool {
        self.effect(dependent, primary, colocation, true) == Effect::Location
    }

    /// The primary is placed: limits where the dependent may be.
    pub(crate) fn colocate_primitives(
        &mut self,
        dependent: ResourceId,
        primary: ResourceId,
        colocation: ColocationId,
    ) -> i32 {
        match self.effect(dependent, primary, colocation, false) {
            Effect::Nothing => return 0,
            Effect::Location => self.colocate_scores(dependent, primary, colocation),
            Effect::Role => return self.colocate_role(dependent, primary, colocation),
        }
        0
    }

    /// The resource whose role counts: of a container, that of what runs in it.
    fn speaker_for_role(&self, id: ResourceId) -> ResourceId {
        self.resource_in_container(id).unwrap_or(id)
    }

    /// Both are placed: the dependent should be promoted, or should not.
    fn colocate_role(&mut self, dependent: ResourceId, primary: ResourceId, colocation: ColocationId) -> i32 {
        let terms = self.colocation(colocation);
        let Some(node) = self.work(dependent).assigned else { return 0 };
        let primary_node = self.work(primary).assigned;
        if primary_node.is_some()
            && terms.primary_role != Role::Unknown
            && terms.primary_role != self.state(self.speaker_for_role(primary)).next_role
        {
            return 0;
        }
        let value = self.colocation_value(node, &terms.attribute, dependent);
        let primary_value =
            primary_node.and_then(|node| self.colocation_value(node, &terms.attribute, primary));
        let score = terms.score.value();
        let delta = match (same_value(value, primary_value), terms.dependent_role) {
            (true, Role::Unpromoted) => -score,
            (true, _) => score,
            (false, Role::Promoted) if terms.score == Score::INFINITY => -score,
            (false, _) => return 0,
        };
        let state = self.state_mut(dependent);
        state.priority = add_scores(delta, state.priority);
        delta
    }

    fn colocate_scores(&mut self, dependent: ResourceId, primary: ResourceId, colocation: ColocationId) {
        let terms = self.colocation(colocation);
        let (score, attribute) = (terms.score, terms.attribute.clone());
        let assigned = self.work(primary).assigned;
        if assigned.is_none() && score < Score::ZERO {
            return;
        }
        let value =
            assigned.and_then(|node| self.colocation_value(node, &attribute, primary)).map(str::to_owned);
        let mut sheet = self.ledger.sheet();
        let mut nodes = self.work(dependent).allowed.clone();
        for (index, allowed) in nodes.iter_mut().enumerate() {
            let Some(allowed) = allowed else { continue };
            let node = NodeId::new(index);
            if assigned.is_none() {
                allowed.score = add_scores(-score.value(), allowed.score);
                sheet.add(node, -score.value());
                continue;
            }
            let actual = self.colocation_value(node, &attribute, dependent);
            if same_value(actual, value.as_deref()) {
                if score < Score::INFINITY {
                    allowed.score = add_scores(score.value(), allowed.score);
                    sheet.add(node, score.value());
                }
            } else if score == Score::INFINITY {
                allowed.score = Score::MINUS_INFINITY.value();
                sheet.add(node, allowed.score);
            }
        }
        if score.is_infinite() || self.any_available(&nodes) {
            self.work_mut(dependent).allowed = nodes;
            let id = self.ledger.is_kept().then(|| self.colocation(colocation).id.clone());
            self.account_sheet(dependent, sheet, || Cause::Colocation {
                id: id.unwrap_or_default(),
                with: primary,
            });
        }
    }

    /// Whether the dependent's wishes count for the primary.
    pub(crate) fn has_influence(&self, colocation: ColocationId) -> bool {
        self.has_influence_on(colocation, self.colocation(colocation).primary)
    }

    /// Whether the dependent's wishes count for an instance of the primary.
    pub(crate) fn has_influence_on(&self, colocation: ColocationId, instance: ResourceId) -> bool {
        let terms = self.colocation(colocation);
        let state = self.state(instance);
        // A container is not moved for its connection, which moves easily.
        let heavy = self.work(terms.dependent).nested && !state.failed && state.active_on.len() == 1;
        !heavy && (terms.influence || state.active_on.is_empty())
    }

    /// A resource with dependents heeds what they want.
    pub(crate) fn add_dependent_scores(&mut self, colocation: ColocationId, primary: ResourceId) {
        if !self.has_influence(colocation) {
            return;
        }
        let terms = self.colocation(colocation);
        let dependent = terms.dependent;
        let pull = Pull {
            colocation: Some(colocation),
            factor: terms.score.value() as f32 / Score::INFINITY.value() as f32,
            this_with: false,
            nonnegative: self.resource(primary).variant == Variant::Clone,
            active: true,
        };
        let mut nodes = Some(self.work(primary).allowed.clone());
        self.add_colocated_scores(dependent, primary, &mut nodes, &pull);
        if let Some(nodes) = nodes {
            self.work_mut(primary).allowed = nodes;
            self.account_dependent(primary, colocation);
        }
    }

    /// Adds what a resource thinks of the nodes, and what those think that are colocated with it in turn. Without nodes
    /// to start from, its own are the start.
    ///
    /// Chains of colocations can be long, so the way is kept on a list, not on the stack.
    pub(crate) fn add_colocated_scores(
        &mut self,
        source: ResourceId,
        target: ResourceId,
        nodes: &mut Option<NodeTable>,
        pull: &Pull,
    ) {
        let mut visits: Vec<Visit> = Vec::new();
        let mut current = self.enter(source, target, nodes.take(), pull, &mut visits);
        while let Some(visit) = visits.last_mut() {
            if let Some(sum) = current.take() {
                visit.sum = sum;
            }
            let Some(&colocation) = visit.colocations.get(visit.next) else {
                let sum = self.leave(&mut visits);
                current = sum;
                continue;
            };
            visit.next += 1;
            let (target, pull) = (visit.target, visit.pull);
            let terms = self.colocation(colocation);
            let other = if pull.this_with { terms.primary } else { terms.dependent };
            let factor = pull.factor * terms.score.value() as f32 / Score::INFINITY.value() as f32;
            if !pull.this_with && !self.has_influence(colocation) {
                continue;
            }
            let further = Pull { colocation: Some(colocation), factor, active: true, ..pull };
            let sum = visits.last_mut().map(|visit| std::mem::take(&mut visit.sum));
            current = self.enter(other, target, sum, &further, &mut visits);
        }
        *nodes = current;
    }

    /// Begins a visit; what comes of it at once, if nobody has to be visited from there.
    fn enter(
        &mut self,
        source: ResourceId,
        target: ResourceId,
        nodes: Option<NodeTable>,
        pull: &Pull,
        visits: &mut Vec<Visit>,
    ) -> Option<NodeTable> {
        let Some((source, group)) = self.spokesman(source, nodes.is_none()) else { return nodes };
        if self.work(source).updating {
            return nodes;
        }
        let (target, sum) = match &nodes {
            None => (source, self.work(source).allowed.clone()),
            Some(nodes) => {
                let mut sum = nodes.clone();
                self.add_matching_scores(&mut sum, source, target, pull);
                (target, sum)
            }
        };
        let any = self.any_available(&sum);
        if !any && pull.active {
            return nodes;
        }
        let colocations = match (any, pull.this_with) {
            (false, _) => Vec::new(),
            (true, true) => self.this_with_colocations(source),
            (true, false) => self.with_this_colocations(source),
        };
        for id in group.into_iter().chain([source]) {
            self.work_mut(id).updating = true;
        }
        visits.push(Visit { source, group, target, colocations, next: 0, sum, pull: *pull });
        None
    }

    /// Ends the last visit.
    fn leave(&mut self, visits: &mut Vec<Visit>) -> Option<NodeTable> {
        let mut visit = visits.pop()?;
        if visit.pull.nonnegative {
            for allowed in visit.sum.iter_mut().flatten().filter(|allowed| allowed.score == SPOILT) {
                allowed.score = 1;
            }
        }
        for id in visit.group.into_iter().chain([visit.source]) {
            self.work_mut(id).updating = false;
        }
        Some(visit.sum)
    }

    fn add_matching_scores(
        &mut self,
        nodes: &mut NodeTable,
        source: ResourceId,
        target: ResourceId,
        pull: &Pull,
    ) {
        let attribute = pull.colocation.map(|id| self.colocation(id).attribute.clone());
        let attribute = attribute.unwrap_or_else(|| std::sync::Arc::from("#uname"));
        let wishes = self.wishes(source, pull.colocation);
        let by_name = *attribute == *"#uname" && !self.uses_hosts(source, target);
        let named = |node: &crate::Node| node.attributes.contains_key("#uname");
        for (index, allowed) in nodes.iter_mut().enumerate() {
            let Some(allowed) = allowed else { continue };
            let score = if by_name && self.nodes.get(index).is_some_and(named) {
                // The common case: a node's name is its own.
                let wish = wishes.get(index).and_then(Option::as_ref).map(|wish| wish.score);
                wish.filter(|_| self.nodes.get(index).is_some_and(|node| node.state.is_available()))
            } else {
                self.best_matching(&wishes, &attribute, NodeId::new(index), source, target)
            };
            let score = score.unwrap_or(Score::MINUS_INFINITY.value()).max(Score::MINUS_INFINITY.value());
            if pull.factor < 0.0 && score < 0 && !self.heeds_refusal(score, pull) {
                continue;
            }
            if allowed.score == SPOILT {
                continue;
            }
            let delta = scaled(score, pull.factor);
            let new = add_scores(delta, allowed.score);
            if pull.nonnegative && new < 0 && allowed.score > 0 {
                allowed.score = SPOILT;
            } else if !(pull.nonnegative && new < 0 && allowed.score == 0) {
                allowed.score = new;
            }
        }
    }

    /// What a resource thinks of the nodes, its group's wishes included where a constraint names it itself.
    fn wishes(&mut self, source: ResourceId, colocation: Option<ColocationId>) -> NodeTable {
        let parent = self.resource(source).parent.filter(|&parent| {
            let parent = self.resource(parent);
            parent.variant == Variant::Group && parent.children.first() != Some(&source)
        });
        let terms = colocation.map(|id| self.colocation(id));
        let named = terms.is_some_and(|terms| terms.dependent == source && terms.explicit);
        let Some(parent) = parent.filter(|_| named) else { return self.work(source).allowed.clone() };
        let before = self.work(source).allowed.clone();
        let locations = std::mem::take(&mut self.locations);
        for location in locations.iter().rev().filter(|location| location.resource == parent) {
            self.apply_location_to(source, location, false);
        }
        self.locations = locations;
        std::mem::replace(&mut self.work_mut(source).allowed, before)
    }

    /// Whether the hosts of guests count instead of these, for one of two resources.
    fn uses_hosts(&self, a: ResourceId, b: ResourceId) -> bool {
        [a, b].into_iter().any(|id| self.attribute_source(id).is_some() || self.is_bundled(id))
    }

    fn best_matching(
        &self,
        wishes: &NodeTable,
        attribute: &str,
        like: NodeId,
        source: ResourceId,
        target: ResourceId,
    ) -> Option<i32> {
        let value = self.colocation_value(like, attribute, target);
        let fits = wishes.iter().enumerate().filter_map(|(index, wish)| {
            let node = NodeId::new(index);
            let fits = self.node(node).state.is_available()
                && same_value(self.colocation_value(node, attribute, source), value);
            wish.as_ref().filter(|_| fits).map(|wish| wish.score)
        });
        fits.max()
    }

    /// A refusal of those one avoids is a reason to come only if they have nowhere else to be and would move for it.
    fn heeds_refusal(&self, score: i32, pull: &Pull) -> bool {
        let Some(colocation) = pull.colocation else { return true };
        let terms = self.colocation(colocation);
        let sticky = self.state(terms.primary).stickiness.value() >= -score;
        let allowed = self.work(terms.dependent).allowed.iter().flatten();
        let only_one = allowed.filter(|allowed| allowed.score >= 0).take(2).count() == 1;
        !sticky && self.has_influence(colocation) && only_one
    }

    /// Something cannot be started: those that have to be with it cannot either.
    pub(crate) fn block_colocation_dependents(&mut self, id: crate::ActionId) {
        if self.is_too_deep() {
            self.put_off.push(PutOff::Block(id));
            return;
        }
        self.update_depth += 1;
        self.block_dependents_once(id);
        self.update_depth -= 1;
        self.catch_up();
    }

    pub(super) fn block_dependents_once(&mut self, id: crate::ActionId) {
        let action = self.action(id);
        let Some(resource) = action.resource.filter(|_| !action.runnable) else { return };
        let task = action.task.clone();
        let is_start = *task == *"start";
        if !is_start && *task != *"promote" {
            return;
        }
        let inner = self.top_of(resource);
        let top = self.resource(inner).parent.unwrap_or(inner);
        for index in 0..self.resource(top).children.len() {
            let child = self.resource(top).children[index];
            match self.find_first_action(child, &task, None) {
                Some(action) if !self.action(action).runnable => {}
                _ => return,
            }
        }
        let reason = Reason::Colocation { with: self.resource(resource).id.clone() };
        for colocation in self.with_this_colocations(top) {
            let terms = self.colocation(colocation);
            if terms.score < Score::INFINITY || !is_start && terms.primary_role != Role::Promoted {
                continue;
            }
            let blocked = if terms.dependent_role == Role::Promoted { "promote" } else { "start" };
            self.block_action(terms.dependent, blocked, &reason);
        }
    }

    fn block_action(&mut self, id: ResourceId, task: &str, reason: &Reason) {
        for index in (0..self.work(id).actions.len()).rev() {
            let action_id = self.work(id).actions[index];
            let action = self.action_mut(action_id);
            if action.runnable && *action.task == *task {
                action.runnable = false;
                action.set_reason(Some(reason.clone()), false);
                self.block_colocation_dependents(action_id);
                self.update_for_orderings(action_id);
            }
        }
        for child in self.resource(id).children.clone() {
            self.block_action(child, task, reason);
        }
    }
}

pub(crate) fn same_value(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// The part of a score that counts, rounded away from zero; a wish never becomes none.
fn scaled(score: i32, factor: f32) -> i32 {
    let scaled = factor * score as f32;
    // A cast cuts off what is beyond an i32.
    let delta = f64::from(scaled) + if scaled < 0.0 { -0.5 } else { 0.5 };
    match delta as i32 {
        0 if score != 0 && factor > 0.0 => 1,
        0 if score != 0 && factor < 0.0 => -1,
        delta => delta,
    }
}
