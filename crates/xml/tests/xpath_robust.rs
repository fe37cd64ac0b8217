// SPDX-License-Identifier: GPL-2.0-or-later
//! Whatever a stranger writes as XPath is read or refused, and evaluated or stopped; and what is found is where it is
//! said to be.
#![allow(clippy::unwrap_used)] // helpers of tests count as tests

use proptest::prelude::*;
use xml::{Element, Target, Value, XPath};

fn tree() -> Element {
    xml::parse(
        "<a id='1' x='5'><!-- c --><b id='2'><c id='3' y='5'/><c x='é'/></b><b><b id='4'><c/></b></b><d ref='2 3'/></a>",
    )
    .unwrap()
}

/// Texts that are nearly XPath: its own pieces, in any order.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "/",
        "//",
        "a",
        "b",
        "c",
        "*",
        "@",
        "@id",
        "@x",
        ".",
        "..",
        "[",
        "]",
        "(",
        ")",
        "|",
        "+",
        "-",
        "=",
        "!=",
        "<",
        ">=",
        " and ",
        " or ",
        " div ",
        " mod ",
        "1",
        "2.5",
        ".",
        "'5'",
        "\"é\"",
        "'",
        ",",
        "::",
        "ancestor::",
        "following::",
        "preceding::",
        "preceding-sibling::",
        "descendant-or-self::",
        "node()",
        "text()",
        "comment()",
        "count(",
        "last()",
        "position()",
        "not(",
        "string(",
        "substring(",
        "translate(",
        "sum(",
        "id(",
        "$v",
        "é:",
        " ",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_it(text in prop_oneof![nearly(), any::<String>()]) {
        let root = tree();
        let Ok(xpath) = XPath::parse(&text) else { return Ok(()) };
        let Ok(value) = xpath.evaluate_within(&root, 100_000) else { return Ok(()) };
        if let Value::Nodes(nodes) = value {
            let places: Vec<_> = nodes.iter().map(|node| (node.path().to_vec(), node.target().clone())).collect();
            for (index, (path, target)) in places.iter().enumerate() {
                prop_assert!(!places[..index].contains(&(path.clone(), target.clone())), "each node once");
                match target {
                    Target::Element(element) | Target::Attribute(element, _) => {
                        prop_assert!(root.at(path).unwrap().ptr_eq(element));
                    }
                    Target::Document | Target::Text(_) | Target::Comment(_) => {}
                }
            }
            let elements: Vec<_> = nodes.iter().filter(|n| n.element().is_some()).map(|n| n.path()).collect();
            prop_assert!(elements.is_sorted(), "in document order");
        }
    }

    /// An axis and its mirror: a node follows another exactly if that one precedes it.
    #[test]
    fn axes_mirror_each_other(pair in prop::sample::select(vec![
        ("following", "preceding"),
        ("following-sibling", "preceding-sibling"),
        ("ancestor", "descendant"),
        ("ancestor-or-self", "descendant-or-self"),
        ("parent", "child"),
    ]), name in prop::sample::select(vec!["*", "b", "c", "node()"])) {
        let root = tree();
        let paths = |text: String| -> Vec<Vec<usize>> {
            let found = XPath::parse(&text).unwrap().find(&root).unwrap();
            found.into_iter().map(|found| found.path).collect()
        };
        let (there, back) = pair;
        prop_assert_eq!(
            paths(format!("//{name}[{there}::*[@id]]")),
            paths(format!("//*[@id]/{back}::{name}"))
        );
    }
}
