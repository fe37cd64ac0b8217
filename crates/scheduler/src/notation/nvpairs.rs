//! Blocks of names and values (`meta_attributes`, `instance_attributes`, …), with their rules and scores.
//!
//! Decides: which blocks apply, and which value wins: that of the block with the highest score, among equals of the
//! last one (Pacemaker Explained, "Attribute Rules"). Given: the element that holds the blocks, and what rules may ask.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::{RuleInput, evaluate_rule, merge_sort, score_attr};
use crate::cluster::Parameters;
use std::cmp::Ordering;
use std::sync::Arc;
use xml::Element;

/// What is needed to read blocks: the whole CIB, to follow `id-ref`, and what rules ask for.
pub struct BlockContext<'a> {
    /// The CIB.
    pub cib: &'a Element,
    /// What rules may ask.
    pub rules: RuleInput<'a>,
    /// The block of this id comes first whatever its score.
    pub first_id: Option<&'a str>,
}

/// Adds the values of all applicable blocks to `values`, where they are not set already.
pub fn unpack_blocks(
    parent: &Element,
    block: &str,
    context: &BlockContext<'_>,
    recheck: &mut Option<i64>,
    values: &mut Parameters,
) {
    let blocks: Vec<&Element> =
        parent.elements_named(block).rev().filter_map(|b| resolve(b, context.cib)).collect();
    let rank = |a: &&Element, b: &&Element| {
        if context.first_id.is_some() && a.id() == context.first_id {
            Ordering::Less
        } else if context.first_id.is_some() && b.id() == context.first_id {
            Ordering::Greater
        } else {
            score_attr(b, "score").cmp(&score_attr(a, "score"))
        }
    };
    for block in merge_sort(&blocks, &rank) {
        let applies =
            block.child("rule").is_none_or(|rule| evaluate_rule(rule, &context.rules, context.cib, recheck));
        if applies {
            add_pairs(block, context.cib, values);
        }
    }
}

fn add_pairs(block: &Element, cib: &Element, values: &mut Parameters) {
    let holder = block.first_element().filter(|first| first.name() == "attributes").unwrap_or(block);
    for pair in holder.elements_named("nvpair").filter_map(|pair| resolve(pair, cib)) {
        let (Some(name), Some(value)) = (pair.attr("name"), pair.attr("value")) else { continue };
        if value.eq_ignore_ascii_case("#default") {
            values.remove(name);
        } else if !values.contains_key(name) {
            values.insert(Arc::from(name), Arc::from(value));
        }
    }
}

/// Follows an `id-ref` to the element of that name and id, anywhere in the CIB.
pub fn resolve<'a>(element: &'a Element, cib: &'a Element) -> Option<&'a Element> {
    match element.attr("id-ref") {
        None => Some(element),
        Some(id) => cib.descendants().find(|e| e.name() == element.name() && e.id() == Some(id)),
    }
}
