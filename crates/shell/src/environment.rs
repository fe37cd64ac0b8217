// SPDX-License-Identifier: GPL-2.0-or-later
//! What a daemon is told by its environment: where things are, who it is, which Pacemaker it passes for.

use ipc::{ClientOptions, Dialect, ServerOptions};
use model::{Instant, Now, Profile, WallTime};
use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a node's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The folder before all the others; empty on a real node.
    pub root: PathBuf,
    /// The CIB and its backups.
    pub cib: PathBuf,
    /// Saved scheduler inputs.
    pub pengine: PathBuf,
    /// What lives as long as the daemons: process ids, agents' state.
    pub run: PathBuf,
    /// The folders of IPC connections.
    pub ipc: PathBuf,
    /// The log, unless the environment names another.
    pub log: PathBuf,
}

impl Paths {
    /// Pacemaker's own paths below `root`; an empty `root` means exactly Pacemaker's own.
    pub fn below(root: &Path) -> Paths {
        let under = |path: &str| {
            if root.as_os_str().is_empty() { Path::new("/").join(path) } else { root.join(path) }
        };
        Paths {
            root: root.to_owned(),
            cib: under("var/lib/pacemaker/cib"),
            pengine: under("var/lib/pacemaker/pengine"),
            run: under("run/crm"),
            ipc: if root.as_os_str().is_empty() { PathBuf::from("/dev/shm") } else { under("run/qb") },
            log: under("var/log/pacemaker/pacemaker.log"),
        }
    }
}

/// Where the log goes and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The file; `None` for none.
    pub file: Option<PathBuf>,
    /// Also to the standard error.
    pub stderr: bool,
    /// Also what is only for finding faults.
    pub debug: bool,
}

/// The clock that cores are told the time from.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { origin: std::time::Instant::now() }
    }
}

impl Clock {
    /// The time now, on both clocks, and the processor time this process has used in user mode.
    pub fn now(&self) -> Now {
        Now {
            instant: Instant::since_origin(self.origin.elapsed()),
            wall: wall_time(SystemTime::now()),
            cpu: cpu_time(),
        }
    }

    /// The moment an [`Instant`] of this clock is.
    pub fn moment(&self, instant: Instant) -> std::time::Instant {
        self.origin + instant.elapsed()
    }
}

fn wall_time(time: SystemTime) -> WallTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime { secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
}

fn cpu_time() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let spent = usage.user_time();
    Duration::from_secs(u64::try_from(spent.tv_sec()).unwrap_or(0))
        + Duration::from_micros(u64::try_from(spent.tv_usec()).unwrap_or(0))
}

/// Everything a daemon is told by its environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Where things are (`SYSTOLE_ROOT`).
    pub paths: Paths,
    /// Which Pacemaker to pass for (`SYSTOLE_PROFILE`).
    pub profile: Profile,
    /// This node's name (`SYSTOLE_NODE`), if the environment says.
    pub node_name: Option<String>,
    /// Put before IPC names (`SYSTOLE_IPC_PREFIX`).
    pub ipc_prefix: String,
    /// The cluster's address (`SYSTOLE_CLUSTER`), such as `local:/path/to/socket`.
    pub cluster: Option<String>,
    /// Where OCF agents are looked for (`OCF_ROOT`).
    pub ocf_root: PathBuf,
    /// Where fence agents are looked for, in order (`SYSTOLE_FENCE_PATH`, then `/usr/sbin`).
    pub fence_path: Vec<PathBuf>,
    /// The log (`PCMK_logfile`, `PCMK_stderr`, `PCMK_debug`).
    pub log: LogOptions,
    /// The daemon was started again after its end (`PCMK_respawned`).
    pub respawned: bool,
    /// Pacemakerd has started it (`PCMK_mcp`).
    pub is_subdaemon: bool,
    /// The clock.
    pub clock: Clock,
}

impl Environment {
    /// Reads it all. `program` (such as `pacemaker-based`) is for settings that name daemons. What cannot be
    /// understood is as if it was not there.
    pub fn load(program: &str) -> Environment {
        Environment::from_lookup(program, |name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn from_lookup(program: &str, lookup: impl Fn(&str) -> Option<String>) -> Environment {
        let pcmk = |name: &str| lookup(&format!("PCMK_{name}")).or_else(|| lookup(&format!("HA_{name}")));
        let is_set = |name: &str| pcmk(name).as_deref().and_then(model::parse_bool).unwrap_or(false);
        let enabled = |name: &str| {
            pcmk(name).is_some_and(|value| {
                model::parse_bool(&value)
                    .unwrap_or_else(|| value.split(',').any(|daemon| daemon.trim() == program))
            })
        };
        let paths = Paths::below(&lookup("SYSTOLE_ROOT").map(PathBuf::from).unwrap_or_default());
        let log_file = match pcmk("logfile") {
            None => Some(paths.log.clone()),
            Some(name) if name == "none" || name == "/dev/null" => None,
            Some(name) => Some(PathBuf::from(name)),
        };
        let mut fence_path: Vec<PathBuf> = lookup("SYSTOLE_FENCE_PATH")
            .map(|list| list.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect())
            .unwrap_or_default();
        fence_path.push(PathBuf::from("/usr/sbin"));
        Environment {
            profile: match lookup("SYSTOLE_PROFILE").as_deref() {
                Some("2.1") => Profile::V2_1,
                _ => Profile::default(),
            },
            node_name: lookup("SYSTOLE_NODE"),
            ipc_prefix: lookup("SYSTOLE_IPC_PREFIX").unwrap_or_default(),
            cluster: lookup("SYSTOLE_CLUSTER"),
            ocf_root: lookup("OCF_ROOT").map_or_else(|| PathBuf::from("/usr/lib/ocf"), PathBuf::from),
            fence_path,
            log: LogOptions { file: log_file, stderr: enabled("stderr"), debug: enabled("debug") },
            respawned: is_set("respawned"),
            is_subdaemon: is_set("mcp"),
            clock: Clock::default(),
            paths,
        }
    }

    /// How this daemon connects to others.
    pub fn client_options(&self) -> ClientOptions {
        ClientOptions {
            name_prefix: self.ipc_prefix.clone(),
            dialect: Dialect::of(self.profile),
            ..ClientOptions::default()
        }
    }

    /// How this daemon listens.
    pub fn server_options(&self) -> ServerOptions {
        ServerOptions {
            name_prefix: self.ipc_prefix.clone(),
            directory: self.paths.ipc.clone(),
            ..ServerOptions::default()
        }
    }

    /// The time now.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// This node's name: as the environment says, else the machine's.
    pub fn local_node_name(&self) -> String {
        let machine = || nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned());
        self.node_name.clone().or_else(machine).unwrap_or_else(|| "localhost".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Environment {
        Environment::from_lookup("pacemaker-based", |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_word_it_is_pacemaker() {
        let environment = load(&[]);
        assert_eq!(environment.paths.cib, Path::new("/var/lib/pacemaker/cib"));
        assert_eq!(environment.paths.run, Path::new("/run/crm"));
        assert_eq!(environment.paths.ipc, Path::new("/dev/shm"));
        assert_eq!(environment.log.file.as_deref(), Some(Path::new("/var/log/pacemaker/pacemaker.log")));
        assert_eq!(environment.profile, Profile::V3_0);
        assert!(!environment.log.debug && !environment.log.stderr && !environment.respawned);
    }

    #[test]
    fn a_root_moves_everything() {
        let environment =
            load(&[("SYSTOLE_ROOT", "/tmp/n1"), ("SYSTOLE_PROFILE", "2.1"), ("SYSTOLE_FENCE_PATH", "/a:/b")]);
        for path in
            [&environment.paths.cib, &environment.paths.run, &environment.paths.ipc, &environment.paths.log]
        {
            assert!(path.starts_with("/tmp/n1"), "{}", path.display());
        }
        assert_eq!(environment.profile, Profile::V2_1);
        assert_eq!(environment.fence_path, [Path::new("/a"), Path::new("/b"), Path::new("/usr/sbin")]);
    }

    #[test]
    fn pacemakers_variables_are_understood() {
        let environment = load(&[("PCMK_debug", "pacemaker-fenced, pacemaker-based"), ("HA_stderr", "yes")]);
        assert!(environment.log.debug && environment.log.stderr);
        assert!(!load(&[("PCMK_debug", "pacemaker-fenced")]).log.debug);
        assert_eq!(load(&[("PCMK_logfile", "none")]).log.file, None);
        assert!(load(&[("PCMK_respawned", "true")]).respawned);
    }
}
