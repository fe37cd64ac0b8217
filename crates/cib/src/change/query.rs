//! Query: reads a section, or what an XPath finds.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::{found, not_found};
use crate::section::find_section;
use crate::{CallOptions, Refusal, Request};
use xml::{Element, Found, Node};

pub(crate) fn query(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request);
    }
    let section = request.section.as_deref().filter(|section| !section.eq_ignore_ascii_case("all"));
    let found = find_section(cib, section);
    let found =
        found.ok_or_else(|| not_found(request, &format!("section '{}'", section.unwrap_or("all"))))?;
    Ok(if request.options.has(CallOptions::NO_CHILDREN) { shallow(found) } else { found.clone() })
}

fn shallow(element: &Element) -> Element {
    let mut shallow = Element::new(element.name_shared().clone());
    shallow.replace_attrs(element);
    shallow
}

fn at_xpath(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    let found = found(cib, request)?;
    if found.is_empty() {
        return Err(not_found(request, request.section.as_deref().unwrap_or_default()));
    }
    let mut answers: Vec<Node> = Vec::new();
    let mut wrapped = found.len() > 1;
    for found in &found {
        let Some(element) = owner(cib, found) else { continue };
        if request.options.has(CallOptions::NO_CHILDREN) {
            answers.push(shallow(element).into());
        } else if request.options.has(CallOptions::XPATH_ADDRESS) {
            wrapped = true;
            let path = address(cib, found);
            answers.push(Element::new("xpath-query-path").with_attr("id", path).into());
        } else {
            answers.push(element.clone().into());
        }
    }
    match answers.as_slice() {
        [Node::Element(only)] if !wrapped => Ok(only.clone()),
        _ => Ok(Element::new("xpath-query").with_children(answers)),
    }
}

/// The element that was found, or that has the attribute or comment that was.
fn owner<'a>(cib: &'a Element, found: &Found) -> Option<&'a Element> {
    crate::path::at(cib, &found.path).or_else(|| {
        let (_, parent) = found.path.split_last()?;
        crate::path::at(cib, parent)
    })
}

fn address(cib: &Element, found: &Found) -> String {
    let step = |element: &Element| match element.id() {
        Some(id) => format!("/{}[@id='{id}']", element.name()),
        None => format!("/{}", element.name()),
    };
    let mut address = step(cib);
    let mut here = cib;
    for &index in &found.path {
        let Some(child) = here.children().get(index).and_then(Node::element) else { break };
        address.push_str(&step(child));
        here = child;
    }
    address
}
