// SPDX-License-Identifier: GPL-2.0-or-later
//! Waiting until the cluster has nothing left to do.
//!
//! Decides: what counts as left to do. Leaves to others: what there is to do (`scheduler`).

use super::options::Options;
use super::{now, site};
use crate::cib_access::CibSession;
use crate::failure::Failure;
use crate::output::Output;
use model::{ExitCode, Profile};
use scheduler::{Action, Cluster, Schedule};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use xml::Element;

/// How long it is waited if nobody says.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// How long nothing is looked at.
const PAUSE: Duration = Duration::from_secs(2);

/// What an operation returns that has not ended: nobody knows.
const PENDING: &str = "193";

/// A time limit in whole seconds: rounded, but never down to nothing.
pub(super) fn whole_seconds(ms: u32) -> u64 {
    match ms {
        0 => 0,
        1..=999 => 1,
        ms => (u64::from(ms) + 500) / 1000,
    }
}

pub(super) fn until_stable(
    options: &Options,
    mut session: CibSession,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let patience = match options.timeout_ms() {
        0 => PATIENCE,
        ms => Duration::from_secs(whole_seconds(ms)),
    };
    let end = Instant::now() + patience;
    let mut told = out.is_quiet();
    let mut last: Option<(Cluster, Schedule)> = None;
    loop {
        if Instant::now() >= end {
            tell_pending(last.as_ref(), out)?;
            return Ok(ExitCode::TIMEOUT);
        }
        out.flush()?;
        std::thread::sleep(PAUSE);
        let (_, cluster) = site::read(&mut session, now(), options.common.verbose, out)?;
        let schedule = scheduler::schedule(&cluster, &scheduler::Options::default());
        if !told && is_of_other_version(&cluster) {
            // Another version's DC may find other things to be done than we do.
            out.info("warning: wait option may not work properly in mixed-version cluster")?;
            told = true;
        }
        if !schedule.actions.iter().any(is_pending) && !is_anything_under_way(&cluster.cib) {
            return Ok(ExitCode::OK);
        }
        last = Some((cluster, schedule));
    }
}

fn is_of_other_version(cluster: &Cluster) -> bool {
    let ours = Profile::default().version().to_string();
    let dc = cluster.options.value("dc-version").unwrap_or_default();
    dc.split('-').next() != Some(&ours)
}

fn is_pending(action: &Action) -> bool {
    !action.optional && !action.pseudo && action.runnable && !action.task.eq_ignore_ascii_case("notify")
}

fn tell_pending(last: Option<&(Cluster, Schedule)>, out: &mut Output<'_>) -> Result<(), Failure> {
    out.info("Pending actions:")?;
    let Some((cluster, schedule)) = last else { return Ok(()) };
    for action in schedule.actions.iter().rev().filter(|action| is_pending(action)) {
        let on = action.node.map(|node| format!("\ton {}", cluster.node(node).name));
        out.info(format_args!("\tAction {}: {}{}", action.id, action.key, on.unwrap_or_default()))?;
    }
    Ok(())
}

/// Whether an operation has begun and not ended. A recurring monitor that has failed is said to be under way ever after, so
/// it does not count.
fn is_anything_under_way(cib: &Element) -> bool {
    let states = cib.child("status").into_iter().flat_map(|status| status.elements_named("node_state"));
    let lists = states.filter_map(|state| state.descend(&["lrm", "lrm_resources"]));
    let histories = lists.flat_map(|list| list.elements_named("lrm_resource"));
    let all: Vec<&Element> = histories.flat_map(|history| history.elements_named("lrm_rsc_op")).collect();
    let is_failure = |operation: &&&Element| operation.id().is_some_and(|id| id.ends_with("_last_failure_0"));
    let failed: BTreeSet<&str> =
        all.iter().filter(is_failure).filter_map(|operation| operation.attr("operation_key")).collect();
    all.iter().filter(|operation| operation.attr("rc-code") == Some(PENDING)).any(|operation| {
        let recurs = operation.attr("operation") == Some("monitor")
            && operation.attr("interval").is_some_and(|interval| interval != "0");
        !(recurs && operation.attr("operation_key").is_some_and(|key| failed.contains(key)))
    })
}
