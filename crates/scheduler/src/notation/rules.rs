//! Rules: conditions under which a block or a location applies.
//!
//! Decides: whether a rule passes (Pacemaker Explained, "Rules"). Given: the rule, the time, a node's attributes, a
//! resource's agent, an operation. Leaves to others: what follows from it.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::date::evaluate_date;
use super::nvpairs::resolve;
use super::{integer, interval_ms};
use crate::cluster::Parameters;
use model::WallTime;
use std::cmp::Ordering;
use xml::Element;

/// What rules may ask. What is not known makes the conditions that ask for it fail.
#[derive(Clone, Copy, Default)]
pub struct RuleInput<'a> {
    /// The time.
    pub now: WallTime,
    /// The node's attributes.
    pub node_attributes: Option<&'a Parameters>,
    /// The resource's parameters (for `value-source="param"`).
    pub parameters: Option<&'a Parameters>,
    /// The resource's meta-attributes (for `value-source="meta"`).
    pub meta: Option<&'a Parameters>,
    /// The agent's class.
    pub class: Option<&'a str>,
    /// The agent's provider.
    pub provider: Option<&'a str>,
    /// The agent's name.
    pub agent: Option<&'a str>,
    /// The operation, with its interval in milliseconds.
    pub operation: Option<(&'a str, u64)>,
    /// What `%0` to `%9` in attribute names stand for.
    pub submatches: &'a [&'a str],
}

/// How deep rules may be nested: far deeper than anyone writes them.
const NESTING_MAX: usize = 64;

/// Whether a rule passes. `recheck` is brought forward to the next moment at which that may change.
pub fn evaluate_rule(
    rule: &Element,
    input: &RuleInput<'_>,
    cib: &Element,
    recheck: &mut Option<i64>,
) -> bool {
    evaluate_nested(rule, input, cib, recheck, 0)
}

fn evaluate_nested(
    rule: &Element,
    input: &RuleInput<'_>,
    cib: &Element,
    recheck: &mut Option<i64>,
    depth: usize,
) -> bool {
    let Some(rule) = resolve(rule, cib) else { return false };
    if depth > NESTING_MAX || rule.id().is_none_or(str::is_empty) {
        return false;
    }
    let any = match rule.attr("boolean-op") {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("and") => false,
        Some(word) if word.eq_ignore_ascii_case("or") => true,
        Some(_) => return false,
    };
    let mut empty = true;
    for condition in rule.elements() {
        empty = false;
        let passes = match condition.name() {
            "rule" => evaluate_nested(condition, input, cib, recheck, depth + 1),
            "date_expression" => evaluate_date(condition, input.now, recheck),
            "rsc_expression" => evaluate_resource(condition, input),
            "op_expression" => evaluate_operation(condition, input),
            "expression" => evaluate_attribute(condition, input).unwrap_or(false),
            _ => false,
        };
        if passes == any {
            return passes;
        }
    }
    empty || !any
}

fn evaluate_resource(condition: &Element, input: &RuleInput<'_>) -> bool {
    let matches = |name: &str, actual: Option<&str>| condition.attr(name).is_none_or(|v| Some(v) == actual);
    condition.id().is_some_and(|id| !id.is_empty())
        && matches("class", input.class)
        && matches("provider", input.provider)
        && matches("type", input.agent)
}

fn evaluate_operation(condition: &Element, input: &RuleInput<'_>) -> bool {
    let (Some(name), Some((operation, interval))) = (condition.attr("name"), input.operation) else {
        return false;
    };
    let wanted = condition.attr("interval");
    condition.id().is_some_and(|id| !id.is_empty())
        && name == operation
        && (wanted.is_none() || interval_ms(wanted) == interval)
}

/// `%1` and the like stand for what the pattern in a constraint matched.
fn expand_submatches(name: &str, submatches: &[&str]) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let digit = chars.peek().and_then(|d| d.to_digit(10)).filter(|_| c == '%' && !submatches.is_empty());
        match digit {
            Some(digit) => {
                chars.next();
                out.push_str(submatches.get(digit as usize).copied().unwrap_or_default());
            }
            None => out.push(c),
        }
    }
    out
}

fn evaluate_attribute(condition: &Element, input: &RuleInput<'_>) -> Option<bool> {
    condition.id().filter(|id| !id.is_empty())?;
    let name = expand_submatches(condition.attr("attribute")?, input.submatches);
    let operation = condition.attr("operation")?.to_ascii_lowercase();
    let actual = input.node_attributes.and_then(|a| a.get(name.as_str())).map(|value| &**value);
    let value = condition.attr("value");
    match operation.as_str() {
        "defined" => return value.is_none().then_some(actual.is_some()),
        "not_defined" => return value.is_none().then_some(actual.is_none()),
        _ => {}
    }
    let value = value?;
    let look_up = |table: Option<&'_ Parameters>| table.and_then(|t| t.get(value)).map(|v| v.to_string());
    let reference = match condition.attr("value-source").map(str::to_ascii_lowercase).as_deref() {
        None | Some("literal") => Some(value.to_owned()),
        Some("param") => look_up(input.parameters),
        Some("meta") => look_up(input.meta),
        Some(_) => return None,
    };
    let reference = reference.as_deref();
    let kind = comparison_kind(condition.attr("type"), &operation, actual, reference)?;
    let order = compare(actual, reference, kind);
    let comparable = actual.is_some() && reference.is_some();
    Some(match operation.as_str() {
        "eq" => order == Ordering::Equal,
        "ne" => order != Ordering::Equal,
        "lt" => comparable && order == Ordering::Less,
        "lte" => comparable && order != Ordering::Greater,
        "gt" => comparable && order == Ordering::Greater,
        "gte" => comparable && order != Ordering::Less,
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Kind {
    String,
    Integer,
    Number,
    Version,
}

fn comparison_kind(kind: Option<&str>, operation: &str, a: Option<&str>, b: Option<&str>) -> Option<Kind> {
    Some(match kind.map(str::to_ascii_lowercase).as_deref() {
        None if matches!(operation, "eq" | "ne") => Kind::String,
        None if [a, b].into_iter().flatten().any(|value| value.contains('.')) => Kind::Number,
        None | Some("integer") => Kind::Integer,
        Some("string") => Kind::String,
        Some("number") => Kind::Number,
        Some("version") => Kind::Version,
        Some(_) => return None,
    })
}

fn compare(a: Option<&str>, b: Option<&str>, kind: Kind) -> Ordering {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (a, b) => return a.is_some().cmp(&b.is_some()),
    };
    let as_text = || a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
    match kind {
        Kind::String => as_text(),
        Kind::Integer => match (integer(a), integer(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => as_text(),
        },
        Kind::Number => match (a.trim().parse::<f64>(), b.trim().parse::<f64>()) {
            (Ok(a), Ok(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            _ => as_text(),
        },
        Kind::Version => {
            let numbers = |text: &str| -> Vec<i64> {
                text.split(['.', '-', '+']).map(|part| integer(part).unwrap_or(0)).collect()
            };
            let (mut a, mut b) = (numbers(a), numbers(b));
            let len = a.len().max(b.len());
            a.resize(len, 0);
            b.resize(len, 0);
            a.cmp(&b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn passes(rule: &str, attributes: &[(&str, &str)]) -> bool {
        let attributes = attributes.iter().map(|&(k, v)| (Arc::from(k), Arc::from(v))).collect();
        let input = RuleInput { node_attributes: Some(&attributes), ..RuleInput::default() };
        let rule = xml::parse(rule).unwrap();
        evaluate_rule(&rule, &input, &rule, &mut None)
    }

    #[test]
    fn compares_by_kind() {
        let rule = |op: &str, value: &str, kind: &str| {
            format!(
                "<rule id='r'><expression id='e' attribute='x' operation='{op}' value='{value}' {kind}/></rule>"
            )
        };
        assert!(passes(&rule("gt", "9", ""), &[("x", "10")]));
        assert!(!passes(&rule("gt", "9", "type='string'"), &[("x", "10")]));
        assert!(passes(&rule("lt", "1.10.0", "type='version'"), &[("x", "1.9.3")]));
        assert!(passes(&rule("ne", "a", ""), &[]));
        assert!(!passes(&rule("lt", "5", ""), &[]));
    }

    #[test]
    fn any_and_all() {
        let both = "<expression id='a' attribute='x' operation='defined'/>\
                    <expression id='b' attribute='y' operation='defined'/>";
        let all = format!("<rule id='r'>{both}</rule>");
        let any = format!("<rule id='r' boolean-op='or'>{both}</rule>");
        assert!(!passes(&all, &[("x", "1")]));
        assert!(passes(&any, &[("x", "1")]));
        assert!(passes(&all, &[("x", "1"), ("y", "1")]));
        assert!(!passes(&any, &[]));
    }

    #[test]
    fn nonsense_does_not_pass() {
        assert!(!passes(
            "<rule><expression id='e' attribute='x' operation='defined'/></rule>",
            &[("x", "1")]
        ));
        assert!(!passes("<rule id='r' boolean-op='xor'/>", &[]));
        assert!(!passes(
            "<rule id='r'><expression id='e' attribute='x' operation='like' value='1'/></rule>",
            &[("x", "1")]
        ));
    }
}
