// SPDX-License-Identifier: GPL-2.0-or-later
//! What becomes of the content of a set of attributes when its pairs are looked at one by one.

use xml::{Element, Node};

/// What becomes of everything that is no pair. A comment belongs to the element right after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Other elements stay; comments stay with pairs that stay.
    WithPairs,
    /// All of it stays, and comments stay with pairs that stay as well, so they are there twice.
    Stays,
    /// Only comments of pairs that stay.
    Goes,
}

/// The content of the set, with what `pair` makes of each of its pairs.
pub(super) fn sift(
    set: &Element,
    rest: Rest,
    mut pair: impl FnMut(&Element) -> Option<Element>,
) -> Vec<Node> {
    let mut out = Vec::with_capacity(set.children().len());
    let mut comments: Vec<Node> = Vec::new();
    for child in set.children().iter() {
        match child {
            Node::Element(element) if element.name() == "nvpair" => {
                if let Some(new) = pair(element) {
                    out.append(&mut comments);
                    out.push(new.into());
                }
                comments.clear();
            }
            Node::Element(_) => {
                comments.clear();
                if rest != Rest::Goes {
                    out.push(child.clone());
                }
            }
            other => {
                comments.push(other.clone());
                if rest == Rest::Stays {
                    out.push(other.clone());
                }
            }
        }
    }
    out
}
