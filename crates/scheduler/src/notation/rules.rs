// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules and the blocks they govern, as the scheduler asks crate `rules` about them.
//!
//! Decides: that times without an offset are UTC, since the scheduler reads no time zone; and that of what rules tell
//! about the time to come only the next change counts. Given: the time, the CIB. Leaves to others: all that rules mean.

use crate::cluster::Parameters;
use model::WallTime;
use rules::{DateTime, Input, RuleError, evaluate};
use xml::Element;

fn date_time(now: WallTime) -> DateTime {
    DateTime::from_wall(now, 0)
}

/// What rules are judged by as long as nothing but the time is known.
pub fn rule_input(now: WallTime, cib: &Element) -> Input<'_> {
    Input { cib: Some(cib), ..Input::at(date_time(now)) }
}

/// Seconds since the epoch of an ISO 8601 date and time.
pub fn parse_moment(text: &str, now: WallTime) -> Option<i64> {
    DateTime::parse(text, &date_time(now)).ok().map(|moment| moment.epoch_s())
}

/// What rules tell besides their answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleNews {
    /// When they may answer otherwise, in seconds since the epoch.
    pub recheck: Option<i64>,
    /// What is wrong in them, and in the sets of values that they govern.
    pub issues: Vec<RuleError>,
}

impl RuleNews {
    /// Nothing but the moment at which answers are known to change.
    pub fn since(recheck: Option<i64>) -> RuleNews {
        RuleNews { recheck, issues: Vec::new() }
    }

    fn add(&mut self, next_change: Option<DateTime>, issues: Vec<RuleError>) {
        if let Some(when) = next_change.map(|change| change.epoch_s())
            && self.recheck.is_none_or(|known| when < known)
        {
            self.recheck = Some(when);
        }
        self.issues.extend(issues);
    }
}

/// Whether a rule passes. `news` gets the next moment at which that may change, and what is wrong.
pub fn evaluate_rule(rule: &Element, input: &Input<'_>, news: &mut RuleNews) -> bool {
    let evaluation = evaluate(rule, input);
    let satisfied = evaluation.is_satisfied();
    news.add(evaluation.next_change, evaluation.issues);
    satisfied
}

/// Adds the values of all blocks of a name that apply to `values`, where they are not set already. `news` gets the next
/// moment at which others may apply, and what is wrong.
pub fn unpack_blocks(
    parent: &Element,
    block: &str,
    input: &Input<'_>,
    news: &mut RuleNews,
    values: &mut Parameters,
) {
    unpack_blocks_after(None, parent, block, input, news, values);
}

/// The same, but the block of an id comes first whatever its score.
pub fn unpack_blocks_after(
    first_id: Option<&str>,
    parent: &Element,
    block: &str,
    input: &Input<'_>,
    news: &mut RuleNews,
    values: &mut Parameters,
) {
    let unpacked = rules::unpack_blocks(parent, block, first_id, input, values);
    news.add(unpacked.next_change, unpacked.issues);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// 2005-01-20 00:00:00Z.
    const START_S: i64 = 1_106_179_200;

    fn block() -> Element {
        let text = "<r><meta_attributes id='m'><nvpair id='p' name='a' value='1'/><rule id='x'>\
                    <date_expression id='d' start='2005-01-20' end='2005-01-21'/></rule></meta_attributes></r>";
        xml::parse(text).unwrap()
    }

    #[test]
    fn blocks_tell_when_to_look_again() {
        let block = block();
        for (now, known, applies, expected) in [
            (START_S - 1, None, false, Some(START_S)),
            (START_S - 1, Some(START_S - 1), false, Some(START_S - 1)),
            (START_S, Some(i64::MAX), true, Some(START_S + 86_401)),
            (START_S + 86_401, None, false, None),
        ] {
            let input = rule_input(WallTime::from_secs(now), &block);
            let (mut news, mut values) = (RuleNews::since(known), Parameters::new());
            unpack_blocks(&block, "meta_attributes", &input, &mut news, &mut values);
            assert_eq!((news.recheck, values.contains_key("a")), (expected, applies), "{now}");
            let mut news = RuleNews::since(known);
            let rule = block.descendants().find(|element| element.name() == "rule").unwrap();
            assert_eq!(evaluate_rule(rule, &input, &mut news), applies, "{now}");
            assert_eq!(news, RuleNews::since(expected), "{now}");
        }
    }

    #[test]
    fn what_is_known_stays() {
        let block = block();
        let mut values = Parameters::from([(Arc::from("a"), Arc::from("0"))]);
        let input = rule_input(WallTime::from_secs(START_S), &block);
        unpack_blocks(&block, "meta_attributes", &input, &mut RuleNews::default(), &mut values);
        assert_eq!(values.get("a").map(|value| &**value), Some("0"));
    }

    #[test]
    fn moments_without_an_offset_are_utc() {
        for text in ["2005-01-20", "2005-020", "2005-01-20 00:00", "2005-01-20T02:00+02:00"] {
            assert_eq!(parse_moment(text, WallTime::from_secs(0)), Some(START_S), "{text}");
        }
        assert_eq!(parse_moment("today", WallTime::from_secs(0)), None);
    }
}
