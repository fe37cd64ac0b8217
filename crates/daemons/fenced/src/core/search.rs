// SPDX-License-Identifier: GPL-2.0-or-later
//! Which devices of this node can do something to somebody. Some have to be asked first, so an answer may take a while.

use super::Fencer;
use super::device::HostCheck;
use super::jobs::{Asker, Job, JobFor};
use messages::core::Level;
use messages::fencer::{ActionResult, Command, QueryReply, SupportFlags, options};
use model::{ExecStatus, Now};
use std::collections::{BTreeMap, VecDeque};

/// What is done with the result.
#[derive(Debug)]
pub(super) enum Wanted {
    /// It is told.
    Answer { asker: Asker, command: Box<Command> },
    /// The first is used, the others if that fails.
    Fence(Box<Job>),
}

#[derive(Debug)]
pub(super) struct Search {
    wanted: Wanted,
    target: Option<String>,
    action: String,
    allow_self: bool,
    /// The devices, and what is known of them: whether they can, or that they have not been heard yet.
    devices: BTreeMap<String, Finding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// Its agent has not described itself yet.
    AgentUnknown,
    /// It is asked for its targets.
    Asked,
    Can,
    Cannot,
}

impl Fencer {
    /// A client or a peer wants to know.
    pub(super) fn query(
        &mut self,
        asker: Asker,
        command: Command,
        target: Option<String>,
        action: Option<String>,
        now: Now,
    ) {
        let allow_self = command.options & options::ALLOW_SELF_FENCING != 0;
        let action = action.unwrap_or_else(|| "off".to_owned());
        self.search(Wanted::Answer { asker, command: Box::new(command) }, target, action, allow_self, now);
    }

    pub(super) fn search(
        &mut self,
        wanted: Wanted,
        target: Option<String>,
        action: String,
        allow_self: bool,
        now: Now,
    ) {
        let number = self.next_number();
        let devices = self.devices.keys().map(|id| (id.clone(), Finding::AgentUnknown)).collect();
        self.searches.insert(number, Search { wanted, target, action, allow_self, devices });
        self.continue_search(number, now);
    }

    pub(super) fn continue_searches(&mut self, now: Now) {
        for number in self.searches.keys().copied().collect::<Vec<_>>() {
            self.continue_search(number, now);
        }
    }

    fn continue_search(&mut self, number: u64, now: Now) {
        let Some(search) = self.searches.get(&number) else { return };
        let is_unheard = |(_, finding): &(&String, &Finding)| **finding == Finding::AgentUnknown;
        let unheard: Vec<String> =
            search.devices.iter().filter(is_unheard).map(|(id, _)| id.clone()).collect();
        for device in unheard {
            if !self.is_unknown(&device) {
                let finding = self.consider(number, &device, now);
                self.found(number, &device, finding);
            }
        }
        self.conclude_if_complete(number, now);
    }

    fn found(&mut self, number: u64, device: &str, finding: Finding) {
        if let Some(search) = self.searches.get_mut(&number)
            && let Some(known) = search.devices.get_mut(device)
        {
            *known = finding;
        }
    }

    /// Whether a device can; if it has to be asked, it is.
    fn consider(&mut self, number: u64, id: &str, now: Now) -> Finding {
        let (Some(search), Some(device)) = (self.searches.get(&number), self.devices.get(id)) else {
            return Finding::Cannot;
        };
        let Some(target) = search.target.clone() else { return Finding::Can };
        let action = search.action.clone();
        let local = self.local_name();
        let (finding, why) = if action == "on" && !device.flags.has(SupportFlags::ON) {
            (Finding::Cannot, "Agent does not support 'on'".to_owned())
        } else if !device.is_allowed_somehow(&action, &target, local, search.allow_self) {
            (Finding::Cannot, "This node is not allowed to execute action".to_owned())
        } else {
            let can = |yes: bool| if yes { Finding::Can } else { Finding::Cannot };
            match device.host_check() {
                HostCheck::None => (Finding::Can, "none".to_owned()),
                HostCheck::Static => (can(device.has_target(&target)), "static-list".to_owned()),
                HostCheck::Dynamic if device.list_is_fresh(now.instant) => {
                    (can(device.has_target(&target)), "dynamic-list".to_owned())
                }
                HostCheck::Dynamic => return self.ask_device(number, id, "list", None, now),
                HostCheck::Status => return self.ask_device(number, id, "status", Some(target), now),
                HostCheck::Invalid(value) => (Finding::Cannot, format!("Invalid pcmk_host_check: {value}")),
            }
        };
        self.log_finding(id, finding == Finding::Can, &action, &target, &why);
        finding
    }

    fn log_finding(&mut self, device: &str, can: bool, action: &str, target: &str, why: &str) {
        let not = if can { "" } else { " not" };
        self.log(Level::Info, format!("{device} is{not} eligible to fence ({action}) {target}: {why}"));
    }

    fn ask_device(
        &mut self,
        number: u64,
        id: &str,
        action: &str,
        target: Option<String>,
        now: Now,
    ) -> Finding {
        let job = Job::new(JobFor::Search(number), action.to_owned(), target, now);
        // Marked before it is asked: it may answer at once.
        self.found(number, id, Finding::Asked);
        self.schedule(job, id.to_owned(), now);
        let search = self.searches.get(&number);
        search.and_then(|search| search.devices.get(id)).copied().unwrap_or(Finding::Cannot)
    }

    /// A device has been asked for its targets, or for the target's status.
    pub(super) fn device_probed(
        &mut self,
        number: u64,
        id: &str,
        action: &str,
        result: &ActionResult,
        now: Now,
    ) {
        if action == "list" {
            self.targets_listed(id, result, now);
        }
        let Some(search) = self.searches.get(&number) else { return };
        let target = search.target.clone().unwrap_or_default();
        let can = match action {
            "list" => self.devices.get(id).is_some_and(|device| device.has_target(&target)),
            _ => result.status == ExecStatus::Done && matches!(result.exit.value(), 0 | 2),
        };
        let wanted = search.action.clone();
        self.log_finding(id, can, &wanted, &target, if action == "list" { "dynamic-list" } else { "status" });
        self.found(number, id, if can { Finding::Can } else { Finding::Cannot });
        self.conclude_if_complete(number, now);
    }

    fn targets_listed(&mut self, id: &str, result: &ActionResult, now: Now) {
        let Some(device) = self.devices.get_mut(id) else { return };
        if result.is_ok() {
            device.targets = agents::fence::targets(result.output.as_deref().unwrap_or_default());
            device.listed = Some(now.instant);
            return;
        }
        let why = match (result.status, &result.reason) {
            (ExecStatus::Done, None) => format!("it returned error code {}", result.exit.value()),
            (ExecStatus::Done, Some(reason)) => reason.clone(),
            (status, reason) => format!("{}: {}", status.as_str(), reason.as_deref().unwrap_or("unknown")),
        };
        if device.listed.is_some() {
            let text = format!("Reusing most recent target list for {id} because list failed ({why})");
            self.log(Level::Info, text);
            return;
        }
        // It has never listed anything: it may know a status at least, unless the list was asked for expressly.
        if !device.parameters.contains_key("pcmk_host_check") && device.flags.has(SupportFlags::STATUS) {
            device.parameters.insert("pcmk_host_check".to_owned(), "status".to_owned());
            self.log(Level::Notice, format!("Switching to pcmk_host_check='status' for {id}"));
        }
        let text = format!("Assuming {id} cannot fence anybody because list failed ({why})");
        self.log(Level::Warning, text);
    }

    fn conclude_if_complete(&mut self, number: u64, now: Now) {
        let is_open = |finding: &Finding| matches!(finding, Finding::AgentUnknown | Finding::Asked);
        if self.searches.get(&number).is_none_or(|search| search.devices.values().any(is_open)) {
            return;
        }
        let Some(search) = self.searches.remove(&number) else { return };
        let capable: VecDeque<String> = search
            .devices
            .into_iter()
            .filter(|(id, finding)| *finding == Finding::Can && self.devices.contains_key(id))
            .map(|(id, _)| id)
            .collect();
        self.log(
            Level::Debug,
            format!(
                "Search found {} devices that can perform '{}' targeting {}",
                capable.len(),
                search.action,
                search.target.as_deref().unwrap_or("any node")
            ),
        );
        match search.wanted {
            Wanted::Fence(job) => self.fence_with(*job, capable, now),
            Wanted::Answer { asker, command } => {
                let local = self.local_name().to_owned();
                let describe = |id: &String| {
                    let device = self.devices.get(id)?;
                    Some(device.describe(&search.action, search.target.as_deref(), &local, search.allow_self))
                };
                let devices = capable.iter().filter_map(describe).collect();
                let reply =
                    QueryReply { remote_op: command.remote_op.clone(), target: search.target, devices };
                self.answer(&asker, &command, reply.to_xml(&command));
            }
        }
    }
}
