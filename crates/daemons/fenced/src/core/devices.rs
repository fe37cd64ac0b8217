// SPDX-License-Identifier: GPL-2.0-or-later
//! Which devices this node knows, from the CIB and from clients (the executor above all), and what their agents can do.

use super::configuration::Configuration;
use super::device::{Capabilities, Device};
use super::timers::Timer;
use super::{Effect, Fencer, Purpose};
use messages::core::Level;
use messages::fencer::{self, ActionResult, SupportFlags, WATCHDOG_ID};
use model::{ExecStatus, Now};
use std::time::Duration;

/// How long to wait before an agent that could not describe itself is asked again: at first, and at most.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(160));

/// What is known of an agent.
#[derive(Debug)]
pub(super) enum Agent {
    /// It is being asked for the first time: who wants to know should wait.
    Asked,
    /// It has answered.
    Known(Capabilities),
    /// It could not; it is asked again after this.
    Silent(Duration),
}

/// Who has registered a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Cib,
    Client,
}

impl Origin {
    fn flag(self) -> SupportFlags {
        match self {
            Origin::Cib => SupportFlags::CIB_REGISTERED,
            Origin::Client => SupportFlags::API_REGISTERED,
        }
    }
}

impl Fencer {
    pub(super) fn register_device(&mut self, device: fencer::Device, origin: Origin, now: Now) {
        let id = device.id.clone();
        if id == WATCHDOG_ID || device.agent == "fence_watchdog" || device.agent == "#watchdog" {
            self.log(
                Level::Error,
                format!("Ignoring watchdog fence device '{id}': fencing by watchdog is not enabled"),
            );
            return;
        }
        if let Some(known) = self.devices.get_mut(&id).filter(|known| known.is_equal(&device)) {
            known.stale = false;
            known.flags.insert(origin.flag());
            return;
        }
        let mut fresh = Device::new(device);
        fresh.flags.insert(origin.flag());
        if let Some(old) = self.devices.remove(&id) {
            // Other parameters, the same device: what waits for it goes on.
            fresh.queue = old.queue;
            for flag in [SupportFlags::API_REGISTERED, SupportFlags::CIB_REGISTERED] {
                if old.flags.has(flag) {
                    fresh.flags.insert(flag);
                }
            }
        }
        match self.agents.get(&fresh.agent) {
            Some(Agent::Known(capabilities)) => fresh.learn(capabilities),
            Some(Agent::Asked | Agent::Silent(_)) => {}
            None => {
                self.agents.insert(fresh.agent.clone(), Agent::Asked);
                self.ask_agent(&fresh.agent);
            }
        }
        self.devices.insert(id.clone(), fresh);
        let count = self.devices.len();
        let plural = if count == 1 { "" } else { "s" };
        self.log(Level::Notice, format!("Added '{id}' to device list ({count} active device{plural})"));
        self.run_device(&id, now);
    }

    pub(super) fn remove_device(&mut self, id: &str, origin: Origin, now: Now) {
        let Some(device) = self.devices.get_mut(id) else {
            let count = self.devices.len();
            self.log(Level::Info, format!("Device '{id}' not found ({count} active devices)"));
            return;
        };
        device.flags.remove(origin.flag());
        if origin == Origin::Client {
            device.flags.remove(SupportFlags::VERIFIED);
        }
        let by = |flag| device.flags.has(flag);
        if by(SupportFlags::API_REGISTERED) || by(SupportFlags::CIB_REGISTERED) {
            return;
        }
        let queue = self.devices.remove(id).map(|device| device.queue).unwrap_or_default();
        for job in queue {
            if let Some(job) = self.jobs.get(&job) {
                let action = job.action.clone();
                self.log(Level::Warning, format!("Removal of device '{id}' purged operation '{action}'"));
            }
            let result = ActionResult::not_done(
                ExecStatus::NoFenceDevice,
                "Device was removed before action could be executed",
            );
            self.job_ended(job, None, result, now);
        }
        let count = self.devices.len();
        self.log(Level::Info, format!("Removed '{id}' from device list ({count} active devices)"));
    }

    /// What the CIB says takes the place of what it said before.
    pub(super) fn configure(&mut self, configuration: Configuration, now: Now) {
        for issue in configuration.issues {
            self.log(Level::Warning, issue);
        }
        for (id, reason) in configuration.ignored {
            self.log(Level::Info, format!("Ignoring fencing device {id} because {reason}"));
        }
        for device in self.devices.values_mut() {
            device.stale = device.flags.has(SupportFlags::CIB_REGISTERED);
        }
        for device in configuration.devices {
            self.register_device(device, Origin::Cib, now);
        }
        let gone: Vec<String> =
            self.devices.values().filter(|device| device.stale).map(|device| device.id.clone()).collect();
        for id in gone {
            self.forget_stale(&id, now);
        }
        self.topology.set_from_cib(configuration.levels, configuration.attributes);
    }

    /// A device that the CIB does not have (for this node) any more goes, even if the executor had registered it: it will
    /// be told to stop it anyway.
    fn forget_stale(&mut self, id: &str, now: Now) {
        if let Some(device) = self.devices.get_mut(id) {
            device.flags.remove(SupportFlags::API_REGISTERED);
        }
        self.remove_device(id, Origin::Cib, now);
    }

    pub(super) fn ask_agent(&mut self, agent: &str) {
        self.start_effect(Purpose::Describe(agent.to_owned()), Effect::Describe { agent: agent.to_owned() });
    }

    pub(super) fn agent_described(&mut self, agent: &str, described: Result<Capabilities, String>, now: Now) {
        match described {
            Ok(capabilities) => {
                for device in self.devices.values_mut().filter(|device| device.agent == agent) {
                    device.learn(&capabilities);
                }
                self.agents.insert(agent.to_owned(), Agent::Known(capabilities));
            }
            Err(reason) => {
                let wait = match self.agents.get(agent) {
                    Some(Agent::Silent(last)) => last.saturating_mul(2).min(ASK_AGAIN.1),
                    _ => {
                        self.log(
                            Level::Error,
                            format!("Could not retrieve metadata for fencing agent {agent}: {reason}"),
                        );
                        ASK_AGAIN.0
                    }
                };
                self.agents.insert(agent.to_owned(), Agent::Silent(wait));
                self.timers.set(Timer::Describe(agent.to_owned()), now.instant, wait);
            }
        }
        self.continue_searches(now);
    }

    /// Its agent has not been heard yet.
    pub(super) fn is_unknown(&self, device: &str) -> bool {
        let agent = self.devices.get(device).and_then(|device| self.agents.get(&device.agent));
        matches!(agent, Some(Agent::Asked))
    }
}
