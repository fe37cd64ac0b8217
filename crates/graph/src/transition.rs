// SPDX-License-Identifier: GPL-2.0-or-later
//! The graph's type: synapses, each an action with what it waits for.
//!
//! Decides: the shape. Given: nothing. Leaves to others: its XML form (`xml_form`), its dot form (`dot`), its walk.
//!
//! Graphs can be large, and most of one is the same names over and over; these are shared.

use std::sync::Arc;

/// A whole transition: everything that leads from what is to what should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransitionGraph {
    /// What holds for the whole of it.
    pub options: GraphOptions,
    /// Its parts, in the order they are written.
    pub synapses: Vec<Synapse>,
}

/// What holds for a whole transition. Spans and limits are kept as they were configured, because that is how they
/// travel; who needs numbers parses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphOptions {
    /// The transition's number; the scheduler counts from 1.
    pub transition_id: i32,
    /// `cluster-delay`: what is added to timeouts for the way there and back.
    pub cluster_delay: String,
    /// How long fencing may take.
    pub fencing_timeout: String,
    /// It is called `stonith-timeout`, as before 3.0, not `fencing-timeout`.
    pub stonith_name: bool,
    /// What a failed stop adds to the fail count: `INFINITY`.
    pub failed_stop_offset: String,
    /// What a failed start adds to the fail count: `INFINITY`, or `1` with `start-failure-is-fatal=false`.
    pub failed_start_offset: String,
    /// `batch-limit`: how many actions may run at once; `0` lets the controller choose.
    pub batch_limit: String,
    /// `migration-limit`: how many migrations may run at once on a node; none if unlimited.
    pub migration_limit: Option<String>,
    /// Seconds since the epoch by which the cluster should be looked at again, if something ends or begins then.
    pub recheck_by: Option<i64>,
}

impl Default for GraphOptions {
    fn default() -> GraphOptions {
        GraphOptions {
            transition_id: 0,
            cluster_delay: "60s".to_owned(),
            fencing_timeout: "60s".to_owned(),
            stonith_name: false,
            failed_stop_offset: "INFINITY".to_owned(),
            failed_start_offset: "INFINITY".to_owned(),
            batch_limit: "0".to_owned(),
            migration_limit: None,
            recheck_by: None,
        }
    }
}

/// Actions that become due together (always one, as the scheduler makes them) once all inputs are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synapse {
    /// Its number in the graph, from 0.
    pub id: i32,
    /// Synapses with a higher priority are looked at first, and decide whether an abort may interrupt the graph.
    pub priority: i32,
    /// What to do.
    pub actions: Vec<Action>,
    /// What has to be confirmed first.
    pub inputs: Vec<Arc<Input>>,
}

/// What kind of thing an action is, by who carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// `rsc_op`: an executor runs an agent.
    Resource,
    /// `crm_event`: a controller does it (fencing, shutdown, clearing of history or fail counts).
    Cluster,
    /// `pseudo_event`: nobody does anything; it orders others.
    Pseudo,
}

impl ActionKind {
    /// The name of its XML element.
    pub const fn as_str(self) -> &'static str {
        match self {
            ActionKind::Resource => "rsc_op",
            ActionKind::Cluster => "crm_event",
            ActionKind::Pseudo => "pseudo_event",
        }
    }

    /// From the name of its XML element.
    pub fn from_element(name: &str) -> Option<ActionKind> {
        match name {
            "rsc_op" => Some(ActionKind::Resource),
            "crm_event" => Some(ActionKind::Cluster),
            "pseudo_event" => Some(ActionKind::Pseudo),
            _ => None,
        }
    }
}

/// The node an action is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRef {
    /// `on_node`: its name.
    pub name: String,
    /// `on_node_uuid`: its id.
    pub id: String,
}

/// The part of an action that its confirmation names, and by which other synapses wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Who carries it out.
    pub kind: ActionKind,
    /// Its number, unique in the graph.
    pub id: i32,
    /// What is done: `start`, `stonith`, `load_stopped_node1`, …
    pub operation: String,
    /// The operation's key, such as `web_start_0`; that of the resource's history for instances of clones.
    pub operation_key: String,
    /// The key with the instance's own name, where it differs.
    pub internal_operation_key: Option<String>,
    /// `mode="cib"`: the CIB is changed, no executor is asked.
    pub mode: Option<String>,
    /// Where.
    pub node: Option<NodeRef>,
    /// The cluster node through which a remote node is reached.
    pub router_node: Option<String>,
}

/// The resource an action is about, as the executor has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphResource {
    /// The element's name; `primitive` unless something odd is configured.
    pub element: String,
    /// The id under which its history is kept.
    pub id: String,
    /// The instance's id, where it differs.
    pub long_id: Option<String>,
    /// `ocf`, `systemd`, …
    pub class: Option<String>,
    /// Of OCF agents.
    pub provider: Option<String>,
    /// The agent's name.
    pub agent: Option<String>,
}

/// An action in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it is, where, under which names.
    pub identity: Arc<Input>,
    /// Seconds since the epoch of the shutdown for which the resource stays locked to the node.
    pub shutdown_lock: Option<i64>,
    /// What it is about.
    pub resource: Option<Arc<GraphResource>>,
    /// Parameters and `CRM_meta_*`, sorted by name.
    pub attributes: Vec<(Arc<str>, Arc<str>)>,
    /// Ids of the nodes that are down once it has succeeded.
    pub downed: Option<Vec<String>>,
    /// Ids of remote nodes with whether they are in maintenance.
    pub maintenance: Option<Vec<(String, bool)>>,
}

impl Action {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| **key == *name).map(|(_, value)| &**value)
    }

    /// The value of `CRM_meta_NAME`.
    pub fn meta(&self, name: &str) -> Option<&str> {
        let matches = |key: &str| key.strip_prefix("CRM_meta_") == Some(name);
        self.attributes.iter().find(|(key, _)| matches(key)).map(|(_, value)| &**value)
    }
}
