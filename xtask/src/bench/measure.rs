// SPDX-License-Identifier: GPL-2.0-or-later
//! Times, as short as they come: whatever else the machine does only makes them longer.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long one thing is repeated.
const BUDGET: Duration = Duration::from_millis(600);
/// And how many times at least, and at most.
const TIMES: std::ops::RangeInclusive<usize> = 5..=20_000;

/// The shortest time that something takes.
pub fn shortest<T>(mut work: impl FnMut() -> T) -> Duration {
    let begin = Instant::now();
    let mut shortest = Duration::MAX;
    for time in 1..=*TIMES.end() {
        let started = Instant::now();
        black_box(work());
        shortest = shortest.min(started.elapsed());
        if time >= *TIMES.start() && begin.elapsed() > BUDGET {
            break;
        }
    }
    shortest
}

/// The shortest time that something takes on average, `count` times in a row: for what is too short for the clock.
pub fn shortest_of_many<T>(count: u32, mut work: impl FnMut() -> T) -> Duration {
    let many = shortest(|| {
        for _ in 0..count {
            black_box(work());
        }
    });
    many / count
}
