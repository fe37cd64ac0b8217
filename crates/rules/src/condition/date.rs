// SPDX-License-Identifier: GPL-2.0-or-later
//! Conditions on the time.

use super::{Verdict, require_id, word};
use crate::time::WeekDate;
use crate::{DateTime, RuleError, RuleProblem};
use model::lenient::exact_integer;
use xml::Element;

#[derive(Clone, Copy)]
enum Operation {
    InRange,
    Gt,
    Lt,
    DateSpec,
}

const OPERATIONS: [(&str, Operation); 4] = [
    ("in_range", Operation::InRange),
    ("gt", Operation::Gt),
    ("lt", Operation::Lt),
    ("date_spec", Operation::DateSpec),
];

pub(super) fn verdict(
    expression: &Element,
    now: &DateTime,
    next_change: &mut Option<DateTime>,
) -> Result<Verdict, RuleError> {
    require_id(expression)?;
    let operation = word(expression, "operation", &OPERATIONS, "in_range, gt, lt, date_spec")?;
    match operation.unwrap_or(Operation::InRange) {
        Operation::InRange => in_range(expression, now, next_change),
        Operation::Gt => {
            let start = required_time(expression, "start", now)?;
            if *now > start {
                return Ok(Verdict::Satisfied);
            }
            earlier(next_change, start.plus_seconds(1));
            Ok(Verdict::BeforeRange)
        }
        Operation::Lt => {
            let end = required_time(expression, "end", now)?;
            if *now >= end {
                return Ok(Verdict::AfterRange);
            }
            earlier(next_change, end);
            Ok(Verdict::Satisfied)
        }
        Operation::DateSpec => {
            let spec = expression
                .child("date_spec")
                .ok_or_else(|| RuleProblem::NoChild("date_spec").of(expression))?;
            date_spec(spec, now).map_err(|problem| problem.of(expression))
        }
    }
}

fn earlier(next_change: &mut Option<DateTime>, change: DateTime) {
    if next_change.is_none_or(|known| change < known) {
        *next_change = Some(change);
    }
}

fn time(expression: &Element, name: &'static str, now: &DateTime) -> Result<Option<DateTime>, RuleError> {
    let read = expression.attr(name).map(|text| DateTime::parse(text, now)).transpose();
    read.map_err(|error| RuleProblem::Time { name, error: Box::new(error) }.of(expression))
}

fn required_time(expression: &Element, name: &'static str, now: &DateTime) -> Result<DateTime, RuleError> {
    time(expression, name, now)?.ok_or_else(|| RuleProblem::Missing(name).of(expression))
}

fn in_range(
    expression: &Element,
    now: &DateTime,
    next_change: &mut Option<DateTime>,
) -> Result<Verdict, RuleError> {
    let start = time(expression, "start", now)?;
    let mut end = time(expression, "end", now)?;
    if start.is_none() && end.is_none() {
        return Err(RuleProblem::NoRange.of(expression));
    }
    if end.is_none()
        && let Some(duration) = expression.child("duration")
    {
        let start = start.ok_or_else(|| RuleProblem::NoStart.of(expression))?;
        end = Some(after(duration, start).map_err(|problem| problem.of(expression))?);
    }
    if let Some(start) = start
        && *now < start
    {
        earlier(next_change, start);
        return Ok(Verdict::BeforeRange);
    }
    if let Some(end) = end {
        if *now > end {
            return Ok(Verdict::AfterRange);
        }
        // The end itself is still within.
        earlier(next_change, end.plus_seconds(1));
    }
    Ok(Verdict::Satisfied)
}

/// The end of a `duration` element that begins at a moment: its units are added one after the other.
fn after(duration: &Element, start: DateTime) -> Result<DateTime, RuleProblem> {
    type Plus = fn(&DateTime, i64) -> DateTime;
    const UNITS: [(&str, Plus); 7] = [
        ("years", DateTime::plus_years),
        ("months", DateTime::plus_months),
        ("weeks", |at, weeks| at.plus_days(weeks * 7)),
        ("days", DateTime::plus_days),
        ("hours", |at, hours| at.plus_seconds(hours * 3600)),
        ("minutes", |at, minutes| at.plus_seconds(minutes * 60)),
        ("seconds", DateTime::plus_seconds),
    ];
    if duration.id().is_none_or(str::is_empty) {
        return Err(RuleProblem::NoChild("duration with an id"));
    }
    let mut end = start;
    for (name, plus) in UNITS {
        let Some(text) = duration.attr(name) else { continue };
        let value = || text.to_owned();
        let expected = "a whole number of 32 bits";
        let amount =
            exact_integer(text).ok_or_else(|| RuleProblem::Value { name, value: value(), expected })?;
        if i32::try_from(amount).is_err() {
            return Err(RuleProblem::OutOfRange { name, value: value() });
        }
        end = plus(&end, amount);
    }
    Ok(end)
}

/// Whether a moment is within all ranges of a `date_spec`. Its parts are those of the place it is spoken of in.
fn date_spec(spec: &Element, now: &DateTime) -> Result<Verdict, RuleProblem> {
    if spec.id().is_none_or(str::is_empty) {
        return Err(RuleProblem::NoChild("date_spec with an id"));
    }
    let (year, month, day) = now.calendar();
    let (hour, minute, second) = now.time_of_day();
    let WeekDate { year: week_year, week, weekday } = now.week_date();
    let parts = [
        ("years", year),
        ("months", month),
        ("monthdays", day),
        ("hours", hour),
        ("minutes", minute),
        ("seconds", second),
        ("yeardays", now.ordinal().1),
        ("weekyears", week_year),
        ("weeks", week),
        ("weekdays", weekday),
    ];
    for (name, value) in parts {
        let Some(text) = spec.attr(name) else { continue };
        let (low, high) = range(text).ok_or_else(|| RuleProblem::Value {
            name,
            value: text.to_owned(),
            expected: "a number, or a range such as 1-5, 3- or -7",
        })?;
        if low.is_some_and(|low| value < low) {
            return Ok(Verdict::BeforeRange);
        }
        if high.is_some_and(|high| value > high) {
            return Ok(Verdict::AfterRange);
        }
    }
    Ok(Verdict::Satisfied)
}

/// `5` is 5 to 5; `5-` has no end, `-5` no begin. An end of -1 is none either, as Pacemaker has it.
fn range(text: &str) -> Option<(Option<i64>, Option<i64>)> {
    let number = |text: &str| {
        let digits = text.trim_start_matches(|c: char| matches!(c, ' ' | '\t'..='\r'));
        digits.parse::<i64>().ok()
    };
    match text.split_once('-') {
        None => {
            let only = number(text)?;
            Some((Some(only), Some(only)))
        }
        Some(("", "")) => None,
        Some((low, "")) => Some((Some(number(low)?), None)),
        Some(("", high)) => Some((None, Some(number(high)?).filter(|high| *high != -1))),
        Some((low, high)) => Some((Some(number(low)?), Some(number(high)?).filter(|high| *high != -1))),
    }
}
