// SPDX-License-Identifier: GPL-2.0-or-later
//! Conditions on attributes of nodes.

use super::{Verdict, require_id, word};
use crate::{Input, RuleError, RuleProblem, ValueType, Values};
use std::cmp::Ordering;
use xml::Element;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Defined,
    NotDefined,
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

const OPERATIONS: [(&str, Operation); 8] = [
    ("defined", Operation::Defined),
    ("not_defined", Operation::NotDefined),
    ("eq", Operation::Eq),
    ("ne", Operation::Ne),
    ("lt", Operation::Lt),
    ("lte", Operation::Lte),
    ("gt", Operation::Gt),
    ("gte", Operation::Gte),
];

#[derive(Clone, Copy)]
enum Source {
    Literal,
    Parameter,
    Meta,
}

const SOURCES: [(&str, Source); 3] =
    [("literal", Source::Literal), ("param", Source::Parameter), ("meta", Source::Meta)];

pub(super) fn verdict(expression: &Element, input: &Input<'_>) -> Result<Verdict, RuleError> {
    require_id(expression)?;
    let refused = |problem: RuleProblem| problem.of(expression);
    let name = expression.attr("attribute").ok_or_else(|| refused(RuleProblem::Missing("attribute")))?;
    let expected = "defined, not_defined, eq, ne, lt, lte, gt, gte";
    let operation = word(expression, "operation", &OPERATIONS, expected)?
        .ok_or_else(|| refused(RuleProblem::Missing("operation")))?;
    let source =
        word(expression, "value-source", &SOURCES, "literal, param, meta")?.unwrap_or(Source::Literal);
    let value = expression.attr("value");
    let is_there_at_all = matches!(operation, Operation::Defined | Operation::NotDefined);
    let reference = match value {
        Some(_) if is_there_at_all => {
            let operation = expression.attr("operation").unwrap_or_default().to_owned();
            return Err(refused(RuleProblem::NeedlessValue(operation)));
        }
        None if !is_there_at_all => return Err(refused(RuleProblem::Missing("value"))),
        None => None,
        Some(value) => from_source(value, source, input),
    };
    let name = input.submatches.map_or_else(|| name.to_owned(), |found| found.expand(name));
    let actual = input.node_attributes.and_then(|attributes| attributes.value(&name));
    let stated = word(expression, "type", &ValueType::WORDS, "string, integer, number, version")?;
    let value_type = stated.unwrap_or_else(|| default_type(operation, actual, reference));
    Ok(compare(operation, actual, reference, value_type))
}

fn from_source<'a>(value: &'a str, source: Source, input: &Input<'a>) -> Option<&'a str> {
    let of = |values: Option<&'a dyn Values>| values.and_then(|values| values.value(value));
    match source {
        Source::Literal => Some(value),
        Source::Parameter => of(input.parameters),
        Source::Meta => of(input.meta),
    }
}

/// Greater and less are of numbers, with a point if one of them has one; equal is of text.
fn default_type(operation: Operation, actual: Option<&str>, reference: Option<&str>) -> ValueType {
    let has_point = |value: Option<&str>| value.is_some_and(|value| value.contains('.'));
    match operation {
        Operation::Lt | Operation::Lte | Operation::Gt | Operation::Gte => {
            if has_point(actual) || has_point(reference) { ValueType::Number } else { ValueType::Integer }
        }
        Operation::Defined | Operation::NotDefined | Operation::Eq | Operation::Ne => ValueType::String,
    }
}

fn compare(
    operation: Operation,
    actual: Option<&str>,
    reference: Option<&str>,
    value_type: ValueType,
) -> Verdict {
    // What is not there is less than anything that is; but whether it is less or greater is not asked then.
    let (order, both) = match (actual, reference) {
        (Some(actual), Some(reference)) => (value_type.compare(actual, reference), true),
        (actual, reference) => (actual.is_some().cmp(&reference.is_some()), false),
    };
    let within = |holds: bool, beyond: Verdict| match (both, holds) {
        (true, true) => Verdict::Satisfied,
        (true, false) => beyond,
        (false, _) => Verdict::Unsatisfied,
    };
    match operation {
        Operation::Defined => Verdict::when(actual.is_some()),
        Operation::NotDefined => Verdict::when(actual.is_none()),
        Operation::Eq => Verdict::when(order == Ordering::Equal),
        Operation::Ne => Verdict::when(order != Ordering::Equal),
        Operation::Lt => within(order.is_lt(), Verdict::AfterRange),
        Operation::Lte => within(order.is_le(), Verdict::AfterRange),
        Operation::Gt => within(order.is_gt(), Verdict::BeforeRange),
        Operation::Gte => within(order.is_ge(), Verdict::BeforeRange),
    }
}
