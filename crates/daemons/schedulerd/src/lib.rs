// SPDX-License-Identifier: GPL-2.0-or-later
//! The scheduler as a daemon: the controller sends a CIB and gets back the graph of everything to be done. Every input
//! is saved, so that what was decided can be looked at again.
//!
//! What is planned is the `scheduler` crate's; what becomes of requests and inputs is in [`core`]; the rest runs that.

pub mod core;
mod save;
mod shell;

pub use shell::main;
