// SPDX-License-Identifier: GPL-2.0-or-later
//! Actions, in the graph or only considered, with their relations.
//!
//! Decides: the shape, here; in the files below, how actions are made (`create`), what their meta-attributes are
//! (`meta`),
//! what they have in common (`terms`), when a definition has changed (`digest`), what fencing takes (`fence`). Given: a cluster. Leaves to others:
//! which actions to make, and their order.

mod create;
mod digest;
mod fence;
mod meta;
mod reason;
pub mod relation;
mod terms;

pub(crate) use digest::DigestVerdict;
pub use digest::{Digest, Digests};
pub(crate) use meta::OnFail;
pub use reason::{FenceReason, Loss, Reason};
pub use terms::ActionMeta;
pub(crate) use terms::Remembered;

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
    /// Why it is to be done (or cannot), as shown after `due to`.
    pub reason: Option<Reason>,
    /// Its meta-attributes.
    pub meta: ActionMeta,
    /// Its own parameters (of the operation's instance attributes).
    pub extra: Parameters,
    /// How urgent it is among others, if more than its resource.
    pub priority: i32,
    /// What has to be given before it can be done.
    pub(crate) needs: Requires,
    /// Its configuration.
    pub(crate) config: Option<xml::Element>,
    /// Its own parameters have been read.
    pub(crate) extra_read: bool,
    /// It ends a migration that was never finished.
    pub(crate) ends_migration: bool,
    /// A recurring operation whose definition changed: it is to be started anew.
    pub(crate) reschedule: bool,
    /// How many of those before it have to be runnable, if not all.
    pub(crate) required_before: usize,
    /// How many of those before it are.
    pub(crate) runnable_before: usize,
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

/// `requires`: what has to be given before an action can be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Requires {
    /// Nothing.
    #[default]
    Nothing,
    /// Quorum.
    Quorum,
    /// That all nodes that may run it are known to be clean.
    Fencing,
}

/// The properties of an action that orderings look at and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    /// See [`Action::optional`].
    pub optional: bool,
    /// See [`Action::runnable`].
    pub runnable: bool,
    /// See [`Action::migratable`].
    pub migratable: bool,
    /// See [`Action::pseudo`].
    pub pseudo: bool,
}

impl Action {
    /// What orderings look at.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            optional: self.optional,
            runnable: self.runnable,
            migratable: self.migratable,
            pseudo: self.pseudo,
        }
    }

    /// Sets the reason, if there is none yet or it may be replaced.
    pub(crate) fn set_reason(&mut self, reason: Option<Reason>, overwrite: bool) {
        if self.reason.is_none() || overwrite {
            self.reason = reason;
        }
    }

    /// Sets a meta-attribute.
    pub(crate) fn set_meta(&mut self, name: &'static str, value: impl AsRef<str>) {
        self.meta.insert(name, value.as_ref());
    }

    /// A meta-attribute.
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.meta.get(name).map(|value| &**value)
    }
}

impl crate::Cluster {
    pub(crate) fn action(&self, id: ActionId) -> &Action {
        &self.actions[id.index()]
    }

    pub(crate) fn action_mut(&mut self, id: ActionId) -> &mut Action {
        &mut self.actions[id.index()]
    }
}
