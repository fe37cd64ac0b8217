// SPDX-License-Identifier: GPL-2.0-or-later
//! What is known of one daemon.

use super::RESPAWNS_MAX;
use messages::core::{EffectId, Service};

/// A daemon's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// There is none.
    None,
    /// It is being started.
    Starting {
        /// The effect that starts it.
        by: EffectId,
    },
    /// It is there.
    Running {
        /// Which.
        pid: u32,
        /// The effect that started it; `None` if it was there before us.
        by: Option<EffectId>,
    },
}

impl Process {
    /// Its id, if there is one.
    pub fn pid(self) -> Option<u32> {
        match self {
            Process::Running { pid, .. } => Some(pid),
            Process::None | Process::Starting { .. } => None,
        }
    }

    /// Whether this effect started it.
    pub fn is_started_by(self, effect: EffectId) -> bool {
        match self {
            Process::Starting { by } => by == effect,
            Process::Running { by, .. } => by == Some(effect),
            Process::None => false,
        }
    }
}

/// What a look at it meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It serves its name.
    Serving,
    /// It is there, but does not serve its name.
    NotServing,
    /// It is not there.
    Gone,
    /// Somebody who may not serves its name.
    Stranger {
        /// The process.
        pid: u32,
        /// Its user.
        uid: u32,
    },
}

/// One daemon.
#[derive(Clone, Debug)]
pub struct Child {
    /// Which.
    pub service: Service,
    /// Its process.
    pub process: Process,
    /// It is to be started again when it ends.
    pub may_respawn: bool,
    /// It has been asked to end.
    pub is_told_to_stop: bool,
    /// Looks in vain, in a row.
    pub checks_failed: u32,
    endings: u32,
}

impl Child {
    /// One that does not run.
    pub fn new(service: Service) -> Child {
        Child {
            service,
            process: Process::None,
            may_respawn: true,
            is_told_to_stop: false,
            checks_failed: 0,
            endings: 0,
        }
    }

    /// Its process is no more. Says whether that was once too often.
    pub fn gone(&mut self) -> bool {
        self.process = Process::None;
        self.checks_failed = 0;
        self.endings += 1;
        let is_exhausted = self.endings > RESPAWNS_MAX;
        self.may_respawn &= !is_exhausted;
        is_exhausted
    }
}
