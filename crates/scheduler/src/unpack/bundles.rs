// SPDX-License-Identifier: GPL-2.0-or-later
//! Bundles as configured: containers, each with an address, a connection and an instance of what runs in them.
//!
//! Decides: the resources and nodes that a bundle makes, as if each had been configured (Pacemaker Explained,
//! "Bundles"). Their definitions are compared with those recorded, so every blank of them counts. Given: `bundle`s.
//! Leaves to others: what becomes of them (`variant::bundle`).

use super::remote::{Connection, block, operation};
use crate::cluster::{Allowed, NodeTable};
use crate::ledger::Cause;
use crate::notation::{integer, parse_bool};
use crate::{Cluster, ConfigIssue, Discovery, InstanceTerms, NodeId, NodeKind, Replica, ResourceId};
use model::Score;
use std::collections::BTreeSet;
use std::sync::Arc;
use xml::{Element, Node};

/// Where the key to containers is, outside and inside.
const KEY_FILE: &str = "/etc/pacemaker/authkey";

/// Where containers keep their logs outside.
const LOG_DIR: &str = "/var/log/pacemaker/bundles";

/// What runs in a container if nothing else is configured.
const EXECUTOR: &str = "/usr/sbin/pacemaker-remoted";

/// The port that is connected to if no other is configured.
const PORT: &str = "3121";

/// How much what is in a container wants to be there.
const INNER_SCORE: i32 = 500;

/// So many replicas are made in all bundles together. Each is a node too, of which every resource thinks something, so
/// memory grows with their square, and time faster. No cluster has so many.
pub(super) const REPLICAS_MAX: usize = 100;

/// A directory that a container sees.
struct Mount<'a> {
    source: &'a str,
    target: &'a str,
    options: Option<&'a str>,
    /// Each replica has its own directory below the source.
    own: bool,
}

/// What a bundle says of its containers.
struct Terms<'a> {
    prefix: &'a str,
    agent: &'static str,
    launcher: &'a Element,
    network: Option<&'a Element>,
    promoted_max: usize,
    replicas: usize,
    /// As many replicas are configured.
    wanted: usize,
    per_host: usize,
    primitive: Option<&'a Element>,
}

/// A number that is at least so much.
fn at_least(value: Option<&str>, least: usize) -> usize {
    let value = value.and_then(integer).and_then(|n| usize::try_from(n).ok());
    value.unwrap_or(least).max(least)
}

/// The address after one; IPv6 is not counted on.
fn next_address(address: &str) -> Option<String> {
    let mut parts = address.splitn(4, '.');
    let mut octet = || {
        let part = parts.next()?;
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.get(..digits)?.parse::<u32>().ok()
    };
    match (octet()?, octet()?, octet()?, octet()?) {
        (_, _, 254.., _) => None,
        (a, b, c, 254..) => Some(format!("{a}.{b}.{}.1", c + 1)),
        (a, b, c, d) => Some(format!("{a}.{b}.{c}.{}", d + 1)),
    }
}

fn sanitized(id: String) -> String {
    id.replace([':', '#'], ".")
}

impl<'a> Terms<'a> {
    /// Reads a bundle, of which not more than `left` replicas may be made; none if it is of no known kind.
    fn read(bundle: &'a Element, left: &mut usize) -> Option<Terms<'a>> {
        let known = ["docker", "podman"];
        let (agent, launcher) = known.iter().find_map(|&agent| Some((agent, bundle.child(agent)?)))?;
        let promoted_max = at_least(launcher.attr("promoted-max"), 0);
        let wanted = match launcher.attr("replicas") {
            None if promoted_max > 0 => promoted_max,
            value => at_least(value, 1),
        };
        let prefix = bundle.id()?;
        let replicas = wanted.min(*left);
        *left -= replicas;
        Some(Terms {
            prefix,
            agent,
            launcher,
            network: bundle.child("network"),
            promoted_max,
            replicas,
            wanted,
            per_host: at_least(launcher.attr("replicas-per-host"), 1),
            primitive: bundle.child("primitive"),
        })
    }

    fn network(&self, name: &str) -> Option<&'a str> {
        self.network?.attr(name)
    }

    /// What is in the containers can be reached: at addresses of their own, or at a port of the host.
    fn is_reachable(&self) -> bool {
        self.network("ip-range-start").is_some() || self.network("control-port").is_some()
    }

    /// The replicas' addresses.
    fn addresses(&self) -> Vec<Option<String>> {
        let Some(start) = self.network("ip-range-start") else { return vec![None; self.replicas] };
        let mut last: Option<String> = None;
        let mut next = || {
            last = last.as_deref().map_or_else(|| Some(start.to_owned()), next_address);
            last.clone()
        };
        (0..self.replicas).map(|_| next()).collect()
    }

    /// What each container is told of all others: their names and addresses.
    fn host_options(&self, addresses: &[Option<String>]) -> String {
        let add = self.network("add-host").and_then(parse_bool).unwrap_or(true);
        let known = addresses.iter().enumerate().filter_map(|(n, address)| Some((n, address.as_deref()?)));
        let one = |(n, address): (usize, &str)| match add {
            true => format!(" --add-host={}-{n}:{address}", self.prefix),
            false => format!(" --hosts-entry={address}={}-{n}", self.prefix),
        };
        known.map(one).collect()
    }

    /// The name of a replica's node: if that is taken, one that nobody would take.
    fn node_name(&self, number: usize, instance: &str, taken: impl Fn(&str) -> bool) -> String {
        let name = format!("{}-{number}", self.prefix);
        if taken(&name) { format!("pcmk-internal-{instance}-remote-{number}") } else { name }
    }

    /// The clone of what is in the containers.
    fn clone_xml(&self, primitive: &Element) -> Element {
        // Promotable clones are called as they were when there was another word for them.
        let suffix = if self.promoted_max > 0 { "master" } else { "clone" };
        let (replicas, per_host) = (self.replicas.to_string(), self.per_host.to_string());
        let promoted_max = self.promoted_max.to_string();
        let promotable = self.promoted_max > 0;
        let meta = [
            ("ordered", Some("true")),
            ("clone-max", Some(&*replicas)),
            ("clone-node-max", Some(&*per_host)),
            ("globally-unique", Some(if self.per_host > 1 { "true" } else { "false" })),
            ("promotable", promotable.then_some("true")),
            ("promoted-max", promotable.then_some(&*promoted_max)),
        ];
        let mut clone = Element::new("clone").with_attr("id", format!("{}-{suffix}", self.prefix));
        clone.push(block("meta_attributes", &format!("{}-clone-meta", self.prefix), &meta));
        clone.push(primitive.clone());
        clone
    }

    /// The configured mounts, and those that what runs inside cannot do without.
    fn mounts(&self, bundle: &'a Element, issues: &mut Vec<ConfigIssue>) -> Vec<Mount<'a>> {
        let mut mounts = Vec::new();
        let mut log = true;
        for mapping in bundle.child("storage").into_iter().flat_map(|s| s.elements_named("storage-mapping")) {
            let shared = mapping.attr("source-dir");
            let source = shared.or_else(|| mapping.attr("source-dir-root"));
            let (Some(source), Some(target)) = (source, mapping.attr("target-dir")) else {
                let id = mapping.id().unwrap_or_default();
                issues.push(ConfigIssue::error(format!("Invalid mount directive {id}")));
                continue;
            };
            log &= target != "/var/log";
            mounts.push(Mount { source, target, options: mapping.attr("options"), own: shared.is_none() });
        }
        if self.primitive.is_some() {
            mounts.push(Mount { source: KEY_FILE, target: KEY_FILE, options: None, own: false });
            if log {
                mounts.push(Mount { source: LOG_DIR, target: "/var/log", options: None, own: true });
            }
        }
        mounts
    }

    /// The ports that are mapped: outside and inside.
    fn ports(&self, issues: &mut Vec<ConfigIssue>) -> Vec<(&'a str, &'a str)> {
        let mut ports = Vec::new();
        for mapping in self.network.into_iter().flat_map(|n| n.elements_named("port-mapping")) {
            let (source, target) = match mapping.attr("port") {
                Some(port) => (Some(port), mapping.attr("internal-port")),
                None => (mapping.attr("range"), None),
            };
            match source.filter(|source| !source.is_empty()) {
                Some(source) => ports.push((source, target.unwrap_or(source))),
                None => {
                    let id = mapping.id().unwrap_or_default();
                    issues.push(ConfigIssue::error(format!("Invalid port directive {id}")));
                }
            }
        }
        if self.primitive.is_some() {
            let port = self.network("control-port").unwrap_or(PORT);
            ports.push((port, port));
        }
        ports
    }

    /// The options with which a container is started, and the directories that have to be there for it.
    fn run_options(&self, shared: &Shared<'_>, number: usize, address: Option<&str>) -> (String, String) {
        let mut options = String::new();
        let mut directories: Vec<String> = Vec::new();
        if self.agent == "docker" {
            options.push_str(" --restart=no");
        }
        if self.network("ip-range-start").is_some() {
            options.push_str(&format!(" -h {}-{number}", self.prefix));
        }
        options.push_str(" -e PCMK_stderr=1");
        let network = self.launcher.attr("network");
        if let Some(network) = network {
            options.push_str(&format!(" --net={network}"));
        }
        let port = self.network("control-port").unwrap_or(PORT);
        options.push_str(&format!(" -e PCMK_remote_port={port}"));
        for mount in &shared.mounts {
            let source = match mount.own {
                true => format!("{}/{}-{number}", mount.source, self.prefix),
                false => mount.source.to_owned(),
            };
            options.push_str(&format!(" -v {source}:{}", mount.target));
            if let Some(with) = mount.options {
                options.push_str(&format!(":{with}"));
            }
            if mount.own {
                directories.push(source);
            }
        }
        for (source, target) in &shared.ports {
            match address {
                Some(address) => options.push_str(&format!(" -p {address}:{source}:{target}")),
                None if network == Some("host") => {}
                None => options.push_str(&format!(" -p {source}:{target}")),
            }
        }
        for more in [self.launcher.attr("options"), Some(&*shared.hosts)].into_iter().flatten() {
            // Also what is empty: definitions have always been so.
            options.push_str(&format!(" {more}"));
        }
        (options, directories.join(","))
    }

    fn container_xml(&self, shared: &Shared<'_>, number: usize, address: Option<&str>) -> Element {
        let id = sanitized(format!("{}-{}-{number}", self.prefix, self.agent));
        let (options, directories) = self.run_options(shared, number, address);
        let command = self.launcher.attr("run-command");
        let parameters = [
            ("image", Some(self.launcher.attr("image").unwrap_or_default())),
            ("allow_pull", Some("true")),
            ("force_kill", Some("false")),
            ("reuse", Some("false")),
            ("run_opts", Some(&*options)),
            ("mount_points", Some(&*directories)),
            ("run_cmd", command.or(self.primitive.map(|_| EXECUTOR))),
            ("monitor_cmd", Some("/bin/true")),
        ];
        self.implicit(&id, self.agent, number, &parameters)
    }

    fn address_xml(&self, number: usize, address: &str) -> Element {
        let id = sanitized(format!("{}-ip-{address}", self.prefix));
        let parameters = [
            ("ip", Some(address)),
            ("nic", self.network("host-interface")),
            ("cidr_netmask", Some(self.network("host-netmask").unwrap_or("32"))),
        ];
        self.implicit(&id, "IPaddr2", number, &parameters)
    }

    fn implicit(&self, id: &str, agent: &str, number: usize, parameters: &[(&str, Option<&str>)]) -> Element {
        let primitive = Element::new("primitive").with_attr("id", id).with_attr("class", "ocf");
        let mut primitive = primitive.with_attr("provider", "heartbeat").with_attr("type", agent);
        let set = format!("{}-attributes-{number}", self.prefix);
        primitive.push(block("instance_attributes", &set, parameters));
        let monitor = operation(id, "monitor", "60s", None);
        primitive.push(Element::new("operations").with_children([Node::from(monitor)]));
        primitive
    }

    fn connection_xml(&self, name: &str, container: &str, address: Option<&str>) -> Element {
        let connection = Connection {
            name,
            container,
            // Without an address of its own it is at the container's host, wherever that is.
            address: Some(address.unwrap_or("#uname")),
            port: Some(self.network("control-port").unwrap_or(PORT)),
            ..Connection::default()
        };
        connection.to_xml()
    }
}

/// What all replicas have in common.
struct Shared<'a> {
    mounts: Vec<Mount<'a>>,
    ports: Vec<(&'a str, &'a str)>,
    hosts: String,
}

/// The names of a bundle's nodes; `taken` are the ids of resources before it, `left` the replicas that may be made.
pub(super) fn node_names(bundle: &Element, taken: &BTreeSet<String>, left: &mut usize) -> Vec<String> {
    let Some(terms) = Terms::read(bundle, left).filter(Terms::is_reachable) else { return Vec::new() };
    let Some(inner) = terms.primitive.and_then(Element::id) else { return Vec::new() };
    let name = |number| terms.node_name(number, &format!("{inner}:{number}"), |name| taken.contains(name));
    (0..terms.replicas).map(name).collect()
}

impl Cluster {
    /// Makes a bundle's resources and nodes; false if it cannot be used.
    pub(super) fn unpack_bundle(&mut self, bundle: ResourceId, xml: &Element) -> bool {
        let Some(mut terms) = Terms::read(xml, &mut self.replicas_left) else { return false };
        if terms.replicas < terms.wanted {
            let issue = format!(
                "Limiting replicas of {} for {} to {}, as all bundles together may have {REPLICAS_MAX}",
                terms.wanted, terms.prefix, terms.replicas
            );
            self.note_issue(ConfigIssue::error(issue));
        }
        if let Some(inner) = terms.primitive {
            if !terms.is_reachable() {
                let issue = format!(
                    "Cannot control {} inside {} without either ip-range-start or control-port",
                    terms.prefix,
                    inner.id().unwrap_or_default()
                );
                self.note_issue(ConfigIssue::error(issue));
                return false;
            }
            if terms.network("ip-range-start").is_none() && terms.per_host > 1 {
                let issue = format!(
                    "Specifying the 'control-port' for {} requires 'replicas-per-host=1'",
                    terms.prefix
                );
                self.note_issue(ConfigIssue::error(issue));
                terms.per_host = 1;
            }
        }
        let resource = self.resource_mut(bundle);
        resource.state.unique = at_least(terms.launcher.attr("replicas-per-host"), 1) > 1;
        resource.instances = InstanceTerms {
            max: terms.replicas,
            per_node: terms.per_host,
            promoted_max: terms.promoted_max,
            ..InstanceTerms::default()
        };
        let inner = match terms.primitive {
            Some(primitive) => match self.unpack_resource(&terms.clone_xml(primitive), Some(bundle)) {
                Some(clone) => Some(clone),
                None => return false,
            },
            None => None,
        };
        let mut issues = Vec::new();
        let (mounts, ports) = (terms.mounts(xml, &mut issues), terms.ports(&mut issues));
        for issue in issues {
            self.note_issue(issue);
        }
        let addresses = terms.addresses();
        let hosts = terms.host_options(&addresses);
        let shared = Shared { mounts, ports, hosts };
        self.prepare_inner(bundle, inner);
        let children = inner.map(|clone| self.resource(clone).children.clone()).unwrap_or_default();
        for (number, address) in addresses.iter().enumerate() {
            let child = children.get(number).copied();
            if self.make_replica(bundle, &terms, &shared, number, address.as_deref(), child).is_none() {
                let issue = format!("Failed unpacking resource {}", terms.prefix);
                self.note_issue(ConfigIssue::error(issue));
                return false;
            }
        }
        self.resource_mut(bundle).children.extend(inner);
        true
    }

    /// What the clone and the bundle have from what is in them.
    fn prepare_inner(&mut self, bundle: ResourceId, inner: Option<ResourceId>) {
        let Some(clone) = inner else { return };
        let mut target = None;
        for child in self.resource(clone).children.clone() {
            self.work_mut(child).exclusive_probes = true;
            if self.work(child).notify {
                self.work_mut(clone).notify = true;
            }
            target = self.resource(child).meta.get("container-attribute-target").cloned();
        }
        if let Some(target) = target {
            for id in [bundle, clone] {
                let name = Arc::from("container-attribute-target");
                self.resource_mut(id).meta.insert(name, target.clone());
            }
        }
    }

    fn make_replica(
        &mut self,
        bundle: ResourceId,
        terms: &Terms<'_>,
        shared: &Shared<'_>,
        number: usize,
        address: Option<&str>,
        child: Option<ResourceId>,
    ) -> Option<()> {
        let container = self.make_implicit(bundle, number, &terms.container_xml(shared, number, address))?;
        let ip = match address {
            Some(address) => Some(self.make_implicit(bundle, number, &terms.address_xml(number, address))?),
            None => None,
        };
        let mut replica = Replica { container, ip, remote: None, child, node: None, address: None };
        replica.address = address.map(Arc::from);
        if let Some(child) = child {
            let instance = self.resource(child).id.clone();
            let name = terms.node_name(number, &instance, |name| self.by_id.contains_key(name));
            let node = self.bear_bundle_node(&name)?;
            self.confine(bundle, child, node);
            let container_id = self.resource(container).id.clone();
            let xml = terms.connection_xml(&name, &container_id, address);
            let remote = self.make_implicit(bundle, number, &xml)?;
            self.connect_replica(remote, container, node);
            replica.remote = Some(remote);
            replica.node = Some(node);
            if let Some(address) = address {
                self.resource_mut(child).meta.insert(Arc::from("external-ip"), Arc::from(address));
            }
            // What is in the container has the container's room; nothing else is in there.
            let needs = std::mem::take(&mut self.resource_mut(child).utilization);
            self.resource_mut(child).utilization =
                std::mem::replace(&mut self.resource_mut(container).utilization, needs);
            self.work_mut(child).replica = Some(number);
        }
        self.resource_mut(bundle).replicas.push(replica);
        Some(())
    }

    fn make_implicit(&mut self, bundle: ResourceId, number: usize, xml: &Element) -> Option<ResourceId> {
        let id = self.unpack_resource(xml, Some(bundle))?;
        self.work_mut(id).replica = Some(number);
        self.resource_mut(bundle).children.push(id);
        Some(id)
    }

    /// The node of a bundle comes to be. Nothing may run there but what is in the bundle.
    fn bear_bundle_node(&mut self, name: &str) -> Option<NodeId> {
        let node = self.node_named(name).or_else(|| self.unborn_named(name))?;
        let state = &mut self.node_mut(node).state;
        state.unborn = false;
        state.score = Score::MINUS_INFINITY;
        state.never_probed = true;
        Some(node)
    }

    /// An instance in a bundle may run on its own node only, and no other resource may.
    fn confine(&mut self, bundle: ResourceId, child: ResourceId, node: NodeId) {
        let before = bundle.index();
        for resource in self.resources.iter_mut().take(before) {
            if let Some(Some(allowed)) = resource.work.allowed.get_mut(node.index()) {
                allowed.score = Score::MINUS_INFINITY.value();
                allowed.probe = Discovery::Never;
            }
        }
        let entry = |score| Allowed { score, probe: Discovery::Exclusive, count: 0 };
        let mut own: NodeTable = vec![None; self.nodes.len()];
        if let Some(slot) = own.get_mut(node.index()) {
            *slot = Some(entry(INNER_SCORE));
        }
        self.work_mut(child).allowed = own;
        self.account_changes(child, || Cause::Container);
        for index in 0..before {
            self.account_changes(ResourceId::new(index), || Cause::BundleNode);
        }
        if let Some(clone) = self.resource(child).parent
            && let Some(slot) = self.work_mut(clone).allowed.get_mut(node.index())
        {
            *slot = Some(entry(Score::MINUS_INFINITY.value()));
            self.account_changes(clone, || Cause::BundleNode);
        }
    }

    fn connect_replica(&mut self, remote: ResourceId, container: ResourceId, node: NodeId) {
        for other in self.node_ids() {
            let reached = self.node(other).kind != NodeKind::Cluster;
            if let Some(Some(allowed)) = self.work_mut(remote).allowed.get_mut(other.index())
                && reached
            {
                allowed.score = Score::MINUS_INFINITY.value();
            }
        }
        self.account_changes(remote, || Cause::ClusterNodesOnly);
        self.node_mut(node).connection = Some(remote);
        let work = self.work_mut(remote);
        work.launcher = Some(container);
        // The container may be on a remote node, the connection cannot.
        work.nested = true;
        self.make_guest(node);
    }
}

#[cfg(test)]
mod tests {
    use super::next_address;

    #[test]
    fn addresses_are_counted_up() {
        assert_eq!(next_address("10.0.0.9").as_deref(), Some("10.0.0.10"));
        assert_eq!(next_address("10.0.0.254").as_deref(), Some("10.0.1.1"));
        assert_eq!(next_address("10.0.254.1"), None);
        assert_eq!(next_address("fd00::1"), None);
        assert_eq!(next_address("10.0.0"), None);
    }
}
