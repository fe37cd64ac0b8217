// SPDX-License-Identifier: GPL-2.0-or-later
//! The pipeline: from a cluster to its schedule, stage by stage.
//!
//! Decides: the order of the stages. Given: a cluster that was read. Leaves to others: each stage.

mod assign;
pub(crate) mod changes;
pub(crate) mod colocation;
mod criteria;
mod fence;
pub(crate) mod graph;
mod graph_attributes;
mod loops;
pub(crate) mod order;
mod probes;
mod relate;
mod remote;
pub(crate) mod utilization;

use crate::schedule::{Options, Placement, Schedule};
use crate::{Cluster, ResourceId, ScoreLine};
use std::sync::Arc;

/// A part of planning, as those who measure tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Tickets, location scores, stickiness; what follows from what resources are.
    Constraints,
    /// Where everything runs.
    Assignment,
    /// What is probed where.
    Probes,
    /// What is done with each resource and node.
    Actions,
    /// What comes before what, and what follows from that.
    Orderings,
    /// What the controller gets.
    Graph,
}

/// Plans; see [`crate::schedule_watched()`].
pub(crate) fn run(cluster: &Cluster, options: &Options, begins: &mut dyn FnMut(Stage)) -> Schedule {
    begins(Stage::Constraints);
    let mut work = cluster.clone();
    work.sanitized = options.sanitized;
    work.record_utilization = options.record_utilization;
    work.apply_tickets();
    work.apply_criteria();
    for resource in work.top.clone() {
        work.add_internal_constraints(resource);
    }
    work.handle_definition_changes();
    begins(Stage::Assignment);
    work.assign_resources();
    work.make_deferred_checks();
    begins(Stage::Probes);
    work.schedule_probes();
    begins(Stage::Actions);
    work.clear_removed_fail_counts();
    for resource in work.top.clone() {
        work.create_actions(resource);
    }
    work.order_remote_actions();
    work.schedule_fencing_and_shutdowns();
    begins(Stage::Orderings);
    work.apply_orderings();
    begins(Stage::Graph);
    let mut graph = work.create_graph(options);
    work.make_walkable(&mut graph);
    work.into_schedule(graph)
}

impl Cluster {
    fn into_schedule(mut self, graph: ::graph::TransitionGraph) -> Schedule {
        let reasons = self.take_reasons();
        let ids = (0..self.resources.len()).map(ResourceId::new);
        let currents: Vec<_> = ids.map(|id| self.current_node(id)).collect();
        let mut actions = self.actions;
        for action in &mut actions {
            // Relations are kept newest first while they are worked on.
            action.before.sort_by_key(|relation| relation.action);
        }
        let currents = currents.into_iter();
        let placements = self.resources.into_iter().zip(currents).map(|(resource, current)| Placement {
            current,
            children: resource.children,
            assigned: resource.work.assigned,
            state: resource.state,
            actions: resource.work.actions.into_iter().rev().collect(),
        });
        Schedule {
            graph,
            actions,
            placements: placements.collect(),
            top: self.top,
            nodes: self.nodes.into_iter().map(|node| node.state).collect(),
            scores: self.scores,
            issues: self.issues,
            reasons,
        }
    }

    /// Records what a resource and all in it think of the nodes.
    pub(crate) fn record_scores(&mut self, id: crate::ResourceId, by: &'static str) {
        let resource = self.resource(id);
        if resource.state.removed {
            return;
        }
        let name = resource.id.clone();
        let known = resource.work.allowed.iter().enumerate();
        let lines: Vec<ScoreLine> = known
            .filter_map(|(index, allowed)| {
                let allowed = allowed.as_ref()?;
                let node = self.nodes.get(index)?;
                Some(ScoreLine::Allocation {
                    by,
                    resource: Arc::clone(&name),
                    node: Arc::clone(&node.name),
                    score: model::Score::new(i64::from(allowed.score)),
                })
            })
            .collect();
        self.scores.extend(lines);
        self.account_lines(id);
        for child in self.resource(id).children.clone() {
            self.record_scores(child, by);
        }
    }
}
