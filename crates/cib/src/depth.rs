// SPDX-License-Identifier: GPL-2.0-or-later
//! How deep elements may lie in each other.
//!
//! What reads text has a limit (Pacemaker's XML library has the same), and operations can build what is deeper than any
//! text that was read. Such a CIB could neither be stored nor sent: everybody would refuse to read it. So the operation
//! is refused. Nor does anything that walks a CIB from here on need to fear for its stack.

use xml::{Element, Node};

/// A request's input: what can be read at all.
pub(crate) const INPUT: usize = 256;

/// A CIB. Less than what can be read, for the envelopes that it travels in.
pub(crate) const CIB: usize = 240;

/// Whether an element has more levels than that, itself included.
pub(crate) fn exceeds(element: &Element, limit: usize) -> bool {
    change_exceeds(None, element, limit)
}

/// Whether what became of an element has more levels than that. What both share is not looked at: it was there before.
pub(crate) fn change_exceeds(old: Option<&Element>, new: &Element, limit: usize) -> bool {
    let mut waiting = vec![(old, new, 1)];
    while let Some((old, new, depth)) = waiting.pop() {
        if old.is_some_and(|old| old.ptr_eq(new)) {
            continue;
        }
        if depth > limit {
            return true;
        }
        let children = new.children();
        let (begin, end) = old.map_or((0, 0), |old| {
            let before = old.children();
            let begin = before.shared_begin(children);
            (begin, before.shared_end(children, before.len().min(children.len()) - begin))
        });
        for (at, node) in (begin..).zip(children.range(begin..children.len() - end)) {
            if let Node::Element(child) = node {
                // The one in its place is most likely what it was made of; if it is not, it is looked at as a whole.
                let before = old.and_then(|old| old.children().get(at)?.element());
                waiting.push((before, child, depth + 1));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Element {
        (1..levels).fold(Element::new("x"), |inner, _| Element::new("x").with_child(inner))
    }

    #[test]
    fn levels_are_counted_where_something_changed() {
        assert!(!exceeds(&nested(10), 10) && exceeds(&nested(11), 10));
        assert!(exceeds(&nested(100_000), 256));
        let old = Element::new("x").with_children([nested(3), nested(20), nested(3)]);
        let mut new = old.clone();
        new.insert(1, nested(9));
        // What was too deep before is nobody's fault.
        assert!(!change_exceeds(Some(&old), &new, 10) && exceeds(&new, 10));
        new.insert(0, nested(10));
        assert!(change_exceeds(Some(&old), &new, 10));
    }
}
