//! What an expression finds in a tree.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::Found;
use super::parse::{Axis, Comparison, Expression, Function, Start, Step, Test};
use crate::{Element, Name, Node};

/// A node by its place. The document itself is above the root element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Document,
    /// An element, comment or text; the path is that of [`Found`].
    Node(Vec<usize>),
    /// An attribute, by its element and its position there.
    Attribute(Vec<usize>, usize),
}

enum Value {
    Nodes(Vec<Place>),
    Text(String),
    Number(f64),
    Boolean(bool),
}

#[derive(Clone, Copy)]
struct Context<'a> {
    root: &'a Element,
    here: &'a Place,
    position: usize,
    size: usize,
}

/// A node below (or at) the root, as a reference.
enum NodeRef<'a> {
    Element(&'a Element),
    Other(&'a Node),
}

pub(super) fn nodes(expression: &Expression, root: &Element) -> Vec<Found> {
    let context = Context { root, here: &Place::Document, position: 1, size: 1 };
    let Value::Nodes(places) = evaluate(expression, context) else { return Vec::new() };
    let found = |place| match place {
        Place::Document => None,
        Place::Node(path) => Some(Found { path, attribute: None }),
        Place::Attribute(path, index) => {
            let attribute = element_at(root, &path)?.attributes().get(index)?.name().clone();
            Some(Found { path, attribute: Some(attribute) })
        }
    };
    places.into_iter().filter_map(found).collect()
}

pub(super) fn element_at<'a>(root: &'a Element, path: &[usize]) -> Option<&'a Element> {
    path.iter().try_fold(root, |element, &index| element.children().get(index)?.element())
}

fn node_ref<'a>(root: &'a Element, path: &[usize]) -> Option<NodeRef<'a>> {
    let Some((&last, parents)) = path.split_last() else { return Some(NodeRef::Element(root)) };
    Some(match element_at(root, parents)?.children().get(last)? {
        Node::Element(element) => NodeRef::Element(element),
        other => NodeRef::Other(other),
    })
}

/// The node at a path.
#[cfg(test)]
pub(super) fn node_at(root: &Element, path: &[usize]) -> Option<Node> {
    Some(match node_ref(root, path)? {
        NodeRef::Element(element) => Node::Element(element.clone()),
        NodeRef::Other(node) => node.clone(),
    })
}

fn evaluate(expression: &Expression, context: Context<'_>) -> Value {
    let number = |e: &Expression| to_number(&evaluate(e, context), context.root);
    let boolean = |e: &Expression| to_boolean(&evaluate(e, context));
    match expression {
        Expression::Or(a, b) => Value::Boolean(boolean(a) || boolean(b)),
        Expression::And(a, b) => Value::Boolean(boolean(a) && boolean(b)),
        Expression::Compare(how, a, b) => {
            Value::Boolean(compare(*how, &evaluate(a, context), &evaluate(b, context), context.root))
        }
        Expression::Add(a, b) => Value::Number(number(a) + number(b)),
        Expression::Subtract(a, b) => Value::Number(number(a) - number(b)),
        Expression::Negate(inner) => Value::Number(-number(inner)),
        Expression::Union(a, b) => {
            let mut all = places(a, context);
            all.extend(places(b, context));
            Value::Nodes(in_order(all))
        }
        Expression::Text(text) => Value::Text(text.clone()),
        Expression::Number(number) => Value::Number(*number),
        Expression::Call(function, arguments) => call(*function, arguments, context),
        Expression::Path { from, steps } => {
            let start = match from {
                Start::Here => vec![context.here.clone()],
                Start::Document => vec![Place::Document],
                Start::Found(inner, predicates) => keep(places(inner, context), predicates, context.root),
            };
            let walk = |at, step| take_step(at, step, context.root);
            Value::Nodes(steps.iter().fold(start, walk))
        }
    }
}

fn places(expression: &Expression, context: Context<'_>) -> Vec<Place> {
    match evaluate(expression, context) {
        Value::Nodes(places) => places,
        Value::Text(_) | Value::Number(_) | Value::Boolean(_) => Vec::new(),
    }
}

fn in_order(mut places: Vec<Place>) -> Vec<Place> {
    places.sort();
    places.dedup();
    places
}

fn take_step(from: Vec<Place>, step: &Step, root: &Element) -> Vec<Place> {
    let mut all = Vec::new();
    for place in &from {
        let candidates = along(step.axis, place, root);
        let passed = candidates.into_iter().filter(|place| passes(&step.test, step.axis, place, root));
        all.extend(keep(passed.collect(), &step.predicates, root));
    }
    in_order(all)
}

fn along(axis: Axis, place: &Place, root: &Element) -> Vec<Place> {
    match axis {
        Axis::Itself => vec![place.clone()],
        Axis::Child => children(place, root),
        Axis::Descendant | Axis::DescendantOrSelf => {
            let mut all = Vec::new();
            if axis == Axis::DescendantOrSelf {
                all.push(place.clone());
            }
            below(place, root, &mut all);
            all
        }
        Axis::Parent => match place {
            Place::Document => Vec::new(),
            Place::Node(path) => match path.split_last() {
                None => vec![Place::Document],
                Some((_, parent)) => vec![Place::Node(parent.to_vec())],
            },
            Place::Attribute(path, _) => vec![Place::Node(path.clone())],
        },
        Axis::Attribute => match place {
            Place::Node(path) => {
                let count = element_at(root, path).map_or(0, |element| element.attributes().len());
                (0..count).map(|index| Place::Attribute(path.clone(), index)).collect()
            }
            Place::Document | Place::Attribute(..) => Vec::new(),
        },
    }
}

fn children(place: &Place, root: &Element) -> Vec<Place> {
    match place {
        Place::Document => vec![Place::Node(Vec::new())],
        Place::Node(path) => {
            let count = element_at(root, path).map_or(0, |element| element.children().len());
            let child = |index| {
                let mut path = path.clone();
                path.push(index);
                Place::Node(path)
            };
            (0..count).map(child).collect()
        }
        Place::Attribute(..) => Vec::new(),
    }
}

// Recursion is bounded by the depth that the parser of documents accepts.
fn below(place: &Place, root: &Element, all: &mut Vec<Place>) {
    for child in children(place, root) {
        all.push(child.clone());
        below(&child, root, all);
    }
}

fn passes(test: &Test, axis: Axis, place: &Place, root: &Element) -> bool {
    let named = |wanted: Option<&str>| match place {
        Place::Document => false,
        Place::Attribute(..) => {
            axis == Axis::Attribute && wanted.is_none_or(|name| name_of(place, root).as_deref() == Some(name))
        }
        Place::Node(path) => {
            element_at(root, path).is_some_and(|element| wanted.is_none_or(|name| element.name() == name))
        }
    };
    let other = |matches: fn(&Node) -> bool| match place {
        Place::Node(path) => matches!(node_ref(root, path), Some(NodeRef::Other(node)) if matches(node)),
        Place::Document | Place::Attribute(..) => false,
    };
    match test {
        Test::AnyNode => true,
        Test::AnyName => named(None),
        Test::Name(name) => named(Some(name)),
        Test::Comment => other(|node| matches!(node, Node::Comment(_))),
        Test::Text => other(|node| matches!(node, Node::Text(_))),
    }
}

/// Those of which every predicate holds. A predicate that is a number is a position.
fn keep(places: Vec<Place>, predicates: &[Expression], root: &Element) -> Vec<Place> {
    predicates.iter().fold(places, |places, predicate| {
        let size = places.len();
        let holds = |(index, place): &(usize, Place)| {
            let context = Context { root, here: place, position: index + 1, size };
            match evaluate(predicate, context) {
                #[allow(clippy::cast_precision_loss)]
                Value::Number(number) => number == context.position as f64,
                other => to_boolean(&other),
            }
        };
        places.into_iter().enumerate().filter(holds).map(|(_, place)| place).collect()
    })
}

fn name_of(place: &Place, root: &Element) -> Option<Name> {
    match place {
        Place::Document => None,
        Place::Node(path) => element_at(root, path).map(|element| element.name_shared().clone()),
        Place::Attribute(path, index) => {
            Some(element_at(root, path)?.attributes().get(*index)?.name().clone())
        }
    }
}

/// The string-value of a node: an attribute's value, a comment's text, all text below an element.
fn text_of(place: &Place, root: &Element) -> String {
    let below = |element: &Element| element.descendants().map(Element::text).collect();
    match place {
        Place::Document => below(root),
        Place::Attribute(path, index) => {
            let attribute = element_at(root, path).and_then(|element| element.attributes().get(*index));
            attribute.map(|attribute| attribute.value().to_owned()).unwrap_or_default()
        }
        Place::Node(path) => match node_ref(root, path) {
            Some(NodeRef::Element(element)) => below(element),
            Some(NodeRef::Other(Node::Comment(text) | Node::Text(text))) => text.to_string(),
            Some(NodeRef::Other(Node::Element(_))) | None => String::new(),
        },
    }
}

fn call(function: Function, arguments: &[Expression], context: Context<'_>) -> Value {
    let root = context.root;
    let value = |index: usize| match arguments.get(index) {
        Some(argument) => evaluate(argument, context),
        None => Value::Nodes(vec![context.here.clone()]),
    };
    let text = |index: usize| to_text(&value(index), root);
    #[allow(clippy::cast_precision_loss)]
    let count = |n: usize| Value::Number(n as f64);
    match function {
        Function::Last => count(context.size),
        Function::Position => count(context.position),
        Function::Count => match value(0) {
            Value::Nodes(nodes) => count(nodes.len()),
            Value::Text(_) | Value::Number(_) | Value::Boolean(_) => count(0),
        },
        Function::Name => match value(0) {
            Value::Nodes(nodes) => {
                let name = nodes.first().and_then(|place| name_of(place, root));
                Value::Text(name.map(|name| name.to_string()).unwrap_or_default())
            }
            Value::Text(_) | Value::Number(_) | Value::Boolean(_) => Value::Text(String::new()),
        },
        Function::Text => Value::Text(text(0)),
        Function::Concat => Value::Text((0..arguments.len()).map(text).collect()),
        Function::StartsWith => Value::Boolean(text(0).starts_with(&text(1))),
        Function::Contains => Value::Boolean(text(0).contains(&text(1))),
        Function::Length => count(text(0).chars().count()),
        Function::Normalize => Value::Text(text(0).split_whitespace().collect::<Vec<_>>().join(" ")),
        Function::Boolean => Value::Boolean(to_boolean(&value(0))),
        Function::Not => Value::Boolean(!to_boolean(&value(0))),
        Function::True => Value::Boolean(true),
        Function::False => Value::Boolean(false),
        Function::Number => Value::Number(to_number(&value(0), root)),
    }
}

fn to_boolean(value: &Value) -> bool {
    match value {
        Value::Nodes(nodes) => !nodes.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::Boolean(boolean) => *boolean,
    }
}

fn to_text(value: &Value, root: &Element) -> String {
    match value {
        Value::Nodes(nodes) => nodes.first().map(|place| text_of(place, root)).unwrap_or_default(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
    }
}

fn to_number(value: &Value, root: &Element) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Boolean(boolean) => f64::from(u8::from(*boolean)),
        Value::Nodes(_) | Value::Text(_) => to_text(value, root).trim().parse().unwrap_or(f64::NAN),
    }
}

/// A node set compares as its members do: one that fits is enough.
fn compare(how: Comparison, a: &Value, b: &Value, root: &Element) -> bool {
    match (a, b) {
        (Value::Boolean(_), _) | (_, Value::Boolean(_)) => {
            let number = |value: &Value| f64::from(u8::from(to_boolean(value)));
            compare_numbers(how, number(a), number(b))
        }
        (Value::Nodes(nodes), other) => nodes.iter().any(|place| {
            let member = Value::Text(text_of(place, root));
            compare(how, &member, other, root)
        }),
        (other, Value::Nodes(nodes)) => nodes.iter().any(|place| {
            let member = Value::Text(text_of(place, root));
            compare(how, other, &member, root)
        }),
        (Value::Text(a), Value::Text(b)) if how == Comparison::Equal => a == b,
        (Value::Text(a), Value::Text(b)) if how == Comparison::NotEqual => a != b,
        _ => compare_numbers(how, to_number(a, root), to_number(b, root)),
    }
}

fn compare_numbers(how: Comparison, a: f64, b: f64) -> bool {
    match how {
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
    }
}
