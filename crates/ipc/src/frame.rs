//! Pacemaker's framing: 40 bytes of header, then the text of a tree and a NUL; in two dialects.
//!
//! Up to 3.0.0 a message that is too large is compressed; since 3.0.1 it is sent in parts. Both headers are of the same
//! length and call themselves version 1. A receiver tells them apart by where the version is; a sender has to know.
// SPDX-License-Identifier: GPL-2.0-or-later

use model::Profile;

/// The largest message we send or believe, in bytes of text. No CIB comes near; a peer that announces more is refused.
pub const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// Which framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Up to Pacemaker 3.0.0: large messages are compressed.
    Compressed,
    /// Since Pacemaker 3.0.1: large messages come in parts.
    Multipart,
}

impl Dialect {
    /// The one that a profile's clients speak.
    pub const fn of(profile: Profile) -> Dialect {
        match profile {
            Profile::V3_0 => Dialect::Multipart,
            Profile::V2_1 => Dialect::Compressed,
        }
    }
}

/// Something is no message, or cannot be made one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Larger than anybody may send.
    #[error("message of {bytes} bytes is too large (the limit is {max})")]
    TooLarge {
        /// Its text.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// The text inside is no tree.
    #[error("message is not XML: {0}")]
    Xml(#[from] xml::ParseError),
}
