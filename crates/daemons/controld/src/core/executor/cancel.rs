// SPDX-License-Identifier: GPL-2.0-or-later
//! Ending operations that recur.

use super::{ActiveOp, Asked, Asker, Call, quotable};
use crate::core::cib_calls::Purpose;
use crate::core::context::Context;
use messages::core::Level;
use messages::execd::{Command, Request};
use model::{ExecStatus, Interval, OcfCode, OpKey};
use xml::Element;

impl Context {
    pub(super) fn cancel_recurring(&mut self, which: impl Fn(&ActiveOp) -> bool) {
        let found: Vec<i32> = self
            .executor
            .ops
            .iter()
            .filter(|op| op.recurs() && !op.cancelled && which(op))
            .map(|op| op.call)
            .collect();
        for call in found {
            self.cancel(call, false, None);
        }
    }

    /// Before this node leaves.
    pub fn cancel_all_recurring(&mut self) {
        self.cancel_recurring(|_| true);
    }

    fn cancel(&mut self, call: i32, remove: bool, request: Option<Asked>) {
        let Some(op) = self.executor.ops.iter_mut().find(|op| op.call == call) else { return };
        op.remove |= remove;
        op.cancelled = true;
        let cancel = Request::Cancel {
            resource: op.result.resource.clone(),
            action: op.result.action.clone(),
            interval: op.result.interval,
        };
        self.executor_call(Command::new(cancel), Call::Cancel { op: call, request });
    }

    pub(super) fn cancel_request(&mut self, id: &str, asker: Asker, action: &Element) {
        let meta = |name: &str| action.child("attributes")?.attr(name).map(str::to_owned);
        let number = |name: &str| meta(name).and_then(|text| text.parse::<u64>().ok());
        let (Some(task), Some(interval)) = (meta("CRM_meta_operation"), number("CRM_meta_interval")) else {
            self.log(Level::Warning, format!("Ignoring request to cancel an unnamed operation of {id}"));
            return;
        };
        let key = OpKey::new(id, &task, Interval::from_ms(interval)).to_string();
        let call_id = number("CRM_meta_call_id").and_then(|id| i32::try_from(id).ok()).filter(|&id| id != 0);
        let found = self.executor.ops.iter_mut().find(|op| match call_id {
            Some(call_id) => op.call_id == Some(call_id) && op.result.resource == id,
            None => op.key() == key,
        });
        match found {
            Some(op) if op.cancelled => op.remove = true,
            Some(op) => {
                let call = op.call;
                self.cancel(call, true, Some((asker, action.clone())));
            }
            None => self.nothing_to_cancel(id, &task, &key, call_id, asker, action),
        }
    }

    pub(super) fn nothing_to_cancel(
        &mut self,
        id: &str,
        task: &str,
        key: &str,
        call_id: Option<i32>,
        asker: Asker,
        action: &Element,
    ) {
        self.log(Level::Info, format!("Nothing known about operation {} for {key}", call_id.unwrap_or(0)));
        let node = self.local_name();
        let entry = match call_id {
            Some(call_id) => format!("@id='{key}' and @call-id='{call_id}'"),
            None => format!("@id='{key}'"),
        };
        if let (Some(node), Some(id), Some(_)) = (quotable(&node), quotable(id), quotable(key)) {
            let xpath = format!(
                "/cib/status/node_state[@uname='{node}']/lrm/lrm_resources/lrm_resource[@id='{id}']/lrm_rsc_op[{entry}]"
            );
            self.cib_delete_xpath(&xpath, false, None, Purpose::Erase { what: key.to_owned() });
        }
        let mut done = self.construct(action, id, task);
        (done.status, done.rc) = (ExecStatus::Done, OcfCode::OK);
        self.tell(asker.host.as_deref(), &asker.system, &done);
    }
}
