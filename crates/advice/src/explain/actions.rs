// SPDX-License-Identifier: GPL-2.0-or-later
//! What is going to be done with a resource, why, and what each action waits for.
//!
//! Decides: what of the plan concerns a resource, and what an ordering comes from. Given: a schedule. Leaves to others: the
//! plan.

use super::{ActionView, Question, View, Wait};
use scheduler::{
    Action, ActionId, ConfiguredSide, FenceReason, Loss, NodeId, Placement, Reason, ResourceId, Variant,
};
use std::collections::BTreeSet;

/// How many actions an action is said to wait for at most.
const WAITS_MAX: usize = 200;

impl View<'_> {
    /// The actions of a primitive, in the order of their numbers.
    pub(super) fn actions(&self, id: ResourceId, question: &Question) -> Vec<ActionView> {
        let Some(placement) = self.schedule.placements.get(id.index()) else { return Vec::new() };
        let mut ids: Vec<ActionId> = placement.actions.clone();
        ids.sort();
        let due = |id: &ActionId| {
            let action = self.schedule.action(*id);
            let wanted = question.action.as_deref().is_none_or(|task| is_task(action, task));
            let here = question.node.is_none_or(|node| action.node.is_none_or(|at| at == node));
            let blocked = !action.optional && !action.runnable && action.node.is_some();
            wanted && here && !action.pseudo && (action.in_graph || blocked)
        };
        ids.into_iter().filter(due).map(|action| self.action(id, placement, action)).collect()
    }

    fn action(&self, id: ResourceId, placement: &Placement, action_id: ActionId) -> ActionView {
        let action = self.schedule.action(action_id);
        let mut why = self.purpose(id, placement, action);
        if let Some(reason) = action.reason.as_ref().and_then(|reason| self.reason(action, reason)) {
            why = format!("{why}; {reason}");
        }
        ActionView {
            task: action
                .cancel_task
                .as_ref()
                .map_or_else(|| action.task.to_string(), |task| format!("cancel {task}")),
            interval_ms: action.interval.as_ms(),
            node: action.node.map(|node| self.node_name(node)),
            possible: action.runnable,
            why,
            waits: if action.in_graph { self.waits(action_id) } else { Vec::new() },
        }
    }

    // --- why ------------------------------------------------------------------------------------------------------

    /// What an action is good for, by what becomes of its resource.
    fn purpose(&self, id: ResourceId, placement: &Placement, action: &Action) -> String {
        let name = |node: Option<NodeId>| node.map(|node| self.node_name(node)).unwrap_or_default();
        let state = &placement.state;
        let (from, to) = (placement.current, placement.assigned);
        let moves = from.is_some() && to.is_some() && from != to;
        match &*action.task {
            "start" if from.is_none() => format!("it is stopped, and is to run on {}", name(to)),
            "start" | "stop" if moves && state.failed => {
                format!("it failed on {}, and is recovered on {}", name(from), name(to))
            }
            "start" | "stop" if moves => format!("it moves from {} to {}", name(from), name(to)),
            "start" | "stop" if to.is_some() && state.failed => "it failed, and is recovered".to_owned(),
            "start" | "stop" if to.is_some() && self.is_misplaced(id, to, action.node) => {
                format!("it is active on {}, where it is not to be", name(action.node))
            }
            "start" | "stop" if to.is_some() => "it is restarted".to_owned(),
            "stop" => self.stop_purpose(id),
            "promote" => format!("it is to be promoted on {}", name(action.node)),
            "demote" if to.is_none() || moves => format!("before it leaves {}", name(action.node)),
            "demote" => format!("it is to be promoted no longer on {}", name(action.node)),
            "migrate_to" | "migrate_from" => {
                format!("it moves live from {} to {}", name(from), name(to))
            }
            "monitor" if action.interval.as_ms() > 0 => "recurring check while it runs".to_owned(),
            "monitor" => format!("it is not known whether it runs on {}", name(action.node)),
            "reload-agent" | "reload" => "its parameters changed, and a reload is enough".to_owned(),
            "lrm_delete" | "delete" => "its history there is to be forgotten".to_owned(),
            "clear_failcount" => "its failures there are to be forgotten".to_owned(),
            "cancel" => "the recurring operation is no longer wanted there".to_owned(),
            "notify" => "it is told what happens to the other instances".to_owned(),
            task => format!("{task} is to be done"),
        }
    }

    /// It runs where it should, and there as well.
    fn is_misplaced(&self, id: ResourceId, to: Option<NodeId>, at: Option<NodeId>) -> bool {
        self.cluster.resource(id).state.active_on.len() > 1 && at != to
    }

    fn stop_purpose(&self, id: ResourceId) -> String {
        let resource = self.cluster.resource(id);
        let target = resource.meta.get("target-role").filter(|role| role.eq_ignore_ascii_case("stopped"));
        if resource.state.removed {
            "it is no longer configured".to_owned()
        } else if target.is_some() {
            "target-role is Stopped".to_owned()
        } else if self.cluster.options.stop_all {
            "stop-all-resources is set".to_owned()
        } else if !self.cluster.quorate {
            "there is no quorum, or no node can run it".to_owned()
        } else {
            "no node can run it any more".to_owned()
        }
    }

    /// The scheduler's own reason, with the constraint it came along.
    fn reason(&self, action: &Action, reason: &Reason) -> Option<String> {
        Some(match reason {
            Reason::Fencing(reason) => fencing(reason),
            Reason::NoQuorum => "without quorum it cannot be done".to_owned(),
            Reason::QuorumFreeze => "without quorum (no-quorum-policy=freeze) it cannot be done".to_owned(),
            Reason::NodeAvailability => "no node may run it".to_owned(),
            Reason::MultiplyActive => "it is active more than once".to_owned(),
            Reason::DefinitionChange => "its definition changed since it was started".to_owned(),
            Reason::Colocation { with } => format!("it has to be with {with}, which cannot start"),
            Reason::Ordering { loss, resource, task } => {
                let other = match resource {
                    Some(resource)
                        if action.resource.is_some_and(|id| self.resource_id(id) == **resource) =>
                    {
                        return match loss {
                            Loss::Optional => None,
                            Loss::Runnable => Some(format!("its {task} cannot be done")),
                            Loss::Migratable => {
                                Some(format!("its {task} cannot be part of a live migration"))
                            }
                        };
                    }
                    Some(resource) => format!("{task} of {resource}"),
                    None => task.to_string(),
                };
                let constraint = self.constraint_behind(action, resource.as_deref(), task);
                let by = constraint.map(|id| format!(" ({id})")).unwrap_or_default();
                match loss {
                    Loss::Optional => format!("{other} has to be done, and so has this{by}"),
                    Loss::Runnable => format!("{other} cannot be done, so this cannot{by}"),
                    Loss::Migratable => format!("{other} rules out a live migration{by}"),
                }
            }
        })
    }

    /// The constraint between an action and the one that is its reason.
    fn constraint_behind(&self, action: &Action, resource: Option<&str>, task: &str) -> Option<String> {
        let own = ActionId::new(usize::try_from(action.id).ok()?.checked_sub(1)?);
        let fits = |other: &ActionId| {
            let other = self.schedule.action(*other);
            *other.task == *task && other.resource.map(|id| self.resource_id(id)).as_deref() == resource
        };
        let before = action.before.iter().map(|relation| relation.action).filter(fits);
        let after = action.after.iter().map(|relation| relation.action).filter(fits);
        let earlier = before.clone().find_map(|first| self.constraint_between(first, own));
        earlier.or_else(|| after.clone().find_map(|then| self.constraint_between(own, then)))
    }

    // --- what it waits for ----------------------------------------------------------------------------------------

    /// The real actions that come before one: what only stands for others is looked through.
    fn waits(&self, id: ActionId) -> Vec<Wait> {
        let mut waits: Vec<Wait> = Vec::new();
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![(id, None::<String>)];
        while let Some((then, constraint)) = open.pop() {
            let action = self.schedule.action(then);
            for relation in action.before.iter().rev().filter(|relation| relation.graphed) {
                if waits.len() >= WAITS_MAX || !seen.insert(relation.action) {
                    continue;
                }
                let first = self.schedule.action(relation.action);
                let found = self.constraint_between(relation.action, then).or_else(|| constraint.clone());
                if first.pseudo {
                    open.push((relation.action, found));
                    continue;
                }
                let cause = match &found {
                    Some(constraint) => format!("constraint {constraint}"),
                    None => self.implied(first, self.schedule.action(id)),
                };
                waits.push(Wait { action: self.action_name(first), cause, constraint: found });
            }
        }
        waits.sort_by(|a, b| a.action.cmp(&b.action));
        waits
    }

    /// An action as people call it.
    pub(crate) fn action_name(&self, action: &Action) -> String {
        let node = action.node.map(|node| self.node_name(node)).unwrap_or_default();
        match (action.resource, &*action.task) {
            (None, "stonith") => match action.meta("stonith_action") {
                Some("on") => format!("unfencing of {node}"),
                _ => format!("fencing of {node}"),
            },
            (None, "do_shutdown") => format!("shutdown of {node}"),
            (None, _) => action.key.to_string(),
            (Some(id), "monitor") if action.interval.as_ms() == 0 => {
                format!("probe of {} on {node}", self.resource_id(id))
            }
            (Some(id), task) => format!("{task} of {} on {node}", self.resource_id(id)),
        }
    }

    fn chain(&self, id: ResourceId) -> impl Iterator<Item = ResourceId> + '_ {
        std::iter::successors(Some(id), |id| self.cluster.resource(*id).parent)
    }

    /// The constraint that orders two actions, if one does.
    fn constraint_between(&self, first: ActionId, then: ActionId) -> Option<String> {
        let orderings = &self.schedule.reasons.as_ref()?.orderings;
        let fits = |side: &ConfiguredSide, id: ActionId| {
            if let Some(action) = side.action {
                return action == id;
            }
            let action = self.schedule.action(id);
            let (Some(resource), Some(task)) = (side.resource, side.task.as_deref()) else { return false };
            let ours = action.resource.is_some_and(|id| self.chain(id).any(|id| id == resource));
            ours && same_task(task, &action.task)
        };
        let found = orderings.iter().find(|o| fits(&o.first, first) && fits(&o.then, then));
        found.map(|ordering| ordering.id.to_string())
    }

    /// What orders two actions if no constraint does.
    fn implied(&self, first: &Action, then: &Action) -> String {
        let (Some(a), Some(b)) = (first.resource, then.resource) else {
            return match &*first.task {
                "stonith" if first.meta("stonith_action") == Some("on") => {
                    "the node has to be unfenced first".to_owned()
                }
                "stonith" => match first.reason.as_ref() {
                    Some(Reason::Fencing(reason)) => format!("fenced first: {}", fencing(reason)),
                    _ => "it may still run there until the node is fenced".to_owned(),
                },
                task if task.starts_with("load_stopped") => "room has to be made first".to_owned(),
                _ => "done first".to_owned(),
            };
        };
        if a == b {
            return match (&*first.task, &*then.task) {
                ("stop", "start") => "stopped before it is started elsewhere or again",
                ("demote", "stop") => "demoted before it is stopped",
                ("start", "promote") => "started before it is promoted",
                ("monitor", _) => "its state has to be known first",
                ("migrate_to", "migrate_from") | ("migrate_from", _) | ("migrate_to", _) => "live migration",
                ("start", "monitor") => "checked once it runs",
                ("promote" | "demote", "monitor") => "checked once its role is right",
                ("cancel", _) | ("clear_failcount", _) | ("lrm_delete", _) => "cleaned up first",
                _ => "the order of its own operations",
            }
            .to_owned();
        }
        if *first.task == *"monitor" && first.interval.as_ms() == 0 {
            return "its state has to be known first".to_owned();
        }
        self.implied_by_structure(a, b, first, then)
    }

    fn implied_by_structure(&self, a: ResourceId, b: ResourceId, first: &Action, then: &Action) -> String {
        let connection = then.node.and_then(|node| self.cluster.node(node).connection);
        if connection == Some(a) || self.cluster.launcher_of(then.node.unwrap_or(NodeId::new(0))) == Some(a) {
            return "the node is reached through it".to_owned();
        }
        if first.node.is_some_and(|node| {
            self.cluster.node(node).connection == Some(b) || self.cluster.launcher_of(node) == Some(b)
        }) {
            return "the node has to be left before its connection ends".to_owned();
        }
        let chain: Vec<ResourceId> = self.chain(a).collect();
        let common = self.chain(b).find(|id| chain.contains(id));
        match common.map(|id| (self.cluster.resource(id).variant, self.resource_id(id))) {
            Some((Variant::Group, id)) => format!("order in group {id}"),
            Some((Variant::Clone, id)) => format!("order of the instances of {id}"),
            Some((Variant::Bundle, id)) => format!("order in bundle {id}"),
            _ => "ordered by what holds them".to_owned(),
        }
    }
}

fn is_task(action: &Action, wanted: &str) -> bool {
    let probe = *action.task == *"monitor" && action.interval.as_ms() == 0;
    action.task.eq_ignore_ascii_case(wanted) || wanted.eq_ignore_ascii_case("probe") && probe
}

fn same_task(configured: &str, actual: &str) -> bool {
    configured == actual
        || matches!(
            (configured, actual),
            ("start", "running" | "migrate_to" | "migrate_from")
                | ("running", "start")
                | ("stop", "stopped" | "migrate_to")
                | ("stopped", "stop")
                | ("promote", "promoted")
                | ("promoted", "promote")
                | ("demote", "demoted")
                | ("demoted", "demote")
        )
}

/// Why a node is fenced, in a phrase.
pub(crate) fn fencing(reason: &FenceReason) -> String {
    match reason {
        FenceReason::Lost => "the node is no longer part of the cluster".to_owned(),
        FenceReason::NotSeen => "the node has never been seen".to_owned(),
        FenceReason::ResourceFailed(resource) => format!("{resource} failed there"),
        other => other.to_string(),
    }
}
