// SPDX-License-Identifier: GPL-2.0-or-later
//! Small changes to a CIB, tried on a copy: a copy shares all that is not changed.
//!
//! Decides: how an element is found by its id. Leaves to others: which change, and what comes of it.

use xml::{Element, Node};

/// How deep a CIB is searched; no valid one is nearly as deep.
const DEPTH_MAX: usize = 64;

/// The way to an element: positions among children, from the root.
fn path_to(root: &Element, wanted: &dyn Fn(&Element) -> bool) -> Option<Vec<usize>> {
    fn search(at: &Element, wanted: &dyn Fn(&Element) -> bool, path: &mut Vec<usize>) -> bool {
        if wanted(at) {
            return true;
        }
        if path.len() >= DEPTH_MAX {
            return false;
        }
        for (index, child) in at.children().iter().enumerate() {
            if let Node::Element(child) = child {
                path.push(index);
                if search(child, wanted, path) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
    let mut path = Vec::new();
    search(root, wanted, &mut path).then_some(path)
}

/// The first element of the configuration that has an id.
pub(crate) fn find<'a>(cib: &'a Element, id: &str) -> Option<&'a Element> {
    let configuration = cib.child("configuration")?;
    let is_it = |element: &&Element| element.id() == Some(id);
    if is_it(&configuration) { Some(configuration) } else { configuration.descendants().find(is_it) }
}

/// The CIB with one element of the configuration, found by its id, changed.
pub(crate) fn with_changed(cib: &Element, id: &str, change: impl FnOnce(&mut Element)) -> Option<Element> {
    with_changed_at(cib, |element| element.id() == Some(id), change)
}

/// The CIB with the first element of the configuration changed that is the one wanted.
pub(crate) fn with_changed_at(
    cib: &Element,
    wanted: impl Fn(&Element) -> bool,
    change: impl FnOnce(&mut Element),
) -> Option<Element> {
    let mut cib = cib.clone();
    let configuration = cib.child_mut("configuration")?;
    let path = path_to(configuration, &wanted)?;
    let mut at = configuration;
    for index in path {
        at = at.element_at_mut(index)?;
    }
    change(at);
    Some(cib)
}

/// The CIB without one element of the configuration.
pub(crate) fn without(cib: &Element, id: &str) -> Option<Element> {
    let mut cib = cib.clone();
    let configuration = cib.child_mut("configuration")?;
    let mut path = path_to(configuration, &|element| element.id() == Some(id))?;
    let last = path.pop()?;
    let mut at = configuration;
    for index in path {
        at = at.element_at_mut(index)?;
    }
    at.remove(last);
    Some(cib)
}

/// The CIB with one constraint more.
pub(crate) fn with_constraint(cib: &Element, constraint: Element) -> Option<Element> {
    let mut cib = cib.clone();
    cib.child_mut("configuration")?.child_mut("constraints")?.push(constraint);
    Some(cib)
}

/// The CIB with a meta-attribute of a resource set (or, without a value, unset).
pub(crate) fn with_meta(cib: &Element, resource: &str, name: &str, value: Option<&str>) -> Option<Element> {
    with_changed(cib, resource, |element| {
        for set in element.elements_mut().filter(|set| set.name() == "meta_attributes") {
            set.remove_elements(|pair| pair.attr("name") == Some(name));
        }
        let Some(value) = value else { return };
        let id = format!("{resource}-meta_attributes");
        let pair = Element::new("nvpair")
            .with_attr("id", format!("{id}-{name}"))
            .with_attr("name", name)
            .with_attr("value", value);
        if let Some(set) = element.child_mut("meta_attributes") {
            set.push(pair);
            return;
        }
        let set = Element::new("meta_attributes").with_attr("id", id).with_child(pair);
        element.insert(0, set);
    })
}

fn node_state_mut<'a>(cib: &'a mut Element, node: &str) -> Option<&'a mut Element> {
    cib.child_mut("status")?.elements_mut().find(|state| state.attr("uname") == Some(node))
}

/// The CIB without what is known of a resource's failures on a node: as after `crm_resource --cleanup`.
pub(crate) fn without_failures(cib: &Element, resource: &str, node: &str) -> Option<Element> {
    let mut cib = cib.clone();
    let base = resource.split(':').next().unwrap_or(resource);
    let is_ours = |name: &str| {
        let rest = ["fail-count-", "last-failure-"].iter().find_map(|prefix| name.strip_prefix(prefix));
        let owner = rest.map(|rest| rest.split('#').next().unwrap_or(rest));
        owner.is_some_and(|owner| owner == resource || owner.split(':').next() == Some(base))
    };
    let state = node_state_mut(&mut cib, node)?;
    if let Some(attributes) = state.child_mut("transient_attributes") {
        for set in attributes.elements_mut() {
            set.remove_elements(|pair| pair.attr("name").is_some_and(is_ours));
        }
    }
    if let Some(list) = state.child_mut("lrm").and_then(|lrm| lrm.child_mut("lrm_resources")) {
        list.remove_elements(|entry| {
            entry.id().is_some_and(|id| id == resource || id.split(':').next() == Some(base))
        });
    }
    Some(cib)
}

/// The CIB with a node that is not in standby.
pub(crate) fn without_standby(cib: &Element, node: &str) -> Option<Element> {
    let mut cib = cib.clone();
    let is_standby = |pair: &Element| pair.attr("name") == Some("standby");
    let configured = cib.child_mut("configuration").and_then(|part| part.child_mut("nodes"));
    if let Some(nodes) = configured {
        let of_node = |element: &&mut Element| element.attr("uname").or(element.attr("id")) == Some(node);
        for element in nodes.elements_mut().filter(of_node) {
            for set in element.elements_mut() {
                set.remove_elements(is_standby);
            }
        }
    }
    if let Some(attributes) = node_state_mut(&mut cib, node).and_then(|s| s.child_mut("transient_attributes"))
    {
        for set in attributes.elements_mut() {
            set.remove_elements(is_standby);
        }
    }
    Some(cib)
}
