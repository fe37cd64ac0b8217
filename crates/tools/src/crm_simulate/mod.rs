// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_simulate`: what would the cluster do, and how would it then be?
//!
//! Decides: options, what is printed, what a simulated execution leaves behind. Given: a CIB from a file, a pipe or the
//! CIB manager. Leaves to others: the plan (`scheduler`), the order of its execution (`graph::walk`).

mod execute;
mod inject;
mod options;
mod profile;
mod source;
mod status_edit;
mod summary;

use crate::cib_access::CibPlace;
use crate::command_line;
use crate::date;
use crate::log::Log;
use crate::status::{self, Counts, Lists, Sections, Show};
use clap::Parser;
use execute::Recording;
use model::{ExitCode, Profile, WallTime};
use options::Options;
use scheduler::{Cluster, ConfigIssue, Schedule};
use source::SourceError;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use xml::Element;

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let out = &mut io::BufWriter::new(io::stdout().lock());
    run(&args, now, &mut io::stdin().lock(), out, &mut io::stderr().lock())
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
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => return command_line::refuse("crm_simulate", &error, out, err),
    };
    if options.version {
        return command_line::print_version(out);
    }
    let fancy = !(options.show_scores && options.quiet);
    let mut lists = Lists::new(out, err, fancy, options.quiet);
    let result = Simulation { options: &options, now, lists: &mut lists, of_planning: Vec::new() }.run(input);
    let code = match result {
        Ok(code) => code,
        Err(error) => {
            lists.error(format_args!("crm_simulate: {error}"));
            error.exit_code()
        }
    };
    match lists.finish() {
        Ok(()) => code,
        Err(_) => ExitCode::IOERR,
    }
}

/// The simulation could not be done.
#[derive(Debug, thiserror::Error)]
enum SimulationError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Date(#[from] rules::TimeError),
    #[error("Could not create '{}': {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("Error writing graph file '{}': {source}", path.display())]
    WriteGraph { path: PathBuf, source: io::Error },
}

impl SimulationError {
    fn exit_code(&self) -> ExitCode {
        match self {
            SimulationError::Source(error) => error.exit_code(),
            SimulationError::Date(_) => ExitCode::USAGE,
            SimulationError::Write { .. } => ExitCode::CANTCREAT,
            SimulationError::WriteGraph { .. } => ExitCode::IOERR,
        }
    }
}

fn write_cib(path: &Path, cib: &Element) -> Result<(), SimulationError> {
    source::write_xml(path, cib).map_err(|source| SimulationError::Write { path: path.to_owned(), source })
}

struct Simulation<'a, 'w> {
    options: &'a Options,
    now: WallTime,
    lists: &'a mut Lists<'w>,
    /// What is wrong in the configuration that only the planning has to do with.
    of_planning: Vec<ConfigIssue>,
}

impl Simulation<'_, '_> {
    fn run(&mut self, input: &mut dyn Read) -> Result<ExitCode, SimulationError> {
        if let Some(folder) = &self.options.profile {
            profile::profile(self.lists, folder, self.options.repeat, self.now)?;
            return Ok(ExitCode::OK);
        }
        let mut cib = source::cib(self.options, input, |line| self.lists.error(line))?;
        let recording = Recording { feature_set: Profile::default().feature_set(), at: self.now };
        let mut cluster = self.unpack(&cib)?;
        let mut printed = self.print_current(&cluster);
        if self.options.injects() {
            self.spacer_if(printed);
            inject::inject(self.lists, &cluster, &mut cib, self.options, recording);
            printed = true;
            cluster = self.unpack(&cib)?;
        }
        if let Some(path) = &self.options.save_input {
            write_cib(path, &cib)?;
        }
        if !self.options.processes() {
            self.save_output(&cib)?;
            return Ok(ExitCode::OK);
        }
        let schedule = self.schedule(&cluster, &mut printed)?;
        if !self.options.simulates() {
            self.save_output(&cib)?;
            return Ok(ExitCode::OK);
        }
        self.spacer_if(printed);
        self.simulate(&cluster, schedule, cib, recording)
    }

    fn spacer_if(&mut self, printed: bool) {
        if printed {
            self.lists.spacer();
        }
    }

    /// Reads the CIB as of the moment it is about.
    fn unpack(&mut self, cib: &Element) -> Result<Cluster, SimulationError> {
        let recorded =
            cib.attr("execution-date").and_then(|text| text.parse::<i64>().ok()).filter(|&t| t != 0);
        let moment = match (&self.options.set_datetime, recorded) {
            (Some(text), _) => {
                self.lists.info(format_args!("Setting effective cluster time: {text}"));
                let moment = rules::DateTime::parse(text, &date::here_and_now())?;
                WallTime::from_secs(moment.epoch_s())
            }
            (None, Some(secs)) => {
                self.lists.info(format_args!("Using the original execution date of: {}", date::utc(secs)));
                WallTime::from_secs(secs)
            }
            (None, None) => self.now,
        };
        let (cluster, issues) = scheduler::unpack(cib, moment);
        let (of_planning, of_state): (Vec<_>, Vec<_>) = issues.into_iter().partition(|issue| issue.planning);
        self.report(&of_state);
        self.of_planning = of_planning;
        Ok(cluster)
    }

    /// What is wrong in the configuration belongs into the log.
    fn report<'i>(&mut self, issues: impl IntoIterator<Item = &'i ConfigIssue>) {
        let log = Log::new("crm_simulate", self.options.verbose);
        issues.into_iter().filter_map(|issue| log.issue(issue)).for_each(|line| self.lists.error(line));
    }

    fn print_current(&mut self, cluster: &Cluster) -> bool {
        if self.lists.is_quiet() {
            return false;
        }
        let mut printed = cluster.options.maintenance_mode && status::maintenance_notice(self.lists, cluster);
        let counts = Counts::of(cluster);
        if counts.disabled > 0 || counts.blocked > 0 {
            self.spacer_if(printed);
            self.lists.info(format_args!(
                "{} of {} resource instances DISABLED and {} BLOCKED from further action due to failure",
                counts.disabled, counts.instances, counts.blocked
            ));
            printed = true;
        }
        self.print_status(cluster, "Current cluster status", true, printed);
        true
    }

    fn print_status(&mut self, cluster: &Cluster, title: &str, pending: bool, spacer: bool) {
        self.spacer_if(spacer);
        let sections = Sections {
            nodes: true,
            resources: true,
            attributes: self.options.show_attrs,
            fail_counts: self.options.show_failcounts,
            failures: self.options.show_failcounts,
            ..Sections::default()
        };
        let show = Show { inactive: true, failure_details: true, pending, ..Show::default() };
        self.lists.begin(title);
        status::print_status(self.lists, cluster, sections, show, None);
        self.lists.end();
    }

    fn schedule(&mut self, cluster: &Cluster, printed: &mut bool) -> Result<Schedule, SimulationError> {
        let schedule = scheduler::schedule(
            cluster,
            &scheduler::Options { sanitized: !self.options.live_check, ..scheduler::Options::default() },
        );
        let of_planning = std::mem::take(&mut self.of_planning);
        self.report(of_planning.iter().chain(&schedule.issues));
        let (scores, utilization) = (self.options.show_scores, self.options.show_utilization);
        let title = match (scores, utilization) {
            (true, true) => Some("Assignment Scores and Utilization Information"),
            (true, false) => Some("Assignment Scores"),
            (false, true) => Some("Utilization Information"),
            (false, false) => None,
        };
        if let Some(title) = title {
            self.spacer_if(*printed);
            self.lists.begin(title);
            for line in &schedule.scores {
                let wanted = match line {
                    scheduler::ScoreLine::Capacity { .. } => utilization,
                    _ => scores,
                };
                if wanted {
                    self.lists.item(line);
                }
            }
            self.lists.end();
            *printed = true;
        }
        self.save_plan(cluster, &schedule)?;
        if !self.lists.is_quiet() {
            self.spacer_if(*printed);
            self.lists.begin("Transition Summary");
            summary::print(self.lists, cluster, &schedule);
            self.lists.end();
        }
        Ok(schedule)
    }

    fn save_plan(&self, cluster: &Cluster, schedule: &Schedule) -> Result<(), SimulationError> {
        if let Some(path) = &self.options.save_graph {
            source::write_xml(path, &schedule.graph.to_xml())
                .map_err(|source| SimulationError::WriteGraph { path: path.clone(), source })?;
        }
        if let Some(path) = &self.options.save_dotfile {
            let dot = schedule.to_dot(cluster, self.options.all_actions, self.options.verbose > 0);
            std::fs::write(path, dot.to_string())
                .map_err(|source| SimulationError::WriteGraph { path: path.clone(), source })?;
        }
        Ok(())
    }

    fn simulate(
        &mut self,
        cluster: &Cluster,
        schedule: Schedule,
        cib: Element,
        recording: Recording,
    ) -> Result<ExitCode, SimulationError> {
        let quiet = self.lists.is_quiet();
        if !quiet {
            self.lists.begin("Executing Cluster Transition");
        }
        let failures = &self.options.op_fail;
        let (cib, sound) = execute::execute(self.lists, cluster, schedule.graph, cib, failures, recording);
        self.save_output(&cib)?;
        if !quiet {
            self.lists.end();
            let revised = self.unpack(&cib)?;
            self.print_status(&revised, "Revised Cluster Status", false, true);
        }
        Ok(if sound { ExitCode::OK } else { ExitCode::ERROR })
    }

    fn save_output(&self, cib: &Element) -> Result<(), SimulationError> {
        let in_place = if self.options.in_place { self.source_file() } else { None };
        match in_place.or_else(|| self.options.save_output.clone()) {
            Some(path) => write_cib(&path, cib),
            None => Ok(()),
        }
    }

    /// The file that the CIB came from, if it came from one.
    fn source_file(&self) -> Option<PathBuf> {
        if self.options.live_check {
            return match CibPlace::from_environment() {
                Ok(CibPlace::Shadow { path, .. } | CibPlace::File(path)) => Some(path),
                _ => None,
            };
        }
        self.options.xml_file.clone().filter(|path| path != Path::new("-"))
    }
}
