// SPDX-License-Identifier: GPL-2.0-or-later
//! Erase, bump, upgrade, apply a patch.

use super::merge::replacement;
use super::{Changed, Touched, required_input};
use crate::empty::{empty, empty_configuration};
use crate::version::raise;
use crate::{Context, Refusal, Request, patch, upgrade};
use model::Profile;
use xml::Element;

/// An empty CIB with the attributes of this one, and the next `admin_epoch`. (Before 3.0, those come first that every CIB
/// has.)
pub(super) fn erase(cib: &Element, profile: Profile) -> Element {
    let mut new = match profile {
        Profile::V3_0 => cib.clone(),
        Profile::V2_1 => {
            let mut new = empty(profile);
            for attribute in cib.attributes() {
                new.set_attr(attribute.name().clone(), attribute.value());
            }
            new
        }
    };
    new.set_children([empty_configuration(), Element::new("status")]);
    raise(&mut new, "admin_epoch");
    new
}

pub(super) fn bump(cib: &Element) -> Element {
    let mut new = cib.clone();
    raise(&mut new, "epoch");
    new
}

pub(super) fn apply_patch(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    // What it makes is in the patch as it is, so that only the values of what is made can be counted.
    let patch = replacement(required_input(request, context.profile)?, context.profile);
    let applied = patch::apply_managed(cib, &patch, context.escaping())?;
    let touched = Touched { any: applied.changed, configuration: applied.configuration_changed };
    Ok(Changed::new(applied.cib, touched))
}

/// To the newest schema that the CIB can follow, or the one that was agreed on. That nothing changes is no refusal: on all
/// nodes the same comes of it.
pub(super) fn upgrade(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    let wanted = request.schema_max.as_deref().and_then(|name| name.parse().ok());
    let upgraded = upgrade::upgrade(cib, wanted, context.profile);
    let mut new = match upgraded.trouble {
        Some(trouble) if upgraded.to <= upgraded.from => {
            return Err(Refusal::Upgrade { trouble, events: upgraded.events });
        }
        _ => upgraded.cib,
    };
    if upgraded.to > upgraded.from {
        raise(&mut new, "admin_epoch");
        new.set_attr("epoch", 1);
        new.set_attr("num_updates", 1);
    }
    let touched = Touched::by_copies(cib, &new);
    Ok(Changed { events: upgraded.events, ..Changed::new(new, touched) })
}
