// SPDX-License-Identifier: GPL-2.0-or-later
//! What all parts of the controller share: the present moment, the peers, the daemons it talks to, what is to go out.
//!
//! Decides nothing; it is the desk the parts work at.

use super::cib_calls::CibCalls;
use super::clients::Clients;
use super::executor::Executor;
use super::fencer::Fencer;
use super::options::Options;
use super::peers::Peers;
use super::state::Signal;
use super::{Config, Effect};
use messages::controller::{Envelope, References};
use messages::core::{ClusterNode, Level, Output, Service};
use model::{FeatureSet, Now};
use std::collections::VecDeque;
use std::sync::Arc;
use xml::Element;

/// The DC this node follows.
#[derive(Clone, Debug)]
pub(super) struct Leader {
    pub name: Arc<str>,
    pub version: FeatureSet,
}

pub(super) struct Context {
    pub config: Config,
    /// Of the input that is being handled.
    pub now: Now,
    /// This node, once it has joined the cluster layer.
    pub local: Option<ClusterNode>,
    pub peers: Peers,
    pub leader: Option<Leader>,
    pub options: Options,
    pub quorate: bool,
    pub ever_quorate: bool,
    /// Somebody wants this daemon to end in good order.
    pub shutting_down: bool,
    /// It must not be started again.
    pub stay_down: bool,
    /// The state's name, for answers and for what may be done in it.
    pub state: &'static str,
    pub cib: CibCalls,
    pub executor: Executor,
    pub fencer: Fencer,
    pub clients: Clients,
    pub references: References,
    /// The number of the last join this node led.
    pub join_id: i32,
    pub scheduler_connected: bool,
    pub attrd_connected: bool,
    /// What the attribute manager is to be told when it is back.
    pub attrd_queue: VecDeque<Element>,
    /// Messages of ours to be routed.
    pub relays: VecDeque<Envelope>,
    pub signals: VecDeque<Signal>,
    pub outputs: VecDeque<Output<Effect>>,
    calls: i32,
}

impl Context {
    pub fn new(config: Config, now: Now) -> Context {
        Context {
            config,
            now,
            local: None,
            peers: Peers::default(),
            leader: None,
            options: Options::default(),
            quorate: false,
            ever_quorate: false,
            shutting_down: false,
            stay_down: false,
            state: "S_STARTING",
            cib: CibCalls::default(),
            executor: Executor::default(),
            fencer: Fencer::default(),
            clients: Clients::default(),
            references: References::default(),
            join_id: 0,
            scheduler_connected: false,
            attrd_connected: false,
            attrd_queue: VecDeque::new(),
            relays: VecDeque::new(),
            signals: VecDeque::new(),
            outputs: VecDeque::new(),
            calls: 0,
        }
    }

    /// Something for the state machine, after what it has to do already.
    pub fn raise(&mut self, signal: Signal) {
        self.signals.push_back(signal);
    }

    /// Something for the state machine, before anything else.
    pub fn raise_first(&mut self, signal: Signal) {
        self.signals.push_front(signal);
    }

    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.outputs.push_back(Output::Log { level, text: text.into() });
    }

    pub fn feature_set(&self) -> FeatureSet {
        self.config.profile.feature_set()
    }

    /// This node's name; empty before it has one.
    pub fn local_name(&self) -> Arc<str> {
        self.local.as_ref().map_or_else(|| Arc::from(""), |node| Arc::clone(&node.name))
    }

    /// This node's id in the CIB.
    pub fn local_id(&self) -> String {
        self.local.as_ref().map(|node| node.id.to_string()).unwrap_or_default()
    }

    pub fn is_local(&self, name: &str) -> bool {
        self.local.as_ref().is_some_and(|node| node.name.eq_ignore_ascii_case(name))
    }

    pub fn leader_is(&self, name: &str) -> bool {
        self.leader.as_ref().is_some_and(|leader| leader.name.eq_ignore_ascii_case(name))
    }

    /// Whether `node_state` has moments (true) or words (false) for membership: by the DC's feature set.
    pub fn states_are_times(&self) -> bool {
        let version = self.leader.as_ref().map_or(self.feature_set(), |leader| leader.version);
        version >= FeatureSet::new(3, 18, 0)
    }

    /// Says something to a daemon of this node; gives the call's number.
    pub fn call(&mut self, service: Service, respond: bool, message: Element) -> i32 {
        let call = self.next_call();
        self.outputs.push_back(Output::Call { service, call, respond, message });
        call
    }

    /// A number for a call that has it inside its message too.
    pub fn next_call(&mut self) -> i32 {
        self.calls = self.calls.wrapping_add(1).max(1);
        self.calls
    }

    /// Says something to a daemon under a number taken before.
    pub fn call_numbered(&mut self, service: Service, call: i32, respond: bool, message: Element) {
        self.outputs.push_back(Output::Call { service, call, respond, message });
    }

    /// A request of ours, with a reference.
    pub fn request(&mut self, task: &str, sys_to: &str, sys_from: &str) -> Envelope {
        let reference = self.references.next(task, sys_from, self.now.wall);
        Envelope::request(task, reference, sys_to, sys_from)
    }

    /// Routes a message of ours, wherever it has to go.
    pub fn relay(&mut self, message: Envelope) {
        self.relays.push_back(message);
    }

    /// Says something to the controllers of all nodes, or of the one named in it.
    pub fn send(&mut self, message: &Envelope, origin: &str) {
        let to = message.host_to.as_deref().map(Arc::from);
        let message = message.to_xml(origin, self.feature_set());
        self.outputs.push_back(Output::Send { to, message, after: None });
    }
}
