// SPDX-License-Identifier: GPL-2.0-or-later
//! Clusters of a size, always the same: many small services and groups of them, some clones, and what ties them to nodes
//! and to each other.
//!
//! Decides: the CIB of a cluster at its first start, and how one with a node just lost differs from the same one at rest.
//! Leaves to others: what a cluster at rest looks like (the simulation of the first start tells).

use anyhow::{Context, Result};
use xml::Element;

/// A cluster's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub nodes: usize,
    /// Resource instances: primitives, members of groups, instances of clones.
    pub resources: usize,
}

impl Size {
    /// What the cost is measured against.
    pub fn product(self) -> usize {
        self.nodes * self.resources
    }

    fn clones(self) -> usize {
        (self.resources / (20 * self.nodes)).max(1)
    }

    /// Half of what is not in clones is in groups of three to six.
    fn groups(self) -> Vec<usize> {
        let mut left = self.resources.saturating_sub(self.clones() * self.nodes) / 2;
        let mut groups = Vec::new();
        for length in (3..=6).cycle() {
            if left < length {
                break;
            }
            groups.push(length);
            left -= length;
        }
        groups
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.nodes, self.resources)
    }
}

/// The CIB of a cluster whose nodes have just come up: nothing is known of any resource.
pub fn cold(size: Size) -> Element {
    let groups = size.groups();
    let in_groups: usize = groups.iter().sum();
    let singles = size.resources.saturating_sub(size.clones() * size.nodes + in_groups);
    let mut parts = Parts { size, resources: Vec::new(), constraints: Vec::new() };
    parts.add_fencing();
    for number in 0..size.clones() {
        let instance = primitive(&format!("base{number}"));
        let clone = Element::new("clone").with_attr("id", format!("base{number}-clone"));
        let id = format!("base{number}-clone-meta");
        let meta = Element::new("meta_attributes").with_attr("id", &id);
        let interleave = nvpair(format!("{id}-interleave"), "interleave", "true");
        parts.resources.push(clone.with_child(meta.with_child(interleave)).with_child(instance));
    }
    for (number, &length) in groups.iter().enumerate() {
        parts.add_group(number, length);
    }
    for number in 0..singles {
        parts.add_single(number);
    }
    parts.into_cib()
}

/// A cluster with the status that its simulation ended with. (The simulation brings the configuration to today's schema,
/// which older peers do not read.)
pub fn at_rest(cold: &Element, simulated: &Element) -> Result<Element> {
    let mut cib = cold.clone();
    let simulated = simulated.child("status").context("no status in the simulated CIB")?;
    *cib.child_mut("status").context("no status in the CIB")? = simulated.clone();
    Ok(cib)
}

/// The same cluster when its first node has just been lost: what ran there is to be recovered, after its fencing.
pub fn with_lost_node(rest: &Element) -> Result<Element> {
    let mut cib = rest.clone();
    let status = cib.child_mut("status").context("no status in the CIB")?;
    let state = status.child_mut("node_state").context("no node_state in the CIB")?;
    state.set_attr("in_ccm", "false");
    state.set_attr("crmd", "offline");
    state.set_attr("join", "down");
    state.set_attr("expected", "member");
    Ok(cib)
}

struct Parts {
    size: Size,
    resources: Vec<Element>,
    constraints: Vec<Element>,
}

impl Parts {
    fn add_fencing(&mut self) {
        let device = Element::new("primitive")
            .with_attr("id", "fencing")
            .with_attr("class", "stonith")
            .with_attr("type", "fence_ipmilan");
        self.resources.push(device);
    }

    /// A group; every fifth comes after a clone and where that runs, some keep away from the one before.
    fn add_group(&mut self, number: usize, length: usize) {
        let id = format!("group{number}");
        let members = (0..length).map(|member| primitive(&format!("group{number}-{member}")));
        self.resources.push(Element::new("group").with_attr("id", &id).with_children(members));
        self.prefer_node(&id, number);
        if number.is_multiple_of(5) {
            let clone = self.clone_for(number);
            self.order(&clone, &id);
            self.colocate(&id, &clone, "INFINITY");
        }
        if number % 8 == 7 {
            self.colocate(&id, &format!("group{}", number - 1), "-INFINITY");
        }
    }

    /// A resource of its own; every tenth comes after a clone.
    fn add_single(&mut self, number: usize) {
        let id = format!("single{number}");
        self.resources.push(primitive(&id));
        self.prefer_node(&id, number);
        if number.is_multiple_of(10) {
            let clone = self.clone_for(number);
            self.order(&clone, &id);
        }
    }

    fn clone_for(&self, number: usize) -> String {
        format!("base{}-clone", number / 5 % self.size.clones())
    }

    fn prefer_node(&mut self, id: &str, number: usize) {
        let location = Element::new("rsc_location")
            .with_attr("id", format!("{id}-prefers"))
            .with_attr("rsc", id)
            .with_attr("node", format!("node{}", number % self.size.nodes + 1))
            .with_attr("score", 100);
        self.constraints.push(location);
    }

    fn order(&mut self, first: &str, then: &str) {
        let order = Element::new("rsc_order")
            .with_attr("id", format!("{then}-after-{first}"))
            .with_attr("first", first)
            .with_attr("then", then);
        self.constraints.push(order);
    }

    fn colocate(&mut self, dependent: &str, primary: &str, score: &str) {
        let colocation = Element::new("rsc_colocation")
            .with_attr("id", format!("{dependent}-with-{primary}"))
            .with_attr("rsc", dependent)
            .with_attr("with-rsc", primary)
            .with_attr("score", score);
        self.constraints.push(colocation);
    }

    fn into_cib(self) -> Element {
        let options = [("stonith-enabled", "true"), ("no-quorum-policy", "stop")];
        let options = options.map(|(name, value)| nvpair(format!("options-{name}"), name, value));
        let properties = Element::new("cluster_property_set").with_attr("id", "options");
        let node = |node: usize| {
            Element::new("node").with_attr("id", node).with_attr("uname", format!("node{node}"))
        };
        let nodes = 1..=self.size.nodes;
        let configuration = Element::new("configuration")
            .with_child(Element::new("crm_config").with_child(properties.with_children(options)))
            .with_child(Element::new("nodes").with_children(nodes.clone().map(node)))
            .with_child(Element::new("resources").with_children(self.resources))
            .with_child(Element::new("constraints").with_children(self.constraints));
        Element::new("cib")
            .with_attr("crm_feature_set", "3.16.1")
            .with_attr("validate-with", "pacemaker-3.9")
            .with_attr("epoch", 1)
            .with_attr("num_updates", 0)
            .with_attr("admin_epoch", 0)
            .with_attr("have-quorum", 1)
            .with_attr("dc-uuid", 1)
            .with_child(configuration)
            .with_child(Element::new("status").with_children(nodes.map(node_state)))
    }
}

fn nvpair(id: String, name: &str, value: &str) -> Element {
    Element::new("nvpair").with_attr("id", id).with_attr("name", name).with_attr("value", value)
}

fn primitive(id: &str) -> Element {
    let operation = |name: &str, interval: &str, timeout: &str| {
        Element::new("op")
            .with_attr("id", format!("{id}-{name}"))
            .with_attr("name", name)
            .with_attr("interval", interval)
            .with_attr("timeout", timeout)
    };
    let operations = Element::new("operations")
        .with_child(operation("monitor", "10s", "20s"))
        .with_child(operation("start", "0", "40s"))
        .with_child(operation("stop", "0", "60s"));
    let parameter = nvpair(format!("{id}-parameters-state"), "state", &format!("/run/{id}.state"));
    Element::new("primitive")
        .with_attr("id", id)
        .with_attr("class", "ocf")
        .with_attr("provider", "pacemaker")
        .with_attr("type", "Dummy")
        .with_child(
            Element::new("instance_attributes")
                .with_attr("id", format!("{id}-parameters"))
                .with_child(parameter),
        )
        .with_child(operations)
}

fn node_state(node: usize) -> Element {
    Element::new("node_state")
        .with_attr("id", node)
        .with_attr("uname", format!("node{node}"))
        .with_attr("in_ccm", "true")
        .with_attr("crmd", "online")
        .with_attr("join", "member")
        .with_attr("expected", "member")
        .with_child(Element::new("lrm").with_attr("id", node).with_child(Element::new("lrm_resources")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_as_many_instances_as_it_says() {
        for (nodes, resources) in [(8, 200), (16, 1_000), (32, 2_000)] {
            let size = Size { nodes, resources };
            let cib = cold(size);
            assert_eq!(cib::schema::validate(&cib), [], "{size}");
            let section = cib.descend(&["configuration", "resources"]).unwrap();
            let count = |holder: &str| {
                section.elements_named(holder).flat_map(|e| e.elements_named("primitive")).count()
            };
            let singles = section.elements_named("primitive").count() - 1;
            let (grouped, cloned) = (count("group"), count("clone") * nodes);
            assert_eq!(grouped + cloned + singles, resources, "{size}");
            assert!(grouped.abs_diff(singles) <= 12, "{size}: {grouped} in groups, {singles} single");
        }
    }
}
