// SPDX-License-Identifier: GPL-2.0-or-later
//! What rules ask of a configuration, found out once.
//!
//! Decides: nothing. Given: a CIB. Leaves to others: what is wrong with it.

use super::Found;
use model::lenient::timeout_ms;
use model::{WallTime, parse_bool};
use scheduler::{Cluster, Variant};
use std::collections::{BTreeMap, BTreeSet};
use xml::Element;

/// A configuration.
pub(super) struct Facts<'a> {
    pub cib: &'a Element,
    pub now: WallTime,
    pub cluster: Cluster,
    /// Configured elements by their ids.
    pub by_id: BTreeMap<&'a str, &'a Element>,
    /// What each resource is in (group, clone, bundle), by ids.
    pub parents: BTreeMap<&'a str, &'a Element>,
}

/// An operation of a resource.
pub(super) struct Operation<'a> {
    pub resource: &'a Element,
    pub xml: &'a Element,
}

impl<'a> Facts<'a> {
    pub fn new(cib: &'a Element, now: WallTime) -> Facts<'a> {
        let (cluster, _) = scheduler::unpack(cib, now);
        let mut facts = Facts { cib, now, cluster, by_id: BTreeMap::new(), parents: BTreeMap::new() };
        if let Some(configuration) = cib.child("configuration") {
            // What only refers to something has that one's id.
            let is_reference = |name: &str| matches!(name, "obj_ref" | "resource_ref" | "role");
            for element in configuration.descendants().filter(|element| !is_reference(element.name())) {
                if let Some(id) = element.id() {
                    facts.by_id.entry(id).or_insert(element);
                }
            }
        }
        for parent in facts.section("resources").into_iter().flat_map(Element::descendants) {
            for child in parent.elements().filter(|child| is_resource(child)) {
                if let (true, Some(id)) = (is_resource(parent), child.id()) {
                    facts.parents.insert(id, parent);
                }
            }
        }
        facts
    }

    pub fn section(&self, name: &str) -> Option<&'a Element> {
        self.cib.descend(&["configuration", name])
    }

    /// The name-value pairs of the cluster's options.
    pub fn properties(&self) -> impl Iterator<Item = &'a Element> {
        let sets = self.section("crm_config").into_iter().flat_map(Element::elements);
        sets.flat_map(Element::elements).filter(|pair| pair.name() == "nvpair")
    }

    /// A cluster option as configured, by today's name or one of old.
    pub fn property(&self, name: &str) -> Option<&'a Element> {
        let alias = model::options::cluster_option(name).and_then(|option| option.alias);
        self.properties().find(|pair| {
            let given = pair.attr("name");
            given == Some(name) || given.is_some() && given == alias
        })
    }

    pub fn property_value(&self, name: &str) -> Option<&'a str> {
        self.property(name).and_then(|pair| pair.attr("value"))
    }

    pub fn is_fencing_enabled(&self) -> bool {
        self.cluster.options.fencing_enabled
    }

    /// Cluster nodes, by their names.
    pub fn node_names(&self) -> Vec<&str> {
        let cluster = |node: &&scheduler::Node| node.kind == scheduler::NodeKind::Cluster;
        self.cluster.nodes.iter().filter(cluster).map(|node| &*node.name).collect()
    }

    /// Resources of all kinds, as configured, templates not among them.
    pub fn resources(&self) -> impl Iterator<Item = &'a Element> {
        let all = self.section("resources").into_iter().flat_map(Element::descendants);
        all.filter(|element| is_resource(element))
    }

    pub fn primitives(&self) -> impl Iterator<Item = &'a Element> {
        self.resources().filter(|resource| resource.name() == "primitive")
    }

    /// Fence devices.
    pub fn devices(&self) -> impl Iterator<Item = &'a Element> {
        self.primitives().filter(|primitive| self.class(primitive) == "stonith")
    }

    pub fn class(&self, primitive: &'a Element) -> &'a str {
        let template = primitive.attr("template").and_then(|id| self.by_id.get(id)).copied();
        let class = primitive.attr("class").or_else(|| template?.attr("class"));
        class.unwrap_or_default()
    }

    /// The value of a parameter (`instance_attributes`) or meta-attribute of a resource itself or its template.
    pub fn value(&self, resource: &'a Element, set: &str, name: &str) -> Option<&'a Element> {
        let template = resource.attr("template").and_then(|id| self.by_id.get(id)).copied();
        std::iter::once(resource).chain(template).find_map(|holder| {
            let sets = holder.elements().filter(move |element| element.name() == set);
            sets.flat_map(Element::elements).find(|pair| pair.attr("name") == Some(name))
        })
    }

    pub fn parameter(&self, resource: &'a Element, name: &str) -> Option<&'a str> {
        self.value(resource, "instance_attributes", name).and_then(|pair| pair.attr("value"))
    }

    pub fn meta(&self, resource: &'a Element, name: &str) -> Option<&'a str> {
        self.value(resource, "meta_attributes", name).and_then(|pair| pair.attr("value"))
    }

    /// The operations of a primitive, its template's that it does not have itself included.
    pub fn operations(&self, primitive: &'a Element) -> Vec<Operation<'a>> {
        let template = primitive.attr("template").and_then(|id| self.by_id.get(id)).copied();
        let own = primitive.elements_named("operations").flat_map(|list| list.elements_named("op"));
        let mut all: Vec<Operation<'a>> = own.map(|xml| Operation { resource: primitive, xml }).collect();
        let key = |op: &Element| (op.attr("name").map(str::to_owned), op.attr("role").map(str::to_owned));
        let known: BTreeSet<_> = all.iter().map(|operation| key(operation.xml)).collect();
        let inherited = template.into_iter().flat_map(|template| template.elements_named("operations"));
        for xml in inherited.flat_map(|list| list.elements_named("op")) {
            if !known.contains(&key(xml)) {
                all.push(Operation { resource: primitive, xml });
            }
        }
        all
    }

    pub fn all_operations(&self) -> Vec<Operation<'a>> {
        self.primitives().flat_map(|primitive| self.operations(primitive)).collect()
    }

    pub fn constraints(&self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.section("constraints").into_iter().flat_map(move |section| section.elements_named(name))
    }

    /// What a resource is in, outermost last.
    pub fn holders(&self, id: &str) -> Vec<&'a Element> {
        let mut holders = Vec::new();
        let mut at = self.parents.get(id).copied();
        while let Some(parent) = at {
            holders.push(parent);
            at = parent.id().and_then(|id| self.parents.get(id)).copied();
        }
        holders
    }

    /// The resource that is in no other and holds this one.
    pub fn top(&self, id: &'a str) -> &'a str {
        self.holders(id).last().and_then(|holder| holder.id()).unwrap_or(id)
    }

    pub fn variant(&self, id: &str) -> Option<Variant> {
        let resource = self.cluster.resource_named(id)?;
        Some(self.cluster.resource(resource).variant)
    }

    /// The scored pairs that colocations without sets name: dependent, primary, the element.
    pub fn pairs(
        &self,
        constraint: &'a str,
        first: &str,
        then: &str,
    ) -> Vec<(&'a str, &'a str, &'a Element)> {
        self.constraints(constraint)
            .filter_map(|element| Some((element.attr(first)?, element.attr(then)?, element)))
            .collect()
    }
}

pub(crate) fn is_resource(element: &Element) -> bool {
    matches!(element.name(), "primitive" | "group" | "clone" | "master" | "bundle")
}

/// A finding about an element.
pub(super) fn at(element: &Element, text: impl Into<String>) -> Found {
    let id = element.id().or(element.attr("uname")).map(str::to_owned);
    Found { element: element.name().to_owned(), id, text: text.into() }
}

/// A finding about the configuration as a whole.
pub(super) fn overall(element: &str, text: impl Into<String>) -> Found {
    Found { element: element.to_owned(), id: None, text: text.into() }
}

pub(super) fn is_true(value: Option<&str>) -> bool {
    value.and_then(parse_bool).unwrap_or(false)
}

pub(super) fn is_false(value: Option<&str>) -> bool {
    value.and_then(parse_bool) == Some(false)
}

/// A duration in milliseconds, as operations have it.
pub(super) fn ms(text: Option<&str>) -> Option<i64> {
    text.and_then(timeout_ms)
}

/// A resource's name in messages.
pub(super) fn name(element: &Element) -> &str {
    element.id().or(element.attr("uname")).unwrap_or_default()
}
