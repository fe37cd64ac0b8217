// SPDX-License-Identifier: GPL-2.0-or-later
//! The transition graph: what is to be done, and what has to be done before what.
//!
//! Decides: what a graph is, its XML form (what the scheduler sends and the controller reads) and its dot form. Given:
//! what the scheduler planned, or XML. Leaves to others: why anything is in it (scheduler), doing it (controller).

mod dot;
mod transition;
pub mod walk;
mod xml_form;

pub use dot::Dot;
pub use transition::{
    Action, ActionKind, GraphOptions, GraphResource, Input, NodeRef, Synapse, TransitionGraph,
};
pub use xml_form::GraphError;
