// SPDX-License-Identifier: GPL-2.0-or-later
//! How a fencing action (or any request to a fencer) ended.

use model::{ExecStatus, ExitCode, LegacyRc};
use xml::Element;

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionResult {
    /// What the agent exited with, or what a program that asked for this should.
    pub exit: ExitCode,
    /// Whether it was executed at all, and if not why.
    pub status: ExecStatus,
    /// Why, for people.
    pub reason: Option<String>,
    /// What the agent wrote to its standard output.
    pub output: Option<String>,
}

impl ActionResult {
    /// Done, and well.
    pub const fn ok() -> ActionResult {
        ActionResult { exit: ExitCode::OK, status: ExecStatus::Done, reason: None, output: None }
    }

    /// Not executed.
    pub fn not_done(status: ExecStatus, reason: impl Into<String>) -> ActionResult {
        ActionResult { exit: ExitCode::ERROR, status, reason: Some(reason.into()), output: None }
    }

    /// The request made no sense.
    pub fn bad_request(reason: impl Into<String>) -> ActionResult {
        ActionResult {
            exit: ExitCode::PROTOCOL,
            status: ExecStatus::Invalid,
            reason: Some(reason.into()),
            output: None,
        }
    }

    /// The client may not.
    pub fn not_permitted(reason: impl Into<String>) -> ActionResult {
        ActionResult { exit: ExitCode::INSUFFICIENT_PRIV, ..ActionResult::bad_request(reason) }
    }

    /// Executed, and with success.
    pub fn is_ok(&self) -> bool {
        self.status == ExecStatus::Done && self.exit == ExitCode::OK
    }

    /// The one number that it is in older interfaces (and in what tools report).
    pub fn legacy(&self) -> LegacyRc {
        if self.is_ok() {
            return LegacyRc::OK;
        }
        let errno = match self.status {
            ExecStatus::Pending => 115,
            ExecStatus::Cancelled => 125,
            ExecStatus::Timeout => 62,
            ExecStatus::NotInstalled => 2,
            ExecStatus::NotSupported => 95,
            ExecStatus::NotConnected => 107,
            ExecStatus::NoFenceDevice => 19,
            ExecStatus::NoSecrets => 13,
            ExecStatus::Invalid => match self.exit {
                ExitCode::INVALID_PARAM => 22,
                ExitCode::INSUFFICIENT_PRIV => 13,
                ExitCode::PROTOCOL => 71,
                ExitCode::EXPIRED => 113,
                _ => 61,
            },
            // Nothing better is known: "no data available".
            _ => 61,
        };
        LegacyRc::new(-errno)
    }

    /// Writes it into an element.
    pub fn write(&self, element: &mut Element) {
        element.set_attr("op-status", self.status.value());
        element.set_attr("rc-code", self.exit.value());
        element.set_attr_opt("exit-reason", self.reason.as_ref());
        element.set_attr_opt("st_output", self.output.as_ref());
        element.set_attr("st_rc", self.legacy().value());
    }

    /// Reads it from an element that should have it.
    pub fn read(element: &Element) -> ActionResult {
        let number = |name| element.attr(name).and_then(|text| text.parse::<i32>().ok());
        let text = |name| element.attr(name).map(str::to_owned);
        match (number("rc-code"), number("op-status")) {
            (Some(exit), Some(status)) => ActionResult {
                exit: ExitCode::new(exit),
                status: ExecStatus::from_value(status),
                reason: text("exit-reason"),
                output: text("st_output"),
            },
            // Fencers before 2.1.3 tell the one number only.
            _ => match number("st_rc") {
                Some(rc) if rc >= 0 => ActionResult { output: text("st_output"), ..ActionResult::ok() },
                Some(rc) => {
                    let status = match -rc {
                        62 | 110 => ExecStatus::Timeout,
                        19 => ExecStatus::NoFenceDevice,
                        95 | 93 => ExecStatus::NotSupported,
                        2 => ExecStatus::NotInstalled,
                        107 => ExecStatus::NotConnected,
                        _ => ExecStatus::Error,
                    };
                    ActionResult::not_done(status, LegacyRc::new(rc).text())
                }
                None => ActionResult::not_done(
                    ExecStatus::Error,
                    "Fencer reply contained neither a full result nor a legacy return code",
                ),
            },
        }
    }

    /// The element that has the result: a message, or the one inside it.
    pub(crate) fn holder(message: &Element) -> &Element {
        let has_it =
            |element: &&Element| element.attr("rc-code").is_some() || element.attr("st_rc").is_some();
        message.descendants().find(has_it).unwrap_or(message)
    }
}
