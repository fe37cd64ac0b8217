// SPDX-License-Identifier: GPL-2.0-or-later
//! The decisions of the attribute manager.
//!
//! Decides: what becomes of an update, who writes attributes to the CIB and when, what new and lost nodes mean, when a
//! waiting client is answered. Given: what clients, peers and the CIB manager say, who is there, moments. Leaves to
//! others: everything that does something (the shell).
//!
//! Every change goes through the cluster first: a client's update is told to all attribute managers (its own included)
//! and done by each when it arrives, in the same order on all. One of them, the elected writer, keeps the CIB in step.
//! So every node knows every value, and a writer that is lost loses nothing.

mod cib;
mod clients;
mod ids;
mod notifications;
mod patterns;
mod peers;
mod sync;
mod table;
mod voting;
mod waiting;
mod write;

#[cfg(test)]
mod tests;

use cib::CibLink;
use election::Election;
use ids::NodeIds;
use messages::attrd::{Body, Message};
use messages::core::{ClientId, ClusterNode, Core, Credentials, Input, Level, Output, Service};
use model::{ExitCode, Instant, Now, Profile};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use table::Attribute;
use waiting::Waiting;
use xml::Element;

/// Clients that speak before the cluster has been joined wait; no more of their requests than this.
const HELD_MAX: usize = 1000;

/// What an attribute manager needs to know before it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// Which Pacemaker it passes for.
    pub profile: Profile,
    /// Without a CIB: nothing is ever written.
    pub stand_alone: bool,
}

/// The attribute manager has no effects of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {}

/// The attribute manager has no effects of its own, so none has an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {}

/// An attribute manager elsewhere (or this one), as long as it is there.
#[derive(Clone, Debug)]
struct Peer {
    node: ClusterNode,
    /// Its protocol version, once it has said so.
    protocol: Option<u32>,
}

/// A client's request that came too early.
#[derive(Debug)]
struct Held {
    client: ClientId,
    request: i32,
    wants_response: bool,
    message: Element,
}

/// The attribute manager of one node.
#[derive(Debug)]
pub struct Attrd {
    config: Config,
    local: Option<ClusterNode>,
    /// Everything is there that clients and the CIB need: the protocol version has been announced.
    is_started: bool,
    is_shutting_down: bool,
    attributes: BTreeMap<String, Attribute>,
    ids: NodeIds,
    peers: BTreeMap<String, Peer>,
    election: Option<Election>,
    /// Who writes to the CIB, as far as this node knows.
    writer: Option<String>,
    /// Nodes whose attributes were dropped here and must be erased from the CIB by whoever becomes the writer.
    removed: BTreeMap<String, String>,
    cib: CibLink,
    clients: BTreeMap<ClientId, Credentials>,
    held: VecDeque<Held>,
    waiting: Waiting,
    outputs: VecDeque<Output<Effect>>,
}

impl Attrd {
    /// An attribute manager that knows nothing yet.
    pub fn new(config: Config) -> Attrd {
        Attrd {
            config,
            local: None,
            is_started: false,
            is_shutting_down: false,
            attributes: BTreeMap::new(),
            ids: NodeIds::default(),
            peers: BTreeMap::new(),
            election: None,
            writer: None,
            removed: BTreeMap::new(),
            cib: CibLink::default(),
            clients: BTreeMap::new(),
            held: VecDeque::new(),
            waiting: Waiting::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The value of an attribute of a node, as known here.
    pub fn value(&self, attribute: &str, node: &str) -> Option<&str> {
        self.attributes.get(attribute)?.value(node)
    }

    /// Who writes to the CIB, as far as this node knows.
    pub fn writer(&self) -> Option<&str> {
        self.writer.as_deref()
    }

    fn is_local(&self, node: &str) -> bool {
        self.local.as_ref().is_some_and(|local| local.name.eq_ignore_ascii_case(node))
    }

    fn joined(&mut self, now: Now, local: ClusterNode) {
        self.log(Level::Info, "Cluster connection active".into());
        self.ids.learn(&local.name, &local.id.to_string());
        self.election = Some(Election::new("attrd", local.clone(), self.config.profile.feature_set()));
        self.local = Some(local);
        self.start_if_ready(now);
    }

    /// Starts in earnest once both cluster and CIB are there. No value is known here then, so none of this node may be
    /// left in the CIB from an earlier life: usually others have erased them, but not if they did not notice the end.
    fn start_if_ready(&mut self, now: Now) {
        let Some(local) = self.local.clone() else { return };
        if self.is_started || self.is_shutting_down || !(self.config.stand_alone || self.cib.is_up()) {
            return;
        }
        self.is_started = true;
        if !self.config.stand_alone {
            self.erase(now, &local.name);
        }
        self.announce_protocol(None);
        while let Some(held) = self.held.pop_front() {
            self.client_message(now, held.client, held.request, held.wants_response, &held.message);
        }
    }

    fn cluster_lost(&mut self) {
        self.log(Level::Critical, "Lost connection to the cluster layer, shutting down".into());
        self.is_shutting_down = true;
        self.outputs.push_back(Output::Exit { code: ExitCode::DISCONNECT });
    }

    fn shutdown(&mut self) {
        self.log(Level::Info, "Shutting down attribute manager".into());
        self.is_shutting_down = true;
        self.outputs.push_back(Output::Exit { code: ExitCode::OK });
    }

    fn tick(&mut self, now: Now) {
        if let Some(election) = &mut self.election {
            election.tick(now);
        }
        self.drain_election(now);
        self.cib_timeouts(now);
        let due = |attribute: &Attribute| attribute.write_at.is_some_and(|at| at <= now.instant);
        let names: Vec<String> =
            self.attributes.values().filter(|attribute| due(attribute)).map(|a| a.name.clone()).collect();
        for name in names {
            if let Some(attribute) = self.attributes.get_mut(&name) {
                attribute.write_at = None;
            }
            self.write_or_elect(now, &name);
        }
        for answer in self.waiting.expire(now.instant) {
            self.respond(answer, ExitCode::TIMEOUT);
        }
    }

    /// Tells peers, with what every message to peers carries: our version and what we know of the writer.
    fn send(&mut self, to: Option<&str>, mut message: Message, origin: &'static str) {
        message.version = Some(self.protocol());
        message.writer = Some(self.writer_state());
        let message = message.to_xml(origin);
        self.outputs.push_back(Output::Send { to: to.map(Arc::from), message, after: None });
    }

    fn body(&self, body: Body) -> Message {
        Message::new(self.local.as_ref().map_or("pacemaker-attrd", |local| &local.name), body)
    }

    fn protocol(&self) -> u32 {
        match self.config.profile {
            Profile::V3_0 => messages::attrd::PROTOCOL,
            Profile::V2_1 => messages::attrd::PROTOCOL_MULTIPLE,
        }
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }
}

impl Core for Attrd {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        match input {
            Input::ClientConnected { client, credentials, .. } => {
                self.clients.insert(client, credentials);
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                self.client_message(now, client, request, wants_response, &message);
            }
            Input::ClientGone { client } => {
                self.clients.remove(&client);
                self.held.retain(|held| held.client != client);
                self.waiting.forget(client);
            }
            Input::ServiceUp { service: Service::Based } => self.cib_connected(now),
            Input::ServiceResponse { service: Service::Based, message, .. }
            | Input::ServiceEvent { service: Service::Based, message } => self.cib_message(now, &message),
            Input::ServiceDown { service: Service::Based } => self.cib_lost(),
            Input::ClusterJoined { local } => self.joined(now, local),
            Input::Membership(membership) => self.membership(now, &membership),
            Input::ClusterMessage { from, message } => self.cluster_message(now, &from, &message),
            Input::ClusterLost => self.cluster_lost(),
            Input::Shutdown => self.shutdown(),
            Input::Tick => self.tick(now),
            // No effects, so no outcomes; and no client of any other daemon.
            Input::Done { .. }
            | Input::ServiceUp { .. }
            | Input::ServiceDown { .. }
            | Input::ServiceResponse { .. }
            | Input::ServiceEvent { .. } => {}
        }
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        let writes = self.attributes.values().filter_map(|attribute| attribute.write_at).min();
        let election = self.election.as_ref().and_then(Election::next_timeout);
        [writes, election, self.cib.next_timeout(), self.waiting.next_timeout()].into_iter().flatten().min()
    }
}
