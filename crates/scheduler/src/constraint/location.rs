// SPDX-License-Identifier: GPL-2.0-or-later
//! Location constraints: which resource wants which node how much.
//!
//! Decides: nodes and scores of each constraint, rules evaluated (Pacemaker Explained, "Deciding Which Nodes a Resource
//! Can Run On"). Given: `rsc_location`. Leaves to others: adding them up (`stage::criteria`).

use crate::notation::{RuleNews, evaluate_rule, parse_score, resolve, rule_input};
use crate::{Cluster, ConfigIssue, Discovery, Location, NodeId, ResourceId};
use model::{Role, Score};
use rules::{Input, Pattern, Submatches, role_of, score_of};
use std::sync::Arc;
use xml::Element;

fn role_filter(text: Option<&str>) -> Option<Role> {
    match text.map(str::parse) {
        None => Some(Role::Unknown),
        Some(Ok(Role::Started | Role::Unpromoted)) => Some(Role::Unknown),
        Some(Ok(Role::Unknown) | Err(_)) => None,
        Some(Ok(role)) => Some(role),
    }
}

/// How a constraint names its resources: by a set with terms of its own, or by a pattern.
#[derive(Default)]
struct Named<'a> {
    role: Option<&'a str>,
    score: Option<&'a str>,
    found: Option<Submatches>,
}

impl Cluster {
    pub(super) fn unpack_location(&mut self, xml: &Element, id: &str) {
        let expanded = self.expand_tags(xml, &[("rsc", "role", "role")]);
        if expanded.child("resource_set").is_some() {
            let Some(sets) = self.sets(&expanded, id) else { return };
            for set in sets {
                let (role, score) = (set.xml.attr("role"), set.xml.attr("score"));
                for resource in set.members {
                    let named = Named { role, score, found: None };
                    self.add_location_constraint(&expanded, id, resource, &named);
                }
            }
            return;
        }
        if let Some(name) = xml.attr("rsc")
            && let Some(resource) = self.constrained(id, name)
        {
            self.add_location_constraint(xml, id, resource, &Named::default());
        }
        if let Some(pattern) = xml.attr("rsc-pattern") {
            self.unpack_pattern(xml, id, pattern);
        }
    }

    /// A constraint for all resources whose ids are like a pattern, or, after a `!`, are not.
    fn unpack_pattern(&mut self, xml: &Element, id: &str, pattern: &str) {
        let (pattern, invert) = match pattern.strip_prefix('!') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        let Ok(parsed) = Pattern::parse(pattern) else {
            let issue =
                format!("Ignoring constraint '{id}' because rsc-pattern has invalid value '{pattern}'");
            self.note_issue(ConfigIssue::error(issue));
            return;
        };
        for resource in self.top.clone() {
            let found = parsed.find(&self.resource(resource).id);
            if found.is_some() != invert {
                self.add_location_constraint(xml, id, resource, &Named { found, ..Named::default() });
            }
        }
    }

    fn add_location_constraint(&mut self, xml: &Element, id: &str, resource: ResourceId, named: &Named<'_>) {
        let score = named.score.or(xml.attr("score"));
        let (Some(node), Some(score)) = (xml.attr("node"), score) else {
            if let Some(rule) = xml.child("rule") {
                self.add_location_rule(xml, rule, resource, named);
            }
            return;
        };
        let Some(node) = self.node_named(node) else { return };
        let (role, score) = (role_filter(named.role.or(xml.attr("role"))), parse_score(score));
        let (Some(role), Some(score)) = (role, score) else {
            let issue = format!("Ignoring location constraint {id} because its role or score is invalid");
            self.note_issue(ConfigIssue::error(issue));
            return;
        };
        self.push_location(xml, id, resource, role, vec![(node, score)]);
    }

    fn add_location_rule(&mut self, xml: &Element, rule: &Element, resource: ResourceId, named: &Named<'_>) {
        let cib = self.cib.clone();
        let Some(rule) = resolve(rule, &cib) else { return };
        let Some(rule_id) = rule.id() else { return };
        let plain = Input { submatches: named.found.as_ref(), ..rule_input(self.now, &cib) };
        let terms = role_of(rule, &plain).and_then(|role| Ok((role, score_of(rule, &plain)?)));
        let (role, score) = match terms {
            Ok(terms) => terms,
            Err(error) => {
                self.note_issue(ConfigIssue::error(error.to_string()));
                return;
            }
        };
        let is_join = |word: &str| ["and", "or"].iter().any(|join| word.eq_ignore_ascii_case(join));
        if !rule.attr("boolean-op").is_none_or(is_join) {
            let issue = format!("Ignoring rule {rule_id} because its boolean-op is invalid");
            self.note_issue(ConfigIssue::error(issue));
            return;
        }
        let mut nodes: Vec<(NodeId, Score)> = Vec::new();
        let mut news = RuleNews::since(self.recheck_by);
        for node in self.node_ids() {
            let parameters = self.parameters(resource, Some(node));
            let input = Input {
                node_attributes: Some(&self.node(node).attributes),
                parameters: Some(&*parameters),
                meta: Some(&self.resource(resource).meta),
                ..plain
            };
            if evaluate_rule(rule, &input, &mut news) {
                nodes.extend(score.value(&input).map(|score| (node, score)));
            }
        }
        self.heed(news);
        self.push_location(xml, rule_id, resource, role.unwrap_or(Role::Unknown), nodes);
    }

    fn push_location(
        &mut self,
        xml: &Element,
        id: &str,
        resource: ResourceId,
        role: Role,
        nodes: Vec<(NodeId, Score)>,
    ) {
        let discovery = match xml.attr("resource-discovery").map(str::to_ascii_lowercase).as_deref() {
            None | Some("always") => Discovery::Always,
            Some("never") => Discovery::Never,
            Some("exclusive") => {
                self.work_mut(resource).exclusive_probes = true;
                Discovery::Exclusive
            }
            Some(other) => {
                let issue = format!("Invalid resource-discovery value {other} in location constraint");
                self.note_issue(ConfigIssue::error(issue));
                Discovery::Always
            }
        };
        let constraint = Some(Arc::from(xml.id().unwrap_or_default()));
        self.locations.push(Location { id: id.to_owned(), constraint, resource, role, nodes, discovery });
    }
}
