// SPDX-License-Identifier: GPL-2.0-or-later
//! The loop: wait for one thing, feed it, do what the core says, set one timer.

use crate::group::Group;
use crate::log::Log;
use crate::run::description;
use crate::services::{ServiceEvent, Services};
use crate::{Clock, Daemon, Effects, Environment, Outcomes};
use cluster::ClusterEvent;
use ipc::{ListenError, Server, ServerEvent};
use messages::core::{Core, EffectId, Input, Level, Output};
use model::ExitCode;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// How long the one who served our name before may take to go.
const NAME_PATIENCE: Duration = Duration::from_secs(5);
/// How long what was said may take to be on its way when the daemon ends.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);
/// How long outputs that wait for an effect may keep the daemon from ending.
const HELD_PATIENCE: Duration = Duration::from_secs(10);

/// A running daemon.
pub struct Driver<C: Core, E> {
    core: C,
    effects: E,
    clock: Clock,
    log: Log,
    server: Server,
    clients: mpsc::Receiver<ServerEvent>,
    services: Services,
    group: Group,
    outcomes: Outcomes<C::Event>,
    outcomes_in: mpsc::UnboundedReceiver<(EffectId, C::Event)>,
    /// What waits for the first outcome of an effect that was started and has none yet.
    held: BTreeMap<EffectId, Vec<Output<C::Effect>>>,
    signals: Signals,
    exit: Option<(ExitCode, Instant)>,
}

/// What the system may tell us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    more: Signal,
    less: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            more: signal(SignalKind::user_defined1())?,
            less: signal(SignalKind::user_defined2())?,
        })
    }

    /// Waits until the daemon is to end (`None`), or is to log more or less.
    async fn next(&mut self) -> Option<bool> {
        tokio::select! {
            _ = self.terminate.recv() => None,
            _ = self.interrupt.recv() => None,
            _ = self.more.recv() => Some(true),
            _ = self.less.recv() => Some(false),
        }
    }
}

impl<C: Core, E: Effects<C>> Driver<C, E> {
    /// Listens and starts connecting.
    pub async fn start(
        daemon: Daemon,
        environment: &Environment,
        core: C,
        effects: E,
        log: Log,
    ) -> Result<Driver<C, E>, ExitCode> {
        let fatal = |text: String| {
            log.write("shell", Level::Critical, &text);
            ExitCode::FATAL
        };
        let signals =
            Signals::listen().map_err(|error| fatal(format!("Cannot listen for signals: {error}")))?;
        let (mut server, clients) = Server::new(environment.server_options());
        for name in daemon.service.ipc_names() {
            listen(&mut server, name).await.map_err(|error| fatal(format!("Cannot start: {error}")))?;
        }
        let (sender, outcomes_in) = mpsc::unbounded_channel();
        let group = match daemon.service.group().filter(|_| daemon.cluster) {
            Some(group) => Group::join(environment, group),
            None => Group::Alone,
        };
        let subject = description(daemon.service);
        let text = format!("Pacemaker {subject} successfully started and accepting connections");
        log.write("shell", Level::Notice, &text);
        Ok(Driver {
            core,
            effects,
            clock: environment.clock,
            log,
            server,
            clients,
            services: Services::start(daemon.clients_of, &environment.client_options()),
            group,
            outcomes: Outcomes(sender),
            outcomes_in,
            held: BTreeMap::new(),
            signals,
            exit: None,
        })
    }

    /// Runs to the end.
    pub async fn run(mut self) -> ExitCode {
        self.drain();
        loop {
            if let Some((code, patience)) = self.exit {
                let is_held = self.held.values().any(|outputs| !outputs.is_empty());
                if !is_held || Instant::now() >= patience {
                    return self.end(code).await;
                }
            }
            self.step().await;
            self.drain();
        }
    }

    /// Waits for one thing and feeds it.
    async fn step(&mut self) {
        let alarm = self.core.next_timeout().map(|instant| Instant::from_std(self.clock.moment(instant)));
        let patience = self.exit.map(|(_, patience)| patience);
        let is_running = patience.is_none();
        let input = tokio::select! {
            Some((effect, event)) = self.outcomes_in.recv() => {
                self.release(effect);
                Input::Done { effect, event }
            }
            () = sleep_until(patience.unwrap_or_else(Instant::now)), if !is_running => return,
            Some(event) = self.clients.recv(), if is_running => from_client(event),
            (service, event) = self.services.next(), if is_running => from_service(service, event),
            event = self.group.next(), if is_running => from_cluster(event, &self.log),
            told = self.signals.next(), if is_running => match told {
                None => Input::Shutdown,
                Some(debug) => return self.log.set_debug(debug),
            },
            () = sleep_until(alarm.unwrap_or_else(Instant::now)), if is_running && alarm.is_some() => Input::Tick,
        };
        self.core.handle(self.clock.now(), input);
    }

    fn drain(&mut self) {
        while let Some(output) = self.core.poll() {
            // After its last word, a core may only finish what it began.
            if self.exit.is_some() && !matches!(output, Output::Effect { .. } | Output::Log { .. }) {
                continue;
            }
            let waits_for = match &output {
                Output::Respond { after, .. } | Output::Event { after, .. } | Output::Send { after, .. } => {
                    *after
                }
                _ => None,
            };
            match waits_for.and_then(|effect| self.held.get_mut(&effect)) {
                Some(held) => held.push(output),
                None => self.perform(output),
            }
        }
    }

    fn release(&mut self, effect: EffectId) {
        for output in self.held.remove(&effect).unwrap_or_default() {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output<C::Effect>) {
        match output {
            Output::Respond { client, request, message, .. } => self.server.respond(client, request, message),
            Output::Event { client, message, .. } => self.server.event(client, message),
            Output::Disconnect { client } => self.server.disconnect(client),
            Output::Call { service, call, respond, message } => {
                self.services.call(service, call, respond, message);
            }
            Output::Send { to, message, .. } => {
                if let Err(problem) = self.group.send(to.as_ref(), &message) {
                    let text = format!("Could not send <{}> to the cluster: {problem}", message.name());
                    self.log.write("shell", Level::Warning, &text);
                }
            }
            Output::Log { level, text } => self.log.write("core", level, &text),
            Output::Effect { id, effect } => {
                self.held.entry(id).or_default();
                self.effects.start(id, effect, &self.outcomes);
            }
            Output::Exit { code } => self.exit = Some((code, Instant::now() + HELD_PATIENCE)),
        }
    }

    async fn end(mut self, code: ExitCode) -> ExitCode {
        let _ = timeout(FLUSH_PATIENCE, self.group.flush()).await;
        let _ = timeout(FLUSH_PATIENCE, self.services.flush()).await;
        // Nobody listens any more: those who still talk must not wait for us.
        self.clients.close();
        self.server.close(FLUSH_PATIENCE).await;
        code
    }
}

async fn listen(server: &mut Server, name: &'static str) -> Result<(), ListenError> {
    let deadline = Instant::now() + NAME_PATIENCE;
    loop {
        match server.listen(name) {
            Err(ListenError::InUse(_)) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            result => return result,
        }
    }
}

fn from_client<E>(event: ServerEvent) -> Input<E> {
    match event {
        ServerEvent::Connected { client, channel, credentials } => {
            Input::ClientConnected { client, channel, credentials }
        }
        ServerEvent::Message { client, request, wants_response, message } => {
            Input::ClientMessage { client, request, wants_response, message }
        }
        ServerEvent::Gone { client } => Input::ClientGone { client },
    }
}

fn from_service<E>(service: messages::core::Service, event: ServiceEvent) -> Input<E> {
    match event {
        ServiceEvent::Up => Input::ServiceUp { service },
        ServiceEvent::Down => Input::ServiceDown { service },
        ServiceEvent::Response { call, message } => Input::ServiceResponse { service, call, message },
        ServiceEvent::Event(message) => Input::ServiceEvent { service, message },
    }
}

fn from_cluster<E>(event: ClusterEvent, log: &Log) -> Input<E> {
    match event {
        ClusterEvent::Joined { local } => Input::ClusterJoined { local },
        ClusterEvent::Membership(membership) => Input::Membership(membership),
        ClusterEvent::Message { from, message } => Input::ClusterMessage { from, message },
        ClusterEvent::Lost { reason } => {
            log.write("shell", Level::Error, &format!("Lost the cluster: {reason}"));
            Input::ClusterLost
        }
    }
}
