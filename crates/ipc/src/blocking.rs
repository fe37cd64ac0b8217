// SPDX-License-Identifier: GPL-2.0-or-later
//! The same client for programs that do one thing at a time: every call waits until it is done.

use crate::{ClientOptions, ConnectError, RequestError};
use messages::core::Credentials;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use xml::Element;

/// A connection, see [`crate::Client`].
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    client: crate::Client,
    request_timeout: Duration,
}

impl Client {
    /// See [`crate::Client::connect`].
    pub fn connect(name: &str, options: &ClientOptions) -> Result<Client, ConnectError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| ConnectError::Io { name: name.to_owned(), source })?;
        let client = runtime.block_on(crate::Client::connect(name, options))?;
        Ok(Client { runtime, client, request_timeout: options.request_timeout })
    }

    /// See [`crate::Client::server`].
    pub fn server(&self) -> &Credentials {
        self.client.server()
    }

    /// See [`crate::Client::request`].
    pub fn request(&mut self, message: &Element, timeout: Option<Duration>) -> Result<Element, RequestError> {
        self.runtime.block_on(self.client.request(message, timeout))
    }

    /// See [`crate::Client::send`].
    pub fn send(&mut self, message: &Element) -> Result<(), RequestError> {
        self.runtime.block_on(self.client.send(message))
    }

    /// Waits for the next event, but not longer than this (or the options' time for requests); `None` if none came.
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Element>, RequestError> {
        let timeout = timeout.unwrap_or(self.request_timeout);
        let client = &mut self.client;
        self.runtime.block_on(async {
            match tokio::time::timeout(timeout, client.next_event()).await {
                Ok(event) => event.map(Some),
                Err(_elapsed) => Ok(None),
            }
        })
    }
}
