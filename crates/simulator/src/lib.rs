// SPDX-License-Identifier: GPL-2.0-or-later
//! A whole cluster in virtual time: the very cores that run in the daemons, wired together without a socket, a process, a
//! file or a clock.
//!
//! Decides: when what is delivered (everything takes a fixed virtual time, ties go by sequence), what the physical world
//! does (agents, power), and what it records. Given: cores and a plan of faults. Leaves to others: every decision.
//! The same plan gives the same run, to the byte of its record.

mod erased;
pub mod machines;
mod network;
pub mod pacemaker;
pub mod world;

pub use erased::{AnyCore, AnyEffect, AnyEvent, erase};
pub use world::{Physics, World};
