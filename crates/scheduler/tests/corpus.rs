//! The scheduler cases of the corpus: graph, dot and scores, compared to the byte.
//!
//! The corpus is not part of this project: `SYSTOLE_CORPUS` names its folder (else `../shared/corpus` beside the
//! workspace). So the test only runs when asked for: `cargo test -p scheduler --test corpus -- --ignored --nocapture`.
//! `CASE=name` shows the differences of one case, `LIST=1` the names of the cases that match.
// SPDX-License-Identifier: GPL-2.0-or-later
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod damage;

use damage::{Numbers, damage};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How many cases have to match; raised with every one that does.
const FLOOR: usize = 325;

fn corpus() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let root = std::env::var_os("SYSTOLE_CORPUS").map_or_else(default, PathBuf::from);
    let corpus = root.join("scheduler");
    assert!(corpus.is_dir(), "no corpus at {}: name its folder in SYSTOLE_CORPUS", corpus.display());
    corpus
}

/// Blanks what differs from build to build.
fn blank(text: &str, attribute: &str) -> String {
    let marker = format!(" {attribute}=\"");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&marker) {
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = &rest[at + marker.len()..];
        rest = &rest[rest.find('"').map_or(rest.len(), |end| end + 1)..];
    }
    out + rest
}

fn normal_dot(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return String::new() };
    let middle: BTreeSet<&str> = lines[1..lines.len().max(2) - 1].iter().copied().collect();
    let mut out = vec![*first];
    out.extend(middle);
    out.push(last);
    out.join("\n")
}

fn show(what: &str, ours: &str, theirs: &str) {
    println!("--- {what}: theirs < ours >");
    let a: Vec<&str> = theirs.lines().collect();
    let b: Vec<&str> = ours.lines().collect();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if a.get(i) == b.get(j) {
            (i, j) = (i + 1, j + 1);
        } else if let Some(skip) = b.iter().skip(j).position(|line| Some(line) == a.get(i)) {
            b[j..j + skip].iter().for_each(|line| println!("> {line}"));
            j += skip;
        } else if i < a.len() {
            println!("< {}", a[i]);
            i += 1;
        } else {
            println!("> {}", b[j]);
            j += 1;
        }
    }
}

struct Outputs {
    graph: String,
    dot: String,
    scores: String,
}

fn ours(corpus: &Path, name: &str) -> Outputs {
    let text = std::fs::read_to_string(corpus.join(format!("xml/{name}.xml"))).unwrap();
    let cib = xml::parse(&text).unwrap();
    let now = cib.attr("execution-date").and_then(|date| date.parse().ok());
    let now = now.unwrap_or_else(|| {
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        clock.unwrap().as_secs() as i64
    });
    let (cluster, _) = scheduler::unpack(&cib, model::WallTime::from_secs(now));
    let schedule = scheduler::schedule(
        &cluster,
        &scheduler::Options { sanitized: true, ..scheduler::Options::default() },
    );
    let graph = xml::write_indented(&schedule.graph.to_xml());
    let mut scores: Vec<String> = schedule.scores.iter().map(ToString::to_string).collect();
    scores.push(String::new());
    scores.sort();
    Outputs {
        graph: blank(&blank(&graph, "crm_feature_set"), "batch-limit"),
        dot: normal_dot(&schedule.to_dot(&cluster, false, false).to_string()),
        scores: scores.join("\n") + "\n",
    }
}

fn theirs(corpus: &Path, name: &str) -> Outputs {
    let read = |kind: &str| std::fs::read_to_string(corpus.join(format!("{kind}/{name}.{kind}"))).unwrap();
    Outputs { graph: read("exp"), dot: read("dot").trim_end().to_owned(), scores: read("scores") }
}

#[test]
#[ignore = "needs the corpus, which is not part of this project"]
fn cases_match() {
    let corpus = corpus();
    if let Ok(name) = std::env::var("CASE") {
        let (ours, theirs) = (ours(&corpus, &name), theirs(&corpus, &name));
        show("scores", &ours.scores, &theirs.scores);
        show("graph", &ours.graph, &theirs.graph);
        show("dot", &ours.dot, &theirs.dot);
        return;
    }
    let cases = std::fs::read_to_string(corpus.join("cases.tsv")).unwrap();
    let (mut graph, mut dot, mut scores, mut all) = (0, 0, 0, 0);
    for name in cases.lines().filter_map(|line| line.split('\t').next()) {
        let (ours, theirs) = (ours(&corpus, name), theirs(&corpus, name));
        let matches = [ours.graph == theirs.graph, ours.dot == theirs.dot, ours.scores == theirs.scores];
        graph += usize::from(matches[0]);
        dot += usize::from(matches[1]);
        scores += usize::from(matches[2]);
        all += usize::from(matches.iter().all(|m| *m));
        if std::env::var_os("LIST").is_some() {
            println!("{name}\t{}\t{}\t{}", matches[0], matches[1], matches[2]);
        }
    }
    println!("graph {graph}, dot {dot}, scores {scores}, all three {all}");
    assert!(all >= FLOOR, "{all} cases match, {FLOOR} did before");
}

#[test]
#[ignore = "needs the corpus, which is not part of this project"]
fn damaged_cases_do_no_harm() {
    let corpus = corpus();
    let cases = std::fs::read_to_string(corpus.join("cases.tsv")).unwrap();
    let mut numbers = Numbers::new(7);
    for name in cases.lines().filter_map(|line| line.split('\t').next()) {
        let text = std::fs::read_to_string(corpus.join(format!("xml/{name}.xml"))).unwrap();
        let cib = xml::parse(&text).unwrap();
        for _ in 0..10 {
            let mut damaged = cib.clone();
            for _ in 0..=numbers.next(20) {
                damage(&mut damaged, &mut numbers);
            }
            let (cluster, _) = scheduler::unpack(&damaged, model::WallTime::from_secs(1_500_000_000));
            let schedule = scheduler::schedule(&cluster, &scheduler::Options::default());
            assert_eq!(schedule.placements.len(), cluster.resources.len(), "{name}");
        }
    }
}
