// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB as those want it who only look: once, and whole; and what is known to others than its manager.
//!
//! Decides: whom to ask what. Leaves to others: which CIB is meant and how it is reached (`cib_access`).

use crate::cib_access::{AccessError, CibAccess, CibPlace};
use crate::failure::Failure;
use ::cib::Operation;
use messages::cib::{Command, option};
use messages::controller::{Envelope, References};
use model::{ExitCode, LegacyRc, Profile, WallTime};
use std::time::Duration;
use xml::Element;

/// How long the manager may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The CIB was not had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    /// The manager could not be reached.
    #[error("Could not connect to the CIB manager: {0}")]
    Connect(ipc::ConnectError),
    /// It refused.
    #[error("Could not query the CIB: {}", .0.text())]
    Refused(LegacyRc),
    /// It answered without a CIB.
    #[error("Could not query the CIB: the answer holds none")]
    Empty,
    /// Anything else.
    #[error(transparent)]
    Access(AccessError),
}

impl From<AccessError> for LiveError {
    fn from(error: AccessError) -> LiveError {
        match error {
            AccessError::Connect(error) => LiveError::Connect(error),
            error => LiveError::Access(error),
        }
    }
}

impl LiveError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            LiveError::Connect(_) => ExitCode::DISCONNECT,
            LiveError::Empty => ExitCode::PROTOCOL,
            LiveError::Refused(rc) => rc.exit_code(),
            LiveError::Access(error) => error.exit_code(),
        }
    }
}

/// The CIB that the environment says.
pub(crate) fn query_cib() -> Result<Element, LiveError> {
    let mut cib = CibAccess::open("systole")?;
    let query = Command::new(Operation::Query.as_str(), 0, option::SCOPE_LOCAL);
    let answer = cib.call(query, TIMEOUT)?;
    if !answer.rc.is_ok() {
        return Err(LiveError::Refused(answer.rc));
    }
    answer.data.ok_or(LiveError::Empty)
}

/// What is known only to others than the CIB's manager. All of it may be missing: a status is worth printing without.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// The state of pacemakerd.
    pub(crate) pacemakerd_state: Option<String>,
    /// This node's name.
    pub(crate) node_name: Option<String>,
}

/// Asks pacemakerd how it is and the controller which node this is.
pub(crate) fn ask_neighbours(now: WallTime) -> Neighbours {
    if !matches!(CibPlace::from_environment(), Ok(CibPlace::Live)) {
        return Neighbours::default();
    }
    let ask = |server, task| ask_once(server, task, "crm_mon", now, None).ok().flatten();
    let ping = ask("pacemakerd", "ping");
    let node = ask("crmd", "node-info");
    let attr = |element: Option<Element>, name: &str| element?.attr(name).map(str::to_owned);
    Neighbours { pacemakerd_state: attr(ping, "pacemakerd_state"), node_name: attr(node, "uname") }
}

/// One question without any words of introduction, and what the answer holds; `None` if none came in time.
pub(crate) fn ask_once(
    server: &str,
    task: &str,
    asker: &str,
    now: WallTime,
    timeout: Option<Duration>,
) -> Result<Option<Element>, Failure> {
    let mut client = ipc::blocking::Client::connect(server, &ipc::ClientOptions::from_environment())
        .map_err(|error| Failure::connecting(server, &error))?;
    let lost = |error| Failure::asking(server, &error);
    let reference = References::default().next(task, asker, now);
    let request = Envelope::request(task, reference.clone(), server, asker);
    client.request(&request.to_xml(asker, Profile::default().feature_set()), timeout).map_err(lost)?;
    // The answer follows the acknowledgement; what was asked by others is not for us.
    for _ in 0..8 {
        let Some(event) = client.next_event(timeout).map_err(lost)? else { return Ok(None) };
        match Envelope::from_xml(&event) {
            Ok(reply) if reply.reference == reference => return Ok(reply.payload),
            _ => {}
        }
    }
    Ok(None)
}
