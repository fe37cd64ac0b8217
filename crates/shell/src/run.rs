// SPDX-License-Identifier: GPL-2.0-or-later
//! What a daemon's `main` calls.

use crate::Environment;
use crate::driver::Driver;
use crate::log::Log;
use messages::core::{Core, EffectId, Level, Service};
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
    /// Starts an effect. Must not block; what becomes of it is sent to `outcomes`, now or later, at least once: what the
    /// core wants done `after` it waits for the first outcome. A core asks for the effect before it asks for those.
    fn start(&mut self, id: EffectId, effect: C::Effect, outcomes: &Outcomes<C::Event>);
}

/// Where the outcomes of effects go. Cheap to clone.
#[derive(Debug)]
pub struct Outcomes<E>(pub(crate) mpsc::UnboundedSender<(EffectId, E)>);

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
    let program = daemon.service.program();
    if environment.is_subdaemon {
        // So that what ends pacemakerd's terminal does not end this. It fails only where it is done already.
        let _ = nix::unistd::setsid();
    }
    raise_file_limit();
    let log = Log::open(&environment.log, &environment.local_node_name(), program);
    log.adopt_libraries();
    log.write("shell", Level::Notice, &format!("Starting Pacemaker {}", description(daemon.service)));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log.write("shell", Level::Critical, &format!("Cannot start: {error}"));
            return ExitCode::OSERR;
        }
    };
    let tasks = tokio::task::LocalSet::new();
    let code = runtime.block_on(tasks.run_until(async {
        match Driver::start(daemon, environment, core, effects, log.clone()).await {
            Ok(driver) => driver.run().await,
            Err(code) => code,
        }
    }));
    drop(tasks);
    // An effect that still blocks must not keep the process.
    runtime.shutdown_background();
    let status = format!("with status {} ({})", code.value(), code.as_str());
    log.write("shell", Level::Info, &format!("Exiting {program} | {status}"));
    code
}

/// Every client needs several descriptors; the usual limit is for programs with few. Not raised to the last: agents that
/// inherit it may go through all there could be.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    const WANTED: u64 = 8192;
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < WANTED.min(hard)
    {
        // Without it, fewer clients can be served.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, WANTED.min(hard), hard);
    }
}

/// What Pacemaker's log calls a daemon.
pub(crate) const fn description(service: Service) -> &'static str {
    match service {
        Service::Pacemakerd => "daemon",
        Service::Based => "CIB manager",
        Service::Fenced => "fencer",
        Service::Execd => "local executor",
        Service::Attrd => "node attribute manager",
        Service::Schedulerd => "scheduler",
        Service::Controld => "controller",
    }
}
