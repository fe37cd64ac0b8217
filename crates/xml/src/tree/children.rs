// SPDX-License-Identifier: GPL-2.0-or-later
//! The children of an element: a plain list while they are few, a tree of shared blocks when they are many.

use super::element::{Element, Node};
use super::key::{Ids, Wanted};
use super::marks::Marks;
use super::sequence::{Tree, marks_of};
use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;

/// Up to so many are a plain list.
const FEW: usize = 16;

#[derive(Clone)]
pub(super) enum Kids {
    Few(Vec<Node>),
    Many(Tree),
}

impl Default for Kids {
    fn default() -> Kids {
        Kids::Few(Vec::new())
    }
}

impl From<Vec<Node>> for Kids {
    fn from(nodes: Vec<Node>) -> Kids {
        if nodes.len() <= FEW { Kids::Few(nodes) } else { Kids::Many(Tree::of(nodes)) }
    }
}

impl Kids {
    pub fn len(&self) -> usize {
        match self {
            Kids::Few(nodes) => nodes.len(),
            Kids::Many(tree) => tree.len(),
        }
    }

    /// The children that lie next to that of a position in memory, and where they begin.
    fn block_at(&self, index: usize) -> (&[Node], usize) {
        match self {
            Kids::Few(nodes) => (nodes, 0),
            Kids::Many(tree) => tree.block_at(index),
        }
    }

    pub fn get(&self, index: usize) -> Option<&Node> {
        let (block, begin) = self.block_at(index);
        block.get(index.checked_sub(begin)?)
    }

    pub fn get_mut(&mut self, index: usize) -> Option<&mut Node> {
        match self {
            Kids::Few(nodes) => nodes.get_mut(index),
            Kids::Many(tree) => tree.node_mut(index),
        }
    }

    pub fn all_mut(&mut self) -> Vec<&mut Node> {
        match self {
            Kids::Few(nodes) => nodes.iter_mut().collect(),
            Kids::Many(tree) => {
                let mut all = Vec::with_capacity(tree.len());
                tree.for_each_mut(&mut all);
                all
            }
        }
    }

    pub fn insert(&mut self, index: usize, node: Node) {
        let index = index.min(self.len());
        match self {
            Kids::Few(nodes) if nodes.len() < FEW => nodes.insert(index, node),
            Kids::Few(nodes) => {
                let mut tree = Tree::of(std::mem::take(nodes));
                tree.insert(index, node);
                *self = Kids::Many(tree);
            }
            Kids::Many(tree) => tree.insert(index, node),
        }
    }

    pub fn remove(&mut self, index: usize) -> Option<Node> {
        if index >= self.len() {
            return None;
        }
        match self {
            Kids::Few(nodes) => Some(nodes.remove(index)),
            Kids::Many(tree) => {
                let node = tree.remove(index);
                if tree.len() <= FEW / 2 {
                    *self = Kids::Few(Children(self).iter().cloned().collect());
                }
                node
            }
        }
    }

    /// The names of the children and of all below them, down to a depth.
    pub fn marks(&self, depth: usize) -> Marks {
        match self {
            Kids::Few(nodes) => marks_of(nodes, depth),
            Kids::Many(tree) => tree.marks(depth),
        }
    }

    /// Moves all nodes that are nobody else's out.
    pub fn dismantle(self, into: &mut Vec<Node>) {
        match self {
            Kids::Few(nodes) => into.extend(nodes),
            Kids::Many(tree) => tree.dismantle(into),
        }
    }
}

/// The children of an element, in order: elements, comments, text.
#[derive(Clone, Copy)]
pub struct Children<'a>(pub(super) &'a Kids);

impl<'a> Children<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a position.
    pub fn get(&self, index: usize) -> Option<&'a Node> {
        self.0.get(index)
    }

    /// The first.
    pub fn first(&self) -> Option<&'a Node> {
        self.get(0)
    }

    /// The last.
    pub fn last(&self) -> Option<&'a Node> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All, in order.
    pub fn iter(&self) -> ChildrenIter<'a> {
        self.range(0..self.len())
    }

    /// Those at some positions, in order.
    pub fn range(&self, positions: Range<usize>) -> ChildrenIter<'a> {
        let end = positions.end.min(self.len());
        let begin = positions.start.min(end);
        ChildrenIter { kids: self.0, front: [].iter(), left: begin..end, back: [].iter() }
    }

    /// All, as a list of its own (which shares the elements).
    pub fn to_vec(&self) -> Vec<Node> {
        self.iter().cloned().collect()
    }

    /// Where the first element of a name and `id` is among the positions given. Of many children, no other is looked
    /// at than those that are very likely it.
    pub fn position(&self, within: Range<usize>, name: &str, ids: Ids<'_>) -> Option<usize> {
        let wanted = Wanted::new(name, ids);
        match self.0 {
            Kids::Few(nodes) => {
                let begin = within.start;
                nodes
                    .get(begin..within.end.min(nodes.len()))?
                    .iter()
                    .position(|node| wanted.is(node))
                    .map(|at| at + begin)
            }
            Kids::Many(tree) => tree.position(within, &wanted),
        }
    }

    /// How many children at the begin are the very same in both, in memory (comments: in their text). What both share is
    /// not looked at one by one.
    pub fn shared_begin(&self, other: Children<'_>) -> usize {
        let mut count = match (self.0, other.0) {
            (Kids::Many(a), Kids::Many(b)) => a.shared_begin(b),
            _ => 0,
        };
        let rest = self.range(count..self.len()).zip(other.range(count..other.len()));
        count += rest.take_while(|(a, b)| a.is_shared_with(b)).count();
        count
    }

    /// The same at the end; never more than `most`.
    pub fn shared_end(&self, other: Children<'_>, most: usize) -> usize {
        let mut count = match (self.0, other.0) {
            (Kids::Many(a), Kids::Many(b)) => a.shared_end(b),
            _ => 0,
        };
        let rest = self.range(0..self.len() - count).rev().zip(other.range(0..other.len() - count).rev());
        if count < most {
            count += rest.take(most - count).take_while(|(a, b)| a.is_shared_with(b)).count();
        }
        count.min(most)
    }

    /// The positions from `begin` to `end` at which the two differ in memory, in order. What both share is skipped as a
    /// whole.
    pub fn unshared(&self, other: Children<'a>, within: Range<usize>) -> impl Iterator<Item = usize> {
        let (a, b) = (self.0, other.0);
        let mut next = within.start;
        let end = within.end.min(a.len()).min(b.len());
        std::iter::from_fn(move || {
            while next < end {
                let ((block, begin), (other, other_begin)) = (a.block_at(next), b.block_at(next));
                if begin == other_begin && std::ptr::eq(block, other) {
                    next = begin + block.len();
                    continue;
                }
                next += 1;
                let pair = (block.get(next - 1 - begin)?, other.get(next - 1 - other_begin)?);
                if !pair.0.is_shared_with(pair.1) {
                    return Some(next - 1);
                }
            }
            None
        })
    }
}

impl<'a> IntoIterator for Children<'a> {
    type Item = &'a Node;
    type IntoIter = ChildrenIter<'a>;
    fn into_iter(self) -> ChildrenIter<'a> {
        self.iter()
    }
}

impl PartialEq for Children<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.unshared(*other, 0..self.len()).all(|at| self.get(at) == other.get(at))
    }
}

impl Eq for Children<'_> {}

impl fmt::Debug for Children<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Iterates over children, see [`Children::iter`].
#[derive(Clone)]
pub struct ChildrenIter<'a> {
    kids: &'a Kids,
    front: std::slice::Iter<'a, Node>,
    /// Positions not taken into `front` or `back` yet.
    left: Range<usize>,
    back: std::slice::Iter<'a, Node>,
}

impl<'a> ChildrenIter<'a> {
    /// The children from the next one to the end of its block, or to the last that is left.
    fn refill(&mut self) -> bool {
        if self.left.is_empty() {
            return false;
        }
        let (block, begin) = self.kids.block_at(self.left.start);
        let end = self.left.end.min(begin + block.len());
        self.front = block.get(self.left.start - begin..end - begin).unwrap_or_default().iter();
        self.left.start = end;
        !self.front.as_slice().is_empty()
    }

    fn refill_back(&mut self) -> bool {
        if self.left.is_empty() {
            return false;
        }
        let (block, begin) = self.kids.block_at(self.left.end - 1);
        let start = self.left.start.max(begin);
        self.back = block.get(start - begin..self.left.end - begin).unwrap_or_default().iter();
        self.left.end = start;
        !self.back.as_slice().is_empty()
    }
}

impl<'a> Iterator for ChildrenIter<'a> {
    type Item = &'a Node;

    fn next(&mut self) -> Option<&'a Node> {
        if let Some(node) = self.front.next() {
            return Some(node);
        }
        if self.refill() { self.front.next() } else { self.back.next() }
    }

    fn nth(&mut self, mut skip: usize) -> Option<&'a Node> {
        let ready = self.front.len();
        if skip >= ready {
            skip -= ready;
            self.front = [].iter();
            let jump = skip.min(self.left.len());
            self.left.start += jump;
            skip -= jump;
            if self.left.is_empty() {
                return self.back.nth(skip);
            }
            self.refill();
        }
        self.front.nth(skip)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.front.len() + self.left.len() + self.back.len();
        (len, Some(len))
    }
}

impl DoubleEndedIterator for ChildrenIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if let Some(node) = self.back.next_back() {
            return Some(node);
        }
        if self.refill_back() { self.back.next_back() } else { self.front.next_back() }
    }
}

impl ExactSizeIterator for ChildrenIter<'_> {}
impl FusedIterator for ChildrenIter<'_> {}

/// Iterates over child elements, see [`Element::elements`].
#[derive(Clone)]
pub struct Elements<'a>(pub(super) ChildrenIter<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a Element;
    fn next(&mut self) -> Option<&'a Element> {
        self.0.find_map(Node::element)
    }
}

impl DoubleEndedIterator for Elements<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(element) = self.0.next_back()?.element() {
                return Some(element);
            }
        }
    }
}

impl FusedIterator for Elements<'_> {}
