// SPDX-License-Identifier: GPL-2.0-or-later
//! What is written is read back as what it was.
#![allow(clippy::unwrap_used)] // helpers of tests count as tests

use proptest::prelude::*;
use xml::{Element, Escaping, Limits, Node, Style, TextPolicy, locate, parse, parse_with, write_with};

/// All that XML can say in a value.
fn value() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        '<',
        '>',
        '&',
        '"',
        '\'',
        '\t',
        '\n',
        '\r',
        '\u{7f}',
        ' ',
        ';',
        '#',
        ']',
        '-',
        '=',
        '/',
        'é',
        '日',
        '\u{85}',
        '\u{2028}',
        '\u{fffd}',
        '\u{10000}',
        '\u{10ffff}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{ef}',
    ]);
    prop::collection::vec(prop_oneof![3 => prop::char::range(' ', '~'), 2 => odd], 0..40)
        .prop_map(|chars| chars.into_iter().collect())
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "id",
        "lrm_rsc_op",
        "x:y",
        "é",
        "_",
        "A-1.2",
        "日本",
        "crm-debug-origin",
    ])
}

fn comment() -> impl Strategy<Value = Node> {
    value().prop_map(|text| {
        // Two hyphens end a comment, and a carriage return cannot be written in one.
        let text = text.replace(['-', '\r'], "=");
        Node::Comment(text.into())
    })
}

fn with_attributes(name: &str, attributes: Vec<(&'static str, String)>) -> Element {
    let mut element = Element::new(xml::Name::new(name));
    element.set_attrs(attributes);
    element
}

fn tree() -> impl Strategy<Value = Element> {
    let attributes = || prop::collection::vec((name(), value()), 0..5);
    let leaf = (name(), attributes()).prop_map(|(name, list)| with_attributes(name, list));
    leaf.prop_recursive(5, 100, 40, move |inner| {
        let child = prop_oneof![8 => inner.prop_map(Node::from), 1 => comment()];
        (name(), attributes(), prop::collection::vec(child, 0..40))
            .prop_map(|(name, list, children)| with_attributes(name, list).with_children(children))
    })
}

/// The same with text in the root element, so that every blank in it counts.
fn mixed() -> impl Strategy<Value = Element> {
    let child = prop_oneof![3 => value().prop_map(|text| Node::Text(text.into())), 2 => tree().prop_map(Node::from), 1 => comment()];
    prop::collection::vec(child, 0..8).prop_map(|children| {
        // Text next to text is one when it is read, and there is none that is empty.
        let mut root = Element::new("root").with_child(Node::Text("text".into()));
        for child in children {
            match (root.children().last(), &child) {
                (_, Node::Text(text)) if text.is_empty() => {}
                (Some(Node::Text(_)), Node::Text(_)) => {}
                _ => root.push(child),
            }
        }
        root
    })
}

/// The `<` of every element, by reading the text as if there were nothing else in it.
fn begins(text: &str) -> Vec<(usize, usize)> {
    let (mut line, mut column, mut quoted, mut found) = (1, 0, false, Vec::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        column += 1;
        if rest.starts_with("<!--") {
            let end = 4 + rest[4..].find("-->").unwrap();
            let skipped = &rest[..end];
            line += skipped.matches('\n').count();
            column = match skipped.rfind('\n') {
                Some(at) => skipped[at + 1..].chars().count(),
                None => column + skipped.chars().count() - 1,
            };
            rest = &rest[end..];
            continue;
        }
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted && !rest.starts_with("</") => found.push((line, column)),
            '\n' => (line, column) = (line + 1, 0),
            _ => {}
        }
        rest = &rest[c.len_utf8()..];
    }
    found
}

fn paths(element: &Element, path: &mut Vec<usize>, into: &mut Vec<Vec<usize>>) {
    into.push(path.clone());
    for (at, child) in element.children().iter().enumerate() {
        if let Some(child) = child.element() {
            path.push(at);
            paths(child, path, into);
            path.pop();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees(tree in tree()) {
        for style in [Style::Compact, Style::Indented, Style::Document] {
            let text = write_with(&tree, style, Escaping::Modern);
            prop_assert_eq!(&parse(&text).unwrap(), &tree, "{}", text);
        }
    }

    #[test]
    fn trees_with_text(tree in mixed()) {
        let text = write_with(&tree, Style::Document, Escaping::Modern);
        prop_assert_eq!(&parse_with(&text, TextPolicy::Keep, Limits::default()).unwrap(), &tree, "{}", text);
    }

    #[test]
    fn places(tree in tree()) {
        let text = write_with(&tree, Style::Indented, Escaping::Modern);
        let mut all = Vec::new();
        paths(&tree, &mut Vec::new(), &mut all);
        let found: Vec<_> = all.iter().map(|path| locate(&text, path).map(|at| (at.line, at.column))).collect();
        prop_assert_eq!(found, begins(&text).into_iter().map(Some).collect::<Vec<_>>());
    }

    /// Whatever comes in, it is a tree or it is refused, with a place that is in the text.
    #[test]
    fn anything_is_read_or_refused(pieces in prop::collection::vec(prop_oneof![
        3 => prop::sample::select(vec!["<", ">", "/>", "</", "<a", "</a>", " x='1'", "=", "\"", "'", "&lt;", "&#x", "&",
            ";", "<!--", "-->", "--", "<?xml version='1.0'?>", "<?", "?>", "<![CDATA[", "]]>", "\r\n", "\t", "é", "\u{ffff}",
            "\u{1}", "a", "b", " "]).prop_map(str::to_owned),
        1 => value(),
    ], 0..30)) {
        let text: String = pieces.concat();
        for policy in [TextPolicy::Drop, TextPolicy::Keep] {
            if let Err(error) = parse_with(&text, policy, Limits::default()) {
                prop_assert!(error.at.line <= text.matches('\n').count() + 1, "{} {}", error, text);
            }
        }
        let _ = locate(&text, &[0, 0]);
        let _ = xml::locate_attribute(&text, &[], "x");
    }
}
