// SPDX-License-Identifier: GPL-2.0-or-later
//! The executor's decisions.
//!
//! [`Executor`] hears clients, answers them and knows resources; [`operation`](self) are the states of one operation;
//! the order in which operations run is in `queue`; resources of class stonith, which the fencer runs, in `fencing`.

mod fencing;
mod operation;
mod queue;

use fencing::Fencer;
use messages::core::{ClientId, Core, EffectId, Input, Level, Output, Service};
use messages::execd::{
    Agent, Command, ExecdMessageError, Notify, OPT_DROP_RECURRING, PROTOCOL_VERSION, Parameters, RecurringOp,
    Reply, ReplyBody, Request,
};
use messages::ids::Ids;
use model::{ExecStatus, ExitCode, Instant, LegacyRc, Now, OcfCode, WallTime};
use operation::{Op, OpNumber};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use xml::Element;

/// "It goes on still": an unregistered resource has an operation that runs.
const IN_PROGRESS: LegacyRc = LegacyRc::new(-115);

/// What the executor is told at its start.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// This node's name, if it is known.
    pub node_name: String,
}

/// What the executor wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Run a resource agent. Exactly one [`Event::Exited`] follows: at the latest when the timeout is over (and the
    /// agent with all it has started killed), or soon after [`Effect::Kill`].
    Run(Run),
    /// Kill an agent that runs.
    Kill {
        /// The effect that started it.
        run: EffectId,
    },
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The agent's provider; its class is `ocf`.
    pub provider: String,
    /// The agent's name.
    pub agent: String,
    /// The resource's id.
    pub resource: String,
    /// `start`, `stop`, `monitor`, …
    pub action: String,
    /// Its parameters.
    pub parameters: Parameters,
    /// How long it may take; zero for no limit.
    pub timeout_ms: u64,
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The agent has ended.
    Exited {
        /// Its process.
        pid: Option<u32>,
        /// What it said.
        rc: OcfCode,
        /// How the execution ended.
        status: ExecStatus,
        /// Why, for people.
        reason: Option<String>,
        /// What it wrote.
        stdout: String,
        /// What it complained.
        stderr: String,
    },
}

/// A connected client.
#[derive(Debug)]
struct Client {
    /// Its id, as it was told.
    id: String,
    /// Set by its first request: until then, it is not told anything.
    name: Option<String>,
    privileged: bool,
}

/// A known resource.
#[derive(Debug)]
struct Resource {
    agent: Agent,
    /// Some client wants its recurring operations to end with it.
    drop_recurring: bool,
    /// Operations that wait for their turn.
    queue: VecDeque<OpNumber>,
    /// The one that runs.
    active: Option<OpNumber>,
    /// Those that recur: they run, or wait for their interval or their turn.
    recurring: Vec<OpNumber>,
    /// For class stonith: whether the device is registered, as a probe would find it.
    device: fencing::DeviceState,
}

/// The executor.
#[derive(Debug)]
pub struct Executor {
    ids: Ids,
    started: Instant,
    clients: BTreeMap<ClientId, Client>,
    resources: BTreeMap<String, Resource>,
    ops: BTreeMap<OpNumber, Op>,
    last_op: u64,
    /// When an operation wants to be looked at.
    timers: BTreeSet<(Instant, OpNumber)>,
    runs: BTreeMap<EffectId, OpNumber>,
    last_effect: u64,
    last_call: i32,
    fencer: Fencer,
    outputs: VecDeque<Output<Effect>>,
}

impl Executor {
    /// With nothing known yet.
    pub fn new(config: Config, now: Now) -> Executor {
        Executor {
            ids: Ids::new("execd", &config.node_name),
            started: now.instant,
            clients: BTreeMap::new(),
            resources: BTreeMap::new(),
            ops: BTreeMap::new(),
            last_op: 0,
            timers: BTreeSet::new(),
            runs: BTreeMap::new(),
            last_effect: 0,
            last_call: 0,
            fencer: Fencer::default(),
            outputs: VecDeque::new(),
        }
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }

    fn next_effect(&mut self) -> EffectId {
        self.last_effect += 1;
        EffectId(self.last_effect)
    }

    /// Numbers start again before they overflow, as answers below zero are errors.
    fn next_call(&mut self) -> i32 {
        self.last_call = self.last_call.checked_add(1).unwrap_or(1);
        self.last_call
    }

    fn connected(&mut self, client: ClientId, privileged: bool, now: WallTime) {
        let id = self.ids.next(now);
        self.tell_all(&Notify::NewClient);
        self.clients.insert(client, Client { id, name: None, privileged });
    }

    fn gone(&mut self, client: ClientId, now: Now) {
        if self.clients.remove(&client).is_none() {
            return;
        }
        let resources: Vec<String> = self
            .resources
            .iter()
            .filter(|(_, resource)| resource.drop_recurring)
            .map(|(id, _)| id.clone())
            .collect();
        for resource in resources {
            self.cancel_recurring(&resource, Some(client), now);
        }
    }

    fn tell(&mut self, client: ClientId, message: Element) {
        if self.clients.get(&client).is_some_and(|known| known.name.is_some()) {
            self.outputs.push_back(Output::Event { client, message, after: None });
        }
    }

    fn tell_all(&mut self, notify: &Notify) {
        let message = notify.to_xml();
        for client in self.clients.keys().copied().collect::<Vec<_>>() {
            self.tell(client, message.clone());
        }
    }

    fn message(&mut self, client: ClientId, request: i32, wants_response: bool, message: &Element, now: Now) {
        let answer = self.answer(client, message, now);
        if wants_response {
            self.outputs.push_back(Output::Respond { client, request, message: answer.xml, after: None });
        }
        if let Some(notify) = answer.notify {
            self.tell_all(&notify);
        }
        self.run_queues(now);
    }

    fn answer(&mut self, client: ClientId, message: &Element, now: Now) -> Answer {
        let Some(known) = self.clients.get(&client) else { return Answer::unknown() };
        let (privileged, id) = (known.privileged, known.id.clone());
        let command = match Command::from_xml(message) {
            Ok(command) => command,
            Err(error) => {
                let who = known.name.clone().unwrap_or_else(|| "an unregistered client".to_owned());
                self.log(Level::Warning, format!("Ignoring a message of {who}: {error}"));
                return match error {
                    ExecdMessageError::WrongType(_) => Answer::unknown(),
                    ExecdMessageError::Missing { .. } | ExecdMessageError::NotANumber { .. } => {
                        let call_id = self.next_call();
                        Answer::code(LegacyRc::EINVAL, call_id)
                    }
                };
            }
        };
        let call_id = self.next_call();
        if !privileged && !command.request.is_for_everybody() {
            let op = command.request.op();
            self.log(Level::Warning, format!("Rejecting IPC request '{op}' from unprivileged client {id}"));
            return Answer::code(LegacyRc::EACCES, call_id);
        }
        self.carry_out(client, &id, &command, call_id, now)
    }

    fn carry_out(&mut self, client: ClientId, id: &str, command: &Command, call_id: i32, now: Now) -> Answer {
        let handled = |rc: LegacyRc| Notify::Handled {
            op: command.request.op().to_owned(),
            rc,
            call_id,
            resource: command.request.resource().map(str::to_owned),
        };
        match &command.request {
            Request::Register { client_name, protocol_version, is_ipc_provider } => {
                if let Some(known) = self.clients.get_mut(&client) {
                    known.name = Some(client_name.clone());
                }
                if !speaks_our_language(protocol_version) {
                    self.log(
                        Level::Error,
                        format!(
                            "{client_name} speaks version {protocol_version}, but at least version 1 is needed \
                             (this executor speaks {PROTOCOL_VERSION})"
                        ),
                    );
                    return Answer::code(LegacyRc::EPROTO, call_id);
                }
                if *is_ipc_provider {
                    // Only executors on remote nodes need a way to the cluster.
                    return Answer::code(LegacyRc::EPROTONOSUPPORT, call_id);
                }
                let uptime_s = now.instant.since(self.started).as_secs();
                let body = ReplyBody::Registered { client_id: id.to_owned(), uptime_s };
                Answer::reply(Reply { rc: 0, call_id, body })
            }
            Request::Poke => Answer::code(LegacyRc::OK, call_id).and_tell(handled(LegacyRc::OK)),
            Request::RegisterResource { resource, agent } => {
                self.register(resource, agent, command.options, now);
                Answer::code(LegacyRc::OK, call_id).and_tell(handled(LegacyRc::OK))
            }
            Request::ResourceInfo { resource } => match self.resources.get(resource) {
                None => Answer::code(LegacyRc::ENODEV, call_id),
                Some(known) => {
                    let body = ReplyBody::Resource { resource: resource.clone(), agent: known.agent.clone() };
                    Answer::reply(Reply { rc: 0, call_id, body })
                }
            },
            Request::UnregisterResource { resource } => {
                let rc = self.unregister(resource, now);
                Answer::code(rc, call_id).and_tell(handled(rc))
            }
            Request::Exec(exec) => {
                if !self.resources.contains_key(&exec.resource) {
                    return Answer::code(LegacyRc::ENODEV, call_id);
                }
                self.enqueue(client, command.options, call_id, exec.clone(), now);
                Answer::reply(Reply { rc: call_id, call_id, body: ReplyBody::None })
            }
            Request::Cancel { resource, action, interval } => {
                Answer::code(self.cancel(resource, action, *interval, now), call_id)
            }
            Request::Recurring { resource } => match resource {
                Some(resource) if !self.resources.contains_key(resource) => {
                    Answer::code(LegacyRc::ENODEV, call_id)
                }
                wanted => {
                    let operations = self.recurring(wanted.as_deref());
                    Answer::reply(Reply { rc: 0, call_id, body: ReplyBody::Recurring(operations) })
                }
            },
            Request::Other { op } => {
                self.log(Level::Warning, format!("Unknown IPC request '{op}' from client {id}"));
                Answer::unknown()
            }
        }
    }

    fn register(&mut self, id: &str, agent: &Agent, options: u32, now: Now) {
        if self.resources.get(id).is_some_and(|known| known.agent == *agent) {
            self.log(Level::Info, format!("Ignoring duplicate registration of '{id}'"));
            return;
        }
        // Another agent under the same id is another resource.
        self.forget(id, now);
        self.resources.insert(
            id.to_owned(),
            Resource {
                agent: agent.clone(),
                drop_recurring: options & OPT_DROP_RECURRING != 0,
                queue: VecDeque::new(),
                active: None,
                recurring: Vec::new(),
                device: fencing::DeviceState::default(),
            },
        );
        self.log(Level::Info, format!("Cached agent information for '{id}'"));
    }

    fn unregister(&mut self, id: &str, now: Now) -> LegacyRc {
        let Some(resource) = self.resources.get(id) else {
            self.log(
                Level::Info,
                format!("Ignoring unregistration of resource '{id}', which is not registered"),
            );
            return LegacyRc::OK;
        };
        let rc = if resource.active.is_some() { IN_PROGRESS } else { LegacyRc::OK };
        self.forget(id, now);
        rc
    }

    fn recurring(&self, wanted: Option<&str>) -> Vec<RecurringOp> {
        let resources = self.resources.iter().filter(|(id, _)| wanted.is_none_or(|wanted| wanted == *id));
        let numbers = resources.flat_map(|(_, resource)| &resource.recurring);
        numbers
            .filter_map(|number| self.ops.get(number))
            .map(|op| RecurringOp {
                resource: op.exec.resource.clone(),
                action: op.exec.action.clone(),
                interval: op.exec.interval,
                timeout_ms: op.exec.timeout_ms,
            })
            .collect()
    }
}

/// The first number of a version is at least 1.
fn speaks_our_language(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 1)
}

/// What is said to a client, and then to all.
struct Answer {
    xml: Element,
    notify: Option<Notify>,
}

impl Answer {
    fn reply(reply: Reply) -> Answer {
        Answer { xml: reply.to_xml(), notify: None }
    }

    fn code(rc: LegacyRc, call_id: i32) -> Answer {
        Answer::reply(Reply { rc: rc.value(), call_id, body: ReplyBody::None })
    }

    fn unknown() -> Answer {
        Answer { xml: messages::controller::ack("execd", ExitCode::PROTOCOL), notify: None }
    }

    fn and_tell(self, notify: Notify) -> Answer {
        Answer { notify: Some(notify), ..self }
    }
}

impl Core for Executor {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        match input {
            Input::ClientConnected { client, credentials, .. } => {
                self.connected(client, credentials.privileged, now.wall);
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                self.message(client, request, wants_response, &message, now);
            }
            Input::ClientGone { client } => self.gone(client, now),
            Input::ServiceUp { service: Service::Fenced } => self.fencer_up(),
            Input::ServiceDown { service: Service::Fenced } => self.fencer_down(now),
            Input::ServiceResponse { service: Service::Fenced, call, message } => {
                self.fencer_response(call, &message, now);
            }
            Input::ServiceEvent { service: Service::Fenced, message } => self.fencer_event(&message, now),
            Input::Done { effect, event } => self.exited(effect, event, now),
            Input::Tick => {}
            Input::Shutdown => {
                let (clients, running) = (self.clients.len(), self.runs.len());
                self.log(
                    Level::Info,
                    format!("Terminating with {clients} clients and {running} operations running"),
                );
                self.outputs.push_back(Output::Exit { code: ExitCode::OK });
            }
            // It is a client of the fencer only, and does not talk to other nodes.
            Input::ServiceUp { .. }
            | Input::ServiceDown { .. }
            | Input::ServiceResponse { .. }
            | Input::ServiceEvent { .. }
            | Input::ClusterJoined { .. }
            | Input::Membership(_)
            | Input::ClusterMessage { .. }
            | Input::ClusterLost => {}
        }
        self.fire_timers(now);
        self.run_queues(now);
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }
}
