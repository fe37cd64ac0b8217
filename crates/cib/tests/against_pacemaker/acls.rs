// SPDX-License-Identifier: GPL-2.0-or-later
//! Random permissions for a user, and steps as that user.

use crate::random::Random;
use crate::steps::{self, Step};
use model::Profile;
use xml::Element;

const USER: &str = "tester";

/// Puts random permissions into a CIB, for the test that is about them.
pub fn prepare(random: &mut Random, cib: &mut Element, kind: &str) {
    if kind != "acls" {
        return;
    }
    let mut role = Element::new("acl_role").with_attr("id", "acl-role");
    for number in 0..random.below(5) + 1 {
        let permission = permission(random, cib).with_attr("id", format!("acl-{number}"));
        role.push(permission);
    }
    let target = Element::new("acl_target").with_attr("id", USER);
    let target = target.with_child(Element::new("role").with_attr("id", "acl-role"));
    let option = Element::new("nvpair")
        .with_attr("id", "acl-on")
        .with_attr("name", "enable-acl")
        .with_attr("value", "true");
    let options =
        Element::new("cluster_property_set").with_attr("id", "cib-bootstrap-options").with_child(option);
    let configuration = cib.child_or_insert("configuration");
    let config = configuration.child_or_insert("crm_config");
    *config = Element::new("crm_config").with_child(options);
    let acls = configuration.child_or_insert("acls");
    *acls = Element::new("acls").with_child(role).with_child(target);
}

fn permission(random: &mut Random, cib: &Element) -> Element {
    let kind = *random.one_of(&["read", "write", "write", "write", "deny"]);
    let permission = Element::new("acl_permission").with_attr("kind", kind);
    let element = random.element(cib);
    let (name, id) = (element.name(), element.id().filter(|id| !id.contains('\'')).unwrap_or("none"));
    match random.below(9) {
        0 => permission.with_attr("xpath", "/cib"),
        1 => permission.with_attr(
            "xpath",
            format!("/cib/configuration/{}", random.one_of(&["resources", "nodes", "acls", "crm_config"])),
        ),
        2 => permission.with_attr("xpath", format!("//{name}[@id='{id}']")),
        3 => permission.with_attr("xpath", format!("//{name}[{}]", 1 + random.below(2))),
        4 => permission.with_attr("xpath", format!("//{name}/@id")),
        5 => permission.with_attr("reference", id),
        6 => permission.with_attr("object-type", name).with_attr("attribute", "value"),
        7 => permission.with_attr("xpath", format!("//{name}[nvpair or @value]")),
        _ => permission.with_attr("object-type", name),
    }
}

/// A random step of that user, but for those that Pacemaker cannot deny (it hangs when it may not erase), and those that
/// make a second section of ACLs (which anywhere in the tree takes all rights from everybody there, but not here).
pub fn next(random: &mut Random, cib: &Element, profile: Profile) -> Step {
    loop {
        let mut step = steps::next(random, cib, profile);
        let acls = |input: &Element| input.descendants().any(|element| element.name() == "acls");
        if step.request.operation != cib::Operation::Erase && !step.request.input.as_ref().is_some_and(acls) {
            step.request.origin.user = Some(USER.to_owned());
            return step;
        }
    }
}
