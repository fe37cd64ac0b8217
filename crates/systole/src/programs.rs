//! The table of all names: what each runs, and where it is installed.
// SPDX-License-Identifier: GPL-2.0-or-later

use model::ExitCode;
use std::ffi::OsString;

/// One name the binary answers to.
pub struct Program {
    /// The name.
    pub name: &'static str,
    /// The folder it is installed in (`sbin` or `libexec`); `None` for what is only called as `systole NAME`.
    pub place: Option<&'static str>,
    /// One line for the overview.
    pub about: &'static str,
    /// Its entry; the first argument is the name it was called by.
    pub main: fn(Vec<OsString>) -> ExitCode,
}

/// All of them, daemons first.
pub const ALL: &[Program] = &[];

/// The program of a name.
pub fn find(name: &str) -> Option<&'static Program> {
    ALL.iter().find(|program| program.name == name)
}
