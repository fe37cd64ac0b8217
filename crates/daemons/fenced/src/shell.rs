// SPDX-License-Identifier: GPL-2.0-or-later
//! The fencer's process: gives the core its agents.

use crate::core::{Capabilities, Config, Effect, Event, Fencer, Run};
use agents::option_list;
use agents::{Catalogue, Description, Finder, Verdict, fence, run};
use messages::core::{EffectId, Service};
use messages::fencer::{ActionResult, SupportFlags};
use model::options::Reader;
use model::{ExecStatus, ExitCode};
use shell::{Daemon, Effects, Environment, Outcomes, command_line};
use std::ffi::OsString;

const DAEMON: Daemon = Daemon { service: Service::Fenced, clients_of: &[Service::Based], cluster: true };

/// Runs the fencer to its end.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut environment = Environment::load(Service::Fenced.program());
    let metadata = || option_list::of_daemon(Reader::Fencer, environment.profile.version());
    if let Some(code) = shell::answer_metadata(&args, metadata) {
        return code;
    }
    if let Err(code) =
        command_line(Service::Fenced, "Daemon for executing fence devices", [], args, &mut environment)
    {
        return code;
    }
    let core = Fencer::new(Config { pid: std::process::id() }, environment.now());
    let finder = Finder {
        ocf_root: environment.ocf_root.clone(),
        fence_path: environment.fence_path.clone(),
        ..Finder::default()
    };
    shell::run(DAEMON, &environment, core, Agents { finder })
}

/// Runs agents.
struct Agents {
    finder: Finder,
}

impl Effects<Fencer> for Agents {
    fn start(&mut self, id: EffectId, effect: Effect, outcomes: &Outcomes<Event>) {
        let (finder, outcomes) = (self.finder.clone(), outcomes.clone());
        tokio::spawn(async move {
            let event = match effect {
                Effect::Run(wanted) => perform(&finder, &wanted).await,
                Effect::Describe { agent } => Event::Described(describe(finder, &agent).await),
            };
            outcomes.send(id, event);
        });
    }
}

async fn perform(finder: &Finder, wanted: &Run) -> Event {
    let call = fence::Call {
        agent: &wanted.agent,
        action: &wanted.action,
        target: wanted.target.as_deref(),
        alias: wanted.alias.as_deref(),
        parameters: &wanted.parameters,
        host_argument: wanted.host_argument.as_deref(),
        timeout_ms: u64::from(wanted.timeout_s) * 1000,
    };
    let invocation = match fence::invocation(finder, &call) {
        Ok(invocation) => invocation,
        Err(error) => {
            let result = ActionResult::not_done(ExecStatus::NotInstalled, error.to_string());
            return Event::Exited { pid: None, result };
        }
    };
    let outcome = run::run(&invocation, std::future::pending()).await;
    let Verdict { rc, status, reason } = fence::verdict(&invocation, &outcome);
    let output = (!outcome.stdout.is_empty()).then_some(outcome.stdout);
    let result = ActionResult { exit: ExitCode::new(rc.value()), status, reason, output };
    Event::Exited { pid: outcome.pid, result }
}

/// The core keeps what it has heard, so nothing has to be kept here.
async fn describe(finder: Finder, agent: &str) -> Result<Capabilities, String> {
    let description = Catalogue::new(finder).fence(agent).await.map_err(|error| error.to_string())?;
    Ok(Capabilities::from(&*description))
}

impl From<&Description> for Capabilities {
    fn from(description: &Description) -> Capabilities {
        let mut flags = SupportFlags::default();
        for (action, flag) in [
            ("list", SupportFlags::LIST),
            ("status", SupportFlags::STATUS),
            ("reboot", SupportFlags::REBOOT),
            ("on", SupportFlags::ON),
        ] {
            if description.action(action).is_some() {
                flags.insert(flag);
            }
        }
        if description.action("on").is_some_and(|on| on.automatic) {
            flags.insert(SupportFlags::AUTO_UNFENCE);
        }
        let on_target = description.actions.iter().filter(|action| action.on_target);
        Capabilities {
            flags,
            on_target: on_target.map(|action| action.name.clone()).collect(),
            host_argument: description.host_argument().map(str::to_owned),
        }
    }
}
