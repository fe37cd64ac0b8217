// SPDX-License-Identifier: GPL-2.0-or-later
//! Holding a tree against a version of the schema.
//!
//! Decides: what is wrong, and how to go on after that so that the rest is judged as if it had been right. Each element is
//! looked at once; what is in an element that holds anything (`status`) is not looked at.

use super::compiled::{Compiled, CompiledKind};
use super::datatype::{Datatype, trimmed};
use super::explain::Explainer;
use super::grammar::{AttributeId, KindId};
use super::issue::{Hint, Issue, Problem, short};
use super::machine::{Machine, State, Taken};
use std::collections::HashMap;
use xml::{Element, Node};

/// No more issues than this are named; more help nobody.
pub const MAX_ISSUES: usize = 100;

/// Of so many ids at most, the nearest to a wrong reference is looked for; and for so many issues at most.
const MAX_SEARCHED: usize = 5_000;
const MAX_HINTS: usize = 20;

/// Elements in each other: what Pacemaker's XML library reads at most.
pub(super) const MAX_DEPTH: usize = 256;

/// All issues of a tree up to [`MAX_ISSUES`], in the order of the document; or, if only the verdict matters, one of them.
pub(super) fn issues(
    root: &Element,
    compiled: &Compiled,
    machine: &mut Machine,
    verdict_only: bool,
) -> Vec<Issue> {
    let limit = if verdict_only { 1 } else { MAX_ISSUES };
    let mut walk = Walk {
        compiled,
        machine,
        limit,
        verdict_only,
        places: Vec::new(),
        issues: Vec::new(),
        ids: HashMap::new(),
        references: Vec::new(),
    };
    let kind = compiled.grammar.root;
    if root.name() != compiled.grammar.kinds[kind].name {
        walk.report(root, Place::ROOT, Problem::Root);
        return walk.issues;
    }
    walk.element(root, kind, Place::ROOT);
    walk.references();
    let mut issues = walk.issues;
    issues.sort_by(|a, b| a.path.cmp(&b.path));
    issues
}

/// Where an element is: which child of which of the elements before it.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// An index into the walk's places; the root's parent is itself.
    parent: usize,
    index: usize,
    depth: usize,
}

impl Place {
    const ROOT: Place = Place { parent: 0, index: 0, depth: 0 };
}

struct Reference<'a> {
    attribute: AttributeId,
    id: &'a str,
    element: &'a Element,
    place: Place,
}

struct Walk<'a, 'm> {
    compiled: &'m Compiled,
    machine: &'m mut Machine,
    limit: usize,
    verdict_only: bool,
    /// Where the elements are that have been looked at.
    places: Vec<Place>,
    issues: Vec<Issue>,
    /// The kind of the element of each id.
    ids: HashMap<&'a str, KindId>,
    references: Vec<Reference<'a>>,
}

impl<'a> Walk<'a, '_> {
    // --- what is wrong ------------------------------------------------------------------------------------------

    fn path(&self, mut place: Place) -> Vec<usize> {
        let mut path = Vec::new();
        while place.depth > 0 {
            path.push(place.index);
            place = self.places[place.parent];
        }
        path.reverse();
        path
    }

    fn report(&mut self, element: &Element, place: Place, problem: Problem) {
        let path = self.path(place);
        self.issues.push(Issue::new(path, element, problem));
    }

    /// Reports what somebody can explain, without asking where nobody will read it.
    fn explain(
        &mut self,
        element: &Element,
        place: Place,
        explain: impl FnOnce(&mut Explainer<'_>) -> Problem,
    ) {
        let problem = if self.verdict_only {
            Problem::Root
        } else {
            explain(&mut Explainer { compiled: self.compiled, machine: self.machine })
        };
        self.report(element, place, problem);
    }

    fn is_full(&self) -> bool {
        self.issues.len() >= self.limit
    }

    // --- elements -----------------------------------------------------------------------------------------------

    fn element(&mut self, element: &'a Element, id: KindId, place: Place) {
        let kind = self.compiled.kind(id);
        if kind.holds_anything {
            return;
        }
        if place.depth >= MAX_DEPTH {
            self.report(element, place, Problem::TooDeep(MAX_DEPTH));
            return;
        }
        let number = self.places.len();
        self.places.push(place);
        let begun = self.attributes(element, id, kind, place);
        if self.is_full() {
            return;
        }
        let opened = match self.machine.opened(begun) {
            Some(opened) => opened,
            None => {
                self.explain(element, place, |explainer| explainer.missing_attribute(begun));
                self.machine.forgiven(begun)
            }
        };
        let mut state = opened;
        // Text has no place of its own: a tree from which it was dropped has the same places.
        let mut index = 0;
        for node in element.children() {
            match node {
                Node::Element(child) => {
                    let place = Place { parent: number, index, depth: place.depth + 1 };
                    let parent = Parent { element, kind: id, begun, opened };
                    state = self.child(&parent, child, place, state);
                    index += 1;
                }
                Node::Text(text) if !trimmed(text).is_empty() => {
                    self.report(element, place, Problem::Text(short(trimmed(text))));
                }
                Node::Comment(_) => index += 1,
                Node::Text(_) => {}
            }
            if self.is_full() {
                return;
            }
        }
        if !self.machine.is_complete(state) {
            self.explain(element, place, |explainer| explainer.incomplete(begun, state));
        }
    }

    /// What can come after a child.
    fn child(&mut self, parent: &Parent<'a>, child: &'a Element, place: Place, state: State) -> State {
        let name = self.compiled.names.find(child.name());
        let step = name.and_then(|name| self.machine.child(state, name, self.compiled));
        if let Some((kind, next)) = step {
            self.element(child, kind, place);
            return next;
        }
        // Perhaps it would be right if an attribute were there, and that is what is wrong.
        let forgiven = self.machine.forgiven(parent.begun);
        let step = name.and_then(|name| self.machine.child(forgiven, name, self.compiled));
        if let Some((kind, next)) = step.filter(|_| state == parent.opened && state != forgiven) {
            let above = self.places[place.parent];
            self.explain(parent.element, above, |explainer| explainer.missing_attribute(parent.begun));
            if !self.is_full() {
                self.element(child, kind, place);
            }
            return next;
        }
        self.explain(child, place, |explainer| explainer.misplaced(parent.kind, state, child.name()));
        // One too many, or in the wrong order, is still what its name says.
        let mut children = self.compiled.grammar.children(parent.kind).into_iter();
        let known = children.find(|kind| Some(self.compiled.kind(*kind).name) == name);
        if self.is_full() {
            return state;
        }
        match known {
            Some(kind) => self.element(child, kind, place),
            // Nobody knows what is in it; but what refers to something there is not wrong on its own account.
            None => {
                for id in child.descendants().filter_map(Element::id) {
                    self.ids.entry(trimmed(id)).or_insert(parent.kind);
                }
            }
        }
        state
    }

    // --- attributes ---------------------------------------------------------------------------------------------

    fn attributes(&mut self, element: &'a Element, id: KindId, kind: &CompiledKind, place: Place) -> State {
        let mut state = self.machine.start(id);
        for attribute in element.attributes() {
            let (name, value) = (attribute.name().as_str(), attribute.value());
            match self.machine.attribute_of(kind, state, name, value, self.compiled) {
                Taken::Fit(attribute, next) => {
                    state = next;
                    self.remember(element, place, id, attribute, value);
                }
                Taken::Unfit(next) => {
                    self.explain(element, place, |explainer| explainer.bad_value(id, state, name, value));
                    state = next;
                }
                Taken::Misplaced if name == "xmlns" && !value.is_empty() => {
                    self.report(element, place, Problem::Namespace(short(value)));
                }
                // What a prefix stands for changes nothing: names that have one are not expected anyway.
                Taken::Misplaced if name == "xmlns" || name.starts_with("xmlns:") => {}
                Taken::Misplaced => {
                    self.explain(element, place, |explainer| explainer.misplaced_attribute(id, state, name));
                }
            }
            if self.is_full() {
                break;
            }
        }
        state
    }

    // --- ids ----------------------------------------------------------------------------------------------------

    fn remember(
        &mut self,
        element: &'a Element,
        place: Place,
        kind: KindId,
        attribute: AttributeId,
        value: &'a str,
    ) {
        match self.compiled.grammar.attributes[attribute].datatype {
            Datatype::Id => {
                let id = trimmed(value);
                let Some(other) = self.ids.get(id) else {
                    self.ids.insert(id, kind);
                    return;
                };
                let grammar = &self.compiled.grammar;
                let problem = Problem::RepeatedId {
                    attribute: grammar.attributes[attribute].name.to_owned(),
                    id: short(id),
                    other: grammar.kinds[*other].name.to_owned(),
                };
                self.report(element, place, problem);
            }
            Datatype::IdRef => {
                self.references.push(Reference { attribute, id: trimmed(value), element, place })
            }
            _ => {}
        }
    }

    /// References may lead forwards, so they are followed when all ids are known.
    fn references(&mut self) {
        for reference in std::mem::take(&mut self.references) {
            if self.ids.contains_key(reference.id) {
                continue;
            }
            if self.is_full() {
                return;
            }
            let hints = !self.verdict_only && self.ids.len() < MAX_SEARCHED && self.issues.len() < MAX_HINTS;
            let ids = self.ids.keys().copied().filter(|_| hints);
            let nearest = super::words::nearest(reference.id, ids).map(str::to_owned);
            let hint = Hint { nearest, known: None };
            let attribute = self.compiled.grammar.attributes[reference.attribute].name.to_owned();
            let problem = Problem::DanglingReference { attribute, value: short(reference.id), hint };
            self.report(reference.element, reference.place, problem);
        }
    }
}

/// The element whose children are looked at.
struct Parent<'a> {
    element: &'a Element,
    kind: KindId,
    /// What could come after its attributes, some of which may still have been missing.
    begun: State,
    /// What could come when there were to be no more attributes.
    opened: State,
}
