// SPDX-License-Identifier: GPL-2.0-or-later
//! How operations are recorded in the CIB: which entry a result goes to, and what the entry says.
//!
//! The scheduler knows a node's resources by nothing else, and the DC believes a result only when it sees it recorded;
//! so ids, keys, magic and digests are exactly Pacemaker's. The digests that need an agent's meta-data (which parameters
//! can be reloaded, which are private) are not recorded: without them a changed parameter leads to a restart, never to
//! a reload.

use messages::execd::{Agent, OpResult, Parameters};
use model::{ExecStatus, FeatureSet, OcfCode, OpKey, TransitionKey};
use std::collections::BTreeMap;
use xml::{Element, Escaping};

/// In place of a DC's in the keys of results that nobody scheduled.
pub(super) const FAKE_UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// What is remembered of one resource on this node.
#[derive(Clone, Debug)]
pub(super) struct ResourceHistory {
    pub agent: Agent,
    pub last_call_id: i32,
    /// The last that changed (or first showed) its state.
    pub last: Option<OpResult>,
    /// The last that failed.
    pub failed: Option<OpResult>,
    pub recurring: Vec<OpResult>,
    /// What it was started with, and so must be stopped with, whatever is configured by then.
    pub stop_parameters: Option<Parameters>,
}

/// All resources of this node.
pub(super) type NodeHistory = BTreeMap<String, ResourceHistory>;

impl ResourceHistory {
    pub fn new(agent: Agent) -> ResourceHistory {
        ResourceHistory {
            agent,
            last_call_id: 0,
            last: None,
            failed: None,
            recurring: Vec::new(),
            stop_parameters: None,
        }
    }

    /// Takes a result in.
    pub fn record(&mut self, result: &OpResult) {
        self.last_call_id = result.call_id;
        let recurs = !result.interval.is_zero();
        if result.status == ExecStatus::Cancelled {
            if recurs {
                self.forget_recurring(result);
                return;
            }
        } else if has_failed(result, target_rc(result)) {
            self.failed = Some(result.clone());
        } else if !recurs {
            if matches!(result.action.as_str(), "start" | "reload" | "reload-agent" | "monitor") {
                let own = result.parameters.iter().filter(|(name, _)| !is_meta(name));
                self.stop_parameters = Some(own.map(|(name, value)| (name.clone(), value.clone())).collect());
            }
            self.last = Some(result.clone());
        }
        if recurs {
            self.forget_recurring(result);
            self.recurring.insert(0, result.clone());
        } else if result.action != "monitor" {
            self.recurring.clear();
        }
    }

    fn forget_recurring(&mut self, result: &OpResult) {
        self.recurring.retain(|known| known.interval != result.interval || known.action != result.action);
    }

    /// Whether it may be running here.
    pub fn is_active(&self) -> bool {
        let Some(last) = &self.last else { return false };
        let stopped = last.rc == OcfCode::OK && matches!(last.action.as_str(), "stop" | "migrate_to");
        let never_ran = last.interval.is_zero() && last.rc == OcfCode::NOT_CONFIGURED;
        !(stopped || last.rc == OcfCode::NOT_RUNNING || never_ran)
    }

    /// Whether its last failure was of that operation.
    pub fn failed_as(&self, action: &str, interval: model::Interval) -> bool {
        self.failed.as_ref().is_some_and(|failed| failed.action == action && failed.interval == interval)
    }
}

/// The `<lrm>` of a node.
pub(super) fn to_lrm(history: &NodeHistory, node_id: &str, node: &str, version: FeatureSet) -> Element {
    let mut resources = Element::new("lrm_resources");
    for (id, known) in history {
        let mut resource = resource_entry(id, &known.agent);
        for result in known.failed.iter().chain(&known.last).chain(&known.recurring) {
            add_operation(&mut resource, result, node, "build_active_RAs", version);
        }
        resources.push(resource);
    }
    Element::new("lrm").with_attr("id", node_id).with_child(resources)
}

/// One resource's result, as an update of `<status>`.
pub(super) fn status_update(
    node_id: &str,
    node: &str,
    agent: &Agent,
    result: &OpResult,
    version: FeatureSet,
    origin: &str,
) -> Element {
    let mut resource =
        Element::new("lrm_resource").with_attr("id", &result.resource).with_attr("class", &agent.class);
    resource.set_attr_opt("provider", agent.provider.as_ref());
    resource.set_attr("type", &agent.kind);
    add_operation(&mut resource, result, node, origin, version);
    let lrm = Element::new("lrm")
        .with_attr("id", node_id)
        .with_child(Element::new("lrm_resources").with_child(resource));
    let state = Element::new("node_state")
        .with_attr("id", node_id)
        .with_attr("uname", node)
        .with_attr("crm-debug-origin", origin)
        .with_child(lrm);
    Element::new("status").with_child(state)
}

fn resource_entry(id: &str, agent: &Agent) -> Element {
    let mut resource = Element::new("lrm_resource")
        .with_attr("id", id)
        .with_attr("type", &agent.kind)
        .with_attr("class", &agent.class);
    resource.set_attr_opt("provider", agent.provider.as_ref());
    resource
}

/// Adds a result to its resource, or changes the entry it has there.
pub(super) fn add_operation(
    resource: &mut Element,
    result: &OpResult,
    node: &str,
    origin: &str,
    version: FeatureSet,
) {
    let target = target_rc(result);
    let action = recorded_action(result);
    let key = OpKey::new(&result.resource, action, result.interval).to_string();
    let (mut status, mut rc, mut exit_reason) = (result.status, result.rc, None);
    let mut ids = vec![];
    if action == "notify" {
        let meta = |name: &str| result.parameters.get(name).map_or("", String::as_str);
        let (kind, operation) = (meta("CRM_meta_notify_type"), meta("CRM_meta_notify_operation"));
        ids.push(format!("{}_{kind}_notify_{operation}_0", result.resource));
        if status != ExecStatus::Pending {
            (status, rc) = (ExecStatus::Done, OcfCode::OK);
        }
    } else if matches!(result.action.as_str(), "migrate_to" | "migrate_from") {
        ids.push(key.clone());
    } else if has_failed(result, target) {
        ids.push(format!("{}_last_failure_0", result.resource));
        if result.interval.is_zero() {
            ids.push(format!("{}_last_0", result.resource));
        }
        exit_reason = result.exit_reason.as_deref();
    } else if result.interval.is_zero() {
        ids.push(format!("{}_last_0", result.resource));
    } else {
        ids.push(key.clone());
    }
    for id in ids {
        let found = resource.child_with_id("lrm_rsc_op", &id).is_some();
        if !found {
            resource.push(Element::new("lrm_rsc_op").with_attr("id", &id));
        }
        if let Some(entry) = resource.child_with_id_mut("lrm_rsc_op", &id) {
            let shown = Shown { status, rc, exit_reason, action, key: &key, target };
            fill(entry, result, &shown, node, origin, version);
        }
    }
}

/// What an entry says in place of what the result says.
struct Shown<'a> {
    status: ExecStatus,
    rc: OcfCode,
    exit_reason: Option<&'a str>,
    action: &'a str,
    key: &'a str,
    target: OcfCode,
}

fn fill(
    entry: &mut Element,
    result: &OpResult,
    shown: &Shown<'_>,
    node: &str,
    origin: &str,
    version: FeatureSet,
) {
    let transition_key = result.user_data.clone().unwrap_or_else(|| {
        let fake = TransitionKey {
            action: result.call_id,
            transition: -1,
            target_rc: shown.target,
            uuid: FAKE_UUID.to_owned(),
        };
        fake.to_string()
    });
    entry.set_attr("operation_key", shown.key);
    entry.set_attr("operation", shown.action);
    entry.set_attr("crm-debug-origin", origin);
    match result.parameters.get("crm_feature_set") {
        Some(callers) => entry.set_attr("crm_feature_set", callers),
        None => entry.set_attr("crm_feature_set", version),
    }
    entry.set_attr("transition-key", &transition_key);
    let magic = format!("{}:{};{transition_key}", shown.status.value(), shown.rc.value());
    entry.set_attr("transition-magic", magic);
    entry.set_attr("exit-reason", shown.exit_reason.unwrap_or_default());
    entry.set_attr("on_node", node);
    entry.set_attr("call-id", result.call_id);
    entry.set_attr("rc-code", shown.rc.value());
    entry.set_attr("op-status", shown.status.value());
    entry.set_attr("interval", result.interval.as_ms());
    let (ran, changed) = (result.run_time.secs, result.rc_change_time.secs);
    if ran > 0 || changed > 0 || result.exec_time_ms > 0 || result.queue_time_ms > 0 {
        let recurs = !result.interval.is_zero();
        entry.set_attr("last-rc-change", if recurs && changed > 0 { changed } else { ran });
        entry.set_attr("exec-time", result.exec_time_ms);
        entry.set_attr("queue-time", result.queue_time_ms);
    }
    if matches!(result.action.as_str(), "migrate_to" | "migrate_from") {
        for name in ["migrate_source", "migrate_target"] {
            entry.set_attr_opt(name, result.parameters.get(&format!("CRM_meta_{name}")));
        }
    }
    if !result.parameters.is_empty() {
        entry.set_attr("op-digest", op_digest(&result.parameters, version));
    }
}

/// Successful reloads count as starts, failed ones as monitors.
fn recorded_action(result: &OpResult) -> &str {
    match result.action.as_str() {
        "reload" | "reload-agent" if result.status == ExecStatus::Done => "start",
        "reload" | "reload-agent" => "monitor",
        action => action,
    }
}

/// The code an operation should have ended with.
pub(super) fn target_rc(result: &OpResult) -> OcfCode {
    let key = result.user_data.as_deref().and_then(|key| key.parse::<TransitionKey>().ok());
    key.map_or(OcfCode::OK, |key| key.target_rc)
}

/// Whether a result is a failure, given what it should have been.
pub(super) fn has_failed(result: &OpResult, target: OcfCode) -> bool {
    match result.status {
        ExecStatus::Cancelled | ExecStatus::Pending => false,
        ExecStatus::NotSupported
        | ExecStatus::Timeout
        | ExecStatus::Error
        | ExecStatus::NotConnected
        | ExecStatus::NoFenceDevice
        | ExecStatus::NoSecrets
        | ExecStatus::Invalid => true,
        _ => result.rc != target,
    }
}

fn is_meta(name: &str) -> bool {
    name.starts_with("CRM_meta_")
}

/// The digest of an operation's parameters: those of the agent, and for recurring operations the timeout.
pub(super) fn op_digest(parameters: &Parameters, version: FeatureSet) -> String {
    const OTHERS: [&str; 6] =
        ["id", "crm_feature_set", "op-digest", "on_node", "on_node_uuid", "pcmk_external_ip"];
    let interval = parameters.get("CRM_meta_interval").and_then(|text| text.parse::<u64>().ok());
    let recurs = interval.is_some_and(|ms| ms != 0);
    let mut element = Element::new("parameters");
    for (name, value) in parameters {
        let counts = if is_meta(name) {
            recurs && name == "CRM_meta_timeout"
        } else {
            !OTHERS.contains(&name.as_str())
        };
        if counts {
            element.set_attr(name.clone(), value);
        }
    }
    let modern = version >= FeatureSet::new(3, 19, 5);
    xml::digest_v1_sorted(&element, if modern { Escaping::Modern } else { Escaping::Legacy })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Interval, WallTime};

    const VERSION: FeatureSet = FeatureSet::new(3, 20, 5);
    const UUID: &str = "d3fa8d09-1c5c-4a9c-b4d5-8a1f1c5c4a9c";

    fn result(action: &str, interval_ms: u64, rc: i32) -> OpResult {
        OpResult {
            call_id: 12,
            resource: "web".into(),
            action: action.into(),
            interval: Interval::from_ms(interval_ms),
            timeout_ms: 20_000,
            start_delay_ms: 0,
            user_data: Some(format!("5:3:0:{UUID}")),
            rc: OcfCode::new(rc),
            status: ExecStatus::Done,
            exit_reason: Some("broken".into()),
            output: None,
            resource_deleted: false,
            run_time: WallTime::from_secs(1000),
            rc_change_time: WallTime::from_secs(990),
            exec_time_ms: 30,
            queue_time_ms: 1,
            parameters: Parameters::from([
                ("state".into(), "/run/x".into()),
                ("CRM_meta_timeout".into(), "20000".into()),
                ("CRM_meta_interval".into(), interval_ms.to_string()),
                ("crm_feature_set".into(), "3.20.5".into()),
            ]),
        }
    }

    fn entries(result: &OpResult) -> Vec<Element> {
        let mut resource = Element::new("lrm_resource");
        add_operation(&mut resource, result, "n1", "test", VERSION);
        resource.elements().cloned().collect()
    }

    #[test]
    fn a_start_is_recorded_to_the_letter() {
        let entries = entries(&result("start", 0, 0));
        assert_eq!(entries.len(), 1);
        // The digest is that of ` <parameters state="/run/x"/>\n`.
        assert_eq!(
            entries[0].to_string(),
            format!(
                r#"<lrm_rsc_op id="web_last_0" operation_key="web_start_0" operation="start" crm-debug-origin="test" crm_feature_set="3.20.5" transition-key="5:3:0:{UUID}" transition-magic="0:0;5:3:0:{UUID}" exit-reason="" on_node="n1" call-id="12" rc-code="0" op-status="0" interval="0" last-rc-change="1000" exec-time="30" queue-time="1" op-digest="{}"/>"#,
                xml::digest_v1(&xml::parse("<parameters state='/run/x'/>").unwrap(), Escaping::Modern)
            )
        );
    }

    #[test]
    fn where_a_result_goes_depends_on_what_it_is() {
        let ids = |result: &OpResult| -> Vec<String> {
            entries(result).iter().map(|entry| entry.id().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&result("monitor", 10_000, 0)), ["web_monitor_10000"]);
        assert_eq!(ids(&result("monitor", 10_000, 7)), ["web_last_failure_0"]);
        assert_eq!(ids(&result("start", 0, 1)), ["web_last_failure_0", "web_last_0"]);
        assert_eq!(ids(&result("migrate_to", 0, 1)), ["web_migrate_to_0"]);
        let mut probe = result("monitor", 0, 7);
        probe.user_data = Some(format!("5:3:7:{UUID}"));
        assert_eq!(ids(&probe), ["web_last_0"]);
        let mut timed_out = result("start", 0, 1);
        timed_out.status = ExecStatus::Timeout;
        let entry = &entries(&timed_out)[0];
        assert_eq!((entry.attr("op-status"), entry.attr("exit-reason")), (Some("2"), Some("broken")));
        assert_eq!(entries(&result("reload-agent", 0, 0))[0].attr("operation_key"), Some("web_start_0"));
    }

    #[test]
    fn recurring_digests_have_the_timeout() {
        let once = op_digest(&result("monitor", 0, 0).parameters, VERSION);
        let mut recurring = result("monitor", 10_000, 0).parameters;
        let with_timeout = op_digest(&recurring, VERSION);
        assert_ne!(once, with_timeout);
        recurring.insert("CRM_meta_timeout".into(), "9".into());
        assert_ne!(op_digest(&recurring, VERSION), with_timeout);
    }

    #[test]
    fn nobody_s_results_have_a_key_all_the_same() {
        let mut fake = result("asyncmon", 0, 1);
        fake.user_data = None;
        assert_eq!(entries(&fake)[0].attr("transition-key"), Some(format!("12:-1:0:{FAKE_UUID}").as_str()));
    }

    #[test]
    fn history_remembers_failure_until_told_and_monitors_until_stopped() {
        let mut history =
            ResourceHistory::new(Agent { class: "ocf".into(), provider: None, kind: "x".into() });
        history.record(&result("start", 0, 0));
        history.record(&result("monitor", 10_000, 0));
        history.record(&result("monitor", 10_000, 7));
        assert!(history.is_active() && history.failed_as("monitor", Interval::from_ms(10_000)));
        assert_eq!(history.recurring.len(), 1);
        assert_eq!(history.stop_parameters.as_ref().unwrap().len(), 2);
        history.record(&result("stop", 0, 0));
        assert!(!history.is_active() && history.recurring.is_empty() && history.failed.is_some());
    }
}
