// SPDX-License-Identifier: GPL-2.0-or-later
//! What is known of the elements of a configuration.

/// What an element's `id` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdKind {
    /// Its own, unique in the configuration, to be referred to.
    Own,
    /// Any text.
    Text,
    /// Another element's.
    Reference,
}

/// What is known of an element.
#[derive(Debug)]
pub(super) struct ElementRule {
    pub name: &'static str,
    pub id: IdKind,
    /// Attributes that must be there, unless the element is given by `id-ref`.
    pub required: &'static [&'static str],
    /// Attributes that hold another element's id.
    pub references: &'static [&'static str],
}

/// All sections of a configuration.
pub(super) const SECTIONS: [&str; 11] = [
    "crm_config",
    "rsc_defaults",
    "op_defaults",
    "nodes",
    "resources",
    "constraints",
    "domains",
    "fencing-topology",
    "acls",
    "tags",
    "alerts",
];

/// Those without which there is none.
pub(super) const REQUIRED_SECTIONS: [&str; 4] = ["crm_config", "nodes", "resources", "constraints"];

const fn own(name: &'static str, required: &'static [&'static str]) -> ElementRule {
    ElementRule { name, id: IdKind::Own, required, references: &[] }
}

const fn referring(
    name: &'static str,
    required: &'static [&'static str],
    references: &'static [&'static str],
) -> ElementRule {
    ElementRule { name, id: IdKind::Own, required, references }
}

const RULES: [ElementRule; 41] = [
    ElementRule { name: "node", id: IdKind::Text, required: &["id", "uname"], references: &[] },
    referring("primitive", &["id"], &["template"]),
    own("template", &["id", "class", "type"]),
    own("group", &["id"]),
    own("clone", &["id"]),
    own("master", &["id"]),
    own("bundle", &["id"]),
    own("port-mapping", &["id"]),
    own("storage-mapping", &["id"]),
    own("operations", &[]),
    own("op", &["id", "name"]),
    own("cluster_property_set", &["id"]),
    own("instance_attributes", &["id"]),
    own("meta_attributes", &["id"]),
    own("utilization", &["id"]),
    own("nvpair", &["id", "name"]),
    own("rule", &["id"]),
    own("expression", &["id"]),
    own("date_expression", &["id"]),
    own("rsc_expression", &["id"]),
    own("op_expression", &["id"]),
    own("date_spec", &[]),
    own("duration", &[]),
    referring("rsc_location", &["id"], &["rsc"]),
    referring("rsc_colocation", &["id"], &["rsc", "with-rsc"]),
    referring("rsc_order", &["id"], &["first", "then"]),
    referring("rsc_ticket", &["id", "ticket"], &["rsc"]),
    own("resource_set", &["id"]),
    ElementRule { name: "resource_ref", id: IdKind::Reference, required: &["id"], references: &[] },
    own("fencing-level", &["id", "index", "devices"]),
    own("alert", &["id", "path"]),
    own("recipient", &["id", "value"]),
    own("attribute", &["id"]),
    own("tag", &["id"]),
    ElementRule { name: "obj_ref", id: IdKind::Text, required: &["id"], references: &[] },
    ElementRule { name: "acl_target", id: IdKind::Text, required: &["id"], references: &[] },
    own("acl_group", &["id"]),
    own("acl_role", &["id"]),
    own("acl_user", &["id"]),
    referring("acl_permission", &["id", "kind"], &["reference"]),
    ElementRule { name: "role", id: IdKind::Reference, required: &["id"], references: &[] },
];

/// What is known of an element of this name.
pub(super) fn rule(name: &str) -> Option<&'static ElementRule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// Schemas that have ever been released.
pub(super) fn is_known_schema(name: &str) -> bool {
    let Some((major, minor)) = name.strip_prefix("pacemaker-").and_then(|version| version.split_once('.'))
    else {
        return name == "pacemaker-next";
    };
    let (Ok(major), Ok(minor)) = (major.parse::<u32>(), minor.parse::<u32>()) else { return false };
    let newest_minor = match major {
        1 => 3,
        2 | 3 => 10,
        4 => 0,
        _ => return false,
    };
    minor <= newest_minor
}
