// SPDX-License-Identifier: GPL-2.0-or-later
//! The OCF standard: what a resource agent is told, and what its end means.
//!
//! Decides: environment and arguments, which exit codes are known, where the exit reason is. Given: the resource, the
//! action, the parameters. Leaves to others: running it ([`crate::run`]).
//! The rules are those of <https://github.com/ClusterLabs/OCF-spec/blob/main/ra/1.1/resource-agent-api.md>.

use crate::{End, Finder, Invocation, Outcome, Verdict, find::BadName, verdict_without_code};
use model::{ExecStatus, OcfCode};
use std::collections::BTreeMap;

/// What agents put before the reason of a failure.
pub const EXIT_REASON_PREFIX: &str = "ocf-exit-reason:";

/// The version of the standard that we keep.
const VERSION: (&str, &str) = ("1", "1");

/// Longer reasons are cut: they travel in the CIB.
const REASON_LIMIT: usize = 1024;

/// What is to be done, by which agent, to which resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The agent's provider.
    pub provider: &'a str,
    /// The agent's name.
    pub agent: &'a str,
    /// The resource's id, as the agent should know it (with the instance number, if it is cloned).
    pub resource: &'a str,
    /// `start`, `stop`, `monitor`, …
    pub action: &'a str,
    /// Its parameters, meta attributes included.
    pub parameters: &'a BTreeMap<String, String>,
    /// How long it may take.
    pub timeout_ms: u64,
}

/// How to run it.
pub fn invocation(finder: &Finder, call: &Call<'_>) -> Result<Invocation, BadName> {
    let mut environment: Vec<(String, String)> = Vec::new();
    for (name, value) in call.parameters {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            tracing::warn!("parameter {name:?} of {} cannot be passed to an agent: left out", call.resource);
        } else if name == "OCF_CHECK_LEVEL" {
            environment.push((name.clone(), value.clone()));
        } else {
            environment.push((format!("OCF_RESKEY_{name}"), value.clone()));
        }
    }
    let root = finder.ocf_root.to_string_lossy().into_owned();
    for (name, value) in [
        ("OCF_RA_VERSION_MAJOR", VERSION.0),
        ("OCF_RA_VERSION_MINOR", VERSION.1),
        ("OCF_ROOT", &root),
        ("OCF_EXIT_REASON_PREFIX", EXIT_REASON_PREFIX),
        ("OCF_RESOURCE_INSTANCE", call.resource),
        ("OCF_RESOURCE_TYPE", call.agent),
        ("OCF_RESOURCE_PROVIDER", call.provider),
    ] {
        environment.push((name.to_owned(), value.to_owned()));
    }
    Ok(Invocation {
        program: finder.ocf_agent(call.provider, call.agent)?,
        arguments: vec![call.action.to_owned()],
        environment,
        stdin: String::new(),
        timeout_ms: call.timeout_ms,
    })
}

/// How to ask an agent what it is.
pub fn describe(finder: &Finder, provider: &str, agent: &str) -> Result<Invocation, BadName> {
    let parameters = BTreeMap::new();
    let call = Call {
        provider,
        agent,
        resource: agent,
        action: "meta-data",
        parameters: &parameters,
        timeout_ms: 30_000,
    };
    invocation(finder, &call)
}

/// What its end means.
pub fn verdict(invocation: &Invocation, outcome: &Outcome) -> Verdict {
    if let Some(verdict) = verdict_without_code("Resource agent", invocation, outcome) {
        return verdict;
    }
    let End::Exited(code) = outcome.end else {
        return Verdict { rc: OcfCode::UNKNOWN_ERROR, status: ExecStatus::Error, reason: None };
    };
    let rc = match code {
        0..=9 | 190 | 191 => OcfCode::new(code),
        _ => OcfCode::UNKNOWN_ERROR,
    };
    Verdict { rc, status: ExecStatus::Done, reason: exit_reason(&outcome.stderr) }
}

/// The reason an agent gave for a failure: what follows the prefix where it was last written, up to the line's end.
pub fn exit_reason(stderr: &str) -> Option<String> {
    let (_, rest) = stderr.rsplit_once(EXIT_REASON_PREFIX)?;
    let reason = rest.lines().next().unwrap_or_default();
    let cut = reason.char_indices().map(|(at, _)| at).find(|at| *at >= REASON_LIMIT).unwrap_or(reason.len());
    (!reason.is_empty()).then(|| reason[..cut].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reason_counts() {
        assert_eq!(
            exit_reason("ocf-exit-reason:one\nnoise\nerr: ocf-exit-reason:two three\nx").as_deref(),
            Some("two three")
        );
        assert_eq!(exit_reason("ocf-exit-reason:\nx"), None);
        assert_eq!(exit_reason("nothing"), None);
        let long = format!("{EXIT_REASON_PREFIX}{}", "ä".repeat(2000));
        assert!(exit_reason(&long).is_some_and(|reason| reason.len() <= REASON_LIMIT + 1));
    }

    #[test]
    fn parameters_become_environment() {
        let parameters = BTreeMap::from(
            [("state", "/x"), ("CRM_meta_timeout", "20000"), ("OCF_CHECK_LEVEL", "10"), ("a=b", "no")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let call = Call {
            provider: "pacemaker",
            agent: "Dummy",
            resource: "d:1",
            action: "monitor",
            parameters: &parameters,
            timeout_ms: 1,
        };
        let invocation = invocation(&Finder::default(), &call).unwrap();
        let has =
            |name: &str, value: &str| invocation.environment.contains(&(name.to_owned(), value.to_owned()));
        assert!(has("OCF_RESKEY_state", "/x") && has("OCF_RESKEY_CRM_meta_timeout", "20000"));
        assert!(has("OCF_CHECK_LEVEL", "10") && has("OCF_RESOURCE_INSTANCE", "d:1"));
        assert!(!invocation.environment.iter().any(|(name, _)| name.contains('=')));
        assert_eq!(invocation.arguments, ["monitor"]);
    }
}
