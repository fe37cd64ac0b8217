// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said about nodes before anything is placed: locks, locations, stickiness, failures.
//!
//! Decides: each resource's scores. Given: constraints, fail counts. Leaves to others: colocations, and the choice.

use crate::cluster::Allowed;
use crate::ledger::Cause;
use crate::unpack::{FailCountScope, add_scores};
use crate::{Cluster, ConfigIssue, Discovery, Location, NodeId, ResourceId, Variant};
use model::{Role, Score};
use std::sync::Arc;

impl Location {
    /// What it is as a cause of scores.
    pub(crate) fn cause(&self) -> Cause {
        let id = Arc::<str>::from(self.id.as_str());
        match &self.constraint {
            Some(constraint) if **constraint == *id => Cause::Location { id, rule: None },
            Some(constraint) => Cause::Location { id: Arc::clone(constraint), rule: Some(id) },
            None => Cause::Health { strategy: id },
        }
    }
}

impl Cluster {
    pub(super) fn apply_criteria(&mut self) {
        if self.options.shutdown_lock {
            for resource in self.top.clone() {
                self.apply_shutdown_lock(resource);
            }
        }
        let locations = std::mem::take(&mut self.locations);
        for location in locations.iter().rev() {
            self.apply_location(location.resource, location, false);
        }
        self.locations = locations;
        let top = self.top.clone();
        for &resource in &top {
            self.apply_stickiness(resource);
        }
        for node in self.node_ids() {
            for &resource in &top {
                self.apply_fail_count(resource, node);
                self.apply_exclusive_discovery(resource, node);
            }
        }
    }

    /// Applies a location to a resource and all in it. `no_scores`: only whether it is probed; a group's wish counts
    /// once, for its first member.
    fn apply_location(&mut self, id: ResourceId, location: &Location, no_scores: bool) {
        if self.apply_location_to(id, location, no_scores) {
            let cause = self.ledger.cause(|| location.cause());
            for &(node, score) in &location.nodes {
                self.account_term(id, node, if no_scores { 0 } else { score.value() }, cause);
            }
        }
        let resource = self.resource(id);
        match resource.variant {
            Variant::Primitive => return,
            Variant::Bundle => {
                for replica in resource.replicas.clone() {
                    for part in std::iter::once(replica.container).chain(replica.ip) {
                        self.apply_location(part, location, no_scores);
                    }
                }
                if let Some(clone) = self.bundled_clone(id)
                    && matches!(location.role, Role::Promoted | Role::Unpromoted)
                {
                    self.apply_location(clone, location, no_scores);
                }
                return;
            }
            Variant::Clone => {
                for instance in resource.children.clone() {
                    self.apply_location(instance, location, no_scores);
                }
                return;
            }
            Variant::Group => {}
        }
        let colocated = resource.work.colocated;
        for (index, member) in resource.children.clone().into_iter().enumerate() {
            self.apply_location(member, location, no_scores || colocated && index > 0);
        }
    }

    /// Applies a location to one resource; says whether it concerns it in its role.
    pub(super) fn apply_location_to(&mut self, id: ResourceId, location: &Location, no_scores: bool) -> bool {
        if location.role != Role::Unknown && location.role != self.state(id).next_role {
            return false;
        }
        let mut exclusive = false;
        for &(node, score) in &location.nodes {
            let score = if no_scores { 0 } else { score.value() };
            let fresh = Allowed { score, ..self.node(node).state.as_allowed() };
            let Some(entry) = self.work_mut(id).allowed.get_mut(node.index()) else { continue };
            let allowed = match entry {
                Some(allowed) => {
                    allowed.score = add_scores(allowed.score, score);
                    allowed
                }
                None => entry.insert(fresh),
            };
            if allowed.probe < location.discovery {
                exclusive |= location.discovery == Discovery::Exclusive;
                allowed.probe = location.discovery;
            }
        }
        self.work_mut(id).exclusive_probes |= exclusive;
        true
    }

    fn apply_stickiness(&mut self, id: ResourceId) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for child in resource.children.clone() {
                self.apply_stickiness(child);
            }
            return;
        }
        let state = &resource.state;
        let (&[node], true) = (state.active_on.as_slice(), state.managed && state.stickiness > Score::ZERO)
        else {
            return;
        };
        let known = resource.work.allowed.get(node.index()).is_some_and(Option::is_some);
        if self.options.symmetric || known {
            let stickiness = state.stickiness;
            self.add_location(id, Some(node), stickiness, || Cause::Stickiness);
        }
    }

    fn apply_fail_count(&mut self, id: ResourceId, node: NodeId) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for child in resource.children.clone() {
                self.apply_fail_count(child, node);
            }
            return;
        }
        if let Some((banned, count)) = self.threshold_reached(id, node) {
            let threshold = self.state(id).migration_threshold;
            let cause = || Cause::FailCount { of: id, count, threshold };
            self.add_location(banned, Some(node), Score::MINUS_INFINITY, cause);
        }
    }

    /// Whether a primitive has failed too often on a node; says what is not to be there any more therefore, and how
    /// often that was.
    pub(crate) fn threshold_reached(&mut self, id: ResourceId, node: NodeId) -> Option<(ResourceId, i32)> {
        let state = self.state(id);
        let threshold = state.migration_threshold;
        if threshold == 0 || state.failure_ignored {
            return None;
        }
        if !self.work(id).actions.is_empty() {
            let clear = self.key(id, "clear_failcount");
            if !self.find_actions_on(id, &clear, node).is_empty() {
                return None;
            }
        }
        let (mut count, _) = self.fail_count(id, node, FailCountScope::Unexpired, None);
        let launched = if self.is_bundled(id) { Vec::new() } else { self.work(id).launched.clone() };
        for launched in launched {
            // A container answers for what runs in it.
            let (inside, _) = self.fail_count(launched, node, FailCountScope::Unexpired, None);
            count = count.saturating_add(inside);
        }
        let banned = if self.state(id).unique { id } else { self.top_of(id) };
        if count <= 0 || count < threshold {
            return None;
        }
        let issue = format!(
            "{} cannot run on {} due to reaching migration threshold (clean up resource to allow again) | \
             failures={count} migration-threshold={threshold}",
            self.resource(banned).id,
            self.node(node).name
        );
        self.note_issue(ConfigIssue::state_warning(issue).logged_by("pcmk__threshold_reached"));
        Some((banned, count))
    }

    fn apply_exclusive_discovery(&mut self, id: ResourceId, node: NodeId) {
        let exclusive = self.work(id).exclusive_probes || self.work(self.top_of(id)).exclusive_probes;
        if !exclusive {
            return;
        }
        for child in self.resource(id).children.clone() {
            self.apply_exclusive_discovery(child, node);
        }
        if let Some(Some(allowed)) = self.work_mut(id).allowed.get_mut(node.index())
            && allowed.probe != Discovery::Exclusive
        {
            allowed.score = Score::MINUS_INFINITY.value();
            let cause = self.ledger.cause(|| Cause::Discovery);
            self.account_term(id, node, Score::MINUS_INFINITY.value(), cause);
        }
    }
}
