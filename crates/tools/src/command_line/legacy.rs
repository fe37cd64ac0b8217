// SPDX-License-Identifier: GPL-2.0-or-later
//! The same around tools that are not a [`super::Tool`] yet.

use crate::failure::Failure;
use clap::error::ErrorKind;
use model::{ExitCode, Profile};
use std::ffi::OsString;
use std::io::Write;

/// Answers a command line that was refused, or that asked for help. Wrong usage is exit code 64.
pub(crate) fn refuse(
    program: &str,
    error: &clap::Error,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let rendered = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let written = write!(out, "{rendered}").and_then(|()| out.flush());
            if written.is_ok() { ExitCode::OK } else { ExitCode::IOERR }
        }
        _ => {
            let text = rendered.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            // If nobody can be told, the exit code has to do.
            let _ = write!(err, "{program}: {text}");
            ExitCode::USAGE
        }
    }
}

/// What is the same around the work of many tools: a wrong command line is refused, `--version` answered, and what was
/// printed really written; what the work failed for is told.
pub(crate) fn run<O: clap::Parser>(
    program: &str,
    args: &[OsString],
    asks_version: impl FnOnce(&O) -> bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
    work: impl FnOnce(&O, &mut dyn Write) -> Result<(), Failure>,
) -> ExitCode {
    let options = match O::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => return refuse(program, &error, out, err),
    };
    if asks_version(&options) {
        return print_version(out);
    }
    match work(&options, out).and_then(|()| out.flush().map_err(Failure::unwritable)) {
        Ok(()) => ExitCode::OK,
        Err(failure) => {
            // If nobody can be told, the exit code has to do.
            let _ = writeln!(err, "{}", failure.plain(program));
            failure.code
        }
    }
}

/// Prints which Pacemaker we are, for those who ask.
pub(crate) fn print_version(out: &mut dyn Write) -> ExitCode {
    let pacemaker = Profile::default().version();
    let systole = env!("CARGO_PKG_VERSION");
    let written = writeln!(out, "Pacemaker {pacemaker}\nWritten by the Systole project (Systole {systole})");
    if written.and_then(|()| out.flush()).is_ok() { ExitCode::OK } else { ExitCode::IOERR }
}
