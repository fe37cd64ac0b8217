// SPDX-License-Identifier: GPL-2.0-or-later
//! Values while an expression is evaluated, their conversions (XPath 1.0, 3.2 and 4) and comparisons (3.4).

use super::XPathErrorKind;
use super::ast::Comparison;
use super::eval::Budget;
use super::place::Place;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::rc::Rc;

/// Nodes in document order, each once.
#[derive(Debug, Default)]
pub(super) struct NodeSet<'a> {
    places: Vec<Rc<Place<'a>>>,
    /// Their string-values, once they were asked for: a set that is kept is compared with many others.
    texts: OnceCell<BTreeSet<String>>,
}

impl<'a> From<Vec<Rc<Place<'a>>>> for NodeSet<'a> {
    fn from(places: Vec<Rc<Place<'a>>>) -> NodeSet<'a> {
        NodeSet { places, texts: OnceCell::new() }
    }
}

impl<'a> Deref for NodeSet<'a> {
    type Target = [Rc<Place<'a>>];
    fn deref(&self) -> &[Rc<Place<'a>>] {
        &self.places
    }
}

impl NodeSet<'_> {
    fn texts(&self, budget: &Budget) -> Result<&BTreeSet<String>, XPathErrorKind> {
        if let Some(texts) = self.texts.get() {
            return Ok(texts);
        }
        let texts = self.places.iter().map(|place| text_of(place, budget)).collect::<Result<_, _>>()?;
        Ok(self.texts.get_or_init(|| texts))
    }
}

#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Nodes(Rc<NodeSet<'a>>),
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Value<'_> {
    pub fn boolean(&self) -> bool {
        match self {
            Value::Nodes(nodes) => !nodes.is_empty(),
            Value::Text(text) => !text.is_empty(),
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Boolean(truth) => *truth,
        }
    }

    pub fn text(&self, budget: &Budget) -> Result<String, XPathErrorKind> {
        match self {
            Value::Nodes(nodes) => nodes.first().map_or(Ok(String::new()), |place| text_of(place, budget)),
            Value::Text(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number_text(*number)),
            Value::Boolean(truth) => Ok(truth.to_string()),
        }
    }

    pub fn number(&self, budget: &Budget) -> Result<f64, XPathErrorKind> {
        match self {
            Value::Nodes(_) => Ok(text_number(&self.text(budget)?)),
            Value::Text(text) => Ok(text_number(text)),
            Value::Number(number) => Ok(*number),
            Value::Boolean(truth) => Ok(f64::from(u8::from(*truth))),
        }
    }
}

/// The string-value of a node.
pub(super) fn text_of(place: &Place<'_>, budget: &Budget) -> Result<String, XPathErrorKind> {
    let text = place.item.text();
    budget.spend_text(&text)?;
    Ok(text)
}

/// A number as XPath writes it: never with an exponent, whole numbers without a point.
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// The number a text writes, or none: a sign, digits, a point, and blanks around, nothing else.
pub(super) fn text_number(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || whole.len() + part.len() == 0 {
        return f64::NAN;
    }
    text.trim_end_matches('.').parse().unwrap_or(f64::NAN)
}

pub(super) fn compare(
    operator: Comparison,
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &Budget,
) -> Result<bool, XPathErrorKind> {
    match (left, right) {
        (Value::Nodes(_), Value::Boolean(_)) | (Value::Boolean(_), Value::Nodes(_)) => {
            Ok(simple(operator, f64::from(u8::from(left.boolean())), f64::from(u8::from(right.boolean()))))
        }
        (Value::Nodes(a), Value::Nodes(b)) => both(operator, a, b, budget),
        (Value::Nodes(nodes), other) => any(operator, nodes, other, budget),
        (other, Value::Nodes(nodes)) => any(turned(operator), nodes, other, budget),
        _ if matches!(operator, Comparison::Eq | Comparison::Ne) => {
            let equal = match (left, right) {
                (Value::Boolean(_), _) | (_, Value::Boolean(_)) => left.boolean() == right.boolean(),
                (Value::Number(_), _) | (_, Value::Number(_)) => {
                    left.number(budget)? == right.number(budget)?
                }
                _ => left.text(budget)? == right.text(budget)?,
            };
            Ok(equal == (operator == Comparison::Eq))
        }
        _ => Ok(simple(operator, left.number(budget)?, right.number(budget)?)),
    }
}

fn simple<T: PartialOrd>(operator: Comparison, left: T, right: T) -> bool {
    match operator {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => left < right,
        Comparison::Le => left <= right,
        Comparison::Gt => left > right,
        Comparison::Ge => left >= right,
    }
}

fn turned(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

/// Whether any of the nodes compares so with a string or number.
fn any(
    operator: Comparison,
    nodes: &[Rc<Place<'_>>],
    other: &Value<'_>,
    budget: &Budget,
) -> Result<bool, XPathErrorKind> {
    let by_text = matches!((other, operator), (Value::Text(_), Comparison::Eq | Comparison::Ne));
    let (text, number) = (other.text(budget)?, other.number(budget)?);
    for place in nodes {
        let of_node = text_of(place, budget)?;
        let holds = if by_text {
            simple(operator, of_node.as_str(), text.as_str())
        } else {
            simple(operator, text_number(&of_node), number)
        };
        if holds {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether any two nodes, one of each set, compare so; without looking at all pairs.
fn both(
    operator: Comparison,
    left: &NodeSet<'_>,
    right: &NodeSet<'_>,
    budget: &Budget,
) -> Result<bool, XPathErrorKind> {
    let (left, right) = (left.texts(budget)?, right.texts(budget)?);
    if left.is_empty() || right.is_empty() {
        return Ok(false);
    }
    if matches!(operator, Comparison::Eq | Comparison::Ne) {
        let (few, many) = if left.len() <= right.len() { (left, right) } else { (right, left) };
        budget.spend(few.len() as u64)?;
        return Ok(match operator {
            Comparison::Eq => few.iter().any(|text| many.contains(text)),
            // Only if there is but one text in both, and the same, do no two differ.
            _ => many.len() > 1 || few != many,
        });
    }
    budget.spend((left.len() + right.len()) as u64)?;
    // What is no number compares with nothing, and does not count for the least and the greatest.
    let least =
        |texts: &BTreeSet<String>| texts.iter().map(|text| text_number(text)).fold(f64::NAN, f64::min);
    let most = |texts: &BTreeSet<String>| texts.iter().map(|text| text_number(text)).fold(f64::NAN, f64::max);
    Ok(match operator {
        Comparison::Lt | Comparison::Le => simple(operator, least(left), most(right)),
        _ => simple(operator, most(left), least(right)),
    })
}
