// SPDX-License-Identifier: GPL-2.0-or-later
//! Query: reads a section, or what an XPath finds.

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
    Ok(if request.options.has(CallOptions::NO_CHILDREN) { found.without_children() } else { found.clone() })
}

fn at_xpath(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    let found = found(cib, request)?;
    if found.is_empty() {
        return Err(not_found(request, request.section.as_deref().unwrap_or_default()));
    }
    let mut answers: Vec<Node> = Vec::new();
    let mut wrapped = found.len() > 1;
    for found in &found {
        let Some(path) = owner(cib, found) else { continue };
        let Some(element) = cib.at(path) else { continue };
        if request.options.has(CallOptions::NO_CHILDREN) {
            answers.push(element.without_children().into());
        } else if request.options.has(CallOptions::XPATH_ADDRESS) {
            wrapped = true;
            let address = cib.address(path).unwrap_or_default();
            answers.push(Element::new("xpath-query-path").with_attr("id", address).into());
        } else {
            answers.push(element.clone().into());
        }
    }
    match answers.as_slice() {
        [Node::Element(only)] if !wrapped => Ok(only.clone()),
        _ => Ok(Element::new("xpath-query").with_children(answers)),
    }
}

/// Where the element is that was found, or that has the attribute or comment that was.
fn owner<'f>(cib: &Element, found: &'f Found) -> Option<&'f [usize]> {
    let parent = found.path.split_last().map(|(_, parent)| parent);
    [Some(found.path.as_slice()), parent].into_iter().flatten().find(|path| cib.at(path).is_some())
}
