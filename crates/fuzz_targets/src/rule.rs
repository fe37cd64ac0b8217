// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules: every one in a CIB has a verdict at any moment, and until its next change keeps it.

use model::Interval;
use rules::{Checker, DateTime, Input, Pattern, Verdict, evaluate, role_of, score_of, unpack_blocks};
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

/// Seconds since the epoch: its beginning, a usual day, a leap day's last second, and both ends of time.
const MOMENTS: [i64; 5] = [0, 1_700_000_000, 1_709_251_199, i64::MIN, i64::MAX];
/// Judging all rules of a document at all moments must not be the fuzzer's way to be slow.
const MOST_RULES: usize = 50;

pub fn run(data: &[u8]) {
    let Ok(cib) = xml::parse_bytes(data) else { return };
    let attributes = BTreeMap::from([("#uname", "node1"), ("cpus", "8"), ("load", "0.75"), ("os", "10.2.1")]);
    let parameters = BTreeMap::from([("ip", "10.0.0.1"), ("cpus", "4")]);
    let found = Pattern::parse("^([a-z]+)-(.*)$").ok().and_then(|pattern| pattern.find("ip-8"));
    for (moment, offset_s) in MOMENTS.into_iter().zip([0, 3600, -16_200, 50_400, -43_200]) {
        let input = Input {
            cib: Some(&cib),
            node_attributes: Some(&attributes),
            parameters: Some(&parameters),
            meta: Some(&parameters),
            standard: Some("ocf"),
            provider: Some("heartbeat"),
            agent: Some("IPaddr2"),
            operation: Some(("monitor", Interval::from_ms(10_000))),
            submatches: found.as_ref(),
            ..Input::at(DateTime::from_epoch(moment, offset_s))
        };
        judge_all(&cib, &input);
        sets(&cib, &input);
    }
}

fn judge_all(cib: &Element, input: &Input<'_>) {
    let checker = Checker::of(cib);
    for rule in cib.descendants().filter(|element| element.name() == "rule").take(MOST_RULES) {
        let evaluation = evaluate(rule, input);
        if let Some(change) = evaluation.next_change {
            // At the end of time nothing is later.
            assert!(change >= input.now, "changed already: {rule:?}");
        }
        if evaluation.verdict == Verdict::Invalid {
            assert!(!evaluation.issues.is_empty(), "no word of what is wrong with {rule:?}");
        }
        for issue in &evaluation.issues {
            assert!(!issue.to_string().is_empty());
        }
        if let Ok(score) = score_of(rule, input) {
            let _ = score.value(input);
        }
        let _ = role_of(rule, input);
        if let Some(id) = rule.id() {
            let _ = checker.check(id, &input.now);
        }
    }
}

fn sets(cib: &Element, input: &Input<'_>) {
    for parent in cib.descendants().take(MOST_RULES) {
        let mut values = BTreeMap::from([(Arc::from("known"), Arc::from("before"))]);
        for name in ["instance_attributes", "meta_attributes", "cluster_property_set"] {
            unpack_blocks(parent, name, Some("cib-bootstrap-options"), input, &mut values);
        }
    }
}
