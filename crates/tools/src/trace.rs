// SPDX-License-Identifier: GPL-2.0-or-later
//! What tools say of their inner decisions to those who ask for it, in the form of Pacemaker's logs.
//!
//! Decides: whether a line was asked for. Given: how verbose the call is, and the environment: `PCMK_stderr` sends logs to
//! standard error, and `PCMK_trace_functions` names the functions (of Pacemaker's sources, as scripts know them) that are
//! traced.

use std::fmt::Display;
use std::io::Write;

/// Writes a line for a function of one of Pacemaker's source files, if it is traced.
pub(crate) fn trace(file: &str, function: &str, text: impl Display) {
    if is_traced(function) {
        // If nobody can be told, there is nobody who wants to know.
        let _ = writeln!(std::io::stderr().lock(), "{}", line(file, function, "trace", text));
    }
}

/// Writes a warning of a function of one of Pacemaker's source files, as far as `verbose` or the environment ask for such.
pub(crate) fn warning(file: &str, function: &str, verbose: u8, text: impl Display) {
    // If nobody can be told, there is nobody who wants to know.
    match (is_logged(), verbose) {
        (true, 1..) => drop(writeln!(std::io::stderr().lock(), "{}", line(file, function, "warning", text))),
        (false, 2..) => drop(writeln!(std::io::stderr().lock(), "({function}) \twarning: {text}")),
        _ => {}
    }
}

/// The line of an error of a function of one of Pacemaker's source files, as short as the environment allows.
pub(crate) fn error_line(file: &str, function: &str, text: impl Display) -> String {
    if is_logged() {
        return line(file, function, "error", text);
    }
    format!("({function}) \terror: {text}")
}

/// A line of the log, `level` being the word for how bad it is.
pub(crate) fn line(file: &str, function: &str, level: &str, text: impl Display) -> String {
    format!("({function}@{file}.c:0) \t{level}: {text}")
}

/// Whether lines of a function were asked for.
pub(crate) fn is_traced(function: &str) -> bool {
    let traced = std::env::var("PCMK_trace_functions").unwrap_or_default();
    is_logged() && traced.split(',').any(|name| name.trim() == function)
}

/// Whether the log is to be written to the standard error.
pub(crate) fn is_logged() -> bool {
    model::parse_bool(&std::env::var("PCMK_stderr").unwrap_or_default()) == Some(true)
}
