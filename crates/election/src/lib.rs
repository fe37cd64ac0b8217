// SPDX-License-Identifier: GPL-2.0-or-later
//! Who of several equal daemons leads: votes, their comparison, and who has won.
//!
//! Decides: which of two nodes is the better leader, when an election is won or lost, what is said to the others.
//! Given: votes of others, who is an active peer, moments. Leaves to others: what a leader does (`controld`'s DC,
//! `attrd`'s writer), when an election is needed, how messages travel. Pure: drained with [`Election::poll`], its only
//! timer is [`Election::next_timeout`].
//!
//! The rules are Pacemaker's, as all nodes of a mixed cluster must come to the same end: the lower feature set wins
//! (so that nobody has to understand a DC newer than itself), then the process that has worked longer, then the name
//! that comes first.

mod vote;

pub use vote::{Vote, VoteError, VoteKind};

use messages::controller::{Envelope, References};
use messages::core::{ClusterNode, Level};
use model::{FeatureSet, Instant, Now};
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for votes if nothing else is configured (`election-timeout`).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// Within this time after a loss, a won comparison does not start another election: who won will win again.
const LOSS_DAMPENING: Duration = Duration::from_secs(2);
/// The processor time in votes is read once in this time, so that it does not change within a round.
const AGE_CACHE: Duration = Duration::from_secs(2);
/// Won comparisons are counted over this time to notice elections that never end.
const STORM_INTERVAL: Duration = Duration::from_secs(2);

/// How this node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No election yet.
    Idle,
    /// This node would be better than one that voted: its owner should call [`Election::start`].
    Challenged,
    /// This node has voted and waits for the others.
    InProgress,
    /// This node leads.
    Won,
    /// Another leads, or will.
    Lost,
}

/// What the election wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Say this to all (this node included), stamped with nothing: the receiver stamps `src`.
    Broadcast(Envelope),
    /// Say this to one node.
    Send {
        /// By name.
        to: Arc<str>,
        /// What.
        message: Envelope,
    },
    /// A worse node has voted: call [`Election::start`], when the owner is ready to stand.
    Challenged,
    /// This node has won.
    Won,
    /// This node has lost against that one.
    Lost {
        /// To whom.
        to: Arc<str>,
    },
    /// For the log.
    Log {
        /// How important.
        level: Level,
        /// What.
        text: String,
    },
}

/// The state of one series of elections on one node.
#[derive(Clone, Debug)]
pub struct Election {
    system: String,
    local: ClusterNode,
    feature_set: FeatureSet,
    timeout: Duration,
    /// Active peers by name in lower case, this node among them when it is one.
    members: BTreeMap<String, ClusterNode>,
    round: u64,
    standing: Standing,
    votes: BTreeMap<String, VoteKind>,
    deadline: Option<Instant>,
    last_loss: Option<Instant>,
    age: Option<(Instant, Duration)>,
    wins: usize,
    wins_until: Option<Instant>,
    references: References,
    outputs: VecDeque<Output>,
}

impl Election {
    /// An election among the daemons that talk as `system` (`crmd`, `attrd`).
    pub fn new(system: &str, local: ClusterNode, feature_set: FeatureSet) -> Election {
        Election {
            system: system.to_owned(),
            local,
            feature_set,
            timeout: DEFAULT_TIMEOUT,
            members: BTreeMap::new(),
            round: 0,
            standing: Standing::Idle,
            votes: BTreeMap::new(),
            deadline: None,
            last_loss: None,
            age: None,
            wins: 0,
            wins_until: None,
            references: References::default(),
            outputs: VecDeque::new(),
        }
    }

    /// How this node stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Sets how long to wait for votes; for rounds to come.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Sets who is an active peer now (this node included, if it is). Votes of others are forgotten; when everybody
    /// left has voted, the election is won.
    pub fn set_members<'a>(&mut self, members: impl IntoIterator<Item = &'a ClusterNode>) {
        self.members =
            members.into_iter().map(|node| (node.name.to_ascii_lowercase(), node.clone())).collect();
        let members = &self.members;
        self.votes.retain(|name, _| members.contains_key(name));
        self.count();
    }

    /// Lets the next won comparison start an election even shortly after a loss: the node that won is gone.
    pub fn clear_dampening(&mut self) {
        self.last_loss = None;
    }

    /// Stands for election: votes for itself. Nothing happens as long as this node is not an active peer.
    pub fn start(&mut self, now: Now) {
        if !self.is_member(&self.local.name) {
            self.log(Level::Debug, "Cannot vote yet: local node not connected to cluster".into());
            return;
        }
        self.votes.clear();
        self.standing = Standing::InProgress;
        self.round += 1;
        self.deadline = Some(now.instant + self.timeout);
        let age = self.own_age(now);
        let reference = self.references.next("vote", &self.system, now.wall);
        let vote = Envelope::request("vote", reference, &self.system, &self.system)
            .with_extra("election-owner", self.local.id)
            .with_extra("election-id", self.round)
            .with_extra("election-age-sec", age.as_secs())
            // Named after nanoseconds, but microseconds in every version.
            .with_extra("election-age-nano-sec", age.subsec_micros());
        self.log(Level::Debug, format!("Started election round {}", self.round));
        self.outputs.push_back(Output::Broadcast(vote));
    }

    /// Forgets votes and stops waiting; how this node stands stays.
    pub fn stop(&mut self) {
        self.votes.clear();
        self.deadline = None;
        if matches!(self.standing, Standing::InProgress | Standing::Challenged) {
            self.standing = Standing::Idle;
        }
    }

    /// Takes in a `vote` or `no-vote` of `from` (as the cluster layer knows the sender). `can_win`: this node may lead.
    /// Returns how this node stands afterwards.
    pub fn on_message(&mut self, now: Now, from: &str, message: &Envelope, can_win: bool) -> Standing {
        match Vote::read(message) {
            Ok(vote) => self.on_vote(now, from, &vote, can_win),
            Err(error) => {
                self.log(Level::Warning, format!("Invalid {} message from {from}: {error}", message.task));
            }
        }
        self.standing
    }

    /// To be called at [`Election::next_timeout`]: who has not lost by then has won.
    pub fn tick(&mut self, now: Now) {
        if self.deadline.is_some_and(|deadline| deadline <= now.instant) {
            self.log(
                Level::Info,
                format!("Declaring local node as winner after election round {} timed out", self.round),
            );
            self.win();
        }
    }

    /// When [`Election::tick`] is wanted.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The next thing to be done.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn on_vote(&mut self, now: Now, from: &str, vote: &Vote, can_win: bool) {
        let ours = vote.owner == self.local.id.to_string();
        let better = if !can_win {
            Err("Not eligible")
        } else if !self.is_member(&self.local.name) {
            Err("We are not part of the cluster")
        } else if ours && vote.round != self.round {
            return self.log_counted(vote, from, "Superseded");
        } else if !self.is_member(from) {
            return self.log_counted(vote, from, "Peer is not part of our cluster");
        } else if vote.age.is_none() || from.eq_ignore_ascii_case(&self.local.name) {
            return self.record(vote, from, ours);
        } else {
            self.compare(now, from, vote)
        };
        if let Ok(reason) = better {
            self.watch_for_storm(now);
            if self.loss_is_old(now) {
                self.pass(vote, from, reason);
                return;
            }
            self.log(
                Level::Info,
                format!(
                    "Ignoring election round {} (started by node ID {}) pass vs {from} because we lost less than {}s ago",
                    vote.round, vote.owner, LOSS_DAMPENING.as_secs()
                ),
            );
        }
        let reason = better.unwrap_or_else(|reason| reason);
        self.lose(now, vote, from, reason);
    }

    /// Whether this node is better (`Ok`) or worse (`Err`) than the voter, and in what.
    fn compare(&mut self, now: Now, from: &str, vote: &Vote) -> Result<&'static str, &'static str> {
        let better = |is_better, reason| if is_better { Ok(reason) } else { Err(reason) };
        match self.feature_set.cmp(&vote.version) {
            Ordering::Equal => {}
            order => return better(order == Ordering::Less, "Version"),
        }
        match self.own_age(now).cmp(&vote.age.unwrap_or_default()) {
            Ordering::Equal => {}
            order => return better(order == Ordering::Greater, "Uptime"),
        }
        let own_name = self.local.name.to_ascii_lowercase();
        better(own_name <= from.to_ascii_lowercase(), "Host name")
    }

    fn record(&mut self, vote: &Vote, from: &str, ours: bool) {
        if !ours {
            let (round, owner) = (vote.round, &vote.owner);
            let text = format!(
                "Cannot count election round {round} {} from {from} because we did not start election (node ID {owner} did)",
                vote.kind
            );
            self.log(Level::Warning, text);
            return;
        }
        if self.standing != Standing::InProgress {
            return self.log_counted(vote, from, "No election in progress");
        }
        self.votes.insert(from.to_ascii_lowercase(), vote.kind);
        self.log_counted(vote, from, "Recorded");
        self.count();
    }

    /// Wins when everybody has voted.
    fn count(&mut self) {
        let everybody = !self.members.is_empty() && self.votes.len() >= self.members.len();
        if self.standing == Standing::InProgress && everybody {
            self.log(Level::Info, "Election won by local node".into());
            self.win();
        }
    }

    fn win(&mut self) {
        self.votes.clear();
        self.deadline = None;
        self.standing = Standing::Won;
        self.outputs.push_back(Output::Won);
    }

    fn pass(&mut self, vote: &Vote, from: &str, reason: &str) {
        let (round, owner) = (vote.round, &vote.owner);
        let text = format!(
            "Election round {round} (started by node ID {owner}) pass: {} from {from} ({reason})",
            vote.kind
        );
        self.log(Level::Info, text);
        self.last_loss = None;
        self.deadline = None;
        self.standing = Standing::Challenged;
        self.outputs.push_back(Output::Challenged);
    }

    fn lose(&mut self, now: Now, vote: &Vote, from: &str, reason: &str) {
        let (round, owner) = (vote.round, &vote.owner);
        let text = format!(
            "Election round {round} (started by node ID {owner}) lost: {} from {from} ({reason})",
            vote.kind
        );
        self.log(Level::Info, text);
        self.last_loss = Some(now.instant);
        self.votes.clear();
        self.deadline = None;
        self.standing = Standing::Lost;
        let reference = self.references.next("no-vote", &self.system, now.wall);
        let answer = Envelope::request("no-vote", reference, &self.system, &self.system)
            .to_host(from)
            .with_extra("election-owner", &vote.owner)
            .with_extra("election-id", vote.round);
        let to: Arc<str> = Arc::from(from);
        self.outputs.push_back(Output::Send { to: Arc::clone(&to), message: answer });
        self.outputs.push_back(Output::Lost { to });
    }

    fn loss_is_old(&self, now: Now) -> bool {
        self.last_loss.is_none_or(|loss| now.instant.since(loss) > LOSS_DAMPENING)
    }

    fn watch_for_storm(&mut self, now: Now) {
        if self.wins_until.is_none_or(|until| until < now.instant) {
            self.wins = 0;
            self.wins_until = Some(now.instant + STORM_INTERVAL);
            return;
        }
        self.wins += 1;
        // Everybody voting down everybody else is legitimate.
        let peers = self.members.len() + 1;
        if self.wins > peers * peers {
            let (wins, seconds) = (self.wins, STORM_INTERVAL.as_secs());
            self.log(Level::Warning, format!("Election storm detected: {wins} wins in {seconds} seconds"));
            self.wins = 0;
        }
    }

    fn own_age(&mut self, now: Now) -> Duration {
        match self.age {
            Some((read, age)) if now.instant.since(read) <= AGE_CACHE => age,
            _ => {
                // As fine as a vote can say it: with more, equals would each think themselves older, for ever.
                let micros = u64::try_from(now.cpu.as_micros()).unwrap_or(u64::MAX);
                let age = Duration::from_micros(micros);
                self.age = Some((now.instant, age));
                age
            }
        }
    }

    fn is_member(&self, name: &str) -> bool {
        self.members.contains_key(&name.to_ascii_lowercase())
    }

    fn log_counted(&mut self, vote: &Vote, from: &str, reason: &str) {
        let text = format!(
            "Processed election round {} {} (current round {}) from {from} ({reason})",
            vote.round, vote.kind, self.round
        );
        self.log(Level::Debug, text);
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }
}
