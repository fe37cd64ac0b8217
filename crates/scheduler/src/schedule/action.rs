//! Actions, in the graph or only considered, with their relations.
//!
//! Decides: the shape. Given: nothing. Leaves to others: making them.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::cluster::Parameters;
use crate::{NodeId, ResourceId};
use model::Interval;
use std::sync::Arc;

/// An action's place in [`crate::Schedule::actions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(u32);

impl ActionId {
    /// From a place.
    pub fn new(index: usize) -> ActionId {
        // Far fewer than 2^32 actions fit into memory.
        ActionId(index as u32)
    }

    /// The place.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Something that could be done.
#[derive(Clone, Debug, Default)]
pub struct Action {
    /// Its number in the graph, from 1.
    pub id: i32,
    /// Whose; none for fencing and shutdown.
    pub resource: Option<ResourceId>,
    /// Where.
    pub node: Option<NodeId>,
    /// `start`, `stop`, `monitor`, `stonith`, `do_shutdown`, …
    pub task: Arc<str>,
    /// What a `cancel` cancels.
    pub cancel_task: Option<Arc<str>>,
    /// Its name among a resource's actions, such as `web_start_0`.
    pub key: Arc<str>,
    /// Zero unless recurring.
    pub interval: Interval,
    /// It does nothing but order others.
    pub pseudo: bool,
    /// It can be done.
    pub runnable: bool,
    /// It need not be done.
    pub optional: bool,
    /// It is in the graph, even if optional.
    pub always_in_graph: bool,
    /// It can be part of a migration.
    pub migratable: bool,
    /// The cluster's DC does it, not the node.
    pub on_dc: bool,
    /// It is in the graph.
    pub in_graph: bool,
    /// It is a failed stop or start that is the reason of fencing.
    pub priority: i32,
    /// Why it is to be done (or cannot), as shown after `due to`.
    pub reason: Option<Arc<str>>,
    /// Its meta-attributes.
    pub meta: Parameters,
    /// Its own parameters (of the operation's instance attributes).
    pub extra: Parameters,
    /// What comes before it.
    pub before: Vec<Relation>,
    /// What comes after it.
    pub after: Vec<Relation>,
}

/// One side of an ordering between two actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The other action.
    pub action: ActionId,
    /// What kind of ordering: bits, none if it turned out not to matter.
    pub flags: u32,
    /// It is a trigger in the graph.
    pub graphed: bool,
}
