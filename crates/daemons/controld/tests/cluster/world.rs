// SPDX-License-Identifier: GPL-2.0-or-later
//! Controllers of several nodes wired together, with the simplest other daemons that keep their word: one CIB for all
//! (with the real operations), executors that remember what runs, a power switch, a scheduler that the test plays.

use controld::core::{Config, Controld, Event};
use messages::attrd::{Body, Message, Update};
use messages::cib::{Command as CibCommand, Notification, Reply as CibReply};
use messages::controller::{Envelope, ack};
use messages::core::{
    ClientId, ClusterNode, Core, Credentials, Input, Level, Member, Membership, Output, Service,
};
use messages::execd::{self, Notify, OpResult, Reply, ReplyBody, Request};
use messages::fencer::{self, ActionResult, FenceNotice, OpState};
use model::{ExecStatus, ExitCode, Instant, LegacyRc, Now, OcfCode, Profile, WallTime};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use xml::Element;

pub const EPOCH: i64 = 1_700_000_000;

pub struct Node {
    pub core: Controld,
    pub node: ClusterNode,
    pub up: bool,
    pub exit: Option<ExitCode>,
    next_call_id: i32,
}

/// What the scheduler answers, given the CIB.
pub type Planner = Box<dyn FnMut(&Element) -> Element>;

pub struct World {
    pub nodes: Vec<Node>,
    pub cib: Element,
    pub now: Duration,
    pub log: Vec<(String, Level, String)>,
    /// `node resource_action_interval`, in the order in which executors were asked.
    pub executed: Vec<String>,
    /// What runs: resource and node.
    pub running: BTreeSet<(String, String)>,
    /// Results other than the natural ones, by `resource_action_interval`.
    pub results: BTreeMap<String, (ExecStatus, i32)>,
    /// Executors that do not answer.
    pub silent: BTreeSet<String>,
    pub fenced: Vec<String>,
    /// The power switch fails so many times.
    pub stuck: u32,
    pub attributes: Vec<(String, String, String)>,
    pub to_clients: Vec<(ClientId, Element)>,
    pub plans: usize,
    planner: Planner,
    queue: VecDeque<(usize, Input<Event>)>,
    generation: u64,
}

impl World {
    pub fn new(names: &[&str], planner: Planner) -> World {
        let mut world = World {
            nodes: Vec::new(),
            cib: cib::empty(Profile::V3_0),
            now: Duration::from_secs(10),
            log: Vec::new(),
            executed: Vec::new(),
            running: BTreeSet::new(),
            results: BTreeMap::new(),
            silent: BTreeSet::new(),
            fenced: Vec::new(),
            stuck: 0,
            attributes: Vec::new(),
            to_clients: Vec::new(),
            plans: 0,
            planner,
            queue: VecDeque::new(),
            generation: 0,
        };
        for (index, name) in names.iter().enumerate() {
            let node = ClusterNode { id: index as u32 + 1, name: (*name).into() };
            let core = Controld::new(config(index), world.now());
            world.nodes.push(Node { core, node, up: false, exit: None, next_call_id: 0 });
        }
        world
    }

    pub fn now(&self) -> Now {
        Now {
            instant: Instant::since_origin(self.now),
            wall: WallTime::from_secs(EPOCH + self.now.as_secs() as i64),
            cpu: Duration::from_millis(5),
        }
    }

    /// Powers a node on: its daemons come up, the cluster sees it.
    pub fn boot(&mut self, index: usize) {
        let now = self.now();
        self.nodes[index].core = Controld::new(config(index + 100 * self.generation as usize), now);
        self.nodes[index].up = true;
        self.nodes[index].exit = None;
        let local = self.nodes[index].node.clone();
        self.queue.push_back((index, Input::ClusterJoined { local }));
        let services = [Service::Based, Service::Execd, Service::Fenced, Service::Attrd, Service::Schedulerd];
        for service in services {
            self.queue.push_back((index, Input::ServiceUp { service }));
        }
        self.membership();
    }

    pub fn boot_all(&mut self) {
        for index in 0..self.nodes.len() {
            self.boot(index);
        }
    }

    /// Cuts a node's power.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].up = false;
        let name = self.nodes[index].node.name.to_string();
        self.running.retain(|(_, node)| *node != name);
        self.queue.retain(|(to, _)| *to != index);
        self.membership();
    }

    fn membership(&mut self) {
        self.generation += 1;
        let up = self.nodes.iter().filter(|node| node.up).count();
        let members = self.nodes.iter().map(|node| Member {
            node: node.node.clone(),
            is_member: node.up,
            in_group: node.up,
        });
        let nodes = members.collect();
        let membership =
            Membership { generation: self.generation, quorate: up * 2 > self.nodes.len(), nodes };
        self.tell_all(|| Input::Membership(membership.clone()));
    }

    fn tell_all(&mut self, input: impl Fn() -> Input<Event>) {
        for index in 0..self.nodes.len() {
            if self.nodes[index].up {
                self.queue.push_back((index, input()));
            }
        }
    }

    pub fn input(&mut self, index: usize, input: Input<Event>) {
        self.queue.push_back((index, input));
        self.settle();
    }

    /// Delivers all that is under way, at this moment.
    pub fn settle(&mut self) {
        let mut delivered = 0;
        while let Some((index, input)) = self.queue.pop_front() {
            delivered += 1;
            assert!(delivered < 200_000, "messages without end; last log: {:?}", self.tail());
            if !self.nodes[index].up {
                continue;
            }
            let now = self.now();
            self.nodes[index].core.handle(now, input);
            while let Some(output) = self.nodes[index].core.poll() {
                self.output(index, output);
            }
        }
    }

    /// Lets time pass, from one timer to the next.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        self.settle();
        loop {
            let timers = self.nodes.iter().enumerate().filter(|(_, node)| node.up);
            let next =
                timers.filter_map(|(index, node)| Some((node.core.next_timeout()?.elapsed(), index))).min();
            match next.filter(|(at, _)| *at <= end) {
                Some((at, index)) => {
                    self.now = self.now.max(at);
                    self.input(index, Input::Tick);
                }
                None => {
                    self.now = end;
                    return;
                }
            }
        }
    }

    pub fn states(&self) -> Vec<&'static str> {
        self.nodes.iter().map(|node| if node.up { node.core.state_name() } else { "off" }).collect()
    }

    pub fn dc(&self) -> Option<usize> {
        let leads = |state: &str| {
            matches!(
                state,
                "S_IDLE" | "S_INTEGRATION" | "S_FINALIZE_JOIN" | "S_POLICY_ENGINE" | "S_TRANSITION_ENGINE"
            )
        };
        let mut leaders = (0..self.nodes.len()).filter(|&index| leads(self.states()[index]));
        let first = leaders.next();
        assert!(leaders.next().is_none(), "two DCs: {:?}", self.states());
        first
    }

    pub fn has_logged(&self, text: &str) -> bool {
        self.log.iter().any(|(_, _, line)| line.contains(text))
    }

    pub fn tail(&self) -> Vec<String> {
        let skipped = self.log.len().saturating_sub(40);
        self.log.iter().skip(skipped).map(|(node, _, text)| format!("{node}: {text}")).collect()
    }

    pub fn node_state(&self, index: usize) -> Option<&Element> {
        let id = self.nodes[index].node.id.to_string();
        self.cib.child("status")?.child_with_id("node_state", &id)
    }

    pub fn history(&self, index: usize, resource: &str, entry: &str) -> Option<&Element> {
        let resources = self.node_state(index)?.descend(&["lrm", "lrm_resources"])?;
        resources.child_with_id("lrm_resource", resource)?.child_with_id("lrm_rsc_op", entry)
    }

    pub fn connect(&mut self, index: usize, client: u64, privileged: bool) -> ClientId {
        let credentials = Credentials { uid: 1000, gid: 1000, pid: 77, user: "alice".into(), privileged };
        let client = ClientId(client);
        self.input(index, Input::ClientConnected { client, channel: "crmd", credentials });
        client
    }

    pub fn ask(&mut self, index: usize, client: ClientId, message: Envelope) {
        let message = message.to_xml("test", Profile::V3_0.feature_set());
        let input = Input::ClientMessage { client, request: 1, wants_response: true, message };
        self.input(index, input);
    }

    // --- outputs ------------------------------------------------------------------------------------------------

    fn output(&mut self, index: usize, output: Output<controld::core::Effect>) {
        let name = self.nodes[index].node.name.to_string();
        match output {
            Output::Log { level, text } => self.log.push((name, level, text)),
            Output::Exit { code } => {
                self.nodes[index].exit = Some(code);
                self.nodes[index].up = false;
                self.log.push((name, Level::Info, format!("exits with {}", code.value())));
                self.membership();
            }
            Output::Send { to, message, .. } => {
                let from = self.nodes[index].node.clone();
                // As it travels.
                let message = xml::parse(&message.to_string()).unwrap();
                for target in 0..self.nodes.len() {
                    let hears = to.as_deref().is_none_or(|to| *to == *self.nodes[target].node.name);
                    if hears && self.nodes[target].up {
                        let input = Input::ClusterMessage { from: from.clone(), message: message.clone() };
                        self.queue.push_back((target, input));
                    }
                }
            }
            Output::Call { service, call, respond, message } => {
                let message = xml::parse(&message.to_string()).unwrap();
                let response = match service {
                    Service::Based => self.based(index, &message),
                    Service::Execd => self.execd(index, &message),
                    Service::Fenced => self.fenced(index, &message),
                    Service::Attrd => self.attrd(&message),
                    Service::Schedulerd => self.schedulerd(index, &message),
                    _ => None,
                };
                if respond && let Some(message) = response {
                    let input = Input::ServiceResponse { service, call, message };
                    self.queue.push_back((index, input));
                }
            }
            Output::Event { client, message, .. } => self.to_clients.push((client, message)),
            Output::Respond { client, message, .. } => self.to_clients.push((client, message)),
            Output::Disconnect { client } => {
                self.to_clients.push((client, Element::new("disconnected")));
            }
            Output::Effect { effect, .. } => match effect {},
        }
    }

    fn event(&mut self, index: usize, service: Service, message: Element) {
        self.queue.push_back((index, Input::ServiceEvent { service, message }));
    }

    // --- the other daemons --------------------------------------------------------------------------------------

    fn based(&mut self, index: usize, message: &Element) -> Option<Element> {
        match message.attr("cib_op") {
            Some("register") => return Some(messages::cib::registered("c", Profile::V3_0)),
            Some("cib_notify") => return Some(messages::cib::ack(ExitCode::OK)),
            _ => {}
        }
        let number = |name: &str| message.attr(name).unwrap().parse::<i32>().unwrap();
        let (rc, data) = match message.attr("cib_op").unwrap() {
            "cib_master" | "cib_slave" | "cib_sync" => (LegacyRc::OK, None),
            "cib_query" => {
                let request = cib::Request::from_message(message).unwrap();
                match cib::query(&self.cib, &request, &cib::Context::default()) {
                    Ok(data) => (LegacyRc::OK, Some(data)),
                    Err(refusal) => (refusal.rc(), None),
                }
            }
            _ => (self.change(message, "crmd"), None),
        };
        let reply = CibReply {
            op: message.attr("cib_op").unwrap().to_owned(),
            call_id: number("cib_callid"),
            client_id: None,
            options: 0,
            rc,
            data,
        };
        self.event(index, Service::Based, reply.to_xml());
        None
    }

    /// Changes the CIB of all nodes, and tells all of them.
    pub fn change(&mut self, message: &Element, client: &str) -> LegacyRc {
        let request = cib::Request::from_message(message).unwrap();
        let context = cib::Context {
            profile: Profile::V3_0,
            feature_set: Some(Profile::V3_0.feature_set()),
            last_written: "now".into(),
            ..cib::Context::default()
        };
        match cib::perform(&self.cib, &request, &context) {
            Ok(outcome) => {
                self.cib = outcome.cib;
                if let Some(patch) = outcome.patch {
                    let notification = Notification {
                        op: message.attr("cib_op").unwrap().to_owned(),
                        rc: LegacyRc::OK,
                        client_id: None,
                        client_name: Some(client.to_owned()),
                        call_id: None,
                        origin: None,
                        patch,
                    };
                    let message = notification.to_xml();
                    self.tell_all(|| Input::ServiceEvent {
                        service: Service::Based,
                        message: message.clone(),
                    });
                }
                LegacyRc::OK
            }
            Err(refusal) => {
                let text = format!("CIB refuses {message}: {refusal}");
                self.log.push(("cib".into(), Level::Error, text));
                refusal.rc()
            }
        }
    }

    /// What a daemon of the cluster would write.
    pub fn modify(&mut self, section: &str, data: &str) {
        self.modify_as("crmd", section, data);
    }

    /// What an administrator does.
    pub fn modify_as(&mut self, client: &str, section: &str, data: &str) {
        let data = xml::parse(data).unwrap();
        let command = CibCommand::new("cib_modify", 1, messages::cib::option::CAN_CREATE);
        let rc = self.change(&command.section(section).data(data).to_xml(), client);
        assert!(rc.is_ok(), "{:?}", self.tail());
        self.settle();
    }

    fn execd(&mut self, index: usize, message: &Element) -> Option<Element> {
        let command = execd::Command::from_xml(message).unwrap();
        let name = self.nodes[index].node.name.to_string();
        let mut reply = Reply { rc: 0, call_id: 0, body: ReplyBody::None };
        match command.request {
            Request::Register { .. } => {
                reply.body = ReplyBody::Registered { client_id: "c".into(), uptime_s: 0 };
            }
            Request::Exec(exec) => {
                self.nodes[index].next_call_id += 1;
                reply.rc = self.nodes[index].next_call_id;
                let key = format!("{}_{}_{}", exec.resource, exec.action, exec.interval.as_ms());
                self.executed.push(format!("{name} {key}"));
                if self.silent.contains(&name) {
                    return Some(reply.to_xml());
                }
                let natural = self.agent(&name, &exec.resource, &exec.action);
                let (status, rc) = self.results.get(&key).copied().unwrap_or((ExecStatus::Done, natural));
                let now = self.now().wall;
                let result = OpResult {
                    call_id: reply.rc,
                    resource: exec.resource,
                    action: exec.action,
                    interval: exec.interval,
                    timeout_ms: exec.timeout_ms,
                    start_delay_ms: exec.start_delay_ms,
                    user_data: exec.user_data,
                    rc: OcfCode::new(rc),
                    status,
                    exit_reason: None,
                    output: None,
                    resource_deleted: false,
                    run_time: now,
                    rc_change_time: now,
                    exec_time_ms: 5,
                    queue_time_ms: 0,
                    parameters: exec.parameters,
                };
                // Sometimes the event overtakes the response.
                let event = Notify::Executed(Box::new(result)).to_xml();
                self.event(index, Service::Execd, event);
            }
            Request::Cancel { resource, action, interval } => {
                self.executed.push(format!("{name} cancel {resource}_{action}_{}", interval.as_ms()));
                reply.rc = LegacyRc::EOPNOTSUPP.value();
            }
            _ => {}
        }
        Some(reply.to_xml())
    }

    fn agent(&mut self, node: &str, resource: &str, action: &str) -> i32 {
        let here = (resource.to_owned(), node.to_owned());
        match action {
            "start" => {
                let elsewhere = self.running.iter().find(|(id, on)| id == resource && on != node);
                assert!(elsewhere.is_none(), "{resource} runs twice: {:?}", self.running);
                self.running.insert(here);
                0
            }
            "stop" => {
                self.running.remove(&here);
                0
            }
            "monitor" if self.running.contains(&here) => 0,
            "monitor" => 7,
            _ => 3,
        }
    }

    fn fenced(&mut self, index: usize, message: &Element) -> Option<Element> {
        let command = fencer::Command::from_xml(message).unwrap();
        let fencer::Request::Fence(fence) = &command.request else {
            return Some(fencer::registered(&format!("client-{index}")));
        };
        let target = fence.target.clone();
        let succeeds = self.stuck == 0;
        self.stuck = self.stuck.saturating_sub(1);
        let result = if succeeds {
            self.fenced.push(target.clone());
            let victim = self.nodes.iter().position(|node| *node.node.name == *target).unwrap();
            if self.nodes[victim].up {
                self.kill(victim);
            }
            ActionResult::ok()
        } else {
            ActionResult::not_done(ExecStatus::Error, "the switch is stuck")
        };
        let notice = FenceNotice {
            remote_op: format!("op-{}", self.fenced.len()),
            state: if succeeds { OpState::Done } else { OpState::Failed },
            target,
            action: fence.action.clone(),
            delegate: Some(self.nodes[index].node.name.to_string()),
            origin: self.nodes[index].node.name.to_string(),
            client_id: Some(format!("client-{index}")),
            client_name: Some("pacemaker-controld".into()),
            result: result.clone(),
        };
        let notice = notice.to_event();
        self.tell_all(|| Input::ServiceEvent { service: Service::Fenced, message: notice.clone() });
        let reply = fencer::Reply::to(&command, result).to_xml(&command);
        self.event(index, Service::Fenced, reply);
        None
    }

    fn attrd(&mut self, message: &Element) -> Option<Element> {
        match Message::from_xml(message).unwrap().body {
            Body::Update(updates) => {
                for update in updates {
                    self.attribute(update);
                }
            }
            Body::PeerRemove { host: Some(host), .. } => {
                let xpath = format!("//node_state[@uname='{host}']/transient_attributes");
                let delete = CibCommand::new("cib_delete", 1, messages::cib::option::XPATH);
                self.change(&delete.section(&xpath).to_xml(), "attrd");
            }
            _ => {}
        }
        Some(messages::attrd::ack("attrd", ExitCode::INDETERMINATE))
    }

    fn attribute(&mut self, update: Update) {
        let (host, name) = (update.host.unwrap(), update.name.unwrap());
        let value = update.value.unwrap_or_default();
        self.attributes.push((host.clone(), name.clone(), value.clone()));
        let node = self.nodes.iter().find(|node| *node.node.name == *host).unwrap().node.clone();
        let id = format!("status-{}", node.id);
        let pair = Element::new("nvpair")
            .with_attr("id", format!("{id}-{}", name.replace('#', ".")))
            .with_attr("name", &name)
            .with_attr("value", &value);
        let set = Element::new("instance_attributes").with_attr("id", &id).with_child(pair);
        let attributes = Element::new("transient_attributes").with_attr("id", node.id).with_child(set);
        let state = Element::new("node_state")
            .with_attr("id", node.id)
            .with_attr("uname", &*node.name)
            .with_child(attributes);
        let command = CibCommand::new("cib_modify", 1, messages::cib::option::CAN_CREATE);
        let data = Element::new("status").with_child(state);
        self.change(&command.section("status").data(data).to_xml(), "attrd");
    }

    fn schedulerd(&mut self, index: usize, message: &Element) -> Option<Element> {
        let request = Envelope::from_xml(message).unwrap();
        assert_eq!(request.task, "pe_calc");
        let cib = request.payload.clone().unwrap();
        assert_eq!(cib.attr("dc-uuid"), Some(self.nodes[index].node.id.to_string().as_str()));
        self.plans += 1;
        let mut graph = (self.planner)(&cib);
        graph.set_attr("transition_id", self.plans);
        let mut reply = request.reply(Some(graph));
        reply.extra.push(("crm-tgraph-in", format!("pe-input-{}.bz2", self.plans)));
        self.event(index, Service::Schedulerd, reply.to_xml("test", Profile::V3_0.feature_set()));
        Some(ack("pe", ExitCode::INDETERMINATE))
    }
}

fn config(index: usize) -> Config {
    Config {
        profile: Profile::V3_0,
        uuid: format!("00000000-0000-4000-8000-{index:012}"),
        build: "test".into(),
        infrastructure: "corosync".into(),
        have_watchdog: false,
        start_in_standby: None,
    }
}
