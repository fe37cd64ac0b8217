// SPDX-License-Identifier: GPL-2.0-or-later
//! The executor: knows resources, runs their agents, tells how it ended.
//!
//! Decides: in which order operations of a resource run (one at a time), when recurring ones run again, what cancelling
//! means, whom to tell ([`core`]). Given: requests of clients (the controller above all). Leaves to others: what to run
//! (the controller), how to run a program (`agents`), fencing (the fencer, which devices are handed to).

pub mod core;
mod shell;

pub use shell::main;
