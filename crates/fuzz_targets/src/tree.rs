// SPDX-License-Identifier: GPL-2.0-or-later
//! The XML parser: what is read can be written in every form, reads back as the same, and has its digests.

use xml::{Element, Escaping, Style, TextPolicy};

pub fn run(data: &[u8]) {
    let tree = match xml::parse_bytes(data) {
        Ok(tree) => tree,
        Err(error) => {
            // It says where, and the words can be shown.
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let compact = xml::write_compact(&tree);
    assert_eq!(without_comments(&compact), tree_without_comments(&tree), "{compact}");
    for style in [Style::Compact, Style::Indented, Style::Document] {
        let written = xml::write_with(&tree, style, Escaping::Modern);
        let read = xml::parse(&written);
        assert!(read.is_ok(), "{read:?} of {written}");
        // Legacy escaping lost what it could not say, so it is not read back.
        assert!(!xml::write_with(&tree, style, Escaping::Legacy).is_empty());
    }
    for escaping in [Escaping::Modern, Escaping::Legacy] {
        for digest in [xml::digest_v1, xml::digest_v1_sorted, xml::digest_v2] {
            assert_eq!(digest(&tree, escaping).len(), 32);
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let kept = xml::parse_with(text, TextPolicy::Keep, xml::Limits::default());
        assert!(kept.is_ok(), "text is no reason to refuse: {kept:?}");
    }
}

fn without_comments(text: &str) -> String {
    xml::parse(text).map_or_else(|error| error.to_string(), |tree| tree_without_comments(&tree))
}

/// A form that shows every element and attribute, and nothing that a writer leaves out.
fn tree_without_comments(tree: &Element) -> String {
    let mut shown = String::new();
    for element in tree.descendants() {
        shown.push('<');
        shown.push_str(element.name());
        for attribute in element.attributes() {
            shown.push_str(&format!(" {}={:?}", attribute.name(), attribute.value()));
        }
        shown.push_str(&format!(" {}>", element.elements().count()));
    }
    shown
}
