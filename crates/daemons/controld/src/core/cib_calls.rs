//! What is asked of the CIB manager, and what for.
//!
//! Decides: the requests' form, and which are still without an answer. Leaves to others: what an answer means.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::context::Context;
use messages::core::Service;
use model::{Instant, LegacyRc};
use std::collections::BTreeMap;
use std::time::Duration;
use xml::Element;

const XPATH: u32 = 0x2;
const MULTIPLE: u32 = 0x4;
const CAN_CREATE: u32 = 0x8;
const NO_CHILDREN: u32 = 0x20;
const TRANSACTION: u32 = 0x400;

/// How long an answer may take, at least.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a call was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Cluster options.
    Options,
    /// The version of the CIB, for a request to join.
    Generation { join_id: String },
    /// The whole CIB, for the scheduler.
    Schedule,
    /// The CIB of the best node to all, at the end of a join.
    Sync { from: String },
    /// A node's history, at the end of its join.
    JoinHistory { node: String },
    /// Node entries and states.
    NodeUpdate,
    /// `have-quorum` and `dc-uuid`.
    Quorum,
    /// What a new DC writes.
    Takeover,
    /// The state of a fenced node.
    Fenced { target: String },
    /// An operation's result.
    History { operation: String },
    /// The removal of history.
    Erase { what: String },
    /// Nothing depends on the answer.
    Unimportant,
}

impl Purpose {
    /// Whether the CIB is out of date as long as there is no answer.
    fn is_update(&self) -> bool {
        !matches!(
            self,
            Purpose::Options | Purpose::Generation { .. } | Purpose::Schedule | Purpose::Unimportant
        )
    }
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub(super) struct CibReply {
    pub call: i32,
    pub purpose: Purpose,
    pub rc: LegacyRc,
    pub data: Option<Element>,
}

/// The connection to the CIB manager.
#[derive(Clone, Debug, Default)]
pub(super) struct CibCalls {
    pub connected: bool,
    /// Whether the options have been read once.
    pub configured: bool,
    open: BTreeMap<i32, (Purpose, Instant)>,
}

impl CibCalls {
    /// How many changes are not confirmed yet.
    pub fn open_updates(&self) -> usize {
        self.open.values().filter(|(purpose, _)| purpose.is_update()).count()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.open.values().map(|&(_, deadline)| deadline).min()
    }

    /// The calls nobody has answered in time, as if they had failed.
    pub fn expired(&mut self, now: Instant) -> Vec<CibReply> {
        let late: Vec<i32> =
            self.open.iter().filter(|(_, (_, deadline))| *deadline <= now).map(|(&call, _)| call).collect();
        let late = late.into_iter().filter_map(|call| Some((call, self.open.remove(&call)?.0)));
        late.map(|(call, purpose)| CibReply { call, purpose, rc: LegacyRc::ETIME, data: None }).collect()
    }

    /// What a message answers, if it answers anything.
    pub fn take_reply(&mut self, message: &Element) -> Option<CibReply> {
        let call = message.attr("cib_callid")?.parse().ok()?;
        let (purpose, _) = self.open.remove(&call)?;
        let rc = message.attr("cib_rc").and_then(|text| text.parse().ok()).unwrap_or(0);
        let data = message.child("cib_calldata").and_then(Element::first_element).cloned();
        Some(CibReply { call, purpose, rc: LegacyRc::new(rc), data })
    }

    /// Whether a call is still waited for.
    pub fn forget_generation_queries(&mut self) {
        self.open.retain(|_, (purpose, _)| !matches!(purpose, Purpose::Generation { .. }));
    }

    pub fn disconnected(&mut self) {
        *self = CibCalls { configured: self.configured, ..CibCalls::default() };
    }
}

fn command(op: &str, call: i32, options: u32, section: Option<&str>, data: Option<Element>) -> Element {
    let mut command = Element::new("cib_command")
        .with_attr("t", "cib")
        .with_attr("cib_op", op)
        .with_attr("cib_callid", call)
        .with_attr("cib_callopt", options);
    command.set_attr_opt("cib_section", section);
    if let Some(data) = data {
        command.push(Element::new("cib_calldata").with_child(data));
    }
    command
}

impl Context {
    /// Introduces itself to a CIB manager that has just come up.
    pub fn cib_connect(&mut self) {
        self.cib.disconnected();
        let register = Element::new("cib_command")
            .with_attr("t", "cib")
            .with_attr("cib_op", "register")
            .with_attr("cib_clientname", "crmd")
            .with_attr("cib_callopt", 0x1000);
        self.call(Service::Based, true, register);
        let subscribe = Element::new("cib-callback")
            .with_attr("t", "cib")
            .with_attr("cib_op", "cib_notify")
            .with_attr("cib_notify_type", "cib_diff_notify")
            .with_attr("cib_notify_activate", 1);
        self.call(Service::Based, true, subscribe);
        self.cib.connected = true;
        self.read_options();
    }

    /// Asks for the cluster options.
    pub fn read_options(&mut self) {
        self.cib_call("cib_query", 0, Some("crm_config"), None, Purpose::Options);
    }

    fn cib_call(
        &mut self,
        op: &str,
        options: u32,
        section: Option<&str>,
        data: Option<Element>,
        purpose: Purpose,
    ) -> i32 {
        let call = self.next_call();
        let message = command(op, call, options, section, data);
        self.cib_send(call, message, purpose);
        call
    }

    fn cib_send(&mut self, call: i32, message: Element, purpose: Purpose) {
        let nodes = u32::try_from(self.peers.active().count()).unwrap_or(u32::MAX);
        let patience = PATIENCE.max(Duration::from_secs(10).saturating_mul(nodes.saturating_add(1)));
        self.cib.open.insert(call, (purpose, self.now.instant + patience));
        self.call_numbered(Service::Based, call, false, message);
    }

    /// The whole CIB.
    pub fn cib_query(&mut self, purpose: Purpose) -> i32 {
        self.cib_call("cib_query", 0, None, None, purpose)
    }

    /// The CIB's own attributes only.
    pub fn cib_query_version(&mut self, purpose: Purpose) -> i32 {
        self.cib_call("cib_query", NO_CHILDREN, None, None, purpose)
    }

    pub fn cib_modify(&mut self, section: &str, data: Element, purpose: Purpose) -> i32 {
        self.cib_call("cib_modify", 0, Some(section), Some(data), purpose)
    }

    /// Changes, and creates what is not there.
    pub fn cib_create(&mut self, section: &str, data: Element, purpose: Purpose) -> i32 {
        self.cib_call("cib_modify", CAN_CREATE, Some(section), Some(data), purpose)
    }

    pub fn cib_delete(&mut self, section: &str, data: Element, purpose: Purpose) -> i32 {
        self.cib_call("cib_delete", 0, Some(section), Some(data), purpose)
    }

    /// Deletes what an XPath finds; all of it with `multiple`. On behalf of a user, if there is one.
    pub fn cib_delete_xpath(
        &mut self,
        xpath: &str,
        multiple: bool,
        user: Option<&str>,
        purpose: Purpose,
    ) -> i32 {
        let options = if multiple { XPATH | MULTIPLE } else { XPATH };
        let call = self.next_call();
        let mut message = command("cib_delete", call, options, Some(xpath), None);
        message.set_attr_opt("cib_user", user);
        self.cib_send(call, message, purpose);
        call
    }

    /// In one change: deletes what an XPath finds, then creates that in a section.
    pub fn cib_replace_found(&mut self, xpath: &str, section: &str, data: Element, purpose: Purpose) {
        if self.feature_set() < model::FeatureSet::new(3, 18, 0) {
            // Before transactions.
            self.cib_delete_xpath(xpath, true, None, Purpose::Erase { what: "node history".into() });
            self.cib_create(section, data, purpose);
            return;
        }
        let delete =
            command("cib_delete", self.next_call(), XPATH | MULTIPLE | TRANSACTION, Some(xpath), None);
        let modify =
            command("cib_modify", self.next_call(), CAN_CREATE | TRANSACTION, Some(section), Some(data));
        let transaction = Element::new("cib_transaction").with_child(delete).with_child(modify);
        self.cib_call("cib_commit_transact", 0, None, Some(transaction), purpose);
    }

    /// Makes a node send its CIB to all.
    pub fn cib_sync_from(&mut self, host: &str) {
        let call = self.next_call();
        let mut message = command("cib_sync", call, 0, None, None);
        message.set_attr("cib_host", host);
        self.cib_send(call, message, Purpose::Sync { from: host.to_owned() });
    }

    /// Makes the local CIB manager the one that answers for all, or an ordinary one.
    pub fn cib_set_primary(&mut self, primary: bool) {
        let op = if primary { "cib_master" } else { "cib_slave" };
        self.cib_call(op, 0, None, None, Purpose::Unimportant);
    }
}
