// SPDX-License-Identifier: GPL-2.0-or-later
//! The cluster as a whole: quorum, options and their names, ACLs, the schema.

use crate::lint::facts::{Facts, at, is_true, overall};
use crate::lint::{Found, Rule, Severity};
use cib::schema::SchemaVersion;
use xml::Element;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SL010",
        name: "quorum-ignored",
        severity: Severity::Danger,
        consequence: "each part of a split cluster starts everything: without fencing both run it, with fencing they shoot each other",
        remedy: "remove no-quorum-policy=ignore; a two-node cluster gets its quorum from the cluster layer (two_node)",
        check: quorum_ignored,
    },
    Rule {
        id: "SL011",
        name: "obsolete-schema",
        severity: Severity::Notice,
        consequence: "newer settings are refused, and whoever schedules upgrades the configuration again each time",
        remedy: "run 'cibadmin --upgrade --force'",
        check: obsolete_schema,
    },
    Rule {
        id: "SL012",
        name: "unknown-option",
        severity: Severity::Warning,
        consequence: "nobody acts on it: what it was to do is not done",
        remedy: "mend the name, or remove the option ('crm_attribute --list-options=cluster' lists those there are)",
        check: unknown_option,
    },
    Rule {
        id: "SL013",
        name: "obsolete-option",
        severity: Severity::Notice,
        consequence: "it may stop working with a later release",
        remedy: "use today's name",
        check: obsolete_option,
    },
    Rule {
        id: "SL014",
        name: "acls-without-users",
        severity: Severity::Warning,
        consequence: "nobody but root and hacluster may do or see anything",
        remedy: "define acl_role and acl_target elements, or set enable-acl=false",
        check: acls_without_users,
    },
    Rule {
        id: "SL015",
        name: "acl-dead-role",
        severity: Severity::Warning,
        consequence: "the user or group has fewer rights than the configuration seems to say",
        remedy: "define the role, or remove the reference",
        check: acl_dead_role,
    },
    Rule {
        id: "SL016",
        name: "no-schema",
        severity: Severity::Warning,
        consequence: "mistakes in the configuration are not refused but ignored",
        remedy: "set validate-with to a version ('cibadmin --upgrade')",
        check: no_schema,
    },
];

fn quorum_ignored(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let Some(pair) = facts.property("no-quorum-policy") else { return };
    if pair.attr("value") != Some("ignore") {
        return;
    }
    let nodes = facts.node_names().len();
    if nodes > 2 {
        found.push(at(pair, format!("quorum is ignored, and there are {nodes} nodes")));
    } else if !facts.is_fencing_enabled() {
        found.push(at(pair, "quorum is ignored, and fencing is off"));
    }
}

fn version(facts: &Facts<'_>) -> Option<SchemaVersion> {
    facts.cib.attr("validate-with")?.parse().ok()
}

fn obsolete_schema(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let Some(claimed) = version(facts) else { return };
    // Series 3 is what the clusters of old releases can read as well.
    if claimed.to_string().starts_with("pacemaker-1") || claimed.to_string().starts_with("pacemaker-2") {
        found.push(overall("cib", format!("validate-with is {claimed}")));
    }
}

fn no_schema(facts: &Facts<'_>, found: &mut Vec<Found>) {
    if facts.cib.attr("validate-with").is_none_or(|value| value == "none") {
        found.push(overall("cib", "the configuration is not held against any schema"));
    }
}

/// What the cluster writes itself, or other programs keep beside the options.
const KNOWN: [&str; 8] = [
    "cluster-infrastructure",
    "dc-version",
    "have-watchdog",
    "cluster-name",
    "last-lrm-refresh",
    "hostlist",
    "shutdown-escalation",
    "default-action-timeout",
];

fn unknown_option(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let sets = facts.section("crm_config").into_iter().flat_map(Element::elements);
    for set in sets.filter(|set| set.name() == "cluster_property_set") {
        // Sets of other names are their owners' business.
        if set.id().is_some_and(|id| !id.starts_with("cib-bootstrap")) && !has_known(set) {
            continue;
        }
        for pair in set.elements_named("nvpair") {
            let Some(name) = pair.attr("name") else { continue };
            if model::options::cluster_option(name).is_some()
                || KNOWN.contains(&name)
                || name.starts_with('#')
            {
                continue;
            }
            let mut text = format!("there is no cluster option '{name}'");
            if let Some(near) = nearest(name) {
                text += &format!("; did you mean '{near}'?");
            }
            found.push(at(pair, text));
        }
    }
}

fn has_known(set: &Element) -> bool {
    let mut names = set.elements_named("nvpair").filter_map(|pair| pair.attr("name"));
    names.any(|name| model::options::cluster_option(name).is_some())
}

fn nearest(name: &str) -> Option<&'static str> {
    let options = model::options::CLUSTER_OPTIONS.iter().map(|option| option.name);
    let ranked = options.map(|option| (distance(name, option), option));
    ranked.min().filter(|(distance, _)| *distance <= 2).map(|(_, option)| option)
}

/// How many letters have to be changed, added or removed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(0);
            let left = row.get(j).copied().unwrap_or(0);
            let best = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = best;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

fn obsolete_option(facts: &Facts<'_>, found: &mut Vec<Found>) {
    for pair in facts.properties() {
        let Some(name) = pair.attr("name") else { continue };
        let Some(option) = model::options::cluster_option(name) else { continue };
        // The names with "stonith" are those that all releases before 3.0.2 know.
        if option.alias == Some(name) && !name.starts_with("stonith") {
            found.push(at(pair, format!("{name} is called {} today", option.name)));
        } else if option.audience == model::options::Audience::Deprecated {
            found.push(at(pair, format!("{name} is deprecated")));
        }
    }
}

fn acls_without_users(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let Some(pair) = facts.property("enable-acl") else { return };
    let users = facts.section("acls").into_iter().flat_map(Element::elements);
    let any = users.into_iter().any(|user| matches!(user.name(), "acl_target" | "acl_group"));
    if is_true(pair.attr("value")) && !any {
        found.push(at(pair, "ACLs are enabled, and no user has any role"));
    }
}

fn acl_dead_role(facts: &Facts<'_>, found: &mut Vec<Found>) {
    let Some(acls) = facts.section("acls") else { return };
    let is_role = |id: &str| acls.elements_named("acl_role").any(|role| role.id() == Some(id));
    for user in acls.elements().filter(|user| matches!(user.name(), "acl_target" | "acl_group")) {
        for role in user.elements_named("role").filter_map(Element::id).filter(|id| !is_role(id)) {
            found.push(at(user, format!("there is no role '{role}'")));
        }
    }
}
