// SPDX-License-Identifier: GPL-2.0-or-later
//! The smallest single change that would move a resource.
//!
//! Decides: which changes are tried, in which order, and which are told. What is told was tried: the scheduler was run on
//! the changed CIB and did move the resource, and, where a number is named, one less did not. Given: a CIB. Leaves to
//! others: making the change.

use super::words::{is_left_behind, score};
use super::{View, configured_name};
use crate::edit;
use model::{Score, WallTime};
use scheduler::{Cluster, NodeId, Options, ResourceId, Schedule, Term, Variant};
use std::collections::BTreeMap;
use xml::Element;

const INFINITY: i32 = 1_000_000;

/// How much is tried at most.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// So many runs of the scheduler.
    pub runs: usize,
    /// So many nodes, those first that lack least.
    pub nodes: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { runs: 80, nodes: 4 }
    }
}

/// A change that does move the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What to change, in words.
    pub text: String,
    /// A command that does it, where there is one.
    pub command: Option<String>,
    /// Where the resource goes then; none: nowhere.
    pub to: Option<String>,
    /// What else moves, starts or stops then: `RESOURCE: from -> to`.
    pub also: Vec<String>,
    /// By how much a score changes; none for what is no matter of scores.
    pub amount: Option<i32>,
}

/// What came of the search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// What would move it, the smallest first.
    pub changes: Vec<Change>,
    /// How often the scheduler was run.
    pub runs: usize,
    /// Not everything could be tried.
    pub cut: bool,
    /// Nodes that no single change was found for, with all that is in the way.
    pub barred: Vec<(String, Vec<String>)>,
}

/// Something to try.
struct Candidate {
    text: String,
    command: Option<String>,
    cib: Option<Element>,
}

/// A number that could be changed.
struct Knob<'a> {
    /// What it is now.
    from: i32,
    /// What arithmetic says it would have to be.
    guess: i32,
    /// The most it can be changed to.
    limit: i32,
    cib: Box<dyn Fn(i32) -> Option<Element> + 'a>,
    text: Box<dyn Fn(i32) -> String + 'a>,
}

/// What is sought.
#[derive(Clone, Copy)]
struct Sought<'a> {
    cib: &'a Element,
    view: View<'a>,
    resource: ResourceId,
    /// The primitive whose scores decide: itself, or the first in it.
    leaf: ResourceId,
}

struct Seeker<'a> {
    sought: Sought<'a>,
    now: WallTime,
    before: BTreeMap<String, Option<String>>,
    search: Search,
    budget: Budget,
}

/// Seeks the smallest changes that would move a resource (to a node, if one is given).
pub fn smallest_changes(
    cib: &Element,
    now: WallTime,
    cluster: &Cluster,
    schedule: &Schedule,
    resource: ResourceId,
    to: Option<NodeId>,
    budget: Budget,
) -> Search {
    let view = View { cluster, schedule };
    // A member goes where its group goes.
    let group = |id: &ResourceId| cluster.resource(*id).variant == Variant::Group;
    let resource = cluster.resource(resource).parent.filter(group).unwrap_or(resource);
    let Some(leaf) = view.primitives(resource).first().copied() else { return Search::default() };
    let before = placements(cluster, schedule);
    let search = Search::default();
    let sought = Sought { cib, view, resource, leaf };
    let mut seeker = Seeker { sought, now, before, search, budget };
    seeker.seek(to);
    let mut search = seeker.search;
    search.changes.sort_by_key(|change| change.amount.map_or(0, |amount| amount.unsigned_abs().max(1)));
    search
}

/// Where every primitive is to be, by its id.
fn placements(cluster: &Cluster, schedule: &Schedule) -> BTreeMap<String, Option<String>> {
    let all = cluster.resources.iter().zip(&schedule.placements);
    let leaves = all.filter(|(_, placement)| placement.children.is_empty());
    let node =
        |placement: &scheduler::Placement| placement.assigned.map(|node| cluster.node(node).name.to_string());
    leaves.map(|(resource, placement)| (resource.id.to_string(), node(placement))).collect()
}

impl Seeker<'_> {
    fn seek(&mut self, to: Option<NodeId>) {
        let assigned = self.sought.assigned();
        if let Some(node) = assigned.filter(|_| to.is_none()) {
            self.try_leftover(node);
        }
        let mut targets: Vec<(usize, i32, NodeId)> = (0..self.sought.view.cluster.nodes.len())
            .map(NodeId::new)
            .filter(|&node| Some(node) != assigned && to.is_none_or(|to| to == node))
            .map(|node| {
                let terms = self.sought.terms(node);
                (self.sought.obstacles(node).len(), -scheduler::sum(&terms), node)
            })
            .collect();
        targets.sort();
        let most = if to.is_some() { 1 } else { self.budget.nodes };
        self.search.cut |= targets.len() > most;
        for (_, _, node) in targets.into_iter().take(most) {
            self.seek_to(node);
        }
    }

    fn seek_to(&mut self, node: NodeId) {
        let found = self.search.changes.len();
        let unavailable = self.sought.view.unavailable(node);
        let obstacles = self.sought.obstacles(node);
        if unavailable.is_some() {
            let name = self.sought.view.node_name(node);
            if self.sought.view.cluster.node(node).state.standby {
                let candidate = Candidate {
                    text: format!("take {name} out of standby"),
                    command: Some(format!("crm_standby --node {name} --delete")),
                    cib: edit::without_standby(self.sought.cib, &name),
                };
                self.try_fixed(candidate, node);
            }
        } else if obstacles.is_empty() {
            for knob in self.sought.knobs(node) {
                self.try_knob(&knob, node);
            }
        }
        let mut tried = Vec::new();
        for term in &obstacles {
            if let Some(candidate) = self.sought.removal(term, node)
                && !tried.contains(&candidate.text)
            {
                tried.push(candidate.text.clone());
                self.try_fixed(candidate, node);
            }
        }
        if self.search.changes.len() == found {
            let mut reasons: Vec<String> = unavailable.into_iter().collect();
            for term in &obstacles {
                let text = self.sought.view.term(self.sought.leaf, node, term).text;
                if term.cause != scheduler::Cause::Node && !reasons.contains(&text) {
                    reasons.push(text);
                }
            }
            self.search.barred.push((self.sought.view.node_name(node), reasons));
        }
    }

    // --- trying ---------------------------------------------------------------------------------------------------

    /// Where the resource goes with a changed CIB, with where all others go.
    fn run(&mut self, cib: &Element) -> Option<BTreeMap<String, Option<String>>> {
        if self.search.runs >= self.budget.runs {
            self.search.cut = true;
            return None;
        }
        self.search.runs += 1;
        let (cluster, _) = scheduler::unpack(cib, self.now);
        let schedule = scheduler::schedule(&cluster, &Options::default());
        Some(placements(&cluster, &schedule))
    }

    /// Whether a resource (of a clone: an instance) goes to a node.
    fn goes_to(&self, after: &BTreeMap<String, Option<String>>, node: &str) -> bool {
        let leaf = self.sought.view.resource_id(self.sought.leaf);
        after.get(&leaf).and_then(Option::as_deref) == Some(node)
    }

    fn keep(
        &mut self,
        text: String,
        command: Option<String>,
        after: &BTreeMap<String, Option<String>>,
        amount: Option<i32>,
    ) {
        let own: Vec<String> = self
            .sought
            .view
            .primitives(self.sought.resource)
            .into_iter()
            .map(|id| self.sought.view.resource_id(id))
            .collect();
        let leaf = self.sought.view.resource_id(self.sought.leaf);
        let words = |node: Option<&String>| node.map_or("nowhere", String::as_str).to_owned();
        let differs = |(id, to): &(&String, &Option<String>)| {
            !own.contains(id) && self.before.get(*id).is_some_and(|from| from != *to)
        };
        let also = after.iter().filter(differs).map(|(id, to)| {
            let from = self.before.get(id).and_then(Option::as_ref);
            format!("{id}: {} -> {}", words(from), words(to.as_ref()))
        });
        let change =
            Change { text, command, to: after.get(&leaf).cloned().flatten(), also: also.collect(), amount };
        if !self.search.changes.iter().any(|known| known.text == change.text) {
            self.search.changes.push(change);
        }
    }

    fn try_fixed(&mut self, candidate: Candidate, node: NodeId) {
        let Some(after) = candidate.cib.as_ref().and_then(|cib| self.run(cib)) else { return };
        if self.goes_to(&after, &self.sought.view.node_name(node)) {
            self.keep(candidate.text, candidate.command, &after, None);
        }
    }

    /// A constraint that a move left behind keeps it where it is.
    fn try_leftover(&mut self, node: NodeId) {
        for term in self.sought.terms(node) {
            let scheduler::Cause::Location { id, .. } = &term.cause else { continue };
            if !is_left_behind(id) {
                continue;
            }
            let Some(after) = edit::without(self.sought.cib, id).as_ref().and_then(|cib| self.run(cib))
            else {
                continue;
            };
            let leaf = self.sought.view.resource_id(self.sought.leaf);
            let same = after.get(&leaf) == self.before.get(&leaf);
            if !same {
                self.keep(
                    format!("remove {id} (left behind by a move)"),
                    Some(self.sought.clear()),
                    &after,
                    None,
                );
            }
        }
    }

    /// Finds the smallest number that moves it: first what arithmetic says, then, if that is wrong, by halving.
    fn try_knob(&mut self, knob: &Knob<'_>, node: NodeId) {
        let name = self.sought.view.node_name(node);
        let step = if knob.limit >= knob.from { 1 } else { -1 };
        let guess = if step > 0 { knob.guess.min(knob.limit) } else { knob.guess.max(knob.limit) };
        let mut tries: BTreeMap<i32, Option<BTreeMap<String, Option<String>>>> = BTreeMap::new();
        let mut moves = |seeker: &mut Self, value: i32| -> Option<bool> {
            if value == knob.from {
                return Some(false);
            }
            if let std::collections::btree_map::Entry::Vacant(slot) = tries.entry(value) {
                let after = (knob.cib)(value).and_then(|cib| seeker.run(&cib))?;
                let moved = seeker.goes_to(&after, &name);
                slot.insert(moved.then_some(after));
            }
            Some(tries.get(&value).is_some_and(Option::is_some))
        };
        // The last value that is known not to move it, and the first one that is known to.
        let (mut not, mut yes) = (knob.from, None);
        for value in [guess, guess.saturating_sub(step), knob.limit] {
            let inside = if step > 0 {
                value > not && value <= knob.limit
            } else {
                value < not && value >= knob.limit
            };
            if !inside && value != knob.from {
                continue;
            }
            match moves(self, value) {
                Some(true) => yes = Some(value),
                Some(false) => not = value,
                None => return,
            }
            if let Some(yes) = yes
                && (yes - not).abs() == 1
            {
                break;
            }
            if yes.is_some() && value != guess {
                break;
            }
        }
        let Some(mut yes) = yes else { return };
        while (yes - not).abs() > 1 {
            let middle = not + (yes - not) / 2;
            match moves(self, middle) {
                Some(true) => yes = middle,
                Some(false) => not = middle,
                None => return,
            }
        }
        let after = tries.remove(&yes).flatten();
        if let Some(after) = after {
            self.keep((knob.text)(yes), None, &after, Some(yes.saturating_sub(knob.from)));
        }
    }
}

impl<'a> Sought<'a> {
    fn assigned(&self) -> Option<NodeId> {
        self.view.schedule.placements.get(self.leaf.index())?.assigned
    }

    fn terms(&self, node: NodeId) -> Vec<Term> {
        let reasons = self.view.schedule.reasons.as_ref();
        reasons.and_then(|reasons| reasons.terms(self.leaf, node)).unwrap_or_default()
    }

    /// The hard reasons against a node.
    fn obstacles(&self, node: NodeId) -> Vec<Term> {
        let terms = self.terms(node);
        let from = terms.iter().rposition(|term| term.replaces).unwrap_or(0);
        terms.into_iter().skip(from).filter(|term| term.value <= -INFINITY).collect()
    }

    fn clear(&self) -> String {
        format!("crm_resource --clear --resource {}", configured_name(self.view, self.resource))
    }

    // --- what could be changed ------------------------------------------------------------------------------------

    /// How a hard reason against a node could be removed.
    fn removal(&self, term: &Term, node: NodeId) -> Option<Candidate> {
        use scheduler::Cause;
        let name = self.view.node_name(node);
        let owner = configured_name(self.view, self.resource);
        Some(match &term.cause {
            Cause::Location { id, .. } if is_left_behind(id) => Candidate {
                text: format!("remove {id} (left behind by a move)"),
                command: Some(self.clear()),
                cib: edit::without(self.cib, id),
            },
            Cause::Location { id, .. } => Candidate {
                text: format!("remove location constraint {id}"),
                command: Some(format!("cibadmin --delete --xpath \"//rsc_location[@id='{id}']\"")),
                cib: edit::without(self.cib, id),
            },
            Cause::Colocation { id, .. } if !id.starts_with('#') => Candidate {
                text: format!("remove colocation constraint {id}"),
                command: Some(format!("cibadmin --delete --xpath \"//rsc_colocation[@id='{id}']\"")),
                cib: edit::without(self.cib, id),
            },
            Cause::FailCount { of, .. } | Cause::Failure { of, .. } | Cause::FailedThere { of } => {
                let failed = self.view.resource_id(*of);
                Candidate {
                    text: format!("clear the failures of {failed} on {name}"),
                    command: Some(format!("crm_resource --cleanup --resource {failed} --node {name}")),
                    cib: edit::without_failures(self.cib, &failed, &name),
                }
            }
            Cause::Role { .. } => Candidate {
                text: format!("let it run: remove target-role of {owner}"),
                command: Some(format!(
                    "crm_resource --resource {owner} --meta --delete-parameter target-role"
                )),
                cib: edit::with_meta(self.cib, &owner, "target-role", None),
            },
            _ => return None,
        })
    }

    /// The numbers that could be changed to get it to a node that it may be on.
    fn knobs(self, node: NodeId) -> Vec<Knob<'a>> {
        use scheduler::Cause;
        let mut knobs = Vec::new();
        let here = self.assigned();
        let best = here.map_or(-1, |here| scheduler::sum(&self.terms(here)));
        let own = scheduler::sum(&self.terms(node));
        // One more than equal: who is first among equals depends on more than scores.
        let lacking = best.saturating_sub(own).saturating_add(1).max(1);
        for term in self.terms(node) {
            if let Cause::Location { id, rule: None } = &term.cause {
                knobs.extend(self.score_knob(id, term.value.saturating_add(lacking), INFINITY, "raise"));
            }
        }
        for term in here.map(|here| self.terms(here)).unwrap_or_default() {
            let lowered = term.value.saturating_sub(lacking);
            match &term.cause {
                Cause::Location { id, rule: None } if term.value > 0 => {
                    knobs.extend(self.score_knob(id, lowered.max(0), 0, "lower"));
                }
                Cause::Stickiness if term.value > 0 => knobs.push(self.stickiness_knob(term.value, lowered)),
                Cause::Colocation { id, .. } if term.value > 0 && term.value < INFINITY => {
                    knobs.extend(self.score_knob(id, lowered.max(0), 0, "lower"));
                }
                _ => {}
            }
        }
        knobs.push(self.new_preference(node, lacking));
        knobs
    }

    fn score_knob(self, id: &str, guess: i32, limit: i32, word: &'static str) -> Option<Knob<'a>> {
        let element = edit::find(self.cib, id)?;
        let from = element.attr("score")?.parse::<Score>().ok()?.value();
        let kind = if element.name() == "rsc_location" { "location" } else { "colocation" };
        let (id, text_id) = (id.to_owned(), id.to_owned());
        Some(Knob {
            from,
            guess,
            limit,
            cib: Box::new(move |value| {
                edit::with_changed(self.cib, &id, |element| element.set_attr("score", score(value)))
            }),
            text: Box::new(move |value| {
                format!("{word} {text_id} ({kind}) from {} to {}", score(from), score(value))
            }),
        })
    }

    fn stickiness_knob(self, from: i32, guess: i32) -> Knob<'a> {
        let owner = configured_name(self.view, self.resource);
        let name = owner.clone();
        Knob {
            from,
            guess: guess.max(0),
            limit: 0,
            cib: Box::new(move |value| {
                edit::with_meta(self.cib, &owner, "resource-stickiness", Some(&score(value)))
            }),
            text: Box::new(move |value| {
                format!("set resource-stickiness of {name} from {} to {}", score(from), score(value))
            }),
        }
    }

    fn new_preference(self, node: NodeId, guess: i32) -> Knob<'a> {
        let (owner, target) = (configured_name(self.view, self.resource), self.view.node_name(node));
        let (owner_words, target_words) = (owner.clone(), target.clone());
        Knob {
            from: 0,
            guess,
            limit: INFINITY,
            cib: Box::new(move |value| {
                let constraint = Element::new("rsc_location")
                    .with_attr("id", "systole-explain-preference")
                    .with_attr("rsc", &owner)
                    .with_attr("node", &target)
                    .with_attr("score", score(value));
                edit::with_constraint(self.cib, constraint)
            }),
            text: Box::new(move |value| {
                format!(
                    "add a location constraint that prefers {target_words} for {owner_words} with score {}",
                    score(value)
                )
            }),
        }
    }
}
