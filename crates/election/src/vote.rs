// SPDX-License-Identifier: GPL-2.0-or-later
//! One vote, read from a message.

use messages::controller::Envelope;
use model::FeatureSet;
use std::fmt;
use std::time::Duration;

/// For oneself, or for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoteKind {
    /// `vote`: the sender stands.
    Vote,
    /// `no-vote`: the sender agrees that the owner wins.
    NoVote,
}

impl fmt::Display for VoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            VoteKind::Vote => "vote",
            VoteKind::NoVote => "no-vote",
        })
    }
}

/// What a message says about an election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Stands or agrees.
    pub kind: VoteKind,
    /// The id of the node that started the round.
    pub owner: String,
    /// The owner's counter of rounds.
    pub round: u64,
    /// The sender's feature set.
    pub version: FeatureSet,
    /// Processor time of the sender; votes have it, no-votes do not.
    pub age: Option<Duration>,
}

/// The message is no vote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoteError {
    /// Neither vote nor no-vote.
    #[error("'{0}' is not a known election op (expected vote or no-vote)")]
    UnknownTask(String),
    /// Something required is missing, or no number where it must be one.
    #[error("'{0}' is missing or invalid")]
    Invalid(&'static str),
}

impl Vote {
    /// From a message in the general form.
    pub fn read(message: &Envelope) -> Result<Vote, VoteError> {
        let number = |name| {
            let value = message.extra(name).and_then(|text| text.parse::<u64>().ok());
            value.ok_or(VoteError::Invalid(name))
        };
        let (kind, age) = match message.task.as_str() {
            "vote" => {
                let (secs, micros) = (number("election-age-sec")?, number("election-age-nano-sec")?);
                let age = Duration::from_secs(secs).saturating_add(Duration::from_micros(micros));
                (VoteKind::Vote, Some(age))
            }
            "no-vote" => (VoteKind::NoVote, None),
            other => return Err(VoteError::UnknownTask(other.to_owned())),
        };
        let owner = message.extra("election-owner").ok_or(VoteError::Invalid("election-owner"))?;
        let version = message.version.as_deref().and_then(|text| text.parse().ok());
        Ok(Vote {
            kind,
            owner: owner.to_owned(),
            round: number("election-id")?,
            version: version.ok_or(VoteError::Invalid("version"))?,
            age,
        })
    }
}
