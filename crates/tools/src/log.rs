// SPDX-License-Identifier: GPL-2.0-or-later
//! The log of tools, which goes to the standard error of whoever asks for it: by `PCMK_stderr`, or by `--verbose`.
//!
//! Decides: what is shown, and in what form (Pacemaker's, which names the function of its sources that would say it; so
//! scripts that look for it find it). Given: the environment and how verbose the tool was called. Leaves to others: every
//! word.

use crate::output::Output;
use std::fmt::Display;
use xml::{ParseError, ParseErrorKind};

/// How bad it is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something does not work.
    Error,
    /// Something may not work.
    #[allow(dead_code, reason = "part of what tools are offered; not every one is there yet")]
    Warning,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    /// How many levels are shown, from the worst on.
    levels: u8,
    /// Functions are shown with their files, which is so where some of them are traced.
    with_files: bool,
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
        let asked = std::env::var("PCMK_stderr").or_else(|_| std::env::var("HA_stderr")).is_ok_and(|value| {
            let named = || value.split(',').any(|name| name == program);
            model::parse_bool(&value).unwrap_or_else(named)
        });
        let with_files = TRACES.iter().any(|name| std::env::var_os(name).is_some());
        Log { levels: verbose.saturating_add(u8::from(asked)), with_files }
    }

    /// Says it to those who want to know.
    pub fn say(self, out: &mut Output<'_>, level: Level, source: Source, text: impl Display) {
        let (needed, word) = match level {
            Level::Error => (1, "error"),
            Level::Warning => (2, "warning"),
        };
        if self.levels < needed {
            return;
        }
        let Source { file, function } = source;
        // There is no line of that file that we would know.
        let place = if self.with_files { format!("@{file}.c:0") } else { String::new() };
        out.warn(format_args!("({function}{place}) \t{word}: {text}"));
    }

    /// Says why a text is no XML, in the three lines that libxml2 has for it: the reason, the line, and a mark below the
    /// place.
    pub fn say_no_xml(self, out: &mut Output<'_>, text: &str, error: &ParseError) {
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
