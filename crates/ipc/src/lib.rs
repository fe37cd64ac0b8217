//! Local connections between daemons and tools: libqb's socket transport and Pacemaker's framing, server and client.
//!
//! Decides: how bytes become messages and back, in both of Pacemaker's dialects; who may connect and who is believed;
//! how much a stranger may make us hold. Given: names, options, trees. Leaves to others: what messages mean (`messages`)
//! and what is done about them (the daemons' cores).
//!
//! No `unsafe`: the shared control file is read and written, not mapped, so a peer that truncates it cannot end us
//! (see [`control`](self) in the source for why its counters are not kept).
// SPDX-License-Identifier: GPL-2.0-or-later

pub mod blocking;
mod client;
mod error;
mod frame;
mod options;

pub use client::{Client, ClientEvent};
pub use error::{ConnectError, ListenError, RequestError};
pub use frame::{Dialect, FrameError, MESSAGE_BYTES_MAX};
pub use options::{ClientOptions, ServerOptions};
