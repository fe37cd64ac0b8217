// SPDX-License-Identifier: GPL-2.0-or-later
//! Query: reads a section, or what an XPath finds.

use super::not_found;
use crate::section::find_section;
use crate::{CallOptions, Refusal, Request};
use model::Profile;
use xml::{Element, Node, Target, XPath};

pub(crate) fn query(cib: &Element, request: &Request, profile: Profile) -> Result<Element, Refusal> {
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request, profile);
    }
    let section = request.section.as_deref().filter(|section| !section.eq_ignore_ascii_case("all"));
    let found = find_section(cib, section);
    let found =
        found.ok_or_else(|| not_found(request, &format!("section '{}'", section.unwrap_or("all"))))?;
    Ok(if request.options.has(CallOptions::NO_CHILDREN) { found.without_children() } else { found.clone() })
}

fn at_xpath(cib: &Element, request: &Request, profile: Profile) -> Result<Element, Refusal> {
    let xpath = request.section.as_deref().unwrap_or_default();
    let xpath = XPath::parse(xpath).map_err(Refusal::XPath)?;
    let selected = xpath.select(cib).map_err(Refusal::XPath)?;
    if selected.is_empty() {
        return Err(not_found(request, xpath.as_str()));
    }
    let addresses = request.options.has(CallOptions::XPATH_ADDRESS);
    let mut wrapper = Element::new("xpath-query");
    let mut wrapped = selected.len() > 1;
    for one in &selected {
        // Since 3.0, what is no element is answered as what it is.
        if !addresses && profile == Profile::V3_0 && one.element().is_none() {
            wrapped = true;
            match one.target() {
                Target::Attribute(_, attribute) => {
                    // Of several of a name the last is shown, and in its place.
                    wrapper.remove_attr(attribute.name());
                    wrapper.set_attr(attribute.name().clone(), attribute.value());
                }
                Target::Comment(text) => wrapper.push(Node::Comment((*text).into())),
                Target::Text(text) => wrapper.push(Node::Text(text.as_str().into())),
                Target::Document | Target::Element(_) => {}
            }
            continue;
        }
        let (path, element) = one.nearest_element();
        if request.options.has(CallOptions::NO_CHILDREN) {
            wrapper.push(element.without_children());
        } else if addresses {
            wrapped = true;
            let address = cib.address(path).unwrap_or_default();
            wrapper.push(Element::new("xpath-query-path").with_attr("id", address));
        } else {
            wrapper.push(element.clone());
        }
    }
    match wrapper.first_element() {
        Some(only) if !wrapped => Ok(only.clone()),
        _ => Ok(wrapper),
    }
}
