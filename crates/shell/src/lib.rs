// SPDX-License-Identifier: GPL-2.0-or-later
//! The loop that drives a daemon's core: its IPC servers, its connections to other daemons, the cluster, one timer,
//! signals and the log.
//!
//! Decides nothing about the cluster: it waits for one thing, feeds it to the core, does what the core says. Given: a
//! core, and how to do what only that daemon does ([`Effects`]). Leaves to others: every decision (the cores).

mod command_line;
mod driver;
mod environment;
mod group;
mod log;
mod run;
mod services;

pub use command_line::{answer_metadata, command_line, flag};
pub use environment::{Clock, Environment, LogOptions, Paths};
pub use run::{Daemon, Effects, Outcomes, run};
