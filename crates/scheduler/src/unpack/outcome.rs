// SPDX-License-Identifier: GPL-2.0-or-later
//! What one operation of the history says.
//!
//! Decides: whether it failed, whether that still counts, which role it implies. Given: an `lrm_rsc_op` and those
//! before it. Leaves to others: the conclusion from all of them (`history`).

use super::FailCountScope;
use super::failcount::expected_rc;
use crate::action::{DigestVerdict, OnFail, relation};
use crate::ledger::{Cause, FailureKind};
use crate::notation::{history_key, number, whole_seconds};
use crate::stage::changes::CheckKind;
use crate::{Cluster, ConfigIssue, FailedOperation, NodeId, ResourceId, Variant};
use model::{ExecStatus, OcfCode, Role, Score};
use std::sync::Arc;
use xml::Element;

/// What is known of failures so far, while operations are read one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure {
    /// The gravest reaction that is due.
    pub on_fail: OnFail,
    /// The last operation that failed.
    pub last: Option<Element>,
}

/// An operation taken apart.
pub(super) struct Outcome<'a> {
    pub resource: ResourceId,
    pub node: NodeId,
    pub xml: &'a Element,
    pub task: &'a str,
    pub interval_ms: u64,
    pub status: ExecStatus,
    pub rc: OcfCode,
    /// What it should have returned; `None` if nothing says so.
    pub expected: Option<OcfCode>,
    /// It is of something in a bundle.
    pub bundled: bool,
}

impl<'a> Outcome<'a> {
    fn is_probe(&self) -> bool {
        self.interval_ms == 0 && self.task == "monitor"
    }

    fn cause(&self, kind: FailureKind) -> Cause {
        Cause::Failure { of: self.resource, task: Arc::from(self.task), rc: self.rc.value(), kind }
    }

    /// What it returned, with the agent's reason if it gave one.
    fn result_text(&self) -> String {
        match self.xml.attr("exit-reason").filter(|reason| !reason.is_empty()) {
            Some(reason) => format!("{}: {reason}", self.rc),
            None => self.rc.to_string(),
        }
    }

    /// When it returned that, in UTC.
    fn changed_at(&self) -> String {
        let changed = number(self.xml, "last-rc-change");
        changed.map_or_else(|| "unknown_time".to_owned(), |at| rules::DateTime::from_epoch(at, 0).to_string())
    }

    fn is_expected(&self) -> bool {
        self.expected == Some(self.rc)
    }

    /// A probe that says that the resource cannot run there, which is as good as not running.
    fn masks_probe_failure(&self) -> bool {
        if !self.is_probe() || self.bundled {
            return false;
        }
        // The recorded results count here, whatever they were taken to mean.
        let rc = number(self.xml, "rc-code").unwrap_or(0);
        let status = number(self.xml, "op-status").unwrap_or(i64::from(ExecStatus::Unknown.value()));
        rc == i64::from(OcfCode::NOT_INSTALLED.value())
            || rc == i64::from(OcfCode::INVALID_PARAM.value())
            || status == i64::from(ExecStatus::NotInstalled.value())
    }
}

const STATE_TASKS: [&str; 8] =
    ["monitor", "start", "stop", "promote", "demote", "migrate_to", "migrate_from", "asyncmon"];

impl Cluster {
    pub(super) fn unpack_operation(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        xml: &Element,
        failure: &mut Failure,
    ) {
        let Some(mut outcome) = self.read_outcome(resource, node, xml) else { return };
        let expired = self.check_expiry(&outcome);
        let recorded_rc = outcome.rc;
        self.remap(&mut outcome, failure, expired);
        if expired && self.is_done_with_expired(&outcome, recorded_rc) {
            return;
        }
        if outcome.masks_probe_failure() {
            self.mask_probe_failure(&outcome, failure);
            return;
        }
        let banned = if self.state(resource).unique { resource } else { self.top_of(resource) };
        match outcome.status {
            ExecStatus::Pending => self.note_pending(&outcome, failure.last.as_ref()),
            ExecStatus::Done => self.update_role(&outcome, Some(outcome.rc), failure),
            ExecStatus::NotInstalled => {
                let (strategy, role) = self.failure_strategy(&outcome);
                if strategy == OnFail::Ignore {
                    failure.on_fail = OnFail::Ban;
                }
                let cause = || outcome.cause(FailureKind::NotInstalled);
                self.add_location(banned, Some(node), Score::MINUS_INFINITY, cause);
                self.take_failure(&outcome, strategy, role, failure);
            }
            _ => {
                if outcome.status == ExecStatus::NotConnected
                    && let Some(connection) = self.node(node).connection
                    && self.state(connection).managed
                {
                    let state = self.state_mut(connection);
                    state.failed = true;
                    state.stop_if_failed = true;
                }
                let (strategy, role) = self.failure_strategy(&outcome);
                let stops_with_container = strategy == OnFail::RestartContainer && outcome.task == "stop";
                if strategy == OnFail::Ignore || stops_with_container {
                    self.update_role(&outcome, outcome.expected, failure);
                    self.state_mut(resource).failure_ignored = true;
                    self.record_failure(&outcome);
                    if stops_with_container && failure.on_fail <= OnFail::Restart {
                        failure.on_fail = strategy;
                    }
                    return;
                }
                self.take_failure(&outcome, strategy, role, failure);
                match outcome.status {
                    ExecStatus::ErrorHard => {
                        let cause = || outcome.cause(FailureKind::Hard);
                        self.add_location(banned, Some(node), Score::MINUS_INFINITY, cause);
                        if outcome.rc != OcfCode::NOT_INSTALLED {
                            let place = format!("on {}", self.node(node).name);
                            let event = self.prevented(banned, &place, "hard", &outcome);
                            self.note_issue(ConfigIssue::event(event).logged_by("unpack_rsc_op"));
                        }
                    }
                    ExecStatus::ErrorFatal => {
                        let issue = self.prevented(banned, "anywhere", "fatal", &outcome);
                        self.note_issue(ConfigIssue::state_error(issue).logged_by("unpack_rsc_op"));
                        let cause = || outcome.cause(FailureKind::Fatal);
                        self.add_location(banned, None, Score::MINUS_INFINITY, cause);
                    }
                    _ => {}
                }
            }
        }
    }

    /// That a failure keeps a resource from being started again, in words.
    fn prevented(&self, banned: ResourceId, place: &str, kind: &str, outcome: &Outcome<'_>) -> String {
        format!(
            "Preventing {} from restarting {place} because of {kind} failure ({}) | {}",
            self.resource(banned).id,
            outcome.result_text(),
            outcome.xml.id().unwrap_or_default(),
        )
    }

    fn read_outcome<'a>(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        xml: &'a Element,
    ) -> Option<Outcome<'a>> {
        let id = xml.id()?;
        let task = xml.attr("operation").filter(|task| STATE_TASKS.contains(task))?;
        let status = number(xml, "op-status").and_then(|status| i32::try_from(status).ok());
        let status = status.filter(|status| (-1..=11).contains(status) && *status != 1);
        let rc = number(xml, "rc-code").filter(|rc| (0..=255).contains(rc));
        let (Some(status), Some(rc)) = (status, rc.and_then(|rc| i32::try_from(rc).ok())) else {
            let (resource, node) = (&self.resource(resource).id, &self.node(node).name);
            let wrong = if status.is_none() { "op-status" } else { "rc-code" };
            let value = xml.attr(wrong).unwrap_or_default();
            let issue = format!(
                "Ignoring resource history entry {id} for {resource} on {node} with invalid {wrong} '{value}'"
            );
            self.note_issue(ConfigIssue::error(issue).logged_by("unpack_action_result"));
            return None;
        };
        Some(Outcome {
            resource,
            node,
            xml,
            task,
            interval_ms: number(xml, "interval").and_then(|i| u64::try_from(i).ok()).unwrap_or(0),
            status: ExecStatus::from_value(status),
            rc: OcfCode::new(rc),
            expected: expected_rc(xml).map(OcfCode::new),
            bundled: self.is_bundled(resource),
        })
    }

    // --- expiry ---------------------------------------------------------------------------------------------------

    /// Whether a result is too old to count; makes the clearing of fail counts that are done with.
    fn check_expiry(&mut self, outcome: &Outcome<'_>) -> bool {
        if outcome.status == ExecStatus::NotInstalled {
            return false;
        }
        let (resource, node) = (outcome.resource, outcome.node);
        let is_last_failure = outcome.xml.id().is_some_and(|id| id.ends_with("_last_failure_0"));
        let timeout_s = whole_seconds(self.state(resource).failure_timeout_ms);
        let (mut expired, mut unexpired_count, mut clear) = (false, 0, false);
        if timeout_s > 0
            && let Some(when) = number(outcome.xml, "last-rc-change")
        {
            expired = self.now.secs >= when.saturating_add(timeout_s) && !self.waits_for_fencing(outcome);
            let (count, last) = self.fail_count(resource, node, FailCountScope::Unexpired, Some(outcome.xml));
            unexpired_count = count;
            let until = last.saturating_add(timeout_s).saturating_add(1);
            if count != 0 && self.now.secs < until {
                self.recheck_at(until);
            }
        }
        if expired && self.fail_count(resource, node, FailCountScope::All, Some(outcome.xml)).0 != 0 {
            if unexpired_count == 0 {
                clear = true;
            } else {
                expired = false;
            }
        } else if expired && is_last_failure && self.work(resource).reconnect_ms > 0 {
            clear = true;
        }
        if !expired && is_last_failure && matches!(outcome.task, "start" | "monitor") {
            if self.has_open_address(resource) {
                self.defer_check(resource, node, outcome.xml, CheckKind::Failed);
            } else {
                let verdict = self.compare_digests(resource, node, outcome.xml);
                clear |= matches!(verdict, DigestVerdict::Mismatch | DigestVerdict::Restart);
            }
        }
        if clear {
            let clearing = self.clear_fail_count(resource, node);
            if self.options.fencing_enabled
                && self.work(resource).reconnect_ms > 0
                && let Some(remote) = self.node_named(&self.resource(resource).id)
            {
                let fencing = self.fence_action(remote, None, true, None, false);
                self.order_actions(fencing, clearing, relation::FIRST_IMPLIES_THEN);
            }
        }
        // Probes that found something out do not expire.
        let informative = [
            OcfCode::OK,
            OcfCode::NOT_RUNNING,
            OcfCode::RUNNING_PROMOTED,
            OcfCode::DEGRADED,
            OcfCode::DEGRADED_PROMOTED,
        ];
        expired && !(outcome.is_probe() && informative.contains(&outcome.rc))
    }

    /// A failed monitor of a connection with a reconnect interval counts until the node has been fenced: if it still
    /// fails, nobody would tell once it is forgotten.
    fn waits_for_fencing(&self, outcome: &Outcome<'_>) -> bool {
        let remote = self.node_named(&self.resource(outcome.resource).id);
        self.work(outcome.resource).reconnect_ms > 0
            && self.options.fencing_enabled
            && outcome.interval_ms != 0
            && outcome.task == "monitor"
            && remote.is_some_and(|node| !self.node(node).state.remote_fenced)
    }

    /// Whether nothing more follows from an expired result.
    fn is_done_with_expired(&mut self, outcome: &Outcome<'_>, recorded_rc: OcfCode) -> bool {
        if outcome.masks_probe_failure() && outcome.expected != Some(recorded_rc) {
            let state = self.state_mut(outcome.resource);
            if state.role <= Role::Stopped {
                state.role = Role::Unknown;
            }
            return true;
        }
        if outcome.is_expected() {
            return false;
        }
        if outcome.interval_ms == 0 {
            return true;
        }
        let node = &self.node(outcome.node).state;
        // A recurring operation that failed runs no more: it has to be scheduled anew once its failure is forgotten.
        let forgotten = node.online && !node.unclean;
        if forgotten {
            let id = outcome.xml.id().unwrap_or_default();
            self.forgotten.insert((outcome.node, Arc::from(id)));
        }
        forgotten
    }

    // --- meaning --------------------------------------------------------------------------------------------------

    /// What a result means, beyond what was recorded.
    fn remap(&mut self, outcome: &mut Outcome<'_>, failure: &mut Failure, expired: bool) {
        let effective = match outcome.rc {
            OcfCode::DEGRADED => OcfCode::OK,
            OcfCode::DEGRADED_PROMOTED => OcfCode::RUNNING_PROMOTED,
            other => other,
        };
        if effective != outcome.rc {
            outcome.rc = effective;
            let node = &self.node(outcome.node).state;
            if !expired && (!node.shutdown || node.online) {
                self.record_failure(outcome);
            }
        }
        if outcome.masks_probe_failure()
            && (outcome.status != ExecStatus::Done || outcome.rc != OcfCode::NOT_RUNNING)
        {
            outcome.status = ExecStatus::Done;
            outcome.rc = OcfCode::NOT_RUNNING;
        }
        match outcome.status {
            ExecStatus::Done | ExecStatus::Error => {}
            ExecStatus::NoFenceDevice | ExecStatus::NoSecrets => {
                outcome.status = ExecStatus::ErrorHard;
                return;
            }
            _ => return,
        }
        if outcome.expected.is_none() {
            let key = outcome.xml.attr("operation_key").or(outcome.xml.id()).unwrap_or_default();
            let node = &self.node(outcome.node).name;
            let issue = format!("Expected result not found for {key} on {node} (corrupt or obsolete CIB?)");
            self.note_issue(ConfigIssue::warning(issue).logged_by("remap_operation"));
        }
        outcome.status = if outcome.is_expected() { ExecStatus::Done } else { ExecStatus::Error };
        self.remap_by_rc(outcome, failure, expired);
    }

    fn remap_by_rc(&mut self, outcome: &mut Outcome<'_>, failure: &mut Failure, expired: bool) {
        let (probe, expected) = (outcome.is_probe(), outcome.is_expected());
        let managed = self.state(outcome.resource).managed;
        match outcome.rc {
            OcfCode::OK if probe && outcome.expected == Some(OcfCode::NOT_RUNNING) => {
                outcome.status = ExecStatus::Done;
            }
            OcfCode::NOT_RUNNING if probe || expected || !managed => {
                outcome.status = ExecStatus::Done;
                let state = self.state_mut(outcome.resource);
                state.role = Role::Stopped;
                state.next_role = Role::Unknown;
                failure.on_fail = OnFail::Ignore;
            }
            OcfCode::OK | OcfCode::NOT_RUNNING => {}
            OcfCode::RUNNING_PROMOTED => {
                if probe && !expected {
                    outcome.status = ExecStatus::Done;
                }
                if !expired || expected {
                    self.state_mut(outcome.resource).role = Role::Promoted;
                }
            }
            OcfCode::FAILED_PROMOTED => {
                if !expired {
                    self.state_mut(outcome.resource).role = Role::Promoted;
                }
                outcome.status = ExecStatus::Error;
            }
            OcfCode::NOT_CONFIGURED => outcome.status = ExecStatus::ErrorFatal,
            OcfCode::UNIMPLEMENT_FEATURE if outcome.interval_ms > 0 => {
                outcome.status = ExecStatus::NotSupported;
            }
            OcfCode::UNIMPLEMENT_FEATURE
            | OcfCode::NOT_INSTALLED
            | OcfCode::INVALID_PARAM
            | OcfCode::INSUFFICIENT_PRIV => {
                if !expired {
                    self.block_if_unrecoverable(outcome);
                }
                outcome.status = ExecStatus::ErrorHard;
            }
            _ if outcome.status == ExecStatus::Done => outcome.status = ExecStatus::Error,
            _ => {}
        }
    }

    /// A failed stop can only be mended by fencing.
    fn block_if_unrecoverable(&mut self, outcome: &Outcome<'_>) {
        if outcome.task == "stop" && !self.can_fence(outcome.node) {
            let issue = format!(
                "No further recovery can be attempted for {} because stop on {} failed ({}) at {} | rc={} id={}",
                self.resource(outcome.resource).id,
                self.node(outcome.node).name,
                outcome.result_text(),
                outcome.changed_at(),
                outcome.rc.value(),
                outcome.xml.id().unwrap_or_default(),
            );
            self.note_issue(ConfigIssue::state_error(issue).logged_by("block_if_unrecoverable"));
            let state = self.state_mut(outcome.resource);
            state.managed = false;
            state.blocked = true;
        }
    }

    fn set_active_role(&mut self, resource: ResourceId) {
        let promotable = self.work(self.top_of(resource)).promotable;
        self.state_mut(resource).role = if promotable { Role::Unpromoted } else { Role::Started };
    }

    /// The role that follows from a success (or what is taken for one), and whether it makes up for past failures.
    fn update_role(&mut self, outcome: &Outcome<'_>, rc: Option<OcfCode>, failure: &mut Failure) {
        let resource = outcome.resource;
        let mut makes_up = false;
        if rc == Some(OcfCode::NOT_INSTALLED) || outcome.masks_probe_failure() {
            self.state_mut(resource).role = Role::Stopped;
        } else if rc == Some(OcfCode::NOT_RUNNING) {
            makes_up = true;
        } else {
            match outcome.task {
                "monitor" => {
                    let key = history_key(outcome.xml);
                    makes_up = failure.last.as_ref().is_some_and(|last| history_key(last) == key);
                    if self.state(resource).role < Role::Started {
                        self.set_active_role(resource);
                    }
                }
                "start" | "migrate_from" => {
                    self.state_mut(resource).role = Role::Started;
                    makes_up = true;
                }
                "stop" => {
                    self.state_mut(resource).role = Role::Stopped;
                    makes_up = true;
                }
                "promote" => {
                    self.state_mut(resource).role = Role::Promoted;
                    makes_up = true;
                }
                "demote" => {
                    makes_up = failure.on_fail == OnFail::Demote;
                    self.state_mut(resource).role = Role::Unpromoted;
                }
                "migrate_to" => self.migrate_to_succeeded(outcome),
                _ if self.state(resource).role < Role::Started => self.set_active_role(resource),
                _ => {}
            }
        }
        let clearable = match failure.on_fail {
            OnFail::Block | OnFail::Ignore | OnFail::Demote | OnFail::Restart | OnFail::RestartContainer => {
                true
            }
            // With a reconnect interval, the failure has to expire first.
            OnFail::ResetRemote => self.work(resource).reconnect_ms == 0,
            OnFail::Ban | OnFail::Stop | OnFail::Standby | OnFail::Fence => false,
        };
        if makes_up && clearable {
            failure.on_fail = OnFail::Ignore;
            self.state_mut(resource).next_role = Role::Unknown;
        }
    }

    // --- failures -------------------------------------------------------------------------------------------------

    /// What is done about a failure of this operation, and to which role it limits the resource.
    fn failure_strategy(&mut self, outcome: &Outcome<'_>) -> (OnFail, Role) {
        let (resource, task, interval) = (outcome.resource, outcome.task, outcome.interval_ms);
        let meta = self.operation_terms(resource, Some(outcome.node), task, interval, false).meta;
        let on_fail = self.on_fail(resource, task, interval, meta.get("on-fail").map(|value| &**value));
        let role = match (on_fail, task) {
            (OnFail::Stop, _) => Role::Stopped,
            (OnFail::ResetRemote, _) if self.work(resource).reconnect_ms != 0 => Role::Stopped,
            (_, "promote") => Role::Unpromoted,
            _ => Role::Started,
        };
        (on_fail, role)
    }

    fn take_failure(&mut self, outcome: &Outcome<'_>, strategy: OnFail, role: Role, failure: &mut Failure) {
        let resource = outcome.resource;
        failure.last = Some(outcome.xml.clone());
        // Where resources only run if told so, missing software on other nodes is nobody's business.
        if self.options.symmetric || outcome.rc != OcfCode::NOT_INSTALLED {
            let issue = format!(
                "Unexpected result ({}) was recorded for {} of {} on {} at {} | exit-status={} id={}",
                outcome.result_text(),
                if outcome.is_probe() { "probe" } else { outcome.task },
                self.resource(resource).id,
                self.node(outcome.node).name,
                outcome.changed_at(),
                outcome.rc.value(),
                outcome.xml.id().unwrap_or_default(),
            );
            self.note_issue(ConfigIssue::state_warning(issue).logged_by("unpack_rsc_op_failure"));
            self.record_failure(outcome);
        }
        failure.on_fail = failure.on_fail.max(strategy);
        match outcome.task {
            "stop" => {
                let cause = || outcome.cause(FailureKind::Stop);
                self.add_location(resource, Some(outcome.node), Score::MINUS_INFINITY, cause);
            }
            "migrate_to" => self.migrate_to_failed(outcome),
            "migrate_from" => self.migrate_from_failed(outcome),
            "promote" => self.state_mut(resource).role = Role::Promoted,
            "demote" => {
                let state = self.state_mut(resource);
                if strategy == OnFail::Block {
                    state.role = Role::Promoted;
                    state.next_role = Role::Stopped;
                } else if outcome.rc == OcfCode::NOT_RUNNING {
                    state.role = Role::Stopped;
                } else {
                    state.role = Role::Unpromoted;
                }
            }
            _ => {}
        }
        if outcome.is_probe() && outcome.rc == OcfCode::NOT_INSTALLED {
            self.state_mut(resource).role = Role::Stopped;
        } else if self.state(resource).role < Role::Started {
            self.set_active_role(resource);
        }
        let state = self.state_mut(resource);
        if role != Role::Started && state.next_role < role {
            state.next_role = role;
        }
        if role == Role::Stopped {
            // Of instances that are all the same, none may run if one must not.
            let top = self.top_of(resource);
            let anonymous = self.resource(top).variant == Variant::Clone && !self.state(top).unique;
            let cause = || outcome.cause(FailureKind::OnFailStop);
            self.ban_everywhere(if anonymous { top } else { resource }, cause);
        }
    }

    fn mask_probe_failure(&mut self, outcome: &Outcome<'_>, failure: &mut Failure) {
        let banned = if self.state(outcome.resource).unique {
            outcome.resource
        } else {
            self.top_of(outcome.resource)
        };
        self.update_role(outcome, outcome.expected, failure);
        self.record_failure(outcome);
        let cause = || outcome.cause(FailureKind::Probe);
        self.add_location(banned, Some(outcome.node), Score::MINUS_INFINITY, cause);
    }

    fn record_failure(&mut self, outcome: &Outcome<'_>) {
        if !self.node(outcome.node).state.online {
            return;
        }
        let node = self.node(outcome.node).name.to_string();
        let key = history_key(outcome.xml);
        let known = |failed: &FailedOperation| {
            history_key(&failed.operation) == key && failed.node.eq_ignore_ascii_case(&node)
        };
        if self.failed.iter().any(known) {
            return;
        }
        let resource = self.resource(outcome.resource).id.to_string();
        let operation = outcome.xml.clone().with_attr("uname", &node).with_attr("rsc-id", &resource);
        self.failed.push(FailedOperation { node, resource, operation });
    }

    // --- pending --------------------------------------------------------------------------------------------------

    fn note_pending(&mut self, outcome: &Outcome<'_>, last_failure: Option<&Element>) {
        if last_failure.is_some_and(|failure| is_newer_failure(failure, outcome)) {
            return;
        }
        let resource = outcome.resource;
        match outcome.task {
            "start" => {
                self.state_mut(resource).start_pending = true;
                self.set_active_role(resource);
            }
            "promote" => self.state_mut(resource).role = Role::Promoted,
            "migrate_to" if self.node(outcome.node).state.unclean => {
                let target = outcome.xml.attr("migrate_target").and_then(|name| self.node_named(name));
                if target.is_some() {
                    self.stop_action(resource, target, false);
                }
            }
            _ => {}
        }
        let state = self.state_mut(resource);
        if state.pending_action.is_none() && !outcome.is_probe() {
            state.pending_action = Some(Arc::from(outcome.task));
            state.pending_node = Some(outcome.node);
        }
    }
}

/// Whether a failure of the same operation came after it was recorded as pending.
fn is_newer_failure(failure: &Element, outcome: &Outcome<'_>) -> bool {
    let when = |op: &Element| number(op, "last-rc-change");
    failure.attr("operation") == Some(outcome.task)
        && number(failure, "interval") == i64::try_from(outcome.interval_ms).ok()
        && match (when(failure), when(outcome.xml)) {
            (Some(failed), Some(this)) => failed >= this,
            _ => false,
        }
}
