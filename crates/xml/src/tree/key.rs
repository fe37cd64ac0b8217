// SPDX-License-Identifier: GPL-2.0-or-later
//! One word a child, by which it is found among thousands without a look at each: half of it says the name, half the id.
//!
//! A key only rules out. Where it fits, the child itself is asked, so two names or ids that come to the same key cost
//! time and nothing else.

use super::element::{Element, Node};

/// Of a child that may have been changed since its key was known.
pub(super) const UNKNOWN: u64 = 0;
/// Of what is no element. (Names come with their highest bit set.)
const NO_ELEMENT: u64 = 1;
const NO_ID: u32 = 0;

/// Which ids are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids<'a> {
    /// Any, and none.
    Any,
    /// This one.
    Is(&'a str),
    /// None at all.
    Missing,
}

/// What is looked for among the children of an element.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    name: &'a str,
    ids: Ids<'a>,
    key: u64,
    mask: u64,
}

impl<'a> Wanted<'a> {
    pub fn new(name: &'a str, ids: Ids<'a>) -> Wanted<'a> {
        let id = match ids {
            Ids::Any | Ids::Missing => NO_ID,
            Ids::Is(id) => of_id(Some(id)),
        };
        let mask = if ids == Ids::Any { u64::from(u32::MAX) << 32 } else { u64::MAX };
        Wanted { name, ids, key: joined(of_name(name), id), mask }
    }

    pub fn may_be(&self, key: u64) -> bool {
        key & self.mask == self.key
    }

    pub fn is(&self, node: &Node) -> bool {
        node.element().is_some_and(|element| {
            element.name() == self.name
                && match self.ids {
                    Ids::Any => true,
                    Ids::Is(id) => element.id() == Some(id),
                    Ids::Missing => element.id().is_none(),
                }
        })
    }
}

pub(super) fn of(node: &Node) -> u64 {
    match node {
        Node::Element(element) => of_element(element),
        Node::Text(_) | Node::Comment(_) => NO_ELEMENT,
    }
}

fn of_element(element: &Element) -> u64 {
    joined(element.name_key(), of_id(element.id()))
}

fn joined(name: u32, id: u32) -> u64 {
    u64::from(name) << 32 | u64::from(id)
}

pub(super) fn of_name(name: &str) -> u32 {
    fold(name) | 1 << 31
}

fn of_id(id: Option<&str>) -> u32 {
    id.map_or(NO_ID, |id| fold(id) | 1)
}

/// Eight bytes at a time. Always the same for the same text, so nothing here depends on chance.
pub(super) fn fold(text: &str) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut sum = (text.len() as u64).wrapping_mul(FACTOR);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut mix = |word: u64| {
        sum = (sum ^ word).wrapping_mul(FACTOR);
        sum ^= sum >> 29;
    };
    for word in words {
        mix(u64::from_le_bytes(*word));
    }
    mix(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    (sum >> 32) as u32
}
