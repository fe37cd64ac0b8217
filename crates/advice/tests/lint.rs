// SPDX-License-Identifier: GPL-2.0-or-later
//! Every rule, with a configuration that breaks it and one like it that does not.
//!
//! `tests/lint/cases` holds them: a rule's id, `bad` or `good`, and edits of a sound configuration (`tests/lint/sound.xml`),
//! each a line `- TEXT` that must be there once, and a line `+ TEXT` to stand in its place.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use advice::lint::{self, lint};
use model::WallTime;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the configurations are looked at: 2026-01-01.
const NOW: WallTime = WallTime::from_secs(1_767_225_600);

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint").join(name)).unwrap()
}

/// The ids of the rules that a configuration breaks.
fn broken(text: &str) -> BTreeSet<&'static str> {
    let cib = xml::parse(text).unwrap();
    lint(&cib, NOW, &BTreeSet::new()).iter().map(|finding| finding.rule.id).collect()
}

struct Case {
    rule: String,
    bad: bool,
    line: usize,
    edits: Vec<(String, String)>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in read("cases").lines().enumerate() {
        if let Some(text) = line.strip_prefix("- ") {
            cases.last_mut().unwrap().edits.push((text.to_owned(), String::new()));
        } else if let Some(text) = line.strip_prefix("+ ") {
            cases.last_mut().unwrap().edits.last_mut().unwrap().1 += text;
        } else if line.starts_with("SL") {
            let (rule, kind) = line.split_once(' ').unwrap();
            let bad = match kind {
                "bad" => true,
                "good" => false,
                _ => panic!("line {}: neither bad nor good", index + 1),
            };
            cases.push(Case { rule: rule.to_owned(), bad, line: index + 1, edits: Vec::new() });
        }
    }
    cases
}

#[test]
fn a_sound_configuration_breaks_no_rule() {
    assert_eq!(broken(&read("sound.xml")), BTreeSet::new());
}

#[test]
fn every_rule_finds_what_it_is_for_and_nothing_else() {
    let sound = read("sound.xml");
    let mut seen: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for case in cases() {
        let mut text = sound.clone();
        for (old, new) in &case.edits {
            assert_eq!(
                text.matches(old.as_str()).count(),
                1,
                "cases:{}: '{old}' is not there once",
                case.line
            );
            text = text.replace(old.as_str(), new);
        }
        let found = broken(&text).contains(case.rule.as_str());
        assert_eq!(found, case.bad, "cases:{}: {} (broken: {:?})", case.line, case.rule, broken(&text));
        *seen.entry((case.rule, case.bad)).or_default() += 1;
    }
    for rule in lint::rules() {
        for bad in [true, false] {
            assert!(
                seen.contains_key(&(rule.id.to_owned(), bad)),
                "{} has no case that is bad={bad}",
                rule.id
            );
        }
    }
}

#[test]
fn ids_and_names_are_there_once_and_rules_can_be_ignored() {
    let rules: Vec<_> = lint::rules().collect();
    assert!(rules.windows(2).all(|pair| pair[0].id < pair[1].id), "ids are in order");
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), rules.len());
    let bad = read("sound.xml")
        .replace("name=\"fencing-enabled\" value=\"true\"", "name=\"fencing-enabled\" value=\"false\"");
    assert!(broken(&bad).contains("SL001"));
    let cib = xml::parse(&bad).unwrap();
    for ignored in ["SL001", "sl001", "fencing-disabled"] {
        let left = lint(&cib, NOW, &BTreeSet::from([ignored.to_owned()]));
        assert!(left.iter().all(|finding| finding.rule.id != "SL001"), "{ignored}");
    }
}
