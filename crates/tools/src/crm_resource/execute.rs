// SPDX-License-Identifier: GPL-2.0-or-later
//! Having a resource's agent do something here and now, past the cluster.
//!
//! Decides: what the agent is told, what is refused, what is shown of its end. Leaves to others: running it (`agents`).

use super::agent;
use super::locate;
use super::options::Options;
use super::site::Site;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use agents::{End, Finder, Outcome, Verdict, lsb, ocf};
use model::{ExecStatus, ExitCode, OcfCode, Profile, table_order};
use scheduler::{Agent, Variant};
use std::collections::BTreeMap;

/// How long an action may take if nobody says.
const TIMEOUT_MS: u64 = 20_000;

/// Who is to do what.
struct Job<'a> {
    class: &'a str,
    provider: Option<&'a str>,
    name: &'a str,
    /// The resource; none if only the agent was named.
    resource: Option<&'a str>,
    /// What was asked for, by its option.
    option: &'a str,
    parameters: BTreeMap<String, String>,
    overrides: &'a [(String, String)],
    timeout_ms: u64,
}

/// The action that an option asks for.
fn action_of(option: &str) -> &str {
    match option {
        "validate" => "validate-all",
        "force-check" => "monitor",
        _ => option.strip_prefix("force-").unwrap_or(option),
    }
}

/// For an agent that is named on the command line.
pub(super) fn from_command_line(
    options: &Options,
    overrides: &[(String, String)],
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let job = Job {
        class: options.class.as_deref().unwrap_or_default(),
        provider: options.provider.as_deref(),
        name: options.agent.as_deref().unwrap_or_default(),
        resource: None,
        option: options.operation.as_deref().unwrap_or_default(),
        parameters: options.option.iter().cloned().collect(),
        overrides,
        timeout_ms: u64::from(options.timeout_ms()),
    };
    run(options, job, out)
}

/// For a resource.
pub(super) fn resource(
    site: &Site<'_>,
    overrides: &[(String, String)],
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let cluster = &site.cluster;
    let option = site.options.operation.as_deref().unwrap_or_default();
    let (mut id, mut resource) = site.resource()?;
    if resource.variant == Variant::Clone {
        let starts = matches!(option, "force-start" | "force-demote" | "force-promote");
        if starts && !site.options.force && !locate::places(cluster, id, site.requested()).is_empty() {
            out.error(format_args!(
                "It is not safe to {option} {} here: the cluster claims it is already active",
                resource.id
            ));
            out.error("Try setting target-role=Stopped first or specifying the force option");
            return Ok(ExitCode::UNSAFE);
        }
        // In the hope that it is no group.
        if let Some(&first) = resource.children.first() {
            (id, resource) = (first, cluster.resource(first));
        }
    }
    let unsupported = match resource.variant {
        Variant::Group => Some("group"),
        _ if cluster.is_of_bundle(id) => Some("bundled"),
        _ => None,
    };
    if let Some(kind) = unsupported {
        out.error(format_args!("Sorry, the {option} option doesn't support {kind} resources"));
        return Ok(ExitCode::UNIMPLEMENT_FEATURE);
    }
    let unknown = Agent::default();
    let agent = resource.agent.as_ref().unwrap_or(&unknown);
    let is_anonymous = resource.parent.is_some_and(|parent| {
        let parent = cluster.resource(parent);
        parent.variant == Variant::Clone && !parent.state.unique
    });
    let timeout_ms = match site.options.timeout_ms() {
        0 => cluster.timeout_ms_of(id, action_of(option)),
        ms => u64::from(ms),
    };
    let mut parameters: BTreeMap<String, String> = cluster
        .parameters_on(id, None)
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let meta = resource.meta.iter().map(|(name, value)| (meta_name(name), value.to_string()));
    parameters.extend(meta);
    let job = Job {
        class: &agent.class,
        provider: agent.provider.as_deref(),
        name: &agent.name,
        resource: Some(if is_anonymous { site.requested() } else { &resource.id }),
        option,
        parameters,
        overrides,
        timeout_ms,
    };
    run(site.options, job, out)
}

fn meta_name(name: &str) -> String {
    format!("CRM_meta_{}", name.replace('-', "_"))
}

fn run(options: &Options, mut job: Job<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    if job.timeout_ms == 0 {
        job.timeout_ms = TIMEOUT_MS;
    }
    job.parameters.insert(meta_name("timeout"), job.timeout_ms.to_string());
    job.parameters.insert("crm_feature_set".to_owned(), Profile::default().feature_set().to_string());
    job.parameters.extend(job.overrides.iter().cloned());
    out.flush()?;
    let (verdict, outcome) = carry_out(options, &job)?;
    tell(options, &job, &verdict, outcome.as_ref(), out)?;
    Ok(ExitCode::new(verdict.rc.value()))
}

/// What agents are told that are called by people: to say what they do.
fn environment(options: &Options) -> Vec<(String, String)> {
    let verbose = options.common.verbose;
    let mut all = vec![("PCMK_debug", if verbose > 0 { "1" } else { "0" }.to_owned())];
    all.push(("HA_debug", if verbose > 0 { "1" } else { "0" }.to_owned()));
    if let Some(level) = options.check_level {
        all.push(("OCF_CHECK_LEVEL", level.to_string()));
    }
    if verbose > 1 {
        all.push(("OCF_TRACE_RA", "1".to_owned()));
    }
    if std::env::var_os("OCF_TRACE_FILE").is_none() {
        // Without a terminal they would say nothing.
        all.push(("OCF_TRACE_FILE", "/dev/stderr".to_owned()));
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Runs the agent, if its standard can be run so.
fn carry_out(options: &Options, job: &Job<'_>) -> Result<(Verdict, Option<Outcome>), Failure> {
    let finder = Finder::from_environment();
    let action = action_of(job.option);
    let unsupported = |standard: &str| Verdict {
        rc: OcfCode::new(ExitCode::UNIMPLEMENT_FEATURE.value()),
        status: ExecStatus::Error,
        reason: Some(format!("Manual execution of the {standard} standard is unsupported")),
    };
    let is_service = job.class.eq_ignore_ascii_case("service");
    let class = match is_service {
        true if agent::exists("lsb", None, job.name) => "lsb",
        true => return Ok((unsupported("unspecified"), None)),
        false => job.class,
    };
    let bad_name = |error: agents::find::BadName| Failure::new(ExitCode::NOT_INSTALLED, error);
    let mut invocation = if class.eq_ignore_ascii_case("ocf") {
        let call = ocf::Call {
            provider: job.provider.unwrap_or_default(),
            agent: job.name,
            resource: job.resource.unwrap_or("test"),
            action,
            parameters: &job.parameters,
            timeout_ms: job.timeout_ms,
        };
        ocf::invocation(&finder, &call).map_err(bad_name)?
    } else if class.eq_ignore_ascii_case("lsb") {
        lsb::invocation(&finder, job.name, action, job.timeout_ms).map_err(bad_name)?
    } else {
        return Ok((unsupported(class), None));
    };
    invocation.environment.extend(environment(options));
    let outcome = agent::execute(&invocation)?;
    let mut verdict = match class.eq_ignore_ascii_case("ocf") {
        true => ocf::verdict(&invocation, &outcome),
        false => lsb::verdict(action, &invocation, &outcome),
    };
    if let End::NotStarted { .. } = outcome.end
        && verdict.status == ExecStatus::NotInstalled
    {
        let missing = match class.eq_ignore_ascii_case("ocf") {
            true => job.name.to_owned(),
            false => invocation.program.display().to_string(),
        };
        verdict.reason = Some(format!("{missing}: No such file or directory"));
    }
    Ok((verdict, Some(outcome)))
}

fn tell(
    options: &Options,
    job: &Job<'_>,
    verdict: &Verdict,
    outcome: Option<&Outcome>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let places = table_order(job.overrides.iter().map(|(name, _)| name.as_str()));
    let overrides: Vec<&(String, String)> =
        places.into_iter().filter_map(|place| job.overrides.get(place)).collect();
    let (stdout, stderr) = outcome.map_or(("", ""), |outcome| (&*outcome.stdout, &*outcome.stderr));
    if out.is_text() {
        return tell_people(options, job, verdict, &overrides, (stdout, stderr), out);
    }
    let name = |name: &(String, String)| {
        let entry = Entry::new("override").attr("name", &name.0).attr("value", &name.1);
        entry.attr_opt("rsc", job.resource)
    };
    let rc = verdict.rc.value();
    let status = Entry::new("agent-status")
        .attr("code", rc)
        .attr("message", ExitCode::new(rc).to_string())
        .attr("execution_code", verdict.status.value())
        .attr("execution_message", verdict.status.to_string())
        .attr_opt("reason", verdict.reason.as_ref());
    let mut entry = Entry::new("resource-agent-action")
        .attr("action", job.option)
        .attr("class", job.class)
        .attr("type", job.name)
        .attr_opt("rsc", job.resource)
        .attr_opt("provider", job.provider)
        .child(Entry::new("overrides").items(overrides.into_iter().map(name)))
        .child(status);
    if !stdout.is_empty() && xml::parse(stdout).is_ok() {
        entry = entry.child(Entry::raw("command", stdout));
    } else if !(stdout.is_empty() && stderr.is_empty()) {
        let mut command = Entry::new("command").attr("code", rc);
        for (text, source) in [(stdout, "stdout"), (stderr, "stderr")] {
            if !text.is_empty() {
                command = command.item(Entry::new("output").attr("source", source).text(text));
            }
        }
        entry = entry.child(command);
    }
    out.add_once(entry);
    Ok(())
}

fn tell_people(
    options: &Options,
    job: &Job<'_>,
    verdict: &Verdict,
    overrides: &[&(String, String)],
    (stdout, stderr): (&str, &str),
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let of = job.resource.map(|resource| format!(" for '{resource}'")).unwrap_or_default();
    for (name, value) in overrides {
        out.print(&format!("Overriding the cluster configuration{of} with '{name}' = '{value}'\n"))?;
    }
    let of = job.resource.map(|resource| format!(" for {resource}")).unwrap_or_default();
    let provider = job.provider.map(|provider| format!(":{provider}")).unwrap_or_default();
    let subject = format!("Operation {}{of} ({}{provider}:{})", job.option, job.class, job.name);
    let reason = verdict.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let rc = verdict.rc.value();
    if verdict.status == ExecStatus::Done {
        out.info(format_args!("{subject} returned {rc} ({}{reason})", ExitCode::new(rc)))?;
    } else {
        out.error(format_args!("{subject} could not be executed ({}{reason})", verdict.status));
    }
    if options.common.verbose == 0 && job.option == "validate-all" {
        return Ok(());
    }
    if !stdout.is_empty() && xml::parse(stdout).is_ok() {
        return out.print(stdout);
    }
    let texts = [stdout, stderr].into_iter().filter(|text| !text.is_empty());
    texts.map(|text| format!("{text}\n")).try_for_each(|text| out.print(&text))
}
