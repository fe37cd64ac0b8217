// SPDX-License-Identifier: GPL-2.0-or-later
//! From any version of the schema to any later one.
//!
//! Decides: which newer version a configuration follows or can be made to follow, and what it becomes on the way.
//! Given: a CIB, and how far to go. Leaves to others: what is done with the result, and who is told.
//!
//! A configuration that follows a version mostly follows the next one as well, and is only said to. Where it does not,
//! and a new series begins, it is transformed: see [`steps()`]. All nodes of a cluster upgrade by themselves and must come to
//! the same bytes, so what comes out is what Pacemaker's own transforms make of it, generated ids and all.

mod acceptable;
mod first;
mod note;
mod second;
mod steps;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod third;
mod walk;

pub use acceptable::{Acceptable, Unacceptable, acceptable};
pub use note::{AclScope, Holder, Note, Severity};
pub use second::table::{Entry, Place, Table, When};
pub use steps::{Step, StepError, steps};

use crate::schema::{self, Claim, SchemaVersion, UnknownSchema};
use model::{Level, Profile};
use std::fmt;
use xml::Element;

/// How many elements may be copied to where they are referred to.
const COPIES_MAX: usize = 1_000_000;

/// What happened on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The configuration follows this version.
    Follows(SchemaVersion),
    /// It does not.
    FollowsNot(SchemaVersion),
    /// A step begins.
    StepBegins {
        /// From which version it leads.
        from: SchemaVersion,
        /// To which.
        to: SchemaVersion,
        /// Its name in Pacemaker.
        step: &'static str,
    },
    /// What a step has to say.
    Note(Note),
    /// A step could not be done.
    StepFailed {
        /// Its name in Pacemaker.
        step: &'static str,
        /// Why.
        error: StepError,
    },
    /// What came out of the steps does not follow the new version.
    Invalid {
        /// The old version.
        from: SchemaVersion,
        /// The new.
        to: SchemaVersion,
    },
    /// All steps to the next version were done.
    Transformed {
        /// The old version.
        from: SchemaVersion,
        /// The new.
        to: SchemaVersion,
    },
    /// The version that the configuration claims from now on.
    Claims(SchemaVersion),
}

impl Event {
    /// The function of Pacemaker's sources that tells it, as those know it who trace functions; notes are told apart.
    pub const fn function(&self) -> Option<&'static str> {
        match self {
            Event::Follows(_) | Event::FollowsNot(_) | Event::Claims(_) => Some("pcmk__update_schema"),
            Event::StepBegins { .. }
            | Event::StepFailed { .. }
            | Event::Invalid { .. }
            | Event::Transformed { .. } => Some("apply_upgrade"),
            Event::Note(_) => None,
        }
    }

    /// How loudly it is told.
    pub fn level(&self) -> Level {
        match self {
            Event::StepFailed { .. } | Event::Invalid { .. } => Level::Error,
            Event::Transformed { .. } | Event::Claims(_) => Level::Info,
            Event::Follows(_) | Event::FollowsNot(_) | Event::StepBegins { .. } => Level::Debug,
            Event::Note(note) => match note.severity() {
                Severity::Warning => Level::Warning,
                Severity::Info => Level::Info,
                Severity::Debug => Level::Debug,
            },
        }
    }
}

impl fmt::Display for Event {
    /// As Pacemaker's logs have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Follows(version) => write!(f, "Schema {version} validates"),
            Event::FollowsNot(version) => write!(f, "Schema {version} does not validate"),
            Event::StepBegins { from, to, step } => {
                write!(f, "Upgrading schema from {from} to {to}: applying XSL transform {step}")
            }
            Event::Note(note) => write!(f, "CIB upgrade: {note}"),
            Event::StepFailed { step, error } => {
                write!(f, "XSL transform {step} failed, aborting upgrade: {error}")
            }
            Event::Invalid { from, to } => write!(
                f,
                "Schema upgrade from {from} to {to} failed: XSL transform pipeline produced an invalid configuration"
            ),
            Event::Transformed { from, to } => write!(f, "Schema upgrade from {from} to {to} succeeded"),
            Event::Claims(version) => write!(f, "Transformed the configuration schema to {version}"),
        }
    }
}

/// Why there was no way on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The CIB says not what it follows.
    #[error("the CIB has no 'validate-with'")]
    NoClaim,
    /// It says it follows what nobody knows.
    #[error("{0}")]
    Unknown(#[from] UnknownSchema),
    /// It follows no version from the one it claims to the newest.
    #[error("the configuration follows no schema from {from} to {to}")]
    FollowsNone {
        /// What it claims.
        from: SchemaVersion,
        /// The newest.
        to: SchemaVersion,
    },
    /// A transform could not be done, or made what follows no version.
    #[error("the configuration could not be transformed to the schema after {0}")]
    Transform(SchemaVersion),
}

/// What came of an upgrade.
#[derive(Clone, Debug)]
pub struct Upgraded {
    /// The CIB now: as it was, if `to` is `from`.
    pub cib: Element,
    /// What it claimed; `None` if it follows nothing and never will.
    pub from: Option<SchemaVersion>,
    /// What it claims now.
    pub to: Option<SchemaVersion>,
    /// Why it went no further than it did, if it should have.
    pub trouble: Option<Trouble>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Upgraded {
    /// True if the CIB claims a newer version than before.
    pub fn advanced(&self) -> bool {
        self.to > self.from
    }
}

/// Takes a CIB to the newest version it can follow, of those that the software of a profile knows, or to an older one that
/// is wanted. (To want the very oldest is to want the newest, for Pacemaker and so for us.)
pub fn upgrade(cib: &Element, wanted: Option<SchemaVersion>, profile: Profile) -> Upgraded {
    let newest = SchemaVersion::newest(profile);
    let limit = wanted.filter(|wanted| *wanted != SchemaVersion::OLDEST && *wanted <= newest);
    upgrade_if(cib, limit.unwrap_or(newest), |cib, version| schema::is_valid_for(cib, version, profile))
}

/// The same, by the word of `follows` on whether a CIB follows a version.
fn upgrade_if(
    cib: &Element,
    limit: SchemaVersion,
    mut follows: impl FnMut(&Element, SchemaVersion) -> bool,
) -> Upgraded {
    let unchanged =
        |from, trouble| Upgraded { cib: cib.clone(), from, to: from, trouble, events: Vec::new() };
    let from = match Claim::of(cib) {
        Ok(Some(Claim::Version(version))) => version,
        Ok(Some(Claim::Nothing)) => return unchanged(None, None),
        Ok(None) => return unchanged(None, Some(Trouble::NoClaim)),
        Err(unknown) => return unchanged(None, Some(Trouble::Unknown(unknown))),
    };
    if from >= limit {
        return unchanged(Some(from), None);
    }
    let mut journey = Journey { cib: cib.clone(), best: None, trouble: None, events: Vec::new() };
    let mut version = Some(from);
    while let Some(current) = version.filter(|version| *version <= limit) {
        if !journey.pass(current, limit, from, &mut follows) {
            break;
        }
        version = current.next();
    }
    journey.arrive(from)
}

/// An upgrade on its way.
struct Journey {
    cib: Element,
    /// The newest version that it followed.
    best: Option<SchemaVersion>,
    trouble: Option<Trouble>,
    events: Vec<Event>,
}

impl Journey {
    /// Sees whether the CIB follows a version, and transforms it if it does not follow the next. Says whether to go on.
    fn pass(
        &mut self,
        current: SchemaVersion,
        limit: SchemaVersion,
        from: SchemaVersion,
        follows: &mut impl FnMut(&Element, SchemaVersion) -> bool,
    ) -> bool {
        if !follows(&self.cib, current) {
            self.events.push(Event::FollowsNot(current));
            if self.best.is_some() {
                return false;
            }
            self.trouble = Some(Trouble::FollowsNone { from, to: limit });
            return true;
        }
        self.events.push(Event::Follows(current));
        self.trouble = None;
        self.best = Some(current);
        let Some(next) = current.next().filter(|_| current < limit) else { return false };
        if steps(current).is_empty() || follows(&self.cib, next) {
            return true;
        }
        match self.transform(current, next, follows) {
            Some(new) => self.cib = new,
            None => self.trouble = Some(Trouble::Transform(current)),
        }
        true
    }

    fn transform(
        &mut self,
        from: SchemaVersion,
        to: SchemaVersion,
        follows: &mut impl FnMut(&Element, SchemaVersion) -> bool,
    ) -> Option<Element> {
        let mut cib = self.cib.clone();
        let too_deep = walk::deeper_than(&cib, walk::MAX_DEPTH);
        for step in steps(from) {
            self.events.push(Event::StepBegins { from, to, step: step.name });
            let mut notes = Vec::new();
            let done = if too_deep { Err(StepError::TooDeep) } else { step.run(&cib, &mut notes) };
            self.events.extend(notes.into_iter().map(Event::Note));
            match done {
                Ok(new) => cib = new,
                Err(error) => {
                    self.events.push(Event::StepFailed { step: step.name, error });
                    return None;
                }
            }
        }
        if !follows(&cib, to) {
            self.events.push(Event::Invalid { from, to });
            return None;
        }
        self.events.push(Event::Transformed { from, to });
        Some(cib)
    }

    fn arrive(mut self, from: SchemaVersion) -> Upgraded {
        let to = self.best.filter(|best| *best > from).unwrap_or(from);
        if to > from {
            self.events.push(Event::Claims(to));
            self.cib.set_attr("validate-with", to);
        }
        Upgraded { cib: self.cib, from: Some(from), to: Some(to), trouble: self.trouble, events: self.events }
    }
}
