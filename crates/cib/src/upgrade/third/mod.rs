// SPDX-License-Identifier: GPL-2.0-or-later
//! From the third series to the fourth: what was deprecated is said as today, or is gone.
//!
//! Six steps. What is given by reference becomes a copy ([`references::copy_out`]), for the same thing may mean
//! something else in another place. Values, then old ways to say things, then lifetimes, then what is not supported any
//! more ([`values`], [`legacy`], [`lifetime`], [`unsupported`]). Then copies become references again, the first copy
//! taking the original's part where that is gone ([`references::refer_again`]).
//!
//! Between the steps two attributes mark elements: [`ORIGINAL`] is `0` in those that were not in the document, and
//! [`CHANGED`] is there in those of which an attribute changed. No schema has a place for either.

pub(super) mod legacy;
pub(super) mod lifetime;
pub(super) mod references;
#[cfg(test)]
mod tests;
pub(super) mod unsupported;
pub(super) mod values;

use xml::{Element, Node};

/// What ids that are made here begin with.
const PREFIX: &str = "pcmk__3_10_upgrade-";

/// Marks what is a copy, or new.
pub(super) const ORIGINAL: &str = "original";

/// Marks what is not what it was.
pub(super) const CHANGED: &str = "changed";

fn id(element: &Element) -> &str {
    element.id().unwrap_or_default()
}

fn marked_new(element: Element) -> Element {
    element.with_attr(ORIGINAL, "0")
}

fn marked_changed(element: Element) -> Element {
    element.with_attr(CHANGED, "1")
}

fn is_original(element: &Element) -> bool {
    element.attr(ORIGINAL).is_none()
}

/// The element and everything in it, marked as a copy.
fn as_copy(element: &Element) -> Element {
    let content = element.children().iter().map(|child| match child {
        Node::Element(child) => as_copy(child).into(),
        other => other.clone(),
    });
    let content: Vec<Node> = content.collect();
    marked_new(super::walk::with_children(element, content))
}
