// SPDX-License-Identifier: GPL-2.0-or-later
//! The daemons of a node, and what their effects do to the simulated machines.

use crate::machines::Machines;
use crate::{AnyEffect, AnyEvent, Physics, World, erase};
use messages::core::Service;
use messages::fencer::{ActionResult, SupportFlags};
use model::{ExecStatus, ExitCode, Now, OcfCode, Profile};
use std::collections::BTreeMap;
use std::time::Duration;
use xml::Element;

/// How long a write to disk takes.
const DISK: Duration = Duration::from_millis(2);
/// How long an agent takes.
const AGENT: Duration = Duration::from_millis(20);
/// How long the power switch takes.
const SWITCH: Duration = Duration::from_millis(500);

impl Physics for Machines {
    fn effect(
        &mut self,
        now: Now,
        node: &str,
        service: Service,
        effect: AnyEffect,
    ) -> Vec<(Duration, AnyEvent)> {
        let effect = match effect.downcast::<based::core::Effect>() {
            Ok(effect) => return self.disk(*effect),
            Err(other) => other,
        };
        let effect = match effect.downcast::<schedulerd::core::Effect>() {
            Ok(_) => return vec![(DISK, Box::new(schedulerd::core::Event::Saved(Ok(()))))],
            Err(other) => other,
        };
        let effect = match effect.downcast::<execd::core::Effect>() {
            Ok(effect) => return self.resource_agent(now, node, *effect),
            Err(other) => other,
        };
        match effect.downcast::<fenced::core::Effect>() {
            Ok(effect) => self.fence_agent(now, *effect),
            // A daemon whose effects nobody carries out would wait for ever, and the test with it.
            Err(_) => unreachable!("{service:?} wants something that the simulation does not know"),
        }
    }

    fn powered_off(&mut self) -> Vec<String> {
        self.take_switched_off()
    }

    fn node_died(&mut self, now: Now, node: &str) {
        self.died(now.instant, node);
    }
}

impl Machines {
    fn disk(&mut self, effect: based::core::Effect) -> Vec<(Duration, AnyEvent)> {
        match effect {
            based::core::Effect::Persist { .. } => {
                vec![(DISK, Box::new(based::core::Event::Persisted(Ok(()))))]
            }
            // Nobody is in any group here.
            based::core::Effect::LookUpGroups(names) => {
                let groups = names.into_iter().map(|name| (name, Vec::new())).collect();
                vec![(DISK, Box::new(based::core::Event::Groups(groups)))]
            }
        }
    }

    fn resource_agent(
        &mut self,
        now: Now,
        node: &str,
        effect: execd::core::Effect,
    ) -> Vec<(Duration, AnyEvent)> {
        match effect {
            execd::core::Effect::Run(run) => {
                let rc = self.agent(now.instant, node, &run.resource, &run.action);
                let event = execd::core::Event::Exited {
                    pid: Some(1000),
                    rc,
                    status: ExecStatus::Done,
                    reason: (rc == OcfCode::UNKNOWN_ERROR).then(|| "it would not".to_owned()),
                    stdout: String::new(),
                    stderr: String::new(),
                };
                vec![(AGENT, Box::new(event))]
            }
            // Simulated agents end by themselves before anybody would kill them.
            execd::core::Effect::Kill { .. } => Vec::new(),
        }
    }

    fn fence_agent(&mut self, now: Now, effect: fenced::core::Effect) -> Vec<(Duration, AnyEvent)> {
        match effect {
            fenced::core::Effect::Describe { .. } => {
                let mut flags = SupportFlags::default();
                for flag in [SupportFlags::LIST, SupportFlags::STATUS, SupportFlags::REBOOT, SupportFlags::ON]
                {
                    flags.insert(flag);
                }
                let capabilities = fenced::core::Capabilities {
                    flags,
                    on_target: Vec::new(),
                    host_argument: Some("plug".into()),
                };
                vec![(AGENT, Box::new(fenced::core::Event::Described(Ok(capabilities))))]
            }
            fenced::core::Effect::Run(run) => {
                let cuts = matches!(run.action.as_str(), "off" | "reboot");
                let target = run.target.as_deref().unwrap_or_default();
                let done = !cuts || self.switch_off(now.instant + SWITCH, target);
                let result = ActionResult {
                    exit: if done { ExitCode::OK } else { ExitCode::ERROR },
                    status: if done { ExecStatus::Done } else { ExecStatus::Error },
                    reason: (!done).then(|| "the relay is stuck".to_owned()),
                    output: None,
                };
                vec![(SWITCH, Box::new(fenced::core::Event::Exited { pid: Some(1001), result }))]
            }
        }
    }
}

/// Starts all daemons of a node, in pacemakerd's order, with this CIB on its disk.
pub fn boot(world: &mut World<Machines>, node: &str, cib: &Element) {
    let profile = Profile::default();
    let now = world.now();
    let based = based::core::Config {
        profile,
        cib: cib.clone(),
        warnings: Vec::new(),
        writes_at_start: false,
        writes: true,
        stand_alone: false,
        node_name: Some(node.to_owned()),
        utc_offset_secs: 0,
        groups: Default::default(),
    };
    world.start(node, Service::Based, erase(based::core::Based::new(based)));
    world.start(
        node,
        Service::Fenced,
        erase(fenced::core::Fencer::new(fenced::core::Config { pid: 100 }, now)),
    );
    let execd = execd::core::Config { node_name: node.to_owned() };
    world.start(node, Service::Execd, erase(execd::core::Executor::new(execd, now)));
    let attrd = attrd::core::Config { profile, stand_alone: false };
    world.start(node, Service::Attrd, erase(attrd::core::Attrd::new(attrd)));
    let schedulerd = schedulerd::core::Config {
        profile,
        directory: "/var/lib/pacemaker/pengine".to_owned(),
        numbers: BTreeMap::new(),
    };
    world.start(node, Service::Schedulerd, erase(schedulerd::core::Schedulerd::new(schedulerd)));
    let controld = controld::core::Config {
        profile,
        // Unlike anybody else's, the same in every run, and in the form of a UUID.
        uuid: uuid_of(node, now),
        build: "simulation".to_owned(),
        infrastructure: "corosync".to_owned(),
        have_watchdog: false,
        start_in_standby: None,
    };
    world.start(node, Service::Controld, erase(controld::core::Controld::new(controld, now)));
}

fn uuid_of(node: &str, now: Now) -> String {
    let life = now.instant.elapsed().as_millis();
    let name: String = node.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{life:08x}-0000-4000-8000-{name:0>12.12}")
}
