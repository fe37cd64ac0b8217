// SPDX-License-Identifier: GPL-2.0-or-later
//! Intervals and timeouts as configurations write them: `10s`, `2min`, `500ms`, `PT1H`, or bare seconds.

use crate::lenient;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A span of time, in whole milliseconds. Zero means "not recurring" where it is an operation's interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(u64);

impl Interval {
    /// Not recurring; no time at all.
    pub const ZERO: Interval = Interval(0);

    /// From milliseconds.
    pub const fn from_ms(ms: u64) -> Interval {
        Interval(ms)
    }

    /// From seconds; saturates.
    pub const fn from_secs(secs: u64) -> Interval {
        Interval(secs.saturating_mul(1000))
    }

    /// In milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// In whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// As people read it: `1m30s`.
    pub fn readable(self) -> String {
        const UNITS_MS: [(u64, &str); 3] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")];
        let mut ms = self.0;
        if ms == 0 {
            return "0s".to_owned();
        }
        let mut text = String::new();
        for (unit_ms, letter) in UNITS_MS {
            if ms >= unit_ms {
                text.push_str(&format!("{}{letter}", ms / unit_ms));
                ms %= unit_ms;
            }
        }
        match (ms / 1000, ms % 1000) {
            (0, 0) => {}
            (0, rest) => text.push_str(&format!("{rest}ms")),
            (secs, 0) => text.push_str(&format!("{secs}s")),
            (secs, rest) => text.push_str(&format!("{secs}.{rest:03}s")),
        }
        text
    }

    /// True if it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<Interval> for Duration {
    fn from(interval: Interval) -> Duration {
        Duration::from_millis(interval.0)
    }
}

impl fmt::Display for Interval {
    /// Writes milliseconds with the unit, which every reader of intervals accepts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// The text was not an interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an interval (expected a number with s, ms, us, min, h or no unit, or an ISO 8601 duration)"
)]
pub struct ParseIntervalError(pub String);

impl FromStr for Interval {
    type Err = ParseIntervalError;

    /// As leniently as configurations have it, see [`lenient`].
    fn from_str(text: &str) -> Result<Interval, ParseIntervalError> {
        lenient::parse_interval(text).ok_or_else(|| ParseIntervalError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, ms) in [
            ("10", 10_000),
            ("10s", 10_000),
            (" 10 sec ", 10_000),
            ("250ms", 250),
            ("3000us", 3),
            ("2min", 120_000),
            ("1h", 3_600_000),
            ("PT1M30S", 90_000),
            ("PT25H", 90_000_000),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(Interval::from_ms(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_nonsense() {
        for text in ["", "s", "-5s", "5 parsecs", "P", "PT", "PT5"] {
            assert!(text.parse::<Interval>().is_err(), "{text:?}");
        }
    }
}
