// SPDX-License-Identifier: GPL-2.0-or-later
//! What an expression is made of, once read.

use super::functions::Function;
use std::fmt;

/// The four sorts of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A set of nodes.
    Nodes,
    /// A text.
    String,
    /// A number.
    Number,
    /// A truth.
    Boolean,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Nodes => "set of nodes",
            Kind::String => "string",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `or`, `and` and `|` take any number of operands, so that long lists of them do not nest.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Union(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Literal(String),
    Number(f64),
    Call(Function, Vec<Expr>),
    Path(Box<Path>),
    /// `@name = 'value'`, by far the most frequent condition; needs no node-set to be decided.
    AttributeIs(AttributeIs),
}

#[derive(Clone, Debug)]
pub(super) struct AttributeIs {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug)]
pub(super) struct Path {
    pub start: Start,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Start {
    /// The context node.
    Context,
    /// The document. The result is the same wherever in an evaluation it is asked for, so it is kept in this slot.
    Document { slot: usize },
    /// The result of another expression, filtered.
    Filter { primary: Expr, predicates: Vec<Predicate> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Namespace,
    Parent,
    Preceding,
    PrecedingSibling,
    SelfNode,
}

impl Axis {
    pub const NAMES: [(&'static str, Axis); 13] = [
        ("ancestor", Axis::Ancestor),
        ("ancestor-or-self", Axis::AncestorOrSelf),
        ("attribute", Axis::Attribute),
        ("child", Axis::Child),
        ("descendant", Axis::Descendant),
        ("descendant-or-self", Axis::DescendantOrSelf),
        ("following", Axis::Following),
        ("following-sibling", Axis::FollowingSibling),
        ("namespace", Axis::Namespace),
        ("parent", Axis::Parent),
        ("preceding", Axis::Preceding),
        ("preceding-sibling", Axis::PrecedingSibling),
        ("self", Axis::SelfNode),
    ];

    /// True if positions on it count backwards through the document.
    pub fn is_reverse(self) -> bool {
        matches!(
            self,
            Axis::Ancestor | Axis::AncestorOrSelf | Axis::Parent | Axis::Preceding | Axis::PrecedingSibling
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NodeTest {
    /// `*`: any node of the axis's own sort.
    Any,
    /// `prefix:*`, with the colon.
    Prefix(String),
    Name(String),
    /// `node()`.
    Node,
    /// `text()`.
    Text,
    /// `comment()`.
    Comment,
    /// `processing-instruction()`: none are kept, so it matches nothing.
    Instruction,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub axis: Axis,
    pub test: NodeTest,
    /// Leading predicates of the form `[@name='value']`, tested together with the name.
    pub attributes: Vec<AttributeIs>,
    pub predicates: Vec<Predicate>,
}

impl Step {
    /// True if it can tell whether it takes a node without counting others.
    pub fn is_position_free(&self) -> bool {
        self.predicates.iter().all(|predicate| !predicate.positional)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Predicate {
    pub expr: Expr,
    /// True if it is a number, or asks for `position()` or `last()`.
    pub positional: bool,
}

impl Predicate {
    pub fn new(expr: Expr) -> Predicate {
        let positional = expr.kind() == Kind::Number || expr.counts();
        Predicate { expr, positional }
    }
}

impl Expr {
    pub fn kind(&self) -> Kind {
        match self {
            Expr::Or(_) | Expr::And(_) | Expr::Compare(..) | Expr::AttributeIs(_) => Kind::Boolean,
            Expr::Union(_) | Expr::Path(_) => Kind::Nodes,
            Expr::Arithmetic(..) | Expr::Negate(_) | Expr::Number(_) => Kind::Number,
            Expr::Literal(_) => Kind::String,
            Expr::Call(function, _) => function.kind(),
        }
    }

    /// True if it asks for the position of the context node, or for how many there are.
    fn counts(&self) -> bool {
        match self {
            Expr::Or(of) | Expr::And(of) | Expr::Union(of) => of.iter().any(Expr::counts),
            Expr::Call(function, arguments) => function.counts() || arguments.iter().any(Expr::counts),
            Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => a.counts() || b.counts(),
            Expr::Negate(of) => of.counts(),
            Expr::Path(path) => match &path.start {
                Start::Filter { primary, .. } => primary.counts(),
                Start::Context | Start::Document { .. } => false,
            },
            Expr::Literal(_) | Expr::Number(_) | Expr::AttributeIs(_) => false,
        }
    }
}
