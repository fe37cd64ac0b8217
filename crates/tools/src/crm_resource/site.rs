// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a command is carried out: the CIB as it is, what it means, and which node and resource were named.
//!
//! Decides: what is told when one of these cannot be had. Leaves to others: the CIB (`cib_access`), its meaning
//! (`scheduler`), how names are matched (`find`).

use super::options::Options;
use super::{PROGRAM, find, usage};
use crate::acceptable::acceptable;
use crate::cib_access::{CibSession, Refused};
use crate::failure::Failure;
use crate::log::{Level, Log, Source};
use crate::output::Output;
use model::{ExitCode, WallTime};
use scheduler::{Cluster, ConfigIssue, Node, NodeId, Resource, ResourceId, Severity, Variant};
use xml::Element;

/// What a command knows and can change.
pub(super) struct Site<'a> {
    pub options: &'a Options,
    pub session: CibSession,
    /// The CIB as it is kept, of whatever schema.
    pub kept: Element,
    /// What it means; `cluster.cib` is of the newest schema.
    pub cluster: Cluster,
    pub node: Option<NodeId>,
    pub resource: Option<ResourceId>,
}

impl<'a> Site<'a> {
    pub fn open(
        options: &'a Options,
        now: WallTime,
        mut session: CibSession,
        out: &mut Output<'_>,
    ) -> Result<Site<'a>, Failure> {
        let (kept, cluster) = read(&mut session, now, options.common.verbose, out)?;
        let needs = options.command.needs();
        let node = options
            .node
            .as_ref()
            .map(|name| cluster.node_named(name).ok_or_else(|| usage::unknown_node(name)));
        let mut site = Site { options, session, kept, node: node.transpose()?, resource: None, cluster };
        let (Some(naming), Some(name)) = (needs.naming, &options.resource) else { return Ok(site) };
        let unknown = || Failure::new(ExitCode::NOSUCH, format_args!("Resource '{name}' not found"));
        let id = find::find(&site.cluster, name, naming).ok_or_else(unknown)?;
        let parent = site.cluster.resource(id).parent;
        let in_clone = parent.is_some_and(|parent| site.cluster.resource(parent).variant == Variant::Clone);
        if needs.whole && in_clone && name.contains(':') {
            let text = format!("Cannot operate on clone resource instance '{name}'");
            return Err(Failure::new(ExitCode::INVALID_PARAM, text));
        }
        site.resource = Some(id);
        Ok(site)
    }

    /// The resource's id as it was given.
    pub fn requested(&self) -> &'a str {
        self.options.resource.as_deref().unwrap_or_default()
    }

    /// The resource; that there must be one was checked with the command line.
    pub fn resource(&self) -> Result<(ResourceId, &Resource), Failure> {
        let missing = || Failure::usage("Must supply a resource ID with -r/--resource");
        let id = self.resource.ok_or_else(missing)?;
        Ok((id, self.cluster.resource(id)))
    }

    /// The node; likewise.
    pub fn named_node(&self) -> Result<NodeId, Failure> {
        self.node.ok_or_else(|| Failure::usage("Must supply a node name with -N/--node"))
    }

    pub fn node_name(&self, node: NodeId) -> &str {
        &self.cluster.node(node).name
    }
}

/// Reads the CIB, and what it means at a moment. What is wrong in it goes to the log.
pub(super) fn read(
    session: &mut CibSession,
    now: WallTime,
    verbose: u8,
    out: &mut Output<'_>,
) -> Result<(Element, Cluster), Failure> {
    let kept = session.read()?.map_err(|Refused { rc, .. }| {
        out.error(format_args!("Could not obtain the current CIB: {rc}"));
        super::refused(rc)
    })?;
    let cib = acceptable(&kept, |line| out.warn(line)).map_err(|refusal| {
        out.error(format_args!("Could not upgrade the current CIB XML: {refusal}"));
        Failure::bare(ExitCode::CONFIG)
    })?;
    let (cluster, issues) = scheduler::unpack(&cib, now);
    log(&issues, verbose, out);
    Ok((kept, cluster))
}

/// Issues that scripts know are logged as ever; the others are for who wants to know more.
fn log(issues: &[ConfigIssue], verbose: u8, out: &mut Output<'_>) {
    let log = Log::new(PROGRAM, verbose);
    for issue in issues {
        match issue.function {
            Some(function) => {
                let level = match issue.severity {
                    Severity::Error => Level::Error,
                    Severity::Warning => Level::Warning,
                };
                log.say(out, level, Source { file: "unpack", function }, issue);
            }
            None if verbose > 0 => out.warn(issue),
            None => {}
        }
    }
}

/// Remote and guest nodes are reached through a resource: the node that this runs on is who is asked.
pub(super) fn router<'c>(cluster: &'c Cluster, node: &'c Node) -> Option<&'c str> {
    match node.connection {
        Some(connection) if node.is_reached_through_connection() => {
            cluster.node_of(connection).map(|host| &*cluster.node(host).name)
        }
        _ => Some(&node.name),
    }
}
