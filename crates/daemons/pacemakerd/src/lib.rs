// SPDX-License-Identifier: GPL-2.0-or-later
//! Pacemakerd: starts the other daemons of a node, watches over them, starts them again, and stops them in order.
//!
//! Everything it decides is in [`core`]; the rest looks at processes, starts and signals them.

pub mod core;
mod processes;
mod shell;

pub use shell::main;
