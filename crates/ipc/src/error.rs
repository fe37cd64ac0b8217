// SPDX-License-Identifier: GPL-2.0-or-later
//! Why there is no connection, no listener, no answer.

use crate::FrameError;
use std::io;
use std::time::Duration;

/// There is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody serves this name.
    #[error("nobody serves IPC name '{name}' (is the daemon running?)")]
    NotRunning {
        /// The name.
        name: String,
    },
    /// The server does not want us.
    #[error(
        "the server of IPC name '{name}' refused us: {reason} (root, hacluster and members of haclient are served)"
    )]
    Refused {
        /// The name.
        name: String,
        /// As the server says.
        reason: io::Error,
    },
    /// We do not believe the server.
    #[error(
        "IPC name '{name}' is served by process {pid} of user {uid} and group {gid}, who is neither root, hacluster, \
         of group haclient nor ourselves"
    )]
    Untrusted {
        /// The name.
        name: String,
        /// The server's process.
        pid: u32,
        /// Its user.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// It wants to talk in a way we do not know yet.
    #[error(
        "the server of IPC name '{name}' talks by transport {transport} (1 is shared memory); only sockets (0) are \
         supported: start it with PCMK_ipc_type=socket"
    )]
    Transport {
        /// The name.
        name: String,
        /// Libqb's number for the transport.
        transport: i32,
    },
    /// It does not speak libqb's handshake.
    #[error("the server of IPC name '{name}' gave an invalid handshake: {what}")]
    Protocol {
        /// The name.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// It took too long.
    #[error("the server of IPC name '{name}' did not answer within {timeout:?}")]
    Timeout {
        /// The name.
        name: String,
        /// How long we waited.
        timeout: Duration,
    },
    /// The name is too long for an abstract socket.
    #[error("IPC name '{0}' is longer than 107 bytes (is SYSTOLE_IPC_PREFIX too long?)")]
    NameTooLong(String),
    /// The system refused.
    #[error("cannot connect to IPC name '{name}': {source}")]
    Io {
        /// The name.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
}

/// There is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The name is too long for an abstract socket.
    #[error("IPC name '{0}' is longer than 107 bytes (is SYSTOLE_IPC_PREFIX too long?)")]
    NameTooLong(String),
    /// Somebody serves it already.
    #[error("IPC name '{0}' is served already (is the daemon running twice?)")]
    InUse(String),
    /// The system refused.
    #[error("cannot listen on IPC name '{name}': {source}")]
    Io {
        /// The name.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The server hung up.
    #[error("the server of IPC name '{0}' has hung up")]
    Disconnected(String),
    /// It took too long.
    #[error("the server of IPC name '{name}' did not answer within {timeout:?}")]
    Timeout {
        /// The name.
        name: String,
        /// How long we waited.
        timeout: Duration,
    },
    /// What was to be sent, or came, is no message.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The system refused.
    #[error("cannot talk to the server of IPC name '{name}': {source}")]
    Io {
        /// The name.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
}
