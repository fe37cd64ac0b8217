// SPDX-License-Identifier: GPL-2.0-or-later
//! Virtual time, and what travels in it.

use crate::erased::{AnyCore, AnyEffect, AnyEvent};
use crate::network::Network;
use messages::core::{ClientId, ClusterNode, Credentials, EffectId, Input, Output, Service};
use model::{Instant, Now, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use xml::Element;

/// How long a message between processes of one node takes.
const IPC_DELAY: Duration = Duration::from_micros(50);
/// How long a message between nodes takes.
const CLUSTER_DELAY: Duration = Duration::from_micros(300);
/// How long the cluster layer takes to see that a node is gone.
const DETECTION_DELAY: Duration = Duration::from_secs(1);
/// More inputs in one virtual second than any honest exchange needs: somebody answers somebody for ever.
const STORM: u32 = 50_000;

/// What is outside the cluster: agents, power, disks.
pub trait Physics {
    /// A daemon asks for an effect; its outcomes, and after which time each.
    fn effect(
        &mut self,
        now: Now,
        node: &str,
        service: Service,
        effect: AnyEffect,
    ) -> Vec<(Duration, AnyEvent)>;
    /// Nodes that have lost their power since the last question.
    fn powered_off(&mut self) -> Vec<String>;
    /// A node's power is gone, by the plan or by its own hand.
    fn node_died(&mut self, now: Now, node: &str);
}

/// Where a daemon is.
type Place = (u32, Service);

/// Who is at the other end of an IPC connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Caller {
    Daemon(Place),
    /// The test itself, through [`World::ask`].
    Outside,
}

struct Process {
    core: Box<dyn AnyCore>,
    incarnation: u64,
    /// Outputs that wait for the first outcome of an effect.
    held: Vec<(EffectId, Output<AnyEffect>)>,
    settled: BTreeSet<EffectId>,
    wake: Option<Instant>,
}

enum Delivery {
    Input { to: Place, incarnation: u64, input: Input<AnyEvent> },
    Wake { to: Place, incarnation: u64 },
    Detected { node: u32 },
}

/// Nodes, their daemons, and what is on its way.
pub struct World<P> {
    /// The outside.
    pub physics: P,
    network: Network,
    epoch: WallTime,
    clock: Duration,
    sequence: u64,
    queue: BTreeMap<(Duration, u64), Delivery>,
    processes: BTreeMap<Place, Process>,
    connections: BTreeMap<ClientId, (Caller, Place)>,
    clients: BTreeMap<(Caller, Place), ClientId>,
    next_client: u64,
    next_incarnation: u64,
    answers: BTreeMap<i32, Element>,
    next_call: i32,
    record: Vec<String>,
    /// Inputs delivered in the current second.
    traffic: (u64, u32),
}

/// Which daemons a daemon is a client of.
fn clients_of(service: Service) -> &'static [Service] {
    match service {
        Service::Controld => {
            &[Service::Based, Service::Fenced, Service::Execd, Service::Attrd, Service::Schedulerd]
        }
        Service::Attrd | Service::Fenced => &[Service::Based],
        Service::Execd => &[Service::Fenced],
        Service::Pacemakerd | Service::Based | Service::Schedulerd => &[],
    }
}

impl<P: Physics> World<P> {
    /// A world of nodes without power, at a moment of the calendar.
    pub fn new(nodes: &[&str], epoch: WallTime, physics: P) -> World<P> {
        let nodes = (1..).zip(nodes).map(|(id, name)| ClusterNode { id, name: Arc::from(*name) }).collect();
        World {
            physics,
            network: Network::new(nodes),
            epoch,
            clock: Duration::ZERO,
            sequence: 0,
            queue: BTreeMap::new(),
            processes: BTreeMap::new(),
            connections: BTreeMap::new(),
            clients: BTreeMap::new(),
            next_client: 1,
            next_incarnation: 1,
            answers: BTreeMap::new(),
            next_call: 1,
            record: Vec::new(),
            traffic: (0, 0),
        }
    }

    /// The present moment, as a node would read it.
    pub fn now(&self) -> Now {
        Now {
            instant: Instant::since_origin(self.clock),
            wall: self.epoch + self.clock,
            cpu: self.clock / 100,
        }
    }

    /// All that was logged and done, a line each, with its virtual time.
    pub fn record(&self) -> &[String] {
        &self.record
    }

    /// Starts a daemon on a node: it joins its group, its clients reach it, it reaches those it is a client of.
    pub fn start(&mut self, node: &str, service: Service, core: Box<dyn AnyCore>) {
        let Some(local) = self.node(node) else { return };
        let place = (local.id, service);
        if !self.processes.keys().any(|known| known.0 == place.0) {
            // Back before anybody saw it go: the cluster layer never takes a new process for the old one.
            self.network.lose(place.0);
            self.announce_membership();
        }
        let incarnation = self.next_incarnation;
        self.next_incarnation += 1;
        self.processes.insert(
            place,
            Process { core, incarnation, held: Vec::new(), settled: BTreeSet::new(), wake: None },
        );
        if let Some(group) = service.group() {
            self.deliver(IPC_DELAY, place, Input::ClusterJoined { local });
            self.network.join(group, place.0);
            self.announce_membership();
        }
        for &provider in clients_of(service) {
            self.connect(Caller::Daemon(place), (place.0, provider));
        }
        for client in Service::ALL.into_iter().filter(|client| clients_of(*client).contains(&service)) {
            self.connect(Caller::Daemon((place.0, client)), place);
        }
        self.drain(place);
    }

    /// A node loses its power: its daemons are gone in the middle of whatever they did, and after a while the others see
    /// it.
    pub fn crash(&mut self, node: &str) {
        let Some(id) = self.node(node).map(|node| node.id) else { return };
        self.note(node, "power lost");
        self.physics.node_died(self.now(), node);
        self.processes.retain(|place, _| place.0 != id);
        self.connections.retain(|_, (_, server)| server.0 != id);
        self.clients.retain(|(_, server), _| server.0 != id);
        self.schedule(DETECTION_DELAY, Delivery::Detected { node: id });
    }

    /// Puts a node into a partition; nodes of one number hear each other.
    pub fn cut(&mut self, node: &str, partition: u32) {
        let Some(id) = self.node(node).map(|node| node.id) else { return };
        self.note(node, &format!("network partition {partition}"));
        self.network.cut(id, partition);
        self.announce_membership();
    }

    /// Whether a daemon runs.
    pub fn runs(&self, node: &str, service: Service) -> bool {
        self.node(node).is_some_and(|node| self.processes.contains_key(&(node.id, service)))
    }

    /// Asks a daemon, as a tool of root does; runs the world until it answers or `patience` is over.
    pub fn ask(
        &mut self,
        node: &str,
        service: Service,
        message: Element,
        patience: Duration,
    ) -> Option<Element> {
        let server = (self.node(node)?.id, service);
        let client = self.connect(Caller::Outside, server)?;
        let request = self.next_call;
        self.next_call += 1;
        self.deliver(
            IPC_DELAY,
            server,
            Input::ClientMessage { client, request, wants_response: true, message },
        );
        let end = self.clock + patience;
        while !self.answers.contains_key(&request) && self.step_until(end) {}
        self.answers.remove(&request)
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.clock + span;
        while self.step_until(end) {}
        self.clock = end;
    }

    /// Lets time pass until something is so; says whether it came to be so.
    pub fn run_until(&mut self, patience: Duration, mut so: impl FnMut(&mut World<P>) -> bool) -> bool {
        let end = self.clock + patience;
        while self.clock < end {
            if so(self) {
                return true;
            }
            self.run_for(Duration::from_millis(20));
        }
        so(self)
    }

    // --- one thing after the other ------------------------------------------------------------------------------

    /// Delivers what comes next, if it comes before `end`.
    fn step_until(&mut self, end: Duration) -> bool {
        let Some((&key, _)) = self.queue.first_key_value().filter(|(key, _)| key.0 <= end) else {
            return false;
        };
        let Some(delivery) = self.queue.remove(&key) else { return false };
        self.clock = key.0;
        self.count_traffic();
        match delivery {
            Delivery::Input { to, incarnation, input } => self.feed(to, incarnation, input),
            Delivery::Wake { to, incarnation } => {
                let due = self.processes.get(&to).and_then(|process| process.core.next_timeout());
                if due.is_some_and(|due| due.elapsed() <= self.clock) {
                    self.feed(to, incarnation, Input::Tick);
                }
            }
            Delivery::Detected { node } => {
                let back = self.processes.keys().any(|place| place.0 == node);
                if !back {
                    self.network.lose(node);
                    self.announce_membership();
                }
            }
        }
        for node in self.physics.powered_off() {
            self.crash(&node);
        }
        true
    }

    fn count_traffic(&mut self) {
        let second = self.clock.as_secs();
        self.traffic = if self.traffic.0 == second { (second, self.traffic.1 + 1) } else { (second, 1) };
        let last = || self.record[self.record.len().saturating_sub(40)..].join("\n");
        assert!(
            self.traffic.1 <= STORM,
            "more than {STORM} inputs in second {second}; the record ends:\n{}",
            last()
        );
    }

    fn feed(&mut self, to: Place, incarnation: u64, input: Input<AnyEvent>) {
        let now = self.now();
        let Some(process) = self.processes.get_mut(&to).filter(|process| process.incarnation == incarnation)
        else {
            return;
        };
        let outcome_of = if let Input::Done { effect, .. } = &input { Some(*effect) } else { None };
        process.core.handle(now, input);
        if let Some(effect) = outcome_of {
            self.release(to, effect);
        }
        self.drain(to);
    }

    /// An effect has its first outcome: what waited for it goes out, in its order.
    fn release(&mut self, place: Place, effect: EffectId) {
        let Some(process) = self.processes.get_mut(&place) else { return };
        process.settled.insert(effect);
        let (ready, held) = std::mem::take(&mut process.held).into_iter().partition(|(on, _)| *on == effect);
        process.held = held;
        let ready: Vec<(EffectId, Output<AnyEffect>)> = ready;
        for (_, output) in ready {
            self.carry_out(place, output);
        }
    }

    fn drain(&mut self, place: Place) {
        for round in 0.. {
            assert!(round < STORM, "{place:?} never has nothing to do");
            let Some(process) = self.processes.get_mut(&place) else { return };
            let Some(output) = process.core.poll() else { break };
            match waits_for(&output).filter(|effect| !process.settled.contains(effect)) {
                Some(effect) => process.held.push((effect, output)),
                None => self.carry_out(place, output),
            }
        }
        let Some(process) = self.processes.get_mut(&place) else { return };
        if let Some(due) = process.core.next_timeout()
            && process.wake != Some(due)
        {
            process.wake = Some(due);
            let incarnation = process.incarnation;
            let delay = due.elapsed().saturating_sub(self.clock);
            self.schedule(delay, Delivery::Wake { to: place, incarnation });
        }
    }

    fn carry_out(&mut self, place: Place, output: Output<AnyEffect>) {
        match output {
            Output::Respond { client, request, message, .. } => self.respond(client, request, message),
            Output::Event { client, message, .. } => {
                if let Some(&(Caller::Daemon(to), (_, service))) = self.connections.get(&client) {
                    self.deliver(IPC_DELAY, to, Input::ServiceEvent { service, message });
                }
            }
            Output::Disconnect { client } => self.disconnect(client),
            Output::Call { service, call, respond, message } => {
                let server = (place.0, service);
                if let Some(&client) = self.clients.get(&(Caller::Daemon(place), server)) {
                    let input =
                        Input::ClientMessage { client, request: call, wants_response: respond, message };
                    self.deliver(IPC_DELAY, server, input);
                }
            }
            Output::Send { to, message, .. } => self.send(place, to.as_deref(), &message),
            Output::Log { level, text } => {
                let name = self.name(place.0);
                self.note(&name, &format!("{} {level:?}: {text}", place.1.program()));
            }
            Output::Effect { id, effect } => {
                let (now, node) = (self.now(), self.name(place.0));
                for (delay, event) in self.physics.effect(now, &node, place.1, effect) {
                    self.deliver(delay, place, Input::Done { effect: id, event });
                }
            }
            Output::Exit { code } => self.exit(place, code.value()),
        }
    }

    fn respond(&mut self, client: ClientId, request: i32, message: Element) {
        match self.connections.get(&client) {
            Some(&(Caller::Daemon(to), (_, service))) => {
                self.deliver(IPC_DELAY, to, Input::ServiceResponse { service, call: request, message });
            }
            Some((Caller::Outside, _)) => {
                self.answers.insert(request, message);
            }
            None => {}
        }
    }

    fn send(&mut self, from: Place, to: Option<&str>, message: &Element) {
        let Some(source) = self.network.nodes().iter().find(|node| node.id == from.0).cloned() else {
            return;
        };
        let receivers: Vec<u32> = self
            .network
            .nodes()
            .iter()
            .filter(|node| to.is_none_or(|to| to.eq_ignore_ascii_case(&node.name)))
            .filter(|node| self.network.can_hear(from.0, node.id))
            .map(|node| node.id)
            .collect();
        for id in receivers {
            let input = Input::ClusterMessage { from: source.clone(), message: message.clone() };
            self.deliver(CLUSTER_DELAY, (id, from.1), input);
        }
    }

    /// A daemon ends by itself.
    fn exit(&mut self, place: Place, code: i32) {
        let name = self.name(place.0);
        self.note(&name, &format!("{} exits with {code}", place.1.program()));
        self.processes.remove(&place);
        let ended: Vec<ClientId> = self
            .connections
            .iter()
            .filter(|(_, (caller, server))| *server == place || *caller == Caller::Daemon(place))
            .map(|(client, _)| *client)
            .collect();
        for client in ended {
            self.disconnect(client);
        }
        if let Some(group) = place.1.group() {
            self.network.leave(group, place.0);
            self.announce_membership();
        }
    }

    // --- connections --------------------------------------------------------------------------------------------

    fn connect(&mut self, caller: Caller, server: Place) -> Option<ClientId> {
        if let Some(&known) = self.clients.get(&(caller, server)) {
            return Some(known);
        }
        let caller_runs = match caller {
            Caller::Daemon(place) => self.processes.contains_key(&place),
            Caller::Outside => true,
        };
        if !caller_runs || !self.processes.contains_key(&server) {
            return None;
        }
        let client = ClientId(self.next_client);
        self.next_client += 1;
        self.connections.insert(client, (caller, server));
        self.clients.insert((caller, server), client);
        let credentials = Credentials { uid: 0, gid: 0, pid: 1, user: Arc::from("root"), privileged: true };
        let channel = server.1.ipc_name();
        self.deliver(IPC_DELAY, server, Input::ClientConnected { client, channel, credentials });
        if let Caller::Daemon(place) = caller {
            self.deliver(IPC_DELAY, place, Input::ServiceUp { service: server.1 });
        }
        Some(client)
    }

    fn disconnect(&mut self, client: ClientId) {
        let Some((caller, server)) = self.connections.remove(&client) else { return };
        self.clients.remove(&(caller, server));
        self.deliver(IPC_DELAY, server, Input::ClientGone { client });
        if let Caller::Daemon(place) = caller {
            self.deliver(IPC_DELAY, place, Input::ServiceDown { service: server.1 });
        }
    }

    // --- the queue ----------------------------------------------------------------------------------------------

    fn deliver(&mut self, delay: Duration, to: Place, input: Input<AnyEvent>) {
        if let Some(incarnation) = self.processes.get(&to).map(|process| process.incarnation) {
            self.schedule(delay, Delivery::Input { to, incarnation, input });
        }
    }

    fn schedule(&mut self, delay: Duration, delivery: Delivery) {
        self.sequence += 1;
        self.queue.insert((self.clock + delay, self.sequence), delivery);
    }

    /// Tells every daemon that is in a group who else is. Goes the way of messages, so it has its place in their order.
    fn announce_membership(&mut self) {
        let places: Vec<Place> = self.processes.keys().copied().collect();
        for place in places {
            if let Some(group) = place.1.group() {
                let membership = self.network.membership(group, place.0);
                self.deliver(CLUSTER_DELAY, place, Input::Membership(membership));
            }
        }
    }

    fn node(&self, name: &str) -> Option<ClusterNode> {
        self.network.nodes().iter().find(|node| &*node.name == name).cloned()
    }

    fn name(&self, id: u32) -> String {
        let node = self.network.nodes().iter().find(|node| node.id == id);
        node.map_or_else(|| id.to_string(), |node| node.name.to_string())
    }

    fn note(&mut self, node: &str, text: &str) {
        let at = self.clock;
        self.record.push(format!("{:>6}.{:06} {node} {text}", at.as_secs(), at.subsec_micros()));
    }
}

fn waits_for<F>(output: &Output<F>) -> Option<EffectId> {
    match output {
        Output::Respond { after, .. } | Output::Event { after, .. } | Output::Send { after, .. } => *after,
        _ => None,
    }
}
