// SPDX-License-Identifier: GPL-2.0-or-later
//! Feeds what happens, drains what is wanted.

use super::*;
use messages::controller::Envelope;
use std::sync::Arc;
use xml::Element;

/// A machine on which what pacemakerd wants happens at once, unless a test says otherwise.
struct Machine {
    core: Pacemakerd,
    now: Now,
    next_pid: u32,
    /// The daemons that run: process, and the effect that started it.
    running: BTreeMap<Service, (u32, Option<EffectId>)>,
    /// Those that run but do not answer.
    deaf: Vec<Service>,
    /// Those that do not end when they are told to.
    stubborn: Vec<Service>,
    /// Lines of the log and what was done, in order.
    story: Vec<String>,
    said: Vec<(String, Element)>,
    exit: Option<ExitCode>,
    panicked: bool,
}

impl Machine {
    fn off() -> Machine {
        let core = Pacemakerd::new(Config { profile: Profile::V3_0, fail_fast: false });
        Machine {
            core,
            now: Now { wall: WallTime::from_secs(1_000), ..Now::default() },
            next_pid: 100,
            running: BTreeMap::new(),
            deaf: Vec::new(),
            stubborn: Vec::new(),
            story: Vec::new(),
            said: Vec::new(),
            exit: None,
            panicked: false,
        }
    }

    fn booted() -> Machine {
        let mut machine = Machine::off();
        machine.settle();
        machine.story.clear();
        machine
    }

    fn settle(&mut self) {
        while let Some(output) = self.core.poll() {
            match output {
                Output::Effect { id, effect } => self.perform(id, effect),
                Output::Log { text, .. } => self.story.push(text),
                Output::Respond { message, .. } => self.said.push(("ack".into(), message)),
                Output::Event { message, .. } => self.said.push(("event".into(), message)),
                Output::Exit { code } => self.exit = Some(code),
                other => panic!("{other:?}"),
            }
        }
    }

    fn perform(&mut self, id: EffectId, effect: Effect) {
        match effect {
            Effect::Look { service, pid } => {
                let found = self.running.get(&service).copied();
                let serving = found.filter(|_| !self.deaf.contains(&service));
                let endpoint =
                    serving.map_or(Endpoint::Nobody, |(pid, _)| Endpoint::Trusted { pid, is_program: true });
                let is_alive = pid.is_some() && found.map(|(pid, _)| pid) == pid;
                self.feed(id, Event::Looked(Look { endpoint, is_alive }));
            }
            Effect::Start { service, respawned } => {
                self.next_pid += 1;
                let again = if respawned { " again" } else { "" };
                self.story.push(format!("start {}{again}", service.program()));
                self.running.insert(service, (self.next_pid, Some(id)));
                self.feed(id, Event::Started { pid: self.next_pid, uid: 0, gid: 0 });
            }
            Effect::Signal { service, pid, signal } => {
                self.story.push(format!("signal {} {signal:?}", service.program()));
                self.feed(id, Event::Signalled(Ok(())));
                let ends = signal != StopSignal::Term || !self.stubborn.contains(&service);
                if ends && self.running.get(&service).is_some_and(|(running, _)| *running == pid) {
                    let ending = match signal {
                        StopSignal::Term => Ending::Exited(ExitCode::OK),
                        other => Ending::Killed { signal: other.number(), dumped: false },
                    };
                    self.end(service, ending);
                }
            }
            Effect::Panic { .. } => self.panicked = true,
        }
    }

    fn feed(&mut self, effect: EffectId, event: Event) {
        self.core.handle(self.now, Input::Done { effect, event });
    }

    fn end(&mut self, service: Service, ending: Ending) {
        self.deaf.retain(|deaf| *deaf != service);
        if let Some((_, Some(by))) = self.running.remove(&service) {
            self.feed(by, Event::Ended(ending));
        }
        self.settle();
    }

    fn wait(&mut self, seconds: u64) {
        let until = self.now.instant + Duration::from_secs(seconds);
        while let Some(at) = self.core.next_timeout().filter(|at| *at <= until) {
            self.now.wall.secs += at.since(self.now.instant).as_secs() as i64;
            self.now.instant = at;
            self.core.handle(self.now, Input::Tick);
            self.settle();
        }
    }

    fn shut_down(&mut self) {
        self.core.handle(self.now, Input::Shutdown);
        self.settle();
    }

    fn ask(&mut self, task: &str, privileged: bool) -> Vec<(String, Element)> {
        let client = ClientId(1);
        let credentials = Credentials { uid: 1, gid: 1, pid: 1, user: Arc::from("someone"), privileged };
        self.core.handle(self.now, Input::ClientConnected { client, channel: "pacemakerd", credentials });
        let request = Envelope::request(task, "r-1".into(), "pacemakerd", "tool");
        let message = request.to_xml("test", Profile::V3_0.feature_set());
        self.core
            .handle(self.now, Input::ClientMessage { client, request: 5, wants_response: true, message });
        self.settle();
        std::mem::take(&mut self.said)
    }

    fn did(&self, what: &str) -> Vec<&str> {
        self.story.iter().filter(|line| line.starts_with(what)).map(String::as_str).collect()
    }

    fn has_said(&self, text: &str) -> bool {
        self.story.iter().any(|line| line.contains(text))
    }
}

#[test]
fn daemons_are_started_in_order_and_stopped_in_reverse() {
    let mut machine = Machine::off();
    machine.settle();
    assert_eq!(
        machine.did("start"),
        [
            "start pacemaker-based",
            "start pacemaker-fenced",
            "start pacemaker-execd",
            "start pacemaker-attrd",
            "start pacemaker-schedulerd",
            "start pacemaker-controld"
        ]
    );
    assert_eq!(machine.core.state(), State::Running);
    machine.shut_down();
    assert_eq!(
        machine.did("signal"),
        [
            "signal pacemaker-controld Term",
            "signal pacemaker-schedulerd Term",
            "signal pacemaker-attrd Term",
            "signal pacemaker-execd Term",
            "signal pacemaker-fenced Term",
            "signal pacemaker-based Term"
        ]
    );
    assert_eq!(machine.exit, Some(ExitCode::OK));
    assert!(machine.has_said("Shutting down Pacemaker") && machine.has_said("Shutdown complete"));
}

#[test]
fn what_runs_already_is_adopted_watched_and_stopped() {
    let mut machine = Machine::off();
    machine.running.insert(Service::Execd, (77, None));
    machine.settle();
    assert_eq!(machine.did("start").len(), 5);
    assert!(machine.has_said("Tracking existing pacemaker-execd process (pid=77)"));
    // Nobody tells of its end, so it has to be noticed.
    machine.running.remove(&Service::Execd);
    machine.story.clear();
    machine.wait(7);
    assert!(machine.has_said("Subdaemon pacemaker-execd[77] terminated"));
    assert_eq!(machine.did("start"), ["start pacemaker-execd again"]);
}

#[test]
fn an_adopted_daemon_is_stopped_and_its_end_noticed() {
    let mut machine = Machine::off();
    machine.running.insert(Service::Controld, (77, None));
    machine.settle();
    machine.story.clear();
    machine.shut_down();
    assert_eq!(machine.did("signal"), ["signal pacemaker-controld Term"]);
    machine.wait(3);
    assert_eq!(machine.did("signal").len(), 6);
    assert_eq!(machine.exit, Some(ExitCode::OK));
}

#[test]
fn a_daemon_that_ends_is_started_again_a_hundred_times() {
    let mut machine = Machine::booted();
    machine.end(Service::Attrd, Ending::Killed { signal: 9, dumped: false });
    assert!(machine.has_said("terminated with signal 9"));
    assert_eq!(machine.did("start"), ["start pacemaker-attrd again"]);
    for _ in 0..100 {
        machine.end(Service::Attrd, Ending::Exited(ExitCode::ERROR));
    }
    assert_eq!(machine.did("start").len(), 100);
    assert!(machine.has_said("Subdaemon pacemaker-attrd exceeded maximum respawn count"));
    assert_eq!(machine.exit, None);
}

#[test]
fn who_took_its_place_is_not_started_twice() {
    let mut machine = Machine::booted();
    let (_, by) = machine.running[&Service::Based];
    machine.running.insert(Service::Based, (500, None));
    machine.feed(by.unwrap(), Event::Ended(Ending::Exited(ExitCode::ERROR)));
    machine.settle();
    assert!(machine.has_said("Not respawning subdaemon pacemaker-based because IPC endpoint cib_rw is OK"));
    assert!(machine.did("start").is_empty());
}

#[test]
fn fatal_takes_the_node_down_and_keeps_it_down() {
    let mut machine = Machine::booted();
    machine.end(Service::Controld, Ending::Exited(ExitCode::FATAL));
    assert!(machine.has_said("Shutting cluster down because pacemaker-controld["));
    assert_eq!(machine.did("signal").len(), 5);
    assert_eq!(machine.exit, Some(ExitCode::FATAL));
    assert!(!machine.panicked && machine.running.is_empty());
}

#[test]
fn panic_takes_the_machine_down() {
    let mut machine = Machine::booted();
    machine.end(Service::Controld, Ending::Exited(ExitCode::PANIC));
    assert!(machine.panicked);
    assert_eq!(machine.exit, Some(ExitCode::FATAL));
}

#[test]
fn one_that_cannot_be_started_is_fatal() {
    let mut core = Pacemakerd::new(Config { profile: Profile::V3_0, fail_fast: false });
    let (mut lines, mut exit) = (Vec::new(), None);
    while let Some(output) = core.poll() {
        match output {
            Output::Effect { id, effect } => {
                let event = match effect {
                    Effect::Look { .. } => {
                        Event::Looked(Look { endpoint: Endpoint::Nobody, is_alive: false })
                    }
                    Effect::Start { .. } => Event::NotStarted { reason: "no such file".into() },
                    other => panic!("{other:?}"),
                };
                core.handle(Now::default(), Input::Done { effect: id, event });
            }
            Output::Log { text, .. } => lines.push(text),
            Output::Exit { code } => exit = Some(code),
            other => panic!("{other:?}"),
        }
    }
    assert!(lines.iter().any(|line| line == "Could not execute subdaemon pacemaker-based: no such file"));
    assert_eq!(exit, Some(ExitCode::FATAL));
}

#[test]
fn a_stranger_at_a_daemons_name_is_fatal() {
    let mut core = Pacemakerd::new(Config { profile: Profile::V3_0, fail_fast: false });
    let Some(Output::Effect { id, .. }) = core.poll() else { panic!() };
    let look = Look { endpoint: Endpoint::Stranger { pid: 9, uid: 1234 }, is_alive: false };
    core.handle(Now::default(), Input::Done { effect: id, event: Event::Looked(look) });
    assert!(matches!(core.poll(), Some(Output::Log { level: Level::Critical, .. })));
    assert!(matches!(core.poll(), Some(Output::Exit { code: ExitCode::FATAL })));
}

#[test]
fn one_that_does_not_answer_is_killed_after_five_looks() {
    let mut machine = Machine::booted();
    machine.deaf.push(Service::Fenced);
    machine.wait(4 * 6);
    assert!(machine.has_said("is unresponsive to IPC after 4 attempts (will recheck later)"));
    assert!(machine.did("signal").is_empty());
    machine.wait(6);
    assert!(machine.has_said("is unresponsive to IPC after 5 attempts and will now be killed"));
    assert_eq!(machine.did("signal"), ["signal pacemaker-fenced Kill"]);
    assert_eq!(machine.did("start"), ["start pacemaker-fenced again"]);
}

#[test]
fn one_that_does_not_stop_is_forced_but_the_controller_waited_for() {
    let mut machine = Machine::booted();
    machine.stubborn = vec![Service::Controld, Service::Execd];
    machine.shut_down();
    machine.wait(600);
    assert_eq!(machine.did("signal"), ["signal pacemaker-controld Term"]);
    assert!(machine.has_said("Still waiting for subdaemon pacemaker-controld to terminate"));
    machine.end(Service::Controld, Ending::Exited(ExitCode::OK));
    machine.wait(179);
    assert!(!machine.has_said("forcing"));
    machine.wait(1);
    assert!(machine.has_said("Subdaemon pacemaker-execd not terminating in a timely manner, forcing"));
    assert_eq!(machine.exit, Some(ExitCode::OK));
    assert!(machine.did("start").is_empty());
}

#[test]
fn clients_are_told_how_it_is() {
    let mut machine = Machine::booted();
    machine.wait(1);
    let said = machine.ask("ping", false);
    assert_eq!((said[0].0.as_str(), said[0].1.attr("status")), ("ack", Some("112")));
    let reply = Envelope::from_xml(&said[1].1).unwrap();
    assert_eq!((reply.reference.as_str(), reply.sys_to.as_str()), ("r-1", "tool"));
    let ping = messages::pacemakerd::PingResponse::from_xml(&reply.payload.unwrap()).unwrap();
    assert_eq!((ping.state, ping.last_good), (State::Running, machine.now.wall));
    assert_eq!(machine.ask("rm_node_cache", false)[0].1.attr("status"), Some("0"));
    assert_eq!(machine.ask("dance", false)[0].1.attr("status"), Some("76"));
}

#[test]
fn only_the_privileged_end_it() {
    let mut machine = Machine::booted();
    machine.stubborn.push(Service::Controld);
    let status = |said: &[(String, Element)]| {
        let reply = Envelope::from_xml(&said[1].1).unwrap();
        reply.payload.unwrap().attr("op-status").unwrap().to_owned()
    };
    assert_eq!(status(&machine.ask("quit", false)), "4");
    assert_eq!(machine.core.state(), State::Running);
    assert_eq!(status(&machine.ask("quit", true)), "0");
    assert_eq!(machine.core.state(), State::ShuttingDown);
}

#[test]
fn ended_while_it_looks_it_stops_what_it_found() {
    let mut machine = Machine::off();
    machine.running.insert(Service::Based, (77, None));
    machine.core.handle(machine.now, Input::Shutdown);
    machine.settle();
    machine.wait(3);
    assert!(machine.did("start").is_empty());
    assert_eq!(machine.exit, Some(ExitCode::OK));
}
