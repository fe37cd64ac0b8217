// SPDX-License-Identifier: GPL-2.0-or-later
//! The transition summary: what is going to happen, a line for each node and resource something happens to.
//!
//! Decides: the word (Start, Move, Recover, …) and the layout. Given: a schedule. Leaves to others: why it is so.

use crate::status::Lists;
use model::Role;
use scheduler::{Action, Cluster, NodeId, Placement, ResourceId, Schedule, Variant};

/// Prints all lines.
pub(super) fn print(lists: &mut Lists<'_>, cluster: &Cluster, schedule: &Schedule) {
    print_nodes(lists, cluster, schedule);
    let mut lines = Vec::new();
    for &id in &schedule.top {
        add_lines(&mut lines, cluster, schedule, id);
    }
    print_lines(lists, &lines);
}

fn print_nodes(lists: &mut Lists<'_>, cluster: &Cluster, schedule: &Schedule) {
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
            lists.item(format_args!("{task} {node} '{reason}'"));
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

/// A line as text, in columns.
struct Columns<'a> {
    word: &'static str,
    name: &'a str,
    details: String,
    reason: String,
}

fn add_lines<'a>(lines: &mut Vec<Columns<'a>>, cluster: &'a Cluster, schedule: &'a Schedule, id: ResourceId) {
    let resource = cluster.resource(id);
    let Some(placement) = schedule.placements.get(id.index()) else { return };
    if resource.variant == Variant::Bundle {
        for replica in &resource.replicas {
            let parts = [replica.ip, Some(replica.container), replica.remote, replica.child];
            for part in parts.into_iter().flatten() {
                add_lines(lines, cluster, schedule, part);
            }
        }
        return;
    }
    if resource.variant != Variant::Primitive {
        for &child in &placement.children {
            add_lines(lines, cluster, schedule, child);
        }
        return;
    }
    let plan = Plan::new(cluster, schedule, id, placement);
    let gone = plan.current.is_none() && placement.state.removed;
    let idle = plan.current.is_none() && plan.next.is_none();
    if gone || idle || !placement.state.managed {
        return;
    }
    lines.extend(plan.lines().iter().map(|line| Columns {
        word: line.word,
        name: &resource.id,
        details: plan.details(line),
        reason: reason(line),
    }));
}

fn reason(line: &Line<'_>) -> String {
    let reason = line.reason_of.unwrap_or(line.action).reason.as_ref();
    match (reason, line.action.runnable) {
        (Some(reason), true) => format!("  due to {reason}"),
        (Some(reason), false) => format!("  due to {reason} (blocked)"),
        (None, true) => String::new(),
        (None, false) => "  blocked".to_owned(),
    }
}

fn print_lines(lists: &mut Lists<'_>, lines: &[Columns<'_>]) {
    // A name that does not fit makes room for two more than itself: that is what readers are used to.
    let grow = |width: usize, name: &str| if name.len() > width { name.len() + 2 } else { width };
    let name_width = lines.iter().fold(5, |width, line| grow(width, line.name));
    let detail_width = lines.iter().map(|line| line.details.len()).fold(5, usize::max);
    for Columns { word, name, details, reason } in lines {
        lists.item(format_args!("{word:<8}   {name:<name_width$}   ( {details:>detail_width$} ){reason}"));
    }
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

    /// From where to where, with roles where they matter.
    fn details(&self, line: &Line<'_>) -> String {
        let (role, next_role) = (self.role, self.placement.state.next_role);
        let need_role = role > Role::Started || next_role > Role::Unpromoted;
        let name = |node: NodeId| &*self.cluster.node(node).name;
        match (line.from, line.to) {
            (None, None) => String::new(),
            (None, Some(to)) if need_role => format!("{role} -> {next_role} {}", name(to)),
            (None, Some(to)) => name(to).to_owned(),
            (Some(from), None) if need_role => format!("{role} {}", name(from)),
            (Some(from), None) => name(from).to_owned(),
            (Some(from), Some(to)) => match (role == next_role, from == to) {
                (true, true) if need_role => format!("{role} {}", name(from)),
                (true, true) => name(from).to_owned(),
                (true, false) if need_role => format!("{} -> {} {role}", name(from), name(to)),
                (true, false) => format!("{} -> {}", name(from), name(to)),
                (false, true) => format!("{role} -> {next_role} {}", name(from)),
                (false, false) => format!("{role} {} -> {next_role} {}", name(from), name(to)),
            },
        }
    }
}
