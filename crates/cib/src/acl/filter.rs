// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user can see of a CIB.

use super::Acl;
use super::marks::{Marks, Rights, Verdict};
use xml::{Element, Node};

/// The parts of a tree that a user may read; `None` if that is nothing at all. Elements that only lead to something
/// readable are there with their `id` alone. What is seen whole is shared with the original.
pub(crate) fn filter(acl: &Acl, root: &Element) -> Option<Element> {
    if acl.is_empty() {
        return None;
    }
    let marks = Marks::of(acl, root);
    Filter { marks, chain: Vec::new(), path: Vec::new() }.element(root, Rights::default())
}

struct Filter<'a> {
    marks: Marks<'a>,
    chain: Vec<&'a Element>,
    path: Vec<usize>,
}

impl<'a> Filter<'a> {
    // Recursion is bounded by the depth that the parser accepts.
    fn element(&mut self, element: &'a Element, above: Rights) -> Option<Element> {
        self.chain.push(element);
        let rights = above.below(self.marks.on(&self.chain, &self.path));
        let readable = rights.read == Verdict::Allowed;
        let mut whole = readable || element.attributes().iter().all(|attribute| **attribute.name() == *"id");
        let mut readable_below = false;
        let mut children: Vec<Node> = Vec::new();
        for (at, node) in element.children().iter().enumerate() {
            // Comments and text go with the element they are in.
            let Node::Element(child) = node else {
                children.push(node.clone());
                continue;
            };
            self.path.push(at);
            match self.element(child, rights) {
                Some(seen) => {
                    readable_below = true;
                    whole &= seen.ptr_eq(child);
                    children.push(Node::Element(seen));
                }
                None => whole = false,
            }
            self.path.pop();
        }
        self.chain.pop();
        if !readable && !readable_below {
            return None;
        }
        if whole {
            return Some(element.clone());
        }
        let mut seen = Element::new(element.name_shared().clone());
        seen.replace_attrs(element);
        if !readable {
            seen.retain_attrs(|attribute| **attribute.name() == *"id");
        }
        Some(seen.with_children(children))
    }
}
