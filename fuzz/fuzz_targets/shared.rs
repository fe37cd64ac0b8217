// SPDX-License-Identifier: GPL-2.0-or-later
//! How inputs that are XML are changed: every other time as trees, else as bytes.

/// Changes the first `size` bytes in place and says how many there are then.
pub fn mutate(target: &str, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed % 2 == 0 {
        let words = fuzz_targets::TARGETS.iter().find(|known| known.name == target).map(|known| (known.words)());
        let changed = fuzz_targets::mutate(&data[..size], u64::from(seed) << 1, &words.unwrap_or_default());
        if let Some(text) = changed.filter(|text| text.len() <= max_size) {
            data[..text.len()].copy_from_slice(text.as_bytes());
            return text.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}
