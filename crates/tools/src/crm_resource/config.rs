// SPDX-License-Identifier: GPL-2.0-or-later
//! How a resource is configured.

use super::site::Site;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use crate::status::{self, Sections, Show, View};
use model::ExitCode;
use xml::{Element, write_indented};

/// With or without what a template adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Expanded,
    Raw,
}

/// A resource's state, and its element.
pub(super) fn show(site: &Site<'_>, form: Form, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (id, resource) = site.resource()?;
    let show = Show { pending: true, ..Show::default() };
    let element = match form {
        Form::Expanded => &resource.xml,
        Form::Raw => with_reference(&site.cluster.cib, &resource.xml).unwrap_or(&resource.xml),
    };
    let config = write_indented(element);
    if out.is_text() {
        let state = status::rendered(false, out.is_quiet(), |lists| {
            status::print_resource(lists, &site.cluster, id, show);
        });
        out.print(&format!("{state}Resource XML:\n{config}"))?;
        return Ok(ExitCode::OK);
    }
    let mut entry = Entry::new("resource_config");
    if let Some(state) = View::new(&site.cluster, Sections::default(), show).resource_entry(id) {
        entry = entry.child(state);
    }
    out.add_once(entry.child(Entry::raw("xml", config)));
    Ok(ExitCode::OK)
}

/// The element as it is configured, if it refers to a template.
fn with_reference<'c>(cib: &'c Element, expanded: &Element) -> Option<&'c Element> {
    let configured = cib.descend(&["configuration", "resources"])?;
    let mut same = configured
        .descendants()
        .filter(|element| element.id() == expanded.id() && element.name() == expanded.name());
    same.find(|element| element.attr("template").is_some())
}
