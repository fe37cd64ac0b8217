//! One loop: wait for one thing, feed it, do what the core says, set one timer.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::Environment;
use messages::core::{Core, EffectId, Service};
use model::ExitCode;
use tokio::sync::mpsc;

/// Which daemon it is, and what it needs.
#[derive(Clone, Copy, Debug)]
pub struct Daemon {
    /// What it serves.
    pub service: Service,
    /// The daemons it is a client of.
    pub clients_of: &'static [Service],
    /// Whether it talks with its like on other nodes.
    pub cluster: bool,
}

/// How to do what only one daemon does.
///
/// Called inside a current-thread Tokio runtime with a local task set: [`tokio::spawn`] and [`tokio::task::spawn_local`]
/// work, blocking does not (use [`tokio::task::spawn_blocking`]).
pub trait Effects<C: Core> {
    /// Starts an effect. Must not block; what becomes of it is sent to `outcomes`, now or later, once or several times.
    fn start(&mut self, id: EffectId, effect: C::Effect, outcomes: &Outcomes<C::Event>);
}

/// Where the outcomes of effects go. Cheap to clone.
#[derive(Debug)]
pub struct Outcomes<E>(mpsc::UnboundedSender<(EffectId, E)>);

impl<E> Clone for Outcomes<E> {
    fn clone(&self) -> Outcomes<E> {
        Outcomes(self.0.clone())
    }
}

impl<E> Outcomes<E> {
    /// Tells the core. After the daemon's end, nobody listens.
    pub fn send(&self, id: EffectId, event: E) {
        let _ = self.0.send((id, event));
    }
}

/// Runs a daemon to its end, and says what its process should exit with.
pub fn run<C: Core, E: Effects<C>>(
    daemon: Daemon,
    environment: &Environment,
    core: C,
    effects: E,
) -> ExitCode {
    let _ = (daemon, environment, core, effects);
    ExitCode::UNSATISFIED
}
