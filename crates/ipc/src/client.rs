// SPDX-License-Identifier: GPL-2.0-or-later
//! A connection to a daemon, from the side of the one who asks.
//!
//! Before a byte is said, the server's credentials are checked: a name is anybody's to take. The control file that the
//! handshake names is only read, for the server's wish that we wait: its counters of messages on the way are hints that
//! libqb works without, and mapping a file that somebody else may truncate would put our life into their hands.

use crate::address::{datagram_socket, padded};
use crate::datagram::{receive, receive_now};
use crate::frame::{self, Assembler, MESSAGE_BYTES_MAX, Received, WANTS_RESPONSE};
use crate::options::MESSAGE_SIZE;
use crate::trust::{Peer, Trust};
use crate::wire::{self, SETUP_ANSWER_BYTES, SetupAnswer, TRANSPORT_SOCKET};
use crate::{ClientOptions, ConnectError, Dialect, RequestError};
use messages::core::Credentials;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixDatagram, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};
use xml::Element;

/// How long to wait before trying again what a busy server could not take.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// What a server says.
#[derive(Debug)]
pub enum ClientEvent {
    /// The response to the request of this number.
    Response {
        /// The request's number.
        request: i32,
        /// What it says.
        message: Element,
    },
    /// Something it says on its own, or answers later.
    Event(Element),
}

/// A connection. Dropping it hangs up.
#[derive(Debug)]
pub struct Client {
    name: String,
    dialect: Dialect,
    request_timeout: Duration,
    server: Credentials,
    message_size: usize,
    /// Open for life; its end is the connection's.
    stream: UnixStream,
    /// Requests out, responses in.
    requests: UnixDatagram,
    events: UnixDatagram,
    control: File,
    next_number: i32,
    responses_in: Assembler,
    events_in: Assembler,
    /// Received while something else was waited for.
    waiting: VecDeque<ClientEvent>,
    /// The channels are out of step, or the server is gone.
    broken: bool,
}

impl Client {
    /// Connects to the server of a name (`cib_rw`, `crmd`, …), checks that it is who may serve it, and shakes hands.
    pub async fn connect(name: &str, options: &ClientOptions) -> Result<Client, ConnectError> {
        let name = format!("{}{name}", options.name_prefix);
        let timeout = options.connect_timeout;
        match tokio::time::timeout(timeout, connect(&name, options)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(ConnectError::Timeout { name, timeout }),
        }
    }

    /// Who serves, from the kernel.
    pub fn server(&self) -> &Credentials {
        &self.server
    }

    /// Sends a request and waits for its response (this long, or as the options say). Events that come meanwhile are
    /// kept for [`Client::next_event`]; a late response to an earlier request is dropped.
    pub async fn request(
        &mut self,
        message: &Element,
        timeout: Option<Duration>,
    ) -> Result<Element, RequestError> {
        let number = self.number();
        let timeout = timeout.unwrap_or(self.request_timeout);
        let deadline = Instant::now() + timeout;
        self.transmit(number, true, message, deadline, timeout).await?;
        loop {
            let received = timeout_at(deadline, self.receive()).await;
            match received
                .map_err(|_elapsed| RequestError::Timeout { name: self.name.clone(), timeout })??
            {
                ClientEvent::Response { request, message } if request == number => return Ok(message),
                ClientEvent::Response { .. } => {}
                event @ ClientEvent::Event(_) => self.waiting.push_back(event),
            }
        }
    }

    /// Sends something that is not waited for: if there is an answer, it comes as an event.
    pub async fn send(&mut self, message: &Element) -> Result<(), RequestError> {
        let number = self.number();
        self.send_numbered(number, false, message).await
    }

    /// Sends a message with a number of the caller's own (positive and growing), and says whether it is to be answered
    /// by a [`ClientEvent::Response`] of that number. For those who have several requests on the way.
    pub async fn send_numbered(
        &mut self,
        number: i32,
        wants_response: bool,
        message: &Element,
    ) -> Result<(), RequestError> {
        let timeout = self.request_timeout;
        self.transmit(number, wants_response, message, Instant::now() + timeout, timeout).await
    }

    /// Waits for whatever the server says next. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<ClientEvent, RequestError> {
        match self.waiting.pop_front() {
            Some(event) => Ok(event),
            None => self.receive().await,
        }
    }

    /// Waits for the next event; responses nobody waits for are dropped. Nothing is lost if the future is dropped.
    pub async fn next_event(&mut self) -> Result<Element, RequestError> {
        loop {
            if let ClientEvent::Event(message) = self.next().await? {
                return Ok(message);
            }
        }
    }

    fn number(&mut self) -> i32 {
        let number = self.next_number;
        self.next_number = number.checked_add(1).unwrap_or(1);
        number
    }

    fn disconnected(&self) -> RequestError {
        RequestError::Disconnected(self.name.clone())
    }

    async fn transmit(
        &mut self,
        number: i32,
        wants_response: bool,
        message: &Element,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<(), RequestError> {
        if self.broken {
            return Err(self.disconnected());
        }
        let flags = if wants_response { WANTS_RESPONSE } else { 0 };
        let datagrams = frame::encode(self.dialect, number, flags, message, self.message_size)?;
        for (index, datagram) in datagrams.iter().enumerate() {
            match timeout_at(deadline, self.transmit_datagram(datagram)).await {
                Ok(sent) => sent?,
                Err(_elapsed) => {
                    // Half a message is said: what comes next would be taken for its rest.
                    self.broken |= index > 0;
                    return Err(RequestError::Timeout { name: self.name.clone(), timeout });
                }
            }
        }
        Ok(())
    }

    /// Sends one datagram, listening meanwhile: a server may not take more from us before we take something from it.
    async fn transmit_datagram(&mut self, datagram: &[u8]) -> Result<(), RequestError> {
        while self.is_held_off() {
            sleep(RETRY_PAUSE).await;
        }
        loop {
            match self.requests.try_send(datagram) {
                Ok(_sent) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.raw_os_error() == Some(nix::libc::ENOBUFS) => sleep(RETRY_PAUSE).await,
                Err(error) => return Err(self.failed(error)),
            }
            tokio::select! {
                ready = self.requests.writable() => ready.map_err(|error| self.failed(error))?,
                event = receive_any(&self.stream, &self.requests, &self.events) => {
                    if let Some(event) = self.take(event)? {
                        self.waiting.push_back(event);
                    }
                }
            }
        }
    }

    /// The server has set the request channel's flow control. A control file that is gone or cut holds nobody off.
    fn is_held_off(&self) -> bool {
        let mut word = [0; 4];
        self.control.read_exact_at(&mut word, 4).is_ok() && i32::from_ne_bytes(word) == 1
    }

    fn failed(&mut self, source: io::Error) -> RequestError {
        self.broken = true;
        use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
        match source.kind() {
            BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected => self.disconnected(),
            _ => RequestError::Io { name: self.name.clone(), source },
        }
    }

    async fn receive(&mut self) -> Result<ClientEvent, RequestError> {
        loop {
            if self.broken {
                return Err(self.disconnected());
            }
            let heard = receive_any(&self.stream, &self.requests, &self.events).await;
            if let Some(event) = self.take(heard)? {
                return Ok(event);
            }
        }
    }

    fn take(&mut self, heard: Heard) -> Result<Option<ClientEvent>, RequestError> {
        let (assembler, bytes, is_event) = match &heard {
            Heard::Response(Ok(bytes)) => (&mut self.responses_in, bytes, false),
            Heard::Event(Ok(bytes)) => (&mut self.events_in, bytes, true),
            Heard::HangUp => {
                self.broken = true;
                return Err(self.disconnected());
            }
            Heard::Response(Err(_)) | Heard::Event(Err(_)) => return Err(self.failed(heard.into_error())),
        };
        let Received { id, message, .. } = match assembler.take(bytes) {
            Ok(Some(received)) => received,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.broken = true;
                return Err(error.into());
            }
        };
        let message = message?;
        Ok(Some(if is_event {
            ClientEvent::Event(message)
        } else {
            ClientEvent::Response { request: id, message }
        }))
    }
}

/// Says who serves a name, if it may and answers, whatever transport it talks by; and hangs up.
pub async fn probe(name: &str, options: &ClientOptions) -> Result<Credentials, ConnectError> {
    let name = format!("{}{name}", options.name_prefix);
    let look = async {
        let mut stream = dial(&name).await?;
        let server = check_server(&name, &stream).await?;
        let answer = shake_hands(&name, &mut stream).await?;
        if answer.error != 0 && answer.error != -nix::libc::EAGAIN {
            let reason = io::Error::from_raw_os_error(answer.error.saturating_neg());
            return Err(ConnectError::Refused { name: name.clone(), reason });
        }
        Ok(server)
    };
    let timeout = options.connect_timeout;
    let result = tokio::time::timeout(timeout, look).await;
    result.unwrap_or_else(|_elapsed| Err(ConnectError::Timeout { name: name.clone(), timeout }))
}

/// What came first.
enum Heard {
    Response(io::Result<Vec<u8>>),
    Event(io::Result<Vec<u8>>),
    HangUp,
}

impl Heard {
    fn into_error(self) -> io::Error {
        match self {
            Heard::Response(Err(error)) | Heard::Event(Err(error)) => error,
            _ => io::Error::from(io::ErrorKind::NotConnected),
        }
    }
}

async fn receive_any(stream: &UnixStream, responses: &UnixDatagram, events: &UnixDatagram) -> Heard {
    tokio::select! {
        biased;
        datagram = receive(responses) => Heard::Response(datagram.map(|datagram| datagram.bytes)),
        datagram = receive(events) => Heard::Event(datagram.map(|datagram| datagram.bytes)),
        _ = hang_up(stream) => {
            // What was said before the hang-up is heard before it.
            if let Ok(datagram) = receive_now(responses.as_raw_fd()) {
                return Heard::Response(Ok(datagram.bytes));
            }
            if let Ok(datagram) = receive_now(events.as_raw_fd()) {
                return Heard::Event(Ok(datagram.bytes));
            }
            Heard::HangUp
        }
    }
}

/// Waits until the other end of the stream is closed, ignoring what comes by it.
pub(crate) async fn hang_up(stream: &UnixStream) {
    let mut ignored = [0; 64];
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        match stream.try_read(&mut ignored) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn connect(name: &str, options: &ClientOptions) -> Result<Client, ConnectError> {
    loop {
        let mut stream = dial(name).await?;
        let server = check_server(name, &stream).await?;
        let answer = shake_hands(name, &mut stream).await?;
        if answer.error == -nix::libc::EAGAIN {
            sleep(RETRY_PAUSE).await;
            continue;
        }
        if answer.error != 0 {
            let reason = io::Error::from_raw_os_error(answer.error.saturating_neg());
            return Err(ConnectError::Refused { name: name.to_owned(), reason });
        }
        return open(name, options, stream, server, &answer);
    }
}

/// Connects the stream, waiting while the server has no room for more.
async fn dial(name: &str) -> Result<UnixStream, ConnectError> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let padded = padded(name).ok_or_else(|| ConnectError::NameTooLong(name.to_owned()))?;
    let path = [&[0], padded.as_slice()].concat();
    loop {
        match UnixStream::connect(OsStr::from_bytes(&path)).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(RETRY_PAUSE).await,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Err(ConnectError::NotRunning { name: name.to_owned() });
            }
            Err(source) => return Err(ConnectError::Io { name: name.to_owned(), source }),
        }
    }
}

async fn check_server(name: &str, stream: &UnixStream) -> Result<Credentials, ConnectError> {
    let io = |source| ConnectError::Io { name: name.to_owned(), source };
    let kernel = stream.peer_cred().map_err(io)?;
    let pid = kernel.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let peer = Peer { uid: kernel.uid(), gid: kernel.gid(), pid };
    let looked_up = tokio::task::spawn_blocking(move || {
        let trust = Trust::look_up();
        (trust.believes(peer), trust.admit(peer))
    });
    let (believed, credentials) = looked_up.await.map_err(|error| io(io::Error::other(error)))?;
    if !believed {
        return Err(ConnectError::Untrusted { name: name.to_owned(), pid, uid: peer.uid, gid: peer.gid });
    }
    Ok(credentials.unwrap_or_else(|| Credentials {
        uid: peer.uid,
        gid: peer.gid,
        pid,
        user: Arc::from("#unprivileged"),
        privileged: false,
    }))
}

async fn shake_hands(name: &str, stream: &mut UnixStream) -> Result<SetupAnswer, ConnectError> {
    let io = |source| ConnectError::Io { name: name.to_owned(), source };
    stream.write_all(&wire::setup_request(MESSAGE_SIZE)).await.map_err(io)?;
    let mut bytes = Vec::with_capacity(SETUP_ANSWER_BYTES);
    let mut limited = (&mut *stream).take(SETUP_ANSWER_BYTES as u64);
    while bytes.len() < SETUP_ANSWER_BYTES {
        match limited.read_buf(&mut bytes).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if bytes.is_empty() => return Err(io(error)),
            Err(_) => break,
        }
    }
    SetupAnswer::from_bytes(&bytes).map_err(|what| ConnectError::Protocol { name: name.to_owned(), what })
}

/// Opens what the handshake named.
fn open(
    name: &str,
    options: &ClientOptions,
    stream: UnixStream,
    server: Credentials,
    answer: &SetupAnswer,
) -> Result<Client, ConnectError> {
    let protocol = |what| ConnectError::Protocol { name: name.to_owned(), what };
    if answer.transport != TRANSPORT_SOCKET {
        return Err(ConnectError::Transport { name: name.to_owned(), transport: answer.transport });
    }
    if !answer.response.starts_with('/') {
        return Err(protocol("its sockets are not abstract (is /etc/libqb/force-filesystem-sockets set?)"));
    }
    if !(4096..=1 << 20).contains(&answer.message_size) {
        return Err(protocol("its message size is out of bounds"));
    }
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::PermissionDenied => ConnectError::Refused { name: name.to_owned(), reason: source },
        _ => ConnectError::Io { name: name.to_owned(), source },
    };
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC | nix::libc::O_NONBLOCK;
    let control = OpenOptions::new().read(true).custom_flags(flags).open(&answer.request).map_err(io)?;
    let channel = |own: &str, theirs: &str| {
        let socket = datagram_socket(&format!("{}-{own}", answer.response), answer.message_size)?;
        socket.connect_addr(&crate::address::address(&format!("{}-{theirs}", answer.response))?)?;
        UnixDatagram::from_std(socket)
    };
    Ok(Client {
        name: name.to_owned(),
        dialect: options.dialect,
        request_timeout: options.request_timeout,
        server,
        message_size: answer.message_size as usize,
        requests: channel("response", "request").map_err(io)?,
        events: channel("event", "event-tx").map_err(io)?,
        stream,
        control,
        next_number: 1,
        responses_in: Assembler::new(MESSAGE_BYTES_MAX),
        events_in: Assembler::new(MESSAGE_BYTES_MAX),
        waiting: VecDeque::new(),
        broken: false,
    })
}
