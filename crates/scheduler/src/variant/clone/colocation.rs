// SPDX-License-Identifier: GPL-2.0-or-later
//! Colocations with clones: with which of the instances?
//!
//! Decides: the instances that count for a dependent. Given: a colocation whose primary is a clone. Leaves to others:
//! what an instance does to the dependent; colocations of clones with others (their instances have them).

use crate::constraint::ColocationId;
use crate::ledger::Cause;
use crate::unpack::add_scores;
use crate::variant::instances::Fit;
use crate::{Cluster, ConfigIssue, NodeId, ResourceId, Variant};
use model::{Role, Score};

impl Cluster {
    pub(in crate::variant) fn colocate_with_clone(
        &mut self,
        dependent: ResourceId,
        clone: ResourceId,
        colocation: ColocationId,
    ) -> i32 {
        if self.work(clone).unassigned {
            return 0;
        }
        let terms = self.colocation(colocation);
        let (score, role, dependent_role) = (terms.score, terms.primary_role, terms.dependent_role);
        if self.work(clone).promotable && role != Role::Unknown {
            if self.work(dependent).unassigned {
                self.colocate_with_role(dependent, clone, colocation);
                return 0;
            }
            if dependent_role == Role::Promoted {
                return self.promote_with_role(dependent, clone, colocation);
            }
        }
        if self.can_interleave_placement(colocation) {
            let fit = Fit { role: Role::Unknown, current: false, attribute: None };
            if let Some(instance) = self.compatible_instance(dependent, clone, &fit) {
                return self.apply_colocation(dependent, instance, colocation, true);
            }
            if score == Score::INFINITY {
                self.force_assign(dependent, None);
            }
            return 0;
        }
        let instances = self.resource(clone).children.clone();
        if score == Score::INFINITY {
            let usable = |&&instance: &&ResourceId| !self.any_in(instance, |state| state.blocked);
            let places = instances.iter().filter(usable).filter_map(|&id| self.location(id, false));
            let places: Vec<(NodeId, i32)> = places.map(|node| (node, 0)).collect();
            self.keep_to_nodes(dependent, &places, colocation);
            return 0;
        }
        let mut delta = 0;
        for instance in instances {
            let one = self.apply_colocation(dependent, instance, colocation, false);
            delta = add_scores(delta, one);
        }
        delta
    }

    /// A clone tells whoever asks all it knows.
    pub(in crate::variant) fn clone_with_this(
        &self,
        clone: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        self.add_with_this_list(list, &self.work(clone).with_this);
        if let Some(parent) = self.resource(clone).parent {
            self.collect_with_this(parent, asker, list);
        }
    }

    pub(in crate::variant) fn clone_this_with(
        &self,
        clone: ResourceId,
        asker: ResourceId,
        list: &mut Vec<ColocationId>,
    ) {
        self.add_this_with_list(list, &self.work(clone).this_with);
        if let Some(parent) = self.resource(clone).parent {
            self.collect_this_with(parent, asker, list);
        }
    }

    /// Whether each instance of the dependent only needs its neighbour.
    fn can_interleave_placement(&mut self, colocation: ColocationId) -> bool {
        let terms = self.colocation(colocation);
        let (dependent, primary) = (terms.dependent, terms.primary);
        if self.resource(dependent).variant <= Variant::Group || !self.work(dependent).interleave {
            return false;
        }
        let per_node = |id: ResourceId| self.resource(id).instances.per_node;
        if per_node(dependent) == per_node(primary) {
            return true;
        }
        let issue = format!(
            "Cannot interleave {} and {} because they do not support the same number of instances per node",
            self.resource(dependent).id,
            self.resource(primary).id
        );
        self.note_issue(ConfigIssue::error(issue));
        false
    }

    /// Forbids a dependent all nodes but these, and adds to what it thinks of these.
    pub(in crate::variant) fn keep_to_nodes(
        &mut self,
        dependent: ResourceId,
        nodes: &[(NodeId, i32)],
        colocation: ColocationId,
    ) {
        let mut sheet = self.ledger.sheet();
        let mut wanted: Vec<Option<i32>> = vec![None; self.nodes.len()];
        for &(node, score) in nodes {
            if let Some(slot) = wanted.get_mut(node.index()) {
                // The last one named counts.
                *slot = Some(score);
            }
        }
        let table = &mut self.work_mut(dependent).allowed;
        for (index, (allowed, wanted)) in table.iter_mut().zip(wanted).enumerate() {
            let Some(allowed) = allowed else { continue };
            allowed.score = match wanted {
                Some(score) => add_scores(allowed.score, score),
                None => Score::MINUS_INFINITY.value(),
            };
            sheet.add(NodeId::new(index), wanted.unwrap_or(Score::MINUS_INFINITY.value()));
        }
        let terms = self.ledger.is_kept().then(|| self.colocation(colocation).clone());
        self.account_sheet(dependent, sheet, || {
            terms.map_or(Cause::Unknown, |terms| Cause::Colocation { id: terms.id, with: terms.primary })
        });
    }
}
