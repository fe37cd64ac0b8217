// SPDX-License-Identifier: GPL-2.0-or-later
//! Parameters of resources: reading, setting and deleting them; deleting whole resources.

use super::options::Options;
use super::{Task, base_name};
use crate::failure::Failure;
use crate::status::Lists;
use model::{ExitCode, Score};
use scheduler::Resource;
use xml::Element;

/// Which of a resource's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttributeKind {
    /// What the agent is given.
    Instance,
    /// What the cluster is told.
    Meta,
    /// Attributes of the resource's element itself.
    Element,
}

impl AttributeKind {
    pub fn of(options: &Options) -> AttributeKind {
        match (options.element, options.meta) {
            (true, _) => AttributeKind::Element,
            (false, true) => AttributeKind::Meta,
            (false, false) => AttributeKind::Instance,
        }
    }

    const fn set_element(self) -> &'static str {
        match self {
            AttributeKind::Instance | AttributeKind::Element => "instance_attributes",
            AttributeKind::Meta => "meta_attributes",
        }
    }
}

/// The value of a parameter. Instance attributes that hold only under a rule are no resource's own and are left out.
pub(super) fn value_of<'r>(resource: &'r Resource, kind: AttributeKind, name: &str) -> Option<&'r str> {
    match kind {
        AttributeKind::Element => resource.xml.attr(name),
        AttributeKind::Meta => resource.meta.get(name).map(|value| &**value),
        AttributeKind::Instance => {
            let score =
                |set: &Element| set.attr("score").and_then(|text| text.parse().ok()).unwrap_or(Score::ZERO);
            let sets = resource.xml.elements_named(kind.set_element());
            let mut sets: Vec<&Element> = sets.filter(|set| set.child("rule").is_none()).collect();
            // The sort is stable: of equal scores, the first counts.
            sets.sort_by_key(|set| std::cmp::Reverse(score(set)));
            let named =
                |set: &'r Element| set.elements_named("nvpair").find(|pair| pair.attr("name") == Some(name));
            sets.into_iter().find_map(named).and_then(|pair| pair.attr("value"))
        }
    }
}

/// A resource's element as it stands in the CIB, without what a template adds.
fn configured(task: &Task<'_>) -> Result<Element, Failure> {
    let (_, resource) = task.resource()?;
    let id = base_name(&resource.id);
    let all = task.cluster.cib.descend(&["configuration", "resources"]);
    let found = all.and_then(|all| {
        all.descendants().find(|element| element.name() == resource.xml.name() && element.id() == Some(id))
    });
    found.cloned().ok_or(Failure::bare(ExitCode::NOSUCH))
}

/// The ids of the set and the nvpair that are meant, if they are there.
fn find_pair(
    element: &Element,
    options: &Options,
    kind: AttributeKind,
    name: &str,
) -> Option<(String, String)> {
    let is = |wanted: &Option<String>, id: Option<&str>| wanted.is_none() || wanted.as_deref() == id;
    let sets = element.elements_named(kind.set_element()).filter(|set| is(&options.set_name, set.id()));
    let mut pairs = sets.flat_map(|set| set.elements_named("nvpair").map(move |pair| (set, pair)));
    let (set, pair) =
        pairs.find(|(_, pair)| pair.attr("name") == Some(name) && is(&options.nvpair, pair.id()))?;
    Some((set.id()?.to_owned(), pair.id()?.to_owned()))
}

/// Sets a parameter: where it is, or else in a set named after the resource.
pub(super) fn set(task: &mut Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let kind = AttributeKind::of(task.options);
    let name = task.options.set_parameter.clone().unwrap_or_default();
    let value = task.options.parameter_value.clone().unwrap_or_default();
    let element = configured(task)?;
    if kind == AttributeKind::Element {
        task.session.replace("resources", element.with_attr(name.clone(), &value))?;
        lists.info(format_args!("Set attribute: name={name} value={value}"));
        return Ok(ExitCode::OK);
    }
    let id = element.id().unwrap_or_default().to_owned();
    let (set_id, pair_id) = find_pair(&element, task.options, kind, &name).unwrap_or_else(|| {
        let set = task.options.set_name.clone().unwrap_or_else(|| format!("{id}-{}", kind.set_element()));
        let pair = task.options.nvpair.clone().unwrap_or_else(|| format!("{set}-{name}"));
        (set, pair)
    });
    let pair =
        Element::new("nvpair").with_attr("id", &pair_id).with_attr("name", &name).with_attr("value", &value);
    let set = Element::new(kind.set_element()).with_attr("id", &set_id).with_child(pair);
    let change = Element::new(element.name().to_owned()).with_attr("id", &id).with_child(set);
    task.session.modify("resources", change)?;
    lists.info(format_args!("Set '{id}' option: id={pair_id} set={set_id} name={name} value={value}"));
    Ok(ExitCode::OK)
}

/// Deletes a parameter. That it is not there is fine.
pub(super) fn delete(task: &mut Task<'_>, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
    let kind = AttributeKind::of(task.options);
    let name = task.options.delete_parameter.clone().unwrap_or_default();
    let mut element = configured(task)?;
    if kind == AttributeKind::Element {
        element.remove_attr(&name);
        task.session.replace("resources", element)?;
        lists.info(format_args!("Deleted attribute: {name}"));
        return Ok(ExitCode::OK);
    }
    let Some((_, pair_id)) = find_pair(&element, task.options, kind, &name) else {
        return Ok(ExitCode::OK);
    };
    let pair = Element::new("nvpair").with_attr("id", &pair_id).with_attr("name", &name);
    task.session.delete("resources", pair)?;
    let id = element.id().unwrap_or_default();
    let set = task.options.set_name.as_ref().map_or_else(String::new, |set| format!(" set={set}"));
    lists.info(format_args!("Deleted '{id}' option: id={pair_id}{set} name={name}"));
    Ok(ExitCode::OK)
}

/// Deletes a whole resource.
pub(super) fn delete_resource(task: &mut Task<'_>) -> Result<ExitCode, Failure> {
    let kind = task.options.resource_type.clone().unwrap_or_default();
    let element = Element::new(kind).with_attr("id", task.requested());
    task.session.delete("resources", element)?;
    Ok(ExitCode::OK)
}
