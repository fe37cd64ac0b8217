// SPDX-License-Identifier: GPL-2.0-or-later
//! Migrations that did not come to their end.
//!
//! Decides: where a resource may be after half a migration. Given: the operations on both nodes. Leaves to others:
//! finishing or undoing it.

use super::history::compare_operations;
use super::outcome::Outcome;
use crate::notation::number;
use crate::{Cluster, ResourceId};
use model::{ExecStatus, OcfCode, Role};
use xml::Element;

fn rc(operation: &Element) -> Option<OcfCode> {
    number(operation, "rc-code").and_then(|rc| i32::try_from(rc).ok()).map(OcfCode::new)
}

fn status(operation: &Element) -> Option<ExecStatus> {
    number(operation, "op-status").and_then(|status| i32::try_from(status).ok()).map(ExecStatus::from_value)
}

impl Cluster {
    fn history_of(&self, resource: &str, node: &str) -> Option<&Element> {
        self.node_history(node).find(|entry| entry.id() == Some(resource))
    }

    /// An operation of a resource on a node; for migrations, the one with that other end.
    fn find_operation(
        &self,
        resource: &str,
        task: &str,
        node: &str,
        other: Option<&str>,
        wanted: Option<OcfCode>,
    ) -> Option<&Element> {
        let other_end = match task {
            "migrate_to" => "migrate_target",
            "migrate_from" => "migrate_source",
            _ => "",
        };
        let matches = |op: &&Element| {
            op.attr("operation") == Some(task)
                && (other.is_none() || other_end.is_empty() || op.attr(other_end) == other)
        };
        let found = self.history_of(resource, node)?.elements_named("lrm_rsc_op").find(matches)?;
        let fits = wanted.is_none() || rc(found) == wanted && status(found) == Some(ExecStatus::Done);
        fits.then_some(found)
    }

    fn is_unknown_on(&self, resource: &str, node: &str) -> bool {
        let known = |op: &Element| rc(op).is_some_and(|rc| rc != OcfCode::UNKNOWN);
        !self.history_of(resource, node).is_some_and(|entry| entry.elements_named("lrm_rsc_op").any(known))
    }

    /// Whether the resource was started, stopped or migrated on the node after an operation.
    fn changed_after(&self, resource: &str, node: &str, operation: &Element) -> bool {
        let Some(entry) = self.history_of(resource, node) else { return false };
        entry.elements_named("lrm_rsc_op").any(|op| {
            !op.ptr_eq(operation)
                && matches!(op.attr("operation"), Some("start" | "stop" | "migrate_to" | "migrate_from"))
                && compare_operations(op, operation).is_gt()
        })
    }

    fn found_stopped_after(&self, resource: &str, node: &str, operation: &Element) -> bool {
        self.find_operation(resource, "monitor", node, None, Some(OcfCode::NOT_RUNNING))
            .is_some_and(|monitor| compare_operations(monitor, operation).is_gt())
    }

    /// Whether something newer than the migration tells how the resource is on a node.
    fn newer_state_after(
        &self,
        resource: &str,
        node: &str,
        migrate_to: Option<&Element>,
        migrate_from: Option<&Element>,
    ) -> bool {
        let Some(mut operation) = migrate_from.or(migrate_to) else { return false };
        let is_source =
            operation.attr("migrate_source").is_some_and(|source| source.eq_ignore_ascii_case(node));
        if let (Some(to), Some(_), true) = (migrate_to, migrate_from, is_source) {
            operation = to;
        }
        self.changed_after(resource, node, operation) || self.found_stopped_after(resource, node, operation)
    }

    /// Both ends of a migration, if they are given and this end is the node the operation is on.
    fn migration_ends(&self, outcome: &Outcome<'_>, here: &str) -> Option<(String, String)> {
        let source = outcome.xml.attr("migrate_source")?;
        let target = outcome.xml.attr("migrate_target")?;
        let own_end = outcome.xml.attr(here)?;
        let fits = own_end.eq_ignore_ascii_case(&self.node(outcome.node).name);
        fits.then(|| (source.to_owned(), target.to_owned()))
    }

    fn fail_and_stop(&mut self, resource: ResourceId) {
        let state = self.state_mut(resource);
        state.failed = true;
        state.stop_if_failed = true;
        state.migratable = false;
    }

    pub(super) fn migrate_to_succeeded(&mut self, outcome: &Outcome<'_>) {
        let Some((source, target)) = self.migration_ends(outcome, "migrate_source") else { return };
        let resource = outcome.resource;
        let id = self.resource(resource).id.to_string();
        let source_newer = self.changed_after(&id, &source, outcome.xml);
        let from = self.find_operation(&id, "migrate_from", &target, Some(&source), None).cloned();
        if from.is_some() && source_newer {
            return;
        }
        let from_rc = from.as_ref().map_or(Some(OcfCode::OK), rc);
        let from_status = from.as_ref().map_or(Some(ExecStatus::Pending), status);
        let target_newer = self.newer_state_after(&id, &target, Some(outcome.xml), from.as_ref());
        if source_newer && target_newer {
            return;
        }
        if from_rc == Some(OcfCode::OK) && from_status == Some(ExecStatus::Done) {
            // All of it was done but the stop on the source.
            self.state_mut(resource).role = Role::Stopped;
            self.work_mut(resource).dangling.push(outcome.node);
            return;
        }
        self.state_mut(resource).role = Role::Started;
        let target_node = self.node_named(&target);
        let target_online = target_node.filter(|&node| self.node(node).state.online);
        let active_on_target = target_online.filter(|_| !target_newer);
        if from_status != Some(ExecStatus::Pending) {
            match active_on_target {
                Some(node) => self.add_active(resource, node, true),
                None => self.fail_and_stop(resource),
            }
            return;
        }
        if target_online.is_some() && self.is_unknown_on(&id, &target) {
            return;
        }
        if let Some(node) = active_on_target {
            self.add_active(resource, node, false);
            let source_node = self.node_named(&source).filter(|&node| self.node(node).state.online);
            if source_node.is_some() {
                let work = self.work_mut(resource);
                work.migration_target = Some(node);
                work.migration_source = source_node;
            }
        } else if !source_newer {
            self.fail_and_stop(resource);
        }
    }

    pub(super) fn migrate_to_failed(&mut self, outcome: &Outcome<'_>) {
        let Some((source, target)) = self.migration_ends(outcome, "migrate_source") else { return };
        let resource = outcome.resource;
        let id = self.resource(resource).id.to_string();
        self.state_mut(resource).role = Role::Started;
        let from =
            self.find_operation(&id, "migrate_from", &target, Some(&source), Some(OcfCode::OK)).cloned();
        if !self.is_unknown_on(&id, &target)
            && !self.newer_state_after(&id, &target, Some(outcome.xml), from.as_ref())
        {
            if let Some(node) = self.node_named(&target).filter(|&node| self.node(node).state.online) {
                self.add_active(resource, node, false);
            }
        } else if !self.changed_after(&id, &source, outcome.xml) {
            self.work_mut(resource).dangling.push(outcome.node);
        }
    }

    pub(super) fn migrate_from_failed(&mut self, outcome: &Outcome<'_>) {
        let Some((source, target)) = self.migration_ends(outcome, "migrate_target") else { return };
        let resource = outcome.resource;
        let id = self.resource(resource).id.to_string();
        self.state_mut(resource).role = Role::Started;
        let to = self.find_operation(&id, "migrate_to", &source, Some(&target), Some(OcfCode::OK)).cloned();
        if !self.is_unknown_on(&id, &source)
            && !self.newer_state_after(&id, &source, to.as_ref(), Some(outcome.xml))
            && let Some(node) = self.node_named(&source).filter(|&node| self.node(node).state.online)
        {
            self.add_active(resource, node, true);
        }
    }
}
