// SPDX-License-Identifier: GPL-2.0-or-later
//! From actions to the transition graph.
//!
//! Decides: which actions and which of their relations are in it. Given: actions with their relations. Leaves to others:
//! its XML (`graph`).

use crate::action::{Action, ActionId, relation};
use crate::schedule::Options;
use crate::stage::graph_attributes::Words;
use crate::{Cluster, ConfigIssue, NodeId, NodeKind, ResourceId, Variant};
use graph::{ActionKind, GraphOptions, GraphResource, Input, NodeRef, Synapse, TransitionGraph};
use std::sync::Arc;

/// The graph so far, and what its parts share.
struct Making {
    synapses: Vec<Synapse>,
    /// By the place of the action: what names it wherever it is a trigger.
    identities: Vec<Option<Arc<Input>>>,
    /// By the place of the resource.
    resources: Vec<Option<Arc<GraphResource>>>,
    words: Words,
}

impl Cluster {
    pub(super) fn create_graph(&mut self, options: &Options) -> TransitionGraph {
        let mut making = Making {
            synapses: Vec::new(),
            identities: vec![None; self.actions.len()],
            resources: vec![None; self.resources.len()],
            words: Words::new(options.feature_set),
        };
        for resource in self.top.clone() {
            self.add_resource_actions(resource, &mut making);
        }
        self.note_maintenance();
        for index in (0..self.actions.len()).rev() {
            self.add_to_graph(ActionId::new(index), &mut making);
        }
        TransitionGraph { options: self.graph_options(options), synapses: making.synapses }
    }

    fn graph_options(&self, options: &Options) -> GraphOptions {
        let limit = self.option("migration-limit");
        let limited = crate::notation::integer(limit).is_some_and(|limit| limit > 0);
        GraphOptions {
            transition_id: options.transition_id,
            cluster_delay: self.option("cluster-delay").to_owned(),
            stonith_name: !options.names_fencing_timeout(),
            fencing_timeout: self.option("fencing-timeout").to_owned(),
            failed_stop_offset: "INFINITY".to_owned(),
            failed_start_offset: if self.options.start_failure_fatal { "INFINITY" } else { "1" }.to_owned(),
            batch_limit: self.option("batch-limit").to_owned(),
            migration_limit: limited.then(|| limit.to_owned()),
            recheck_by: self.recheck_by.filter(|&when| when > 0),
        }
    }

    fn add_resource_actions(&mut self, id: ResourceId, making: &mut Making) {
        if self.resource(id).variant == Variant::Bundle {
            // Its own actions stand for others', and are added with all that are of no resource.
            let clone = self.bundled_clone(id);
            let replicas = self.resource(id).replicas.clone();
            let parts = replicas.into_iter().flat_map(|r| [r.ip, Some(r.container), r.remote]);
            for part in clone.into_iter().chain(parts.flatten()) {
                self.add_resource_actions(part, making);
            }
            return;
        }
        if self.resource(id).variant == Variant::Clone {
            for index in (0..self.work(id).actions.len()).rev() {
                let action = self.work(id).actions[index];
                self.action_flags(action, None);
            }
            self.create_notifications(id);
            for child in self.resource(id).children.clone() {
                self.add_resource_actions(child, making);
            }
        }
        for index in (0..self.work(id).actions.len()).rev() {
            let action = self.work(id).actions[index];
            self.add_to_graph(action, making);
        }
        for child in self.resource(id).children.clone() {
            self.add_resource_actions(child, making);
        }
    }

    fn add_to_graph(&mut self, id: ActionId, making: &mut Making) {
        if self.action(id).in_graph {
            return;
        }
        self.deduplicate_inputs(id);
        if !self.belongs_in_graph(id) {
            return;
        }
        if let Some(place) = self.misplaced(id) {
            let action = self.action(id);
            let issue =
                format!("Skipping action {} ({}) because it was {place} (bug?)", action.key, action.id);
            self.note_issue(ConfigIssue::state_error(issue).logged_by("should_add_action_to_graph"));
            return;
        }
        self.action_mut(id).in_graph = true;
        let mut inputs = Vec::new();
        for at in (0..self.action(id).before.len()).rev() {
            if self.is_input_graphed(id, at) {
                self.action_mut(id).before[at].graphed = true;
                inputs.push(self.shared_identity(self.action(id).before[at].action, making));
            }
        }
        let priority = self.action(id).resource.map_or(0, |resource| self.state(resource).priority);
        let priority = priority.max(self.action(id).priority);
        let action = self.graph_action(id, making);
        let number = i32::try_from(making.synapses.len()).unwrap_or(i32::MAX);
        making.synapses.push(Synapse {
            id: number,
            priority: priority.max(0),
            actions: vec![action],
            inputs,
        });
    }

    fn belongs_in_graph(&self, id: ActionId) -> bool {
        let action = self.action(id);
        if !action.runnable || action.optional && !action.always_in_graph {
            return false;
        }
        if let Some(resource) = action.resource
            && !self.state(resource).managed
            && *action.task != *"monitor"
            && action.meta("interval").is_none_or(|interval| interval == "0")
        {
            return false;
        }
        true
    }

    /// Why nobody could carry an action out, if so.
    fn misplaced(&self, id: ActionId) -> Option<&'static str> {
        let action = self.action(id);
        if action.pseudo || matches!(&*action.task, "stonith" | "do_shutdown") {
            return None;
        }
        let Some(node) = action.node else { return Some("not assigned to a node") };
        let state = &self.node(node).state;
        let guest = self.node(node).kind == NodeKind::Guest && !state.remote_reset;
        match (action.on_dc || guest, state.online, state.unclean) {
            (true, ..) | (false, true, false) => None,
            (false, false, _) => Some("scheduled for offline node"),
            (false, true, true) => Some("scheduled for unclean node"),
        }
    }

    /// Remote and guest nodes whose maintenance mode changed: their states are to say so.
    fn maintenance_changes(&self) -> Vec<(String, bool)> {
        let changed = |node: &&crate::Node| {
            node.kind != NodeKind::Cluster && node.state.maintenance != node.state.remote_maintenance
        };
        let changed = self.nodes.iter().filter(changed);
        changed.map(|node| (node.id.to_string(), node.state.maintenance)).collect()
    }

    fn note_maintenance(&mut self) {
        if !self.maintenance_changes().is_empty() {
            let update = self.pseudo_action("maintenance_nodes");
            self.action_mut(update).always_in_graph = true;
        }
    }

    /// Whether what comes before an action is a trigger of it in the graph.
    pub(super) fn is_input_graphed(&mut self, id: ActionId, at: usize) -> bool {
        let input = self.action(id).before[at];
        if input.graphed {
            return true;
        }
        let (action, first, flags) = (self.action(id), self.action(input.action), input.flags);
        let only_order =
            relation::THEN_IMPLIES_FIRST_GRAPHED | relation::FIRST_IMPLIES_THEN_GRAPHED | relation::ORDERED;
        let blocking = relation::MIN_RUNNABLE | relation::UNMIGRATABLE_THEN_BLOCKS;
        if flags == relation::NONE
            || !first.runnable && (flags & !only_order == 0 || flags & blocking != 0)
            || flags & relation::IF_FIRST_UNMIGRATABLE != 0 && first.migratable
            || flags == relation::ORDERED && first.migratable && first.key.ends_with("_stop_0")
        {
            return false;
        }
        if matches!(flags, relation::IF_ON_SAME_NODE_OR_TARGET | relation::IF_REQUIRED_ON_SAME_NODE) {
            if !self.is_same_node_input(action, first, flags) {
                self.action_mut(id).before[at].flags = relation::NONE;
                return false;
            }
            return true;
        }
        let unmanaged_failure = first.resource.is_some_and(|resource| {
            let state = self.state(resource);
            first.resource != action.resource && state.failed && !state.managed
        });
        let clone = action.resource.is_some_and(|id| self.resource(id).variant == Variant::Clone);
        if unmanaged_failure && first.key.ends_with("_stop_0") && clone {
            return false;
        }
        !first.optional || first.always_in_graph || first.in_graph || self.belongs_in_graph(input.action)
    }

    fn is_same_node_input(&self, action: &Action, first: &Action, flags: u32) -> bool {
        if flags == relation::IF_REQUIRED_ON_SAME_NODE {
            let apart = matches!((first.node, action.node), (Some(a), Some(b)) if a != b);
            return !apart && !first.optional;
        }
        match action.resource {
            Some(resource) if *action.task == *"migrate_to" => {
                first.node.is_some() && first.node == self.work(resource).assigned
            }
            _ => first.node.is_some() && first.node == action.node && !first.optional,
        }
    }

    // --- parts of an action ---------------------------------------------------------------------------------------

    fn shared_identity(&self, id: ActionId, making: &mut Making) -> Arc<Input> {
        // Notifications are made while the graph is.
        if making.identities.len() <= id.index() {
            making.identities.resize(self.actions.len(), None);
        }
        let known = &mut making.identities[id.index()];
        Arc::clone(known.get_or_insert_with(|| Arc::new(self.identity(id))))
    }

    fn identity(&self, id: ActionId) -> Input {
        let action = self.action(id);
        let (kind, mode) = match &*action.task {
            "stonith" if action.pseudo => (ActionKind::Pseudo, None),
            "stonith" | "do_shutdown" | "clear_failcount" => (ActionKind::Cluster, None),
            "lrm_delete" => (ActionKind::Cluster, Some("cib".to_owned())),
            _ if action.pseudo => (ActionKind::Pseudo, None),
            _ => (ActionKind::Resource, None),
        };
        let without_node = kind == ActionKind::Pseudo && *action.task != *"stonith";
        let node = action.node.filter(|_| !without_node);
        let router_node = node.and_then(|_| self.router_of(action));
        let router_node = router_node.map(|node| self.node(node).name.to_string());
        let node = node.map(|node| NodeRef {
            name: self.node(node).name.to_string(),
            id: self.node(node).id.to_string(),
        });
        let history_id = action.resource.and_then(|resource| self.resource(resource).history_id.clone());
        let task = action.cancel_task.as_ref().unwrap_or(&action.task);
        let history_key = history_id.map(|id| history_key(action, &id, task));
        let internal = history_key.is_some().then(|| action.key.to_string());
        Input {
            kind,
            id: action.id,
            operation: action.task.to_string(),
            operation_key: history_key.unwrap_or_else(|| action.key.to_string()),
            internal_operation_key: internal,
            mode,
            node,
            router_node,
        }
    }

    fn graph_action(&mut self, id: ActionId, making: &mut Making) -> graph::Action {
        let identity = self.shared_identity(id, making);
        if let (Some(node), Some(_)) = (self.action(id).node, &identity.node) {
            let (name, node_id) = (Arc::clone(&self.node(node).name), Arc::clone(&self.node(node).id));
            let meta = &mut self.action_mut(id).meta;
            meta.insert("on_node", name);
            meta.insert("on_node_uuid", node_id);
        }
        let attributes = self.graph_attributes(id, &mut making.words);
        let action = self.action(id);
        let resource = action.resource.filter(|_| !action.pseudo);
        let downed = action.node.filter(|_| identity.node.is_some());
        let downed = downed.and_then(|node| self.downed_by(action, node));
        let maintenance = (*action.task == *"maintenance_nodes").then(|| self.maintenance_changes());
        let shared_resource = |id: ResourceId| {
            let known = &mut making.resources[id.index()];
            Arc::clone(known.get_or_insert_with(|| Arc::new(self.graph_resource(id))))
        };
        graph::Action {
            shutdown_lock: resource.and_then(|resource| self.lock_for(resource, action)),
            resource: resource.map(shared_resource),
            identity,
            attributes,
            downed,
            maintenance,
        }
    }

    /// The nodes that an action brings down.
    fn downed_by(&self, action: &Action, node: NodeId) -> Option<Vec<String>> {
        let id = |node: NodeId| self.node(node).id.to_string();
        match &*action.task {
            "do_shutdown" => Some(vec![id(node)]),
            "stonith" => {
                let fences = matches!(action.meta("stonith_action"), Some("off" | "reboot" | "poweroff"));
                let guests = self.guests_on(node);
                fences.then(|| std::iter::once(node).chain(guests).map(id).collect())
            }
            "stop" => {
                let connection = action.resource.filter(|&id| self.work(id).remote_connection)?;
                let moves = action.before.iter().any(|input| {
                    let input = self.action(input.action);
                    input.resource == Some(connection) && *input.task == *"migrate_from"
                });
                (!moves).then(|| vec![self.resource(connection).id.to_string()])
            }
            _ => None,
        }
    }

    /// Since when a resource is locked to the node of an action, if it is to stay so.
    fn lock_for(&self, resource: ResourceId, action: &Action) -> Option<i64> {
        let state = self.state(resource);
        let node = action.node.filter(|&node| state.lock_node == Some(node))?;
        let leaving = self.node(node).state.shutdown && *action.task != *"stop";
        (!leaving).then_some(state.lock_time)
    }

    fn graph_resource(&self, id: ResourceId) -> GraphResource {
        let resource = self.resource(id);
        let own = resource.id.to_string();
        let history = resource.history_id.as_ref().map(|id| id.to_string());
        let xml_id = resource.xml.id().unwrap_or_default().to_owned();
        let (id, long_id) = match history {
            Some(history) if resource.state.removed => (history, Some(own)),
            history if !resource.state.unique => {
                let long = history.filter(|history| *history != xml_id).unwrap_or(own);
                (xml_id, Some(long))
            }
            _ => (own, None),
        };
        let meta = |name: &str| resource.meta.get(name).map(|value| value.to_string());
        GraphResource {
            element: resource.xml.name().to_owned(),
            id,
            long_id,
            class: meta("class"),
            provider: meta("provider"),
            agent: meta("type"),
        }
    }
}

/// An action's key in drawings. Notifications are told apart by the action they follow there (`promoted`), not by what
/// they are about.
pub(crate) fn drawn_key(action: &Action, history_id: &str, task: &str) -> String {
    let told = matches!(&*action.task, "notify" | "notified");
    match (told, action.meta("notify_key_type"), action.meta("notify_key_operation")) {
        (true, Some(kind), Some(of)) => format!("{history_id}_{kind}_notify_{of}_0"),
        _ => crate::notation::op_key(history_id, task, action.interval.as_ms()),
    }
}

/// An action's key with the name its resource goes by in the history.
fn history_key(action: &Action, history_id: &str, task: &str) -> String {
    match (&*action.task, action.meta("notify_type"), action.meta("notify_operation")) {
        ("notify", Some(kind), Some(of)) => format!("{history_id}_{kind}_notify_{of}_0"),
        _ => crate::notation::op_key(history_id, task, action.interval.as_ms()),
    }
}
