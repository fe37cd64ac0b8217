// SPDX-License-Identifier: GPL-2.0-or-later
//! The account of scores: it adds up to what is shown, knows the cause of every term, and changes nothing.
#![allow(clippy::unwrap_used)] // a test may

use scheduler::{Cause, Options, ScoreLine};
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn terms_add_up_and_nothing_else_changes() {
    let mut lines = 0;
    for case in cases() {
        let cib = xml::parse(&std::fs::read_to_string(case.join("cib.xml")).unwrap()).unwrap();
        let now = cib.attr("execution-date").and_then(|date| date.parse().ok()).unwrap_or(1_000_000);
        let now = model::WallTime::from_secs(now);
        let plain = scheduler::schedule(&scheduler::unpack(&cib, now).0, &Options::default());
        let (cluster, _) = scheduler::unpack_with_reasons(&cib, now);
        let schedule = scheduler::schedule(&cluster, &Options::default());
        assert_eq!(plain.graph.to_xml(), schedule.graph.to_xml(), "{}", case.display());
        assert_eq!(plain.scores, schedule.scores, "{}", case.display());
        assert!(plain.reasons.is_none());
        let reasons = schedule.reasons.unwrap();
        let allocations = schedule.scores.iter().filter(|line| matches!(line, ScoreLine::Allocation { .. }));
        for (index, line) in allocations.enumerate() {
            let ScoreLine::Allocation { score, .. } = line else { continue };
            let terms = reasons.terms_of_line(index);
            assert_eq!(scheduler::sum(&terms), score.value(), "{}: {line}: {terms:?}", case.display());
            let known = terms.iter().all(|term| term.cause != Cause::Unknown);
            assert!(known, "{}: {line}: {terms:?}", case.display());
            lines += 1;
        }
    }
    assert!(lines > 300, "only {lines} scores were looked at");
}
