// SPDX-License-Identifier: GPL-2.0-or-later
//! One client, as long as it is connected: its requests in, responses and events out, each with a queue and a limit.

use super::{ServerEvent, Shared};
use crate::Dialect;
use crate::address::address;
use crate::client::hang_up;
use crate::datagram::{receive, receive_now};
use crate::frame::{self, Assembler, EVENT, FrameError, Received, WANTS_RESPONSE};
use crate::options::MESSAGE_SIZE;
use messages::controller::ack;
use messages::core::ClientId;
use model::ExitCode;
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{UnixDatagram, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use xml::Element;

/// The largest request we take, in bytes of text.
const REQUEST_BYTES_MAX: usize = 64 << 20;
/// Bytes that requests which are not complete yet may hold, of all clients together.
const ASSEMBLING_BYTES_MAX: usize = 256 << 20;
/// Responses a client may leave unread before no more is read from it.
const RESPONSES_MAX: usize = 1000;
/// A client with too many events waiting is hung up on if it has taken none for this long.
const EVICTION_PATIENCE: Duration = Duration::from_secs(1);
/// And at this many times the limit in any case.
const EVICTION_FACTOR: usize = 20;

/// How long a client that is hung up on may take to listen to the last words.
const FINISH_PATIENCE: Duration = Duration::from_secs(5);

/// What a connection is told to do.
#[derive(Debug)]
pub enum Command {
    /// Answer a request.
    Respond {
        /// Its number.
        request: i32,
        /// With what.
        message: Element,
    },
    /// Say something on our own.
    Event {
        /// What.
        message: Element,
    },
    /// Hang up after what was said before.
    Finish,
}

/// The sockets of a connection.
#[derive(Debug)]
pub struct Channels {
    /// Requests in, responses out.
    pub requests: UnixDatagram,
    /// Events out.
    pub events: UnixDatagram,
    /// The name of the socket that responses go to.
    pub client_responses: String,
    /// The name of the socket that events go to.
    pub client_events: String,
    /// Whose datagrams are taken.
    pub client_uid: u32,
}

/// Messages on their way out by one socket. Only the first is in bytes, the others are shared trees.
#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<(i32, Element)>,
    datagrams: VecDeque<Vec<u8>>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.datagrams.is_empty()
    }

    fn len(&self) -> usize {
        self.messages.len()
    }

    /// Sends as much as the client takes now; says whether it took any.
    fn flush(&mut self, socket: &UnixDatagram, dialect: Dialect, flags: u32) -> io::Result<bool> {
        let mut any = false;
        loop {
            while let Some(datagram) = self.datagrams.front() {
                match socket.try_send(datagram) {
                    Ok(_sent) => any = true,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                    Err(error) => return Err(error),
                }
                self.datagrams.pop_front();
            }
            let Some((number, message)) = self.messages.pop_front() else { return Ok(any) };
            match frame::encode(dialect, number, flags, &message, MESSAGE_SIZE as usize) {
                Ok(datagrams) => self.datagrams = datagrams.into(),
                Err(error) => {
                    tracing::error!("Could not send a message to a client: {error}");
                    // Somebody waits: better an answer that says so than none.
                    let ack = ack("ipc", ExitCode::PROTOCOL);
                    let refusal = frame::encode(dialect, number, flags, &ack, MESSAGE_SIZE as usize);
                    self.datagrams = refusal.unwrap_or_default().into();
                }
            }
        }
    }
}

/// Why a connection ends.
enum End {
    /// The client hung up.
    HungUp,
    /// We were told to.
    Finished,
    /// It does not take its events.
    Evicted,
    /// It does not keep to the protocol.
    Protocol(FrameError),
    /// The system says so.
    Io(io::Error),
}

/// One client.
#[derive(Debug)]
pub struct Connection {
    shared: Arc<Shared>,
    client: ClientId,
    stream: UnixStream,
    channels: Channels,
    commands: mpsc::UnboundedReceiver<Command>,
    assembler: Assembler,
    held_bytes: usize,
    /// How the client frames; known with its first request. Nothing can be sent before: its sockets may not be there.
    dialect: Option<Dialect>,
    responses: Queue,
    events: Queue,
    next_event: i32,
    events_moved: Instant,
    finishing: bool,
    finish_at: Instant,
    /// The client is gone; what it said before is still to be heard.
    hung_up: bool,
}

impl Connection {
    /// A connection that has shaken hands.
    pub fn new(
        shared: Arc<Shared>,
        client: ClientId,
        stream: UnixStream,
        channels: Channels,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Connection {
        Connection {
            shared,
            client,
            stream,
            channels,
            commands,
            assembler: Assembler::new(REQUEST_BYTES_MAX),
            held_bytes: 0,
            dialect: None,
            responses: Queue::default(),
            events: Queue::default(),
            next_event: 1,
            events_moved: Instant::now(),
            finishing: false,
            finish_at: Instant::now(),
            hung_up: false,
        }
    }

    /// Serves it to its end, and tells of that.
    pub async fn run(mut self) {
        let client = self.client;
        match self.serve().await {
            End::HungUp | End::Finished => {}
            End::Evicted => {
                tracing::warn!("Hung up on client {}: it left {} events waiting", client.0, self.events.len())
            }
            End::Protocol(error) => tracing::warn!("Hung up on client {}: {error}", client.0),
            End::Io(error) => tracing::debug!("Client {} is gone: {error}", client.0),
        }
        let shared = Arc::clone(&self.shared);
        drop(self);
        shared.lock().remove(&client);
        // The daemon may be gone already.
        let _ = shared.happenings.send(ServerEvent::Gone { client }).await;
    }

    async fn serve(&mut self) -> End {
        let happenings = self.shared.happenings.clone();
        let mut spoken: Option<ServerEvent> = None;
        loop {
            if self.hung_up {
                return self.hear_last_words(&happenings, spoken).await;
            }
            if let Err(error) = self.flush() {
                tracing::debug!("Client {} takes nothing any more: {error}", self.client.0);
                self.hung_up = true;
                continue;
            }
            if self.finishing
                && self.responses.is_empty()
                && (self.events.is_empty() || self.dialect.is_none())
            {
                return End::Finished;
            }
            let may_read = spoken.is_none() && self.responses.len() < RESPONSES_MAX && !self.finishing;
            let may_send = self.dialect.is_some();
            tokio::select! {
                biased;
                () = hang_up(&self.stream) => self.hung_up = true,
                command = self.commands.recv() => match command {
                    Some(command) => if let Some(end) = self.obey(command) { return end },
                        None => self.finish(),
                },
                () = sleep_until(self.finish_at), if self.finishing => return End::Finished,
                ready = self.channels.requests.writable(), if may_send && !self.responses.is_empty() => {
                    if let Err(error) = ready { return End::Io(error) }
                }
                ready = self.channels.events.writable(), if may_send && !self.events.is_empty() => {
                    if let Err(error) = ready { return End::Io(error) }
                }
                permit = happenings.reserve(), if spoken.is_some() => match (permit, spoken.take()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    // The daemon ends: it still has the last word.
                    _ => self.finish(),
                },
                () = sleep_until(self.finish_at), if self.finishing => return End::Finished,
                datagram = receive(&self.channels.requests), if may_read => match datagram {
                    Ok(datagram) if datagram.uid != Some(self.channels.client_uid) => {
                        tracing::warn!("Ignored a message to client {}'s socket by another user", self.client.0);
                    }
                    Ok(datagram) => match self.take(&datagram.bytes) {
                        Ok(event) => spoken = event,
                        Err(end) => return end,
                    },
                    Err(error) => return End::Io(error),
                },
            }
        }
    }

    /// Tells what the client has said before it hung up.
    async fn hear_last_words(
        &mut self,
        happenings: &mpsc::Sender<ServerEvent>,
        mut spoken: Option<ServerEvent>,
    ) -> End {
        loop {
            if let Some(event) = spoken.take()
                && happenings.send(event).await.is_err()
            {
                return End::HungUp;
            }
            match receive_now(self.channels.requests.as_raw_fd()) {
                Ok(datagram) if datagram.uid == Some(self.channels.client_uid) => {
                    match self.take(&datagram.bytes) {
                        Ok(event) => spoken = event,
                        Err(end) => return end,
                    }
                }
                Ok(_) => {}
                Err(_) => return End::HungUp,
            }
        }
    }

    /// Ends when all is said; or, for one who does not listen, soon.
    fn finish(&mut self) {
        if !self.finishing {
            self.finishing = true;
            self.finish_at = Instant::now() + FINISH_PATIENCE;
        }
    }

    fn obey(&mut self, command: Command) -> Option<End> {
        match command {
            Command::Respond { request, message } => self.responses.messages.push_back((request, message)),
            Command::Event { message } => {
                if self.events.is_empty() {
                    self.events_moved = Instant::now();
                }
                self.events.messages.push_back((self.next_event, message));
                self.next_event = self.next_event.checked_add(1).unwrap_or(1);
                let limit = self.shared.options.backlog_max;
                let stuck = self.events_moved.elapsed() > EVICTION_PATIENCE;
                if self.events.len() > limit && (stuck || self.events.len() > limit * EVICTION_FACTOR) {
                    return Some(End::Evicted);
                }
            }
            Command::Finish => self.finish(),
        }
        None
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(dialect) = self.dialect else { return Ok(()) };
        self.responses.flush(&self.channels.requests, dialect, 0)?;
        if self.events.flush(&self.channels.events, dialect, EVENT)? {
            self.events_moved = Instant::now();
        }
        Ok(())
    }

    fn take(&mut self, datagram: &[u8]) -> Result<Option<ServerEvent>, End> {
        let received = self.assembler.take(datagram).map_err(End::Protocol)?;
        self.hold(self.assembler.held_bytes());
        if self.shared.assembling.load(Ordering::Relaxed) > ASSEMBLING_BYTES_MAX {
            return Err(End::Protocol(FrameError::TooLarge {
                bytes: self.held_bytes,
                max: ASSEMBLING_BYTES_MAX,
            }));
        }
        let Some(Received { dialect, id, flags, message }) = received else { return Ok(None) };
        if self.dialect.is_none() && !self.hung_up {
            // Its sockets may be gone already; its hang-up follows then.
            self.hung_up |= self.meet().is_err();
        }
        self.dialect = Some(dialect);
        let wants_response = flags & WANTS_RESPONSE != 0;
        match message {
            Ok(message) => {
                Ok(Some(ServerEvent::Message { client: self.client, request: id, wants_response, message }))
            }
            Err(error) => {
                tracing::warn!("Refused a message of client {}: {error}", self.client.0);
                if wants_response {
                    self.responses.messages.push_back((id, ack("ipc", ExitCode::PROTOCOL)));
                }
                Ok(None)
            }
        }
    }

    /// Connects our sockets to the client's. It has said something, so it has bound them; a stranger cannot have.
    fn meet(&self) -> io::Result<()> {
        use std::os::fd::AsFd;
        let connect = |socket: &UnixDatagram, name: &str| {
            let socket = std::os::unix::net::UnixDatagram::from(socket.as_fd().try_clone_to_owned()?);
            socket.connect_addr(&address(name)?)
        };
        connect(&self.channels.requests, &self.channels.client_responses)?;
        connect(&self.channels.events, &self.channels.client_events)
    }

    /// Accounts for what is held of an incomplete message.
    fn hold(&mut self, bytes: usize) {
        self.shared.assembling.fetch_add(bytes, Ordering::Relaxed);
        self.shared.assembling.fetch_sub(self.held_bytes, Ordering::Relaxed);
        self.held_bytes = bytes;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hold(0);
    }
}
