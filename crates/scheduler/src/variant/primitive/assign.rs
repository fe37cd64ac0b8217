// SPDX-License-Identifier: GPL-2.0-or-later
//! Placing a primitive.
//!
//! Decides: the node, from scores and colocations. Given: everything that was said about nodes. Leaves to others: what
//! has to be done for it.

use crate::constraint::ColocationId;
use crate::ledger::{Cause, ChoiceBy};
use crate::{Cluster, NodeId, NodeKind, QuorumPolicy, ResourceId, Variant};
use model::{Role, Score};

impl Cluster {
    pub(in crate::variant) fn assign_primitive(
        &mut self,
        id: ResourceId,
        prefer: Option<NodeId>,
        stop_if_fail: bool,
    ) -> Option<NodeId> {
        if let Some(parent) = self.resource(id).parent
            && !self.work(parent).assigning
        {
            self.assign(parent, prefer, stop_if_fail);
        }
        let work = self.work(id);
        if !work.unassigned {
            return work.assigned;
        }
        if work.assigning {
            return None;
        }
        self.work_mut(id).assigning = true;
        self.apply_colocations(id);
        self.limit_by_role(id);
        self.record_scores(id, "pcmk__primitive_assign");
        if self.options.fencing_enabled && !self.have_fencing {
            self.state_mut(id).managed = false;
        }
        if !self.state(id).managed {
            let state = self.state_mut(id);
            state.next_role = state.role;
            let node = self.current_node(id);
            self.account_choice(id, ChoiceBy::Unmanaged, &[]);
            self.assign_to(id, node, true, stop_if_fail);
        } else if self.options.stop_all {
            self.account_choice(id, ChoiceBy::StopAll, &[]);
            self.assign_to(id, None, true, stop_if_fail);
        } else {
            self.assign_best_node(id, prefer, stop_if_fail);
        }
        self.work_mut(id).assigning = false;
        if let Some(node) = self.remote_node_of(id) {
            self.note_connection_placed(id, node);
        }
        self.work(id).assigned
    }

    /// With its connection placed, a remote or guest node can run resources; without, it can not any more.
    fn note_connection_placed(&mut self, connection: ResourceId, node: NodeId) {
        let stopped = self.state(connection).next_role == Role::Stopped;
        let placed = self.work(connection).assigned.is_some() && !stopped;
        let state = &mut self.node_mut(node).state;
        if !placed {
            state.shutdown = true;
            return;
        }
        state.online = true;
        if state.unseen {
            // No need to fence it yet: the connection will be tried.
            state.unclean = false;
        }
    }

    /// First the colocations that must be kept, then those that should.
    fn apply_colocations(&mut self, id: ResourceId) {
        let this_with = self.this_with_colocations(id);
        let with_this = self.with_this_colocations(id);
        for mandatory in [true, false] {
            let due = |cluster: &Cluster, colocation: ColocationId| {
                cluster.colocation(colocation).score.is_infinite() == mandatory
            };
            for &colocation in &this_with {
                if due(self, colocation) {
                    self.apply_this_with(colocation, id);
                }
            }
            for &colocation in &with_this {
                if due(self, colocation) {
                    self.add_dependent_scores(colocation, id);
                }
            }
        }
    }

    fn apply_this_with(&mut self, colocation: ColocationId, id: ResourceId) {
        let terms = self.colocation(colocation);
        let (primary, score) = (terms.primary, terms.score);
        let may_yield =
            terms.dependent_role >= Role::Promoted || score < Score::ZERO && score > Score::MINUS_INFINITY;
        let before = may_yield.then(|| (self.work(id).allowed.clone(), self.mark_accounts([id])));
        if self.work(primary).unassigned {
            self.assign(primary, None, true);
        }
        self.apply_colocation(id, primary, colocation, true);
        // Better apart from a wish than nowhere.
        if let Some((before, mark)) = before
            && !self.any_available(&self.work(id).allowed)
        {
            self.work_mut(id).allowed = before;
            self.restore_accounts(&mark);
        }
    }

    fn limit_by_role(&mut self, id: ResourceId) {
        let state = self.state(id);
        if state.next_role == Role::Stopped {
            let role = state.next_role;
            self.add_location(id, None, Score::MINUS_INFINITY, || Cause::Role { role });
        } else if state.next_role > state.role
            && !self.quorate
            && self.options.quorum_policy == QuorumPolicy::Freeze
        {
            let state = self.state_mut(id);
            state.next_role = state.role;
        }
    }

    fn assign_best_node(&mut self, id: ResourceId, prefer: Option<NodeId>, stop_if_fail: bool) {
        let most_free = self.ban_insufficient(id);
        let prefer = prefer.or(most_free);
        let current = self.current_node(id);
        let nodes = self.sorted_allowed(id, current);
        let Some(&best) = nodes.first() else {
            self.account_choice(id, ChoiceBy::Order, &nodes);
            self.assign_to(id, None, false, stop_if_fail);
            return;
        };
        let score = |cluster: &Cluster, node: NodeId| {
            let allowed = cluster.work(id).allowed.get(node.index());
            allowed.and_then(Option::as_ref).map_or(Score::MINUS_INFINITY.value(), |allowed| allowed.score)
        };
        let preferred = prefer.filter(|&node| {
            nodes.contains(&node)
                && score(self, node) >= score(self, best)
                && self.node(node).state.is_available()
                && score(self, node) >= 0
        });
        let mut chosen = preferred.unwrap_or(best);
        let mut by = if preferred.is_some() { ChoiceBy::Preferred } else { ChoiceBy::Order };
        let in_unique_clone = self.resource(id).parent.is_some_and(|parent| {
            let parent = self.resource(parent);
            parent.variant == Variant::Clone && parent.state.unique
        });
        if preferred.is_none()
            && !in_unique_clone
            && score(self, best) > 0
            && self.node(best).state.is_available()
        {
            // Among equals, stay. (Unique instances that could have stayed have been placed by now; the others had
            // better not crowd together where another one runs.)
            let running = current.filter(|&node| {
                self.node(node).state.is_available() && self.node(node).state.score >= Score::ZERO
            });
            if let Some(running) = running {
                let equals = nodes.iter().skip(1).take_while(|&&node| score(self, node) == score(self, best));
                if equals.clone().any(|&node| node == running) {
                    chosen = running;
                    by = ChoiceBy::Stays;
                }
            }
        }
        self.account_choice(id, by, &nodes);
        self.assign_to(id, Some(chosen), false, stop_if_fail);
    }

    /// Notes down where a primitive is to run, or that it is not to.
    fn assign_to(&mut self, id: ResourceId, node: Option<NodeId>, force: bool, stop_if_fail: bool) {
        let mut node = node;
        if let Some(wanted) = node.filter(|_| !force) {
            let allowed = self.work(id).allowed.get(wanted.index()).and_then(Option::as_ref);
            let negative = allowed.is_none_or(|allowed| allowed.score < 0);
            // A guest is taken to come up.
            let guest = self.node(wanted).kind == NodeKind::Guest;
            if negative || !guest && !self.node(wanted).state.is_available() {
                if stop_if_fail {
                    self.state_mut(id).next_role = Role::Stopped;
                }
                node = None;
            }
        }
        self.unassign(id);
        self.work_mut(id).unassigned = false;
        match node {
            Some(node) => {
                let allowed = self.work(id).allowed.get(node.index()).and_then(Option::as_ref);
                let score = allowed.map_or(self.node(node).state.score.value(), |allowed| allowed.score);
                let work = self.work_mut(id);
                work.assigned = Some(node);
                work.assigned_score = score;
                self.node_mut(node).state.resource_count += 1;
                self.take_capacity(id, node, 1);
                self.record_utilization_of(id, node);
            }
            None if stop_if_fail => self.stop_unplaced(id),
            None => {}
        }
    }

    /// Places a resource and all in it on a node, or nowhere, whatever they think of that; says whether that is new.
    pub(in crate::variant) fn force_assign(&mut self, id: ResourceId, node: Option<NodeId>) -> bool {
        if self.resource(id).children.is_empty() {
            let changed = self.work(id).assigned != node;
            self.assign_to(id, node, true, true);
            return changed;
        }
        let children = self.resource(id).children.clone();
        children.into_iter().fold(false, |changed, child| self.force_assign(child, node) | changed)
    }

    /// Takes back the placement of a resource and all in it.
    pub(in crate::variant) fn unassign(&mut self, id: ResourceId) {
        self.work_mut(id).unassigned = true;
        for child in self.resource(id).children.clone() {
            self.unassign(child);
        }
        if let Some(old) = self.work_mut(id).assigned.take() {
            let count = &mut self.node_mut(old).state.resource_count;
            *count = count.saturating_sub(1);
            self.take_capacity(id, old, -1);
        }
    }

    /// What cannot run anywhere has to be stopped, and nothing else can be done with it.
    fn stop_unplaced(&mut self, id: ResourceId) {
        self.state_mut(id).next_role = Role::Stopped;
        for index in 0..self.work(id).actions.len() {
            let action = self.work(id).actions[index];
            let action = self.action_mut(action);
            match &*action.task {
                "stop" => action.optional = false,
                "start" => action.runnable = false,
                _ => {
                    let recurring = action.meta("interval").is_some_and(|interval| interval != "0");
                    if recurring && action.meta("op_target_rc") != Some("7") {
                        action.runnable = false;
                    }
                }
            }
        }
    }
}
