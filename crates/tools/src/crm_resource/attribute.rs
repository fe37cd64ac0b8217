// SPDX-License-Identifier: GPL-2.0-or-later
//! One parameter of a resource, shown.

use super::options::AttributeKind;
use super::site::Site;
use super::{Said, plain_list};
use crate::failure::Failure;
use crate::output::{Entry, Output};
use model::ExitCode;

/// Shows it; that it is not there is told, and no failure.
pub(super) fn show(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (id, resource) = site.resource()?;
    let name = site.options.parameter.as_deref().unwrap_or_default();
    let mut node = site.cluster.node_of(id);
    if site.cluster.active_count(id) > 1 {
        out.error(format_args!(
            "{} is active on more than one node, returning the default value for {name}",
            resource.id
        ));
        node = None;
    }
    let value = match site.options.kind {
        AttributeKind::Element => resource.xml.attr(name).map(str::to_owned),
        AttributeKind::Meta => resource.meta.get(name).map(ToString::to_string),
        AttributeKind::Utilization => resource.utilization.get(name).map(ToString::to_string),
        AttributeKind::Instance => site.cluster.parameters_on(id, node).get(name).map(ToString::to_string),
    };
    match value {
        Some(value) => out.say(&Said {
            text: format!("{value}\n"),
            entry: plain_list("attributes", vec![Entry::new("item").attr("name", name).text(value)]),
        })?,
        None => out.error(format_args!("Attribute '{name}' not found for '{}'", resource.id)),
    }
    Ok(ExitCode::OK)
}
