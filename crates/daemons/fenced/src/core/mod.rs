// SPDX-License-Identifier: GPL-2.0-or-later
//! The fencer's decisions.
//!
//! [`Fencer`] hears clients and peers. What follows is in files of their own: the devices of this node (`device`,
//! `devices`) from the CIB (`configuration`, `cib`) and from clients; what is done with them here (`jobs`), which of them
//! can fence somebody (`search`); operations of the whole cluster, from the request to the broadcast of their outcome
//! (`operation`, `fencing`, `outcome`), with levels (`topology`); what was fenced (`history`).
//!
//! Everything between fencers goes through the cluster's messages, to this node itself, too: so all nodes record the same.

mod cib;
mod configuration;
mod device;
mod devices;
mod fencing;
mod history;
mod jobs;
mod operation;
mod outcome;
mod search;
mod timers;
mod topology;

pub use device::Capabilities;

use device::Device;
use jobs::{Asker, Job};
use messages::core::{ClientId, ClusterNode, Core, EffectId, Input, Level, Membership, Output, Service};
use messages::execd::Parameters;
use messages::fencer::{
    ActionResult, Command, Event as News, FenceReply, QueryReply, Reply, Request, Topic, options, registered,
};
use messages::ids::Ids;
use model::{ExecStatus, ExitCode, Instant, Now};
use operation::Operation;
use search::Search;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use timers::{Timer, Timers};
use topology::Topology;
use xml::Element;

/// What the fencer is told at its start.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Its process, for those who read of operations it has relayed.
    pub pid: u32,
}

/// What the fencer wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Run a fence agent. Exactly one [`Event::Exited`] follows: at the latest when the timeout is over (and the agent
    /// with all it has started killed).
    Run(Run),
    /// Ask an agent what it can do. One [`Event::Described`] follows.
    Describe {
        /// Which.
        agent: String,
    },
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `fence_…`.
    pub agent: String,
    /// `off`, `reboot`, `monitor`, `list`, …
    pub action: String,
    /// Which node.
    pub target: Option<String>,
    /// What the device calls it.
    pub alias: Option<String>,
    /// The device's parameters, the fencer's own included.
    pub parameters: Parameters,
    /// How the agent wants to be told its target.
    pub host_argument: Option<String>,
    /// How long it may take.
    pub timeout_s: u32,
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The agent has ended.
    Exited {
        /// Its process.
        pid: Option<u32>,
        /// How it ended.
        result: ActionResult,
    },
    /// The agent has said what it can do, or why it cannot be asked.
    Described(Result<Capabilities, String>),
}

/// A connected client.
#[derive(Debug)]
struct Client {
    /// Its id, as it was told, and as peers know it.
    id: String,
    /// What it calls itself, and its process.
    name: String,
    pid: u32,
    privileged: bool,
    topics: BTreeSet<Topic>,
    /// Requests for which it waits, by its number of the call.
    waiting: BTreeMap<i32, i32>,
}

/// The fencer.
#[derive(Debug)]
pub struct Fencer {
    config: Config,
    ids: Ids,
    local: Option<ClusterNode>,
    /// Active fencers, by their node's name; this one is among them.
    peers: BTreeSet<String>,
    /// All nodes' names, by number.
    names: BTreeMap<u32, String>,
    clients: BTreeMap<ClientId, Client>,
    devices: BTreeMap<String, Device>,
    agents: BTreeMap<String, devices::Agent>,
    topology: Topology,
    jobs: BTreeMap<u64, Job>,
    searches: BTreeMap<u64, Search>,
    operations: BTreeMap<String, Operation>,
    effects: BTreeMap<EffectId, Purpose>,
    timers: Timers,
    cib: cib::Link,
    /// Numbers jobs, searches and effects.
    counter: u64,
    broadcasts: u64,
    outputs: VecDeque<Output<Effect>>,
}

/// What an effect is for.
#[derive(Debug)]
enum Purpose {
    Job(u64),
    Describe(String),
}

/// "node" of whatever must not end up there before the cluster has told.
const NOBODY: &str = "";

impl Fencer {
    /// With no cluster, devices or clients yet. Nothing in it depends on when it begins.
    pub fn new(config: Config, _now: Now) -> Fencer {
        Fencer {
            config,
            ids: Ids::new("fenced", NOBODY),
            local: None,
            peers: BTreeSet::new(),
            names: BTreeMap::new(),
            clients: BTreeMap::new(),
            devices: BTreeMap::new(),
            agents: BTreeMap::new(),
            topology: Topology::default(),
            jobs: BTreeMap::new(),
            searches: BTreeMap::new(),
            operations: BTreeMap::new(),
            effects: BTreeMap::new(),
            timers: Timers::default(),
            cib: cib::Link::default(),
            counter: 0,
            broadcasts: 0,
            outputs: VecDeque::new(),
        }
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }

    fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn local_name(&self) -> &str {
        self.local.as_ref().map_or(NOBODY, |node| &node.name)
    }

    fn is_local(&self, node: &str) -> bool {
        self.local.as_ref().is_some_and(|local| local.name.eq_ignore_ascii_case(node))
    }

    fn is_active(&self, node: &str) -> bool {
        self.peers.iter().any(|peer| peer.eq_ignore_ascii_case(node))
    }

    fn start_effect(&mut self, purpose: Purpose, effect: Effect) -> EffectId {
        let id = EffectId(self.next_number());
        self.effects.insert(id, purpose);
        self.outputs.push_back(Output::Effect { id, effect });
        id
    }

    /// To one peer, or to all (this one included).
    fn send(&mut self, to: Option<&str>, message: Element) {
        self.outputs.push_back(Output::Send { to: to.map(Arc::from), message, after: None });
    }

    fn tell(&mut self, topic: Topic, news: &News) {
        let Some(message) = news.to_xml() else { return };
        for (client, known) in &self.clients {
            if known.topics.contains(&topic) {
                let (client, message) = (*client, message.clone());
                self.outputs.push_back(Output::Event { client, message, after: None });
            }
        }
    }

    fn tell_history_changed(&mut self) {
        self.tell(Topic::History, &News::HistoryChanged);
    }

    /// Answers a request: a client by response or event as it wished, a peer by message.
    fn answer(&mut self, asker: &Asker, command: &Command, message: Element) {
        match asker {
            Asker::Peer(peer) => self.send(Some(&peer.clone()), message),
            Asker::Client(client) => {
                let Some(known) = self.clients.get_mut(client) else { return };
                let waiting = if command.is_sync() { known.waiting.remove(&command.call_id) } else { None };
                let client = *client;
                self.outputs.push_back(match waiting {
                    Some(request) => Output::Respond { client, request, message, after: None },
                    None => Output::Event { client, message, after: None },
                });
            }
        }
    }

    fn reply(&mut self, asker: &Asker, command: &Command, result: ActionResult) {
        if command.options & options::DISCARD_REPLY == 0 {
            self.answer(asker, command, Reply::to(command, result).to_xml(command));
        }
    }

    fn client_message(&mut self, client: ClientId, request: i32, wants: bool, message: &Element, now: Now) {
        let node = self.local.as_ref().map(|local| local.name.to_string());
        let Some(known) = self.clients.get_mut(&client) else { return };
        let respond = |message| Output::Respond { client, request, message, after: None };
        let mut command = match Command::from_xml(message) {
            Ok(command) => command,
            Err(error) => {
                let name = known.name.clone();
                let result = ActionResult::bad_request(error.to_string());
                let mut answer = Element::new("st-reply").with_attr("t", "stonith-ng");
                answer.set_attr_opt("st_op", message.attr("st_op"));
                answer.set_attr_opt("st_callid", message.attr("st_callid"));
                result.write(&mut answer);
                if wants {
                    self.outputs.push_back(respond(answer));
                }
                self.log(Level::Warning, format!("Ignoring a message of client {name}: {error}"));
                return;
            }
        };
        // Who it is, it is not asked: the connection says.
        command.client.id = Some(known.id.clone());
        command.client.name = Some(known.name.clone());
        command.client.node = node;
        match &command.request {
            Request::Register { client_name } => {
                known.name = format!("{client_name}.{}", known.pid);
                self.outputs.push_back(respond(registered(&known.id)));
            }
            Request::Subscribe { topic, activate } => {
                if *activate {
                    known.topics.insert(*topic);
                } else {
                    known.topics.remove(topic);
                }
                if wants {
                    let ack = messages::controller::ack("fenced", ExitCode::OK);
                    self.outputs.push_back(respond(ack));
                }
            }
            _ => {
                if wants {
                    known.waiting.insert(command.call_id, request);
                }
                let privileged = known.privileged;
                self.carry_out(client, privileged, command, now);
            }
        }
    }

    fn carry_out(&mut self, client: ClientId, privileged: bool, command: Command, now: Now) {
        let asker = Asker::Client(client);
        match command.request.clone() {
            Request::Fence(fence) => self.fence_for_client(client, command, fence, now),
            Request::Query { target, action } => self.query(asker, command, target, action, now),
            Request::Execute { device, action, target } => {
                self.execute(asker, command, &device, action, target, now);
            }
            Request::History { target, .. } => {
                let by_number = command.options & options::TARGET_IS_NODE_ID != 0;
                let target = target.map(|target| if by_number { self.name_of(&target) } else { target });
                self.history_for_client(client, &command, target.as_deref());
            }
            Request::RegisterDevice(device) => {
                let (id, topic) = (device.id.clone(), Topic::DeviceRegistered);
                let result = if privileged {
                    self.register_device(device, devices::Origin::Client, now);
                    ActionResult::ok()
                } else {
                    ActionResult::not_permitted("Unprivileged users must register device via CIB")
                };
                self.configured(&asker, &command, topic, id, result);
            }
            Request::RemoveDevice { id } => {
                let topic = Topic::DeviceRemoved;
                let result = if privileged {
                    self.remove_device(&id, devices::Origin::Client, now);
                    ActionResult::ok()
                } else {
                    ActionResult::not_permitted("Unprivileged users must delete device via CIB")
                };
                self.configured(&asker, &command, topic, id, result);
            }
            Request::AddLevel(level) => {
                let (what, topic) = (format!("{:?}[{}]", level.target, level.index), Topic::LevelAdded);
                let result = if privileged {
                    self.topology.add(level);
                    ActionResult::ok()
                } else {
                    ActionResult::not_permitted("Unprivileged users must add level via CIB")
                };
                self.configured(&asker, &command, topic, what, result);
            }
            Request::RemoveLevel(level) => {
                let (what, topic) = (format!("{:?}[{}]", level.target, level.index), Topic::LevelRemoved);
                let result = if privileged {
                    self.topology.remove(&level);
                    ActionResult::ok()
                } else {
                    ActionResult::not_permitted("Unprivileged users must delete level via CIB")
                };
                self.configured(&asker, &command, topic, what, result);
            }
            // Nothing is kept of nodes that the cluster layer does not report any more.
            Request::Other { op } if op == "rm_node_cache" => {
                self.reply(&asker, &command, ActionResult::ok());
            }
            Request::Register { .. }
            | Request::Subscribe { .. }
            | Request::Relay(_)
            | Request::TimeoutUpdate
            | Request::Other { .. } => {
                let op = command.request.op().to_owned();
                let name = command.client.name.clone().unwrap_or_default();
                self.log(Level::Error, format!("Unknown IPC request {op} from client {name}"));
                let result = ActionResult::bad_request(format!("Unknown request type '{op}'"));
                self.reply(&asker, &command, result);
            }
        }
    }

    fn configured(
        &mut self,
        asker: &Asker,
        command: &Command,
        topic: Topic,
        what: String,
        result: ActionResult,
    ) {
        self.reply(asker, command, result.clone());
        self.tell(topic, &News::Configuration { topic, what, result });
    }

    fn peer_message(&mut self, from: &ClusterNode, message: &Element, now: Now) {
        if self.local.is_none() {
            return;
        }
        if message.name() == "st-reply" {
            if let Some(reply) = QueryReply::from_xml(message) {
                self.query_answered(&from.name, reply, now);
            } else if let Some(reply) = FenceReply::from_xml(message) {
                self.fence_answered(&from.name, &reply, message, now);
            } else {
                self.log(Level::Warning, format!("Ignoring an answer of {} that makes no sense", from.name));
            }
            return;
        }
        let mut command = match Command::from_xml(message) {
            Ok(command) => command,
            Err(error) => {
                self.log(Level::Warning, format!("Ignoring a message of {}: {error}", from.name));
                return;
            }
        };
        let asker = Asker::Peer(from.name.to_string());
        match command.request.clone() {
            Request::Query { target, action } => {
                self.record_query(&command, &from.name, now);
                self.query(asker, command, target, action, now);
            }
            Request::Fence(fence) => {
                command.origin.get_or_insert_with(|| from.name.to_string());
                self.fence_here(asker, command, fence, now);
            }
            Request::Relay(fence) => self.relayed(&from.name, command, fence, now),
            Request::History { target, known } => {
                let is_self = self.is_local(&from.name);
                self.history_from_peer(is_self, &command, target.as_deref(), known.as_ref(), now);
            }
            Request::TimeoutUpdate => self.pass_on_timeout(&command),
            // Others ask only so that they are heard.
            _ => {}
        }
    }

    fn pass_on_timeout(&mut self, command: &Command) {
        let news = News::Timeout { call_id: command.call_id, timeout_s: command.timeout_s };
        let Some(message) = news.to_xml() else { return };
        if let Some(client) = self.client_of(command.client.id.as_deref()) {
            self.outputs.push_back(Output::Event { client, message, after: None });
        }
    }

    fn client_of(&self, id: Option<&str>) -> Option<ClientId> {
        let id = id?;
        self.clients.iter().find(|(_, known)| known.id == id).map(|(client, _)| *client)
    }

    fn membership(&mut self, membership: &Membership, now: Now) {
        let peers: BTreeSet<String> = membership.peers().map(|node| node.name.to_string()).collect();
        let before = std::mem::replace(&mut self.peers, peers);
        self.names = membership.nodes.iter().map(|m| (m.node.id, m.node.name.to_string())).collect();
        if self.local.is_none() {
            return;
        }
        self.peers_left(&before, now);
        self.share_history_with_new_peers(&before);
    }

    fn done(&mut self, effect: EffectId, event: Event, now: Now) {
        match (self.effects.remove(&effect), event) {
            (Some(Purpose::Job(job)), Event::Exited { pid, result }) => {
                self.job_exited(job, pid, result, now)
            }
            (Some(Purpose::Describe(agent)), Event::Described(described)) => {
                self.agent_described(&agent, described, now);
            }
            _ => {}
        }
    }

    fn fire(&mut self, timer: Timer, now: Now) {
        match timer {
            Timer::ReadCib => self.read_cib(),
            Timer::Describe(agent) => self.ask_agent(&agent),
            Timer::Job(job) => self.job_delay_over(job, now),
            Timer::Query(id) => self.query_timed_out(&id, now),
            Timer::OnePeer(id) => self.peer_timed_out(&id, now),
            Timer::Total(id) => self.operation_timed_out(&id, now),
        }
    }
}

/// Why nothing can be done before the cluster has been joined.
fn not_joined() -> ActionResult {
    ActionResult::not_done(ExecStatus::NotConnected, "Fencer has not joined the cluster")
}

impl Core for Fencer {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        match input {
            Input::ClientConnected { client, credentials, .. } => {
                let (id, privileged) = (self.ids.next(now.wall), credentials.privileged);
                let pid = credentials.pid;
                let (name, topics, waiting) = (format!("unknown.{pid}"), BTreeSet::new(), BTreeMap::new());
                self.clients.insert(client, Client { id, name, pid, privileged, topics, waiting });
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                self.client_message(client, request, wants_response, &message, now);
            }
            // Its operations go on: who is to be fenced does not depend on who asked.
            Input::ClientGone { client } => {
                self.clients.remove(&client);
            }
            Input::ServiceUp { service: Service::Based } => self.cib_up(),
            Input::ServiceDown { service: Service::Based } => self.cib_down(),
            Input::ServiceResponse { service: Service::Based, call, message } => {
                self.cib_response(call, &message, now);
            }
            Input::ServiceEvent { service: Service::Based, message } => self.cib_event(&message, now),
            Input::ClusterJoined { local } => {
                self.ids = Ids::new("fenced", &local.name);
                self.local = Some(local);
                self.cib_may_be_read();
            }
            Input::Membership(membership) => self.membership(&membership, now),
            Input::ClusterMessage { from, message } => self.peer_message(&from, &message, now),
            Input::ClusterLost => {
                self.log(Level::Critical, "Lost connection to cluster layer, shutting down".to_owned());
                self.outputs.push_back(Output::Exit { code: ExitCode::DISCONNECT });
            }
            Input::Done { effect, event } => self.done(effect, event, now),
            Input::Shutdown => {
                self.log(Level::Info, format!("Terminating with {} clients", self.clients.len()));
                self.outputs.push_back(Output::Exit { code: ExitCode::OK });
            }
            Input::Tick
            | Input::ServiceUp { .. }
            | Input::ServiceDown { .. }
            | Input::ServiceResponse { .. }
            | Input::ServiceEvent { .. } => {}
        }
        while let Some(timer) = self.timers.pop_due(now.instant) {
            self.fire(timer, now);
        }
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }
}
