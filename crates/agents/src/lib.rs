// SPDX-License-Identifier: GPL-2.0-or-later
//! Resource and fence agents: find them, read what they say of themselves, run them.
//!
//! Decides: which file an agent is, what it is told (environment, arguments, standard input), how long it may take,
//! what its end means. Given: names and parameters. Leaves to others: when to run what, and what follows.
//!
//! What needs no machine is apart from what does: [`describe`], [`ocf`] and [`fence`] are words and rules, [`find`] looks
//! at folders, [`run`] at processes, [`catalogue`] keeps what agents have said, [`option_list`] puts options of our own
//! into the form of what agents say. Known so far are the standards `ocf` and [`lsb`] and fence agents of the Red Hat style;
//! another standard is a module beside [`ocf`] that makes an [`Invocation`] and judges an [`Outcome`].

pub mod catalogue;
pub mod describe;
pub mod fence;
pub mod fence_lab;
pub mod find;
pub mod lsb;
pub mod ocf;
pub mod option_list;
pub mod run;

pub use catalogue::{Catalogue, DescribeError};
pub use describe::{Description, MetadataError};
pub use find::Finder;
pub use run::{End, Invocation, Outcome};

use model::{ExecStatus, OcfCode};

/// What the end of an agent means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it said, or what stands for what it could not say.
    pub rc: OcfCode,
    /// Whether and how it was executed.
    pub status: ExecStatus,
    /// Why, for people.
    pub reason: Option<String>,
}

/// A span as people write it: `0s`, `1d2h`, `1m30.500s`, `250ms`.
pub fn readable_span(mut ms: u64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")] {
        if ms >= unit_ms {
            text.push_str(&format!("{}{unit}", ms / unit_ms));
            ms %= unit_ms;
        }
    }
    match (ms / 1000, ms % 1000) {
        (0, 0) => {}
        (0, rest) => text.push_str(&format!("{rest}ms")),
        (seconds, 0) => text.push_str(&format!("{seconds}s")),
        (seconds, rest) => text.push_str(&format!("{seconds}.{rest:03}s")),
    }
    text
}

/// What it means that an agent could not even be started, or had to be ended: the same for all kinds of agents.
/// `None` if it exited by itself.
fn verdict_without_code(kind: &str, invocation: &Invocation, outcome: &Outcome) -> Option<Verdict> {
    let verdict = |rc, status, reason: String| Some(Verdict { rc, status, reason: Some(reason) });
    match &outcome.end {
        End::Exited(_) => None,
        End::TimedOut => verdict(
            OcfCode::UNKNOWN_ERROR,
            ExecStatus::Timeout,
            format!("{kind} did not complete within {}", readable_span(invocation.timeout_ms)),
        ),
        End::Cancelled => Some(Verdict { rc: OcfCode::OK, status: ExecStatus::Cancelled, reason: None }),
        End::Signalled(signal) => verdict(
            OcfCode::UNKNOWN_ERROR,
            ExecStatus::Error,
            format!("{kind} interrupted by {signal} signal"),
        ),
        End::NotStarted { kind: error, message } => {
            use std::io::ErrorKind;
            let reason = format!("{}: {message}", invocation.program.display());
            match error {
                ErrorKind::NotFound
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::InvalidInput
                | ErrorKind::ExecutableFileBusy => {
                    verdict(OcfCode::NOT_INSTALLED, ExecStatus::NotInstalled, reason)
                }
                ErrorKind::PermissionDenied => verdict(OcfCode::INSUFFICIENT_PRIV, ExecStatus::Error, reason),
                // ENOEXEC has no name among the kinds: a file without `#!`, or for another machine.
                _ if message.contains("Exec format error") => {
                    verdict(OcfCode::NOT_INSTALLED, ExecStatus::NotInstalled, reason)
                }
                _ => verdict(OcfCode::UNKNOWN_ERROR, ExecStatus::Error, reason),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::readable_span;

    #[test]
    fn spans_read_as_people_write_them() {
        for (ms, text) in
            [(0, "0s"), (250, "250ms"), (2_000, "2s"), (90_500, "1m30.500s"), (93_600_000, "1d2h")]
        {
            assert_eq!(readable_span(ms), text);
        }
    }
}
