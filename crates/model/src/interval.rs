// SPDX-License-Identifier: GPL-2.0-or-later
//! Intervals and timeouts as configurations write them: `10s`, `2min`, `500ms`, `PT1H`, or bare seconds.

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

    fn from_str(text: &str) -> Result<Interval, ParseIntervalError> {
        let bad = || ParseIntervalError(text.to_owned());
        let trimmed = text.trim();
        if trimmed.starts_with('P') {
            return iso_duration(trimmed).ok_or_else(bad);
        }
        let unsigned = trimmed.strip_prefix('+').unwrap_or(trimmed);
        let digits_end = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
        let (digits, rest) = unsigned.split_at(digits_end);
        if digits.is_empty() {
            return Err(bad());
        }
        // Only digits: a failure to parse is an overflow.
        let number = digits.parse::<u64>().unwrap_or(u64::MAX);
        let ms = match rest.trim().to_ascii_lowercase().as_str() {
            "" | "s" | "sec" => number.saturating_mul(1000),
            "ms" | "msec" => number,
            "us" | "usec" => number / 1000,
            "m" | "min" => number.saturating_mul(60_000),
            "h" | "hr" => number.saturating_mul(3_600_000),
            _ => return Err(bad()),
        };
        Ok(Interval(ms))
    }
}

/// ISO 8601 durations of fixed length: weeks, days, hours, minutes, seconds. Years and months have no length without a
/// date to start from, so they are refused here (the rules, which have one, read them).
fn iso_duration(text: &str) -> Option<Interval> {
    let body = text.strip_prefix('P')?;
    let (mut in_time, mut total_s, mut number, mut parts) = (false, 0u64, String::new(), 0);
    for c in body.chars() {
        match c {
            'T' if !in_time && number.is_empty() => in_time = true,
            '0'..='9' => number.push(c),
            unit => {
                let n: u64 = number.parse().ok()?;
                number.clear();
                parts += 1;
                let seconds = match (unit, in_time) {
                    ('W', false) => 604_800,
                    ('D', false) => 86_400,
                    ('H', true) => 3_600,
                    ('M', true) => 60,
                    ('S', true) => 1,
                    _ => return None,
                };
                total_s = total_s.saturating_add(n.saturating_mul(seconds));
            }
        }
    }
    (parts > 0 && number.is_empty()).then(|| Interval::from_secs(total_s))
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
            ("P1DT1H", 90_000_000),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(Interval::from_ms(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_nonsense() {
        for text in ["", "s", "-5s", "5 parsecs", "P", "PT", "PT5", "P1Y"] {
            assert!(text.parse::<Interval>().is_err(), "{text:?}");
        }
    }
}
