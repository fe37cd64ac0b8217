// SPDX-License-Identifier: GPL-2.0-or-later
//! Words for what is wrong: what was expected, which versions would have taken it, what may have been meant.

use super::compiled::Compiled;
use super::datatype::Datatype;
use super::grammar::{AttributeKind, Grammar, KindId};
use super::issue::{Hint, Problem, Wanted, short};
use super::machine::{Machine, Missing, State};
use super::version::SchemaVersion;
use super::words::{either, nearest};
use std::collections::BTreeSet;

/// Values longer than this are in no version's list of words, and not worth holding against all of them.
const MAX_CONSIDERED: usize = 200;

/// Knows what could have come.
pub(super) struct Explainer<'m> {
    pub compiled: &'m Compiled,
    pub machine: &'m mut Machine,
}

impl Explainer<'_> {
    fn grammar(&self) -> &Grammar {
        &self.compiled.grammar
    }

    fn name(&self, kind: KindId) -> String {
        self.grammar().kinds[kind].name.to_owned()
    }

    // --- what is not there --------------------------------------------------------------------------------------

    /// Attributes are missing (or elements that could stand for them).
    pub fn missing_attribute(&mut self, begun: State) -> Problem {
        let missing = self.machine.missing(begun);
        let attributes = |any: &Vec<Missing>| any.iter().any(|one| matches!(one, Missing::Attribute(_)));
        let first = missing.iter().find(|any| attributes(any)).or(missing.first()).cloned();
        Problem::Missing(self.wanted(first.unwrap_or_default()))
    }

    /// The element ends too early.
    pub fn incomplete(&mut self, begun: State, state: State) -> Problem {
        let missing = self.machine.missing(state).into_iter().next().unwrap_or_default();
        // An attribute might have done as well.
        let whole = self.machine.missing(begun).into_iter();
        let mut whole = whole.filter(|any| missing.iter().all(|one| any.contains(one)));
        let wanted = whole.next().unwrap_or(missing);
        Problem::Missing(self.wanted(wanted))
    }

    fn wanted(&self, missing: Vec<Missing>) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for one in missing {
            let one = match one {
                Missing::Attribute(id) => Wanted::Attribute(self.grammar().attributes[id].name.to_owned()),
                Missing::Element(kind) => Wanted::Element(self.name(kind)),
            };
            if !wanted.contains(&one) {
                wanted.push(one);
            }
        }
        wanted
    }

    // --- what is there and should not be ------------------------------------------------------------------------

    /// An element has no place in one of kind `parent`, after what came before.
    pub fn misplaced(&mut self, parent: KindId, state: State, name: &str) -> Problem {
        let expected: Vec<String> =
            self.machine.reachable(state).into_iter().map(|kind| self.name(kind)).collect();
        let parent_name = self.name(parent);
        let ever =
            self.grammar().children(parent).into_iter().map(|kind| self.name(kind)).collect::<Vec<_>>();
        let known = if ever.iter().any(|known| known == name) {
            Some(format!(
                "there is one too many, or it is in the wrong order (in <{parent_name}>: {})",
                ever.join(", ")
            ))
        } else {
            let takes = |grammar: &Grammar| {
                kinds_named(grammar, &parent_name).any(|kind| {
                    grammar.children(kind).into_iter().any(|child| grammar.kinds[child].name == name)
                })
            };
            self.versions(takes)
        };
        let near = nearest(name, expected.iter().chain(&ever).map(String::as_str)).map(str::to_owned);
        Problem::Misplaced {
            parent: parent_name,
            expected,
            hint: Hint { nearest: near.filter(|_| known.is_none()), known },
        }
    }

    /// An attribute has no place in an element of a kind, beside those that came before.
    pub fn misplaced_attribute(&mut self, kind: KindId, state: State, name: &str) -> Problem {
        let free = self.compiled.kind(kind).free.iter().map(|(_, attribute)| *attribute);
        let bound = self.machine.attributes_to_come(state);
        let to_come: BTreeSet<&str> =
            bound.into_iter().chain(free).map(|id| self.grammar().attributes[id].name).collect();
        let expected: Vec<String> = to_come.into_iter().map(str::to_owned).collect();
        let ever: BTreeSet<&str> = self.grammar().attributes(kind).map(|attribute| attribute.name).collect();
        let known = if ever.contains(name) {
            Some("it cannot stand together with the attributes before it".to_owned())
        } else {
            let element = self.name(kind);
            self.versions(|grammar| attributes_named(grammar, &element, name).next().is_some())
        };
        let near = nearest(name, expected.iter().map(String::as_str).chain(ever)).map(str::to_owned);
        let hint = Hint { nearest: near.filter(|_| known.is_none()), known };
        Problem::MisplacedAttribute { attribute: short(name), expected, hint }
    }

    /// An attribute's value is none of those it can have beside the attributes before it.
    pub fn bad_value(&mut self, kind: KindId, state: State, name: &str, value: &str) -> Problem {
        let free = self.compiled.kind(kind).free.iter().map(|(_, attribute)| *attribute);
        let candidates = self.machine.attributes_to_come(state).into_iter().chain(free);
        let datatypes: Vec<&Datatype> = candidates
            .map(|id| &self.grammar().attributes[id])
            .filter(|attribute| attribute.name == name)
            .map(|attribute| &attribute.datatype)
            .collect();
        let words: Vec<&str> = datatypes.iter().flat_map(|datatype| datatype.words()).collect();
        let only_words = datatypes.iter().all(|datatype| matches!(datatype, Datatype::Words(_)));
        let texts: Vec<String> = datatypes.iter().map(ToString::to_string).collect();
        let expected = if only_words { either(&words) } else { either(&texts) };
        let near = nearest(value, words).map(str::to_owned);
        let element = self.name(kind);
        let admits = |grammar: &Grammar| {
            attributes_named(grammar, &element, name).any(|attribute| attribute.datatype.admits(value))
        };
        let known = if value.len() > MAX_CONSIDERED { None } else { self.versions(admits) };
        let hint = Hint { nearest: near.filter(|_| known.is_none()), known };
        Problem::BadValue { attribute: short(name), value: short(value), expected, hint }
    }

    // --- other versions -----------------------------------------------------------------------------------------

    /// In which other versions something holds, in words; `None` if in none.
    fn versions(&self, holds: impl Fn(&Grammar) -> bool) -> Option<String> {
        let Grammar { version: own, profile, .. } = *self.grammar();
        let all: Vec<SchemaVersion> = SchemaVersion::ALL
            .into_iter()
            .filter(|version| {
                let compiled = super::compiled_for(*version, profile).ok();
                compiled.is_some_and(|compiled| holds(&compiled.compiled.grammar))
            })
            .collect();
        let (first, last) = (*all.first()?, *all.last()?);
        if all.contains(&own) {
            return None;
        }
        Some(if own < first {
            format!("that is allowed since {first}, and this is {own}")
        } else if last < own {
            format!("that is allowed until {last}, and this is {own}")
        } else {
            format!("that is allowed from {first} to {last}, but not in {own}")
        })
    }
}

fn kinds_named<'g>(grammar: &'g Grammar, name: &'g str) -> impl Iterator<Item = KindId> + 'g {
    (0..grammar.kinds.len()).filter(move |kind| grammar.kinds[*kind].name == name)
}

fn attributes_named<'g>(
    grammar: &'g Grammar,
    element: &'g str,
    name: &'g str,
) -> impl Iterator<Item = &'g AttributeKind> {
    kinds_named(grammar, element)
        .flat_map(|kind| grammar.attributes(kind))
        .filter(move |attribute| attribute.name == name)
}
