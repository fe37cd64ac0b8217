// SPDX-License-Identifier: GPL-2.0-or-later
//! What is not supported any more: resources of two classes, a container technology, three meta-attributes. With
//! resources go the constraints that have no resource left.

use super::id;
use crate::upgrade::note::{Holder, Note};
use crate::upgrade::walk::{self, Above, Transform, descend};
use std::collections::{HashMap, HashSet};
use xml::{Element, Node};

/// Classes of resources that are gone, in any case of letters.
const CLASSES: [&str; 2] = ["nagios", "upstart"];

const INSTEAD_OF_RESTART_TYPE: &str = "the \"kind\" attribute for relevant constraints";
const INSTEAD_OF_ON_FAILURE: &str = "the \"on-fail\" operation attribute instead";

/// The fourth step.
pub(in crate::upgrade) fn upgrade(cib: &Element, notes: &mut Vec<Note>) -> Element {
    let gone = Gone::of(cib);
    walk::transform(cib, &mut Unsupported { gone, notes })
}

struct Unsupported<'a> {
    gone: Gone<'a>,
    notes: &'a mut Vec<Note>,
}

impl Transform for Unsupported<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        let note = match element.name() {
            "nvpair" => above.and_then(|above| meta_attribute(element, above)),
            _ => self.gone.resource(element),
        };
        if let Some(note) = note {
            self.notes.push(note);
        } else if !self.gone.constraint(element) {
            out.push(descend(self, element, above).into());
        }
    }
}

/// A meta-attribute that nobody heeds any more.
fn meta_attribute(pair: &Element, above: &Above<'_>) -> Option<Note> {
    if above.parent() != "meta_attributes" {
        return None;
    }
    let name = pair.attr("name")?;
    let instead = match (name, above.grandparent()) {
        ("restart-type", "template" | "primitive" | "group" | "clone" | "bundle" | "rsc_defaults") => {
            INSTEAD_OF_RESTART_TYPE
        }
        ("can_fail" | "role_after_failure", "op" | "op_defaults") => INSTEAD_OF_ON_FAILURE,
        _ => return None,
    };
    Some(Note::MetaAttribute { name: name.to_owned(), set: above.parent_id().to_owned(), instead })
}

/// Which resources go.
struct Gone<'a> {
    /// By id: whether all templates of it go, and the first one's class.
    templates: HashMap<&'a str, (bool, &'a str)>,
    /// The ids of resources that go.
    resources: HashSet<&'a str>,
}

fn is_of_gone_class(element: &Element) -> bool {
    element.attr("class").is_some_and(|class| CLASSES.iter().any(|gone| class.eq_ignore_ascii_case(gone)))
}

impl<'a> Gone<'a> {
    fn of(cib: &'a Element) -> Gone<'a> {
        let mut gone = Gone { templates: HashMap::new(), resources: HashSet::new() };
        for template in cib.descendants().filter(|element| element.name() == "template") {
            if let Some(id) = template.id() {
                let class = template.attr("class").unwrap_or_default();
                gone.templates.entry(id).or_insert((true, class)).0 &= is_of_gone_class(template);
            }
        }
        let resources =
            cib.descendants().filter(|element| element.name() != "template" && gone.goes(element));
        gone.resources = resources.filter_map(Element::id).collect();
        gone
    }

    /// Whether a resource or template goes. (So does a primitive whose template is nowhere to be found.)
    fn goes(&self, element: &Element) -> bool {
        match element.name() {
            "template" => is_of_gone_class(element),
            "primitive" => {
                let template = |id: &str| self.templates.get(id).is_none_or(|(goes, _)| *goes);
                is_of_gone_class(element) || element.attr("template").is_some_and(template)
            }
            "group" => element.elements_named("primitive").all(|member| self.goes(member)),
            "clone" => {
                let mut below = element.descendants().filter(|below| below.name() == "primitive");
                below.all(|primitive| self.goes(primitive))
            }
            "bundle" => element.child("rkt").is_some(),
            _ => false,
        }
    }

    /// What is to be said of a resource or template that goes.
    fn resource(&self, element: &Element) -> Option<Note> {
        if !self.goes(element) {
            return None;
        }
        let id = id(element).to_owned();
        Some(match element.name() {
            "group" => Note::Emptied { holder: Holder::Group, id },
            "clone" => Note::Emptied { holder: Holder::Clone, id },
            "bundle" => Note::Rkt { bundle: id },
            name => {
                let template = element.attr("template").and_then(|id| self.templates.get(id));
                let class = element.attr("class").or(template.map(|(_, class)| *class)).unwrap_or_default();
                Note::Class { template: name == "template", id, class: class.to_owned() }
            }
        })
    }

    fn refers(&self, element: &Element, attribute: &str) -> bool {
        element.attr(attribute).is_some_and(|id| self.resources.contains(id))
    }

    /// Whether a constraint, or a part of one, has no resource left.
    fn constraint(&self, element: &Element) -> bool {
        let attributes: &[&str] = match element.name() {
            "resource_ref" => return self.refers(element, "id"),
            "resource_set" => {
                return element.elements_named("resource_ref").all(|one| self.refers(one, "id"));
            }
            "rsc_location" | "rsc_ticket" => &["rsc"],
            "rsc_colocation" => &["rsc", "with-rsc"],
            "rsc_order" => &["first", "then"],
            _ => return false,
        };
        if attributes.iter().any(|attribute| self.refers(element, attribute)) {
            return true;
        }
        let mut sets = element.elements_named("resource_set").peekable();
        sets.peek().is_some() && sets.all(|set| self.constraint(set))
    }
}
