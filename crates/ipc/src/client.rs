//! A connection to a daemon, from the side of the one who asks.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::{ClientOptions, ConnectError, RequestError};
use messages::core::Credentials;
use std::time::Duration;
use xml::Element;

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
    server: Credentials,
}

impl Client {
    /// Connects to the server of a name (`cib_rw`, `crmd`, …), checks that it is who may serve it, and shakes hands.
    pub async fn connect(name: &str, options: &ClientOptions) -> Result<Client, ConnectError> {
        let _ = options;
        Err(ConnectError::NotRunning { name: name.to_owned() })
    }

    /// Who serves, from the kernel.
    pub fn server(&self) -> &Credentials {
        &self.server
    }

    /// Sends a request and waits for its response (the option's time, or this). Events that come meanwhile are kept for
    /// [`Client::next_event`]; a late response to an earlier request is dropped.
    pub async fn request(
        &mut self,
        message: &Element,
        timeout: Option<Duration>,
    ) -> Result<Element, RequestError> {
        let _ = (message, timeout);
        Err(RequestError::Disconnected(self.name.clone()))
    }

    /// Sends something that is not waited for: if there is an answer, it comes as an event.
    pub async fn send(&mut self, message: &Element) -> Result<(), RequestError> {
        let _ = message;
        Err(RequestError::Disconnected(self.name.clone()))
    }

    /// Sends a message with a number of the caller's own (positive and growing), and says whether it is to be answered
    /// by a [`ClientEvent::Response`] of that number. For those who have several requests on the way.
    pub async fn send_numbered(
        &mut self,
        number: i32,
        wants_response: bool,
        message: &Element,
    ) -> Result<(), RequestError> {
        let _ = (number, wants_response, message);
        Err(RequestError::Disconnected(self.name.clone()))
    }

    /// Waits for whatever the server says next. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<ClientEvent, RequestError> {
        Err(RequestError::Disconnected(self.name.clone()))
    }

    /// Waits for the next event; responses nobody waits for are dropped. Nothing is lost if the future is dropped.
    pub async fn next_event(&mut self) -> Result<Element, RequestError> {
        Err(RequestError::Disconnected(self.name.clone()))
    }
}
