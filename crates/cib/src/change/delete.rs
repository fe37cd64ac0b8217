// SPDX-License-Identifier: GPL-2.0-or-later
//! Delete: removes the first element that has the input's name and attributes. What is gone already is no error.

use super::{remove, required_input, targets};
use crate::path;
use crate::section::locate;
use crate::{CallOptions, Context, Refusal, Request};
use model::Profile;
use xml::{Element, Node};

pub(super) fn delete(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request, context.profile);
    }
    let input = required_input(request, context.profile)?;
    let section = request.section.as_deref();
    let Some(place) = locate(cib, section) else { return Ok(cib.clone()) };
    let mut new = cib.clone();
    if section == Some(input.name()) {
        for child in input.children() {
            match child {
                Node::Element(child) => remove_first(&mut new, &place, child),
                // A comment was the description of any comment.
                Node::Comment(_) if context.profile == Profile::V2_1 => {
                    remove_first_comment(&mut new, &place)
                }
                Node::Comment(_) | Node::Text(_) => {}
            }
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

fn remove_first_comment(cib: &mut Element, place: &[usize]) {
    if let Some(below) = cib.at(place).and_then(path::first_comment) {
        cib.remove_at(&[place, &below].concat());
    }
}

fn at_xpath(cib: &Element, request: &Request, profile: Profile) -> Result<Element, Refusal> {
    let mut new = cib.clone();
    for found in targets(cib, request, profile)? {
        if found.path.is_empty() && found.attribute.is_none() {
            return Err(Refusal::WholeCib(request.section.clone().unwrap_or_default()));
        }
        remove(&mut new, &found);
    }
    Ok(new)
}
