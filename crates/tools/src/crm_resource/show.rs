// SPDX-License-Identifier: GPL-2.0-or-later
//! Questions about resources.

use super::Task;
use super::parameter::{AttributeKind, value_of};
use crate::failure::Failure;
use crate::status::{Lists, Sections, Show, print_resource, print_status};
use model::{ExitCode, Role};
use scheduler::{ResourceId, Variant};
use xml::{Element, write_indented};

/// All resources with their state.
pub(super) fn list(task: &Task<'_>, lists: &mut Lists<'_>) -> ExitCode {
    let sections = Sections { resources: true, ..Sections::default() };
    let show = Show { inactive: true, pending: true, resource_only: true, ..Show::default() };
    // That there are none counts as not finding any.
    match print_status(lists, &task.cluster, sections, show, None) {
        true => ExitCode::OK,
        false => ExitCode::NOSUCH,
    }
}

/// The ids of what really runs.
pub(super) fn list_raw(task: &Task<'_>, lists: &mut Lists<'_>) -> ExitCode {
    if task.cluster.top.is_empty() {
        lists.error("NO resources configured\n");
        return ExitCode::NOSUCH;
    }
    fn leaves(task: &Task<'_>, id: ResourceId, lists: &mut Lists<'_>) {
        let resource = task.cluster.resource(id);
        if resource.children.is_empty() {
            lists.item(&resource.id);
        }
        resource.children.iter().for_each(|&child| leaves(task, child, lists));
    }
    task.cluster.top.iter().for_each(|&id| leaves(task, id, lists));
    ExitCode::OK
}

/// A resource's element.
pub(super) fn query_xml(task: &Task<'_>, lists: &mut Lists<'_>, raw: bool) -> Result<ExitCode, Failure> {
    let (id, resource) = task.resource()?;
    print_resource(lists, &task.cluster, id, Show { pending: true, ..Show::default() });
    lists.raw(format_args!("Resource XML:\n"));
    let configured = task.cluster.cib.descend(&["configuration", "resources"]);
    let original = configured.and_then(|all| {
        let same = |e: &&Element| e.name() == resource.xml.name() && e.id() == resource.xml.id();
        all.descendants().find(same)
    });
    let shown: &Element = if raw { original.unwrap_or(&resource.xml) } else { &resource.xml };
    lists.raw(format_args!("{}", write_indented(shown)));
    Ok(ExitCode::OK)
}

/// Where a resource runs.
pub(super) fn locate(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let (id, resource) = task.resource()?;
    let requested = task.requested();
    let instances = match resource.variant {
        Variant::Clone => resource.children.clone(),
        _ => vec![id],
    };
    let mut found = false;
    for instance in instances {
        let role = task.cluster.resource(instance).state.role;
        // The node found last comes first, as it always has.
        for node in task.active_on(instance).into_iter().rev() {
            found = true;
            let node = task.node_name(node);
            if lists.is_quiet() {
                lists.item(node);
            } else {
                let promoted = if role == Role::Promoted { " Promoted" } else { "" };
                lists.item(format_args!("resource {requested} is running on: {node}{promoted}"));
            }
        }
    }
    if !found && !lists.is_quiet() {
        lists.error(format_args!("resource {requested} is NOT running"));
    }
    Ok(ExitCode::OK)
}

/// One parameter of a resource.
pub(super) fn get_parameter(task: &Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let (id, resource) = task.resource()?;
    let name = task.options.get_parameter.as_deref().unwrap_or_default();
    let kind = AttributeKind::of(task.options);
    if task.active_on(id).len() > 1 {
        lists.error(format_args!(
            "{} is active on more than one node, returning the default value for {name}",
            resource.id
        ));
    }
    match value_of(resource, kind, name) {
        Some(value) => lists.item(value),
        None => lists.error(format_args!("Attribute '{name}' not found for '{}'", resource.id)),
    }
    Ok(ExitCode::OK)
}
