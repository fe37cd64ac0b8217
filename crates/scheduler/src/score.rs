// SPDX-License-Identifier: GPL-2.0-or-later
//! Scores as they are shown by `crm_simulate -s`.
//!
//! Decides: their text. Given: what a stage recorded. Leaves to others: when to show them.

use model::Score;
use std::fmt;
use std::sync::Arc;

/// One score of one resource on one node, and who decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScoreLine {
    /// How much a resource wants a node.
    Allocation {
        /// Who recorded it: `pcmk__primitive_assign`, `pcmk__group_assign`, …
        by: &'static str,
        /// Whose.
        resource: Arc<str>,
        /// Where.
        node: Arc<str>,
        /// How much.
        score: Score,
    },
    /// How much an instance wants to be promoted.
    Promotion {
        /// Whose.
        resource: Arc<str>,
        /// Where it shall run, if anywhere.
        node: Option<Arc<str>>,
        /// How much.
        score: Score,
    },
    /// What a node has left (`crm_simulate -U`).
    Capacity {
        /// What is said before the node's name: `Original`, `Remaining`, …
        comment: Arc<str>,
        /// Where.
        node: Arc<str>,
        /// Names and amounts.
        capacity: Vec<(Arc<str>, Arc<str>)>,
    },
}

impl fmt::Display for ScoreLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScoreLine::Allocation { by, resource, node, score } => {
                write!(f, "{by}: {resource} allocation score on {node}: {score}")
            }
            ScoreLine::Promotion { resource, node: None, score } => {
                write!(f, "{resource} promotion score (inactive): {score}")
            }
            ScoreLine::Promotion { resource, node: Some(node), score } => {
                write!(f, "{resource} promotion score on {node}: {score}")
            }
            ScoreLine::Capacity { comment, node, capacity } => {
                write!(f, "{comment}: {node} capacity:")?;
                capacity.iter().try_for_each(|(name, amount)| write!(f, " {name}={amount}"))
            }
        }
    }
}
