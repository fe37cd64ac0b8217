// SPDX-License-Identifier: GPL-2.0-or-later
//! CIBs of a size, always the same: what a cluster of so many nodes and resources has in its own, results of a start and
//! a monitor for every resource on every node.

use xml::Element;

/// A cluster to make a CIB of.
pub struct Plan {
    /// About how large the CIB is.
    pub size: &'static str,
    pub nodes: usize,
    pub resources: usize,
}

/// Two results for each resource and node: 64,000 in the largest.
pub const PLANS: [Plan; 4] = [
    Plan { size: "0.1 MB", nodes: 3, resources: 30 },
    Plan { size: "1 MB", nodes: 8, resources: 116 },
    Plan { size: "8 MB", nodes: 16, resources: 470 },
    Plan { size: "30 MB", nodes: 32, resources: 1_000 },
];

const UUID: &str = "cd6f0a8b-1a9c-4f2d-9d0f-2f8a3e1b7c55";

/// The CIB of a plan.
pub fn cib(plan: &Plan) -> Element {
    Element::new("cib")
        .with_attr("crm_feature_set", "3.16.1")
        .with_attr("validate-with", "pacemaker-3.9")
        .with_attr("epoch", 12)
        .with_attr("num_updates", 0)
        .with_attr("admin_epoch", 0)
        .with_attr("cib-last-written", "Mon Jan  5 12:00:00 2026")
        .with_attr("update-origin", "node1")
        .with_attr("update-client", "cibadmin")
        .with_attr("update-user", "root")
        .with_attr("have-quorum", 1)
        .with_attr("dc-uuid", 1)
        .with_child(configuration(plan))
        .with_child(Element::new("status").with_children((1..=plan.nodes).map(|node| state(plan, node))))
}

fn nvpair(id: String, name: &str, value: impl ToString) -> Element {
    Element::new("nvpair").with_attr("id", id).with_attr("name", name).with_attr("value", value)
}

fn configuration(plan: &Plan) -> Element {
    let options =
        [("stonith-enabled", "true"), ("cluster-infrastructure", "corosync"), ("no-quorum-policy", "stop")];
    let options = options.map(|(name, value)| nvpair(format!("cib-bootstrap-options-{name}"), name, value));
    let properties = Element::new("cluster_property_set").with_attr("id", "cib-bootstrap-options");
    let nodes = (1..=plan.nodes)
        .map(|node| Element::new("node").with_attr("id", node).with_attr("uname", format!("node{node}")));
    let location = |resource: usize| {
        Element::new("rsc_location")
            .with_attr("id", format!("prefer-{resource}"))
            .with_attr("rsc", format!("rsc{resource}"))
            .with_attr("node", format!("node{}", resource % plan.nodes + 1))
            .with_attr("score", 100)
    };
    Element::new("configuration")
        .with_child(Element::new("crm_config").with_child(properties.with_children(options)))
        .with_child(Element::new("nodes").with_children(nodes))
        .with_child(Element::new("resources").with_children((0..plan.resources).map(primitive)))
        .with_child(Element::new("constraints").with_children((0..plan.resources).map(location)))
}

fn typed(element: Element) -> Element {
    element.with_attr("class", "ocf").with_attr("provider", "heartbeat").with_attr("type", "IPaddr2")
}

/// A resource.
pub fn primitive(number: usize) -> Element {
    let id = format!("rsc{number}");
    let address = format!("10.0.{}.{}", number / 250, number % 250);
    let op = |name: &str, interval: &str| {
        Element::new("op")
            .with_attr("id", format!("{id}-{name}"))
            .with_attr("name", name)
            .with_attr("interval", interval)
            .with_attr("timeout", "20s")
    };
    typed(Element::new("primitive").with_attr("id", &id))
        .with_child(
            Element::new("instance_attributes").with_attr("id", format!("{id}-params")).with_child(nvpair(
                format!("{id}-ip"),
                "ip",
                address,
            )),
        )
        .with_child(Element::new("operations").with_child(op("monitor", "10s")).with_child(op("start", "0")))
}

fn state(plan: &Plan, node: usize) -> Element {
    let resources = (0..plan.resources).map(|resource| {
        typed(Element::new("lrm_resource").with_attr("id", format!("rsc{resource}")))
            .with_child(result(node, resource, "start", 0))
            .with_child(result(node, resource, "monitor", 10_000))
    });
    Element::new("node_state")
        .with_attr("id", node)
        .with_attr("uname", format!("node{node}"))
        .with_attr("in_ccm", 1_767_609_600)
        .with_attr("crmd", 1_767_609_600)
        .with_attr("crm-debug-origin", "do_update_resource")
        .with_attr("join", "member")
        .with_attr("expected", "member")
        .with_child(
            Element::new("lrm")
                .with_attr("id", node)
                .with_child(Element::new("lrm_resources").with_children(resources)),
        )
}

fn result(node: usize, resource: usize, operation: &str, interval_ms: u32) -> Element {
    let key = format!("{}:{node}:0:{UUID}", resource * 2 + 1);
    let id = if interval_ms == 0 { "last_0".to_owned() } else { format!("{operation}_{interval_ms}") };
    Element::new("lrm_rsc_op")
        .with_attr("id", format!("rsc{resource}_{id}"))
        .with_attr("operation_key", format!("rsc{resource}_{operation}_{interval_ms}"))
        .with_attr("operation", operation)
        .with_attr("crm-debug-origin", "do_update_resource")
        .with_attr("crm_feature_set", "3.16.1")
        .with_attr("transition-key", &key)
        .with_attr("transition-magic", format!("0:0;{key}"))
        .with_attr("on_node", format!("node{node}"))
        .with_attr("call-id", resource * 3 + 5)
        .with_attr("rc-code", 0)
        .with_attr("op-status", 0)
        .with_attr("interval", interval_ms)
        .with_attr("last-rc-change", 1_767_609_600 + resource)
        .with_attr("exec-time", 23)
        .with_attr("queue-time", 0)
        .with_attr("op-digest", "f2317cad3d54cec5d7d7aa7d0bf35cf8")
}

/// What a controller sends when a monitor has a new result.
pub fn update(plan: &Plan, number: usize) -> Element {
    // Another node and resource every time, so that none is found because it was just used.
    let node = number % plan.nodes + 1;
    let resource = number.wrapping_mul(7_919) % plan.resources;
    let mut result = result(node, resource, "monitor", 10_000);
    result.set_attr("call-id", 10_000 + number);
    result.set_attr("last-rc-change", 1_767_700_000 + number);
    result.set_attr("exec-time", number % 90);
    let resources = Element::new("lrm_resources").with_child(
        typed(Element::new("lrm_resource").with_attr("id", format!("rsc{resource}"))).with_child(result),
    );
    let state = Element::new("node_state")
        .with_attr("id", node)
        .with_attr("uname", format!("node{node}"))
        .with_attr("crm-debug-origin", "do_update_resource")
        .with_child(Element::new("lrm").with_attr("id", node).with_child(resources));
    Element::new("status").with_child(state)
}
