// SPDX-License-Identifier: GPL-2.0-or-later
//! `iso8601`: shows how dates, durations and periods are understood.
//!
//! Decides: options, what is shown, exit codes. Given: the command line; the time and its place, from outside. Leaves to
//! others: every date (`rules`).

use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::failure::Failure;
use crate::log::{Level, Log, Source};
use crate::output::{Entry, Message, Output};
use clap::Parser;
use model::{Duration, ExitCode};
use rules::{DateForm, DateTime, Period, TimeError};
use std::ffi::OsString;

/// DEPRECATED: This tool will be removed in a future release
#[derive(Clone, Debug, Parser)]
#[command(
    after_help = "For more information on the ISO 8601 standard, see https://en.wikipedia.org/wiki/ISO_8601"
)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,

    /// Display the current date/time
    #[arg(short = 'n', long, help_heading = "Commands")]
    now: bool,
    /// Parse an ISO 8601 date/time (for example, '2019-09-24 00:30:00+01:00' or '2019-040')
    #[arg(short = 'd', long, help_heading = "Commands")]
    date: Option<String>,
    /// Parse an ISO 8601 period (interval) with start time (for example, '2005-040/2005-043')
    #[arg(short = 'p', long, help_heading = "Commands")]
    period: Option<String>,
    /// Parse an ISO 8601 duration (for example, 'P1M')
    #[arg(short = 'D', long, help_heading = "Commands")]
    duration: Option<String>,
    /// Exit with error status if result does not match this text. Requires: -n or -d
    #[arg(short = 'E', long, value_name = "TEXT", help_heading = "Commands")]
    expected: Option<String>,

    /// Show result as a seconds since 0000-001 00:00:00Z
    #[arg(short = 's', long, help_heading = "Output modifiers")]
    seconds: bool,
    /// Show result as a seconds since EPOCH (1970-001 00:00:00Z)
    #[arg(short = 'S', long, help_heading = "Output modifiers")]
    epoch: bool,
    /// Show result as a 'local' date/time
    #[arg(short = 'L', long, help_heading = "Output modifiers")]
    local: bool,
    /// Show result as an 'ordinal' date/time
    #[arg(short = 'O', long, help_heading = "Output modifiers")]
    ordinal: bool,
    /// Show result as an 'calendar week' date/time
    #[arg(short = 'W', long, help_heading = "Output modifiers")]
    week: bool,
}

impl Tool for Options {
    const NAME: &'static str = "iso8601";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-commands", heading: "Commands", about: "Show command options" },
        Group { option: "help-modifiers", heading: "Output modifiers", about: "Show output modifiers" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        // A date can be given once, and `--now` is one.
        if order.last(&["now", "date"]) == Some("now") {
            self.date = Some("now".to_owned());
        }
    }
}

impl Options {
    /// How dates are to be shown. The seconds win over all, weeks over days of the year.
    fn form(&self) -> Form {
        match self {
            Options { seconds: true, .. } => Form::Seconds,
            Options { epoch: true, .. } => Form::Epoch,
            Options { week: true, .. } => Form::Date(DateForm::Week),
            Options { ordinal: true, .. } => Form::Date(DateForm::Ordinal),
            _ => Form::Date(DateForm::Calendar),
        }
    }
}

#[derive(Clone, Copy)]
enum Form {
    Seconds,
    Epoch,
    Date(DateForm),
}

impl Form {
    fn text(self, at: &DateTime, local: bool) -> String {
        match self {
            Form::Seconds => at.seconds().to_string(),
            Form::Epoch => at.epoch_s().to_string(),
            Form::Date(form) => at.text(form, local),
        }
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| work(options, &crate::date::here_and_now(), out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, now: &DateTime, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let log = Log::new(Options::NAME, options.common.verbose);
    let refused = |out: &mut Output<'_>, what: &str, text: &str, error: &TimeError| {
        log.say(out, Level::Error, said_by(error), error);
        Failure::new(ExitCode::INVALID_PARAM, format_args!("Invalid {what} specified: {text}"))
    };
    let form = options.form();
    let shown = |at: &DateTime| form.text(at, options.local);
    let mut date = None;
    if let Some(text) = &options.date {
        let (lead, at) = if text.eq_ignore_ascii_case("now") {
            ("Current date/time", *now)
        } else {
            let at = DateTime::parse(text, now);
            ("Date", at.map_err(|error| refused(out, "date/time", text, &error))?)
        };
        out.say(&Said { lead, element: "date", text: shown(&at) })?;
        date = Some(at);
    }
    let mut span = None;
    if let Some(text) = &options.duration {
        let read = Duration::parse(text).map_err(|why| {
            refused(out, "duration", text, &TimeError::Duration { text: text.to_owned(), why })
        })?;
        out.say(&Said { lead: "Duration", element: "duration", text: read.to_string() })?;
        span = Some(read);
    }
    if let Some(text) = &options.period {
        let period = Period::parse(text, now).map_err(|error| refused(out, "interval", text, &error))?;
        out.say(&SaidPeriod { start: shown(&period.start), end: shown(&period.end) })?;
    }
    let Some(date) = date else {
        return Ok(ExitCode::OK);
    };
    let mut result = date;
    if let Some(span) = span {
        result = date.plus(&span);
        out.say(&Said {
            lead: "Duration ends at",
            element: "duration_ends",
            text: form.text(&result, true),
        })?;
    }
    let is_expected = |expected: &String| expected.eq_ignore_ascii_case(&shown(&result));
    Ok(if options.expected.as_ref().is_none_or(is_expected) { ExitCode::OK } else { ExitCode::ERROR })
}

/// The function of Pacemaker's sources that logs it.
pub(crate) const fn said_by(error: &TimeError) -> Source {
    let function = match error {
        TimeError::Date { .. } => "parse_date",
        TimeError::Time { .. } => "parse_hms",
        TimeError::Duration { .. } => "crm_time_parse_duration",
        TimeError::Period { .. } | TimeError::Recurrence { .. } => "crm_time_parse_period",
    };
    Source { file: "iso8601", function }
}

/// A date or duration.
struct Said {
    lead: &'static str,
    element: &'static str,
    text: String,
}

impl Message for Said {
    fn text(&self, _quiet: bool) -> String {
        format!("{}: {}\n", self.lead, self.text)
    }

    fn entry(&self) -> Option<Entry> {
        Some(Entry::new(self.element).text(&self.text))
    }
}

struct SaidPeriod {
    start: String,
    end: String,
}

impl Message for SaidPeriod {
    fn text(&self, _quiet: bool) -> String {
        format!("Period: {} to {}\n", self.start, self.end)
    }

    fn entry(&self) -> Option<Entry> {
        let [start, end] =
            [("start", &self.start), ("end", &self.end)].map(|(name, text)| Entry::new(name).text(text));
        Some(Entry::new("period").child(start).child(end))
    }
}
