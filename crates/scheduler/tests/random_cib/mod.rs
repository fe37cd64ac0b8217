// SPDX-License-Identifier: GPL-2.0-or-later
//! CIBs nobody would write: every construct beside every other, with histories that may have come of anything.
//!
//! Decides: what is in them; they follow the schema, so that other schedulers read them too. Given: choices, from a seed or
//! from a property test that wants to shrink them. Leaves to others: what has to hold.
//!
//! Wherever a choice is zero, it is for what is plainest: fewer choices make a smaller CIB.

mod choices;
mod constraints;
mod resources;
mod status;

pub use choices::Choices;

use std::fmt::Write as _;

/// When it all is said to happen (seconds since the epoch).
pub const MOMENT: i64 = 1_700_000_000;

/// What has been made so far, for what comes after to speak of.
#[derive(Default)]
pub struct Made {
    /// Cluster nodes.
    pub nodes: Vec<String>,
    /// Remote and guest nodes, and those of bundles.
    pub reached: Vec<String>,
    /// What constraints may speak of.
    pub ids: Vec<String>,
    /// What has a history: its id there, agent, whether there may be several of it, whether it can be promoted.
    pub primitives: Vec<Primitive>,
    pub templates: Vec<String>,
    pub tags: Vec<String>,
}

/// Something that agents run.
pub struct Primitive {
    pub id: String,
    pub class: &'static str,
    pub provider: Option<&'static str>,
    pub agent: &'static str,
    /// It may run on many nodes.
    pub cloned: bool,
    pub promotable: bool,
}

/// A CIB in text.
pub fn cib(choices: &mut Choices) -> String {
    let mut made = Made::default();
    let quorum = !choices.chance(10);
    let options = options(choices);
    let nodes = nodes(choices, &mut made);
    let resources = resources::resources(choices, &mut made);
    let tags = tags(choices, &mut made);
    let constraints = constraints::constraints(choices, &mut made);
    let topology = topology(choices, &made);
    let status = status::status(choices, &made);
    format!(
        "<cib validate-with=\"pacemaker-4.0\" crm_feature_set=\"3.20.5\" admin_epoch=\"0\" epoch=\"1\" num_updates=\"0\" \
         have-quorum=\"{quorum}\" execution-date=\"{MOMENT}\">\n<configuration>\n{options}{nodes}<resources>\n{resources}\
         </resources>\n<constraints>\n{constraints}</constraints>\n{topology}{tags}</configuration>\n{status}</cib>\n"
    )
}

/// A block of names with values.
pub fn block(kind: &str, id: &str, pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let mut out = format!("<{kind} id=\"{id}\">");
    for (name, value) in pairs {
        let safe = name.replace('#', ".");
        write!(out, "<nvpair id=\"{id}-{safe}\" name=\"{name}\" value=\"{value}\"/>").unwrap();
    }
    out + &format!("</{kind}>\n")
}

/// Some of the names, each with one of its values.
pub fn some(choices: &mut Choices, table: &[(u32, &str, &[&str])]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for &(percent, name, values) in table {
        if choices.chance(percent) {
            pairs.push((name.to_owned(), choices.of(values).to_string()));
        }
    }
    pairs
}

fn options(choices: &mut Choices) -> String {
    let fencing = choices.chance(60);
    let mut pairs = vec![("fencing-enabled".to_owned(), fencing.to_string())];
    pairs.extend(some(
        choices,
        &[
            (12, "symmetric-cluster", &["false"]),
            (40, "no-quorum-policy", &["ignore", "freeze", "demote", "fence", "stop"]),
            (40, "placement-strategy", &["default", "utilization", "balanced", "minimal"]),
            (20, "node-health-strategy", &["migrate-on-red", "only-green", "progressive", "custom", "none"]),
            (8, "node-health-red", &["-100", "-INFINITY"]),
            (15, "start-failure-is-fatal", &["false"]),
            (15, "concurrent-fencing", &["false", "true"]),
            (12, "shutdown-lock", &["true"]),
            (5, "shutdown-lock-limit", &["5min"]),
            (3, "stop-all-resources", &["true"]),
            (4, "maintenance-mode", &["true"]),
            (8, "stop-removed-resources", &["false"]),
            (8, "cancel-removed-actions", &["false"]),
            (8, "enable-startup-probes", &["false"]),
            (8, "startup-fencing", &["false"]),
            (10, "priority-fencing-delay", &["30s"]),
            (8, "fencing-action", &["off", "reboot"]),
            (8, "fence-remote-without-quorum", &["true"]),
            (8, "node-pending-timeout", &["2h", "1min"]),
            (6, "cluster-delay", &["30s"]),
        ],
    ));
    let mut out =
        format!("<crm_config>\n{}</crm_config>\n", block("cluster_property_set", "options", &pairs));
    let defaults = some(
        choices,
        &[
            (30, "resource-stickiness", &["100", "1", "INFINITY", "-1"]),
            (15, "migration-threshold", &["1", "3"]),
            (15, "failure-timeout", &["10min", "30s"]),
            (5, "multiple-active", &["stop_only", "block", "stop_unexpected"]),
        ],
    );
    if !defaults.is_empty() {
        write!(
            out,
            "<rsc_defaults>\n{}</rsc_defaults>\n",
            block("meta_attributes", "rsc-defaults", &defaults)
        )
        .unwrap();
    }
    let defaults = some(
        choices,
        &[
            (20, "timeout", &["90s"]),
            (10, "record-pending", &["false"]),
            (4, "on-fail", &["restart", "block", "fence"]),
        ],
    );
    if !defaults.is_empty() {
        write!(out, "<op_defaults>\n{}</op_defaults>\n", block("meta_attributes", "op-defaults", &defaults))
            .unwrap();
    }
    out
}

fn nodes(choices: &mut Choices, made: &mut Made) -> String {
    let mut out = String::from("<nodes>\n");
    for number in 1..=2 + choices.next(4) {
        let name = format!("n{number}");
        let attributes = some(
            choices,
            &[
                (50, "site", &["a", "b"]),
                (6, "standby", &["on", "true"]),
                (4, "maintenance", &["true"]),
                (10, "#health-disk", &["red", "yellow", "green", "-10"]),
            ],
        );
        let room =
            some(choices, &[(60, "cpu", &["4", "2", "8", "1"]), (40, "memory", &["1024", "512", "0"])]);
        let inner = block("instance_attributes", &format!("{name}-a"), &attributes)
            + &block("utilization", &format!("{name}-u"), &room);
        writeln!(out, "<node id=\"{number}\" uname=\"{name}\">{inner}</node>").unwrap();
        made.nodes.push(name);
    }
    out + "</nodes>\n"
}

fn tags(choices: &mut Choices, made: &mut Made) -> String {
    let mut out = String::new();
    for number in 0..choices.rarely(3) {
        let id = format!("tag{number}");
        let mut members = String::new();
        for _ in 0..=choices.next(3) {
            let Some(member) = choices.pick(&made.ids) else { continue };
            let reference = format!("<obj_ref id=\"{member}\"/>");
            if !members.contains(&reference) {
                members.push_str(&reference);
            }
        }
        if !members.is_empty() {
            writeln!(out, "<tag id=\"{id}\">{members}</tag>").unwrap();
            made.tags.push(id);
        }
    }
    if out.is_empty() { out } else { format!("<tags>\n{out}</tags>\n") }
}

fn topology(choices: &mut Choices, made: &Made) -> String {
    let devices: Vec<String> =
        made.primitives.iter().filter(|p| p.class == "stonith").map(|p| p.id.clone()).collect();
    if devices.is_empty() || !choices.chance(15) {
        return String::new();
    }
    let (Some(node), Some(device)) = (choices.pick(&made.nodes), choices.pick(&devices)) else {
        return String::new();
    };
    format!(
        "<fencing-topology><fencing-level id=\"level1\" index=\"1\" target=\"{node}\" devices=\"{device}\"/>\
         </fencing-topology>\n"
    )
}
