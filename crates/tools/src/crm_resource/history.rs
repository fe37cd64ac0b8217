// SPDX-License-Identifier: GPL-2.0-or-later
//! Making the cluster forget what it knows of resources, or believe that one has failed.
//!
//! Failures are forgotten in two places: fail counts by the attribute manager, the history by the controller of the node
//! it is about. A history that is forgotten is found out anew by probes.

use super::{Task, base_name};
use crate::attributes;
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use crate::status::Lists;
use messages::attrd::{Body, ClearFailure};
use model::{ExitCode, Interval, Profile, Role};
use scheduler::{Cluster, NodeId, NodeKind, ResourceId, Variant};
use std::collections::BTreeSet;
use std::time::Instant;
use xml::Element;

const PROGRAM: &str = super::PROGRAM;

/// What is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The history of resources that have failed.
    Failures,
    /// Every history.
    Everything,
}

/// Forgets failures, of a resource or of all.
pub(super) fn cleanup(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    match task.resource {
        Some(resource) => forget_resource(task, lists, resource, Extent::Failures),
        None => cleanup_all(task, lists),
    }
}

/// Forgets history, of a resource or of all.
pub(super) fn refresh(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    match task.resource {
        Some(resource) => forget_resource(task, lists, resource, Extent::Everything),
        None => refresh_all(task, lists),
    }
}

/// Makes the cluster believe that a resource has failed on a node.
pub(super) fn fail(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let (resource, _) = task.resource()?;
    let Some(node) = task.node else {
        return Err(Failure::usage("Must supply a node name with -N/--node"));
    };
    let (requested, name) = (task.requested(), task.node_name(node));
    if task.session.is_file() {
        lists.error(format_args!("Dry run: skipping fail of {requested} on {name} due to CIB_file"));
        return Ok(ExitCode::OK);
    }
    let request = resource_request(&task.cluster, resource, node, requested)?;
    if !task.cluster.node(node).state.online {
        return Err(Failure::new(ExitCode::DISCONNECT, format_args!("Node {name} is not online")));
    }
    let mut controller = Controller::connect(PROGRAM)?;
    controller.send("lrm_fail", "crmd", Some(name), Some(request))?;
    await_replies(&mut controller, lists)
}

fn all_nodes<'t>(task: &'t Task<'_>) -> &'t str {
    task.node.map_or("all nodes", |node| task.node_name(node))
}

fn clear_failures(task: &Task<'_>, resource: Option<&str>, node: Option<NodeId>) -> Result<(), Failure> {
    let node = node.map(|node| task.cluster.node(node));
    let clear = ClearFailure {
        resource: resource.map(str::to_owned),
        operation: task.options.operation.clone(),
        interval: task.options.interval.clone(),
        host: node.map(|node| node.name.to_string()),
        is_remote: node.is_some_and(|node| node.kind == NodeKind::Remote),
        ..ClearFailure::default()
    };
    attributes::ask(PROGRAM, Body::ClearFailure(clear)).map(drop)
}

fn cleanup_all(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let on = all_nodes(task);
    if task.session.is_file() {
        lists.info(format_args!("Dry run: skipping clean-up of {on} due to CIB_file"));
        return Ok(ExitCode::OK);
    }
    let mut controller = Controller::connect(PROGRAM)?;
    clear_failures(task, None, task.node)?;
    let nodes = (0..task.cluster.nodes.len()).map(NodeId::new);
    for node in nodes.filter(|node| task.node.is_none_or(|wanted| wanted == *node)) {
        forget_failed(task, &mut controller, node, None)?;
    }
    lists.info(format_args!("Cleaned up all resources on {on}"));
    await_replies(&mut controller, lists)
}

fn refresh_all(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let on = all_nodes(task);
    if task.session.is_file() {
        lists.info(format_args!("Dry run: skipping clean-up of {on} due to CIB_file"));
        return Ok(ExitCode::OK);
    }
    let mut controller = Controller::connect(PROGRAM)?;
    clear_failures(task, None, task.node)?;
    let node = task.node.map(|node| task.node_name(node));
    let mut request = Element::new("data_for_probe_again");
    request.set_attr_opt("on_node", node);
    controller.send("probe_again", "crmd", node, Some(request))?;
    await_replies(&mut controller, lists)
}

/// Forgets a resource, with all that is in it and, unless forced, all it is in.
fn forget_resource(
    task: &Task<'_>,
    lists: &mut Lists<'_>,
    resource: ResourceId,
    extent: Extent,
) -> Result<ExitCode, Failure> {
    let resource = if task.options.force { resource } else { task.top(resource) };
    let mut controller = match task.session.is_file() {
        true => None,
        false => Some(Controller::connect(PROGRAM)?),
    };
    forget(task, lists, &mut controller, resource, extent)?;
    if !lists.is_quiet() {
        why_it_may_stay_stopped(task, lists, resource);
    }
    match &mut controller {
        Some(controller) => await_replies(controller, lists),
        None => Ok(ExitCode::OK),
    }
}

fn forget(
    task: &Task<'_>,
    lists: &mut Lists<'_>,
    controller: &mut Option<Controller>,
    id: ResourceId,
    extent: Extent,
) -> Result<(), Failure> {
    let resource = task.cluster.resource(id);
    if !resource.children.is_empty() {
        return resource
            .children
            .iter()
            .try_for_each(|&child| forget(task, lists, controller, child, extent));
    }
    for node in nodes_to_forget(task, id) {
        let name = task.node_name(node);
        if task.cluster.node(node).state.discovery_disabled {
            let text =
                format!("Unable to clean up {} because resource discovery disabled on {name}", resource.id);
            return Err(Failure::new(ExitCode::UNIMPLEMENT_FEATURE, text));
        }
        let Some(controller) = controller else {
            let text = format!("Dry run: skipping clean-up of {} on {name} due to CIB_file", resource.id);
            lists.error(text);
            continue;
        };
        clear_failures(task, Some(&fail_name(task, id)), Some(node))?;
        match extent {
            Extent::Failures => forget_failed(task, controller, node, Some(id))?,
            Extent::Everything => forget_history(task, controller, id, node)?,
        }
        lists.info(format_args!("Cleaned up {} on {name}", resource.id));
    }
    Ok(())
}

/// The given node; or all online nodes where the resource's state is known; or, if it is nowhere, all online nodes.
fn nodes_to_forget(task: &Task<'_>, id: ResourceId) -> Vec<NodeId> {
    if let Some(node) = task.node {
        return vec![node];
    }
    let online = |node: &NodeId| task.cluster.node(*node).state.online;
    let known = &task.cluster.resource(id).state.known_on;
    if known.is_empty() {
        (0..task.cluster.nodes.len()).map(NodeId::new).filter(online).collect()
    } else {
        known.iter().copied().filter(online).collect()
    }
}

/// The name under which a resource's failures are counted: instances that are all the same share theirs.
fn fail_name(task: &Task<'_>, id: ResourceId) -> String {
    let resource = task.cluster.resource(id);
    let name = resource.history_id.as_deref().unwrap_or(&resource.id);
    if resource.state.unique { name.to_owned() } else { base_name(name).to_owned() }
}

/// Forgets the history of the resources that have failed on a node: of one, or of all.
fn forget_failed(
    task: &Task<'_>,
    controller: &mut Controller,
    node: NodeId,
    only: Option<ResourceId>,
) -> Result<(), Failure> {
    let interval = task.options.interval.as_deref().and_then(|text| text.parse::<Interval>().ok());
    let interval_ms = interval.unwrap_or_default().as_ms().to_string();
    let mut failed = BTreeSet::new();
    for failure in &task.cluster.failed {
        let resource = super::find_resource(&task.cluster, &failure.resource);
        let operation = task.options.operation.as_deref().is_none_or(|wanted| {
            failure.operation.attr("operation") == Some(wanted)
                && failure.operation.attr("interval") == Some(&interval_ms)
        });
        let here = failure.node.eq_ignore_ascii_case(task.node_name(node));
        if let Some(resource) = resource.filter(|id| here && operation && only.is_none_or(|only| only == *id))
        {
            failed.insert(resource);
        }
    }
    failed.into_iter().try_for_each(|resource| forget_history(task, controller, resource, node))
}

fn forget_history(
    task: &Task<'_>,
    controller: &mut Controller,
    resource: ResourceId,
    node: NodeId,
) -> Result<(), Failure> {
    let id = &task.cluster.resource(resource).id;
    let mut request = resource_request(&task.cluster, resource, node, id)?;
    if !task.cluster.node(node).state.online {
        // Nobody is there to forget; only the CIB is to be put right.
        request.set_attr("mode", "cib");
    }
    controller.send("lrm_delete", "crmd", Some(task.node_name(node)), Some(request))
}

/// A request about one resource on one node, for that node's controller.
fn resource_request(
    cluster: &Cluster,
    resource: ResourceId,
    node: NodeId,
    requested: &str,
) -> Result<Element, Failure> {
    let invalid = |text: String| Failure::new(ExitCode::SOFTWARE, text);
    let resource = cluster.resource(resource);
    let Some(agent) = resource.agent.as_ref().filter(|_| resource.variant == Variant::Primitive) else {
        return Err(invalid(format!("We can only process primitive resources, not {requested}")));
    };
    let history_id = resource.history_id.as_deref();
    let mut primitive = Element::new("primitive").with_attr("id", history_id.unwrap_or(&resource.id));
    primitive.set_attr_opt("long-id", history_id.map(|_| &resource.id));
    primitive.set_attr("class", &agent.class);
    primitive.set_attr_opt("provider", agent.provider.as_ref());
    primitive.set_attr("type", &agent.name);
    // Controllers log the key of whatever they are asked for; this one is of no transition.
    let key = format!("0:{}:0:xxxxxxxx-xrsc-opxx-xcrm-resourcexxxx", std::process::id());
    let parameters = Element::new("attributes")
        .with_attr("crm_feature_set", Profile::default().feature_set())
        .with_attr("CRM_meta_timeout", 60_000);
    Ok(Element::new("rsc_op")
        .with_attr("transition-key", key)
        .with_attr("on_node", &cluster.node(node).name)
        .with_child(primitive)
        .with_child(parameters))
}

/// Says what in the configuration keeps a resource from running even after its failures are forgotten.
fn why_it_may_stay_stopped(task: &Task<'_>, lists: &mut Lists<'_>, id: ResourceId) {
    let resource = task.cluster.resource(id);
    let top = &task.cluster.resource(task.top(id)).id;
    let role = resource.meta.get("target-role").and_then(|role| role.parse::<Role>().ok());
    if role == Some(Role::Stopped) {
        lists.item(format_args!("Configuration specifies '{top}' should remain stopped"));
    }
    if resource.meta.get("is-managed").is_some_and(|value| model::parse_bool(value) != Some(true)) {
        lists
            .item(format_args!("Configuration prevents cluster from stopping or starting unmanaged '{top}'"));
    }
    if let Some(node) = resource.state.lock_node {
        let node = task.node_name(node);
        lists.item(format_args!("'{top}' is locked to node {node} due to shutdown"));
    }
}

/// Waits until every request has had its reply.
fn await_replies(controller: &mut Controller, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let count = controller.expected();
    if count == 0 {
        return Ok(ExitCode::OK);
    }
    let replies = if count == 1 { "reply" } else { "replies" };
    lists.info(format_args!("Waiting for {count} {replies} from the controller"));
    let end = Instant::now() + REPLY_TIMEOUT;
    while controller.expected() > 0 {
        let left = end.saturating_duration_since(Instant::now());
        if controller.reply(left)?.is_none() {
            let seconds = REPLY_TIMEOUT.as_secs();
            let text = format!("Aborting because no messages received in {seconds} seconds");
            return Err(Failure::new(ExitCode::TIMEOUT, text));
        }
        lists.info(if controller.expected() == 0 { "... got reply (done)" } else { "... got reply" });
    }
    Ok(ExitCode::OK)
}
