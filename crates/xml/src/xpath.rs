// SPDX-License-Identifier: GPL-2.0-or-later
//! XPath 1.0 over the persistent tree.
//!
//! Decides: what an expression selects and computes, and how a place in a tree is written down. Given: an expression
//! and a tree. Leaves to others: what is done with what was found. The whole of XPath 1.0 is here but for variables,
//! and for namespaces, of which a cluster's documents have none (a prefix is part of a name).
//!
//! Expressions come from strangers, so nothing they say can hang a daemon: length and nesting are limited when an
//! expression is read, the work it may do when it is evaluated. Elements know no parents; the evaluator carries the
//! way it came with every place it looks at.

mod address;
mod ast;
mod axis;
mod eval;
mod functions;
mod lexer;
mod parser;
mod place;
mod value;

#[cfg(test)]
mod tests;

use crate::Element;
use std::fmt;
use std::str::FromStr;

pub use ast::Kind;
pub use place::{Found, Selected, Target};

/// Bytes an expression may have.
pub const MAX_EXPRESSION_BYTES: usize = 1 << 16;
/// How deep brackets, function calls and chains of operators may nest.
pub const MAX_NESTING: usize = 100;
/// How many steps of work one evaluation may take, unless said otherwise: each node looked at is one. A CIB of 30 MB
/// has about a million nodes.
pub const MAX_WORK: u64 = 50_000_000;

/// An expression that was refused, or could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("XPath '{path}': {kind}")]
pub struct XPathError {
    /// The expression; if it is long, its begin.
    pub path: String,
    /// Why.
    pub kind: XPathErrorKind,
}

impl XPathErrorKind {
    fn of(self, text: &str) -> XPathError {
        const SHOWN: usize = 500;
        let mut path: String = text.chars().take(SHOWN).collect();
        if path.len() < text.len() {
            path.push_str("...");
        }
        XPathError { path, kind: self }
    }
}

/// Why an expression was refused, or could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XPathErrorKind {
    /// It is not XPath.
    #[error("at character {column}: expected {expected}, found {found}")]
    Syntax {
        /// The character where it stops being XPath, from 1.
        column: usize,
        /// What could have been there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// There is no such function.
    #[error("at character {column}: there is no function '{name}' in XPath 1.0")]
    UnknownFunction {
        /// Where it is called, from 1.
        column: usize,
        /// Its name.
        name: String,
    },
    /// A function was given the wrong number of arguments.
    #[error("at character {column}: {name}() takes {expected}, not {given}")]
    Arguments {
        /// Where it is called, from 1.
        column: usize,
        /// Its name.
        name: &'static str,
        /// How many it takes.
        expected: String,
        /// How many there were.
        given: usize,
    },
    /// A set of nodes is needed.
    #[error("at character {column}: expected a set of nodes, found a {found}")]
    NotNodes {
        /// Where, from 1.
        column: usize,
        /// What was there.
        found: Kind,
    },
    /// The whole expression selects nothing: it computes something else.
    #[error("the expression gives a {0}; expected one that selects nodes")]
    SelectsNothing(Kind),
    /// It is too long, or nested too deep.
    #[error("the expression has more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Its evaluation took too long.
    #[error("the evaluation needs more than {limit} steps; select less, or in a simpler way")]
    TooMuchWork {
        /// The limit.
        limit: u64,
    },
}

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nodes, in document order, each once.
    Nodes(Vec<Selected<'a>>),
    /// A text.
    String(String),
    /// A number.
    Number(f64),
    /// A truth.
    Boolean(bool),
}

/// An expression, read and checked, ready to be evaluated on any tree.
#[derive(Clone, Debug)]
pub struct XPath {
    text: String,
    expression: ast::Expr,
    /// How many sub-expressions keep their result while one evaluation lasts.
    kept: usize,
}

impl XPath {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<XPath, XPathError> {
        let (expression, kept) = parser::parse(text).map_err(|kind| kind.of(text))?;
        Ok(XPath { text: text.to_owned(), expression, kept })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What sort of value it gives; known without a tree.
    pub fn kind(&self) -> Kind {
        self.expression.kind()
    }

    /// What it selects, in document order, each node once. As in Pacemaker there is no context node: only what begins at
    /// the document (`/cib`, `//primitive`) leads anywhere.
    pub fn select<'a>(&self, root: &'a Element) -> Result<Vec<Selected<'a>>, XPathError> {
        self.select_within(root, MAX_WORK)
    }

    /// As [`XPath::select`], with another limit of work.
    pub fn select_within<'a>(&self, root: &'a Element, work: u64) -> Result<Vec<Selected<'a>>, XPathError> {
        match self.evaluate_within(root, work)? {
            Value::Nodes(nodes) => Ok(nodes),
            Value::String(_) | Value::Number(_) | Value::Boolean(_) => {
                Err(XPathErrorKind::SelectsNothing(self.kind()).of(&self.text))
            }
        }
    }

    /// As [`XPath::select`], as places alone, which outlive a change of the tree.
    pub fn find(&self, root: &Element) -> Result<Vec<Found>, XPathError> {
        Ok(self.select(root)?.iter().map(Selected::found).collect())
    }

    /// The elements among what it selects.
    pub fn elements<'a>(&self, root: &'a Element) -> Result<Vec<&'a Element>, XPathError> {
        Ok(self.select(root)?.iter().filter_map(Selected::element).collect())
    }

    /// Its value.
    pub fn evaluate<'a>(&self, root: &'a Element) -> Result<Value<'a>, XPathError> {
        self.evaluate_within(root, MAX_WORK)
    }

    /// As [`XPath::evaluate`], with another limit of work.
    pub fn evaluate_within<'a>(&self, root: &'a Element, work: u64) -> Result<Value<'a>, XPathError> {
        self.evaluate_from(root, eval::Origin::Nowhere, work)
    }

    /// Its value where the document is the context node, as XPath itself has it: `cib` and `/cib` mean the same.
    pub fn evaluate_at_document<'a>(&self, root: &'a Element) -> Result<Value<'a>, XPathError> {
        self.evaluate_from(root, eval::Origin::Document, MAX_WORK)
    }

    fn evaluate_from<'a>(
        &self,
        root: &'a Element,
        origin: eval::Origin,
        work: u64,
    ) -> Result<Value<'a>, XPathError> {
        let value = eval::evaluate(&self.expression, self.kept, root, origin, work);
        Ok(match value.map_err(|kind| kind.of(&self.text))? {
            value::Value::Nodes(nodes) => {
                Value::Nodes(nodes.iter().map(|place| place.selected(root)).collect())
            }
            value::Value::Text(text) => Value::String(text),
            value::Value::Number(number) => Value::Number(number),
            value::Value::Boolean(truth) => Value::Boolean(truth),
        })
    }
}

impl FromStr for XPath {
    type Err = XPathError;
    fn from_str(text: &str) -> Result<XPath, XPathError> {
        XPath::parse(text)
    }
}

impl fmt::Display for XPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for XPath {
    fn eq(&self, other: &XPath) -> bool {
        self.text == other.text
    }
}

impl Eq for XPath {}
