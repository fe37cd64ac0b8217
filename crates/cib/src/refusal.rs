// SPDX-License-Identifier: GPL-2.0-or-later
//! Why an operation was not done.

use crate::acl::{Acl, Note, NoteKind};
use crate::schema::Issue;
use crate::upgrade::{Event, Trouble};
use crate::{Operation, Version};
use model::{FeatureSet, LegacyRc};
use xml::Element;

/// Why an operation was not done. The CIB is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such operation.
    #[error("'{0}' is not a CIB operation")]
    UnknownOperation(String),
    /// It needs something to work with.
    #[error("{0} needs an XML element to work with, and none was given")]
    NoInput(Operation),
    /// Nobody could read what came out.
    #[error("elements would lie in each other more than {limit} levels deep")]
    TooDeep {
        /// The most there may be.
        limit: usize,
    },
    /// Nobody has heard of the section.
    #[error("'{0}' is not a section of the CIB")]
    UnknownSection(String),
    /// What should be read, changed or replaced is not there.
    #[error("{operation}: nothing in the CIB matches {what}")]
    NotFound {
        /// What was to be done.
        operation: Operation,
        /// To what.
        what: String,
    },
    /// What should be made is there.
    #[error("<{name}{}> already exists in <{parent}>", .id.as_ref().map(|id| format!(" id=\"{id}\"")).unwrap_or_default())]
    Exists {
        /// The element.
        name: String,
        /// Its id.
        id: Option<String>,
        /// Where.
        parent: String,
        /// The elements that failed, in the form of the wire.
        failed: Element,
    },
    /// The XPath cannot be read.
    #[error("{0}")]
    XPath(xml::XPathError),
    /// The whole CIB cannot be deleted.
    #[error("'{0}' addresses the whole CIB, which cannot be deleted (it can be erased)")]
    WholeCib(String),
    /// The input was damaged on its way.
    #[error("the digest of the replacement is {found}, expected {expected}")]
    Digest {
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// What is here is newer.
    #[error("version {offered} is older than ours, {current}")]
    Old {
        /// Ours.
        current: Version,
        /// What was offered, or would have come out.
        offered: Version,
    },
    /// The patch is not good.
    #[error("{0}")]
    Patch(#[from] crate::patch::PatchError),
    /// The CIB would need software newer than ours.
    #[error("the CIB would have feature set {found}, newer than ours, {ours}")]
    FeatureSet {
        /// The CIB's.
        found: String,
        /// Ours.
        ours: FeatureSet,
    },
    /// The outcome says not which schema it follows.
    #[error("the CIB would have no 'validate-with'")]
    NoSchema,
    /// The outcome is not a valid CIB.
    #[error("the CIB would not be valid: {}", .issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// What is wrong with it.
        issues: Vec<Issue>,
        /// It, as far as who asked may see it.
        cib: Option<Box<Element>>,
    },
    /// The user may not do (or see) that.
    #[error("ACLs do not let user '{user}' do that{}", because(.notes))]
    Denied {
        /// Who.
        user: String,
        /// What was decided.
        notes: Vec<Note>,
    },
    /// The user may not do all that the patch says.
    #[error(
        "ACLs do not let user '{user}' do all of the patch{}, and the rest of it does not come to its digest, {digest}",
        because(.notes)
    )]
    DeniedPatch {
        /// Who.
        user: String,
        /// What should have come out.
        digest: String,
        /// What was decided.
        notes: Vec<Note>,
    },
    /// Not possible inside a transaction.
    #[error("{0} cannot be part of a transaction")]
    NotInTransaction(Operation),
    /// Not possible for one node alone inside a transaction.
    #[error("{0} for one node ({1}) cannot be part of a transaction")]
    HostInTransaction(Operation, String),
    /// The input of a commit is no transaction.
    #[error("there is no <cib_transaction> to commit")]
    NoTransaction,
    /// Not done here (yet).
    #[error("{0} is not supported")]
    Unsupported(Operation),
    /// It follows no schema, or cannot be made to follow a newer one.
    #[error("the schema stays as it is: {trouble}")]
    Upgrade {
        /// Why.
        trouble: Trouble,
        /// What happened on the way.
        events: Vec<Event>,
    },
    /// The newest schema is already in use.
    #[error("the schema {0} is the newest")]
    SchemaUnchanged(String),
}

fn because(notes: &[Note]) -> String {
    let denial = notes.iter().find(|note| note.kind == NoteKind::Check);
    denial.map(|note| format!(" ({note})")).unwrap_or_default()
}

impl Refusal {
    pub(crate) fn denied(acl: &Acl, notes: Vec<Note>) -> Refusal {
        Refusal::Denied { user: acl.user().to_owned(), notes }
    }

    /// What was decided by ACLs.
    pub fn notes(&self) -> &[Note] {
        match self {
            Refusal::Denied { notes, .. } | Refusal::DeniedPatch { notes, .. } => notes,
            _ => &[],
        }
    }

    /// The number that travels.
    pub fn rc(&self) -> LegacyRc {
        match self {
            Refusal::NoInput(_)
            | Refusal::TooDeep { .. }
            | Refusal::UnknownOperation(_)
            | Refusal::WholeCib(_)
            | Refusal::Unsupported(Operation::AbsDelete) => LegacyRc::EINVAL,
            Refusal::UnknownSection(_) => LegacyRc::EINVAL,
            // What cannot be read finds nothing, as Pacemaker tells it.
            Refusal::NotFound { .. } | Refusal::XPath(_) => LegacyRc::ENXIO,
            Refusal::Exists { .. } => LegacyRc::EEXIST,
            Refusal::Digest { .. } | Refusal::NoTransaction => LegacyRc::ERROR_GENERIC,
            Refusal::Old { .. } => LegacyRc::OLD_DATA,
            Refusal::Patch(error) => error.rc(),
            Refusal::FeatureSet { .. } => LegacyRc::EPROTONOSUPPORT,
            Refusal::NoSchema => LegacyRc::CIB_CORRUPT,
            Refusal::Upgrade { trouble, .. } => match trouble {
                Trouble::NoClaim | Trouble::Unknown(_) => LegacyRc::CIB_CORRUPT,
                Trouble::FollowsNone { .. } => LegacyRc::SCHEMA_VALIDATION,
                Trouble::Transform(_) => LegacyRc::TRANSFORM_FAILED,
            },
            Refusal::Invalid { .. } => LegacyRc::SCHEMA_VALIDATION,
            Refusal::Denied { .. } => LegacyRc::EACCES,
            Refusal::DeniedPatch { .. } => LegacyRc::DIFF_FAILED,
            Refusal::NotInTransaction(_) | Refusal::HostInTransaction(..) | Refusal::Unsupported(_) => {
                LegacyRc::EOPNOTSUPP
            }
            Refusal::SchemaUnchanged(_) => LegacyRc::new(-211),
        }
    }

    /// What goes with the number in a reply.
    pub fn output(&self) -> Option<Element> {
        match self {
            Refusal::Exists { failed, .. } => Some(failed.clone()),
            Refusal::Invalid { cib, .. } => cib.as_deref().cloned(),
            _ => None,
        }
    }
}
