// SPDX-License-Identifier: GPL-2.0-or-later
//! What holders of trees rely on.

use super::*;
use crate::parse;
use proptest::prelude::*;

fn many(count: usize) -> Element {
    Element::new("p").with_children((0..count).map(|n| Element::new("a").with_attr("id", n)))
}

#[test]
fn a_change_copies_its_path_only() {
    let old = parse("<a><b id='1'><c/></b><b id='2'><c/></b></a>").unwrap();
    let mut new = old.clone();
    new.child_with_id_mut("b", "1").unwrap().set_attr("x", 1);
    assert!(old.child_with_id("b", "1").unwrap().attr("x").is_none());
    assert_eq!(new.child_with_id("b", "1").unwrap().attr("x"), Some("1"));
    assert!(old.child_with_id("b", "2").unwrap().ptr_eq(new.child_with_id("b", "2").unwrap()));
    assert!(old.child("b").unwrap().child("c").unwrap().ptr_eq(new.child("b").unwrap().child("c").unwrap()));
}

#[test]
fn attributes_keep_their_order() {
    let mut e = parse("<a z='1' a='2' m='3'/>").unwrap();
    e.set_attr("a", "two");
    e.set_attr("b", "4");
    assert_eq!(e.to_string(), r#"<a z="1" a="two" m="3" b="4"/>"#);
    assert!(e.remove_attr("m") && !e.remove_attr("m"));
    e.sort_attrs();
    assert_eq!(e.to_string(), r#"<a a="two" b="4" z="1"/>"#);
    e.set_attrs([("id", "1"), ("x", "2"), ("id", "3")]);
    assert_eq!((e.to_string().as_str(), e.id()), (r#"<a id="3" x="2"/>"#, Some("3")));
    assert_eq!(e.attributes().iter().rev().map(|a| a.value()).collect::<Vec<_>>(), ["2", "3"]);
}

#[test]
fn elements_alike_share_their_names() {
    let a = parse("<shared-names one='1' two='2'/>").unwrap();
    let b = parse("<shared-names one='3' two='4'/>").unwrap();
    assert!(std::ptr::eq(a.name(), b.name()));
    let mut c = b.clone();
    c.set_attr("two", 5);
    assert!(std::ptr::eq(a.name(), c.name()));
    assert_eq!((b.attr("two"), c.attr("two")), (Some("4"), Some("5")));
}

#[test]
fn descendants_come_in_document_order() {
    let e = parse("<a><b><c/></b><d/></a>").unwrap();
    assert_eq!(e.descendants().map(Element::name).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

#[test]
fn children_are_found_by_who_they_are_now() {
    let mut p = many(1_000);
    assert_eq!(p.position("a", Ids::Is("777")), Some(777));
    let child = p.child_with_id_mut("a", "777").unwrap();
    child.set_attr("id", "x");
    assert_eq!(p.position("a", Ids::Is("777")), None);
    assert_eq!(p.position("a", Ids::Is("x")), Some(777));
    assert_eq!(p.position("b", Ids::Any), None);
    p.element_at_mut(10).unwrap().remove_attr("id");
    assert_eq!(p.children().position(0..1_000, "a", Ids::Missing), Some(10));
    assert_eq!(p.children().position(11..1_000, "a", Ids::Missing), None);
    p.elements_mut().nth(500).unwrap().set_attr("id", "y");
    assert_eq!(p.position("a", Ids::Is("y")), Some(500));
    p.replace(3, Element::new("b"));
    assert_eq!(p.position("b", Ids::Any), Some(3));
}

#[test]
fn two_versions_tell_where_they_differ() {
    let old = many(10_000);
    let mut new = old.clone();
    new.element_at_mut(5_000).unwrap().set_attr("x", 1);
    let (a, b) = (old.children(), new.children());
    assert_eq!((a.shared_begin(b), a.shared_end(b, 10_000)), (5_000, 4_999));
    assert_eq!(a.unshared(b, 0..10_000).collect::<Vec<_>>(), [5_000]);
    new.remove(100);
    let b = new.children();
    assert_eq!((a.shared_begin(b), a.shared_end(b, 9_999)), (100, 4_999));
    assert_eq!(a.shared_end(b, 7), 7);
    assert!(old != new && old == old.clone());
}

#[test]
fn what_is_below_is_known_after_every_change() {
    let mut tree = parse("<a><b><c id='1'/></b><b/></a>").unwrap();
    assert!(tree.may_hold("c") && tree.may_hold("b") && !tree.may_hold("a") && !tree.may_hold("nothing"));
    tree.child_mut("b").unwrap().child_mut("c").unwrap().push(Element::new("deep"));
    assert!(tree.may_hold("deep"));
    let before = tree.clone();
    tree.child_mut("b").unwrap().clear();
    assert!(!tree.may_hold("deep") && before.may_hold("deep"));
    let mut wide = many(1_000);
    assert!(!wide.may_hold("deep"));
    wide.element_at_mut(500).unwrap().push(Element::new("deep"));
    assert!(wide.may_hold("deep"));
    wide.replace(500, Element::new("a"));
    assert!(!wide.may_hold("deep"));
    wide.insert(700, Element::new("deep"));
    assert!(wide.may_hold("deep"));
}

#[test]
fn no_depth_and_no_width_is_too_much() {
    let mut deep = Element::new("a");
    for _ in 0..300_000 {
        deep = Element::new("a").with_child(deep);
    }
    let mut other = Element::new("a");
    for _ in 0..300_000 {
        other = Element::new("a").with_child(other);
    }
    assert!(deep == other && deep.clone().ptr_eq(&deep));
    assert_eq!(deep.descendants().count(), 300_001);
    assert!(deep.may_hold("a"));
    assert_eq!(crate::XPath::parse("//b").unwrap().select(&deep).unwrap().len(), 0);
    assert_eq!(deep.to_string().len(), 300_000 * 7 + 4);
    drop(other);
    drop(deep);
    drop(many(300_000));
}

/// What can be done to a list of children.
#[derive(Clone, Debug)]
enum Act {
    Insert(usize),
    Remove(usize),
    Replace(usize),
    Change(usize),
    Retain(usize),
    Many(usize, usize),
    Drain(usize, usize),
    Snapshot,
}

fn act() -> impl Strategy<Value = Act> {
    let at = 0..2_000_usize;
    prop_oneof![
        8 => at.clone().prop_map(Act::Insert),
        8 => at.clone().prop_map(Act::Remove),
        2 => at.clone().prop_map(Act::Replace),
        2 => at.clone().prop_map(Act::Change),
        1 => (2..9_usize).prop_map(Act::Retain),
        2 => (at.clone(), 0..200_usize).prop_map(|(at, count)| Act::Many(at, count)),
        2 => (at, 0..200_usize).prop_map(|(at, count)| Act::Drain(at, count)),
        2 => Just(Act::Snapshot),
    ]
}

fn node(id: usize) -> Node {
    if id % 7 == 3 {
        Node::Comment(format!("{id}").into())
    } else {
        Element::new("a").with_attr("id", id).into()
    }
}

/// A list of children beside a plain vector to which the same is done.
struct Pair {
    tree: Element,
    plain: Vec<Node>,
    made: usize,
}

impl Pair {
    fn next(&mut self) -> Node {
        self.made += 1;
        node(self.made)
    }

    fn insert(&mut self, at: usize) {
        let (node, at) = (self.next(), at.min(self.plain.len()));
        self.tree.insert(at, node.clone());
        self.plain.insert(at, node);
    }

    fn remove(&mut self, at: usize) {
        let there = at < self.plain.len();
        let removed = there.then(|| self.plain.remove(at));
        assert_eq!(self.tree.remove(at), removed);
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Insert(at) => self.insert(at),
            Act::Many(at, count) => (0..count).for_each(|n| self.insert(at + n)),
            Act::Remove(at) => self.remove(at),
            Act::Drain(at, count) => (0..count).for_each(|_| self.remove(at)),
            Act::Replace(at) => {
                let node = self.next();
                let old = self.plain.get_mut(at).map(|slot| std::mem::replace(slot, node.clone()));
                assert_eq!(self.tree.replace(at, node), old);
            }
            Act::Change(at) => {
                self.made += 1;
                let id = self.made;
                let in_plain = self.plain.get_mut(at).and_then(|node| match node {
                    Node::Element(element) => Some(element),
                    _ => None,
                });
                let in_tree = self.tree.element_at_mut(at);
                assert_eq!(in_plain.is_some(), in_tree.is_some());
                in_plain.into_iter().chain(in_tree).for_each(|element| element.set_attr("id", id));
            }
            Act::Retain(step) => {
                let mut count = 0;
                let mut keep = |_: &Node| {
                    count += 1;
                    count % step != 0
                };
                self.plain.retain(&mut keep);
                count = 0;
                self.tree.retain(|_| {
                    count += 1;
                    count % step != 0
                });
            }
            Act::Snapshot => {}
        }
    }

    fn check(&self) {
        assert_eq!(self.tree.may_hold("a"), self.plain.iter().any(|node| node.element().is_some()));
        let children = self.tree.children();
        assert_eq!(children.len(), self.plain.len());
        assert!(children.iter().eq(&self.plain));
        assert!(children.iter().rev().eq(self.plain.iter().rev()));
        for at in [0, 1, 31, 32, 33, 100, self.plain.len()] {
            assert_eq!(children.get(at), self.plain.get(at));
            assert_eq!(children.iter().nth(at), self.plain.get(at));
            assert!(children.range(at..at + 70).eq(self.plain.iter().skip(at).take(70)));
        }
        for id in [1, 2, 40, self.made] {
            let id = id.to_string();
            let fits = |node: &Node| node.element().is_some_and(|element| element.id() == Some(&id));
            assert_eq!(self.tree.position("a", Ids::Is(&id)), self.plain.iter().position(fits));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Children behave as a vector would, and no change is seen in a snapshot.
    #[test]
    fn children_are_a_vector(first in 0..300_usize, acts in prop::collection::vec(act(), 0..60)) {
        let plain: Vec<Node> = (1..=first).map(node).collect();
        let mut pair = Pair { tree: Element::new("p").with_children(plain.clone()), plain, made: first };
        let mut snapshots = Vec::new();
        for act in &acts {
            if matches!(act, Act::Snapshot) {
                snapshots.push((pair.tree.clone(), pair.plain.clone()));
            }
            pair.act(act);
        }
        pair.check();
        for (tree, plain) in &snapshots {
            prop_assert!(tree.children().iter().eq(plain));
            let (old, new) = (tree.children(), pair.tree.children());
            let shared = |a: &Node, b: &Node| a.is_shared_with(b);
            let begin = plain.iter().zip(&pair.plain).take_while(|(a, b)| shared(a, b)).count();
            let end = plain.iter().rev().zip(pair.plain.iter().rev()).take_while(|(a, b)| shared(a, b)).count();
            prop_assert_eq!(old.shared_begin(new), begin);
            prop_assert_eq!(old.shared_end(new, usize::MAX), end);
            let differing = plain.iter().zip(&pair.plain).enumerate().filter(|(_, (a, b))| !shared(a, b));
            prop_assert!(old.unshared(new, 0..old.len()).eq(differing.map(|(at, _)| at)));
        }
    }
}
