// SPDX-License-Identifier: GPL-2.0-or-later
//! In which order operations run: of one resource, one at a time, first come first served.

use super::operation::{Ended, Op, OpNumber, State};
use super::{Effect, Event, Executor, Resource, Run};
use agents::readable_span;
use messages::core::{ClientId, EffectId, Level, Output};
use messages::execd::{Exec, Notify};
use model::{ExecStatus, Interval, LegacyRc, Now, OcfCode};
use std::time::Duration;

impl Executor {
    pub(super) fn enqueue(&mut self, client: ClientId, options: u32, call_id: i32, exec: Exec, now: Now) {
        if self.merge_into_equal(&exec, call_id, now) {
            return;
        }
        // Nothing may watch a resource while it stops: it would find it stopped, and call that a failure.
        if exec.action == "stop" {
            self.cancel_recurring(&exec.resource.clone(), None, now);
        }
        self.last_op += 1;
        let number = OpNumber(self.last_op);
        let resource = exec.resource.clone();
        let recurs = !exec.interval.is_zero();
        self.ops.insert(number, Op::new(exec, client, options, call_id, now));
        self.set_timer(number);
        if let Some(resource) = self.resources.get_mut(&resource) {
            resource.queue.push_back(number);
            if recurs {
                resource.recurring.push(number);
            }
        }
    }

    /// A recurring operation that is already known is not run twice as often: the known one takes the new one's number and
    /// user data, and if it waits for its interval, that is over.
    fn merge_into_equal(&mut self, exec: &Exec, call_id: i32, now: Now) -> bool {
        if exec.interval.is_zero() {
            return false;
        }
        let Some(number) = self.find_recurring(&exec.resource, &exec.action, exec.interval) else {
            return false;
        };
        let Some(op) = self.ops.get_mut(&number).filter(|op| !op.cancelled) else { return false };
        op.take_over(exec.clone(), call_id);
        let waits = matches!(op.state, State::Waiting { .. });
        self.log(
            Level::Warning,
            format!(
                "Duplicate recurring op entry detected ({}_{}_{}), merging with previous op entry",
                exec.resource,
                exec.action,
                exec.interval.as_ms()
            ),
        );
        if waits {
            self.requeue(number, now);
        }
        true
    }

    fn find_recurring(&self, resource: &str, action: &str, interval: Interval) -> Option<OpNumber> {
        let is_it = |number: &&OpNumber| {
            self.ops.get(number).is_some_and(|op| op.exec.action == action && op.exec.interval == interval)
        };
        self.resources.get(resource)?.recurring.iter().find(is_it).copied()
    }

    pub(super) fn set_timer(&mut self, number: OpNumber) {
        let Some(op) = self.ops.get_mut(&number) else { return };
        let timer = op.state.timer();
        if let Some(at) = std::mem::replace(&mut op.timer, timer) {
            self.timers.remove(&(at, number));
        }
        if let Some(at) = timer {
            self.timers.insert((at, number));
        }
    }

    pub(super) fn set_state(&mut self, number: OpNumber, state: State) {
        if let Some(op) = self.ops.get_mut(&number) {
            op.state = state;
        }
        self.set_timer(number);
    }

    fn requeue(&mut self, number: OpNumber, now: Now) {
        let Some(op) = self.ops.get_mut(&number) else { return };
        op.queued(now);
        if let Some(resource) = self.resources.get_mut(&op.exec.resource) {
            resource.queue.push_back(number);
        }
        self.set_timer(number);
    }

    pub(super) fn fire_timers(&mut self, now: Now) {
        while let Some((at, number)) = self.timers.first().copied().filter(|(at, _)| *at <= now.instant) {
            self.timers.remove(&(at, number));
            match self.ops.get(&number).map(|op| op.state) {
                // It has been in the queue since it was asked for; now its turn may come.
                Some(State::Delayed { .. }) => self.set_state(number, State::Queued),
                Some(State::Waiting { .. }) => self.requeue(number, now),
                Some(State::AtFencer { .. }) => self.fencer_is_late(number, now),
                Some(State::Queued | State::Running { .. }) | None => {}
            }
        }
    }

    /// Starts whatever can be started.
    pub(super) fn run_queues(&mut self, now: Now) {
        loop {
            let ready = self.resources.values_mut().find_map(|resource| next_ready(resource, &self.ops));
            let Some(number) = ready else { break };
            self.execute(number, now);
        }
    }

    fn execute(&mut self, number: OpNumber, now: Now) {
        let Some(op) = self.ops.get_mut(&number) else { return };
        op.begins(now);
        let exec = op.exec.clone();
        let call_id = op.call_id;
        let level = if exec.action == "monitor" { Level::Debug } else { Level::Info };
        self.log(
            level,
            format!("executing - rsc:{} action:{} call_id:{call_id}", exec.resource, exec.action),
        );
        let Some(agent) = self.resources.get(&exec.resource).map(|resource| resource.agent.clone()) else {
            return;
        };
        match (agent.class.as_str(), agent.provider) {
            ("stonith", _) => self.execute_fencing(number, &exec, &agent.kind, now),
            ("ocf", Some(provider)) => {
                let effect = self.next_effect();
                self.runs.insert(effect, number);
                self.set_state(number, State::Running { effect });
                self.outputs.push_back(Output::Effect {
                    id: effect,
                    effect: Effect::Run(Run {
                        provider,
                        agent: agent.kind,
                        resource: exec.resource,
                        action: exec.action,
                        parameters: exec.parameters,
                        timeout_ms: exec.timeout_ms,
                    }),
                });
            }
            ("ocf", None) => {
                let reason = format!("Resource agent ocf:{} has no provider", agent.kind);
                let ended = Ended::new(OcfCode::NOT_CONFIGURED, ExecStatus::ErrorFatal, Some(reason));
                self.finish(number, ended, now);
            }
            (class, _) => {
                let reason = format!("Resource standard '{class}' is not supported by this executor");
                let ended = Ended::new(OcfCode::UNIMPLEMENT_FEATURE, ExecStatus::NotSupported, Some(reason));
                self.finish(number, ended, now);
            }
        }
    }

    pub(super) fn exited(&mut self, effect: EffectId, event: Event, now: Now) {
        let Some(number) = self.runs.remove(&effect) else { return };
        let Event::Exited { pid, rc, status, reason, stdout, stderr } = event;
        let output = [stderr, stdout].into_iter().find(|text| !text.is_empty());
        self.finish(number, Ended { rc, status, reason, output, pid }, now);
    }

    /// One execution has ended. The operation ends with it, unless it recurs.
    pub(super) fn finish(&mut self, number: OpNumber, mut ended: Ended, now: Now) {
        let Some(op) = self.ops.get_mut(&number) else { return };
        if op.cancelled && ended.status != ExecStatus::Cancelled {
            ended = Ended { status: ExecStatus::Cancelled, ..ended };
        }
        let again = op.recurs() && ended.status != ExecStatus::Cancelled;
        let resource_id = op.exec.resource.clone();
        // The resource may be another one of that id by now: then this operation is none of its.
        let mut deleted = true;
        if let Some(resource) = self.resources.get_mut(&resource_id)
            && resource.owns(number)
        {
            deleted = false;
            if resource.active == Some(number) {
                resource.active = None;
            }
            resource.queue.retain(|other| *other != number);
            if !again {
                resource.recurring.retain(|other| *other != number);
            }
        }
        self.tell_end(number, &ended, deleted, now);
        if again && !deleted {
            let interval = self.ops.get(&number).map(|op| Duration::from(op.exec.interval));
            let until = now.instant + interval.unwrap_or_default();
            self.set_state(number, State::Waiting { until });
        } else {
            let timer = self.ops.remove(&number).and_then(|op| op.timer);
            if let Some(at) = timer {
                self.timers.remove(&(at, number));
            }
        }
    }

    fn tell_end(&mut self, number: OpNumber, ended: &Ended, deleted: bool, now: Now) {
        let Some(op) = self.ops.get_mut(&number) else { return };
        let level = if op.exec.action == "monitor" { Level::Debug } else { Level::Info };
        let (exec_ms, queue_ms) = op.spans_ms(now);
        let text = log_text(op, ended, exec_ms, queue_ms);
        let (client, private) = (op.client, op.is_private());
        let result = op.ended(ended, deleted, now);
        self.log(level, text);
        let Some(result) = result else { return };
        let notify = Notify::Executed(Box::new(result));
        if private {
            self.tell(client, notify.to_xml());
        } else {
            self.tell_all(&notify);
        }
    }

    pub(super) fn cancel(&mut self, resource: &str, action: &str, interval: Interval, now: Now) -> LegacyRc {
        let Some(known) = self.resources.get(resource) else { return LegacyRc::ENODEV };
        let is_it = |number: &&OpNumber| {
            self.ops.get(number).is_some_and(|op| op.exec.action == action && op.exec.interval == interval)
        };
        let found = known.queue.iter().find(is_it).or_else(|| known.recurring.iter().find(is_it)).copied();
        match found {
            // Nothing of that name, or it is no recurring one and runs already.
            None => LegacyRc::EOPNOTSUPP,
            Some(number) => {
                self.cancel_op(number, now);
                LegacyRc::OK
            }
        }
    }

    /// What runs is killed, and told as cancelled when it has ended; what waits is told at once.
    pub(super) fn cancel_op(&mut self, number: OpNumber, now: Now) {
        let Some(op) = self.ops.get_mut(&number) else { return };
        if op.state.is_active() {
            op.cancelled = true;
            if let State::Running { effect: run } = op.state {
                let id = self.next_effect();
                self.outputs.push_back(Output::Effect { id, effect: Effect::Kill { run } });
            }
        } else {
            self.finish(number, Ended::cancelled(), now);
        }
    }

    /// Cancels all recurring operations of a resource (that one client has asked for).
    pub(super) fn cancel_recurring(&mut self, resource: &str, client: Option<ClientId>, now: Now) {
        let Some(known) = self.resources.get(resource) else { return };
        let wanted = |number: &OpNumber| {
            self.ops.get(number).is_some_and(|op| client.is_none_or(|client| op.client == client))
        };
        let numbers: Vec<OpNumber> = known.recurring.iter().copied().filter(wanted).collect();
        for number in numbers {
            self.cancel_op(number, now);
        }
    }

    /// Forgets a resource. What waits is cancelled; what recurs is, too; what runs otherwise may end.
    pub(super) fn forget(&mut self, id: &str, now: Now) {
        let Some(resource) = self.resources.remove(id) else { return };
        let mut numbers: Vec<OpNumber> = resource.queue.into_iter().chain(resource.recurring).collect();
        numbers.sort();
        numbers.dedup();
        for number in numbers {
            self.cancel_op(number, now);
        }
    }
}

impl Resource {
    fn owns(&self, number: OpNumber) -> bool {
        self.active == Some(number) || self.queue.contains(&number) || self.recurring.contains(&number)
    }
}

/// Takes the operation whose turn it is out of the queue, and makes it the active one.
fn next_ready(resource: &mut Resource, ops: &std::collections::BTreeMap<OpNumber, Op>) -> Option<OpNumber> {
    if resource.active.is_some() {
        return None;
    }
    let number = *resource.queue.front()?;
    // What waits for its delay holds up what came later.
    if ops.get(&number).is_some_and(|op| op.state != State::Queued) {
        return None;
    }
    resource.queue.pop_front();
    resource.active = Some(number);
    Some(number)
}

fn log_text(op: &Op, ended: &Ended, exec_ms: u64, queue_ms: u64) -> String {
    let mut text = format!("{} {} (call {}", op.exec.resource, op.exec.action, op.call_id);
    if let Some(pid) = ended.pid {
        text.push_str(&format!(", PID {pid}"));
    }
    match ended.status {
        ExecStatus::Done => text.push_str(&format!(") exited with status {}", ended.rc.value())),
        ExecStatus::Cancelled => text.push_str(") cancelled"),
        status => text.push_str(&format!(") could not be executed: {}", status.as_str())),
    }
    if let Some(reason) = &ended.reason {
        text.push_str(&format!(" ({reason})"));
    }
    text.push_str(&format!(" (execution time {}", readable_span(exec_ms)));
    if queue_ms > 0 {
        text.push_str(&format!(" after being queued {}", readable_span(queue_ms)));
    }
    text.push(')');
    text
}
