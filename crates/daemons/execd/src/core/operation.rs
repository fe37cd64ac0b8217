// SPDX-License-Identifier: GPL-2.0-or-later
//! One operation: what was asked, how far it is, and what will be told of it.

use messages::core::{ClientId, EffectId};
use messages::execd::{Exec, OPT_NOTIFY_CHANGES_ONLY, OPT_NOTIFY_ORIGIN_ONLY, OpResult};
use model::{ExecStatus, Instant, Now, OcfCode, WallTime};

/// Which operation; grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpNumber(pub u64);

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In the queue, but its turn must not come before this.
    Delayed {
        /// The end of its start delay.
        until: Instant,
    },
    /// In the queue.
    Queued,
    /// Its agent runs.
    Running {
        /// The effect.
        effect: EffectId,
    },
    /// The fencer does it.
    AtFencer {
        /// Our number of the call.
        call: i32,
        /// When to give up waiting.
        until: Instant,
    },
    /// It recurs, and waits for its interval to be over.
    Waiting {
        /// The end of the interval.
        until: Instant,
    },
}

impl State {
    /// When it wants to be looked at.
    pub fn timer(self) -> Option<Instant> {
        match self {
            State::Delayed { until } | State::Waiting { until } | State::AtFencer { until, .. } => {
                Some(until)
            }
            State::Queued | State::Running { .. } => None,
        }
    }

    /// It is being executed.
    pub fn is_active(self) -> bool {
        matches!(self, State::Running { .. } | State::AtFencer { .. })
    }
}

/// How one execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub rc: OcfCode,
    pub status: ExecStatus,
    pub reason: Option<String>,
    pub output: Option<String>,
    pub pid: Option<u32>,
}

impl Ended {
    pub fn new(rc: OcfCode, status: ExecStatus, reason: Option<String>) -> Ended {
        Ended { rc, status, reason, output: None, pid: None }
    }

    pub fn cancelled() -> Ended {
        Ended::new(OcfCode::OK, ExecStatus::Cancelled, None)
    }

    pub fn is_ok(&self) -> bool {
        self.status == ExecStatus::Done && self.rc == OcfCode::OK
    }
}

/// An operation that was asked for and has not ended for good.
#[derive(Debug)]
pub(super) struct Op {
    pub exec: Exec,
    pub client: ClientId,
    pub options: u32,
    pub call_id: i32,
    pub state: State,
    /// Somebody has cancelled it while it was executed.
    pub cancelled: bool,
    /// Its entry among the executor's timers.
    pub timer: Option<Instant>,
    queued_at: Instant,
    run_at: Option<Instant>,
    run_time: WallTime,
    rc_change_time: WallTime,
    last: Option<(OcfCode, ExecStatus)>,
    told: Option<(OcfCode, ExecStatus)>,
}

impl Op {
    pub fn new(exec: Exec, client: ClientId, options: u32, call_id: i32, now: Now) -> Op {
        let state = match exec.start_delay_ms {
            0 => State::Queued,
            ms => State::Delayed { until: now.instant + std::time::Duration::from_millis(ms) },
        };
        Op {
            exec,
            client,
            options,
            call_id,
            state,
            cancelled: false,
            timer: None,
            queued_at: now.instant,
            run_at: None,
            run_time: WallTime::default(),
            rc_change_time: WallTime::default(),
            last: None,
            told: None,
        }
    }

    /// The same operation was asked for again: this one stands for both from now on.
    pub fn take_over(&mut self, exec: Exec, call_id: i32) {
        self.exec.user_data = exec.user_data;
        self.call_id = call_id;
        self.told = None;
    }

    pub fn recurs(&self) -> bool {
        !self.exec.interval.is_zero()
    }

    pub fn queued(&mut self, now: Now) {
        self.state = State::Queued;
        self.queued_at = now.instant;
        self.run_at = None;
    }

    pub fn begins(&mut self, now: Now) {
        self.run_at = Some(now.instant);
        self.run_time = now.wall;
    }

    /// How long it has run and how long it had waited before, in milliseconds.
    pub fn spans_ms(&self, now: Now) -> (u64, u64) {
        let ms = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        match self.run_at {
            Some(run_at) => (ms(now.instant.since(run_at)), ms(run_at.since(self.queued_at))),
            None => (0, ms(now.instant.since(self.queued_at))),
        }
    }

    /// What is to be told of this end; `None` if nobody wants to hear the same again.
    pub fn ended(&mut self, ended: &Ended, resource_deleted: bool, now: Now) -> Option<OpResult> {
        let result = (ended.rc, ended.status);
        if self.last.is_none_or(|(rc, _)| rc != ended.rc) {
            self.rc_change_time = now.wall;
        }
        self.last = Some(result);
        if self.options & OPT_NOTIFY_CHANGES_ONLY != 0 && self.told == Some(result) {
            return None;
        }
        self.told = Some(result);
        let (exec_time_ms, queue_time_ms) = self.spans_ms(now);
        Some(OpResult {
            call_id: self.call_id,
            resource: self.exec.resource.clone(),
            action: self.exec.action.clone(),
            interval: self.exec.interval,
            timeout_ms: self.exec.timeout_ms,
            start_delay_ms: self.exec.start_delay_ms,
            user_data: self.exec.user_data.clone(),
            rc: ended.rc,
            status: ended.status,
            exit_reason: ended.reason.clone(),
            output: ended.output.clone(),
            resource_deleted,
            run_time: self.run_time,
            rc_change_time: self.rc_change_time,
            exec_time_ms,
            queue_time_ms,
            parameters: self.exec.parameters.clone(),
        })
    }

    /// Only the client that asked is told.
    pub fn is_private(&self) -> bool {
        self.options & OPT_NOTIFY_ORIGIN_ONLY != 0
    }
}
