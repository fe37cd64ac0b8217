// SPDX-License-Identifier: GPL-2.0-or-later
//! The scheduler: a CIB in; where everything should run, what has to be done for it, and why, out.
//!
//! Decides: placement, actions, their order, fencing. Given: a CIB, the time, options. Leaves to others: getting the
//! CIB, carrying the graph out, showing any of it. No I/O, no clock, no randomness: same input, same bytes.
//!
//! Two steps. [`unpack()`] reads the CIB into a [`Cluster`]: nodes and resources in arenas, their configuration and the
//! state their history tells. [`schedule()`] plans over it and returns a [`Schedule`]. A `Cluster` never changes, so it
//! can be shown, scheduled with other options, or compared, at no cost.

mod action;
mod cluster;
mod constraint;
mod inspect;
mod issue;
mod ledger;
mod notation;
mod schedule;
mod score;
mod stage;
mod unpack;
mod variant;

pub use action::{
    Action, ActionId, ActionMeta, Digest, Digests, FenceReason, Loss, Reason, Relation, relation,
};
pub use cluster::{
    Agent, Cluster, ClusterOptions, Discovery, FailedOperation, InstanceTerms, Location, Node, NodeId,
    NodeKind, NodeState, Parameters, PlacementStrategy, QuorumPolicy, Replica, Resource, ResourceId,
    ResourceState, Ticket, Variant,
};
pub use inspect::{Companionship, Traits, operations_of, order_of_operations};
pub use issue::{About, ConfigIssue, Severity};
pub use ledger::{
    Candidate, Cause, Choice, ChoiceBy, ConfiguredOrdering, ConfiguredSide, FailureKind, Reasons, Term, sum,
};
pub use schedule::{Options, Placement, Schedule};
pub use score::{ScoreLine, UTILIZATION_BY};
pub use stage::Stage;

use model::WallTime;
use xml::Element;

/// Reads a CIB. What is wrong in it is left out or defaulted, and reported; nothing stops the reading.
pub fn unpack(cib: &Element, now: WallTime) -> (Cluster, Vec<ConfigIssue>) {
    unpack::unpack(cib, now, false)
}

/// Reads a CIB so that whoever plans over it keeps account of every score: [`Schedule::reasons`]. Decides nothing else
/// than [`unpack()`], and takes longer.
pub fn unpack_with_reasons(cib: &Element, now: WallTime) -> (Cluster, Vec<ConfigIssue>) {
    unpack::unpack(cib, now, true)
}

/// Plans everything that leads from what is to what should be.
pub fn schedule(cluster: &Cluster, options: &Options) -> Schedule {
    stage::run(cluster, options, &mut |_| ())
}

/// The same; `begins` is told of each stage when it begins, so that whoever has a clock can say how long each takes.
pub fn schedule_watched(cluster: &Cluster, options: &Options, begins: &mut dyn FnMut(Stage)) -> Schedule {
    stage::run(cluster, options, begins)
}
