// SPDX-License-Identifier: GPL-2.0-or-later
//! Kinds of orderings, as bits: one ordering may be of several kinds.
//!
//! Decides: their names. Leaves to others: what they do (`stage::order`), where they come from.

/// Never mattered, or turned out not to.
pub const NONE: u32 = 0;
/// If both are done, first is done first.
pub const ORDERED: u32 = 1;
/// Matters only if first cannot be part of a migration.
pub const IF_FIRST_UNMIGRATABLE: u32 = 1 << 1;
/// If then is required, first is.
pub const THEN_IMPLIES_FIRST: u32 = 1 << 4;
/// If first is required, then is.
pub const FIRST_IMPLIES_THEN: u32 = 1 << 5;
/// If then is required and its resource is promoted, first is required.
pub const PROMOTED_THEN_IMPLIES_FIRST: u32 = 1 << 6;
/// First is runnable only if then is runnable and can be part of a migration.
pub const UNMIGRATABLE_THEN_BLOCKS: u32 = 1 << 7;
/// Then is runnable only if first is.
pub const UNRUNNABLE_FIRST_BLOCKS: u32 = 1 << 8;
/// If first is not runnable, then is done for real.
pub const FIRST_ELSE_THEN: u32 = 1 << 9;
/// If first is required, then is on first's node.
pub const FIRST_IMPLIES_SAME_NODE_THEN: u32 = 1 << 10;
/// If then is required, first (a stop) is, as part of a restart.
pub const INTERMEDIATE_STOP: u32 = 1 << 12;
/// Then is a probe through a connection into a container that first starts.
pub const NESTED_REMOTE_PROBE: u32 = 1 << 11;
/// Not both at once.
pub const SERIALIZE: u32 = 1 << 14;
/// Matters only if both are on one node.
pub const IF_ON_SAME_NODE: u32 = 1 << 15;
/// If then is required, first is in the graph even if optional.
pub const THEN_IMPLIES_FIRST_GRAPHED: u32 = 1 << 16;
/// If first is required and runnable, then is in the graph even if optional.
pub const FIRST_IMPLIES_THEN_GRAPHED: u32 = 1 << 17;
/// Holds one way only: the reverse actions are not ordered.
pub const ASYMMETRIC: u32 = 1 << 20;
/// Matters only if both are on one node, or then's migration goes to first's node.
pub const IF_ON_SAME_NODE_OR_TARGET: u32 = 1 << 21;
/// Then is runnable if enough of its firsts are.
pub const MIN_RUNNABLE: u32 = 1 << 22;
/// Matters only if both are on one node and first is required.
pub const IF_REQUIRED_ON_SAME_NODE: u32 = 1 << 23;
/// Allowed even if then's resource makes the guest node first is on.
pub const GUEST_ALLOWED: u32 = 1 << 24;
/// If then is required, first is not.
pub const THEN_CANCELS_FIRST: u32 = 1 << 25;
