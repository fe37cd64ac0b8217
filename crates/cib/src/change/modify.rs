// SPDX-License-Identifier: GPL-2.0-or-later
//! Modify: merges the input into the element it matches.

use super::merge::{Values, merged};
use super::{described, found, not_found, required_input};
use crate::path::{self, Path};
use crate::section::{locate, section_path};
use crate::{CallOptions, Context, Refusal, Request};
use model::Profile;
use xml::Element;

pub(super) fn modify(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    let input = required_input(request)?;
    // Before 3.0, values were always counted.
    let counted = request.options.has(CallOptions::SCORE_UPDATE) || context.profile == Profile::V2_1;
    let values = if counted { Values::Counted } else { Values::Literal };
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request, &input, values);
    }
    in_section(cib, request, request.section.as_deref(), &input, values)
}

/// In the first element, from the section itself on, that has the input's name and id.
pub(super) fn in_section(
    cib: &Element,
    request: &Request,
    section: Option<&str>,
    input: &Element,
    values: Values,
) -> Result<Element, Refusal> {
    let mut new = cib.clone();
    let mut place = match locate(cib, section) {
        Some(place) => place,
        None => add_section(&mut new, section)?,
    };
    let root = new.at(&place).ok_or_else(|| not_found(request, "the section"))?.clone();
    match path::first_from(&root, input.name(), &|element| same(element, input)) {
        Some(below) => {
            let target = root.at(&below).ok_or_else(|| not_found(request, &described(input)))?;
            if let Some(merged) = merged(target, input, values) {
                place.extend(below);
                path::put(&mut new, &place, merged);
            }
        }
        None if request.options.has(CallOptions::CAN_CREATE) => {
            if let Some(element) = new.at_mut(&place) {
                element.push(input.clone());
            }
        }
        None => return Err(not_found(request, &described(input))),
    }
    Ok(new)
}

fn same(element: &Element, input: &Element) -> bool {
    element.name() == input.name() && element.id() == input.id()
}

/// A section that is known but not there is made.
fn add_section(cib: &mut Element, section: Option<&str>) -> Result<Path, Refusal> {
    let name = section.unwrap_or("cib");
    let unknown = || Refusal::UnknownSection(name.to_owned());
    let (last, parents) = section_path(name).and_then(|names| names.split_last()).ok_or_else(unknown)?;
    let parent = path::by_names(cib, parents).ok_or_else(unknown)?;
    cib.at_mut(&parent).ok_or_else(unknown)?.push(Element::new(*last));
    locate(cib, section).ok_or_else(unknown)
}

fn at_xpath(cib: &Element, request: &Request, input: &Element, values: Values) -> Result<Element, Refusal> {
    let found = found(cib, request)?;
    let xpath = request.section.as_deref().unwrap_or_default();
    if found.is_empty() {
        return Err(not_found(request, xpath));
    }
    let mut new = cib.clone();
    let mut missed = false;
    for place in found.iter().filter(|found| found.attribute.is_none()).map(|found| &found.path) {
        let Some(root) = new.at(place).cloned() else { continue };
        let Some(below) = path::first_from(&root, input.name(), &|element| same(element, input)) else {
            missed = true;
            continue;
        };
        let merged = root.at(&below).and_then(|target| merged(target, input, values));
        if let Some(merged) = merged {
            path::put(&mut new, &[place.as_slice(), &below].concat(), merged);
        }
        if !request.options.has(CallOptions::MULTIPLE) {
            break;
        }
    }
    if missed { Err(not_found(request, &format!("{} at {xpath}", described(input)))) } else { Ok(new) }
}
