// SPDX-License-Identifier: GPL-2.0-or-later
//! What changes of the CIB mean for the DC: results that confirm actions, and everything that calls for another plan.
//!
//! The DC believes nothing but what it sees in its own CIB; so a result counts when it is recorded, not when it is told.

use super::attributes::{Attribute, failcount_name, lastfailure_name};
use super::context::Context;
use super::dc::Dc;
use graph::walk::Next;
use messages::controller::Envelope;
use messages::core::Level;
use model::{ExecStatus, OcfCode, OpKey, TransitionKey};
use xml::Element;

impl Dc {
    /// The CIB has changed.
    pub fn cib_changed(&mut self, cx: &mut Context, notification: &Element) {
        let rc = notification.attr("cib_rc").and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
        if rc < 0 || !self.watches_cib() {
            return;
        }
        let diff = notification.child("cib_update_result").and_then(Element::first_element);
        let Some(diff) = diff.filter(|diff| diff.attr("format") == Some("2")) else {
            if diff.is_some() {
                cx.log(Level::Warning, "Ignoring malformed CIB update (unknown patch format)");
            }
            return;
        };
        for change in diff.elements_named("change") {
            // A change of the configuration comes alone: no result that is waited for can follow.
            if self.change(cx, change) == Seen::Enough {
                break;
            }
        }
        self.outside_events.clear();
    }

    fn change(&mut self, cx: &mut Context, change: &Element) -> Seen {
        let (Some(operation), Some(path)) = (change.attr("operation"), change.attr("path")) else {
            return Seen::More;
        };
        let result = match operation {
            "create" => change.first_element(),
            "modify" => change.child("change-result").and_then(Element::first_element),
            "delete" => None,
            "move" if path.contains("/cib/configuration/resources") => None,
            _ => return Seen::More,
        };
        let name = result.map(Element::name).unwrap_or_default();
        let by = describe(operation, path, result);
        if path.contains("/cib/configuration") {
            self.restart(cx, "Configuration change", Some(&by));
            return Seen::Enough;
        }
        if path.contains("/tickets") || name == "tickets" {
            self.restart(cx, "Ticket attribute change", Some(&by));
            return Seen::Enough;
        }
        if path.contains("/transient_attributes[") || name == "transient_attributes" {
            self.abort_unless_down(cx, operation, path, "Transient attribute change", &by);
            return Seen::Enough;
        }
        if operation == "delete" {
            self.deletion(cx, path, &by);
            return Seen::More;
        }
        let Some(result) = result else { return Seen::More };
        let node = || in_path(path, "lrm").or_else(|| in_path(path, "node_state")).unwrap_or_default();
        match name {
            "cib" => {
                if let Some(status) = result.child("status") {
                    self.status_change(cx, status);
                }
                if result.child("configuration").is_some() {
                    self.restart(cx, "Non-status-only change", Some(&by));
                }
            }
            "status" => self.status_change(cx, result),
            "node_state" => self.node_state_change(cx, result),
            "lrm" => {
                self.resources_change(cx, result.id().unwrap_or_default(), result.child("lrm_resources"))
            }
            "lrm_resources" => self.resources_change(cx, &node(), Some(result)),
            "lrm_resource" => self.resource_change(cx, &node(), result),
            "lrm_rsc_op" => self.event(cx, result, &node()),
            _ => {}
        }
        Seen::More
    }

    fn status_change(&mut self, cx: &mut Context, status: &Element) {
        for state in status.elements_named("node_state") {
            self.node_state_change(cx, state);
        }
    }

    fn node_state_change(&mut self, cx: &mut Context, state: &Element) {
        let resources = state.descend(&["lrm", "lrm_resources"]);
        self.resources_change(cx, state.id().unwrap_or_default(), resources);
    }

    fn resources_change(&mut self, cx: &mut Context, node: &str, resources: Option<&Element>) {
        let Some(resources) = resources else { return };
        // Actions change one resource at a time: more is somebody's whole history.
        if self.is_complete() && resources.elements().nth(1).is_some() {
            self.restart(cx, "History refresh", None);
            return;
        }
        for resource in resources.elements_named("lrm_resource") {
            self.resource_change(cx, node, resource);
        }
    }

    fn resource_change(&mut self, cx: &mut Context, node: &str, resource: &Element) {
        for operation in resource.elements_named("lrm_rsc_op") {
            self.event(cx, operation, node);
        }
    }

    fn deletion(&mut self, cx: &mut Context, path: &str, by: &str) {
        if path.contains("/lrm_rsc_op[") {
            let key = path.rsplit('\'').nth(1).unwrap_or_default();
            let node = in_path(path, "node_state").unwrap_or_default();
            if !self.confirm_cancellation(cx, key, &node) {
                self.restart(cx, "Resource operation removal", Some(by));
            }
        } else if path.contains("/lrm[") {
            self.abort_unless_down(cx, "delete", path, "Resource state removal", by);
        } else if path.contains("/node_state[") {
            self.abort_unless_down(cx, "delete", path, "Node state removal", by);
        }
    }

    /// What goes with a node that was expected to go needs no other plan.
    fn abort_unless_down(&mut self, cx: &mut Context, operation: &str, path: &str, reason: &str, by: &str) {
        let expected = operation == "delete"
            && in_path(path, "node_state").is_some_and(|node| self.down_event(&node).is_some());
        if !expected {
            self.restart(cx, reason, Some(by));
        }
    }

    /// A recurring operation's record is gone: the action that cancels it has succeeded.
    fn confirm_cancellation(&mut self, cx: &mut Context, key: &str, node: &str) -> bool {
        let found = self.walk.iter().flat_map(|walk| walk.actions()).find_map(|(action, _)| {
            let identity = &action.identity;
            let on = identity.node.as_ref()?;
            let hit = identity.operation == "cancel"
                && identity.operation_key == key
                && (node.is_empty() || on.id == node);
            hit.then(|| (identity.id, on.name.clone()))
        });
        let Some((id, on)) = found else { return false };
        cx.log(Level::Info, format!("Cancellation of {key} on {on} confirmed (action {id})"));
        self.confirm(id, true);
        true
    }

    /// Results that were told, not recorded.
    pub fn direct_result(&mut self, cx: &mut Context, message: &Envelope) {
        if message.task != "lrm_invoke" || message.sys_from != "lrmd" {
            let text = format!(
                "Received invalid transition request: '{}' from '{}'",
                message.task, message.sys_from
            );
            cx.log(Level::Info, text);
            return;
        }
        let Some(state) = &message.payload else { return };
        let node = state.id().unwrap_or_default().to_owned();
        let events: Vec<_> =
            state.descendants().filter(|element| element.name() == "lrm_rsc_op").cloned().collect();
        for event in events {
            self.event(cx, &event, &node);
        }
    }

    /// One operation's record has appeared or changed.
    fn event(&mut self, cx: &mut Context, event: &Element, node: &str) {
        let number = |name| event.attr(name).and_then(|text| text.parse::<i32>().ok());
        let Some(key) = event.attr("transition-key") else { return };
        let status = ExecStatus::from_value(number("op-status").unwrap_or(-1));
        if status == ExecStatus::Pending {
            return;
        }
        let operation = event.attr("operation_key").unwrap_or("unknown action").to_owned();
        let by = format!("operation {operation} on {}", event.attr("on_node").unwrap_or("unknown node"));
        let Ok(key) = key.parse::<TransitionKey>() else {
            let text = format!("Can't process action {operation} result: '{key}' is no transition key");
            cx.log(Level::Error, text);
            self.restart(cx, "Bad event", Some(&by));
            return;
        };
        let rc = effective(OcfCode::new(number("rc-code").unwrap_or(-1)));
        let seen = Event { element: event, node, operation: &operation, key: &key, rc, status };
        if key.transition == -1 {
            if self.outside_events.insert(key.action) {
                self.restart(cx, "Unexpected event", Some(&by));
                self.unplanned(cx, &seen, "initiated outside of the cluster");
            }
        } else if key.action < 0 || key.uuid != cx.config.uuid {
            self.restart(cx, "Foreign event", Some(&by));
            self.unplanned(cx, &seen, "initiated by a different DC");
        } else if key.transition != self.transition_id() || self.is_complete() {
            self.late(cx, &seen, &by);
        } else {
            self.planned(cx, &seen, &by);
        }
    }

    fn late(&mut self, cx: &mut Context, seen: &Event<'_>, by: &str) {
        let recurs = seen.op_key().is_some_and(|key| !key.interval.is_zero());
        if recurs && seen.status == ExecStatus::Cancelled {
            self.confirm_cancellation(cx, seen.operation, seen.node);
            return;
        }
        let (reason, text) = if recurs {
            // Its key is that of the transition it was begun in.
            ("Change in recurring result", "arrived after initial scheduling")
        } else if seen.key.transition != self.transition_id() {
            ("Old event", "arrived really late")
        } else {
            ("Inactive graph", "arrived late")
        };
        self.restart(cx, reason, Some(by));
        self.unplanned(cx, seen, text);
    }

    fn planned(&mut self, cx: &mut Context, seen: &Event<'_>, by: &str) {
        let id = seen.key.action;
        let Some(walk) = &self.walk else { return };
        let Some(action) = walk.action(id) else {
            self.restart(cx, "Unknown event", Some(by));
            self.unplanned(cx, seen, "unknown");
            return;
        };
        if walk.is_confirmed(id) {
            // The same result is recorded twice.
            return;
        }
        let ignored = action.meta("on_fail").is_some_and(|value| value.eq_ignore_ascii_case("ignore"));
        let as_hoped = seen.rc == seen.key.target_rc;
        let failed = !as_hoped && !ignored;
        let priority = walk.priority(id).unwrap_or(0);
        self.confirm(id, !failed);
        if failed {
            self.abort(cx, priority.saturating_add(1), Next::Restart, "Event failed", Some(by));
        }
        if seen.status == ExecStatus::Invalid {
            seen.log_not_attempted(cx);
        } else if as_hoped {
            let text = format!("{} confirmed: {} | {}", seen.title(), seen.rc, seen.codes());
            cx.log(Level::Info, text);
        } else {
            self.count_failure(cx, seen, ignored);
            seen.log_unexpected(cx, None);
        }
    }

    /// A result that is of no action under way.
    fn unplanned(&mut self, cx: &mut Context, seen: &Event<'_>, why: &str) {
        if seen.status == ExecStatus::Invalid {
            seen.log_not_attempted(cx);
        } else if self.count_failure(cx, seen, false) {
            seen.log_unexpected(cx, Some(why));
        } else {
            let text = format!("{}: {why} | {}", seen.title(), seen.codes());
            cx.log(Level::Info, text);
        }
    }

    /// Counts a failure, if it is one that counts; says whether it is one at all.
    fn count_failure(&mut self, cx: &mut Context, seen: &Event<'_>, only_time: bool) -> bool {
        let (rc, target) = (seen.rc, seen.key.target_rc);
        if rc == target || seen.element.attr("crm-debug-origin") == Some("build_active_RAs") {
            return false;
        }
        let Some(key) = seen.op_key() else {
            cx.log(Level::Error, format!("'{}' is no operation key", seen.operation));
            return true;
        };
        let Some(node) = cx.peers.name_of(seen.node) else { return true };
        let options = self.walk.as_ref().map(|walk| walk.graph().options.clone()).unwrap_or_default();
        let outside = seen.key.transition == -1;
        let offset = match key.operation.as_str() {
            _ if !key.interval.is_zero() => Some(String::new()),
            "promote" | "demote" => Some(String::new()),
            "start" => Some(options.failed_start_offset),
            "stop" => Some(options.failed_stop_offset),
            _ if outside => Some(String::new()),
            _ => None,
        };
        let Some(offset) = offset else { return true };
        let value = if matches!(offset.as_str(), "INFINITY" | "+INFINITY") { "INFINITY" } else { "value++" };
        let now = cx.now.wall.to_string();
        let what = if only_time { "last failure" } else { "failcount" };
        let text = format!(
            "Updating {what} for {} on {node} after failed {}: rc={} (update={value}, time={now})",
            key.resource,
            key.operation,
            rc.value()
        );
        cx.log(Level::Info, text);
        let last = lastfailure_name(&key.resource, &key.operation, key.interval);
        let mut updates = vec![Attribute::set(&node, &last, &now)];
        if !only_time {
            let count = failcount_name(&key.resource, &key.operation, key.interval);
            updates.push(Attribute::set(&node, &count, value));
        }
        cx.set_attributes(&updates);
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Enough,
    More,
}

/// One record, taken apart.
struct Event<'a> {
    element: &'a Element,
    /// The id of the node it happened on.
    node: &'a str,
    operation: &'a str,
    key: &'a TransitionKey,
    rc: OcfCode,
    status: ExecStatus,
}

impl Event<'_> {
    fn op_key(&self) -> Option<OpKey> {
        self.operation.parse().ok()
    }

    fn title(&self) -> String {
        let on = self.element.attr("on_node").unwrap_or("unknown node");
        let TransitionKey { transition, action, .. } = self.key;
        format!("Transition {transition} action {action} ({} on {on})", self.operation)
    }

    fn codes(&self) -> String {
        let call = self.element.attr("call-id").unwrap_or("-1");
        format!("target-rc={} rc={} call-id={call}", self.key.target_rc.value(), self.rc.value())
    }

    fn log_not_attempted(&self, cx: &mut Context) {
        cx.log(Level::Info, format!("{}: {}", self.title(), self.status));
    }

    fn log_unexpected(&self, cx: &mut Context, why: Option<&str>) {
        let why = why.map(|why| format!(" event='{why}'")).unwrap_or_default();
        let text = format!(
            "{}: expected '{}' but got '{}' | {}{why}",
            self.title(),
            self.key.target_rc,
            self.rc,
            self.codes()
        );
        cx.log(Level::Notice, text);
    }
}

/// Degraded is as good as running, as far as the plan is concerned.
fn effective(rc: OcfCode) -> OcfCode {
    match rc {
        OcfCode::DEGRADED => OcfCode::OK,
        OcfCode::DEGRADED_PROMOTED => OcfCode::RUNNING_PROMOTED,
        rc => rc,
    }
}

/// The id a path gives for an element.
fn in_path(path: &str, element: &str) -> Option<String> {
    let start = path.find(&format!("/{element}[@id='"))?;
    let rest = path.get(start + element.len() + "/[@id='".len()..)?;
    rest.split('\'').next().map(str::to_owned)
}

/// What has changed, for the log.
fn describe(operation: &str, path: &str, result: Option<&Element>) -> String {
    let Some(result) = result else {
        let last = path.rsplit('/').next().unwrap_or(path);
        return if operation == "delete" {
            format!("deletion of {last}")
        } else {
            format!("{operation} of {last}")
        };
    };
    let id = result.id().unwrap_or_default();
    match result.name() {
        "nvpair" => {
            let attr = |name| result.attr(name).unwrap_or_default();
            format!("{id} doing {operation} {}={}", attr("name"), attr("value"))
        }
        name => format!("{name}.{id} '{operation}'"),
    }
}
