// SPDX-License-Identifier: GPL-2.0-or-later
//! Modify: merges the input into the element it matches.

use super::merge::{Values, merged, replacement};
use super::{described, found, input, not_found};
use crate::path::{self, Path};
use crate::section::{locate, section_path};
use crate::{CallOptions, Context, Operation, Refusal, Request};
use model::Profile;
use xml::{Element, Found};

pub(super) fn modify(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    let input = input(request, context.profile);
    if request.options.has(CallOptions::XPATH) {
        let found = found(cib, request, context.profile)?;
        return at_xpath(cib, request, input.as_ref(), Values::of(request, context), &found);
    }
    let input = input.ok_or(Refusal::NoInput(request.operation))?;
    in_section(cib, request, request.section.as_deref(), &input, context)
}

/// In the first element, from the section itself on, that has the input's name and id.
pub(super) fn in_section(
    cib: &Element,
    request: &Request,
    section: Option<&str>,
    input: &Element,
    context: &Context,
) -> Result<Element, Refusal> {
    let values = Values::of(request, context);
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
                element.push(replacement(input.clone(), context.profile));
            }
        }
        None => return Err(not_found(request, &described(input))),
    }
    Ok(new)
}

/// Whether a modification (or a creation that is one) merges its input into something, not only adds it.
pub(super) fn merges(cib: &Element, request: &Request, profile: Profile) -> bool {
    let section = request.section.as_deref();
    if request.options.has(CallOptions::XPATH) {
        return request.operation == Operation::Modify;
    }
    let Some(input) = input(request, profile) else { return false };
    if request.operation == Operation::Create && !super::create::is_modification(section, &input) {
        return false;
    }
    let section = section.filter(|_| request.operation == Operation::Modify);
    let root = locate(cib, section).and_then(|place| cib.at(&place).cloned());
    root.is_some_and(|root| path::first_from(&root, input.name(), &|element| same(element, &input)).is_some())
}

fn same(element: &Element, input: &Element) -> bool {
    element.name() == input.name() && element.id() == input.id()
}

/// A section that is known but not there is made, where its place is first.
fn add_section(cib: &mut Element, section: Option<&str>) -> Result<Path, Refusal> {
    let name = section.unwrap_or("cib");
    let unknown = || Refusal::UnknownSection(name.to_owned());
    let (last, parents) = section_path(name).and_then(|names| names.split_last()).ok_or_else(unknown)?;
    let parent = path::first_by_names(cib, parents).ok_or_else(unknown)?;
    cib.at_mut(&parent).ok_or_else(unknown)?.push(Element::new(*last));
    locate(cib, section).ok_or_else(unknown)
}

fn at_xpath(
    cib: &Element,
    request: &Request,
    input: Option<&Element>,
    values: Values,
    found: &[Found],
) -> Result<Element, Refusal> {
    let xpath = request.section.as_deref().unwrap_or_default();
    if found.is_empty() {
        return Err(not_found(request, xpath));
    }
    let input = input.ok_or_else(|| not_found(request, "a CIB without what it was found by"))?;
    let mut new = cib.clone();
    let mut missed = false;
    for found in found {
        // What is no element is not what is looked for; and what was missed once stays missed.
        let root = new.at(&found.path).filter(|_| found.attribute.is_none()).cloned();
        let below = root
            .as_ref()
            .and_then(|root| path::first_from(root, input.name(), &|element| same(element, input)));
        let (Some(root), Some(below)) = (root, below) else {
            missed = true;
            continue;
        };
        let merged = root.at(&below).and_then(|target| merged(target, input, values));
        if let Some(merged) = merged {
            path::put(&mut new, &[found.path.as_slice(), &below].concat(), merged);
        }
        if !request.options.has(CallOptions::MULTIPLE) {
            break;
        }
    }
    if missed { Err(not_found(request, &format!("{} at {xpath}", described(input)))) } else { Ok(new) }
}
