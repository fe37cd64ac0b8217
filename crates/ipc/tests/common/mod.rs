// SPDX-License-Identifier: GPL-2.0-or-later
//! A server that echoes, under a name of its own.
#![allow(dead_code, clippy::unwrap_used)]

use ipc::{Client, ClientOptions, Dialect, Server, ServerEvent, ServerOptions};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;
use xml::Element;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A server with a prefix and a folder of its own.
pub struct Place {
    pub folder: TempDir,
    pub prefix: String,
}

impl Place {
    pub fn new() -> Place {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        Place { folder: TempDir::new().unwrap(), prefix: format!("test-{}-{number}-", std::process::id()) }
    }

    pub fn server_options(&self) -> ServerOptions {
        ServerOptions {
            name_prefix: self.prefix.clone(),
            directory: self.folder.path().join("qb"),
            ..ServerOptions::default()
        }
    }

    pub fn client_options(&self, dialect: Dialect) -> ClientOptions {
        ClientOptions {
            name_prefix: self.prefix.clone(),
            dialect,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(20),
        }
    }

    pub fn serve(&self, options: ServerOptions) -> (Server, Receiver<ServerEvent>) {
        let (mut server, happenings) = Server::new(options);
        server.listen("cib_rw").unwrap();
        (server, happenings)
    }

    pub async fn connect(&self, dialect: Dialect) -> Client {
        Client::connect("cib_rw", &self.client_options(dialect)).await.unwrap()
    }

    /// What is left in the folder of connections.
    pub fn left(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("qb")).unwrap().count()
    }
}

/// Answers every request with its message, in `<echo>`; what is not waited for, as an event.
pub async fn echo(server: Server, mut happenings: Receiver<ServerEvent>) {
    while let Some(event) = happenings.recv().await {
        if let ServerEvent::Message { client, request, wants_response, message } = event {
            let answer = Element::new("echo").with_child(message);
            if wants_response {
                server.respond(client, request, answer);
            } else {
                server.event(client, answer);
            }
        }
    }
}

/// A message of about this many bytes, that hardly compresses if `noise`.
pub fn large(bytes: usize, noise: bool) -> Element {
    let mut state = 1u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if noise { char::from(b'a' + (state >> 33) as u8 % 26) } else { 'x' }
    };
    let child = |n: usize| {
        Element::new("nvpair")
            .with_attr("id", n)
            .with_attr("value", (0..1000).map(|_| letter()).collect::<String>())
    };
    Element::new("cib").with_children((0..bytes / 1000).map(child).collect::<Vec<_>>())
}
