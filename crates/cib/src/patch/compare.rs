// SPDX-License-Identifier: GPL-2.0-or-later
//! What became of an element's attributes and children.

use std::collections::{BTreeMap, BTreeSet};
use xml::{Element, Node};

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
    let place_in_old = |name: &str| old.attributes().iter().position(|attribute| **attribute.name() == *name);
    let kept: Vec<usize> = new.attributes().iter().filter_map(|a| place_in_old(a.name())).collect();
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
    /// New children before this are the old ones, untouched.
    pub first: usize,
    /// For every new child from `first` on: the old one it was, and whether it changed its place among those that
    /// stayed. After the last, all are the old ones, untouched.
    pub fates: Vec<Fate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Made,
    Kept { old: usize },
    Moved { old: usize },
}

/// Compares the children of two elements. Of many, only those between the first and the last that are not shared are
/// looked at closely.
pub(super) fn children(old: &Element, new: &Element) -> Children {
    let (old, new) = (old.children(), new.children());
    let begin = old.iter().zip(new).take_while(|(old, new)| shared(old, new)).count();
    let rest = old.len().min(new.len()) - begin;
    let end =
        old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(old, new)| shared(old, new)).count();
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    let middle = Span {
        old: old.get(begin..old_end).unwrap_or_default(),
        new: new.get(begin..new_end).unwrap_or_default(),
        begin,
    };
    let around = [old.get(..begin), old.get(old_end..)].into_iter().flatten().flatten();
    if middle.may_be_taken_for(around) {
        return Span { old, new, begin: 0 }.compared();
    }
    middle.compared()
}

fn shared(old: &Node, new: &Node) -> bool {
    match (old, new) {
        (Node::Element(old), Node::Element(new)) => old.ptr_eq(new),
        (Node::Comment(old), Node::Comment(new)) => old == new,
        _ => false,
    }
}

/// The children in question, and how many are before them.
#[derive(Clone, Copy)]
struct Span<'a> {
    old: &'a [Node],
    new: &'a [Node],
    begin: usize,
}

impl<'a> Span<'a> {
    fn elements(self) -> impl Iterator<Item = &'a Element> {
        self.old.iter().chain(self.new).filter_map(Node::element)
    }

    /// Whether a path to one of these may lead to one of the others.
    fn may_be_taken_for(self, others: impl Iterator<Item = &'a Node>) -> bool {
        let keys: BTreeSet<(&str, Option<&str>)> =
            self.elements().map(|element| (element.name(), element.id())).collect();
        let names: BTreeSet<&str> = keys.iter().map(|(name, _)| *name).collect();
        if names.is_empty() {
            return false;
        }
        others.filter_map(Node::element).any(|other| match other.id() {
            None => names.contains(other.name()),
            id => keys.contains(&(other.name(), id)) || keys.contains(&(other.name(), None)),
        })
    }

    fn compared(self) -> Children {
        let families = Families::of(self);
        let first = families.matched(true);
        let ambiguous_moved = first
            .fates
            .iter()
            .zip(self.new)
            .any(|(fate, node)| matches!(fate, Fate::Moved { .. }) && families.is_ambiguous(node));
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
        for (at, node) in span.old.iter().enumerate() {
            let family = families.family(node);
            families.members.entry(family).or_default().0.push(at);
        }
        for (at, node) in span.new.iter().enumerate() {
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
        let id = |nodes: &'a [Node], at: usize| nodes.get(at).and_then(Node::element).and_then(Element::id);
        match (family, olds.as_slice(), news.as_slice()) {
            (Family::Comments, ..) => true,
            (_, [] | [_], []) | (_, [], [_]) => false,
            (_, [old_at], [new_at]) => id(self.span.old, *old_at) != id(self.span.new, *new_at),
            _ => true,
        }
    }

    /// Ambiguous children can only stay all together, untouched and unmoved.
    fn matched(&self, keep_ambiguous: bool) -> Children {
        let Span { old, new, begin } = self.span;
        let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
        let mut kept_old = vec![false; old.len()];
        let mut pair = |old_at: usize, new_at: usize| {
            if let (Some(slot), Some(kept)) = (pairs.get_mut(new_at), kept_old.get_mut(old_at)) {
                *slot = Some(old_at + begin);
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
        let fates = fates.collect();
        let gone = kept_old.iter().enumerate().filter(|(_, kept)| !**kept);
        Children { deleted: gone.map(|(at, _)| at + begin).collect(), first: begin, fates }
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
        assert_eq!((children.deleted, children.fates), (vec![0, 1], vec![Fate::Made]));
    }

    #[test]
    fn what_is_shared_around_a_change_is_not_looked_at() {
        let items: String = (0..100).map(|n| format!("<a id='{n}'/>")).collect();
        let old = xml::parse(&format!("<p>{items}</p>")).unwrap();
        let mut new = old.clone();
        new.child_with_id_mut("a", "50").unwrap().set_attr("x", 1);
        let seen = children(&old, &new);
        assert_eq!((seen.first, seen.fates), (50, vec![Fate::Kept { old: 50 }]));
        // A second one of that name and id far away changes that: no path can tell them apart.
        new.push(Element::new("a").with_attr("id", 50));
        let mut old = old.clone();
        old.push(new.elements().last().unwrap().clone());
        let seen = children(&old, &new);
        assert_eq!((seen.first, seen.deleted), (0, vec![50, 100]));
    }
}
