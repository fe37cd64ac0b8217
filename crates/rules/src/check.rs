// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a rule of a CIB is in effect at a moment, for those who ask from outside (`crm_rule`).

use crate::{DateTime, Evaluation, Input, evaluate};
use model::ExitCode;
use std::collections::BTreeMap;
use xml::Element;

/// Why the question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckRefusal {
    /// There is no such rule.
    #[error("Rule not found")]
    NotFound,
    /// There are several, which the schema forbids.
    #[error("Found more than one rule with matching ID")]
    Ambiguous,
    /// The time is not among its conditions, and nothing but the time is known here.
    #[error("Rule does not have a date expression")]
    NoDate,
    /// How they are joined would matter.
    #[error("Rule has more than one date expression")]
    SeveralDates,
    /// Whether it is before or after such a date would not be known.
    #[error("Rule must either not use date_spec, or use date_spec with years=")]
    NoYears,
}

impl CheckRefusal {
    /// How tools tell it.
    pub const fn exit_code(self) -> ExitCode {
        match self {
            CheckRefusal::NotFound => ExitCode::NOSUCH,
            CheckRefusal::Ambiguous => ExitCode::MULTIPLE,
            CheckRefusal::NoDate | CheckRefusal::SeveralDates | CheckRefusal::NoYears => {
                ExitCode::UNIMPLEMENT_FEATURE
            }
        }
    }
}

/// What came of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Of its date expression.
    pub evaluation: Evaluation,
    /// That has a begin or an end, so that "still" and "no more" can be said of it; a `date_spec` may come again.
    pub is_range: bool,
}

/// The rules of a CIB by their ids, so that many can be asked for.
pub struct Checker<'c> {
    cib: &'c Element,
    /// None for an id that several have.
    rules: BTreeMap<&'c str, Option<&'c Element>>,
}

impl<'c> Checker<'c> {
    /// Finds all rules of a CIB.
    pub fn of(cib: &'c Element) -> Checker<'c> {
        let mut rules = BTreeMap::new();
        for rule in cib.descendants().filter(|element| element.name() == "rule") {
            if let Some(id) = rule.id() {
                rules.entry(id).and_modify(|known| *known = None).or_insert(Some(rule));
            }
        }
        Checker { cib, rules }
    }

    /// Judges the one date expression of the rule with an id, wherever in the CIB that rule is.
    pub fn check(&self, rule_id: &str, now: &DateTime) -> Result<Checked, CheckRefusal> {
        let rule = self.rules.get(rule_id).ok_or(CheckRefusal::NotFound)?;
        check(self.cib, rule.ok_or(CheckRefusal::Ambiguous)?, now)
    }
}

fn check(cib: &Element, rule: &Element, now: &DateTime) -> Result<Checked, CheckRefusal> {
    let mut dates = rule.descendants().filter(|e| e.name() == "date_expression");
    let date = dates.next().ok_or(CheckRefusal::NoDate)?;
    if dates.next().is_some() {
        return Err(CheckRefusal::SeveralDates);
    }
    let has_years = |spec: &Element| spec.attr("years").is_some();
    let is_known = match date.attr("operation") {
        Some("date_spec") => date.elements_named("date_spec").any(has_years),
        Some(_) => true,
        // It is `in_range` then, but Pacemaker's check looks for the word.
        None => false,
    };
    if !is_known {
        return Err(CheckRefusal::NoYears);
    }
    let is_range =
        date.attr("operation").is_none_or(|operation| !operation.eq_ignore_ascii_case("date_spec"));
    Ok(Checked { evaluation: evaluate(date, &Input { cib: Some(cib), ..Input::at(*now) }), is_range })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    #[test]
    fn rules_are_found_and_judged() {
        let cib = xml::parse(
            r#"<cib><configuration><constraints><rsc_location id="l" rsc="r">
            <rule id="past"><date_expression id="d1" operation="lt" end="2019-01-01"/></rule>
            <rule id="future"><rule id="inner"><date_expression id="d2" operation="gt" start="2099-01-01"/></rule></rule>
            <rule id="years"><date_expression id="d3" operation="date_spec"><date_spec id="s" years="2020-2021"/></date_expression></rule>
            <rule id="hours"><date_expression id="d4" operation="date_spec"><date_spec id="s2" hours="1"/></date_expression></rule>
            <rule id="two"><date_expression id="d5" operation="gt" start="2019-01-01"/><date_expression id="d6" end="2019-01-01"/></rule>
            <rule id="unsaid"><date_expression id="d8" end="2019-01-01"/></rule>
            <rule id="large"><date_expression id="d9" operation="in_range" start="2019-01-01"><duration id="u" years="9999999999"/></date_expression></rule>
            <rule id="none"><expression id="e" attribute="x" operation="defined"/></rule>
            <rule id="wrong"><date_expression id="d7" operation="gt" start="soon"/></rule>
            <rule id="twice"/><rule id="twice"/>
            </rsc_location></constraints></configuration></cib>"#,
        )
        .unwrap();
        let now = DateTime::parse("2020-06-01", &DateTime::from_epoch(0, 0)).unwrap();
        let checker = Checker::of(&cib);
        let verdict = |id: &str| checker.check(id, &now).map(|checked| checked.evaluation.verdict);
        assert_eq!(verdict("past"), Ok(Verdict::AfterRange));
        assert_eq!(verdict("future"), Ok(Verdict::BeforeRange));
        assert_eq!(verdict("years"), Ok(Verdict::Satisfied));
        assert_eq!(verdict("hours"), Err(CheckRefusal::NoYears));
        assert_eq!(verdict("two"), Err(CheckRefusal::SeveralDates));
        assert_eq!(verdict("none"), Err(CheckRefusal::NoDate));
        assert_eq!(verdict("wrong"), Ok(Verdict::Invalid));
        assert_eq!(verdict("unsaid"), Err(CheckRefusal::NoYears));
        let code = |id: &str| checker.check(id, &now).unwrap().evaluation.exit_code().value();
        assert_eq!(["past", "wrong", "large"].map(code), [110, 78, 1]);
        let is_range = |id: &str| checker.check(id, &now).unwrap().is_range;
        assert!(is_range("past") && !is_range("years"));
        assert_eq!(verdict("twice"), Err(CheckRefusal::Ambiguous));
        assert_eq!(verdict("gone"), Err(CheckRefusal::NotFound));
        let codes = [Verdict::Satisfied, Verdict::BeforeRange, Verdict::AfterRange, Verdict::Unsatisfied];
        assert_eq!(codes.map(|verdict| verdict.exit_code().value()), [0, 111, 110, 113]);
    }
}
