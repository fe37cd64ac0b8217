// SPDX-License-Identifier: GPL-2.0-or-later
//! The running cluster's CIB, asked of this node's CIB manager; or a file in its place.
//!
//! Decides: whom to ask. Given: the environment (`CIB_file`, and that of connections). Leaves to others: transport
//! (`ipc`), what may be read (the manager).

use crate::crm_simulate::{SourceError, read_file, read_pipe, with_status};
use messages::cib::{self, CibMessageError, Command, Reply, option};
use messages::controller::{Envelope, References};
use model::{ExitCode, LegacyRc, Profile, WallTime};
use std::path::Path;
use xml::Element;

/// The manager did not give its CIB.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    /// It could not be reached.
    #[error("Could not connect to the CIB manager: {0}")]
    Connect(#[from] ipc::ConnectError),
    /// It went away.
    #[error("Could not query the CIB: {0}")]
    Request(#[from] ipc::RequestError),
    /// What it said makes no sense.
    #[error("Could not query the CIB: {0}")]
    Message(#[from] CibMessageError),
    /// It refused.
    #[error("Could not query the CIB: {}", .0.text())]
    Refused(LegacyRc),
    /// It answered without a CIB.
    #[error("Could not query the CIB: the answer holds none")]
    Empty,
    /// The file in its place could not be read.
    #[error(transparent)]
    File(Box<SourceError>),
}

impl LiveError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            LiveError::Connect(_) | LiveError::Request(_) => ExitCode::DISCONNECT,
            LiveError::Message(_) | LiveError::Empty => ExitCode::PROTOCOL,
            LiveError::Refused(rc) => rc.exit_code(),
            LiveError::File(error) => error.exit_code(),
        }
    }
}

/// The CIB: of the file named by `CIB_file` (`-`: the standard input) if that is set, else the manager's.
pub(crate) fn query_cib() -> Result<Element, LiveError> {
    if let Some(file) = std::env::var_os("CIB_file").filter(|file| !file.is_empty()) {
        let cib = match file.to_str() {
            Some("-") => read_pipe(&mut std::io::stdin().lock()),
            _ => read_file(Path::new(&file)),
        };
        let cib = cib.and_then(with_status);
        return cib.map_err(|error| LiveError::File(Box::new(error)));
    }
    let mut client = ipc::blocking::Client::connect("cib_ro", &ipc::ClientOptions::from_environment())?;
    client.request(&cib::register("systole", 1), None)?;
    let query = Command::new("cib_query", 2, option::SYNC | option::SCOPE_LOCAL);
    let reply = Reply::from_xml(&client.request(&query.to_xml(), None)?)?;
    if !reply.rc.is_ok() {
        return Err(LiveError::Refused(reply.rc));
    }
    reply.data.ok_or(LiveError::Empty)
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
    if std::env::var_os("CIB_file").is_some_and(|file| !file.is_empty()) {
        return Neighbours::default();
    }
    let mut references = References::default();
    let mut ask = |server: &str, task: &str| -> Option<Element> {
        let mut client =
            ipc::blocking::Client::connect(server, &ipc::ClientOptions::from_environment()).ok()?;
        let reference = references.next(task, "crm_mon", now);
        let request = Envelope::request(task, reference.clone(), server, "crm_mon");
        client.request(&request.to_xml("crm_mon", Profile::default().feature_set()), None).ok()?;
        // The answer follows the acknowledgement; what was asked by others is not for us.
        for _ in 0..8 {
            let event = client.next_event(None).ok()??;
            match Envelope::from_xml(&event) {
                Ok(reply) if reply.reference == reference => return reply.payload,
                _ => {}
            }
        }
        None
    };
    let ping = ask("pacemakerd", "ping");
    let node = ask("crmd", "node-info");
    let attr = |element: Option<Element>, name: &str| element?.attr(name).map(str::to_owned);
    Neighbours { pacemakerd_state: attr(ping, "pacemakerd_state"), node_name: attr(node, "uname") }
}
