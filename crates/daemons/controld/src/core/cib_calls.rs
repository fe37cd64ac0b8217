// SPDX-License-Identifier: GPL-2.0-or-later
//! What is asked of the CIB manager, and what for.
//!
//! Decides: the requests' form, and which are still without an answer. Leaves to others: what an answer means.

use super::context::Context;
use messages::cib::{Command, DIFF_NOTIFY, Reply, option, register, subscribe, transaction};
use messages::core::Service;
use model::{FeatureSet, Instant, LegacyRc};
use std::collections::BTreeMap;
use std::time::Duration;
use xml::Element;

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
        let reply = Reply::from_xml(message).ok()?;
        let (purpose, _) = self.open.remove(&reply.call_id)?;
        Some(CibReply { call: reply.call_id, purpose, rc: reply.rc, data: reply.data })
    }

    /// No request to join follows from the queries made for one.
    pub fn forget_generation_queries(&mut self) {
        self.open.retain(|_, (purpose, _)| !matches!(purpose, Purpose::Generation { .. }));
    }

    /// Whatever comes of syncs that were begun before no longer matters.
    pub fn forget_syncs(&mut self) {
        self.open.retain(|_, (purpose, _)| !matches!(purpose, Purpose::Sync { .. }));
    }

    pub fn disconnected(&mut self) {
        *self = CibCalls { configured: self.configured, ..CibCalls::default() };
    }
}

impl Context {
    /// Introduces itself to a CIB manager that has just come up.
    pub fn cib_connect(&mut self) {
        self.cib.disconnected();
        let call = self.next_call();
        self.call_numbered(Service::Based, call, true, register("crmd", call));
        self.call(Service::Based, true, subscribe(DIFF_NOTIFY, true));
        self.cib.connected = true;
        self.read_options();
    }

    /// Asks for the cluster options.
    pub fn read_options(&mut self) {
        self.cib_call("cib_query", option::NONE, Some("crm_config"), None, Purpose::Options);
    }

    fn cib_call(
        &mut self,
        op: &str,
        options: u32,
        section: Option<&str>,
        data: Option<Element>,
        purpose: Purpose,
    ) -> i32 {
        let mut command = Command::new(op, self.next_call(), options);
        command.section = section.map(str::to_owned);
        command.data = data;
        self.cib_send(&command, purpose)
    }

    fn cib_send(&mut self, command: &Command, purpose: Purpose) -> i32 {
        let nodes = u32::try_from(self.peers.active().count()).unwrap_or(u32::MAX);
        let patience = PATIENCE.max(Duration::from_secs(10).saturating_mul(nodes.saturating_add(1)));
        self.cib.open.insert(command.call_id, (purpose, self.now.instant + patience));
        self.call_numbered(Service::Based, command.call_id, false, command.to_xml());
        command.call_id
    }

    /// The whole CIB.
    pub fn cib_query(&mut self, purpose: Purpose) -> i32 {
        self.cib_call("cib_query", option::NONE, None, None, purpose)
    }

    /// The CIB's own attributes only.
    pub fn cib_query_version(&mut self, purpose: Purpose) -> i32 {
        self.cib_call("cib_query", option::NO_CHILDREN, None, None, purpose)
    }

    pub fn cib_modify(&mut self, section: &str, data: Element, purpose: Purpose) -> i32 {
        self.cib_call("cib_modify", option::NONE, Some(section), Some(data), purpose)
    }

    /// Changes, and creates what is not there.
    pub fn cib_create(&mut self, section: &str, data: Element, purpose: Purpose) -> i32 {
        self.cib_call("cib_modify", option::CAN_CREATE, Some(section), Some(data), purpose)
    }

    pub fn cib_delete(&mut self, section: &str, data: Element, purpose: Purpose) -> i32 {
        self.cib_call("cib_delete", option::NONE, Some(section), Some(data), purpose)
    }

    /// Deletes what an XPath finds; all of it with `multiple`. On behalf of a user, if there is one.
    pub fn cib_delete_xpath(
        &mut self,
        xpath: &str,
        multiple: bool,
        user: Option<&str>,
        purpose: Purpose,
    ) -> i32 {
        let options = if multiple { option::XPATH | option::MULTIPLE } else { option::XPATH };
        let mut command = Command::new("cib_delete", self.next_call(), options).section(xpath);
        command.user = user.map(str::to_owned);
        self.cib_send(&command, purpose)
    }

    /// In one change: deletes what an XPath finds, then creates that in a section.
    pub fn cib_replace_found(&mut self, xpath: &str, section: &str, data: Element, purpose: Purpose) {
        if self.feature_set() < FeatureSet::new(3, 18, 0) {
            // Before transactions.
            self.cib_delete_xpath(xpath, true, None, Purpose::Erase { what: "node history".into() });
            self.cib_create(section, data, purpose);
            return;
        }
        let found = option::XPATH | option::MULTIPLE;
        let delete = Command::new("cib_delete", self.next_call(), found).section(xpath);
        let modify =
            Command::new("cib_modify", self.next_call(), option::CAN_CREATE).section(section).data(data);
        let data = transaction([delete, modify]);
        self.cib_call("cib_commit_transact", option::NONE, None, Some(data), purpose);
    }

    /// Makes a node send its CIB to all.
    pub fn cib_sync_from(&mut self, host: &str) {
        self.cib.forget_syncs();
        let command = Command::new("cib_sync", self.next_call(), option::NONE).host(host);
        self.cib_send(&command, Purpose::Sync { from: host.to_owned() });
    }

    /// Makes the local CIB manager the one that answers for all, or an ordinary one.
    pub fn cib_set_primary(&mut self, primary: bool) {
        let op = if primary { "cib_master" } else { "cib_slave" };
        self.cib_call(op, option::NONE, None, None, Purpose::Unimportant);
    }
}
