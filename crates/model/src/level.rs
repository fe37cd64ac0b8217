// SPDX-License-Identifier: GPL-2.0-or-later
//! How important a line of the log is.

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something must be done about it now.
    Critical,
    /// Something failed.
    Error,
    /// Something may fail.
    Warning,
    /// Worth reading.
    Notice,
    /// What happens.
    Info,
    /// For finding faults in the software.
    Debug,
}
