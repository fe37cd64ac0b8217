// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading and changing a CIB: the running cluster's, by its manager, or one in a file, by the same operations in-process.
//!
//! Decides: which of them (`CIB_shadow` before `CIB_file` before the manager). Given: the environment, and commands. Leaves
//! to others: what operations do (`cib`), transport (`ipc`), who may do what (the manager).

use crate::crm_simulate::{SourceError, read_file, with_status};
use ::cib::acl;
use ::cib::store::{Store, StoreError};
use ::cib::{CallOptions, Context, Operation, Refusal, Request, last_written, perform, query, schema};
use messages::cib::{self, CibMessageError, Command, Reply, option};
use model::{ExitCode, LegacyRc, Profile, WallTime};
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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

    /// Does a command, and waits for what comes of it. If it does not say on whose behalf, the environment may.
    pub(crate) fn call(&mut self, mut command: Command, timeout: Duration) -> Result<Answer, AccessError> {
        command.user =
            command.user.or_else(|| std::env::var("CIB_user").ok().filter(|user| !user.is_empty()));
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
    let context = Context { acl: acl_facts(cib), ..Context::default() };
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
        if !dry {
            *changed = true;
            *cib = outcome.cib;
        }
        Ok(None)
    });
    match result {
        Ok(data) => Answer { rc: LegacyRc::OK, data, reason: None },
        Err(refusal) => {
            trace(refusal.notes());
            // Whom ACLs refuse something need not learn what it was that they may not see.
            let hidden = matches!(refusal, Refusal::Denied { .. } | Refusal::DeniedPatch { .. });
            let reason = (!hidden).then(|| refusal.to_string());
            Answer { rc: refusal.rc(), data: refusal.output(), reason }
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
    for note in notes {
        crate::trace::trace("acl", note.kind.function(), note);
    }
}

/// The moment, and how far local time is east of Greenwich.
fn here_and_now() -> (WallTime, i32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(0));
    (now, jiff::Zoned::now().offset().seconds())
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

/// Writes a CIB. A file with a signature beside it is a manager's, and signed.
fn write_file(path: &Path, cib: &Element) -> Result<(), AccessError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_some_and(|name| name == "cib.xml") && folder.join("cib.xml.sig").exists() {
        let (now, offset) = here_and_now();
        return Ok(Store::new(folder, Profile::default()).write(cib, &last_written(now, offset))?);
    }
    replace_file(path, &xml::write_indented(cib))
        .map_err(|source| AccessError::Write { path: path.to_owned(), source })
}

/// Writes into the file that is there, so that it stays the same file for all who know it by other names (or have it
/// open). Until that is on the disk, a copy beside it is, so that whatever happens one of the two is whole.
fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let copy = path.with_file_name(name);
    let bytes = if path.extension().is_some_and(|extension| extension == "bz2") {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        io::Write::write_all(&mut encoder, text.as_bytes())?;
        encoder.finish()?
    } else {
        text.as_bytes().to_vec()
    };
    let write = |file: io::Result<fs::File>| {
        let mut file = file?;
        io::Write::write_all(&mut file, &bytes)?;
        file.sync_all()
    };
    let private = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
    let copied = match private {
        // The file may be another's whose folder is not ours to write in.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => false,
        private => {
            let written = write(private);
            if written.is_err() {
                // Nothing was done to the file itself.
                let _ = fs::remove_file(&copy);
            }
            written.map(|()| true)?
        }
    };
    write(fs::File::create(path))?;
    if copied { fs::remove_file(&copy) } else { Ok(()) }
}
