// SPDX-License-Identifier: GPL-2.0-or-later
//! What a look at a daemon means, and what is done about it.

use super::child::{Liveness, Process};
use super::{CHECK_INTERVAL, CHECKS_MAX, Endpoint, Look, Pacemakerd, Phase, Purpose, StopSignal};
use messages::core::{Level, Output};
use model::{ExitCode, Now};

impl Pacemakerd {
    pub(super) fn looked(&mut self, now: Now, index: usize, purpose: Purpose, look: Look) {
        let liveness = self.judge(index, look);
        match purpose {
            Purpose::Startup => self.found(now, index, liveness),
            Purpose::Check => {
                self.is_checking = false;
                self.checked(now, index, liveness);
            }
            Purpose::Respawn => self.respawn(index, liveness),
        }
        self.go_on_stopping(now);
    }

    /// What a look means; adopts who serves the daemon's name in place of the one we thought.
    fn judge(&mut self, index: usize, look: Look) -> Liveness {
        let Some(child) = self.children.get_mut(index) else { return Liveness::Gone };
        let process = child.process;
        match (look.endpoint, process) {
            // It is just being started: whoever was found is not it.
            (_, Process::Starting { .. }) => Liveness::NotServing,
            (Endpoint::Stranger { pid, uid }, _) => Liveness::Stranger { pid, uid },
            (Endpoint::Trusted { pid, .. }, Process::None) => {
                child.process = Process::Running { pid, by: None };
                Liveness::Serving
            }
            (Endpoint::Trusted { pid, .. }, Process::Running { pid: known, .. }) if pid == known => {
                Liveness::Serving
            }
            (Endpoint::Trusted { pid, is_program }, Process::Running { pid: known, .. })
                if is_program || !look.is_alive =>
            {
                child.process = Process::Running { pid, by: None };
                if look.is_alive {
                    // It does not serve its name any more: somebody else has taken its place.
                    self.signal(index, known, StopSignal::Kill);
                }
                Liveness::Serving
            }
            _ if look.is_alive => Liveness::NotServing,
            _ => Liveness::Gone,
        }
    }

    /// Before anything is started.
    fn found(&mut self, now: Now, index: usize, liveness: Liveness) {
        let (name, pid) = (self.name(index), self.children.get(index).and_then(|child| child.process.pid()));
        match (liveness, pid) {
            (Liveness::Stranger { pid, uid }, _) => return self.refuse_stranger(index, pid, uid),
            (Liveness::Serving, Some(pid)) => {
                self.log(Level::Notice, format!("Tracking existing {name} process (pid={pid})"));
            }
            _ => {}
        }
        if !matches!(self.phase, Phase::Looking) {
            return;
        }
        if index + 1 < self.children.len() {
            return self.look(index + 1, Purpose::Startup);
        }
        self.phase = Phase::Running;
        self.next_check = Some(now.instant + CHECK_INTERVAL);
        for child in 0..self.children.len() {
            if self.children.get(child).is_some_and(|child| child.process == Process::None) {
                self.start(child, false);
            }
        }
    }

    fn refuse_stranger(&mut self, index: usize, pid: u32, uid: u32) {
        let name = self.name(index);
        let text = format!(
            "Process {pid} of user {uid}, which is not authorized to, serves the IPC of {name}: ending (stop it, or \
             find out who runs it)"
        );
        self.log(Level::Critical, text);
        self.phase = Phase::Stopped;
        self.outputs.push_back(Output::Exit { code: ExitCode::FATAL });
    }

    /// It was its turn.
    fn checked(&mut self, now: Now, index: usize, liveness: Liveness) {
        let Some(child) = self.children.get_mut(index) else { return };
        let (name, process) = (child.service.program(), child.process);
        let pid = process.pid().unwrap_or(0);
        match liveness {
            Liveness::Stranger { pid, uid } => self.refuse_stranger(index, pid, uid),
            Liveness::Serving => {
                child.checks_failed = 0;
                self.last_good = now.wall;
            }
            Liveness::NotServing if child.is_told_to_stop => {
                let text =
                    format!("Subdaemon {name}[{pid}] has stopped accepting IPC connections during shutdown");
                self.log(Level::Notice, text);
            }
            Liveness::NotServing if pid == 0 => {}
            Liveness::NotServing => {
                child.checks_failed += 1;
                let failed = child.checks_failed;
                if child.may_respawn {
                    self.last_good = now.wall;
                }
                self.not_serving(index, pid, failed);
            }
            Liveness::Gone if process == (Process::Running { pid, by: None }) => {
                let level = if child.is_told_to_stop { Level::Notice } else { Level::Error };
                self.log(level, format!("Subdaemon {name}[{pid}] terminated"));
                self.child_gone(now, index);
            }
            // The end of one that we have started is told by the system.
            Liveness::Gone => {}
        }
    }

    fn not_serving(&mut self, index: usize, pid: u32, failed: u32) {
        let (name, plural) = (self.name(index), if failed == 1 { "" } else { "s" });
        let what = format!("Subdaemon {name}[{pid}] is unresponsive to IPC after {failed} attempt{plural}");
        if failed < CHECKS_MAX {
            return self.log(Level::Notice, format!("{what} (will recheck later)"));
        }
        self.log(Level::Critical, format!("{what} and will now be killed"));
        if let Some(child) = self.children.get_mut(index) {
            child.checks_failed = 0;
        }
        self.signal(index, pid, StopSignal::Kill);
    }

    /// It has ended, and is to be started again unless somebody did so.
    fn respawn(&mut self, index: usize, liveness: Liveness) {
        let Some(child) = self.children.get(index) else { return };
        let (name, ipc) = (child.service.program(), child.service.ipc_name());
        if !matches!(self.phase, Phase::Running | Phase::Looking) {
            return;
        }
        if liveness == Liveness::Serving {
            let text = format!("Not respawning subdaemon {name} because IPC endpoint {ipc} is OK");
            return self.log(Level::Warning, text);
        }
        self.log(Level::Notice, format!("Respawning subdaemon {name} after unexpected exit"));
        self.start(index, true);
    }
}
