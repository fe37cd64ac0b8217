// SPDX-License-Identifier: GPL-2.0-or-later
//! Cluster properties.
//!
//! Decides: their names (older ones too), defaults and which values are valid. Given: `crm_config`. Leaves to others:
//! what follows from them.

use crate::notation::{
    RuleNews, integer, interval_ms, is_true, parse_bool, rule_input, timeout_ms, unpack_blocks_after,
};
use crate::{Cluster, ConfigIssue, PlacementStrategy, QuorumPolicy};
use std::sync::Arc;
use xml::Element;

#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Span,
    Integer,
    Positive,
    Percentage,
    Score,
    OneOf(&'static [&'static str]),
    Text,
}

/// Name, older name, what it may be, default.
type Known = (&'static str, &'static str, Kind, &'static str);

const KNOWN: &[Known] = &[
    (
        "no-quorum-policy",
        "",
        Kind::OneOf(&["stop", "freeze", "ignore", "demote", "fence", "suicide"]),
        "stop",
    ),
    ("shutdown-lock", "", Kind::Boolean, "false"),
    ("shutdown-lock-limit", "", Kind::Span, "0"),
    ("symmetric-cluster", "", Kind::Boolean, "true"),
    ("maintenance-mode", "", Kind::Boolean, "false"),
    ("start-failure-is-fatal", "", Kind::Boolean, "true"),
    ("enable-startup-probes", "", Kind::Boolean, "true"),
    ("fence-remote-without-quorum", "", Kind::Boolean, "false"),
    ("fencing-enabled", "stonith-enabled", Kind::Boolean, "true"),
    ("fencing-action", "stonith-action", Kind::OneOf(&["reboot", "off"]), "reboot"),
    ("fencing-timeout", "stonith-timeout", Kind::Span, "60s"),
    ("have-watchdog", "", Kind::Boolean, "false"),
    ("concurrent-fencing", "", Kind::Boolean, "true"),
    ("startup-fencing", "", Kind::Boolean, "true"),
    ("priority-fencing-delay", "", Kind::Span, "0"),
    ("node-pending-timeout", "", Kind::Span, "0"),
    ("cluster-delay", "", Kind::Span, "60s"),
    ("batch-limit", "", Kind::Integer, "0"),
    ("migration-limit", "", Kind::Integer, "-1"),
    ("stop-all-resources", "", Kind::Boolean, "false"),
    ("stop-removed-resources", "stop-orphan-resources", Kind::Boolean, "true"),
    ("cancel-removed-actions", "stop-orphan-actions", Kind::Boolean, "true"),
    (
        "node-health-strategy",
        "",
        Kind::OneOf(&["none", "migrate-on-red", "only-green", "progressive", "custom"]),
        "none",
    ),
    ("node-health-base", "", Kind::Score, "0"),
    ("node-health-green", "", Kind::Score, "0"),
    ("node-health-yellow", "", Kind::Score, "0"),
    ("node-health-red", "", Kind::Score, "-INFINITY"),
    ("placement-strategy", "", Kind::OneOf(&["default", "utilization", "minimal", "balanced"]), "default"),
    ("cluster-name", "", Kind::Text, ""),
    // What follows is nothing to the scheduler, but it is where people ask whether their configuration is right.
    ("dc-deadtime", "", Kind::Span, ""),
    ("cluster-recheck-interval", "", Kind::Span, ""),
    ("election-timeout", "", Kind::Span, ""),
    ("shutdown-escalation", "", Kind::Span, ""),
    ("join-integration-timeout", "", Kind::Span, ""),
    ("join-finalization-timeout", "", Kind::Span, ""),
    ("transition-delay", "", Kind::Span, ""),
    ("enable-acl", "", Kind::Boolean, ""),
    ("fencing-reaction", "fence-reaction", Kind::Text, ""),
    ("fencing-watchdog-timeout", "stonith-watchdog-timeout", Kind::Text, ""),
    ("fencing-max-attempts", "stonith-max-attempts", Kind::Positive, ""),
    ("load-threshold", "", Kind::Percentage, ""),
    ("node-action-limit", "", Kind::Integer, ""),
    ("pe-error-series-max", "", Kind::Integer, ""),
    ("pe-warn-series-max", "", Kind::Integer, ""),
    ("pe-input-series-max", "", Kind::Integer, ""),
];

fn is_valid(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Boolean => parse_bool(value).is_some(),
        Kind::Span => value.starts_with('P') || timeout_ms(value).is_some_and(|ms| ms >= 0),
        Kind::Integer => integer(value).is_some(),
        Kind::Positive => integer(value).is_some_and(|number| number > 0),
        Kind::Percentage => {
            value.strip_suffix('%').is_some_and(|share| integer(share).is_some_and(|n| n >= 0))
        }
        Kind::Score => crate::notation::parse_score(value).is_some(),
        Kind::OneOf(words) => words.contains(&value),
        Kind::Text => true,
    }
}

impl Cluster {
    pub(super) fn unpack_options(&mut self) {
        let mut values = crate::cluster::Parameters::new();
        let mut news = RuleNews::default();
        if let Some(section) = self.section("crm_config") {
            let first_id = Some("cib-bootstrap-options");
            let input = rule_input(self.now, &self.cib);
            let set = "cluster_property_set";
            unpack_blocks_after(first_id, &section, set, &input, &mut news, &mut values);
        }
        if let Some(when) = news.recheck.take() {
            self.recheck_at(when);
        }
        self.note_rule_issues(news.issues);
        for &(name, older, kind, default) in KNOWN {
            let legacy = values.get(older).filter(|_| !values.contains_key(name)).cloned();
            if legacy.is_some() {
                self.note_issue(ConfigIssue::warning(format!(
                    "Support for legacy name '{older}' for cluster option '{name}' is deprecated and will be removed in a \
                     future release"
                )));
            }
            let configured = values.get(name).cloned().or(legacy);
            let valid = configured.clone().filter(|value| is_valid(kind, value));
            if let (Some(value), None) = (&configured, &valid) {
                let issue =
                    format!("Using default value for cluster option '{name}' because '{value}' is invalid");
                self.note_issue(ConfigIssue::error(issue));
            }
            if let Some(value) = valid.or_else(|| (!default.is_empty()).then(|| Arc::from(default))) {
                values.insert(Arc::from(name), value);
            } else {
                values.remove(name);
            }
        }
        self.options.values = values;
        self.read_flags();
        self.note_deprecated_options();
        self.read_quorum_policy();
        self.unfencing = self.uses_unfencing();
    }

    fn read_flags(&mut self) {
        let truth = |name: &str| is_true(self.options.value(name));
        let span = |name: &str| interval_ms(self.options.value(name));
        let mut options = self.options.clone();
        options.symmetric = truth("symmetric-cluster");
        options.maintenance_mode = truth("maintenance-mode");
        options.fencing_enabled = truth("fencing-enabled");
        options.fencing_action = Arc::from(self.option("fencing-action"));
        options.concurrent_fencing = truth("concurrent-fencing");
        options.startup_fencing = options.fencing_enabled && truth("startup-fencing");
        options.stop_all = truth("stop-all-resources");
        options.stop_removed = truth("stop-removed-resources");
        options.cancel_removed = truth("cancel-removed-actions");
        options.startup_probes = truth("enable-startup-probes");
        options.start_failure_fatal = truth("start-failure-is-fatal");
        options.shutdown_lock = truth("shutdown-lock");
        options.shutdown_lock_limit_ms = if options.shutdown_lock { span("shutdown-lock-limit") } else { 0 };
        options.priority_fencing_delay_ms = span("priority-fencing-delay");
        options.node_pending_timeout_ms = span("node-pending-timeout");
        options.have_watchdog = truth("have-watchdog");
        options.cluster_name = self.options.values.get("cluster-name").cloned();
        options.placement = match self.option("placement-strategy") {
            "utilization" => PlacementStrategy::Utilization,
            "minimal" => PlacementStrategy::Minimal,
            "balanced" => PlacementStrategy::Balanced,
            _ => PlacementStrategy::Default,
        };
        self.have_fencing = options.have_watchdog;
        self.options = options;
    }

    fn note_deprecated_options(&mut self) {
        let removed = |option: &str| {
            format!(
                "Support for the {option} cluster property is deprecated and will be removed (and behave as true) in a \
                 future release."
            )
        };
        if !self.options.startup_probes {
            self.note_once(
                removed("enable-startup-probes")
                    + " Use a location constraint with resource-discovery=never instead to disable probes where desired.",
            );
        }
        if !self.options.concurrent_fencing {
            self.note_once(removed("concurrent-fencing"));
        }
        if !self.options.stop_removed {
            self.note_once(removed("stop-removed-resources"));
        }
        if !self.options.cancel_removed {
            self.note_once(removed("cancel-removed-actions"));
        }
    }

    fn read_quorum_policy(&mut self) {
        self.options.quorum_policy = match self.option("no-quorum-policy") {
            "ignore" => QuorumPolicy::Ignore,
            "freeze" => QuorumPolicy::Freeze,
            "demote" => QuorumPolicy::Demote,
            "fence" | "suicide" if self.options.fencing_enabled => {
                let panic = crate::notation::number(&self.cib, "no-quorum-panic").unwrap_or(0) != 0;
                if panic || self.quorate { QuorumPolicy::Fence } else { QuorumPolicy::Stop }
            }
            "fence" | "suicide" => {
                self.note_issue(ConfigIssue::error(
                    "Resetting no-quorum-policy to 'stop' because fencing is disabled",
                ));
                QuorumPolicy::Stop
            }
            _ => QuorumPolicy::Stop,
        };
    }

    /// Whether any device provides, or any resource requires, unfencing.
    fn uses_unfencing(&self) -> bool {
        let asks = |pair: &Element| {
            pair.name() == "nvpair"
                && matches!(pair.attr("name"), Some("provides" | "requires"))
                && pair.attr("value") == Some("unfencing")
        };
        let resources = self.section("resources");
        let in_resources = resources.iter().any(|section| {
            let blocks = section.descendants().filter(|e| e.name() == "meta_attributes");
            blocks.flat_map(Element::elements).any(asks)
        });
        let defaults = self.defaults.resources.iter();
        in_resources
            || defaults
                .flat_map(|d| d.elements_named("meta_attributes"))
                .flat_map(Element::elements)
                .any(asks)
    }
}
