// SPDX-License-Identifier: GPL-2.0-or-later
//! Replace: puts the input in place of the element it matches, or of the whole CIB.

use super::merge::replacement;
use super::{Changed, Touched, described, input, not_found, places, remove, required_input, targets};
use crate::acl::Change;
use crate::path::{self, Path};
use crate::section::locate;
use crate::{CallOptions, Context, Refusal, Request, Version};
use model::Profile;
use xml::{Element, digest_v2};

pub(super) fn replace(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    let input = input(request, context.profile);
    if request.options.has(CallOptions::XPATH) {
        return at_xpath(cib, request, input.as_ref(), context);
    }
    let input = input.ok_or(Refusal::NoInput(request.operation))?;
    if input.name() == "cib" {
        return whole(cib, request, input, context);
    }
    let place = place(cib, request, &input, context.profile)?;
    let mut new = cib.clone();
    path::put(&mut new, &place, replacement(input, context.profile));
    let mut touched = Touched { any: true, ..Touched::by_copies(cib, &new) };
    if let ([_], Some("configuration")) = (place.as_slice(), new.at(&place).map(Element::name)) {
        // The configuration itself: only if it is another one. (Parts of it count as changed even if they are equal.)
        touched.configuration = Touched::by_content(cib, &new).configuration;
    }
    Ok(Changed::new(new, touched))
}

/// What the input goes in the place of.
fn place(cib: &Element, request: &Request, input: &Element, profile: Profile) -> Result<Path, Refusal> {
    let section = request.section.as_deref();
    let anywhere =
        section.is_none_or(|section| section.eq_ignore_ascii_case("all") || section == input.name());
    let section = section.filter(|_| !anywhere);
    let unknown = || match profile {
        Profile::V3_0 => Refusal::UnknownSection(section.unwrap_or("cib").to_owned()),
        Profile::V2_1 => not_found(request, &described(input)),
    };
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

pub(super) fn seen_by_acl(cib: &Element, request: &Request, profile: Profile) -> Result<Change, Refusal> {
    if request.options.has(CallOptions::XPATH) {
        let removed = places(targets(cib, request, profile)?);
        let whole = removed.first().is_some_and(Path::is_empty);
        return Ok(if whole { Change::Replaced { at: Path::new() } } else { Change::removing(removed) });
    }
    let input = required_input(request, profile)?;
    let at = if input.name() == "cib" { Path::new() } else { place(cib, request, &input, profile)? };
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
    let mut new = replacement(input, context.profile);
    if context.profile == Profile::V2_1 && new.attr("validate-with").is_none() {
        // What it follows it then follows still.
        new.set_attr_opt("validate-with", cib.attr("validate-with"));
    }
    let touched = Touched { any: true, ..Touched::by_content(cib, &new) };
    Ok(Changed::new(new, touched))
}

/// Where there is nothing to be put in its place, what was found is only taken away.
fn at_xpath(
    cib: &Element,
    request: &Request,
    input: Option<&Element>,
    context: &Context,
) -> Result<Changed, Refusal> {
    let targets = targets(cib, request, context.profile)?;
    let first = targets.first();
    let first = first.ok_or_else(|| not_found(request, request.section.as_deref().unwrap_or_default()))?;
    if first.path.is_empty() && first.attribute.is_none() {
        // Nothing is older than anything.
        let nothing = Version::new(-1, -1, -1);
        let input =
            input.ok_or_else(|| Refusal::Old { current: Version::of_or(cib, -1), offered: nothing })?;
        return whole(cib, request, input.clone(), context);
    }
    let mut new = cib.clone();
    for found in targets {
        // The replacement comes last among its siblings, as it always has; that of an attribute into its element.
        let parent = match (&found.attribute, found.path.split_last()) {
            (None, Some((_, parent))) => parent,
            (Some(_), _) => found.path.as_slice(),
            (None, None) => continue,
        };
        if remove(&mut new, &found)
            && let Some(input) = input
            && let Some(parent) = new.at_mut(parent)
        {
            parent.push(replacement(input.clone(), context.profile));
        }
    }
    let touched = Touched::by_copies(cib, &new);
    Ok(Changed::new(new, touched))
}
