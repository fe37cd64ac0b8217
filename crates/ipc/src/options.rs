// SPDX-License-Identifier: GPL-2.0-or-later
//! What the environment and the caller say about connections: names, dialect, sizes, folders.

use crate::Dialect;
use model::Profile;
use std::path::PathBuf;
use std::time::Duration;

/// The message size both sides speak of unless told otherwise, in bytes: small enough that a message of this size is
/// one datagram under any kernel's default limits.
pub const MESSAGE_SIZE: u32 = 131_072;

/// How a client connects.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Put before the server's name, so that several clusters of one machine do not meet. Empty: Pacemaker's own names.
    pub name_prefix: String,
    /// The framing the server understands. A client cannot find out: it has to know which Pacemaker it is talking to.
    pub dialect: Dialect,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a request waits for its response unless the caller says otherwise.
    pub request_timeout: Duration,
}

impl Default for ClientOptions {
    /// Pacemaker's names and timeouts, today's dialect.
    fn default() -> ClientOptions {
        ClientOptions {
            name_prefix: String::new(),
            dialect: Dialect::of(Profile::default()),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
        }
    }
}

impl ClientOptions {
    /// As the environment says: `SYSTOLE_IPC_PREFIX` and `SYSTOLE_PROFILE`. An unknown profile is the default one.
    pub fn from_environment() -> ClientOptions {
        ClientOptions {
            name_prefix: std::env::var("SYSTOLE_IPC_PREFIX").unwrap_or_default(),
            dialect: Dialect::of(match std::env::var("SYSTOLE_PROFILE").as_deref() {
                Ok("2.1") => Profile::V2_1,
                _ => Profile::default(),
            }),
            ..ClientOptions::default()
        }
    }
}

/// How a server listens.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Put before every name, as in [`ClientOptions::name_prefix`].
    pub name_prefix: String,
    /// Where the folder of each connection is made.
    pub directory: PathBuf,
    /// Connections at the same time, for all names together.
    pub clients_max: usize,
    /// Events that may wait for one client before it is hung up on.
    pub backlog_max: usize,
    /// How long a connecting client may take to introduce itself.
    pub handshake_timeout: Duration,
}

impl Default for ServerOptions {
    /// Pacemaker's names, folder and backlog.
    fn default() -> ServerOptions {
        ServerOptions {
            name_prefix: String::new(),
            directory: PathBuf::from("/dev/shm"),
            clients_max: 1024,
            backlog_max: 500,
            handshake_timeout: Duration::from_secs(5),
        }
    }
}
