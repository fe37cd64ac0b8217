// SPDX-License-Identifier: GPL-2.0-or-later
//! Tools' talk with the attribute manager of this node.

use crate::failure::Failure;
use ipc::ClientOptions;
use ipc::blocking::Client;
use messages::attrd::{Body, Message};
use model::ExitCode;
use std::time::Duration;
use xml::Element;

const MANAGER: &str = "the attribute manager";

/// How long a client that waits for all nodes may have to wait.
const SYNC_TIMEOUT: Duration = Duration::from_secs(20);

/// Says something to the attribute manager and returns what it answers. A refusal is a failure.
pub(crate) fn ask(program: &str, body: Body) -> Result<Element, Failure> {
    let timeout = body.sync_point().map(|_| SYNC_TIMEOUT);
    let mut client = Client::connect("attrd", &ClientOptions::from_environment())
        .map_err(|error| Failure::connecting(MANAGER, &error))?;
    let message = Message::new(program, body).to_xml("create_attrd_op");
    let answer = client.request(&message, timeout).map_err(|error| Failure::asking(MANAGER, &error))?;
    let status = answer.attr("status").filter(|_| answer.name() == "ack");
    let status = status.and_then(|text| text.parse().ok()).map(ExitCode::new);
    match status {
        None | Some(ExitCode::OK | ExitCode::INDETERMINATE) => Ok(answer),
        Some(code) => Err(Failure::bare(code)),
    }
}
