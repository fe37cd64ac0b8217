// SPDX-License-Identifier: GPL-2.0-or-later
//! Replace: puts the input in place of the element it matches, or of the whole CIB.

use super::{Changed, Touched, described, found, not_found, required_input};
use crate::path;
use crate::section::locate;
use crate::{CallOptions, Context, Refusal, Request, Version};
use xml::{Element, digest_v2};

pub(super) fn replace(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    let input = required_input(request)?;
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request, &input, context);
    }
    if input.name() == "cib" {
        return whole(cib, request, input, context);
    }
    let section = request.section.as_deref();
    let anywhere =
        section.is_none_or(|section| section.eq_ignore_ascii_case("all") || section == input.name());
    let section = section.filter(|_| !anywhere);
    let unknown = || Refusal::UnknownSection(section.unwrap_or("cib").to_owned());
    let mut place = locate(cib, section).ok_or_else(unknown)?;
    let root = cib.at(&place).ok_or_else(unknown)?;
    let fits = |element: &Element| {
        element.name() == input.name() && input.id().is_none_or(|id| element.id() == Some(id))
    };
    let below = path::first_below(root, &fits).ok_or_else(|| not_found(request, &described(&input)))?;
    place.extend(below);
    let mut new = cib.clone();
    path::put(&mut new, &place, input);
    let mut touched = Touched { any: true, ..Touched::by_copies(cib, &new) };
    if let ([_], Some("configuration")) = (place.as_slice(), new.at(&place).map(Element::name)) {
        // The configuration itself: only if it is another one. (Parts of it count as changed even if they are equal.)
        touched.configuration = Touched::by_content(cib, &new).configuration;
    }
    Ok(Changed { cib: new, touched })
}

fn whole(cib: &Element, request: &Request, input: Element, context: &Context) -> Result<Changed, Refusal> {
    if let Some(expected) = &request.digest {
        let found = digest_v2(&input, context.escaping());
        if !found.eq_ignore_ascii_case(expected) {
            return Err(Refusal::Digest { expected: expected.clone(), found });
        }
    }
    let (current, offered) = (Version::of_or(cib, -1), Version::of_or(&input, -1));
    if offered < current {
        return Err(Refusal::Old { current, offered });
    }
    let touched = Touched { any: true, ..Touched::by_content(cib, &input) };
    Ok(Changed { cib: input, touched })
}

fn at_xpath(
    cib: &Element,
    request: &Request,
    input: &Element,
    context: &Context,
) -> Result<Changed, Refusal> {
    let mut found = found(cib, request)?;
    found.retain(|found| found.attribute.is_none());
    let first =
        found.first().ok_or_else(|| not_found(request, request.section.as_deref().unwrap_or_default()))?;
    if first.path.is_empty() {
        return whole(cib, request, input.clone(), context);
    }
    if request.options.has(CallOptions::MULTIPLE) {
        // Backwards, so that the places of those still to go stay right.
        found.reverse();
    } else {
        found.truncate(1);
    }
    let mut new = cib.clone();
    for found in found {
        // The replacement comes last among its siblings, as it always has.
        let Some((_, parent)) = found.path.split_last() else { continue };
        if new.remove_at(&found.path).is_some()
            && let Some(parent) = new.at_mut(parent)
        {
            parent.push(input.clone());
        }
    }
    Ok(Changed { touched: Touched::by_copies(cib, &new), cib: new })
}
