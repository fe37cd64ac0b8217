// SPDX-License-Identifier: GPL-2.0-or-later
//! The same verdicts as `xmllint --relaxng`: on every CIB of the corpus, under the version it claims and under others, and on
//! damaged copies of them; with the RNG files that Debian's Pacemaker installs and with the ones we ship.
//!
//! `SYSTOLE_DAMAGED` is how many damaged copies are tried (2,000 by default), `SYSTOLE_SEED` where chance begins,
//! `SYSTOLE_RNG` another folder with Pacemaker's RNG files, `SYSTOLE_CORPUS` where the corpus is. What is missing on a
//! machine is said loudly and, under `CI=true`, a failure.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod chance;
mod damage;
mod examples;
mod xmllint;

use chance::Chance;
use cib::schema::{self, SchemaVersion};
use damage::Damager;
use examples::Example;
use model::Profile;
use std::path::{Path, PathBuf};
use xml::Element;
use xmllint::Xmllint;

/// Debian's.
const INSTALLED: &str = "/usr/share/pacemaker";

/// A tree, and the version it is held against.
struct Trial {
    what: String,
    tree: Element,
    version: SchemaVersion,
}

/// Says that something is missing; under `CI=true` that is a failure.
fn missing(what: &str) {
    eprintln!("NOT TESTED: {what}");
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{what}");
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |value| value.parse().expect("a number"))
}

/// Pacemaker's RNG files and the profile that knows as much as they do.
fn installed() -> Option<(Xmllint, Profile)> {
    let folder = std::env::var_os("SYSTOLE_RNG").map_or_else(|| PathBuf::from(INSTALLED), PathBuf::from);
    let profile = if folder.join("pacemaker-4.0.rng").is_file() { Profile::V3_0 } else { Profile::V2_1 };
    match Xmllint::with(&folder) {
        Ok(xmllint) => Some((xmllint, profile)),
        Err(problem) => {
            missing(&problem);
            None
        }
    }
}

/// The RNG files that we ship, which are for Pacemaker 3.
fn shipped() -> Option<Xmllint> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let xmllint = Xmllint::with(&folder);
    xmllint.map_err(|problem| missing(&problem)).ok()
}

fn all_examples() -> Vec<Example> {
    let examples = examples::all();
    if examples.len() < 100 {
        missing("there is no corpus: put it beside the workspace as ../shared/corpus, or set SYSTOLE_CORPUS");
    }
    examples
}

/// Holds trials against both, some hundreds at a time; all differences.
fn differences(
    xmllint: &Xmllint,
    profile: Profile,
    trials: impl Iterator<Item = Trial>,
) -> (usize, usize, Vec<String>) {
    let (mut tried, mut valid, mut differences) = (0, 0, Vec::new());
    let mut trials = trials.peekable();
    while trials.peek().is_some() {
        let batch: Vec<Trial> = trials.by_ref().take(400).collect();
        for (trial, theirs) in batch.iter().zip(xmllint.verdicts(&batch)) {
            let ours = schema::is_valid_for(&trial.tree, trial.version, profile);
            tried += 1;
            valid += usize::from(ours);
            if ours != theirs {
                let issues = schema::validate_against(&trial.tree, trial.version);
                let issues: Vec<String> = issues.iter().take(3).map(ToString::to_string).collect();
                let kept = keep(trial);
                differences.push(format!(
                    "{} under {}: ours {ours}, theirs {theirs}; {issues:?}; {kept}",
                    trial.what, trial.version
                ));
            }
        }
    }
    (tried, valid, differences)
}

/// Keeps a tree about which there is no agreement, if somebody wants to look.
fn keep(trial: &Trial) -> String {
    let Some(folder) = std::env::var_os("SYSTOLE_KEEP") else { return String::new() };
    let path =
        Path::new(&folder).join(format!("{}-{}.xml", trial.what.replace(['/', ' '], "_"), trial.version));
    std::fs::write(&path, xml::write_document(&trial.tree)).unwrap();
    path.display().to_string()
}

fn report(name: &str, (tried, valid, differences): (usize, usize, Vec<String>)) {
    eprintln!("{name}: {tried} verdicts, {valid} of them 'valid', {} differ", differences.len());
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(20)].join("\n"));
    assert!(tried == 0 || (valid > 0 && valid < tried), "all verdicts are the same");
}

/// The versions that a folder of RNG files has.
fn versions(xmllint: &Xmllint) -> Vec<SchemaVersion> {
    SchemaVersion::ALL.into_iter().filter(|version| xmllint.has(*version)).collect()
}

/// Every example under the version it claims, and a few others.
fn undamaged<'a>(examples: &'a [Example], versions: &'a [SchemaVersion]) -> impl Iterator<Item = Trial> + 'a {
    let mut chance = Chance::new(1);
    examples.iter().flat_map(move |example| {
        let claimed = example.claimed.filter(|version| versions.contains(version));
        let other = *chance.pick(versions);
        claimed.into_iter().chain([other]).map(|version| Trial {
            what: example.name.clone(),
            tree: example.tree.clone(),
            version,
        })
    })
}

/// So many damaged copies.
fn damaged<'a>(
    examples: &'a [Example],
    versions: &'a [SchemaVersion],
    seed: u64,
    count: usize,
) -> impl Iterator<Item = Trial> + 'a {
    let mut chance = Chance::new(seed);
    let damager = Damager::new(examples);
    // Small ones show as much as large ones, and faster.
    let small: Vec<&Example> = examples.iter().filter(|example| example.size < 12_000).collect();
    (0..count).map(move |number| {
        let example = if chance.one_in(20) { chance.pick(examples) } else { *chance.pick(&small) };
        let claimed = example.claimed.filter(|version| versions.contains(version) && !chance.one_in(4));
        let version = claimed.unwrap_or_else(|| *chance.pick(versions));
        let tree = damager.damage(&example.tree, &mut chance);
        Trial { what: format!("seed {seed} number {number} of {}", example.name), tree, version }
    })
}

#[test]
fn the_corpus_is_judged_as_xmllint_does_with_the_installed_schemas() {
    let Some((xmllint, profile)) = installed() else { return };
    let (examples, versions) = (all_examples(), versions(&xmllint));
    report("corpus, installed RNG", differences(&xmllint, profile, undamaged(&examples, &versions)));
}

#[test]
fn damaged_cibs_are_judged_as_xmllint_does_with_the_installed_schemas() {
    let Some((xmllint, profile)) = installed() else { return };
    let (examples, versions) = (all_examples(), versions(&xmllint));
    let seed = number("SYSTOLE_SEED", 20) as u64;
    let trials = damaged(&examples, &versions, seed, number("SYSTOLE_DAMAGED", 2_000));
    report("damaged, installed RNG", differences(&xmllint, profile, trials));
}

#[test]
fn the_corpus_is_judged_as_xmllint_does_with_the_schemas_we_ship() {
    let Some(xmllint) = shipped() else { return };
    let examples = all_examples();
    let trials = undamaged(&examples, &SchemaVersion::ALL);
    report("corpus, shipped RNG", differences(&xmllint, Profile::V3_0, trials));
}

#[test]
fn damaged_cibs_are_judged_as_xmllint_does_with_the_schemas_we_ship() {
    let Some(xmllint) = shipped() else { return };
    let examples = all_examples();
    let seed = number("SYSTOLE_SEED", 21) as u64;
    let trials = damaged(&examples, &SchemaVersion::ALL, seed, number("SYSTOLE_DAMAGED", 2_000));
    report("damaged, shipped RNG", differences(&xmllint, Profile::V3_0, trials));
}

/// A change is judged as the whole would be, whatever it changes.
#[test]
fn changes_are_judged_as_the_whole_is() {
    let examples = all_examples();
    let damager = Damager::new(&examples);
    let mut chance = Chance::new(number("SYSTOLE_SEED", 22) as u64);
    let valid: Vec<&Example> = examples
        .iter()
        .filter(|example| example.size < 12_000 && example.claimed.is_some())
        .filter(|example| schema::validate(&example.tree).is_empty())
        .collect();
    let (mut good, mut seen) = (0, 0);
    let count = number("SYSTOLE_DAMAGED", 2_000) / 2;
    for number in 0..count {
        let mut before = chance.pick(&valid).tree.clone();
        // Several changes in a row, as long as each leaves it valid.
        for _ in 0..4 {
            let after = damager.damage(&before, &mut chance);
            let whole = schema::validate(&after);
            let stays = schema::stays_valid(&before, &after);
            assert!(whole.is_empty() || !stays, "number {number}: {whole:?} from {before} to {after}");
            assert_eq!(schema::validate_change(&before, &after), whole);
            // Nothing shared: the same again, for other reasons. (Text is left out when a CIB is read.)
            let apart = xml::parse(&after.to_string()).unwrap();
            let issues = schema::validate(&apart);
            let stays_apart = schema::stays_valid(&before, &apart);
            assert!(
                issues.is_empty() || !stays_apart,
                "number {number}: {issues:?} from {before} to {apart}"
            );
            if !whole.is_empty() {
                break;
            }
            good += 1;
            seen += usize::from(stays);
            before = after;
        }
    }
    assert!(good > count / 20, "{good} of {count} left a valid CIB");
    // Other than by a change of the version they claim, and the like, it is always seen.
    assert!(
        seen * 10 > good * 9,
        "of {good} good changes {seen} were seen to be good without a look at the whole"
    );
    eprintln!("{count} changes tried, {good} good, {seen} seen at once");
}
