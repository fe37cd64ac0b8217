// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done with the devices of this node: delays, turns, tries, and the next device if one fails.

use super::search::Wanted;
use super::timers::Timer;
use super::{Effect, Fencer, Purpose, Run};
use messages::core::{ClientId, Level};
use messages::fencer::{
    ActionResult, Command, Fence, FenceNotice, FenceReply, OpState, Reply, Request, SupportFlags,
    is_fencing_action,
};
use model::{ExecStatus, Instant, Now};
use std::collections::VecDeque;
use std::time::Duration;

/// Between two tries of one action.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// Timeout of what this fencer does for itself, in seconds.
const OWN_TIMEOUT_S: u32 = 60;

/// Who is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Client(ClientId),
    /// The fencer of a node, by the node's name.
    Peer(String),
}

/// What a job is for.
#[derive(Clone, Debug)]
pub(super) enum JobFor {
    /// Somebody's request.
    Request { asker: Asker, command: Box<Command> },
    /// A search wants to know.
    Search(u64),
}

/// Something to be done with a device.
#[derive(Debug)]
pub(super) struct Job {
    pub purpose: JobFor,
    pub action: String,
    pub target: Option<String>,
    /// The device it is for now.
    pub device: String,
    /// Those that come next if it fails.
    pub others: VecDeque<String>,
    /// How long it may take, unless the device says.
    pub default_timeout_s: u32,
    timeout_s: u32,
    /// Wait so long before; below zero: and ignore the device's own delays.
    pub delay_s: i32,
    state: JobState,
    tries: u32,
    began: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobState {
    /// In the device's queue, but not before its timer is over.
    Delayed,
    /// In the device's queue.
    Queued,
    /// Its agent runs.
    Running,
    /// Its agent has failed, and will be tried again; the device is kept meanwhile.
    BetweenTries,
}

impl Job {
    pub fn new(purpose: JobFor, action: String, target: Option<String>, now: Now) -> Job {
        let (default_timeout_s, delay_s) = match &purpose {
            JobFor::Request { command, .. } => {
                let delay_s = match &command.request {
                    Request::Fence(fence) => fence.delay_s,
                    _ => 0,
                };
                (command.timeout_s, delay_s)
            }
            JobFor::Search(_) => (OWN_TIMEOUT_S, 0),
        };
        Job {
            purpose,
            action,
            target,
            device: String::new(),
            others: VecDeque::new(),
            default_timeout_s,
            timeout_s: 0,
            delay_s,
            state: JobState::Queued,
            tries: 0,
            began: now.instant,
        }
    }

    fn is_active(&self) -> bool {
        matches!(self.state, JobState::Running | JobState::BetweenTries)
    }

    fn targeting(&self) -> String {
        self.target.as_ref().map(|target| format!(" targeting {target}")).unwrap_or_default()
    }

    /// For whom, in the log.
    fn client(&self) -> &str {
        match &self.purpose {
            JobFor::Request { command, .. } => command.client.name.as_deref().unwrap_or("unknown"),
            JobFor::Search(_) => "pacemaker-fenced",
        }
    }
}

impl Fencer {
    /// A client (the executor) wants something of one device that is not fencing.
    pub(super) fn execute(
        &mut self,
        asker: Asker,
        command: Command,
        device: &str,
        action: String,
        target: Option<String>,
        now: Now,
    ) {
        let refused = match self.devices.get(device) {
            None => Some(format!("'{device}' not found")),
            Some(known) if action == "monitor" && !known.flags.has(SupportFlags::API_REGISTERED) => {
                Some(format!("'{device}' not active"))
            }
            Some(_) => None,
        };
        if let Some(reason) = refused {
            self.log(Level::Info, format!("Ignoring API '{action}' action request because device {reason}"));
            let result = ActionResult::not_done(ExecStatus::NoFenceDevice, reason);
            self.reply(&asker, &command, result);
            return;
        }
        let purpose = JobFor::Request { asker, command: Box::new(command) };
        let job = Job::new(purpose, action, target, now);
        self.schedule(job, device.to_owned(), now);
    }

    /// A peer (perhaps this one) asks this node to fence: with a certain device, or with any that can.
    pub(super) fn fence_here(&mut self, asker: Asker, command: Command, fence: Fence, now: Now) {
        let purpose = JobFor::Request { asker, command: Box::new(command) };
        let job = Job::new(purpose, fence.action.clone(), Some(fence.target.clone()), now);
        match fence.device {
            Some(device) if self.devices.contains_key(&device) => {
                self.schedule(job, device, now);
            }
            Some(device) => {
                self.log(Level::Error, format!("Requested device '{device}' is not available"));
                let reason = format!("Requested device '{device}' not found");
                self.end_unscheduled(job, ActionResult::not_done(ExecStatus::NoFenceDevice, reason), now);
            }
            None => self.search(Wanted::Fence(Box::new(job)), Some(fence.target), fence.action, true, now),
        }
    }

    /// The search for devices that can do a job has ended.
    pub(super) fn fence_with(&mut self, mut job: Job, mut devices: VecDeque<String>, now: Now) {
        let target = job.target.clone().unwrap_or_default();
        let count = devices.len();
        self.log(Level::Info, format!("Found {count} matching devices for target '{target}'"));
        match devices.pop_front() {
            Some(device) => {
                job.others = devices;
                self.schedule(job, device, now);
            }
            None => {
                let reason = format!("No device configured for target '{target}'");
                self.end_unscheduled(job, ActionResult::not_done(ExecStatus::NoFenceDevice, reason), now);
            }
        }
    }

    fn end_unscheduled(&mut self, job: Job, result: ActionResult, now: Now) {
        let number = self.next_number();
        self.jobs.insert(number, job);
        self.job_ended(number, None, result, now);
    }

    /// Puts a job into a device's queue, after its delay.
    pub(super) fn schedule(&mut self, job: Job, device: String, now: Now) -> u64 {
        let number = self.next_number();
        self.jobs.insert(number, job);
        self.schedule_with(number, device, now);
        number
    }

    fn schedule_with(&mut self, number: u64, device_id: String, now: Now) {
        let (Some(job), Some(device)) = (self.jobs.get_mut(&number), self.devices.get_mut(&device_id)) else {
            return;
        };
        job.device.clone_from(&device_id);
        job.timeout_s = device.timeout_s(&job.action).unwrap_or(job.default_timeout_s).max(1);
        job.tries = 0;
        device.queue.push_back(number);
        let own_max_s = device.delay_max_s(&job.action);
        let own_base_s = device.delay_base_s(&job.action, job.target.as_deref());
        let requested_s = job.delay_s;
        let max_s = if own_max_s == 0 { own_base_s } else { own_max_s };
        let base_s = own_base_s.min(max_s);
        let mut delay_s = u32::try_from(requested_s).unwrap_or(0);
        // Below zero: the devices' own delays are not wanted.
        if requested_s >= 0 {
            delay_s += base_s + spread(max_s - base_s, &job.purpose, &device_id);
        }
        let text = format!("'{}' action{} using {device_id}", job.action, job.targeting());
        let timeout_s = job.timeout_s;
        if delay_s > 0 {
            job.state = JobState::Delayed;
            self.timers.set(Timer::Job(number), now.instant, Duration::from_secs(delay_s.into()));
            self.log(
                Level::Notice,
                format!(
                    "Delaying {text} for {delay_s}s | timeout={timeout_s}s requested_delay={requested_s}s \
                     base={base_s}s max={max_s}s"
                ),
            );
        } else {
            job.state = JobState::Queued;
            self.log(Level::Debug, format!("Scheduling {text} with timeout {timeout_s}s"));
            self.run_device(&device_id, now);
        }
    }

    pub(super) fn job_delay_over(&mut self, number: u64, now: Now) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        let device = job.device.clone();
        match job.state {
            JobState::BetweenTries => self.start_agent(number, now),
            JobState::Delayed => {
                job.state = JobState::Queued;
                self.run_device(&device, now);
            }
            JobState::Queued | JobState::Running => {}
        }
    }

    /// Starts whatever a device may start.
    pub(super) fn run_device(&mut self, id: &str, now: Now) {
        loop {
            let Some(device) = self.devices.get_mut(id) else { return };
            let active = self.jobs.values().filter(|job| job.device == id && job.is_active()).count();
            if device.limit().is_some_and(|limit| active >= limit) {
                return;
            }
            let is_ready =
                |number: &u64| self.jobs.get(number).is_some_and(|job| job.state == JobState::Queued);
            let Some(at) = device.queue.iter().position(is_ready) else { return };
            let Some(number) = device.queue.remove(at) else { return };
            if let Some(job) = self.jobs.get_mut(&number) {
                job.began = now.instant;
            }
            self.start_agent(number, now);
        }
    }

    fn start_agent(&mut self, number: u64, now: Now) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        let Some(device) = self.devices.get(&job.device) else {
            let reason = "Device was removed before action could be executed";
            self.job_ended(number, None, ActionResult::not_done(ExecStatus::NoFenceDevice, reason), now);
            return;
        };
        job.state = JobState::Running;
        job.tries += 1;
        let action = device.real_action(&job.action).to_owned();
        let spent_s = u32::try_from(now.instant.since(job.began).as_secs()).unwrap_or(u32::MAX);
        let run = Run {
            agent: device.agent.clone(),
            action: action.clone(),
            target: job.target.clone(),
            alias: job.target.as_deref().and_then(|target| device.alias(target)).map(str::to_owned),
            parameters: device.parameters.clone(),
            host_argument: device.host_argument.clone(),
            timeout_s: job.timeout_s.saturating_sub(spent_s).max(1),
        };
        let notice = (action != job.action).then(|| {
            format!(
                "Remapping 'reboot' action{} using {} to 'off' because agent '{}' does not support reboot",
                job.targeting(),
                job.device,
                run.agent
            )
        });
        let retry = (job.tries > 1).then(|| {
            let (tries, timeout_s) = (job.tries, run.timeout_s);
            format!(
                "Attempt {tries} to execute '{action}' action of agent {} ({timeout_s}s timeout remaining)",
                run.agent
            )
        });
        if let Some(text) = notice {
            self.log(Level::Notice, text);
        }
        if let Some(text) = retry {
            self.log(Level::Info, text);
        }
        self.start_effect(Purpose::Job(number), Effect::Run(run));
    }

    pub(super) fn job_exited(&mut self, number: u64, pid: Option<u32>, result: ActionResult, now: Now) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        // Worth another try: not if it has used up its time, or too little of it is left.
        let spent = now.instant.since(job.began);
        let tries = self.devices.get(&job.device).map_or(1, |device| device.tries(&job.action));
        let is_worth_it = !result.is_ok()
            && !is_answer(&job.action, &result)
            && result.status != ExecStatus::Timeout
            && job.tries < tries
            && spent.as_secs_f64() < f64::from(job.timeout_s) * 0.7;
        if is_worth_it {
            job.state = JobState::BetweenTries;
            self.timers.set(Timer::Job(number), now.instant, BETWEEN_TRIES);
            return;
        }
        let device_id = job.device.clone();
        let verifies = result.is_ok() && matches!(job.action.as_str(), "list" | "monitor" | "status");
        if let Some(device) = self.devices.get_mut(&device_id).filter(|_| verifies) {
            device.flags.insert(SupportFlags::VERIFIED);
        }
        self.job_ended(number, pid, result, now);
        self.run_device(&device_id, now);
    }

    /// A job is over, or goes on with the next device.
    pub(super) fn job_ended(&mut self, number: u64, pid: Option<u32>, result: ActionResult, now: Now) {
        if let Some(next) = self.next_device(number, &result) {
            self.log_end(number, pid, &result, Some(&next), false);
            self.schedule_with(number, next, now);
            return;
        }
        let Some(purpose) = self.jobs.get(&number).map(|job| job.purpose.clone()) else { return };
        self.timers.clear(&Timer::Job(number));
        match purpose {
            JobFor::Search(search) => {
                if let Some(job) = self.jobs.remove(&number) {
                    self.device_probed(search, &job.device, &job.action, &result, now);
                }
            }
            JobFor::Request { asker, command } => {
                self.log_end(number, pid, &result, None, false);
                let Some(job) = self.jobs.remove(&number) else { return };
                self.answer_job(&job, &asker, &command, &result, false, now);
                if result.is_ok() {
                    self.answer_equal_jobs(&job, &command, &result, now);
                }
            }
        }
    }

    /// After a failure the next device that can do it; after a success the next that must, too (unfencing).
    fn next_device(&mut self, number: u64, result: &ActionResult) -> Option<String> {
        let job = self.jobs.get_mut(&number)?;
        let is_required =
            |id: &String, action: &str| self.devices.get(id).is_some_and(|device| device.is_required(action));
        if !result.is_ok() && is_required(&job.device, &job.action) {
            return None;
        }
        while let Some(next) = job.others.pop_front() {
            if self.devices.contains_key(&next) && (!result.is_ok() || is_required(&next, &job.action)) {
                return Some(next);
            }
        }
        None
    }

    fn answer_job(
        &mut self,
        job: &Job,
        asker: &Asker,
        command: &Command,
        result: &ActionResult,
        merged: bool,
        now: Now,
    ) {
        let (Asker::Peer(_), Some(id)) = (asker, &command.remote_op) else {
            self.answer(asker, command, Reply::to(command, result.clone()).to_xml(command));
            return;
        };
        let is_suicide = is_fencing_action(&job.action)
            && command
                .origin
                .as_deref()
                .zip(job.target.as_deref())
                .is_some_and(|(o, t)| o.eq_ignore_ascii_case(t));
        if is_suicide {
            // Who asked is who was fenced, and cannot tell anybody.
            let notice = self.notice_for_origin(id, job, command, result, now);
            self.broadcasts += 1;
            let message = notice.to_broadcast(self.broadcasts, merged);
            self.send(None, message);
            return;
        }
        let reply = FenceReply {
            remote_op: id.clone(),
            device: (!job.device.is_empty()).then(|| job.device.clone()),
            target: job.target.clone(),
            result: result.clone(),
            merged,
            is_broadcast: false,
        };
        self.answer(asker, command, reply.to_xml(command));
    }

    fn notice_for_origin(
        &self,
        id: &str,
        job: &Job,
        command: &Command,
        result: &ActionResult,
        _now: Now,
    ) -> FenceNotice {
        FenceNotice {
            remote_op: id.to_owned(),
            state: if result.is_ok() { OpState::Done } else { OpState::Failed },
            target: job.target.clone().unwrap_or_default(),
            action: job.action.clone(),
            delegate: Some(self.local_name().to_owned()),
            origin: command.origin.clone().unwrap_or_default(),
            client_id: command.client.id.clone(),
            client_name: command.client.name.clone(),
            result: result.clone(),
        }
    }

    /// Others have asked for the very same that has just been done, and still wait: it is done for them, too.
    fn answer_equal_jobs(&mut self, job: &Job, command: &Command, result: &ActionResult, now: Now) {
        let is_equal = |(_, other): &(&u64, &Job)| {
            !other.is_active()
                && other.device == job.device
                && other.action == job.action
                && other.target == job.target
                && matches!(&other.purpose, JobFor::Request { command: theirs, .. }
                    if theirs.client.id != command.client.id)
        };
        let equal: Vec<u64> = self.jobs.iter().filter(is_equal).map(|(number, _)| *number).collect();
        for number in equal {
            self.timers.clear(&Timer::Job(number));
            let Some(other) = self.jobs.remove(&number) else { continue };
            if let Some(device) = self.devices.get_mut(&other.device) {
                device.queue.retain(|queued| *queued != number);
            }
            if let JobFor::Request { asker, command: theirs } = &other.purpose {
                self.log(
                    Level::Notice,
                    format!(
                        "Merging fencing action '{}'{} originating from client {} with identical fencing request \
                         from client {}",
                        other.action,
                        other.targeting(),
                        other.client(),
                        job.client()
                    ),
                );
                self.answer_job(&other, asker, theirs, result, true, now);
            }
        }
    }

    fn log_end(
        &mut self,
        number: u64,
        pid: Option<u32>,
        result: &ActionResult,
        next: Option<&str>,
        merged: bool,
    ) {
        let Some(job) = self.jobs.get(&number) else { return };
        let level = match (result.is_ok(), job.target.is_some()) {
            (true, true) | (false, false) => Level::Notice,
            (true, false) => Level::Debug,
            (false, true) => Level::Error,
        };
        let mut text = format!("Operation '{}' ", job.action);
        if let Some(pid) = pid {
            text.push_str(&format!("[{pid}] "));
        }
        if let Some(target) = &job.target {
            text.push_str(&format!("targeting {target} "));
        }
        if !job.device.is_empty() {
            text.push_str(&format!("using {} ", job.device));
        }
        match result.status {
            ExecStatus::Done => text.push_str(&format!("returned {}", result.exit.value())),
            status => text.push_str(&format!("could not be executed: {}", status.as_str())),
        }
        if let Some(reason) = &result.reason {
            text.push_str(&format!(" ({reason})"));
        }
        if let Some(next) = next {
            text.push_str(&format!(", retrying with {next}"));
        }
        let call = match &job.purpose {
            JobFor::Request { command, .. } => command.call_id,
            JobFor::Search(_) => -1,
        };
        let merged = if merged { "merged " } else { "" };
        text.push_str(&format!(" | {merged}call {call} from {}", job.client()));
        self.log(level, text);
    }
}

/// A `status` that says "off" has done its work.
fn is_answer(action: &str, result: &ActionResult) -> bool {
    action == "status" && result.status == ExecStatus::Done && matches!(result.exit.value(), 0 | 2)
}

/// Some number of seconds up to a limit that differs from node to node and from operation to operation: two nodes that
/// want to fence each other must not shoot at the same moment.
fn spread(limit_s: u32, purpose: &JobFor, device: &str) -> u32 {
    let JobFor::Request { command, .. } = purpose else { return 0 };
    if limit_s == 0 {
        return 0;
    }
    let operation = command.remote_op.as_deref().unwrap_or_default();
    let text = format!("{operation} {device}");
    let hash =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)) % (limit_s + 1)
}
