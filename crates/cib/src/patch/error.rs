// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a patch is not applied: each reason by itself, with the place in the patch.

use crate::Version;
use model::LegacyRc;

/// Why a patch was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Not a patch of format 2.
    #[error("the patch has format {0:?}, expected \"2\"")]
    Format(Option<String>),
    /// A version in it is not whole.
    #[error("the patch's <{0}> lacks admin_epoch, epoch or num_updates (or has no numbers there)")]
    BadVersion(&'static str),
    /// It is for a newer CIB: something was missed.
    #[error("the patch is from {from} to {to}, but the CIB is at {current} only")]
    Ahead {
        /// Where the CIB is.
        current: Version,
        /// What the patch is for.
        from: Version,
        /// What it leads to.
        to: Version,
    },
    /// It is for an older CIB: it was applied already, or something else was.
    #[error("the patch is from {from} to {to}, but the CIB is at {current} already")]
    Behind {
        /// Where the CIB is.
        current: Version,
        /// What the patch is for.
        from: Version,
        /// What it leads to.
        to: Version,
    },
    /// It leads to no newer version.
    #[error("the patch leads from {0} to {1}, which is not newer")]
    NoProgress(Version, Version),
    /// A path in it is none.
    #[error("change {index}: '{path}' is not a path such as /cib/status/node_state[@id='1']")]
    BadPath {
        /// Which change, from 1.
        index: usize,
        /// Its path.
        path: String,
    },
    /// A path leads to nothing.
    #[error("change {index}: {operation} of '{path}': nothing there")]
    NoMatch {
        /// Which change, from 1.
        index: usize,
        /// What was to be done.
        operation: String,
        /// Where.
        path: String,
    },
    /// Not an operation of patches.
    #[error("change {index}: '{operation}' is not create, modify, move or delete")]
    UnknownOperation {
        /// Which change, from 1.
        index: usize,
        /// What it says.
        operation: String,
    },
    /// A change lacks what it needs.
    #[error("change {index}: {operation} lacks its {what}")]
    Incomplete {
        /// Which change, from 1.
        index: usize,
        /// What was to be done.
        operation: String,
        /// What is not there.
        what: &'static str,
    },
    /// The outcome is not what it should be.
    #[error("the patched CIB has digest {found}, expected {expected}")]
    Digest {
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl PatchError {
    /// The number that travels.
    pub fn rc(&self) -> LegacyRc {
        match self {
            PatchError::Format(_) | PatchError::BadVersion(_) => LegacyRc::EINVAL,
            PatchError::Behind { .. } | PatchError::NoProgress(..) => LegacyRc::OLD_DATA,
            PatchError::Incomplete { operation, .. } if operation == "modify" => LegacyRc::new(-42),
            PatchError::Ahead { .. }
            | PatchError::BadPath { .. }
            | PatchError::NoMatch { .. }
            | PatchError::UnknownOperation { .. }
            | PatchError::Incomplete { .. }
            | PatchError::Digest { .. } => LegacyRc::DIFF_FAILED,
        }
    }

    /// True if what the patch says is known already, so that a follower need not ask for the whole CIB.
    pub const fn is_old_news(&self) -> bool {
        matches!(self, PatchError::Behind { .. } | PatchError::NoProgress(..))
    }
}
