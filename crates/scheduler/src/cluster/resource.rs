//! Resources: what is configured, and what is known of where they run.
//!
//! Decides: the shape. Given: nothing. Leaves to others: reading it from the CIB; what each variant does with it.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::NodeId;
use model::{Role, Score};
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

/// A resource's place in [`crate::Cluster::resources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u32);

impl ResourceId {
    /// From a place.
    pub fn new(index: usize) -> ResourceId {
        // An arena of resources never reaches 2^32: a CIB is limited to far fewer elements.
        ResourceId(index as u32)
    }

    /// The place.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// One agent.
    Primitive,
    /// Members that run together, one after the other.
    Group,
    /// Several instances of a primitive or group.
    Clone,
    /// Containers, with what runs in them.
    Bundle,
}

impl Variant {
    /// The name of its element.
    pub const fn as_str(self) -> &'static str {
        match self {
            Variant::Primitive => "primitive",
            Variant::Group => "group",
            Variant::Clone => "clone",
            Variant::Bundle => "bundle",
        }
    }
}

/// Which agent runs a primitive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// `ocf`, `systemd`, `stonith`, …
    pub class: Arc<str>,
    /// Of OCF agents.
    pub provider: Option<Arc<str>>,
    /// Its name.
    pub name: Arc<str>,
}

/// Names with values: parameters, meta-attributes.
pub type Parameters = BTreeMap<Arc<str>, Arc<str>>;

/// A resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its id; `web:1` for instances.
    pub id: Arc<str>,
    /// The id under which its history is kept, where it differs (instances of anonymous clones).
    pub history_id: Option<Arc<str>>,
    /// What kind it is.
    pub variant: Variant,
    /// The group, clone or bundle it is in.
    pub parent: Option<ResourceId>,
    /// Members or instances, in order.
    pub children: Vec<ResourceId>,
    /// Its element, with its template's contents if it has one.
    pub xml: Element,
    /// Its configured operations, template's included.
    pub operations: Vec<Element>,
    /// Which agent (primitives only).
    pub agent: Option<Agent>,
    /// Meta-attributes, inherited and default ones included; also `class`, `provider`, `type`.
    pub meta: Parameters,
    /// How much of a node it takes.
    pub utilization: Parameters,
    /// How and where it is, before anything is planned.
    pub state: ResourceState,
}

/// How a resource is; a schedule may change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceState {
    /// What it does now.
    pub role: Role,
    /// What it should do; unknown until decided.
    pub next_role: Role,
    /// Where it is active, in the order found.
    pub active_on: Vec<NodeId>,
    /// Where its state is known (active or not), by probe or other result.
    pub known_on: Vec<NodeId>,
    /// What is being done with it right now, such as `Starting` (and where, if not where it is active).
    pub pending_action: Option<Arc<str>>,
    /// The node on which the pending action runs.
    pub pending_node: Option<NodeId>,
    /// Higher ones are placed first.
    pub priority: i32,
    /// How much it prefers to stay.
    pub stickiness: Score,
    /// Failures on a node after which it has to leave it; zero: never.
    pub migration_threshold: i32,
    /// Milliseconds after which failures are forgotten; zero: never.
    pub failure_timeout_ms: u64,
    /// The cluster may start and stop it.
    pub managed: bool,
    /// It (or its node, or the cluster) is in maintenance.
    pub maintenance: bool,
    /// It is no longer configured.
    pub removed: bool,
    /// Removed while it ran in a container.
    pub removed_filler: bool,
    /// It failed, and has to be recovered.
    pub failed: bool,
    /// A failure was ignored (`on-fail=ignore`).
    pub failure_ignored: bool,
    /// Nothing may be done with it (`on-fail=block`, several actives with `multiple-active=block`).
    pub blocked: bool,
    /// A start is under way.
    pub start_pending: bool,
    /// It has to be stopped.
    pub stop: bool,
    /// Its stop may fail as unexpectedly active.
    pub stop_if_failed: bool,
    /// It is a fence device.
    pub fence_device: bool,
    /// `requires=fencing`.
    pub needs_fencing: bool,
    /// `requires=quorum` or more.
    pub needs_quorum: bool,
    /// `requires=unfencing`.
    pub needs_unfencing: bool,
    /// Instances are all different (`globally-unique`).
    pub unique: bool,
    /// It must not move by itself (`multiple-active=stop_unexpected`).
    pub stop_unexpected: bool,
    /// `critical`: its dependents stop if it cannot run.
    pub critical: bool,
    /// `allow-migrate`.
    pub migratable: bool,
    /// Its definition changed and a reload is enough.
    pub reload: bool,
    /// The node it is locked to while that is shut down.
    pub lock_node: Option<NodeId>,
    /// Since when (seconds since the epoch).
    pub lock_time: i64,
}
