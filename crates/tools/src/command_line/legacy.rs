// SPDX-License-Identifier: GPL-2.0-or-later
//! The same around tools that are not a [`super::Tool`] yet.

use clap::error::ErrorKind;
use model::{ExitCode, Profile};
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

/// Prints which Pacemaker we are, for those who ask.
pub(crate) fn print_version(out: &mut dyn Write) -> ExitCode {
    let pacemaker = Profile::default().version();
    let systole = env!("CARGO_PKG_VERSION");
    let written = writeln!(out, "Pacemaker {pacemaker}\nWritten by the Systole project (Systole {systole})");
    if written.and_then(|()| out.flush()).is_ok() { ExitCode::OK } else { ExitCode::IOERR }
}
