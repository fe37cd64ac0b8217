// SPDX-License-Identifier: GPL-2.0-or-later
//! See `fuzz_targets`: what must hold, and how inputs are changed.
#![no_main]

mod shared;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::run("rules", data));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    shared::mutate("rules", data, size, max_size, seed)
});
