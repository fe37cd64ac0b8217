// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading and changing a CIB: the running cluster's, by its manager, or one in a file, by the same operations in-process.
//!
//! Decides: which of them (`CIB_shadow` before `CIB_file` before the manager). Given: the environment, and commands. Leaves
//! to others: what operations do (`cib`), transport (`ipc`), who may do what (the manager).

use crate::crm_simulate::{SourceError, read_file, with_status};
use ::cib::store::{Store, StoreError};
use ::cib::{CallOptions, Context, Operation, Refusal, Request, last_written, perform, query, schema};
use messages::cib::{self, CibMessageError, Command, Reply, option};
use model::{ExitCode, LegacyRc, Profile, WallTime};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xml::Element;

/// The CIB cannot be had at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// The manager cannot be reached.
    #[error("Could not connect to the CIB API: {0}")]
    Connect(#[from] ipc::ConnectError),
    /// The manager went away, or takes too long.
    #[error("CIB API call failed: {0}")]
    Request(#[from] ipc::RequestError),
    /// What it said makes no sense.
    #[error("CIB API call failed: {0}")]
    Message(#[from] CibMessageError),
    /// The file cannot be read.
    #[error("Could not connect to the CIB API: {0}")]
    File(#[from] SourceError),
    /// The file's CIB is not valid.
    #[error("Could not connect to the CIB API: {path}: {issue}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong first.
        issue: schema::Issue,
    },
    /// The file cannot be written.
    #[error("Could not write {path}: {source}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder's live CIB cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            AccessError::Connect(_) => ExitCode::DISCONNECT,
            AccessError::Request(ipc::RequestError::Timeout { .. }) => ExitCode::TIMEOUT,
            AccessError::Request(_) => ExitCode::DISCONNECT,
            AccessError::Message(_) => ExitCode::PROTOCOL,
            AccessError::File(SourceError::Read { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                ExitCode::NOSUCH
            }
            AccessError::File(error) => error.exit_code(),
            AccessError::Invalid { .. } => ExitCode::CONFIG,
            AccessError::Write { .. } | AccessError::Store(_) => ExitCode::CANTCREAT,
        }
    }
}

/// What a command came to.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// How it went.
    pub rc: LegacyRc,
    /// What came out, also of some failures.
    pub data: Option<Element>,
    /// Why not, where that is known here.
    pub reason: Option<String>,
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
        /// Which.
        path: PathBuf,
        /// What is (or will be) in it.
        cib: Element,
        /// It is not in it yet.
        changed: bool,
    },
}

impl CibAccess {
    /// What the environment says. `program` is what the manager is told we are.
    pub(crate) fn open(program: &str) -> Result<CibAccess, AccessError> {
        match file_from_environment() {
            Some(path) => CibAccess::open_file(path),
            None => CibAccess::open_live(program),
        }
    }

    fn open_live(program: &str) -> Result<CibAccess, AccessError> {
        let mut client = ipc::blocking::Client::connect("cib_rw", &ipc::ClientOptions::from_environment())?;
        client.request(&cib::register(program, 1), None)?;
        Ok(CibAccess::Live { client: Box::new(client), last_call: 1 })
    }

    /// A file, whatever the environment says.
    pub(crate) fn open_file(path: PathBuf) -> Result<CibAccess, AccessError> {
        let cib = read_file(&path).and_then(with_status)?;
        if let Some(issue) = schema::validate(&cib).into_iter().next() {
            return Err(AccessError::Invalid { path, issue });
        }
        Ok(CibAccess::File { path, cib, changed: false })
    }

    /// Does a command, and waits for what comes of it.
    pub(crate) fn call(&mut self, command: Command, timeout: Duration) -> Result<Answer, AccessError> {
        match self {
            CibAccess::Live { client, last_call } => {
                *last_call += 1;
                let options = command.options | option::SYNC;
                let command = Command { call_id: *last_call, options, ..command };
                let reply = Reply::from_xml(&client.request(&command.to_xml(), Some(timeout))?)?;
                Ok(Answer { rc: reply.rc, data: reply.data, reason: None })
            }
            CibAccess::File { cib, changed, .. } => Ok(in_file(cib, changed, &command)),
        }
    }

    /// Writes a changed file now.
    pub(crate) fn save(&mut self) -> Result<(), AccessError> {
        if let CibAccess::File { path, cib, changed } = self
            && *changed
        {
            write_file(path, cib)?;
            *changed = false;
        }
        Ok(())
    }

    /// Ends the access; a changed file is written now.
    pub(crate) fn close(mut self) -> Result<(), AccessError> {
        self.save()
    }
}

fn in_file(cib: &mut Element, changed: &mut bool, command: &Command) -> Answer {
    let result = Request::from_message(&command.to_xml()).and_then(|request| {
        if !request.operation.modifies() {
            return query(cib, &request).map(Some);
        }
        let request = request.with(CallOptions::NO_MTIME);
        let context = Context { profile: Profile::default(), feature_set: None, last_written: String::new() };
        let dry = request.options.has(CallOptions::DRY_RUN);
        if matches!(request.operation, Operation::Primary) {
            return Err(Refusal::Unsupported(request.operation));
        }
        let outcome = perform(cib, &request, &context)?;
        if !dry {
            *changed = true;
            *cib = outcome.cib;
        }
        Ok(None)
    });
    match result {
        Ok(data) => Answer { rc: LegacyRc::OK, data, reason: None },
        Err(refusal) => {
            Answer { rc: refusal.rc(), data: refusal.output(), reason: Some(refusal.to_string()) }
        }
    }
}

/// `CIB_shadow` names a copy in a folder of copies, `CIB_file` any file.
fn file_from_environment() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(shadow) = set("CIB_shadow") {
        let mut name = std::ffi::OsString::from("shadow.");
        name.push(shadow);
        return Some(shadow_folder().join(name));
    }
    set("CIB_file").map(PathBuf::from)
}

fn shadow_folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CIB_shadow_dir").unwrap_or_else(|| match set("HOME") {
        Some(home) if home != Path::new("/root") => home.join(".cib"),
        _ => set("SYSTOLE_ROOT").unwrap_or_else(|| PathBuf::from("/")).join("var/lib/pacemaker/cib"),
    })
}

/// Writes so that the file is the old one or the new one, whatever happens. A file with a signature beside it is a
/// manager's, and signed.
fn write_file(path: &Path, cib: &Element) -> Result<(), AccessError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_some_and(|name| name == "cib.xml") && folder.join("cib.xml.sig").exists() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(0));
        let offset = jiff::Zoned::now().offset().seconds();
        return Ok(Store::new(folder, Profile::default()).write(cib, &last_written(now, offset))?);
    }
    replace_file(path, &xml::write_indented(cib))
        .map_err(|source| AccessError::Write { path: path.to_owned(), source })
}

fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let bytes = if path.extension().is_some_and(|extension| extension == "bz2") {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        io::Write::write_all(&mut encoder, text.as_bytes())?;
        encoder.finish()?
    } else {
        text.as_bytes().to_vec()
    };
    fs::write(&new, bytes)?;
    if let Ok(old) = fs::metadata(path) {
        fs::set_permissions(&new, old.permissions())?;
    }
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, path)
}
