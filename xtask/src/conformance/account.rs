// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether the account of scores holds: in every case the terms add up to the very scores that are shown, every term has
//! its cause, and keeping the account changes nothing.

use super::case::Case;
use anyhow::{Context, Result, ensure};
use model::WallTime;
use scheduler::{Cause, Options, ScoreLine};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The cases in which it does not, each with the reason.
pub fn verify(cases: &[Case]) -> Result<Vec<(String, String)>> {
    let mut wrong = Vec::new();
    for case in cases {
        let held = catch_unwind(AssertUnwindSafe(|| check(case)));
        match held {
            Ok(Ok(())) => {}
            Ok(Err(error)) => wrong.push((case.name.clone(), error.to_string())),
            Err(_) => wrong.push((case.name.clone(), "panicked".to_owned())),
        }
    }
    Ok(wrong)
}

fn check(case: &Case) -> Result<()> {
    // What cannot be upgraded is refused before anything is scheduled.
    let Ok(accepted) = cib::upgrade::acceptable(&case.cib()?, model::Profile::default()) else {
        return Ok(());
    };
    let cib = accepted.cib;
    let now = cib.attr("execution-date").and_then(|date| date.parse().ok()).unwrap_or(1_767_225_600);
    let now = WallTime::from_secs(now);
    let options = Options::default();
    let plain = scheduler::schedule(&scheduler::unpack(&cib, now).0, &options);
    let (cluster, _) = scheduler::unpack_with_reasons(&cib, now);
    let schedule = scheduler::schedule(&cluster, &options);
    ensure!(plain.scores == schedule.scores, "keeping an account changes the scores");
    ensure!(plain.graph.to_xml() == schedule.graph.to_xml(), "keeping an account changes the graph");
    let reasons = schedule.reasons.as_ref().context("no account was kept")?;
    let allocations = schedule.scores.iter().filter_map(|line| match line {
        ScoreLine::Allocation { score, .. } => Some((line, score.value())),
        _ => None,
    });
    for (index, (line, score)) in allocations.enumerate() {
        let terms = reasons.terms_of_line(index);
        let sum = scheduler::sum(&terms);
        ensure!(sum == score, "{line}: the terms add up to {sum}: {terms:?}");
        ensure!(terms.iter().all(|term| term.cause != Cause::Unknown), "{line}: a cause is not known");
    }
    // Of each instance the last line counts.
    let promotions: BTreeMap<&str, i32> = schedule
        .scores
        .iter()
        .filter_map(|line| match line {
            ScoreLine::Promotion { resource, score, .. } => Some((&**resource, score.value())),
            _ => None,
        })
        .collect();
    for (resource, score) in promotions {
        let terms =
            reasons.promotion(cluster.resource_named(resource).context("an instance without a name")?);
        let sum = scheduler::sum(terms);
        ensure!(sum == score, "{resource} promotion {score}: the terms add up to {sum}: {terms:?}");
        ensure!(
            terms.iter().all(|term| term.cause != Cause::Unknown),
            "{resource}: a cause is not known: {terms:?}"
        );
    }
    Ok(())
}
