// SPDX-License-Identifier: GPL-2.0-or-later
//! The digests by which the cluster sees that a resource's definition has changed.
//!
//! Decides: which operation of the history they are shown for. Leaves to others: the digests (`scheduler`).

use super::Said;
use super::site::Site;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use model::ExitCode;
use model::lenient::integer;
use scheduler::{Digest, Parameters, Variant, order_of_operations};
use std::cmp::Ordering;
use std::sync::Arc;
use xml::Element;

/// How much an operation of the history says about the definition that a resource runs with.
struct Candidate<'c> {
    operation: &'c Element,
    /// It brings the resource up, or looks whether it is.
    effective: bool,
    interval: u64,
    failure: bool,
    digest: Option<&'c str>,
}

impl<'c> Candidate<'c> {
    fn new(operation: &'c Element) -> Candidate<'c> {
        let interval = interval_of(operation);
        let task = operation.attr("operation").unwrap_or_default().to_ascii_lowercase();
        let brings_up = matches!(task.as_str(), "monitor" | "start" | "promote" | "migrate_from");
        Candidate {
            operation,
            effective: interval == 0 && brings_up,
            interval,
            failure: operation.id().is_some_and(|id| id.ends_with("_last_failure_0")),
            digest: operation.attr("op-restart-digest"),
        }
    }

    fn is_better_than(&self, best: &Candidate<'_>) -> bool {
        let worse = if best.effective {
            !self.effective
        } else {
            best.interval != 0 && !self.effective && self.interval == 0
        };
        !worse
            && (best.failure || !self.failure)
            && (best.digest.is_none() || self.digest.is_some())
            && order_of_operations(best.operation, self.operation) != Ordering::Greater
    }
}

fn interval_of(operation: &Element) -> u64 {
    let interval = operation.attr("interval").and_then(integer).unwrap_or(0);
    u64::try_from(interval).unwrap_or(0)
}

fn best(site: &Site<'_>, resource: &str, node: &str) -> Option<Element> {
    let mut states = site.cluster.cib.child("status")?.elements_named("node_state");
    let state = states.find(|state| state.attr("uname") == Some(node))?;
    let mut histories = state.descend(&["lrm", "lrm_resources"])?.elements_named("lrm_resource");
    let history = histories.find(|history| history.id() == Some(resource))?;
    let mut best: Option<Candidate<'_>> = None;
    for candidate in history.elements_named("lrm_rsc_op").map(Candidate::new) {
        if best.as_ref().is_none_or(|best| candidate.is_better_than(best)) {
            best = Some(candidate);
        }
    }
    best.map(|best| best.operation.clone())
}

/// Shows them; what is given with the command takes the place of what is configured.
pub(super) fn show(
    site: &Site<'_>,
    overrides: &[(String, String)],
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let (id, resource) = site.resource()?;
    let node = site.named_node()?;
    if resource.variant != Variant::Primitive {
        return Ok(ExitCode::UNIMPLEMENT_FEATURE);
    }
    let (name, host) = (&*resource.id, site.node_name(node));
    let operation = best(site, name, host);
    let task = operation.as_ref().and_then(|operation| operation.attr("operation"));
    let interval = operation.as_ref().filter(|_| task.is_some()).map_or(0, interval_of);
    let task = task.unwrap_or("start");
    let overrides: Parameters =
        overrides.iter().map(|(name, value)| (Arc::from(name.as_str()), Arc::from(value.as_str()))).collect();
    let overridden = overrides.get("CRM_meta_interval").and_then(|text| integer(text));
    let overridden = overridden.and_then(|interval| u32::try_from(interval).ok());
    let interval = overridden.map_or(interval, u64::from);
    let digests = site.cluster.digests(id, node, (task, interval), operation.as_ref(), &overrides);

    let all = [
        (Some(digests.all), "all", "all"),
        (Some(digests.secure), "nonprivate", "non-private"),
        (digests.restart, "nonreloadable", "non-reloadable"),
    ];
    let known = all.into_iter().filter_map(|(digest, kind, words)| Some((digest?, kind, words)));
    let mut entry = Entry::new("digests")
        .attr("resource", name)
        .attr("node", host)
        .attr("task", task)
        .attr("interval", format!("{interval}ms"));
    let mut text = String::new();
    for (Digest { hash, parameters }, kind, words) in known {
        text.push_str(&format!("{hash} ({words} parameters)\n"));
        let digest = Entry::new("digest").attr("type", kind).attr("hash", hash);
        entry = entry.item(digest.child(Entry::from(&parameters)));
    }
    out.say(&Said { text, entry })?;
    Ok(ExitCode::OK)
}
