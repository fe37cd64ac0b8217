// SPDX-License-Identifier: GPL-2.0-or-later
//! From the first series to the second: how access control is written.
//!
//! A user had permissions of its own or roles, never both; now it has roles, and whoever had permissions gets a role
//! `auto-USER` with them. Permissions were elements named after what they grant; now they are `<acl_permission>`.

use super::note::{AclScope, Note};
use super::walk::{self, Above, Transform, descend, renamed};
use xml::{Element, Node};

/// From `pacemaker-1.3` to `pacemaker-2.0`.
pub(super) fn upgrade(cib: &Element, notes: &mut Vec<Note>) -> Element {
    walk::transform(cib, &mut Acls { notes })
}

struct Acls<'a> {
    notes: &'a mut Vec<Note>,
}

impl Transform for Acls<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        match element.name() {
            "cib" => {
                let claiming = element.clone().with_attr("validate-with", "pacemaker-2.0");
                out.push(descend(self, &claiming, above).into());
            }
            "role_ref" => out.push(descend(self, &renamed(element, "role"), above).into()),
            "read" | "write" | "deny" => out.push(self.permission(element).into()),
            "acl_user" if element.child("role_ref").is_some() => {
                out.push(descend(self, &renamed(element, "acl_target"), above).into());
            }
            "acl_user" => self.user_with_permissions(element, out),
            _ => out.push(descend(self, element, above).into()),
        }
    }
}

impl Acls<'_> {
    fn user_with_permissions(&mut self, user: &Element, out: &mut Vec<Node>) {
        let mut target = Element::new("acl_target");
        target.replace_attrs(user);
        if !user.elements().any(|child| matches!(child.name(), "read" | "write" | "deny")) {
            out.push(target.into());
            return;
        }
        let role = format!("auto-{}", user.id().unwrap_or_default());
        out.push(target.with_child(Element::new("role").with_attr("id", &role)).into());
        let mut permissions = Vec::new();
        for child in user.elements() {
            self.element(child, None, &mut permissions);
        }
        out.push(Element::new("acl_role").with_attr("id", role).with_children(permissions).into());
    }

    /// A permission could be limited to one attribute of what it is about. Where that has no place any more, it is
    /// widened, which somebody should look at.
    fn permission(&mut self, old: &Element) -> Element {
        let mut new = Element::new("acl_permission");
        new.set_attr_opt("id", old.id());
        new.set_attr("kind", old.name());
        let attribute = old.attr("attribute");
        let scope = if let Some(reference) = old.attr("ref") {
            new.set_attr("reference", reference);
            AclScope::Reference
        } else if let Some(tag) = old.attr("tag") {
            new.set_attr("object-type", tag);
            new.set_attr_opt("attribute", attribute);
            AclScope::ObjectType
        } else {
            let xpath = old.attr("xpath");
            match attribute {
                Some(attribute) => {
                    new.set_attr("xpath", format!("{}[@{attribute}]", xpath.unwrap_or_default()));
                }
                None => new.set_attr_opt("xpath", xpath),
            }
            AclScope::XPath
        };
        if attribute.is_some() {
            self.notes
                .push(Note::AclAttribute { scope, permission: old.id().unwrap_or_default().to_owned() });
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use crate::upgrade::test_support::{becomes, try_steps};

    const FROM: (u8, u8) = (1, 3);

    #[test]
    fn a_user_with_roles_is_a_target_with_roles() {
        becomes(
            FROM,
            "<acls><acl_user id='ann'><role_ref id='readers'/></acl_user></acls>",
            "<acls><acl_target id='ann'><role id='readers'/></acl_target></acls>",
        );
    }

    #[test]
    fn a_user_with_permissions_gets_a_role_of_them() {
        becomes(
            FROM,
            "<acls><acl_user id='bob'><!-- his own --><read id='r' xpath='/cib'/><deny id='d' tag='nvpair'/></acl_user></acls>",
            "<acls><acl_target id='bob'><role id='auto-bob'/></acl_target><acl_role id='auto-bob'>\
             <acl_permission id='r' kind='read' xpath='/cib'/>\
             <acl_permission id='d' kind='deny' object-type='nvpair'/></acl_role></acls>",
        );
        becomes(FROM, "<acls><acl_user id='eve'/></acls>", "<acls><acl_target id='eve'/></acls>");
    }

    #[test]
    fn a_limit_to_an_attribute_stays_where_it_can() {
        let said = becomes(
            FROM,
            "<acls><acl_role id='ops'><write id='a' ref='web' attribute='x'/><write id='b' tag='op' attribute='x'/>\
             <write id='c' xpath='//op' attribute='x'/></acl_role></acls>",
            "<acls><acl_role id='ops'><acl_permission id='a' kind='write' reference='web'/>\
             <acl_permission id='b' kind='write' object-type='op' attribute='x'/>\
             <acl_permission id='c' kind='write' xpath='//op[@x]'/></acl_role></acls>",
        );
        assert_eq!(said.len(), 3);
        assert!(said[0].contains("cannot accompany @ref"), "{said:?}");
    }

    #[test]
    fn nothing_else_changes() {
        let rest = r#"<crm_config/><nodes><node id="1" uname="n"/></nodes><resources/><constraints/>"#;
        assert_eq!(try_steps(1, 3, rest).unwrap().0, rest);
    }
}
