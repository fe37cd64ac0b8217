// SPDX-License-Identifier: GPL-2.0-or-later
//! Doing what is asked for, and telling who should know.

use super::Based;
use ::cib::acl::{Facts, is_restricted};
use ::cib::upgrade::Event;
use ::cib::{
    CallOptions, Context, Operation, Origin, Outcome, Refusal, Request, Version, last_written, perform, query,
};
use messages::cib::{Notification, Reply};
use messages::core::{EffectId, Level};
use model::{FeatureSet, LegacyRc, Now, Profile};
use std::sync::Arc;
use std::time::Duration;
use xml::{Element, digest_v2};

/// How long after the last change the primary compares CIBs.
const PING_AFTER: Duration = Duration::from_secs(5);

/// Since this feature set, all nodes know transactions.
const TRANSACTIONS: FeatureSet = FeatureSet::new(3, 19, 0);

/// What a client is told.
#[derive(Debug)]
pub(super) struct Answer {
    rc: LegacyRc,
    data: Option<Element>,
    /// Not before this is on disk.
    pub after: Option<EffectId>,
}

impl Answer {
    pub(super) fn only(rc: LegacyRc) -> Answer {
        Answer { rc, data: None, after: None }
    }

    fn with(data: Element) -> Answer {
        Answer { rc: LegacyRc::OK, data: Some(data), after: None }
    }

    fn refused(refusal: &Refusal) -> Answer {
        Answer { rc: refusal.rc(), data: refusal.output(), after: None }
    }

    /// What another manager answered, for the client it is for.
    pub(super) fn from_peer(message: &Element) -> Answer {
        let number = |name| message.attr(name).and_then(|text| text.trim().parse().ok());
        let rc = number("cib_rc").or_else(|| number("cib_upgrade_rc"));
        Answer {
            rc: rc.map_or(LegacyRc::EPROTO, LegacyRc::new),
            data: message.child("cib_calldata").and_then(Element::first_element).cloned(),
            after: None,
        }
    }

    /// The reply to a message.
    pub(super) fn to_reply(&self, message: &Element) -> Element {
        let number = |name| message.attr(name).and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(0);
        Reply {
            op: message.attr("cib_op").unwrap_or_default().to_owned(),
            call_id: i32::try_from(number("cib_callid")).unwrap_or(0),
            client_id: message.attr("cib_clientid").map(str::to_owned),
            options: u32::try_from(number("cib_callopt")).unwrap_or(0),
            rc: self.rc,
            data: self.data.clone(),
        }
        .to_xml()
    }
}

impl Based {
    /// Does what a message asks for. `None` if the answer comes by another way.
    pub(super) fn process(&mut self, now: Now, request: &Request, message: &Element) -> Option<Answer> {
        if let Some(rc) = self.invalid {
            let text =
                "Ignoring request because cluster configuration is invalid (please repair and restart)";
            self.log(Level::Error, format!("{text}: {}", rc.text()));
            let restricted = request.origin.user.as_deref().is_some_and(is_restricted);
            return Some(Answer { rc, data: (!restricted).then(|| self.cib.clone()), after: None });
        }
        self.refresh_groups(request.origin.user.as_deref(), now);
        match request.operation {
            Operation::Query => Some(match query(&self.cib, request, &self.context(now)) {
                Ok(found) => Answer::with(found),
                Err(refusal) => Answer::refused(&refusal),
            }),
            Operation::Ping => Some(Answer::with(self.pong(message))),
            Operation::Noop | Operation::Shutdown => Some(Answer::only(LegacyRc::OK)),
            Operation::IsPrimary => {
                Some(Answer::only(if self.is_primary { LegacyRc::OK } else { LegacyRc::EPERM }))
            }
            Operation::Primary => Some(self.become_primary(true)),
            Operation::Secondary => Some(self.become_primary(false)),
            Operation::Sync => self.copy_to_all(message),
            Operation::Schemas | Operation::AbsDelete => {
                Some(Answer::refused(&Refusal::Unsupported(request.operation)))
            }
            _ => Some(self.change(now, request, message)),
        }
    }

    fn become_primary(&mut self, primary: bool) -> Answer {
        let changes = self.is_primary != primary;
        let (level, word) = if changes { (Level::Info, "now") } else { (Level::Debug, "still") };
        let mode = if primary { "R/W" } else { "R/O" };
        self.log(level, format!("We are {word} in {mode} mode"));
        self.is_primary = primary;
        Answer::only(LegacyRc::OK)
    }

    fn context(&self, now: Now) -> Context {
        Context {
            profile: self.config.profile,
            feature_set: Some(self.config.profile.feature_set()),
            last_written: last_written(now.wall, self.config.utc_offset_secs),
            acl: Facts {
                now: now.wall,
                utc_offset_s: self.config.utc_offset_secs,
                groups: Arc::clone(&self.membership.known),
            },
            cib_is_valid: self.is_valid,
        }
    }

    fn change(&mut self, now: Now, request: &Request, message: &Element) -> Answer {
        self.ping.changed();
        let context = self.context(now);
        let result = perform(&self.cib, request, &context);
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(refusal) => {
                if let Refusal::Upgrade { events, .. } = &refusal {
                    self.log_upgrade(events);
                }
                self.log_result(request, message, Err(&refusal));
                return Answer::refused(&refusal);
            }
        };
        if request.options.has(CallOptions::DRY_RUN) {
            self.log_result(request, message, Ok(()));
            return Answer::only(LegacyRc::OK);
        }
        self.log_upgrade(&outcome.events);
        let old = self.cib.clone();
        let after = self.activate(&outcome, context.last_written);
        self.look_up_new_groups(&old, now);
        self.log_result(request, message, Ok(()));
        self.ping.due = Some(now.instant + PING_AFTER);
        if let Some(patch) = &outcome.patch
            && !request.options.has(CallOptions::INHIBIT_NOTIFY)
        {
            let notification = self.notification(request, message, patch);
            self.notify(&notification);
        }
        self.help_old_nodes(request, message);
        Answer { rc: LegacyRc::OK, data: None, after }
    }

    /// Tells what happened on the way to another schema.
    pub(super) fn log_upgrade(&mut self, events: &[Event]) {
        for event in events {
            for line in event.to_string().lines() {
                self.log(event.level(), line.to_owned());
            }
        }
    }

    /// Takes a new CIB in; the effect that puts it on disk, if it must be there.
    fn activate(&mut self, outcome: &Outcome, last_written: String) -> Option<EffectId> {
        self.cib = outcome.cib.clone();
        self.is_valid = outcome.is_valid;
        (outcome.must_be_written && self.config.writes).then(|| self.persist(last_written))
    }

    fn notification(&self, request: &Request, message: &Element, patch: &Element) -> Element {
        let Origin { node, client, .. } = request.origin.clone();
        let notification = Notification {
            op: request.operation.to_string(),
            rc: LegacyRc::OK,
            client_id: message.attr("cib_clientid").map(str::to_owned),
            client_name: client,
            call_id: message.attr("cib_callid").map(str::to_owned),
            origin: node,
            patch: patch.clone(),
        };
        let mut notification = notification.to_xml();
        if self.config.profile == Profile::V2_1 {
            self.add_old_details(&mut notification, request);
        }
        notification
    }

    /// What Pacemaker 2.1 said besides.
    fn add_old_details(&self, notification: &mut Element, request: &Request) {
        notification.set_attr_opt("cib_object_type", request.input.as_ref().map(Element::name));
        let mut generation = Element::new("generation_tuple");
        generation.replace_attrs(&self.cib);
        let result = notification.pop();
        notification.push(Element::new("cib_generation").with_child(generation));
        if let Some(input) = &request.input {
            notification.push(Element::new("cib_update").with_child(input.clone()));
        }
        notification.extend(result);
    }

    fn log_result(&mut self, request: &Request, message: &Element, result: Result<(), &Refusal>) {
        let text = |name, missing: &str| message.attr(name).unwrap_or(missing).to_owned();
        let (rc, level) = match result {
            Ok(()) => (LegacyRc::OK, Level::Info),
            Err(refusal) => (refusal.rc(), Self::refusal_level(refusal)),
        };
        let version = Version::of(&self.cib);
        let line = format!(
            "Completed {} operation for section {}: {} (rc={}, origin={}/{}/{}, version={version})",
            request.operation,
            text("cib_section", "'all'"),
            rc.text(),
            rc.value().abs(),
            text("src", "local"),
            text("cib_clientname", "client"),
            text("cib_callid", "(null)"),
        );
        self.log(level, line);
        if let Err(refusal) = result {
            self.log(Level::Info, format!("{} was refused: {refusal}", request.operation));
        }
    }

    /// Sends the CIB to all managers, and answers when it has come back. Not possible without a cluster.
    fn copy_to_all(&mut self, message: &Element) -> Option<Answer> {
        if self.local.is_none() {
            return Some(Answer::only(LegacyRc::ENOTCONN));
        }
        self.log(Level::Debug, "Syncing CIB to all peers".to_owned());
        self.send_copy(message, None);
        None
    }

    /// Sends the CIB as an answer to a message: to all, or to one manager.
    pub(super) fn send_copy(&mut self, message: &Element, to: Option<&str>) {
        const KEPT: [&str; 11] = [
            "t",
            "cib_clientid",
            "cib_callopt",
            "cib_callid",
            "cib_op",
            "cib_isreplyto",
            "cib_section",
            "cib_host",
            "cib_delegated_from",
            "cib_clientname",
            "cib_user",
        ];
        let mut copy = Element::new("copy");
        for name in KEPT {
            copy.set_attr_opt(name, message.attr(name));
        }
        copy.set_attr_opt("cib_isreplyto", message.attr("src"));
        match to {
            None => copy.remove_attr("cib_host"),
            Some(_) => false,
        };
        // The section is of the request; what is sent is all.
        copy.remove_attr("cib_section");
        copy.set_attr("cib_op", Operation::Replace);
        copy.set_attr_opt("original_cib_op", message.attr("cib_op"));
        copy.set_attr("cib_update", true);
        copy.set_attr("crm_feature_set", self.config.profile.feature_set());
        copy.set_attr("digest", digest_v2(&self.cib, self.escaping()));
        copy.push(Element::new("cib_calldata").with_child(self.cib.clone()));
        self.send(to, copy);
    }

    /// Nodes that know no transactions get what came out of one.
    fn help_old_nodes(&mut self, request: &Request, message: &Element) {
        let feature_set = self.cib.attr("crm_feature_set").and_then(|text| text.parse::<FeatureSet>().ok());
        let from_here = request.origin.node.as_deref().is_some_and(|node| self.is_here(node));
        if request.operation == Operation::CommitTransaction
            && from_here
            && self.local.is_some()
            && feature_set.is_some_and(|set| set < TRANSACTIONS)
        {
            self.send_copy(message, None);
        }
    }
}
