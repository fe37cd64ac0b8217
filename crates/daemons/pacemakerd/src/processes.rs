// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks at the daemons' processes, starts them and signals them.

use crate::core::{Effect, Ending, Endpoint, Event, Look, Pacemakerd, StopSignal};
use ipc::{ClientOptions, ConnectError};
use messages::core::{EffectId, Service};
use model::ExitCode;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use shell::{Effects, Environment, Outcomes};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use tokio::process::Command;

/// The user of those daemons that need not be root.
const CLUSTER_USER: &str = "hacluster";
/// The file by which a privileged process restarts a Linux machine at once.
const SYSRQ: &str = "/proc/sysrq-trigger";

/// How pacemakerd's effects are done on this machine.
#[derive(Debug)]
pub struct Processes {
    libexec: PathBuf,
    options: ClientOptions,
    /// Whom to start daemons as that need not be root; `None` to start all as ourselves.
    cluster_user: Option<User>,
    /// This is a real node: what must end it may end the machine.
    is_machine: bool,
    standby: bool,
}

impl Processes {
    /// For the daemons in a folder.
    pub fn new(libexec: PathBuf, environment: &Environment, standby: bool) -> Processes {
        Processes {
            libexec,
            options: environment.client_options(),
            cluster_user: cluster_user(environment),
            is_machine: is_machine(environment),
            standby,
        }
    }

    fn program(&self, service: Service) -> PathBuf {
        self.libexec.join(service.program())
    }

    fn command(&self, service: Service, respawned: bool) -> Command {
        let mut command = Command::new(self.program(service));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // By this daemons know who has started them; they begin a session of their own then.
        command.env("PCMK_mcp", "true").env("HA_mcp", "true");
        if respawned {
            command.env("PCMK_respawned", "true").env("HA_respawned", "true");
        }
        if self.standby {
            command.env("PCMK_node_start_state", "standby");
        }
        if let Some(user) = self.cluster_user.as_ref().filter(|_| !needs_root(service)) {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

/// A node of a cluster, not one of several in folders of one machine.
fn is_machine(environment: &Environment) -> bool {
    environment.paths.root.as_os_str().is_empty() && geteuid().is_root()
}

/// Whom to start daemons as that need not be root, if we can.
pub fn cluster_user(environment: &Environment) -> Option<User> {
    if !is_machine(environment) {
        return None;
    }
    User::from_name(CLUSTER_USER).ok().flatten()
}

const fn needs_root(service: Service) -> bool {
    matches!(service, Service::Fenced | Service::Execd)
}

impl Effects<Pacemakerd> for Processes {
    fn start(&mut self, id: EffectId, effect: Effect, outcomes: &Outcomes<Event>) {
        match effect {
            Effect::Look { service, pid } => {
                let (options, program) = (self.options.clone(), self.program(service));
                let outcomes = outcomes.clone();
                tokio::task::spawn_local(async move {
                    let endpoint = find_endpoint(service, &options, &program).await;
                    let is_alive = pid.is_some_and(|pid| runs(pid, &program));
                    outcomes.send(id, Event::Looked(Look { endpoint, is_alive }));
                });
            }
            Effect::Start { service, respawned } => {
                let user = self.cluster_user.as_ref().filter(|_| !needs_root(service));
                let own = (geteuid().as_raw(), nix::unistd::getegid().as_raw());
                let ids = user.map_or(own, |user| (user.uid.as_raw(), user.gid.as_raw()));
                start(id, self.command(service, respawned), &self.program(service), ids, outcomes);
            }
            Effect::Signal { pid, signal, .. } => {
                let result = send_signal(pid, signal).map_err(|errno| errno.desc().to_owned());
                outcomes.send(id, Event::Signalled(result));
            }
            Effect::Panic { pids, .. } => {
                let result = self.panic(&pids);
                outcomes.send(id, Event::Signalled(result));
            }
        }
    }
}

impl Processes {
    /// Ends the machine; where it is not ours to end, everything of the node.
    fn panic(&self, pids: &[u32]) -> Result<(), String> {
        let restart = || std::fs::write(SYSRQ, "b").map_err(|error| format!("{SYSRQ}: {error}"));
        let restarted = if self.is_machine { restart() } else { Ok(()) };
        for pid in pids {
            // One that is gone is what we want.
            let _ = send_signal(*pid, StopSignal::Kill);
        }
        restarted
    }
}

fn start(
    id: EffectId,
    mut command: Command,
    program: &Path,
    (uid, gid): (u32, u32),
    outcomes: &Outcomes<Event>,
) {
    let mut process = match command.spawn() {
        Ok(process) => process,
        Err(error) => {
            let reason = format!("{}: {error}", program.display());
            return outcomes.send(id, Event::NotStarted { reason });
        }
    };
    outcomes.send(id, Event::Started { pid: process.id().unwrap_or(0), uid, gid });
    let outcomes = outcomes.clone();
    tokio::task::spawn_local(async move {
        let ending = match process.wait().await {
            Ok(status) => ending(status),
            // It is not ours to wait for any more, so we cannot know.
            Err(_) => Ending::Exited(ExitCode::ERROR),
        };
        outcomes.send(id, Event::Ended(ending));
    });
}

fn ending(status: ExitStatus) -> Ending {
    match status.signal() {
        Some(signal) => Ending::Killed { signal, dumped: status.core_dumped() },
        None => Ending::Exited(ExitCode::new(status.code().unwrap_or(ExitCode::ERROR.value()))),
    }
}

fn send_signal(pid: u32, signal: StopSignal) -> Result<(), Errno> {
    let signal = match signal {
        StopSignal::Term => Signal::SIGTERM,
        StopSignal::Segv => Signal::SIGSEGV,
        StopSignal::Kill => Signal::SIGKILL,
    };
    // Zero and negative numbers would mean groups of processes, one means init.
    match i32::try_from(pid) {
        Ok(pid) if pid > 1 => kill(Pid::from_raw(pid), signal),
        _ => Err(Errno::ESRCH),
    }
}

async fn find_endpoint(service: Service, options: &ClientOptions, program: &Path) -> Endpoint {
    match ipc::probe(service.ipc_name(), options).await {
        Ok(server) => Endpoint::Trusted { pid: server.pid, is_program: runs(server.pid, program) },
        Err(ConnectError::Untrusted { pid, uid, .. }) => Endpoint::Stranger { pid, uid },
        Err(_) => Endpoint::Nobody,
    }
}

/// Whether a process is there and runs this program.
fn runs(pid: u32, program: &Path) -> bool {
    let is_there =
        || i32::try_from(pid).is_ok_and(|pid| pid > 0 && kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH));
    let wanted = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    match std::fs::read_link(format!("/proc/{pid}/exe")) {
        Ok(found) => {
            // After an upgrade, the file it runs is gone.
            let found = found.to_string_lossy();
            Path::new(found.strip_suffix(" (deleted)").unwrap_or(&found)) == wanted
        }
        // Of another user: we cannot see what it runs, only that it does.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => is_there(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_known_by_their_program() {
        let own = std::env::current_exe().unwrap();
        assert!(runs(std::process::id(), &own));
        assert!(!runs(std::process::id(), Path::new("/bin/true")));
        // More than any system gives out.
        assert!(!runs(u32::MAX, &own));
    }

    #[test]
    fn nobody_else_is_signalled() {
        for pid in [0, 1, u32::MAX] {
            assert_eq!(send_signal(pid, StopSignal::Kill), Err(Errno::ESRCH));
        }
    }

    #[test]
    fn endings_are_told_apart() {
        assert_eq!(ending(ExitStatus::from_raw(100 << 8)), Ending::Exited(ExitCode::FATAL));
        assert_eq!(ending(ExitStatus::from_raw(9)), Ending::Killed { signal: 9, dumped: false });
        assert_eq!(ending(ExitStatus::from_raw(11 | 0x80)), Ending::Killed { signal: 11, dumped: true });
    }
}
