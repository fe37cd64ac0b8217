// SPDX-License-Identifier: GPL-2.0-or-later
//! Remote and guest nodes: nodes that are reached through a connection, which is itself a resource.
//!
//! Decides: which nodes there are because of resources, which connection leads to which node, how such a node is.
//! Given: `resources`, what is known of connections. Leaves to others: what waits for a connection (`stage::remote`).
//!
//! A node can be found late: a bundle's when the bundle is read, that of a removed connection when its history is. All
//! are given their place at the start, in the order of names, and those that are to be found later count as unborn.

use crate::notation::{is_true, number};
use crate::{Cluster, NodeId, NodeKind, ResourceId};
use model::Role;
use std::collections::BTreeSet;
use std::sync::Arc;
use xml::Element;

/// Whether an element is the connection to a remote node.
pub(super) fn is_connection(xml: &Element) -> bool {
    let is = |name: &str, value: &str| xml.attr(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
    is("type", "remote") && is("class", "ocf") && is("provider", "pacemaker")
}

/// What the implicit connection to a guest node or bundle is made of.
#[derive(Default)]
pub(super) struct Connection<'a> {
    pub name: &'a str,
    pub container: &'a str,
    pub allow_migrate: Option<&'a str>,
    pub managed: Option<&'a str>,
    pub start_timeout: Option<&'a str>,
    pub address: Option<&'a str>,
    pub port: Option<&'a str>,
}

fn pair(holder: &str, name: &str, value: &str) -> Element {
    let nvpair = Element::new("nvpair").with_attr("id", format!("{holder}-{name}"));
    nvpair.with_attr("name", name).with_attr("value", value)
}

/// An element of name/value pairs.
pub(super) fn block(element: &str, id: &str, pairs: &[(&str, Option<&str>)]) -> Element {
    let given = pairs.iter().filter_map(|&(name, value)| Some(pair(id, name, value?)));
    Element::new(element.to_owned()).with_attr("id", id).with_children(given)
}

/// An operation's element.
pub(super) fn operation(resource: &str, name: &str, interval: &str, timeout: Option<&str>) -> Element {
    let mut op = Element::new("op").with_attr("id", format!("{resource}-{name}-{interval}"));
    op.set_attr("interval", interval);
    op.set_attr("name", name);
    op.set_attr_opt("timeout", timeout);
    op
}

impl Connection<'_> {
    /// The primitive, as if it had been configured.
    pub(super) fn to_xml(&self) -> Element {
        let primitive = Element::new("primitive").with_attr("id", self.name).with_attr("class", "ocf");
        let mut primitive = primitive.with_attr("provider", "pacemaker").with_attr("type", "remote");
        let meta = [
            ("internal_rsc", Some("true")),
            ("container", Some(self.container)),
            ("allow-migrate", self.allow_migrate),
            ("is-managed", self.managed),
        ];
        primitive.push(block("meta_attributes", &format!("{}-meta_attributes", self.name), &meta));
        if self.address.is_some() || self.port.is_some() {
            let parameters = [("addr", self.address), ("port", self.port)];
            primitive.push(block(
                "instance_attributes",
                &format!("{}-instance_attributes", self.name),
                &parameters,
            ));
        }
        let start = self.start_timeout.map(|timeout| operation(self.name, "start", "0", Some(timeout)));
        let monitor = operation(self.name, "monitor", "30s", Some("30s"));
        let operations = std::iter::once(monitor).chain(start);
        primitive.push(Element::new("operations").with_children(operations));
        primitive
    }
}

/// The connection to the guest node that a primitive makes, if it makes one.
fn guest_connection(xml: &Element) -> Option<Element> {
    let mut guest = Connection { container: xml.id()?, start_timeout: Some("60s"), ..Connection::default() };
    let blocks = xml.elements_named("meta_attributes");
    for nvpair in blocks.flat_map(Element::elements) {
        let value = nvpair.attr("value");
        match nvpair.attr("name") {
            Some("remote-node") => guest.name = value.unwrap_or_default(),
            Some("remote-addr") => guest.address = value,
            Some("remote-port") => guest.port = value,
            Some("remote-connect-timeout") => guest.start_timeout = value,
            Some("remote-allow-migrate") => guest.allow_migrate = value,
            Some("is-managed") => guest.managed = value,
            _ => {}
        }
    }
    (!guest.name.is_empty()).then(|| guest.to_xml())
}

/// The nodes that there are because of resources.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Those that are known before any resource is read.
    pub early: Vec<String>,
    /// Bundles', and those of connections that were removed; with whether it is a bundle's.
    pub late: Vec<(String, bool)>,
    /// The connections that have to be added to the resources.
    pub implicit: Vec<Element>,
}

impl Cluster {
    /// Finds the nodes that there are because of resources. `not` are names that turned out to be none.
    pub(super) fn find_reached_nodes(&self, not: &BTreeSet<String>) -> Reached {
        let mut reached = Reached::default();
        let mut ids: BTreeSet<String> = BTreeSet::new();
        let mut replicas_left = super::bundles::REPLICAS_MAX;
        let section = self.section("resources");
        for element in section.iter().flat_map(Element::elements) {
            if is_connection(element) {
                reached.early.extend(element.id().map(str::to_owned));
            } else {
                let guests: Vec<Element> = match element.name() {
                    "primitive" => guest_connection(element).into_iter().collect(),
                    "group" => element.elements().filter_map(guest_connection).collect(),
                    _ => Vec::new(),
                };
                reached.early.extend(guests.iter().filter_map(|guest| guest.id().map(str::to_owned)));
                reached.implicit.extend(guests);
            }
            if element.name() == "bundle" {
                let names = super::bundles::node_names(element, &ids, &mut replicas_left);
                ids.extend(names.iter().cloned());
                reached.late.extend(names.into_iter().map(|name| (name, true)));
            }
            let resources = element.descendants().filter(|e| matches!(e.name(), "primitive" | "group"));
            let own = element.id().into_iter().chain(resources.filter_map(Element::id));
            ids.extend(own.map(str::to_owned));
        }
        ids.extend(reached.early.iter().cloned());
        ids.extend(reached.late.iter().map(|(name, _)| name.clone()));
        let states = self.cib.child("status").into_iter().flat_map(|s| s.elements_named("node_state"));
        let lists = states.filter_map(|state| state.descend(&["lrm", "lrm_resources"]));
        for entry in lists.flat_map(|list| list.elements_named("lrm_resource")) {
            if let Some(id) = entry.id()
                && is_connection(entry)
                && ids.insert(id.to_owned())
            {
                reached.late.push((id.to_owned(), false));
            }
        }
        reached.early.retain(|name| !not.contains(name));
        reached.late.retain(|(name, _)| !not.contains(name));
        reached
    }

    // --- connections and their nodes ------------------------------------------------------------------------------

    /// Resources that run in containers made by other resources, and connections with the nodes they lead to.
    pub(super) fn link_containers_and_nodes(&mut self) {
        for id in self.top.clone() {
            self.link_container(id);
            self.link_node(id);
        }
    }

    fn link_container(&mut self, id: ResourceId) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for child in resource.children.clone() {
                self.link_container(child);
            }
            return;
        }
        let Some(container) = resource.meta.get("container").filter(|c| **c != resource.id).cloned() else {
            return;
        };
        let name = resource.id.clone();
        match self.resource_named(&container) {
            Some(launcher) => {
                self.work_mut(id).launcher = Some(launcher);
                self.work_mut(launcher).launched.push(id);
            }
            None => {
                let issue = format!("Resource {name}: Unknown container {container}");
                self.note_issue(crate::ConfigIssue::error(issue));
            }
        }
    }

    /// A connection leads to the node of its name. A node seen for the first time may be in any state.
    pub(super) fn link_node(&mut self, id: ResourceId) {
        if !self.work(id).remote_connection {
            return;
        }
        let name = self.resource(id).id.clone();
        let Some(node) = self.node_named(&name) else { return };
        self.node_mut(node).connection = Some(id);
        if self.work(id).launcher.is_some() {
            self.make_guest(node);
        } else {
            let unclean = self.options.startup_fencing;
            self.node_mut(node).state.unclean = unclean;
        }
    }

    pub(crate) fn make_guest(&mut self, node: NodeId) {
        let node = self.node_mut(node);
        node.kind = NodeKind::Guest;
        node.attributes.insert(Arc::from("#kind"), Arc::from("container"));
    }

    /// A removed connection that is still in the history: its node is there to be shut down.
    pub(super) fn revive_removed_node(&mut self, connection: ResourceId) {
        if !self.work(connection).remote_connection {
            return;
        }
        let name = self.resource(connection).id.clone();
        if self.node_named(&name).is_none()
            && let Some(unborn) = self.unborn_named(&name)
        {
            self.node_mut(unborn).state.unborn = false;
        }
        self.link_node(connection);
        if let Some(node) = self.node_named(&name) {
            self.node_mut(node).state.shutdown = true;
        }
    }

    pub(super) fn unborn_named(&self, name: &str) -> Option<NodeId> {
        let wanted = |node: &crate::Node| node.state.unborn && node.name.eq_ignore_ascii_case(name);
        self.nodes.iter().position(wanted).map(NodeId::new)
    }

    // --- how they are ---------------------------------------------------------------------------------------------

    /// Whether a node's history can be read already: only once it is known that the node can be reached.
    pub(super) fn is_reached(&self, node: NodeId) -> bool {
        let node = self.node(node);
        let Some(connection) = node.connection else { return false };
        let started = |id: ResourceId| self.state(id).role == Role::Started;
        match (node.kind, self.work(connection).launcher) {
            (NodeKind::Guest, Some(launcher)) => started(connection) && started(launcher),
            _ => self.options.shutdown_lock || started(connection),
        }
    }

    /// Whether a node is online follows from its connection, and the container if it is in one.
    pub(super) fn determine_reached_online(&mut self, node: NodeId) {
        let Some(connection) = self.node(node).connection else {
            self.node_mut(node).state.online = false;
            return;
        };
        let launcher = self.work(connection).launcher;
        let state = self.state(connection);
        let (role, next_role, failed) = (state.role, state.next_role, state.failed);
        let host = match state.active_on.as_slice() {
            &[host] if launcher.is_some() => Some(host),
            _ => None,
        };
        let launcher = launcher.map(|id| self.state(id));
        let container_failed = launcher.is_some_and(|state| state.failed);
        let container_stopped = launcher.is_some_and(|state| state.role == Role::Stopped);
        let host_lost = host.is_some_and(|host| {
            let host = &self.node(host).state;
            !host.online && host.unclean
        });
        let state = &mut self.node_mut(node).state;
        if role == Role::Started {
            state.online = true;
            state.shutdown |= next_role == Role::Stopped;
        }
        if container_failed {
            state.online = false;
            state.remote_reset = true;
        } else if failed {
            state.online = false;
        } else if role == Role::Stopped || container_stopped {
            state.online = false;
            state.remote_reset = false;
        } else if host_lost {
            state.online = false;
            state.remote_reset = true;
        }
    }

    /// What a reached node's own state says.
    pub(super) fn unpack_reached_state(&mut self, node: NodeId, xml: &Element) {
        let maintenance = number(xml, "node_in_maintenance").unwrap_or(0) > 0;
        let state = &mut self.node_mut(node).state;
        state.remote_maintenance = maintenance;
        if !state.remote_reset {
            state.unclean = false;
            state.unseen = false;
        }
        self.add_node_attributes(node, xml.child("transient_attributes"), true);
        let attribute = |name: &str| self.node(node).attributes.get(name).map(|value| &**value);
        let shutdown = attribute("shutdown").is_some_and(|value| value != "0");
        let standby = is_true(attribute("standby"));
        let unmanaged = self.node(node).connection.is_some_and(|id| !self.state(id).managed);
        let maintenance = is_true(attribute("maintenance")) || unmanaged;
        let discovery = attribute("resource-discovery-enabled").is_none_or(|value| is_true(Some(value)));
        let ignored = self.node(node).kind == NodeKind::Remote && !self.options.fencing_enabled;
        let state = &mut self.node_mut(node).state;
        state.shutdown |= shutdown;
        state.standby |= standby;
        state.maintenance |= maintenance;
        state.discovery_disabled |= !discovery && !ignored;
    }

    /// Once all is known: connections of nodes that leave are closed, and those nodes judged that have no history.
    pub(super) fn conclude_reached_nodes(&mut self) {
        for node in self.node_ids() {
            if self.node(node).kind == NodeKind::Cluster {
                continue;
            }
            let state = &self.node(node).state;
            let (leaving, unpacked) = (state.shutdown, state.unpacked);
            if let Some(connection) = self.node(node).connection.filter(|_| leaving) {
                self.state_mut(connection).next_role = Role::Stopped;
            }
            if !unpacked {
                self.determine_reached_online(node);
            }
        }
    }
}
