// SPDX-License-Identifier: GPL-2.0-or-later
//! Create: adds what must not be there yet.

use super::merge::Values;
use super::modify::in_section;
use super::required_input;
use crate::section::locate;
use crate::{Refusal, Request};
use xml::{Element, Node};

pub(super) fn create(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    let input = required_input(request)?;
    let whole = |section: &&str| {
        !section.eq_ignore_ascii_case("all") && !section.eq_ignore_ascii_case("cib") && input.name() != "cib"
    };
    let Some(section) = request.section.as_deref().filter(whole) else {
        // Without a section, it has always been a modification.
        return in_section(cib, request, None, &input, Values::Literal);
    };
    let unknown = || Refusal::UnknownSection(section.to_owned());
    let place = locate(cib, Some(section)).ok_or_else(unknown)?;
    let mut new = cib.clone();
    let parent = new.at_mut(&place).ok_or_else(unknown)?;
    if input.name() == section {
        for child in input.children() {
            add(parent, child)?;
        }
    } else {
        add(parent, &Node::Element(input))?;
    }
    Ok(new)
}

fn add(parent: &mut Element, node: &Node) -> Result<(), Refusal> {
    let Node::Element(element) = node else {
        parent.push(node.clone());
        return Ok(());
    };
    let (name, id) = (element.name(), element.id());
    let there = |child: &Element| child.name() == name && id.is_none_or(|id| child.id() == Some(id));
    if parent.elements().any(there) {
        return Err(Refusal::Exists {
            name: name.to_owned(),
            id: id.map(str::to_owned),
            parent: parent.name().to_owned(),
            failed: failed(element),
        });
    }
    parent.push(without_replace(element));
    Ok(())
}

/// The report that goes with the refusal.
fn failed(element: &Element) -> Element {
    let mut update = Element::new("failed_update").with_child(element.clone());
    update.set_attr_opt("id", element.id());
    update.set_attr("object-type", element.name());
    update.set_attr("operation", "cib_create");
    update.set_attr("reason", "File exists");
    Element::new("failed").with_child(update)
}

/// An attribute `replace` was an instruction once and is still not stored.
fn without_replace(element: &Element) -> Element {
    if !element.descendants().any(|element| element.attr("replace").is_some()) {
        return element.clone();
    }
    let mut element = element.clone();
    element.remove_attr("replace");
    for child in element.elements_mut() {
        *child = without_replace(child);
    }
    element
}
