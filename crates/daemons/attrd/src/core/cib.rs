// SPDX-License-Identifier: GPL-2.0-or-later
//! The connection to the CIB manager: what is asked, and which answers are awaited.

use super::Attrd;
use super::write::Scope;
use messages::cib;
use messages::core::{Level, Output, Service};
use model::{Instant, Now};
use std::collections::BTreeMap;
use std::time::Duration;
use xml::Element;

/// How long the CIB manager may take to answer. It may have to wait for the election of a DC.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// What a call is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Writes this attribute; the last of its calls.
    Write(String),
    /// Belongs to the writing of this attribute.
    PartOfWrite(String),
    /// Erases this node's attributes.
    Erase(String),
}

#[derive(Debug)]
struct Call {
    purpose: Purpose,
    deadline: Instant,
}

/// What is known of the connection.
#[derive(Debug, Default)]
pub(super) struct CibLink {
    is_up: bool,
    last_call: i32,
    calls: BTreeMap<i32, Call>,
    /// Nodes to be erased as soon as there is a connection.
    pub unsent_erasures: Vec<String>,
}

impl CibLink {
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    pub fn next_call(&mut self) -> i32 {
        self.last_call = self.last_call.checked_add(1).unwrap_or(1);
        self.last_call
    }

    /// What a call was for, when its answer has come. Nobody waits for it any more then.
    pub fn take(&mut self, call: i32) -> Option<Purpose> {
        self.calls.remove(&call).map(|call| call.purpose)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.calls.values().map(|call| call.deadline).min()
    }

    fn take_late(&mut self, now: Instant) -> Vec<(i32, Purpose)> {
        let late: Vec<i32> =
            self.calls.iter().filter(|(_, call)| call.deadline <= now).map(|(number, _)| *number).collect();
        late.into_iter().filter_map(|number| Some((number, self.take(number)?))).collect()
    }
}

/// A text as a string of an XPath; `None` if that cannot be written (it has quotes of both kinds).
pub(super) fn xpath_string(text: &str) -> Option<String> {
    match (text.contains('\''), text.contains('"')) {
        (false, _) => Some(format!("'{text}'")),
        (true, false) => Some(format!("\"{text}\"")),
        (true, true) => None,
    }
}

impl Attrd {
    /// Sends a command; its answer will be known by the number.
    pub(super) fn cib_call(&mut self, now: Now, call: i32, purpose: Purpose, message: Element) {
        self.cib.calls.insert(call, Call { purpose, deadline: now.instant + CALL_TIMEOUT });
        self.outputs.push_back(Output::Call { service: Service::Based, call, respond: false, message });
    }

    pub(super) fn cib_connected(&mut self, now: Now) {
        if self.config.stand_alone {
            return;
        }
        let call = self.cib.next_call();
        let register = cib::register("attrd", call);
        self.outputs.push_back(Output::Call {
            service: Service::Based,
            call,
            respond: true,
            message: register,
        });
        let call = self.cib.next_call();
        let message = cib::subscribe(cib::DIFF_NOTIFY, true);
        self.outputs.push_back(Output::Call { service: Service::Based, call, respond: true, message });
        self.cib.is_up = true;
        self.log(Level::Info, "CIB connection active".into());
        if !self.is_started {
            return self.start_if_ready(now);
        }
        for node in std::mem::take(&mut self.cib.unsent_erasures) {
            // A node that has come back since has values again, which must stay.
            let has_values = self
                .attributes
                .values()
                .any(|attribute| !attribute.is_private && attribute.value(&node).is_some());
            if !has_values {
                self.erase(now, &node);
            }
        }
        if self.is_writer() {
            // What was under way may or may not have arrived.
            self.write_all(now, Scope::All, false);
        }
    }

    /// The CIB manager is gone; it comes back. What was under way is done again then.
    pub(super) fn cib_lost(&mut self) {
        if !std::mem::replace(&mut self.cib.is_up, false) {
            return;
        }
        if !self.is_shutting_down {
            self.log(
                Level::Warning,
                "Lost connection to the CIB manager, waiting for it to come back".into(),
            );
        }
        for (_, call) in std::mem::take(&mut self.cib.calls) {
            match call.purpose {
                Purpose::Erase(node) => self.cib.unsent_erasures.push(node),
                Purpose::Write(name) | Purpose::PartOfWrite(name) => {
                    if let Some(attribute) = self.attributes.get_mut(&name) {
                        attribute.write_call = None;
                        attribute.is_changed = true;
                    }
                }
            }
        }
    }

    pub(super) fn cib_timeouts(&mut self, now: Now) {
        for (call, purpose) in self.cib.take_late(now.instant) {
            self.cib_result(now, call, purpose, model::LegacyRc::ETIME);
        }
    }
}
