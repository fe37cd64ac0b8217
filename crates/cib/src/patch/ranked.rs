// SPDX-License-Identifier: GPL-2.0-or-later
//! A list that knows where each of its items is, and can put one anywhere, at a cost of about the square root of its
//! length.

/// Blocks grow no longer than twice this.
const BLOCK: usize = 256;

/// A list of distinct numbers, each less than the number of items it ever had.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    blocks: Vec<Vec<usize>>,
    /// The blocks in the order of the list.
    order: Vec<usize>,
    /// By item: the block it is in.
    block_of: Vec<usize>,
    len: usize,
}

impl Ranked {
    /// The numbers below `len`, in order.
    pub fn up_to(len: usize) -> Ranked {
        let items: Vec<usize> = (0..len).collect();
        let blocks: Vec<Vec<usize>> = items.chunks(BLOCK).map(<[usize]>::to_vec).collect();
        let order = (0..blocks.len()).collect();
        Ranked { block_of: items.iter().map(|item| item / BLOCK).collect(), blocks, order, len }
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().filter_map(|block| self.blocks.get(*block)).flatten().copied()
    }

    /// The item at a position.
    pub fn at(&self, mut position: usize) -> Option<usize> {
        for block in self.order.iter().filter_map(|block| self.blocks.get(*block)) {
            match block.get(position) {
                Some(item) => return Some(*item),
                None => position -= block.len(),
            }
        }
        None
    }

    /// Where an item is.
    #[cfg(test)]
    pub fn position(&self, item: usize) -> Option<usize> {
        let home = *self.block_of.get(item)?;
        let mut before = 0;
        for block in &self.order {
            let items = self.blocks.get(*block)?;
            if *block == home {
                return items.iter().position(|other| *other == item).map(|at| before + at);
            }
            before += items.len();
        }
        None
    }

    /// Takes an item out; says whether it was there.
    pub fn remove(&mut self, item: usize) -> bool {
        let block = self.block_of.get(item).and_then(|block| self.blocks.get_mut(*block));
        let Some(block) = block else { return false };
        let Some(at) = block.iter().position(|other| *other == item) else { return false };
        block.remove(at);
        self.len -= 1;
        true
    }

    /// Puts an item, new or taken out before, at a position (at the end if that is beyond it).
    pub fn insert(&mut self, mut position: usize, item: usize) {
        if self.order.is_empty() {
            self.order.push(self.blocks.len());
            self.blocks.push(Vec::new());
        }
        let last = self.order.len() - 1;
        for (place, block) in self.order.iter().enumerate() {
            let Some(items) = self.blocks.get_mut(*block) else { continue };
            if position > items.len() && place < last {
                position -= items.len();
                continue;
            }
            items.insert(position.min(items.len()), item);
            if self.block_of.len() <= item {
                self.block_of.resize(item + 1, 0);
            }
            if let Some(home) = self.block_of.get_mut(item) {
                *home = *block;
            }
            self.len += 1;
            if items.len() > 2 * BLOCK {
                let second = items.split_off(BLOCK);
                self.add_block(place + 1, second);
            }
            return;
        }
    }

    fn add_block(&mut self, place: usize, items: Vec<usize>) {
        let block = self.blocks.len();
        for item in &items {
            if let Some(home) = self.block_of.get_mut(*item) {
                *home = block;
            }
        }
        self.blocks.push(items);
        self.order.insert(place, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_list(len in 0_usize..1500, edits in prop::collection::vec((any::<bool>(), any::<usize>(), any::<usize>()), 0..300)) {
            let mut plain: Vec<usize> = (0..len).collect();
            let mut ranked = Ranked::up_to(len);
            let mut next = len;
            for (adds, a, b) in edits {
                if adds {
                    let at = a % (plain.len() + 1);
                    plain.insert(at, next);
                    ranked.insert(at, next);
                    next += 1;
                } else if !plain.is_empty() {
                    let item = plain.remove(a % plain.len());
                    prop_assert!(ranked.remove(item) && !ranked.remove(item));
                    let at = b % (plain.len() + 1);
                    plain.insert(at, item);
                    ranked.insert(at, item);
                    prop_assert_eq!(ranked.position(item), Some(at));
                    prop_assert_eq!(ranked.at(at), Some(item));
                }
                prop_assert_eq!(ranked.len(), plain.len());
            }
            prop_assert_eq!(ranked.iter().collect::<Vec<_>>(), plain);
        }
    }
}
