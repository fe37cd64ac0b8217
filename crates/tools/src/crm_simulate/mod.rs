// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_simulate`: what would the cluster do, and how would it then be?
//!
//! Decides: what is told and in which order, what a simulated execution leaves behind. Given: a CIB from a file, a pipe or
//! the CIB manager. Leaves to others: the plan (`scheduler`), the order of its execution (`graph::walk`).

mod execute;
mod inject;
mod options;
mod profile;
mod source;
mod status_edit;
mod summary;
mod telling;

use crate::command_line::{self, Tool};
use crate::date;
use crate::failure::Failure;
use crate::log::Log;
use crate::output::{Entry, Format, Output};
use crate::status::{Counts, Sections, Show};
use execute::Recording;
use model::{ExitCode, Profile, WallTime};
use options::Options;
use scheduler::{Cluster, ConfigIssue, Schedule, ScoreLine, UTILIZATION_BY};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::time::SystemTime;
use telling::Telling;
use xml::Element;

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    // Not locked: what `CIB_file=-` names is read elsewhere.
    command_line::main(&args, |options, out| work(options, now, &mut io::stdin(), out, true))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

/// The program with everything it touches but files: arguments (its name first), the time, and the three streams. Can
/// be run many times in one process, also at once.
pub fn run(
    args: &[OsString],
    now: WallTime,
    input: &mut dyn Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    command_line::run(args, out, err, |options, out| work(options, now, input, out, false))
}

/// The CIB as it would be after the transition that its cluster's scheduler would begin now, if all went well.
pub(crate) fn after_transition(cluster: &Cluster, now: WallTime) -> Element {
    let (mut printed, mut told) = (io::sink(), io::sink());
    let mut out = Output::new("crm_simulate", "", Format::Text, true, &mut printed, &mut told);
    let mut telling = Telling::new(&mut out, false);
    let schedule = scheduler::schedule(cluster, &scheduler::Options::default());
    let recording = Recording { feature_set: Profile::default().feature_set(), at: now };
    let cib = cluster.cib.clone();
    // What is told goes nowhere, so that cannot fail.
    match execute::execute(&mut telling, cluster, schedule.graph, cib, &[], recording) {
        Ok((cib, _)) => cib,
        Err(_) => cluster.cib.clone(),
    }
}

fn work(
    options: &Options,
    now: WallTime,
    input: &mut dyn Read,
    out: &mut Output<'_>,
    ends_process: bool,
) -> Result<ExitCode, Failure> {
    let fancy = !(options.show_scores && options.quiet);
    let moment = Moment::new(options, now)?;
    let mut telling = Telling::new(out, fancy);
    let result = match &options.profile {
        Some(folder) => profile::profile(&mut telling, folder, options, moment).map(|()| ExitCode::OK),
        None => {
            let telling = &mut telling;
            Simulation { options, moment, telling, of_planning: Vec::new(), ends_process }.run(input)
        }
    };
    let told = telling.finish();
    let code = result?;
    told.map(|()| code)
}

/// When it all happens.
#[derive(Clone, Copy, Debug)]
struct Moment {
    wanted: Option<WallTime>,
    now: WallTime,
}

impl Moment {
    fn new(options: &Options, now: WallTime) -> Result<Moment, Failure> {
        let wanted = match &options.set_datetime {
            Some(text) => {
                let moment = rules::DateTime::parse(text, &date::here_and_now()).map_err(Failure::usage)?;
                Some(WallTime::from_secs(moment.epoch_s()))
            }
            None => None,
        };
        Ok(Moment { wanted, now })
    }

    /// When a CIB was looked at, if it says so.
    fn recorded(cib: &Element) -> Option<i64> {
        cib.attr("execution-date").and_then(|text| text.parse::<i64>().ok()).filter(|&secs| secs != 0)
    }

    /// The moment that a CIB is scheduled for.
    fn of(self, cib: &Element) -> WallTime {
        self.wanted.or_else(|| Moment::recorded(cib).map(WallTime::from_secs)).unwrap_or(self.now)
    }
}

/// Carries out a graph without a word; none if it cannot be carried out.
pub(crate) fn executed(
    cluster: &scheduler::Cluster,
    graph: graph::TransitionGraph,
    cib: Element,
    at: WallTime,
) -> Option<Element> {
    let (mut out, mut err) = (io::sink(), io::sink());
    let mut output = Output::new("crm_simulate", "", crate::output::Format::Text, true, &mut out, &mut err);
    let mut telling = Telling::new(&mut output, false);
    let recording = Recording { feature_set: Profile::default().feature_set(), at };
    let (cib, sound) = execute::execute(&mut telling, cluster, graph, cib, &[], recording).ok()?;
    sound.then_some(cib)
}

struct Simulation<'a, 'o, 'w> {
    options: &'a Options,
    moment: Moment,
    telling: &'a mut Telling<'o, 'w>,
    /// What is wrong in the configuration that only the planning has to do with.
    of_planning: Vec<ConfigIssue>,
    /// Nothing comes after it in this process.
    ends_process: bool,
}

impl Simulation<'_, '_, '_> {
    fn run(&mut self, input: &mut dyn Read) -> Result<ExitCode, Failure> {
        let mut cib = source::cib(self.options, input, self.telling)?;
        if let Some(path) = source::destination(self.options) {
            // Whether it can be written at all is better known before everything is told.
            source::write_cib(&path, &cib)?;
        }
        let recording = Recording { feature_set: Profile::default().feature_set(), at: self.moment.now };
        let mut cluster = self.unpack(&cib);
        let mut printed = self.tell_current(&cluster);
        if self.options.injects() {
            self.telling.spacer_if(printed);
            inject::inject(self.telling, &cluster, &mut cib, self.options, recording)?;
            printed = true;
            cluster = self.unpack(&cib);
        }
        if let Some(path) = &self.options.save_input {
            source::write_cib(path, &cib)?;
        }
        if !self.options.processes() {
            self.save_output(&cib)?;
            return Ok(ExitCode::OK);
        }
        let schedule = self.schedule(&cluster, &mut printed)?;
        if !self.options.simulates() {
            self.save_output(&cib)?;
            if self.ends_process {
                // Of a large cluster these are millions of pieces; that all are freed at once is up to the kernel.
                std::mem::forget((cib, cluster, schedule));
            }
            return Ok(ExitCode::OK);
        }
        self.telling.spacer_if(printed);
        self.simulate(&cluster, schedule, cib, recording)
    }

    /// Reads the CIB as of the moment it is about.
    fn unpack(&mut self, cib: &Element) -> Cluster {
        if let Some(text) = &self.options.set_datetime {
            self.telling.info(format_args!("Setting effective cluster time: {text}"));
        } else if let Some(secs) = Moment::recorded(cib) {
            self.telling.info(format_args!("Using the original execution date of: {}", date::utc(secs)));
        }
        let (cluster, issues) = scheduler::unpack(cib, self.moment.of(cib));
        let (of_planning, of_state): (Vec<_>, Vec<_>) = issues.into_iter().partition(|issue| issue.planning);
        self.log_issues(&of_state);
        self.of_planning = of_planning;
        cluster
    }

    /// What is wrong in the configuration belongs into the log.
    fn log_issues<'i>(&mut self, issues: impl IntoIterator<Item = &'i ConfigIssue>) {
        let log = Log::new(Options::NAME, self.options.common.verbose);
        issues.into_iter().filter_map(|issue| log.issue(issue)).for_each(|line| self.telling.log(line));
    }

    fn tell_current(&mut self, cluster: &Cluster) -> bool {
        if self.telling.is_quiet() {
            return false;
        }
        let mut printed = self.telling.maintenance(cluster);
        let counts = Counts::of(cluster);
        if counts.disabled > 0 || counts.blocked > 0 {
            self.telling.spacer_if(printed);
            printed = self.telling.info(format_args!(
                "{} of {} resource instances DISABLED and {} BLOCKED from further action due to failure",
                counts.disabled, counts.instances, counts.blocked
            ));
        }
        self.telling.spacer_if(printed);
        self.tell_status(cluster, "Current cluster status", "cluster_status", true);
        true
    }

    fn tell_status(&mut self, cluster: &Cluster, title: &str, element: &str, pending: bool) {
        let sections = Sections {
            nodes: true,
            resources: true,
            attributes: self.options.show_attrs,
            fail_counts: self.options.show_failcounts,
            failures: self.options.show_failcounts,
            ..Sections::default()
        };
        let show = Show { inactive: true, failure_details: true, pending, ..Show::default() };
        self.telling.begin(title, Entry::new(element));
        self.telling.status(cluster, sections, show);
        self.telling.end();
    }

    fn schedule(&mut self, cluster: &Cluster, printed: &mut bool) -> Result<Schedule, Failure> {
        let schedule = scheduler::schedule(cluster, &self.options.scheduling());
        let of_planning = std::mem::take(&mut self.of_planning);
        self.log_issues(of_planning.iter().chain(&schedule.issues));
        let (scores, utilization) = (self.options.show_scores, self.options.show_utilization);
        let list = match (scores, utilization) {
            (true, true) => {
                Some(("Assignment Scores and Utilization Information", "allocations_utilizations"))
            }
            (true, false) => Some(("Assignment Scores", "allocations")),
            (false, true) => Some(("Utilization Information", "utilizations")),
            (false, false) => None,
        };
        if let Some((title, element)) = list {
            self.telling.spacer_if(*printed);
            self.telling.begin(title, Entry::new(element));
            self.tell_scores(&schedule.scores);
            self.telling.end();
            *printed = true;
        }
        if let Some(path) = &self.options.save_graph {
            source::write_graph(path, &schedule.graph)?;
        }
        if let Some(path) = &self.options.save_dotfile {
            let verbose = self.options.common.verbose > 0;
            let dot = schedule.to_dot(cluster, self.options.all_actions, verbose);
            source::write_drawing(path, &dot.to_string())?;
        }
        if !self.telling.is_quiet() {
            self.telling.spacer_if(*printed);
            self.telling.begin("Transition Summary", Entry::new("actions"));
            summary::tell(self.telling, cluster, &schedule);
            self.telling.end();
        }
        Ok(schedule)
    }

    fn tell_scores(&mut self, lines: &[ScoreLine]) {
        for line in lines {
            let wanted = match line {
                ScoreLine::Capacity { .. } | ScoreLine::Utilization { .. } => self.options.show_utilization,
                ScoreLine::Allocation { .. } | ScoreLine::Promotion { .. } => self.options.show_scores,
                ScoreLine::SecretsDiffer { .. } => {
                    self.telling.info(line);
                    false
                }
            };
            if wanted {
                self.telling.item(line, || score_entry(line));
            }
        }
    }

    fn simulate(
        &mut self,
        cluster: &Cluster,
        schedule: Schedule,
        cib: Element,
        recording: Recording,
    ) -> Result<ExitCode, Failure> {
        let quiet = self.telling.is_quiet();
        if !quiet {
            self.telling.begin("Executing Cluster Transition", Entry::new("transition"));
        }
        let failures = &self.options.op_fail;
        let (cib, sound) = execute::execute(self.telling, cluster, schedule.graph, cib, failures, recording)?;
        self.save_output(&cib)?;
        if !quiet {
            self.telling.end();
            let revised = self.unpack(&cib);
            self.telling.spacer_if(true);
            self.tell_status(&revised, "Revised Cluster Status", "revised_cluster_status", false);
        }
        Ok(if sound { ExitCode::OK } else { ExitCode::ERROR })
    }

    fn save_output(&self, cib: &Element) -> Result<(), Failure> {
        source::destination(self.options).map_or(Ok(()), |path| source::write_cib(&path, cib))
    }
}

/// A score as a report has it.
fn score_entry(line: &ScoreLine) -> Entry {
    let amounts = |entry: Entry, amounts: &[(std::sync::Arc<str>, std::sync::Arc<str>)]| {
        amounts.iter().fold(entry, |entry, (name, amount)| entry.child(Entry::new(&**name).text(&**amount)))
    };
    match line {
        ScoreLine::Allocation { by, resource, node, score } => Entry::new("node_weight")
            .attr("function", *by)
            .attr("node", &**node)
            .attr("score", score.to_string())
            .attr("id", &**resource),
        ScoreLine::Promotion { resource, node, score } => Entry::new("promotion_score")
            .attr("id", &**resource)
            .attr("score", score.to_string())
            .attr_opt("node", node.as_deref()),
        ScoreLine::Capacity { comment, node, capacity } => {
            amounts(Entry::new("capacity").attr("node", &**node).attr("comment", &**comment), capacity)
        }
        ScoreLine::Utilization { resource, node, amounts: taken } => amounts(
            Entry::new("utilization")
                .attr("resource", &**resource)
                .attr("node", &**node)
                .attr("function", UTILIZATION_BY),
            taken,
        ),
        ScoreLine::SecretsDiffer { .. } => Entry::new("info").text(line.to_string()),
    }
}
