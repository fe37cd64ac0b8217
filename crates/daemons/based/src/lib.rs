// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB manager as a daemon: it answers whoever wants to read or change the CIB, and keeps it the same on all nodes.
//!
//! What operations do is the `cib` crate's; which are done where and when, and who is told, is in [`core`]; the rest
//! runs that.

pub mod core;
mod shell;

pub use shell::main;
