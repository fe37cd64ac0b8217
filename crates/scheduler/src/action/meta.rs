// SPDX-License-Identifier: GPL-2.0-or-later
//! Meta-attributes of operations, and what a failure of one leads to.
//!
//! Decides: timeouts, delays, `on-fail`, with their defaults (Pacemaker Explained, "Resource Operations"). Given: an
//! operation's configuration, `op_defaults`. Leaves to others: what is done about a failure.

use super::ActionId;
use crate::cluster::Parameters;
use crate::notation::{
    RuleNews, flag, interval_ms, parse_moment, resolve, rule_input, timeout_ms, unpack_blocks, whole_seconds,
};
use crate::{Cluster, ConfigIssue, NodeId, NodeKind, ResourceId};
use model::{Interval, Role};
use rules::{Input, Values};
use std::sync::Arc;
use xml::Element;

/// Milliseconds an operation may take if nothing is said.
const DEFAULT_TIMEOUT_MS: i64 = 20_000;

/// `on-fail`: what is done about a failure. The later ones are the graver ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OnFail {
    /// As if it had not failed.
    #[default]
    Ignore,
    /// Demote, and perhaps promote again.
    Demote,
    /// Stop and start, perhaps elsewhere.
    Restart,
    /// Fence the remote node it connects, or else connect it anew.
    ResetRemote,
    /// Restart the container it runs in.
    RestartContainer,
    /// Keep it off the node.
    Ban,
    /// Touch it no more.
    Block,
    /// Stop it, and leave it so.
    Stop,
    /// Put the node into standby.
    Standby,
    /// Fence the node.
    Fence,
}

impl Cluster {
    /// The configured operation of a name and interval.
    pub(crate) fn operation_config(
        &self,
        resource: ResourceId,
        task: &str,
        interval: u64,
        include_disabled: bool,
    ) -> Option<Element> {
        let find = |task: &str, interval: u64| {
            let matches = |op: &&Element| {
                (include_disabled || flag(op, "enabled") != Some(false))
                    && interval_ms(op.attr("interval")) == interval
                    && op.attr("name") == Some(task)
            };
            self.resource(resource).operations.iter().find(matches).cloned()
        };
        find(task, interval)
            .or_else(|| matches!(task, "migrate_to" | "migrate_from").then(|| find("migrate", 0)).flatten())
    }

    /// What rules about an operation may ask.
    fn operation_input<'a>(&'a self, resource: ResourceId, task: &'a str, interval: u64) -> Input<'a> {
        let xml = &self.resource(resource).xml;
        Input {
            standard: xml.attr("class"),
            provider: xml.attr("provider"),
            agent: xml.attr("type"),
            operation: Some((task, Interval::from_ms(interval))),
            ..rule_input(self.now, &self.cib)
        }
    }

    /// All meta-attributes of an operation.
    pub(crate) fn action_meta(
        &mut self,
        resource: ResourceId,
        node: Option<NodeId>,
        task: &str,
        interval: u64,
        config: Option<&Element>,
    ) -> Parameters {
        let mut meta = Parameters::new();
        let mut news = RuleNews::since(self.recheck_by);
        let input = self.operation_input(resource, task, interval);
        let is_probe = interval == 0 && task == "monitor";
        if let Some(config) = config {
            unpack_blocks(config, "meta_attributes", &input, &mut news, &mut meta);
            for attribute in config.attributes() {
                meta.insert(Arc::from(attribute.name().as_str()), Arc::from(attribute.value()));
            }
        }
        if is_probe && !meta.contains_key("timeout") {
            let frequent = self.most_frequent_monitor(resource);
            if let Some(timeout) = frequent.as_ref().and_then(|op| op.attr("timeout")) {
                meta.insert(Arc::from("timeout"), Arc::from(timeout));
            }
        }
        if let Some(defaults) = &self.defaults.operations {
            unpack_blocks(defaults, "meta_attributes", &input, &mut news, &mut meta);
        }
        self.heed(news);
        meta.remove("id");
        if interval > 0 {
            meta.insert(Arc::from("interval"), Arc::from(interval.to_string()));
        } else {
            meta.remove("interval");
        }
        let fences =
            self.resource(resource).agent.as_ref().is_some_and(|a| a.class.eq_ignore_ascii_case("stonith"));
        if fences && (task == "start" || is_probe) {
            let parameters = self.parameters(resource, node);
            if let Some(timeout) = parameters.get("pcmk_monitor_timeout") {
                meta.insert(Arc::from("timeout"), timeout.clone());
            }
        }
        let timeout = meta.get("timeout").and_then(|t| timeout_ms(t)).filter(|&ms| ms > 0);
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT_MS).min(i64::from(i32::MAX));
        meta.insert(Arc::from("timeout"), Arc::from(timeout.to_string()));
        self.validate_on_fail(resource, task, config, &mut meta);
        self.note_start_delay(interval, config, &mut meta);
        meta
    }

    fn most_frequent_monitor(&self, resource: ResourceId) -> Option<Element> {
        let recurring = self.resource(resource).operations.iter().filter(|op| {
            op.attr("name") == Some("monitor")
                && interval_ms(op.attr("interval")) > 0
                && flag(op, "enabled") != Some(false)
        });
        // The first of equally frequent ones.
        recurring.min_by_key(|op| interval_ms(op.attr("interval"))).cloned()
    }

    fn note_start_delay(&mut self, interval: u64, config: Option<&Element>, meta: &mut Parameters) {
        let delay_ms = if let Some(delay) = meta.get("start-delay") {
            timeout_ms(delay).unwrap_or(0).clamp(0, i64::from(i32::MAX))
        } else if let Some(origin) = meta.get("interval-origin").filter(|_| interval > 0) {
            let Some(moment) = parse_moment(origin, self.now) else {
                let id = config.and_then(Element::id).unwrap_or("(missing ID)");
                let issue = format!(
                    "Ignoring 'interval-origin' for operation '{id}' because '{origin}' is not valid"
                );
                self.note_issue(ConfigIssue::error(issue).logged_by("unpack_interval_origin"));
                return;
            };
            let origin = moment;
            let interval_s = whole_seconds(interval).max(1);
            let past = (self.now.secs - origin) % interval_s;
            (if past <= 0 { -past } else { interval_s - past }) * 1000
        } else {
            return;
        };
        meta.insert(Arc::from("start-delay"), Arc::from(delay_ms.to_string()));
    }

    fn validate_on_fail(
        &mut self,
        resource: ResourceId,
        task: &str,
        config: Option<&Element>,
        meta: &mut Parameters,
    ) {
        let value = meta.get("on-fail").map(|v| v.to_ascii_lowercase());
        let value = value.as_deref();
        let is_promoted_monitor = |op: &Element| {
            op.attr("name") == Some("monitor")
                && op.attr("role").is_some_and(|role| role.parse() == Ok(Role::Promoted))
                && interval_ms(op.attr("interval")) > 0
        };
        match (task, value) {
            ("stop", Some("standby" | "demote" | "stop")) => {
                self.refuse_on_fail(resource, task, meta);
            }
            ("demote", None) => {
                for op in &self.resource(resource).operations {
                    let Some(on_fail) = op.attr("on-fail") else { continue };
                    let counts = is_promoted_monitor(op) && flag(op, "enabled") != Some(false);
                    if counts && !on_fail.eq_ignore_ascii_case("demote") {
                        meta.insert(Arc::from("on-fail"), Arc::from(on_fail));
                    }
                }
            }
            ("lrm_delete", other) if other != Some("ignore") => {
                meta.insert(Arc::from("on-fail"), Arc::from("ignore"));
            }
            (_, Some("demote")) => {
                let fits =
                    config.is_some_and(|op| op.attr("name") == Some("promote") || is_promoted_monitor(op));
                if !fits {
                    self.refuse_on_fail(resource, task, meta);
                }
            }
            _ => {}
        }
    }

    fn refuse_on_fail(&mut self, resource: ResourceId, task: &str, meta: &mut Parameters) {
        let value = meta.remove("on-fail").unwrap_or_default();
        let id = self.resource(resource).id.clone();
        let issue = match task {
            "stop" => format!(
                "Resetting 'on-fail' for {id} stop action to default value because '{value}' is not allowed for stop"
            ),
            _ => format!(
                "Resetting 'on-fail' for {id} {task} action to default value because 'demote' is not allowed for it"
            ),
        };
        self.note_issue(ConfigIssue::error(issue).logged_by("validate_on_fail"));
    }

    /// What is done about a failure of an operation.
    pub(crate) fn on_fail(
        &mut self,
        resource: ResourceId,
        task: &str,
        interval: u64,
        value: Option<&str>,
    ) -> OnFail {
        let fencing = self.options.fencing_enabled;
        let container = self.work(resource).launcher.map(|_| OnFail::RestartContainer);
        // A connection that drops leaves a node unwatched; one that could not be made, or is not there, does not.
        let is_probe = task == "monitor" && interval == 0;
        let drops = !is_probe
            && task != "start"
            && self.remote_node_of(resource).is_some_and(|node| self.node(node).kind == NodeKind::Remote);
        let managed = self.state(resource).managed;
        let configured = match value.map(str::to_ascii_lowercase).as_deref() {
            None => None,
            Some("restart-container") => container,
            Some("block") => Some(OnFail::Block),
            Some("fence") if fencing => Some(OnFail::Fence),
            Some("fence") => {
                let id = self.resource(resource).id.clone();
                let issue = format!(
                    "Resetting 'on-fail' for {task} of {id} to 'stop' because 'fence' is not valid when fencing is disabled"
                );
                self.note_issue(ConfigIssue::error(issue).logged_by("pcmk__parse_on_fail"));
                Some(OnFail::Stop)
            }
            Some("standby") => Some(OnFail::Standby),
            Some("ignore" | "nothing") => Some(OnFail::Ignore),
            Some("migrate") => Some(OnFail::Ban),
            Some("stop") => Some(OnFail::Stop),
            Some("restart") => Some(OnFail::Restart),
            Some("demote") => Some(OnFail::Demote),
            Some(other) => {
                let id = self.resource(resource).id.clone();
                let issue =
                    format!("Using default 'on-fail' for {task} of {id} because '{other}' is not valid");
                self.note_issue(ConfigIssue::error(issue).logged_by("pcmk__parse_on_fail"));
                None
            }
        };
        let configured = configured.filter(|_| !drops || managed);
        let reset = drops.then_some(if managed { OnFail::ResetRemote } else { OnFail::Stop });
        configured.or(container).or(reset).unwrap_or(match task {
            "stop" if fencing => OnFail::Fence,
            "stop" => OnFail::Block,
            _ => OnFail::Restart,
        })
    }

    /// The parameters of a resource on a node, read anew. `news` gets when they may be others.
    pub(crate) fn read_parameters(
        &self,
        resource: ResourceId,
        node: Option<NodeId>,
        news: &mut RuleNews,
    ) -> Parameters {
        let mut parameters = Parameters::new();
        let input = Input {
            node_attributes: node.map(|node| &self.node(node).attributes as &dyn Values),
            ..rule_input(self.now, &self.cib)
        };
        let mut holder = Some(resource);
        while let Some(id) = holder {
            let holding = self.resource(id);
            unpack_blocks(&holding.xml, "instance_attributes", &input, news, &mut parameters);
            holder = holding.parent;
        }
        parameters
    }

    /// The parameters of an operation itself on a node.
    pub(crate) fn operation_parameters(&mut self, config: Option<&Element>, node: NodeId) -> Parameters {
        let mut parameters = Parameters::new();
        let Some(config) = config else { return parameters };
        let mut news = RuleNews::since(self.recheck_by);
        let input =
            Input { node_attributes: Some(&self.node(node).attributes), ..rule_input(self.now, &self.cib) };
        unpack_blocks(config, "instance_attributes", &input, &mut news, &mut parameters);
        self.heed(news);
        parameters
    }

    /// Reads an action's own parameters, once its node is known.
    pub(crate) fn read_extra(&mut self, id: ActionId) {
        let action = self.action(id);
        let (Some(node), Some(config), false) = (action.node, action.config.clone(), action.extra_read)
        else {
            return;
        };
        let extra = self.operation_parameters(Some(&config), node);
        let action = self.action_mut(id);
        action.extra = extra;
        action.extra_read = true;
    }

    /// The operations element with its reference followed.
    pub(crate) fn configured_operations(cib: &Element, xml: &Element) -> Vec<Element> {
        let holder = xml.child("operations").and_then(|ops| resolve(ops, cib));
        holder.map(|ops| ops.elements_named("op").cloned().collect()).unwrap_or_default()
    }
}
