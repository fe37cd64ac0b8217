//! What the CIB says: nodes and resources in arenas, what is configured of them, and the state their history tells.
//!
//! Decides: the shape. Given: a CIB (by `unpack`). Leaves to others: any plan. A [`Cluster`] never changes; a schedule
//! works on copies of the `state` parts.
// SPDX-License-Identifier: GPL-2.0-or-later

mod node;
mod options;
mod resource;

pub use node::{Node, NodeId, NodeKind, NodeState};
pub use options::{ClusterOptions, QuorumPolicy};
pub use resource::{Agent, Parameters, Resource, ResourceId, ResourceState, Variant};

use crate::ConfigIssue;
use model::{Role, Score, WallTime};
use xml::Element;

/// Everything the scheduler and the displays know of a cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The CIB it was read from.
    pub cib: Element,
    /// The moment for which it was read: rules and expiries were judged by it.
    pub now: WallTime,
    /// Cluster properties.
    pub options: ClusterOptions,
    /// Whether the partition has quorum.
    pub quorate: bool,
    /// The node that is DC, if known.
    pub dc: Option<NodeId>,
    /// Nodes, sorted by name as people sort (numbers by value).
    pub nodes: Vec<Node>,
    /// All resources, members and instances included; parents before children.
    pub resources: Vec<Resource>,
    /// The resources that are in no other, highest priority first, else as configured; removed ones last.
    pub top: Vec<ResourceId>,
    /// Location constraints as they were resolved.
    pub locations: Vec<Location>,
    /// Operations that failed, for the display of failed actions.
    pub failed: Vec<FailedOperation>,
    /// Instances blocked after failures (counted in the display).
    pub blocked_count: usize,
    /// Instances disabled by target-role.
    pub disabled_count: usize,
    /// If something begins, ends or expires: when it does, in seconds since the epoch.
    pub recheck_by: Option<i64>,
}

/// A resource's score for nodes, from one `rsc_location` (or one of its rules).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The constraint's id.
    pub id: String,
    /// Whose.
    pub resource: ResourceId,
    /// Only in this role, if not unknown.
    pub role: Role,
    /// Nodes with their scores.
    pub nodes: Vec<(NodeId, Score)>,
    /// `resource-discovery`: where the resource is probed.
    pub discovery: Discovery,
}

/// `resource-discovery` of a location constraint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discovery {
    /// Probed on the nodes as any other.
    #[default]
    Always,
    /// Not probed on the nodes.
    Never,
    /// Probed on these nodes only.
    Exclusive,
}

/// A failed operation, as it stands in the history.
#[derive(Clone, Debug)]
pub struct FailedOperation {
    /// The node's name.
    pub node: String,
    /// The resource's (instance's) id.
    pub resource: String,
    /// The `lrm_rsc_op`, with `uname` and `rsc-id` added.
    pub operation: Element,
}

impl Cluster {
    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A resource.
    pub fn resource(&self, id: ResourceId) -> &Resource {
        &self.resources[id.index()]
    }

    /// The node of a name.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.name.eq_ignore_ascii_case(name)).map(NodeId::new)
    }

    /// The resource of an id (instance names included).
    pub fn resource_named(&self, id: &str) -> Option<ResourceId> {
        self.resources.iter().position(|resource| *resource.id == *id).map(ResourceId::new)
    }
}

/// Reads a CIB; see [`crate::unpack`].
pub fn unpack(cib: &Element, now: WallTime) -> (Cluster, Vec<ConfigIssue>) {
    let cluster = Cluster {
        cib: cib.clone(),
        now,
        options: ClusterOptions::default(),
        quorate: false,
        dc: None,
        nodes: Vec::new(),
        resources: Vec::new(),
        top: Vec::new(),
        locations: Vec::new(),
        failed: Vec::new(),
        blocked_count: 0,
        disabled_count: 0,
        recheck_by: None,
    };
    (cluster, Vec::new())
}
