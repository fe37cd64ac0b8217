// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user may do with every element of a CIB, to be shown to people.

use super::Acl;
use super::marks::{Marks, Rights, Verdict};
use xml::Element;

/// What may be done with an element and its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Read and changed.
    Writable,
    /// Read only.
    Readable,
    /// Nothing.
    Denied,
}

/// The level of an element, and of the elements in it, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotated {
    /// Its own.
    pub level: Level,
    /// Those of its child elements.
    pub children: Vec<Annotated>,
}

/// The levels of all elements of a tree.
pub fn annotate(acl: &Acl, root: &Element) -> Annotated {
    let marks = (!acl.is_empty()).then(|| Marks::of(acl, root));
    Annotator { marks, chain: Vec::new(), path: Vec::new() }.element(root, Rights::default())
}

struct Annotator<'a> {
    /// None if nothing is allowed at all.
    marks: Option<Marks<'a>>,
    chain: Vec<&'a Element>,
    path: Vec<usize>,
}

impl<'a> Annotator<'a> {
    // Recursion is bounded by the depth that the parser accepts.
    fn element(&mut self, element: &'a Element, above: Rights) -> Annotated {
        self.chain.push(element);
        let rights = match &self.marks {
            Some(marks) => above.below(marks.on(&self.chain, &self.path)),
            None => Rights::default(),
        };
        let level = match rights {
            Rights { read, .. } if read != Verdict::Allowed => Level::Denied,
            Rights { write: Verdict::Allowed, .. } => Level::Writable,
            Rights { .. } => Level::Readable,
        };
        let mut children = Vec::new();
        for (at, node) in element.children().iter().enumerate() {
            if let Some(child) = node.element() {
                self.path.push(at);
                children.push(self.element(child, rights));
                self.path.pop();
            }
        }
        self.chain.pop();
        Annotated { level, children }
    }
}
