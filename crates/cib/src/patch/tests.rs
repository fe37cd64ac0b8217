// SPDX-License-Identifier: GPL-2.0-or-later
//! Few changes and many are made in two ways, which must come to the same, whatever the patch is.

use super::apply::Order;
use super::few::Few;
use super::many::Many;
use super::{apply_unversioned, make};
use proptest::prelude::*;
use xml::{Element, Escaping, Node};

/// Elements of few names and ids, so that there are many of the same; and comments.
fn tree() -> impl Strategy<Value = Element> {
    let leaf = ("[ab]", prop::option::of("[12]"), prop::option::of("[xy]")).prop_map(|(name, id, value)| {
        let mut leaf = Element::new(name);
        leaf.set_attr_opt("id", id);
        leaf.set_attr_opt("v", value);
        leaf
    });
    let node = leaf.prop_recursive(3, 24, 5, |inner| {
        let node = prop_oneof![4 => inner.prop_map(Node::Element), 1 => "[cd]".prop_map(|text| Node::Comment(text.as_str().into()))];
        ("[ab]", prop::option::of("[12]"), prop::collection::vec(node, 0..5)).prop_map(|(name, id, nodes)| {
            let mut element = Element::new(name);
            element.set_attr_opt("id", id);
            element.with_children(nodes)
        })
    });
    prop::collection::vec(node, 0..5).prop_map(|nodes| Element::new("cib").with_children(nodes))
}

/// The patch with one of its changes damaged.
fn damaged(patch: &Element, which: usize, how: usize) -> Element {
    let mut changes: Vec<Element> = patch.elements().cloned().collect();
    let at = which % changes.len();
    let change = changes.get_mut(at).unwrap();
    match how {
        0 => change.set_attr("position", 7),
        1 => change.set_attr("position", -3),
        2 => drop(change.remove_attr("position")),
        3 => change.set_attr("operation", "move"),
        4 => change.set_attr("operation", "delete"),
        5 => change.set_attr("operation", "paint"),
        6 => change.set_attr("path", "/cib/a"),
        7 => change.clear(),
        _ => {
            let again = change.clone();
            changes.push(again);
        }
    }
    patch.without_children().with_children(changes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn few_and_many_changes_come_to_the_same(
        old in tree(), new in tree(), which in any::<usize>(), how in prop::option::of(0_usize..9),
    ) {
        let Some(patch) = make(&old, &new) else { return Ok(()) };
        let patch = how.map_or(patch.clone(), |how| damaged(&patch, which, how));
        for order in [Order::AsPatched, Order::AsBefore] {
            let few = Few::new(&old, order).apply(&patch);
            let many = Many::new(&old, order).apply(&patch);
            match (few, many) {
                (Ok(few), Ok(many)) => {
                    prop_assert_eq!(&few.cib, &many.cib, "{}", patch);
                    prop_assert_eq!((few.changed, few.configuration_changed), (many.changed, many.configuration_changed));
                    if how.is_none() && order == Order::AsPatched {
                        prop_assert_eq!(&few.cib, &new);
                    }
                }
                (few, many) => prop_assert_eq!(few.map(|done| done.cib), many.map(|done| done.cib), "{}", patch),
            }
        }
    }
}

#[test]
fn a_hundred_thousand_changes_take_no_age() {
    let items = |numbers: &mut dyn Iterator<Item = u32>, value: &str| -> Vec<Element> {
        numbers.map(|n| Element::new("x").with_attr("id", n).with_attr("v", value)).collect()
    };
    let root =
        |children: Vec<Element>| Element::new("cib").with_child(Element::new("s").with_children(children));
    // Some thousand are gone, the rest changed, and there are new ones between them; at the end some stand elsewhere.
    let old = root(items(&mut (0..60_000), "old"));
    let mut children = items(&mut (5_000..60_000), "new");
    let moved = children.split_off(50_000);
    let fresh = items(&mut (100_000..140_000), "fresh");
    let mut mixed: Vec<Element> = moved;
    for (kept, fresh) in children.iter().zip(fresh) {
        mixed.extend([kept.clone(), fresh]);
    }
    mixed.extend(children.get(40_000..).unwrap().iter().cloned());
    let new = root(mixed);
    let patch = make(&old, &new).unwrap();
    assert!(patch.elements().count() > 100_000, "{}", patch.elements().count());
    assert!(apply_unversioned(&old, &patch, Escaping::Modern).unwrap().cib == new);
}
