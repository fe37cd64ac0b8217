// SPDX-License-Identifier: GPL-2.0-or-later
//! What became of an element's attributes and children.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use xml::{Element, Ids, Node};

/// One attribute of which something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AttrChange<'a> {
    Set(&'a str, &'a str),
    Unset(&'a str),
}

/// What changed about attributes: new, changed or moved ones in their new order, then those that are gone. Their order
/// counts, as digests depend on it; of those that changed places, as few as possible are said to have moved.
pub(super) fn attributes<'a>(old: &'a Element, new: &'a Element) -> Vec<AttrChange<'a>> {
    if old.attributes() == new.attributes() {
        return Vec::new();
    }
    let kept: Vec<usize> =
        new.attributes().iter().filter_map(|attribute| old.attributes().position(attribute.name())).collect();
    let mut unmoved = longest_rising(&kept).into_iter();
    let mut changes = Vec::new();
    for attribute in new.attributes() {
        let (name, value) = (attribute.name().as_str(), attribute.value());
        let same = match old.attr(name) {
            Some(before) => unmoved.next() == Some(true) && before == value,
            None => false,
        };
        if !same {
            changes.push(AttrChange::Set(name, value));
        }
    }
    let gone = old.attributes().iter().filter(|attribute| new.attr(attribute.name()).is_none());
    changes.extend(gone.map(|attribute| AttrChange::Unset(attribute.name())));
    changes
}

/// What became of children, by position.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Old children that are gone, rising.
    pub deleted: Vec<usize>,
    /// For every new child that may be other than before, rising: its position, the old one it was, and whether it
    /// changed its place among those that stayed. All others are old ones, untouched.
    pub changed: Vec<(usize, Fate)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Made,
    Kept { old: usize },
    Moved { old: usize },
}

/// Up to so many children that differ are looked for among the others one by one.
const FEW: usize = 16;

/// Compares the children of two elements. Of many, only those between the first and the last that are not shared are
/// looked at closely; if each of them is still who it was, only those that differ.
pub(super) fn children(old: &Element, new: &Element) -> Children {
    let begin = old.children().shared_begin(new.children());
    let rest = old.children().len().min(new.children().len()) - begin;
    let end = old.children().shared_end(new.children(), rest);
    let (old_end, new_end) = (old.children().len() - end, new.children().len() - end);
    if let Some(changed) = changed_in_place(old, new, begin..new_end) {
        return Children { deleted: Vec::new(), changed };
    }
    let middle = Span::of(old, new, begin..old_end, begin..new_end);
    if middle.may_be_taken_for(old, [0..begin, old_end..old.children().len()]) {
        return Span::of(old, new, 0..old.children().len(), 0..new.children().len()).compared();
    }
    middle.compared()
}

/// The children that changed, if they are few, each is by name and id the one it was, and no other child goes by these.
fn changed_in_place(old: &Element, new: &Element, within: Range<usize>) -> Option<Vec<(usize, Fate)>> {
    if old.children().len() != new.children().len() {
        return None;
    }
    let mut changed = Vec::new();
    for at in old.children().unshared(new.children(), within) {
        let (before, after) = (old.children().get(at)?.element()?, new.children().get(at)?.element()?);
        let same = before.name() == after.name() && before.id() == after.id();
        let others = [0..at, at + 1..new.children().len()];
        if changed.len() == FEW || !same || others.into_iter().any(|others| may_be_at(new, others, after)) {
            return None;
        }
        changed.push((at, Fate::Kept { old: at }));
    }
    Some(changed)
}

/// Whether a path to the element may lead to one of these children of the parent, or the other way round.
fn may_be_at(parent: &Element, positions: Range<usize>, element: &Element) -> bool {
    let there = |ids| parent.children().position(positions.clone(), element.name(), ids).is_some();
    match element.id() {
        Some(id) => there(Ids::Is(id)) || there(Ids::Missing),
        None => there(Ids::Any),
    }
}

/// The children in question, and how many are before them.
struct Span<'a> {
    old: Vec<&'a Node>,
    new: Vec<&'a Node>,
    begin: usize,
}

impl<'a> Span<'a> {
    fn of(old: &'a Element, new: &'a Element, of_old: Range<usize>, of_new: Range<usize>) -> Span<'a> {
        let begin = of_old.start;
        let nodes = |element: &'a Element, range| element.children().range(range).collect();
        Span { old: nodes(old, of_old), new: nodes(new, of_new), begin }
    }

    fn elements(&self) -> impl Iterator<Item = &'a Element> {
        self.old.iter().chain(&self.new).filter_map(|node| node.element())
    }

    /// Whether a path to one of these may lead to one of the others.
    fn may_be_taken_for(&self, parent: &Element, others: [Range<usize>; 2]) -> bool {
        if self.elements().nth(FEW).is_none() {
            return self
                .elements()
                .any(|element| others.iter().any(|others| may_be_at(parent, others.clone(), element)));
        }
        let keys: BTreeSet<(&str, Option<&str>)> =
            self.elements().map(|element| (element.name(), element.id())).collect();
        let names: BTreeSet<&str> = keys.iter().map(|(name, _)| *name).collect();
        let others = others.into_iter().flat_map(|others| parent.children().range(others));
        others.filter_map(Node::element).any(|other| match other.id() {
            None => names.contains(other.name()),
            id => keys.contains(&(other.name(), id)) || keys.contains(&(other.name(), None)),
        })
    }

    fn compared(self) -> Children {
        let families = Families::of(self);
        let first = families.matched(true);
        let ambiguous_moved = first
            .changed
            .iter()
            .zip(&families.span.new)
            .any(|((_, fate), node)| matches!(fate, Fate::Moved { .. }) && families.is_ambiguous(node));
        if ambiguous_moved { families.matched(false) } else { first }
    }
}

/// Children that a path may take for each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family<'a> {
    /// Of one name and id.
    Id(&'a str, &'a str),
    /// Of one name, as one of them has no id: its path leads to the first of that name, whatever its id.
    Name(&'a str),
    /// Comments have no names at all.
    Comments,
}

struct Families<'a> {
    span: Span<'a>,
    /// Names of which one child, old or new, has no id.
    without_id: BTreeSet<&'a str>,
    /// The positions of its members, old and new.
    members: BTreeMap<Family<'a>, (Vec<usize>, Vec<usize>)>,
}

impl<'a> Families<'a> {
    fn of(span: Span<'a>) -> Families<'a> {
        let without_id =
            span.elements().filter(|element| element.id().is_none()).map(Element::name).collect();
        let mut families = Families { span, without_id, members: BTreeMap::new() };
        for (at, node) in families.span.old.iter().enumerate() {
            let family = families.family(node);
            families.members.entry(family).or_default().0.push(at);
        }
        for (at, node) in families.span.new.iter().enumerate() {
            let family = families.family(node);
            families.members.entry(family).or_default().1.push(at);
        }
        families
    }

    fn family<'n>(&self, node: &'n Node) -> Family<'n> {
        match node {
            Node::Element(element) => match element.id() {
                Some(id) if !self.without_id.contains(element.name()) => Family::Id(element.name(), id),
                _ => Family::Name(element.name()),
            },
            Node::Comment(_) | Node::Text(_) => Family::Comments,
        }
    }

    fn is_ambiguous(&self, node: &Node) -> bool {
        let family = self.family(node);
        self.members.get(&family).is_some_and(|members| self.ambiguous(family, members))
    }

    fn ambiguous(&self, family: Family<'_>, (olds, news): &(Vec<usize>, Vec<usize>)) -> bool {
        let id = |nodes: &[&'a Node], at: usize| {
            nodes.get(at).and_then(|node| node.element()).and_then(Element::id)
        };
        match (family, olds.as_slice(), news.as_slice()) {
            (Family::Comments, ..) => true,
            (_, [] | [_], []) | (_, [], [_]) => false,
            (_, [old_at], [new_at]) => id(&self.span.old, *old_at) != id(&self.span.new, *new_at),
            _ => true,
        }
    }

    /// Ambiguous children can only stay all together, untouched and unmoved.
    fn matched(&self, keep_ambiguous: bool) -> Children {
        let Span { old, new, begin } = &self.span;
        let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
        let mut kept_old = vec![false; old.len()];
        let mut pair = |old_at: usize, new_at: usize| {
            if let (Some(slot), Some(kept)) = (pairs.get_mut(new_at), kept_old.get_mut(old_at)) {
                *slot = Some(old_at + *begin);
                *kept = true;
            }
        };
        for (family, members) in &self.members {
            let (olds, news) = members;
            let same = |(o, n): (&usize, &usize)| old.get(*o) == new.get(*n);
            let stays = if self.ambiguous(*family, members) {
                keep_ambiguous && olds.len() == news.len() && olds.iter().zip(news).all(same)
            } else {
                true
            };
            if stays {
                olds.iter().zip(news).for_each(|(&old_at, &new_at)| pair(old_at, new_at));
            }
        }
        let olds: Vec<usize> = pairs.iter().filter_map(|old| *old).collect();
        let mut unmoved = longest_rising(&olds).into_iter();
        let fates = pairs.iter().map(|pair| match pair {
            None => Fate::Made,
            Some(old) if unmoved.next() == Some(true) => Fate::Kept { old: *old },
            Some(old) => Fate::Moved { old: *old },
        });
        let changed = fates.enumerate().map(|(at, fate)| (at + begin, fate)).collect();
        let gone = kept_old.iter().enumerate().filter(|(_, kept)| !**kept);
        Children { deleted: gone.map(|(at, _)| at + begin).collect(), changed }
    }
}

/// For every number, whether it belongs to a longest rising selection (always the same one for the same numbers).
fn longest_rising(numbers: &[usize]) -> Vec<bool> {
    if numbers.is_sorted() {
        return vec![true; numbers.len()];
    }
    // tails[n] is where the selection of n + 1 numbers that ends lowest ends; before[i] is what precedes i in its own.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        let length = tails.partition_point(|&tail| numbers.get(tail).is_some_and(|n| n < number));
        before.push(length.checked_sub(1).and_then(|n| tails.get(n)).copied());
        match tails.get_mut(length) {
            Some(tail) => *tail = at,
            None => tails.push(at),
        }
    }
    let mut chosen = vec![false; numbers.len()];
    let mut next = tails.last().copied();
    while let Some(at) = next {
        if let Some(slot) = chosen.get_mut(at) {
            *slot = true;
        }
        next = before.get(at).copied().flatten();
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_as_possible_move() {
        let moved = |numbers: &[usize]| longest_rising(numbers).iter().filter(|stays| !**stays).count();
        assert_eq!(moved(&[0, 1, 2]), 0);
        assert_eq!(moved(&[1, 2, 0]), 1);
        assert_eq!(moved(&[3, 2, 1, 0]), 3);
        assert_eq!(moved(&[0, 4, 1, 2, 3]), 1);
        assert_eq!(longest_rising(&[]), Vec::<bool>::new());
    }

    #[test]
    fn attributes_that_move_are_changes() {
        let old = xml::parse("<a x='1' y='2' z='3'/>").unwrap();
        let new = xml::parse("<a y='2' x='1' w='4'/>").unwrap();
        let changes = attributes(&old, &new);
        assert!(changes.contains(&AttrChange::Set("w", "4")) && changes.contains(&AttrChange::Unset("z")));
        assert_eq!(changes.len(), 3, "{changes:?}");
    }

    #[test]
    fn children_without_id_go_together() {
        let old = xml::parse("<p><a id='1'/><a/></p>").unwrap();
        let new = xml::parse("<p><a id='1'/></p>").unwrap();
        let children = children(&old, &new);
        assert_eq!((children.deleted, children.changed), (vec![0, 1], vec![(0, Fate::Made)]));
    }

    #[test]
    fn what_is_shared_around_a_change_is_not_looked_at() {
        let items: String = (0..100).map(|n| format!("<a id='{n}'/>")).collect();
        let old = xml::parse(&format!("<p>{items}</p>")).unwrap();
        let mut new = old.clone();
        new.child_with_id_mut("a", "50").unwrap().set_attr("x", 1);
        let seen = children(&old, &new);
        assert_eq!(seen.changed, [(50, Fate::Kept { old: 50 })]);
        // A second one of that name and id far away changes that: no path can tell them apart.
        new.push(Element::new("a").with_attr("id", 50));
        let mut old = old.clone();
        old.push(new.elements().next_back().unwrap().clone());
        let seen = children(&old, &new);
        assert_eq!((seen.changed.len(), seen.deleted), (101, vec![50, 100]));
    }
}
