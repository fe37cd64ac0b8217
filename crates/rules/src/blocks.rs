// SPDX-License-Identifier: GPL-2.0-or-later
//! Sets of name/value pairs (`instance_attributes`, `meta_attributes`, `cluster_property_set` and their like): which
//! of them hold, and which of their values wins.

use crate::error::id_of;
use crate::{DateTime, Input, RuleError, RuleProblem, evaluate};
use model::Score;
use model::lenient::parse_score;
use std::collections::BTreeMap;
use std::sync::Arc;
use xml::Element;

/// What came with the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// When rules among them may change for the time alone.
    pub next_change: Option<DateTime>,
    /// What was wrong.
    pub issues: Vec<RuleError>,
}

/// Adds the values of the sets named `set_name` below `parent` to those there are already, which win.
///
/// Sets whose rule is not satisfied do not count. Of the others, the one with the id `first_id` goes first, the rest in
/// the order of their scores, the highest first; of equal ones the last in the document, as Pacemaker has it. What
/// comes first wins. The old value `#default` takes back what an earlier set said.
pub fn unpack_blocks(
    parent: &Element,
    set_name: &str,
    first_id: Option<&str>,
    input: &Input<'_>,
    values: &mut BTreeMap<Arc<str>, Arc<str>>,
) -> Unpacked {
    let mut unpacked = Unpacked::default();
    let mut sets = Vec::new();
    for set in parent.elements_named(set_name).rev() {
        match input.resolve(set) {
            Ok(set) => {
                let is_first = first_id.is_some() && set.id() == first_id;
                sets.push((is_first, score(set, &mut unpacked.issues), set));
            }
            Err(id) => unpacked.issues.push(RuleProblem::Reference(id).ignores(set)),
        }
    }
    // Stable, and from the last in the document to the first.
    sets.sort_by_key(|&(is_first, score, _)| std::cmp::Reverse((is_first, score)));
    for (_, _, set) in sets {
        if holds(set, input, &mut unpacked) {
            add(set, input, values, &mut unpacked.issues);
        }
    }
    unpacked
}

fn score(set: &Element, issues: &mut Vec<RuleError>) -> Score {
    let Some(text) = set.attr("score") else {
        return Score::ZERO;
    };
    parse_score(text).unwrap_or_else(|| {
        issues.push(RuleError::Score { id: id_of(set), value: text.to_owned() });
        Score::ZERO
    })
}

fn holds(set: &Element, input: &Input<'_>, unpacked: &mut Unpacked) -> bool {
    let Some(rule) = set.child("rule") else {
        return true;
    };
    let evaluation = evaluate(rule, input);
    let satisfied = evaluation.is_satisfied();
    unpacked.issues.extend(evaluation.issues);
    unpacked.next_change = match (unpacked.next_change, evaluation.next_change) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    satisfied
}

fn add(
    set: &Element,
    input: &Input<'_>,
    values: &mut BTreeMap<Arc<str>, Arc<str>>,
    issues: &mut Vec<RuleError>,
) {
    // Very old configurations have the pairs one level further down.
    let pairs = set.first_element().filter(|first| first.name() == "attributes").unwrap_or(set);
    for pair in pairs.elements_named("nvpair") {
        let pair = match input.resolve(pair) {
            Ok(pair) => pair,
            Err(id) => {
                issues.push(RuleProblem::Reference(id).ignores(pair));
                continue;
            }
        };
        let (Some(name), Some(value)) = (pair.attr("name"), pair.attr("value")) else {
            continue;
        };
        if value.eq_ignore_ascii_case("#default") {
            issues.push(RuleError::ExplicitDefault { id: id_of(pair), name: name.to_owned() });
            values.remove(name);
        } else if !values.contains_key(name) {
            values.insert(Arc::from(name), Arc::from(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xml::parse;

    const CIB: &str = r##"<cib><configuration><crm_config>
        <cluster_property_set id="low" score="1.5">
            <nvpair id="l1" name="a" value="low"/><nvpair id="l2" name="only" value="low"/>
        </cluster_property_set>
        <cluster_property_set id="high" score="INFINITY">
            <rule id="r" boolean-op="and"><date_expression id="d" operation="lt" end="2020-01-01"/></rule>
            <nvpair id="h1" name="a" value="high"/>
        </cluster_property_set>
        <cluster_property_set id="even-first"><nvpair id="e1" name="b" value="first"/></cluster_property_set>
        <cluster_property_set id="even-last"><nvpair id="e2" name="b" value="last"/></cluster_property_set>
        <cluster_property_set id="boot" score="-5">
            <nvpair id="b1" name="b" value="boot"/><nvpair id-ref="l1"/><nvpair id="b2" name="c" value="#default"/>
        </cluster_property_set>
        <cluster_property_set id="odd" score="much"><nvpair id="o" name="c"/></cluster_property_set>
        <cluster_property_set id-ref="gone"/>
    </crm_config></configuration></cib>"##;

    fn unpack(now: &str, first_id: Option<&str>, known: &[(&str, &str)]) -> (String, Unpacked) {
        let cib = parse(CIB).unwrap();
        let now = DateTime::parse(now, &DateTime::from_epoch(0, 0)).unwrap();
        let input = Input { cib: Some(&cib), ..Input::at(now) };
        let mut values = known.iter().map(|&(name, value)| (Arc::from(name), Arc::from(value))).collect();
        let parent = cib.descend(&["configuration", "crm_config"]).unwrap();
        let unpacked = unpack_blocks(parent, "cluster_property_set", first_id, &input, &mut values);
        let shown: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (shown.join(" "), unpacked)
    }

    #[test]
    fn the_highest_score_wins_while_its_rule_holds() {
        let (values, unpacked) = unpack("2019-12-31", None, &[]);
        assert_eq!(values, "a=high b=last only=low");
        assert_eq!(unpacked.next_change.unwrap().to_string(), "2020-01-01 00:00:00Z");
        let (values, unpacked) = unpack("2020-01-01", None, &[]);
        assert_eq!(values, "a=low b=last only=low");
        assert_eq!(unpacked.next_change, None);
    }

    #[test]
    fn one_set_can_go_first_and_what_is_known_stays() {
        assert_eq!(unpack("2019-12-31", Some("boot"), &[]).0, "a=low b=boot only=low");
        let known = [("a", "known"), ("c", "known")];
        assert_eq!(unpack("2019-12-31", None, &known).0, "a=known b=last only=low");
    }

    #[test]
    fn what_is_wrong_is_reported() {
        let issues: Vec<_> =
            unpack("2019-12-31", None, &[]).1.issues.iter().map(ToString::to_string).collect();
        assert_eq!(
            issues,
            [
                "Ignoring cluster_property_set without id because id-ref 'gone' does not reference a valid object",
                "Using 0 as odd score because 'much' is not a valid score: Bad input value provided",
                "Support for setting meta-attributes (such as c) to the explicit value '#default' is deprecated and will be \
                 removed in a future release",
            ]
        );
    }
}
