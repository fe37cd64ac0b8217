// SPDX-License-Identifier: GPL-2.0-or-later
//! The attribute manager: keeps node attributes that live as long as their node is up (fail counts, what agents report
//! about the node's surroundings), the same on all nodes, and has one node write them to the CIB.
//!
//! Everything it decides is in [`core`]; the rest runs that.

pub mod core;
mod shell;

pub use shell::main;
