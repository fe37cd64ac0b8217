// SPDX-License-Identifier: GPL-2.0-or-later
//! The controller: elects a leader, lets nodes join, carries transitions out and sees to it that they were.
//!
//! [`core`] decides; the shell connects it with the cluster, the other daemons and the clock.

pub mod core;
mod shell;

pub use shell::main;
