// SPDX-License-Identifier: GPL-2.0-or-later
//! Delete: removes the first element that has the input's name and attributes. What is gone already is no error.

use super::{places, required_input};
use crate::path;
use crate::section::locate;
use crate::{CallOptions, Refusal, Request};
use xml::Element;

pub(super) fn delete(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request);
    }
    let input = required_input(request)?;
    let section = request.section.as_deref();
    let Some(place) = locate(cib, section) else { return Ok(cib.clone()) };
    let mut new = cib.clone();
    if section == Some(input.name()) {
        for child in input.elements() {
            remove_first(&mut new, &place, child);
        }
    } else {
        remove_first(&mut new, &place, &input);
    }
    Ok(new)
}

/// The first below the place, never the place itself.
fn remove_first(cib: &mut Element, place: &[usize], search: &Element) {
    let Some(root) = cib.at(place) else { return };
    let has_all = |element: &Element| {
        element.name() == search.name()
            && search.attributes().iter().all(|wanted| {
                element.attr(wanted.name()).is_some_and(|value| value.eq_ignore_ascii_case(wanted.value()))
            })
    };
    if let Some(below) = path::first_below(root, search.name(), &has_all) {
        cib.remove_at(&[place, &below].concat());
    }
}

fn at_xpath(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    let mut new = cib.clone();
    for place in places(cib, request)? {
        if place.is_empty() {
            return Err(Refusal::WholeCib(request.section.clone().unwrap_or_default()));
        }
        new.remove_at(&place);
    }
    Ok(new)
}
