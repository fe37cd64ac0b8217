// SPDX-License-Identifier: GPL-2.0-or-later
//! The side that is asked: listens on names, admits who may, and turns what comes into one stream of happenings.
//!
//! Every connection is a task of its own that holds its own queues ([`connection`]). What clients say goes through one
//! bounded channel: while the daemon is busy, clients wait; they cannot make us hold more.

mod connection;
mod handshake;
mod rendezvous;

use crate::address::address;
use crate::trust::Trust;
use crate::{ListenError, ServerOptions};
use connection::Command;
use messages::core::{ClientId, Credentials};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use xml::Element;

/// Happenings that may wait for the daemon before clients have to.
const HAPPENINGS_MAX: usize = 256;

/// Users that are looked up in the system's databases at the same time.
const LOOK_UPS_MAX: usize = 4;
/// Connections that are told why they are refused, at the same time. More are just hung up on.
const REFUSALS_MAX: usize = 32;

/// What happens to a server.
#[derive(Debug)]
pub enum ServerEvent {
    /// A client that may do so has connected.
    Connected {
        /// It, from now on.
        client: ClientId,
        /// The name it connected to.
        channel: &'static str,
        /// Who it is, from the kernel.
        credentials: Credentials,
    },
    /// It says something.
    Message {
        /// Which client.
        client: ClientId,
        /// Its number for the request.
        request: i32,
        /// It waits for a response of that number.
        wants_response: bool,
        /// What it says.
        message: Element,
    },
    /// It is gone. Nothing of it follows.
    Gone {
        /// Which client.
        client: ClientId,
    },
}

/// Listens on any number of names. Dropping it hangs up on everybody.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<AbortHandle>,
}

/// What all connections have in common.
#[derive(Debug)]
struct Shared {
    options: ServerOptions,
    trust: Trust,
    happenings: mpsc::Sender<ServerEvent>,
    connections: Mutex<BTreeMap<ClientId, Handle>>,
    next_client: AtomicU64,
    /// Connections there are, with those that are still shaking hands.
    connected: AtomicUsize,
    /// Connections that are being refused.
    refusing: AtomicUsize,
    /// Users that are being looked up: strangers must not make us start a thread for each.
    look_ups: Semaphore,
    /// Bytes held of messages that are not complete yet, of all clients.
    assembling: AtomicUsize,
}

#[derive(Debug)]
struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    task: AbortHandle,
}

impl Server {
    /// A server without a name yet, and where it tells what happens. Looks up the cluster's user and group, so may
    /// block a moment.
    pub fn new(options: ServerOptions) -> (Server, mpsc::Receiver<ServerEvent>) {
        let (happenings, receiver) = mpsc::channel(HAPPENINGS_MAX);
        let shared = Shared {
            options,
            trust: Trust::look_up(),
            happenings,
            connections: Mutex::default(),
            next_client: AtomicU64::new(1),
            connected: AtomicUsize::new(0),
            refusing: AtomicUsize::new(0),
            look_ups: Semaphore::new(LOOK_UPS_MAX),
            assembling: AtomicUsize::new(0),
        };
        (Server { shared: Arc::new(shared), listeners: Vec::new() }, receiver)
    }

    /// Listens on a name, too. Must be called inside a Tokio runtime.
    pub fn listen(&mut self, name: &'static str) -> Result<(), ListenError> {
        let full = format!("{}{name}", self.shared.options.name_prefix);
        let io = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(full.clone()),
            io::ErrorKind::InvalidInput => ListenError::NameTooLong(full.clone()),
            _ => ListenError::Io { name: full.clone(), source },
        };
        rendezvous::prepare(&self.shared.options.directory).map_err(io)?;
        let listener = StdListener::bind_addr(&address(&full).map_err(io)?).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let listener = UnixListener::from_std(listener).map_err(io)?;
        let shared = Arc::clone(&self.shared);
        self.listeners.push(tokio::spawn(accept(shared, listener, name)).abort_handle());
        Ok(())
    }

    /// Answers a request.
    pub fn respond(&self, client: ClientId, request: i32, message: Element) {
        self.command(client, Command::Respond { request, message });
    }

    /// Says something on our own.
    pub fn event(&self, client: ClientId, message: Element) {
        self.command(client, Command::Event { message });
    }

    /// Hangs up on a client, after what was said to it before.
    pub fn disconnect(&self, client: ClientId) {
        self.command(client, Command::Finish);
    }

    fn command(&self, client: ClientId, command: Command) {
        let connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = connections.get(&client) {
            // A connection that just ended tells so by itself.
            let _ = handle.commands.send(command);
        }
    }

    /// Admits nobody any more and hangs up on everybody, after what was said to them before; but does not wait longer
    /// than this for those who do not listen.
    pub async fn close(mut self, patience: Duration) {
        self.stop_listening();
        let clients: Vec<ClientId> = self.shared.lock().keys().copied().collect();
        for client in clients {
            self.disconnect(client);
        }
        let gone = async {
            while !self.shared.lock().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let _ = tokio::time::timeout(patience, gone).await;
    }

    fn stop_listening(&mut self) {
        for listener in self.listeners.drain(..) {
            listener.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_listening();
        for (_, handle) in std::mem::take(&mut *self.shared.lock()) {
            handle.task.abort();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<ClientId, Handle>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(shared: Arc<Shared>, listener: UnixListener, name: &'static str) {
    loop {
        match listener.accept().await {
            Ok((stream, _address)) => {
                tokio::spawn(handshake::admit(Arc::clone(&shared), stream, name));
            }
            Err(error) => {
                // Out of descriptors or memory: those who are connected go on, the others wait.
                tracing::warn!("Could not accept a connection to {name}: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// One of the connections there may be at the same time.
#[derive(Debug)]
struct Seat {
    shared: Arc<Shared>,
    of: fn(&Shared) -> &AtomicUsize,
}

impl Seat {
    /// For a connection that is to be served.
    fn to_be_served(shared: &Arc<Shared>) -> Option<Seat> {
        Seat::take(shared, shared.options.clients_max, |shared| &shared.connected)
    }

    /// For one that is to be refused.
    fn to_be_refused(shared: &Arc<Shared>) -> Option<Seat> {
        Seat::take(shared, REFUSALS_MAX, |shared| &shared.refusing)
    }

    fn take(shared: &Arc<Shared>, max: usize, of: fn(&Shared) -> &AtomicUsize) -> Option<Seat> {
        // Dropped, it counts down again.
        let seat = Seat { shared: Arc::clone(shared), of };
        (of(shared).fetch_add(1, Ordering::Relaxed) < max).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        (self.of)(&self.shared).fetch_sub(1, Ordering::Relaxed);
    }
}
