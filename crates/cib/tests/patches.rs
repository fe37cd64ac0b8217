// SPDX-License-Identifier: GPL-2.0-or-later
//! Patches: whatever two trees, the patch between them leads from the one to the other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cib::patch::{PatchError, apply, apply_unversioned, make, touches, with_digest};
use proptest::prelude::*;
use xml::{Element, Escaping, Node};

fn parse(text: &str) -> Element {
    xml::parse(text).unwrap()
}

/// Small names and few ids, so that trees have much in common and children are hard to tell apart.
fn tree() -> impl Strategy<Value = Element> {
    let attributes =
        || proptest::collection::vec((prop::sample::select(&["a", "b", "c", "d"][..]), 0..3u8), 0..4);
    let id = || prop::option::weighted(0.7, 0..4u8);
    let name = || prop::sample::select(&["x", "y", "z"][..]);
    let make =
        |name: &'static str, id: Option<u8>, attributes: Vec<(&'static str, u8)>, children: Vec<Node>| {
            let mut element = Element::new(name);
            element.set_attr_opt("id", id);
            for (name, value) in attributes {
                element.set_attr(name, value);
            }
            element.with_children(children)
        };
    let leaf = (name(), id(), attributes()).prop_map(move |(n, i, a)| Node::Element(make(n, i, a, vec![])));
    let comment = (0..2u8).prop_map(|n| Node::Comment(format!("c{n}").into()));
    let node = prop_oneof![9 => leaf, 1 => comment].prop_recursive(4, 60, 8, move |inner| {
        (name(), id(), attributes(), proptest::collection::vec(inner, 0..8))
            .prop_map(move |(n, i, a, c)| Node::Element(make(n, i, a, c)))
    });
    proptest::collection::vec(node, 0..8).prop_map(|children| Element::new("cib").with_children(children))
}

/// A tree that shares all with another but for a few changes, each somewhere.
fn changed(root: &Element, changes: &[(usize, u8, Element)]) -> Element {
    let mut root = root.clone();
    for (place, kind, element) in changes {
        let count = root.descendants().count();
        let mut left = place % count;
        change_at(&mut root, &mut left, *kind, element);
    }
    root
}

fn change_at(here: &mut Element, left: &mut usize, kind: u8, element: &Element) -> bool {
    if *left == 0 {
        match kind {
            0 => here.set_attr("a", element.children().len()),
            1 => here.push(element.clone()),
            2 => here.insert(0, element.clone()),
            3 => drop(here.pop()),
            _ => here.set_children(here.children().iter().rev().cloned().collect::<Vec<_>>()),
        }
        return true;
    }
    *left -= 1;
    let count = here.children().len();
    // Only the way to the change is copied.
    for index in 0..count {
        let Some(child) = here.children().get(index).and_then(Node::element) else { continue };
        let below = child.descendants().count();
        if *left < below {
            return change_at(here.element_at_mut(index).unwrap(), left, kind, element);
        }
        *left -= below;
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_patch_leads_from_old_to_new(old in tree(), new in tree()) {
        match make(&old, &new) {
            None => prop_assert_eq!(old, new),
            Some(patch) => {
                let patch = with_digest(patch, &new, Escaping::Modern);
                // As it arrives on another node.
                let patch = xml::parse(&patch.to_string()).unwrap();
                let applied = apply_unversioned(&old, &patch, Escaping::Modern);
                prop_assert_eq!(applied.map(|applied| applied.cib), Ok(new), "{}", patch);
            }
        }
    }

    #[test]
    fn a_patch_between_trees_that_share_much(
        old in tree(),
        changes in proptest::collection::vec((0..1_000usize, 0..5u8, tree()), 1..4),
    ) {
        let new = changed(&old, &changes);
        if let Some(patch) = make(&old, &new) {
            let applied = apply_unversioned(&old, &patch, Escaping::Modern);
            prop_assert_eq!(applied.map(|applied| applied.cib), Ok(new), "{}", patch);
        } else {
            prop_assert_eq!(old, new);
        }
    }

    #[test]
    fn any_patch_is_applied_or_refused(cib in tree(), patch in tree()) {
        let changes = patch.elements().map(|element| {
            let mut change = Element::new("change").with_attr("path", format!("/cib/{}", element.name()));
            change.set_attr("operation", ["create", "delete", "move", "modify"][element.attributes().len() % 4]);
            change.set_attr("position", element.children().len() * 3);
            change.with_children(element.children().to_vec())
        });
        let patch = Element::new("diff").with_attr("format", 2).with_children(changes);
        let _ = apply_unversioned(&cib, &patch, Escaping::Modern);
    }
}

const OLD: &str = r#"<cib admin_epoch="0" epoch="5" num_updates="3"><configuration><nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes></configuration><status/></cib>"#;
const NEW: &str = r#"<cib admin_epoch="0" epoch="6" num_updates="0"><configuration><nodes><node id="2" uname="bb"/><node id="3" uname="c"/></nodes></configuration><status/></cib>"#;

#[test]
fn a_patch_is_written_as_pacemaker_writes_it() {
    let patch = make(&parse(OLD), &parse(NEW)).unwrap();
    let expected = r#"<diff format="2"><version><source admin_epoch="0" epoch="5" num_updates="3"/><target admin_epoch="0" epoch="6" num_updates="0"/></version><change operation="delete" path="/cib/configuration/nodes/node[@id='1']"/><change operation="modify" path="/cib"><change-list><change-attr name="epoch" operation="set" value="6"/><change-attr name="num_updates" operation="set" value="0"/></change-list><change-result><cib admin_epoch="0" epoch="6" num_updates="0"/></change-result></change><change operation="modify" path="/cib/configuration/nodes/node[@id='2']"><change-list><change-attr name="uname" operation="set" value="bb"/></change-list><change-result><node id="2" uname="bb"/></change-result></change><change operation="create" path="/cib/configuration/nodes" position="1"><node id="3" uname="c"/></change></diff>"#;
    assert_eq!(patch.to_string(), expected);
    assert!(touches(&patch, &["cib", "configuration", "nodes"]) && !touches(&patch, &["cib", "status"]));
}

#[test]
fn versions_are_checked_first() {
    let patch = make(&parse(OLD), &parse(NEW)).unwrap();
    let apply_at =
        |version: &str| apply(&parse(&OLD.replace(r#"epoch="5""#, version)), &patch, Escaping::Modern);
    assert_eq!(apply_at(r#"epoch="5""#).unwrap().cib, parse(NEW));
    assert!(matches!(apply_at(r#"epoch="4""#), Err(PatchError::Ahead { .. })));
    let behind = apply_at(r#"epoch="6""#).unwrap_err();
    assert!(behind.is_old_news(), "{behind}");
    assert_eq!(behind.to_string(), "the patch is from 0.5.3 to 0.6.0, but the CIB is at 0.6.3 already");
    let still = parse(
        r#"<diff format="2"><version><source admin_epoch="0" epoch="5" num_updates="3"/><target admin_epoch="0" epoch="5" num_updates="3"/></version></diff>"#,
    );
    assert!(matches!(apply(&parse(OLD), &still, Escaping::Modern), Err(PatchError::NoProgress(..))));
}

#[test]
fn bad_patches_are_refused_by_name() {
    let refuse = |patch: &str| {
        apply_unversioned(&parse(OLD), &parse(patch), Escaping::Modern).unwrap_err().to_string()
    };
    assert_eq!(refuse("<diff format='1'/>"), r#"the patch has format Some("1"), expected "2""#);
    assert_eq!(
        refuse("<diff format='2'><change operation='modify' path='/cib/zoo'/></diff>"),
        "change 1: modify of '/cib/zoo': nothing there"
    );
    assert_eq!(
        refuse("<diff format='2'><change operation='modify' path='zoo'/></diff>"),
        "change 1: 'zoo' is not a path such as /cib/status/node_state[@id='1']"
    );
    assert_eq!(
        refuse("<diff format='2'><change operation='paint' path='/cib'/></diff>"),
        "change 1: 'paint' is not create, modify, move or delete"
    );
    assert_eq!(
        refuse("<diff format='2'><change operation='create' path='/cib'/></diff>"),
        "change 1: create lacks its element"
    );
    assert!(refuse("<diff format='2' digest='0'/>").contains("expected 0"));
    assert!(
        refuse("<diff format='2'><change operation='move' path='/cib/status' position='7'/></diff>")
            .contains("there are fewer elements")
    );
    // What is gone already needs no deleting.
    let gone = "<diff format='2'><change operation='delete' path='/cib/zoo'/></diff>";
    assert!(!apply_unversioned(&parse(OLD), &parse(gone), Escaping::Modern).unwrap().changed);
}

#[test]
fn a_small_change_in_a_big_cib_is_a_small_patch() {
    let mut old = parse("<cib epoch='1' num_updates='0'><status/></cib>");
    for n in 0..5_000 {
        let node =
            Element::new("node_state").with_attr("id", n).with_child(Element::new("lrm").with_attr("id", n));
        old.child_mut("status").unwrap().push(node);
    }
    let mut new = old.clone();
    new.child_mut("status")
        .unwrap()
        .child_with_id_mut("node_state", "4000")
        .unwrap()
        .set_attr("crmd", "online");
    let patch = make(&old, &new).unwrap();
    assert_eq!(patch.elements_named("change").count(), 1);
    assert_eq!(apply_unversioned(&old, &patch, Escaping::Modern).unwrap().cib, new);
}
