// SPDX-License-Identifier: GPL-2.0-or-later
//! What a rule of a location constraint gives where it is satisfied: a score, and for which role.

use crate::{Input, RuleError, RuleProblem};
use model::lenient::parse_score;
use model::{Role, Score};
use xml::Element;

/// Where the score of a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleScore {
    /// It is this.
    Fixed(Score),
    /// It is the value of this node attribute, for each node its own. Nodes that do not have it, or have no score in
    /// it, get none from the rule.
    Attribute(String),
}

impl RuleScore {
    /// The score for the node whose attributes the input has; `None` if it gets none.
    pub fn value(&self, input: &Input<'_>) -> Option<Score> {
        match self {
            RuleScore::Fixed(score) => Some(*score),
            RuleScore::Attribute(name) => parse_score(input.node_attributes?.value(name)?),
        }
    }
}

/// The score of a rule, with `%0` to `%9` in the attribute's name replaced.
pub fn score_of(rule: &Element, input: &Input<'_>) -> Result<RuleScore, RuleError> {
    let rule = input.resolve(rule).map_err(|id| RuleProblem::Reference(id).ignores(rule))?;
    if let Some(name) = rule.attr("score-attribute") {
        let name = input.submatches.map_or_else(|| name.to_owned(), |found| found.expand(name));
        return Ok(RuleScore::Attribute(name));
    }
    let missing = || RuleProblem::Missing("score or score-attribute").ignores(rule);
    let text = rule.attr("score").ok_or_else(missing)?;
    parse_score(text).map(RuleScore::Fixed).ok_or_else(|| {
        let expected = "an integer, INFINITY or -INFINITY";
        RuleProblem::Value { name: "score", value: text.to_owned(), expected }.ignores(rule)
    })
}

/// The role a rule is about; `None` if about all. Since what is to be promoted is started and unpromoted first, a rule
/// for one of these is for all.
pub fn role_of(rule: &Element, input: &Input<'_>) -> Result<Option<Role>, RuleError> {
    let rule = input.resolve(rule).map_err(|id| RuleProblem::Reference(id).ignores(rule))?;
    let Some(text) = rule.attr("role") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(Role::Started | Role::Unpromoted) => Ok(None),
        Ok(role @ (Role::Stopped | Role::Promoted)) => Ok(Some(role)),
        Ok(Role::Unknown) | Err(_) => {
            let expected = "Stopped, Started, Unpromoted or Promoted";
            Err(RuleProblem::Value { name: "role", value: text.to_owned(), expected }.ignores(rule))
        }
    }
}
