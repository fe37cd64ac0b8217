// SPDX-License-Identifier: GPL-2.0-or-later
//! The fencer: knows the fence devices, and sees together with the fencers of other nodes that a node is off.
//!
//! Decides: which devices this node may use, which node uses which device against a target and in which order, when an
//! operation has succeeded or failed, who is told ([`core`]). Given: the CIB's fence devices and topology, requests of
//! clients (the controller above all), the membership. Leaves to others: whom to fence (the scheduler), how to run a
//! program (`agents`).

pub mod core;
mod shell;

pub use shell::main;
