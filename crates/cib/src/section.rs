// SPDX-License-Identifier: GPL-2.0-or-later
//! The sections of a CIB, by the names that requests use for them.

use crate::path::{self, Path};
use xml::Element;

/// Where every section is, below the root.
const SECTIONS: [(&str, &[&str]); 14] = [
    ("cib", &[]),
    ("all", &[]),
    ("status", &["status"]),
    ("configuration", &["configuration"]),
    ("crm_config", &["configuration", "crm_config"]),
    ("nodes", &["configuration", "nodes"]),
    ("resources", &["configuration", "resources"]),
    ("constraints", &["configuration", "constraints"]),
    ("op_defaults", &["configuration", "op_defaults"]),
    ("rsc_defaults", &["configuration", "rsc_defaults"]),
    ("acls", &["configuration", "acls"]),
    ("fencing-topology", &["configuration", "fencing-topology"]),
    ("tags", &["configuration", "tags"]),
    ("alerts", &["configuration", "alerts"]),
];

/// The element names that lead from the root to a section; `None` if there is no section of that name.
pub fn section_path(section: &str) -> Option<&'static [&'static str]> {
    SECTIONS.iter().find(|(name, _)| *name == section).map(|(_, path)| *path)
}

/// All names that can be given as a section.
pub fn section_names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|(name, _)| *name)
}

/// A section of a CIB; the root for `None`. `None` if the name is not known, or the section is not there, or there twice.
pub fn find_section<'a>(cib: &'a Element, section: Option<&str>) -> Option<&'a Element> {
    let path = locate(cib, section)?;
    cib.at(&path)
}

/// Where a section is.
pub(crate) fn locate(cib: &Element, section: Option<&str>) -> Option<Path> {
    if cib.name() != "cib" {
        return None;
    }
    section_path(section.unwrap_or("cib")).and_then(|names| path::by_names(cib, names))
}
