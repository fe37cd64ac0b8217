// SPDX-License-Identifier: GPL-2.0-or-later
//! Conditions on the resource's agent, and on the operation.

use super::{Verdict, require_id};
use crate::{Input, RuleError, RuleProblem};
use model::lenient::exact_interval;
use xml::Element;

/// Of the agent only what is asked for has to fit.
pub(super) fn verdict(expression: &Element, input: &Input<'_>) -> Result<Verdict, RuleError> {
    require_id(expression)?;
    let fits = [("class", input.standard), ("provider", input.provider), ("type", input.agent)]
        .into_iter()
        .all(|(name, actual)| expression.attr(name).is_none_or(|wanted| actual == Some(wanted)));
    Ok(Verdict::when(fits))
}

/// Without an interval, an operation of any interval fits.
pub(super) fn operation_verdict(expression: &Element, input: &Input<'_>) -> Result<Verdict, RuleError> {
    require_id(expression)?;
    let name = expression.attr("name").ok_or_else(|| RuleProblem::Missing("name").of(expression))?;
    let interval = match expression.attr("interval") {
        None => None,
        Some(text) => Some(exact_interval(text).ok_or_else(|| {
            let expected = "a number with s, ms, us, min, h or no unit, or an ISO 8601 duration";
            RuleProblem::Value { name: "interval", value: text.to_owned(), expected }.of(expression)
        })?),
    };
    let fits = input.operation.is_some_and(|(actual_name, actual_interval)| {
        actual_name == name && interval.is_none_or(|interval| interval == actual_interval)
    });
    Ok(Verdict::when(fits))
}
