// SPDX-License-Identifier: GPL-2.0-or-later
//! What `stonith_admin` asks fence agents without the fencer: what they are, and whether they like their parameters.
//!
//! Decides: what they are asked, and what their end means. Leaves to others: running them (`agents`).

use super::session::failed;
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use agents::fence::{self, Call};
use agents::{Description, End, Finder, Invocation, Outcome, run};
use messages::execd::Parameters;
use messages::fencer::ActionResult;
use model::{ExitCode, LegacyRc};

/// The node that agents are told of when what they are asked concerns none.
const ANY_NODE: &str = "node1";

/// An agent of a name that is none, or that is not there.
fn no_such_agent(what: &str) -> Failure {
    Failure::new(LegacyRc::ENODEV.exit_code(), format_args!("{what}: {}", LegacyRc::ENODEV.text()))
}

/// Runs it to its end.
fn ended(invocation: &Invocation) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::new(ExitCode::OSERR, format_args!("cannot run {}: {error}", invocation.program.display()))
    })?;
    Ok(runtime.block_on(run::run(invocation, std::future::pending())))
}

fn result_of(invocation: &Invocation, outcome: &Outcome) -> ActionResult {
    let verdict = fence::verdict(invocation, outcome);
    ActionResult {
        exit: ExitCode::new(verdict.rc.value()),
        status: verdict.status,
        reason: verdict.reason,
        output: None,
    }
}

fn described(agent: &str, timeout_s: u32) -> Result<Description, Failure> {
    let what = "Can't get fence agent meta-data";
    let timeout_ms = u64::from(timeout_s).saturating_mul(1000);
    let finder = Finder::from_environment();
    let invocation = fence::describe(&finder, agent, timeout_ms).map_err(|_| no_such_agent(what))?;
    if !invocation.program.is_file() {
        return Err(no_such_agent(what));
    }
    let outcome = ended(&invocation)?;
    if outcome.end != End::Exited(0) {
        return Err(failed(what, &result_of(&invocation, &outcome)));
    }
    Description::parse(&outcome.stdout).map_err(|error| {
        Failure::new(LegacyRc::SCHEMA_VALIDATION.exit_code(), format_args!("{what}: {error}"))
    })
}

/// Shows what an agent is.
pub(super) fn show_metadata(agent: &str, timeout_s: u32, out: &mut Output<'_>) -> Result<(), Failure> {
    let metadata = fence::adjusted_metadata(&described(agent, timeout_s)?);
    out.xml("metadata", &xml::write_document(&metadata))
}

/// Has an agent look at its parameters.
pub(super) fn validate(
    agent: &str,
    device: Option<String>,
    parameters: &Parameters,
    timeout_s: u32,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut validation =
        Validation { agent: agent.to_owned(), device, code: ExitCode::OK, stdout: None, stderr: None };
    // What the agent is cannot be asked of one that is not there, or that does not know.
    let host_argument = match described(agent, timeout_s) {
        Ok(description) => description.host_argument().map(str::to_owned),
        Err(failure) if failure.code == LegacyRc::ENODEV.exit_code() => {
            validation.code = failure.code;
            validation.stderr = Some(format!("Agent {agent} not found"));
            return validation.told(out);
        }
        Err(_) => None,
    };
    let call = Call {
        agent,
        action: "validate-all",
        target: Some(ANY_NODE),
        alias: None,
        parameters,
        host_argument: host_argument.as_deref(),
        timeout_ms: u64::from(timeout_s).saturating_mul(1000),
    };
    let invocation =
        fence::invocation(&Finder::from_environment(), &call).map_err(|_| no_such_agent("Can't validate"))?;
    let outcome = ended(&invocation)?;
    let result = result_of(&invocation, &outcome);
    validation.code = if result.is_ok() { ExitCode::OK } else { result.legacy().exit_code() };
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    validation.stdout = said(outcome.stdout);
    validation.stderr = said(outcome.stderr);
    validation.told(out)
}

/// What came of it.
struct Validation {
    agent: String,
    device: Option<String>,
    code: ExitCode,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Validation {
    fn told(self, out: &mut Output<'_>) -> Result<(), Failure> {
        out.say(&self)?;
        if self.code == ExitCode::OK { Ok(()) } else { Err(Failure::bare(self.code)) }
    }
}

impl Message for Validation {
    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        let device = self.device.as_ref().map(|device| format!(" on {device}")).unwrap_or_default();
        let verdict = if self.code == ExitCode::OK { "succeeded" } else { "failed" };
        let mut text = format!("Validation of {}{device} {verdict}\n", self.agent);
        for said in self.stdout.iter().chain(&self.stderr) {
            text.push_str(said);
            text.push('\n');
        }
        text
    }

    fn entry(&self) -> Option<Entry> {
        let output = |source: &str, text: &String| Entry::new("output").attr("source", source).text(text);
        let command = Entry::new("command")
            .attr("code", self.code.value())
            .items(self.stdout.iter().map(|text| output("stdout", text)))
            .items(self.stderr.iter().map(|text| output("stderr", text)));
        let entry =
            Entry::new("validate").attr("agent", &self.agent).attr("valid", self.code == ExitCode::OK);
        Some(entry.attr_opt("device", self.device.as_ref()).child(command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_thinks_is_told() {
        let mut validation = Validation {
            agent: "fence_x".into(),
            device: Some("d".into()),
            code: ExitCode::OK,
            stdout: Some("fine".into()),
            stderr: None,
        };
        assert_eq!(validation.text(false), "Validation of fence_x on d succeeded\nfine\n");
        assert_eq!(validation.text(true), "");
        validation.code = ExitCode::NOSUCH;
        assert_eq!(validation.text(false), "Validation of fence_x on d failed\nfine\n");
    }
}
