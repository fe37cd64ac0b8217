// SPDX-License-Identifier: GPL-2.0-or-later
//! Patches: ours lead from the old CIB to the new one, and anybody's are applied or refused.
//!
//! The input is an element with two children: an old CIB, and either a new one or a patch (`diff`).

use std::collections::BTreeSet;
use xml::{Element, Escaping};

pub fn run(data: &[u8]) {
    let Ok(pair) = xml::parse_bytes(data) else { return };
    let mut parts = pair.elements();
    let (Some(old), Some(second)) = (parts.next(), parts.next()) else { return };
    if second.name() == "diff" {
        strangers(old, second);
    } else if old.name() == second.name() {
        ours(old, second);
    }
}

fn strangers(old: &Element, patch: &Element) {
    if let Err(error) = cib::patch::versions(patch) {
        assert!(!error.to_string().is_empty());
    }
    for escaping in [Escaping::Modern, Escaping::Legacy] {
        match cib::patch::apply(old, patch, escaping) {
            Ok(applied) => assert!(!xml::write_compact(&applied.cib).is_empty()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    // What it would touch can be asked of any patch.
    let _ = cib::patch::touches(patch, &["cib", "configuration"]);
}

fn ours(old: &Element, new: &Element) {
    // Patches name elements by their ids. With an id twice, or one that no schema allows, there is no saying which is
    // meant. And a CIB itself has none.
    if !ids_are_good(old) || !ids_are_good(new) || old.id().is_some() || new.id().is_some() {
        let _ = cib::patch::make(old, new);
        return;
    }
    let Some(patch) = cib::patch::make(old, new) else {
        assert_eq!(sorted(old), sorted(new), "no patch, but a difference");
        return;
    };
    let patch = cib::patch::with_digest(patch, new, Escaping::Modern);
    let applied = cib::patch::apply_unversioned(old, &patch, Escaping::Modern);
    let shown = xml::write_indented(&patch);
    assert!(applied.is_ok(), "{applied:?} with {shown}");
    if let Ok(applied) = applied {
        assert_eq!(sorted(&applied.cib), sorted(new), "with {shown}");
    }
}

fn ids_are_good(tree: &Element) -> bool {
    let breaks = |c: char| matches!(c, '/' | '\'') || c.is_whitespace();
    let mut seen = BTreeSet::new();
    tree.descendants()
        .filter_map(Element::id)
        .all(|id| !id.is_empty() && !id.contains(breaks) && seen.insert(id))
}

/// The order of attributes means nothing.
fn sorted(tree: &Element) -> String {
    xml::digest_v1_sorted(tree, Escaping::Modern)
}
