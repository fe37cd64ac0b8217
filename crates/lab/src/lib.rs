// SPDX-License-Identifier: GPL-2.0-or-later
//! Real clusters on this machine: real daemons, real agents, a real power switch, as an ordinary user.
//!
//! Decides: where a lab cluster lives on disk, which processes belong to which of its nodes, and how a node loses its
//! power. Given: the folder and the names. Leaves to others: everything the cluster itself decides; the lab only does
//! to it what the world does, and watches from outside.
//!
//! A node here is a set of processes that carry a mark in their environment; to power it off is to kill them all. They
//! share the machine but nothing else: each node has its own state folder and its own IPC names, and talks to the others
//! through the hub of the `local` engine.

pub mod cluster;
pub mod demo;
pub mod journal;
pub mod layout;
pub mod machine;
pub mod scenario;
pub mod service;
pub mod switch;
pub mod trace;
