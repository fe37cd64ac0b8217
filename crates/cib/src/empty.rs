// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB of a cluster that has none yet.

use model::Profile;
use xml::Element;

/// The newest schema a profile knows.
pub const fn newest_schema(profile: Profile) -> &'static str {
    match profile {
        Profile::V3_0 => "pacemaker-4.0",
        Profile::V2_1 => "pacemaker-3.9",
    }
}

/// A CIB with nothing in it. Its version is the lowest there is, so that any other wins against it.
pub fn empty(profile: Profile) -> Element {
    let mut cib = Element::new("cib")
        .with_attr("crm_feature_set", profile.feature_set())
        .with_attr("validate-with", newest_schema(profile));
    let order = match profile {
        Profile::V3_0 => ["admin_epoch", "epoch", "num_updates"],
        Profile::V2_1 => ["epoch", "num_updates", "admin_epoch"],
    };
    for field in order {
        cib.set_attr(field, 0);
    }
    cib.with_child(empty_configuration()).with_child(Element::new("status"))
}

/// The configuration of an empty CIB.
pub(crate) fn empty_configuration() -> Element {
    ["crm_config", "nodes", "resources", "constraints"]
        .into_iter()
        .fold(Element::new("configuration"), |configuration, name| {
            configuration.with_child(Element::new(name))
        })
}
