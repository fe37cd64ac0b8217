// SPDX-License-Identifier: GPL-2.0-or-later
//! Local connections between daemons and tools: libqb's socket transport and Pacemaker's framing, server and client.
//!
//! Decides: how bytes become messages and back, in both of Pacemaker's dialects; who may connect and who is believed;
//! how much a stranger may make us hold. Given: names, options, trees. Leaves to others: what messages mean (`messages`)
//! and what is done about them (the daemons' cores).
//!
//! No `unsafe`: the control file that both ends share is read and written, not mapped, so that a peer who truncates it
//! cannot end us. Its counters of messages on the way are left alone: they are hints for C servers, which work without,
//! and counting them right needs shared memory.

mod address;
pub mod blocking;
mod client;
mod datagram;
mod error;
mod frame;
mod options;
mod server;
mod trust;
mod wire;

pub use client::{Client, ClientEvent, probe};
pub use error::{ConnectError, ListenError, RequestError};
pub use frame::{Dialect, FrameError, MESSAGE_BYTES_MAX};
pub use options::{ClientOptions, ServerOptions};
pub use server::{Server, ServerEvent};
