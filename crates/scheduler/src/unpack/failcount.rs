// SPDX-License-Identifier: GPL-2.0-or-later
//! Fail counts: how often a resource has failed on a node, as far as it still counts.
//!
//! Decides: which attributes are a resource's, what has expired (Pacemaker Explained, "Failure Counts"). Given: node
//! attributes, the history. Leaves to others: what follows.

use crate::notation::{base_name, integer, interval_ms, number, op_key, parse_score, whole_seconds};
use crate::{Cluster, ConfigIssue, NodeId, ResourceId};
use model::{Interval, Score, TransitionKey};
use xml::Element;

/// Which failures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailCountScope {
    /// All.
    All,
    /// Those that have not expired.
    Unexpired,
}

/// Whether an attribute is of this kind for this resource: `PREFIX-NAME[:INSTANCE]#OPERATION_MILLISECONDS`.
fn is_failure_of(attribute: &str, prefix: &str, name: &str, unique: bool) -> bool {
    let rest = attribute.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(name));
    let Some(rest) = rest else { return false };
    let rest = match rest.strip_prefix(':').filter(|_| !unique) {
        Some(instance) => {
            let digits = instance.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return false;
            }
            &instance[digits..]
        }
        None => rest,
    };
    let Some(operation) = rest.strip_prefix('#') else { return false };
    operation.rsplit_once('_').is_some_and(|(task, interval)| {
        !task.is_empty() && !interval.is_empty() && interval.bytes().all(|b| b.is_ascii_digit())
    })
}

/// What an operation should have returned; `None` if nothing says so.
pub(super) fn expected_rc(operation: &Element) -> Option<i32> {
    let key = operation.attr("transition-key")?;
    // Keys that cannot be read are taken to expect success.
    Some(key.parse::<TransitionKey>().map(|key| key.target_rc.value()).unwrap_or(0))
}

impl Cluster {
    /// How often a resource has failed on a node, and when last (zero if unknown).
    pub(crate) fn fail_count(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        scope: FailCountScope,
        operation: Option<&Element>,
    ) -> (i32, i64) {
        let (mut count, last) = self.recorded_failures(resource, node);
        let what = self.resource(resource);
        let timeout_ms = what.state.failure_timeout_ms;
        if count > 0 && timeout_ms > 0 && self.is_blocking_failure(resource, node, operation) {
            let (timeout, name) = (Interval::from_ms(timeout_ms).readable(), &self.resource(resource).id);
            let issue = format!(
                "Ignoring failure timeout ({timeout}) for {name} because it conflicts with on-fail=block"
            );
            self.note_issue(ConfigIssue::warning(issue).logged_by("pe_get_failcount"));
            self.state_mut(resource).failure_timeout_ms = 0;
        }
        let timeout_ms = self.state(resource).failure_timeout_ms;
        if scope == FailCountScope::Unexpired && count > 0 && last > 0 && timeout_ms > 0 {
            let expires = last.saturating_add(whole_seconds(timeout_ms));
            if self.now.secs > expires {
                count = 0;
            }
        }
        (count, if count > 0 { last } else { 0 })
    }

    /// What the attributes of a node hold of a resource's failures: how many, and when last (zero if unknown).
    pub(crate) fn recorded_failures(&self, resource: ResourceId, node: NodeId) -> (i32, i64) {
        if !self.has_failures(node) {
            return (0, 0);
        }
        let what = self.resource(resource);
        let unique = what.state.unique;
        let name = what.history_id.as_ref().unwrap_or(&what.id);
        let name = if unique { name } else { base_name(name) };
        let (mut count, mut last) = (Score::ZERO, 0);
        for (attribute, value) in &self.node(node).attributes {
            if is_failure_of(attribute, "fail-count-", name, unique) {
                count += parse_score(value).unwrap_or_default();
            } else if is_failure_of(attribute, "last-failure-", name, unique) {
                last = last.max(integer(value).unwrap_or(0));
            }
        }
        (count.value(), last)
    }

    /// Whether a node has a fail count of anything, or the time of a failure; most have none.
    fn has_failures(&self, node: NodeId) -> bool {
        let attributes = &self.node(node).attributes;
        ["fail-count-", "last-failure-"].iter().any(|&prefix| {
            let from = (std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded);
            attributes.range::<str, _>(from).next().is_some_and(|(name, _)| name.starts_with(prefix))
        })
    }

    /// Whether the failure is of an operation with `on-fail=block`: such ones never expire.
    fn is_blocking_failure(&self, resource: ResourceId, node: NodeId, operation: Option<&Element>) -> bool {
        let what = self.resource(resource);
        let name = base_name(&what.id);
        let blocking = || what.operations.iter().filter(|op| op.attr("on-fail") == Some("block"));
        let Some(operation) = operation else {
            return blocking().any(|config| self.any_failure_in_history(name, node, config));
        };
        blocking().any(|config| is_matched_failure(name, config, operation))
    }

    fn any_failure_in_history(&self, name: &str, node: NodeId, config: &Element) -> bool {
        let interval = interval_ms(config.attr("interval"));
        let task = config.attr("name");
        self.node_history(&self.node(node).name)
            .flat_map(|resource| resource.elements_named("lrm_rsc_op"))
            .filter(|op| {
                op.attr("operation") == task && number(op, "interval") == i64::try_from(interval).ok()
            })
            .any(|op| is_matched_failure(name, config, op))
    }

    /// The `lrm_resource`s of a node.
    pub(super) fn node_history(&self, node_name: &str) -> impl Iterator<Item = &Element> {
        let states = self.cib.child("status").into_iter().flat_map(|s| s.elements_named("node_state"));
        let states = states.filter(move |state| state.attr("uname") == Some(node_name));
        let lists = states.filter_map(|state| state.descend(&["lrm", "lrm_resources"]));
        lists.flat_map(|list| list.elements_named("lrm_resource"))
    }
}

fn is_matched_failure(name: &str, config: &Element, operation: &Element) -> bool {
    let task = config.attr("name").unwrap_or_default();
    let interval = interval_ms(config.attr("interval"));
    let actual = number(operation, "interval").and_then(|i| u64::try_from(i).ok()).unwrap_or(0);
    let same_task = operation.attr("operation").is_some_and(|op| op.eq_ignore_ascii_case(task));
    if interval != actual || !same_task {
        return false;
    }
    let id = operation.id().unwrap_or_default();
    if id == op_key(name, "last_failure", 0) {
        return true;
    }
    let rc = number(operation, "rc-code").unwrap_or(0);
    id == op_key(name, task, interval) && rc != i64::from(expected_rc(operation).unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use super::is_failure_of;

    #[test]
    fn attributes_are_matched_as_a_whole() {
        let matches = |attribute, unique| is_failure_of(attribute, "fail-count-", "web", unique);
        assert!(matches("fail-count-web#monitor_10000", true));
        assert!(matches("fail-count-web:3#start_0", false));
        assert!(!matches("fail-count-web:3#start_0", true));
        assert!(!matches("fail-count-web2#start_0", true));
        assert!(!matches("fail-count-web", true));
        assert!(!matches("last-failure-web#start_0", true));
        assert!(!matches("fail-count-web#start_", true));
    }
}
