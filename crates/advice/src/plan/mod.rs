// SPDX-License-Identifier: GPL-2.0-or-later
//! What applying a change of the configuration would do, resource by resource.
//!
//! Decides: what becomes of each resource, what interrupts a service, and which difference it comes from. Given: the CIB as
//! it is (with its status), as it would be, and somebody who carries a graph out in simulation. Leaves to others: the
//! simulation, and showing the plan.
//!
//! What a difference causes is found by taking it back, it alone: whatever is then not done was done because of it.

mod difference;
mod fate;

pub use difference::{Difference, Kind};
pub use fate::{Fate, Outcome};

use crate::explain::{View, fencing};
use difference::differences;
use fate::{Standing, outcomes, standing};
use graph::TransitionGraph;
use model::WallTime;
use scheduler::{Cluster, Options, Reason, Schedule};
use std::collections::{BTreeMap, BTreeSet};
use xml::Element;

/// How often the cluster may look again before it is said not to come to rest.
const ROUNDS_MAX: usize = 10;
/// How many differences are taken back, each alone.
const DIFFERENCES_MAX: usize = 60;

/// Carries out a graph in simulation: the CIB as it then is; none if the graph cannot be carried out.
pub type Execute<'a> = dyn FnMut(&Cluster, TransitionGraph, Element) -> Option<Element> + 'a;

/// A node that would be fenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenced {
    /// Its name.
    pub node: String,
    /// Why.
    pub reason: String,
    /// The differences it comes from.
    pub causes: Vec<String>,
    /// It would happen without the change as well.
    pub anyway: bool,
}

/// What would be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is different.
    pub differences: Vec<Difference>,
    /// What becomes of each resource, in the order in which it begins; untouched ones last.
    pub outcomes: Vec<Outcome>,
    /// Nodes that are fenced.
    pub fenced: Vec<Fenced>,
    /// Everything that is done, in order, the checks of a running resource left out.
    pub steps: Vec<String>,
    /// How often the cluster has to look again until all is done.
    pub rounds: usize,
    /// It comes to rest.
    pub complete: bool,
    /// Not all differences could be taken back to see what comes of them.
    pub cut: bool,
}

/// What is done, as far as it can be compared: resource (empty: fencing), task, node.
type Deed = (String, String, String);

/// All that is done.
type Deeds = BTreeSet<Deed>;

/// The CIB as it would be: a new CIB or configuration with the status that there is, if it has none of its own.
pub fn combined(old: &Element, new: &Element) -> Option<Element> {
    let mut combined = match new.name() {
        "cib" => new.clone(),
        "configuration" => {
            let mut cib = old.clone();
            *cib.child_mut("configuration")? = new.clone();
            cib
        }
        _ => return None,
    };
    let is_empty = combined.child("status").is_none_or(|status| status.first_element().is_none());
    if is_empty && let Some(status) = old.child("status") {
        *combined.child_or_insert("status") = status.clone();
        // What is known of the moment goes with the status.
        for name in ["have-quorum", "dc-uuid", "execution-date", "no-quorum-panic"] {
            combined.set_attr_opt(name, old.attr(name));
        }
    }
    Some(combined)
}

/// Plans the change from one CIB to another.
pub fn plan(old: &Element, new: &Element, now: WallTime, execute: &mut Execute<'_>) -> Plan {
    let mut plan = Plan { differences: differences(old, new), ..Plan::default() };
    let (cluster, schedule) = scheduled(new, now);
    let begin = standing(&cluster);
    let anyway = {
        let (cluster, schedule) = scheduled(old, now);
        deeds(View { cluster: &cluster, schedule: &schedule })
    };
    let first = deeds(View { cluster: &cluster, schedule: &schedule });
    let causes = causes(new, now, &mut plan, &first);
    let mut done = Vec::new();
    let end = run(new, now, &mut plan, execute, &mut done);
    fenced(View { cluster: &cluster, schedule: &schedule }, &mut plan, &causes, &anyway);
    plan.outcomes = outcomes(&begin, &end, &done, &causes, (&anyway, &first));
    let is_device = |name: &str| {
        let resource = cluster.resource_named(name).map(|id| cluster.resource(id));
        resource.and_then(|resource| resource.agent.as_ref()).is_some_and(|agent| *agent.class == *"stonith")
    };
    for outcome in &mut plan.outcomes {
        outcome.is_device = is_device(&outcome.resource);
    }
    plan
}

fn scheduled(cib: &Element, now: WallTime) -> (Cluster, Schedule) {
    let (cluster, _) = scheduler::unpack(cib, now);
    let schedule = scheduler::schedule(&cluster, &Options::default());
    (cluster, schedule)
}

/// Carries out one transition after the other until nothing is left to do; says how all is then.
fn run(
    cib: &Element,
    now: WallTime,
    plan: &mut Plan,
    execute: &mut Execute<'_>,
    done: &mut Vec<Deed>,
) -> BTreeMap<String, Standing> {
    let mut cib = cib.clone();
    loop {
        let (cluster, schedule) = scheduled(&cib, now);
        let view = View { cluster: &cluster, schedule: &schedule };
        let todo = deeds(view);
        let end = standing(&cluster);
        if todo.is_empty() {
            plan.complete = true;
            return end;
        }
        if plan.rounds >= ROUNDS_MAX {
            return end;
        }
        plan.rounds += 1;
        for action in walked(&schedule.graph) {
            let Some(action) =
                usize::try_from(action).ok().and_then(|id| schedule.actions.get(id.checked_sub(1)?))
            else {
                continue;
            };
            if let Some(deed) = deed(view, action) {
                plan.steps.push(view.action_name(action));
                done.push(deed);
            }
        }
        match execute(&cluster, schedule.graph.clone(), cib) {
            Some(after) => cib = after,
            None => return end,
        }
    }
}

/// The actions of a graph in the order in which they are done if all take the same time.
fn walked(graph: &TransitionGraph) -> Vec<i32> {
    use graph::walk::{Limits, Outcome as Result, Output, Walk};
    let mut walk = Walk::new(graph.clone(), Limits::default());
    let mut order = Vec::new();
    while let Some(output) = walk.poll(model::Instant::default()) {
        if let Output::Passed(id) | Output::Run(id) = output {
            order.push(id);
            walk.confirm(id, Result::Done);
        }
    }
    order
}

/// What an action does, if it is more than a check of what runs.
fn deed(view: View<'_>, action: &scheduler::Action) -> Option<Deed> {
    let node = action.node.map(|node| view.node_name(node)).unwrap_or_default();
    if action.pseudo {
        return None;
    }
    match (action.resource, &*action.task) {
        (None, "stonith") if action.meta("stonith_action") != Some("on") => {
            Some((String::new(), "stonith".to_owned(), node))
        }
        (None, _) => None,
        (
            Some(_),
            "monitor" | "cancel" | "lrm_delete" | "delete" | "notify" | "clear_failcount" | "meta-data",
        ) => None,
        (Some(id), task) => Some((fate::name_of(view.cluster, id), task.to_owned(), node)),
    }
}

fn deeds(view: View<'_>) -> Deeds {
    let graphed = view.schedule.actions.iter().filter(|action| action.in_graph);
    graphed.filter_map(|action| deed(view, action)).collect()
}

/// What each difference has to do with: by resource (empty: fencing), the nodes concerned, and the difference.
type Causes = BTreeMap<String, Vec<(BTreeSet<String>, String)>>;

/// A difference is taken back, it alone: whatever is done differently then has to do with it.
fn causes(new: &Element, now: WallTime, plan: &mut Plan, with: &Deeds) -> Causes {
    let mut causes = Causes::new();
    plan.cut = plan.differences.len() > DIFFERENCES_MAX;
    for difference in plan.differences.iter().take(DIFFERENCES_MAX) {
        let Some(cib) = difference.taken_back(new) else { continue };
        let (cluster, schedule) = scheduled(&cib, now);
        let without = deeds(View { cluster: &cluster, schedule: &schedule });
        let mut nodes: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
        for (resource, _, node) in with.symmetric_difference(&without) {
            nodes.entry(resource).or_default().insert(node.clone());
        }
        for (resource, nodes) in nodes {
            causes.entry(resource.clone()).or_default().push((nodes, difference.text.clone()));
        }
    }
    causes
}

fn fenced(view: View<'_>, plan: &mut Plan, causes: &Causes, anyway: &Deeds) {
    for action in view.schedule.actions.iter().filter(|action| action.in_graph && *action.task == *"stonith")
    {
        let Some(deed) = deed(view, action) else { continue };
        let reason = match &action.reason {
            Some(Reason::Fencing(reason)) => fencing(reason),
            Some(reason) => reason.to_string(),
            None => "it has to be".to_owned(),
        };
        let of_node =
            |(nodes, text): &(BTreeSet<String>, String)| nodes.contains(&deed.2).then(|| text.clone());
        let causes = causes.get("").into_iter().flatten().filter_map(of_node).collect();
        plan.fenced.push(Fenced { node: deed.2.clone(), reason, causes, anyway: anyway.contains(&deed) });
    }
}
