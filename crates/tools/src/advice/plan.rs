// SPDX-License-Identifier: GPL-2.0-or-later
//! `systole plan`: what applying a change of the configuration would do, resource by resource.
//!
//! Decides: options, exit codes, and the look. Given: two CIBs. Leaves to others: the plan (`advice::plan`), the simulated
//! execution (`crm_simulate`).

use super::{Style, document, has_colour, moment, usable};
use crate::command_line::{self, CommonOptions, Tool};
use crate::crm_simulate;
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use ::advice::plan::{self, Fate, Fenced, Outcome, Plan};
use ::cib::patch;
use clap::Parser;
use model::{ExitCode, WallTime};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::PathBuf;
use xml::{Element, Escaping};

/// Some service is interrupted.
const INTERRUPTED: ExitCode = ExitCode::new(1);
/// A node is fenced.
const FENCED: ExitCode = ExitCode::new(2);
/// The cluster does not come to rest.
const RESTLESS: ExitCode = ExitCode::new(3);

/// Tell what applying a change of the configuration would do
///
/// Takes the CIB as it is (with its status) and as it would be, and carries out in simulation everything that the cluster
/// would then do, until nothing is left to do. Tells for each resource whether it is untouched, reloaded, restarted, moved
/// (or migrated live), started, stopped, promoted or demoted, which nodes would be fenced, in which order all that is done,
/// and which difference it comes from: that is found by taking each difference back, it alone.
///
/// NEW is a CIB, or only its configuration, or a patchset (as 'crm_diff' and 'cibadmin --patch' know it). If it has no
/// status, that of OLD is used. OLD may be "live": the CIB of the cluster, or what CIB_file or CIB_shadow name. Nothing is
/// changed anywhere.
///
/// Exit codes: 0 if no service is interrupted; 1 if one is (stopped, restarted, moved or demoted); 2 if a node would be
/// fenced; 3 if the cluster would not come to rest; of several, the highest. 64 for wrong usage, 65 if a file cannot be
/// read, 78 if a configuration cannot be used.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

What would loading new.xml do to the cluster?

\tsystole plan live new.xml

Is it safe at daytime?

\tsystole plan --quiet live new.xml && cibadmin --replace --xml-file new.xml")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Say only what becomes of resources and nodes, not each step
    #[arg(short = 'q', long)]
    quiet: bool,
    /// The CIB as it is: a file (decompressed if its name ends in .bz2), or "live"
    #[arg(value_name = "OLD")]
    old: Option<PathBuf>,
    /// The CIB, the configuration, or the patchset to apply ("-" for stdin)
    #[arg(value_name = "NEW")]
    new: Option<PathBuf>,
}

impl Tool for Options {
    const NAME: &'static str = "plan";
    const USAGE: &'static str = "[OPTION...] OLD NEW";

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
    let (Some(old), Some(new)) = (&options.old, &options.new) else {
        return Err(Failure::usage("two CIBs are needed; expected OLD NEW"));
    };
    let old = document(Some(old.as_path()).filter(|path| path.as_os_str() != "live"), stdin)?.tree;
    let new = changed(&old, super::tree(new, stdin)?)?;
    let (old, new) = (usable(&old, out)?, usable(&new, out)?);
    let now = moment(&old);
    let plan = plan::plan(&old, &new, now, &mut |cluster, graph, cib| executed(cluster, graph, cib, now));
    let code = if !plan.complete {
        RESTLESS
    } else if !plan.fenced.is_empty() {
        FENCED
    } else if plan.outcomes.iter().any(|outcome| outcome.interrupts()) {
        INTERRUPTED
    } else {
        ExitCode::OK
    };
    let style = Style { colour: has_colour(out, options.common.is_to_file()) };
    out.say(&Report { plan, style })?;
    Ok(code)
}

/// The CIB as it would be.
fn changed(old: &Element, new: Element) -> Result<Element, Failure> {
    if matches!(new.name(), "patch" | "diff") {
        let applied = patch::apply_unversioned(old, &new, Escaping::Modern);
        let refused =
            |error| Failure::new(ExitCode::CONFIG, format_args!("the patchset does not fit OLD: {error}"));
        return applied.map(|applied| applied.cib).map_err(refused);
    }
    let what = "expected <cib>, <configuration> or <diff>";
    let unknown = || Failure::new(ExitCode::CONFIG, format_args!("NEW is <{}>; {what}", new.name()));
    plan::combined(old, &new).ok_or_else(unknown)
}

/// Carries out a graph without a word.
fn executed(
    cluster: &scheduler::Cluster,
    graph: graph::TransitionGraph,
    cib: Element,
    now: WallTime,
) -> Option<Element> {
    crm_simulate::executed(cluster, graph, cib, now)
}

struct Report {
    plan: Plan,
    style: Style,
}

impl Report {
    fn write_outcome(&self, text: &mut String, outcome: &Outcome) {
        let (from, to) = (outcome.from.join(", "), outcome.to.join(", "));
        let place = match (from.is_empty(), to.is_empty(), from == to) {
            (_, _, true) => format!("on {from}"),
            (false, false, _) => format!("{from} -> {to}"),
            (false, true, _) => format!("on {from}"),
            _ => format!("on {to}"),
        };
        let word = format!("{:<13}", outcome.fate.as_str());
        let (word, mark) = match outcome.interrupts() {
            true => (self.style.bad(&word.to_uppercase()), self.style.bad("  (INTERRUPTS SERVICE)")),
            false => (self.style.good(&word), String::new()),
        };
        let _ = writeln!(text, "  {word} {} {place}{mark}", self.style.heading(&outcome.resource));
        self.write_causes(text, &outcome.causes, outcome.anyway);
    }

    fn write_causes(&self, text: &mut String, causes: &[String], anyway: bool) {
        if anyway {
            let _ = writeln!(text, "                  not because of the change: it is due as things are");
        }
        if !anyway && causes.is_empty() {
            let _ = writeln!(
                text,
                "                  because of the differences together, none of which alone would do it"
            );
        }
        for cause in causes {
            let _ = writeln!(text, "                  because of {cause}");
        }
    }

    fn write_fenced(&self, text: &mut String, fenced: &Fenced) {
        let word = self.style.bad(&format!("{:<13}", "FENCED"));
        let _ = writeln!(text, "  {word} node {}: {}", self.style.heading(&fenced.node), fenced.reason);
        self.write_causes(text, &fenced.causes, fenced.anyway);
    }

    fn summary(&self) -> String {
        let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
        for outcome in &self.plan.outcomes {
            *counts.entry(outcome.fate).or_default() += 1;
        }
        let mut words: Vec<String> = Vec::new();
        if !self.plan.fenced.is_empty() {
            words.push(format!("{} fenced", self.plan.fenced.len()));
        }
        words.extend(counts.iter().map(|(fate, count)| format!("{count} {}", fate.as_str())));
        if words.is_empty() { "nothing runs, and nothing is to be done".to_owned() } else { words.join(", ") }
    }
}

impl Message for Report {
    fn text(&self, quiet: bool) -> String {
        let plan = &self.plan;
        let mut text = String::new();
        if !quiet {
            let _ = writeln!(text, "{}", self.style.heading("What is different"));
            for difference in &plan.differences {
                let _ = writeln!(text, "  {}", difference.text);
            }
            if plan.differences.is_empty() {
                let _ = writeln!(text, "  nothing in the configuration");
            }
            let _ = writeln!(text, "\n{}", self.style.heading("What is done, in this order"));
            for (number, step) in plan.steps.iter().enumerate() {
                let _ = writeln!(text, "  {:>3}  {step}", number + 1);
            }
            if plan.steps.is_empty() {
                let _ = writeln!(text, "  nothing");
            }
            let _ = writeln!(text, "\n{}", self.style.heading("What becomes of nodes and resources"));
        }
        plan.fenced.iter().for_each(|fenced| self.write_fenced(&mut text, fenced));
        let (untouched, touched): (Vec<&Outcome>, Vec<&Outcome>) =
            plan.outcomes.iter().partition(|outcome| outcome.fate == Fate::Untouched);
        touched.iter().for_each(|outcome| self.write_outcome(&mut text, outcome));
        if !untouched.is_empty() {
            let names: Vec<&str> =
                untouched.iter().map(|outcome| outcome.resource.as_str()).take(20).collect();
            let more = untouched.len().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(text, "  {:<13} {}{more}", Fate::Untouched.as_str(), names.join(", "));
        }
        let interrupted = plan.outcomes.iter().filter(|outcome| outcome.interrupts()).count();
        let verdict = if !plan.complete {
            self.style.bad("the cluster does not come to rest")
        } else if interrupted > 0 || !plan.fenced.is_empty() {
            self.style.bad("service is interrupted")
        } else {
            self.style.good("no service is interrupted")
        };
        let _ = writeln!(text, "{}: {verdict}", self.summary());
        if plan.cut {
            let _ = writeln!(text, "(there are too many differences to find the cause of everything)");
        }
        text
    }

    fn entry(&self) -> Option<Entry> {
        let plan = &self.plan;
        let causes = |entry: Entry, causes: &[String], anyway: bool| {
            let entry = entry.attr("anyway", anyway);
            entry.items(causes.iter().map(|cause| Entry::new("cause").text(cause)))
        };
        let entry = Entry::new("plan").attr("complete", plan.complete).attr("rounds", plan.rounds);
        let interrupted = plan.outcomes.iter().any(|outcome| outcome.interrupts());
        let entry = entry.attr("interrupts", interrupted || !plan.fenced.is_empty());
        let entry = entry.items(plan.differences.iter().map(|difference| {
            let entry = Entry::new("difference").attr("kind", difference.kind.as_str());
            let entry = entry.attr("element", &difference.element).attr_opt("id", difference.id.as_ref());
            entry.text(&difference.text)
        }));
        let entry = entry.items(plan.steps.iter().map(|step| Entry::new("step").text(step)));
        let entry = entry.items(plan.fenced.iter().map(|fenced| {
            let entry = Entry::new("fenced").attr("node", &fenced.node).attr("reason", &fenced.reason);
            causes(entry, &fenced.causes, fenced.anyway)
        }));
        Some(entry.items(plan.outcomes.iter().map(|outcome| {
            let entry =
                Entry::new("resource").attr("id", &outcome.resource).attr("fate", outcome.fate.as_str());
            let entry = entry.attr("interrupts", outcome.interrupts());
            let entry = causes(entry, &outcome.causes, outcome.anyway);
            let entry = entry.items(outcome.from.iter().map(|node| Entry::new("from").attr("node", node)));
            entry.items(outcome.to.iter().map(|node| Entry::new("to").attr("node", node)))
        })))
    }
}
