// SPDX-License-Identifier: GPL-2.0-or-later
//! What can still come in an element, after what has come.
//!
//! A state is a pattern: what the rest of an element has to be. An attribute or a child leads to the next one, its
//! derivative. Equal patterns are one state, and each step is worked out once, so that a step usually is a look into a short
//! list. The states of a grammar are finitely many, and few (a test walks them all), so nothing needs to be forgotten.
//!
//! Decides: whether an attribute or child may come now, and what may come then. Given: a version of the schema. Leaves to
//! others: walking the tree, ids, words for what is wrong (`validator`).

use super::compiled::{Compiled, CompiledKind, NameId};
use super::grammar::{AttributeId, Content, KindId};
use super::table::Times;
use std::collections::{BTreeSet, HashMap};

/// What can still come: an index into the machine's patterns.
pub(super) type State = usize;

/// Nothing can make it right any more.
const NEVER: State = 0;
/// Nothing may come any more, and nothing has to.
const EMPTY: State = 1;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Pattern {
    Never,
    Empty,
    /// One of these, which are in order and differ.
    Choice(Vec<State>),
    /// All of these, mixed; in order.
    Interleave(Vec<State>),
    /// All of these, one after the other.
    Group(Vec<State>),
    AtLeastOne(State),
    Attribute(AttributeId),
    Element(KindId),
}

/// What is known of the way on from a state by an attribute's name.
#[derive(Clone, Debug)]
struct AttributeStep {
    name: NameId,
    /// Which attributes of this name may come.
    candidates: Vec<AttributeId>,
    /// The next state, by which of them the value fits.
    next: Vec<(u64, State)>,
}

/// What an attribute came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// There is no place for it.
    Misplaced,
    /// It would be right with another value; going on as if it had one.
    Unfit(State),
    /// It is right; this is what it is.
    Fit(AttributeId, State),
}

/// What is known of a state.
#[derive(Clone, Debug, Default)]
struct Known {
    complete: bool,
    opened: Option<State>,
    attributes: Vec<AttributeStep>,
    children: Vec<(NameId, Option<(KindId, State)>)>,
}

/// The states of a grammar and the steps between them, as far as they have been needed.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    patterns: Vec<Pattern>,
    numbers: HashMap<Pattern, State>,
    known: Vec<Known>,
    starts: Vec<State>,
}

impl Machine {
    /// One that knows where each kind of element begins.
    pub fn new(compiled: &Compiled) -> Machine {
        let mut machine =
            Machine { patterns: Vec::new(), numbers: HashMap::new(), known: Vec::new(), starts: Vec::new() };
        machine.state(Pattern::Never);
        machine.state(Pattern::Empty);
        for kind in &compiled.kinds {
            let start = machine.pattern(&kind.bound, compiled);
            machine.starts.push(start);
        }
        machine
    }

    /// How many states have been met.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.patterns.len()
    }

    // --- steps --------------------------------------------------------------------------------------------------

    /// Where a kind of element begins.
    pub fn start(&self, kind: KindId) -> State {
        self.starts[kind]
    }

    /// Whether nothing has to come any more.
    pub fn is_complete(&self, state: State) -> bool {
        self.known[state].complete
    }

    /// After an attribute of an element of a kind.
    pub fn attribute_of(
        &mut self,
        kind: &CompiledKind,
        state: State,
        name: &str,
        value: &str,
        compiled: &Compiled,
    ) -> Taken {
        let Some(name) = compiled.names.find(name) else { return Taken::Misplaced };
        match kind.free.iter().find(|(free, _)| *free == name) {
            Some((_, free)) if compiled.grammar.attributes[*free].datatype.admits(value) => {
                Taken::Fit(*free, state)
            }
            Some(_) => Taken::Unfit(state),
            None => self.attribute(state, name, value, compiled),
        }
    }

    /// After an attribute that is not free.
    fn attribute(&mut self, state: State, name: NameId, value: &str, compiled: &Compiled) -> Taken {
        let at = match self.known[state].attributes.iter().position(|step| step.name == name) {
            Some(at) => at,
            None => {
                let candidates = self.candidates(state, name, compiled);
                let steps = &mut self.known[state].attributes;
                steps.push(AttributeStep { name, candidates, next: Vec::new() });
                steps.len() - 1
            }
        };
        let step = &self.known[state].attributes[at];
        let mut fits = 0_u64;
        let mut what = None;
        for (bit, candidate) in step.candidates.iter().enumerate() {
            if compiled.grammar.attributes[*candidate].datatype.admits(value) {
                fits |= 1 << bit;
                what = what.or(Some(*candidate));
            }
        }
        let unfit = fits == 0;
        if unfit {
            fits = (1 << step.candidates.len()) - 1;
        }
        if fits == 0 {
            return Taken::Misplaced;
        }
        let next = match step.next.iter().find(|(mask, _)| *mask == fits) {
            Some((_, next)) => *next,
            None => {
                let fitting = step.candidates.iter().enumerate().filter(|(bit, _)| fits & (1 << bit) != 0);
                let fitting: Vec<AttributeId> = fitting.map(|(_, candidate)| *candidate).collect();
                let next = self.after_attribute(state, &fitting);
                self.known[state].attributes[at].next.push((fits, next));
                next
            }
        };
        match what {
            Some(what) if !unfit => Taken::Fit(what, next),
            _ => Taken::Unfit(next),
        }
    }

    /// When all attributes have come: `None` if one is missing.
    pub fn opened(&mut self, state: State) -> Option<State> {
        let opened = match self.known[state].opened {
            Some(opened) => opened,
            None => {
                let opened = self.replace_attributes(state, NEVER);
                self.known[state].opened = Some(opened);
                opened
            }
        };
        (opened != NEVER).then_some(opened)
    }

    /// As if all attributes that are missing had come.
    pub fn forgiven(&mut self, state: State) -> State {
        self.replace_attributes(state, EMPTY)
    }

    /// After a child: what kind it is, and what can come then. `None` if it may not come.
    pub fn child(&mut self, state: State, name: NameId, compiled: &Compiled) -> Option<(KindId, State)> {
        if let Some((_, step)) = self.known[state].children.iter().find(|(known, _)| *known == name) {
            return *step;
        }
        let kind = self.reachable(state).into_iter().find(|kind| compiled.kind(*kind).name == name);
        let step = kind.map(|kind| (kind, self.after_child(state, kind)));
        self.known[state].children.push((name, step));
        step
    }

    // --- what may come ------------------------------------------------------------------------------------------

    fn candidates(&self, state: State, name: NameId, compiled: &Compiled) -> Vec<AttributeId> {
        let mut found = BTreeSet::new();
        self.collect_attributes(state, &mut found);
        let candidates = found.into_iter().filter(|id| compiled.attribute_names[*id] == name);
        candidates.take(u64::BITS as usize - 1).collect()
    }

    fn collect_attributes(&self, state: State, into: &mut BTreeSet<AttributeId>) {
        match &self.patterns[state] {
            Pattern::Attribute(id) => {
                into.insert(*id);
            }
            Pattern::Choice(parts) | Pattern::Interleave(parts) | Pattern::Group(parts) => {
                parts.iter().for_each(|part| self.collect_attributes(*part, into));
            }
            Pattern::AtLeastOne(part) => self.collect_attributes(*part, into),
            Pattern::Never | Pattern::Empty | Pattern::Element(_) => {}
        }
    }

    /// The attributes that may come now (or in the place of others).
    pub fn attributes_to_come(&self, state: State) -> BTreeSet<AttributeId> {
        let mut found = BTreeSet::new();
        self.collect_attributes(state, &mut found);
        found
    }

    /// The kinds of child that may come next.
    pub fn reachable(&self, state: State) -> BTreeSet<KindId> {
        let mut found = BTreeSet::new();
        self.collect_children(state, &mut found);
        found
    }

    fn collect_children(&self, state: State, into: &mut BTreeSet<KindId>) {
        match &self.patterns[state] {
            Pattern::Element(kind) => {
                into.insert(*kind);
            }
            Pattern::Choice(parts) | Pattern::Interleave(parts) => {
                parts.iter().for_each(|part| self.collect_children(*part, into));
            }
            Pattern::Group(parts) => {
                for part in parts {
                    self.collect_children(*part, into);
                    if !self.known[*part].complete {
                        break;
                    }
                }
            }
            Pattern::AtLeastOne(part) => self.collect_children(*part, into),
            Pattern::Never | Pattern::Empty | Pattern::Attribute(_) => {}
        }
    }

    /// What has to come, each as a list of which one is enough.
    pub fn missing(&self, state: State) -> Vec<Vec<Missing>> {
        if self.known[state].complete {
            return Vec::new();
        }
        match &self.patterns[state] {
            Pattern::Attribute(id) => vec![vec![Missing::Attribute(*id)]],
            Pattern::Element(kind) => vec![vec![Missing::Element(*kind)]],
            Pattern::AtLeastOne(part) => self.missing(*part),
            Pattern::Interleave(parts) | Pattern::Group(parts) => {
                parts.iter().flat_map(|part| self.missing(*part)).collect()
            }
            Pattern::Choice(parts) => {
                let firsts = parts.iter().filter_map(|part| self.missing(*part).into_iter().next());
                let mut any: Vec<Missing> = firsts.flatten().collect();
                any.sort_unstable();
                any.dedup();
                vec![any]
            }
            Pattern::Never | Pattern::Empty => Vec::new(),
        }
    }

    // --- derivatives --------------------------------------------------------------------------------------------

    /// `state` after an attribute that is any of `fitting`, wherever it stands: attributes have no order.
    pub(super) fn after_attribute(&mut self, state: State, fitting: &[AttributeId]) -> State {
        match self.patterns[state].clone() {
            Pattern::Never | Pattern::Empty | Pattern::Element(_) => NEVER,
            Pattern::Attribute(id) if fitting.contains(&id) => EMPTY,
            Pattern::Attribute(_) => NEVER,
            Pattern::Choice(parts) => {
                let parts = parts.iter().map(|part| self.after_attribute(*part, fitting)).collect();
                self.choice(parts)
            }
            Pattern::Interleave(parts) => self.one_of(
                &parts,
                |machine, part| machine.after_attribute(part, fitting),
                Machine::interleave,
            ),
            Pattern::Group(parts) => {
                self.one_of(&parts, |machine, part| machine.after_attribute(part, fitting), Machine::group)
            }
            Pattern::AtLeastOne(part) => {
                let first = self.after_attribute(part, fitting);
                let more = self.choice(vec![state, EMPTY]);
                self.group(vec![first, more])
            }
        }
    }

    /// `state` after a child of a kind.
    pub(super) fn after_child(&mut self, state: State, kind: KindId) -> State {
        match self.patterns[state].clone() {
            Pattern::Never | Pattern::Empty | Pattern::Attribute(_) => NEVER,
            Pattern::Element(own) => {
                if own == kind {
                    EMPTY
                } else {
                    NEVER
                }
            }
            Pattern::Choice(parts) => {
                let parts = parts.iter().map(|part| self.after_child(*part, kind)).collect();
                self.choice(parts)
            }
            Pattern::Interleave(parts) => {
                self.one_of(&parts, |machine, part| machine.after_child(part, kind), Machine::interleave)
            }
            Pattern::Group(parts) => {
                let mut ways = Vec::new();
                for (at, part) in parts.iter().enumerate() {
                    let mut way = vec![self.after_child(*part, kind)];
                    way.extend_from_slice(&parts[at + 1..]);
                    ways.push(self.group(way));
                    if !self.known[*part].complete {
                        break;
                    }
                }
                self.choice(ways)
            }
            Pattern::AtLeastOne(part) => {
                let first = self.after_child(part, kind);
                let more = self.choice(vec![state, EMPTY]);
                self.group(vec![first, more])
            }
        }
    }

    /// Each part in turn takes the step, and the others stay.
    fn one_of(
        &mut self,
        parts: &[State],
        mut step: impl FnMut(&mut Machine, State) -> State,
        join: fn(&mut Machine, Vec<State>) -> State,
    ) -> State {
        let mut ways = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let next = step(self, *part);
            if next != NEVER {
                let mut way = parts.to_vec();
                way[at] = next;
                ways.push(join(self, way));
            }
        }
        self.choice(ways)
    }

    fn replace_attributes(&mut self, state: State, by: State) -> State {
        match self.patterns[state].clone() {
            Pattern::Attribute(_) => by,
            Pattern::Never | Pattern::Empty | Pattern::Element(_) => state,
            Pattern::Choice(parts) => {
                let parts = parts.iter().map(|part| self.replace_attributes(*part, by)).collect();
                self.choice(parts)
            }
            Pattern::Interleave(parts) => {
                let parts = parts.iter().map(|part| self.replace_attributes(*part, by)).collect();
                self.interleave(parts)
            }
            Pattern::Group(parts) => {
                let parts = parts.iter().map(|part| self.replace_attributes(*part, by)).collect();
                self.group(parts)
            }
            Pattern::AtLeastOne(part) => {
                let part = self.replace_attributes(part, by);
                self.at_least_one(part)
            }
        }
    }

    // --- making patterns, in one form each ----------------------------------------------------------------------

    fn pattern(&mut self, content: &Content, compiled: &Compiled) -> State {
        match content {
            Content::Choice(parts) => {
                let parts = parts.iter().map(|part| self.pattern(part, compiled)).collect();
                self.choice(parts)
            }
            Content::Interleave(parts) => {
                let parts = parts.iter().map(|part| self.pattern(part, compiled)).collect();
                self.interleave(parts)
            }
            Content::Group(parts) => {
                let parts = parts.iter().map(|part| self.pattern(part, compiled)).collect();
                self.group(parts)
            }
            Content::Repeat(part, times) => {
                let part = self.pattern(part, compiled);
                match times {
                    Times::AtLeastOne => self.at_least_one(part),
                    Times::Optional => self.choice(vec![part, EMPTY]),
                    Times::Any => {
                        let some = self.at_least_one(part);
                        self.choice(vec![some, EMPTY])
                    }
                }
            }
            Content::Attribute(id) => self.state(Pattern::Attribute(compiled.same_attribute[*id])),
            Content::Element(kind) => self.state(Pattern::Element(*kind)),
            // Nobody looks into an element that holds anything.
            Content::Anything => EMPTY,
        }
    }

    fn state(&mut self, pattern: Pattern) -> State {
        if let Some(known) = self.numbers.get(&pattern) {
            return *known;
        }
        let complete = match &pattern {
            Pattern::Empty => true,
            Pattern::Never | Pattern::Attribute(_) | Pattern::Element(_) => false,
            Pattern::Choice(parts) => parts.iter().any(|part| self.known[*part].complete),
            Pattern::Interleave(parts) | Pattern::Group(parts) => {
                parts.iter().all(|part| self.known[*part].complete)
            }
            Pattern::AtLeastOne(part) => self.known[*part].complete,
        };
        let number = self.patterns.len();
        self.patterns.push(pattern.clone());
        self.known.push(Known { complete, ..Known::default() });
        self.numbers.insert(pattern, number);
        number
    }

    fn choice(&mut self, parts: Vec<State>) -> State {
        let mut flat = BTreeSet::new();
        for part in parts {
            match &self.patterns[part] {
                Pattern::Choice(inner) => flat.extend(inner.iter().copied()),
                Pattern::Never => {}
                _ => {
                    flat.insert(part);
                }
            }
        }
        // What may be nothing anyway need not be allowed to be nothing once more.
        if flat.iter().any(|part| *part != EMPTY && self.known[*part].complete) {
            flat.remove(&EMPTY);
        }
        let mut flat: Vec<State> = flat.into_iter().collect();
        match flat.len() {
            0 => NEVER,
            1 => flat.pop().unwrap_or(NEVER),
            _ => self.state(Pattern::Choice(flat)),
        }
    }

    fn interleave(&mut self, parts: Vec<State>) -> State {
        let mut flat = Vec::new();
        for part in parts {
            match &self.patterns[part] {
                Pattern::Interleave(inner) => flat.extend(inner.iter().copied()),
                Pattern::Never => return NEVER,
                Pattern::Empty => {}
                _ => flat.push(part),
            }
        }
        flat.sort_unstable();
        match flat.len() {
            0 => EMPTY,
            1 => flat.pop().unwrap_or(EMPTY),
            _ => self.state(Pattern::Interleave(flat)),
        }
    }

    fn group(&mut self, parts: Vec<State>) -> State {
        let mut flat = Vec::new();
        for part in parts {
            match &self.patterns[part] {
                Pattern::Group(inner) => flat.extend(inner.iter().copied()),
                Pattern::Never => return NEVER,
                Pattern::Empty => {}
                _ => flat.push(part),
            }
        }
        match flat.len() {
            0 => EMPTY,
            1 => flat.pop().unwrap_or(EMPTY),
            _ => self.state(Pattern::Group(flat)),
        }
    }

    fn at_least_one(&mut self, part: State) -> State {
        match self.patterns[part] {
            Pattern::Never | Pattern::Empty | Pattern::AtLeastOne(_) => part,
            _ => self.state(Pattern::AtLeastOne(part)),
        }
    }
}

/// Something that has to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missing {
    Attribute(AttributeId),
    Element(KindId),
}
