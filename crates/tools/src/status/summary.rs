// SPDX-License-Identifier: GPL-2.0-or-later
//! The cluster summary: what runs it, who decides, when it changed, how much there is of it, how it is configured.

use super::nodes::display_name;
use super::outline::{Outline, Span, span};
use super::{Counts, Lists, Medium, View};
use crate::date;
use crate::output::Entry;
use scheduler::{Cluster, Node, NodeKind, QuorumPolicy};

/// What cannot be read from the CIB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Daemons {
    /// The state of pacemakerd (`running`, …), if it was asked.
    pub pacemakerd_state: Option<String>,
    /// This node's name, if known.
    pub node_name: Option<String>,
}

impl Daemons {
    /// Nobody was asked.
    pub(crate) const UNKNOWN: Daemons = Daemons { pacemakerd_state: None, node_name: None };

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
fn stack(cluster: &Cluster) -> &str {
    cluster.options.value("cluster-infrastructure").unwrap_or("unknown")
}

/// What a node can do, if that is known: one that does not say so is of a time when nodes did not.
pub(super) fn feature_set(node: &Node) -> Option<&str> {
    let asked = node.state.online && node.state.expected_up && node.kind == NodeKind::Cluster;
    asked.then(|| node.attributes.get("#feature-set").map_or("<3.15.1", |set| &**set))
}

/// Whether nodes with different feature sets are online.
fn is_mixed(cluster: &Cluster) -> bool {
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

pub(super) fn tell(out: &mut Outline, view: View<'_>) -> bool {
    let sections = view.sections;
    let mut section = out.section("Cluster Summary", false);
    let mut told = false;
    if sections.stack {
        section.open(out);
        let mut spans = vec![span(stack(view.cluster))];
        if let Some(state) = view.daemons.friendly_state() {
            spans.extend([span(" ("), span(state), span(")")]);
        }
        out.labelled("Stack", spans);
    }
    // A page says it whenever nobody decides.
    if sections.dc || (view.medium == Medium::Page && view.cluster.dc.is_none()) {
        section.open(out);
        out.labelled("Current DC", dc_spans(view));
    }
    if sections.times {
        section.open(out);
        tell_times(out, view);
    }
    if sections.counts {
        section.open(out);
        tell_counts(out, view.cluster);
    }
    if sections.options && view.medium == Medium::Page {
        told |= section.close(out);
        section = out.section("Config Options", false);
    }
    if sections.options {
        section.open(out);
        tell_options(out, view);
    }
    told |= section.close(out);
    if sections.maintenance
        && view.medium == Medium::Text
        && let Some(notice) = notice(view.cluster)
    {
        out.banner(notice);
        told = true;
    }
    told
}

fn dc_spans(view: View<'_>) -> Vec<Span> {
    let Some(dc) = view.cluster.dc else { return vec![Span::classed("warning", "NONE")] };
    let version = view.cluster.options.value("dc-version").unwrap_or("unknown");
    let mut spans = vec![span(format!("{} (version {version}) -", display_name(view, dc)))];
    if is_mixed(view.cluster) {
        spans.push(Span::classed("warning", " MIXED-VERSION"));
    }
    spans.push(span(" partition"));
    spans.push(match view.cluster.quorate {
        true => span(" with"),
        false => Span::classed("warning", " WITHOUT"),
    });
    spans.push(span(" quorum"));
    spans
}

fn tell_times(out: &mut Outline, view: View<'_>) {
    let mut updated = vec![span(date::local(view.cluster.now.secs))];
    if let Some(node) = &view.daemons.node_name {
        updated.extend([span(" on "), span(node)]);
    }
    out.labelled("Last updated", updated);
    let changed = last_change(view.cluster);
    // A text has always had a second blank here.
    let blank = if view.medium == Medium::Text { " " } else { "" };
    out.labelled("Last change", vec![span(format!("{blank}{changed}"))]);
}

fn tell_counts(out: &mut Outline, cluster: &Cluster) {
    let nodes = cluster.nodes.len();
    out.spans(vec![span(format!("{nodes} node{} configured", plural(nodes)))]);
    let Counts { instances, disabled, blocked } = Counts::of(cluster);
    let lead = format!("{instances} resource instance{} configured", plural(instances));
    let bold = |word| Span::classed("bold", word);
    let why = " from further action due to failure)";
    out.spans(match (disabled, blocked) {
        (0, 0) => vec![span(lead)],
        (_, 0) => vec![span(format!("{lead} ({disabled} ")), bold("DISABLED"), span(")")],
        (0, _) => vec![span(format!("{lead} ({blocked} ")), bold("BLOCKED"), span(why)],
        (_, _) => {
            let disabled = span(format!("{lead} ({disabled} "));
            vec![disabled, bold("DISABLED"), span(format!(", {blocked} ")), bold("BLOCKED"), span(why)]
        }
    });
}

fn tell_options(out: &mut Outline, view: View<'_>) {
    let options = &view.cluster.options;
    out.line(match options.fencing_enabled {
        true => "Fencing of failed nodes enabled",
        false => "Fencing of failed nodes disabled",
    });
    out.line(if options.symmetric { "Cluster is symmetric" } else { "Cluster is asymmetric" });
    let policy = match options.quorum_policy {
        QuorumPolicy::Stop => "Stop ALL resources",
        QuorumPolicy::Freeze => "Freeze resources",
        QuorumPolicy::Demote => "Demote promotable resources and stop all other resources",
        QuorumPolicy::Ignore => "Ignore",
        QuorumPolicy::Fence => "Fence nodes in partition",
    };
    out.line(format!("No quorum policy: {policy}"));
    if view.medium == Medium::Text {
        // There the notice says it.
        return;
    }
    let (word, consequence) = match (options.maintenance_mode, options.stop_all) {
        (true, _) => ("DISABLED", " (the cluster will not attempt to start, stop, or recover services)"),
        (false, true) => ("STOPPED", " (the cluster will keep all resources stopped)"),
        (false, false) => {
            out.line("Resource management: enabled");
            return;
        }
    };
    out.spans(vec![span("Resource management: "), Span::classed("bold", word), span(consequence)]);
}

/// What is to be said if the cluster leaves its resources alone, or keeps all of them stopped.
fn notice(cluster: &Cluster) -> Option<&'static str> {
    let options = &cluster.options;
    match (options.maintenance_mode, options.stop_all) {
        (true, _) => Some(
            "\n              *** Resource management is DISABLED ***\n  The cluster will not attempt to start, stop or recover services\n",
        ),
        (false, true) => Some(
            "\n    *** Resource management is DISABLED ***\n  The cluster will keep all resources stopped\n",
        ),
        (false, false) => None,
    }
}

/// Says so if the cluster leaves its resources alone, or keeps all of them stopped; says whether it did.
pub fn maintenance_notice(lists: &mut Lists<'_>, cluster: &Cluster) -> bool {
    let notice = notice(cluster);
    notice.into_iter().for_each(|text| lists.raw(format_args!("{text}")));
    notice.is_some()
}

/// All of it; none if nothing of it is looked at.
pub(super) fn entry(view: View<'_>) -> Option<Entry> {
    let (cluster, sections) = (view.cluster, view.sections);
    if !(sections.stack || sections.dc || sections.times || sections.counts || sections.options) {
        return None;
    }
    let mut entry = Entry::new("summary");
    if sections.stack {
        let state = view.daemons.pacemakerd_state.as_ref();
        let stack = Entry::new("stack").attr("type", stack(cluster)).attr_opt("pacemakerd-state", state);
        entry = entry.child(stack);
    }
    if sections.dc {
        entry = entry.child(dc_entry(cluster));
    }
    if sections.times {
        let updated = Entry::new("last_update")
            .attr("time", date::local(cluster.now.secs))
            .attr_opt("origin", view.daemons.node_name.as_ref());
        let of_cib = |name| cluster.cib.attr(name).unwrap_or_default();
        let changed = Entry::new("last_change")
            .attr("time", of_cib("cib-last-written"))
            .attr("user", of_cib("update-user"))
            .attr("client", of_cib("update-client"))
            .attr("origin", of_cib("update-origin"));
        entry = entry.child(updated).child(changed);
    }
    if sections.counts {
        let counts = Counts::of(cluster);
        entry = entry.child(Entry::new("nodes_configured").attr("number", cluster.nodes.len())).child(
            Entry::new("resources_configured")
                .attr("number", counts.instances)
                .attr("disabled", counts.disabled)
                .attr("blocked", counts.blocked),
        );
    }
    if sections.options {
        entry = entry.child(options_entry(cluster));
    }
    Some(entry)
}

fn dc_entry(cluster: &Cluster) -> Entry {
    let entry = Entry::new("current_dc");
    let Some(dc) = cluster.dc.map(|dc| cluster.node(dc)) else { return entry.attr("present", false) };
    entry
        .attr("present", true)
        .attr("version", cluster.options.value("dc-version").unwrap_or_default())
        .attr("name", &*dc.name)
        .attr("id", &*dc.id)
        .attr("with_quorum", cluster.quorate)
        .attr("mixed_version", is_mixed(cluster))
}

fn options_entry(cluster: &Cluster) -> Entry {
    let options = &cluster.options;
    let policy = match options.quorum_policy {
        QuorumPolicy::Stop => "stop",
        QuorumPolicy::Freeze => "freeze",
        QuorumPolicy::Demote => "demote",
        QuorumPolicy::Ignore => "ignore",
        QuorumPolicy::Fence => "fence",
    };
    let timeout = options.value("fencing-timeout").or(options.value("stonith-timeout"));
    let timeout = timeout.and_then(|text| text.parse::<model::Interval>().ok());
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let timeout_ms = ms(timeout.unwrap_or(model::Interval::from_secs(60)).as_ms());
    Entry::new("cluster_options")
        .attr("fencing-enabled", options.fencing_enabled)
        .attr("fencing-timeout-ms", timeout_ms)
        .attr("symmetric-cluster", options.symmetric)
        .attr("no-quorum-policy", policy)
        .attr("maintenance-mode", options.maintenance_mode)
        .attr("stop-all-resources", options.stop_all)
        .attr("priority-fencing-delay-ms", ms(options.priority_fencing_delay_ms))
        // The names of before 3.0.2, which readers still look for.
        .attr("stonith-enabled", options.fencing_enabled)
        .attr("stonith-timeout-ms", timeout_ms)
}
