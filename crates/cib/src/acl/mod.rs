// SPDX-License-Identifier: GPL-2.0-or-later
//! Who may read and change what (ACLs).
//!
//! Decides: which permissions a user has, what of a CIB they can see, and whether a change is theirs to make. Given: the
//! CIB whose `acls` section counts, a user's name, and who is a member of which group. Leaves to others: who a client
//! really is (the daemon), and what an operation does.
//!
//! A permission lays a mark (read, write or deny) on the elements it selects; what is not marked has what its nearest
//! marked ancestor has, and nothing if there is none. Of several marks on one element deny counts before write, and write
//! before read. Attributes and comments have no marks of their own. To make an element takes the right to write it, but
//! for mere scaffolding: elements with no attribute but an `id`, outside of the `acls` section. See Pacemaker Explained,
//! "Access Control Lists".

mod annotate;
mod check;
mod facts;
mod filter;
mod marks;
mod note;
mod pattern;
mod permission;

#[cfg(test)]
mod tests;

pub use annotate::{Annotated, Level, annotate};
pub use facts::{Facts, Groups, group_names};
pub use note::{Note, NoteKind};

pub(crate) use check::{Change, check};
pub(crate) use filter::filter;

use crate::find_section;
use permission::Permission;
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

/// The account that Pacemaker's own daemons run under.
const DAEMON_USER: &str = "hacluster";

/// Whether ACLs can concern a user at all: not the superuser, nor the daemons' own account, nor nobody in particular.
pub fn is_restricted(user: &str) -> bool {
    !user.is_empty() && user != "root" && user != DAEMON_USER
}

/// What a user may do.
#[derive(Clone, Debug)]
pub struct Acl {
    user: String,
    permissions: Vec<Permission>,
    /// Not everything that decides is known yet, so nothing is allowed.
    unknown: bool,
}

impl Acl {
    /// The permissions of a user by the `acls` section of a CIB, whether or not they are enforced.
    pub fn of(cib: &Element, user: &str, groups: &Groups) -> Acl {
        let mut acl = Acl { user: user.to_owned(), permissions: Vec::new(), unknown: false };
        let Some(section) = section(cib) else { return acl };
        for element in section.elements() {
            let name = element.attr("name").or_else(|| element.id());
            let concerns = match (element.name(), name) {
                ("acl_target", Some(name)) => name == user,
                ("acl_group", Some(name)) => {
                    let member = groups.has(name, user);
                    acl.unknown |= member.is_none();
                    member == Some(true)
                }
                _ => false,
            };
            if concerns {
                acl.permissions.extend(permission::of_holder(element, section));
            }
        }
        acl
    }

    /// The permissions to be enforced for what a user asks; `None` if there is nothing to enforce.
    pub(crate) fn enforced(cib: &Element, user: Option<&str>, facts: &Facts) -> Option<Acl> {
        let user = user.filter(|user| is_restricted(user))?;
        is_enabled(cib, facts).then(|| Acl::of(cib, user, &facts.groups))
    }

    /// Whose they are.
    pub fn user(&self) -> &str {
        &self.user
    }

    fn is_empty(&self) -> bool {
        self.permissions.is_empty() || self.unknown
    }
}

/// The one `acls` section. More than one is none.
fn section(cib: &Element) -> Option<&Element> {
    let mut sections = find_section(cib, Some("configuration"))?.elements_named("acls");
    sections.next().filter(|_| sections.next().is_none())
}

/// Whether the cluster option `enable-acl` is on.
pub fn is_enabled(cib: &Element, facts: &Facts) -> bool {
    let Some(config) = find_section(cib, Some("crm_config")) else { return false };
    let mut values: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    let input = rules::Input { cib: Some(cib), ..rules::Input::at(facts.date()) };
    rules::unpack_blocks(config, "cluster_property_set", Some("cib-bootstrap-options"), &input, &mut values);
    values.get("enable-acl").is_some_and(|value| model::parse_bool(value) == Some(true))
}
