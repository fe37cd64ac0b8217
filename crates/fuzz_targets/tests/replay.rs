// SPDX-License-Identifier: GPL-2.0-or-later
//! Every input that a campaign found worth keeping, again.

use fuzz_targets::TARGETS;
use std::path::Path;
use std::time::{Duration, Instant};

/// An input that takes longer, even in a debug build on a busy machine, is what the fuzzer would call a hang.
const LONGEST: Duration = Duration::from_secs(10);

#[test]
fn kept_inputs_do_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        let mut inputs: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{} holds no inputs", folder.display());
        for path in inputs {
            let data = std::fs::read(&path).unwrap();
            // Shown if the test fails: which input it was.
            println!("{}", path.display());
            let start = Instant::now();
            (target.run)(&data);
            assert!(start.elapsed() < LONGEST, "{} takes too long", path.display());
        }
    }
}
