// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a resource does not run: what in its configuration, or in the state of nodes, keeps it from that.

use super::Said;
use super::site::Site;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use crate::status;
use model::{ExitCode, Role};
use scheduler::{Cluster, NodeId, ResourceId};

/// What keeps a resource from running.
pub(super) struct Checks<'c> {
    /// The outermost resource it is in: what is said is said of that.
    name: &'c str,
    remain_stopped: bool,
    unpromotable: bool,
    unmanaged: bool,
    locked_to: Option<&'c str>,
    unhealthy: bool,
    strategy: &'c str,
}

impl<'c> Checks<'c> {
    /// For any node, or for one.
    pub fn of(cluster: &'c Cluster, id: ResourceId, node: Option<NodeId>) -> Checks<'c> {
        let resource = cluster.resource(id);
        let top = cluster.outermost(id);
        let role = resource.meta.get("target-role").and_then(|role| role.parse::<Role>().ok());
        let unhealthy = match node {
            Some(node) => status::is_too_ill(cluster, node),
            None => {
                let mut nodes = cluster.nodes_considered(id).map(|(node, _)| node).peekable();
                nodes.peek().is_some() && nodes.all(|node| status::is_too_ill(cluster, node))
            }
        };
        Checks {
            name: &cluster.resource(top).id,
            remain_stopped: role == Some(Role::Stopped),
            unpromotable: role == Some(Role::Unpromoted) && cluster.traits(top).promotable,
            unmanaged: resource
                .meta
                .get("is-managed")
                .is_some_and(|value| model::parse_bool(value) != Some(true)),
            locked_to: resource.state.lock_node.map(|node| &*cluster.node(node).name),
            unhealthy,
            strategy: cluster.options.value("node-health-strategy").unwrap_or("none"),
        }
    }

    fn text(&self) -> String {
        let name = self.name;
        let mut lines = Vec::new();
        if self.remain_stopped {
            lines.push(format!("Configuration specifies '{name}' should remain stopped\n"));
        }
        if self.unpromotable {
            lines.push(format!("Configuration specifies '{name}' should not be promoted\n"));
        }
        if self.unmanaged {
            lines.push(format!(
                "Configuration prevents cluster from stopping or starting unmanaged '{name}'\n"
            ));
        }
        if let Some(node) = self.locked_to {
            lines.push(format!("'{name}' is locked to node {node} due to shutdown\n"));
        }
        if self.unhealthy {
            let strategy = self.strategy;
            lines.push(format!(
                "'{name}' cannot run on unhealthy nodes due to node-health-strategy='{strategy}'\n"
            ));
        }
        lines.concat()
    }

    fn entry(&self) -> Entry {
        let flag = |set: bool| set.then_some(true);
        Entry::new("check")
            .attr("id", self.name)
            .attr_opt("remain_stopped", flag(self.remain_stopped))
            .attr_opt("promotable", self.unpromotable.then_some(false))
            .attr_opt("unmanaged", flag(self.unmanaged))
            .attr_opt("locked-to", self.locked_to)
            .attr_opt("unhealthy", flag(self.unhealthy))
    }

    pub fn said(&self) -> Said {
        Said { text: self.text(), entry: self.entry() }
    }
}

/// Whether resources run, and what keeps them from it: all, one, those on a node, or one on a node.
pub(super) fn show(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (text, entry) = match (site.resource, site.node) {
        (None, None) => all(&site.cluster),
        (None, Some(node)) => all_on(&site.cluster, node),
        (Some(id), None) => one(&site.cluster, id),
        (Some(id), Some(node)) => one_on(&site.cluster, id, node),
    };
    if out.is_text() {
        out.print(&text)?;
    } else {
        out.add_once(entry);
    }
    Ok(ExitCode::OK)
}

fn running(cluster: &Cluster, id: ResourceId) -> (String, bool) {
    let runs = !cluster.locations_of(id).is_empty();
    let not = if runs { "" } else { "not " };
    (format!("Resource {} is {not}running\n", cluster.resource(id).id), runs)
}

fn all(cluster: &Cluster) -> (String, Entry) {
    let mut text = String::new();
    let mut resources = Entry::new("resources");
    for &id in &cluster.top {
        let (line, runs) = running(cluster, id);
        let checks = Checks::of(cluster, id, None);
        text.push_str(&line);
        text.push_str(&checks.text());
        let entry = Entry::new("resource").attr("id", &*cluster.resource(id).id).attr("running", runs);
        resources = resources.item(entry.child(checks.entry()));
    }
    (text, Entry::new("reason").child(resources))
}

fn one(cluster: &Cluster, id: ResourceId) -> (String, Entry) {
    let (line, runs) = running(cluster, id);
    let checks = Checks::of(cluster, id, None);
    (line + &checks.text(), Entry::new("reason").attr("running", runs).child(checks.entry()))
}

fn one_on(cluster: &Cluster, id: ResourceId, node: NodeId) -> (String, Entry) {
    let (name, host) = (&cluster.resource(id).id, &*cluster.node(node).name);
    let runs = cluster.locations_of(id).contains(&node);
    let not = if runs { "" } else { "not " };
    let checks = Checks::of(cluster, id, Some(node));
    let text = format!("Resource {name} is {not}running on host {host}\n{}", checks.text());
    (text, Entry::new("reason").attr_opt("running_on", runs.then_some(host)).child(checks.entry()))
}

fn all_on(cluster: &Cluster, node: NodeId) -> (String, Entry) {
    let host = &*cluster.node(node).name;
    let mut text = String::new();
    let mut resources = Entry::new("resources");
    for &id in &cluster.node(node).state.running {
        let name = &*cluster.resource(id).id;
        let checks = Checks::of(cluster, id, Some(node));
        text.push_str(&format!("Resource {name} is running on host {host}\n{}", checks.text()));
        let entry = Entry::new("resource").attr("id", name).attr("running", true).attr("host", host);
        resources = resources.item(entry.child(checks.entry()));
    }
    (text, Entry::new("reason").child(resources))
}
