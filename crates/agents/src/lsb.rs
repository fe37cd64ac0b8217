// SPDX-License-Identifier: GPL-2.0-or-later
//! Init scripts, as the Linux Standard Base has them: what one is told, and what its end means.
//!
//! Decides: the argument, and which of our codes stands for which of theirs. Given: the script and the action. Leaves to
//! others: running it ([`crate::run`]). Init scripts take no parameters.
//! The rules are those of
//! <https://refspecs.linuxbase.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/iniscrptact.html>.

use crate::{End, Finder, Invocation, Outcome, Verdict, find::BadName, verdict_without_code};
use model::{ExecStatus, OcfCode};

/// The codes of `status` that agents of the cluster's own give, beyond those of the standard.
const STATUS_NOT_INSTALLED: i32 = 150;
const STATUS_INSUFFICIENT_PRIVILEGES: i32 = 151;

/// How to run it.
pub fn invocation(
    finder: &Finder,
    script: &str,
    action: &str,
    timeout_ms: u64,
) -> Result<Invocation, BadName> {
    let argument = if action == "monitor" { "status" } else { action };
    Ok(Invocation {
        program: finder.init_script(script)?,
        arguments: vec![argument.to_owned()],
        environment: Vec::new(),
        stdin: String::new(),
        timeout_ms,
    })
}

/// What its end means.
pub fn verdict(action: &str, invocation: &Invocation, outcome: &Outcome) -> Verdict {
    if let Some(verdict) = verdict_without_code("Resource agent", invocation, outcome) {
        return verdict;
    }
    let code = if let End::Exited(code) = outcome.end { code } else { -1 };
    let rc = match (action, code) {
        ("monitor" | "status", 0) => OcfCode::OK,
        ("monitor" | "status", 3) => OcfCode::NOT_RUNNING,
        ("monitor" | "status", STATUS_NOT_INSTALLED) => OcfCode::NOT_INSTALLED,
        ("monitor" | "status", STATUS_INSUFFICIENT_PRIVILEGES) => OcfCode::INSUFFICIENT_PRIV,
        ("monitor" | "status", _) => OcfCode::UNKNOWN_ERROR,
        // Up to here, the codes of all other actions are the same.
        (_, 0..=7) => OcfCode::new(code),
        _ => OcfCode::UNKNOWN_ERROR,
    };
    Verdict { rc, status: ExecStatus::Done, reason: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(action: &str, code: i32) -> OcfCode {
        let invocation = invocation(&Finder::default(), "x", action, 1).unwrap();
        let outcome =
            Outcome { pid: None, end: End::Exited(code), stdout: String::new(), stderr: String::new() };
        verdict(action, &invocation, &outcome).rc
    }

    #[test]
    fn status_has_codes_of_its_own() {
        assert_eq!(judged("monitor", 3), OcfCode::NOT_RUNNING);
        assert_eq!(judged("monitor", 1), OcfCode::UNKNOWN_ERROR);
        assert_eq!(judged("start", 3), OcfCode::new(3));
        assert_eq!(judged("start", 8), OcfCode::UNKNOWN_ERROR);
    }

    #[test]
    fn a_script_is_asked_for_its_status() {
        let invocation = invocation(&Finder::default(), "x", "monitor", 1).unwrap();
        assert_eq!(invocation.arguments, ["status"]);
        assert_eq!(invocation.program, std::path::Path::new("/etc/init.d/x"));
    }
}
