// SPDX-License-Identifier: GPL-2.0-or-later
//! The writer: who it is, and when a new one must be found.

use super::Attrd;
use super::write::Scope;
use election::Standing;
use messages::controller::Envelope;
use messages::core::{ClusterNode, Level, Output};
use model::Now;
use std::sync::Arc;
use xml::Element;

/// What peers are told of the state of the election ([`Standing`] in numbers of the wire); this one is the writer's.
pub(super) const WRITER: i32 = 3;

impl Attrd {
    /// This node writes to the CIB.
    pub(super) fn is_writer(&self) -> bool {
        self.election.as_ref().is_some_and(|election| election.standing() == Standing::Won)
    }

    pub(super) fn writer_state(&self) -> i32 {
        match self.election.as_ref().map(election::Election::standing) {
            None | Some(Standing::Idle | Standing::Challenged) => 0,
            Some(Standing::InProgress) => 1,
            Some(Standing::Lost) => 2,
            Some(Standing::Won) => WRITER,
        }
    }

    /// Sees to it that there is a writer or will be one.
    pub(super) fn elect_if_needed(&mut self, now: Now) {
        let Some(election) = &mut self.election else { return };
        if self.writer.is_some() || self.is_shutting_down || election.standing() == Standing::InProgress {
            return;
        }
        election.start(now);
        self.log(Level::Info, "Starting an election to determine the writer".into());
        self.drain_election(now);
    }

    pub(super) fn election_message(&mut self, now: Now, from: &ClusterNode, message: &Element) {
        let Some(election) = &mut self.election else { return };
        let before = election.standing();
        let envelope = match Envelope::from_xml(message) {
            Ok(envelope) => envelope,
            Err(error) => {
                self.log(Level::Warning, format!("Ignoring election op from {}: {error}", from.name));
                return;
            }
        };
        let standing = election.on_message(now, &from.name, &envelope, !self.is_shutting_down);
        // Whoever we lost to may lose to another yet; until the writer says it is, this stops us from asking again.
        if standing == Standing::Lost && (self.writer.is_none() || before != Standing::Lost) {
            self.log(Level::Debug, format!("Election lost, presuming {} is writer for now", from.name));
            self.writer = Some(from.name.to_string());
        }
        self.drain_election(now);
    }

    /// Does what the election wants done.
    pub(super) fn drain_election(&mut self, now: Now) {
        let version = self.config.profile.feature_set();
        while let Some(output) = self.election.as_mut().and_then(election::Election::poll) {
            match output {
                election::Output::Broadcast(envelope) => {
                    let message = envelope.to_xml("election_vote", version);
                    self.outputs.push_back(Output::Send { to: None, message, after: None });
                }
                election::Output::Send { to, message } => {
                    let message = message.to_xml("send_no_vote", version);
                    self.outputs.push_back(Output::Send { to: Some(to), message, after: None });
                }
                election::Output::Challenged => {
                    self.writer = None;
                    if let Some(election) = &mut self.election {
                        election.start(now);
                    }
                }
                election::Output::Won => self.won(now),
                election::Output::Lost { .. } => {}
                election::Output::Log { level, text } => self.log(level, text),
            }
        }
    }

    /// This node is the writer now: all hear what it knows, and the CIB gets it.
    fn won(&mut self, now: Now) {
        let Some(name) = self.local.as_ref().map(|local| local.name.to_string()) else { return };
        let before = self.writer.replace(name);
        let before = before.as_deref().unwrap_or("unset");
        self.log(Level::Notice, format!("Recorded local node as attribute writer (was {before})"));
        self.sync_peers(None);
        let removed = std::mem::take(&mut self.removed);
        for node in removed.values() {
            self.erase(now, node);
        }
        self.write_all(now, Scope::All, false);
    }

    /// A peer says that it is the writer.
    pub(super) fn peer_is_writer(&mut self, now: Now, peer: &str) {
        if self.is_writer() && !self.is_local(peer) {
            let text = format!("Detected another attribute writer ({peer}), starting new election");
            self.log(Level::Notice, text);
            if let Some(election) = &mut self.election {
                election.start(now);
            }
            self.drain_election(now);
        } else if !self.writer.as_ref().is_some_and(|writer| writer.eq_ignore_ascii_case(peer)) {
            let before = self.writer.replace(peer.to_owned());
            let before = before.as_deref().unwrap_or("unset");
            self.log(Level::Notice, format!("Recorded new attribute writer: {peer} (was {before})"));
        }
    }

    /// The peers have changed. When the writer is among the lost, every node asks for an election: better one too many
    /// than updates that nobody writes.
    pub(super) fn voters_changed(&mut self, now: Now, lost: &[Arc<str>]) {
        let members: Vec<ClusterNode> = self.peers.values().map(|peer| peer.node.clone()).collect();
        if let Some(election) = &mut self.election {
            election.set_members(&members);
        }
        let writer = self.writer.clone().filter(|writer| lost.iter().any(|n| n.eq_ignore_ascii_case(writer)));
        if let Some(writer) = writer {
            self.writer = None;
            self.log(Level::Notice, format!("Lost attribute writer {writer}"));
            if let Some(election) = &mut self.election {
                election.clear_dampening();
            }
            self.elect_if_needed(now);
        }
        self.drain_election(now);
    }
}
