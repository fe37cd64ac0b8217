// SPDX-License-Identifier: GPL-2.0-or-later
//! The log of tools, which goes to the standard error of whoever asks for it: by `PCMK_stderr`, by `--verbose`, or, of
//! single functions, by `PCMK_trace_functions`.
//!
//! Decides: what is shown, and in what form (Pacemaker's, which names the function of its sources that would say it; so
//! scripts that look for it find it). Given: the environment and how verbose the tool was called. Leaves to others: every
//! word.

use crate::output::Output;
use scheduler::{ConfigIssue, Severity};
use std::fmt::Display;
use xml::{ParseError, ParseErrorKind};

/// How bad it is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something does not work.
    Error,
    /// Something may not work.
    Warning,
    /// Something was done.
    Info,
    /// How it was done.
    Debug,
    /// Every step of it.
    Trace,
}

impl From<model::Level> for Level {
    /// As the logs of daemons have them; tools tell the rare ones by the next that they have.
    fn from(level: model::Level) -> Level {
        match level {
            model::Level::Critical | model::Level::Error => Level::Error,
            model::Level::Warning => Level::Warning,
            model::Level::Notice | model::Level::Info => Level::Info,
            model::Level::Debug => Level::Debug,
        }
    }
}

impl Level {
    /// How much has to be asked for. Between warnings and information Pacemaker has notices.
    const fn loudness(self) -> u8 {
        match self {
            Level::Error => 1,
            Level::Warning => 2,
            Level::Info => 4,
            Level::Debug => 5,
            Level::Trace => 6,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// The function of Pacemaker's sources that would say it, and the file that is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The file, without its ending.
    pub file: &'static str,
    /// The function.
    pub function: &'static str,
}

/// Who asked for how much.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// How many levels are shown, from the worst on.
    levels: u8,
    /// Functions are shown with their files, which is so where some of them are traced.
    with_files: bool,
    /// The functions of which everything is shown.
    traced: Vec<String>,
}

/// The settings that trace.
const TRACES: [&str; 5] = [
    "PCMK_trace_functions",
    "PCMK_trace_files",
    "PCMK_trace_formats",
    "PCMK_trace_tags",
    "PCMK_trace_blackbox",
];

impl Log {
    /// As the environment and the number of `--verbose` say.
    pub fn new(program: &str, verbose: u8) -> Log {
        Log::of(program, verbose, |name| std::env::var(name).ok())
    }

    /// As the environment says, whatever the program.
    pub fn of_environment() -> Log {
        Log::new("", 0)
    }

    fn of(program: &str, verbose: u8, env: impl Fn(&str) -> Option<String>) -> Log {
        let asked = env("PCMK_stderr").or_else(|| env("HA_stderr")).is_some_and(|value| {
            let named = || value.split(',').any(|name| name == program);
            model::parse_bool(&value).unwrap_or_else(named)
        });
        let levels = verbose.saturating_add(u8::from(asked));
        let traced = env("PCMK_trace_functions").filter(|_| levels > 0).unwrap_or_default();
        Log {
            levels,
            with_files: TRACES.iter().any(|name| env(name).is_some()),
            traced: traced.split(',').map(|name| name.trim().to_owned()).collect(),
        }
    }

    /// Whether everything of a function is shown.
    pub fn is_traced(&self, function: &str) -> bool {
        self.traced.iter().any(|name| name == function)
    }

    /// The line for it, if somebody wants to know.
    pub fn line(&self, level: Level, source: Source, text: impl Display) -> Option<String> {
        let Source { file, function } = source;
        let wanted = self.levels >= level.loudness() || self.is_traced(function);
        // There is no line of that file that we would know.
        let place = if self.with_files { format!("@{file}.c:0") } else { String::new() };
        wanted.then(|| format!("({function}{place}) \t{}: {text}", level.word()))
    }

    /// Says it to those who want to know.
    pub fn say(&self, out: &mut Output<'_>, level: Level, source: Source, text: impl Display) {
        if let Some(line) = self.line(level, source, text) {
            out.warn(line);
        }
    }

    /// The line for something that is wrong in a configuration, if somebody wants to know.
    pub fn issue(&self, issue: &ConfigIssue) -> Option<String> {
        let level = match issue.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        let Some(function) = issue.function else {
            return (self.levels >= level.loudness()).then(|| format!("{}: {issue}", level.word()));
        };
        let file = if function == "invert_action" { "pcmk_sched_ordering" } else { "unpack" };
        self.line(level, Source { file, function }, issue)
    }

    /// Says why a text is no XML, in the three lines that libxml2 has for it: the reason, the line, and a mark below the
    /// place.
    pub fn say_no_xml(&self, out: &mut Output<'_>, text: &str, error: &ParseError) {
        let line = text.lines().nth(error.at.line.saturating_sub(1)).unwrap_or_default();
        let (shown, before) = window(line, error.at.column);
        let mark = " ".repeat(before) + "^";
        let reason =
            format!("Entity: line {}: parser error : {}", error.at.line, libxml_words(text, &error.kind));
        for said in [&reason, &shown, &mark] {
            let source = Source { file: "xml_display", function: "pcmk__log_xmllib_err" };
            self.say(out, Level::Error, source, format_args!("XML Error: {said}"));
        }
    }
}

/// What libxml2 shows of a line, and how many characters of that are before a column (from 1).
fn window(line: &str, column: usize) -> (String, usize) {
    const SHOWN: usize = 80;
    let at = column.saturating_sub(1);
    let from = at.saturating_sub(SHOWN);
    (line.chars().skip(from).take(SHOWN).collect(), at - from)
}

/// libxml2's words where it has some for the same thing, else ours.
fn libxml_words(text: &str, kind: &ParseErrorKind) -> String {
    match kind {
        ParseErrorKind::Empty if text.is_empty() => "Document is empty".to_owned(),
        ParseErrorKind::StrayText if text.trim_start().starts_with('<') => {
            "Extra content at the end of the document".to_owned()
        }
        ParseErrorKind::Empty | ParseErrorKind::StrayText => "Start tag expected, '<' not found".to_owned(),
        ParseErrorKind::Trailing(_) => "Extra content at the end of the document".to_owned(),
        ParseErrorKind::DuplicateAttribute { attribute, .. } => format!("Attribute {attribute} redefined"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(verbose: u8, env: &[(&str, &str)]) -> Log {
        Log::of("crm_x", verbose, |name| {
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_asked_for_is_shown() {
        let source = Source { file: "acl", function: "check" };
        let shown = |log: Log| {
            [Level::Error, Level::Warning, Level::Trace].map(|level| log.line(level, source, "t").is_some())
        };
        assert_eq!(shown(log(0, &[])), [false, false, false]);
        assert_eq!(shown(log(0, &[("PCMK_stderr", "yes")])), [true, false, false]);
        assert_eq!(shown(log(1, &[("PCMK_stderr", "crm_a,crm_x")])), [true, true, false]);
        assert_eq!(shown(log(1, &[("PCMK_stderr", "crm_a")])), [true, false, false]);
        assert_eq!(shown(log(0, &[("PCMK_trace_functions", "check")])), [false, false, false]);
        let traces = [("PCMK_trace_functions", "a, check"), ("PCMK_stderr", "1")];
        assert_eq!(shown(log(0, &traces)), [true, true, true]);
        assert_eq!(log(0, &traces).line(Level::Trace, source, "t").unwrap(), "(check@acl.c:0) \ttrace: t");
        assert_eq!(log(1, &[]).line(Level::Error, source, "t").unwrap(), "(check) \terror: t");
    }

    #[test]
    fn issues_of_a_configuration_are_known_by_their_functions() {
        let issue = ConfigIssue::warning("odd");
        assert_eq!(log(1, &[]).issue(&issue), None);
        assert_eq!(log(2, &[]).issue(&issue).unwrap(), "warning: odd");
        let traced = log(1, &[("PCMK_trace_functions", "invert_action")]);
        assert_eq!(
            traced.issue(&issue.logged_by("invert_action")).unwrap(),
            "(invert_action@pcmk_sched_ordering.c:0) \twarning: odd"
        );
    }

    #[test]
    fn long_lines_are_shown_around_the_place() {
        assert_eq!(window("invalidxml", 1), ("invalidxml".to_owned(), 0));
        let line = "é".repeat(200);
        let (shown, before) = window(&line, 151);
        assert_eq!((shown.chars().count(), before), (80, 80));
        assert_eq!(window("<a", 3), ("<a".to_owned(), 2));
    }

    #[test]
    fn known_reasons_have_libxml2s_words() {
        let words = |text: &str| libxml_words(text, &xml::parse(text).unwrap_err().kind);
        assert_eq!(words(""), "Document is empty");
        assert_eq!(words(" \n"), "Start tag expected, '<' not found");
        assert_eq!(words("invalidxml"), "Start tag expected, '<' not found");
        assert_eq!(words("<a/>x"), "Extra content at the end of the document");
        assert_eq!(words("<a/><b/>"), "Extra content at the end of the document");
        assert_eq!(words("<a b='1' b='2'/>"), "Attribute b redefined");
    }
}
