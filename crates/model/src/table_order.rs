// SPDX-License-Identifier: GPL-2.0-or-later
//! The order in which Pacemaker walks its tables of names, which shows in what its tools print: GLib's hash table of
//! strings (with the hash that GLib had of old), walked from the first slot to the last.
//!
//! Decides: the order. Given: names in the order in which they came into the table, each once; none ever left it.
//! Leaves to others: whether anybody cares; only output that people compare does.

/// A slot that may hold the hash and the place (among the names) of one of them.
type Slot = Option<(u32, usize)>;

/// Sizes are powers of two, from this one on; a hash finds its slot by the largest prime below.
const SHIFT_MIN: u32 = 3;
const PRIMES: [u32; 32] = [
    1,
    2,
    3,
    7,
    13,
    31,
    61,
    127,
    251,
    509,
    1021,
    2039,
    4093,
    8191,
    16381,
    32749,
    65521,
    131_071,
    262_139,
    524_287,
    1_048_573,
    2_097_143,
    4_194_301,
    8_388_593,
    16_777_213,
    33_554_393,
    67_108_859,
    134_217_689,
    268_435_399,
    536_870_909,
    1_073_741_789,
    2_147_483_647,
];

/// The places of the names, in the order of the walk.
pub fn table_order<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<usize> {
    let mut table = Table::new();
    for (place, name) in names.into_iter().enumerate() {
        table.insert(hash(name), place);
    }
    table.slots.into_iter().flatten().map(|(_, place)| place).collect()
}

/// Of signed bytes. The two smallest values mark free slots.
fn hash(name: &str) -> u32 {
    let step =
        |hash: u32, &byte: &u8| hash.wrapping_mul(31).wrapping_add_signed(i32::from(byte.cast_signed()));
    name.as_bytes().iter().fold(0, step).max(2)
}

struct Table {
    shift: u32,
    slots: Vec<Slot>,
    used: usize,
}

impl Table {
    fn new() -> Table {
        Table { shift: SHIFT_MIN, slots: vec![None; 1 << SHIFT_MIN], used: 0 }
    }

    fn first_slot(&self, hash: u32) -> usize {
        let prime = PRIMES.get(self.shift as usize).copied().unwrap_or(u32::MAX);
        (hash.wrapping_mul(11) % prime) as usize
    }

    /// The slots to be tried for a hash: farther and farther apart.
    fn slots_for(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let (first, mask) = (self.first_slot(hash), self.slots.len() - 1);
        (0..).scan(first, move |slot, step| {
            *slot = (*slot + step) & mask;
            Some(*slot)
        })
    }

    fn insert(&mut self, hash: u32, place: usize) {
        let free = self.slots_for(hash).find(|&slot| self.slots.get(slot).is_none_or(Option::is_none));
        if let Some(slot) = free.and_then(|slot| self.slots.get_mut(slot)) {
            *slot = Some((hash, place));
        }
        self.used += 1;
        if self.slots.len() <= self.used + self.used / 16 {
            self.grow();
        }
    }

    /// Every name moves to the slot that is its in the larger table, pushing out what is there and has not moved yet.
    fn grow(&mut self) {
        let wanted = self.used * 4 / 3;
        self.shift = (usize::BITS - wanted.leading_zeros()).max(SHIFT_MIN);
        let old = self.slots.len();
        self.slots.resize((1 << self.shift).max(old), None);
        let mut settled = vec![false; self.slots.len()];
        for slot in 0..old {
            if settled[slot] {
                continue;
            }
            let mut homeless = self.slots[slot].take();
            while let Some((hash, place)) = homeless {
                let Some(home) = self.slots_for(hash).find(|&slot| !settled[slot]) else { return };
                settled[home] = true;
                homeless = self.slots[home].replace((hash, place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&'static str]) -> Vec<&'static str> {
        table_order(names.iter().copied()).into_iter().map(|place| names[place]).collect()
    }

    #[test]
    fn small_tables_are_walked_as_glib_does() {
        assert_eq!(order(&["fake", "passwd"]), ["passwd", "fake"]);
        assert_eq!(order(&["passwd", "fake"]), ["passwd", "fake"]);
        assert_eq!(order(&[]), [""; 0]);
        let nodes = ["node0", "node1", "node2", "node3", "node4", "node5", "node6", "node7"];
        assert_eq!(order(&nodes[..7])[..4], ["node2", "node4", "node6", "node1"]);
        assert_eq!(order(&nodes)[..6], ["node5", "node4", "node3", "node2", "node1", "node7"]);
    }

    #[test]
    fn so_are_large_ones() {
        let names: Vec<String> = (0..1000).map(|n| format!("node{n}")).collect();
        let first = |count: usize| {
            let order = table_order(names.iter().take(count).map(String::as_str));
            order.into_iter().take(6).collect::<Vec<_>>()
        };
        assert_eq!(first(20), [10, 0, 13, 3, 16, 6]);
        assert_eq!(first(100), [99, 60, 58, 15, 31, 29]);
        assert_eq!(first(1000), [993, 847, 934, 100, 994, 848]);
    }

    #[test]
    fn no_name_is_lost_as_the_table_grows() {
        let names: Vec<String> = (0..5000).map(|n| format!("node{n}")).collect();
        let mut places = table_order(names.iter().map(String::as_str));
        assert_eq!(places.len(), names.len());
        places.sort_unstable();
        assert!(places.iter().copied().eq(0..names.len()));
    }
}
