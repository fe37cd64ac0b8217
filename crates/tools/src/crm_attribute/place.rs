// SPDX-License-Identifier: GPL-2.0-or-later
//! Where in the CIB options and attributes are, or would be.

use super::node::Node;
use super::request::Request;
use crate::failure::Failure;
use ::cib::{find_section, section_path};
use model::{ExitCode, StandardRc};
use xml::Element;

/// An option or attribute that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub id: String,
    pub name: String,
    pub value: String,
}

/// What sort of thing has the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The cluster: its options.
    Cluster,
    /// All resources or all their operations: their defaults.
    Defaults,
    /// The tickets, all together.
    Tickets,
    /// A node.
    Node,
}

/// Where to look, and where to write.
pub(crate) struct Place {
    owner: Owner,
    /// The section, as it was named.
    pub section: String,
    /// The node, where there is one.
    pub node: Option<Node>,
    utilization: bool,
}

impl Place {
    /// The place of a request. `node` is asked for only where there is one.
    pub fn of(request: &Request, node: impl FnOnce() -> Result<Node, Failure>) -> Result<Place, Failure> {
        let section = request.section().to_owned();
        let owner = match section.to_ascii_lowercase().as_str() {
            "crm_config" => Owner::Cluster,
            "rsc_defaults" | "op_defaults" => Owner::Defaults,
            "tickets" => Owner::Tickets,
            _ => Owner::Node,
        };
        let node = if owner == Owner::Node { Some(node()?) } else { None };
        Ok(Place { owner, section, node, utilization: request.utilization })
    }

    /// There is no such section.
    pub fn check(&self) -> Result<(), Failure> {
        match section_path(self.searched_section()) {
            Some(_) => Ok(()),
            None => {
                let text = format!("Error performing operation: {}", StandardRc::new(ENOMSG));
                Err(Failure::new(ExitCode::PROTOCOL, text))
            }
        }
    }

    /// True if the attributes last only as long as the node is up.
    pub fn is_transient(&self) -> bool {
        self.owner == Owner::Node && self.section == "status"
    }

    /// What it is called that is found here.
    pub fn noun(&self) -> &'static str {
        match self.owner {
            Owner::Cluster | Owner::Tickets => "option",
            Owner::Defaults | Owner::Node => "attribute",
        }
    }

    /// The section of the CIB in which all of it happens.
    pub fn searched_section(&self) -> &str {
        if self.owner == Owner::Tickets { "status" } else { &self.section }
    }

    /// The elements that lead to an attribute, each somewhere below the one before.
    fn steps(&self, set_id: Option<&str>) -> Vec<Step> {
        let step = |name, id: Option<&str>| Step { name, id: id.map(str::to_owned) };
        let plain_set = if self.utilization { "utilization" } else { "instance_attributes" };
        let node = self.node.as_ref().map(|node| node.id.as_str());
        match self.owner {
            Owner::Cluster => vec![step("cluster_property_set", set_id)],
            Owner::Defaults => vec![step("meta_attributes", set_id)],
            Owner::Tickets => vec![step("tickets", None), step(plain_set, set_id)],
            // What is below it is all one set, whatever its parts are called.
            Owner::Node if self.is_transient() => {
                vec![step("node_state", node), step("transient_attributes", set_id)]
            }
            Owner::Node => vec![step("node", node), step(plain_set, set_id)],
        }
    }

    /// All attributes here: those in the set of an id, if one is named.
    pub fn all(&self, cib: &Element, set_id: Option<&str>) -> Vec<Found> {
        let steps = self.steps(set_id);
        let mut found = Vec::new();
        let Some(section) = find_section(cib, Some(self.searched_section())) else { return found };
        let mut left = vec![(section, 0)];
        while let Some((element, taken)) = left.pop() {
            let taken = match steps.get(taken) {
                Some(step) if step.is(element) => taken + 1,
                Some(_) => taken,
                None => {
                    if element.name() == "nvpair" {
                        found.push(read(element));
                    }
                    taken
                }
            };
            left.extend(element.elements().rev().map(|child| (child, taken)));
        }
        found
    }

    /// The change that sets the value of an attribute that is there.
    pub fn change(&self, id: &str, name: &str, value: &str) -> Element {
        Element::new("nvpair").with_attr("id", id).with_attr("name", name).with_attr("value", value)
    }

    /// The change that adds an attribute, and the id of the set that it goes into.
    pub fn addition(&self, request: &Request, name: &str, value: &str) -> (Element, String) {
        let set_id = request.set.clone().unwrap_or_else(|| self.usual_set());
        let id = request.id.clone().unwrap_or_else(|| xml::sanitized_id(&format!("{set_id}-{name}")));
        let set_name = match self.owner {
            Owner::Cluster => "cluster_property_set",
            Owner::Tickets | Owner::Node if self.utilization => "utilization",
            Owner::Tickets => "instance_attributes",
            Owner::Node if matches!(self.section.as_str(), "nodes" | "status") => "instance_attributes",
            Owner::Node | Owner::Defaults => "meta_attributes",
        };
        let set = Element::new(set_name).with_attr("id", &set_id).with_child(self.change(&id, name, value));
        (self.around(set), set_id)
    }

    /// A set with what it is in.
    fn around(&self, set: Element) -> Element {
        let of = |name: &'static str, id: &str| Element::new(name).with_attr("id", id);
        match (&self.node, self.section.as_str()) {
            _ if self.owner == Owner::Tickets => {
                Element::new("status").with_child(Element::new("tickets").with_child(set))
            }
            (Some(node), "status") => {
                let transient = of("transient_attributes", &node.id).with_child(set);
                of("node_state", &node.id).with_child(transient)
            }
            // It may not be configured as a node yet.
            (Some(node), "nodes") if node.is_remote => {
                let element = Element::new("node").with_attr("type", "remote").with_attr("id", &node.id);
                Element::new("nodes").with_child(element.with_attr("uname", &node.id).with_child(set))
            }
            (Some(node), "nodes") => of("node", &node.id).with_child(set),
            (_, section) => Element::new(section.to_owned()).with_child(set),
        }
    }

    fn usual_set(&self) -> String {
        match (self.owner, &self.node) {
            (Owner::Cluster, _) => "cib-bootstrap-options".to_owned(),
            (Owner::Tickets, _) => "status-tickets".to_owned(),
            (_, Some(node)) if matches!(self.section.as_str(), "nodes" | "status") => {
                let suffix = if self.utilization { "-utilization" } else { "" };
                format!("{}-{}{suffix}", self.section, node.id)
            }
            _ => format!("{}-options", self.section),
        }
    }
}

/// The number for a section that does not exist.
const ENOMSG: i32 = 42;

struct Step {
    name: &'static str,
    id: Option<String>,
}

impl Step {
    fn is(&self, element: &Element) -> bool {
        element.name() == self.name && self.id.as_deref().is_none_or(|id| element.id() == Some(id))
    }
}

fn read(pair: &Element) -> Found {
    let text = |name| pair.attr(name).unwrap_or_default().to_owned();
    Found { id: text("id"), name: text("name"), value: text("value") }
}
