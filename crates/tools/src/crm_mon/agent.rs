// SPDX-License-Identifier: GPL-2.0-or-later
//! The program that is run when an operation ended or a node was fenced (`--external-agent`).
//!
//! Decides: for which operations, and what it is told in its environment (`CRM_notify_*`). Given: patches of the CIB,
//! news of fencing. Leaves to others: where they come from.

use messages::fencer::FenceNotice;
use model::{ExecStatus, OcfCode, OpKey, TransitionKey};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use xml::Element;

/// What an agent is told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct News {
    node: String,
    resource: Option<String>,
    task: String,
    description: String,
    rc: i32,
    target_rc: i32,
    status: i32,
}

/// The agent.
pub(super) struct Agent {
    path: PathBuf,
    recipient: Option<String>,
    running: Vec<Child>,
}

impl Agent {
    /// A program, and for whom its message is.
    pub fn new(path: PathBuf, recipient: Option<String>) -> Agent {
        Agent { path, recipient, running: Vec::new() }
    }

    /// Tells of all operations in a patch.
    pub fn tell_changes(&mut self, patch: &Element) {
        news_of(patch).iter().for_each(|news| self.run(news));
    }

    /// Tells of a fencing.
    pub fn tell_fencing(&mut self, notice: &FenceNotice) {
        let result = &notice.result;
        let outcome = result.reason.clone().unwrap_or_else(|| result.status.to_string());
        let executioner = notice.delegate.as_deref().unwrap_or("the cluster");
        let client = notice.client_name.as_deref().unwrap_or("unknown client");
        self.run(&News {
            node: notice.target.clone(),
            resource: None,
            task: notice.action.clone(),
            description: format!(
                "Operation {} of {} by {executioner} for {client}@{}: {outcome} (ref={})",
                notice.action, notice.target, notice.origin, notice.remote_op
            ),
            rc: result.legacy().value(),
            target_rc: 0,
            status: 0,
        });
    }

    fn run(&mut self, news: &News) {
        self.running.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::null());
        if let Some(resource) = &news.resource {
            command.env("CRM_notify_rsc", resource);
        }
        if let Some(recipient) = &self.recipient {
            command.env("CRM_notify_recipient", recipient);
        }
        command
            .env("CRM_notify_node", &news.node)
            .env("CRM_notify_task", &news.task)
            .env("CRM_notify_desc", &news.description)
            .env("CRM_notify_rc", news.rc.to_string())
            .env("CRM_notify_target_rc", news.target_rc.to_string())
            .env("CRM_notify_status", news.status.to_string());
        // The status is shown whether the agent can be run or not; nobody would read a complaint of a daemon's.
        self.running.extend(command.spawn().ok());
    }
}

/// The operations in a patch that are worth telling.
fn news_of(patch: &Element) -> Vec<News> {
    let mut news = Vec::new();
    for change in patch.elements_named("change") {
        let result = match change.attr("operation") {
            Some("create") => change.first_element(),
            Some("modify") => change.child("change-result").and_then(Element::first_element),
            _ => None,
        };
        let Some(result) = result else { continue };
        // `/cib/status/node_state[@id='1']/lrm[@id='1']/...`
        let path = change.attr("path").unwrap_or_default();
        let of_path = path.split_once("/lrm[@id='").and_then(|(_, rest)| rest.split('\'').next());
        let states: Vec<&Element> =
            result.descendants().filter(|element| element.name() == "node_state").collect();
        if states.is_empty() {
            let node = if result.name() == "lrm" { result.id() } else { of_path };
            news.extend(operations(result).filter_map(|operation| of_operation(operation, node)));
        }
        for state in states {
            let node = state.attr("uname").or(state.id());
            news.extend(operations(state).filter_map(|operation| of_operation(operation, node)));
        }
    }
    news
}

fn operations(element: &Element) -> impl Iterator<Item = &Element> {
    element.descendants().filter(|element| element.name() == "lrm_rsc_op")
}

fn of_operation(operation: &Element, node: Option<&str>) -> Option<News> {
    // STATUS:RC;KEY
    let (result, key) = operation.attr("transition-magic")?.split_once(';')?;
    let (status, rc) = result.split_once(':')?;
    let (status, rc): (i32, i32) = (status.parse().ok()?, rc.parse().ok()?);
    let target_rc = key.parse::<TransitionKey>().ok()?.target_rc.value();
    let id = operation.attr("operation_key").or(operation.id())?;
    let op: OpKey = id.parse().ok()?;
    let status = ExecStatus::from_value(status);
    let expected = status == ExecStatus::Done && rc == target_rc;
    if expected && rc == OcfCode::NOT_RUNNING.value() {
        return None;
    }
    let description = match status {
        _ if expected => "OK".to_owned(),
        ExecStatus::Done => OcfCode::new(rc).to_string(),
        other => other.to_string(),
    };
    Some(News {
        node: operation.attr("on_node").or(node)?.to_owned(),
        resource: Some(op.resource.to_string()),
        task: op.operation.to_string(),
        description,
        rc,
        target_rc,
        status: status.value(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_wherever_a_patch_has_them() {
        let op = |key: &str, magic: &str| {
            format!(
                "<lrm_rsc_op id='{key}' operation_key='{key}' transition-magic='{magic}:u' on_node='n1'/>"
            )
        };
        let failed = op("web_monitor_10000", "0:1;4:5:0");
        let stopped = op("web_monitor_0", "0:7;4:5:7");
        let patch = format!(
            "<diff format='2'><change operation='create' path=\"/cib/status/node_state[@id='1']/lrm[@id='1']\">{failed}</change>\
             <change operation='modify' path='/cib'><change-result><status><node_state id='2' uname='n2'><lrm id='2'>{stopped}\
             </lrm></node_state></status></change-result></change><change operation='delete' path='/x'/></diff>"
        );
        let news = news_of(&xml::parse(&patch).unwrap());
        let [news] = news.as_slice() else { panic!("{news:?}") };
        assert_eq!(
            (news.node.as_str(), news.resource.as_deref(), news.task.as_str()),
            ("n1", Some("web"), "monitor")
        );
        assert_eq!(
            (news.rc, news.target_rc, news.status, news.description.as_str()),
            (1, 0, 0, "Error occurred")
        );
    }
}
