// SPDX-License-Identifier: GPL-2.0-or-later
//! What the CIB says: nodes and resources in arenas, what is configured of them, and the state their history tells.
//!
//! Decides: the shape. Given: a CIB (by `unpack`). Leaves to others: any plan. A [`Cluster`] never changes; a schedule
//! works on copies of the `state` parts.

mod display;
mod node;
mod options;
mod resource;

pub use node::{Node, NodeId, NodeKind, NodeState};
pub use options::{ClusterOptions, PlacementStrategy, QuorumPolicy};
pub(crate) use resource::Work;
pub use resource::{
    Agent, Allowed, InstanceTerms, MultiplyActive, NodeTable, Parameters, Replica, Resource, ResourceId,
    ResourceState, Variant,
};

use crate::ConfigIssue;
use crate::action::{Action, ActionId};
use crate::constraint::{Colocation, Ordering, TicketTerms};
use model::{Role, Score, WallTime};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
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
    /// Tickets by their names, also those only constraints name.
    pub tickets: BTreeMap<Arc<str>, Ticket>,
    /// Operations that failed, for the display of failed actions.
    pub failed: Vec<FailedOperation>,
    /// Instances blocked after failures (counted in the display).
    pub blocked_count: usize,
    /// Instances disabled by target-role.
    pub disabled_count: usize,
    /// If something begins, ends or expires: when it does, in seconds since the epoch.
    pub recheck_by: Option<i64>,
    /// Actions that follow from the history alone, and later all others, oldest first.
    pub(crate) actions: Vec<Action>,
    /// The actions that are of no resource, by their key.
    pub(crate) singletons: BTreeMap<Arc<str>, ActionId>,
    /// Orderings to be resolved into relations of actions, oldest first.
    pub(crate) orderings: Vec<Ordering>,
    /// All colocations.
    pub(crate) colocations: Vec<Colocation>,
    /// What resources need which tickets for.
    pub(crate) ticket_terms: Vec<(ResourceId, TicketTerms)>,
    /// Tags and templates with the resources they stand for.
    pub(crate) tags: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// What `rsc_defaults` and `op_defaults` hold.
    pub(crate) defaults: Defaults,
    /// Resources by id.
    pub(crate) by_id: HashMap<Arc<str>, ResourceId>,
    /// Resources by the id under which their history is kept, where that is another one.
    pub(crate) by_history: HashMap<Arc<str>, ResourceId>,
    /// Containers to be stopped because the connection into them failed.
    pub(crate) stop_needed: Vec<ResourceId>,
    /// Recurring operations whose failures have expired, by node and their id in the history.
    pub(crate) forgotten: BTreeSet<(NodeId, Arc<str>)>,
    /// There is a fence device, or a watchdog that fences.
    pub(crate) have_fencing: bool,
    /// Some device or resource needs unfencing.
    pub(crate) unfencing: bool,
    /// What was found to be wrong.
    pub(crate) issues: Vec<ConfigIssue>,
    /// What of it is deprecated, and told already.
    pub(crate) deprecated: BTreeSet<String>,
    /// Scores that were recorded.
    pub(crate) scores: Vec<crate::ScoreLine>,
    /// Why they are what they are, if somebody wants to know.
    pub(crate) ledger: crate::ledger::Ledger,
    /// Secret parameters may have been blanked in the CIB.
    pub(crate) sanitized: bool,
    /// Whether utilization is recorded among the scores.
    pub(crate) record_utilization: bool,
    /// Comparisons of definitions that have to wait until all is placed.
    pub(crate) deferred: Vec<crate::stage::changes::DeferredCheck>,
    /// How many replicas of bundles may still be made.
    pub(crate) replicas_left: usize,
    /// How deep updates of actions have gone, and which were put off because of it.
    pub(crate) update_depth: usize,
    /// See `update_depth`.
    pub(crate) put_off: Vec<crate::stage::order::PutOff>,
}

/// `rsc_defaults` and `op_defaults`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    /// For resources.
    pub resources: Option<Element>,
    /// For operations.
    pub operations: Option<Element>,
}

/// A resource's score for nodes, from one `rsc_location` (or one of its rules).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The constraint's (or, if it has one, its rule's) id; the strategy's name for what follows from node health.
    pub id: String,
    /// The constraint's id; none for what follows from node health.
    pub constraint: Option<Arc<str>>,
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

/// The right to run something in this cluster, not in another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    /// The cluster has it.
    pub granted: bool,
    /// It is to be given up in an orderly way.
    pub standby: bool,
    /// When it was granted last, in seconds since the epoch.
    pub last_granted: Option<i64>,
    /// All that is known of it.
    pub attributes: Parameters,
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
        let fits = |node: &Node| !node.state.unborn && node.name.eq_ignore_ascii_case(name);
        self.nodes.iter().position(fits).map(NodeId::new)
    }

    /// The resource of an id (instance names included).
    pub fn resource_named(&self, id: &str) -> Option<ResourceId> {
        self.by_id.get(id).copied()
    }

    /// The resource of an id, or one whose history is kept under it: an instance of a clone, without its number.
    pub fn resource_known_as(&self, name: &str) -> Option<ResourceId> {
        self.resource_named(name).or_else(|| self.by_history.get(name).copied())
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    pub(crate) fn resource_mut(&mut self, id: ResourceId) -> &mut Resource {
        &mut self.resources[id.index()]
    }

    pub(crate) fn state(&self, id: ResourceId) -> &ResourceState {
        &self.resources[id.index()].state
    }

    pub(crate) fn state_mut(&mut self, id: ResourceId) -> &mut ResourceState {
        &mut self.resources[id.index()].state
    }

    pub(crate) fn work(&self, id: ResourceId) -> &Work {
        &self.resources[id.index()].work
    }

    pub(crate) fn work_mut(&mut self, id: ResourceId) -> &mut Work {
        &mut self.resources[id.index()].work
    }

    pub(crate) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId::new)
    }

    /// The nodes that have been found so far, while the CIB is being read.
    pub(crate) fn born_nodes(&self) -> Vec<NodeId> {
        self.node_ids().filter(|&node| !self.node(node).state.unborn).collect()
    }

    /// Whether a node is a guest, by its launcher: the resource it runs in.
    pub fn launcher_of(&self, node: NodeId) -> Option<ResourceId> {
        let node = self.node(node);
        let connection = node.connection.filter(|_| node.kind == NodeKind::Guest)?;
        self.work(connection).launcher
    }

    /// The outermost resource it is in; itself if it is in none. A bundle is not what is in it: what is in one has its
    /// outermost resource within.
    pub fn top_of(&self, mut id: ResourceId) -> ResourceId {
        while let Some(parent) = self.resource(id).parent
            && self.resource(parent).variant != Variant::Bundle
        {
            id = parent;
        }
        id
    }

    /// Whether `ancestor` is the group, clone or bundle that holds `id`, at any depth.
    pub(crate) fn is_inside(&self, mut id: ResourceId, ancestor: ResourceId) -> bool {
        while let Some(parent) = self.resource(id).parent {
            if parent == ancestor {
                return true;
            }
            id = parent;
        }
        false
    }

    /// Brings the next look at the cluster forward to a moment that is still to come.
    pub(crate) fn recheck_at(&mut self, when: i64) {
        if when > self.now.secs && self.recheck_by.is_none_or(|other| when < other) {
            self.recheck_by = Some(when);
        }
    }

    /// The value of a cluster property, or its default.
    pub(crate) fn option(&self, name: &str) -> &str {
        self.options.value(name).unwrap_or_default()
    }
}
