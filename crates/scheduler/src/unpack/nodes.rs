// SPDX-License-Identifier: GPL-2.0-or-later
//! Nodes as configured, and their attributes.
//!
//! Decides: who is a node, in which order. Given: `nodes`. Leaves to others: how they are (`status`).

use crate::notation::{RuleNews, compare_names, rule_input, score_attr, unpack_blocks};
use crate::{Cluster, ConfigIssue, Node, NodeId, NodeKind, NodeState};
use std::collections::BTreeSet;
use std::sync::Arc;
use xml::Element;

impl Cluster {
    /// Reads the nodes, those that there are because of resources too; what these are connected by is given back.
    pub(super) fn unpack_nodes(&mut self, not: &BTreeSet<String>) -> Vec<Element> {
        let mut found: Vec<(Node, Option<Element>)> = Vec::new();
        for element in self.section("nodes").iter().flat_map(|nodes| nodes.elements_named("node")) {
            let (Some(id), Some(name)) = (element.id(), element.attr("uname")) else {
                self.note_issue(ConfigIssue::error(
                    "Ignoring <node> entry in configuration without id and uname",
                ));
                continue;
            };
            let kind = match element.attr("type").map(str::to_ascii_lowercase).as_deref() {
                None | Some("member") => NodeKind::Cluster,
                Some("remote") => NodeKind::Remote,
                Some(other) => {
                    let issue = format!("Ignoring node {name} with unrecognized type '{other}'");
                    self.note_issue(ConfigIssue::error(issue));
                    continue;
                }
            };
            let state = NodeState {
                score: score_attr(element, "score"),
                unclean: self.options.startup_fencing && kind == NodeKind::Cluster,
                ..NodeState::default()
            };
            let taken = found.iter().any(|(node, _)| node.name.eq_ignore_ascii_case(name));
            if taken {
                let issue = format!("More than one node entry has name '{name}'");
                self.note_issue(ConfigIssue::warning(issue).logged_by("pe__create_node"));
            }
            insert_node(&mut found, name, id, kind, state, Some(element.clone()));
        }
        let reached = self.find_reached_nodes(not);
        let early = reached.early.iter().map(|name| (name, false));
        let late = reached.late.iter().map(|(name, _)| (name, true));
        for (name, unborn) in early.chain(late) {
            if !found.iter().any(|(node, _)| node.name.eq_ignore_ascii_case(name)) {
                let state = NodeState { unborn, ..NodeState::default() };
                insert_node(&mut found, name, name, NodeKind::Remote, state, None);
            }
        }
        let elements: Vec<Option<Element>> = found.iter().map(|(_, element)| element.clone()).collect();
        self.nodes = found.into_iter().map(|(node, _)| node).collect();
        for (index, element) in elements.iter().enumerate() {
            let node = NodeId::new(index);
            let kind = if self.node(node).kind == NodeKind::Cluster { "cluster" } else { "remote" };
            self.node_mut(node).attributes.insert(Arc::from("#kind"), Arc::from(kind));
            if element.is_some() {
                self.add_node_attributes(node, element.as_ref(), false);
            }
        }
        reached.implicit
    }

    /// Adds attributes from the configuration (which stay as they are) or the status (which win).
    pub(super) fn add_node_attributes(&mut self, id: NodeId, holder: Option<&Element>, overwrite: bool) {
        let mut read = crate::cluster::Parameters::new();
        let mut utilization = crate::cluster::Parameters::new();
        let mut news = RuleNews::since(self.recheck_by);
        if let Some(holder) = holder {
            let input = rule_input(self.now, &self.cib);
            unpack_blocks(holder, "instance_attributes", &input, &mut news, &mut read);
            unpack_blocks(holder, "utilization", &input, &mut news, &mut utilization);
        }
        self.heed(news);
        let is_dc_by_id =
            self.cib.attr("dc-uuid").is_some_and(|dc| dc.eq_ignore_ascii_case(&self.node(id).id));
        if self.dc.is_none() && is_dc_by_id {
            self.dc = Some(id);
            self.node_mut(id).state.is_dc = true;
        }
        let is_dc = if self.dc == Some(id) { "true" } else { "false" };
        let cluster_name = self.options.cluster_name.clone();
        let node = self.node_mut(id);
        let own = [("#uname", node.name.clone()), ("#id", node.id.clone()), ("#is_dc", Arc::from(is_dc))];
        let own = own.into_iter().chain(cluster_name.clone().map(|name| ("#cluster-name", name)));
        node.attributes.extend(own.map(|(name, value)| (Arc::from(name), value)));
        for (name, value) in read {
            if overwrite || !node.attributes.contains_key(&name) {
                node.attributes.insert(name, value);
            }
        }
        for (name, value) in utilization {
            node.utilization.entry(name).or_insert(value);
        }
        if !node.attributes.contains_key("#site-name") {
            let site = node.attributes.get("site-name").cloned().or(cluster_name);
            node.attributes.extend(site.map(|site| (Arc::from("#site-name"), site)));
        }
    }

    /// The node of an id, else of a name.
    pub(super) fn find_node(&self, id: &str, name: Option<&str>) -> Option<NodeId> {
        let fits = |node: &Node| !node.state.unborn && node.id.eq_ignore_ascii_case(id);
        let by_id = self.nodes.iter().position(fits);
        by_id.map(NodeId::new).or_else(|| self.node_named(name?))
    }
}

/// Puts a node among the others, in the order of names.
fn insert_node(
    found: &mut Vec<(Node, Option<Element>)>,
    name: &str,
    id: &str,
    kind: NodeKind,
    state: NodeState,
    element: Option<Element>,
) {
    let state = NodeState { unseen: true, ..state };
    let node = Node { name: Arc::from(name), id: Arc::from(id), kind, state, ..Node::default() };
    let place = found.partition_point(|(other, _)| compare_names(name, &other.name).is_gt());
    found.insert(place, (node, element));
}
