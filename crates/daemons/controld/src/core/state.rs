// SPDX-License-Identifier: GPL-2.0-or-later
//! What a controller can be doing, and what can make it do something else.

use super::dc::Dc;
use messages::controller::Envelope;
use model::{ExitCode, Instant};
use std::fmt;

/// What a controller is doing, with what belongs to it then only.
pub(super) enum State {
    /// Waits for the daemons and the membership it needs.
    Starting,
    /// Waits for a DC to offer a place, or for the end of its patience.
    Pending {
        /// When to lose patience.
        dc_deadline: Instant,
        /// A DC has offered a place: losing patience means asking it again, not calling an election.
        offered: bool,
    },
    /// Votes. A DC that has to stand again keeps what it knows.
    Election {
        /// What it knows as the DC it was.
        former: Option<Box<Dc>>,
    },
    /// Follows another.
    NotDc,
    /// Leads.
    Dc(Box<Dc>),
    /// Waits for the last operations before it ends.
    Stopping,
    /// Has said that it ends.
    Terminate,
}

impl State {
    /// The name it has in logs and answers.
    pub fn name(&self) -> &'static str {
        match self {
            State::Starting => "S_STARTING",
            State::Pending { .. } => "S_PENDING",
            State::Election { .. } => "S_ELECTION",
            State::NotDc => "S_NOT_DC",
            State::Dc(dc) => dc.phase.name(),
            State::Stopping => "S_STOPPING",
            State::Terminate => "S_TERMINATE",
        }
    }

    /// The DC's side, while this node is it (which it is until it has lost an election).
    pub fn dc(&mut self) -> Option<&mut Dc> {
        match self {
            State::Dc(dc) | State::Election { former: Some(dc) } => Some(dc),
            _ => None,
        }
    }

    pub fn is_dc(&self) -> bool {
        matches!(self, State::Dc(_) | State::Election { former: Some(_) })
    }

    pub fn is_over(&self) -> bool {
        matches!(self, State::Stopping | State::Terminate)
    }
}

/// What moves a controller from one state to another.
pub(super) enum Signal {
    /// Find a DC, or wait for one.
    Pending,
    /// An election is needed.
    Election,
    /// Nobody answered in time.
    DcTimeout,
    /// This node has won an election.
    ElectionWon,
    /// This node has lost an election.
    ElectionLost,
    /// A node has come (that one, if it said so itself).
    NodeJoin(Option<String>),
    /// A DC offers a place.
    JoinOffer(Box<Envelope>),
    /// A node asks for a place.
    JoinRequest(Box<Envelope>),
    /// The DC has accepted or refused this node.
    JoinResult(Box<Envelope>),
    /// A node sends its history.
    JoinConfirm(Box<Envelope>),
    /// This node is accepted and follows.
    NotDc,
    /// All nodes have answered the offers.
    Integrated,
    /// All nodes have sent their history.
    Finalized,
    /// Calculate what to do.
    PeCalc,
    /// What to do is known.
    PeSuccess(Box<Envelope>),
    /// The transition is over, and nothing has to follow.
    TeSuccess,
    /// Ask the cluster for leave to end.
    Shutdown,
    /// End in good order.
    Stop,
    /// End now, as it makes no sense to go on.
    Error(String),
    /// End at once with this code.
    Exit(ExitCode),
}

impl Signal {
    /// The name it has in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Signal::Pending => "I_PENDING",
            Signal::Election => "I_ELECTION",
            Signal::DcTimeout => "I_DC_TIMEOUT",
            Signal::ElectionWon => "I_ELECTION_DC",
            Signal::ElectionLost => "I_RELEASE_DC",
            Signal::NodeJoin(_) => "I_NODE_JOIN",
            Signal::JoinOffer(_) => "I_JOIN_OFFER",
            Signal::JoinRequest(_) => "I_JOIN_REQUEST",
            Signal::JoinResult(_) | Signal::JoinConfirm(_) => "I_JOIN_RESULT",
            Signal::NotDc => "I_NOT_DC",
            Signal::Integrated => "I_INTEGRATED",
            Signal::Finalized => "I_FINALIZED",
            Signal::PeCalc => "I_PE_CALC",
            Signal::PeSuccess(_) => "I_PE_SUCCESS",
            Signal::TeSuccess => "I_TE_SUCCESS",
            Signal::Shutdown => "I_SHUTDOWN",
            Signal::Stop => "I_STOP",
            Signal::Error(_) => "I_ERROR",
            Signal::Exit(_) => "I_TERMINATE",
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
