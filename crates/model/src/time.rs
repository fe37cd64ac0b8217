// SPDX-License-Identifier: GPL-2.0-or-later
//! Moments. A core never reads a clock: it is told `Now` with every input.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A moment on a clock that only moves forward; meaningful only against others of the same process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The moment this long after the clock's origin.
    pub const fn since_origin(elapsed: Duration) -> Instant {
        Instant(elapsed)
    }

    /// The time since the clock's origin.
    pub const fn elapsed(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span))
    }
}

/// A moment on the calendar: seconds and nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime {
    /// Seconds since the epoch.
    pub secs: i64,
    /// Nanoseconds within the second, 0 to 999,999,999.
    pub nanos: u32,
}

impl WallTime {
    /// A moment at a whole second.
    pub const fn from_secs(secs: i64) -> WallTime {
        WallTime { secs, nanos: 0 }
    }
}

impl Add<Duration> for WallTime {
    type Output = WallTime;
    fn add(self, span: Duration) -> WallTime {
        let nanos = self.nanos + span.subsec_nanos();
        let carry = i64::from(nanos / 1_000_000_000);
        let secs = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        WallTime { secs: self.secs.saturating_add(secs).saturating_add(carry), nanos: nanos % 1_000_000_000 }
    }
}

impl fmt::Display for WallTime {
    /// Seconds since the epoch, which is how the CIB writes moments.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.secs)
    }
}

/// What a core is told of time with every input: both clocks, and the processor time its process has used
/// (elections prefer the process that has worked longest).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For timers and spans.
    pub instant: Instant,
    /// For what is written down.
    pub wall: WallTime,
    /// Processor time the process has used in user mode.
    pub cpu: Duration,
}
