// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB as most tools want it: read whole, changed a little, with refusals in the words of tools.
//!
//! Decides: nothing but words and exit codes; whose CIB it is, and how it is reached, is [`CibAccess`]'s.

use super::{AccessError, CibAccess};
use crate::failure::Failure;
use ::cib::Operation;
use messages::cib::{Command, option};
use model::{ExitCode, StandardRc};
use std::time::Duration;
use xml::Element;

/// How long a command may take. A change may have to wait for the election of a DC.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A CIB that can be asked and changed.
pub(crate) struct CibSession(CibAccess);

/// What was asked for was not done.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// Why.
    pub rc: StandardRc,
    /// Why exactly, where that is known.
    pub reason: Option<String>,
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Failure {
        error.failure("Could not connect to the CIB")
    }
}

impl CibSession {
    /// Opens what the environment says. `program` is who the CIB manager is told is calling.
    pub fn open(program: &str) -> Result<CibSession, Failure> {
        Ok(CibSession(CibAccess::open(program)?))
    }

    /// Opens a file, as `CIB_file` would.
    #[cfg(test)]
    pub fn open_file(path: &std::path::Path) -> Result<CibSession, Failure> {
        Ok(CibSession(CibAccess::open_file(path.to_owned())?))
    }

    /// True for a file: nothing that is not in the CIB can be done then.
    pub const fn is_file(&self) -> bool {
        matches!(self.0, CibAccess::File { .. })
    }

    /// The whole CIB.
    pub fn query(&mut self) -> Result<Element, Failure> {
        let reply = self.ask(Command::new(Operation::Query.as_str(), 0, option::SCOPE_LOCAL))?;
        let empty = || Failure::new(ExitCode::PROTOCOL, "Could not query the CIB: the answer holds none");
        reply.ok_or_else(empty)
    }

    /// The whole CIB; what it was refused for, the caller has words for.
    pub fn read(&mut self) -> Result<Result<Element, Refused>, Failure> {
        let query = Command::new(Operation::Query.as_str(), 0, option::SCOPE_LOCAL);
        let answer = self.0.call(query, TIMEOUT)?;
        let refused = |rc, reason| Err(Refused { rc, reason });
        Ok(match answer.data {
            Some(cib) if answer.rc.is_ok() => Ok(cib),
            None if answer.rc.is_ok() => refused(StandardRc::UNPACK_ERROR, None),
            _ => refused(answer.rc.standard(), answer.reason),
        })
    }

    /// Merges into what is there.
    pub fn modify(&mut self, section: &str, data: Element) -> Result<(), Failure> {
        self.change(Operation::Modify, option::NONE, section, data)
    }

    /// Removes the element that the data describes. That it is not there is fine.
    pub fn delete(&mut self, section: &str, data: Element) -> Result<(), Failure> {
        self.change(Operation::Delete, option::NONE, section, data)
    }

    /// Makes a change whose refusal the caller has words for.
    pub fn attempt(
        &mut self,
        operation: Operation,
        options: u32,
        section: &str,
        data: Element,
    ) -> Result<Result<(), Refused>, Failure> {
        let command = Command::new(operation.as_str(), 0, options).section(section).data(data);
        let answer = self.0.call(command, TIMEOUT)?;
        if answer.rc.is_ok() {
            return Ok(Ok(self.0.save()?));
        }
        Ok(Err(Refused { rc: answer.rc.standard(), reason: answer.reason }))
    }

    /// Makes changes that concern the whole CIB.
    pub fn change_all(&mut self, operation: Operation, data: Element) -> Result<(), Failure> {
        self.ask(Command::new(operation.as_str(), 0, option::NONE).data(data))?;
        Ok(self.0.save()?)
    }

    fn change(
        &mut self,
        operation: Operation,
        options: u32,
        section: &str,
        data: Element,
    ) -> Result<(), Failure> {
        self.ask(Command::new(operation.as_str(), 0, options).section(section).data(data))?;
        Ok(self.0.save()?)
    }

    fn ask(&mut self, command: Command) -> Result<Option<Element>, Failure> {
        let answer = self.0.call(command, TIMEOUT)?;
        match (answer.rc.is_ok(), answer.reason) {
            (true, _) => Ok(answer.data),
            (false, Some(reason)) => Err(Failure::new(answer.rc.exit_code(), reason)),
            (false, None) => Err(Failure::refused(answer.rc)),
        }
    }
}
