// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said to and between fencers.
//!
//! Decides: the XML of requests ([`Command`]), answers ([`Reply`]), news ([`Event`]), history ([`HistoryEntry`]) and of
//! what fencers tell each other ([`QueryReply`], [`FenceNotice`]). Leaves to others: who may fence whom, and when.
//!
//! Times are in seconds here, as this language has no others.

mod command;
mod event;
mod history;
mod peer;
mod result;

pub use command::{ClientStamp, Command, Device, Fence, FencerMessageError, Level, LevelTarget, Request};
pub use event::{Event, FenceNotice, Reply, Topic, registered};
pub use history::{HistoryEntry, OpState, history_from_xml, history_to_xml};
pub use peer::{ActionLimits, FenceReply, PeerDevice, QueryReply, RemapLimits, SupportFlags};
pub use result::ActionResult;

/// The element that carries what a request or answer is about.
pub(crate) const CALLDATA: &str = "st_calldata";

/// Call options: what a sum of bits in `st_callopt` means.
pub mod options {
    /// The target itself may do it.
    pub const ALLOW_SELF_FENCING: u32 = 1 << 1;
    /// A human says the target is off.
    pub const MANUAL_ACK: u32 = 1 << 3;
    /// No reply.
    pub const DISCARD_REPLY: u32 = 1 << 4;
    /// A fencing topology applies (between fencers).
    pub const TOPOLOGY: u32 = 1 << 6;
    /// The target is a node's number.
    pub const TARGET_IS_NODE_ID: u32 = 1 << 9;
    /// The reply is the response, not an event.
    pub const SYNC: u32 = 1 << 12;
    /// Tell when the timeout turns out to be another.
    pub const TIMEOUT_UPDATES: u32 = 1 << 13;
    /// History: erase it.
    pub const CLEANUP: u32 = 1 << 19;
    /// History: of (or on) all nodes.
    pub const BROADCAST: u32 = 1 << 20;
}

/// The agent and id of the implicit device that is a node's own watchdog.
pub const WATCHDOG_ID: &str = "watchdog";

/// Whether an action changes whether a node runs.
pub fn is_fencing_action(action: &str) -> bool {
    matches!(action, "off" | "reboot" | "on")
}
