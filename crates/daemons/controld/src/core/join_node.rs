// SPDX-License-Identifier: GPL-2.0-or-later
//! A node's side of the join: announcing itself, asking for the offered place, sending its history.

use super::attributes::Attribute;
use super::cib_calls::{CibReply, Purpose};
use super::context::{Context, Leader};
use super::peers::Expected;
use super::state::Signal;
use messages::controller::Envelope;
use messages::core::Level;
use model::{ExitCode, FeatureSet};
use std::sync::Arc;
use xml::Element;

impl Context {
    /// Lets a DC know that this node is there.
    pub fn announce(&mut self) {
        // Whatever answers must not be held against an old DC.
        self.follow(None);
        self.log(Level::Debug, "Announcing availability");
        let announcement = self.request("join_announce", "dc", "crmd");
        self.send(&announcement, "do_cl_join_announce");
    }

    /// Follows a DC, or none.
    pub fn follow(&mut self, leader: Option<Leader>) {
        let old = std::mem::replace(&mut self.leader, leader);
        let text = match (&old, &self.leader) {
            (Some(old), Some(new)) if old.name.eq_ignore_ascii_case(&new.name) => return,
            (_, Some(new)) => format!("Set DC to {} ({})", new.name, new.version),
            (Some(old), None) => format!("Unset DC (was {})", old.name),
            (None, None) => return,
        };
        self.log(Level::Info, text);
        if let Some(name) = self.leader.as_ref().map(|leader| Arc::clone(&leader.name)) {
            self.expect(&name, Expected::Member);
        }
    }

    /// Follows whoever sends a DC's message, unless another is followed already.
    fn follow_sender(&mut self, message: &Envelope, is_dc: bool) -> bool {
        let version = message.version.as_deref().and_then(|text| text.parse::<FeatureSet>().ok());
        let (Some(from), Some(version)) = (message.src.as_deref(), version) else { return false };
        let other = self.leader.as_ref().is_some_and(|leader| !leader.name.eq_ignore_ascii_case(from));
        if is_dc && !self.is_local(from) {
            self.log(Level::Error, format!("Not updating DC to {from} ({version}): we are also a DC"));
            return false;
        }
        if other {
            let current = self.leader.as_ref().map(|leader| leader.name.to_string()).unwrap_or_default();
            self.log(Level::Warning, format!("New DC {from} is not {current}"));
            self.announce();
            return false;
        }
        self.follow(Some(Leader { name: Arc::from(from), version }));
        true
    }

    fn note_leaving(&mut self, message: &Envelope) {
        let leaving = message.extra("dc-leaving").and_then(model::parse_bool) == Some(true);
        if let Some(leader) = self.leader.as_ref().map(|leader| Arc::clone(&leader.name)).filter(|_| leaving)
        {
            // So that it is not fenced if this node becomes the new DC.
            self.expect(&leader, Expected::Down);
        }
    }

    /// Whether this node's software can be in that DC's cluster; if not, it ends for good.
    pub fn verify_feature_set(&mut self, offer: &Envelope) {
        let theirs = offer.extra("crm_feature_set").unwrap_or("3.0.14");
        let ours = self.feature_set();
        if theirs.parse::<FeatureSet>().is_ok_and(|dc| ours.may_join(dc)) {
            return;
        }
        let text = format!("Local feature set ({ours}) is incompatible with DC's ({theirs})");
        self.log(Level::Error, text);
        self.stay_down = true;
        self.raise_first(Signal::Exit(ExitCode::FATAL));
    }

    /// An offer: asks the CIB manager for the version of its CIB, which goes into the request.
    pub fn answer_offer(&mut self, offer: &Envelope, is_dc: bool) {
        self.cib.forget_generation_queries();
        let join_id = offer.extra("join_id").unwrap_or_default().to_owned();
        let from = offer.src.clone().unwrap_or_default();
        if !self.follow_sender(offer, is_dc) {
            let text = format!("Discarding cluster join offer from node {from}");
            self.log(Level::Warning, text);
            return;
        }
        self.note_leaving(offer);
        self.cib_query_version(Purpose::Generation { join_id });
    }

    /// The version is there: asks for the place.
    pub fn request_place(&mut self, join_id: &str, reply: &CibReply) {
        let Some(cib) = reply.data.as_ref().filter(|_| reply.rc.is_ok()) else {
            let text = format!("Could not retrieve version details for join-{join_id}: {}", reply.rc.text());
            self.raise(Signal::Error(text));
            return;
        };
        let Some(leader) = self.leader.clone() else {
            self.log(Level::Debug, format!("Membership is in flux, not continuing join-{join_id}"));
            return;
        };
        self.log(Level::Debug, format!("Responding to join offer join-{join_id} from {}", leader.name));
        let mut tuple = Element::new("generation_tuple");
        tuple.replace_attrs(cib);
        let version = self.feature_set();
        let request = self
            .request("join_request", "dc", "crmd")
            .to_host(&leader.name)
            .with_extra("join_id", join_id)
            .with_extra("crm_feature_set", version)
            .with_payload(tuple);
        self.send(&request, "join_query_callback");
    }

    /// The DC's decision. Accepted, the node sends its history.
    pub fn answer_result(&mut self, result: &Envelope, is_dc: bool) {
        let from = result.src.clone().unwrap_or_default();
        let join_id = result.extra("join_id").unwrap_or("?").to_owned();
        if result.extra("join_ack_nack").and_then(model::parse_bool) != Some(true) {
            self.stay_down = true;
            let text = format!(
                "Shutting down because cluster join with leader {from} failed | join-{join_id} NACK'd"
            );
            self.raise(Signal::Error(text));
            return;
        }
        if !is_dc && self.is_local(&from) {
            self.log(Level::Warning, "Discarding our own welcome - we're no longer the DC");
            return;
        }
        if !self.follow_sender(result, is_dc) {
            self.log(Level::Warning, format!("Discarding join_ack_nack from node {from}"));
            return;
        }
        self.note_leaving(result);
        let (local, version) = (self.local_name(), self.feature_set());
        self.set_attributes(&[Attribute::set(&local, "#feature-set", &version.to_string())]);
        let Some(state) = self.executor_state("controld_query_executor_state") else {
            self.log(Level::Error, format!("Could not confirm join-{join_id} with {from}: no local state"));
            return;
        };
        let text = format!("Confirming join-{join_id}: sending local operation history to {from}");
        self.log(Level::Debug, text);
        let confirmation = self
            .request("join_confirm", "dc", "crmd")
            .to_host(&from)
            .with_extra("join_id", &join_id)
            .with_payload(state);
        self.force_start_state();
        self.send(&confirmation, "do_cl_join_finalize_respond");
        if !is_dc {
            self.raise_first(Signal::NotDc);
        }
    }

    /// On its first join a node is put into (or out of) standby, if its environment says so.
    fn force_start_state(&mut self) {
        let Some(standby) = self.config.start_in_standby.take().filter(|_| !self.shutting_down) else {
            return;
        };
        let (id, name) = (self.local_id(), self.local_name());
        let state = if standby { "standby" } else { "online" };
        let text = format!("Forcing node {name} to join in {state} state per configured environment");
        self.log(Level::Notice, text);
        let pair = Element::new("nvpair")
            .with_attr("id", format!("nodes-{id}-standby"))
            .with_attr("name", "standby")
            .with_attr("value", standby);
        let set = Element::new("instance_attributes").with_attr("id", format!("nodes-{id}")).with_child(pair);
        let node = Element::new("node").with_attr("id", &id).with_child(set);
        self.cib_create("nodes", Element::new("nodes").with_child(node), Purpose::NodeUpdate);
    }
}
