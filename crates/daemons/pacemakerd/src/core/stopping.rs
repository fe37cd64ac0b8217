// SPDX-License-Identifier: GPL-2.0-or-later
//! Stopping the daemons one after the other; and what the clock has to do with them.

use super::child::Process;
use super::{CHECK_INTERVAL, Pacemakerd, Phase, Purpose, STOP_PATIENCE, STOP_REMINDER, StopSignal};
use messages::core::{Level, Output, Service};
use model::{ExitCode, Now};

impl Pacemakerd {
    pub(super) fn stop(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Looking | Phase::Running) {
            return;
        }
        self.log(Level::Notice, "Shutting down Pacemaker".to_owned());
        self.phase = Phase::Stopping { force_at: None, remind_at: now.instant + STOP_REMINDER };
        self.next_check = Some(now.instant + CHECK_INTERVAL);
        self.go_on_stopping(now);
    }

    /// The last of those that are still there.
    fn last_running(&self) -> Option<usize> {
        self.children.iter().rposition(|child| child.process != Process::None)
    }

    pub(super) fn go_on_stopping(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Stopping { .. }) {
            return;
        }
        let Some(index) = self.last_running() else {
            self.log(Level::Notice, "Shutdown complete".to_owned());
            self.phase = Phase::Stopped;
            let mut code = ExitCode::OK;
            if self.is_fatal {
                self.log(Level::Notice, "Shutting down and staying down after fatal error".to_owned());
                code = ExitCode::FATAL;
            }
            return self.outputs.push_back(Output::Exit { code });
        };
        let Some(child) = self.children.get_mut(index) else { return };
        let Some(pid) = child.process.pid().filter(|_| !child.is_told_to_stop) else { return };
        child.is_told_to_stop = true;
        let is_forced_in_the_end = child.service != Service::Controld;
        let force_at = is_forced_in_the_end.then(|| now.instant + STOP_PATIENCE);
        self.phase = Phase::Stopping { force_at, remind_at: now.instant + STOP_REMINDER };
        self.signal(index, pid, StopSignal::Term);
    }

    pub(super) fn on_time(&mut self, now: Now) {
        if self.next_check.is_some_and(|at| at <= now.instant) {
            self.next_check = Some(now.instant + CHECK_INTERVAL);
            self.check_next();
        }
        let Phase::Stopping { force_at, remind_at } = self.phase else { return };
        let Some(index) = self.last_running() else { return };
        let (name, pid) = (self.name(index), self.children.get(index).and_then(|child| child.process.pid()));
        if remind_at <= now.instant {
            let text = format!("Still waiting for subdaemon {name} to terminate | pid={}", pid.unwrap_or(0));
            self.log(Level::Notice, text);
            self.phase = Phase::Stopping { force_at, remind_at: now.instant + STOP_REMINDER };
        }
        if let (Some(pid), Phase::Stopping { force_at: Some(at), remind_at }) = (pid, self.phase)
            && at <= now.instant
        {
            let text = format!("Subdaemon {name} not terminating in a timely manner, forcing");
            self.log(Level::Error, text);
            self.phase = Phase::Stopping { force_at: None, remind_at };
            self.signal(index, pid, StopSignal::Segv);
        }
    }

    fn check_next(&mut self) {
        if self.is_checking {
            return;
        }
        // Who is being stopped is waited for: nobody tells us of the end of one we have not started.
        let turn = match self.phase {
            Phase::Looking | Phase::Stopped => return,
            Phase::Stopping { .. } => self.last_running().unwrap_or(0),
            Phase::Running => self.check_turn,
        };
        self.check_turn = (turn + 1) % self.children.len().max(1);
        if self.children.get(turn).is_some_and(|child| child.process != Process::None) {
            self.is_checking = true;
            self.look(turn, Purpose::Check);
        }
    }
}
