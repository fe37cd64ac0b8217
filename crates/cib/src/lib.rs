// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB as data: operations on it, its versions, patches between two of them, and its form on disk.
//!
//! Decides: what an operation makes of a CIB, which operations are refused and why, how two CIBs differ, what may be
//! trusted on disk. Given: trees, requests, and the moment and origin of a change. Leaves to others: who may ask (the
//! daemon), what a change means for the cluster (everybody else). Pure, but for [`store`], which reads and writes files.
//!
//! Every node of a cluster executes every change by itself, and all must come to the same bytes. So the rules here are
//! Pacemaker's, to the bit: which element an operation finds, where new attributes and elements go, what counts as a
//! change of configuration (and raises `epoch`) and what does not.

pub mod acl;
mod change;
mod depth;
mod empty;
mod operation;
pub mod patch;
mod path;
mod perform;
mod refusal;
mod request;
pub mod schema;
mod section;
pub mod store;
mod time;
pub mod upgrade;
mod version;

pub use empty::{empty, newest_schema};
pub use operation::{CallOptions, Operation};
pub use perform::{Context, Outcome, perform, query};
pub use refusal::Refusal;
pub use request::{Origin, Request};
pub use section::{find_section, section_names, section_path};
pub use time::last_written;
pub use version::Version;
