// SPDX-License-Identifier: GPL-2.0-or-later
//! Tickets: what may only run while this cluster has been granted the right to.
//!
//! Decides: what follows for resources from a ticket that is not granted, or in standby (Pacemaker Explained,
//! "Multi-Site Clusters and Tickets"). Given: `rsc_ticket`, the tickets' state. Leaves to others: granting.

use crate::action::FenceReason;
use crate::cluster::Ticket;
use crate::ledger::Cause;
use crate::notation::{integer, is_true};
use crate::{Cluster, ConfigIssue, ResourceId};
use model::{Role, Score};
use std::sync::Arc;
use xml::Element;

/// `loss-policy`: what becomes of what runs when its ticket is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LossPolicy {
    Stop,
    Demote,
    Fence,
    Freeze,
}

/// A constraint on a ticket, for one resource.
#[derive(Clone, Debug)]
pub(crate) struct TicketTerms {
    constraint: Arc<str>,
    ticket: Arc<str>,
    granted: bool,
    standby: bool,
    role: Role,
    policy: LossPolicy,
}

impl Cluster {
    /// Reads the states of tickets.
    pub(crate) fn unpack_tickets(&mut self, status: &Element) {
        for list in status.elements_named("tickets") {
            for state in list.elements_named("ticket_state") {
                let Some(id) = state.id().filter(|id| !id.is_empty()) else { continue };
                let attributes = state.attributes().iter().filter(|attribute| **attribute.name() != *"id");
                let ticket = Ticket {
                    granted: is_true(state.attr("granted")),
                    standby: is_true(state.attr("standby")),
                    last_granted: state.attr("last-granted").and_then(integer),
                    attributes: attributes
                        .map(|a| (Arc::from(a.name().as_str()), Arc::from(a.value())))
                        .collect(),
                };
                self.tickets.insert(Arc::from(id), ticket);
            }
        }
    }

    pub(super) fn unpack_ticket_constraint(&mut self, xml: &Element, id: &str) {
        let Some(name) = xml.attr("ticket").filter(|name| !name.is_empty()) else {
            let issue = format!("Ignoring constraint '{id}' without ticket");
            self.note_issue(ConfigIssue::error(issue));
            return;
        };
        let ticket = self.tickets.entry(Arc::from(name)).or_default();
        let (granted, standby) = (ticket.granted, ticket.standby);
        let expanded = self.expand_tags(xml, &[("rsc", "rsc-role", "role")]);
        let policy = xml.attr("loss-policy");
        let bound: Vec<(ResourceId, Option<String>)> = if expanded.child("resource_set").is_some() {
            let Some(sets) = self.sets(&expanded, id) else { return };
            let role = |xml: &Element| xml.attr("role").map(str::to_owned);
            sets.iter().flat_map(|set| set.members.iter().map(|&member| (member, role(&set.xml)))).collect()
        } else {
            let Some(resource) = xml.attr("rsc").and_then(|name| self.constrained(id, name)) else { return };
            vec![(resource, xml.attr("rsc-role").map(str::to_owned))]
        };
        for (resource, role) in bound {
            let role = match role.as_deref().map(str::parse) {
                None | Some(Ok(Role::Started)) => Role::Unknown,
                Some(Ok(role)) if role != Role::Unknown => role,
                Some(_) => {
                    let role = role.as_deref().unwrap_or_default();
                    let issue = format!("Ignoring constraint {id}: Invalid role '{role}'");
                    self.note_issue(ConfigIssue::error(issue));
                    continue;
                }
            };
            let policy = self.loss_policy(policy, role, name);
            let (constraint, ticket) = (Arc::from(id), Arc::from(name));
            let terms = TicketTerms { constraint, ticket, granted, standby, role, policy };
            self.ticket_terms.push((resource, terms));
        }
    }

    fn loss_policy(&mut self, configured: Option<&str>, role: Role, ticket: &str) -> LossPolicy {
        match configured.map(str::to_ascii_lowercase).as_deref() {
            Some("fence") if self.options.fencing_enabled => LossPolicy::Fence,
            Some("fence") => {
                let issue = format!(
                    "Resetting 'loss-policy' for ticket '{ticket}' to 'stop' because fencing is not configured"
                );
                self.note_issue(ConfigIssue::error(issue));
                LossPolicy::Stop
            }
            Some("freeze") => LossPolicy::Freeze,
            Some("demote") => LossPolicy::Demote,
            Some("stop") => LossPolicy::Stop,
            _ if role == Role::Promoted => LossPolicy::Demote,
            _ => LossPolicy::Stop,
        }
    }

    /// Draws the conclusions. They are part of the plan: how the cluster is now is shown without them.
    pub(crate) fn apply_tickets(&mut self) {
        for (resource, terms) in std::mem::take(&mut self.ticket_terms) {
            self.apply_ticket(resource, &terms);
        }
    }

    fn apply_ticket(&mut self, id: ResourceId, terms: &TicketTerms) {
        let cause = || Cause::Ticket { id: terms.constraint.clone(), ticket: terms.ticket.clone() };
        if terms.granted && !terms.standby {
            return;
        }
        if terms.role == Role::Promoted {
            self.work_mut(id).promotion_barred = true;
        }
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for child in resource.children.clone() {
                self.apply_ticket(child, terms);
            }
            return;
        }
        let state = &resource.state;
        if terms.granted || state.active_on.is_empty() {
            // Only what runs already may go on without its ticket.
            if terms.role != Role::Promoted || terms.policy == LossPolicy::Stop {
                self.add_location(id, None, Score::MINUS_INFINITY, cause);
            }
            return;
        }
        let role_matches = terms.role == Role::Unknown || terms.role == state.role;
        match terms.policy {
            LossPolicy::Stop => self.add_location(id, None, Score::MINUS_INFINITY, cause),
            LossPolicy::Demote if terms.role != Role::Promoted => {
                self.add_location(id, None, Score::MINUS_INFINITY, cause);
            }
            LossPolicy::Fence if role_matches => {
                let nodes = state.active_on.clone();
                self.add_location(id, None, Score::MINUS_INFINITY, cause);
                for node in nodes {
                    self.fence_node(node, FenceReason::TicketLost, false);
                }
            }
            LossPolicy::Freeze if role_matches => {
                let state = self.state_mut(id);
                state.managed = false;
                state.blocked = true;
            }
            LossPolicy::Demote | LossPolicy::Fence | LossPolicy::Freeze => {}
        }
    }
}
