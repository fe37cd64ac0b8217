// SPDX-License-Identifier: GPL-2.0-or-later
//! The controller's decisions: who leads, who belongs, what is done where and whether it was.
//!
//! Decides: elections, joins, transitions, the recording of results, the reaction to failures and fencing, shutdown.
//! Given: messages of controllers and clients, what the other daemons of this node say, the membership, the time.
//! Leaves to others: what should be done (the scheduler), doing it (executor, fencer), keeping it (the CIB and attribute
//! managers). No I/O, no clock.
//!
//! A `State` machine moved by `Signal`s, working at a desk (`Context`) all parts share. A part a file:
//! `machine` the states; `dc`, `join_dc`, `transition`, `confirm` the DC's side; `join_node`, `executor`, `history` a
//! node's; `fencer`, `attributes`, `cib_calls` the daemons it talks to; `routing`, `requests`, `clients` who talks to it;
//! `membership`, `peers` the nodes.

mod attributes;
mod cib_calls;
mod clients;
mod confirm;
mod context;
mod dc;
mod executor;
mod fencer;
mod history;
mod join_dc;
mod join_node;
mod machine;
mod membership;
mod options;
mod peers;
mod requests;
mod routing;
mod state;
mod transition;

use cib_calls::{CibReply, Purpose};
use context::Context;
use dc::{Phase, Scheduling};
use election::Election;
use messages::cib::SAFE_CLIENTS;
use messages::controller::Envelope;
use messages::core::{ClusterNode, Core, Input, Level, Output, Service};
use model::{ExitCode, FeatureSet, Instant, LegacyRc, Now, Profile};
use options::Options;
use peers::Facets;
use routing::Origin;
use state::{Signal, State};
use xml::Element;

/// What a controller has to know before anything happens.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which Pacemaker it passes for.
    pub profile: Profile,
    /// Stands for this controller's life in the keys of its transitions; a version 4 UUID.
    pub uuid: String,
    /// What `dc-version` says after the version.
    pub build: String,
    /// What `cluster-infrastructure` says.
    pub infrastructure: String,
    /// This machine has a watchdog that the cluster software feeds.
    pub have_watchdog: bool,
    /// Put this node into standby (or out of it) when it joins for the first time.
    pub start_in_standby: Option<bool>,
}

/// The controller has no effects of its own.
#[derive(Debug)]
pub enum Effect {}

/// The controller has no effects of its own, so no outcomes.
#[derive(Debug)]
pub enum Event {}

/// A controller.
pub struct Controld {
    cx: Context,
    state: State,
    election: Option<Election>,
    membership_known: bool,
    /// When to stop without leave.
    escalation: Option<Instant>,
}

impl Controld {
    /// One that has not heard of anything yet.
    pub fn new(config: Config, now: Now) -> Controld {
        Controld {
            cx: Context::new(config, now),
            state: State::Starting,
            election: None,
            membership_known: false,
            escalation: None,
        }
    }

    /// The name of the state it is in (`S_…`).
    pub fn state_name(&self) -> &'static str {
        self.state.name()
    }

    fn input(&mut self, input: Input<Event>) {
        match input {
            Input::ClientConnected { client, credentials, .. } => {
                self.cx.client_connected(client, credentials)
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                if let Some((message, user)) =
                    self.cx.client_message(client, request, wants_response, &message)
                {
                    self.client_request(message, user.as_deref());
                }
            }
            Input::ClientGone { client } => self.cx.clients.remove(client),
            Input::ServiceUp { service } => self.service_up(service),
            Input::ServiceDown { service } => self.service_down(service),
            Input::ServiceResponse { service, call, message } => self.response(service, call, &message),
            Input::ServiceEvent { service, message } => self.event(service, &message),
            Input::ClusterJoined { local } => self.joined(local),
            Input::Membership(membership) => self.membership(&membership),
            Input::ClusterMessage { from, message } => self.cluster_message(&from, &message),
            Input::ClusterLost => self.cx.raise(Signal::Error("Lost connection to the cluster layer".into())),
            Input::Done { event, .. } => match event {},
            Input::Shutdown => self.shutdown(),
            Input::Tick => self.tick(),
        }
    }

    fn joined(&mut self, local: ClusterNode) {
        let feature_set = self.cx.feature_set();
        self.cx.peers.meet(&local);
        let mut election = Election::new("crmd", local.clone(), feature_set);
        election.set_members(self.cx.peers.active());
        self.election = Some(election);
        self.cx.log(Level::Info, format!("Connected to the cluster as {} | id={}", local.name, local.id));
        self.cx.local = Some(local);
    }

    fn shutdown(&mut self) {
        if self.cx.shutting_down {
            self.cx.raise_first(Signal::Error("Escalating shutdown".into()));
            return;
        }
        self.cx.shutting_down = true;
        self.escalation = Some(self.cx.now.instant + self.cx.options.shutdown_escalation);
        self.cx.raise(Signal::Shutdown);
    }

    // --- the daemons of this node -------------------------------------------------------------------------------

    fn service_up(&mut self, service: Service) {
        match service {
            Service::Based => self.cx.cib_connect(),
            Service::Execd => self.cx.executor_connect(),
            Service::Fenced => self.cx.fencer_connect(),
            Service::Attrd => self.cx.attrd_connect(),
            Service::Schedulerd => self.cx.scheduler_connected = true,
            Service::Pacemakerd | Service::Controld => {}
        }
    }

    fn service_down(&mut self, service: Service) {
        let starting = matches!(self.state, State::Starting);
        match service {
            Service::Based => {
                self.cx.cib.disconnected();
                if !starting && !self.state.is_over() {
                    self.cx.raise(Signal::Error("Lost connection to the CIB manager".into()));
                }
            }
            Service::Execd => {
                let was_connected = std::mem::take(&mut self.cx.executor.connected);
                if was_connected && !starting {
                    self.cx.log(Level::Critical, "Lost connection to local executor");
                    self.cx.raise(Signal::Error("Cannot go on without the executor".into()));
                }
            }
            Service::Fenced => self.cx.fencer_lost(self.state.dc()),
            Service::Attrd => self.cx.attrd_connected = false,
            Service::Schedulerd => {
                self.cx.scheduler_connected = false;
                if let Some(dc) = self.state.dc() {
                    dc.scheduler_lost(&mut self.cx);
                }
            }
            Service::Pacemakerd | Service::Controld => {}
        }
    }

    fn response(&mut self, service: Service, call: i32, message: &Element) {
        match service {
            Service::Execd => self.cx.executor_response(call, message),
            Service::Fenced => self.cx.fencer_response(call, message),
            Service::Based => self.event(service, message),
            // Acknowledgements; what matters comes as events.
            Service::Attrd | Service::Schedulerd | Service::Pacemakerd | Service::Controld => {}
        }
    }

    fn event(&mut self, service: Service, message: &Element) {
        match service {
            Service::Based if message.attr("subt") == Some("cib_diff_notify") => self.cib_changed(message),
            Service::Based => {
                if let Some(reply) = self.cx.cib.take_reply(message) {
                    self.cib_reply(reply);
                }
            }
            Service::Execd => {
                if let Some(messages::execd::Notify::Executed(result)) =
                    messages::execd::Notify::from_xml(message)
                {
                    self.cx.operation_ended(*result);
                }
            }
            Service::Fenced => {
                let dc = self.state.dc();
                self.cx.fencer_event(message, dc);
            }
            Service::Schedulerd => self.scheduler_answer(message),
            Service::Attrd | Service::Pacemakerd | Service::Controld => {}
        }
    }

    fn scheduler_answer(&mut self, message: &Element) {
        let Ok(answer) = Envelope::from_xml(message) else { return };
        if answer.task != "pe_calc" || answer.direction != messages::controller::Direction::Response {
            return;
        }
        if self.state.dc().is_some_and(|dc| dc.awaits(&answer.reference)) {
            self.cx.raise(Signal::PeSuccess(Box::new(answer)));
        } else {
            let text = format!("pe_calc calculation {} is obsolete", answer.reference);
            self.cx.log(Level::Info, text);
        }
    }

    fn cib_changed(&mut self, notification: &Element) {
        let touches_options = |change: &Element| {
            let path = change.attr("path").unwrap_or_default();
            path.starts_with("/cib/configuration/crm_config")
                || matches!(path, "/cib/configuration" | "/cib")
                    && change.descendants().any(|inner| inner.name() == "crm_config")
        };
        let diff = notification.child("cib_update_result").and_then(Element::first_element);
        if diff.is_some_and(|diff| diff.elements_named("change").any(touches_options)) {
            self.cx.read_options();
        }
        self.watch_strangers(notification, diff);
        if let Some(dc) = self.state.dc() {
            dc.cib_changed(&mut self.cx, notification);
        }
    }

    /// Whoever is not of the cluster may have written anything about its nodes, or wiped it out: the DC writes it again,
    /// and gathers everybody's history anew.
    fn watch_strangers(&mut self, notification: &Element, diff: Option<&Element>) {
        let client = notification.attr("cib_clientname");
        let safe = client.is_some_and(|name| SAFE_CLIENTS.contains(&name));
        let leads = matches!(self.state, State::Dc(_));
        // Older CIB managers do not say who it was.
        let unknown = client.is_none() && self.cx.feature_set() < FeatureSet::new(3, 18, 0);
        if safe || unknown || !leads {
            return;
        }
        let touches = |change: &Element| {
            let path = change.attr("path").unwrap_or_default();
            let created = change.first_element().map_or("", Element::name);
            let inside = |root: &str| {
                path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            inside("/cib/status")
                || inside("/cib/configuration/nodes")
                || (path == "/cib" && matches!(created, "status" | "configuration"))
                || (path == "/cib/configuration" && created == "nodes")
        };
        if diff.is_some_and(|diff| diff.elements_named("change").any(touches)) {
            let client = client.unwrap_or("(unidentified client)");
            let text =
                format!("Populating nodes and starting an election after an event triggered by {client}");
            self.cx.log(Level::Notice, text);
            self.cx.write_nodes(Facets::ALL, true, "do_cib_updated");
            self.cx.raise_first(Signal::Election);
        }
    }

    fn cib_reply(&mut self, reply: CibReply) {
        let rc = reply.rc;
        let dc = self.state.dc();
        match reply.purpose.clone() {
            Purpose::Unimportant => {}
            Purpose::Options => self.options_read(&reply),
            Purpose::Generation { join_id } => self.cx.request_place(&join_id, &reply),
            Purpose::Schedule => {
                if let Some(dc) = dc {
                    dc.ask_scheduler(&mut self.cx, reply);
                }
            }
            Purpose::Sync { from } => {
                if let Some(dc) = dc {
                    dc.synced(&mut self.cx, &from, rc);
                }
            }
            Purpose::JoinHistory { node } => {
                if let Some(dc) = dc {
                    dc.history_written(&mut self.cx, &node, &reply);
                }
            }
            Purpose::NodeUpdate | Purpose::Quorum | Purpose::Takeover if !rc.is_ok() => {
                let text = format!("Update {} of the CIB failed: {}", reply.call, rc.text());
                self.cx.raise(Signal::Error(text));
            }
            Purpose::Fenced { target } => self.fencing_written(&target, &reply),
            Purpose::History { operation } if !rc.is_ok() => {
                let text =
                    format!("Resource history update {} of {operation} failed: {}", reply.call, rc.text());
                self.cx.log(Level::Warning, text);
            }
            Purpose::Erase { what } if !rc.is_ok() && rc != LegacyRc::ENXIO => {
                let text = format!("Deletion of {what} (via CIB call {}) failed: {}", reply.call, rc.text());
                self.cx.log(Level::Warning, text);
            }
            Purpose::NodeUpdate
            | Purpose::Quorum
            | Purpose::Takeover
            | Purpose::History { .. }
            | Purpose::Erase { .. } => {}
        }
    }

    fn options_read(&mut self, reply: &CibReply) {
        // Not there at all is as good as empty.
        if !reply.rc.is_ok() && reply.rc != LegacyRc::ENXIO {
            let text = format!("Local CIB query resulted in an error: {}", reply.rc.text());
            self.cx.raise(Signal::Error(text));
            return;
        }
        let section = reply.data.as_ref().and_then(|data| match data.name() {
            "crm_config" => Some(data),
            "cib" => data.descend(&["configuration", "crm_config"]),
            _ => data.child("crm_config"),
        });
        self.cx.options = Options::read(section);
        self.cx.cib.configured = true;
    }

    fn fencing_written(&mut self, target: &str, reply: &CibReply) {
        let call = reply.call;
        if reply.rc.is_ok() {
            self.cx.log(Level::Info, format!("Fencing update {call} for {target}: complete"));
            return;
        }
        let text = format!("Fencing update {call} for {target}: failed - {}", reply.rc.text());
        self.cx.raise(Signal::Error(text));
    }

    // --- time ---------------------------------------------------------------------------------------------------

    fn tick(&mut self) {
        let now = self.cx.now;
        if let Some(election) = &mut self.election {
            election.tick(now);
        }
        self.drain_election();
        for reply in self.cx.cib.expired(now.instant) {
            let text = format!("CIB call {} was not answered in time", reply.call);
            self.cx.log(Level::Error, text);
            self.cib_reply(reply);
        }
        let dc = self.state.dc();
        self.cx.fencer_tick(dc);
        if self.escalation.is_some_and(|at| at <= now.instant) {
            self.escalation = None;
            self.cx.log(Level::Error, "Shutdown escalation: not waiting for leave any longer");
            self.cx.raise(Signal::Stop);
        }
        match &mut self.state {
            State::Pending { dc_deadline, .. } if *dc_deadline <= now.instant => self.pending_overdue(),
            State::Dc(dc) => {
                if let Some((_, reason)) = dc.delayed_abort.take_if(|(at, _)| *at <= now.instant) {
                    dc.restart(&mut self.cx, reason, None);
                }
                if dc.phase.deadline().is_some_and(|at| at <= now.instant) {
                    self.phase_overdue();
                }
            }
            _ => {}
        }
    }

    fn phase_overdue(&mut self) {
        let State::Dc(dc) = &mut self.state else { return };
        match &mut dc.phase {
            Phase::Integration { deadline } => {
                *deadline = self.cx.now.instant + self.cx.options.join_integration_timeout;
                self.cx.log(Level::Warning, "Not all nodes answered the join offers in time");
                self.cx.raise(Signal::Integrated);
            }
            Phase::FinalizeJoin { .. } => {
                self.cx.log(Level::Error, "The join did not come to its end in time");
                self.cx.raise(Signal::Election);
            }
            Phase::PolicyEngine(Scheduling::Asked { .. }) => {
                // Better no DC than one that cannot find out what to do.
                self.cx.log(Level::Error, "The scheduler did not answer in time");
                self.cx.raise(Signal::Exit(ExitCode::FATAL));
            }
            Phase::Idle { .. } => {
                self.cx
                    .log(Level::Info, "Cluster recheck timer just popped in state S_IDLE! | input=I_PE_CALC");
                self.cx.raise(Signal::PeCalc);
            }
            Phase::PolicyEngine(_) | Phase::TransitionEngine => {}
        }
    }

    // --- going on -----------------------------------------------------------------------------------------------

    fn drain_election(&mut self) {
        let Some(election) = &mut self.election else { return };
        while let Some(output) = election.poll() {
            match output {
                election::Output::Broadcast(message) => self.cx.send(&message, "election_vote"),
                election::Output::Send { message, .. } => self.cx.send(&message, "send_no_vote"),
                election::Output::Challenged => self.cx.raise(Signal::Election),
                election::Output::Won => self.cx.raise(Signal::ElectionWon),
                election::Output::Lost { .. } => self.cx.raise(Signal::ElectionLost),
                election::Output::Log { level, text } => self.cx.log(level, text),
            }
        }
    }

    /// Starts as soon as everything needed is there.
    fn start_when_ready(&mut self) {
        let cx = &self.cx;
        let ready = self.membership_known
            && cx.local.is_some()
            && cx.executor.connected
            && cx.cib.connected
            && cx.cib.configured;
        if matches!(self.state, State::Starting) && ready && !self.cx.shutting_down {
            let text = "Pacemaker controller successfully started and accepting connections";
            self.cx.log(Level::Notice, text);
            self.step(Signal::Pending);
        }
    }

    /// Does all that the last input has made possible.
    fn settle(&mut self) {
        self.start_when_ready();
        loop {
            if let Some(signal) = self.cx.signals.pop_front() {
                self.step(signal);
            } else if let Some(message) = self.cx.relays.pop_front() {
                self.route(message, Origin::Here);
            } else {
                let outputs = self.cx.outputs.len();
                if let Some(dc) = self.state.dc() {
                    dc.walk_on(&mut self.cx);
                    dc.query_when_settled(&mut self.cx);
                }
                self.stop_when_quiet();
                let quiet = self.cx.signals.is_empty() && self.cx.relays.is_empty();
                if quiet && outputs == self.cx.outputs.len() {
                    return;
                }
            }
        }
    }
}

impl Core for Controld {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        self.cx.now = now;
        if matches!(self.state, State::Terminate) {
            return;
        }
        self.cx.state = self.state.name();
        self.input(input);
        self.settle();
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.cx.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        if matches!(self.state, State::Terminate) {
            return None;
        }
        let of_state = match &self.state {
            State::Pending { dc_deadline, .. } => Some(*dc_deadline),
            State::Dc(dc) => {
                let abort = dc.delayed_abort.map(|(at, _)| at);
                let walk = dc.walk.as_ref().and_then(graph::walk::Walk::next_timeout);
                dc.phase.deadline().into_iter().chain(abort).chain(walk).min()
            }
            _ => None,
        };
        let of_election = self.election.as_ref().and_then(Election::next_timeout);
        let others = [of_state, of_election, self.escalation, self.cx.cib.next_deadline()];
        others.into_iter().flatten().chain(self.cx.fencer.next_deadline()).min()
    }
}
