// SPDX-License-Identifier: GPL-2.0-or-later
//! Simulated execution: the graph is walked, and what would have happened is written into the CIB.
//!
//! Decides: what an executor, a fencer and a controller would have recorded. Given: a graph, a CIB, failures asked for.
//! Leaves to others: the order (the walker) and what the new status means (the scheduler).

use super::status_edit::{self, AgentRef, Membership, OperationResult};
use super::telling::Telling;
use crate::failure::Failure;
use crate::output::Entry;
use graph::walk::{Ending, Limits, Next, Outcome, Output, Walk};
use graph::{Action, ActionKind, TransitionGraph};
use model::{FeatureSet, Instant, Interval, OcfCode, Score, WallTime};
use scheduler::Cluster;
use xml::Element;

/// The origin written into the state of a node that was fenced.
const FENCING_ORIGIN: &str = "simulate_fencing_action";

/// What the simulated operations record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recording {
    pub(super) feature_set: FeatureSet,
    pub(super) at: WallTime,
}

/// Walks the graph to its end and gives the CIB as it then is; and whether the graph made sense.
pub(super) fn execute(
    telling: &mut Telling<'_, '_>,
    cluster: &Cluster,
    graph: TransitionGraph,
    cib: Element,
    failures: &[String],
    recording: Recording,
) -> Result<(Element, bool), Failure> {
    let mut execution = Execution { telling, cluster, cib, failures, recording };
    let mut walk = Walk::new(graph, Limits::default());
    // Time stands still: everything is confirmed at once.
    let now = Instant::default();
    let mut ending = Ending::Complete;
    while let Some(output) = walk.poll(now) {
        match output {
            Output::Passed(id) | Output::Run(id) => {
                let Some(action) = walk.action(id).cloned() else { continue };
                let outcome = execution.action(&mut walk, &action)?;
                walk.confirm(id, outcome);
            }
            Output::Lost(_) => {}
            Output::Finished(how) => ending = how,
        }
    }
    let sound = ending != Ending::Terminated;
    if !sound {
        execution.telling.error("Transition failed: terminated");
        execution.telling.error("An invalid transition was produced");
    }
    Ok((execution.cib, sound))
}

struct Execution<'a, 'o, 'w> {
    telling: &'a mut Telling<'o, 'w>,
    cluster: &'a Cluster,
    cib: Element,
    failures: &'a [String],
    recording: Recording,
}

impl Execution<'_, '_, '_> {
    fn action(&mut self, walk: &mut Walk, action: &Action) -> Result<Outcome, Failure> {
        let identity = &action.identity;
        let node = identity.node.as_ref().map(|node| &*node.name);
        let shown = node.unwrap_or_default();
        match identity.kind {
            ActionKind::Pseudo => {
                let on = node.map(|node| format!(" on {node}")).unwrap_or_default();
                let key = &identity.operation_key;
                self.telling.detail(format_args!("Pseudo action:   {key}{on}"), || {
                    Entry::new("pseudo_action").attr("task", key).attr_opt("node", node)
                });
            }
            ActionKind::Cluster if identity.operation == "stonith" => {
                let how = action.meta("stonith_action").unwrap_or_default();
                self.telling.detail(format_args!("Fencing {shown} ({how})"), || {
                    Entry::new("fencing_action").attr("target", shown).attr("op", how)
                });
                if !how.eq_ignore_ascii_case("on") {
                    status_edit::set_membership(&mut self.cib, shown, Membership::Down, FENCING_ORIGIN)?;
                }
            }
            ActionKind::Cluster => {
                let task = &identity.operation;
                let whose = action.resource.as_ref().map(|resource| &*resource.id);
                let of = whose.map(|id| format!(" for {id}")).unwrap_or_default();
                self.telling.detail(format_args!("Cluster action:  {task}{of} on {shown}"), || {
                    Entry::new("cluster_action").attr("task", task).attr("node", shown).attr_opt("id", whose)
                });
            }
            ActionKind::Resource => return self.operation(walk, action, shown),
        }
        Ok(Outcome::Done)
    }

    fn tell_operation(&mut self, resource: &str, task: &str, interval_ms: u64, node: &str) {
        let every = if interval_ms > 0 { format!("={interval_ms}") } else { String::new() };
        self.telling.detail(format_args!("Resource action: {resource:<15} {task}{every} on {node}"), || {
            let interval = Some(interval_ms).filter(|&ms| ms > 0).map(|ms| ms.to_string());
            Entry::new("rsc_action")
                .attr("resource", resource)
                .attr("op", task)
                .attr("node", node)
                .attr_opt("interval", interval)
        });
    }

    /// The resource's name in what is shown: the instance's, if the common one is no resource's.
    fn shown_name<'r>(&self, resource: &'r graph::GraphResource) -> &'r str {
        let known = |id: &str| {
            let same = |r: &scheduler::Resource| *r.id == *id || r.history_id.as_deref() == Some(id);
            self.cluster.resources.iter().any(same)
        };
        match resource.long_id.as_deref() {
            Some(long) if !known(&resource.id) && known(long) => long,
            _ => &resource.id,
        }
    }

    fn operation(&mut self, walk: &mut Walk, action: &Action, node: &str) -> Result<Outcome, Failure> {
        let identity = &action.identity;
        let task = &*identity.operation;
        if task == "probe_complete" {
            return Ok(Outcome::Done);
        }
        let Some(resource) = &action.resource else {
            walk.refuse(identity.id);
            return Ok(Outcome::Failed);
        };
        let name = self.shown_name(resource);
        if matches!(task, "delete" | "meta-data") {
            self.tell_operation(name, task, 0, node);
            return Ok(Outcome::Done);
        }
        let agent = AgentRef {
            class: resource.class.clone(),
            provider: resource.provider.clone(),
            name: resource.agent.clone(),
        };
        let node_id = identity.node.as_ref().map(|node| &*node.id);
        // Remote nodes, which are reached through others, have their names for ids.
        let node_id = if identity.router_node.is_some() { Some(node) } else { node_id };
        let state = status_edit::node_state(&mut self.cib, node, node_id)?;
        let before = state.clone();
        if let Err(error) = status_edit::resource_history(state, name, &resource.id, &agent) {
            *state = before;
            self.telling.error(error);
            walk.refuse(identity.id);
            return Ok(Outcome::Failed);
        }
        *state = before;
        let interval_ms = action.meta("interval").and_then(|text| text.parse().ok()).unwrap_or(0);
        self.tell_operation(name, task, interval_ms, node);
        let target = action.meta("op_target_rc").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut result = OperationResult {
            resource: &resource.id,
            task,
            interval: Interval::from_ms(interval_ms),
            rc: OcfCode::new(target),
            target_rc: OcfCode::new(target),
            exit_reason: "User-injected result",
            node,
            attributes: &action.attributes,
            feature_set: self.recording.feature_set,
            at: self.recording.at,
        };
        let mut outcome = Outcome::Done;
        let before = self.cib.clone();
        if let Some((rc, whose)) = self.wanted_failure(name, &resource.id, &result) {
            result.rc = rc;
            self.pretend(walk, identity.id, &result, whose)?;
            outcome = Outcome::Failed;
        }
        let state = status_edit::node_state(&mut self.cib, node, node_id)?;
        if let Err(error) = status_edit::record_result(state, name, &resource.id, &agent, &result) {
            self.telling.error(error);
        }
        // The failure and the result are one change.
        let after = std::mem::replace(&mut self.cib, before);
        status_edit::counted(&mut self.cib, |cib| *cib = after);
        Ok(outcome)
    }

    /// The failure asked for, if any, with the name it was asked for under.
    fn wanted_failure<'n>(
        &mut self,
        name: &'n str,
        config_name: &'n str,
        result: &OperationResult<'_>,
    ) -> Option<(OcfCode, &'n str)> {
        for wanted in self.failures {
            let Some((operation, rc)) = wanted.split_once('=') else { continue };
            let matches = |id: &&&str| {
                let own = format!("{id}_{}_{}@{}", result.task, result.interval.as_ms(), result.node);
                own.eq_ignore_ascii_case(operation)
            };
            let Some(whose) = [&name, &config_name].into_iter().find(matches) else { continue };
            match rc.trim().parse() {
                Ok(rc) => return Some((OcfCode::new(rc), whose)),
                Err(_) => self
                    .telling
                    .error(format_args!("Invalid failed operation '{wanted}' (result code must be integer)")),
            }
        }
        None
    }

    fn pretend(
        &mut self,
        walk: &mut Walk,
        id: i32,
        result: &OperationResult<'_>,
        whose: &str,
    ) -> Result<(), Failure> {
        self.telling.info(format_args!("Pretending action {id} failed with rc={}", result.rc.value()));
        walk.abort(Score::INFINITY.value(), Next::Done, "Pretended failure");
        let options = &walk.graph().options;
        let offset = match result.task {
            "start" => &*options.failed_start_offset,
            "stop" => &*options.failed_stop_offset,
            _ => "",
        };
        let fatal = offset.parse() == Ok(Score::INFINITY);
        let state = status_edit::node_state(&mut self.cib, result.node, None)?;
        super::inject::fail_count(self.telling, state, whose, result, fatal);
        Ok(())
    }
}
