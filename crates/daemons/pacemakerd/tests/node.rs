// SPDX-License-Identifier: GPL-2.0-or-later
//! A node from boot to shutdown, with real processes: this program, laid into a folder under every daemon's name.
//!
//! As `pacemakerd` it is pacemakerd; as any other daemon it serves that daemon's IPC names and nothing more, ends on
//! SIGTERM, and with any exit code a client wishes.
#![allow(clippy::unwrap_used, clippy::panic)]

use messages::controller::Envelope;
use messages::core::{Core, EffectId, Input, Output, Service};
use messages::pacemakerd::{PingResponse, State};
use model::{ExitCode, Instant, Now};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pacemakerd::core::SUBDAEMONS;
use shell::{Daemon, Effects, Environment, Outcomes, Paths};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use xml::Element;

fn main() {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let name = PathBuf::from(args.first().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
    if name == "pacemakerd" {
        std::process::exit(pacemakerd::main(args).value());
    }
    if let Some(service) = SUBDAEMONS.into_iter().find(|service| service.program() == name) {
        let environment = Environment::load(service.program());
        let daemon = Daemon { service, clients_of: &[], cluster: false };
        std::process::exit(shell::run(daemon, &environment, Dummy::default(), Nothing).value());
    }
    // What test runners ask of a program of tests.
    if args.iter().any(|arg| arg == "--list") {
        return println!("a_node_boots_respawns_and_ends: test\nothers: test");
    }
    for (name, test) in TESTS {
        println!("test {name} ...");
        test();
        println!("test {name} ... ok");
    }
}

const TESTS: [(&str, fn()); 3] = [
    ("a_node_boots_respawns_and_ends", a_node_boots_respawns_and_ends),
    ("a_new_pacemakerd_adopts_what_runs", a_new_pacemakerd_adopts_what_runs),
    ("a_fatal_daemon_takes_the_node_down", a_fatal_daemon_takes_the_node_down),
];

/// A daemon that only lives.
#[derive(Default)]
struct Dummy {
    exit: Option<ExitCode>,
}

impl Core for Dummy {
    type Event = ();
    type Effect = ();

    fn handle(&mut self, _now: Now, input: Input<()>) {
        match input {
            Input::Shutdown => self.exit = Some(ExitCode::OK),
            Input::ClientMessage { message, .. } => {
                self.exit = message.attr("exit").and_then(|code| code.parse().ok()).map(ExitCode::new);
            }
            _ => {}
        }
    }

    fn poll(&mut self) -> Option<Output<()>> {
        self.exit.take().map(|code| Output::Exit { code })
    }

    fn next_timeout(&self) -> Option<Instant> {
        None
    }
}

struct Nothing;

impl Effects<Dummy> for Nothing {
    fn start(&mut self, _id: EffectId, _effect: (), _outcomes: &Outcomes<()>) {}
}

struct Node {
    folder: TempDir,
    pacemakerd: Option<Child>,
}

impl Node {
    fn install() -> Node {
        // Hard links need one file system.
        let own = std::env::current_exe().unwrap();
        let folder = TempDir::new_in(own.parent().unwrap()).unwrap();
        for name in SUBDAEMONS.into_iter().chain([Service::Pacemakerd]).map(Service::program) {
            std::fs::hard_link(&own, folder.path().join(name)).unwrap();
        }
        Node { folder, pacemakerd: None }
    }

    fn prefix(&self) -> String {
        format!("{}-", self.folder.path().file_name().unwrap().to_string_lossy())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.folder.path().join("pacemakerd"));
        command
            .env("SYSTOLE_CLUSTER", "local:/nowhere")
            .env("SYSTOLE_ROOT", self.folder.path().join("root"))
            .env("SYSTOLE_IPC_PREFIX", self.prefix());
        command.env_remove("SYSTOLE_LIBEXEC").stdin(Stdio::null());
        command
    }

    fn boot(&mut self) {
        self.pacemakerd = Some(self.command().spawn().unwrap());
        for service in SUBDAEMONS {
            self.connect(service);
        }
    }

    fn connect(&self, service: Service) -> ipc::blocking::Client {
        let options = ipc::ClientOptions { name_prefix: self.prefix(), ..ipc::ClientOptions::default() };
        for _ in 0..1000 {
            if let Ok(client) = ipc::blocking::Client::connect(service.ipc_name(), &options) {
                return client;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{service:?} does not come up\n{}", self.log());
    }

    fn is_up(&self, service: Service) -> bool {
        let options = ipc::ClientOptions { name_prefix: self.prefix(), ..ipc::ClientOptions::default() };
        ipc::blocking::Client::connect(service.ipc_name(), &options).is_ok()
    }

    fn pid(&self, service: Service) -> u32 {
        self.connect(service).server().pid
    }

    fn log(&self) -> String {
        std::fs::read_to_string(Paths::below(&self.folder.path().join("root")).log).unwrap_or_default()
    }

    fn wait(&mut self) -> i32 {
        for _ in 0..3000 {
            if let Some(status) = self.pacemakerd.as_mut().unwrap().try_wait().unwrap() {
                self.pacemakerd = None;
                return status.code().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("pacemakerd does not end\n{}", self.log());
    }

    /// Waits for something to be so.
    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..1000 {
            if is_so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what}: not so\n{}", self.log());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut pacemakerd) = self.pacemakerd.take() {
            let _ = pacemakerd.kill();
            let _ = pacemakerd.wait();
        }
        let options = ipc::ClientOptions { name_prefix: self.prefix(), ..ipc::ClientOptions::default() };
        for service in SUBDAEMONS {
            if let Ok(client) = ipc::blocking::Client::connect(service.ipc_name(), &options) {
                kill_process(client.server().pid);
            }
        }
    }
}

fn kill_process(pid: u32) {
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
}

fn ping(node: &Node) -> PingResponse {
    let mut client = node.connect(Service::Pacemakerd);
    let request = Envelope::request("ping", "ping-1".into(), "pacemakerd", "test");
    let ack = client.request(&request.to_xml("test", model::Profile::V3_0.feature_set()), None).unwrap();
    assert_eq!((ack.name(), ack.attr("status")), ("ack", Some("112")));
    let reply = client.next_event(None).unwrap().unwrap();
    PingResponse::from_xml(&Envelope::from_xml(&reply).unwrap().payload.unwrap()).unwrap()
}

fn a_node_boots_respawns_and_ends() {
    let mut node = Node::install();
    node.boot();
    assert_eq!(ping(&node).state, State::Running);
    let before = node.pid(Service::Attrd);
    kill_process(before);
    node.until("attrd is started again", || node.is_up(Service::Attrd) && node.pid(Service::Attrd) != before);
    assert!(node.log().contains("Respawning subdaemon pacemaker-attrd after unexpected exit"));
    let own_session = |pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let based = node.pid(Service::Based);
    let session = own_session(based).rsplit(") ").next().unwrap().split(' ').nth(3).unwrap().to_owned();
    assert_eq!(session, based.to_string());

    let status = node.command().arg("--shutdown").status().unwrap();
    assert!(status.success(), "{}", node.log());
    assert_eq!(node.wait(), 0);
    let log = node.log();
    let ends: Vec<usize> = SUBDAEMONS
        .iter()
        .map(|service| log.rfind(&format!("Exiting {} | with status 0", service.program())).unwrap())
        .collect();
    assert!(ends.windows(2).all(|pair| pair[0] > pair[1]), "not stopped in reverse order\n{log}");
    assert!(SUBDAEMONS.iter().all(|service| !node.is_up(*service)));
    assert_eq!(node.command().arg("--shutdown").stderr(Stdio::null()).status().unwrap().code(), Some(102));
}

fn a_new_pacemakerd_adopts_what_runs() {
    let mut node = Node::install();
    node.boot();
    let pids: Vec<u32> = SUBDAEMONS.iter().map(|service| node.pid(*service)).collect();
    let mut first = node.pacemakerd.take().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    node.boot();
    node.until("all are adopted", || ping(&node).state == State::Running);
    assert_eq!(pids, SUBDAEMONS.iter().map(|service| node.pid(*service)).collect::<Vec<u32>>());
    let pid = Pid::from_raw(i32::try_from(node.pacemakerd.as_ref().unwrap().id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(node.wait(), 0);
    assert!(SUBDAEMONS.iter().all(|service| !node.is_up(*service)), "{}", node.log());
}

fn a_fatal_daemon_takes_the_node_down() {
    let mut node = Node::install();
    node.boot();
    let fatal = Element::new("end").with_attr("exit", ExitCode::FATAL.value());
    node.connect(Service::Controld).send(&fatal).unwrap();
    assert_eq!(node.wait(), ExitCode::FATAL.value());
    assert!(SUBDAEMONS.iter().all(|service| !node.is_up(*service)));
    assert!(node.log().contains("Shutting cluster down because pacemaker-controld["));
}
