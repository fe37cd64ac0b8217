// SPDX-License-Identifier: GPL-2.0-or-later
//! Where in the CIB an option or attribute is, or would be.

use super::options::{Options, Scope};
use crate::failure::Failure;
use model::ExitCode;
use xml::Element;

/// A node, as the configuration knows it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub name: String,
    pub id: String,
    pub is_remote: bool,
}

/// An option or attribute that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub set_id: String,
    pub id: String,
    pub name: String,
    pub value: String,
}

/// Where to look, and where to write.
pub(super) struct Place<'o> {
    pub scope: Scope,
    pub node: Option<Node>,
    options: &'o Options,
}

impl<'o> Place<'o> {
    pub fn new(scope: Scope, options: &'o Options, node: Option<Node>) -> Place<'o> {
        Place { scope, node, options }
    }

    fn set_element(&self) -> &'static str {
        match (self.scope, self.options.utilization) {
            (Scope::Cluster, _) => "cluster_property_set",
            (_, true) => "utilization",
            (_, false) => "instance_attributes",
        }
    }

    /// The element that the sets are in, if it is there.
    fn holder<'c>(&self, cib: &'c Element) -> Option<&'c Element> {
        let id = self.node.as_ref().map(|node| node.id.as_str());
        match self.scope {
            Scope::Cluster => cib.descend(&["configuration", "crm_config"]),
            Scope::Nodes => cib.descend(&["configuration", "nodes"])?.child_with_id("node", id?),
            Scope::Status => {
                cib.child("status")?.child_with_id("node_state", id?)?.child("transient_attributes")
            }
        }
    }

    /// What matches: by name, by pattern, or everything. Of one name there must not be several.
    pub fn find(&self, cib: &Element, name: Option<&str>) -> Result<Vec<Found>, Failure> {
        let pattern = match &self.options.pattern {
            None => None,
            Some(pattern) => Some(regex_lite::Regex::new(pattern).map_err(|error| {
                Failure::new(ExitCode::USAGE, format_args!("bad pattern '{pattern}': {error}"))
            })?),
        };
        let is = |wanted: &Option<String>, id: Option<&str>| wanted.is_none() || wanted.as_deref() == id;
        let sets = self.holder(cib).into_iter().flat_map(|holder| holder.elements_named(self.set_element()));
        let sets = sets.filter(|set| is(&self.options.set_name, set.id()));
        let pairs = sets.flat_map(|set| set.elements_named("nvpair").map(move |pair| (set, pair)));
        let text = |element: &Element, name| element.attr(name).unwrap_or_default().to_owned();
        let matching = pairs.filter(|(_, pair)| {
            let own = pair.attr("name").unwrap_or_default();
            name.is_none_or(|name| name == own)
                && pattern.as_ref().is_none_or(|pattern| pattern.is_match(own))
                && is(&self.options.id, pair.id())
        });
        let found = matching.map(|(set, pair)| Found {
            set_id: text(set, "id"),
            id: text(pair, "id"),
            name: text(pair, "name"),
            value: text(pair, "value"),
        });
        let found: Vec<Found> = found.collect();
        match name {
            Some(name) if found.len() > 1 => Err(several(name, &found)),
            _ => Ok(found),
        }
    }

    /// The change that sets a value: where it is, or else in the usual set.
    pub fn change(&self, found: Option<&Found>, name: &str, value: &str) -> Element {
        let set_id = found.map(|found| found.set_id.clone()).or_else(|| self.options.set_name.clone());
        let set_id = set_id.unwrap_or_else(|| self.usual_set());
        let pair_id = found.map(|found| found.id.clone()).or_else(|| self.options.id.clone());
        let pair_id = pair_id.unwrap_or_else(|| xml::sanitized_id(&format!("{set_id}-{name}")));
        let pair =
            Element::new("nvpair").with_attr("id", pair_id).with_attr("name", name).with_attr("value", value);
        let set = Element::new(self.set_element()).with_attr("id", set_id).with_child(pair);
        let id = self.node.as_ref().map_or("", |node| node.id.as_str());
        let of_node = |element: &'static str, inner: Element| {
            Element::new(element).with_attr("id", id).with_child(inner)
        };
        match self.scope {
            Scope::Cluster => Element::new("crm_config").with_child(set),
            Scope::Nodes => Element::new("nodes").with_child(of_node("node", set)),
            Scope::Status => {
                let transient = of_node("transient_attributes", set);
                Element::new("status").with_child(of_node("node_state", transient))
            }
        }
    }

    fn usual_set(&self) -> String {
        let id = self.node.as_ref().map_or("", |node| node.id.as_str());
        match (self.scope, self.options.utilization) {
            (Scope::Cluster, _) => "cib-bootstrap-options".to_owned(),
            (scope, true) => format!("{}-{id}-utilization", scope.section()),
            (scope, false) => format!("{}-{id}", scope.section()),
        }
    }
}

fn several(name: &str, found: &[Found]) -> Failure {
    let lines = found.iter().map(|found| format!("\n  Value: {} \t(id={})", found.value, found.id));
    Failure::new(
        ExitCode::MULTIPLE,
        format_args!(
            "Please choose from one of the matches below and supply the 'id' with --attr-id\n\
             Multiple attributes match name={name}{}",
            lines.collect::<String>()
        ),
    )
}
