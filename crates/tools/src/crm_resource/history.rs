// SPDX-License-Identifier: GPL-2.0-or-later
//! Making the cluster forget what it knows of resources, or believe that one has failed.
//!
//! Failures are forgotten in two places: fail counts by the attribute manager, the history by the controller of the node
//! it is about. A history that is forgotten is found out anew by probes.

use super::PROGRAM;
use super::find::{base_name, find, find_by_history};
use super::options::Naming;
use super::site::{Site, router};
use super::why::Checks;
use crate::attributes;
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use crate::output::Output;
use messages::attrd::{Body, ClearFailure};
use model::{ExitCode, Interval, Profile, table_order};
use scheduler::{NodeId, NodeKind, ResourceId, Variant};
use std::time::Instant;
use xml::Element;

/// What is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The history of resources that have failed.
    Failures,
    /// Every history.
    Everything,
}

/// Forgets failures, of a resource or of all.
pub(super) fn cleanup(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let mut controller = controller(site)?;
    if site.resource.is_some() {
        return forget_resource(site, &mut controller, Extent::Failures, out);
    }
    let on = all_nodes(site);
    let Some(controller) = &mut controller else {
        out.info(format_args!("Dry run: skipping clean-up of {on} due to CIB_file"))?;
        return Ok(ExitCode::OK);
    };
    clear_failures(site, None, site.node, true)?;
    let nodes = (0..site.cluster.nodes.len()).map(NodeId::new);
    for node in nodes.filter(|node| site.node.is_none_or(|wanted| wanted == *node)) {
        forget_failed(site, controller, node, None, out)?;
    }
    out.info(format_args!("Cleaned up all resources on {on}"))?;
    await_replies(controller, out)
}

/// Forgets history, of a resource or of all.
pub(super) fn refresh(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let mut controller = controller(site)?;
    if site.resource.is_some() {
        return forget_resource(site, &mut controller, Extent::Everything, out);
    }
    let on = all_nodes(site);
    let route = match site.node {
        Some(node) => Some(route(site, node).ok_or_else(|| Failure::new(ExitCode::NOSUCH, unrouted(on)))?),
        None => None,
    };
    let Some(controller) = &mut controller else {
        out.info(format_args!("Dry run: skipping clean-up of {on} due to CIB_file"))?;
        return Ok(ExitCode::OK);
    };
    clear_failures(site, None, site.node, false)?;
    let mut request = Element::new("data_for_probe_again");
    request.set_attr_opt("on_node", site.node.map(|node| site.node_name(node)));
    controller.send("probe_again", "crmd", route, Some(request))?;
    await_replies(controller, out)
}

/// Makes the cluster believe that a resource has failed on a node.
pub(super) fn fail(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (id, _) = site.resource()?;
    let node = site.named_node()?;
    let (requested, name) = (site.requested(), site.node_name(node));
    let Some(controller) = &mut controller(site)? else {
        out.error(format_args!("Dry run: skipping fail of {requested} on {name} due to CIB_file"));
        return Ok(ExitCode::OK);
    };
    let request = resource_request(site, id, node, requested, out)?;
    if !site.cluster.node(node).state.online {
        out.error(format_args!("Node {name} is not online"));
        return Ok(ExitCode::DISCONNECT);
    }
    let Some(route) = route(site, node) else {
        out.error(unrouted(name));
        return Ok(ExitCode::DISCONNECT);
    };
    controller.send("lrm_fail", "crmd", Some(route), Some(request))?;
    await_replies(controller, out)
}

/// The controller; none where a file stands for the cluster. Beside a shadow copy there is one: what nodes remember is in no
/// copy.
fn controller(site: &Site<'_>) -> Result<Option<Controller>, Failure> {
    let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let stands_alone = has("CIB_file") || !has("CIB_shadow");
    if site.session.is_file() && stands_alone {
        return Ok(None);
    }
    Controller::connect(PROGRAM).map(Some)
}

fn route<'s>(site: &'s Site<'_>, node: NodeId) -> Option<&'s str> {
    router(&site.cluster, site.cluster.node(node))
}

fn unrouted(node: &str) -> String {
    format!("No cluster connection to Pacemaker Remote node {node} detected")
}

fn all_nodes<'s>(site: &'s Site<'_>) -> &'s str {
    site.node.map_or("all nodes", |node| site.node_name(node))
}

fn clear_failures(
    site: &Site<'_>,
    resource: Option<&str>,
    node: Option<NodeId>,
    only_operation: bool,
) -> Result<(), Failure> {
    let node = node.map(|node| site.cluster.node(node));
    let clear = ClearFailure {
        resource: resource.map(str::to_owned),
        operation: site.options.operation.clone().filter(|_| only_operation),
        interval: site.options.interval.clone().filter(|_| only_operation),
        host: node.map(|node| node.name.to_string()),
        is_remote: node.is_some_and(|node| node.kind == NodeKind::Remote),
        ..ClearFailure::default()
    };
    attributes::ask(PROGRAM, Body::ClearFailure(clear)).map(drop)
}

/// Forgets a resource, with all that is in it and, unless forced, all it is in; and says what may keep it stopped.
fn forget_resource(
    site: &Site<'_>,
    controller: &mut Option<Controller>,
    extent: Extent,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let (id, _) = site.resource()?;
    let id = if site.options.force { id } else { site.cluster.outermost(id) };
    let mut waiting = vec![id];
    while let Some(id) = waiting.pop() {
        let children = &site.cluster.resource(id).children;
        waiting.extend(children.iter().rev());
        if children.is_empty() && !forget(site, controller, id, extent, out)? {
            // Pacemaker ends well here, having said why not.
            return Ok(ExitCode::OK);
        }
    }
    if !out.is_quiet() {
        out.say(&Checks::of(&site.cluster, id, site.node).said())?;
    }
    match controller {
        Some(controller) => await_replies(controller, out),
        None => Ok(ExitCode::OK),
    }
}

/// Forgets a resource that has nothing in it; says whether it could be forgotten everywhere.
fn forget(
    site: &Site<'_>,
    controller: &mut Option<Controller>,
    id: ResourceId,
    extent: Extent,
    out: &mut Output<'_>,
) -> Result<bool, Failure> {
    let name = &site.cluster.resource(id).id;
    for node in nodes_to_forget(site, id) {
        let host = site.node_name(node);
        if site.cluster.node(node).state.discovery_disabled {
            out.error(format_args!(
                "Unable to clean up {name} because resource discovery disabled on {host}"
            ));
            return Ok(false);
        }
        let Some(controller) = controller else {
            out.error(format_args!("Dry run: skipping clean-up of {name} on {host} due to CIB_file"));
            continue;
        };
        clear_failures(site, Some(&fail_name(site, id)), Some(node), extent == Extent::Failures)?;
        match extent {
            Extent::Failures => forget_failed(site, controller, node, Some(id), out)?,
            Extent::Everything => forget_history(site, controller, id, node, out)?,
        }
        out.info(format_args!("Cleaned up {name} on {host}"))?;
    }
    Ok(true)
}

/// The given node; or all online nodes where the resource's state is known; or, if it is nowhere, those where it may be.
fn nodes_to_forget(site: &Site<'_>, id: ResourceId) -> Vec<NodeId> {
    if let Some(node) = site.node {
        return vec![node];
    }
    let cluster = &site.cluster;
    let online = |node: &NodeId| cluster.node(*node).state.online;
    let known = &cluster.resource(id).state.known_on;
    let nodes = if !known.is_empty() {
        in_table_order(site, known)
    } else if site.options.force {
        (0..cluster.nodes.len()).map(NodeId::new).collect()
    } else {
        let exclusive = cluster.traits(id).exclusive_probes;
        let considered = cluster.nodes_considered(id).filter(|(_, score)| !exclusive || score.value() >= 0);
        let nodes: Vec<NodeId> = considered.map(|(node, _)| node).collect();
        in_table_order(site, &nodes)
    };
    nodes.into_iter().filter(online).collect()
}

/// Nodes stand in a table by their ids, whose last entry comes first.
fn in_table_order(site: &Site<'_>, nodes: &[NodeId]) -> Vec<NodeId> {
    let places = table_order(nodes.iter().map(|&node| &*site.cluster.node(node).id));
    places.into_iter().rev().filter_map(|place| nodes.get(place).copied()).collect()
}

/// The name under which a resource's failures are counted: instances that are all the same share theirs.
fn fail_name(site: &Site<'_>, id: ResourceId) -> String {
    let resource = site.cluster.resource(id);
    let name = resource.history_id.as_deref().unwrap_or(&resource.id);
    if resource.state.unique { name.to_owned() } else { base_name(name).to_owned() }
}

/// Forgets the history of the resources that have failed on a node: of one, or of all.
fn forget_failed(
    site: &Site<'_>,
    controller: &mut Controller,
    node: NodeId,
    only: Option<ResourceId>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let cluster = &site.cluster;
    let interval = site.options.interval.as_deref().and_then(|text| text.parse::<Interval>().ok());
    let interval_ms = interval.unwrap_or_default().as_ms().to_string();
    let mut failed: Vec<&str> = Vec::new();
    for failure in &cluster.failed {
        let operation = site.options.operation.as_deref().is_none_or(|wanted| {
            failure.operation.attr("operation") == Some(wanted)
                && failure.operation.attr("interval") == Some(&interval_ms)
        });
        let here = failure.node.eq_ignore_ascii_case(site.node_name(node));
        let wanted = || match only {
            None => true,
            Some(only) => find(cluster, &failure.resource, Naming::Anonymous) == Some(only),
        };
        if here && operation && !failed.contains(&&*failure.resource) && wanted() {
            failed.push(&failure.resource);
        }
    }
    for name in failed {
        let Some(id) = find_by_history(cluster, name) else {
            out.error(format_args!("Resource {name} not found"));
            return Err(Failure::bare(ExitCode::NOSUCH));
        };
        forget_history(site, controller, id, node, out)?;
    }
    Ok(())
}

fn forget_history(
    site: &Site<'_>,
    controller: &mut Controller,
    id: ResourceId,
    node: NodeId,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let name = &site.cluster.resource(id).id;
    let mut request = resource_request(site, id, node, name, out)?;
    let target = site.cluster.node(node);
    if !target.state.online {
        // Nobody is there to forget; only the CIB is to be put right.
        request.set_attr("mode", "cib");
        return controller.send("lrm_delete", "crmd", Some(&target.name), Some(request));
    }
    let Some(route) = route(site, node) else {
        out.error(unrouted(&target.name));
        return Err(Failure::bare(ExitCode::DISCONNECT));
    };
    controller.send("lrm_delete", "crmd", Some(route), Some(request))
}

/// A request about one resource on one node, for that node's controller.
fn resource_request(
    site: &Site<'_>,
    id: ResourceId,
    node: NodeId,
    requested: &str,
    out: &mut Output<'_>,
) -> Result<Element, Failure> {
    let resource = site.cluster.resource(id);
    let Some(agent) = resource.agent.as_ref().filter(|_| resource.variant == Variant::Primitive) else {
        out.error(format_args!("We can only process primitive resources, not {requested}"));
        return Err(Failure::bare(ExitCode::INVALID_PARAM));
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
        .with_attr("on_node", site.node_name(node))
        .with_child(primitive)
        .with_child(parameters))
}

/// Waits until every request has had its reply.
fn await_replies(controller: &mut Controller, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let count = controller.expected();
    if count == 0 {
        return Ok(ExitCode::OK);
    }
    let replies = if count == 1 { "reply" } else { "replies" };
    out.info(format_args!("Waiting for {count} {replies} from the controller"))?;
    out.flush()?;
    let end = Instant::now() + REPLY_TIMEOUT;
    while controller.expected() > 0 {
        let left = end.saturating_duration_since(Instant::now());
        if controller.reply(left)?.is_none() {
            let seconds = REPLY_TIMEOUT.as_secs();
            let text = format!("Aborting because no messages received in {seconds} seconds");
            return Err(Failure::new(ExitCode::TIMEOUT, text));
        }
        out.info(if controller.expected() == 0 { "... got reply (done)" } else { "... got reply" })?;
    }
    Ok(ExitCode::OK)
}
