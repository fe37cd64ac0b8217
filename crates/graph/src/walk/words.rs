// SPDX-License-Identifier: GPL-2.0-or-later
//! What a walker is told and says: limits, outcomes, outputs, how it ended, what should follow.

use super::ActionId;

/// How much may run at once, apart from what the graph itself says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In place of the graph's `batch-limit`: how many synapses may be under way at once. None: the graph's own.
    pub batch: Option<u32>,
    /// How many resource actions may be under way on any one node, unless [`super::Walk::limit_jobs`] says otherwise for it.
    /// None: no limit.
    pub jobs_per_node: Option<u32>,
}

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was hoped for; what waited for it may go on.
    Done,
    /// Something else; what waited for it stays where it is, unless its priority is infinite.
    Failed,
}

/// What the walker's owner is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A pseudo action was reached, and is confirmed. Nothing has to be done; some owners say so.
    Passed(ActionId),
    /// Carry this action out, and [`super::Walk::confirm`] it. Those marked `op_no_wait` are confirmed already.
    Run(ActionId),
    /// Nothing was heard of this action within its timeout and the cluster delay. It counts as failed, and the walk is
    /// aborted; record the loss if such actions are recorded.
    Lost(ActionId),
    /// Nothing is under way and nothing more can be begun. Comes once.
    Finished(Ending),
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All was done, or an abort kept the rest from being begun.
    Complete,
    /// Something was left out because of an abort, or because its node is gone.
    Stopped,
    /// Something never became due though nothing aborted the walk: the graph makes no sense.
    Terminated,
}

impl Ending {
    /// The word for the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ending::Complete => "Complete",
            Ending::Stopped => "Stopped",
            Ending::Terminated => "Terminated",
        }
    }
}

/// What should follow the walk, in ascending order of urgency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// Nothing.
    #[default]
    Done,
    /// Nothing until something changes.
    Wait,
    /// Another transition.
    Restart,
    /// The shutdown of this node.
    Shutdown,
}

impl Next {
    /// The word for the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Next::Done => "done",
            Next::Wait => "stop",
            Next::Restart => "restart",
            Next::Shutdown => "shutdown",
        }
    }
}

/// How many synapses are where, as the log says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Confirmed.
    pub completed: usize,
    /// Begun, not confirmed.
    pub pending: usize,
    /// Left out because of an abort or a lost node.
    pub skipped: usize,
    /// Not begun.
    pub incomplete: usize,
}
