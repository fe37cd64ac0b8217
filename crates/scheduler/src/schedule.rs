// SPDX-License-Identifier: GPL-2.0-or-later
//! The plan: what a schedule consists of.
//!
//! Decides: the shape, and how it is drawn. Given: what the stages made. Leaves to others: showing it, carrying it out.

use crate::action::relation;
use crate::issue::ConfigIssue;
use crate::{Action, ActionId, ScoreLine};
use crate::{Cluster, NodeId, NodeState, ResourceId, ResourceState};
use graph::{Dot, TransitionGraph};
use model::{FeatureSet, Profile};

/// How to schedule.
#[derive(Clone, Debug)]
pub struct Options {
    /// The feature set that is written into the graph, and of which its words are.
    pub feature_set: FeatureSet,
    /// The transition's number.
    pub transition_id: i32,
    /// Secret parameters may have been blanked in the CIB: what differs in these only has not changed.
    pub sanitized: bool,
    /// What nodes have and resources take of it is recorded among the scores.
    pub record_utilization: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            feature_set: Profile::default().feature_set(),
            transition_id: 1,
            sanitized: false,
            record_utilization: false,
        }
    }
}

/// Since 3.0.2, graphs say `fencing-timeout`; controllers of before look for `stonith-timeout`. Nothing else that a
/// controller since 2.1.5 reads has changed.
const FENCING_TIMEOUT_SINCE: FeatureSet = FeatureSet::new(3, 20, 2);

impl Options {
    /// For a graph that a controller carries out of which the feature set may be known: it is never told to be newer than it
    /// is, nor than a scheduler of this profile could be.
    pub fn for_controller(profile: Profile, controller: Option<FeatureSet>) -> Options {
        let own = profile.feature_set();
        Options {
            feature_set: controller.map_or(own, |controller| controller.min(own)),
            ..Options::default()
        }
    }

    pub(crate) fn names_fencing_timeout(&self) -> bool {
        self.feature_set >= FENCING_TIMEOUT_SINCE
    }
}

/// What came of it for one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Where it should run.
    pub assigned: Option<NodeId>,
    /// Where it counts as running now; the source, in the middle of a migration.
    pub current: Option<NodeId>,
    /// What is in it, in the order in which it was planned.
    pub children: Vec<ResourceId>,
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
    /// The resources that are in no other, in the order in which they were planned.
    pub top: Vec<ResourceId>,
    /// How nodes were seen in the end; places are those of [`Cluster::nodes`].
    pub nodes: Vec<NodeState>,
    /// Scores in the order they were decided.
    pub scores: Vec<ScoreLine>,
    /// What of the configuration could not be followed while planning, beyond what reading it found.
    pub issues: Vec<ConfigIssue>,
    /// Why all this, if the CIB was read for that ([`crate::unpack_with_reasons`]).
    pub reasons: Option<crate::Reasons>,
}

impl Schedule {
    /// An action.
    pub fn action(&self, id: ActionId) -> &Action {
        &self.actions[id.index()]
    }

    /// The dot form. `all` draws what is optional too, `verbose` adds the actions' numbers.
    pub fn to_dot(&self, cluster: &Cluster, all: bool, verbose: bool) -> Dot {
        let mut dot = Dot::new();
        let mut drawn = vec![false; self.actions.len()];
        for (index, action) in self.actions.iter().enumerate().rev() {
            let managed =
                |id: crate::ResourceId| self.placements.get(id.index()).is_none_or(|p| p.state.managed);
            let font = if action.pseudo { "orange" } else { "black" };
            let (style, color, font, draw) = if action.in_graph {
                ("bold", "green", font, true)
            } else if action.resource.is_some_and(|id| !managed(id)) {
                ("dashed", "red", "purple", all)
            } else if action.optional {
                ("dashed", "blue", font, all)
            } else {
                ("dashed", "red", font, true)
            };
            drawn[index] = draw || action.in_graph;
            if draw {
                dot.node(&action_name(cluster, action, verbose), style, color, font);
            }
        }
        for (index, action) in self.actions.iter().enumerate().rev() {
            for before in &action.before {
                if !before.graphed && before.flags == relation::NONE {
                    continue;
                }
                let first = before.action.index();
                let both = drawn[first] && drawn[index];
                let wanted = before.graphed || both && before.flags != relation::IF_ON_SAME_NODE_OR_TARGET;
                if all || wanted {
                    let style = if before.graphed { "bold" } else { "dashed" };
                    let first = action_name(cluster, &self.actions[first], verbose);
                    dot.edge(&first, &action_name(cluster, action, verbose), style);
                }
            }
        }
        dot
    }
}

/// How an action is called in drawings.
fn action_name(cluster: &Cluster, action: &Action, verbose: bool) -> String {
    let host = match action.node {
        Some(node) => Some(&*cluster.node(node).name),
        None if action.pseudo => None,
        None => Some("<none>"),
    };
    let (prefix, task) = match &action.cancel_task {
        Some(task) => ("Cancel ", task),
        None => ("", &action.task),
    };
    let history_id = action.resource.and_then(|id| cluster.resource(id).history_id.as_deref());
    let history_key = history_id.map(|id| crate::stage::graph::drawn_key(action, id, task));
    let base = match (history_key, host) {
        (Some(key), Some(host)) => format!("{prefix}{key} {host}"),
        (Some(key), None) => format!("{prefix}{key}"),
        (None, host) if *action.task == *"stonith" => {
            let kind = action.meta("stonith_action").unwrap_or_default();
            format!("{prefix}{} '{kind}' {}", action.task, host.unwrap_or_default())
        }
        (None, Some(host)) if action.resource.is_some() => format!("{prefix}{} {host}", action.key),
        (None, Some(host)) => format!("{prefix}{} {host}", action.task),
        (None, None) => action.key.to_string(),
    };
    if verbose { format!("{base} ({})", action.id) } else { base }
}
