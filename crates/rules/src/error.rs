// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong in a rule, with the element it is in.

use crate::TimeError;
use xml::Element;

/// Something wrong in a rule. Never more than a reason why it does not pass, or does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A condition, or a rule, that cannot be satisfied for it is wrong.
    #[error("Treating {element} {id} as not passing because {problem}")]
    NotPassing {
        /// The element's name.
        element: String,
        /// Its id; `without id` if it has none.
        id: String,
        /// What is wrong.
        problem: Box<RuleProblem>,
    },
    /// A rule that says nothing, and is taken as satisfied.
    #[error("Ignoring rule {id} because it contains no conditions")]
    Empty {
        /// Its id.
        id: String,
    },
    /// A set of name/value pairs, or one of its pairs, that does not count.
    #[error("Ignoring {element} {id} because {problem}")]
    Ignored {
        /// The element's name.
        element: String,
        /// Its id; `without id` if it has none.
        id: String,
        /// What is wrong.
        problem: Box<RuleProblem>,
    },
    /// A set whose score is none.
    #[error("Using 0 as {id} score because '{value}' is not a valid score: Bad input value provided")]
    Score {
        /// Its id.
        id: String,
        /// Its score.
        value: String,
    },
    /// A way of writing that will go.
    #[error(
        "Support for setting meta-attributes (such as {name}) to the explicit value '#default' is deprecated and will be \
         removed in a future release"
    )]
    ExplicitDefault {
        /// The id of the pair.
        id: String,
        /// Its name.
        name: String,
    },
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// An attribute is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// An attribute has a value it cannot have.
    #[error("'{value}' is not a valid {name} (expected {expected})")]
    Value {
        /// The attribute.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it could be.
        expected: &'static str,
    },
    /// A number that is too large, or too small.
    #[error("{name} '{value}' is out of range (expected a whole number of 32 bits)")]
    OutOfRange {
        /// The attribute.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A value where there is nothing to compare.
    #[error("value is not allowed when operation is {0}")]
    NeedlessValue(String),
    /// A date that is none.
    #[error("{name} is invalid: {error}")]
    Time {
        /// The attribute.
        name: &'static str,
        /// What is wrong with it.
        error: Box<TimeError>,
    },
    /// A range from anywhere to anywhere.
    #[error("in_range requires at least one of start or end")]
    NoRange,
    /// A duration from nowhere.
    #[error("its duration has no start to begin at")]
    NoStart,
    /// A child element is missing.
    #[error("it has no {0} subelement")]
    NoChild(&'static str),
    /// The element is no condition.
    #[error("{0} is not a valid condition type")]
    Condition(String),
    /// Nothing, or more than one thing, has that id.
    #[error("id-ref '{0}' does not reference a valid object")]
    Reference(String),
    /// More than anybody would wait for.
    #[error("it has more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Rules within rules, or references in a circle.
    #[error("it is more than {0} levels deep in rules")]
    Nesting(usize),
}

impl RuleError {
    pub(crate) fn is_out_of_range(&self) -> bool {
        matches!(self, RuleError::NotPassing { problem, .. } if matches!(**problem, RuleProblem::OutOfRange { .. }))
    }
}

impl RuleProblem {
    pub(crate) fn of(self, element: &Element) -> RuleError {
        RuleError::NotPassing {
            element: element.name().to_owned(),
            id: id_of(element),
            problem: Box::new(self),
        }
    }

    pub(crate) fn ignores(self, element: &Element) -> RuleError {
        RuleError::Ignored { element: element.name().to_owned(), id: id_of(element), problem: Box::new(self) }
    }
}

pub(crate) fn id_of(element: &Element) -> String {
    element.id().filter(|id| !id.is_empty()).unwrap_or("without id").to_owned()
}
