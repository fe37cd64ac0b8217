//! The plan: what a schedule consists of.
//!
//! Decides: the shape. Given: a cluster. Leaves to others: showing it, carrying it out.
// SPDX-License-Identifier: GPL-2.0-or-later

mod action;
mod score;

pub use action::{Action, ActionId, Relation};
pub use score::ScoreLine;

use crate::{Cluster, NodeId, NodeState, ResourceState};
use graph::{Dot, TransitionGraph};
use model::Profile;

/// How to schedule.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose words are used in the graph.
    pub profile: Profile,
    /// The transition's number.
    pub transition_id: i32,
}

impl Default for Options {
    fn default() -> Options {
        Options { profile: Profile::default(), transition_id: 1 }
    }
}

/// What came of it for one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Where it should run.
    pub assigned: Option<NodeId>,
    /// How it is now seen: a copy of [`crate::Resource::state`], changed by the planning (next role, managed, …).
    pub state: ResourceState,
    /// The resource's actions, newest first.
    pub actions: Vec<ActionId>,
}

/// A plan with all its reasons.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// What the controller gets.
    pub graph: TransitionGraph,
    /// Every action that was considered, in the order of creation; [`ActionId`]s are places in it.
    pub actions: Vec<Action>,
    /// What came of it per resource; places are those of [`Cluster::resources`].
    pub placements: Vec<Placement>,
    /// How nodes were seen in the end; places are those of [`Cluster::nodes`].
    pub nodes: Vec<NodeState>,
    /// Scores in the order they were decided.
    pub scores: Vec<ScoreLine>,
}

impl Schedule {
    /// The dot form. `all` draws what is optional too, `verbose` adds the actions' numbers.
    pub fn to_dot(&self, cluster: &Cluster, all: bool, verbose: bool) -> Dot {
        let _ = (cluster, all, verbose);
        Dot::new()
    }
}

/// Plans; see [`crate::schedule`].
pub fn schedule(cluster: &Cluster, options: &Options) -> Schedule {
    let mut schedule = Schedule::default();
    schedule.graph.options.transition_id = options.transition_id;
    schedule.nodes = cluster.nodes.iter().map(|node| node.state.clone()).collect();
    schedule.placements = cluster
        .resources
        .iter()
        .map(|r| Placement { state: r.state.clone(), ..Placement::default() })
        .collect();
    schedule
}
