// SPDX-License-Identifier: GPL-2.0-or-later
//! Runs pacemakerd: command line, environment, and the loop that drives the core.

use crate::core::{Config, Pacemakerd};
use crate::processes::{Processes, cluster_user};
use ipc::blocking::Client;
use ipc::{ClientOptions, ConnectError};
use messages::controller::{Envelope, References};
use messages::core::Service;
use messages::pacemakerd::{QuitResponse, Request, SUBSYSTEM};
use model::{ExitCode, Profile};
use nix::unistd::chown;
use shell::{Daemon, Environment};
use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

const USAGE: &str = "\
Usage: pacemakerd [OPTION]...
Starts all other Pacemaker daemons of this node, and watches over them

  -S, --shutdown       tell the one that runs on this machine to end, and wait until it has
  -s, --standby        start the node in standby
  -F, --features       show the version and what is built in, and exit
  -$, --version        show the version and exit
  -V, --verbose        log more
  -f, --foreground     ignored: it always runs in the foreground
  -p, --pid-file FILE  ignored
  -h, --help           show this and exit
";

/// How long the one that runs may take to end.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Default)]
struct Arguments {
    task: Task,
    standby: bool,
    verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Task {
    #[default]
    Run,
    Shutdown,
    Features,
    Version,
    Help,
}

/// The program; `args[0]` is the name it was called by.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let arguments = match parse(args.into_iter().skip(1).map(|arg| arg.to_string_lossy().into_owned())) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("pacemakerd: {problem}\n\n{USAGE}");
            return ExitCode::USAGE;
        }
    };
    let mut environment = Environment::load(Service::Pacemakerd.program());
    environment.log.debug |= arguments.verbose;
    match arguments.task {
        Task::Help => print!("{USAGE}"),
        Task::Version => println!("Pacemaker {}", environment.profile.version()),
        Task::Features => print!("{}", features(environment.profile)),
        Task::Shutdown => return shut_down(&environment.client_options(), environment.profile),
        Task::Run => {
            // Daemons without a cluster would only end and be started again, a hundred times.
            if let Err(problem) =
                environment.cluster.as_deref().unwrap_or_default().parse::<cluster::Address>()
            {
                eprintln!("pacemakerd: {problem}");
                return ExitCode::CONFIG;
            }
            return run(&environment, arguments.standby);
        }
    }
    ExitCode::OK
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-S" | "--shutdown" => arguments.task = Task::Shutdown,
            "-F" | "--features" => arguments.task = Task::Features,
            "-$" | "--version" => arguments.task = Task::Version,
            "-h" | "-?" | "--help" => arguments.task = Task::Help,
            "-s" | "--standby" => arguments.standby = true,
            "-V" | "--verbose" => arguments.verbose = true,
            "-f" | "--foreground" => {}
            "-p" | "--pid-file" => drop(args.next().ok_or("option -p needs a file")?),
            other if other.starts_with("--pid-file=") => {}
            other => return Err(format!("unknown option '{other}'")),
        }
    }
    Ok(arguments)
}

fn features(profile: Profile) -> String {
    let (version, feature_set, own) = (profile.version(), profile.feature_set(), env!("CARGO_PKG_VERSION"));
    format!("Pacemaker {version} (Build: systole-{own})\n Supporting v{feature_set}: local-cluster\n")
}

fn run(environment: &Environment, standby: bool) -> ExitCode {
    let Some(libexec) = libexec() else {
        eprintln!("pacemakerd: cannot find out where the daemons are: set SYSTOLE_LIBEXEC to their folder");
        return ExitCode::OSFILE;
    };
    if let Err((path, error)) = prepare(environment) {
        eprintln!("pacemakerd: cannot prepare {}: {error}", path.display());
        return ExitCode::CANTCREAT;
    }
    let fail_fast =
        std::env::var("PCMK_fail_fast").ok().as_deref().and_then(model::parse_bool).unwrap_or(false);
    let core = Pacemakerd::new(Config { profile: environment.profile, fail_fast });
    let daemon = Daemon { service: Service::Pacemakerd, clients_of: &[], cluster: false };
    shell::run(daemon, environment, core, Processes::new(libexec, environment, standby))
}

/// The folder of the daemons: as the environment says, or beside this program or in the installation's other folder.
fn libexec() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SYSTOLE_LIBEXEC").filter(|folder| !folder.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    let own = std::env::current_exe().ok()?;
    let beside = own.parent()?;
    let prefix = beside.parent()?;
    [
        beside.to_owned(),
        prefix.join("libexec"),
        prefix.join("libexec/pacemaker"),
        prefix.join("lib/pacemaker"),
    ]
    .into_iter()
    .find(|folder| folder.join(Service::Based.program()).exists())
}

/// Makes the folders that all daemons of a node share, and the log, so that those who are not root may use them.
fn prepare(environment: &Environment) -> Result<(), (PathBuf, io::Error)> {
    let user = cluster_user(environment);
    let give = |path: &Path, mode: u32| -> io::Result<()> {
        if let Some(user) = &user {
            chown(path, Some(user.uid), Some(user.gid))?;
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(())
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let paths = &environment.paths;
    for folder in [&paths.run, &paths.cib, &paths.pengine] {
        fs::create_dir_all(folder).and_then(|()| give(folder, 0o750)).map_err(failed(folder))?;
    }
    let Some(log) = &environment.log.file else { return Ok(()) };
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    let opened = OpenOptions::new().append(true).create(true).mode(0o660).open(log);
    opened.and_then(|_| give(log, 0o660)).map_err(failed(log))
}

/// Tells the one that runs to end, and waits until it has.
fn shut_down(options: &ClientOptions, profile: Profile) -> ExitCode {
    let mut client = match Client::connect(Service::Pacemakerd.ipc_name(), options) {
        Ok(client) => client,
        Err(error) => {
            eprintln!("pacemakerd: {error}");
            return match error {
                ConnectError::Refused { .. } => ExitCode::INSUFFICIENT_PRIV,
                _ => ExitCode::DISCONNECT,
            };
        }
    };
    match ask_to_quit(&mut client, profile) {
        Ok(ExitCode::OK) => {}
        Ok(status) => {
            eprintln!("pacemakerd: refused: {}", status.as_str());
            return status;
        }
        Err(problem) => {
            eprintln!("pacemakerd: {problem}");
            return ExitCode::PROTOCOL;
        }
    }
    let deadline = std::time::Instant::now() + SHUTDOWN_PATIENCE;
    // Its hanging up is its end.
    while std::time::Instant::now() < deadline {
        if client.next_event(Some(Duration::from_secs(10))).is_err() {
            return ExitCode::OK;
        }
    }
    eprintln!("pacemakerd: it has not ended within {} minutes", SHUTDOWN_PATIENCE.as_secs() / 60);
    ExitCode::TIMEOUT
}

fn ask_to_quit(client: &mut Client, profile: Profile) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let from = format!("{}_pacemakerd", std::process::id());
    let now = shell::Clock::default().now().wall;
    let reference = References::default().next(Request::Quit.task(), &from, now);
    let request = Envelope::request(Request::Quit.task(), reference.clone(), SUBSYSTEM, &from);
    client.request(&request.to_xml("pacemakerd", profile.feature_set()), None)?;
    while let Some(event) = client.next_event(None)? {
        let reply = Envelope::from_xml(&event)?;
        if reply.reference == reference {
            let payload = reply.payload.ok_or("the answer says nothing")?;
            return Ok(QuitResponse::from_xml(&payload)?.status);
        }
    }
    Err("there was no answer".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        assert_eq!(parsed("").unwrap().task, Task::Run);
        assert_eq!(parsed("-f -p /x --shutdown").unwrap().task, Task::Shutdown);
        let standby = parsed("--standby -V --pid-file=/x").unwrap();
        assert!(standby.standby && standby.verbose);
        assert!(parsed("-p").is_err() && parsed("--dance").unwrap_err().contains("--dance"));
        assert!(features(Profile::V2_1).starts_with("Pacemaker 2.1.5 (Build: systole-"));
    }
}
