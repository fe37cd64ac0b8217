// SPDX-License-Identifier: GPL-2.0-or-later
//! The machine that walks a transition graph: what is due now, what has to wait, when it is over.
//!
//! Decides: the order in which actions go out, how many at once, which are given up, how the walk ends. Given: a graph,
//! then what became of the actions that went out, reasons to abort, nodes that are gone, and the time. Leaves to
//! others: carrying actions out, knowing whether a result is a success, and what to do once the walk is over.
//!
//! ```text
//! let mut walk = Walk::new(graph, Limits::default());
//! loop {
//!     while let Some(output) = walk.poll(now) {
//!         match output {
//!             Output::Passed(id) => { /* a pseudo action; it counts as confirmed already */ }
//!             Output::Run(id) => { /* carry walk.action(id) out; later: walk.confirm(id, Outcome::Done) */ }
//!             Output::Lost(id) => { /* no result came in time; it counts as failed already */ }
//!             Output::Finished(ending) => { /* look at walk.next() */ }
//!         }
//!     }
//!     // wait for a result, or until walk.next_timeout()
//! }
//! ```
//!
//! Who confirms an action before asking for the next output (a simulation) sees the very order in which Pacemaker would
//! simulate: synapses are looked at in passes, in their order, and what a pass makes due before the place it has
//! reached is taken up in the next one.

mod load;
mod step;
#[cfg(test)]
mod tests;
mod words;

use crate::{Action, TransitionGraph};
use load::Loads;
use model::{Instant, Score};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use step::{Progress, Step, StepState};
pub use words::{Counts, Ending, Limits, Next, Outcome, Output};

/// The number of an action in its graph.
pub type ActionId = i32;

/// A walk through one graph.
#[derive(Clone, Debug)]
pub struct Walk {
    graph: TransitionGraph,
    steps: Vec<Step>,
    /// Where each action is: synapse, and place in it.
    places: BTreeMap<ActionId, (usize, usize)>,
    /// Which synapses wait for each action.
    dependents: BTreeMap<ActionId, Vec<usize>>,
    /// Synapses of which all inputs are confirmed, but which are not begun.
    due: BTreeSet<usize>,
    /// Where the present pass goes on, and whether it has begun anything.
    pass: Pass,
    pending: usize,
    batch_limit: Option<u32>,
    cluster_delay: Duration,
    loads: Loads,
    deadlines: BTreeSet<(Instant, ActionId)>,
    abort_priority: i32,
    abort_reason: Option<String>,
    next: Next,
    outputs: VecDeque<Output>,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pass {
    from: usize,
    fired: bool,
}

impl Walk {
    /// At the start of a graph.
    pub fn new(graph: TransitionGraph, limits: Limits) -> Walk {
        let steps: Vec<Step> = graph.synapses.iter().map(Step::new).collect();
        let (mut places, mut dependents) = (BTreeMap::new(), BTreeMap::<ActionId, Vec<usize>>::new());
        for (at, synapse) in graph.synapses.iter().enumerate() {
            for (nth, action) in synapse.actions.iter().enumerate() {
                places.insert(action.identity.id, (at, nth));
            }
            for input in &synapse.inputs {
                let waiting = dependents.entry(input.id).or_default();
                if waiting.last() != Some(&at) {
                    waiting.push(at);
                }
            }
        }
        let due = steps.iter().enumerate().filter(|(_, step)| step.inputs_left.is_empty());
        let migration_limit = graph.options.migration_limit.as_deref().and_then(positive);
        Walk {
            due: due.map(|(at, _)| at).collect(),
            batch_limit: limits.batch.or_else(|| positive(&graph.options.batch_limit)),
            cluster_delay: graph.options.cluster_delay.parse::<model::Interval>().unwrap_or_default().into(),
            loads: Loads::new(limits.jobs_per_node, migration_limit),
            places,
            dependents,
            steps,
            graph,
            pass: Pass::default(),
            pending: 0,
            deadlines: BTreeSet::new(),
            abort_priority: 0,
            abort_reason: None,
            next: Next::Done,
            outputs: VecDeque::new(),
            ending: None,
        }
    }

    // --- asking -------------------------------------------------------------------------------------------------

    /// The graph being walked.
    pub fn graph(&self) -> &TransitionGraph {
        &self.graph
    }

    /// The transition's number.
    pub fn transition_id(&self) -> i32 {
        self.graph.options.transition_id
    }

    /// An action of the graph.
    pub fn action(&self, id: ActionId) -> Option<&Action> {
        let &(at, nth) = self.places.get(&id)?;
        self.graph.synapses.get(at)?.actions.get(nth)
    }

    /// The priority of the synapse an action belongs to.
    pub fn priority(&self, id: ActionId) -> Option<i32> {
        let &(at, _) = self.places.get(&id)?;
        self.graph.synapses.get(at).map(|synapse| synapse.priority)
    }

    /// Whether an action is confirmed, however it ended.
    pub fn is_confirmed(&self, id: ActionId) -> bool {
        matches!(self.progress(id), Some(Progress::Confirmed))
    }

    /// Whether an action went out and nothing has been heard of it yet.
    pub fn is_under_way(&self, id: ActionId) -> bool {
        matches!(self.progress(id), Some(Progress::Running { .. }))
    }

    /// All actions with whether they are confirmed, in the order of the graph.
    pub fn actions(&self) -> impl Iterator<Item = (&Action, bool)> {
        let actions = self.graph.synapses.iter().flat_map(|synapse| &synapse.actions);
        actions.map(|action| (action, self.is_confirmed(action.identity.id)))
    }

    /// How the walk ended; none while it goes on.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// What should follow the walk.
    pub fn next(&self) -> Next {
        self.next
    }

    /// Why the walk was aborted.
    pub fn abort_reason(&self) -> Option<&str> {
        self.abort_reason.as_deref()
    }

    /// How many synapses are where.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (step, synapse) in self.steps.iter().zip(&self.graph.synapses) {
            match step.state {
                StepState::Confirmed => counts.completed += 1,
                StepState::Fired => counts.pending += 1,
                StepState::Abandoned => counts.skipped += 1,
                StepState::Waiting => {
                    counts.incomplete += 1;
                    let due = step.inputs_left.is_empty();
                    if due && step.obeys_aborts && synapse.priority < self.abort_priority {
                        counts.skipped += 1;
                    }
                }
            }
        }
        counts
    }

    /// When [`Walk::poll`] should be called even if nothing is heard.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    // --- telling ------------------------------------------------------------------------------------------------

    /// An action was carried out, or at least its end was heard of (also of one that never went out: a node may be
    /// fenced by hand). Says whether that was news; an unknown or confirmed action is none.
    pub fn confirm(&mut self, id: ActionId, outcome: Outcome) -> bool {
        let Some(&(at, nth)) = self.places.get(&id) else { return false };
        if self.is_confirmed(id) || self.ending.is_some() {
            return false;
        }
        self.settle(at, nth);
        self.release(id, outcome);
        true
    }

    /// An action that should [`Output::Run`] could not be sent out at all. It counts as failed, and nothing more is
    /// begun.
    pub fn refuse(&mut self, id: ActionId) {
        let Some(&(at, nth)) = self.places.get(&id) else { return };
        self.settle(at, nth);
        self.raise_abort_priority(Score::INFINITY.value());
    }

    /// Begins nothing below `priority` any more, and remembers what should follow; the reason is kept if the priority
    /// is higher than that of earlier aborts. Says whether anything changed. What is under way goes on.
    pub fn abort(&mut self, priority: i32, next: Next, reason: &str) -> bool {
        if self.ending.is_some() {
            return false;
        }
        let mut changed = false;
        if self.abort_priority < priority {
            self.raise_abort_priority(priority);
            self.abort_reason = Some(reason.to_owned());
            changed = true;
        }
        if self.next < next {
            self.next = next;
            self.abort_reason.get_or_insert_with(|| reason.to_owned());
            changed = true;
        }
        changed
    }

    /// A node is gone: all that was to be done there (fencing apart) fails, begun or not, and the walk is aborted if
    /// there was any. Gives the actions that had gone out. The name is needed for remote nodes, which are reached through
    /// a cluster node that goes by its name.
    pub fn lose_node(&mut self, node_id: &str, node_name: &str) -> Vec<ActionId> {
        if self.ending.is_some() {
            return Vec::new();
        }
        let (mut under_way, mut any) = (Vec::new(), false);
        for at in 0..self.steps.len() {
            let open = self.steps.get(at).is_some_and(|step| step.state.is_open());
            let Some(synapse) = self.graph.synapses.get(at).filter(|_| open) else { continue };
            let hit = synapse.actions.iter().enumerate().filter(|(_, action)| {
                step::needs_node(action, node_id, node_name) && !self.is_confirmed(action.identity.id)
            });
            let hit: Vec<(usize, ActionId)> = hit.map(|(nth, action)| (nth, action.identity.id)).collect();
            for (nth, id) in hit {
                any = true;
                if self.is_under_way(id) {
                    under_way.push(id);
                }
                self.abandon(at);
                self.settle(at, nth);
                self.release(id, Outcome::Failed);
            }
        }
        if any {
            self.abort(Score::INFINITY.value(), Next::Restart, "Node failure");
        }
        under_way
    }

    /// Sets how many synapses may be under way at once; none for no limit.
    pub fn limit_batch(&mut self, limit: Option<u32>) {
        self.batch_limit = limit;
    }

    /// Sets how many resource actions may be under way on a node at once; none for no limit.
    pub fn limit_jobs(&mut self, node_name: &str, limit: Option<u32>) {
        self.loads.limit(node_name, limit);
    }

    // --- walking ------------------------------------------------------------------------------------------------

    /// The next thing to do; none if there is nothing until something is told or [`Walk::next_timeout`] has come.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if self.ending.is_some() {
                return None;
            }
            if let Some(id) = self.overdue(now) {
                self.confirm(id, Outcome::Failed);
                self.abort(Score::INFINITY.value(), Next::Restart, "Action lost");
                return Some(Output::Lost(id));
            }
            if let Some(at) = self.fireable() {
                self.pass = Pass { from: at + 1, fired: true };
                self.fire(at, now);
                continue;
            }
            let pass = std::mem::take(&mut self.pass);
            if pass.from > 0 && pass.fired {
                continue;
            }
            if self.pending == 0 {
                self.finish();
                continue;
            }
            return None;
        }
    }

    /// The priority never falls again, so what is below it need not be looked at again.
    fn raise_abort_priority(&mut self, priority: i32) {
        self.abort_priority = priority;
        let (steps, synapses) = (&self.steps, &self.graph.synapses);
        self.due.retain(|&at| {
            let obeys = steps.get(at).is_some_and(|step| step.obeys_aborts);
            !obeys || synapses.get(at).is_some_and(|synapse| synapse.priority >= priority)
        });
    }

    fn progress(&self, id: ActionId) -> Option<Progress> {
        let &(at, nth) = self.places.get(&id)?;
        self.steps.get(at)?.actions.get(nth).copied()
    }

    fn overdue(&self, now: Instant) -> Option<ActionId> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|&(_, id)| id)
    }

    /// The next synapse of this pass that may be begun.
    fn fireable(&self) -> Option<usize> {
        if self.batch_limit.is_some_and(|limit| self.pending >= limit as usize) {
            return None;
        }
        self.due.range(self.pass.from..).copied().find(|&at| self.may_fire(at))
    }

    fn may_fire(&self, at: usize) -> bool {
        let (Some(synapse), Some(step)) = (self.graph.synapses.get(at), self.steps.get(at)) else {
            return false;
        };
        if step.obeys_aborts && synapse.priority < self.abort_priority {
            return false;
        }
        synapse.actions.iter().all(|action| self.loads.admits(action))
    }

    fn fire(&mut self, at: usize, now: Instant) {
        self.due.remove(&at);
        let Some(step) = self.steps.get_mut(at) else { return };
        step.state = StepState::Fired;
        self.pending += 1;
        // The actions are the graph's, which does not change, but a walk cannot be changed while it lends them.
        let count = step.actions.len();
        if count == 0 {
            self.close_if_confirmed(at);
        }
        for nth in 0..count {
            self.start(at, nth, now);
        }
    }

    fn start(&mut self, at: usize, nth: usize, now: Instant) {
        let Some(action) = self.graph.synapses.get(at).and_then(|synapse| synapse.actions.get(nth)) else {
            return;
        };
        let id = action.identity.id;
        if self.is_confirmed(id) {
            self.close_if_confirmed(at);
            return;
        }
        let manner = step::manner(action);
        if manner.counts {
            self.loads.add(action);
        }
        let deadline = manner.timeout.map(|timeout| {
            let timeout = if timeout.is_zero() { self.cluster_delay } else { timeout };
            now + timeout + self.cluster_delay
        });
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, id));
        }
        if let Some(progress) = self.steps.get_mut(at).and_then(|step| step.actions.get_mut(nth)) {
            *progress = Progress::Running { deadline };
        }
        self.outputs.push_back(if manner.passes { Output::Passed(id) } else { Output::Run(id) });
        if !manner.waits {
            self.confirm(id, Outcome::Done);
        }
    }

    /// Marks an action as confirmed, with all that hangs on it having been under way.
    fn settle(&mut self, at: usize, nth: usize) {
        let Some(progress) = self.steps.get_mut(at).and_then(|step| step.actions.get_mut(nth)) else {
            return;
        };
        let was = std::mem::replace(progress, Progress::Confirmed);
        let action = self.graph.synapses.get(at).and_then(|synapse| synapse.actions.get(nth));
        if let (Progress::Running { deadline }, Some(action)) = (was, action) {
            if let Some(deadline) = deadline {
                self.deadlines.remove(&(deadline, action.identity.id));
            }
            if step::manner(action).counts {
                self.loads.remove(action);
            }
        }
        self.close_if_confirmed(at);
    }

    fn close_if_confirmed(&mut self, at: usize) {
        let Some(step) = self.steps.get_mut(at) else { return };
        let all = step.actions.iter().all(|&progress| progress == Progress::Confirmed);
        if all && step.state == StepState::Fired {
            step.state = StepState::Confirmed;
            self.pending = self.pending.saturating_sub(1);
        }
    }

    /// Gives a synapse up, because its node is gone.
    fn abandon(&mut self, at: usize) {
        let Some(step) = self.steps.get_mut(at) else { return };
        if step.state == StepState::Fired {
            self.pending = self.pending.saturating_sub(1);
        }
        if step.state != StepState::Confirmed {
            step.state = StepState::Abandoned;
        }
        self.due.remove(&at);
    }

    /// Lets go what waited for an action.
    fn release(&mut self, id: ActionId, outcome: Outcome) {
        let Some(waiting) = self.dependents.get(&id) else { return };
        for &at in waiting {
            let (Some(step), Some(synapse)) = (self.steps.get_mut(at), self.graph.synapses.get(at)) else {
                continue;
            };
            let passes = outcome == Outcome::Done || synapse.priority == Score::INFINITY.value();
            if passes && step.state == StepState::Waiting {
                step.inputs_left.remove(&id);
                if step.inputs_left.is_empty() {
                    self.due.insert(at);
                }
            }
        }
    }

    fn finish(&mut self) {
        let counts = self.counts();
        let ending = if counts.incomplete > 0 && self.abort_priority <= 0 {
            Ending::Terminated
        } else if counts.skipped > 0 {
            Ending::Stopped
        } else {
            Ending::Complete
        };
        self.ending = Some(ending);
        self.outputs.push_back(Output::Finished(ending));
    }
}

/// A limit as the graph writes it: zero and below mean none.
fn positive(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|&limit| limit > 0)
}
