// SPDX-License-Identifier: GPL-2.0-or-later
//! See `fuzz_targets`: what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::run("dates", data));
