// SPDX-License-Identifier: GPL-2.0-or-later
//! Why an action is to be done, or cannot be.
//!
//! Decides: the causes there are, and their words, which administrators know from `crm_simulate`'s "due to". Given: what
//! a stage found. Leaves to others: showing them.

use std::fmt;
use std::sync::Arc;

/// A cause. Resources are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Why a node is fenced (or unfenced).
    Fencing(FenceReason),
    /// The partition has no quorum.
    NoQuorum,
    /// The partition has no quorum and `no-quorum-policy=freeze`.
    QuorumFreeze,
    /// No node may run it.
    NodeAvailability,
    /// It runs more often than it should.
    MultiplyActive,
    /// Its definition changed.
    DefinitionChange,
    /// It has to be with a resource that cannot be where it would have to be.
    Colocation {
        /// That resource.
        with: Arc<str>,
    },
    /// Another action it is ordered with lost something, and so it did too.
    Ordering {
        /// What was lost.
        loss: Loss,
        /// The other action's resource; none of fencing and the like.
        resource: Option<Arc<str>>,
        /// The other action's task.
        task: Arc<str>,
    },
}

/// What an action can lose through another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// It need not have been done: now it must.
    Optional,
    /// It could have been done: now it cannot.
    Runnable,
    /// It could have been part of a migration: now it cannot.
    Migratable,
}

impl Loss {
    /// What is said of an action that lost it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Loss::Optional => "required",
            Loss::Runnable => "unrunnable",
            Loss::Migratable => "unmigrateable",
        }
    }
}

/// Why a node is fenced or unfenced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FenceReason {
    /// Nobody has seen it.
    NotSeen,
    /// It was turned away.
    Refused,
    /// Somebody asked for it.
    Requested,
    /// It took too long to join.
    PendingTooLong,
    /// It is no longer a member.
    Lost,
    /// Its controller is gone.
    ProcessLost,
    /// It went without leaving.
    UnexpectedlyDown,
    /// Its join state is none that is known.
    UnknownState,
    /// `no-quorum-policy=fence`.
    NoQuorum,
    /// It was unclean already.
    Unclean,
    /// A resource there has to be stopped, which cannot be done.
    StopUnrunnable,
    /// A resource may still run there.
    ThoughtActive(Arc<str>),
    /// A resource may still run there, behind a connection that is to be made again.
    ActiveBehindConnection(Arc<str>),
    /// The connection to it is lost for good.
    ConnectionUnrecoverable,
    /// The connection to it is lost for good, so that nothing can be found out about it.
    ConnectionLost,
    /// Resources run there, and the connection to it is lost for good.
    ActiveUnreachable,
    /// It is not known what runs there, and the connection to it is lost for good.
    UnknownUnreachable,
    /// Its container failed.
    ContainerFailed,
    /// It is a guest that was unclean already.
    GuestUnclean,
    /// A resource failed there with `on-fail=fence`, or could not be stopped.
    ResourceFailed(Arc<str>),
    /// A ticket with `loss-policy=fence` was lost.
    TicketLost,
    /// Unfencing: another agent is configured.
    DeviceDefinitionChanged,
    /// Unfencing: the device's parameters changed; how that was found, if not by its start.
    DeviceParametersChanged(Option<&'static str>),
    /// Unfencing: an action of a resource needs it.
    RequiredBy {
        /// The resource.
        resource: Arc<str>,
        /// The action.
        task: Arc<str>,
    },
}

impl From<FenceReason> for Reason {
    fn from(reason: FenceReason) -> Reason {
        Reason::Fencing(reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Fencing(reason) => reason.fmt(f),
            Reason::NoQuorum => f.write_str("no quorum"),
            Reason::QuorumFreeze => f.write_str("quorum freeze"),
            Reason::NodeAvailability => f.write_str("node availability"),
            Reason::MultiplyActive => f.write_str("being multiply active"),
            Reason::DefinitionChange => f.write_str("resource definition change"),
            Reason::Colocation { with } => write!(f, "colocation with {with}"),
            Reason::Ordering { loss, resource: Some(resource), task } => {
                write!(f, "{} {resource} {task}", loss.as_str())
            }
            Reason::Ordering { loss, resource: None, task } => write!(f, "{} {task}", loss.as_str()),
        }
    }
}

impl fmt::Display for FenceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FenceReason::NotSeen => "peer has not been seen by the cluster",
            FenceReason::Refused => "peer failed Pacemaker membership criteria",
            FenceReason::Requested => "fencing was requested",
            FenceReason::PendingTooLong => "peer pending timed out on joining the process group",
            FenceReason::Lost => "peer is no longer part of the cluster",
            FenceReason::ProcessLost => "peer process is no longer available",
            FenceReason::UnexpectedlyDown => "peer is unexpectedly down",
            FenceReason::UnknownState => "peer was in an unknown state",
            FenceReason::NoQuorum => "cluster does not have quorum",
            FenceReason::Unclean => "node is unclean",
            FenceReason::StopUnrunnable => "stop is unrunnable",
            FenceReason::ThoughtActive(resource) => {
                return write!(f, "{resource} is thought to be active there");
            }
            FenceReason::ActiveBehindConnection(resource) => {
                return write!(
                    f,
                    "{resource} is active there (fencing will be revoked if remote connection can be re-established \
                     elsewhere)"
                );
            }
            FenceReason::ConnectionUnrecoverable => "remote connection is unrecoverable",
            FenceReason::ConnectionLost => "the connection is unrecoverable",
            FenceReason::ActiveUnreachable => "resources are active but connection is unrecoverable",
            FenceReason::UnknownUnreachable => {
                "resources are in unknown state and connection is unrecoverable"
            }
            FenceReason::ContainerFailed => "container failed",
            FenceReason::GuestUnclean => "guest is unclean",
            FenceReason::ResourceFailed(resource) => return write!(f, "{resource} failed there"),
            FenceReason::TicketLost => "deadman ticket was lost",
            FenceReason::DeviceDefinitionChanged => "Device definition changed",
            FenceReason::DeviceParametersChanged(None) => "Device parameters changed",
            FenceReason::DeviceParametersChanged(Some(how)) => {
                return write!(f, "Device parameters changed ({how})");
            }
            FenceReason::RequiredBy { resource, task } => {
                return write!(f, "required by {resource} {task}");
            }
        })
    }
}
