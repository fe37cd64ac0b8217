// SPDX-License-Identifier: GPL-2.0-or-later
//! The evaluation of an expression on a tree, within a budget.

use super::XPathErrorKind;
use super::ast::{Arithmetic, Expr, Path, Predicate, Start, Step};
use super::axis::walk;
use super::functions;
use super::place::Place;
use super::value::{NodeSet, Value, compare};
use crate::Element;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

type Places<'a> = Vec<Rc<Place<'a>>>;

/// How much work is left.
pub(super) struct Budget {
    left: Cell<u64>,
    limit: u64,
}

impl Budget {
    pub fn spend(&self, work: u64) -> Result<(), XPathErrorKind> {
        match self.left.get().checked_sub(work) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(XPathErrorKind::TooMuchWork { limit: self.limit }),
        }
    }

    /// What a text costs that was made.
    pub fn spend_text(&self, text: &str) -> Result<(), XPathErrorKind> {
        self.spend(1 + text.len() as u64 / 4)
    }
}

/// The node an expression is evaluated at.
pub(super) struct Context<'c, 'a> {
    pub place: &'c Rc<Place<'a>>,
    /// From 1.
    pub position: usize,
    pub size: usize,
}

pub(super) struct Evaluator<'a> {
    pub document: Rc<Place<'a>>,
    /// The place that is none, see [`Origin::Nowhere`].
    nowhere: Rc<Place<'a>>,
    pub budget: Budget,
    kept: RefCell<Vec<Option<Rc<NodeSet<'a>>>>>,
}

/// Where an expression itself (not what is in its predicates) is evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// At the document.
    Document,
    /// At no node, as Pacemaker does it: a path that does not begin at the document leads to nothing.
    Nowhere,
}

pub(super) fn evaluate<'a>(
    expr: &Expr,
    slots: usize,
    root: &'a Element,
    origin: Origin,
    work: u64,
) -> Result<Value<'a>, XPathErrorKind> {
    let evaluator = Evaluator {
        document: Place::document(root),
        nowhere: Place::document(root),
        budget: Budget { left: Cell::new(work), limit: work },
        kept: RefCell::new(vec![None; slots]),
    };
    let place = match origin {
        Origin::Document => &evaluator.document,
        Origin::Nowhere => &evaluator.nowhere,
    };
    evaluator.value(expr, &Context { place, position: 1, size: 1 })
}

impl<'a> Evaluator<'a> {
    pub fn value(&self, expr: &Expr, context: &Context<'_, 'a>) -> Result<Value<'a>, XPathErrorKind> {
        self.budget.spend(1)?;
        let number = |expr: &Expr| self.value(expr, context)?.number(&self.budget);
        Ok(match expr {
            Expr::Or(of) => Value::Boolean(self.first(of, context, true)?),
            Expr::And(of) => Value::Boolean(!self.first(of, context, false)?),
            Expr::Union(of) => {
                let mut all = Vec::new();
                for part in of {
                    all.extend(self.nodes(part, context)?.iter().cloned());
                }
                Value::Nodes(Rc::new(self.in_order(all)?.into()))
            }
            Expr::Compare(operator, left, right) => {
                let (left, right) = (self.value(left, context)?, self.value(right, context)?);
                Value::Boolean(compare(*operator, &left, &right, &self.budget)?)
            }
            Expr::Arithmetic(operator, left, right) => {
                let (left, right) = (number(left)?, number(right)?);
                Value::Number(match operator {
                    Arithmetic::Add => left + right,
                    Arithmetic::Subtract => left - right,
                    Arithmetic::Multiply => left * right,
                    Arithmetic::Divide => left / right,
                    Arithmetic::Remainder => left % right,
                })
            }
            Expr::Negate(of) => Value::Number(-number(of)?),
            Expr::Literal(text) => Value::Text(text.clone()),
            Expr::Number(number) => Value::Number(*number),
            Expr::Call(function, arguments) => functions::call(self, *function, arguments, context)?,
            Expr::Path(path) => Value::Nodes(self.path(path, context)?),
            Expr::AttributeIs(wanted) => {
                Value::Boolean(context.place.item.attr(&wanted.name) == Some(&wanted.value))
            }
        })
    }

    /// The nodes of an expression that is known to give nodes.
    pub fn nodes(&self, expr: &Expr, context: &Context<'_, 'a>) -> Result<Rc<NodeSet<'a>>, XPathErrorKind> {
        Ok(match self.value(expr, context)? {
            Value::Nodes(nodes) => nodes,
            Value::Text(_) | Value::Number(_) | Value::Boolean(_) => Rc::default(),
        })
    }

    /// Whether any of the expressions is as wanted; those after it are not looked at.
    fn first(&self, of: &[Expr], context: &Context<'_, 'a>, wanted: bool) -> Result<bool, XPathErrorKind> {
        for expr in of {
            if self.value(expr, context)?.boolean() == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn path(&self, path: &Path, context: &Context<'_, 'a>) -> Result<Rc<NodeSet<'a>>, XPathErrorKind> {
        match &path.start {
            Start::Context if Rc::ptr_eq(context.place, &self.nowhere) => Ok(Rc::new(Vec::new().into())),
            Start::Context => Ok(Rc::new(self.steps(vec![Rc::clone(context.place)], &path.steps)?.into())),
            Start::Document { slot } => {
                if let Some(Some(nodes)) = self.kept.borrow().get(*slot) {
                    return Ok(Rc::clone(nodes));
                }
                let nodes = Rc::new(self.steps(vec![Rc::clone(&self.document)], &path.steps)?.into());
                if let Some(kept) = self.kept.borrow_mut().get_mut(*slot) {
                    *kept = Some(Rc::clone(&nodes));
                }
                Ok(nodes)
            }
            Start::Filter { primary, predicates } => {
                let mut nodes = self.nodes(primary, context)?.to_vec();
                self.budget.spend(nodes.len() as u64)?;
                self.filter(&mut nodes, 0, predicates)?;
                Ok(Rc::new(self.steps(nodes, &path.steps)?.into()))
            }
        }
    }

    fn steps(&self, mut nodes: Places<'a>, steps: &[Step]) -> Result<Places<'a>, XPathErrorKind> {
        for step in steps {
            let mut next = Vec::new();
            for place in &nodes {
                let first = next.len();
                walk(place, step, &self.budget, &mut next)?;
                self.filter(&mut next, first, &step.predicates)?;
                if step.axis.is_reverse() {
                    next.get_mut(first..).unwrap_or_default().reverse();
                }
            }
            nodes = if nodes.len() > 1 { self.in_order(next)? } else { next };
        }
        Ok(nodes)
    }

    /// Drops the nodes from `first` on for which a predicate does not hold.
    fn filter(
        &self,
        nodes: &mut Places<'a>,
        first: usize,
        predicates: &[Predicate],
    ) -> Result<(), XPathErrorKind> {
        for predicate in predicates {
            let candidates = nodes.split_off(first);
            let size = candidates.len();
            for (index, place) in candidates.into_iter().enumerate() {
                let context = Context { place: &place, position: index + 1, size };
                let holds = match self.value(&predicate.expr, &context)? {
                    Value::Number(number) => number == context.position as f64,
                    other => other.boolean(),
                };
                if holds {
                    nodes.push(place);
                }
            }
        }
        Ok(())
    }

    /// Puts nodes into document order, each once.
    pub fn in_order(&self, nodes: Places<'a>) -> Result<Places<'a>, XPathErrorKind> {
        self.budget.spend(nodes.len() as u64)?;
        if nodes.is_sorted_by(|a, b| a.is_before(b)) {
            return Ok(nodes);
        }
        let mut with_ways = Vec::with_capacity(nodes.len());
        for place in nodes {
            let way = place.way();
            self.budget.spend(2 * way.len() as u64 + 4)?;
            with_ways.push((way, place));
        }
        with_ways.sort_by(|(a, _), (b, _)| a.cmp(b));
        with_ways.dedup_by(|(a, _), (b, _)| a == b);
        Ok(with_ways.into_iter().map(|(_, place)| place).collect())
    }
}
