// SPDX-License-Identifier: GPL-2.0-or-later
//! Whole daemons in threads of this process: clients, other daemons, the cluster, effects, timers, the end.
#![allow(clippy::unwrap_used, clippy::panic)]

use cluster::local::{Hub, HubOptions};
use messages::core::{ClientId, Core, EffectId, Input, Level, Output, Service};
use model::{ExitCode, Instant, Now};
use shell::{Daemon, Effects, Environment, LogOptions, Outcomes, Paths};
use std::collections::VecDeque;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use xml::Element;

/// Does what clients tell it, and tells the one who said `watch` what happens.
#[derive(Default)]
struct Puppet {
    outputs: VecDeque<Output<&'static str>>,
    watcher: Option<ClientId>,
    alarm: Option<Instant>,
    effects: u64,
    backlog: Vec<Element>,
}

impl Puppet {
    fn tell(&mut self, message: Element) {
        match self.watcher {
            Some(client) => self.outputs.push_back(Output::Event { client, message, after: None }),
            None => self.backlog.push(message),
        }
    }

    fn obey(&mut self, now: Now, client: ClientId, request: i32, message: &Element) {
        let mut answer = Output::Respond { client, request, message: Element::new("ok"), after: None };
        match message.name() {
            "watch" => self.watcher = Some(client),
            "send" => {
                self.outputs.push_back(Output::Send { to: None, message: message.clone(), after: None })
            }
            "call" => self.outputs.push_back(Output::Call {
                service: Service::Based,
                call: 7,
                respond: true,
                message: Element::new("watch"),
            }),
            "slow" => {
                self.effects += 1;
                let id = EffectId(self.effects);
                self.outputs.push_back(Output::Effect { id, effect: "slow" });
                answer =
                    Output::Respond { client, request, message: Element::new("slow-done"), after: Some(id) };
            }
            "alarm" => self.alarm = Some(now.instant + Duration::from_millis(30)),
            "quit" => {
                self.outputs.push_back(answer);
                self.outputs.push_back(Output::Exit { code: ExitCode::new(42) });
                return;
            }
            other => panic!("{other}"),
        }
        self.outputs.push_back(answer);
        for message in std::mem::take(&mut self.backlog) {
            self.tell(message);
        }
    }
}

impl Core for Puppet {
    type Event = &'static str;
    type Effect = &'static str;

    fn handle(&mut self, now: Now, input: Input<&'static str>) {
        match input {
            Input::ClientMessage { client, request, message, .. } => {
                self.obey(now, client, request, &message)
            }
            Input::ServiceUp { service } => self.tell(Element::new("up").with_attr("who", service.program())),
            Input::ServiceDown { service } => {
                self.tell(Element::new("down").with_attr("who", service.program()))
            }
            Input::ServiceResponse { call, message, .. } => {
                self.tell(Element::new("response").with_attr("call", call).with_child(message));
            }
            Input::ClusterJoined { local } => self.tell(Element::new("joined").with_attr("id", local.id)),
            Input::Membership(membership) => {
                self.tell(Element::new("members").with_attr("peers", membership.peers().count()));
            }
            Input::ClusterMessage { from, .. } => self.tell(Element::new("said").with_attr("by", from.name)),
            Input::ClusterLost => self.tell(Element::new("lost")),
            Input::Done { event, .. } => {
                let level = Level::Notice;
                self.outputs.push_back(Output::Log { level, text: format!("An effect ended: {event}") });
            }
            Input::Tick => {
                self.alarm = None;
                self.tell(Element::new("tick"));
            }
            Input::ClientConnected { .. } | Input::ClientGone { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn poll(&mut self) -> Option<Output<&'static str>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.alarm
    }
}

struct Slow;

impl Effects<Puppet> for Slow {
    fn start(&mut self, id: EffectId, effect: &'static str, outcomes: &Outcomes<&'static str>) {
        let outcomes = outcomes.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            outcomes.send(id, effect);
        });
    }
}

/// One node with a folder of its own.
struct Node {
    name: &'static str,
    folder: TempDir,
}

impl Node {
    fn new(name: &'static str) -> Node {
        Node { name, folder: TempDir::new().unwrap() }
    }

    fn environment(&self, cluster: Option<&Path>) -> Environment {
        let mut environment = Environment::load("test");
        environment.paths = Paths::below(self.folder.path());
        environment.log =
            LogOptions { file: Some(environment.paths.log.clone()), stderr: false, debug: true };
        environment.ipc_prefix =
            format!("shell-{}-{}-", std::process::id(), self.folder.path().display()).replace('/', "");
        environment.node_name = Some(self.name.to_owned());
        environment.cluster = cluster.map(|path| format!("local:{}", path.display()));
        environment
    }

    fn start(
        &self,
        service: Service,
        clients_of: &'static [Service],
        cluster: Option<&Path>,
    ) -> JoinHandle<ExitCode> {
        let environment = self.environment(cluster);
        let daemon = Daemon { service, clients_of, cluster: cluster.is_some() };
        std::thread::spawn(move || shell::run(daemon, &environment, Puppet::default(), Slow))
    }

    fn connect(&self, service: Service) -> ipc::blocking::Client {
        let options = self.environment(None).client_options();
        for _ in 0..500 {
            if let Ok(client) = ipc::blocking::Client::connect(service.ipc_name(), &options) {
                return client;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{service:?} is not up");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(Paths::below(self.folder.path()).log).unwrap()
    }
}

fn tell(client: &mut ipc::blocking::Client, what: &'static str) -> Element {
    client.request(&Element::new(what), None).unwrap()
}

fn hear(client: &mut ipc::blocking::Client, name: &str) -> Element {
    loop {
        let event = client.next_event(Some(Duration::from_secs(10))).unwrap().unwrap();
        if event.name() == name {
            return event;
        }
    }
}

#[test]
fn a_daemon_serves_waits_ticks_and_ends() {
    let node = Node::new("n1");
    let daemon = node.start(Service::Attrd, &[], None);
    let mut client = node.connect(Service::Attrd);
    tell(&mut client, "watch");
    let before = std::time::Instant::now();
    assert_eq!(tell(&mut client, "slow").name(), "slow-done");
    assert!(before.elapsed() >= Duration::from_millis(50));
    tell(&mut client, "alarm");
    hear(&mut client, "tick");
    // The answer is there although the daemon ends at once.
    assert_eq!(tell(&mut client, "quit").name(), "ok");
    assert_eq!(daemon.join().unwrap(), ExitCode::new(42));
    let log = node.log();
    assert!(log.contains("(shell) \tnotice: Starting Pacemaker node attribute manager"), "{log}");
    assert!(
        log.contains("successfully started and accepting connections")
            && log.contains("(core) \tnotice: An effect")
    );
    assert!(log.contains("Exiting pacemaker-attrd | with status 42"), "{log}");
    assert_eq!(std::fs::read_dir(Paths::below(node.folder.path()).ipc).unwrap().count(), 0);
}

#[test]
fn a_daemon_follows_another_through_its_death() {
    let node = Node::new("n1");
    let attrd = node.start(Service::Attrd, &[Service::Based], None);
    let mut client = node.connect(Service::Attrd);
    tell(&mut client, "watch");
    for _ in 0..2 {
        let based = node.start(Service::Based, &[], None);
        assert_eq!(hear(&mut client, "up").attr("who"), Some("pacemaker-based"));
        tell(&mut client, "call");
        let response = hear(&mut client, "response");
        assert_eq!((response.attr("call"), response.first_element().unwrap().name()), (Some("7"), "ok"));
        tell(&mut node.connect(Service::Based), "quit");
        based.join().unwrap();
        hear(&mut client, "down");
    }
    // Nobody hears this, and nobody hears of it later.
    tell(&mut client, "call");
    tell(&mut client, "quit");
    attrd.join().unwrap();
}

#[test]
fn daemons_of_two_nodes_meet() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("hub");
    let (hub, end) = start_hub(&socket, &["n1", "n2"]);
    let nodes = [Node::new("n1"), Node::new("n2")];
    let daemons = nodes.each_ref().map(|node| node.start(Service::Attrd, &[], Some(&socket)));
    let mut clients = nodes.each_ref().map(|node| node.connect(Service::Attrd));
    for client in &mut clients {
        tell(client, "watch");
        while hear(client, "members").attr("peers") != Some("2") {}
    }
    tell(&mut clients[1], "send");
    for client in &mut clients {
        assert_eq!(hear(client, "said").attr("by"), Some("n2"));
    }
    hub.kill("n2").unwrap();
    hear(&mut clients[1], "lost");
    while hear(&mut clients[0], "members").attr("peers") != Some("1") {}
    for client in &mut clients {
        tell(client, "quit");
    }
    for daemon in daemons {
        assert_eq!(daemon.join().unwrap(), ExitCode::new(42));
    }
    end.send(()).unwrap();
}

/// A hub on a thread of its own, until told to end.
fn start_hub(socket: &Path, nodes: &'static [&'static str]) -> (Hub, tokio::sync::oneshot::Sender<()>) {
    let options = HubOptions::new(socket, nodes);
    let (end, ended) = tokio::sync::oneshot::channel();
    let (started, hub) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            started.send(Hub::start(&options).unwrap()).unwrap();
            let _ = ended.await;
        });
    });
    (hub.recv().unwrap(), end)
}

#[test]
fn a_cluster_that_is_not_configured_is_said_clearly() {
    let node = Node::new("n1");
    let environment = node.environment(None);
    let daemon = Daemon { service: Service::Attrd, clients_of: &[], cluster: true };
    let running = std::thread::spawn(move || shell::run(daemon, &environment, Puppet::default(), Slow));
    let mut client = node.connect(Service::Attrd);
    tell(&mut client, "watch");
    hear(&mut client, "lost");
    tell(&mut client, "quit");
    running.join().unwrap();
    assert!(node.log().contains("SYSTOLE_CLUSTER"), "{}", node.log());
}
