// SPDX-License-Identifier: GPL-2.0-or-later
//! What a CIB may look like, and whether one does.
//!
//! One table (`cib.schema`) describes all versions of the schema. From it come the verdicts here, which are those that
//! Pacemaker gets from its RNG files, with words for what is wrong and where; and the RNG files that we ship ([`rng_file`]).
//!
//! Decides: whether a tree is a CIB as a version has it, with unique ids and references that lead somewhere. Given: a tree.
//! Leaves to others: what is done about it.

mod change;
mod compiled;
mod datatype;
mod explain;
mod grammar;
mod issue;
mod machine;
mod ncname;
mod notation;
mod rng;
mod table;
mod validator;
mod version;
mod words;

#[cfg(test)]
mod tests;

pub use issue::{Hint, Issue, Problem, Wanted, locate};
pub use validator::MAX_ISSUES;
pub use version::{Claim, SchemaVersion, UnknownSchema};

use compiled::Compiled;
use grammar::Grammar;
use machine::Machine;
use model::Profile;
use std::sync::{Mutex, OnceLock, PoisonError};
use table::{Table, TableError};
use xml::Element;

/// What is wrong with a CIB under the version it claims; nothing if it is valid. At most [`MAX_ISSUES`] are named, in the
/// order of the document. `validate-with="none"` makes everything valid; a version that nobody knows, or none at all, nothing.
pub fn validate(cib: &Element) -> Vec<Issue> {
    let problem = match Claim::of(cib) {
        _ if cib.name() != "cib" => Problem::Root,
        Ok(Some(Claim::Version(version))) => return validate_against(cib, version),
        Ok(Some(Claim::Nothing)) => return Vec::new(),
        Ok(None) => Problem::NoSchema,
        Err(unknown) => Problem::UnknownSchema(UnknownSchema(issue::short(&unknown.0))),
    };
    vec![Issue::new(Vec::new(), cib, problem)]
}

/// What [`validate`] says of a CIB that was made of a valid one by a change. Costs little more than the change is large, as
/// long as nothing is wrong.
pub fn validate_change(valid: &Element, cib: &Element) -> Vec<Issue> {
    if stays_valid(valid, cib) { Vec::new() } else { validate(cib) }
}

/// True if a CIB is valid because it was made of a valid one by a change that is right; false says nothing.
pub fn stays_valid(valid: &Element, cib: &Element) -> bool {
    match Claim::of(cib) {
        _ if cib.name() != "cib" => false,
        Ok(Some(Claim::Nothing)) => true,
        Ok(Some(Claim::Version(version))) if Claim::of(valid) == Ok(Some(Claim::Version(version))) => {
            compiled_for(version, Profile::V3_0).is_ok_and(|ready| {
                ready.with_machine(|machine| change::is_surely_valid(valid, cib, &ready.compiled, machine))
            })
        }
        _ => false,
    }
}

/// What is wrong with a CIB under a given version, whatever version it claims; nothing if it is valid.
pub fn validate_against(cib: &Element, version: SchemaVersion) -> Vec<Issue> {
    issues(cib, version, Profile::V3_0, false)
}

/// Whether a CIB is valid under a given version, whatever version it claims. Cheaper than to list what is wrong.
pub fn is_valid(cib: &Element, version: SchemaVersion) -> bool {
    is_valid_for(cib, version, Profile::V3_0)
}

/// The same as the software of a profile sees it: Pacemaker 2 does not insist on `validate-with`, and knows other versions.
pub fn is_valid_for(cib: &Element, version: SchemaVersion, profile: Profile) -> bool {
    issues(cib, version, profile, true).is_empty()
}

/// A version as an RNG file, for other programs. (An error means that the table is broken, which tests rule out.)
pub fn rng_file(version: SchemaVersion) -> Result<String, Problem> {
    match compiled_for(version, Profile::V3_0) {
        Ok(ready) => Ok(rng::write(&ready.compiled.grammar)),
        Err(error) => Err(Problem::BrokenTable(error.to_string())),
    }
}

fn issues(cib: &Element, version: SchemaVersion, profile: Profile, verdict_only: bool) -> Vec<Issue> {
    match compiled_for(version, profile) {
        Ok(ready) => {
            ready.with_machine(|machine| validator::issues(cib, &ready.compiled, machine, verdict_only))
        }
        Err(error) => vec![Issue::new(Vec::new(), cib, Problem::BrokenTable(error.to_string()))],
    }
}

/// A version of the schema, and machines that have learnt some of it.
struct Ready {
    compiled: Compiled,
    /// Those that nobody uses at the moment.
    machines: Mutex<Vec<Machine>>,
}

/// More machines than this are not kept.
const MAX_IDLE: usize = 4;

impl Ready {
    /// Does something with a machine of its own.
    fn with_machine<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        // Whoever panicked while holding the list left it whole: each change of it is one call.
        let idle = || self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let mut machine = waiting.unwrap_or_else(|| Machine::new(&self.compiled));
        let outcome = work(&mut machine);
        let mut machines = idle();
        if machines.len() < MAX_IDLE {
            machines.push(machine);
        }
        outcome
    }
}

/// A version as the software of a profile has it; made ready when it is first asked for.
fn compiled_for(version: SchemaVersion, profile: Profile) -> Result<&'static Ready, &'static TableError> {
    type Slot = OnceLock<Result<Ready, TableError>>;
    static READY: [[Slot; SchemaVersion::ALL.len()]; 2] =
        [const { [const { OnceLock::new() }; SchemaVersion::ALL.len()] }; 2];
    let row = match profile {
        Profile::V3_0 => &READY[0],
        Profile::V2_1 => &READY[1],
    };
    let make = || {
        let table = Table::built_in().map_err(Clone::clone)?;
        let grammar = Grammar::new(table, version, profile)?;
        Ok(Ready { compiled: Compiled::new(grammar), machines: Mutex::new(Vec::new()) })
    };
    row[version.index()].get_or_init(make).as_ref()
}
