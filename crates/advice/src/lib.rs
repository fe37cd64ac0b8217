// SPDX-License-Identifier: GPL-2.0-or-later
//! What an operator wants to know of a configuration before, while or after it does something to the cluster: why a
//! resource is where it is and what would move it ([`mod@explain`]), what a change would do ([`plan`]), what is dangerous or
//! doubtful ([`lint`]).
//!
//! Decides: what is said, and that it is true: it is found by asking the scheduler itself, again where need be. Given: CIBs
//! and the time. Leaves to others: where the CIBs come from, and how what is said is shown. No I/O, no clock, no chance.

mod edit;
pub mod explain;
pub mod lint;
pub mod plan;
