// SPDX-License-Identifier: GPL-2.0-or-later
//! Lifetimes of constraints. A location constraint's becomes part of its rule; those of colocations and orders go, as
//! they have no rules any more.

use super::{PREFIX, id, is_original, marked_new};
use crate::upgrade::note::Note;
use crate::upgrade::walk::{self, Above, Transform, descend};
use std::collections::{HashMap, HashSet};
use xml::{Element, Node};

/// The third step.
pub(in crate::upgrade) fn upgrade(cib: &Element, notes: &mut Vec<Note>) -> Element {
    if !cib.descendants().any(|element| element.name() == "lifetime") {
        return cib.clone();
    }
    let uses = Uses::of(cib);
    walk::transform(cib, &mut Lifetimes { uses, notes })
}

struct Lifetimes<'a> {
    uses: Uses,
    notes: &'a mut Vec<Note>,
}

impl Transform for Lifetimes<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        match element.name() {
            "lifetime" if above.is_some_and(|above| is_dependent(above.parent())) => {
                let constraint = above.map_or("", Above::parent_id).to_owned();
                self.notes.push(Note::Lifetime { constraint });
            }
            "rsc_location" if element.child("lifetime").is_some() => {
                out.push(self.location(element, above).into());
            }
            "constraints" => {
                let living = self.living_rules(element);
                let constraints = descend(self, element, above);
                out.push(match living.is_empty() {
                    true => constraints.into(),
                    false => constraints.with_child(holder(living)).into(),
                });
            }
            _ => out.push(descend(self, element, above).into()),
        }
    }
}

/// Colocations and orders.
fn is_dependent(constraint: &str) -> bool {
    matches!(constraint, "rsc_colocation" | "rsc_order")
}

impl Lifetimes<'_> {
    /// The constraint applies where it did, while one of the lifetime's rules does.
    fn location(&mut self, location: &Element, above: Option<&Above<'_>>) -> Element {
        let whole = descend(self, location, above);
        let mut rule = marked_new(Element::new("rule"))
            .with_attr("id", format!("{PREFIX}{}-lifetime-and-rule", id(location)))
            .with_attr("boolean-op", "and");
        let where_it_applies: Vec<Element> = match whole.child("rule") {
            Some(_) => whole.elements_named("rule").cloned().collect(),
            None => vec![rule_from_node(location)],
        };
        rule = rule.with_children(where_it_applies);
        for lifetime in whole.elements_named("lifetime") {
            let rules = lifetime.elements_named("rule");
            match rules.clone().count() {
                0 => rule.push(lifetime.clone()),
                1 => rule = rule.with_children(rules.cloned()),
                _ => {
                    let any = marked_new(Element::new("rule"))
                        .with_attr("id", format!("{PREFIX}{}-lifetime-or-rule", id(location)))
                        .with_attr("boolean-op", "or");
                    rule.push(any.with_children(rules.cloned()));
                }
            }
        }
        let mut new = location.clone();
        new.remove_attr("node");
        new.remove_attr("score");
        new.without_children().with_children(whole.elements_named("resource_set").cloned()).with_child(rule)
    }

    /// The rules in lifetimes that go to which others outside of them refer.
    fn living_rules(&self, constraints: &Element) -> Vec<Element> {
        constraints
            .elements()
            .filter(|constraint| is_dependent(constraint.name()))
            .flat_map(|constraint| constraint.elements_named("lifetime"))
            .flat_map(|lifetime| lifetime.elements_named("rule"))
            .filter(|rule| is_original(rule) && rule.id().is_some_and(|id| self.uses.outside(id)))
            .cloned()
            .collect()
    }
}

/// The rule that means what `node` and `score` of a constraint do.
fn rule_from_node(location: &Element) -> Element {
    let rule_id = format!("{PREFIX}{}-node-score-rule", id(location));
    let expression = marked_new(Element::new("expression"))
        .with_attr("id", format!("{rule_id}-expr"))
        .with_attr("attribute", "#uname")
        .with_attr("operation", "eq")
        .with_attr("value", location.attr("node").unwrap_or_default());
    let mut rule = marked_new(Element::new("rule")).with_attr("id", rule_id);
    rule.set_attr_opt("score", location.attr("score"));
    rule.with_child(expression)
}

/// A constraint about no resource at all, as a place for rules that others refer to. Only in location constraints may
/// rules ask for a node's attributes.
fn holder(rules: Vec<Element>) -> Element {
    let holder_id = format!("{PREFIX}coloc-order-lifetime-rules");
    let rule = marked_new(Element::new("rule"))
        .with_attr("id", format!("{holder_id}-rule"))
        .with_attr("score", "-INFINITY")
        .with_children(rules);
    marked_new(Element::new("rsc_location"))
        .with_attr("id", holder_id)
        .with_attr("rsc-pattern", "a^")
        .with_child(rule)
}

/// Where rules are used: by id, how many there are and in how many of the lifetimes that go. Upstream takes a rule to be
/// used elsewhere if these numbers differ, and so do we.
struct Uses(HashMap<String, (usize, HashSet<usize>)>);

impl Uses {
    fn of(cib: &Element) -> Uses {
        let mut uses: HashMap<String, (usize, HashSet<usize>)> = HashMap::new();
        let mut lifetimes = 0;
        let mut open: Vec<(&Element, Option<usize>)> = vec![(cib, None)];
        while let Some((element, lifetime)) = open.pop() {
            if let ("rule", Some(id)) = (element.name(), element.id()) {
                let (count, places) = uses.entry(id.to_owned()).or_default();
                *count += 1;
                places.extend(lifetime);
            }
            for child in element.elements() {
                let goes = child.name() == "lifetime" && is_dependent(element.name());
                lifetimes += usize::from(goes);
                open.push((child, if goes { Some(lifetimes) } else { lifetime }));
            }
        }
        Uses(uses)
    }

    fn outside(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|(count, places)| *count != places.len())
    }
}
