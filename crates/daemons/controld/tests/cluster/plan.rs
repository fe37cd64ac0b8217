// SPDX-License-Identifier: GPL-2.0-or-later
//! Transition graphs for tests, and a scheduler for one resource: enough sense to probe, start, fence and move it.

use xml::Element;

pub struct Plan {
    actions: Vec<(Element, Vec<usize>)>,
}

impl Plan {
    pub fn new() -> Plan {
        Plan { actions: Vec::new() }
    }

    /// Adds an action that waits for others; gives its number.
    pub fn add(&mut self, action: Element, after: &[usize]) -> usize {
        self.actions.push((action, after.to_vec()));
        self.actions.len()
    }

    pub fn operation(
        &mut self,
        resource: &str,
        action: &str,
        interval_ms: u64,
        node: (&str, &str),
        after: &[usize],
    ) -> usize {
        let target_rc = if action == "monitor" && interval_ms == 0 { 7 } else { 0 };
        let mut attributes = Element::new("attributes")
            .with_attr("crm_feature_set", "3.20.5")
            .with_attr("state", "/run/state");
        if interval_ms > 0 {
            attributes.set_attr("CRM_meta_interval", interval_ms);
        }
        attributes.set_attr("CRM_meta_op_target_rc", target_rc);
        attributes.set_attr("CRM_meta_timeout", 20_000);
        let primitive = Element::new("primitive")
            .with_attr("id", resource)
            .with_attr("class", "ocf")
            .with_attr("provider", "pacemaker")
            .with_attr("type", "Dummy");
        let action = Element::new("rsc_op")
            .with_attr("id", 0)
            .with_attr("operation", action)
            .with_attr("operation_key", format!("{resource}_{action}_{interval_ms}"))
            .with_attr("on_node", node.1)
            .with_attr("on_node_uuid", node.0)
            .with_child(primitive)
            .with_child(attributes);
        self.add(action, after)
    }

    pub fn fence(&mut self, node: (&str, &str), after: &[usize]) -> usize {
        let attributes = Element::new("attributes")
            .with_attr("CRM_meta_on_node", node.1)
            .with_attr("CRM_meta_on_node_uuid", node.0)
            .with_attr("CRM_meta_stonith_action", "reboot");
        let event = self.event("stonith", node).with_child(attributes).with_child(downed(node.0));
        self.add(event, after)
    }

    pub fn shutdown(&mut self, node: (&str, &str), after: &[usize]) -> usize {
        let attributes = Element::new("attributes").with_attr("CRM_meta_op_no_wait", "true");
        let event = self.event("do_shutdown", node).with_child(attributes).with_child(downed(node.0));
        self.add(event, after)
    }

    fn event(&self, operation: &str, node: (&str, &str)) -> Element {
        Element::new("crm_event")
            .with_attr("id", 0)
            .with_attr("operation", operation)
            .with_attr("operation_key", format!("{operation}-{}", node.1))
            .with_attr("on_node", node.1)
            .with_attr("on_node_uuid", node.0)
    }

    pub fn graph(self) -> Element {
        let mut graph = Element::new("transition_graph")
            .with_attr("cluster-delay", "60s")
            .with_attr("fencing-timeout", "60s")
            .with_attr("failed-stop-offset", "INFINITY")
            .with_attr("failed-start-offset", "INFINITY")
            .with_attr("batch-limit", 0)
            .with_attr("transition_id", 0);
        let heads: Vec<Element> = self
            .actions
            .iter()
            .enumerate()
            .map(|(index, (action, _))| {
                let mut head = Element::new(action.name().to_owned());
                head.replace_attrs(action);
                head.with_attr("id", index + 1)
            })
            .collect();
        for (index, (mut action, after)) in self.actions.into_iter().enumerate() {
            action.set_attr("id", index + 1);
            let inputs =
                after.iter().map(|&before| Element::new("trigger").with_child(heads[before - 1].clone()));
            let synapse = Element::new("synapse")
                .with_attr("id", index)
                .with_child(Element::new("action_set").with_child(action))
                .with_child(Element::new("inputs").with_children(inputs.collect::<Vec<_>>()));
            graph.push(synapse);
        }
        graph
    }
}

fn downed(id: &str) -> Element {
    Element::new("downed").with_child(Element::new("node").with_attr("id", id))
}

/// Plans for one resource, `web`: probe it where nothing is known of it, fence nodes that were members and are gone
/// without leave, stop what is to leave or has failed, and let it run on the first node that can.
pub fn for_one_resource(cib: &Element) -> Element {
    let mut plan = Plan::new();
    let status = cib.child("status").unwrap();
    let (mut fit, mut before, mut active) = (Vec::new(), Vec::new(), None);
    for state in status.elements_named("node_state") {
        let node = (state.id().unwrap(), state.attr("uname").unwrap());
        let alive = state.attr("in_ccm") != Some("0") && state.attr("crmd") != Some("0");
        let joined = state.attr("join") == Some("member");
        let leaves = attribute(state, "shutdown").is_some();
        if !alive && state.attr("expected") == Some("member") {
            before.push(plan.fence(node, &[]));
            continue;
        }
        if !alive || !joined {
            continue;
        }
        let resource =
            state.descend(&["lrm", "lrm_resources"]).and_then(|r| r.child_with_id("lrm_resource", "web"));
        let last = resource.and_then(|resource| resource.child_with_id("lrm_rsc_op", "web_last_0"));
        let failed = attribute(state, "fail-count-web#start_0").is_some();
        match last.map(|last| (last.attr("operation").unwrap(), last.attr("rc-code").unwrap())) {
            None => before.push(plan.operation("web", "monitor", 0, node, &[])),
            Some(("start", "0")) if leaves => {
                let stop = plan.operation("web", "stop", 0, node, &[]);
                before.push(plan.shutdown(node, &[stop]));
            }
            Some(("start", "0")) => active = Some((node, resource.unwrap())),
            Some(("start", _)) => before.push(plan.operation("web", "stop", 0, node, &[])),
            _ if leaves => before.push(plan.shutdown(node, &[])),
            _ => {}
        }
        if !leaves && !failed {
            fit.push(node);
        }
    }
    match (active, fit.first()) {
        (Some((node, resource)), _) => {
            if resource.child_with_id("lrm_rsc_op", "web_monitor_10000").is_none() {
                plan.operation("web", "monitor", 10_000, node, &[]);
            }
        }
        (None, Some(&node)) => {
            let start = plan.operation("web", "start", 0, node, &before);
            plan.operation("web", "monitor", 10_000, node, &[start]);
        }
        (None, None) => {}
    }
    plan.graph()
}

fn attribute<'a>(state: &'a Element, name: &str) -> Option<&'a str> {
    let attributes = state.descend(&["transient_attributes", "instance_attributes"])?;
    attributes.elements().find(|pair| pair.attr("name") == Some(name))?.attr("value")
}
