// SPDX-License-Identifier: GPL-2.0-or-later
//! Create: adds what must not be there yet.

use super::merge::created;
use super::modify::in_section;
use super::required_input;
use crate::section::locate;
use crate::{Context, Refusal, Request};
use model::Profile;
use xml::{Element, Ids, Node};

pub(super) fn create(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    let mut input = required_input(request, context.profile)?;
    let section = request.section.as_deref();
    let Some(section) = section.filter(|_| !is_modification(section, &input)) else {
        // Without a section, it has always been a modification.
        return in_section(cib, request, None, &input, context);
    };
    if context.profile == Profile::V2_1 {
        input = created(with_named_comments(&input), context.profile);
    }
    let is_made = |node: &Node| !matches!(node, Node::Text(_));
    let made: Vec<Node> = if input.name() == section {
        input.children().iter().filter(|node| is_made(node)).cloned().collect()
    } else {
        vec![input.into()]
    };
    // Nothing to make is no change, wherever it would go.
    if made.is_empty() {
        return Ok(cib.clone());
    }
    let unknown = || Refusal::UnknownSection(section.to_owned());
    let place = locate(cib, Some(section)).ok_or_else(unknown)?;
    let mut new = cib.clone();
    let parent = new.at_mut(&place).ok_or_else(unknown)?;
    for node in &made {
        add(parent, node)?;
    }
    Ok(new)
}

/// Whether a creation is for no section.
pub(super) fn is_modification(section: Option<&str>, input: &Element) -> bool {
    let whole = |section: &str| section.eq_ignore_ascii_case("all") || section.eq_ignore_ascii_case("cib");
    section.is_none_or(whole) || input.name() == "cib"
}

fn add(parent: &mut Element, node: &Node) -> Result<(), Refusal> {
    let element = match node {
        Node::Element(element) => element,
        Node::Comment(_) => {
            parent.push(node.clone());
            return Ok(());
        }
        Node::Text(_) => return Ok(()),
    };
    let (name, id) = (element.name(), element.id());
    let there = parent.position(name, id.map_or(Ids::Any, Ids::Is)).is_some();
    let is_comment = |node: &Node| matches!(node, Node::Comment(_));
    if there || name == "comment" && parent.children().iter().any(is_comment) {
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

/// Pacemaker 2.1 makes elements of comments that it adds, by the name that comments go by.
fn with_named_comments(element: &Element) -> Element {
    let children = element.children().iter().map(|node| match node {
        Node::Element(child) => with_named_comments(child).into(),
        Node::Comment(_) => Element::new("comment").into(),
        Node::Text(_) => node.clone(),
    });
    let children: Vec<Node> = children.collect();
    element.without_children().with_children(children)
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
