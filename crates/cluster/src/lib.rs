// SPDX-License-Identifier: GPL-2.0-or-later
//! Who is in the cluster, in which order things are said, and whether there is quorum: one trait, several engines.
//!
//! Decides: what a daemon sees of the cluster layer, whatever it is. Given: an address, a group, this node's name.
//! Leaves to others: what is said (the daemons), and group communication between machines (Corosync).
//!
//! An engine promises what Corosync's closed process groups do: what is said in a group reaches all who are in it in
//! one order, the sender too; a change of who is there has the same place in that order for all; each side of a
//! partition goes on with an order of its own.

mod engine;
pub mod local;

pub use engine::{Address, AddressError, Cluster, ClusterEvent, JoinError, Pending, SendError, join};
