// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencers of several nodes in one process and in virtual time: messages in one order for all, agents and the CIB played
//! by the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)] // helpers of several test programs

use fenced::core::{Capabilities, Config, Effect, Event, Fencer, Run};
use messages::cib;
use messages::core::{ClientId, ClusterNode, Core, Credentials, Input, Member, Membership, Output, Service};
use messages::fencer::{
    ActionResult, Command, Event as News, Fence, FenceNotice, HistoryEntry, Reply, Request, SupportFlags,
    Topic, history_from_xml, options,
};
use model::{ExitCode, Instant, LegacyRc, Now, WallTime};
use std::collections::BTreeMap;
use std::time::Duration;
use xml::Element;

/// What the agents do: by node and run, how long it takes and how it ends.
pub type AgentsPlay = Box<dyn FnMut(&str, &Run) -> (u64, ActionResult)>;

pub struct Node {
    pub core: Fencer,
    pub up: bool,
    /// Answers and news to clients, as they came.
    pub told: Vec<(ClientId, News)>,
    responses: BTreeMap<i32, Element>,
}

pub struct World {
    pub nodes: BTreeMap<String, Node>,
    pub now: Now,
    pub cib: Element,
    pub agents: AgentsPlay,
    /// Nodes and what their agents were told to do, in order.
    pub runs: Vec<(u64, String, Run)>,
    pub capabilities: Result<Capabilities, String>,
    /// How long an agent needs to describe itself.
    pub describe_ms: u64,
    pub log: Vec<String>,
    later: Vec<(Instant, u64, String, Input<Event>)>,
    sequence: u64,
    generation: u64,
    request: i32,
}

pub fn all_but(flags: &[SupportFlags]) -> Capabilities {
    let mut all = SupportFlags(SupportFlags::REBOOT.0 | SupportFlags::ON.0 | SupportFlags::STATUS.0);
    for flag in flags {
        all.remove(*flag);
    }
    Capabilities { flags: all, on_target: Vec::new(), host_argument: Some("plug".into()) }
}

pub fn failed(reason: &str) -> ActionResult {
    ActionResult { exit: ExitCode::ERROR, reason: Some(reason.into()), ..ActionResult::ok() }
}

/// A configuration with these primitives and whatever else.
pub fn configuration(resources: &str, more: &str) -> Element {
    let text = format!("<configuration><resources>{resources}</resources>{more}</configuration>");
    xml::parse(&text).unwrap()
}

/// A fence device.
pub fn device(id: &str, parameters: &[(&str, &str)]) -> String {
    let values = parameters
        .iter()
        .map(|(name, value)| format!("<nvpair id='{id}-{name}' name='{name}' value='{value}'/>"));
    let values: String = values.collect();
    format!(
        "<primitive id='{id}' class='stonith' type='fence_{id}'><instance_attributes id='{id}-i'>{values}\
         </instance_attributes></primitive>"
    )
}

impl World {
    /// Nodes n1 to n`count`, all there, with a CIB of which they have read the devices.
    pub fn new(count: u32, cib: Element) -> World {
        let mut world = World {
            nodes: BTreeMap::new(),
            now: Now { wall: WallTime::from_secs(100_000), ..Now::default() },
            cib,
            agents: Box::new(|_, _| (1_000, ActionResult::ok())),
            runs: Vec::new(),
            capabilities: Ok(all_but(&[])),
            describe_ms: 0,
            log: Vec::new(),
            later: Vec::new(),
            sequence: 0,
            generation: 0,
            request: 0,
        };
        for id in 1..=count {
            let core = Fencer::new(Config { pid: id }, world.now);
            let node = Node { core, up: true, told: Vec::new(), responses: BTreeMap::new() };
            world.nodes.insert(format!("n{id}"), node);
        }
        world
    }

    /// All join the cluster and read the CIB.
    pub fn start(mut self) -> World {
        for name in self.names() {
            self.feed(&name, Input::ClusterJoined { local: node(&name) });
        }
        self.members_changed();
        for name in self.names() {
            self.feed(&name, Input::ServiceUp { service: Service::Based });
        }
        self.pass(0);
        self
    }

    fn names(&self) -> Vec<String> {
        self.nodes.iter().filter(|(_, node)| node.up).map(|(name, _)| name.clone()).collect()
    }

    fn members_changed(&mut self) {
        self.generation += 1;
        let member = |(name, state): (&String, &Node)| Member {
            node: node(name),
            is_member: state.up,
            in_group: state.up,
        };
        let nodes = self.nodes.iter().map(member).collect();
        let membership = Membership { generation: self.generation, quorate: true, nodes };
        for name in self.names() {
            self.feed(&name, Input::Membership(membership.clone()));
        }
    }

    /// A node dies; the others are told.
    pub fn kill(&mut self, name: &str) {
        self.nodes.get_mut(name).unwrap().up = false;
        self.later.retain(|(_, _, node, _)| node != name);
        self.members_changed();
    }

    /// A node comes (back), knowing nothing.
    pub fn join(&mut self, name: &str) {
        let core = Fencer::new(Config { pid: 77 }, self.now);
        let fresh = Node { core, up: true, told: Vec::new(), responses: BTreeMap::new() };
        self.nodes.insert(name.to_owned(), fresh);
        self.feed(name, Input::ClusterJoined { local: node(name) });
        self.members_changed();
        self.feed(name, Input::ServiceUp { service: Service::Based });
        self.pass(0);
    }

    fn soon(&mut self, after_ms: u64, name: &str, input: Input<Event>) {
        self.sequence += 1;
        let at = self.now.instant + Duration::from_millis(after_ms);
        self.later.push((at, self.sequence, name.to_owned(), input));
    }

    pub fn feed(&mut self, name: &str, input: Input<Event>) {
        let now = self.now;
        let Some(node_state) = self.nodes.get_mut(name).filter(|node| node.up) else { return };
        node_state.core.handle(now, input);
        while let Some(output) = self.nodes.get_mut(name).unwrap().core.poll() {
            self.carry_out(name, output);
        }
    }

    fn carry_out(&mut self, name: &str, output: Output<Effect>) {
        match output {
            Output::Respond { client: _, request, message, .. } => {
                self.nodes.get_mut(name).unwrap().responses.insert(request, message);
            }
            Output::Event { client, message, .. } => {
                let news = News::from_xml(&message).unwrap_or_else(|| panic!("no news: {message}"));
                self.nodes.get_mut(name).unwrap().told.push((client, news));
            }
            Output::Send { to, message, .. } => {
                // Through the wire, so that nothing is relied on but what is written.
                let message = xml::parse(&message.to_string()).unwrap();
                for other in self.names() {
                    if to.as_ref().is_none_or(|to| **to == *other) {
                        let (from, message) = (node(name), message.clone());
                        self.soon(0, &other, Input::ClusterMessage { from, message });
                    }
                }
            }
            Output::Effect { id: effect, effect: Effect::Describe { .. } } => {
                let event = Event::Described(self.capabilities.clone());
                self.soon(self.describe_ms, name, Input::Done { effect, event });
            }
            Output::Effect { id: effect, effect: Effect::Run(run) } => {
                let (ms, result) = (self.agents)(name, &run);
                let at = u64::try_from(self.now.instant.elapsed().as_millis()).unwrap();
                self.runs.push((at, name.to_owned(), run));
                self.soon(ms, name, Input::Done { effect, event: Event::Exited { pid: Some(9), result } });
            }
            Output::Call { service: Service::Based, call, message, .. } => {
                self.cib_answers(name, call, &message)
            }
            Output::Log { text, .. } => self.log.push(format!("{name}: {text}")),
            other => panic!("unexpected: {other:?}"),
        }
    }

    fn cib_answers(&mut self, name: &str, call: i32, message: &Element) {
        let answer = match message.attr("cib_op") {
            Some("cib_query") => cib::Reply {
                op: "cib_query".into(),
                call_id: call,
                client_id: None,
                options: 0,
                rc: LegacyRc::OK,
                data: Some(self.cib.clone()),
            }
            .to_xml(),
            _ => cib::ack(ExitCode::OK),
        };
        self.soon(0, name, Input::ServiceResponse { service: Service::Based, call, message: answer });
    }

    /// The configuration changes, and everybody is told.
    pub fn change_cib(&mut self, cib: Element) {
        self.cib = cib;
        let patch =
            "<diff format='2'><change operation='modify' path='/cib/configuration/resources'/></diff>";
        let notification = cib::Notification {
            op: "cib_replace".into(),
            rc: LegacyRc::OK,
            client_id: None,
            client_name: None,
            call_id: None,
            origin: None,
            patch: xml::parse(patch).unwrap(),
        };
        for name in self.names() {
            let message = notification.to_xml();
            self.feed(&name, Input::ServiceEvent { service: Service::Based, message });
        }
        self.pass(1_000);
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now.instant + Duration::from_millis(ms);
        loop {
            let message = self.later.iter().map(|(at, sequence, ..)| (*at, *sequence)).min();
            let timers = self.nodes.iter().filter(|(_, node)| node.up);
            let timer =
                timers.filter_map(|(name, node)| Some((node.core.next_timeout()?, name.clone()))).min();
            let message_first = match (&message, &timer) {
                (Some((at, _)), Some((due, _))) => at <= due,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if message_first {
                let (at, sequence) = message.unwrap();
                if at > end {
                    break;
                }
                let index = self.later.iter().position(|entry| entry.1 == sequence).unwrap();
                let (_, _, name, input) = self.later.remove(index);
                self.advance_to(at);
                self.feed(&name, input);
            } else {
                let Some((due, name)) = timer.filter(|(due, _)| *due <= end) else { break };
                self.advance_to(due);
                self.feed(&name, Input::Tick);
            }
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, at: Instant) {
        self.now.wall = self.now.wall + at.since(self.now.instant);
        self.now.instant = self.now.instant.max(at);
    }

    /// A client connects to a node's fencer, registers and subscribes to outcomes.
    pub fn connect(&mut self, name: &str, client: u64, privileged: bool) -> ClientId {
        let client = ClientId(client);
        let credentials = Credentials { uid: 0, gid: 0, pid: 1, user: "root".into(), privileged };
        self.feed(name, Input::ClientConnected { client, channel: "stonith-ng", credentials });
        let hello = Request::Register { client_name: format!("client{}@{name}", client.0) };
        let answer = self.call(name, client, Command::new(hello, 0, options::SYNC, 0)).expect("a response");
        assert_eq!(answer.attr("st_op"), Some("register"));
        let subscribe = Request::Subscribe { topic: Topic::Fence, activate: true };
        self.call(name, client, Command::new(subscribe, 0, options::SYNC, 0)).expect("a response");
        client
    }

    /// Says something; the response, if it is there at once.
    pub fn call(&mut self, name: &str, client: ClientId, command: Command) -> Option<Element> {
        self.request += 1;
        let (request, wants_response) = (self.request, command.is_sync());
        let message = xml::parse(&command.to_xml().to_string()).unwrap();
        self.feed(name, Input::ClientMessage { client, request, wants_response, message });
        self.nodes.get_mut(name).unwrap().responses.remove(&request)
    }

    /// As [`World::call`], for requests that are answered at once.
    pub fn ask(&mut self, name: &str, client: ClientId, request: Request) -> Reply {
        let call_id = self.request + 1;
        let command = Command::new(request, call_id, options::SYNC, 20);
        let early = self.call(name, client, command);
        let answer = early.unwrap_or_else(|| {
            self.pass(0);
            let request = self.request;
            self.nodes.get_mut(name).unwrap().responses.remove(&request).expect("a response")
        });
        Reply::from_xml(&answer).unwrap()
    }

    /// Asks for a fencing without waiting; the number of the call.
    pub fn fence(&mut self, name: &str, client: ClientId, target: &str, action: &str) -> i32 {
        let call_id = self.request + 1;
        let fence = Fence { target: target.into(), action: action.into(), ..Fence::default() };
        assert!(self.call(name, client, Command::new(Request::Fence(fence), call_id, 0, 20)).is_none());
        call_id
    }

    /// The answer to a call that was not waited for.
    pub fn answer(&self, name: &str, client: ClientId, call_id: i32) -> Option<ActionResult> {
        let told = self.nodes[name].told.iter();
        told.filter(|(to, _)| *to == client).find_map(|(_, news)| match news {
            News::Reply(reply) if reply.call_id == call_id => Some(reply.result.clone()),
            _ => None,
        })
    }

    /// What a client was told of outcomes.
    pub fn notices(&self, name: &str, client: ClientId) -> Vec<FenceNotice> {
        let told = self.nodes[name].told.iter();
        let notices = told.filter(|(to, _)| *to == client).filter_map(|(_, news)| match news {
            News::Fence(notice) => Some((**notice).clone()),
            _ => None,
        });
        notices.collect()
    }

    pub fn history(&mut self, name: &str, client: ClientId) -> Vec<HistoryEntry> {
        let reply = self.ask(name, client, Request::History { target: None, known: None });
        history_from_xml(&reply.data.unwrap()).0
    }

    /// Who did what to whom with which agent, in order: `n1 off n3 fence_a`.
    pub fn deeds(&self) -> Vec<String> {
        let text = |(_, node, run): &(u64, String, Run)| {
            format!("{node} {} {} {}", run.action, run.target.as_deref().unwrap_or("-"), run.agent)
        };
        self.runs.iter().map(text).collect()
    }

    pub fn has_logged(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }
}

fn node(name: &str) -> ClusterNode {
    ClusterNode { id: name.trim_start_matches('n').parse().unwrap(), name: name.into() }
}
