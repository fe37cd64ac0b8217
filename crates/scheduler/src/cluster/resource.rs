// SPDX-License-Identifier: GPL-2.0-or-later
//! Resources: what is configured, and what is known of where they run.
//!
//! Decides: the shape. Given: nothing. Leaves to others: reading it from the CIB; what each variant does with it.

use crate::action::{ActionId, Remembered};
use crate::constraint::ColocationId;
use crate::variant::{Notices, Promotion};
use crate::{Discovery, NodeId};
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
    /// How many instances there are of it, and how they are spread (clones and bundles only).
    pub instances: InstanceTerms,
    /// What a bundle makes.
    pub replicas: Vec<Replica>,
    /// The nodes it could be on as far as its state says, before any constraint (clones only).
    pub possible_on: Vec<NodeId>,
    /// How and where it is, before anything is planned.
    pub state: ResourceState,
    /// What the stages note down.
    pub(crate) work: Work,
}

/// How many instances a clone (or replicas a bundle) has, and how they are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceTerms {
    /// At most so many run.
    pub max: usize,
    /// At most so many run on one node.
    pub per_node: usize,
    /// At most so many are promoted.
    pub promoted_max: usize,
    /// At most so many are promoted on one node.
    pub promoted_per_node: usize,
    /// They start and stop one after the other.
    pub ordered: bool,
}

/// One of the containers of a bundle, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The container.
    pub container: ResourceId,
    /// Its address, if it has one of its own.
    pub ip: Option<ResourceId>,
    /// The connection to what is in it.
    pub remote: Option<ResourceId>,
    /// The instance in it.
    pub child: Option<ResourceId>,
    /// The node that the container is.
    pub node: Option<NodeId>,
    /// The address itself.
    pub address: Option<Arc<str>>,
}

/// What a resource thinks of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// How much it wants it. Beyond the infinities only in the middle of a sum, see `stage::colocation`.
    pub score: i32,
    /// Whether it is probed there.
    pub probe: Discovery,
    /// How many of its instances have been placed (or promoted) there so far.
    pub count: usize,
}

/// What a resource thinks of every node, by the node's place; none where it may not run unless told otherwise.
pub type NodeTable = Vec<Option<Allowed>>;

/// `multiple-active`: what to do with what runs more often than it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MultiplyActive {
    /// Stop it everywhere and start it once.
    #[default]
    Restart,
    /// Stop it everywhere.
    StopOnly,
    /// Leave it alone.
    Block,
    /// Stop it where it should not be.
    StopUnexpected,
}

/// What the stages note down of a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    /// What it thinks of the nodes.
    pub allowed: NodeTable,
    /// Where it is to run.
    pub assigned: Option<NodeId>,
    /// How much it wanted that node when it was placed.
    pub assigned_score: i32,
    /// It is still to be placed.
    pub unassigned: bool,
    /// It is being placed.
    pub assigning: bool,
    /// Its preferences are being added to others'.
    pub updating: bool,
    /// Its stop and start are being planned.
    pub restarting: bool,
    /// It is only probed where a constraint says so.
    pub exclusive_probes: bool,
    /// It is a connection to a remote or guest node.
    pub remote_connection: bool,
    /// Of which replica of its bundle it is.
    pub replica: Option<usize>,
    /// It is a bundle's connection, whose container may be on a remote node.
    pub nested: bool,
    /// How long a remote node's connection is not tried again after a failure, in milliseconds; zero: at once.
    pub reconnect_ms: u64,
    /// It is (in) a clone whose instances may be promoted.
    pub promotable: bool,
    /// Its instances are told of what is done with the others.
    pub notify: bool,
    /// Its instances depend on the instances of others on the same node only.
    pub interleave: bool,
    /// No instance may be promoted, for want of a ticket.
    pub promotion_barred: bool,
    /// How much an instance should be promoted, rather than others.
    pub promotion_priority: i32,
    /// What promotion scores have been used for already.
    pub promotion: Promotion,
    /// What a clone's instances are made of.
    pub pattern: Option<Element>,
    /// How many instances have been made.
    pub made: usize,
    /// The notifications of a clone, by what they are about.
    pub notices: Notices,
    /// What to do if it is active more than once.
    pub multiply_active: MultiplyActive,
    /// A group's members run together.
    pub colocated: bool,
    /// A group's members start in order.
    pub ordered: bool,
    /// Its actions, oldest first.
    pub actions: Vec<ActionId>,
    /// Colocations of it with others.
    pub this_with: Vec<ColocationId>,
    /// Colocations of others with it.
    pub with_this: Vec<ColocationId>,
    /// Where a migration of it came from, if it is half done.
    pub migration_source: Option<NodeId>,
    /// Where a migration of it goes, if it is half done.
    pub migration_target: Option<NodeId>,
    /// The container it runs in (its `container` meta-attribute), if it is not a bundle's.
    pub launcher: Option<ResourceId>,
    /// What runs in it.
    pub launched: Vec<ResourceId>,
    /// Where it may still be after a migration that was not finished.
    pub dangling: Vec<NodeId>,
    /// What is configured, once it was asked for.
    pub remembered: Remembered,
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
