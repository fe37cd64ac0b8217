// SPDX-License-Identifier: GPL-2.0-or-later
//! `systole lint`: what is dangerous or doubtful in a configuration.
//!
//! Decides: options, exit codes, and the look. Given: a CIB. Leaves to others: the rules (`advice::lint`).

use super::{Style, document, has_colour, moment, usable};
use crate::command_line::{self, CommonOptions, Tool};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use ::advice::lint::{self, Finding, Rule, Severity};
use clap::Parser;
use model::ExitCode;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::PathBuf;
use xml::{Element, Position};

/// What the program exits with if the worst that was found is a warning.
const WARNINGS: ExitCode = ExitCode::new(1);
/// What it exits with if something dangerous was found.
const DANGERS: ExitCode = ExitCode::new(2);

/// Find what is dangerous or doubtful in a configuration
///
/// Looks for settings that are valid and yet put data or service at risk: fencing that is off or cannot reach a node,
/// clones that restart what follows them, monitors that cannot work, constraints that contradict each other or were left
/// behind by a move, and more. Each finding has the id of its rule, the place, what may come of it, and how to mend it.
///
/// The configuration is a file, or what CIB_file or CIB_shadow name, or that of the cluster. Nothing is changed.
///
/// Exit codes: 0 if there is nothing, or notices only; 1 if the worst is a warning; 2 if something is dangerous; 64 for
/// wrong usage, 65 if the file cannot be read, 78 if the configuration is not valid (see 'systole validate').
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

Check a file before it is loaded:

\tsystole lint new.xml

Check the cluster, but for two rules:

\tsystole lint --ignore SL022 --ignore ordered-not-colocated

What a rule is about:

\tsystole lint --explain SL005

All rules:

\tsystole lint --list")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Ignore a rule, by its id or name (may be given more than once, or with commas)
    #[arg(short = 'i', long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Say what a rule is about, by its id or name, and exit
    #[arg(short = 'e', long, value_name = "RULE")]
    explain: Option<String>,
    /// List all rules and exit
    #[arg(short = 'l', long)]
    list: bool,
    /// Say only what was found, without consequences and remedies
    #[arg(short = 'q', long)]
    quiet: bool,
    /// The file (decompressed if its name ends in .bz2; "-" for stdin)
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Tool for Options {
    const NAME: &'static str = "lint";
    const USAGE: &'static str = "[OPTION...] [FILE]";

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| work(options, &mut io::stdin(), out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, stdin: &mut dyn Read, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let style = Style { colour: has_colour(out, options.common.is_to_file()) };
    if options.list {
        for rule in lint::rules() {
            out.say(&Description { rule, brief: true, style })?;
        }
        return Ok(ExitCode::OK);
    }
    if let Some(name) = &options.explain {
        out.say(&Description { rule: known(name)?, brief: false, style })?;
        return Ok(ExitCode::OK);
    }
    for name in &options.ignore {
        known(name)?;
    }
    let ignored: BTreeSet<String> = options.ignore.iter().cloned().collect();
    let document = document(options.file.as_deref(), stdin)?;
    let cib = usable(&document.tree, out)?;
    let findings = lint::lint(&cib, moment(&cib), &ignored);
    let places = places(&findings, &document.tree, document.text.as_deref());
    let worst = findings.iter().map(|finding| finding.rule.severity).max();
    let name = options.file.as_ref().map(|file| file.display().to_string());
    let ignored = options.ignore.clone();
    out.say(&Report { name, findings, places, ignored, style })?;
    Ok(match worst {
        Some(Severity::Danger) => DANGERS,
        Some(Severity::Warning) => WARNINGS,
        Some(Severity::Notice) | None => ExitCode::OK,
    })
}

fn known(name: &str) -> Result<&'static Rule, Failure> {
    let unknown = || Failure::usage(format_args!("there is no rule '{name}' (--list shows those there are)"));
    lint::rule(name).ok_or_else(unknown)
}

/// Where findings are in the text of a file: each at the element of its id.
fn places(findings: &[Finding], tree: &Element, text: Option<&str>) -> Vec<Option<Position>> {
    let Some(text) = text else { return vec![None; findings.len()] };
    let name = |name: &str| if name == "master" { "clone".to_owned() } else { name.to_owned() };
    let key = |finding: &Finding| (name(&finding.element), finding.id.clone());
    let mut ways: BTreeMap<(String, Option<String>), Option<Vec<usize>>> =
        findings.iter().map(|finding| (key(finding), None)).collect();
    let mut open: Vec<(&Element, Vec<usize>)> = vec![(tree, Vec::new())];
    while let Some((element, way)) = open.pop() {
        let ids = [None, element.id(), element.attr("uname")];
        for id in ids.into_iter().map(|id| id.map(str::to_owned)) {
            if let Some(slot) = ways.get_mut(&(name(element.name()), id)) {
                slot.get_or_insert_with(|| way.clone());
            }
        }
        // Nobody finds fault with what is not configured.
        for (index, child) in element.children().iter().enumerate().rev() {
            if let Some(child) = child.element().filter(|child| child.name() != "status") {
                let mut way = way.clone();
                way.push(index);
                open.push((child, way));
            }
        }
    }
    let mut sorted: Vec<&[usize]> = ways.values().flatten().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    let wanted: Vec<(&[usize], Option<&str>)> = sorted.iter().map(|way| (*way, None)).collect();
    let found: BTreeMap<&[usize], Option<Position>> =
        sorted.iter().copied().zip(xml::locate_all(text, &wanted)).collect();
    let place = |finding: &Finding| {
        let way = ways.get(&key(finding))?.as_ref()?;
        found.get(way.as_slice()).copied().flatten()
    };
    findings.iter().map(place).collect()
}

struct Report {
    name: Option<String>,
    findings: Vec<Finding>,
    places: Vec<Option<Position>>,
    ignored: Vec<String>,
    style: Style,
}

impl Report {
    fn severity(&self, severity: Severity) -> String {
        match severity {
            Severity::Danger => self.style.bad(severity.as_str()),
            Severity::Warning => self.style.warning(severity.as_str()),
            Severity::Notice => self.style.faint(severity.as_str()),
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }
}

impl Message for Report {
    fn text(&self, quiet: bool) -> String {
        let mut text = String::new();
        let mut last = "";
        for (finding, at) in self.findings.iter().zip(&self.places) {
            let rule = finding.rule;
            let file = self.name.as_deref().unwrap_or("");
            let place = match at {
                Some(at) => format!("{file}:{}:{}: ", at.line, at.column),
                None if file.is_empty() => String::new(),
                None => format!("{file}: "),
            };
            let element = match &finding.id {
                Some(id) => format!("<{} {id}>", finding.element),
                None => format!("<{}>", finding.element),
            };
            let severity = self.severity(rule.severity);
            if quiet {
                let _ = writeln!(
                    text,
                    "{place}{severity} {} {}: {element}: {}",
                    rule.id, rule.name, finding.text
                );
                continue;
            }
            if std::mem::replace(&mut last, rule.id) != rule.id {
                let name = self.style.heading(&format!("{} {}", rule.id, rule.name));
                let _ = writeln!(text, "{severity} {name}: {}", rule.consequence);
                let _ = writeln!(text, "    to mend it: {}", rule.remedy);
            }
            let _ = writeln!(text, "  {place}{element}: {}", finding.text);
        }
        let counts: Vec<String> = [Severity::Danger, Severity::Warning, Severity::Notice]
            .into_iter()
            .filter(|severity| self.count(*severity) > 0)
            .map(|severity| {
                format!("{} {}{}", self.count(severity), severity.as_str(), plural(self.count(severity)))
            })
            .collect();
        let counts = if counts.is_empty() { "nothing to complain of".to_owned() } else { counts.join(", ") };
        let ignored = if self.ignored.is_empty() {
            String::new()
        } else {
            format!(" (ignored: {})", self.ignored.join(", "))
        };
        let _ = writeln!(text, "{counts}{ignored}");
        text
    }

    fn entry(&self) -> Option<Entry> {
        let mut entry = Entry::new("lint")
            .attr("dangers", self.count(Severity::Danger))
            .attr("warnings", self.count(Severity::Warning))
            .attr("notices", self.count(Severity::Notice));
        entry = entry.attr_opt("file", self.name.as_ref());
        for (finding, at) in self.findings.iter().zip(&self.places) {
            let rule = finding.rule;
            let item = Entry::new("finding")
                .attr("rule", rule.id)
                .attr("name", rule.name)
                .attr("severity", rule.severity.as_str())
                .attr("element", &finding.element)
                .attr_opt("id", finding.id.as_ref())
                .attr_opt("line", at.map(|at| at.line))
                .attr_opt("column", at.map(|at| at.column))
                .attr("text", &finding.text)
                .attr("consequence", rule.consequence)
                .attr("remedy", rule.remedy);
            entry = entry.item(item);
        }
        Some(entry)
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

struct Description {
    rule: &'static Rule,
    brief: bool,
    style: Style,
}

impl Message for Description {
    fn text(&self, _quiet: bool) -> String {
        let rule = self.rule;
        if self.brief {
            return format!("{}  {:<7}  {}\n", rule.id, rule.severity.as_str(), rule.name);
        }
        format!(
            "{} ({})\n  what may come of it: {}\n  how to mend it:      {}\n",
            self.style.heading(&format!("{} {}", rule.id, rule.name)),
            rule.severity.as_str(),
            rule.consequence,
            rule.remedy
        )
    }

    fn entries(&self) -> Vec<Entry> {
        let rule = self.rule;
        let entry = Entry::new("rule").attr("id", rule.id).attr("name", rule.name);
        let entry = entry.attr("severity", rule.severity.as_str()).attr("consequence", rule.consequence);
        vec![entry.attr("remedy", rule.remedy)]
    }
}
