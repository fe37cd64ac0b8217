// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_verify`: whether a configuration can be used.
//!
//! Decides: what is checked in which order, what is said of it how loudly, and the exit code. Given: a CIB. Leaves to
//! others: what is valid and how older versions become newer ones (`cib`), what the scheduler cannot make sense of
//! (`scheduler`).

mod options;

#[cfg(test)]
mod tests;

use crate::acceptable::acceptable;
use crate::cib_access::{
    AccessError, CibAccess, DocumentError, bytes_for, read_file_or_stdin, read_pipe, replace_file,
};
use crate::command_line::{self, Tool};
use crate::failure::{Failure, system_words};
use crate::log::{Level, Log, Source};
use crate::output::Output;
use ::cib::Operation;
use ::cib::schema::{self, SchemaVersion};
use messages::cib::{Command, option};
use model::{ExitCode, Profile, WallTime};
use options::Options;
use scheduler::{About, ConfigIssue, Severity};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xml::Element;

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(0));
    // Not locked: what `CIB_file=-` names is read elsewhere.
    command_line::main(&args, |options, out| work(options, now, &mut io::stdin(), out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(
    options: &Options,
    now: WallTime,
    stdin: &mut dyn Read,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let cib = source(options, stdin)?;
    if let Some(path) = &options.save_xml {
        save(path, &cib)?;
    }
    // Programs want to know everything; people, if they say so.
    let loudness = options.common.verbose.saturating_sub(u8::from(options.quiet));
    let tells_all = loudness > 0 || !out.is_text();
    let mut findings = Findings::default();
    check(cib, now, out, &mut findings);
    out.flush()?;
    let log = Log::new(Options::NAME, loudness);
    let (of_state, issues): (Vec<_>, Vec<_>) =
        std::mem::take(&mut findings.issues).into_iter().partition(|issue| issue.about == About::State);
    findings.issues = issues;
    of_state.iter().filter_map(|issue| log.issue(issue)).for_each(|line| out.warn(line));
    for &(function, remark) in &findings.remarks {
        log.say(out, Level::Warning, Source { file: "unpack", function }, remark);
    }
    if findings.worst == Some(Severity::Error) {
        findings.issues.push(ConfigIssue::error("CIB did not pass schema validation"));
    }
    for issue in findings.issues.iter().filter(|_| tells_all) {
        let word = match issue.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        out.error(format_args!("{word}: {issue}"));
    }
    let Some(worst) = findings.worst else { return Ok(ExitCode::OK) };
    if !options.quiet {
        let what = match worst {
            Severity::Error => "invalid",
            Severity::Warning => "may need attention",
        };
        let hint = if tells_all { "" } else { " (-V may provide more detail)" };
        out.error(format_args!("Configuration {what}{hint}"));
    }
    Ok(ExitCode::CONFIG)
}

/// The CIB that is asked about.
fn source(options: &Options, stdin: &mut dyn Read) -> Result<Element, Failure> {
    let unread = |why: String| {
        Failure::new(ExitCode::CONFIG, "Verification failed: Unable to parse CIB XML").with_detail(why)
    };
    let unreadable = |error: DocumentError| unread(error.place_and_problem());
    if let Some(file) = &options.xml_file {
        // What begins like XML is no file's name; scripts have passed it here.
        return match file.to_str().filter(|text| text.trim_start().starts_with('<')) {
            Some(text) => xml::parse(text).map_err(|error| unread(error.to_string())),
            None => read_file_or_stdin(file, stdin).map_err(unreadable),
        };
    }
    if let Some(text) = &options.xml_text {
        return match text.trim_start().starts_with('<') {
            true => xml::parse(text).map_err(|error| unread(error.to_string())),
            false => read_file_or_stdin(Path::new(text), stdin).map_err(unreadable),
        };
    }
    if options.xml_pipe {
        return read_pipe(stdin).map_err(unreadable);
    }
    if options.live_check {
        return live();
    }
    Err(Failure::new(ExitCode::ERROR, "No input specified"))
}

fn live() -> Result<Element, Failure> {
    let failed = |error: AccessError| {
        let reason = error.reason();
        let verification = format!("Verification failed: {reason}");
        let mut failure = error.failure("Could not connect to the CIB");
        failure.details.extend(failure.text.replace(verification));
        failure
    };
    let query = Command::new(Operation::Query.as_str(), 0, option::SCOPE_LOCAL);
    let mut cib = CibAccess::open("crm_verify").map_err(failed)?;
    let answer = cib.call(query, Duration::from_secs(30)).map_err(failed)?;
    let refused =
        || Failure::new(answer.rc.exit_code(), format_args!("Verification failed: {}", answer.rc.text()));
    answer.data.filter(|_| answer.rc.is_ok()).ok_or_else(refused)
}

fn save(path: &Path, cib: &Element) -> Result<(), Failure> {
    let written = bytes_for(path, cib).and_then(|bytes| replace_file(path, &bytes));
    written.map_err(|error| {
        let why = system_words(&error);
        Failure::new(
            ExitCode::CANTCREAT,
            format_args!("Could not save the configuration to {}: {why}", path.display()),
        )
    })
}

/// What was found.
#[derive(Default)]
struct Findings {
    issues: Vec<ConfigIssue>,
    /// What else people who look closely may want to know, by the functions that scripts know it from.
    remarks: Vec<(&'static str, &'static str)>,
    worst: Option<Severity>,
}

impl Findings {
    fn note(&mut self, issues: impl IntoIterator<Item = ConfigIssue>) {
        for issue in issues {
            // That the cluster is not well is no fault of the configuration.
            if issue.about == About::Configuration {
                self.worst = self.worst.max(Some(issue.severity));
            }
            self.issues.push(issue);
        }
    }
}

/// Says at once what makes it no valid CIB; the rest is only found.
fn check(mut cib: Element, now: WallTime, out: &mut Output<'_>, findings: &mut Findings) {
    if cib.name() != "cib" {
        out.error(format_args!("Input is not a CIB (outermost element is {} not cib)", cib.name()));
        findings.worst = Some(Severity::Error);
        return;
    }
    let has_status = cib.child("status").is_some();
    cib.child_or_insert("status");
    let problems = schema::validate(&cib);
    if !problems.is_empty() {
        problems.iter().for_each(|problem| out.error(problem));
        findings.worst = Some(Severity::Error);
        return;
    }
    let cib = match acceptable(&cib, |line| out.warn(line)) {
        Ok(upgraded) => upgraded,
        Err(refusal) => {
            let newest = SchemaVersion::newest(Profile::default());
            out.error(refusal);
            out.error(format_args!(
                "The cluster will NOT be able to use this configuration.\nPlease manually update the configuration to conform \
                 to the {newest} syntax."
            ));
            findings.worst = Some(Severity::Error);
            return;
        }
    };
    let recorded = cib.attr("execution-date").and_then(|text| text.parse().ok());
    let (cluster, issues) = scheduler::unpack(&cib, recorded.map_or(now, WallTime::from_secs));
    if !cluster.options.startup_fencing {
        findings.remarks.push(("unpack_config", "Blind faith: not fencing unseen nodes"));
    }
    findings.note(issues);
    // Without any state there is nothing to plan from.
    if has_status {
        let schedule = scheduler::schedule(&cluster, &scheduler::Options::default());
        findings.note(schedule.issues);
    }
}
