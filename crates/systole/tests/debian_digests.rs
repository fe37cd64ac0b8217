// SPDX-License-Identifier: GPL-2.0-or-later
//! Both digests of every CIB of the corpus, as Debian's `cibadmin` computes them.
//!
//! Needs Debian's Pacemaker tools (2.1, so it is the older escaping) and the corpus, found by `SYSTOLE_CORPUS` or beside
//! the workspace at `../shared/corpus`. Where they are missing the test says so and, under `CI=true`, fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/not_run.rs"]
mod not_run;

use not_run::not_run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use xml::{Element, Escaping, digest_v1, digest_v2};

const DEBIAN: &str = "/usr/sbin/cibadmin";

/// The CIBs of the corpus; `None` if there are none, which has been said then.
fn documents() -> Option<Vec<PathBuf>> {
    let corpus = match std::env::var_os("SYSTOLE_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
    };
    let mut found = Vec::new();
    for folder in ["scheduler/xml", "schemas/test-2/xml", "schemas/test-3/xml"] {
        let files = fs::read_dir(corpus.join(folder)).into_iter().flatten();
        found.extend(
            files
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|e| e == "xml")),
        );
    }
    found.sort();
    let missing = if !Path::new(DEBIAN).exists() {
        format!("{DEBIAN} is not installed (Debian's pacemaker-cli-utils)")
    } else if found.is_empty() {
        format!("no CIBs below {}; put the corpus there, or set SYSTOLE_CORPUS", corpus.display())
    } else {
        return Some(found);
    };
    not_run("digests are not compared with cibadmin's", &missing);
    None
}

fn cibadmin(option: &str, path: &Path) -> String {
    let output = Command::new(DEBIAN).arg(option).arg("-x").arg(path).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "cibadmin {option} -x {}: {output:?}", path.display());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What `cibadmin -6` prints: CIBs of before feature set 3.0.5 had no second digest.
fn versioned(cib: &Element) -> String {
    let set = cib.attr("crm_feature_set").and_then(|text| text.parse::<model::FeatureSet>().ok());
    let second = "3.0.5".parse::<model::FeatureSet>().unwrap();
    match set {
        Some(set) if set >= second => digest_v2(cib, Escaping::Legacy),
        _ => digest_v1(cib, Escaping::Legacy),
    }
}

fn difference(path: &Path) -> Option<String> {
    let cib = xml::parse_bytes(&fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let pairs = [("-5", digest_v1(&cib, Escaping::Legacy)), ("-6", versioned(&cib))];
    let wrong = pairs.into_iter().find_map(|(option, ours)| {
        let theirs = cibadmin(option, path);
        (theirs != ours).then(|| format!("{option}: {theirs}, ours is {ours}"))
    });
    wrong.map(|wrong| format!("{}: {wrong}", path.display()))
}

#[test]
fn every_digest_is_the_same() {
    let Some(paths) = documents() else { return };
    let next = AtomicUsize::new(0);
    let work = || -> Vec<String> {
        let mine = std::iter::from_fn(|| paths.get(next.fetch_add(1, Relaxed)));
        mine.filter_map(|path| difference(path)).collect()
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} CIBs differ:\n{}", wrong.len(), paths.len(), wrong.join("\n"));
}

#[test]
fn values_of_all_sorts() {
    if documents().is_none() {
        return;
    }
    let text = r#"<?xml version="1.0"?>
<cib crm_feature_set="3.16.1" epoch="1" cib-last-written="x" update-origin="o" update-client="c" update-user="u">
  <!-- a comment & < > é -->
  <configuration a="&lt;&gt;&amp;&quot;&apos;'" b='"' c="tab&#9;nl&#10;cr&#13;del&#127;" d="é &lt; &amp; after"
    e="a &lt; é &lt; ü" f="" g="   " h="日本語 &quot;x&quot;" i="&lt;é" j="é&#10;" crm-debug-origin="gone">
    <crm_config></crm_config>text &amp; more<nodes x="a	b
c"/></configuration><status crm-debug-origin="x" update-client="y"/>
</cib>
"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    assert_eq!(difference(file.path()), None);
}
