// SPDX-License-Identifier: GPL-2.0-or-later
//! What daemons, nodes and tools say to each other, typed, to and from the XML of the wire; and what every daemon core
//! is told and answers.
//!
//! Decides: which attributes and children a message has, which are required, what a missing one means. Given: trees.
//! Leaves to others: how messages travel (`ipc`, `cluster`) and what is done about them (the cores). No I/O, no clock.
//!
//! A module per language: [`controller`] is the general form of requests that controllers, schedulers and pacemakerd
//! speak; the others are named after the daemon that serves them. [`core`] is no wire format but the frame all daemon
//! cores fit into.

pub mod attrd;
pub mod cib;
pub mod controller;
pub mod core;
pub mod execd;
pub mod fencer;
pub mod ids;
pub mod pacemakerd;
