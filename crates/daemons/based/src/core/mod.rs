// SPDX-License-Identifier: GPL-2.0-or-later
//! The decisions of the CIB manager.
//!
//! Decides: where a request is done, when its client is answered and who else is told, what a message of another manager
//! means, when nodes' CIBs are compared and copied, what must be on disk before an answer goes out. Given: what clients
//! and other managers say, who is there, moments, and the CIB to begin with. Leaves to others: what an operation makes of
//! a CIB (`cib`), and everything that does something (the shell).
//!
//! Reading is done at once, here. A change goes to all managers (this one included) and is done by each when it arrives,
//! in the same order on all; the manager whose client wanted it answers when its own message has come back. So all CIBs
//! stay the same without anybody asking; to be sure, the DC's manager compares their digests when changes have ceased.

mod clients;
mod execute;
mod groups;
mod ids;
mod peers;
mod ping;
mod shutdown;

#[cfg(test)]
mod tests;

use ::cib::acl::Groups;
use ::cib::schema;
use clients::Client;
use groups::GroupMembership;
use messages::core::{ClientId, ClusterNode, Core, EffectId, Input, Level, Membership, Output};
use model::{ExitCode, Instant, LegacyRc, Now, Profile};
use ping::Ping;
use shutdown::Shutdown;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use xml::{Element, Escaping};

/// Requests that come before the cluster has been joined wait; no more than this.
const MAX_WAITING: usize = 1_000;

/// What a CIB manager needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which Pacemaker it passes for.
    pub profile: Profile,
    /// The CIB to begin with.
    pub cib: Element,
    /// What should be written to the log about where that came from.
    pub warnings: Vec<String>,
    /// That CIB is not (or not as such) on disk, and should be.
    pub writes_at_start: bool,
    /// Changes are written to disk.
    pub writes: bool,
    /// Without other nodes.
    pub stand_alone: bool,
    /// This node's name, as long as the cluster has not said it.
    pub node_name: Option<String>,
    /// How far local time is east of Greenwich.
    pub utc_offset_secs: i32,
    /// Who is in the groups that the ACLs of the CIB to begin with speak of.
    pub groups: Groups,
}

/// What only the CIB manager asks for.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Put a CIB on disk, so that it is there after any crash.
    Persist {
        /// It.
        cib: Element,
        /// When this is, for people.
        last_written: String,
    },
    /// Look up who is in these groups.
    LookUpGroups(Vec<String>),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A CIB is on disk, or why it is not.
    Persisted(Result<(), String>),
    /// Who is in the groups that were asked for.
    Groups(Vec<(String, Vec<String>)>),
}

/// A request of a client, from the moment it came to the moment it is answered.
#[derive(Clone, Debug)]
struct Pending {
    /// The number of the IPC request, if the client waits for the response.
    request: Option<i32>,
}

/// The CIB manager of one node.
#[derive(Debug)]
pub struct Based {
    config: Config,
    cib: Element,
    /// Why nothing is done: the CIB to begin with is not valid.
    invalid: Option<LegacyRc>,
    /// It is known to be valid.
    is_valid: bool,
    /// This node, once the cluster has been joined.
    local: Option<ClusterNode>,
    /// How many managers there are.
    peers: usize,
    /// Compares the others with itself.
    is_primary: bool,
    clients: BTreeMap<ClientId, Client>,
    clients_ever: u64,
    waiting: VecDeque<Element>,
    effects_ever: u64,
    unwritten: BTreeSet<EffectId>,
    membership: GroupMembership,
    ping: Ping,
    shutdown: Option<Shutdown>,
    outputs: VecDeque<Output<Effect>>,
}

impl Based {
    /// A CIB manager with the CIB it is given.
    pub fn new(config: Config) -> Based {
        let mut based = Based {
            cib: config.cib.clone(),
            invalid: None,
            is_valid: false,
            local: None,
            peers: 0,
            is_primary: config.stand_alone,
            clients: BTreeMap::new(),
            clients_ever: 0,
            waiting: VecDeque::new(),
            effects_ever: 0,
            unwritten: BTreeSet::new(),
            membership: GroupMembership::new(config.groups.clone()),
            ping: Ping::default(),
            shutdown: None,
            outputs: VecDeque::new(),
            config,
        };
        for warning in std::mem::take(&mut based.config.warnings) {
            based.log(Level::Warning, warning);
        }
        let issues = schema::validate(&based.cib);
        based.is_valid = issues.is_empty();
        if !issues.is_empty() {
            based.invalid = Some(LegacyRc::SCHEMA_VALIDATION);
            for issue in &issues {
                based.log(Level::Error, format!("The configuration is invalid: {issue}"));
            }
        } else if based.config.writes_at_start {
            let last_written = based.cib.attr("cib-last-written").unwrap_or_default().to_owned();
            based.persist(last_written);
        }
        based
    }

    /// The CIB as it is now.
    pub fn cib(&self) -> &Element {
        &self.cib
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }

    /// This node's name.
    fn node_name(&self) -> &str {
        match &self.local {
            Some(local) => &local.name,
            None => self.config.node_name.as_deref().unwrap_or("localhost"),
        }
    }

    fn is_here(&self, node: &str) -> bool {
        self.node_name().eq_ignore_ascii_case(node)
    }

    const fn escaping(&self) -> Escaping {
        match self.config.profile {
            Profile::V3_0 => Escaping::Modern,
            Profile::V2_1 => Escaping::Legacy,
        }
    }

    /// Says something to all managers, or to one.
    fn send(&mut self, to: Option<&str>, message: Element) {
        self.outputs.push_back(Output::Send { to: to.map(Arc::from), message, after: None });
    }

    /// What is waited for is on disk; or never will be.
    fn persisted(&mut self, effect: EffectId, result: Result<(), String>) {
        self.unwritten.remove(&effect);
        if let Err(error) = result {
            self.log(Level::Error, format!("Could not write CIB to disk: {error}"));
        }
        self.exit_if_done();
    }

    /// Writes the CIB as it is now.
    fn persist(&mut self, last_written: String) -> EffectId {
        self.effects_ever += 1;
        let id = EffectId(self.effects_ever);
        self.unwritten.insert(id);
        let effect = Effect::Persist { cib: self.cib.clone(), last_written };
        self.outputs.push_back(Output::Effect { id, effect });
        id
    }

    fn joined(&mut self, now: Now, local: ClusterNode) {
        self.local = Some(local);
        for message in std::mem::take(&mut self.waiting) {
            self.forward(now, message);
        }
    }

    fn membership(&mut self, membership: &Membership) {
        self.peers = membership.peers().count();
        if self.shutdown.is_some() && self.peers < 2 {
            self.log(Level::Info, "Exiting after no more peers or clients remain".to_owned());
            self.exit_when_written(ExitCode::OK);
        }
    }

    fn cluster_lost(&mut self) {
        if self.shutdown.is_some() {
            self.log(Level::Info, "Corosync disconnection complete".to_owned());
            return self.exit_when_written(ExitCode::OK);
        }
        let text = "Exiting immediately after losing connection to cluster layer";
        self.log(Level::Critical, text.to_owned());
        self.outputs.push_back(Output::Exit { code: ExitCode::DISCONNECT });
    }
}

impl Core for Based {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        match input {
            Input::ClientConnected { client, channel, credentials } => {
                self.client_connected(now, client, channel, credentials);
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                self.client_message(now, client, wants_response.then_some(request), message);
            }
            Input::ClientGone { client } => self.client_gone(client),
            Input::ClusterJoined { local } => self.joined(now, local),
            Input::Membership(membership) => self.membership(&membership),
            Input::ClusterMessage { from, message } => self.peer_message(now, &from, message),
            Input::ClusterLost => self.cluster_lost(),
            Input::Done { effect, event: Event::Persisted(result) } => self.persisted(effect, result),
            Input::Done { event: Event::Groups(groups), .. } => self.groups_found(groups),
            Input::Shutdown => self.shut_down(now),
            Input::Tick => {
                self.ping_if_due(now);
                self.escalate_if_due(now);
            }
            Input::ServiceUp { .. }
            | Input::ServiceResponse { .. }
            | Input::ServiceEvent { .. }
            | Input::ServiceDown { .. } => {}
        }
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        let shutdown = self.shutdown.as_ref().and_then(Shutdown::deadline);
        [self.ping.due, shutdown].into_iter().flatten().min()
    }
}
