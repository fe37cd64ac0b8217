// SPDX-License-Identifier: GPL-2.0-or-later
//! One permission: what it allows or denies, and how it selects elements.

use super::marks::Mark;
use super::pattern::Pattern;
use std::fmt::Write;
use xml::{Element, XPath};

/// A permission as it is applied.
#[derive(Clone, Debug)]
pub(super) struct Permission {
    pub mark: Mark,
    pub selector: Selector,
}

/// How elements are selected.
#[derive(Clone, Debug)]
pub(super) enum Selector {
    /// By themselves and their ancestors, which needs no search.
    Pattern(Pattern),
    /// By an expression that has to be searched for.
    XPath(XPath),
    /// By something that is no expression: nothing.
    Nothing,
}

/// The permissions of a user or group: those of the roles it names, and (as old configurations have it) its own.
pub(super) fn of_holder<'a>(
    holder: &'a Element,
    acls: &'a Element,
) -> impl Iterator<Item = Permission> + use<'a> {
    holder.elements().flat_map(move |child| -> Vec<Permission> {
        match child.name() {
            "role" => {
                let role = child.id().and_then(|id| acls.child_with_id("acl_role", id));
                let permissions = role.into_iter().flat_map(|role| role.elements_named("acl_permission"));
                permissions.filter_map(read).collect()
            }
            "acl_permission" => read(child).into_iter().collect(),
            _ => Vec::new(),
        }
    })
}

/// Reads an `acl_permission`. One that cannot be understood is as if it were not there.
fn read(element: &Element) -> Option<Permission> {
    let mark = match element.attr("kind")? {
        "read" => Mark::READ,
        "write" => Mark::WRITE,
        "deny" => Mark::DENY,
        _ => return None,
    };
    let expression = expression(element)?;
    let selector = match Pattern::parse(&expression) {
        Some(pattern) => Selector::Pattern(pattern),
        None => XPath::parse(&expression).map_or(Selector::Nothing, Selector::XPath),
    };
    Some(Permission { mark, selector })
}

/// The XPath that selects the elements: given as such, or by id (`reference`), name (`object-type`) and attribute.
fn expression(element: &Element) -> Option<String> {
    if let Some(xpath) = element.attr("xpath") {
        return Some(xpath.to_owned());
    }
    let (name, reference) = (element.attr("object-type"), element.attr("reference"));
    if name.is_none() && reference.is_none() {
        return None;
    }
    let mut xpath = format!("//{}", name.unwrap_or("*"));
    let written = match (reference, element.attr("attribute")) {
        (Some(id), Some(attribute)) => write!(xpath, "[@id='{id}' and @{attribute}]"),
        (Some(id), None) => write!(xpath, "[@id='{id}']"),
        (None, Some(attribute)) => write!(xpath, "[@{attribute}]"),
        (None, None) => Ok(()),
    };
    written.ok().map(|()| xpath)
}
