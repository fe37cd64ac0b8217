// SPDX-License-Identifier: GPL-2.0-or-later
//! Many children, as a tree of shared blocks: a change copies the blocks on its way, and two versions have all others in
//! common. With each child goes its key (see `key.rs`), in a row with those of its neighbours.

use super::element::Node;
use super::key::{self, Wanted};
use super::marks::{Kept, Marks};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many children a block holds, and how many blocks a block of blocks.
pub(super) const WIDTH: usize = 32;

#[derive(Clone)]
pub(super) enum Tree {
    Leaf(Arc<Leaf>),
    Branch(Arc<Branch>),
}

pub(super) struct Leaf {
    /// A key that is not known is found out by whoever needs it first. All who do find the same, so it does not matter
    /// who comes first, nor who sees it when.
    keys: Vec<AtomicU64>,
    nodes: Vec<Node>,
    /// The names of the children and of all below them.
    marks: Kept,
}

impl Clone for Leaf {
    fn clone(&self) -> Leaf {
        let keys = self.keys.iter().map(|key| AtomicU64::new(key.load(Relaxed))).collect();
        Leaf { keys, nodes: self.nodes.clone(), marks: self.marks.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Branch {
    parts: Vec<Tree>,
    /// How many children are in each part and those before it.
    ends: Vec<usize>,
}

impl Leaf {
    fn of(nodes: Vec<Node>) -> Leaf {
        let keys = nodes.iter().map(|node| AtomicU64::new(key::of(node))).collect();
        Leaf { keys, nodes, marks: Kept::default() }
    }

    fn changing(leaf: &mut Arc<Leaf>) -> &mut Leaf {
        let leaf = Arc::make_mut(leaf);
        leaf.marks.forget();
        leaf
    }

    fn key(&self, index: usize) -> u64 {
        let (Some(slot), Some(node)) = (self.keys.get(index), self.nodes.get(index)) else {
            return key::UNKNOWN;
        };
        match slot.load(Relaxed) {
            key::UNKNOWN => {
                let key = key::of(node);
                slot.store(key, Relaxed);
                key
            }
            key => key,
        }
    }

    fn position(&self, within: Range<usize>, wanted: &Wanted<'_>) -> Option<usize> {
        within.into_iter().find(|&index| {
            wanted.may_be(self.key(index)) && self.nodes.get(index).is_some_and(|node| wanted.is(node))
        })
    }
}

impl Branch {
    fn of(parts: Vec<Tree>) -> Branch {
        let mut branch = Branch { ends: Vec::with_capacity(parts.len()), parts };
        branch.count();
        branch
    }

    fn count(&mut self) {
        let mut end = 0;
        self.ends.clear();
        self.ends.extend(self.parts.iter().map(|part| {
            end += part.len();
            end
        }));
    }

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The part that a position is in (the last for the end of all), and where that part begins.
    fn part_of(&self, index: usize) -> (usize, usize) {
        let at = self.ends.partition_point(|end| *end <= index).min(self.parts.len().saturating_sub(1));
        (at, at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0))
    }
}

impl Tree {
    /// All blocks full, but for the last ones.
    pub fn of(nodes: Vec<Node>) -> Tree {
        let mut parts: Vec<Tree> = Vec::with_capacity(nodes.len().div_ceil(WIDTH).max(1));
        let mut nodes = nodes.into_iter();
        loop {
            let block: Vec<Node> = nodes.by_ref().take(WIDTH).collect();
            if block.is_empty() && !parts.is_empty() {
                break;
            }
            parts.push(Tree::Leaf(Arc::new(Leaf::of(block))));
        }
        while parts.len() > 1 {
            let mut below = parts.into_iter();
            parts = Vec::new();
            loop {
                let block: Vec<Tree> = below.by_ref().take(WIDTH).collect();
                if block.is_empty() {
                    break;
                }
                parts.push(Tree::Branch(Arc::new(Branch::of(block))));
            }
        }
        parts.pop().unwrap_or_else(|| Tree::Leaf(Arc::new(Leaf::of(Vec::new()))))
    }

    pub fn len(&self) -> usize {
        match self {
            Tree::Leaf(leaf) => leaf.nodes.len(),
            Tree::Branch(branch) => branch.len(),
        }
    }

    /// The names of the children and of all below them, down to a depth.
    pub fn marks(&self, depth: usize) -> Marks {
        match self {
            Tree::Leaf(leaf) => leaf.marks.or_find(|| marks_of(&leaf.nodes, depth)),
            Tree::Branch(branch) => {
                branch.parts.iter().fold(Marks::NONE, |marks, part| marks.and(part.marks(depth)))
            }
        }
    }

    /// How many blocks or children are directly in it.
    fn width(&self) -> usize {
        match self {
            Tree::Leaf(leaf) => leaf.nodes.len(),
            Tree::Branch(branch) => branch.parts.len(),
        }
    }

    pub fn is_same(&self, other: &Tree) -> bool {
        match (self, other) {
            (Tree::Leaf(a), Tree::Leaf(b)) => Arc::ptr_eq(a, b),
            (Tree::Branch(a), Tree::Branch(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The block that a position is in, and where that begins.
    fn leaf_at(&self, index: usize) -> Option<(&Arc<Leaf>, usize)> {
        let (mut tree, mut begin) = (self, 0);
        loop {
            match tree {
                Tree::Leaf(leaf) => return Some((leaf, begin)),
                Tree::Branch(branch) => {
                    let (at, before) = branch.part_of(index - begin);
                    begin += before;
                    tree = branch.parts.get(at)?;
                }
            }
        }
    }

    /// The children of the block that a position is in, and where they begin. A block that two trees share is one slice
    /// in memory.
    pub fn block_at(&self, index: usize) -> (&[Node], usize) {
        self.leaf_at(index).map_or((&[], 0), |(leaf, begin)| (leaf.nodes.as_slice(), begin))
    }

    /// A child to be changed; what its key will be is not known then.
    pub fn node_mut(&mut self, index: usize) -> Option<&mut Node> {
        match self {
            Tree::Leaf(leaf) => {
                let leaf = Leaf::changing(leaf);
                *leaf.keys.get_mut(index)?.get_mut() = key::UNKNOWN;
                leaf.nodes.get_mut(index)
            }
            Tree::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let (at, before) = branch.part_of(index);
                branch.parts.get_mut(at)?.node_mut(index - before)
            }
        }
    }

    pub fn for_each_mut<'a>(&'a mut self, into: &mut Vec<&'a mut Node>) {
        match self {
            Tree::Leaf(leaf) => {
                let leaf = Leaf::changing(leaf);
                leaf.keys.iter_mut().for_each(|key| *key.get_mut() = key::UNKNOWN);
                into.extend(&mut leaf.nodes);
            }
            Tree::Branch(branch) => {
                Arc::make_mut(branch).parts.iter_mut().for_each(|part| part.for_each_mut(into));
            }
        }
    }

    pub fn insert(&mut self, index: usize, node: Node) {
        if let Some(right) = self.insert_below(index, node) {
            let left = self.clone();
            *self = Tree::Branch(Arc::new(Branch::of(vec![left, right])));
        }
    }

    /// If there was no place left, the right half comes back.
    fn insert_below(&mut self, index: usize, node: Node) -> Option<Tree> {
        match self {
            Tree::Leaf(leaf) => {
                let leaf = Leaf::changing(leaf);
                let index = index.min(leaf.nodes.len());
                leaf.keys.insert(index, AtomicU64::new(key::of(&node)));
                leaf.nodes.insert(index, node);
                if leaf.nodes.len() <= WIDTH {
                    return None;
                }
                let at = split_at(index);
                let (keys, nodes) = (leaf.keys.split_off(at), leaf.nodes.split_off(at));
                let right = Leaf { keys, nodes, marks: Kept::default() };
                Some(Tree::Leaf(Arc::new(right)))
            }
            Tree::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let (at, before) = branch.part_of(index);
                let right = branch.parts.get_mut(at)?.insert_below(index - before, node);
                let mut split = None;
                if let Some(right) = right {
                    branch.parts.insert(at + 1, right);
                    if branch.parts.len() > WIDTH {
                        let right = branch.parts.split_off(split_at(at + 1));
                        split = Some(Tree::Branch(Arc::new(Branch::of(right))));
                    }
                }
                branch.count();
                split
            }
        }
    }

    pub fn remove(&mut self, index: usize) -> Option<Node> {
        let node = self.remove_below(index);
        while let Tree::Branch(branch) = self
            && let [only] = branch.parts.as_slice()
        {
            *self = only.clone();
        }
        node
    }

    fn remove_below(&mut self, index: usize) -> Option<Node> {
        match self {
            Tree::Leaf(leaf) => {
                let leaf = Leaf::changing(leaf);
                if index >= leaf.nodes.len() {
                    return None;
                }
                leaf.keys.remove(index);
                Some(leaf.nodes.remove(index))
            }
            Tree::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let (at, before) = branch.part_of(index);
                let node = branch.parts.get_mut(at)?.remove_below(index - before);
                branch.join(at);
                branch.count();
                node
            }
        }
    }

    pub fn position(&self, within: Range<usize>, wanted: &Wanted<'_>) -> Option<usize> {
        let end = within.end.min(self.len());
        let mut next = within.start;
        while next < end {
            let (leaf, begin) = self.leaf_at(next)?;
            let leaf_end = end.min(begin + leaf.nodes.len());
            if let Some(at) = leaf.position(next - begin..leaf_end - begin, wanted) {
                return Some(begin + at);
            }
            next = leaf_end.max(next + 1);
        }
        None
    }

    /// How many children at the begin both have in common in memory; at least that many, where both are built
    /// differently.
    pub fn shared_begin(&self, other: &Tree) -> usize {
        if self.is_same(other) {
            return self.len();
        }
        match (self, other) {
            (Tree::Leaf(a), Tree::Leaf(b)) => {
                a.nodes.iter().zip(&b.nodes).take_while(|(a, b)| a.is_shared_with(b)).count()
            }
            (Tree::Branch(a), Tree::Branch(b)) => {
                shared_parts(a.parts.iter().zip(&b.parts), Tree::shared_begin)
            }
            _ => 0,
        }
    }

    /// The same at the end.
    pub fn shared_end(&self, other: &Tree) -> usize {
        if self.is_same(other) {
            return self.len();
        }
        match (self, other) {
            (Tree::Leaf(a), Tree::Leaf(b)) => a
                .nodes
                .iter()
                .rev()
                .zip(b.nodes.iter().rev())
                .take_while(|(a, b)| a.is_shared_with(b))
                .count(),
            (Tree::Branch(a), Tree::Branch(b)) => {
                shared_parts(a.parts.iter().rev().zip(b.parts.iter().rev()), Tree::shared_end)
            }
            _ => 0,
        }
    }

    /// Gives up its nodes, those at least that are nobody else's.
    pub fn dismantle(self, into: &mut Vec<Node>) {
        match self {
            Tree::Leaf(leaf) => into.extend(Arc::into_inner(leaf).into_iter().flat_map(|leaf| leaf.nodes)),
            Tree::Branch(branch) => {
                let parts = Arc::into_inner(branch).into_iter().flat_map(|branch| branch.parts);
                parts.for_each(|part| part.dismantle(into));
            }
        }
    }
}

/// The names of some nodes and of all below them, down to a depth.
pub(super) fn marks_of(nodes: &[Node], depth: usize) -> Marks {
    nodes.iter().filter_map(Node::element).fold(Marks::NONE, |marks, element| marks.and(element.marks(depth)))
}

fn shared_parts<'a>(
    pairs: impl Iterator<Item = (&'a Tree, &'a Tree)>,
    shared: impl Fn(&Tree, &Tree) -> usize,
) -> usize {
    let mut count = 0;
    for (a, b) in pairs {
        if a.is_same(b) {
            count += a.len();
        } else {
            return count + shared(a, b);
        }
    }
    count
}

/// Where a block that grew too large is divided: in the middle, unless it grows at its end, as most do.
fn split_at(index: usize) -> usize {
    if index >= WIDTH { WIDTH } else { WIDTH.div_ceil(2) }
}

impl Branch {
    /// Takes away a part that is empty, and joins one that became small with a neighbour.
    fn join(&mut self, at: usize) {
        let width = |branch: &Branch, at: usize| branch.parts.get(at).map(Tree::width);
        match width(self, at) {
            Some(0) => drop(self.parts.remove(at)),
            Some(own) if own < WIDTH / 4 => {
                let fits = |other: Option<usize>| other.is_some_and(|other| other + own <= WIDTH / 2);
                let left = if fits(width(self, at + 1)) {
                    at
                } else if at > 0 && fits(width(self, at - 1)) {
                    at - 1
                } else {
                    return;
                };
                let right = self.parts.remove(left + 1);
                match (self.parts.get_mut(left), right) {
                    (Some(Tree::Leaf(left)), Tree::Leaf(right)) => {
                        let (left, right) = (Leaf::changing(left), Arc::unwrap_or_clone(right));
                        left.keys.extend(right.keys);
                        left.nodes.extend(right.nodes);
                    }
                    (Some(Tree::Branch(left)), Tree::Branch(right)) => {
                        let left = Arc::make_mut(left);
                        left.parts.extend(Arc::unwrap_or_clone(right).parts);
                        left.count();
                    }
                    // All parts of a branch are of one height.
                    (_, right) => self.parts.insert(left + 1, right),
                }
            }
            _ => {}
        }
    }
}
