// SPDX-License-Identifier: GPL-2.0-or-later
//! Nodes: who they are, and how they are.
//!
//! Decides: the shape. Given: nothing. Leaves to others: reading it from the CIB.

use crate::cluster::Allowed;
use crate::{Discovery, ResourceId};
use model::Score;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node's place in [`crate::Cluster::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// From a place.
    pub fn new(index: usize) -> NodeId {
        // An arena of nodes never reaches 2^32: a CIB is limited to far fewer elements.
        NodeId(index as u32)
    }

    /// The place.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What runs on a node to make it one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// The cluster stack.
    #[default]
    Cluster,
    /// `pacemaker-remoted`; reached through a cluster node.
    Remote,
    /// `pacemaker-remoted` in a container or virtual machine that is itself a resource.
    Guest,
}

/// A node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its name.
    pub name: Arc<str>,
    /// Its id (`on_node_uuid`).
    pub id: Arc<str>,
    /// What it is.
    pub kind: NodeKind,
    /// The resource that connects it (remote and guest nodes).
    pub connection: Option<ResourceId>,
    /// Its attributes, permanent and transient, `#uname` and the like included.
    pub attributes: BTreeMap<Arc<str>, Arc<str>>,
    /// Its utilization attributes (how much it has).
    pub utilization: BTreeMap<Arc<str>, Arc<str>>,
    /// How it is before anything is planned.
    pub state: NodeState,
}

/// How a node is; a schedule may find it to be worse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// It is a full member.
    pub online: bool,
    /// It is on its way in: nothing can be run there yet.
    pub pending: bool,
    /// It may not run resources.
    pub standby: bool,
    /// ... because of a failed operation with `on-fail=standby`.
    pub standby_on_fail: bool,
    /// It is in maintenance: nothing is started or stopped there.
    pub maintenance: bool,
    /// It has to be fenced before anything it may run can be run elsewhere.
    pub unclean: bool,
    /// Nobody has ever seen it.
    pub unseen: bool,
    /// It has asked to leave.
    pub shutdown: bool,
    /// It is expected to be a member.
    pub expected_up: bool,
    /// It is the DC.
    pub is_dc: bool,
    /// No resource is probed there (`resource-discovery-enabled=false`).
    pub discovery_disabled: bool,
    /// The feature set it announced.
    pub feature_set: Option<Arc<str>>,
    /// Its health: the sum of health attributes below zero is unhealthy.
    pub health: i32,
    /// How much every resource wants it before anything else is said; minus infinity if nothing can run there.
    pub score: Score,
    /// The primitives that are active there, in the order found.
    pub running: Vec<ResourceId>,
    /// How many resources are to run there, for balancing.
    pub resource_count: usize,
    /// Sum of the priorities of what runs there, for `priority-fencing-delay`.
    pub priority: i32,
    /// How much it has left of what is in its utilization attributes.
    pub(crate) capacity: crate::stage::utilization::Capacity,
    /// The connection to it was lost and has to be made anew, with all that ran there down.
    pub(crate) remote_reset: bool,
    /// It has been fenced since its connection was lost.
    pub(crate) remote_fenced: bool,
    /// It is in maintenance as far as its state says.
    pub(crate) remote_maintenance: bool,
    /// It is still to be found, while the CIB is being read.
    pub(crate) unborn: bool,
    /// No resource may be probed there but those that are told to be (nodes of bundles).
    pub(crate) never_probed: bool,
    /// Its history has been read.
    pub(crate) unpacked: bool,
}

impl Node {
    /// Whether it is reached through a connection.
    pub fn is_reached_through_connection(&self) -> bool {
        self.kind != NodeKind::Cluster
    }
}

impl NodeState {
    /// What a resource thinks of the node as long as nothing else has been said.
    pub(crate) fn as_allowed(&self) -> Allowed {
        let probe = if self.never_probed { Discovery::Never } else { Discovery::Always };
        Allowed { score: self.score.value(), probe, count: 0 }
    }

    /// Whether resources may be placed there, as far as the node itself is concerned.
    pub fn is_available(&self) -> bool {
        self.online && !self.shutdown && !self.unclean && !self.standby && !self.maintenance
    }
}
