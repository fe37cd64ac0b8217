// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a tool could not do what it was asked, and what it exits with.

use ipc::{ConnectError, RequestError};
use model::{ExitCode, LegacyRc};
use std::fmt;

/// What ends a tool early: an exit code, and words if there is more to say than the code does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub code: ExitCode,
    pub text: Option<String>,
    /// What there is to know beyond Pacemaker's words, told before them.
    pub details: Vec<String>,
}

impl Failure {
    pub fn new(code: ExitCode, text: impl fmt::Display) -> Failure {
        Failure { code, text: Some(text.to_string()), details: Vec::new() }
    }

    /// With more to know, in a line of its own.
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Failure {
        self.details.push(detail.to_string());
        self
    }

    /// The command line makes no sense.
    pub fn usage(text: impl fmt::Display) -> Failure {
        Failure::new(ExitCode::USAGE, text)
    }

    /// With nothing to say but what the code does.
    pub const fn bare(code: ExitCode) -> Failure {
        Failure { code, text: None, details: Vec::new() }
    }

    /// What it has to say cannot be printed.
    pub fn unwritable(error: std::io::Error) -> Failure {
        Failure::new(ExitCode::IOERR, format_args!("cannot print: {}", system_words(&error)))
    }

    /// A daemon could not be reached.
    pub fn connecting(what: &str, error: &ConnectError) -> Failure {
        Failure::new(ExitCode::DISCONNECT, format_args!("Could not connect to {what}: {error}"))
    }

    /// A daemon went away, or did not answer.
    pub fn asking(what: &str, error: &RequestError) -> Failure {
        let code = match error {
            RequestError::Timeout { .. } => ExitCode::TIMEOUT,
            RequestError::Frame(_) => ExitCode::PROTOCOL,
            RequestError::Disconnected(_) | RequestError::Io { .. } => ExitCode::DISCONNECT,
        };
        Failure::new(code, format_args!("Could not ask {what}: {error}"))
    }

    /// A daemon refused.
    pub fn refused(rc: LegacyRc) -> Failure {
        Failure::bare(rc.exit_code())
    }

    /// What is said of it at last, without the details.
    pub fn words(&self, program: &str) -> String {
        match &self.text {
            Some(text) => format!("{program}: {text}"),
            None => format!("{program}: {}", self.code),
        }
    }
}

/// The system's words for an error, without the number that Rust adds to them.
pub(crate) fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_without_words_has_those_of_its_code() {
        assert_eq!(Failure::usage("no node").words("crm_x"), "crm_x: no node");
        assert_eq!(Failure::refused(LegacyRc::EACCES).words("crm_x"), "crm_x: Insufficient privileges");
    }
}
