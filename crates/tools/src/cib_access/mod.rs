// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading and changing a CIB: the running cluster's, by its manager, or one in a file, by the same operations in-process.
//!
//! Decides: how it is reached, and for whom it is asked (`CIB_user`). Given: a place, by default what the environment
//! says, and commands. Leaves to others: which CIB is meant (`place`), reading and writing of files (`document`,
//! `write`), what operations do (`cib`), transport (`ipc`), who may do what (the manager).

mod document;
mod place;
mod session;
mod write;

pub(crate) use document::{
    DocumentError, read_bytes_or_stdin, read_file, read_file_or_stdin, read_pipe, with_status,
};
pub(crate) use place::{CibPlace, make_shadow_folder, shadow_file};
pub(crate) use session::{CibSession, Refused};
pub(crate) use write::{bytes_for, bytes_of, replace_file};

use crate::failure::Failure;
use crate::log::{Level, Log, Source};
use ::cib::acl;
use ::cib::upgrade::Event;
use ::cib::{CallOptions, Context, Operation, Refusal, Request, perform, query, schema};
use messages::cib::{self, CibMessageError, Command, Reply, option};
use model::{ExitCode, LegacyRc, WallTime};
use place::ShadowNameError;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use write::{WriteError, write_cib};
use xml::Element;

/// The CIB cannot be had at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// The manager cannot be reached.
    #[error("{0}")]
    Connect(#[from] ipc::ConnectError),
    /// The manager went away, or takes too long.
    #[error("CIB API call failed: {0}")]
    Request(#[from] ipc::RequestError),
    /// What it said makes no sense.
    #[error("CIB API call failed: {0}")]
    Message(#[from] CibMessageError),
    /// It is with a manager on another node.
    #[error("CIB_port is set, but CIBs of other nodes cannot be reached yet: unset it, or use CIB_file")]
    Remote,
    /// No shadow copy has this name.
    #[error(transparent)]
    ShadowName(#[from] ShadowNameError),
    /// The file cannot be read.
    #[error("{}", .0.place_and_problem())]
    File(#[from] DocumentError),
    /// The file's CIB is not valid.
    #[error("{path}: {issue}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong first.
        issue: Box<schema::Issue>,
    },
    /// What was read from a stream cannot be written back.
    #[error("Could not write CIB: it was read from the standard input; name a file to change")]
    Stream,
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl AccessError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            AccessError::Connect(_) => ExitCode::DISCONNECT,
            AccessError::Request(ipc::RequestError::Timeout { .. }) => ExitCode::TIMEOUT,
            AccessError::Request(_) => ExitCode::DISCONNECT,
            AccessError::Message(_) => ExitCode::PROTOCOL,
            AccessError::Remote => ExitCode::UNIMPLEMENT_FEATURE,
            AccessError::ShadowName(_) => ExitCode::USAGE,
            AccessError::File(error) if error.is_absent() => ExitCode::NOSUCH,
            AccessError::File(_) | AccessError::Invalid { .. } => ExitCode::CONFIG,
            AccessError::Write(_) | AccessError::Stream => ExitCode::ERROR,
        }
    }

    /// Why it cannot be had, in Pacemaker's words.
    pub(crate) fn reason(&self) -> String {
        match self {
            AccessError::Connect(_) => "Transport endpoint is not connected".to_owned(),
            AccessError::Remote => "Operation not supported".to_owned(),
            AccessError::ShadowName(_) => "Invalid argument".to_owned(),
            // Which file that is, whoever set the environment knows.
            AccessError::File(error) if error.is_absent() => "No such device or address".to_owned(),
            AccessError::File(_) | AccessError::Invalid { .. } => {
                "Update does not conform to the configured schema".to_owned()
            }
            AccessError::Request(_)
            | AccessError::Message(_)
            | AccessError::Stream
            | AccessError::Write(_) => self.to_string(),
        }
    }

    /// What tools say, `lead` being what they could not do (`Could not connect to the CIB`). What there is to know beyond
    /// Pacemaker's words is told before them.
    pub(crate) fn failure(&self, lead: &str) -> Failure {
        let failure = Failure::new(self.exit_code(), format_args!("{lead}: {}", self.reason()));
        match self {
            AccessError::Request(_)
            | AccessError::Message(_)
            | AccessError::Stream
            | AccessError::Write(_) => Failure::new(self.exit_code(), self),
            AccessError::Connect(error) => failure.with_detail(format_args!(
                "No cluster answers on this node ({error}); CIB_file or CIB_shadow name a CIB to work on without one"
            )),
            AccessError::File(error) if error.is_absent() => failure,
            _ => failure.with_detail(self),
        }
    }
}

/// What a command came to.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// How it went.
    pub rc: LegacyRc,
    /// What came out.
    pub data: Option<Element>,
    /// What was refused, if that is known: the CIB as it would have become.
    pub refused: Option<Element>,
    /// Why not, where that is known here.
    pub reason: Option<String>,
    /// What happened on the way to another schema, where that is known here.
    pub events: Vec<Event>,
}

/// A CIB that can be read and changed.
pub(crate) enum CibAccess {
    /// The manager of this node.
    Live {
        /// The connection.
        client: Box<ipc::blocking::Client>,
        /// The number of the last call.
        last_call: i32,
    },
    /// A file.
    File {
        /// Which; none for the standard input.
        path: Option<PathBuf>,
        /// What is (or will be) in it.
        cib: Element,
        /// It is not in it yet.
        changed: bool,
        /// It is known to be valid.
        is_valid: bool,
    },
}

impl CibAccess {
    /// What the environment says. `program` is what the manager is told we are.
    pub(crate) fn open(program: &str) -> Result<CibAccess, AccessError> {
        CibAccess::open_place(CibPlace::from_environment()?, program)
    }

    /// A given place.
    pub(crate) fn open_place(place: CibPlace, program: &str) -> Result<CibAccess, AccessError> {
        match place {
            CibPlace::Live => CibAccess::open_live(program),
            CibPlace::Remote => Err(AccessError::Remote),
            CibPlace::File(path) | CibPlace::Shadow { path, .. } => CibAccess::open_file(path),
            CibPlace::Stdin => CibAccess::of(None, read_pipe(&mut std::io::stdin().lock())?),
        }
    }

    fn open_live(program: &str) -> Result<CibAccess, AccessError> {
        let mut client = ipc::blocking::Client::connect("cib_rw", &ipc::ClientOptions::from_environment())?;
        client.request(&cib::register(program, 1), None)?;
        Ok(CibAccess::Live { client: Box::new(client), last_call: 1 })
    }

    /// A file, whatever the environment says.
    pub(crate) fn open_file(path: PathBuf) -> Result<CibAccess, AccessError> {
        let cib = read_file(&path)?;
        CibAccess::of(Some(path), cib)
    }

    fn of(path: Option<PathBuf>, cib: Element) -> Result<CibAccess, AccessError> {
        let cib = with_status(cib)?;
        if let Some(issue) = schema::validate(&cib).into_iter().next() {
            let path = path.unwrap_or_else(|| PathBuf::from("-"));
            return Err(AccessError::Invalid { path, issue: Box::new(issue) });
        }
        Ok(CibAccess::File { path, cib, changed: false, is_valid: true })
    }

    /// Does a command, and waits for what comes of it.
    pub(crate) fn call(&mut self, mut command: Command, timeout: Duration) -> Result<Answer, AccessError> {
        if command.user.is_none() {
            command.user = std::env::var("CIB_user").ok().filter(|user| !user.is_empty());
        }
        match self {
            CibAccess::Live { client, last_call } => {
                *last_call += 1;
                let options = command.options | option::SYNC;
                let command = Command { call_id: *last_call, options, ..command };
                let reply = Reply::from_xml(&client.request(&command.to_xml(), Some(timeout))?)?;
                let refused = reply.data.clone().filter(|_| !reply.rc.is_ok());
                Ok(Answer { rc: reply.rc, data: reply.data, refused, reason: None, events: Vec::new() })
            }
            CibAccess::File { cib, changed, is_valid, .. } => Ok(in_file(cib, changed, is_valid, &command)),
        }
    }

    /// Writes a changed file now.
    pub(crate) fn save(&mut self) -> Result<(), AccessError> {
        if let CibAccess::File { path, cib, changed, .. } = self
            && *changed
        {
            write_cib(path.as_deref().ok_or(AccessError::Stream)?, cib)?;
            *changed = false;
        }
        Ok(())
    }

    /// Ends the access; a changed file is written now.
    pub(crate) fn close(mut self) -> Result<(), AccessError> {
        self.save()
    }
}

fn in_file(cib: &mut Element, changed: &mut bool, is_valid: &mut bool, command: &Command) -> Answer {
    let context = Context { acl: acl_facts(cib), cib_is_valid: *is_valid, ..Context::default() };
    let mut events = Vec::new();
    let result = Request::from_message(&command.to_xml()).and_then(|request| {
        if !request.operation.modifies() {
            return query(cib, &request, &context).map(Some);
        }
        let request = request.with(CallOptions::NO_MTIME);
        let dry = request.options.has(CallOptions::DRY_RUN);
        if matches!(request.operation, Operation::Primary) {
            return Err(Refusal::Unsupported(request.operation));
        }
        let outcome = perform(cib, &request, &context)?;
        trace(&outcome.notes);
        events = outcome.events;
        if !dry {
            *changed = true;
            *is_valid = outcome.is_valid;
            *cib = outcome.cib;
        }
        Ok(None)
    });
    match result {
        Ok(data) => Answer { rc: LegacyRc::OK, data, refused: None, reason: None, events },
        Err(refusal) => {
            trace(refusal.notes());
            // Whom ACLs refuse something need not learn what it was that they may not see.
            let hidden = matches!(refusal, Refusal::Denied { .. } | Refusal::DeniedPatch { .. });
            let reason = (!hidden).then(|| refusal.to_string());
            if let Refusal::Upgrade { events: told, .. } = &refusal {
                events.clone_from(told);
            }
            Answer { rc: refusal.rc(), data: None, refused: refusal.output(), reason, events }
        }
    }
}

/// What the ACLs of a file's CIB depend on, by this machine's clock and groups.
pub(crate) fn acl_facts(cib: &Element) -> acl::Facts {
    let (now, utc_offset_s) = here_and_now();
    let mut groups = acl::Groups::default();
    for name in acl::group_names(cib) {
        let group = nix::unistd::Group::from_name(name).ok().flatten();
        groups.insert(name, group.map(|group| group.mem).unwrap_or_default());
    }
    acl::Facts { now, utc_offset_s, groups: Arc::new(groups) }
}

/// Tells what ACLs decided, to those who ask for it.
fn trace(notes: &[acl::Note]) {
    let log = Log::of_environment();
    for note in notes {
        let source = Source { file: "acl", function: note.kind.function() };
        if let Some(line) = log.line(Level::Trace, source, note) {
            // If nobody can be told, there is nobody who wants to know.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }
}

/// The moment, and how far local time is east of Greenwich.
fn here_and_now() -> (WallTime, i32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(0));
    (now, jiff::Zoned::now().offset().seconds())
}
