// SPDX-License-Identifier: GPL-2.0-or-later
//! Resource sets, and tags and templates that stand for sets.
//!
//! Decides: what a set holds; a constraint on a tag or template becomes one on a set. Given: a constraint's element.
//! Leaves to others: what sets mean in each kind of constraint.

use crate::notation::{flag, resolve};
use crate::{Cluster, ResourceId};
use xml::Element;

/// A set taken apart.
pub(super) struct Set {
    pub id: String,
    pub xml: Element,
    pub members: Vec<ResourceId>,
    pub sequential: Option<bool>,
}

impl Cluster {
    /// What a tag or template stands for, if a name is one.
    fn tagged(&self, name: &str) -> Option<Vec<String>> {
        if self.resource_named(name).is_some() || self.by_history.contains_key(name) {
            return None;
        }
        let references = self.tags.get(name).filter(|references| !references.is_empty())?;
        Some(references.iter().map(|reference| reference.to_string()).collect())
    }

    /// Whether a name stands for a set of resources.
    pub(super) fn is_tag(&self, name: &str) -> bool {
        self.tagged(name).is_some()
    }

    fn set_of(id: &str, names: &[String], sequential: Option<bool>) -> Element {
        let mut set = Element::new("resource_set").with_attr("id", id);
        set.set_attr_opt("sequential", sequential);
        let reference = |name: &String| Element::new("resource_ref").with_attr("id", name);
        set.with_children(names.iter().map(reference))
    }

    /// Replaces tags in a constraint's sets, and attributes that name tags, by sets. `attributes` are those that name
    /// resources, each with the attribute that goes with it and what that is called in a set.
    pub(super) fn expand_tags(
        &self,
        xml: &Element,
        attributes: &[(&str, &'static str, &'static str)],
    ) -> Element {
        let mut out = xml.clone();
        if xml.child("resource_set").is_some() {
            for set in out.elements_mut().filter(|child| child.name() == "resource_set") {
                let tags: Vec<_> = set.elements().map(|r| r.id().and_then(|id| self.tagged(id))).collect();
                if tags.iter().all(Option::is_none) {
                    continue;
                }
                let old: Vec<Element> = set.elements().cloned().collect();
                set.clear();
                for (reference, tagged) in old.into_iter().zip(tags) {
                    match tagged {
                        None => set.push(reference),
                        Some(names) => {
                            for name in names {
                                set.push(Element::new("resource_ref").with_attr("id", name));
                            }
                        }
                    }
                }
            }
            return out;
        }
        let names: Vec<Option<&str>> = attributes.iter().map(|(name, ..)| xml.attr(name)).collect();
        if !names.iter().any(|name| name.is_some_and(|name| self.tagged(name).is_some())) {
            return out;
        }
        for (&(attribute, companion, in_set), name) in attributes.iter().zip(names) {
            let Some(name) = name else { continue };
            let mut set = match self.tagged(name) {
                Some(names) => Cluster::set_of(name, &names, Some(false)),
                // A location's single resource needs no set.
                None if attributes.len() > 1 => Cluster::set_of(name, &[name.to_owned()], None),
                None => continue,
            };
            set.set_attr_opt(in_set, xml.attr(companion));
            out.remove_attr(attribute);
            out.remove_attr(companion);
            out.push(set);
        }
        out
    }

    /// The sets of a constraint; `None` if one names what does not exist.
    pub(super) fn sets(&mut self, xml: &Element, constraint: &str) -> Option<Vec<Set>> {
        let mut sets = Vec::new();
        let cib = self.cib.clone();
        for element in xml.elements_named("resource_set") {
            let element = resolve(element, &cib)?;
            let names: Vec<&str> = element.elements_named("resource_ref").filter_map(Element::id).collect();
            let members =
                names.iter().map(|name| self.constrained(constraint, name)).collect::<Option<_>>()?;
            sets.push(Set {
                id: element.id()?.to_owned(),
                xml: element.clone(),
                members,
                sequential: flag(element, "sequential"),
            });
        }
        Some(sets)
    }
}
