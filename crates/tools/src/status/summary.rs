// SPDX-License-Identifier: GPL-2.0-or-later
//! The cluster summary: what runs it, who decides, when it changed, how much there is of it.

use super::nodes::display_name;
use super::{Counts, Lists, Sections, Show};
use crate::date;
use scheduler::{Cluster, Node, NodeKind, QuorumPolicy};

/// What cannot be read from the CIB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Daemons {
    /// The state of pacemakerd (`running`, …), if it was asked.
    pub pacemakerd_state: Option<String>,
    /// This node's name, if known.
    pub node_name: Option<String>,
    /// When the status was taken, in seconds since the epoch.
    pub updated_at_secs: i64,
}

impl Daemons {
    /// The state of pacemakerd in the words of people.
    fn friendly_state(&self) -> Option<&'static str> {
        self.pacemakerd_state.as_deref().map(friendly_state)
    }
}

/// A state of pacemakerd in the words of people.
pub(crate) fn friendly_state(state: &str) -> &'static str {
    match state {
        "init" => "Initializing pacemaker",
        "starting_daemons" => "Pacemaker daemons are starting",
        "wait_for_ping" => "Waiting for startup trigger from SBD",
        "running" => "Pacemaker is running",
        "shutting_down" => "Pacemaker daemons are shutting down",
        "shutdown_complete" => "Pacemaker daemons are shut down (reporting to SBD)",
        "remote" => "pacemaker-remoted is running (on a Pacemaker Remote node)",
        _ => "Invalid pacemakerd state",
    }
}

/// The property by which the cluster says what it runs on.
pub(super) fn stack(cluster: &Cluster) -> &str {
    cluster.options.value("cluster-infrastructure").unwrap_or("unknown")
}

/// What a node can do, if that is known: one that does not say so is of a time when nodes did not.
pub(super) fn feature_set(node: &Node) -> Option<&str> {
    let asked = node.state.online && node.state.expected_up && node.kind == NodeKind::Cluster;
    asked.then(|| node.state.feature_set.as_deref().unwrap_or("<3.15.1"))
}

/// Whether nodes with different feature sets are online.
pub(super) fn is_mixed(cluster: &Cluster) -> bool {
    let mut sets = cluster.nodes.iter().filter_map(feature_set);
    sets.next().is_some_and(|first| sets.any(|other| other != first))
}

/// Who changed the CIB last, and when.
fn last_change(cluster: &Cluster) -> String {
    let mut text = cluster.cib.attr("cib-last-written").unwrap_or_default().to_owned();
    for (word, name) in [(" by ", "update-user"), (" via ", "update-client"), (" on ", "update-origin")] {
        if let Some(value) = cluster.cib.attr(name) {
            text.push_str(word);
            text.push_str(value);
        }
    }
    text
}

/// `s` unless there is exactly one.
fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

pub(super) fn print(
    lists: &mut Lists<'_>,
    cluster: &Cluster,
    sections: Sections,
    show: Show,
    daemons: Option<&Daemons>,
) -> bool {
    let mut section = lists.section("Cluster Summary", false);
    if let Some(daemons) = daemons.filter(|_| sections.summary) {
        section.open(lists);
        match daemons.friendly_state() {
            Some(state) => lists.labelled("Stack", format_args!("{} ({state})", stack(cluster))),
            None => lists.labelled("Stack", stack(cluster)),
        }
        print_dc(lists, cluster, show);
        let on = daemons.node_name.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        lists.labelled("Last updated", format_args!("{}{on}", date::local(daemons.updated_at_secs)));
        lists.labelled("Last change", format_args!(" {}", last_change(cluster)));
        print_counts(lists, cluster);
    }
    if sections.options {
        section.open(lists);
        print_options(lists, cluster);
    }
    if !sections.summary && daemons.is_some() && cluster.dc.is_none() {
        // That nobody decides is said whatever is left out.
        section.open(lists);
        print_dc(lists, cluster, show);
    }
    let printed = section.close(lists);
    let notice = sections.summary && maintenance_notice(lists, cluster);
    printed || notice
}

fn print_dc(lists: &mut Lists<'_>, cluster: &Cluster, show: Show) {
    let Some(dc) = cluster.dc else {
        lists.labelled("Current DC", "NONE");
        return;
    };
    lists.labelled(
        "Current DC",
        format_args!(
            "{} (version {}) - {}partition {} quorum",
            display_name(cluster, dc, show),
            cluster.options.value("dc-version").unwrap_or("unknown"),
            if is_mixed(cluster) { "MIXED-VERSION " } else { "" },
            if cluster.quorate { "with" } else { "WITHOUT" },
        ),
    );
}

fn print_counts(lists: &mut Lists<'_>, cluster: &Cluster) {
    let nodes = cluster.nodes.len();
    lists.item(format_args!("{nodes} node{} configured", plural(nodes)));
    let Counts { instances, disabled, blocked } = Counts::of(cluster);
    let remark = match (disabled, blocked) {
        (0, 0) => String::new(),
        (disabled, 0) => format!(" ({disabled} DISABLED)"),
        (0, blocked) => format!(" ({blocked} BLOCKED from further action due to failure)"),
        _ => format!(" ({disabled} DISABLED, {blocked} BLOCKED from further action due to failure)"),
    };
    lists.item(format_args!("{instances} resource instance{} configured{remark}", plural(instances)));
}

fn print_options(lists: &mut Lists<'_>, cluster: &Cluster) {
    let options = &cluster.options;
    lists.item(if options.fencing_enabled {
        "Fencing of failed nodes enabled"
    } else {
        "Fencing of failed nodes disabled"
    });
    lists.item(if options.symmetric { "Cluster is symmetric" } else { "Cluster is asymmetric" });
    let policy = match options.quorum_policy {
        QuorumPolicy::Stop => "Stop ALL resources",
        QuorumPolicy::Freeze => "Freeze resources",
        QuorumPolicy::Demote => "Demote promotable resources and stop all other resources",
        QuorumPolicy::Ignore => "Ignore",
        QuorumPolicy::Fence => "Fence nodes in partition",
    };
    lists.item(format_args!("No quorum policy: {policy}"));
}

/// Says so if the cluster leaves its resources alone, or keeps all of them stopped; says whether it did.
pub fn maintenance_notice(lists: &mut Lists<'_>, cluster: &Cluster) -> bool {
    if cluster.options.maintenance_mode {
        lists.raw(format_args!(
            "\n              *** Resource management is DISABLED ***\n  The cluster will not attempt to start, stop or recover services\n"
        ));
    } else if cluster.options.stop_all {
        lists.raw(format_args!(
            "\n    *** Resource management is DISABLED ***\n  The cluster will keep all resources stopped\n"
        ));
    } else {
        return false;
    }
    true
}
