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
    AccessError, CibAccess, DocumentError, bytes_for, read_bytes_or_stdin, replace_file,
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
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xml::{Element, ParseError};

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
    let given = source(options, stdin)?;
    if let Some(path) = &options.save_xml {
        save(path, &given.cib)?;
    }
    // Programs want to know everything; people, if they say so.
    let loudness = options.common.verbose.saturating_sub(u8::from(options.quiet));
    let tells_all = loudness > 0 || !out.is_text();
    let mut findings = Findings::default();
    check(given, now, out, &mut findings);
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
struct Given {
    cib: Element,
    /// What it was read from, if it is not the cluster's.
    text: Option<Text>,
}

struct Text {
    /// The file it is in.
    file: Option<PathBuf>,
    text: String,
}

impl Given {
    /// From what a file holds, or somebody typed.
    fn read(file: Option<&Path>, bytes: &[u8]) -> Result<Given, ParseError> {
        let text = xml::text_of(bytes)?;
        let cib = xml::parse(text)?;
        let text = Text { file: file.map(Path::to_owned), text: text.to_owned() };
        Ok(Given { cib, text: Some(text) })
    }
}

fn source(options: &Options, stdin: &mut dyn Read) -> Result<Given, Failure> {
    let unread = |why: String| {
        Failure::new(ExitCode::CONFIG, "Verification failed: Unable to parse CIB XML").with_detail(why)
    };
    let mut from_file = |path: &Path| {
        let read = read_bytes_or_stdin(path, stdin).and_then(|bytes| {
            Given::read(Some(path), &bytes)
                .map_err(|source| DocumentError::Parse { path: path.to_owned(), source })
        });
        read.map_err(|error| unread(error.place_and_problem()))
    };
    let from_text =
        |text: &str| Given::read(None, text.as_bytes()).map_err(|error| unread(error.to_string()));
    let is_text = |text: &str| text.trim_start().starts_with('<');
    if let Some(file) = &options.xml_file {
        // What begins like XML is no file's name; scripts have passed it here.
        return match file.to_str().filter(|text| is_text(text)) {
            Some(text) => from_text(text),
            None => from_file(file),
        };
    }
    if let Some(text) = &options.xml_text {
        return if is_text(text) { from_text(text) } else { from_file(Path::new(text)) };
    }
    if options.xml_pipe {
        return from_file(Path::new("-"));
    }
    if options.live_check {
        return Ok(Given { cib: live()?, text: None });
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
fn check(given: Given, now: WallTime, out: &mut Output<'_>, findings: &mut Findings) {
    let Given { mut cib, text } = given;
    if cib.name() != "cib" {
        out.error(format_args!("Input is not a CIB (outermost element is {} not cib)", cib.name()));
        findings.worst = Some(Severity::Error);
        return;
    }
    let has_status = cib.child("status").is_some();
    cib.child_or_insert("status");
    let mut problems = schema::validate(&cib);
    if !problems.is_empty() {
        if let Some(text) = &text {
            schema::locate(&mut problems, &text.text);
        }
        let file = text.and_then(|text| text.file);
        for problem in &problems {
            match (&file, problem.at) {
                (Some(file), Some(at)) => out.error(format_args!(
                    "{}:{}:{}: {}",
                    file.display(),
                    at.line,
                    at.column,
                    problem.words()
                )),
                _ => out.error(problem),
            }
        }
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
