// SPDX-License-Identifier: GPL-2.0-or-later
//! The local engine: several nodes of one machine, whose daemons meet at a hub.
//!
//! The hub ([`Hub`], or the program `systole local-hub`) is what Corosync is elsewhere. Nodes are told to it beforehand;
//! a node's id is its place in that list, from 1. A node is a member as long as any of its daemons is connected, and
//! lost with its last connection, so a node whose processes were all killed is lost; or when its connections are cut by
//! [`Hub::kill`]. Then it may come back at once; after [`Hub::down`], not before [`Hub::up`]. [`Hub::cut`] makes sides
//! that do not see each other, each with an order, a membership and a quorum of its own.
//!
//! What decides is in [`order`], without any I/O; around it are sockets.

mod control;
mod frame;
mod hub;
mod link;
pub mod order;
mod program;

pub use hub::{Hub, HubError, HubOptions};
pub use link::Link;
pub use program::main;
