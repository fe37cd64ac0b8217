// SPDX-License-Identifier: GPL-2.0-or-later
//! What tools say of their inner decisions to those who ask for it, in the form of Pacemaker's logs.
//!
//! Decides: whether a line was asked for. Given: the environment: `PCMK_stderr` sends logs to standard error, and
//! `PCMK_trace_functions` names the functions (of Pacemaker's sources, as scripts know them) that are traced.

use std::fmt::Display;
use std::io::Write;

/// Writes a line for a function of one of Pacemaker's source files, if it is traced.
pub(crate) fn trace(file: &str, function: &str, text: impl Display) {
    if is_traced(function) {
        // If nobody can be told, there is nobody who wants to know.
        let _ = writeln!(std::io::stderr().lock(), "{}", line(file, function, "trace", text));
    }
}

/// A line of the log, `level` being the word for how bad it is.
pub(crate) fn line(file: &str, function: &str, level: &str, text: impl Display) -> String {
    format!("({function}@{file}.c:0) \t{level}: {text}")
}

/// Whether lines of a function were asked for.
pub(crate) fn is_traced(function: &str) -> bool {
    let text = |name| std::env::var(name).unwrap_or_default();
    model::parse_bool(&text("PCMK_stderr")) == Some(true)
        && text("PCMK_trace_functions").split(',').any(|name| name.trim() == function)
}
