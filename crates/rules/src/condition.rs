// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules: conditions of every sort, joined by and or or.

mod attribute;
mod date;
mod resource;
mod score;

pub use score::{RuleScore, role_of, score_of};

use crate::error::id_of;
use crate::{DateTime, Input, RuleError, RuleProblem};
use model::ExitCode;
use xml::Element;

/// Rules within rules.
const MAX_NESTING: usize = 100;
/// What is looked at of one rule. By references, a few lines can stand for more than anybody could wait for.
const MAX_CONDITIONS: usize = 1_000_000;
/// References followed for one rule, each of which may cost a walk through the configuration.
const MAX_REFERENCES: usize = 1_000;
/// What is remembered of what is wrong.
const MAX_ISSUES: usize = 1_000;

/// Whether something is satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Satisfied,
    /// It is not.
    Unsatisfied,
    /// Not yet: the moment, or a value, is before its range.
    BeforeRange,
    /// No more: the moment, or a value, is after its range.
    AfterRange,
    /// It is wrong, so it is not.
    Invalid,
}

impl Verdict {
    /// True if it is satisfied.
    pub const fn is_satisfied(self) -> bool {
        matches!(self, Verdict::Satisfied)
    }

    /// How tools tell it.
    pub const fn exit_code(self) -> ExitCode {
        match self {
            Verdict::Satisfied => ExitCode::OK,
            Verdict::Unsatisfied => ExitCode::UNSATISFIED,
            Verdict::BeforeRange => ExitCode::NOT_YET_IN_EFFECT,
            Verdict::AfterRange => ExitCode::EXPIRED,
            Verdict::Invalid => ExitCode::CONFIG,
        }
    }

    fn when(satisfied: bool) -> Verdict {
        if satisfied { Verdict::Satisfied } else { Verdict::Unsatisfied }
    }
}

/// What came of a rule or condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Whether it is satisfied.
    pub verdict: Verdict,
    /// When that may change for the time alone, as far as it is known: a `date_spec` does not say. Conditions that
    /// were not looked at, since the others had decided, do not count.
    pub next_change: Option<DateTime>,
    /// What was wrong.
    pub issues: Vec<RuleError>,
}

impl Evaluation {
    /// True if it is satisfied.
    pub const fn is_satisfied(&self) -> bool {
        self.verdict.is_satisfied()
    }

    /// How tools tell it.
    pub fn exit_code(&self) -> ExitCode {
        // A number that is one, but not of this world, is no error of configuration to Pacemaker.
        if self.verdict == Verdict::Invalid && self.issues.last().is_some_and(RuleError::is_out_of_range) {
            return ExitCode::ERROR;
        }
        self.verdict.exit_code()
    }
}

/// Judges a `rule` (or a reference to one), or a single condition.
pub fn evaluate(condition: &Element, input: &Input<'_>) -> Evaluation {
    let mut judge =
        Judge { input, next_change: None, issues: Vec::new(), depth: 0, conditions: 0, references: 0 };
    let verdict = judge.condition(condition);
    Evaluation { verdict, next_change: judge.next_change, issues: judge.issues }
}

struct Judge<'i, 'a> {
    input: &'i Input<'a>,
    next_change: Option<DateTime>,
    issues: Vec<RuleError>,
    depth: usize,
    /// Looked at so far.
    conditions: usize,
    /// Followed so far.
    references: usize,
}

impl Judge<'_, '_> {
    fn condition(&mut self, condition: &Element) -> Verdict {
        if self.conditions >= MAX_CONDITIONS || self.references >= MAX_REFERENCES {
            // Said once, by the one that was too much.
            return Verdict::Invalid;
        }
        self.conditions += 1;
        let verdict = match condition.name() {
            _ if self.conditions == MAX_CONDITIONS => {
                Err(RuleProblem::TooMuch { what: "conditions", limit: MAX_CONDITIONS }.of(condition))
            }
            "rule" => self.rule(condition),
            "expression" => attribute::verdict(condition, self.input),
            "date_expression" => date::verdict(condition, &self.input.now, &mut self.next_change),
            "rsc_expression" => resource::verdict(condition, self.input),
            "op_expression" => resource::operation_verdict(condition, self.input),
            other => Err(RuleProblem::Condition(other.to_owned()).of(condition)),
        };
        verdict.unwrap_or_else(|error| {
            self.note(error);
            Verdict::Invalid
        })
    }

    fn note(&mut self, issue: RuleError) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(issue);
        }
    }

    fn rule(&mut self, rule: &Element) -> Result<Verdict, RuleError> {
        if rule.attr("id-ref").is_some() {
            self.references += 1;
            if self.references == MAX_REFERENCES {
                return Err(RuleProblem::TooMuch { what: "references", limit: MAX_REFERENCES }.of(rule));
            }
        }
        let rule = self.input.resolve(rule).map_err(|id| RuleProblem::Reference(id).of(rule))?;
        require_id(rule)?;
        let any = join_is_or(rule)?;
        if self.depth >= MAX_NESTING {
            return Err(RuleProblem::Nesting(MAX_NESTING).of(rule));
        }
        let mut conditions = rule.elements().peekable();
        if conditions.peek().is_none() {
            self.note(RuleError::Empty { id: id_of(rule) });
            return Ok(Verdict::Satisfied);
        }
        self.depth += 1;
        // The first satisfied one decides "or", the first unsatisfied one "and"; those after it are not looked at.
        let decided = conditions.any(|condition| self.condition(condition).is_satisfied() == any);
        self.depth -= 1;
        Ok(Verdict::when(decided == any))
    }
}

fn require_id(element: &Element) -> Result<(), RuleError> {
    match element.id() {
        Some(id) if !id.is_empty() => Ok(()),
        Some(_) | None => Err(RuleProblem::Missing("id").of(element)),
    }
}

/// Whether a rule's conditions are joined by or; by and, if nothing is said.
fn join_is_or(rule: &Element) -> Result<bool, RuleError> {
    const JOINS: [(&str, bool); 2] = [("and", false), ("or", true)];
    word(rule, "boolean-op", &JOINS, "and, or").map(|join| join.unwrap_or(false))
}

/// What an attribute's word means, in any case of letters; `None` if it is not there.
fn word<T: Copy>(
    element: &Element,
    name: &'static str,
    words: &[(&str, T)],
    expected: &'static str,
) -> Result<Option<T>, RuleError> {
    let Some(value) = element.attr(name) else {
        return Ok(None);
    };
    match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)) {
        Some(&(_, meaning)) => Ok(Some(meaning)),
        None => Err(RuleProblem::Value { name, value: value.to_owned(), expected }.of(element)),
    }
}

#[cfg(test)]
mod tests;
