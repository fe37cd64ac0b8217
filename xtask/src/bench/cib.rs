// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done to a CIB all day, at sizes from a small cluster's to a very large one's.

use super::generate::{self, PLANS, Plan};
use super::libxml2;
use super::measure::{shortest, shortest_of_many};
use super::table::{Table, Wanted};
use anyhow::{Context, Result};
use cib::{Operation, Request, patch, perform, schema};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use xml::{Element, Escaping, XPath};

/// Debian's, of the version that the generated CIBs claim.
const SCHEMA: &str = "/usr/share/pacemaker/pacemaker-3.9.rng";
/// One change may take so long, however large the CIB is.
const CHANGE: Duration = Duration::from_micros(200);
/// And that of the largest CIB so many times as long as that of the smallest: what is left of the size is where in the
/// machine's caches things are.
const GROWTH: f64 = 3.0;
/// A change of the configuration may take so long, the look whether it is still valid included.
const CONFIGURATION: Duration = Duration::from_millis(10);
/// How many changes are made one after the other.
const CHANGES: usize = 2_000;

#[derive(clap::Args)]
pub struct Options {
    /// Only this size: 0.1, 1, 8 or 30 MB
    #[arg(long, value_name = "MB")]
    size: Option<String>,
    /// Leave the generated CIBs in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    for (program, package) in [("xmllint", "libxml2-utils"), ("cibadmin", "pacemaker-cli-utils")] {
        if !libxml2::is_installed(program) {
            eprintln!("*** {program} is not installed (package {package}): no comparison with it ***");
        }
    }
    let wanted = |plan: &&Plan| {
        options
            .size
            .as_ref()
            .is_none_or(|size| plan.size.trim_end_matches(" MB") == size.trim_end_matches("MB").trim())
    };
    let plans: Vec<&Plan> = PLANS.iter().filter(wanted).collect();
    anyhow::ensure!(!plans.is_empty(), "there is no such size; choose one of 0.1, 1, 8 and 30");
    let folder = tempfile::tempdir()?;
    let folder = options.keep.as_deref().unwrap_or(folder.path());
    let mut table = Table::new();
    let mut changes = Vec::new();
    for plan in plans {
        let file = folder.join(format!("cib-{}.xml", plan.size.replace(' ', "")));
        let text = format!("<?xml version=\"1.0\"?>\n{}", xml::write_indented(&generate::cib(plan)));
        std::fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
        table.group(&format!(
            "{} ({} bytes: {} nodes, {} resources, {} operation results)",
            plan.size,
            text.len(),
            plan.nodes,
            plan.resources,
            2 * plan.nodes * plan.resources
        ));
        reading(&mut table, &file, &text)?;
        changes.push(changing(&mut table, plan, &text)?);
        configuring(&mut table, plan, &text)?;
        summing(&mut table, &file, &text)?;
        searching(&mut table, &text)?;
        remembering(&mut table, &file, text.len())?;
    }
    if let [first, .., last] = changes.as_slice() {
        let growth = last.as_secs_f64() / first.as_secs_f64();
        let wish = format!("<= {GROWTH}x");
        table.group("from the smallest to the largest");
        table.other("a change takes", "", &format!("{growth:.1}x"), &wish, growth <= GROWTH);
    }
    table.finish()
}

/// Text to trees, and whether they are CIBs.
fn reading(table: &mut Table, file: &Path, text: &str) -> Result<()> {
    let has_xmllint = libxml2::is_installed("xmllint");
    let ours = shortest(|| xml::parse(text));
    let theirs = has_xmllint.then(|| libxml2::parse(file, text.len())).transpose()?;
    table.time("parse and free: xmllint", ours, theirs, Wanted::TimesC(3.0));
    let issues = schema::validate(&xml::parse(text)?);
    anyhow::ensure!(issues.is_empty(), "the generated CIB is not valid: {}", issues[0]);
    let ours = shortest(|| xml::parse(text).map(|tree| schema::validate(&tree).len()));
    let has_schema = has_xmllint && Path::new(SCHEMA).is_file();
    let theirs = has_schema.then(|| libxml2::validate(file, text.len(), Path::new(SCHEMA))).transpose()?;
    table.time("parse and validate: xmllint", ours, theirs, Wanted::TimesC(5.0));
    let tree = xml::parse(text)?;
    table.time("write, indented", shortest(|| xml::write_indented(&tree)), None, Wanted::Nothing);
    Ok(())
}

/// One new result after the other; how long one takes.
fn changing(table: &mut Table, plan: &Plan, text: &str) -> Result<Duration> {
    let mut tree = xml::parse(text)?;
    let context =
        cib::Context { last_written: "Mon Jan  5 12:00:01 2026".to_owned(), ..cib::Context::default() };
    // As they come from a client: each of a message of its own.
    let requests: Vec<Request> = (0..CHANGES)
        .map(|number| {
            let input = xml::parse(&generate::update(plan, number).to_string())?;
            Ok(Request::new(Operation::Modify).section("status").input(input))
        })
        .collect::<Result<_>>()?;
    let (mut before, mut patch, mut times) = (tree.clone(), None, Vec::with_capacity(CHANGES));
    for request in &requests {
        let started = Instant::now();
        let outcome = perform(&tree, request, &context)?;
        before = std::mem::replace(&mut tree, outcome.cib);
        times.push(started.elapsed());
        patch = outcome.patch;
    }
    times.sort_unstable();
    let median = times.get(CHANGES / 2).copied().unwrap_or_default();
    table.time("one result: change and patch", median, None, Wanted::Within(CHANGE));
    let high = times.get(CHANGES * 99 / 100).copied().unwrap_or_default();
    table.time("  (99 of 100 within)", high, None, Wanted::Nothing);
    let xpath = XPath::parse("//node_state[@uname='node2']/lrm/lrm_resources/lrm_resource[@id='rsc7']")?;
    let mut searched = tree.clone();
    let mut searches = Vec::with_capacity(CHANGES / 10);
    for number in 0..CHANGES / 10 {
        // What is found out about a tree for searches is partly gone with each change.
        let input = generate::update(plan, CHANGES + number);
        searched =
            perform(&searched, &Request::new(Operation::Modify).section("status").input(input), &context)?
                .cib;
        let started = Instant::now();
        anyhow::ensure!(xpath.select(&searched)?.len() == 1, "{xpath} does not find one element");
        searches.push(started.elapsed());
    }
    searches.sort_unstable();
    let search = searches.get(searches.len() / 2).copied().unwrap_or_default();
    table.time("XPath for one, after a change", search, None, Wanted::Nothing);
    table.time("snapshot", shortest_of_many(1_000, || tree.clone()), None, Wanted::Nothing);
    let made = shortest_of_many(10, || patch::make(&before, &tree));
    table.time("make the patch", made, None, Wanted::Within(CHANGE));
    let patch = patch.context("a change without a patch")?;
    let applied = shortest_of_many(10, || patch::apply(&before, &patch, Escaping::Modern));
    anyhow::ensure!(
        patch::apply(&before, &patch, Escaping::Modern)?.cib == tree,
        "the patch leads elsewhere"
    );
    table.time("apply the patch", applied, None, Wanted::Within(CHANGE));
    Ok(median)
}

/// Changes of the configuration: of one value, and of what there is.
fn configuring(table: &mut Table, plan: &Plan, text: &str) -> Result<()> {
    let tree = xml::parse(text)?;
    let context = cib::Context { cib_is_valid: true, ..cib::Context::default() };
    let value = xml::parse("<nvpair id='rsc1-ip' value='10.9.9.9'/>")?;
    let resource = generate::primitive(plan.resources);
    let requests = [
        ("one value: change and validate", Request::new(Operation::Modify).section("resources").input(value)),
        ("one resource more, the same", Request::new(Operation::Create).section("resources").input(resource)),
    ];
    for (what, request) in requests {
        let outcome = perform(&tree, &request, &context)?;
        anyhow::ensure!(schema::stays_valid(&tree, &outcome.cib), "{what}: all of it is looked at");
        let time = shortest(|| perform(&tree, &request, &context).map(|outcome| outcome.is_valid));
        table.time(what, time, None, Wanted::Within(CONFIGURATION));
    }
    Ok(())
}

/// Both digests, and whether they are C's (2.1's, which escapes as it did).
fn summing(table: &mut Table, file: &Path, text: &str) -> Result<()> {
    type Digest = fn(&Element, Escaping) -> String;
    let kinds: [(&str, &str, Digest); 2] = [
        ("-5", "read and digest: cibadmin -5", xml::digest_v1),
        ("-6", "read and digest: cibadmin -6", xml::digest_v2),
    ];
    for (option, what, digest) in kinds {
        let ours = shortest(|| xml::parse(text).map(|tree| digest(&tree, Escaping::Legacy)));
        let tree = xml::parse(text)?;
        let theirs = libxml2::is_installed("cibadmin").then(|| libxml2::digest(option, file)).transpose()?;
        if let Some((theirs, _)) = &theirs {
            let known = [Escaping::Legacy, Escaping::Modern].map(|escaping| digest(&tree, escaping));
            anyhow::ensure!(known.contains(theirs), "cibadmin {option} says {theirs}, we say {}", known[0]);
        }
        table.time(what, ours, theirs.map(|(_, time)| time), Wanted::Nothing);
    }
    let tree = xml::parse(text)?;
    table.time("digest alone", shortest(|| xml::digest_v2(&tree, Escaping::Modern)), None, Wanted::Nothing);
    Ok(())
}

fn searching(table: &mut Table, text: &str) -> Result<()> {
    let tree = xml::parse(text)?;
    for expression in [
        "//node_state[@id='3']",
        "//lrm_rsc_op[@operation='monitor']",
        "/cib/status/node_state[@uname='node2']/lrm/lrm_resources/lrm_resource[@id='rsc7']",
    ] {
        let found = XPath::parse(expression)?.select(&tree)?.len();
        anyhow::ensure!(found > 0, "{expression} finds nothing");
        let time =
            shortest(|| XPath::parse(expression).map(|xpath| xpath.select(&tree).map(|found| found.len())));
        let shown: String = if expression.len() > 32 {
            format!("...{}", &expression[expression.len() - 29..])
        } else {
            expression.to_owned()
        };
        table.time(&shown, time, None, Wanted::Nothing);
    }
    Ok(())
}

/// How much memory a tree takes, seen from outside: by how much a process grows that reads it some times.
fn remembering(table: &mut Table, file: &Path, size: usize) -> Result<()> {
    let copies = (20_000_000 / size).clamp(1, 100);
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.args(["bench", "memory"]).arg(file).arg(copies.to_string()).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let grown: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    let each = grown / copies as f64;
    let ratio = each / size as f64;
    table.other(
        "memory",
        &format!("{:.1} MB", each / 1e6),
        &format!("{ratio:.2}x"),
        "< 5x the file",
        ratio < 5.0,
    );
    Ok(())
}

/// The child's part: by how many bytes it grew.
pub fn memory(file: &Path, copies: usize) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    let mut trees: Vec<Element> = Vec::with_capacity(copies);
    let before = resident_bytes()?;
    for _ in 0..copies {
        trees.push(xml::parse(&text)?);
    }
    let after = resident_bytes()?;
    println!("{}", after.saturating_sub(before));
    drop(trees);
    Ok(())
}

fn resident_bytes() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    Ok(kib.context("no VmRSS in /proc/self/status")?.trim().parse::<usize>()? * 1024)
}
