// SPDX-License-Identifier: GPL-2.0-or-later
//! What pacemakerd decides: which daemon to start, start again, adopt, stop or kill, and when.
//!
//! Given: what a look at a daemon found, how processes ended, what clients want, the time. Leaves to others: looking,
//! starting and signalling (its effects).
//!
//! The rules are Pacemaker's: daemons that run already are adopted, not started twice; one that ends is started again, a
//! hundred times; one that ends with [`ExitCode::FATAL`] takes the node's cluster software down, with
//! [`ExitCode::PANIC`] the machine; every second one of them is looked at; they are stopped one after the other, in
//! reverse order, and those that do not end within three minutes are forced to, except for the controller.

mod child;
mod looking;
mod requests;
mod stopping;
#[cfg(test)]
mod tests;

use child::{Child, Process};
use messages::core::{ClientId, Core, Credentials, EffectId, Input, Level, Output, Service};
use messages::pacemakerd::State;
use model::{ExitCode, Instant, Now, Profile, WallTime};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The daemons, in the order in which they are started.
pub const SUBDAEMONS: [Service; 6] =
    [Service::Based, Service::Fenced, Service::Execd, Service::Attrd, Service::Schedulerd, Service::Controld];

/// How often one of them is looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// After how many looks in vain it is killed.
const CHECKS_MAX: u32 = 5;
/// How often it is started again.
const RESPAWNS_MAX: u32 = 100;
/// How long it may take to stop before it is forced to.
const STOP_PATIENCE: Duration = Duration::from_secs(180);
/// How often it is said that it has not stopped yet.
const STOP_REMINDER: Duration = Duration::from_secs(30);

/// What it is told once.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which Pacemaker to pass for.
    pub profile: Profile,
    /// A daemon that ends takes the machine with it (`PCMK_fail_fast`).
    pub fail_fast: bool,
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Look who serves a daemon's name, and whether its process (if we think it has one) is there. Outcome:
    /// [`Event::Looked`].
    Look {
        /// Which daemon.
        service: Service,
        /// The process we think it has.
        pid: Option<u32>,
    },
    /// Start a daemon. Outcomes: [`Event::Started`], then [`Event::Ended`]; or [`Event::NotStarted`].
    Start {
        /// Which.
        service: Service,
        /// It is not the first time.
        respawned: bool,
    },
    /// Send a signal to a daemon. Outcome: [`Event::Signalled`].
    Signal {
        /// Which.
        service: Service,
        /// Its process.
        pid: u32,
        /// Which signal.
        signal: StopSignal,
    },
    /// End this machine at once, together with all that runs on it. Outcome, if any: [`Event::Signalled`].
    Panic {
        /// Why.
        reason: String,
        /// The processes that have to end even where the machine cannot.
        pids: Vec<u32>,
    },
}

/// The signals by which a daemon is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// Please end.
    Term,
    /// End, and leave a core file to see what you were at.
    Segv,
    /// End.
    Kill,
}

impl StopSignal {
    /// Its number, on every Linux.
    pub const fn number(self) -> i32 {
        match self {
            StopSignal::Term => 15,
            StopSignal::Segv => 11,
            StopSignal::Kill => 9,
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What a look found.
    Looked(Look),
    /// It runs.
    Started {
        /// Its process.
        pid: u32,
        /// The user it runs as.
        uid: u32,
        /// The group.
        gid: u32,
    },
    /// It could not be started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// It has ended.
    Ended(Ending),
    /// The signal was sent, or why not.
    Signalled(Result<(), String>),
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Who serves the daemon's name.
    pub endpoint: Endpoint,
    /// The process we thought it has is there, and is that daemon.
    pub is_alive: bool,
}

/// Who serves a daemon's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Nobody, or nobody who answers.
    Nobody,
    /// Somebody who may.
    Trusted {
        /// The process.
        pid: u32,
        /// It runs that daemon's program.
        is_program: bool,
    },
    /// Somebody who may not.
    Stranger {
        /// The process.
        pid: u32,
        /// Its user.
        uid: u32,
    },
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself.
    Exited(ExitCode),
    /// By a signal.
    Killed {
        /// Its number.
        signal: i32,
        /// There is a core file.
        dumped: bool,
    },
}

/// Why a look was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Before anything is started.
    Startup,
    /// It is its turn.
    Check,
    /// It has ended.
    Respawn,
}

/// What an effect that has outcomes yet to come is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Look { child: usize, purpose: Purpose },
    Start { child: usize },
    Signal { child: usize, signal: StopSignal, pid: u32 },
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Looking for daemons that run already.
    Looking,
    /// Watching over them.
    Running,
    /// Stopping them.
    Stopping { force_at: Option<Instant>, remind_at: Instant },
    /// Done.
    Stopped,
}

/// Pacemakerd's decisions.
#[derive(Debug)]
pub struct Pacemakerd {
    config: Config,
    children: Vec<Child>,
    phase: Phase,
    /// A daemon said that it is no use to go on.
    is_fatal: bool,
    next_check: Option<Instant>,
    check_turn: usize,
    is_checking: bool,
    last_good: WallTime,
    clients: BTreeMap<ClientId, Credentials>,
    asked: BTreeMap<EffectId, Asked>,
    next_effect: u64,
    outputs: VecDeque<Output<Effect>>,
}

impl Pacemakerd {
    /// One that looks for daemons that run already, at once.
    pub fn new(config: Config) -> Pacemakerd {
        let mut pacemakerd = Pacemakerd {
            config,
            children: SUBDAEMONS.into_iter().map(Child::new).collect(),
            phase: Phase::Looking,
            is_fatal: false,
            next_check: None,
            check_turn: 0,
            is_checking: false,
            last_good: WallTime::default(),
            clients: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_effect: 1,
            outputs: VecDeque::new(),
        };
        pacemakerd.look(0, Purpose::Startup);
        pacemakerd
    }

    /// How far it is, as clients are told.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Looking => State::Init,
            Phase::Running => State::Running,
            Phase::Stopping { .. } => State::ShuttingDown,
            Phase::Stopped => State::ShutdownComplete,
        }
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }

    fn ask(&mut self, asked: Option<Asked>, effect: Effect) -> EffectId {
        let id = EffectId(self.next_effect);
        self.next_effect += 1;
        if let Some(asked) = asked {
            self.asked.insert(id, asked);
        }
        self.outputs.push_back(Output::Effect { id, effect });
        id
    }

    fn look(&mut self, child: usize, purpose: Purpose) {
        let Some(Child { service, process, .. }) = self.children.get(child) else { return };
        let effect = Effect::Look { service: *service, pid: process.pid() };
        self.ask(Some(Asked::Look { child, purpose }), effect);
    }

    fn start(&mut self, child: usize, respawned: bool) {
        let Some(service) = self.children.get(child).map(|child| child.service) else { return };
        let id = self.ask(Some(Asked::Start { child }), Effect::Start { service, respawned });
        if let Some(child) = self.children.get_mut(child) {
            child.process = Process::Starting { by: id };
            child.checks_failed = 0;
            child.is_told_to_stop = false;
        }
    }

    fn signal(&mut self, child: usize, pid: u32, signal: StopSignal) {
        let Some(service) = self.children.get(child).map(|child| child.service) else { return };
        let effect = Effect::Signal { service, pid, signal };
        self.ask(Some(Asked::Signal { child, signal, pid }), effect);
    }

    // --- what effects come to -----------------------------------------------------------------------------------

    fn done(&mut self, now: Now, id: EffectId, event: Event) {
        let Some(asked) = self.asked.get(&id).copied() else { return };
        let has_more = matches!(event, Event::Started { .. });
        if !has_more {
            self.asked.remove(&id);
        }
        match (asked, event) {
            (Asked::Look { child, purpose }, Event::Looked(look)) => self.looked(now, child, purpose, look),
            (Asked::Start { child }, Event::Started { pid, uid, gid }) => {
                self.started(now, child, id, pid, (uid, gid));
            }
            (Asked::Start { child }, Event::NotStarted { reason }) => {
                let name = self.name(child);
                self.log(Level::Critical, format!("Could not execute subdaemon {name}: {reason}"));
                self.ended(now, child, id, Ending::Exited(ExitCode::FATAL));
            }
            (Asked::Start { child }, Event::Ended(ending)) => self.ended(now, child, id, ending),
            (Asked::Signal { child, signal, pid }, Event::Signalled(result)) => {
                self.signalled(child, signal, pid, result);
            }
            _ => {}
        }
    }

    fn name(&self, child: usize) -> &'static str {
        self.children.get(child).map_or("", |child| child.service.program())
    }

    fn signalled(&mut self, child: usize, signal: StopSignal, pid: u32, result: Result<(), String>) {
        let (name, number) = (self.name(child), signal.number());
        match result {
            Ok(()) => {
                let text = format!("Stopping subdaemon {name} | via signal {number} to process {pid}");
                self.log(Level::Notice, text);
            }
            Err(problem) => {
                let text = format!("Could not stop subdaemon {name}[{pid}] with signal {number}: {problem}");
                self.log(Level::Error, text);
            }
        }
    }

    fn started(&mut self, now: Now, index: usize, by: EffectId, pid: u32, (uid, gid): (u32, u32)) {
        let name = self.name(index);
        let text = format!("Forked process {pid} using user {uid} and group {gid} for subdaemon {name}");
        self.log(Level::Info, text);
        if let Some(child) = self.children.get_mut(index).filter(|child| child.process.is_started_by(by)) {
            child.process = Process::Running { pid, by: Some(by) };
        }
        self.go_on_stopping(now);
    }

    fn ended(&mut self, now: Now, index: usize, by: EffectId, ending: Ending) {
        let Some(child) = self.children.get(index) else { return };
        let (name, pid) = (child.service.program(), child.process.pid().unwrap_or(0));
        // It was replaced by an adopted one: its end is of no concern any more.
        let is_current = child.process.is_started_by(by);
        match ending {
            Ending::Killed { signal, dumped } => {
                let core = if dumped { " and dumped core" } else { "" };
                let level = if signal == StopSignal::Kill.number() { Level::Warning } else { Level::Error };
                let text = format!("{name}[{pid}] terminated with signal {signal}{core}");
                self.log(level, text);
            }
            Ending::Exited(ExitCode::OK) => {
                self.log(Level::Info, format!("{name}[{pid}] exited with status 0 (OK)"));
            }
            Ending::Exited(code @ (ExitCode::FATAL | ExitCode::PANIC)) if is_current => {
                self.give_up(index, code);
            }
            Ending::Exited(code) => {
                let text = format!("{name}[{pid}] exited with status {} ({})", code.value(), code.as_str());
                self.log(Level::Error, text);
            }
        }
        if is_current {
            self.child_gone(now, index);
        }
        if self.is_fatal {
            self.stop(now);
        }
    }

    /// A daemon says that there is no use in starting it again.
    fn give_up(&mut self, index: usize, code: ExitCode) {
        let Some(child) = self.children.get_mut(index) else { return };
        let (name, pid) = (child.service.program(), child.process.pid().unwrap_or(0));
        child.may_respawn = false;
        self.is_fatal = true;
        if code == ExitCode::PANIC {
            self.panic(format!("Subdaemon {name}[{pid}] requested panic"));
        } else {
            let text = format!("Shutting cluster down because {name}[{pid}] had fatal failure");
            self.log(Level::Warning, text);
        }
    }

    fn panic(&mut self, reason: String) {
        let pids = self.children.iter().filter_map(|child| child.process.pid()).collect();
        self.log(Level::Critical, format!("Panicking this host: {reason}"));
        self.ask(None, Effect::Panic { reason, pids });
    }

    /// A daemon's process is no more.
    fn child_gone(&mut self, now: Now, index: usize) {
        let Some(child) = self.children.get_mut(index) else { return };
        let name = child.service.program();
        let is_exhausted = child.gone();
        let may_respawn = child.may_respawn;
        if is_exhausted {
            self.log(Level::Error, format!("Subdaemon {name} exceeded maximum respawn count"));
        }
        match self.phase {
            Phase::Stopping { .. } => self.go_on_stopping(now),
            Phase::Stopped => {}
            Phase::Looking | Phase::Running if !may_respawn => {}
            Phase::Looking | Phase::Running if self.config.fail_fast => {
                self.is_fatal = true;
                self.panic(format!("Subdaemon {name} failed"));
                self.stop(now);
            }
            Phase::Looking | Phase::Running => self.look(index, Purpose::Respawn),
        }
    }
}

impl Core for Pacemakerd {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        match input {
            Input::ClientConnected { client, credentials, .. } => {
                self.clients.insert(client, credentials);
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                self.request(now, client, wants_response.then_some(request), &message);
            }
            Input::ClientGone { client } => {
                self.clients.remove(&client);
            }
            Input::Done { effect, event } => self.done(now, effect, event),
            Input::Shutdown => self.stop(now),
            Input::Tick => self.on_time(now),
            // It is nobody's client and in no group.
            Input::ServiceUp { .. }
            | Input::ServiceResponse { .. }
            | Input::ServiceEvent { .. }
            | Input::ServiceDown { .. }
            | Input::ClusterJoined { .. }
            | Input::Membership(_)
            | Input::ClusterMessage { .. }
            | Input::ClusterLost => {}
        }
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        let (force_at, remind_at) = match self.phase {
            Phase::Stopping { force_at, remind_at } => (force_at, Some(remind_at)),
            Phase::Stopped => return None,
            Phase::Looking | Phase::Running => (None, None),
        };
        [self.next_check, force_at, remind_at].into_iter().flatten().min()
    }
}
