// SPDX-License-Identifier: GPL-2.0-or-later
//! Pacemaker's own `cibadmin` and our operations do the same to the same CIB: random sequences of them, on a file. And
//! its `crm_diff` and our patches (`patches`).
//!
//! Every step is done by both; compared are how it ended, what was printed (of queries) and what is in the file then: to
//! the byte with Pacemaker 3, as trees (with the order of attributes) with 2.1, which writes files in another form.
//!
//! What 2.1 decides about ACLs is often other than what 3 does; so of these, what Pacemaker 3 decided is written down, and
//! compared with where no other is named.
//!
//! Without further ado it is Debian's `cibadmin` (2.1.5), with some hundred steps that are always the same. By hand:
//!
//! | variable | says |
//! |---|---|
//! | `SYSTOLE_CIBADMIN` | another `cibadmin` |
//! | `SYSTOLE_CIBADMIN_PROFILE` | which Pacemaker that is: `3.0` (or `2.1`) |
//! | `SYSTOLE_STEPS`, `SYSTOLE_SEED` | how many steps, and where to begin |
//! | `SYSTOLE_BLESS` | `1`: write down what Pacemaker 3 decides about ACLs (`acls.decided`) |
//! | `SYSTOLE_CORPUS` | CIBs to begin with (a folder with `scheduler/xml`), besides the one that is built in |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod acls;
mod patches;
mod random;
mod steps;

use cib::acl::Facts;
use cib::{CallOptions, Context, perform, query};
use model::{ExitCode, Profile};
use random::Random;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};
use steps::Step;
use xml::{Element, Escaping, Limits, TextPolicy};

/// The `cibadmin` to compare with.
struct Theirs {
    program: PathBuf,
    profile: Profile,
    folder: tempfile::TempDir,
}

/// What an exit code stands for that there is none of.
const CRASHED: i32 = -1;

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    code: i32,
    /// What a query printed.
    output: String,
    file: String,
}

impl Ending {
    /// A line that is the same only for the same ending.
    fn written_down(&self) -> String {
        // FNV-1a.
        let bytes = self.output.bytes().chain([0]).chain(self.file.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{} {hash:016x}\n", self.code)
    }
}

fn theirs() -> Option<Theirs> {
    let chosen = env::var_os("SYSTOLE_CIBADMIN").map(PathBuf::from);
    let profile = match env::var("SYSTOLE_CIBADMIN_PROFILE").as_deref() {
        Ok("3.0") => Profile::V3_0,
        _ => Profile::V2_1,
    };
    let program = chosen.unwrap_or_else(|| PathBuf::from("/usr/sbin/cibadmin"));
    if program.is_file() {
        return Some(Theirs { program, profile, folder: tempfile::tempdir().unwrap() });
    }
    let missing =
        format!("there is no {}; install pacemaker-cli-utils, or set SYSTOLE_CIBADMIN", program.display());
    assert!(env::var("CI").as_deref() != Ok("true"), "this test must run in CI: {missing}");
    eprintln!("WARNING: operations are not compared with Pacemaker's: {missing}");
    None
}

impl Theirs {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn perform(&self, file: &str, step: &Step) -> Ending {
        let path = self.path("cib.xml.test");
        fs::write(&path, file).unwrap();
        let mut command = Command::new(&self.program);
        command.args(&step.arguments).env("CIB_file", &path).stdin(Stdio::null());
        for quiet in ["CIB_user", "CIB_shadow", "PCMK_stderr", "PCMK_trace_functions"] {
            command.env_remove(quiet);
        }
        command.env("PCMK_logfile", "none").env("PCMK_logfacility", "none");
        if let Some(user) = &step.request.origin.user {
            command.env("CIB_user", user);
        }
        if let Some(input) = &step.request.input {
            let input_path = self.path("input.xml");
            fs::write(&input_path, xml::write_indented(input)).unwrap();
            command.arg("-x").arg(input_path);
        }
        let output = command.output().unwrap();
        let code = output.status.code().unwrap_or(CRASHED);
        let printed = String::from_utf8(output.stdout).unwrap();
        let output = if step.is_query() && code == 0 { printed } else { String::new() };
        Ending { code, output, file: fs::read_to_string(&path).unwrap() }
    }

    fn writes_odd_values(&self) -> bool {
        self.profile == Profile::V3_0
    }

    fn escaping(&self) -> Escaping {
        match self.profile {
            Profile::V3_0 => Escaping::Modern,
            Profile::V2_1 => Escaping::Legacy,
        }
    }

    /// The form in which both are compared.
    fn comparable(&self, mut ending: Ending) -> Ending {
        if self.profile == Profile::V2_1 {
            for text in [&mut ending.output, &mut ending.file] {
                if let Ok(mut tree) = xml::parse_with(text, TextPolicy::Drop, Limits::default()) {
                    // Which elements without attributes (and which with) count as a change of the configuration when
                    // they are added, Pacemaker 2.1 decides by what it happens to have marked.
                    if tree.name() == "cib" {
                        tree.set_attr("epoch", "any");
                        tree.set_attr("num_updates", "any");
                    }
                    *text = xml::write_indented(&tree);
                }
            }
        }
        ending
    }
}

fn ours(file: &str, step: &Step, profile: Profile) -> Ending {
    let mut cib = xml::parse(file).unwrap();
    cib.child_or_insert("status");
    // Pacemaker 3 takes files of any feature set.
    let feature_set = (profile == Profile::V2_1).then(|| profile.feature_set());
    let context = Context { profile, feature_set, acl: Facts::default(), ..Context::default() };
    let as_it_was = |code: i32| Ending { code, output: String::new(), file: file.to_owned() };
    if step.is_query() {
        return match query(&cib, &step.request, &context) {
            Ok(found) => Ending { output: step.printed(&found), ..as_it_was(0) },
            Err(refusal) => as_it_was(refusal.rc().exit_code().value()),
        };
    }
    match perform(&cib, &step.request().with(CallOptions::NO_MTIME), &context) {
        Ok(outcome) => Ending { file: xml::write_indented(&outcome.cib), ..as_it_was(ExitCode::OK.value()) },
        Err(refusal) => as_it_was(refusal.rc().exit_code().value()),
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name)
        .ok()
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// The CIBs to begin with.
fn beginnings() -> Vec<Element> {
    let mut texts = vec![include_str!("cib.xml").to_owned()];
    let folder = match env::var_os("SYSTOLE_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => return parsed(&texts),
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.join("scheduler/xml")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let small = |path: &&PathBuf| fs::metadata(path).is_ok_and(|data| data.len() < 60_000);
    texts.extend(files.iter().filter(small).map(|path: &PathBuf| read(path)));
    parsed(&texts)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parsed(texts: &[String]) -> Vec<Element> {
    texts.iter().map(|text| xml::parse(text).unwrap()).collect()
}

fn compare(
    kind: &str,
    theirs: &Theirs,
    default_steps: u64,
    next: &dyn Fn(&mut Random, &Element, Profile) -> Step,
) {
    let (steps, seed) = (number("SYSTOLE_STEPS", default_steps), number("SYSTOLE_SEED", 1));
    let beginnings = beginnings();
    let mut random = Random::new(seed, theirs.writes_odd_values());
    let mut cib = Element::new("cib");
    let (mut differences, mut decided) = (Vec::new(), String::new());
    let (mut changes, mut crashes) = (0, 0);
    for step_number in 0..steps {
        begin_again(step_number, &mut cib, &beginnings, &mut random, kind);
        let step = next(&mut random, &cib, theirs.profile);
        let file = xml::write_indented(&cib);
        let wanted = theirs.perform(&file, &step);
        let file_after = wanted.file.clone();
        decided.push_str(&wanted.written_down());
        let wanted = theirs.comparable(wanted);
        let found = theirs.comparable(ours(&file, &step, theirs.profile));
        if wanted.code == CRASHED {
            crashes += 1;
            continue;
        }
        if wanted != found {
            differences.push(described(step_number, &step, &file, &wanted, &found));
        }
        changes += u64::from(file_after != file);
        cib = xml::parse(&file_after).unwrap();
    }
    if kind == "acls" && env::var_os("SYSTOLE_BLESS").is_some_and(|value| value == "1") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/against_pacemaker/acls.decided");
        fs::write(path, &decided).unwrap();
    }
    eprintln!(
        "{kind}: {steps} steps from seed {seed}, {changes} changes, {crashes} crashes of theirs, {} differences",
        differences.len()
    );
    assert!(changes * 10 > steps, "too few of the steps change anything");
    assert!(
        differences.is_empty(),
        "{} of {steps} steps differ:\n{}",
        differences.len(),
        differences[..differences.len().min(number("SYSTOLE_SHOWN", 8) as usize)].join("\n")
    );
}

/// Every now and then, and when it has become absurd, another CIB.
fn begin_again(number: u64, cib: &mut Element, beginnings: &[Element], random: &mut Random, kind: &str) {
    if !number.is_multiple_of(20) && !is_absurd(cib) {
        return;
    }
    *cib = random.one_of(beginnings).clone();
    // Nearly anything may be in it, so that nearly anything can happen.
    cib.set_attr("validate-with", "none");
    cib.child_or_insert("status");
    acls::prepare(random, cib, kind);
}

/// The same steps as Pacemaker 3 once took, each ending as is written down.
fn follow(kind: &str, decided: &str, next: &dyn Fn(&mut Random, &Element, Profile) -> Step) {
    let beginnings = parsed(&[include_str!("cib.xml").to_owned()]);
    let mut random = Random::new(1, true);
    let mut cib = Element::new("cib");
    let mut changes = 0;
    for (number, wanted) in decided.lines().enumerate() {
        begin_again(number as u64, &mut cib, &beginnings, &mut random, kind);
        let step = next(&mut random, &cib, Profile::V3_0);
        let file = xml::write_indented(&cib);
        if wanted.starts_with(&format!("{CRASHED} ")) {
            continue;
        }
        let found = ours(&file, &step, Profile::V3_0);
        let text = found.written_down();
        assert_eq!(text.trim_end(), wanted, "{}", described(number as u64, &step, &file, &found, &found));
        changes += u64::from(found.file != file);
        cib = xml::parse(&found.file).unwrap();
    }
    eprintln!("{kind}: {} steps as Pacemaker 3 took them, {changes} changes", decided.lines().count());
    assert!(changes > 20, "{changes} changes");
}

/// Both texts from a little before they begin to differ.
fn first_difference(wanted: &str, found: &str) -> (String, String) {
    let at = wanted.lines().zip(found.lines()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.lines().skip(at.saturating_sub(3)).take(9).collect::<Vec<_>>().join("\n");
    (around(wanted), around(found))
}

/// A CIB in a CIB, or elements that look like comments: what then happens is beyond what anybody need agree on.
fn is_absurd(cib: &Element) -> bool {
    cib.descendants().skip(1).any(|element| matches!(element.name(), "cib" | "comment"))
}

fn described(number: u64, step: &Step, before: &str, wanted: &Ending, found: &Ending) -> String {
    let input = step.request.input.as_ref().map(Element::to_string).unwrap_or_default();
    let mut text =
        format!("--- step {number}: {:?} {input}\nuser {:?}\n", step.arguments, step.request.origin.user);
    if let Some(acls) = xml::parse(before).unwrap().descend(&["configuration", "acls"]) {
        text.push_str(&format!("{acls}\n"));
    }
    if wanted.code != found.code {
        text.push_str(&format!("exit code {}, but ours is {}\n", wanted.code, found.code));
    }
    for (what, wanted, found) in
        [("printed", &wanted.output, &found.output), ("file", &wanted.file, &found.file)]
    {
        if wanted != found {
            let (wanted, found) = first_difference(wanted, found);
            text.push_str(&format!("{what} theirs:\n{wanted}\n{what} ours:\n{found}\n"));
        }
    }
    if env::var_os("SYSTOLE_SHOW_CIB").is_some() {
        text.push_str(&format!("the CIB before:\n{before}"));
    }
    text
}

#[test]
fn operations_end_alike() {
    if let Some(theirs) = theirs() {
        compare("operations", &theirs, 300, &steps::next);
    }
}

#[test]
fn acls_decide_alike() {
    match env::var_os("SYSTOLE_CIBADMIN")
        .and_then(|_| theirs())
        .filter(|theirs| theirs.profile == Profile::V3_0)
    {
        Some(theirs) => compare("acls", &theirs, 300, &acls::next),
        None => follow("acls", include_str!("acls.decided"), &acls::next),
    }
}

#[test]
fn patches_lead_to_the_same() {
    if let Some(theirs) = theirs() {
        patches::compare(&theirs, &beginnings());
    }
}
