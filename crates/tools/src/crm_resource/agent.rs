// SPDX-License-Identifier: GPL-2.0-or-later
//! Which agents there are on this machine, and what they say of themselves.
//!
//! Leaves to others: where agents are, and running them (`agents`).

use super::options::{Command, OptionList as Kind, Options};
use super::{NOTHING, Said, plain_list, refused};
use crate::failure::Failure;
use crate::option_list::OptionList;
use crate::output::{Entry, Output};
use agents::{End, Finder, Invocation, Outcome, fence, ocf, run};
use model::ExitCode;
use std::collections::BTreeSet;

/// The standards whose agents can be found here.
const STANDARDS: [&str; 3] = ["ocf", "service", "lsb"];

/// How long a fence agent may take to describe itself.
const FENCE_TIMEOUT_MS: u64 = 10_000;

/// Whether an agent is installed.
pub(super) fn exists(class: &str, provider: Option<&str>, name: &str) -> bool {
    let finder = Finder::from_environment();
    let file = match (class, provider) {
        ("ocf", Some(provider)) => finder.ocf_agent(provider, name),
        ("stonith", _) => finder.fence_agent(name),
        ("lsb" | "service", _) => finder.init_script(name),
        _ => return false,
    };
    file.is_ok_and(|file| file.is_file())
}

/// Answers what needs no cluster.
pub(super) fn answer(options: &Options, command: Command, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let finder = Finder::from_environment();
    let spec = options.agent_spec.as_deref().unwrap_or_default();
    match command {
        Command::ListOptions(Kind::Primitive) => {
            out.say(&OptionList::primitive(options.all))?;
            Ok(ExitCode::OK)
        }
        Command::ListOptions(Kind::Fencing) => {
            out.say(&OptionList::fencing(options.all))?;
            Ok(ExitCode::OK)
        }
        Command::ListStandards => {
            let items = STANDARDS.map(|standard| Entry::new("item").text(standard));
            say(&STANDARDS.map(str::to_owned), plain_list("standards", items.to_vec()), out)
        }
        Command::ListProviders => {
            let all = finder.ocf_providers();
            if all.is_empty() {
                out.error("No OCF providers found");
                return Err(refused(NOTHING));
            }
            let entry = Entry::new("providers").attr("standard", "ocf");
            say(&all, entry.items(all.iter().map(|name| Entry::new("provider").text(name))), out)
        }
        Command::ListAlternatives => alternatives(&finder, spec, out),
        Command::Metadata => metadata(&finder, spec, out),
        _ => list(&finder, spec, out),
    }
}

fn say(names: &[String], entry: Entry, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let text = names.iter().map(|name| format!("{name}\n")).collect();
    out.say(&Said { text, entry })?;
    Ok(ExitCode::OK)
}

fn alternatives(finder: &Finder, agent: &str, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let has = |provider: &String| finder.ocf_agents(provider).iter().any(|name| name == agent);
    let all: Vec<String> = finder.ocf_providers().into_iter().filter(has).collect();
    if all.is_empty() {
        out.error(format_args!("No OCF providers found for {agent}"));
        return Err(refused(NOTHING));
    }
    let entry = Entry::new("providers").attr("for", agent);
    say(&all, entry.items(all.iter().map(|name| Entry::new("provider").text(name))), out)
}

fn list(finder: &Finder, spec: &str, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (standard, provider) = match spec.split_once(':') {
        Some((standard, provider)) => (standard, Some(provider)),
        None => (spec, None),
    };
    let all = match standard {
        "ocf" => match provider.filter(|provider| !provider.is_empty()) {
            Some(provider) => finder.ocf_agents(provider),
            None => {
                let providers = finder.ocf_providers();
                let agents = providers.iter().flat_map(|provider| finder.ocf_agents(provider));
                agents.collect::<BTreeSet<String>>().into_iter().collect()
            }
        },
        "stonith" => finder.fence_agents(),
        "lsb" | "service" => finder.init_scripts(),
        _ => Vec::new(),
    };
    if all.is_empty() {
        out.error(match provider {
            Some(provider) => {
                format!("No agents found for standard '{standard}' and provider '{provider}'")
            }
            None => format!("No agents found for standard '{standard}'"),
        });
        return Err(Failure::bare(ExitCode::ERROR));
    }
    let provider = provider.filter(|provider| !provider.is_empty());
    let entry = Entry::new("agents").attr("standard", standard).attr_opt("provider", provider);
    say(&all, entry.items(all.iter().map(|name| Entry::new("agent").text(name))), out)
}

/// `STANDARD:PROVIDER:AGENT` for a standard that has providers, else `STANDARD:AGENT`.
fn split(spec: &str) -> Option<(&str, Option<&str>, &str)> {
    let (standard, rest) = spec.split_once(':')?;
    let (provider, agent) = match standard.eq_ignore_ascii_case("ocf") {
        true => {
            let (provider, agent) = rest.split_once(':')?;
            (Some(provider).filter(|provider| !provider.is_empty()).map(Some)?, agent)
        }
        false => (None, rest),
    };
    (!agent.is_empty()).then_some((standard, provider, agent))
}

fn metadata(finder: &Finder, spec: &str, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let invalid =
        || Failure::new(NOTHING.exit_code(), format_args!("'{spec}' is not a valid agent specification"));
    let (standard, provider, agent) = split(spec).ok_or_else(invalid)?;
    let invocation = match (standard, provider) {
        ("ocf", Some(provider)) => ocf::describe(finder, provider, agent).ok(),
        ("stonith", _) => fence::describe(finder, agent, FENCE_TIMEOUT_MS).ok(),
        _ => None,
    };
    let described = invocation.map(|invocation| execute(&invocation)).transpose()?;
    let described = described.filter(|outcome| outcome.end == End::Exited(0) && !outcome.stdout.is_empty());
    match described {
        Some(outcome) => {
            out.xml("metadata", &outcome.stdout)?;
            Ok(ExitCode::OK)
        }
        None => {
            let text = format!("Metadata query for {spec} failed: {NOTHING}");
            Err(Failure::new(NOTHING.exit_code(), text))
        }
    }
}

/// Runs an agent to its end.
pub(super) fn execute(invocation: &Invocation) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ExitCode::OSERR, error))?;
    Ok(runtime.block_on(run::run(invocation, std::future::pending())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_named_by_their_standard() {
        assert_eq!(split("ocf:heartbeat:IPaddr2"), Some(("ocf", Some("heartbeat"), "IPaddr2")));
        assert_eq!(split("stonith:fence_x"), Some(("stonith", None, "fence_x")));
        assert_eq!(split("systemd:unit@a:b"), Some(("systemd", None, "unit@a:b")));
        for bad in ["", "x", "ocf:x", "ocf::x", "ocf:x:", "lsb:"] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
    }
}
