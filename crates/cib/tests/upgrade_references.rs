// SPDX-License-Identifier: GPL-2.0-or-later
//! Every reference of Pacemaker's own tests of schema upgrades (release 3.0.2), found by `SYSTOLE_CORPUS` or beside the
//! workspace at `../shared/corpus`.
//!
//! A case `xml/NAME.xml` is taken through the steps of one series, and after each the outcome is compared with
//! `ref/NAME.ref-N`, N being the last number in the name of Pacemaker's transform (`upgrade-3.10-4.xsl`: 4). Ours has
//! the same steps under the same names, three for `test-2` (0, 1, 2: to 3.0) and six for `test-3` (0 to 4 and 99: to
//! 4.0). `ref.err/NAME.ref.err-N` is what a step says. The last reference of a case is what its upgrade comes to.
//!
//! Compared are trees with the order of attributes, without text between elements. Between steps the marks are left out,
//! with which Pacemaker's transforms tell the next ones what was changed and dropped: it marks what is original, ours
//! what is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cib::schema::SchemaVersion;
use cib::upgrade::{Note, steps};
use std::fs;
use std::path::{Path, PathBuf};
use xml::{Element, Node};

fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("SYSTOLE_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
    };
    let folder = folder.join("schemas");
    if folder.is_dir() {
        return Some(folder);
    }
    let missing = format!(
        "no references at {}; put Pacemaker's cts/schemas (release 3.0.2) there, or set SYSTOLE_CORPUS",
        folder.display()
    );
    assert!(std::env::var("CI").as_deref() != Ok("true"), "this test must run in CI: {missing}");
    eprintln!("WARNING: upgrades are not compared with Pacemaker's references: {missing}");
    None
}

/// The tree without marks.
fn unmarked(element: &Element) -> Element {
    let mut plain = element.clone();
    for mark in ["original", "changed"] {
        plain.remove_attr(mark);
    }
    let children = element.children().iter().filter_map(|child| match child {
        Node::Element(child) if child.name() == "dropped" => None,
        Node::Element(child) => Some(unmarked(child).into()),
        other => Some(other.clone()),
    });
    let children: Vec<Node> = children.collect();
    let mut bare = Element::new(element.name_shared().clone());
    bare.replace_attrs(&plain);
    bare.with_children(children)
}

fn lines(notes: &[Note]) -> String {
    let lines = notes
        .iter()
        .flat_map(|note| note.lines().into_iter().map(|line| format!("{}{line}\n", note.label())));
    lines.collect()
}

/// Takes all cases of a folder through the steps from a version; what differs, and how many references there were.
fn compare(folder: &Path, from: SchemaVersion) -> (Vec<String>, usize) {
    let mut inputs: Vec<PathBuf> =
        fs::read_dir(folder.join("xml")).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    let (mut differences, mut references) = (Vec::new(), 0);
    for input in inputs {
        let case = input.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut cib = xml::parse(&fs::read_to_string(&input).unwrap()).unwrap();
        for step in steps(from) {
            let number = step.name.strip_suffix(".xsl").unwrap().rsplit('-').next().unwrap();
            let mut notes = Vec::new();
            cib = step.run(&cib, &mut notes).unwrap_or_else(|error| panic!("{case}: {}: {error}", step.name));
            let read = |path: PathBuf| {
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            };
            let wanted = xml::parse(&read(folder.join(format!("ref/{case}.ref-{number}")))).unwrap();
            references += 1;
            let last = steps(from).last().is_some_and(|last| last.name == step.name);
            let same = if last { cib == wanted } else { unmarked(&cib) == unmarked(&wanted) };
            if !same {
                let shown = |tree: &Element| xml::write_indented(&unmarked(tree));
                differences.push(format!(
                    "{case}, {}: expected\n{}found\n{}",
                    step.name,
                    shown(&wanted),
                    shown(&cib)
                ));
            }
            let wanted = read(folder.join(format!("ref.err/{case}.ref.err-{number}")));
            if wanted != lines(&notes) {
                differences.push(format!("{case}, {}: expected\n{wanted}said\n{}", step.name, lines(&notes)));
            }
        }
    }
    (differences, references)
}

#[test]
fn every_step_comes_to_what_pacemakers_does() {
    let Some(folder) = corpus() else { return };
    for (cases, major, minor, at_least) in [("test-2", 2, 10, 27 * 3), ("test-3", 3, 10, 25 * 6)] {
        let from = SchemaVersion::new(major, minor).unwrap();
        let (differences, references) = compare(&folder.join(cases), from);
        assert!(references >= at_least, "{cases}: only {references} references");
        assert!(
            differences.is_empty(),
            "{cases}: {} differences:\n{}",
            differences.len(),
            differences.join("\n")
        );
    }
}
