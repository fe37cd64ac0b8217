// SPDX-License-Identifier: GPL-2.0-or-later
//! The transition summary: what is going to happen, a line for each node and resource something happens to.
//!
//! Decides: the word (Start, Move, Recover, …) and the layout. Given: a schedule. Leaves to others: why it is so.

use super::telling::Telling;
use crate::output::Entry;
use model::Role;
use scheduler::{Action, Cluster, NodeId, Placement, ResourceId, Schedule, Variant};

/// Tells all lines.
pub(super) fn tell(telling: &mut Telling<'_, '_>, cluster: &Cluster, schedule: &Schedule) {
    tell_nodes(telling, cluster, schedule);
    let mut changes = Vec::new();
    for &id in &schedule.top {
        add_changes(&mut changes, cluster, schedule, id);
    }
    // A name that does not fit makes room for two more than itself: that is what readers are used to.
    let grow = |width: usize, name: &str| if name.len() > width { name.len() + 2 } else { width };
    let name_width = changes.iter().fold(5, |width, change| grow(width, change.name));
    let detail_width = changes.iter().map(|change| change.place.text().len()).fold(5, usize::max);
    for change in &changes {
        let Change { word, name, place, .. } = change;
        let (details, reason) = (place.text(), change.reason_text());
        let line = format!("{word:<8}   {name:<name_width$}   ( {details:>detail_width$} ){reason}");
        telling.item(line, || change.entry());
    }
}

fn tell_nodes(telling: &mut Telling<'_, '_>, cluster: &Cluster, schedule: &Schedule) {
    for action in schedule.actions.iter().rev() {
        if action.resource.is_some() || action.optional {
            continue;
        }
        let task = match &*action.task {
            "do_shutdown" => "Shutdown".to_owned(),
            "stonith" => {
                let how = action.meta.get("stonith_action").map_or("reboot", |how| &**how);
                format!("Fence ({how})")
            }
            _ => continue,
        };
        let mut node = action.node.map_or("", |node| &*cluster.node(node).name).to_owned();
        // Whatever happens to a guest is done to what it runs in.
        if let Some(launcher) = action.node.and_then(|node| cluster.launcher_of(node)) {
            node.push_str(&format!(" (resource: {})", cluster.resource(launcher).id));
        }
        // Without a reason the line goes to the log alone.
        if let Some(reason) = &action.reason {
            let reason = reason.to_string();
            telling.item(format_args!("{task} {node} '{reason}'"), || {
                Entry::new("node_action").attr("task", &task).attr("node", &node).attr("reason", &reason)
            });
        }
    }
}

/// What happens to a resource.
struct Change<'a> {
    word: &'static str,
    name: &'a str,
    place: Place<'a>,
    reason: Option<String>,
    blocked: bool,
}

impl Change<'_> {
    fn reason_text(&self) -> String {
        match (&self.reason, self.blocked) {
            (Some(reason), false) => format!("  due to {reason}"),
            (Some(reason), true) => format!("  due to {reason} (blocked)"),
            (None, false) => String::new(),
            (None, true) => "  blocked".to_owned(),
        }
    }

    fn entry(&self) -> Entry {
        let entry = Entry::new("rsc_action")
            .attr("action", self.word.to_ascii_lowercase())
            .attr("resource", self.name);
        let entry = self.place.attributes().into_iter().fold(entry, |e, (name, value)| e.attr(name, value));
        let entry = entry.attr_opt("reason", self.reason.as_deref());
        entry.attr_opt("blocked", self.blocked.then_some(true))
    }
}

/// From where to where, with roles where they matter.
struct Place<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
    role: Role,
    next_role: Role,
    /// Either role is more than being started.
    need_role: bool,
}

impl Place<'_> {
    fn text(&self) -> String {
        let Place { role, next_role: next, need_role, .. } = *self;
        let same_role = role == next;
        match (self.from, self.to) {
            (None, None) => String::new(),
            (None, Some(to)) if need_role => format!("{role} -> {next} {to}"),
            (None, Some(to)) => to.to_owned(),
            (Some(from), None) if need_role => format!("{role} {from}"),
            (Some(from), None) => from.to_owned(),
            (Some(from), Some(to)) if from == to && same_role && need_role => format!("{role} {from}"),
            (Some(from), Some(to)) if from == to && same_role => from.to_owned(),
            (Some(from), Some(to)) if same_role && need_role => format!("{from} -> {to} {role}"),
            (Some(from), Some(to)) if same_role => format!("{from} -> {to}"),
            (Some(from), Some(to)) if from == to => format!("{role} -> {next} {from}"),
            (Some(from), Some(to)) => format!("{role} {from} -> {next} {to}"),
        }
    }

    /// The same as a report has it.
    fn attributes(&self) -> Vec<(&'static str, String)> {
        let same_role = self.role == self.next_role;
        let role = ("role", self.role.to_string());
        let next = ("next-role", self.next_role.to_string());
        let known = if self.need_role { vec![role.clone()] } else { Vec::new() };
        let at = |name, node: &str| vec![(name, node.to_owned())];
        match (self.from, self.to) {
            (None, None) => Vec::new(),
            (None, Some(to)) if self.need_role => [vec![role, next], at("dest", to)].concat(),
            (None, Some(to)) => at("node", to),
            (Some(from), None) => [known, at("node", from)].concat(),
            (Some(from), Some(to)) if from == to && same_role => [known, at("source", from)].concat(),
            (Some(from), Some(to)) if same_role => [at("source", from), at("dest", to), known].concat(),
            (Some(from), Some(to)) if from == to => [vec![role, next], at("source", from)].concat(),
            (Some(from), Some(to)) => [vec![role], at("source", from), vec![next], at("dest", to)].concat(),
        }
    }
}

/// A line in the making.
struct Line<'a> {
    word: &'static str,
    from: Option<NodeId>,
    to: Option<NodeId>,
    /// The action that makes the change.
    action: &'a Action,
    /// The action whose reason is given, if another one's.
    reason_of: Option<&'a Action>,
}

fn add_changes<'a>(
    changes: &mut Vec<Change<'a>>,
    cluster: &'a Cluster,
    schedule: &'a Schedule,
    id: ResourceId,
) {
    let resource = cluster.resource(id);
    let Some(placement) = schedule.placements.get(id.index()) else { return };
    if resource.variant == Variant::Bundle {
        for replica in &resource.replicas {
            let parts = [replica.ip, Some(replica.container), replica.remote, replica.child];
            for part in parts.into_iter().flatten() {
                add_changes(changes, cluster, schedule, part);
            }
        }
        return;
    }
    if resource.variant != Variant::Primitive {
        for &child in &placement.children {
            add_changes(changes, cluster, schedule, child);
        }
        return;
    }
    let plan = Plan::new(cluster, schedule, id, placement);
    let gone = plan.current.is_none() && placement.state.removed;
    let idle = plan.current.is_none() && plan.next.is_none();
    if gone || idle || !placement.state.managed {
        return;
    }
    changes.extend(plan.lines().iter().map(|line| Change {
        word: line.word,
        name: &resource.id,
        place: plan.place(line),
        reason: line.reason_of.unwrap_or(line.action).reason.as_ref().map(ToString::to_string),
        blocked: !line.action.runnable,
    }));
}

/// What is planned for a primitive.
struct Plan<'a> {
    cluster: &'a Cluster,
    schedule: &'a Schedule,
    id: ResourceId,
    placement: &'a Placement,
    current: Option<NodeId>,
    next: Option<NodeId>,
    role: Role,
}

impl<'a> Plan<'a> {
    fn new(
        cluster: &'a Cluster,
        schedule: &'a Schedule,
        id: ResourceId,
        placement: &'a Placement,
    ) -> Plan<'a> {
        let state = &placement.state;
        let current = placement.current;
        let role = match state.role {
            // It is active somewhere: recovery has changed what it counts as.
            Role::Stopped if current.is_some() => Role::Started,
            role => role,
        };
        Plan { cluster, schedule, id, placement, current, next: placement.assigned, role }
    }

    /// The oldest action of a kind, on a node if one is given.
    fn action(&self, task: &str, node: Option<NodeId>) -> Option<&'a Action> {
        let key = format!("{}_{task}_0", self.cluster.resource(self.id).id);
        let actions = self.placement.actions.iter().rev();
        let mut actions = actions.filter_map(|action| self.schedule.actions.get(action.index()));
        actions.find(|action| {
            action.key.eq_ignore_ascii_case(&key)
                && (node.is_none() || action.node.is_none() || action.node == node)
        })
    }

    fn is_moving(&self) -> bool {
        self.current.is_some() && self.next.is_some() && self.current != self.next
    }

    fn lines(&self) -> Vec<Line<'a>> {
        let start = self.action("start", self.next);
        let start_runs = start.is_some_and(|start| start.runnable);
        let stop = self.action("stop", if start_runs { self.current } else { None }).or_else(|| {
            let elsewhere = self.placement.state.stop_unexpected;
            if elsewhere { self.action("stop", None) } else { None }
        });
        if self.role == self.placement.state.next_role {
            self.same_role(start, stop).into_iter().collect()
        } else {
            self.other_role(start, stop)
        }
    }

    fn line(&self, word: &'static str, action: Option<&'a Action>) -> Option<Line<'a>> {
        Some(Line { word, from: self.current, to: self.next, action: action?, reason_of: None })
    }

    fn same_role(&self, start: Option<&'a Action>, stop: Option<&'a Action>) -> Option<Line<'a>> {
        let state = &self.placement.state;
        let migrate = self.action("migrate_from", self.next);
        if self.current.is_some() && migrate.is_some_and(|migrate| migrate.runnable) {
            return self.line("Migrate", start);
        }
        if state.reload {
            return self.line("Reload", start);
        }
        let Some(start) = start.filter(|start| !start.optional) else {
            let (demote, promote) = (self.action("demote", self.next)?, self.action("promote", self.next)?);
            let both = !demote.optional && !promote.optional;
            let line = self.line("Re-promote", Some(promote)).filter(|_| both)?;
            return Some(Line { reason_of: Some(demote), ..line });
        };
        if !start.runnable {
            let reason_of = stop.filter(|stop| stop.reason.is_some()).unwrap_or(start);
            let line = self.line("Stop", stop)?;
            return Some(Line { to: None, reason_of: Some(reason_of), ..line });
        }
        if self.is_moving() {
            return self.line(if state.failed { "Recover" } else { "Move" }, stop);
        }
        if state.failed {
            return Some(Line { to: None, ..self.line("Recover", stop)? });
        }
        self.line("Restart", Some(start))
    }

    fn other_role(&self, start: Option<&'a Action>, stop: Option<&'a Action>) -> Vec<Line<'a>> {
        let state = &self.placement.state;
        let start_blocked = start.is_some_and(|start| !start.runnable);
        let line = match stop {
            Some(_) if state.next_role == Role::Stopped || start_blocked => {
                return state.active_on.iter().filter_map(|&node| self.stop_line(start, node)).collect();
            }
            Some(_) if state.failed && state.stop_if_failed => {
                self.line("Recover", stop).map(|line| Line { reason_of: start, ..line })
            }
            _ if self.is_moving() => self.line("Move", stop),
            _ if state.reload => self.line("Reload", start),
            Some(stop) if !stop.optional => self.line("Restart", start),
            _ if self.role == Role::Promoted => self.line("Demote", self.action("demote", self.next)),
            _ if state.next_role == Role::Promoted => self.line("Promote", self.action("promote", self.next)),
            _ if self.role <= Role::Stopped && state.next_role > Role::Stopped => self.line("Start", start),
            _ => None,
        };
        line.into_iter().collect()
    }

    fn stop_line(&self, start: Option<&'a Action>, node: NodeId) -> Option<Line<'a>> {
        let stop = self.action("stop", Some(node))?;
        let reason_of = if stop.reason.is_some() { Some(stop) } else { start };
        Some(Line { word: "Stop", from: Some(node), to: None, action: stop, reason_of })
    }

    fn place(&self, line: &Line<'_>) -> Place<'a> {
        let (role, next_role) = (self.role, self.placement.state.next_role);
        let need_role = role > Role::Started || next_role > Role::Unpromoted;
        let name = |node: NodeId| &*self.cluster.node(node).name;
        Place { from: line.from.map(name), to: line.to.map(name), role, next_role, need_role }
    }
}
