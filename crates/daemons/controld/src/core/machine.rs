// SPDX-License-Identifier: GPL-2.0-or-later
//! The state machine: what leads from each state to which, and what is done on the way.

use super::Controld;
use super::dc::{Dc, Phase, Scheduling};
use super::peers::{Expected, Facets};
use super::state::{Signal, State};
use graph::walk::Next;
use messages::core::{Level, Output};
use model::{ExitCode, Score};

impl Controld {
    /// One signal.
    pub(super) fn step(&mut self, signal: Signal) {
        match (&self.state, signal) {
            (State::Terminate, _) => {}
            (_, Signal::Exit(code)) => self.exit(code),
            (_, Signal::Error(why)) => self.fail(&why),
            (State::Stopping, _) => {}
            (_, Signal::Stop) => self.stop(),
            (State::Starting, Signal::Shutdown) => self.exit(ExitCode::OK),
            (_, Signal::Shutdown) => self.request_shutdown(),
            (State::Starting, Signal::Pending) => {
                self.wait_for_dc("I_PENDING");
                self.cx.announce();
            }
            (State::Starting, _) => {}
            (_, Signal::Pending) => self.wait_for_dc("I_PENDING"),
            (_, Signal::ElectionLost) => self.election_lost(),
            (_, signal @ (Signal::Election | Signal::DcTimeout)) => self.elect(signal.name()),
            (State::Election { .. }, Signal::ElectionWon) => self.lead(),
            (State::Election { .. }, Signal::JoinOffer(_)) => self.elect("I_JOIN_OFFER"),
            (State::NotDc, Signal::JoinOffer(offer)) => {
                self.enter(self.offered(), "I_JOIN_OFFER");
                self.cx.answer_offer(&offer, false);
            }
            (State::Pending { .. }, Signal::JoinOffer(offer)) => {
                self.state = self.offered();
                self.cx.answer_offer(&offer, false);
            }
            (State::Dc(_), Signal::JoinOffer(offer)) => self.cx.answer_offer(&offer, true),
            (State::Pending { .. }, Signal::JoinResult(result)) => self.cx.answer_result(&result, false),
            (State::NotDc, Signal::JoinResult(_)) => {
                self.wait_for_dc("I_JOIN_RESULT");
                self.cx.announce();
            }
            (State::Pending { .. }, Signal::NotDc) => self.follow_dc(),
            (State::Dc(_), signal) => self.step_dc(signal),
            (_, signal) => {
                let text = format!("Input {} received in state {}", signal.name(), self.state.name());
                self.cx.log(Level::Debug, text);
            }
        }
    }

    /// One signal, as DC.
    fn step_dc(&mut self, signal: Signal) {
        let name = signal.name();
        let State::Dc(dc) = &mut self.state else { return };
        let joining = dc.phase.is_joining();
        match signal {
            // A CIB could not be had: from the beginning, without the node that has it.
            Signal::ElectionWon => {
                self.enter_phase(self.integration(), name);
                self.as_dc(Dc::offer_all);
            }
            Signal::NodeJoin(asking) => {
                if !matches!(dc.phase, Phase::Integration { .. }) {
                    self.enter_phase(self.integration(), name);
                }
                self.as_dc(|dc, cx| dc.offer_one(cx, asking.as_deref()));
                if !joining {
                    self.as_dc(|dc, cx| {
                        dc.abort(cx, Score::INFINITY.value(), Next::Wait, "Peer halt", None);
                    });
                }
            }
            Signal::JoinRequest(request) => {
                if matches!(dc.phase, Phase::Integration { .. }) {
                    self.as_dc(|dc, cx| dc.process_request(cx, &request));
                } else {
                    self.enter_phase(self.integration(), name);
                    self.as_dc(|dc, cx| dc.offer_one(cx, request.src.as_deref()));
                }
            }
            Signal::JoinResult(result) if joining => self.cx.answer_result(&result, true),
            Signal::JoinConfirm(confirmation) => {
                self.as_dc(|dc, cx| dc.process_confirmation(cx, &confirmation));
            }
            Signal::Integrated if matches!(dc.phase, Phase::Integration { .. }) => {
                let deadline = self.cx.now.instant + self.cx.options.join_finalization_timeout;
                self.enter_phase(Phase::FinalizeJoin { deadline, stalled: false }, name);
                self.as_dc(Dc::finalize);
            }
            Signal::Finalized if matches!(dc.phase, Phase::FinalizeJoin { .. }) => {
                self.enter_phase(Phase::PolicyEngine(Scheduling::WaitingForUpdates), name);
                self.as_dc(|dc, cx| {
                    dc.write_members(cx);
                    let had = cx.quorate;
                    dc.write_quorum(cx, had, true);
                    dc.restart(cx, "Peer cancelled", None);
                });
            }
            Signal::PeCalc if !joining => {
                if !matches!(dc.phase, Phase::PolicyEngine(_)) {
                    self.enter_phase(Phase::PolicyEngine(Scheduling::WaitingForUpdates), name);
                }
                self.as_dc(Dc::schedule);
            }
            Signal::PeSuccess(answer) if dc.awaits(&answer.reference) => {
                self.enter_phase(Phase::TransitionEngine, name);
                self.as_dc(|dc, cx| dc.begin_transition(cx, &answer));
            }
            Signal::TeSuccess if matches!(dc.phase, Phase::TransitionEngine) => self.rest(),
            _ => {
                let text = format!("Input {name} received in state {}", self.state.name());
                self.cx.log(Level::Debug, text);
            }
        }
    }

    fn as_dc(&mut self, act: impl FnOnce(&mut Dc, &mut super::context::Context)) {
        if let State::Dc(dc) = &mut self.state {
            act(dc, &mut self.cx);
        }
    }

    // --- moving -------------------------------------------------------------------------------------------------

    fn integration(&self) -> Phase {
        Phase::Integration { deadline: self.cx.now.instant + self.cx.options.join_integration_timeout }
    }

    fn enter_phase(&mut self, phase: Phase, input: &str) {
        let State::Dc(dc) = &mut self.state else { return };
        let from = dc.phase.name();
        dc.phase = phase;
        let to = dc.phase.name();
        self.moved(from, to, input);
    }

    /// Takes up another state. What the old one held is dropped, unless it was taken before.
    fn enter(&mut self, state: State, input: &str) {
        let (from, to) = (self.state.name(), state.name());
        self.state = state;
        self.moved(from, to, input);
        if to != "S_ELECTION"
            && let Some(election) = &mut self.election
        {
            election.stop();
        }
    }

    fn moved(&mut self, from: &'static str, to: &'static str, input: &str) {
        self.cx.state = to;
        if from == to {
            return;
        }
        let notable = |state: &str| matches!(state, "S_IDLE" | "S_NOT_DC");
        let important = notable(from) || notable(to) || matches!(from, "S_ELECTION" | "S_STARTING");
        let level = if important { Level::Notice } else { Level::Info };
        self.cx.log(level, format!("State transition {from} -> {to} | input={input}"));
    }

    /// Takes the DC's side out of the state, if it has one; another state must follow.
    fn take_dc(&mut self) -> Option<Box<Dc>> {
        match std::mem::replace(&mut self.state, State::Starting) {
            State::Dc(dc) | State::Election { former: Some(dc) } => Some(dc),
            other => {
                self.state = other;
                None
            }
        }
    }

    // --- states -------------------------------------------------------------------------------------------------

    fn wait_for_dc(&mut self, input: &str) {
        let deadline = self.cx.now.instant + self.cx.options.dc_deadtime;
        self.enter(State::Pending { dc_deadline: deadline, offered: false }, input);
        self.cx.cib_set_primary(false);
        self.cx.follow(None);
    }

    /// Waits for the DC that has offered a place: it may have to wait for others, and for a transition to end.
    fn offered(&self) -> State {
        let options = &self.cx.options;
        let dc_deadline = self.cx.now.instant + options.join_integration_timeout + options.dc_deadtime;
        State::Pending { dc_deadline, offered: true }
    }

    /// Nobody has said anything for too long.
    pub(super) fn pending_overdue(&mut self) {
        let State::Pending { dc_deadline, offered } = &mut self.state else { return };
        if std::mem::take(offered) {
            *dc_deadline = self.cx.now.instant + self.cx.options.dc_deadtime;
            self.cx.log(Level::Warning, "The DC that offered a place has not decided: announcing again");
            self.cx.announce();
        } else {
            self.cx.log(Level::Warning, "No DC was found in time");
            self.cx.raise(Signal::DcTimeout);
        }
    }

    fn elect(&mut self, input: &str) {
        if let State::Election { .. } = self.state {
            // Again, from the beginning.
        } else {
            let from = self.state.name();
            let former = self.take_dc();
            self.state = State::Election { former };
            self.moved(from, "S_ELECTION", input);
        }
        self.cx.follow(None);
        if let Some(election) = &mut self.election {
            election.set_timeout(self.cx.options.election_timeout);
            election.start(self.cx.now);
        }
        self.drain_election();
    }

    fn election_lost(&mut self) {
        self.cx.follow(None);
        if self.state.is_dc() {
            self.cx.log(Level::Info, "DC role released");
        }
        self.wait_for_dc("I_PENDING");
    }

    fn lead(&mut self) {
        let from = self.state.name();
        let mut dc = self.take_dc().unwrap_or_else(|| Box::new(Dc::new(self.cx.now.instant)));
        dc.phase = self.integration();
        self.state = State::Dc(dc);
        self.moved(from, "S_INTEGRATION", "I_ELECTION_DC");
        self.as_dc(Dc::take_over);
        self.as_dc(Dc::offer_all);
    }

    fn follow_dc(&mut self) {
        self.enter(State::NotDc, "I_NOT_DC");
        self.cx.fencer.purge_cleanup();
        if self.cx.shutting_down {
            self.cx.log(Level::Info, "(Re)Issuing shutdown request now that we have a new DC");
            self.request_shutdown();
        }
    }

    /// Nothing to do until something happens.
    fn rest(&mut self) {
        let State::Dc(dc) = &self.state else { return };
        let recheck_at = dc.recheck_at(&self.cx);
        self.enter_phase(Phase::Idle { recheck_at }, "I_TE_SUCCESS");
        if self.cx.shutting_down {
            self.cx.log(Level::Info, "(Re)Issuing shutdown request now that we are the DC");
            self.request_shutdown();
        }
    }

    // --- ending -------------------------------------------------------------------------------------------------

    /// Asks the cluster for leave.
    fn request_shutdown(&mut self) {
        let leader = self.cx.leader.as_ref().map_or("not set".to_owned(), |leader| leader.name.to_string());
        let text = format!("Sending shutdown request to all peers (DC is {leader})");
        self.cx.log(Level::Info, text);
        let request = self.cx.request("req_shutdown", "crmd", "crmd");
        self.cx.send(&request, "do_shutdown_req");
    }

    /// Ends as soon as nothing runs any more.
    fn stop(&mut self) {
        let local = self.cx.local_name();
        if self.state.is_dc() && self.cx.shutting_down {
            self.cx.expect(&local, Expected::Down);
            if let Some(state) = self.cx.node_state(&local, Facets::EXPECTED, "do_dc_release") {
                self.cx.cib_create("status", state, super::cib_calls::Purpose::Unimportant);
            }
        }
        self.cx.shutting_down = true;
        self.enter(State::Stopping, "I_STOP");
        self.cx.cancel_all_recurring();
        let pending = self.cx.executor.pending();
        if pending > 0 {
            let text = format!("{pending} pending executor operations at shutdown... waiting");
            self.cx.log(Level::Info, text);
        }
        self.stop_when_quiet();
    }

    /// While stopping: ends if no operation is left.
    pub(super) fn stop_when_quiet(&mut self) {
        if !matches!(self.state, State::Stopping) {
            return;
        }
        if self.cx.executor.pending() > 0 {
            return;
        }
        let active = self.cx.executor.active_resources();
        if active > 0 {
            let verb = if active == 1 { " was" } else { "s were" };
            self.cx.log(Level::Error, format!("{active} resource{verb} active at shutdown"));
        }
        self.exit(ExitCode::OK);
    }

    fn fail(&mut self, why: &str) {
        self.cx.log(Level::Error, why);
        if !matches!(self.state, State::Starting) {
            self.cx.log(Level::Warning, "Fast-tracking shutdown in response to errors");
        }
        self.exit(ExitCode::ERROR);
    }

    fn exit(&mut self, code: ExitCode) {
        let code = if self.cx.stay_down && code != ExitCode::PANIC {
            let text = format!("Inhibiting respawn | remapping exit code {} to 100", code.value());
            self.cx.log(Level::Warning, text);
            ExitCode::FATAL
        } else {
            code
        };
        self.enter(State::Terminate, "I_TERMINATE");
        self.cx.signals.clear();
        self.cx.relays.clear();
        self.cx.outputs.push_back(Output::Exit { code });
    }
}
