// SPDX-License-Identifier: GPL-2.0-or-later
//! Replace: puts the input in place of the element it matches, or of the whole CIB.

use super::{Changed, Touched, described, not_found, places, required_input};
use crate::acl::Change;
use crate::path::{self, Path};
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
    let place = place(cib, request, &input)?;
    let mut new = cib.clone();
    path::put(&mut new, &place, input);
    let mut touched = Touched { any: true, ..Touched::by_copies(cib, &new) };
    if let ([_], Some("configuration")) = (place.as_slice(), new.at(&place).map(Element::name)) {
        // The configuration itself: only if it is another one. (Parts of it count as changed even if they are equal.)
        touched.configuration = Touched::by_content(cib, &new).configuration;
    }
    Ok(Changed::new(new, touched))
}

/// What the input goes in the place of.
fn place(cib: &Element, request: &Request, input: &Element) -> Result<Path, Refusal> {
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
    let below =
        path::first_below(root, input.name(), &fits).ok_or_else(|| not_found(request, &described(input)))?;
    place.extend(below);
    Ok(place)
}

pub(super) fn seen_by_acl(cib: &Element, request: &Request) -> Result<Change, Refusal> {
    let input = required_input(request)?;
    if request.options.has(CallOptions::XPATH) {
        let removed = places(cib, request)?;
        let whole = removed.first().is_some_and(Path::is_empty);
        return Ok(if whole { Change::Replaced { at: Path::new() } } else { Change::InPlace { removed } });
    }
    let at = if input.name() == "cib" { Path::new() } else { place(cib, request, &input)? };
    Ok(Change::Replaced { at })
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
    Ok(Changed::new(input, touched))
}

fn at_xpath(
    cib: &Element,
    request: &Request,
    input: &Element,
    context: &Context,
) -> Result<Changed, Refusal> {
    let places = places(cib, request)?;
    let first = places.first();
    let first = first.ok_or_else(|| not_found(request, request.section.as_deref().unwrap_or_default()))?;
    if first.is_empty() {
        return whole(cib, request, input.clone(), context);
    }
    let mut new = cib.clone();
    for place in places {
        // The replacement comes last among its siblings, as it always has.
        let Some((_, parent)) = place.split_last() else { continue };
        if new.remove_at(&place).is_some()
            && let Some(parent) = new.at_mut(parent)
        {
            parent.push(input.clone());
        }
    }
    let touched = Touched::by_copies(cib, &new);
    Ok(Changed::new(new, touched))
}
