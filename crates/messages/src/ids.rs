// SPDX-License-Identifier: GPL-2.0-or-later
//! Ids that nobody else will choose, without randomness: cores must not draw any.

use model::WallTime;

/// Makes ids in the form of UUIDs from who makes them, when, and how many before.
///
/// Unique as long as two makers of one name do not make the same number at the same nanosecond. They are not secret:
/// nothing may be allowed to somebody only because they know one.
#[derive(Clone, Debug)]
pub struct Ids {
    maker: String,
    made: u64,
}

impl Ids {
    /// For a maker, such as `fenced` on a node.
    pub fn new(program: &str, node: &str) -> Ids {
        Ids { maker: format!("{program}@{node}"), made: 0 }
    }

    /// The next one.
    pub fn next(&mut self, now: WallTime) -> String {
        self.made += 1;
        let seed = format!("{} {}.{} {}", self.maker, now.secs, now.nanos, self.made);
        let (a, b) = (hash(&seed, 0xcbf2_9ce4_8422_2325), hash(&seed, 0x6c62_272e_07bb_0142));
        // Version 8 is "made by rules of its own", variant 1 is the usual.
        format!(
            "{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            ((b >> 48) & 0x3fff) | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }
}

/// FNV-1a, and a final mixing so that every bit of the input touches every bit of the output.
fn hash(text: &str, basis: u64) -> u64 {
    let mut hash =
        text.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_by_maker_time_and_number() {
        let now = WallTime::from_secs(1);
        let (mut one, mut same, mut other) =
            (Ids::new("fenced", "n1"), Ids::new("fenced", "n1"), Ids::new("fenced", "n2"));
        let first = one.next(now);
        assert_eq!(first.len(), 36);
        assert_eq!(first, same.next(now));
        assert_ne!(first, other.next(now));
        assert_ne!(first, one.next(now));
        assert_ne!(Ids::new("fenced", "n1").next(WallTime::from_secs(2)), first);
    }
}
