// SPDX-License-Identifier: GPL-2.0-or-later
//! Names for clients that no other manager uses.

use model::Now;

/// The name of a node's n-th client, in the form of a UUID: by node, moment and count, so that it is unique without a
/// random number.
pub(super) fn client_id(node: &str, now: Now, count: u64) -> String {
    let text = format!("{node}/{}.{:09}/{count}", now.wall.secs, now.wall.nanos);
    let hash = fnv_1a_128(text.as_bytes());
    let (high, low) = ((hash >> 64) & u128::from(u64::MAX), hash & u128::from(u64::MAX));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

fn fnv_1a_128(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_uuids_and_differ() {
        let id = client_id("node1", Now::default(), 1);
        assert_eq!(id.len(), 36);
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_ne!(id, client_id("node1", Now::default(), 2));
        assert_ne!(id, client_id("node2", Now::default(), 1));
    }
}
