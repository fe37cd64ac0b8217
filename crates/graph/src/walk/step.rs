// SPDX-License-Identifier: GPL-2.0-or-later
//! What the walker remembers of each synapse, and what it has to know of an action.
//!
//! Decides: which actions are waited for, timed and counted. Given: synapses and actions of the graph.

use super::ActionId;
use crate::{Action, ActionKind, Synapse};
use model::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Not gone out.
    Waiting,
    /// Gone out; lost if nothing is heard of it by then.
    Running { deadline: Option<Instant> },
    /// Its end is known.
    Confirmed,
}

/// How far a synapse is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Waiting,
    Fired,
    Confirmed,
    /// Given up: its node is gone.
    Abandoned,
}

impl StepState {
    pub(super) fn is_open(self) -> bool {
        matches!(self, StepState::Waiting | StepState::Fired)
    }
}

/// A synapse's state.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) state: StepState,
    pub(super) inputs_left: BTreeSet<ActionId>,
    pub(super) actions: Vec<Progress>,
    /// Pseudo actions go on after an abort: they cost nothing, and others may wait for them.
    pub(super) obeys_aborts: bool,
}

impl Step {
    pub(super) fn new(synapse: &Synapse) -> Step {
        Step {
            state: StepState::Waiting,
            inputs_left: synapse.inputs.iter().map(|input| input.id).collect(),
            actions: vec![Progress::Waiting; synapse.actions.len()],
            obeys_aborts: synapse.actions.iter().any(|action| action.identity.kind != ActionKind::Pseudo),
        }
    }
}

/// How an action is to be treated once it is due.
pub(super) struct Manner {
    /// Nobody has to do anything.
    pub(super) passes: bool,
    /// Its end has to be heard of.
    pub(super) waits: bool,
    /// It counts among its node's jobs.
    pub(super) counts: bool,
    /// It is lost if nothing is heard of it for this long and the cluster delay. Fencing has a keeper of its time of
    /// its own: the fencer.
    pub(super) timeout: Option<Duration>,
}

pub(super) fn manner(action: &Action) -> Manner {
    let kind = action.identity.kind;
    let passes = kind == ActionKind::Pseudo;
    let waits = !passes && !action.meta("op_no_wait").is_some_and(is_true);
    let fencing = kind == ActionKind::Cluster && action.identity.operation == "stonith";
    Manner {
        passes,
        waits,
        counts: waits && kind == ActionKind::Resource,
        timeout: (waits && !fencing).then(|| span_ms(action, "timeout") + span_ms(action, "start_delay")),
    }
}

fn span_ms(action: &Action, name: &str) -> Duration {
    Duration::from_millis(action.meta(name).and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn is_true(text: &str) -> bool {
    model::parse_bool(text).unwrap_or(false)
}

/// Whether an action cannot be carried out without a node.
pub(super) fn needs_node(action: &Action, node_id: &str, node_name: &str) -> bool {
    let identity = &action.identity;
    let exempt = match identity.kind {
        ActionKind::Pseudo => true,
        ActionKind::Cluster => identity.operation.eq_ignore_ascii_case("stonith"),
        ActionKind::Resource => false,
    };
    let on = identity.node.as_ref().is_some_and(|node| node.id.eq_ignore_ascii_case(node_id));
    let through = identity.router_node.as_ref().is_some_and(|router| router.eq_ignore_ascii_case(node_name));
    !exempt && (on || through)
}
