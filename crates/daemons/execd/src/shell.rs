// SPDX-License-Identifier: GPL-2.0-or-later
//! The executor's process: gives the core its agents.

use crate::core::{Config, Effect, Event, Executor};
use agents::{Finder, Verdict, ocf, run};
use messages::core::{EffectId, Service};
use model::{ExecStatus, ExitCode, OcfCode};
use shell::{Daemon, Effects, Environment, Outcomes, command_line};
use std::collections::BTreeMap;
use std::ffi::OsString;
use tokio::sync::oneshot;

const DAEMON: Daemon = Daemon { service: Service::Execd, clients_of: &[Service::Fenced], cluster: false };

/// Runs the executor to its end.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut environment = Environment::load(Service::Execd.program());
    if let Err(code) =
        command_line(Service::Execd, "Daemon for executing resource agents", [], args, &mut environment)
    {
        return code;
    }
    let node_name = environment.node_name.clone().unwrap_or_default();
    let core = Executor::new(Config { node_name }, environment.now());
    let finder = Finder {
        ocf_root: environment.ocf_root.clone(),
        fence_path: environment.fence_path.clone(),
        ..Finder::default()
    };
    shell::run(DAEMON, &environment, core, Agents { finder, running: BTreeMap::new() })
}

/// Runs agents.
struct Agents {
    finder: Finder,
    /// What is told to those that run, if they are to be killed.
    running: BTreeMap<EffectId, oneshot::Sender<()>>,
}

impl Effects<Executor> for Agents {
    fn start(&mut self, id: EffectId, effect: Effect, outcomes: &Outcomes<Event>) {
        self.running.retain(|_, killer| !killer.is_closed());
        match effect {
            Effect::Kill { run } => {
                if let Some(killer) = self.running.remove(&run) {
                    // It may have ended meanwhile, which is as good.
                    let _ = killer.send(());
                }
            }
            Effect::Run(wanted) => {
                let call = ocf::Call {
                    provider: &wanted.provider,
                    agent: &wanted.agent,
                    resource: &wanted.resource,
                    action: &wanted.action,
                    parameters: &wanted.parameters,
                    timeout_ms: wanted.timeout_ms,
                };
                let invocation = match ocf::invocation(&self.finder, &call) {
                    Ok(invocation) => invocation,
                    Err(error) => {
                        outcomes.send(id, Event::refused(&error.to_string()));
                        return;
                    }
                };
                let (killer, killed) = oneshot::channel::<()>();
                self.running.insert(id, killer);
                let outcomes = outcomes.clone();
                tokio::spawn(async move {
                    let cancel = async {
                        // The sender gone is no order to kill.
                        if killed.await.is_err() {
                            std::future::pending::<()>().await;
                        }
                    };
                    let outcome = run::run(&invocation, cancel).await;
                    let Verdict { rc, status, reason } = ocf::verdict(&invocation, &outcome);
                    let (stdout, stderr) = (outcome.stdout, outcome.stderr);
                    let pid = outcome.pid;
                    outcomes.send(id, Event::Exited { pid, rc, status, reason, stdout, stderr });
                });
            }
        }
    }
}

impl Event {
    fn refused(reason: &str) -> Event {
        Event::Exited {
            pid: None,
            rc: OcfCode::NOT_INSTALLED,
            status: ExecStatus::NotInstalled,
            reason: Some(reason.to_owned()),
            stdout: String::new(),
            stderr: String::new(),
        }
    }
}
