// SPDX-License-Identifier: GPL-2.0-or-later
//! What is dangerous or doubtful in a configuration that is otherwise valid.
//!
//! Decides: the rules there are, each with its id for ever, and in which order findings are told. Given: a CIB. Leaves to
//! others: what is no valid configuration at all (`cib::schema`), what the scheduler cannot use (`crm_verify`), and where
//! in a file an element is. Every rule is a small function in `rules`.

mod facts;
mod rules;

use facts::Facts;
pub(crate) use facts::is_resource;
use model::WallTime;
use std::collections::BTreeSet;
use xml::Element;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; may well be meant.
    Notice,
    /// Will probably not do what was meant.
    Warning,
    /// Data or service is at risk.
    Danger,
}

impl Severity {
    /// As one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Danger => "danger",
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its id, which never changes and is never used again: `SL001`.
    pub id: &'static str,
    /// Its name, for people: `fencing-disabled`.
    pub name: &'static str,
    /// How bad it is if broken.
    pub severity: Severity,
    /// What may come of it.
    pub consequence: &'static str,
    /// How to mend it.
    pub remedy: &'static str,
    check: fn(&Facts<'_>, &mut Vec<Found>),
}

/// What a rule found: where, and what in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    element: String,
    id: Option<String>,
    text: String,
}

/// A broken rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// The name of the element it is about.
    pub element: String,
    /// That element's id (of a node, its name), if it has one.
    pub id: Option<String>,
    /// What in particular.
    pub text: String,
}

/// All rules, in the order of their ids.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rules::ALL.iter().flat_map(|group| group.iter())
}

/// The rule of an id or name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id.eq_ignore_ascii_case(name) || rule.name == name)
}

/// Looks for everything, but for the rules of these ids or names. The worst comes first, then in the order of the rules.
pub fn lint(cib: &Element, now: WallTime, ignored: &BTreeSet<String>) -> Vec<Finding> {
    let facts = Facts::new(cib, now);
    let mut findings = Vec::new();
    for rule in rules() {
        let is_ignored = |name: &String| name.eq_ignore_ascii_case(rule.id) || name == rule.name;
        if ignored.iter().any(is_ignored) {
            continue;
        }
        let mut found = Vec::new();
        (rule.check)(&facts, &mut found);
        findings.extend(found.into_iter().map(|found| Finding {
            rule,
            element: found.element,
            id: found.id,
            text: found.text,
        }));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.rule.severity));
    findings
}
