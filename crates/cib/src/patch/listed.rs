// SPDX-License-Identifier: GPL-2.0-or-later
//! Saying what changed as Pacemaker says it, change for change: for people and programs that compare patches as text.
//!
//! Decides: which changes are listed, in which order. Every child that is not where it was among those that stayed is said
//! to have moved, though fewer moves would do, and so are attributes. [`super::make()`] says the same in less, and at the
//! cost of the change alone; this walks both trees.

use super::apply::apply_unversioned;
use super::make::{change, make, patch_of};
use super::steps;
use std::collections::BTreeMap;
use xml::{Element, Escaping, Node};

/// Whether the order of attributes counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeOrder {
    /// One that stands elsewhere among the others has changed.
    Counts,
    /// It does not.
    Ignored,
}

/// The patch that turns `old` into `new`, as Pacemaker lists it. `None` if there is nothing to say.
///
/// There are trees for which such a list does not lead to `new` (comments that move, elements that no path can tell apart);
/// what is said of these is what [`super::make()`] says.
pub fn listed(old: &Element, new: &Element, order: AttributeOrder) -> Option<Element> {
    let mut lister = Lister { order, deletes: Vec::new(), changes: Vec::new() };
    let root = steps::below("", new);
    lister.list_deletes(old, new, &root);
    lister.list_changes(old, new, &root);
    let Lister { deletes, changes, .. } = lister;
    if deletes.is_empty() && changes.is_empty() {
        return None;
    }
    let patch = patch_of(old, new, deletes, changes);
    let leads_there = apply_unversioned(old, &patch, Escaping::Modern)
        .is_ok_and(|applied| same_but_for_attribute_order(&applied.cib, new));
    if leads_there { Some(patch) } else { make(old, new) }
}

struct Lister {
    order: AttributeOrder,
    deletes: Vec<Element>,
    changes: Vec<Element>,
}

// All recursion here is bounded by the depth that the parser accepts.
impl Lister {
    /// In the order of the old tree, of which paths are the same until something was deleted.
    fn list_deletes(&mut self, old: &Element, new: &Element, path: &str) {
        if old.ptr_eq(new) {
            return;
        }
        let (olds, news) = (nodes(old), nodes(new));
        let pairs = Pairs::of(&olds, &news);
        let mut stayed = 0;
        for (before, now) in olds.iter().zip(&pairs.new_of_old) {
            let Some(now) = now.and_then(|at| news.get(at)) else {
                self.deletes.push(match before {
                    Node::Element(element) => change("delete", &steps::below(path, element)),
                    // Comments have no names: their place is told, without those deleted before.
                    _ => change("delete", &format!("{path}/comment")).with_attr("position", stayed),
                });
                continue;
            };
            stayed += 1;
            if let (Node::Element(before), Node::Element(now)) = (before, now) {
                self.list_deletes(before, now, &steps::below(path, now));
            }
        }
    }

    /// In the order of the new tree; that something moved is said after what changed in it.
    fn list_changes(&mut self, old: &Element, new: &Element, path: &str) {
        if old.ptr_eq(new) {
            return;
        }
        self.list_attributes(old, new, path);
        let (olds, news) = (nodes(old), nodes(new));
        let pairs = Pairs::of(&olds, &news);
        let moved = pairs.moved();
        for (position, (now, pair)) in news.iter().zip(&pairs.old_of_new).enumerate() {
            let Some(before) = pair.and_then(|at| olds.get(at)) else {
                let create = change("create", path).with_attr("position", position);
                self.changes.push(create.with_child((*now).clone()));
                continue;
            };
            let path = match (before, now) {
                (Node::Element(before), Node::Element(now)) => {
                    let path = steps::below(path, now);
                    self.list_changes(before, now, &path);
                    path
                }
                _ => format!("{path}/comment"),
            };
            if moved.get(position) == Some(&true) {
                self.changes.push(change("move", &path).with_attr("position", position));
            }
        }
    }

    fn list_attributes(&mut self, old: &Element, new: &Element, path: &str) {
        let set = changed_attributes(old, new, self.order);
        let set = new.attributes().iter().zip(set).filter(|(_, changed)| *changed).map(|(attribute, _)| {
            Element::new("change-attr")
                .with_attr("name", attribute.name())
                .with_attr("operation", "set")
                .with_attr("value", attribute.value())
        });
        let gone = old.attributes().iter().filter(|attribute| new.attr(attribute.name()).is_none());
        let unset = gone.map(|attribute| {
            Element::new("change-attr").with_attr("name", attribute.name()).with_attr("operation", "unset")
        });
        let list = Element::new("change-list").with_children(set.chain(unset));
        if list.children().is_empty() {
            return;
        }
        let result = Element::new("change-result").with_child(new.without_children());
        self.changes.push(change("modify", path).with_child(list).with_child(result));
    }
}

/// For every new attribute, whether it is to be set.
fn changed_attributes(old: &Element, new: &Element, order: AttributeOrder) -> Vec<bool> {
    let mut set: Vec<bool> = new
        .attributes()
        .iter()
        .map(|attribute| old.attr(attribute.name()) != Some(attribute.value()))
        .collect();
    if order == AttributeOrder::Ignored || old.attributes() == new.attributes() {
        return set;
    }
    let (mut olds, mut news) = (Places::up_to(old.attributes().iter().count()), Places::up_to(set.len()));
    for (old_at, attribute) in old.attributes().iter().enumerate() {
        let Some(new_at) = new.attributes().position(attribute.name()) else { continue };
        if set.get(new_at) == Some(&true) || olds.before(old_at) == news.before(new_at) {
            continue;
        }
        pass_over(&mut olds, old_at, &mut news, new_at);
        if let Some(set) = set.get_mut(new_at) {
            *set = true;
        }
    }
    set
}

/// What moved is passed over from now on where it stands further back, so that what it moved past counts as having
/// stayed.
fn pass_over(olds: &mut Places, old_at: usize, news: &mut Places, new_at: usize) {
    if olds.before(old_at) > news.before(new_at) { olds.remove(old_at) } else { news.remove(new_at) }
}

fn nodes(element: &Element) -> Vec<&Node> {
    element.children().iter().filter(|node| !matches!(node, Node::Text(_))).collect()
}

/// Which child is which: elements by name and id (the first by the first, where there are several), comments by what they
/// say and where they stand.
struct Pairs {
    new_of_old: Vec<Option<usize>>,
    old_of_new: Vec<Option<usize>>,
}

impl Pairs {
    fn of(olds: &[&Node], news: &[&Node]) -> Pairs {
        let mut waiting: BTreeMap<(&str, Option<&str>), Vec<usize>> = BTreeMap::new();
        for (at, node) in news.iter().enumerate().rev() {
            if let Node::Element(element) = node {
                waiting.entry((element.name(), element.id())).or_default().push(at);
            }
        }
        let mut pairs = Pairs { new_of_old: vec![None; olds.len()], old_of_new: vec![None; news.len()] };
        for (at, node) in olds.iter().enumerate() {
            let found = match node {
                Node::Element(element) => waiting.get_mut(&(element.name(), element.id())).and_then(Vec::pop),
                Node::Comment(text) => match news.get(at) {
                    Some(Node::Comment(now)) if now.eq_ignore_ascii_case(text) => Some(at),
                    _ => None,
                },
                Node::Text(_) => None,
            };
            if let (Some(found), Some(pair)) = (found, pairs.new_of_old.get_mut(at)) {
                *pair = Some(found);
                if let Some(pair) = pairs.old_of_new.get_mut(found) {
                    *pair = Some(at);
                }
            }
        }
        pairs
    }

    /// For every new child, whether it moved among those that stayed.
    fn moved(&self) -> Vec<bool> {
        let (mut olds, mut news) =
            (Places::up_to(self.new_of_old.len()), Places::up_to(self.old_of_new.len()));
        for (at, _) in self.new_of_old.iter().enumerate().filter(|(_, pair)| pair.is_none()) {
            olds.remove(at);
        }
        let mut moved = vec![false; self.old_of_new.len()];
        for (new_at, (pair, moved)) in self.old_of_new.iter().zip(&mut moved).enumerate() {
            match pair {
                None => news.remove(new_at),
                Some(old_at) if olds.before(*old_at) != news.before(new_at) => {
                    *moved = true;
                    pass_over(&mut olds, *old_at, &mut news, new_at);
                }
                Some(_) => {}
            }
        }
        moved
    }
}

/// Places in a row, of which some are taken out, and how many are left before one: each in the logarithm of their number.
struct Places {
    /// A Fenwick tree: entry `n` counts what is left of the last `n & -n` places up to the `n`-th.
    counts: Vec<usize>,
    left: Vec<bool>,
}

impl Places {
    fn up_to(len: usize) -> Places {
        Places { counts: (0..=len).map(|n| n & n.wrapping_neg()).collect(), left: vec![true; len] }
    }

    fn before(&self, place: usize) -> usize {
        let (mut at, mut sum) = (place, 0);
        while at > 0 {
            sum += self.counts.get(at).copied().unwrap_or(0);
            at &= at - 1;
        }
        sum
    }

    fn remove(&mut self, place: usize) {
        match self.left.get_mut(place) {
            Some(left) if *left => *left = false,
            _ => return,
        }
        let mut at = place + 1;
        while let Some(count) = self.counts.get_mut(at) {
            *count -= 1;
            at += at & at.wrapping_neg();
        }
    }
}

fn same_but_for_attribute_order(one: &Element, other: &Element) -> bool {
    if one.ptr_eq(other) {
        return true;
    }
    let count = |element: &Element| element.attributes().iter().count();
    let same_attributes = count(one) == count(other)
        && one.attributes().iter().all(|attribute| other.attr(attribute.name()) == Some(attribute.value()));
    let (ones, others) = (nodes(one), nodes(other));
    one.name() == other.name()
        && same_attributes
        && ones.len() == others.len()
        && ones.iter().zip(&others).all(|pair| match pair {
            (Node::Element(one), Node::Element(other)) => same_but_for_attribute_order(one, other),
            (Node::Comment(one), Node::Comment(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(old: &str, new: &str, order: AttributeOrder) -> Vec<String> {
        let patch = listed(&xml::parse(old).unwrap(), &xml::parse(new).unwrap(), order);
        let Some(patch) = patch else { return Vec::new() };
        let text = |change: &Element| {
            let set = change.descendants().filter(|e| e.name() == "change-attr");
            let set: String = set.filter_map(|e| e.attr("name")).map(|name| format!(" @{name}")).collect();
            let position = change.attr("position").map(|n| format!(" {n}")).unwrap_or_default();
            format!("{} {}{position}{set}", change.attr("operation").unwrap(), change.attr("path").unwrap())
        };
        patch.elements_named("change").map(text).collect()
    }

    #[test]
    fn changes_are_those_pacemaker_lists() {
        use AttributeOrder::{Counts, Ignored};
        // What crm_diff 3.0.2 says of the same.
        let all = |old: &str, new: &str| changes(old, new, Counts);
        assert_eq!(all("<a x='1' y='2' z='3'/>", "<a x='1' z='3' y='2'/>"), ["modify /a @z @y"]);
        assert_eq!(changes("<a x='1' y='2'/>", "<a y='2' x='1'/>", Ignored), [] as [&str; 0]);
        assert_eq!(all("<a x='1' y='2' z='3'/>", "<a x='1' z='3'/>"), ["modify /a @z @y"]);
        let (old, new) = ("<p><a id='1'/><a id='2'/><a id='3'/></p>", "<p><a id='3'/><a id='1'/><b/></p>");
        let expected =
            ["delete /p/a[@id='2']", "move /p/a[@id='3'] 0", "move /p/a[@id='1'] 1", "create /p 2"];
        assert_eq!(all(old, new), expected);
        assert_eq!(
            all("<p><!--x--><a/><!--y--></p>", "<p><a q='1'/><!--y--></p>"),
            ["delete /p/comment 0", "delete /p/comment 1", "modify /p/a @q", "create /p 1"]
        );
        assert_eq!(all("<p><a id='1'/></p>", "<p><a id='1'/></p>"), [] as [&str; 0]);
    }

    #[test]
    fn what_no_list_leads_to_is_made_another_way() {
        let old = xml::parse("<p><a><x id='1'/></a><a><x id='2'/></a></p>").unwrap();
        let new = xml::parse("<p><a><x id='1'/></a><a><x id='3'/></a></p>").unwrap();
        let patch = listed(&old, &new, AttributeOrder::Counts).unwrap();
        assert_eq!(apply_unversioned(&old, &patch, Escaping::Modern).unwrap().cib, new);
    }

    #[test]
    fn many_children_in_another_order_are_compared_in_time() {
        let items = |range: &mut dyn Iterator<Item = u32>| {
            let items: String = range.map(|n| format!("<a id='{n}'/>")).collect();
            xml::parse(&format!("<p>{items}</p>")).unwrap()
        };
        let (old, new) = (items(&mut (0..3000)), items(&mut (0..3000).rev()));
        let pairs = Pairs::of(&nodes(&old), &nodes(&new));
        assert_eq!(pairs.moved().iter().filter(|moved| **moved).count(), 3000);
    }
}
