// SPDX-License-Identifier: GPL-2.0-or-later
//! Words of a configuration that work and will not for ever.
//!
//! Decides: what is said of them, once or by name as Pacemaker does. Given: the configuration. Leaves to others: what the
//! words mean.

use crate::{Cluster, ConfigIssue};
use xml::Element;

/// Where pairs can be said to be what they are without being said.
const SETS: [&str; 4] = ["cluster_property_set", "meta_attributes", "instance_attributes", "utilization"];

/// The roles by the names they had.
const ROLES: [(&str, &str); 2] = [("Slave", "Unpromoted"), ("Master", "Promoted")];

impl Cluster {
    /// Names the old words in the sections that every look at a cluster reads.
    pub(super) fn note_old_words(&mut self) {
        for section in ["crm_config", "rsc_defaults", "op_defaults", "nodes", "resources"] {
            let Some(section) = self.section(section) else { continue };
            section.descendants().for_each(|element| self.note_explicit_defaults(element));
        }
        if let Some(resources) = self.section("resources") {
            self.note_old_roles(&resources);
        }
    }

    /// Names them in what only planning reads.
    pub(super) fn note_old_words_of_constraints(&mut self) {
        if let Some(constraints) = self.section("constraints") {
            self.note_old_roles(&constraints);
        }
    }

    fn note_explicit_defaults(&mut self, set: &Element) {
        if !SETS.contains(&set.name()) {
            return;
        }
        let explicit =
            |pair: &&Element| pair.attr("value").is_some_and(|v| v.eq_ignore_ascii_case("#default"));
        for pair in set.elements_named("nvpair").filter(explicit) {
            let name = pair.attr("name").unwrap_or_default();
            self.note_issue(ConfigIssue::warning(format!(
                "Support for setting meta-attributes (such as {name}) to the explicit value '#default' is deprecated and \
                 will be removed in a future release"
            )));
        }
    }

    /// Each is named once, however often it is used.
    fn note_old_roles(&mut self, section: &Element) {
        let mut found = [false; ROLES.len()];
        for element in section.descendants() {
            for role in roles_in(element) {
                for ((old, _), found) in ROLES.iter().zip(&mut found) {
                    *found |= old.eq_ignore_ascii_case(role);
                }
            }
        }
        for (&(old, new), _) in ROLES.iter().zip(found).filter(|(_, found)| *found) {
            let issue = ConfigIssue::warning(format!(
                "Support for the {old} role is deprecated and will be removed in a future release. Use {new} instead."
            ));
            if !self.issues.contains(&issue) {
                self.note_issue(issue);
            }
        }
    }
}

/// The roles that an element names.
fn roles_in(element: &Element) -> impl Iterator<Item = &str> {
    let of_rules = element.attr("name") == Some("target-role");
    let value = if of_rules { element.attr("value") } else { None };
    ["role", "rsc-role", "with-rsc-role"].into_iter().filter_map(|name| element.attr(name)).chain(value)
}

#[cfg(test)]
mod tests {
    use model::WallTime;

    fn warnings(cib: &str) -> Vec<String> {
        let (_, issues) = crate::unpack(&xml::parse(cib).unwrap(), WallTime::from_secs(1));
        let words = issues.iter().filter(|issue| issue.severity == crate::Severity::Warning);
        words.map(|issue| format!("{}{issue}", if issue.planning { "(planning) " } else { "" })).collect()
    }

    #[test]
    fn old_words_are_named() {
        let cib = "<cib><configuration><crm_config><cluster_property_set id='o'>\
            <nvpair id='o-f' name='fencing-enabled' value='false'/><nvpair id='o-n' name='no-quorum-policy' value='#Default'/>\
            </cluster_property_set></crm_config><nodes/><resources><primitive id='a' class='ocf' provider='p' type='t'>\
            <meta_attributes id='m'><nvpair id='m-t' name='target-role' value='slave'/></meta_attributes><operations>\
            <op id='x' name='monitor' interval='1s' role='Slave'/></operations></primitive></resources>\
            <constraints><rsc_colocation id='c' rsc='a' with-rsc='a' with-rsc-role='Master'/></constraints>\
            </configuration><status/></cib>";
        let default = "Support for setting meta-attributes (such as no-quorum-policy) to the explicit value '#default' is \
                       deprecated and will be removed in a future release";
        let slave = "Support for the Slave role is deprecated and will be removed in a future release. Use Unpromoted \
                     instead.";
        let master = "(planning) Support for the Master role is deprecated and will be removed in a future release. Use \
                      Promoted instead.";
        let told = warnings(cib);
        for expected in [default, slave, master] {
            assert_eq!(told.iter().filter(|line| *line == expected).count(), 1, "{expected}: {told:?}");
        }
        let new =
            cib.replace("slave", "Unpromoted").replace("Slave", "Unpromoted").replace("Master", "Promoted");
        let told = warnings(&new.replace("#Default", "stop"));
        assert!(!told.iter().any(|line| line.contains("Support for")), "{told:?}");
    }
}
