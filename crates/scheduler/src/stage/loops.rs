// SPDX-License-Identifier: GPL-2.0-or-later
//! Graphs that could not be walked to their end.
//!
//! Decides: which orderings are given up where orderings form a loop, which actions where they wait for what will not be
//! done. Given: a graph. Leaves to others: all graphs that can be walked, which stay as they are.
//!
//! Constraints that contradict each other (or the order of a group, or each other's roles) make actions wait in a circle.
//! None of them would ever be done, nor anything after them. So the weakest of the orderings is given up, and said to be.
//! Those that keep a resource from running twice are never: rather than start too early, an action is left out.

use crate::action::{ActionId, relation};
use crate::{Cluster, ConfigIssue, ResourceId};
use graph::TransitionGraph;

/// How strongly an ordering is held to: the lower the stronger.
type Rank = u8;

/// Orderings of this rank protect data.
const SAFETY: Rank = 0;

/// An ordering within the graph, by the places of its synapses.
#[derive(Clone, Copy)]
struct Edge {
    first: usize,
    then: usize,
    rank: Rank,
}

impl Cluster {
    /// Makes a graph one that can be walked to its end.
    pub(super) fn make_walkable(&mut self, graph: &mut TransitionGraph) {
        let stuck = stuck(graph, &self.places(graph));
        if stuck.iter().any(|&stuck| stuck) {
            self.leave_out_waiting(graph);
            self.open_loops(graph);
            // What was left out to open a loop may have been waited for.
            self.leave_out_waiting(graph);
        }
    }

    /// Where each action is in the graph.
    fn places(&self, graph: &TransitionGraph) -> Vec<Option<usize>> {
        let mut places = vec![None; self.actions.len()];
        for (at, synapse) in graph.synapses.iter().enumerate() {
            for action in &synapse.actions {
                if let Some(place) = places.get_mut(index_of(action.identity.id)) {
                    *place = Some(at);
                }
            }
        }
        places
    }

    /// Leaves out what waits for actions that are not in the graph, and what waits for that.
    fn leave_out_waiting(&mut self, graph: &mut TransitionGraph) {
        let places = self.places(graph);
        let missing = |id: i32| places.get(index_of(id)).copied().flatten().is_none();
        let waits = |synapse: &graph::Synapse| synapse.inputs.iter().any(|input| missing(input.id));
        let gone: Vec<usize> = graph
            .synapses
            .iter()
            .enumerate()
            .filter(|(_, synapse)| waits(synapse))
            .map(|(at, _)| at)
            .collect();
        if !gone.is_empty() {
            self.leave_out(graph, &places, gone, "it waits for what cannot be done");
        }
    }

    /// Leaves synapses out, with all that wait for them.
    fn leave_out(
        &mut self,
        graph: &mut TransitionGraph,
        places: &[Option<usize>],
        mut open: Vec<usize>,
        why: &str,
    ) {
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); graph.synapses.len()];
        for (at, synapse) in graph.synapses.iter().enumerate() {
            for input in &synapse.inputs {
                if let Some(first) = places.get(index_of(input.id)).copied().flatten() {
                    dependents[first].push(at);
                }
            }
        }
        let mut gone = vec![false; graph.synapses.len()];
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut gone[at], true) {
                open.extend(&dependents[at]);
            }
        }
        for (at, synapse) in std::mem::take(&mut graph.synapses).into_iter().enumerate() {
            if !gone[at] {
                graph.synapses.push(synapse);
            } else {
                for action in &synapse.actions {
                    let id = ActionId::new(index_of(action.identity.id));
                    let name = self.plain_name(id);
                    self.note_issue(ConfigIssue::state_error(format!("Leaving out {name} because {why}")));
                    self.action_mut(id).in_graph = false;
                    for relation in &mut self.action_mut(id).before {
                        relation.graphed = false;
                    }
                }
            }
        }
        for (number, synapse) in graph.synapses.iter_mut().enumerate() {
            synapse.id = i32::try_from(number).unwrap_or(i32::MAX);
        }
    }

    /// Gives up the weakest orderings of every loop.
    fn open_loops(&mut self, graph: &mut TransitionGraph) {
        let places = self.places(graph);
        let stuck = stuck(graph, &places);
        let mut edges = self.edges(graph, &places, &stuck);
        // The strongest are let in first. A rank at a time, as nearly always only the weakest closes a loop.
        edges.sort_by_key(|edge| edge.rank);
        let mut kept: Vec<Vec<usize>> = vec![Vec::new(); graph.synapses.len()];
        let (mut given_up, mut left_out) = (Vec::new(), Vec::new());
        for rank in edges.chunk_by(|a, b| a.rank == b.rank) {
            let mut with_all = kept.clone();
            for edge in rank {
                with_all[edge.first].push(edge.then);
            }
            let loops = in_loops(&with_all);
            for edge in rank {
                // Only an edge within a loop of them all can close one.
                if loops[edge.first].is_some()
                    && loops[edge.first] == loops[edge.then]
                    && reaches(&kept, edge.then, edge.first)
                {
                    if edge.rank == SAFETY {
                        left_out.push(edge.then);
                    } else {
                        given_up.push(*edge);
                    }
                } else {
                    kept[edge.first].push(edge.then);
                }
            }
        }
        for edge in given_up {
            self.give_up(graph, edge);
        }
        if !left_out.is_empty() {
            self.leave_out(graph, &places, left_out, "it would have to wait for itself");
        }
    }

    fn edges(&self, graph: &TransitionGraph, places: &[Option<usize>], stuck: &[bool]) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (then, synapse) in graph.synapses.iter().enumerate().filter(|&(at, _)| stuck[at]) {
            let Some(action) = synapse.actions.first() else { continue };
            for input in &synapse.inputs {
                let first = places.get(index_of(input.id)).copied().flatten();
                if let Some(first) = first.filter(|&first| stuck[first]) {
                    let rank = self.ordering_rank(input.id, action.identity.id);
                    edges.push(Edge { first, then, rank });
                }
            }
        }
        edges
    }

    fn ordering_rank(&self, first: i32, then: i32) -> Rank {
        let (first_id, then_id) = (ActionId::new(index_of(first)), ActionId::new(index_of(then)));
        let (first, then) = (self.action(first_id), self.action(then_id));
        if *first.task == *"stonith" || *then.task == *"stonith" {
            return SAFETY;
        }
        let (Some(one), Some(other)) = (first.resource, then.resource) else { return 3 };
        let connects = |id: ResourceId| self.work(id).remote_connection || self.work(id).launcher.is_some();
        if one == other {
            return if self.resource(one).children.is_empty() { SAFETY } else { 1 };
        }
        if self.is_within(one, other) || self.is_within(other, one) || connects(one) || connects(other) {
            return 1;
        }
        if self.top_of(one) == self.top_of(other) {
            return 2;
        }
        let relation = then.before.iter().find(|relation| relation.action == first_id);
        let flags = relation.map_or(relation::NONE, |relation| relation.flags);
        let weak = relation::ORDERED | relation::SERIALIZE | relation::ASYMMETRIC;
        if flags & !weak == 0 { 4 } else { 3 }
    }

    fn is_within(&self, inner: ResourceId, outer: ResourceId) -> bool {
        let mut holder = self.resource(inner).parent;
        while let Some(id) = holder {
            if id == outer {
                return true;
            }
            holder = self.resource(id).parent;
        }
        false
    }

    fn give_up(&mut self, graph: &mut TransitionGraph, edge: Edge) {
        let id = |at: usize, graph: &TransitionGraph| {
            graph.synapses[at].actions.first().map(|action| ActionId::new(index_of(action.identity.id)))
        };
        let (Some(first), Some(then)) = (id(edge.first, graph), id(edge.then, graph)) else { return };
        graph.synapses[edge.then].inputs.retain(|input| index_of(input.id) != first.index());
        for relation in &mut self.action_mut(then).before {
            if relation.action == first {
                relation.graphed = false;
                relation.flags = relation::NONE;
            }
        }
        let issue = format!(
            "Giving up that {} comes before {} because orderings form a loop",
            self.plain_name(first),
            self.plain_name(then)
        );
        self.note_issue(ConfigIssue::state_error(issue));
    }

    /// What an action is called in messages.
    fn plain_name(&self, id: ActionId) -> String {
        let action = self.action(id);
        match action.node {
            Some(node) => format!("{} on {}", action.key, self.node(node).name),
            None => action.key.to_string(),
        }
    }
}

fn index_of(id: i32) -> usize {
    usize::try_from(id).unwrap_or(0).saturating_sub(1)
}

/// Which synapses a walk would never come to.
fn stuck(graph: &TransitionGraph, places: &[Option<usize>]) -> Vec<bool> {
    let count = graph.synapses.len();
    let (mut left, mut dependents) = (vec![0usize; count], vec![Vec::new(); count]);
    for (at, synapse) in graph.synapses.iter().enumerate() {
        left[at] = synapse.inputs.len();
        for input in &synapse.inputs {
            if let Some(first) = places.get(index_of(input.id)).copied().flatten() {
                dependents[first].push(at);
            }
        }
    }
    let mut open: Vec<usize> = (0..count).filter(|&at| left[at] == 0).collect();
    let mut stuck = vec![true; count];
    while let Some(at) = open.pop() {
        stuck[at] = false;
        for &then in &dependents[at] {
            left[then] -= 1;
            if left[then] == 0 {
                open.push(then);
            }
        }
    }
    stuck
}

/// For each place the loop (or several that hang together) it is in. Tarjan's way, without recursion.
fn in_loops(edges: &[Vec<usize>]) -> Vec<Option<usize>> {
    let count = edges.len();
    let (mut order, mut low) = (vec![usize::MAX; count], vec![0; count]);
    let (mut loops, mut on_stack) = (vec![None; count], vec![false; count]);
    let (mut stack, mut next, mut found) = (Vec::new(), 0, 0);
    for root in 0..count {
        if order[root] != usize::MAX {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some(&mut (at, ref mut edge)) = path.last_mut() {
            if *edge == 0 && order[at] == usize::MAX {
                (order[at], low[at]) = (next, next);
                next += 1;
                stack.push(at);
                on_stack[at] = true;
            }
            if let Some(&to) = edges[at].get(*edge) {
                *edge += 1;
                if order[to] == usize::MAX {
                    path.push((to, 0));
                } else if on_stack[to] {
                    low[at] = low[at].min(order[to]);
                }
                continue;
            }
            path.pop();
            if let Some(&(before, _)) = path.last() {
                low[before] = low[before].min(low[at]);
            }
            if low[at] == order[at] {
                let from = stack.iter().rposition(|&place| place == at).unwrap_or(0);
                let together = stack.split_off(from);
                for &place in &together {
                    on_stack[place] = false;
                    if together.len() > 1 || edges[place].contains(&place) {
                        loops[place] = Some(found);
                    }
                }
                found += 1;
            }
        }
    }
    loops
}

/// Whether one place can be reached from another.
fn reaches(edges: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(&edges[at]);
        }
    }
    false
}
