// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading a CIB into a [`Cluster`].
//!
//! Decides: the order in which it is read. Given: a CIB, the time. Leaves to others: planning.
//!
//! Some actions follow from the history alone (a failed resource is to be stopped, a lost node to be fenced, an expired
//! fail count to be cleared), so reading makes them.

mod bundles;
mod clones;
mod config;
mod failcount;
mod health;
mod history;
mod migration;
mod nodes;
mod old_words;
mod outcome;
mod remote;
mod resources;
mod status;

pub(crate) use failcount::FailCountScope;
pub(crate) use history::{active_range, compare_operations, sorted_operations};
pub(crate) use resources::add_scores;

use crate::ledger::Ledger;
use crate::{Cluster, ClusterOptions, ConfigIssue};
use model::WallTime;
use std::collections::BTreeSet;
use xml::Element;

/// How many of the latest issues are looked at to see whether a new one is new.
const ISSUES_COMPARED: usize = 64;

/// Reads a CIB; see [`crate::unpack()`].
pub fn unpack(cib: &Element, now: WallTime, with_reasons: bool) -> (Cluster, Vec<ConfigIssue>) {
    // Names of connections in the history that turned out to have no node. There are none but in odd cases.
    let mut not = BTreeSet::new();
    loop {
        let (cluster, issues) = unpack_without(cib, now, &not, with_reasons);
        let known = not.len();
        let unborn = cluster.nodes.iter().filter(|node| node.state.unborn);
        not.extend(unborn.map(|node| node.name.to_string()));
        if not.len() == known {
            return (cluster, issues);
        }
    }
}

fn unpack_without(
    cib: &Element,
    now: WallTime,
    not: &BTreeSet<String>,
    with_reasons: bool,
) -> (Cluster, Vec<ConfigIssue>) {
    let mut cluster = Cluster::empty(cib.clone(), now);
    if with_reasons {
        cluster.ledger = Ledger::kept();
    }
    cluster.unpack_options();
    if !cluster.quorate && cluster.options.quorum_policy != crate::QuorumPolicy::Ignore {
        let issue = "Fencing and resource management disabled due to lack of quorum";
        cluster.note_issue(ConfigIssue::state_warning(issue).logged_by("cluster_status"));
    }
    let implicit = cluster.unpack_nodes(not);
    cluster.unpack_resources(implicit);
    cluster.unpack_tags();
    cluster.unpack_status();
    cluster.note_possible_nodes();
    cluster.count_resources();
    cluster.apply_node_health();
    cluster.note_old_words();
    let of_state = cluster.issues.len();
    cluster.note_old_words_of_constraints();
    cluster.unpack_constraints();
    cluster.issues.iter_mut().skip(of_state).for_each(|issue| issue.planning = true);
    let issues = std::mem::take(&mut cluster.issues);
    (cluster, issues)
}

impl Cluster {
    fn empty(cib: Element, now: WallTime) -> Cluster {
        let configuration = cib.child("configuration");
        let defaults = |name: &str| configuration.and_then(|c| c.child(name)).cloned();
        let defaults = crate::cluster::Defaults {
            resources: defaults("rsc_defaults"),
            operations: defaults("op_defaults"),
        };
        let quorate = crate::notation::is_true(cib.attr("have-quorum"));
        Cluster {
            cib,
            now,
            options: ClusterOptions::default(),
            quorate,
            dc: None,
            nodes: Vec::new(),
            resources: Vec::new(),
            top: Vec::new(),
            locations: Vec::new(),
            tickets: Default::default(),
            failed: Vec::new(),
            blocked_count: 0,
            disabled_count: 0,
            recheck_by: None,
            actions: Vec::new(),
            singletons: Default::default(),
            orderings: Vec::new(),
            colocations: Vec::new(),
            ticket_terms: Vec::new(),
            tags: Default::default(),
            defaults,
            stop_needed: Vec::new(),
            by_id: Default::default(),
            by_history: Default::default(),
            forgotten: Default::default(),
            have_fencing: false,
            unfencing: false,
            issues: Vec::new(),
            deprecated: Default::default(),
            scores: Vec::new(),
            ledger: Ledger::default(),
            sanitized: false,
            record_utilization: false,
            deferred: Vec::new(),
            replicas_left: bundles::REPLICAS_MAX,
            update_depth: 0,
            put_off: Vec::new(),
        }
    }

    /// Remembers what is wrong, unless it was said already.
    pub(crate) fn note_issue(&mut self, issue: ConfigIssue) {
        if !self.issues.iter().rev().take(ISSUES_COMPARED).any(|known| *known == issue) {
            self.issues.push(issue);
        }
    }

    /// Takes to heart what rules told.
    pub(crate) fn heed(&mut self, news: crate::notation::RuleNews) {
        self.recheck_by = news.recheck;
        self.note_rule_issues(news.issues);
    }

    /// Remembers what is wrong in rules and in what they govern.
    pub(crate) fn note_rule_issues(&mut self, issues: Vec<rules::RuleError>) {
        for issue in issues {
            let text = issue.to_string();
            self.note_issue(match issue {
                // What is set to its default is told of once, wherever it is.
                rules::RuleError::ExplicitDefault { .. } => continue,
                rules::RuleError::Empty { .. } | rules::RuleError::Score { .. } => ConfigIssue::warning(text),
                _ => ConfigIssue::error(text),
            });
        }
    }

    /// Remembers something deprecated, which is worth telling once.
    pub(crate) fn note_once(&mut self, issue: impl Into<String>) {
        let issue = issue.into();
        if self.deprecated.insert(issue.clone()) {
            self.issues.push(ConfigIssue::warning(issue));
        }
    }

    /// A section of the configuration, shared.
    pub(crate) fn section(&self, name: &str) -> Option<Element> {
        self.cib.descend(&["configuration", name]).cloned()
    }

    fn note_possible_nodes(&mut self) {
        for resource in self.resources.iter_mut().filter(|r| r.variant == crate::Variant::Clone) {
            let known = resource.work.allowed.iter().enumerate().filter(|(_, allowed)| allowed.is_some());
            resource.possible_on = known.map(|(index, _)| crate::NodeId::new(index)).collect();
        }
    }

    fn count_resources(&mut self) {
        for resource in &self.resources {
            if !resource.children.is_empty() {
                continue;
            }
            if resource.state.removed && resource.state.role <= model::Role::Stopped {
                continue;
            }
            let target = resource.meta.get("target-role").and_then(|role| role.parse().ok());
            self.disabled_count += usize::from(target == Some(model::Role::Stopped));
            self.blocked_count += usize::from(resource.state.blocked);
        }
    }
}
