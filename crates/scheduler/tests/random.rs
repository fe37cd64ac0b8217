// SPDX-License-Identifier: GPL-2.0-or-later
//! What has to hold for CIBs nobody would write: no panic, the same bytes twice, graphs that can be walked to their end,
//! and nothing started where it may still run elsewhere.
//!
//! `SYSTOLE_ROUNDS` says how many times more are tried.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod random_cib;

use graph::walk::{Ending, Limits, Outcome, Output, Walk};
use proptest::prelude::*;
use random_cib::{Choices, MOMENT};
use scheduler::{ActionId, Cluster, NodeId, Schedule};

fn plan(text: &str) -> (Cluster, Schedule) {
    let cib = xml::parse(text).unwrap();
    let (cluster, _) = scheduler::unpack(&cib, model::WallTime::from_secs(MOMENT));
    let schedule = scheduler::schedule(&cluster, &scheduler::Options::default());
    (cluster, schedule)
}

fn bytes(cluster: &Cluster, schedule: &Schedule) -> String {
    let scores: Vec<String> = schedule.scores.iter().map(ToString::to_string).collect();
    let dot = schedule.to_dot(cluster, true, true).to_string();
    xml::write_indented(&schedule.graph.to_xml()) + &dot + &scores.join("\n")
}

/// Walks a graph as a simulation does; the actions in the order in which they were done.
fn walk(schedule: &Schedule) -> (Ending, Vec<ActionId>) {
    let mut walk = Walk::new(schedule.graph.clone(), Limits::default());
    let (mut ending, mut done) = (Ending::Complete, Vec::new());
    while let Some(output) = walk.poll(model::Instant::default()) {
        match output {
            Output::Passed(id) | Output::Run(id) => {
                done.push(ActionId::new(id as usize - 1));
                walk.confirm(id, Outcome::Done);
            }
            Output::Lost(_) => {}
            Output::Finished(how) => ending = how,
        }
    }
    (ending, done)
}

/// What is before an action in the graph, however far.
fn all_before(schedule: &Schedule, action: ActionId) -> Vec<ActionId> {
    let mut seen = vec![false; schedule.actions.len()];
    let mut open = vec![action];
    while let Some(id) = open.pop() {
        for relation in schedule.action(id).before.iter().filter(|relation| relation.graphed) {
            if !std::mem::replace(&mut seen[relation.action.index()], true) {
                open.push(relation.action);
            }
        }
    }
    (0..seen.len()).filter(|&index| seen[index]).map(ActionId::new).collect()
}

/// Starts that nothing in the graph keeps from happening while the resource may still run elsewhere.
fn unsafe_starts(cluster: &Cluster, schedule: &Schedule) -> Vec<String> {
    let mut found = Vec::new();
    for (index, action) in schedule.actions.iter().enumerate() {
        let Some(resource) = action.resource.filter(|_| action.in_graph && *action.task == *"start") else {
            continue;
        };
        let primitive = cluster.resource(resource);
        if primitive.agent.is_none() || !schedule.placements[resource.index()].state.managed {
            continue;
        }
        let before = all_before(schedule, ActionId::new(index));
        let ended = |node: NodeId| {
            before.iter().map(|&id| schedule.action(id)).any(|earlier| {
                let stops = earlier.resource == Some(resource) && *earlier.task == *"stop";
                let fences = *earlier.task == *"stonith";
                earlier.node == Some(node) && (stops || fences)
            })
        };
        // What is said to run in the very container it is runs nowhere.
        let elsewhere =
            |node: NodeId| Some(node) != action.node && cluster.launcher_of(node) != Some(resource);
        for &node in primitive.state.active_on.iter().filter(|&&node| elsewhere(node)) {
            if !ended(node) {
                let (id, at) = (&primitive.id, &cluster.node(node).name);
                found.push(format!("{id} is started while it may run on {at}"));
            }
        }
    }
    found
}

/// All that has to hold for one CIB.
fn check(text: &str) -> Result<(), TestCaseError> {
    let (cluster, schedule) = plan(text);
    let (again, schedule_again) = plan(text);
    prop_assert_eq!(bytes(&cluster, &schedule), bytes(&again, &schedule_again));
    let (ending, done) = walk(&schedule);
    prop_assert_eq!(ending, Ending::Complete, "the graph cannot be walked to its end");
    let planned: usize = schedule.graph.synapses.iter().map(|synapse| synapse.actions.len()).sum();
    prop_assert_eq!(done.len(), planned);
    let found = unsafe_starts(&cluster, &schedule);
    prop_assert!(found.is_empty(), "{}", found.join("; "));
    Ok(())
}

fn cases() -> u32 {
    let factor: u32 = std::env::var("SYSTOLE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    32 * factor
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn what_must_hold_holds(list in prop::collection::vec(any::<u16>(), 0..1_500)) {
        let text = random_cib::cib(&mut Choices::from_list(list));
        if let Err(error) = check(&text) {
            return Err(TestCaseError::fail(format!("{error}\n{text}")));
        }
    }
}

#[test]
fn what_must_hold_holds_for_seeds() {
    for seed in 0..u64::from(cases()) {
        let text = random_cib::cib(&mut Choices::from_seed(seed));
        if let Err(error) = check(&text) {
            panic!("seed {seed}: {error}");
        }
    }
}
