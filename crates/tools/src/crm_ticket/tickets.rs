// SPDX-License-Identifier: GPL-2.0-or-later
//! The tickets of a cluster, as its CIB knows them.
//!
//! Decides: which there are (those with a state, and those that constraints name), and what their states mean. Given: a
//! CIB.

use model::parse_bool;
use std::collections::BTreeMap;
use xml::Element;

/// One ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Its state's attributes but for the id, in the order in which they are there.
    pub state: Vec<(String, String)>,
}

impl Ticket {
    /// An attribute of its state.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.state.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    fn is(&self, name: &str) -> bool {
        self.attribute(name).and_then(parse_bool).unwrap_or(false)
    }

    /// This site has it.
    pub fn is_granted(&self) -> bool {
        self.is("granted")
    }

    /// This site has it, but what depends on it shall not run.
    pub fn is_standby(&self) -> bool {
        self.is("standby")
    }

    /// When this site got it last, in seconds since the epoch; 0 if it cannot be known.
    pub fn last_granted(&self) -> Option<i64> {
        self.attribute("last-granted").map(seconds)
    }
}

/// A moment as tickets have it. Nonsense is the epoch itself.
pub(super) fn seconds(text: &str) -> i64 {
    text.trim().parse().unwrap_or(0)
}

/// All tickets by id.
pub(super) fn tickets(cib: &Element) -> BTreeMap<String, Ticket> {
    let mut tickets: BTreeMap<String, Ticket> = BTreeMap::new();
    for state in states(cib, None) {
        let Some(id) = state.id().filter(|id| !id.is_empty()) else { continue };
        let ticket = tickets.entry(id.to_owned()).or_default();
        for attribute in state.attributes().into_iter().filter(|attribute| &**attribute.name() != "id") {
            let (name, value) = (attribute.name().to_string(), attribute.value().to_owned());
            match ticket.state.iter_mut().find(|(there, _)| *there == name) {
                Some((_, there)) => *there = value,
                None => ticket.state.push((name, value)),
            }
        }
    }
    for constraint in constraints(cib, None) {
        if let Some(ticket) = constraint.attr("ticket") {
            tickets.entry(ticket.to_owned()).or_default();
        }
    }
    tickets
}

/// The states that the CIB holds: of one ticket (there should be but one), or of all.
pub(super) fn states<'c>(cib: &'c Element, ticket: Option<&str>) -> Vec<&'c Element> {
    let holder = cib.descend(&["status", "tickets"]);
    let states = holder.into_iter().flat_map(|holder| holder.elements_named("ticket_state"));
    states.filter(|state| ticket.is_none() || state.id() == ticket).collect()
}

/// The constraints that depend on a ticket, or on any.
pub(super) fn constraints<'c>(cib: &'c Element, ticket: Option<&str>) -> Vec<&'c Element> {
    let holder = cib.descend(&["configuration", "constraints"]);
    let constraints = holder.into_iter().flat_map(|holder| holder.elements_named("rsc_ticket"));
    constraints.filter(|constraint| ticket.is_none() || constraint.attr("ticket") == ticket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_known_by_state_or_by_constraint() {
        let cib = xml::parse(
            r#"<cib><configuration><constraints><rsc_ticket id="c" rsc="r" ticket="C"/></constraints></configuration>
<status><tickets><ticket_state id="B" granted="yes" last-granted="x"/><ticket_state granted="true"/>
<ticket_state id="A" standby="1"/><ticket_state id="B" standby="off" granted="false"/></tickets></status></cib>"#,
        )
        .unwrap();
        let tickets = tickets(&cib);
        assert_eq!(tickets.keys().collect::<Vec<_>>(), ["A", "B", "C"]);
        assert!(tickets["A"].is_standby() && !tickets["A"].is_granted());
        assert!(!tickets["B"].is_granted(), "what is said last of one ticket counts");
        assert_eq!((tickets["B"].last_granted(), tickets["C"].last_granted()), (Some(0), None));
        assert_eq!((states(&cib, Some("B")).len(), constraints(&cib, Some("B")).len()), (2, 0));
    }
}
