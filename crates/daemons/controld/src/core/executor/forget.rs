// SPDX-License-Identifier: GPL-2.0-or-later
//! Forgetting resources, looking at them anew, and calling them failed.

use super::{Asked, Asker, Call, Deletion, is_recordable, quotable};
use crate::core::cib_calls::Purpose;
use crate::core::context::Context;
use crate::core::history::{self, ResourceHistory};
use messages::controller::Envelope;
use messages::core::Level;
use messages::execd::{Agent, Command, OpResult, Request};
use model::{ExecStatus, Interval, LegacyRc, OcfCode, WallTime};
use xml::Element;

impl Context {
    pub(super) fn delete_resource(&mut self, id: &str, request: Option<Asked>, user: Option<&str>) {
        let user = user.map(str::to_owned);
        if !self.executor.registered.contains_key(id) {
            // Deleting what does not exist is a success.
            self.deleted(id, LegacyRc::OK, request, user.as_deref());
            return;
        }
        self.log(Level::Info, format!("Removing resource {id} from executor"));
        let unregister = Request::UnregisterResource { resource: id.to_owned() };
        let purpose = Call::Unregister(Deletion { resource: id.to_owned(), request, user });
        self.executor_call(Command::new(unregister), purpose);
    }

    pub(super) fn deleted(&mut self, id: &str, rc: LegacyRc, request: Option<Asked>, user: Option<&str>) {
        if rc.is_ok() {
            self.executor.history.remove(id);
            self.executor.registered.remove(id);
            self.executor.ops.retain(|op| op.result.resource != id);
            self.erase_resource_history(id, &self.local_name(), user);
        }
        let Some((asker, action)) = request else { return };
        let verb = if rc.is_ok() { "was" } else { "was not" };
        let host = asker.host.as_deref().unwrap_or("localhost");
        self.log(Level::Info, format!("Notifying {} on {host} that {id} {verb} deleted", asker.system));
        let mut done = self.construct(&action, id, "delete");
        (done.status, done.rc) = match rc {
            rc if rc.is_ok() => (ExecStatus::Done, OcfCode::OK),
            LegacyRc::EACCES => (ExecStatus::Error, OcfCode::INSUFFICIENT_PRIV),
            _ => (ExecStatus::Error, OcfCode::UNKNOWN_ERROR),
        };
        self.tell(asker.host.as_deref(), &asker.system, &done);
        if asker.system != "tengine" {
            self.trigger_refresh();
        }
    }

    /// Tells who asked that a history was removed from the CIB (and from nowhere else).
    pub fn confirm_deletion(&mut self, message: &Envelope, resource: &str) {
        let from_transition = message.sys_from == "tengine";
        let action = message.payload.clone().unwrap_or_else(|| Element::new("crm_event"));
        let mut done = self.construct(&action, resource, "delete");
        let key = message.extra("transition-key").filter(|_| from_transition);
        done.user_data = key.map(str::to_owned).or(done.user_data).or(Some(history::FAKE_UUID.to_owned()));
        (done.status, done.rc) = (ExecStatus::Done, OcfCode::OK);
        let host = message.src.clone();
        self.tell(host.as_deref(), &message.sys_from, &done);
        if !from_transition {
            self.trigger_refresh();
        }
    }

    /// Writes a meaningless property, so that the cluster looks at everything again.
    fn trigger_refresh(&mut self) {
        let update = self.options.property_update("last-lrm-refresh", &self.now.wall.to_string());
        self.cib_create("crm_config", update, Purpose::Unimportant);
    }

    /// Removes a resource's history on a node from the CIB.
    pub fn erase_resource_history(&mut self, id: &str, node: &str, user: Option<&str>) {
        let (Some(resource), Some(node)) = (quotable(id), quotable(node)) else { return };
        let xpath = format!("//node_state[@uname='{node}']/lrm/lrm_resources/lrm_resource[@id='{resource}']");
        let what = format!("resource history for {id} on {node}");
        self.cib_delete_xpath(&xpath, false, user, Purpose::Erase { what });
    }

    pub(super) fn reprobe(&mut self, request: &Envelope) {
        self.log(Level::Notice, "Forcing the status of all resources to be redetected");
        let ids: Vec<String> = self.executor.registered.keys().cloned().collect();
        for id in ids {
            self.executor.history.remove(&id);
            let unregister = Request::UnregisterResource { resource: id.clone() };
            let purpose = Call::Unregister(Deletion { resource: id, request: None, user: None });
            self.executor_call(Command::new(unregister), purpose);
        }
        self.executor.history.clear();
        self.erase_node_history(&self.local_name());
        if !matches!(request.sys_from.as_str(), "tengine" | "pengine") {
            let reply = request.reply(None);
            self.relay(reply);
        }
    }

    pub(super) fn fail_resource(
        &mut self,
        asker: &Asker,
        action: &Element,
        agent: Option<(String, Agent)>,
        user: Option<&str>,
    ) {
        let Some((id, agent)) = agent else {
            self.log(Level::Warning, "Cannot fail a resource without its definition");
            return;
        };
        let mut op = self.construct(action, &id, "asyncmon");
        op.user_data = None;
        op.interval = Interval::ZERO;
        if let Some(user) = user {
            self.log(Level::Error, format!("{user} does not have permission to fail {id}"));
            let reason = "Unprivileged user cannot fail resources";
            self.fake(&mut op, ExecStatus::Error, OcfCode::INSUFFICIENT_PRIV, reason);
        } else {
            self.log(Level::Info, format!("Failing resource {id}..."));
            self.register_resource(&id, &agent);
            self.fake(&mut op, ExecStatus::Done, OcfCode::UNKNOWN_ERROR, "Simulated failure");
            self.record_and_tell(&agent, op.clone());
            // That it was failed is a success.
            op.rc = OcfCode::OK;
        }
        self.tell(asker.host.as_deref(), &asker.system, &op);
    }

    /// Makes a result of something that did not run.
    pub(super) fn fake(&self, op: &mut OpResult, status: ExecStatus, rc: OcfCode, reason: &str) {
        let known = self.executor.history.get(&op.resource);
        // Later than anything the scheduler knows of the resource.
        op.call_id = known.map_or(999_999_999, |known| known.last_call_id.saturating_add(1).max(1));
        op.run_time = WallTime::from_secs(self.now.wall.secs);
        op.rc_change_time = op.run_time;
        if op.action == "notify" {
            (op.status, op.rc) = (ExecStatus::Done, OcfCode::OK);
        } else {
            (op.status, op.rc, op.exit_reason) = (status, rc, Some(reason.to_owned()));
        }
    }

    pub(super) fn record_and_tell(&mut self, agent: &Agent, result: OpResult) {
        if is_recordable(&result.action) || result.action == "asyncmon" {
            self.record(agent, &result);
        } else {
            self.tell(None, "tengine", &result);
        }
        self.log_result(&result, false);
        self.remember(agent, &result);
    }

    pub(super) fn remember(&mut self, agent: &Agent, result: &OpResult) {
        if result.action == "notify" {
            return;
        }
        let known = self.executor.history.entry(result.resource.clone());
        known.or_insert_with(|| ResourceHistory::new(agent.clone())).record(result);
    }
}
