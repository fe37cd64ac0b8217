// SPDX-License-Identifier: GPL-2.0-or-later
//! `systole explain`: why a resource is where it is, what is going to be done with it, and what would move it.
//!
//! Decides: options, and the look. Given: a CIB. Leaves to others: everything that is said (`advice::explain`).

use super::{Style, has_colour, moment, read_cib};
use crate::command_line::{self, CommonOptions, Tool};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use ::advice::explain::{
    self, ActionView, Budget, Explanation, NodeView, Place, Question, Search, Term, Verdict,
};
use clap::Parser;
use model::{ExitCode, Score};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::PathBuf;

/// In text, so many nodes are shown; the other forms have all.
const NODES_SHOWN: usize = 12;

/// Explain why a resource is where it is, and what would move it
///
/// Tells where a resource is and where it will be; for every node what its score is made of, with the constraint,
/// attribute or failure that gave each term (the terms add up to the very score that 'crm_simulate -s' shows), and what
/// keeps the resource off it; what is going to be done with the resource, why, and what each action waits for; and the
/// smallest single changes that would move it. These are found by running the scheduler on the changed configuration: what
/// is told does move it, with all that would move along, and one point less would not.
///
/// The configuration is that of the cluster, or what CIB_file or CIB_shadow name, or a file, which may be an input of
/// the scheduler (pe-input-*.bz2). Nothing is changed anywhere.
///
/// Exit codes: 0 if it was explained, 105 if there is no such resource or node, 78 if the configuration cannot be used.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

Why is 'web' where it is?

\tsystole explain web

Why is it not on node3, as of an old decision?

\tsystole explain web --on node3 -x /var/lib/pacemaker/pengine/pe-input-7.bz2

Why is it going to be stopped?

\tsystole explain web --action stop")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Explain only this node
    #[arg(long, value_name = "NODE")]
    on: Option<String>,
    /// Explain only actions of this kind (start, stop, promote, monitor, probe, ...)
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Take the configuration from this file (decompressed if its name ends in .bz2; "-" for stdin)
    #[arg(short = 'x', long, value_name = "FILE")]
    xml_file: Option<PathBuf>,
    /// Run the scheduler at most so often to find what would move the resource (0: do not seek)
    #[arg(long, value_name = "RUNS", default_value_t = 80)]
    tries: usize,
    /// Say only where it is, where it will be, and why
    #[arg(short = 'q', long)]
    quiet: bool,
    /// The resource, or one of its instances
    #[arg(value_name = "RESOURCE")]
    resource: Option<String>,
}

impl Tool for Options {
    const NAME: &'static str = "explain";
    const USAGE: &'static str = "[OPTION...] RESOURCE";

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
    let Some(name) = &options.resource else {
        return Err(Failure::usage("no resource is named; expected RESOURCE"));
    };
    let cib = read_cib(options.xml_file.as_deref(), stdin, out)?;
    let now = moment(&cib);
    let (cluster, _) = scheduler::unpack_with_reasons(&cib, now);
    let schedule = scheduler::schedule(&cluster, &scheduler::Options::default());
    let Some(resource) = cluster.resource_named(name) else {
        return Err(unknown_resource(&cluster, name));
    };
    let node = match &options.on {
        Some(wanted) => match cluster.node_named(wanted) {
            Some(node) => Some(node),
            None => {
                let known: Vec<&str> = cluster.nodes.iter().map(|node| &*node.name).collect();
                let known = known.join(", ");
                let text = format!("there is no node '{wanted}' (there are {known})");
                return Err(Failure::new(ExitCode::NOSUCH, text));
            }
        },
        None => None,
    };
    let question = Question { node, action: options.action.clone() };
    let explanation = explain::explain(&cluster, &schedule, resource, &question);
    let search = (options.tries > 0).then(|| {
        let budget = Budget { runs: options.tries, ..Budget::default() };
        explain::smallest_changes(&cib, now, &cluster, &schedule, resource, node, budget)
    });
    let style = Style { colour: has_colour(out, options.common.is_to_file()) };
    out.say(&Report { explanation, search, question, style })?;
    Ok(ExitCode::OK)
}

fn unknown_resource(cluster: &scheduler::Cluster, name: &str) -> Failure {
    let known: Vec<&str> = cluster.top.iter().map(|&id| &*cluster.resource(id).id).take(20).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::new(ExitCode::NOSUCH, format_args!("there is no resource '{name}' (there are {known})"))
}

struct Report {
    explanation: Explanation,
    search: Option<Search>,
    question: Question,
    style: Style,
}

fn score(value: i32) -> String {
    Score::new(i64::from(value)).to_string()
}

fn signed(value: i32) -> String {
    if value >= 0 { format!("+{}", score(value)) } else { score(value) }
}

fn places(places: &[Place]) -> String {
    if places.is_empty() {
        return "nowhere".to_owned();
    }
    let words: Vec<String> = places.iter().map(|place| format!("{} on {}", place.role, place.node)).collect();
    words.join(", ")
}

impl Message for Report {
    fn text(&self, quiet: bool) -> String {
        let mut text = String::new();
        self.write(&mut text, &self.explanation, "", quiet);
        if let Some(search) = self.search.as_ref().filter(|_| !quiet) {
            self.write_search(&mut text, search);
        }
        text
    }

    fn entry(&self) -> Option<Entry> {
        let mut entry = report_entry("explanation", &self.explanation);
        if let Some(search) = &self.search {
            entry = entry.child(search_entry(search));
        }
        Some(entry)
    }
}

impl Report {
    fn write(&self, text: &mut String, what: &Explanation, indent: &str, quiet: bool) {
        let style = self.style;
        let within = what.within.as_ref().map(|within| format!(", in {within}")).unwrap_or_default();
        let _ = writeln!(text, "{indent}{} ({}{within})", style.heading(&what.resource), what.kind);
        let next = match (what.now == what.next, is_restarted(what)) {
            (true, true) => style.warning("stays, but is restarted"),
            (true, false) => "stays".to_owned(),
            (false, _) => style.warning(&places(&what.next)),
        };
        let _ = writeln!(text, "{indent}  now     {}", places(&what.now));
        let _ = writeln!(text, "{indent}  next    {next}");
        if let Some(choice) = &what.choice {
            let _ = writeln!(text, "{indent}  because {choice}");
        }
        for note in &what.notes {
            let _ = writeln!(text, "{indent}  note    {}", style.warning(note));
        }
        if !quiet {
            self.write_nodes(text, &what.nodes, indent);
            if let Some((total, terms)) = &what.promotion {
                let _ = writeln!(text, "{indent}  promotion score {}", score(*total));
                self.write_terms(text, terms, &format!("{indent}    "));
            }
            self.write_actions(text, what, indent);
        }
        for part in &what.parts {
            if !quiet {
                text.push('\n');
            }
            self.write(text, part, &format!("{indent}  "), quiet);
        }
    }

    fn write_nodes(&self, text: &mut String, nodes: &[NodeView], indent: &str) {
        let mut shown: Vec<&NodeView> = nodes.iter().collect();
        if shown.len() > NODES_SHOWN {
            shown.sort_by_key(|node| (node.verdict != Verdict::Chosen, std::cmp::Reverse(node.score)));
        }
        let width = shown.iter().take(NODES_SHOWN).map(|node| node.node.len()).max().unwrap_or(0);
        for node in shown.iter().take(NODES_SHOWN) {
            let word = match node.verdict {
                Verdict::Chosen => self.style.good(node.verdict.as_str()),
                Verdict::Possible => node.verdict.as_str().to_owned(),
                _ => self.style.bad(node.verdict.as_str()),
            };
            let score = node.score.map_or_else(|| "-".to_owned(), score);
            let _ = writeln!(text, "{indent}  {:<width$}  {score:>9}  {word}", node.node);
            // What is among the terms is told with its number.
            let told = |reason: &&String| !counting(&node.terms).iter().any(|term| term.text == **reason);
            for reason in node.reasons.iter().filter(told) {
                let _ = writeln!(text, "{indent}  {:width$}             {reason}", "");
            }
            self.write_terms(text, &node.terms, &format!("{indent}  {:width$}  ", ""));
        }
        if shown.len() > NODES_SHOWN {
            let more = shown.len() - NODES_SHOWN;
            let _ = writeln!(text, "{indent}  ... and {more} nodes more (--on NODE shows one)");
        }
    }

    /// The terms, unless there is nothing to them.
    fn write_terms(&self, text: &mut String, terms: &[Term], indent: &str) {
        for term in counting(terms) {
            if term.kind == "node" && term.value == 0 {
                continue;
            }
            let _ = writeln!(text, "{indent}{:>9}  {}", signed(term.value), self.style.faint(&term.text));
        }
    }

    fn write_actions(&self, text: &mut String, what: &Explanation, indent: &str) {
        if !what.parts.is_empty() {
            return;
        }
        if what.actions.is_empty() {
            let none = match &self.question.action {
                Some(action) => format!("no {action} is to be done"),
                None => "nothing is to be done".to_owned(),
            };
            let _ = writeln!(text, "{indent}  {none}");
        }
        for action in &what.actions {
            let name = self.style.heading(&action_name(action));
            let cannot = if action.possible { String::new() } else { self.style.bad(" (cannot be done)") };
            let _ = writeln!(text, "{indent}  {name}{cannot}: {}", action.why);
            for wait in &action.waits {
                let _ = writeln!(text, "{indent}      after {}: {}", wait.action, wait.cause);
            }
        }
    }

    fn write_search(&self, text: &mut String, search: &Search) {
        let _ = writeln!(text, "\n{}", self.style.heading("What would move it (tried, each alone)"));
        if search.changes.is_empty() {
            let _ = writeln!(text, "  no single change that was tried would");
        }
        for change in &search.changes {
            let to = change.to.as_deref().unwrap_or("nowhere");
            let _ = writeln!(text, "  {}: goes to {to}", change.text);
            if let Some(command) = &change.command {
                let _ = writeln!(text, "      {}", self.style.faint(command));
            }
            if !change.also.is_empty() {
                let shown = change.also.iter().take(5).cloned().collect::<Vec<String>>().join(", ");
                let more = change.also.len().saturating_sub(5);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let _ = writeln!(text, "      also: {}{more}", self.style.warning(&shown));
            }
        }
        for (node, reasons) in &search.barred {
            let reasons =
                if reasons.is_empty() { "no single change is enough".to_owned() } else { reasons.join("; ") };
            let _ = writeln!(text, "  not to {node} by one change: {reasons}");
        }
        if search.cut {
            let _ = writeln!(text, "  (not everything was tried: {} runs; --tries allows more)", search.runs);
        }
    }
}

fn is_restarted(what: &Explanation) -> bool {
    let stops = what.actions.iter().any(|action| action.task == "stop" && action.possible);
    stops && !what.next.is_empty() || what.parts.iter().any(is_restarted)
}

/// The terms that count: those from the last that replaced all before it.
fn counting(terms: &[Term]) -> &[Term] {
    let from = terms.iter().rposition(|term| term.replaces).unwrap_or(0);
    terms.get(from..).unwrap_or_default()
}

fn action_name(action: &ActionView) -> String {
    let node = action.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
    match (action.task.as_str(), action.interval_ms) {
        ("monitor", 0) => format!("probe{node}"),
        (task, 0) => format!("{task}{node}"),
        (task, every) => format!("{task} every {}{node}", interval(every)),
    }
}

fn interval(ms: u64) -> String {
    if ms.is_multiple_of(1000) { format!("{} s", ms / 1000) } else { format!("{ms} ms") }
}

// --- for programs -------------------------------------------------------------------------------------------------

fn report_entry(name: &str, what: &Explanation) -> Entry {
    let place =
        |name: &str, place: &Place| Entry::new(name).attr("node", &place.node).attr("role", &place.role);
    let mut entry = Entry::new(name).attr("resource", &what.resource).attr("kind", &what.kind);
    entry = entry.attr_opt("within", what.within.as_ref());
    if let Some(choice) = &what.choice {
        entry = entry.attr("choice", choice);
    }
    entry = entry.items(what.now.iter().map(|at| place("now", at)));
    entry = entry.items(what.next.iter().map(|at| place("next", at)));
    entry = entry.items(what.notes.iter().map(|note| Entry::new("note").text(note)));
    entry = entry.items(what.nodes.iter().map(node_entry));
    if let Some((score, terms)) = &what.promotion {
        let promotion = Entry::new("promotion").attr("score", *score);
        entry = entry.child(promotion.items(counting(terms).iter().map(term_entry)));
    }
    entry = entry.items(what.actions.iter().map(action_entry));
    entry.items(what.parts.iter().map(|part| report_entry("part", part)))
}

fn node_entry(node: &NodeView) -> Entry {
    let entry = Entry::new("node").attr("name", &node.node).attr("verdict", node.verdict.as_str());
    let entry = entry.attr_opt("score", node.score);
    let entry = entry.items(node.reasons.iter().map(|reason| Entry::new("reason").text(reason)));
    entry.items(counting(&node.terms).iter().map(term_entry))
}

fn term_entry(term: &Term) -> Entry {
    let entry = Entry::new("term").attr("cause", term.kind).attr("value", term.value);
    entry.attr_opt("source", term.source.as_ref()).text(&term.text)
}

fn action_entry(action: &ActionView) -> Entry {
    let entry = Entry::new("action").attr("task", &action.task);
    let interval = i64::try_from(action.interval_ms).unwrap_or(i64::MAX);
    let entry = entry.attr("interval-ms", interval).attr_opt("node", action.node.as_ref());
    let entry = entry.attr("possible", action.possible).attr("why", &action.why);
    entry.items(action.waits.iter().map(|wait| {
        let entry = Entry::new("after").attr("action", &wait.action).attr("cause", &wait.cause);
        entry.attr_opt("constraint", wait.constraint.as_ref())
    }))
}

fn search_entry(search: &Search) -> Entry {
    let entry = Entry::new("changes").attr("runs", search.runs).attr("complete", !search.cut);
    let entry = entry.items(search.changes.iter().map(|change| {
        let entry = Entry::new("change").attr("text", &change.text).attr_opt("to", change.to.as_ref());
        let entry = entry.attr_opt("amount", change.amount).attr_opt("command", change.command.as_ref());
        entry.items(change.also.iter().map(|also| Entry::new("also").text(also)))
    }));
    entry.items(search.barred.iter().map(|(node, reasons)| {
        let entry = Entry::new("barred").attr("node", node);
        entry.items(reasons.iter().map(|reason| Entry::new("reason").text(reason)))
    }))
}
