// SPDX-License-Identifier: GPL-2.0-or-later
//! One case: how it is run, what comes out, and what was expected.

use anyhow::{Context, Result};
use model::{ExitCode, WallTime};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What people read: status, summary, simulated execution, status after it.
    Summary,
    /// The transition graph.
    Graph,
    /// The drawing of the graph.
    Dot,
    /// Scores.
    Scores,
    /// Complaints.
    Stderr,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [Kind::Summary, Kind::Graph, Kind::Dot, Kind::Scores, Kind::Stderr];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Summary => "summary",
            Kind::Graph => "graph",
            Kind::Dot => "dot",
            Kind::Scores => "scores",
            Kind::Stderr => "stderr",
        }
    }
}

/// A case of the corpus.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    arguments: Vec<String>,
    folder: PathBuf,
}

/// Reads the list of cases.
pub fn read_all(folder: &Path) -> Result<Vec<Case>> {
    let path = folder.join("cases.tsv");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let cases = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let (name, arguments) = line.split_once('\t').unwrap_or((line, ""));
        let arguments = arguments.split_whitespace().map(|word| word.trim_matches('\'').to_owned());
        Case { name: name.to_owned(), arguments: arguments.collect(), folder: folder.to_owned() }
    });
    Ok(cases.collect())
}

/// What came out of a case, in the form that is compared.
#[derive(Clone, Debug, Default)]
pub struct Outputs([String; 5]);

impl Outputs {
    /// The output of a kind.
    pub fn of(&self, kind: Kind) -> &String {
        &self.0[kind as usize]
    }
}

/// How a case did.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    matching: [bool; 5],
    /// It did not get to its end.
    pub panicked: bool,
}

impl Verdict {
    /// Whether the outputs of a kind were as expected.
    pub fn matches(&self, kind: Kind) -> bool {
        self.matching[kind as usize]
    }

    /// Whether all outputs were.
    pub fn matches_fully(&self) -> bool {
        self.matching.iter().all(|&matches| matches)
    }

    /// Whether all outputs but those of a kind were.
    pub fn fails_only(&self, kind: Kind) -> bool {
        Kind::ALL.into_iter().all(|other| self.matches(other) == (other != kind))
    }
}

/// A stream into memory; clones write to the same place.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Case {
    /// Its CIB as it stands in the file.
    pub fn cib(&self) -> Result<xml::Element> {
        let path = self.folder.join("xml").join(format!("{}.xml", self.name));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        xml::parse(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The expected output of a kind. Only complaints may have no file: then none are expected.
    pub fn expected(&self, kind: Kind) -> Result<String> {
        let path = super::expectation(&self.folder, kind, &self.name);
        if kind == Kind::Stderr && !path.exists() {
            return Ok(String::new());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // Complaints were stored without their last line feed.
        let unended = kind == Kind::Stderr && !text.ends_with('\n');
        Ok(if unended { text + "\n" } else { text })
    }

    /// Runs it and compares.
    pub fn judge(&self) -> Verdict {
        let outputs = catch_unwind(AssertUnwindSafe(|| self.run()));
        let Ok(Ok(outputs)) = outputs else {
            return Verdict { panicked: outputs.is_err(), ..Verdict::default() };
        };
        let matching = Kind::ALL.map(|kind| self.expected(kind).is_ok_and(|text| text == *outputs.of(kind)));
        Verdict { matching, panicked: false }
    }

    /// Runs it.
    pub fn run(&self) -> Result<Outputs> {
        let input = self.folder.join("xml").join(format!("{}.xml", self.name));
        let scratch = tempfile::tempdir()?;
        let (dot, graph) = (scratch.path().join("dot"), scratch.path().join("graph"));

        // People see both streams at once, so they are compared as one.
        let both = Shared::default();
        self.simulate(&["-x".into(), input.clone().into(), "-S".into()], &both, &both);
        let (out, err) = (Shared::default(), Shared::default());
        let arguments = [
            "-x".into(),
            input.into(),
            "-D".into(),
            dot.clone().into(),
            "-G".into(),
            graph.clone().into(),
            "-sSQ".into(),
        ];
        let code = self.simulate(&arguments, &out, &err);
        let mut complaints = err.text();
        if code != ExitCode::OK {
            complaints.push_str(&format!("(ended with {}: {code})\n", code.value()));
        }
        let mut scores: Vec<String> = out.text().lines().map(|line| format!("{line}\n")).collect();
        scores.sort();
        Ok(Outputs([
            both.text(),
            without_release(&fs::read_to_string(&graph).unwrap_or_default()),
            sorted_dot(&fs::read_to_string(&dot).unwrap_or_default()),
            scores.concat(),
            complaints,
        ]))
    }

    fn simulate(&self, arguments: &[OsString], out: &Shared, err: &Shared) -> ExitCode {
        let program = std::iter::once(OsString::from("crm_simulate"));
        let extra = self.arguments.iter().map(OsString::from);
        let all: Vec<OsString> = program.chain(arguments.iter().cloned()).chain(extra).collect();
        // Cases that depend on the present moment say which it is; for all others any will do.
        let now = WallTime::from_secs(1_767_225_600);
        tools::crm_simulate::run(&all, now, &mut io::empty(), &mut out.clone(), &mut err.clone())
    }
}

/// A graph without what differs from release to release.
pub fn without_release(graph: &str) -> String {
    let digits = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
    without_attribute(&without_attribute(graph, "crm_feature_set", |_| true), "batch-limit", digits)
}

fn without_attribute(text: &str, name: &str, removable: impl Fn(&str) -> bool) -> String {
    let start = format!("{name}=\"");
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(&start) {
        let value = &rest[at + start.len()..];
        let Some(end) = value.find('"').filter(|&end| removable(&value[..end])) else {
            out.push_str(&rest[..at + start.len()]);
            rest = value;
            continue;
        };
        out.push_str(&rest[..at]);
        rest = &value[end + 1..];
    }
    out + rest
}

/// A drawing with its lines in order, each once, between the first and the last.
pub fn sorted_dot(dot: &str) -> String {
    let mut lines: Vec<&str> = dot.lines().collect();
    let (Some(last), false) = (lines.pop(), lines.is_empty()) else { return dot.to_owned() };
    let first = lines.remove(0);
    let middle: BTreeSet<&str> = lines.into_iter().collect();
    let all = std::iter::once(first).chain(middle).chain(std::iter::once(last));
    all.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_what_matters() {
        assert_eq!(
            without_release(r#"<a crm_feature_set="3.1" b="1"/><g batch-limit="0"/><g batch-limit="x"/>"#),
            r#"<a  b="1"/><g /><g batch-limit="x"/>"#
        );
        assert_eq!(sorted_dot("{\nb\na\nb\n}\n"), "{\na\nb\n}\n");
        assert_eq!(sorted_dot(""), "");
    }
}
