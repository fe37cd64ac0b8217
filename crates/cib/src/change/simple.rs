// SPDX-License-Identifier: GPL-2.0-or-later
//! Erase, bump, upgrade, apply a patch.

use super::{Changed, Touched, required_input};
use crate::empty::{empty_configuration, newest_schema};
use crate::version::raise;
use crate::{Context, Operation, Refusal, Request, patch};
use xml::Element;

/// An empty CIB with the attributes of this one, and the next `admin_epoch`.
pub(super) fn erase(cib: &Element) -> Element {
    let mut new = cib.clone();
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
    let applied = patch::apply(cib, &required_input(request)?, context.escaping())?;
    let touched = Touched { any: applied.changed, configuration: applied.configuration_changed };
    Ok(Changed::new(applied.cib, touched))
}

/// Within the third series a newer schema takes every older CIB as it is; from one series to the next the CIB would
/// have to be rewritten.
pub(super) fn upgrade(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    const LAST_OF_THIRD: u32 = 10;
    let schema = cib.attr("validate-with").ok_or(Refusal::NoSchema)?;
    let newest = newest_schema(context.profile);
    if schema == newest {
        return Err(Refusal::SchemaUnchanged(schema.to_owned()));
    }
    let minor = |name: &str| name.strip_prefix("pacemaker-3.").and_then(|minor| minor.parse::<u32>().ok());
    let current = minor(schema).ok_or(Refusal::Unsupported(Operation::Upgrade))?;
    let limit = minor(request.schema_max.as_deref().unwrap_or(newest)).unwrap_or(LAST_OF_THIRD);
    if limit <= current {
        return Err(Refusal::SchemaUnchanged(schema.to_owned()));
    }
    let mut new = cib.clone();
    new.set_attr("validate-with", format!("pacemaker-3.{limit}"));
    raise(&mut new, "admin_epoch");
    new.set_attr("epoch", 1);
    new.set_attr("num_updates", 1);
    Ok(new)
}
