// SPDX-License-Identifier: GPL-2.0-or-later
//! Names and values of attributes, and the order of sets of them.
//!
//! Sets of attributes take effect in the order of their scores, so they are put into that order, after everything
//! else that is in their parent. That changes nothing by itself; later steps rely on it.

use super::{CHANGED, id, marked_changed};
use crate::upgrade::note::Note;
use crate::upgrade::walk::{self, Above, Transform, descend, descend_in_order};
use std::cmp::Ordering;
use xml::{Element, Node};

/// Cluster properties that are called otherwise now.
const RENAMED_PROPERTIES: [(&str, &str); 3] = [
    ("crmd-finalization-timeout", "join-finalization-timeout"),
    ("crmd-integration-timeout", "join-integration-timeout"),
    ("crmd-transition-delay", "transition-delay"),
];

/// The highest index that a level of fencing can have.
const LAST_FENCING_LEVEL: f64 = 9.0;

/// The first step.
pub(in crate::upgrade) fn upgrade(cib: &Element, notes: &mut Vec<Note>) -> Element {
    walk::transform(cib, &mut Values { notes })
}

struct Values<'a> {
    notes: &'a mut Vec<Note>,
}

impl Transform for Values<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        let element = match element.name() {
            "cib" => element.clone().with_attr("validate-with", "pacemaker-4.0"),
            "nvpair" => match self.pair(element, above.map_or("", Above::parent)) {
                Some(pair) => pair,
                None => return,
            },
            "date_spec" => self.date_spec(element),
            "fencing-level" if number(element.attr("index").unwrap_or_default()) > LAST_FENCING_LEVEL => {
                return;
            }
            _ => element.clone(),
        };
        out.push(self.with_sets_in_order(&element, above).into());
    }
}

impl Values<'_> {
    fn pair(&mut self, pair: &Element, parent: &str) -> Option<Element> {
        let name = pair.attr("name").unwrap_or_default();
        let is_property = parent == "cluster_property_set";
        if is_property && name == "remove-after-stop" {
            self.notes.push(Note::RemoveAfterStop { nvpair: id(pair).to_owned() });
            return None;
        }
        let value = pair.attr("value")?;
        if !is_property {
            return Some(pair.clone());
        }
        if let Some((_, new)) = RENAMED_PROPERTIES.iter().find(|(old, _)| *old == name) {
            return Some(marked_changed(pair.clone().with_attr("name", new)));
        }
        if name == "stonith-action" && value == "poweroff" {
            return Some(marked_changed(pair.clone().with_attr("value", "off")));
        }
        Some(pair.clone())
    }

    fn date_spec(&mut self, date_spec: &Element) -> Element {
        let mut new = date_spec.clone();
        if new.remove_attr("moon") {
            self.notes.push(Note::Moon { date_spec: id(date_spec).to_owned() });
            new.set_attr(CHANGED, "1");
        }
        new
    }

    fn with_sets_in_order(&mut self, element: &Element, above: Option<&Above<'_>>) -> Element {
        let is_set = |node: &Node| {
            node.element().is_some_and(|element| {
                matches!(
                    element.name(),
                    "cluster_property_set" | "instance_attributes" | "meta_attributes" | "utilization"
                )
            })
        };
        if !element.children().iter().any(is_set) {
            return descend(self, element, above);
        }
        let (mut sets, mut content): (Vec<&Node>, Vec<&Node>) =
            element.children().iter().partition(|node| is_set(node));
        sets.sort_by(|a, b| match (a.element(), b.element()) {
            (Some(a), Some(b)) => Rank::of(a).compare(&Rank::of(b)),
            _ => Ordering::Equal,
        });
        content.extend(sets);
        descend_in_order(self, element, content.into_iter(), above)
    }
}

/// A set's place among others: the first set of cluster properties, then by score from high to low. A score that is no
/// number to XPath (a plus in front makes it none) comes last.
struct Rank {
    bootstrap: bool,
    group: u8,
    score: f64,
}

impl Rank {
    fn of(set: &Element) -> Rank {
        let bootstrap = set.name() == "cluster_property_set" && set.id() == Some("cib-bootstrap-options");
        let (group, score) = match set.attr("score") {
            None => (2, 0.0),
            Some("INFINITY" | "+INFINITY") => (0, 0.0),
            Some("-INFINITY") => (4, 0.0),
            Some(text) => match number(text) {
                score if score > 0.0 => (1, score),
                score if score < 0.0 => (3, score),
                score if score.is_nan() => (5, 0.0),
                _ => (2, 0.0),
            },
        };
        Rank { bootstrap, group, score }
    }

    fn compare(&self, other: &Rank) -> Ordering {
        other
            .bootstrap
            .cmp(&self.bootstrap)
            .then(self.group.cmp(&other.group))
            .then(other.score.total_cmp(&self.score))
    }
}

/// A number as XPath reads it: optional minus, digits, optional fraction, blanks around; anything else is none.
fn number(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}
