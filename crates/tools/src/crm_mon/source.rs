// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the status comes from: the CIB that the environment means, and on a running cluster what its daemons say.
//!
//! Decides: who is asked what in which order, and what is said if they do not answer, in Pacemaker's words. Leaves to
//! others: which CIB is meant (`cib_access`), what it means (`scheduler`).

use super::settings::FenceLevel;
use crate::acceptable::acceptable;
use crate::cib_access::{AccessError, CibAccess, CibPlace};
use crate::failure::Failure;
use crate::live;
use crate::log::Log;
use crate::status::{Daemons, FencingHistory};
use ::cib::Operation;
use messages::cib::{Command, option};
use messages::fencer::{self, HistoryEntry, Request, history_from_xml};
use model::{ExitCode, WallTime};
use scheduler::Cluster;
use std::path::Path;
use std::time::Duration;
use xml::Element;

/// How long a daemon may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Everything there is to show.
pub(super) struct Snapshot {
    pub cluster: Cluster,
    pub daemons: Daemons,
    pub fencing: Option<FencingHistory>,
}

/// What came of asking.
pub(super) enum Answer {
    /// All of it.
    Status(Box<Snapshot>),
    /// The cluster runs, but cannot say how it is.
    Health(Daemons),
    /// There is no CIB to be had; why not.
    NoCib(Failure),
    /// The CIB cannot be used; why not.
    Unusable(String),
}

/// The place that the options or the environment mean.
pub(super) fn place(xml_file: Option<&Path>) -> Result<CibPlace, Failure> {
    match xml_file {
        Some(path) if path.as_os_str() == "-" => Ok(CibPlace::Stdin),
        Some(path) => Ok(CibPlace::File(path.to_owned())),
        None => CibPlace::from_environment().map_err(|error| Failure::usage(error.to_string())),
    }
}

/// What is wanted of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    /// How much of what was fenced.
    pub level: FenceLevel,
    /// Of that, nothing that is outdated.
    pub reduced: bool,
    /// What is wrong with constraints is worth knowing.
    pub constraints: bool,
    /// How much is to be told, see [`Log`].
    pub verbose: u8,
}

/// Asks everybody. What is worth knowing about the CIB goes to `tell`. It fails if there is no cluster to be asked.
pub(super) fn ask(
    place: CibPlace,
    now: WallTime,
    wants: Wants,
    mut tell: impl FnMut(String),
) -> Result<Answer, Failure> {
    let mut daemons = Daemons::UNKNOWN;
    let live = place == CibPlace::Live;
    if live {
        let neighbours = live::ask_neighbours(now);
        daemons = Daemons { pacemakerd_state: neighbours.pacemakerd_state, node_name: neighbours.node_name };
        match daemons.pacemakerd_state.as_deref() {
            Some("running" | "shutting_down" | "remote") => {}
            Some(_) => return Ok(Answer::Health(daemons)),
            // The CIB's manager may run without pacemakerd.
            None => {}
        }
    }
    let cib = match query(place) {
        Ok(cib) => cib,
        Err(AccessError::Connect(error)) if daemons.pacemakerd_state.is_none() => {
            let failure =
                Failure::new(ExitCode::DISCONNECT, "Connection to cluster failed: Connection refused");
            return Err(failure.with_detail(format_args!("No cluster answers on this node ({error})")));
        }
        Err(error) => return Ok(Answer::NoCib(error.failure("Could not connect to the CIB"))),
    };
    let cib = match acceptable(&cib, &mut tell) {
        Ok(cib) => cib,
        Err(refusal) => return Ok(Answer::Unusable(format!("Upgrade failed: {refusal}"))),
    };
    let fencing = (live && wants.level != FenceLevel::Off).then(|| {
        let history = FencingHistory::new(history());
        if wants.reduced { history.reduced() } else { history }
    });
    let (cluster, issues) = scheduler::unpack(&cib, now);
    let log = Log::new("crm_mon", wants.verbose);
    let issues = issues.iter().filter(|issue| !issue.planning || wants.constraints);
    issues.filter_map(|issue| log.issue(issue)).for_each(tell);
    let cluster = if wants.constraints { cluster.with_lost_tickets() } else { cluster };
    Ok(Answer::Status(Box::new(Snapshot { cluster, daemons, fencing })))
}

fn query(place: CibPlace) -> Result<Element, AccessError> {
    let mut cib = CibAccess::open_place(place, "crm_mon")?;
    let answer = cib.call(Command::new(Operation::Query.as_str(), 0, option::SCOPE_LOCAL), TIMEOUT)?;
    Ok(answer.data.unwrap_or_else(|| Element::new("cib")))
}

/// What the fencer knows of what was fenced.
fn history() -> Result<Vec<HistoryEntry>, ExitCode> {
    let lost = |_| ExitCode::DISCONNECT;
    let options = ipc::ClientOptions::from_environment();
    let mut client =
        ipc::blocking::Client::connect("stonith-ng", &options).map_err(|_| ExitCode::DISCONNECT)?;
    let hello = fencer::Command::new(Request::Register { client_name: "crm_mon".into() }, 0, 0, 0);
    client.request(&hello.to_xml(), Some(TIMEOUT)).map_err(lost)?;
    let question = Request::History { target: None, known: None };
    let question = fencer::Command::new(question, 1, fencer::options::SYNC, 120);
    let answer = client.request(&question.to_xml(), Some(TIMEOUT)).map_err(lost)?;
    let reply = fencer::Reply::from_xml(&answer).ok_or(ExitCode::PROTOCOL)?;
    Ok(reply.data.map(|history| history_from_xml(&history).0).unwrap_or_default())
}
