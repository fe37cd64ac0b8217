// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said of decisions, in the words that Pacemaker's logs have for them.

use std::fmt;

/// Which decision was made. By these names logs can be asked for (`PCMK_trace_functions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// Whether something may be used.
    Check,
    /// Whether something may be made.
    Creation,
}

impl NoteKind {
    /// The name of Pacemaker's function that logs it.
    pub const fn function(self) -> &'static str {
        match self {
            NoteKind::Check => "pcmk__check_acl",
            NoteKind::Creation => "pcmk__apply_creation_acl",
        }
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which.
    pub kind: NoteKind,
    /// In words.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
