// SPDX-License-Identifier: GPL-2.0-or-later
//! Scores as they are shown by `crm_simulate -s`.
//!
//! Decides: their text. Given: what a stage recorded. Leaves to others: when to show them.

use model::{Interval, Score};
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
    /// What a resource takes of the node it was placed on (`crm_simulate -U`).
    Utilization {
        /// Whose.
        resource: Arc<str>,
        /// Where.
        node: Arc<str>,
        /// Names and amounts.
        amounts: Vec<(Arc<str>, Arc<str>)>,
    },
    /// An operation was run with other parameters than are configured now, but no more differs than secrets can that were
    /// blanked in this CIB.
    SecretsDiffer {
        /// The operation: its name as it is looked for, and how often it runs.
        task: Box<str>,
        /// See `task`.
        interval: Interval,
        /// Whose.
        resource: Arc<str>,
        /// Where.
        node: Arc<str>,
        /// Its transition magic, by which it is found in the history.
        magic: Box<str>,
    },
}

/// Who places resources, as utilization is shown.
pub const UTILIZATION_BY: &str = "pcmk__assign_resource";

fn write_amounts(f: &mut fmt::Formatter<'_>, amounts: &[(Arc<str>, Arc<str>)]) -> fmt::Result {
    amounts.iter().try_for_each(|(name, amount)| write!(f, " {name}={amount}"))
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
                write_amounts(f, capacity)
            }
            ScoreLine::Utilization { resource, node, amounts } => {
                write!(f, "{UTILIZATION_BY}: {resource} utilization on {node}:")?;
                write_amounts(f, amounts)
            }
            ScoreLine::SecretsDiffer { task, interval, resource, node, magic } => write!(
                f,
                "Only 'private' parameters to {}-interval {task} for {resource} on {node} changed: {magic}",
                interval.readable()
            ),
        }
    }
}
