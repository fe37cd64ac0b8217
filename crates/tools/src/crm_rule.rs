// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_rule`: whether rules of the configuration are in effect at a moment.
//!
//! Decides: options, how answers are told. Given: the command line, the CIB, the time and its place. Leaves to others:
//! the answers (`rules`).

use crate::cib_access::{AccessError, CibAccess};
use crate::command_line::{self, CommonOptions, Group, Tool};
use crate::failure::Failure;
use crate::iso8601::said_by;
use crate::log::{Level, Log, Source};
use crate::output::{Entry, Message, Output};
use clap::Parser;
use messages::cib::{Command, option};
use model::{ExitCode, LegacyRc};
use rules::{Checked, Checker, DateTime, Verdict};
use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;
use xml::Element;

/// What is read from the standard input at most, in bytes.
const INPUT_MAX: u64 = 1 << 30;
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// evaluate rules from the Pacemaker configuration
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Report bugs to https://bugs.clusterlabs.org/enter_bug.cgi?product=Pacemaker")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,

    /// Check whether a rule is in effect
    #[arg(short = 'c', long, help_heading = "Modes (mutually exclusive)")]
    check: bool,

    /// Use argument for XML (or stdin if '-')
    #[arg(short = 'X', long, help_heading = "Data")]
    xml_text: Option<String>,

    /// Whether the rule is in effect on a given date
    #[arg(short = 'd', long, help_heading = "Additional Options")]
    date: Option<String>,
    /// The ID of the rule to check (may be specified multiple times)
    #[arg(short = 'r', long, help_heading = "Additional Options")]
    rule: Vec<String>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_rule";
    const GROUPS: &'static [Group] = &[
        Group {
            option: "help-modes",
            heading: "Modes (mutually exclusive)",
            about: "Show modes of operation",
        },
        Group { option: "help-data", heading: "Data", about: "Show data options" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| {
        work(options, &crate::date::here_and_now(), &mut io::stdin().lock(), out)
    })
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(
    options: &Options,
    now: &DateTime,
    stdin: &mut dyn Read,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let log = Log::new(Options::NAME, options.common.verbose);
    if !options.check {
        return Err(Failure::usage("No mode operation given"));
    }
    if options.rule.is_empty() {
        return Err(Failure::usage("--check requires use of --rule="));
    }
    let at = match &options.date {
        None => *now,
        Some(text) => DateTime::parse(text, now).map_err(|error| {
            log.say(out, Level::Error, said_by(&error), &error);
            Failure::new(ExitCode::DATAERR, format_args!("Invalid date specified: '{text}'"))
        })?,
    };
    let cib = match &options.xml_text {
        Some(text) => given(text, stdin, &log, out)?,
        None => match current() {
            Ok(cib) => cib,
            Err((code, why)) => {
                out.error(format_args!("Could not connect to the CIB: {why}"));
                return Ok(code);
            }
        },
    };
    let checker = Checker::of(&cib);
    let mut code = ExitCode::OK;
    for rule in &options.rule {
        let answer = Answer::of(&checker, rule, &at);
        for issue in &answer.issues {
            let source = Source { file: "rules", function: "pcmk__evaluate_date_expression" };
            log.say(out, Level::Error, source, issue);
        }
        out.say(&answer)?;
        if let Some(why) = answer.undetermined {
            out.error(format_args!("Could not determine whether rule {rule} is in effect: {why}"));
        }
        // The last one that is not in effect counts.
        if answer.code != ExitCode::OK {
            code = answer.code;
        }
    }
    Ok(code)
}

/// What was given as XML, or is piped in.
fn given(text: &str, stdin: &mut dyn Read, log: &Log, out: &mut Output<'_>) -> Result<Element, Failure> {
    let (text, unparsable) = if text == "-" {
        let mut bytes = Vec::new();
        let unreadable =
            |error| Failure::new(ExitCode::DATAERR, format_args!("Couldn't read STDIN: {error}"));
        stdin.take(INPUT_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (text, "Couldn't parse input from STDIN".to_owned())
    } else {
        (text.to_owned(), format!("Couldn't parse input string: {text}"))
    };
    xml::parse(&text).map_err(|error| {
        log.say_no_xml(out, &text, &error);
        Failure::new(ExitCode::DATAERR, unparsable)
    })
}

/// The cluster's CIB, or that of the file in its place.
fn current() -> Result<Element, (ExitCode, String)> {
    let told = |error: AccessError| {
        let rc = match error.exit_code() {
            ExitCode::DISCONNECT => LegacyRc::ENOTCONN,
            ExitCode::NOSUCH => LegacyRc::ENXIO,
            code => return (code, error.to_string()),
        };
        (error.exit_code(), rc.text().to_owned())
    };
    let mut cib = CibAccess::open(Options::NAME).map_err(told)?;
    let query = Command::new("cib_query", 0, option::SCOPE_LOCAL);
    let answer = cib.call(query, REPLY_TIMEOUT).map_err(told)?;
    let empty = || (answer.rc.exit_code(), answer.rc.text().to_owned());
    answer.data.filter(|_| answer.rc.is_ok()).ok_or_else(empty)
}

/// Whether a rule is in effect.
struct Answer {
    rule: String,
    code: ExitCode,
    /// In words, if it is known.
    words: Option<&'static str>,
    /// Else why not.
    undetermined: Option<String>,
    /// What is wrong with it.
    issues: Vec<String>,
}

impl Answer {
    fn of(checker: &Checker<'_>, rule: &str, at: &DateTime) -> Answer {
        let Checked { evaluation, is_range } = match checker.check(rule, at) {
            Ok(checked) => checked,
            Err(refusal) => {
                let undetermined = Some(refusal.to_string());
                let code = refusal.exit_code();
                return Answer { rule: rule.to_owned(), code, words: None, undetermined, issues: Vec::new() };
            }
        };
        let words = match evaluation.verdict {
            Verdict::Satisfied if is_range => Some("is still in effect"),
            Verdict::Satisfied => Some("satisfies conditions"),
            Verdict::Unsatisfied => Some("does not satisfy conditions"),
            Verdict::BeforeRange => Some("has not yet taken effect"),
            Verdict::AfterRange => Some("is expired"),
            Verdict::Invalid => None,
        };
        Answer {
            rule: rule.to_owned(),
            code: evaluation.exit_code(),
            words,
            undetermined: words.is_none().then(|| "Error parsing rule".to_owned()),
            issues: evaluation.issues.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Message for Answer {
    fn text(&self, _quiet: bool) -> String {
        self.words.map_or_else(String::new, |words| format!("Rule {} {words}\n", self.rule))
    }

    fn entries(&self) -> Vec<Entry> {
        vec![Entry::new("rule-check").attr("rule-id", &self.rule).attr("rc", self.code.value())]
    }
}
