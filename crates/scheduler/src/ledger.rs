// SPDX-License-Identifier: GPL-2.0-or-later
//! The account of scores: what each resource thinks of each node, term by term, with what gave each term.
//!
//! Decides: how terms are kept, and that they add up. Given: the places where scores change say what they did and why.
//! Leaves to others: every decision; nothing here changes one. An account is kept only if it was asked for
//! ([`crate::unpack_with_reasons`]); else every call here is one comparison.
//!
//! Terms are kept as lists that share their beginnings, so that a trial placement that is taken back costs no copy, and
//! the state at every moment a score was shown can be kept.

use crate::constraint::ColocationId;
use crate::{Cluster, NodeId, ResourceId};
use model::{Role, Score};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What gave a score. Resources that something is about are named by their place in [`Cluster::resources`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What everything starts from: nothing, or minus infinity on a node that cannot run anything.
    Node,
    /// A location constraint (or its rule).
    Location {
        /// The constraint.
        id: Arc<str>,
        /// Its rule, if it has one.
        rule: Option<Arc<str>>,
    },
    /// The node's health, by this strategy.
    Health {
        /// `node-health-strategy`.
        strategy: Arc<str>,
    },
    /// It may only be where a constraint with `resource-discovery=exclusive` names the node.
    Discovery,
    /// It would rather stay where it is.
    Stickiness,
    /// It (or what is in it) failed too often.
    FailCount {
        /// What failed.
        of: ResourceId,
        /// How often.
        count: i32,
        /// `migration-threshold`.
        threshold: i32,
    },
    /// One failure that is enough.
    Failure {
        /// What failed.
        of: ResourceId,
        /// Which operation.
        task: Arc<str>,
        /// Its result.
        rc: i32,
        /// What that means.
        kind: FailureKind,
    },
    /// It failed there, and the operation's `on-fail` does not let it stay.
    FailedThere {
        /// What failed.
        of: ResourceId,
    },
    /// It is locked to this node, which is being shut down.
    ShutdownLock {
        /// The node.
        to: NodeId,
    },
    /// A ticket is not there.
    Ticket {
        /// The constraint.
        id: Arc<str>,
        /// The ticket.
        ticket: Arc<str>,
    },
    /// It is not to run at all: `target-role`, or what a failure led to.
    Role {
        /// What it may at most be.
        role: Role,
    },
    /// It is no longer configured.
    Removed,
    /// It runs there and is not managed.
    Unmanaged,
    /// It is active more than once, and `multiple-active` says to stop it.
    MultiplyActive,
    /// It is colocated with something that has been placed.
    Colocation {
        /// The constraint.
        id: Arc<str>,
        /// With what.
        with: ResourceId,
    },
    /// What is colocated with it wants (or cannot have) the node.
    Dependent {
        /// The constraint.
        id: Arc<str>,
        /// Who that is.
        of: ResourceId,
    },
    /// The node has as many instances as it may have, or can have none.
    InstanceLimit {
        /// The clone or bundle.
        of: ResourceId,
    },
    /// There are as many instances as there may be.
    InstancesPlaced {
        /// The clone or bundle.
        of: ResourceId,
    },
    /// The node has not enough left of what it needs.
    Capacity {
        /// What it (with all that has to be with it) takes.
        needs: Vec<(Arc<str>, i64)>,
        /// What the node had left of that.
        free: Vec<(Arc<str>, i64)>,
    },
    /// It cannot be on remote or guest nodes.
    ClusterNodesOnly,
    /// It runs in a container, on the node that this makes, and nowhere else.
    Container,
    /// Only what is in the bundle can be on the bundle's node.
    BundleNode,
    /// How much an instance wants to be promoted there (a node attribute that its agent sets).
    PromotionScore,
    /// Its agent set no promotion score there.
    PromotionUnset,
    /// The instance's wish to be promoted, as a whole, in the account of its clone.
    PromotionPriority {
        /// The instance.
        of: ResourceId,
    },
    /// It must not be promoted, for want of a ticket.
    PromotionBarred,
    /// Something changed it that gave no account of itself. There should be none of these.
    Unknown,
}

/// What a failure that keeps something off a node means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The agent, or what it needs, is not there.
    NotInstalled,
    /// It cannot work there whatever is tried.
    Hard,
    /// It cannot work anywhere.
    Fatal,
    /// It could not be stopped.
    Stop,
    /// A probe found that it cannot run there.
    Probe,
    /// `on-fail=stop`.
    OnFailStop,
}

/// A cause's place among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CauseId(u32);

/// One term of a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What gave it.
    pub cause: Cause,
    /// How much was given. Scores add up as Pacemaker's do: minus infinity wins, then infinity.
    pub value: i32,
    /// What was said before does not count any more.
    pub replaces: bool,
    /// The sum with it.
    pub sum: i32,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    /// The step before, counted from one; zero if it is the first.
    before: u32,
    cause: CauseId,
    value: i32,
    replaces: bool,
    sum: i32,
}

/// The account of one score: the last step, and what the sum is taken to be (none: the node is not known).
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    step: u32,
    sum: Option<i32>,
}

/// An account at one moment, to come back to. Empty if none is kept.
#[derive(Debug, Default)]
pub(crate) struct Mark(Vec<(ResourceId, Vec<Head>)>);

/// What was said about nodes while a table of scores was worked on; entered once it is done. Nothing if no account is
/// kept.
#[derive(Debug)]
pub(crate) struct Sheet(Option<Vec<(NodeId, i32)>>);

impl Sheet {
    /// A node gets this much.
    pub(crate) fn add(&mut self, node: NodeId, value: i32) {
        if let Some(lines) = &mut self.0 {
            lines.push((node, value));
        }
    }
}

/// All accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Option<Box<Books>>);

#[derive(Clone, Debug, Default)]
struct Books {
    causes: Vec<Cause>,
    steps: Vec<Step>,
    heads: Vec<Vec<Head>>,
    lines: Vec<u32>,
    choices: Vec<Option<Choice>>,
    promotions: BTreeMap<ResourceId, Vec<Term>>,
    orderings: Vec<(usize, Arc<str>)>,
}

/// How a node was chosen for a primitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// By what.
    pub by: ChoiceBy,
    /// The nodes there were, the best first, as they were at that moment.
    pub candidates: Vec<Candidate>,
}

/// By what a node was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoiceBy {
    /// It is not managed: it stays where it is.
    Unmanaged,
    /// `stop-all-resources`.
    StopAll,
    /// The first of the candidates, by score, then by how much there runs already, then by name.
    Order,
    /// It is as good as the best, and this one was asked for (its instance is there, or it has most room).
    Preferred,
    /// It is as good as the best, and it runs there already.
    Stays,
}

/// A node as it was when a primitive was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// Its score.
    pub score: i32,
    /// It can run something.
    pub available: bool,
    /// How many resources had been placed there.
    pub load: usize,
}

impl Ledger {
    /// One that is kept.
    pub(crate) fn kept() -> Ledger {
        Ledger(Some(Box::default()))
    }

    pub(crate) const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// A cause, if accounts are kept.
    pub(crate) fn cause(&mut self, cause: impl FnOnce() -> Cause) -> Option<CauseId> {
        let books = self.0.as_mut()?;
        books.causes.push(cause());
        Some(CauseId(books.causes.len() as u32 - 1))
    }

    pub(crate) fn sheet(&self) -> Sheet {
        Sheet(self.is_kept().then(Vec::new))
    }

    /// A score is about to be shown.
    pub(crate) fn line(&mut self, resource: ResourceId, node: NodeId) {
        if let Some(books) = &mut self.0 {
            let step = books.head(resource, node).step;
            books.lines.push(step);
        }
    }

    /// A primitive is being placed.
    pub(crate) fn choose(&mut self, resource: ResourceId, choice: Choice) {
        if let Some(books) = &mut self.0 {
            if books.choices.len() <= resource.index() {
                books.choices.resize(resource.index() + 1, None);
            }
            books.choices[resource.index()] = Some(choice);
        }
    }

    /// The orderings from here on, up to the next such mark, are of a constraint (or, empty, of none).
    pub(crate) fn orderings_of(&mut self, first: usize, constraint: &str) {
        if let Some(books) = &mut self.0 {
            books.orderings.push((first, Arc::from(constraint)));
        }
    }
}

impl Books {
    fn head(&mut self, resource: ResourceId, node: NodeId) -> &mut Head {
        if self.heads.len() <= resource.index() {
            self.heads.resize(resource.index() + 1, Vec::new());
        }
        let heads = &mut self.heads[resource.index()];
        if heads.len() <= node.index() {
            heads.resize(node.index() + 1, Head::default());
        }
        &mut heads[node.index()]
    }

    fn step(&self, resource: ResourceId, node: NodeId) -> u32 {
        let head = self.heads.get(resource.index()).and_then(|heads| heads.get(node.index()));
        head.map_or(0, |head| head.step)
    }

    fn push(&mut self, resource: ResourceId, node: NodeId, step: Step) {
        self.steps.push(step);
        let number = self.steps.len() as u32;
        *self.head(resource, node) = Head { step: number, sum: Some(step.sum) };
    }

    /// Enters that a node has a score now. `value` is what was given for that, if it was a sum.
    fn enter(&mut self, resource: ResourceId, node: NodeId, score: i32, value: Option<i32>, cause: CauseId) {
        let head = *self.head(resource, node);
        let adds = |value: i32| head.sum.is_some_and(|sum| add(sum, value) == score);
        let step =
            |value: i32, replaces: bool| Step { before: head.step, cause, value, replaces, sum: score };
        if let Some(value) = value.filter(|&value| adds(value)) {
            if value != 0 {
                self.push(resource, node, step(value, false));
            }
            return;
        }
        if head.sum == Some(score) {
            return;
        }
        // The difference, or, where infinities hide it, what the sum has become.
        let infinite = Score::new(i64::from(score)).is_infinite();
        let difference = if infinite { score } else { score.saturating_sub(head.sum.unwrap_or(0)) };
        match adds(difference) {
            true => self.push(resource, node, step(difference, false)),
            false => self.push(resource, node, step(score, true)),
        }
    }

    fn terms(&self, mut number: u32) -> Vec<Term> {
        let mut terms = Vec::new();
        while let Some(step) = number.checked_sub(1).and_then(|index| self.steps.get(index as usize)) {
            let cause = self.causes.get(step.cause.0 as usize).cloned().unwrap_or(Cause::Unknown);
            terms.push(Term { cause, value: step.value, replaces: step.replaces, sum: step.sum });
            number = step.before;
        }
        terms.reverse();
        terms
    }
}

fn add(a: i32, b: i32) -> i32 {
    crate::unpack::add_scores(a, b)
}

/// The sum of terms, as scores are added.
pub fn sum(terms: &[Term]) -> i32 {
    terms.iter().fold(0, |sum, term| if term.replaces { term.value } else { add(sum, term.value) })
}

impl Cluster {
    /// Enters what one node got.
    pub(crate) fn account_term(&mut self, id: ResourceId, node: NodeId, value: i32, cause: Option<CauseId>) {
        let Some(cause) = cause else { return };
        let Some(Some(allowed)) = self.resources[id.index()].work.allowed.get(node.index()) else { return };
        let score = allowed.score;
        if let Some(books) = &mut self.ledger.0 {
            books.enter(id, node, score, Some(value), cause);
        }
    }

    /// Enters whatever has changed for a resource since the last entry.
    pub(crate) fn account_changes(&mut self, id: ResourceId, cause: impl FnOnce() -> Cause) {
        if self.ledger.is_kept() {
            let cause = self.ledger.cause(cause);
            self.account_differences(id, cause);
        }
    }

    fn account_differences(&mut self, id: ResourceId, cause: Option<CauseId>) {
        let (Some(books), Some(cause)) = (&mut self.ledger.0, cause) else { return };
        for (index, allowed) in self.resources[id.index()].work.allowed.iter().enumerate() {
            if let Some(allowed) = allowed {
                books.enter(id, NodeId::new(index), allowed.score, None, cause);
            }
        }
    }

    /// Enters what was written on a sheet, and whatever else may have changed.
    pub(crate) fn account_sheet(&mut self, id: ResourceId, sheet: Sheet, cause: impl FnOnce() -> Cause) {
        let Some(lines) = sheet.0 else { return };
        let cause = self.ledger.cause(cause);
        for (node, value) in lines {
            self.account_term(id, node, value, cause);
        }
        self.account_differences(id, cause);
    }

    /// Enters what the wishes of those colocated with a resource came to.
    pub(crate) fn account_dependent(&mut self, primary: ResourceId, colocation: ColocationId) {
        if self.ledger.is_kept() {
            let terms = self.colocation(colocation);
            let (id, of) = (terms.id.clone(), terms.dependent);
            self.account_changes(primary, || Cause::Dependent { id, of });
        }
    }

    /// The scores of a resource have been shown.
    pub(crate) fn account_lines(&mut self, id: ResourceId) {
        if !self.ledger.is_kept() {
            return;
        }
        self.account_changes(id, || Cause::Unknown);
        for node in self.node_ids() {
            if self.work(id).allowed.get(node.index()).is_some_and(Option::is_some) {
                self.ledger.line(id, node);
            }
        }
    }

    /// Enters how a primitive was placed.
    pub(crate) fn account_choice(&mut self, id: ResourceId, by: ChoiceBy, nodes: &[NodeId]) {
        if !self.ledger.is_kept() {
            return;
        }
        let candidate = |&node: &NodeId| {
            let allowed = self.work(id).allowed.get(node.index())?.as_ref()?;
            let state = &self.node(node).state;
            let (score, available) = (allowed.score, state.is_available());
            Some(Candidate { node, score, available, load: state.resource_count })
        };
        let candidates = nodes.iter().filter_map(candidate).collect();
        self.ledger.choose(id, Choice { by, candidates });
    }

    /// Enters what has become of an instance's wish to be promoted; a new account if it is set, not added to.
    pub(crate) fn account_promotion(&mut self, id: ResourceId, set: bool, cause: impl FnOnce() -> Cause) {
        let Some(books) = &mut self.ledger.0 else { return };
        let now = self.resources[id.index()].state.priority;
        let terms = books.promotions.entry(id).or_default();
        if set {
            terms.clear();
        }
        let before = sum(terms);
        if before == now && !set {
            return;
        }
        let infinite = Score::new(i64::from(now)).is_infinite();
        let value = if infinite { now } else { now.saturating_sub(before) };
        let replaces = set || add(before, value) != now;
        terms.push(Term { cause: cause(), value: if replaces { now } else { value }, replaces, sum: now });
    }

    /// Enters what an instance's wish to be promoted has come to, with what its whole thinks of its node.
    pub(crate) fn close_promotion(&mut self, clone: ResourceId, id: ResourceId, node: Option<NodeId>) {
        let total = self.work(id).promotion_priority;
        let forced = !self.state(id).managed && total == Score::INFINITY.value();
        let Some(books) = &mut self.ledger.0 else { return };
        let mut terms = books.promotions.remove(&id).unwrap_or_default();
        let whole = match node {
            Some(node) if sum(&terms) >= 0 => books.terms(books.step(clone, node)),
            _ => Vec::new(),
        };
        let from = whole.iter().rposition(|term| term.replaces).unwrap_or(0);
        let is_own = |term: &Term| term.cause == Cause::PromotionPriority { of: id };
        if whole.iter().take(from).any(is_own) {
            // What took its place on the whole took the instance's own with it.
            terms.clear();
        }
        for term in whole.into_iter().skip(from).filter(|term| !is_own(term) && term.value != 0) {
            let sum = add(sum(&terms), term.value);
            terms.push(Term { replaces: false, sum, ..term });
        }
        if sum(&terms) != total {
            let cause = match node {
                _ if forced => Cause::Unmanaged,
                Some(_) if total == Score::INFINITY.value() => Cause::Role { role: Role::Promoted },
                Some(_) => Cause::Unknown,
                None => Cause::Role { role: Role::Stopped },
            };
            terms.push(Term { cause, value: total, replaces: true, sum: total });
        }
        books.promotions.insert(id, terms);
    }

    /// The accounts of resources as they are now.
    pub(crate) fn mark_accounts(&mut self, ids: impl IntoIterator<Item = ResourceId>) -> Mark {
        let Some(books) = &self.ledger.0 else { return Mark::default() };
        let heads = |id: ResourceId| books.heads.get(id.index()).cloned().unwrap_or_default();
        Mark(ids.into_iter().map(|id| (id, heads(id))).collect())
    }

    /// The accounts are again as they were.
    pub(crate) fn restore_accounts(&mut self, mark: &Mark) {
        let Some(books) = &mut self.ledger.0 else { return };
        for (id, heads) in &mark.0 {
            if let Some(account) = books.heads.get_mut(id.index()) {
                account.clone_from(heads);
            }
        }
    }

    pub(crate) fn take_reasons(&mut self) -> Option<Reasons> {
        let books = self.ledger.0.take()?;
        let orderings = std::mem::take(&mut self.orderings);
        let mut configured = Vec::new();
        let mut marks = books.orderings.iter().peekable();
        while let Some((first, constraint)) = marks.next() {
            let end = marks.peek().map_or(orderings.len(), |(next, _)| *next);
            if constraint.is_empty() {
                continue;
            }
            for ordering in orderings.get(*first..end).unwrap_or_default() {
                let side = |side: &crate::constraint::Side| ConfiguredSide {
                    resource: side.resource,
                    task: side.task(self),
                    action: side.action,
                };
                configured.push(ConfiguredOrdering {
                    id: Arc::clone(constraint),
                    first: side(&ordering.first),
                    then: side(&ordering.then),
                });
            }
        }
        Some(Reasons { books: *books, orderings: configured })
    }
}

/// One side of an ordering that a constraint asks for.
#[derive(Clone, Debug)]
pub struct ConfiguredSide {
    /// Whose operation; none for gates.
    pub resource: Option<ResourceId>,
    /// Which operation.
    pub task: Option<Arc<str>>,
    /// The very action, if it is a gate (`clone-one-or-more:…`, `one-or-more:…`).
    pub action: Option<crate::ActionId>,
}

/// An ordering that a constraint asks for.
#[derive(Clone, Debug)]
pub struct ConfiguredOrdering {
    /// The constraint.
    pub id: Arc<str>,
    /// What comes first.
    pub first: ConfiguredSide,
    /// What comes then.
    pub then: ConfiguredSide,
}

/// Why all is as it is: what was entered while a schedule was made.
#[derive(Clone, Debug)]
pub struct Reasons {
    books: Books,
    /// What orderings constraints ask for.
    pub orderings: Vec<ConfiguredOrdering>,
}

impl Reasons {
    /// The terms of what a resource thinks of a node in the end; none if it knows nothing of the node.
    pub fn terms(&self, resource: ResourceId, node: NodeId) -> Option<Vec<Term>> {
        let head = self.books.heads.get(resource.index())?.get(node.index())?;
        head.sum?;
        Some(self.books.terms(head.step))
    }

    /// The terms of the score that was shown in a line of [`crate::Schedule::scores`], counting lines of allocation only.
    pub fn terms_of_line(&self, line: usize) -> Vec<Term> {
        self.books.lines.get(line).map(|&step| self.books.terms(step)).unwrap_or_default()
    }

    /// The terms of how much an instance wants to be promoted; none if it cannot be.
    pub fn promotion(&self, instance: ResourceId) -> &[Term] {
        self.books.promotions.get(&instance).map(Vec::as_slice).unwrap_or_default()
    }

    /// How a primitive was placed.
    pub fn choice(&self, resource: ResourceId) -> Option<&Choice> {
        self.books.choices.get(resource.index())?.as_ref()
    }
}
