// SPDX-License-Identifier: GPL-2.0-or-later
//! The status as XML, element for element as Pacemaker's API schema has it.

use super::failures;
use super::history;
use super::nodes::{self, health};
use super::primitive::{agent_name, displayed_state, pending_action};
use super::resources::{is_active, is_disabled, is_promotable, listed, printable_id};
use super::summary::{self, Daemons};
use super::{Counts, Sections, Show, bans, bundle};
use crate::date;
use model::{ExecStatus, OcfCode, OpKey};
use scheduler::{Cluster, FailedOperation, NodeId, NodeKind, QuorumPolicy, Resource, ResourceId, Variant};
use xml::Element;

/// The status, a section an element.
pub fn status(cluster: &Cluster, sections: Sections, show: Show, daemons: Option<&Daemons>) -> Vec<Element> {
    let mut out = Vec::new();
    if sections.summary {
        out.push(summary_xml(cluster, sections, daemons));
    }
    if sections.nodes {
        let ids = (0..cluster.nodes.len()).map(NodeId::new);
        out.push(Element::new("nodes").with_children(ids.map(|id| node_xml(cluster, id))));
    }
    if sections.resources {
        let all = listed(cluster, show).filter_map(|id| resource_xml(cluster, id, show));
        out.push(Element::new("resources").with_children(all));
    }
    if sections.attributes {
        out.extend(attributes_xml(cluster));
    }
    if sections.operations || sections.fail_counts {
        out.extend(history::xml(cluster, sections));
    }
    let failed: Vec<Element> = failures::shown(cluster).map(failure_xml).collect();
    if sections.failures && !failed.is_empty() {
        out.push(Element::new("failures").with_children(failed));
    }
    let bans: Vec<Element> = bans::all(cluster).map(|ban| bans::xml(cluster, ban)).collect();
    if sections.bans && !bans.is_empty() {
        out.push(Element::new("bans").with_children(bans));
    }
    out
}

fn summary_xml(cluster: &Cluster, sections: Sections, daemons: Option<&Daemons>) -> Element {
    let mut stack = Element::new("stack").with_attr("type", summary::stack(cluster));
    stack.set_attr_opt("pacemakerd-state", daemons.and_then(|d| d.pacemakerd_state.as_deref()));
    let mut updated = Element::new("last_update");
    let mut changed = Element::new("last_change");
    if let Some(daemons) = daemons {
        updated.set_attr("time", date::local(daemons.updated_at_secs));
        updated.set_attr_opt("origin", daemons.node_name.as_ref());
    }
    let names = [
        ("time", "cib-last-written"),
        ("user", "update-user"),
        ("client", "update-client"),
        ("origin", "update-origin"),
    ];
    for (name, source) in names {
        changed.set_attr(name, cluster.cib.attr(source).unwrap_or_default());
    }
    let counts = Counts::of(cluster);
    let mut out = Element::new("summary")
        .with_child(stack)
        .with_child(dc_xml(cluster))
        .with_child(updated)
        .with_child(changed)
        .with_child(Element::new("nodes_configured").with_attr("number", cluster.nodes.len()))
        .with_child(
            Element::new("resources_configured")
                .with_attr("number", counts.instances)
                .with_attr("disabled", counts.disabled)
                .with_attr("blocked", counts.blocked),
        );
    if sections.options {
        out.push(options_xml(cluster));
    }
    out
}

fn dc_xml(cluster: &Cluster) -> Element {
    let out = Element::new("current_dc");
    let Some(dc) = cluster.dc.map(|dc| cluster.node(dc)) else { return out.with_attr("present", false) };
    out.with_attr("present", true)
        .with_attr("version", cluster.options.value("dc-version").unwrap_or_default())
        .with_attr("name", &dc.name)
        .with_attr("id", &dc.id)
        .with_attr("with_quorum", cluster.quorate)
        .with_attr("mixed_version", summary::is_mixed(cluster))
}

fn options_xml(cluster: &Cluster) -> Element {
    let options = &cluster.options;
    let policy = match options.quorum_policy {
        QuorumPolicy::Stop => "stop",
        QuorumPolicy::Freeze => "freeze",
        QuorumPolicy::Demote => "demote",
        QuorumPolicy::Ignore => "ignore",
        QuorumPolicy::Fence => "fence",
    };
    let timeout = options.value("fencing-timeout").or(options.value("stonith-timeout"));
    let timeout = timeout.and_then(|text| text.parse::<model::Interval>().ok());
    let timeout_ms = timeout.unwrap_or(model::Interval::from_secs(60)).as_ms();
    Element::new("cluster_options")
        .with_attr("fencing-enabled", options.fencing_enabled)
        .with_attr("fencing-timeout-ms", timeout_ms)
        .with_attr("symmetric-cluster", options.symmetric)
        .with_attr("no-quorum-policy", policy)
        .with_attr("maintenance-mode", options.maintenance_mode)
        .with_attr("stop-all-resources", options.stop_all)
        .with_attr("priority-fencing-delay-ms", options.priority_fencing_delay_ms)
        // The names of before 3.0.2, which readers still look for.
        .with_attr("stonith-enabled", options.fencing_enabled)
        .with_attr("stonith-timeout-ms", timeout_ms)
}

fn node_xml(cluster: &Cluster, id: NodeId) -> Element {
    let node = cluster.node(id);
    let state = &node.state;
    let mut out = Element::new("node")
        .with_attr("name", &node.name)
        .with_attr("id", &node.id)
        .with_attr("online", state.online)
        .with_attr("standby", state.standby)
        .with_attr("standby_onfail", state.standby_on_fail)
        .with_attr("maintenance", state.maintenance)
        .with_attr("pending", state.pending)
        .with_attr("unclean", state.unclean)
        .with_attr("health", health(cluster, node).as_str());
    out.set_attr_opt("feature_set", summary::feature_set(node));
    let kind = match node.kind {
        NodeKind::Cluster => "member",
        NodeKind::Remote | NodeKind::Guest => "remote",
    };
    out.with_attr("shutdown", state.shutdown)
        .with_attr("expected_up", state.expected_up)
        .with_attr("is_dc", cluster.dc == Some(id))
        .with_attr("resources_running", nodes::resources_on(cluster, id).count())
        .with_attr("type", kind)
}

/// A resource with all that is in it; none if nothing of it is shown.
pub(crate) fn resource_xml(cluster: &Cluster, id: ResourceId, show: Show) -> Option<Element> {
    let resource = cluster.resource(id);
    if resource.variant == Variant::Primitive {
        return Some(primitive_xml(cluster, id, show));
    }
    if resource.variant == Variant::Bundle {
        return Some(bundle_xml(cluster, resource, show));
    }
    let shown: Vec<ResourceId> = resource
        .children
        .iter()
        .copied()
        .filter(|&child| show.inactive || is_active(cluster, child, false))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let state = &resource.state;
    let mut out = Element::new(resource.variant.as_str()).with_attr("id", &resource.id);
    match resource.variant {
        Variant::Group => {
            out.set_attr("number_resources", shown.len());
            out.set_attr("maintenance", state.maintenance);
            out.set_attr("managed", state.managed);
            out.set_attr("disabled", is_disabled(cluster, id));
        }
        _ => {
            if resource.variant == Variant::Clone {
                out.set_attr("multi_state", is_promotable(cluster, id));
            }
            out.set_attr("unique", state.unique);
            out.set_attr("maintenance", state.maintenance);
            out.set_attr("managed", state.managed);
            out.set_attr("disabled", is_disabled(cluster, id));
            out.set_attr("failed", state.failed);
            out.set_attr("failure_ignored", state.failure_ignored);
            out.set_attr_opt("target_role", resource.meta.get("target-role"));
        }
    }
    Some(out.with_children(shown.into_iter().filter_map(|child| resource_xml(cluster, child, show))))
}

fn bundle_xml(cluster: &Cluster, resource: &Resource, show: Show) -> Element {
    let (launcher, image) = bundle::launcher(resource);
    let state = &resource.state;
    let mut out = Element::new("bundle").with_attr("id", &resource.id).with_attr("type", launcher);
    out.set_attr("image", image);
    out.set_attr("unique", state.unique);
    out.set_attr("maintenance", state.maintenance);
    out.set_attr("managed", state.managed);
    out.set_attr("failed", state.failed);
    for (number, replica) in resource.replicas.iter().enumerate() {
        let parts = [replica.ip, replica.child, Some(replica.container), replica.remote];
        let parts = parts.into_iter().flatten().map(|id| primitive_xml(cluster, id, show));
        out.push(Element::new("replica").with_attr("id", number).with_children(parts));
    }
    out
}

fn primitive_xml(cluster: &Cluster, id: ResourceId, show: Show) -> Element {
    let resource = cluster.resource(id);
    let state = &resource.state;
    let mut out = Element::new("resource")
        .with_attr("id", printable_id(resource))
        .with_attr("resource_agent", agent_name(resource))
        .with_attr("role", displayed_state(cluster, id, show));
    out.set_attr_opt("target_role", resource.meta.get("target-role"));
    out.set_attr("active", is_active(cluster, id, true));
    out.set_attr("orphaned", state.removed);
    out.set_attr("removed", state.removed);
    out.set_attr("blocked", state.blocked);
    out.set_attr("maintenance", state.maintenance);
    out.set_attr("managed", state.managed);
    out.set_attr("failed", state.failed);
    out.set_attr("failure_ignored", state.failure_ignored);
    out.set_attr("nodes_running_on", state.active_on.len());
    out.set_attr_opt("pending", pending_action(resource).filter(|_| show.pending));
    out.set_attr_opt("locked_to", state.lock_node.map(|node| cluster.node(node).name.clone()));
    let nodes = state.active_on.iter().map(|&node| cluster.node(node));
    out.with_children(nodes.map(|node| {
        Element::new("node")
            .with_attr("name", &node.name)
            .with_attr("id", &node.id)
            .with_attr("cached", node.state.online)
    }))
}

fn attributes_xml(cluster: &Cluster) -> Option<Element> {
    let online = cluster.nodes.iter().filter(|node| node.state.online);
    let nodes = online.filter_map(|node| {
        let attributes = nodes::shown_attributes(node)
            .map(|(name, value)| Element::new("attribute").with_attr("name", name).with_attr("value", value));
        let out = Element::new("node").with_attr("name", &node.name).with_children(attributes);
        out.first_element().is_some().then_some(out)
    });
    let out = Element::new("node_attributes").with_children(nodes);
    out.first_element().is_some().then_some(out)
}

fn failure_xml(failed: &FailedOperation) -> Element {
    let operation = &failed.operation;
    let number = |name| operation.attr(name).and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
    let code = OcfCode::new(number("rc-code"));
    let reason = operation.attr("exit-reason").filter(|reason| !reason.is_empty());
    let name = if operation.attr("operation_key").is_some() { "op_key" } else { "id" };
    let mut out = Element::new("failure");
    out.set_attr_opt(name, failures::key(operation));
    out.set_attr("node", &failed.node);
    out.set_attr("exitstatus", code);
    out.set_attr("exitreason", reason.unwrap_or("none"));
    out.set_attr("exitcode", code.value());
    out.set_attr_opt("call", operation.attr("call-id"));
    out.set_attr("status", ExecStatus::from_value(number("op-status")));
    let changed = operation.attr("last-rc-change").and_then(|text| text.parse::<i64>().ok());
    if let Some(changed) = changed.filter(|&secs| secs > 0) {
        let task =
            failures::key(operation).and_then(|key| key.parse::<OpKey>().ok()).map(|key| key.operation);
        out.set_attr("last-rc-change", date::utc(changed));
        out.set_attr_opt("queued", operation.attr("queue-time"));
        out.set_attr_opt("exec", operation.attr("exec-time"));
        out.set_attr("interval", number("interval"));
        out.set_attr_opt("task", operation.attr("operation").map(str::to_owned).or(task));
    }
    out
}
