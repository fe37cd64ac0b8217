//! The CIB to read and change: the cluster's, by way of this node's CIB manager; or a file in its place (`CIB_file`).
//!
//! Decides: which of the two. Leaves to others: what the operations do (the manager, or the `cib` crate on a file), and
//! who may do what (the manager).
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::failure::Failure;
use ::cib::{CallOptions, Context, Operation, Request};
use ipc::ClientOptions;
use ipc::blocking::Client;
use messages::cib::{self, Command, Reply, option};
use model::{ExitCode, LegacyRc, Profile};
use std::io;
use std::path::{Path, PathBuf};
use xml::{Element, write_indented};

const MANAGER: &str = "the CIB manager";

/// A CIB that can be asked and changed.
pub(crate) enum CibSession {
    /// The cluster's.
    Live {
        /// The connection.
        client: Box<Client>,
        /// The number of the last call.
        call: i32,
    },
    /// A file's.
    File {
        /// The file.
        path: PathBuf,
        /// What is in it.
        cib: Element,
    },
}

/// The file that stands in for the cluster's CIB, if the environment names one.
pub(crate) fn cib_file() -> Option<PathBuf> {
    std::env::var_os("CIB_file").filter(|file| !file.is_empty()).map(PathBuf::from)
}

impl CibSession {
    /// Opens what the environment says. `program` is who the CIB manager is told is calling.
    pub fn open(program: &str) -> Result<CibSession, Failure> {
        match cib_file() {
            Some(path) => CibSession::open_file(&path),
            None => CibSession::connect(program),
        }
    }

    /// Opens a file, as `CIB_file` would.
    pub fn open_file(path: &Path) -> Result<CibSession, Failure> {
        let failure =
            |code, text: String| Failure::new(code, format_args!("Could not connect to the CIB: {text}"));
        let bytes = std::fs::read(path).map_err(|error| {
            let rc = LegacyRc::new(-error.raw_os_error().unwrap_or(5));
            failure(rc.exit_code(), format!("{}: {}", path.display(), rc.text()))
        })?;
        let cib = xml::parse_bytes(&bytes)
            .map_err(|error| failure(ExitCode::CONFIG, format!("{}: {error}", path.display())))?;
        if cib.name() != "cib" {
            let text = format!("{}: expected a <cib> element, found <{}>", path.display(), cib.name());
            return Err(failure(ExitCode::CONFIG, text));
        }
        let mut cib = cib;
        // Files are often configurations only.
        cib.child_or_insert("status");
        Ok(CibSession::File { path: path.to_owned(), cib })
    }

    fn connect(program: &str) -> Result<CibSession, Failure> {
        let options = ClientOptions::from_environment();
        let mut client =
            Client::connect("cib_rw", &options).map_err(|error| Failure::connecting("the CIB", &error))?;
        client.request(&cib::register(program, 1), None).map_err(|error| Failure::asking(MANAGER, &error))?;
        Ok(CibSession::Live { client: Box::new(client), call: 1 })
    }

    /// True for a file: nothing that is not in the CIB can be done then.
    pub const fn is_file(&self) -> bool {
        matches!(self, CibSession::File { .. })
    }

    /// The whole CIB.
    pub fn query(&mut self) -> Result<Element, Failure> {
        if let CibSession::File { cib, .. } = self {
            return Ok(cib.clone());
        }
        let reply = self.ask(Operation::Query, option::SCOPE_LOCAL, None, None)?;
        reply
            .ok_or_else(|| Failure::new(ExitCode::PROTOCOL, "Could not query the CIB: the answer holds none"))
    }

    /// Merges into what is there.
    pub fn modify(&mut self, section: &str, data: Element) -> Result<(), Failure> {
        self.ask(Operation::Modify, option::NONE, Some(section), Some(data)).map(drop)
    }

    /// The same, where values such as `x++` count up what is there.
    pub fn modify_counting(&mut self, section: &str, data: Element) -> Result<(), Failure> {
        let options = option::SCORE_UPDATE | option::CAN_CREATE;
        self.ask(Operation::Modify, options, Some(section), Some(data)).map(drop)
    }

    /// Puts an element in place of the one of its name and id.
    pub fn replace(&mut self, section: &str, data: Element) -> Result<(), Failure> {
        self.ask(Operation::Replace, option::NONE, Some(section), Some(data)).map(drop)
    }

    /// Removes the elements that the data describes. That they are not there is fine.
    pub fn delete(&mut self, section: &str, data: Element) -> Result<(), Failure> {
        self.ask(Operation::Delete, option::NONE, Some(section), Some(data)).map(drop)
    }

    fn ask(
        &mut self,
        operation: Operation,
        options: u32,
        section: Option<&str>,
        data: Option<Element>,
    ) -> Result<Option<Element>, Failure> {
        match self {
            CibSession::Live { client, call } => {
                *call += 1;
                let mut command = Command::new(operation.as_str(), *call, options | option::SYNC);
                command.section = section.map(str::to_owned);
                command.data = data;
                let response = client
                    .request(&command.to_xml(), None)
                    .map_err(|error| Failure::asking(MANAGER, &error))?;
                let reply = Reply::from_xml(&response)
                    .map_err(|error| Failure::new(ExitCode::PROTOCOL, format_args!("{MANAGER}: {error}")))?;
                if reply.rc.is_ok() { Ok(reply.data) } else { Err(Failure::refused(reply.rc)) }
            }
            CibSession::File { path, cib } => {
                let mut request = Request::new(operation).with(CallOptions::from_bits(options));
                request.section = section.map(str::to_owned);
                request.input = data;
                let context = Context {
                    profile: Profile::default(),
                    feature_set: None,
                    last_written: cib.attr("cib-last-written").unwrap_or_default().to_owned(),
                };
                let outcome = ::cib::perform(cib, &request, &context).map_err(|refusal| {
                    Failure::new(refusal.rc().exit_code(), format_args!("{}: {refusal}", path.display()))
                })?;
                *cib = outcome.cib;
                write_file(path, cib).map_err(|error| {
                    Failure::new(ExitCode::CANTCREAT, format_args!("{}: {error}", path.display()))
                })?;
                Ok(None)
            }
        }
    }
}

/// Writes beside the file and then in its place: it is never half there.
fn write_file(path: &Path, cib: &Element) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    std::fs::write(&temporary, write_indented(cib))?;
    std::fs::rename(&temporary, path)
}
