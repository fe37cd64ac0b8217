// SPDX-License-Identifier: GPL-2.0-or-later
//! The daemons this one is a client of: connected as long as they are there, connected again when they are back.

use ipc::{Client, ClientEvent, ClientOptions, ConnectError};
use messages::core::Service;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use xml::Element;

/// The first pause before another try to connect; doubled with every one, up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_LAST: Duration = Duration::from_secs(1);
/// What may wait for the core before a daemon has to.
const HAPPENINGS_MAX: usize = 64;

/// What happens with a daemon this one is a client of.
#[derive(Debug)]
pub enum ServiceEvent {
    /// It can be talked to.
    Up,
    /// It cannot be talked to any more.
    Down,
    /// It answers a call.
    Response { call: i32, message: Element },
    /// It says something else.
    Event(Element),
}

#[derive(Debug)]
enum Command {
    Call {
        /// Which of the connections, in order, it is meant for: what was said to one is not repeated to the next.
        connection: u64,
        call: i32,
        respond: bool,
        message: Element,
    },
    Flush(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Link {
    commands: mpsc::UnboundedSender<Command>,
    /// The connections the core has been told of.
    connection: u64,
    up: bool,
}

/// All of them.
#[derive(Debug)]
pub struct Services {
    links: BTreeMap<Service, Link>,
    happenings: mpsc::Receiver<(Service, ServiceEvent)>,
}

impl Services {
    /// Starts connecting, in the background.
    pub fn start(services: &[Service], options: &ClientOptions) -> Services {
        let (sender, happenings) = mpsc::channel(HAPPENINGS_MAX);
        let link = |service: &Service| {
            let (commands, queue) = mpsc::unbounded_channel();
            tokio::spawn(keep_connected(*service, options.clone(), queue, sender.clone()));
            (*service, Link { commands, connection: 0, up: false })
        };
        Services { links: services.iter().map(link).collect(), happenings }
    }

    /// Waits for what happens next; for ever if there is none. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> (Service, ServiceEvent) {
        let Some((service, event)) = self.happenings.recv().await else {
            return std::future::pending().await;
        };
        if let Some(link) = self.links.get_mut(&service) {
            match event {
                ServiceEvent::Up => {
                    link.connection += 1;
                    link.up = true;
                }
                ServiceEvent::Down => link.up = false,
                ServiceEvent::Response { .. } | ServiceEvent::Event(_) => {}
            }
        }
        (service, event)
    }

    /// Says something. Lost if the core knows that the daemon is down; or does not know it yet.
    pub fn call(&mut self, service: Service, call: i32, respond: bool, message: Element) {
        if let Some(link) = self.links.get(&service).filter(|link| link.up) {
            let _ = link.commands.send(Command::Call { connection: link.connection, call, respond, message });
        }
    }

    /// Waits until everything said is on its way.
    pub async fn flush(&mut self) {
        for link in self.links.values().filter(|link| link.up) {
            let (done, is_done) = oneshot::channel();
            if link.commands.send(Command::Flush(done)).is_ok() {
                let _ = is_done.await;
            }
        }
    }
}

async fn keep_connected(
    service: Service,
    options: ClientOptions,
    mut commands: mpsc::UnboundedReceiver<Command>,
    happenings: mpsc::Sender<(Service, ServiceEvent)>,
) {
    let mut pause = PAUSE_FIRST;
    let mut connection = 0;
    let mut complaint = String::new();
    loop {
        match Client::connect(service.ipc_name(), &options).await {
            Ok(client) => {
                (pause, connection) = (PAUSE_FIRST, connection + 1);
                complaint.clear();
                if talk(service, client, connection, &mut commands, &happenings).await.is_none() {
                    return;
                }
            }
            Err(error) => complain(service, &error, &mut complaint),
        }
        let retry = tokio::time::sleep(pause);
        tokio::pin!(retry);
        loop {
            tokio::select! {
                () = &mut retry => break,
                // There is nobody to say it to.
                command = commands.recv() => if command.is_none() { return },
            }
        }
        pause = (pause * 2).min(PAUSE_LAST);
    }
}

/// That a daemon is not up yet is nothing to speak of; anything else is, once.
fn complain(service: Service, error: &ConnectError, last: &mut String) {
    let text = error.to_string();
    match error {
        ConnectError::NotRunning { .. } => tracing::debug!("Waiting for {}: {text}", service.program()),
        _ if text != *last => tracing::warn!("Could not connect to {}: {text}", service.program()),
        _ => {}
    }
    *last = text;
}

/// Talks until the daemon is gone; `None` if nobody listens to us any more.
async fn talk(
    service: Service,
    mut client: Client,
    connection: u64,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    happenings: &mpsc::Sender<(Service, ServiceEvent)>,
) -> Option<()> {
    happenings.send((service, ServiceEvent::Up)).await.ok()?;
    loop {
        tokio::select! {
            command = commands.recv() => match command? {
                Command::Call { connection: meant, call, respond, message } => {
                    if meant != connection {
                        continue;
                    }
                    if let Err(error) = client.send_numbered(call, respond, &message).await {
                        tracing::warn!("Could not talk to {}: {error}", service.program());
                        break;
                    }
                }
                Command::Flush(done) => drop(done.send(())),
            },
            said = client.next() => {
                let event = match said {
                    Ok(ClientEvent::Response { request, message }) => {
                        ServiceEvent::Response { call: request, message }
                    }
                    Ok(ClientEvent::Event(message)) => ServiceEvent::Event(message),
                    Err(error) => {
                        tracing::info!("Lost {}: {error}", service.program());
                        break;
                    }
                };
                happenings.send((service, event)).await.ok()?;
            }
        }
    }
    happenings.send((service, ServiceEvent::Down)).await.ok()
}
