// SPDX-License-Identifier: GPL-2.0-or-later
//! Changes of a CIB's status section: how nodes are, what was run on them.
//!
//! Decides: what a change looks like in the CIB. Given: a CIB and what (is pretended to have) happened. Leaves to
//! others: what is pretended.

use crate::failure::Failure;
use model::{
    ExecStatus, ExitCode, FeatureSet, Interval, OcfCode, OpKey, TransitionKey, TransitionMagic, WallTime,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::{Element, Ids};

/// The origin written into what a simulation changes.
pub(super) const ORIGIN: &str = "crm_simulate";

/// The controller that never was, in keys of operations that nobody scheduled.
const NOBODY: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// How a node is made to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// A member in full.
    Up,
    /// Gone as it was told to.
    Down,
    /// Gone though it should be there.
    Lost,
}

/// Nothing in the CIB says that there is such a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Node '{0}' is in neither the configuration nor the status (--node-up would add it)")]
pub(super) struct UnknownNode(String);

impl From<UnknownNode> for Failure {
    fn from(unknown: UnknownNode) -> Failure {
        Failure::new(ExitCode::NOSUCH, unknown)
    }
}

/// A node's state, to be changed; made if there is none.
pub(super) fn node_state<'a>(
    cib: &'a mut Element,
    name: &str,
    id: Option<&str>,
) -> Result<&'a mut Element, UnknownNode> {
    let by_name = |state: &Element| state.name() == "node_state" && state.attr("uname") == Some(name);
    let known = cib.child("status").is_some_and(|status| status.elements().any(by_name));
    let id = id.map(str::to_owned).or_else(|| node_id(cib, name));
    if !known {
        let id = id.ok_or_else(|| UnknownNode(name.to_owned()))?;
        counted(cib, |cib| {
            let status = cib.child_or_insert("status");
            // A state may have its id alone as long as the node's name has not been heard of.
            match status.child_with_id_mut("node_state", &id) {
                Some(state) => state.set_attr("uname", name),
                None => status.push(Element::new("node_state").with_attr("id", id).with_attr("uname", name)),
            }
        });
    }
    let status = cib.child_or_insert("status");
    let at = status.children().iter().position(|child| child.element().is_some_and(by_name));
    at.and_then(|at| status.element_at_mut(at)).ok_or_else(|| UnknownNode(name.to_owned()))
}

/// The id of the node (cluster, remote or guest) of a name.
fn node_id(cib: &Element, name: &str) -> Option<String> {
    let nodes = cib.descend(&["configuration", "nodes"])?;
    let named = nodes
        .elements()
        .find(|node| node.attr("uname").is_some_and(|uname| uname.eq_ignore_ascii_case(name)));
    if let Some(id) = named.and_then(Element::id) {
        return Some(id.to_owned());
    }
    let resources = cib.descend(&["configuration", "resources"])?;
    let remote = |primitive: &&Element| {
        let is_connection =
            primitive.attr("provider") == Some("pacemaker") && primitive.attr("type") == Some("remote");
        let is_guest = || {
            let nvpairs = primitive.elements_named("meta_attributes").flat_map(Element::elements);
            nvpairs.into_iter().any(|nvpair| {
                nvpair.attr("name") == Some("remote-node")
                    && nvpair.attr("value").is_some_and(|value| value.eq_ignore_ascii_case(name))
            })
        };
        (is_connection && primitive.id().is_some_and(|id| id.eq_ignore_ascii_case(name))) || is_guest()
    };
    // Remote and guest nodes have their names for ids.
    resources.descendants().filter(|e| e.name() == "primitive").find(remote).map(|_| name.to_owned())
}

/// Makes a node known to the configuration, if it is not.
pub(super) fn ensure_node(cib: &mut Element, name: &str) {
    let nodes = cib.child_or_insert("configuration").child_or_insert("nodes");
    if !nodes.elements().any(|node| node.attr("uname") == Some(name)) {
        nodes.push(Element::new("node").with_attr("id", name).with_attr("uname", name));
        count_configuration_change(cib);
    }
}

/// Counts a change of the configuration in the version of the CIB, as its manager would.
pub(super) fn count_configuration_change(cib: &mut Element) {
    raise(cib, "epoch");
    cib.set_attr("num_updates", 0);
}

/// Changes something outside the configuration, and counts that in the version of the CIB, as its manager would.
pub(super) fn counted<R>(cib: &mut Element, change: impl FnOnce(&mut Element) -> R) -> R {
    let before = cib.clone();
    let result = change(cib);
    if *cib != before {
        raise(cib, "num_updates");
    }
    result
}

fn raise(cib: &mut Element, part: &'static str) {
    let count = cib.attr(part).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    cib.set_attr(part, count.saturating_add(1));
}

/// Changes what a node looks like, `origin` being who does. A node that is down loses its history and transient
/// attributes.
pub(super) fn set_membership(
    cib: &mut Element,
    name: &str,
    membership: Membership,
    origin: &str,
) -> Result<(), UnknownNode> {
    node_state(cib, name, None)?;
    counted(cib, |cib| {
        let state = node_state(cib, name, None)?;
        let down = membership == Membership::Down;
        state.set_attr("in_ccm", membership == Membership::Up);
        state.set_attr("crmd", if down { "offline" } else { "online" });
        state.set_attr("join", if down { "down" } else { "member" });
        state.set_attr("expected", if down { "down" } else { "member" });
        state.set_attr("crm-debug-origin", origin);
        Ok(())
    })?;
    for lost in ["lrm", "transient_attributes"] {
        if membership == Membership::Down {
            counted(cib, |cib| {
                node_state(cib, name, None)?.remove_elements(|child| child.name() == lost);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Sets a transient attribute of a node.
pub(super) fn set_attribute(state: &mut Element, name: &str, value: &str) {
    let node_id = state.id().unwrap_or_default().to_owned();
    let outer = state.child_or_insert("transient_attributes");
    if outer.id().is_none() {
        outer.set_attr("id", &node_id);
    }
    let set = outer.child_or_insert("instance_attributes");
    if set.id().is_none() {
        set.set_attr("id", &node_id);
    }
    let set_id = set.id().unwrap_or_default().to_owned();
    let known = set.elements_mut().find(|nvpair| nvpair.attr("name") == Some(name));
    match known {
        Some(nvpair) => nvpair.set_attr("value", value),
        None => set.push(
            Element::new("nvpair")
                .with_attr("id", xml::sanitized_id(&format!("{set_id}-{name}")))
                .with_attr("name", name)
                .with_attr("value", value),
        ),
    }
}

/// A transient attribute of a node.
pub(super) fn attribute<'a>(state: &'a Element, name: &str) -> Option<&'a str> {
    let sets = state.child("transient_attributes")?.elements_named("instance_attributes");
    let mut nvpairs = sets.flat_map(Element::elements);
    nvpairs.find(|nvpair| nvpair.attr("name") == Some(name))?.attr("value")
}

/// The agent whose history it is.
#[derive(Clone, Debug, Default)]
pub(super) struct AgentRef {
    pub(super) class: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) name: Option<String>,
}

/// A history cannot be begun for such a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HistoryError {
    #[error(
        "Resource {resource} not found in the status section of {node} (supply class and type to continue)"
    )]
    NoAgent { resource: String, node: String },
    #[error("Invalid class for {resource}: {class}")]
    BadClass { resource: String, class: String },
    #[error("Please specify the provider for resource {resource}")]
    NoProvider { resource: String },
}

/// Records a result in the history of a resource on a node, which is known as `name` or `history_name`.
pub(super) fn record_result(
    state: &mut Element,
    name: &str,
    history_name: &str,
    agent: &AgentRef,
    result: &OperationResult<'_>,
) -> Result<(), HistoryError> {
    let before = state.descend(&["lrm", "lrm_resources"]).map_or(0, |resources| resources.children().len());
    record(resource_history(state, name, history_name, agent)?, result);
    if let Some(resources) = state.child_mut("lrm").and_then(|lrm| lrm.child_mut("lrm_resources")) {
        fold_doubled(resources, before);
    }
    Ok(())
}

/// Adds to each history what others of the same id hold. The CIB's manager is given the node's state as a whole, and it
/// looks for the place of everything in it by name and id: so what stands there twice is written into the first.
/// What was added after the first `before` has then no place of its own.
fn fold_doubled(resources: &mut Element, before: usize) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut doubled: Vec<(usize, usize, Element)> = Vec::new();
    for (index, child) in resources.children().iter().enumerate() {
        let Some(history) = child.element().filter(|child| child.name() == "lrm_resource") else { continue };
        let Some(id) = history.id() else { continue };
        match first.get(id) {
            Some(&into) => doubled.push((index, into, history.clone())),
            None => drop(first.insert(id.to_owned(), index)),
        }
    }
    for (index, into, history) in doubled {
        if index >= before {
            resources.remove(index);
        }
        let Some(target) = resources.element_at_mut(into) else { continue };
        for operation in history.elements() {
            match target.child_with_id_mut(operation.name(), operation.id().unwrap_or_default()) {
                Some(known) => {
                    known.set_attrs(operation.attributes().iter().map(|a| (a.name().clone(), a.value())))
                }
                None => target.push(operation.clone()),
            }
        }
    }
}

/// The history of a resource on a node, to be changed: under `name` or `history_name` if it is there once, else begun
/// under the latter.
pub(super) fn resource_history<'a>(
    state: &'a mut Element,
    name: &str,
    history_name: &str,
    agent: &AgentRef,
) -> Result<&'a mut Element, HistoryError> {
    let has = |id: &str| {
        let resources = state.descend(&["lrm", "lrm_resources"]);
        let histories = resources.into_iter().flat_map(|resources| resources.elements_named("lrm_resource"));
        // Which of several would be meant?
        histories.filter(|history| history.id() == Some(id)).take(2).count() == 1
    };
    let known = [name, history_name].into_iter().find(|id| has(id));
    if known.is_none() {
        check_agent(state, name, agent)?;
    }
    let node_id = state.id().map(str::to_owned);
    let lrm = state.child_or_insert("lrm");
    if lrm.id().is_none() {
        lrm.set_attr_opt("id", node_id);
    }
    let resources = lrm.child_or_insert("lrm_resources");
    let id = known.unwrap_or(history_name);
    if known.is_none() {
        let mut resource = Element::new("lrm_resource").with_attr("id", id);
        resource.set_attr_opt("class", agent.class.as_ref());
        resource.set_attr_opt("provider", agent.provider.as_ref());
        resource.set_attr_opt("type", agent.name.as_ref());
        resources.push(resource);
    }
    let at = match known {
        Some(id) => resources.position("lrm_resource", Ids::Is(id)),
        None => resources.children().len().checked_sub(1),
    };
    match at.and_then(|at| resources.element_at_mut(at)) {
        Some(resource) => Ok(resource),
        None => unreachable!("a history of this id was there or has been added"),
    }
}

fn check_agent(state: &Element, resource: &str, agent: &AgentRef) -> Result<(), HistoryError> {
    let resource = resource.to_owned();
    let (Some(class), Some(_)) = (&agent.class, &agent.name) else {
        let node = state.id().unwrap_or_default().to_owned();
        return Err(HistoryError::NoAgent { resource, node });
    };
    match class.to_ascii_lowercase().as_str() {
        "ocf" if agent.provider.is_none() => Err(HistoryError::NoProvider { resource }),
        "ocf" | "stonith" | "service" | "systemd" | "lsb" => Ok(()),
        _ => Err(HistoryError::BadClass { resource, class: class.clone() }),
    }
}

/// What was run, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct OperationResult<'a> {
    pub(super) resource: &'a str,
    pub(super) task: &'a str,
    pub(super) interval: Interval,
    pub(super) rc: OcfCode,
    pub(super) target_rc: OcfCode,
    pub(super) exit_reason: &'a str,
    pub(super) node: &'a str,
    /// The action's attributes in the graph.
    pub(super) attributes: &'a [(Arc<str>, Arc<str>)],
    pub(super) feature_set: FeatureSet,
    pub(super) at: WallTime,
}

impl OperationResult<'_> {
    fn meta(&self, name: &str) -> Option<&str> {
        let matches = |key: &str| key.strip_prefix("CRM_meta_") == Some(name);
        self.attributes.iter().find(|(key, _)| matches(key)).map(|(_, value)| &**value)
    }
}

/// Adds a result to a resource's history, with a call id higher than all before.
fn record(history: &mut Element, result: &OperationResult<'_>) {
    let call_ids = history.elements().filter_map(|op| op.attr("call-id")?.parse::<i32>().ok());
    let call_id = call_ids.max().unwrap_or(0).max(0) + 1;
    let reload = matches!(result.task, "reload" | "reload-agent");
    // A reloaded resource is a started one to whoever reads the history.
    let task = if reload { "start" } else { result.task };
    let key = OpKey::new(result.resource, task, result.interval);
    let notify = task == "notify";
    let rc = if notify { OcfCode::OK } else { result.rc };
    let failed = !notify && rc != result.target_rc;
    let last = OpKey::new(result.resource, "last", Interval::ZERO).to_string();
    let ids: Vec<String> = if notify {
        let part = |name| result.meta(name).unwrap_or_default();
        vec![format!("{}_{}_notify_{}_0", result.resource, part("notify_type"), part("notify_operation"))]
    } else if matches!(task, "migrate_to" | "migrate_from") {
        vec![key.to_string()]
    } else if failed {
        let failure = OpKey::new(result.resource, "last_failure", Interval::ZERO).to_string();
        if result.interval.is_zero() { vec![failure, last] } else { vec![failure] }
    } else if result.interval.is_zero() {
        vec![last]
    } else {
        vec![key.to_string()]
    };
    let reason =
        if failed && !matches!(task, "migrate_to" | "migrate_from") { result.exit_reason } else { "" };
    let transition = TransitionKey {
        action: call_id,
        transition: -1,
        target_rc: result.target_rc,
        uuid: NOBODY.to_owned(),
    };
    let magic = TransitionMagic { status: ExecStatus::Done, rc, key: transition.clone() };
    for id in ids {
        if history.child_with_id("lrm_rsc_op", &id).is_none() {
            history.push(Element::new("lrm_rsc_op").with_attr("id", &id));
        }
        let Some(op) = history.child_with_id_mut("lrm_rsc_op", &id) else { continue };
        op.set_attr("operation_key", &key);
        op.set_attr("operation", task);
        op.set_attr("crm-debug-origin", ORIGIN);
        op.set_attr("crm_feature_set", result.feature_set);
        op.set_attr("transition-key", &transition);
        op.set_attr("transition-magic", &magic);
        op.set_attr("exit-reason", reason);
        op.set_attr("on_node", result.node);
        op.set_attr("call-id", call_id);
        op.set_attr("rc-code", rc.value());
        op.set_attr("op-status", ExecStatus::Done.value());
        op.set_attr("interval", result.interval.as_ms());
        op.set_attr("last-rc-change", result.at);
        op.set_attr("exec-time", 0);
        op.set_attr("queue-time", 0);
        if matches!(task, "migrate_to" | "migrate_from") {
            op.set_attr_opt("migrate_source", result.meta("migrate_source"));
            op.set_attr_opt("migrate_target", result.meta("migrate_target"));
        }
        if !result.attributes.is_empty() {
            op.set_attr("op-digest", parameter_digest(result));
        }
    }
}

/// The digest by which a changed parameter is noticed: over what the agent was given, without what the cluster added
/// (but with the timeout of recurring operations).
fn parameter_digest(result: &OperationResult<'_>) -> String {
    const NOT_PARAMETERS: [&str; 6] =
        ["crm_feature_set", "id", "op-digest", "on_node", "on_node_uuid", "pcmk_external_ip"];
    let mut parameters = Element::new("parameters");
    for (name, value) in result.attributes {
        let timeout = **name == *"CRM_meta_timeout" && !result.interval.is_zero();
        if timeout || !(name.starts_with("CRM_meta_") || NOT_PARAMETERS.contains(&&**name)) {
            parameters.set_attr(xml::Name::Shared(Arc::clone(name)), value);
        }
    }
    xml::digest_v1_sorted(&parameters, xml::Escaping::Modern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cib() -> Element {
        xml::parse(
            "<cib><configuration><nodes><node id='1' uname='one'/></nodes><resources>
             <primitive id='far' class='ocf' provider='pacemaker' type='remote'/>
             <primitive id='vm' class='ocf' provider='x' type='VM'><meta_attributes id='m'>
               <nvpair id='g' name='remote-node' value='guest'/></meta_attributes></primitive></resources>
             </configuration><status/></cib>",
        )
        .unwrap()
    }

    fn result<'a>(
        task: &'a str,
        interval_ms: u64,
        rc: i32,
        attributes: &'a [(Arc<str>, Arc<str>)],
    ) -> OperationResult<'a> {
        OperationResult {
            resource: "web",
            task,
            interval: Interval::from_ms(interval_ms),
            rc: OcfCode::new(rc),
            target_rc: OcfCode::OK,
            exit_reason: "because",
            node: "one",
            attributes,
            feature_set: FeatureSet::new(3, 20, 5),
            at: WallTime::from_secs(1000),
        }
    }

    #[test]
    fn nodes_are_found_by_whatever_makes_them_nodes() {
        let mut cib = cib();
        for (name, id) in [("one", "1"), ("far", "far"), ("guest", "guest")] {
            assert_eq!(node_state(&mut cib, name, None).unwrap().id(), Some(id), "{name}");
        }
        let kept = node_state(&mut cib, "one", Some("other")).unwrap();
        assert_eq!(kept.id(), Some("1"), "an entry that is there is kept");
        assert_eq!(node_state(&mut cib, "nobody", None), Err(UnknownNode("nobody".to_owned())));
        assert!(node_state(&mut cib, "somebody", Some("9")).is_ok(), "whoever has an id is somebody");
        ensure_node(&mut cib, "two");
        ensure_node(&mut cib, "two");
        assert_eq!(cib.descend(&["configuration", "nodes"]).unwrap().elements().count(), 2);
        assert_eq!(cib.child("status").unwrap().elements().count(), 4);
    }

    #[test]
    fn a_node_that_goes_down_is_forgotten() {
        let mut cib = cib();
        let state = node_state(&mut cib, "one", None).unwrap();
        set_attribute(state, "fail-count-web#start_0", "1");
        set_attribute(state, "fail-count-web#start_0", "2");
        assert_eq!(attribute(state, "fail-count-web#start_0"), Some("2"));
        set_membership(&mut cib, "one", Membership::Lost, ORIGIN).unwrap();
        let state = node_state(&mut cib, "one", None).unwrap();
        assert_eq!((state.attr("in_ccm"), state.attr("crmd")), (Some("false"), Some("online")));
        assert!(state.child("transient_attributes").is_some());
        set_membership(&mut cib, "one", Membership::Down, ORIGIN).unwrap();
        let state = node_state(&mut cib, "one", None).unwrap();
        assert_eq!((state.attr("join"), state.attr("expected")), (Some("down"), Some("down")));
        assert_eq!(state.elements().count(), 0);
    }

    #[test]
    fn histories_begin_only_for_agents_that_can_be() {
        let mut state = Element::new("node_state").with_attr("id", "1");
        let agent = |class: &str, provider: Option<&str>| AgentRef {
            class: Some(class.to_owned()),
            provider: provider.map(str::to_owned),
            name: Some("Dummy".to_owned()),
        };
        let none = AgentRef::default();
        assert!(matches!(resource_history(&mut state, "a", "a", &none), Err(HistoryError::NoAgent { .. })));
        let ocf = agent("ocf", None);
        assert!(matches!(resource_history(&mut state, "a", "a", &ocf), Err(HistoryError::NoProvider { .. })));
        let odd = agent("odd", None);
        assert!(matches!(resource_history(&mut state, "a", "a", &odd), Err(HistoryError::BadClass { .. })));
        assert_eq!(resource_history(&mut state, "a:0", "a", &agent("lsb", None)).unwrap().id(), Some("a"));
        // Once begun, whoever asks under either name gets it.
        assert_eq!(resource_history(&mut state, "a:0", "a", &none).unwrap().id(), Some("a"));
    }

    #[test]
    fn what_stands_twice_is_written_into_the_first() {
        let text = r#"<node_state id="1" uname="n1"><lrm id="1"><lrm_resources>
            <lrm_resource id="web"><lrm_rsc_op id="a" call-id="4"/></lrm_resource>
            <lrm_resource id="web"><lrm_rsc_op id="b" call-id="7"/></lrm_resource>
            </lrm_resources></lrm></node_state>"#;
        let mut state = xml::parse(text).unwrap();
        let agent = AgentRef { class: Some("lsb".to_owned()), provider: None, name: Some("web".to_owned()) };
        record_result(&mut state, "web", "web", &agent, &result("stop", 0, 0, &[])).unwrap();
        let resources = state.descend(&["lrm", "lrm_resources"]).unwrap();
        let histories: Vec<Vec<&str>> = resources
            .elements()
            .map(|history| history.elements().filter_map(Element::id).collect())
            .collect();
        assert_eq!(histories, [vec!["a", "b", "web_last_0"], vec!["b"]]);
        let stop = resources.first_element().unwrap().child_with_id("lrm_rsc_op", "web_last_0").unwrap();
        assert_eq!(stop.attr("call-id"), Some("1"), "neither was taken to be the history");
    }

    #[test]
    fn results_stand_where_the_scheduler_looks_for_them() {
        let mut history = Element::new("lrm_resource").with_attr("id", "web");
        let notify: Vec<(Arc<str>, Arc<str>)> =
            [("CRM_meta_notify_type", "pre"), ("CRM_meta_notify_operation", "stop")]
                .map(|(name, value)| (Arc::from(name), Arc::from(value)))
                .into();
        record(&mut history, &result("start", 0, 0, &[]));
        record(&mut history, &result("monitor", 10_000, 0, &[]));
        record(&mut history, &result("monitor", 10_000, 7, &[]));
        record(&mut history, &result("reload-agent", 0, 0, &[]));
        record(&mut history, &result("notify", 0, 1, &notify));
        record(&mut history, &result("stop", 0, 1, &[]));
        let ids: Vec<&str> = history.elements().filter_map(Element::id).collect();
        let expected = ["web_last_0", "web_monitor_10000", "web_last_failure_0", "web_pre_notify_stop_0"];
        assert_eq!(ids, expected);
        let of = |id: &str| history.child_with_id("lrm_rsc_op", id).unwrap();
        let stop = of("web_last_0");
        assert_eq!((stop.attr("operation"), stop.attr("exit-reason")), (Some("stop"), Some("because")));
        assert_eq!(stop.attr("call-id"), Some("6"), "each result is newer than all before");
        assert_eq!(stop.attr("transition-magic"), Some("0:1;6:-1:0:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"));
        assert_eq!(of("web_last_failure_0").attr("operation_key"), Some("web_stop_0"));
        assert_eq!(of("web_pre_notify_stop_0").attr("rc-code"), Some("0"), "notifications do not fail");
    }

    #[test]
    fn digests_are_those_of_executors() {
        let attributes: Vec<(Arc<str>, Arc<str>)> =
            [("CRM_meta_timeout", "20000"), ("crm_feature_set", "3.20.5")]
                .map(|(name, value)| (Arc::from(name), Arc::from(value)))
                .into();
        // What every executor has recorded for resources without parameters since there have been digests.
        assert_eq!(parameter_digest(&result("start", 0, 0, &attributes)), "f2317cad3d54cec5d7d7aa7d0bf35cf8");
        // ... and for a monitor of theirs with a timeout of 20 s.
        assert_eq!(
            parameter_digest(&result("monitor", 10_000, 0, &attributes)),
            "4811cef7f7f94e3a35a70be7916cb2fd"
        );
    }
}
