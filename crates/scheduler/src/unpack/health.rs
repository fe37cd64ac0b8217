// SPDX-License-Identifier: GPL-2.0-or-later
//! Node health: attributes whose names begin with `#health` keep resources away from ailing nodes.
//!
//! Decides: what the colours count, by strategy (Pacemaker Explained, "Tracking Node Health"). Given: node attributes.
//! Leaves to others: who writes these attributes.

use crate::notation::{is_true, parse_score};
use crate::{Cluster, Discovery, Location};
use model::{Role, Score};

impl Cluster {
    fn health_score(&self, value: &str) -> Option<Score> {
        let option = |name: &str| parse_score(self.option(name)).unwrap_or_default();
        let [red, yellow, green] = match self.option("node-health-strategy") {
            "migrate-on-red" => [Score::MINUS_INFINITY, Score::ZERO, Score::ZERO],
            "only-green" => [Score::MINUS_INFINITY, Score::MINUS_INFINITY, Score::ZERO],
            _ => ["red", "yellow", "green"].map(|colour| option(&format!("node-health-{colour}"))),
        };
        match value.to_ascii_lowercase().as_str() {
            "red" => Some(red),
            "yellow" => Some(yellow),
            "green" => Some(green),
            _ => parse_score(value),
        }
    }

    /// Turns node health into location constraints.
    pub(super) fn apply_node_health(&mut self) {
        let strategy = self.option("node-health-strategy").to_owned();
        if strategy == "none" {
            return;
        }
        let base = if strategy == "progressive" {
            parse_score(self.option("node-health-base")).unwrap_or_default()
        } else {
            Score::ZERO
        };
        for node in self.node_ids() {
            let attributes = self.node(node).attributes.iter();
            let values = attributes.filter(|(name, _)| name.starts_with("#health"));
            let health =
                values.filter_map(|(_, value)| self.health_score(value)).fold(base, |sum, score| score + sum);
            self.node_mut(node).state.health = health.value();
            if health == Score::ZERO {
                continue;
            }
            for resource in self.top.clone() {
                let allow = self.resource(resource).meta.get("allow-unhealthy-nodes");
                if health < Score::ZERO && is_true(allow.map(|v| &**v)) {
                    continue;
                }
                self.locations.push(Location {
                    id: strategy.clone(),
                    constraint: None,
                    resource,
                    role: Role::Unknown,
                    nodes: vec![(node, health)],
                    discovery: Discovery::Always,
                });
            }
        }
    }
}
