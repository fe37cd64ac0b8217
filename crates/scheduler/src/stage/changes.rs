// SPDX-License-Identifier: GPL-2.0-or-later
//! What was run with another definition than is configured now.
//!
//! Decides: which resources are restarted or reloaded, which recurring operations renewed or ended, which history
//! deleted. Given: the history of nodes that can be asked. Leaves to others: the comparison (`action::digest`).

use crate::action::{DigestVerdict, FenceReason, Reason, relation};
use crate::constraint::Side;
use crate::notation::number;
use crate::unpack::{FailCountScope, active_range, sorted_operations};
use crate::{Cluster, NodeId, ResourceId, Variant};
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

/// Why an operation's definition is to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckKind {
    /// It failed: with another definition it may not.
    Failed,
    /// It made the resource what it is.
    Active,
}

/// A comparison that has to wait until it is known where a container will be.
#[derive(Clone, Debug)]
pub(crate) struct DeferredCheck {
    resource: ResourceId,
    node: NodeId,
    operation: Element,
    kind: CheckKind,
}

impl Cluster {
    pub(super) fn handle_definition_changes(&mut self) {
        let cib = self.cib.clone();
        let Some(status) = cib.child("status") else { return };
        let owners = self.history_owners();
        for node in self.node_ids() {
            let state = &self.node(node).state;
            if !state.maintenance && !state.is_available() {
                continue;
            }
            let name = self.node(node).name.clone();
            let state = status.elements_named("node_state").find(|s| s.attr("uname") == Some(&name));
            let Some(list) = state.and_then(|state| state.descend(&["lrm", "lrm_resources"])) else {
                continue;
            };
            for entry in list.elements_named("lrm_resource") {
                if entry.first_element().is_none() {
                    continue;
                }
                // Instances that are all the same share a name: which of them it is about is told by where they are.
                let owners = entry.id().and_then(|id| owners.get(id));
                for &resource in owners.into_iter().flatten().rev() {
                    self.check_history(resource, node, entry);
                }
            }
        }
    }

    /// The primitives a history may be of, by its id.
    fn history_owners(&self) -> BTreeMap<Arc<str>, Vec<ResourceId>> {
        let mut owners: BTreeMap<Arc<str>, Vec<ResourceId>> = BTreeMap::new();
        let mut open: Vec<ResourceId> = self.top.iter().rev().copied().collect();
        while let Some(id) = open.pop() {
            let resource = self.resource(id);
            open.extend(resource.children.iter().rev());
            if resource.variant == Variant::Primitive {
                owners.entry(resource.id.clone()).or_default().push(id);
                if let Some(history_id) = &resource.history_id {
                    owners.entry(history_id.clone()).or_default().push(id);
                }
            }
        }
        owners
    }

    fn check_history(&mut self, id: ResourceId, node: NodeId, entry: &Element) {
        if self.state(id).removed {
            let top = self.resource(self.top_of(id));
            if top.variant != Variant::Clone || top.state.unique {
                self.create_cleanup(id, node);
            }
            return;
        }
        let active = self.state(id).active_on.contains(&node);
        if self.agent_changed(id, node, entry, active) {
            self.create_cleanup(id, node);
        }
        if !active {
            return;
        }
        let operations = sorted_operations(entry);
        let (start, stop) = active_range(&operations);
        if start < stop {
            return;
        }
        for operation in operations.iter().skip(start.unwrap_or(0)) {
            self.check_operation(id, node, operation);
        }
    }

    fn agent_changed(&mut self, id: ResourceId, node: NodeId, entry: &Element, active: bool) -> bool {
        let mut changed = false;
        for attribute in ["type", "class", "provider"] {
            if self.resource(id).xml.attr(attribute) != entry.attr(attribute) {
                changed = true;
                self.trigger_unfencing(Some(id), Some(node), FenceReason::DeviceDefinitionChanged);
            }
        }
        if changed && active {
            self.stop_action(id, Some(node), false);
            self.state_mut(id).start_pending = true;
        }
        changed
    }

    fn check_operation(&mut self, id: ResourceId, node: NodeId, operation: &Element) {
        let Some(task) = operation.attr("operation") else { return };
        let interval = number(operation, "interval").and_then(|i| u64::try_from(i).ok()).unwrap_or(0);
        let maintenance = self.state(id).maintenance || self.node(node).state.maintenance;
        if interval > 0 && maintenance {
            self.schedule_cancel(id, operation, task, interval, node);
            return;
        }
        let matters = matches!(task, "monitor" | "start" | "promote" | "migrate_from");
        if (interval > 0 || matters) && self.has_open_address(id) {
            self.defer_check(id, node, operation, CheckKind::Active);
        } else if (interval > 0 || matters)
            && self.check_definition(id, node, operation, task, interval)
            && self.fail_count(id, node, FailCountScope::Unexpired, None).0 != 0
        {
            self.clear_fail_count(id, node);
        }
    }

    /// A definition with an address that follows from a placement can only be compared once that is known.
    pub(crate) fn defer_check(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        operation: &Element,
        kind: CheckKind,
    ) {
        self.deferred.push(DeferredCheck { resource, node, operation: operation.clone(), kind });
    }

    /// Makes up for what was deferred.
    pub(super) fn make_deferred_checks(&mut self) {
        for check in std::mem::take(&mut self.deferred).into_iter().rev() {
            let DeferredCheck { resource, node, operation, kind } = &check;
            let (resource, node) = (*resource, *node);
            let changed = match kind {
                CheckKind::Failed => {
                    let verdict = self.compare_digests(resource, node, operation);
                    matches!(verdict, DigestVerdict::Mismatch | DigestVerdict::Restart)
                }
                CheckKind::Active => {
                    let task = operation.attr("operation").unwrap_or_default();
                    let interval = number(operation, "interval").and_then(|i| u64::try_from(i).ok());
                    self.check_definition(resource, node, operation, task, interval.unwrap_or(0))
                        && self.fail_count(resource, node, FailCountScope::Unexpired, None).0 != 0
                }
            };
            if changed {
                self.clear_fail_count(resource, node);
            }
        }
    }

    /// Reacts to a change of an operation's definition; says whether there was one.
    fn check_definition(
        &mut self,
        id: ResourceId,
        node: NodeId,
        operation: &Element,
        task: &str,
        interval: u64,
    ) -> bool {
        if interval > 0 && self.operation_config(id, task, interval, false).is_none() {
            if self.options.cancel_removed {
                self.schedule_cancel(id, operation, task, interval, node);
            }
            return true;
        }
        let start_like = interval == 0 && matches!(task, "monitor" | "migrate_from" | "promote");
        let restarted = if start_like { "start" } else { task };
        let verdict = self.compare_digests(id, node, operation);
        if self.sanitized
            && verdict != DigestVerdict::Match
            && self.differs_in_secrets_only(id, node, operation)
        {
            self.scores.push(crate::ScoreLine::SecretsDiffer {
                task: restarted.into(),
                interval: model::Interval::from_ms(interval),
                resource: self.resource(id).id.clone(),
                node: self.node(node).name.clone(),
                magic: operation.attr("transition-magic").unwrap_or("(null)").into(),
            });
            return false;
        }
        match verdict {
            DigestVerdict::Match => false,
            DigestVerdict::Restart => {
                self.force_restart(id, node, restarted, interval);
                true
            }
            DigestVerdict::Unknown | DigestVerdict::Mismatch => {
                if interval > 0 {
                    self.reschedule(id, restarted, interval, node);
                } else if operation.attr("op-restart-digest").is_some() {
                    self.trigger_unfencing(
                        Some(id),
                        Some(node),
                        FenceReason::DeviceParametersChanged(Some("reload")),
                    );
                    self.create_reload(id, node);
                } else {
                    self.force_restart(id, node, restarted, interval);
                }
                true
            }
        }
    }

    fn force_restart(&mut self, id: ResourceId, node: NodeId, task: &str, interval: u64) {
        let required = self.resource_action(id, task, interval, None, false);
        self.action_mut(required).set_reason(Some(Reason::DefinitionChange), true);
        self.trigger_unfencing(Some(id), Some(node), FenceReason::DeviceParametersChanged(None));
    }

    fn create_reload(&mut self, id: ResourceId, node: NodeId) {
        let state = self.state(id);
        if !state.managed || state.failed {
            return;
        }
        if state.start_pending {
            self.stop_action(id, Some(node), false);
            return;
        }
        self.state_mut(id).reload = true;
        let reload = self.resource_action(id, "reload-agent", 0, Some(node), false);
        self.action_mut(reload).set_reason(Some(Reason::DefinitionChange), false);
        for task in ["stop", "demote"] {
            let (first, then) = (Side::action(self, reload), Side::operation(self, id, task));
            self.add_ordering(first, then, relation::ORDERED | relation::THEN_CANCELS_FIRST);
        }
    }

    /// What is removed has its fail counts forgotten.
    pub(super) fn clear_removed_fail_counts(&mut self) {
        if !self.options.stop_removed {
            return;
        }
        for resource in self.top.clone() {
            if !self.state(resource).removed {
                continue;
            }
            for node in self.node_ids() {
                let online = self.node(node).state.online;
                if online && self.fail_count(resource, node, FailCountScope::Unexpired, None).0 != 0 {
                    let clear = self.clear_fail_count(resource, node);
                    self.order_clear_before_stop(resource, clear);
                }
            }
        }
    }
}
