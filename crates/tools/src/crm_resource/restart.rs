// SPDX-License-Identifier: GPL-2.0-or-later
//! Restarting a resource with all that depends on it: it is told to stop (or banned from a node), and when all is down that
//! goes down with it, that is taken back.
//!
//! Decides: how it is stopped, what is waited for, how long. Leaves to others: everything the cluster does.

use super::clear::{Which, clear_for};
use super::find::{base_name, find, find_by_history, in_order};
use super::location::keep_off;
use super::options::Naming;
use super::set::{Change, delete_value, set_value};
use super::site::{self, Site};
use super::wait::whole_seconds;
use super::{now, refused};
use crate::crm_simulate;
use crate::failure::Failure;
use crate::output::Output;
use model::{ExitCode, StandardRc};
use scheduler::{Cluster, NodeId, ResourceId, Variant};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long nothing is looked at, in seconds.
const PAUSE_S: u64 = 2;

const TARGET_ROLE: &str = "target-role";

/// It cannot be done now (`EAGAIN`).
const NOT_NOW: StandardRc = StandardRc::new(11);

/// How a resource is stopped.
enum Means {
    /// It is banned from a node.
    Ban {
        /// What is banned.
        resource: String,
        node: String,
    },
    /// Its configuration says so; this is what it said before.
    TargetRole(Option<String>),
}

struct Restart {
    id: ResourceId,
    name: String,
    host: Option<NodeId>,
    means: Means,
}

pub(super) fn restart(site: &mut Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let restart = prepare(site, out)?;
    let before = active(&site.cluster, restart.host);
    if let Err(failure) = stop(site, &restart, out) {
        out.error(format_args!("Could not set target-role for {}: {}", restart.name, failure.code));
        return Err(failure);
    }
    let stopped = wait_for_stops(site, &restart, &before, out);
    let now_active = match stopped {
        Ok(now_active) => now_active,
        Err(failure) => {
            // What was refused is told already.
            let _ = take_back(site, &restart, out);
            return Err(failure);
        }
    };
    if let Err(failure) = take_back(site, &restart, out) {
        out.error(format_args!("Could not unset target-role for {}: {}", restart.name, failure.code));
        return Err(failure);
    }
    match wait_for_starts(site, &restart, &before, now_active, out) {
        Ok(()) => Ok(ExitCode::OK),
        Err(failure) => {
            let _ = take_back(site, &restart, out);
            Err(failure)
        }
    }
}

/// Finds out what is meant, and that it can be restarted.
fn prepare(site: &Site<'_>, out: &mut Output<'_>) -> Result<Restart, Failure> {
    let cluster = &site.cluster;
    let (named, resource) = site.resource()?;
    let host = site.node;
    let shown = resource.history_id.as_ref().unwrap_or(&resource.id).to_string();
    let parent = cluster.outermost(named);
    let mut id = named;
    if cluster.is_of_bundle(named) && cluster.resource(named).variant != Variant::Bundle {
        // What is in a bundle is restarted with it.
        id = bundle_of(cluster, named);
    }
    let clone = cluster.resource(parent);
    let is_clone = clone.variant == Variant::Clone;
    if is_clone && !is_running(cluster, id, host) {
        let name = &cluster.resource(id).id;
        let name = if clone.state.unique { name } else { base_name(name) };
        let running = in_order(cluster)
            .filter(|&other| cluster.outermost(other) == parent)
            .filter(|&other| {
                base_name(&cluster.resource(other).id) == name || &*cluster.resource(other).id == name
            })
            .find(|&other| is_running(cluster, other, host));
        id = running.unwrap_or(id);
    }
    if !is_running(cluster, id, host) {
        let place = host.map_or_else(|| "anywhere".to_owned(), |node| format!("on {}", site.node_name(node)));
        out.error(format_args!("{shown} is not running {place} and so cannot be restarted"));
        return Err(refused(super::NOTHING));
    }
    let resource = cluster.resource(id);
    if !resource.state.managed {
        out.error("Unmanaged resources cannot be restarted.");
        return Err(refused(NOT_NOW));
    }
    let is_collective = matches!(resource.variant, Variant::Clone | Variant::Bundle);
    let means = match host {
        Some(node) if is_collective || is_clone => {
            let lookup = if clone.state.unique { &*resource.id } else { base_name(&resource.id) };
            let resource = if is_collective { lookup.to_owned() } else { clone.id.to_string() };
            Means::Ban { resource, node: site.node_name(node).to_owned() }
        }
        _ => Means::TargetRole(configured_role(site, base_name(&resource.id))),
    };
    Ok(Restart { id, name: resource.id.to_string(), host, means })
}

fn bundle_of(cluster: &Cluster, mut id: ResourceId) -> ResourceId {
    while cluster.resource(id).variant != Variant::Bundle
        && let Some(parent) = cluster.resource(id).parent
    {
        id = parent;
    }
    id
}

fn is_running(cluster: &Cluster, id: ResourceId, host: Option<NodeId>) -> bool {
    let nodes = cluster.locations_of(id);
    host.map_or(!nodes.is_empty(), |host| nodes.contains(&host))
}

/// The role that the resource's own configuration asks for.
fn configured_role(site: &Site<'_>, name: &str) -> Option<String> {
    let resources = site.kept.descend(&["configuration", "resources"])?;
    let element = resources.descendants().find(|element| element.id() == Some(name))?;
    let mut pairs = element.descendants().filter(|pair| pair.name() == "nvpair");
    pairs.find(|pair| pair.attr("name") == Some(TARGET_ROLE))?.attr("value").map(str::to_owned)
}

fn stop(site: &mut Site<'_>, restart: &Restart, out: &mut Output<'_>) -> Result<(), Failure> {
    let force = site.options.force;
    match &restart.means {
        Means::Ban { resource, node } => {
            // What the ban means for good need not be said: it will be taken back.
            out.hush();
            let promoted = site.options.promoted_only();
            keep_off(site, resource, node, promoted, out).map(drop)
        }
        Means::TargetRole(_) => {
            let change = Change::of_meta(TARGET_ROLE, force);
            set_value(site, restart.id, &restart.name, &change, "stopped", out)
        }
    }
}

/// Takes back what made it stop.
fn take_back(site: &mut Site<'_>, restart: &Restart, out: &mut Output<'_>) -> Result<(), Failure> {
    let force = site.options.force;
    let change = Change::of_meta(TARGET_ROLE, force);
    match &restart.means {
        Means::Ban { resource, node } => {
            clear_for(site, resource, std::slice::from_ref(node), Which { bans: true, force })
        }
        Means::TargetRole(Some(role)) => set_value(site, restart.id, &restart.name, &change, role, out),
        Means::TargetRole(None) => delete_value(site, restart.id, &restart.name, &change, out),
    }
}

/// What is active (on a node): of groups the members, as all that follows a member that is restarted is, too.
fn active(cluster: &Cluster, host: Option<NodeId>) -> Vec<String> {
    let members = |&id: &ResourceId| match cluster.resource(id).variant {
        Variant::Group => cluster.resource(id).children.clone(),
        _ => vec![id],
    };
    let all = cluster.top.iter().flat_map(members);
    all.filter(|&id| is_running(cluster, id, host)).map(|id| cluster.resource(id).id.to_string()).collect()
}

/// What is in one list and not in another.
fn without(all: &[String], gone: &[String]) -> Vec<String> {
    let gone: BTreeSet<&String> = gone.iter().collect();
    all.iter().filter(|name| !gone.contains(name)).cloned().collect()
}

/// Looks at the cluster anew.
fn look(site: &mut Site<'_>, what: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    let verbose = site.options.common.verbose;
    match site::read(&mut site.session, now(), verbose, out) {
        Ok((kept, cluster)) => {
            (site.kept, site.cluster) = (kept, cluster);
            Ok(())
        }
        Err(failure) => {
            out.error(format_args!("Could not determine which resources {what}"));
            Err(failure)
        }
    }
}

/// How often it is looked at most before it is looked whether anything has changed.
struct Patience {
    limit_s: u64,
}

impl Patience {
    fn new(site: &Site<'_>) -> Patience {
        Patience { limit_s: whole_seconds(site.options.timeout_ms()) }
    }

    /// The time limit, or what the slowest stop may take and a little more.
    fn looks(&self, cluster: &Cluster, names: &[String]) -> u64 {
        if self.limit_s > 0 {
            return self.limit_s / PAUSE_S;
        }
        let ids = names.iter().filter_map(|name| find_by_history(cluster, name));
        let slowest_ms = ids.map(|id| stop_timeout_ms(cluster, id)).max().unwrap_or(0);
        (whole_seconds(u32::try_from(slowest_ms).unwrap_or(u32::MAX)) + 5) / PAUSE_S
    }
}

/// Of what is in it, the longest. Resources are nested a few levels deep.
fn stop_timeout_ms(cluster: &Cluster, id: ResourceId) -> u64 {
    let children = &cluster.resource(id).children;
    match children.iter().map(|&child| stop_timeout_ms(cluster, child)).max() {
        Some(longest) => longest,
        None => cluster.timeout_ms_of(id, "stop"),
    }
}

fn tell(count: &str, names: &[String], out: &mut Output<'_>) -> Result<(), Failure> {
    out.info(format_args!("Waiting for {} resources to {count}:", names.len()))?;
    names.iter().try_for_each(|name| out.info(format_args!(" * {name}")))?;
    out.flush()
}

fn gave_up(what: &str, restart: &Restart, left: &[String], out: &mut Output<'_>) -> Result<Failure, Failure> {
    let count = left.len();
    out.error(format_args!("Could not complete {what} of {}, {count} resources remaining", restart.name));
    left.iter().try_for_each(|name| out.info(format_args!(" * {name}")))?;
    Ok(Failure::bare(ExitCode::TIMEOUT))
}

/// Waits until all is down that will be; gives what is active then.
fn wait_for_stops(
    site: &mut Site<'_>,
    restart: &Restart,
    before: &[String],
    out: &mut Output<'_>,
) -> Result<Vec<String>, Failure> {
    let planned = {
        look(site, "would be stopped", out)?;
        let after = crm_simulate::after_transition(&site.cluster, now());
        let (after, _) = scheduler::unpack(&after, now());
        active(&after, restart.host)
    };
    let mut current = before.to_vec();
    let mut left = without(before, &planned);
    tell("stop", &left, out)?;
    let patience = Patience::new(site);
    while !left.is_empty() {
        let count = left.len();
        for _ in 0..patience.looks(&site.cluster, &left) {
            if left.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_secs(PAUSE_S));
            look(site, "were stopped", out)?;
            current = active(&site.cluster, restart.host);
            left = without(&current, &planned);
        }
        if left.len() == count {
            return Err(gave_up("shutdown", restart, &left, out)?);
        }
    }
    Ok(current)
}

/// Waits until all is up again that was; on whatever node.
fn wait_for_starts(
    site: &mut Site<'_>,
    restart: &Restart,
    before: &[String],
    mut current: Vec<String>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut left = without(before, &current);
    tell("start again", &left, out)?;
    let patience = Patience::new(site);
    let is_up = |site: &Site<'_>| {
        let id = find(&site.cluster, &restart.name, Naming::History);
        id.is_some_and(|id| is_running(&site.cluster, id, restart.host))
    };
    while !left.is_empty() || !is_up(site) {
        let count = left.len();
        for _ in 0..patience.looks(&site.cluster, &left) {
            if left.is_empty() && is_up(site) {
                break;
            }
            std::thread::sleep(Duration::from_secs(PAUSE_S));
            look(site, "were started", out)?;
            current = active(&site.cluster, None);
            left = without(before, &current);
        }
        if left.len() == count && !(left.is_empty() && is_up(site)) {
            return Err(gave_up("restart", restart, &left, out)?);
        }
    }
    Ok(())
}
