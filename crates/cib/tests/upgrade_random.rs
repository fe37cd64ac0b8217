// SPDX-License-Identifier: GPL-2.0-or-later
//! Upgrades of configurations made at random: what always holds, and what Debian's Pacemaker makes of the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod random_cib;

use cib::schema::is_valid_for;
use cib::upgrade::upgrade;
use cib::{CallOptions, Context, Operation, Request, perform};
use model::Profile;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use random_cib::claiming;
use std::path::Path;
use std::process::Command;
use xml::Element;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// An upgrade never panics; what it comes to follows what it claims, and is no older; to upgrade it again changes
    /// nothing; and where it goes nowhere, nothing has changed.
    #[test]
    fn an_upgrade_keeps_its_word(cib in random_cib::cib(), pick in 0..30usize, claim in 0..26usize) {
        for profile in [Profile::V3_0, Profile::V2_1] {
            let any = cib::schema::SchemaVersion::ALL[claim].to_string();
            let follows = claiming(&cib, pick, profile);
            for old in [Some(cib.clone().with_attr("validate-with", any)), follows].into_iter().flatten() {
                let new = upgrade(&old, None, profile);
                prop_assert!(new.to >= new.from);
                if !new.advanced() {
                    prop_assert_eq!(&new.cib, &old);
                    continue;
                }
                prop_assert!(is_valid_for(&new.cib, new.to.unwrap(), profile));
                let again = upgrade(&new.cib, None, profile);
                prop_assert!(!again.advanced() && again.cib == new.cib);
            }
        }
    }
}

/// Random configurations that follow what they claim, the same in every run.
fn samples(count: usize, profile: Profile) -> Vec<Element> {
    let mut runner = TestRunner::deterministic();
    let strategy = (random_cib::cib(), 0..30usize);
    let mut samples = Vec::new();
    // Most follow some version; should that change, the test must not run for ever.
    for _ in 0..count * 10 {
        let (cib, pick) = strategy.new_tree(&mut runner).unwrap().current();
        samples.extend(claiming(&cib, pick, profile));
        if samples.len() == count {
            break;
        }
    }
    samples
}

#[test]
fn most_valid_configurations_reach_the_newest_schema() {
    let samples = samples(200, Profile::V3_0);
    assert_eq!(samples.len(), 200);
    let arrived = |old: &&Element| {
        let new = upgrade(old, None, Profile::V3_0);
        new.to == Some(cib::schema::SchemaVersion::newest(Profile::V3_0))
    };
    let arrived = samples.iter().filter(arrived).count();
    assert!(arrived >= 180, "only {arrived}");
    let old_enough = samples.iter().filter(|old| old.attr("validate-with") < Some("pacemaker-3.0")).count();
    assert!(old_enough >= 40, "only {old_enough} begin before the third series");
}

const DEBIAN: &str = "/usr/sbin/cibadmin";

/// What a file is after Debian's `cibadmin --upgrade`; none if that refuses.
fn upgraded_by_debian(cib: &Element, folder: &Path) -> Option<Element> {
    let file = folder.join("cib.xml");
    std::fs::write(&file, xml::write_document(cib)).unwrap();
    let output = Command::new(DEBIAN)
        .args(["--upgrade", "--force"])
        .env("CIB_file", &file)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    output.status.success().then(|| xml::parse(&std::fs::read_to_string(&file).unwrap()).unwrap())
}

/// Without what says when and by whom.
fn anonymous(mut cib: Element) -> Element {
    for attribute in ["cib-last-written", "update-origin", "update-client", "update-user"] {
        cib.remove_attr(attribute);
    }
    cib
}

#[test]
fn debians_pacemaker_comes_to_the_same() {
    if !Path::new(DEBIAN).exists() {
        eprintln!("\n*** NOT RUN: debians_pacemaker_comes_to_the_same: {DEBIAN} is not installed ***\n");
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "this must run in CI: {DEBIAN} is not installed"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let context = Context { profile: Profile::V2_1, ..Context::default() };
    let mut transformed = 0;
    for old in samples(60, Profile::V2_1) {
        let request = Request::new(Operation::Upgrade).with(CallOptions::NO_MTIME);
        let ours = perform(&old, &request, &context).ok().map(|outcome| outcome.cib);
        let theirs = upgraded_by_debian(&old, folder.path());
        if ours.clone().map(anonymous) != theirs.clone().map(anonymous) {
            let shown =
                |cib: &Option<Element>| cib.as_ref().map_or("refused".to_owned(), xml::write_indented);
            panic!("of\n{}ours is\n{}theirs is\n{}", xml::write_indented(&old), shown(&ours), shown(&theirs));
        }
        let changed = |new: &Element| new.child("configuration") != old.child("configuration");
        transformed += usize::from(ours.as_ref().is_some_and(changed));
    }
    assert!(transformed >= 10, "only {transformed} had to be transformed");
}
