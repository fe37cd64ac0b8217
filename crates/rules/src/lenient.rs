// SPDX-License-Identifier: GPL-2.0-or-later
//! Numbers, scores and spans of time, read as leniently as Pacemaker reads them: what follows a number is not looked at.
//!
//! A configuration that works has to go on working, so what was written carelessly and taken is taken here too.

use crate::Duration;
use model::{Interval, Score};

/// The whole number a text begins with, as it is written there, and what follows it.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = text.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
    if digits == 0 { None } else { text.split_at_checked(sign + digits) }
}

/// The whole number that a text begins with; `None` if there is none, or it is too large for 64 bits.
pub(crate) fn exact_integer(text: &str) -> Option<i64> {
    split_number(text)?.0.parse().ok()
}

fn clipped(number: &str) -> i64 {
    // Only a sign and digits: a failure to parse is an overflow. The limits are such that either has its negative.
    number.parse().unwrap_or(if number.starts_with('-') { -i64::MAX } else { i64::MAX })
}

/// The whole number that a text begins with, cut off at what 64 bits hold.
pub fn integer(text: &str) -> Option<i64> {
    split_number(text).map(|(number, _)| clipped(number))
}

/// A score: infinity by its names, else a number.
///
/// The colour words of node health are no scores of their own: whoever knows the cluster options reads them.
pub fn parse_score(text: &str) -> Option<Score> {
    match text {
        "INFINITY" | "+INFINITY" => Some(Score::INFINITY),
        "-INFINITY" => Some(Score::MINUS_INFINITY),
        _ => integer(text).map(Score::new),
    }
}

/// A span in milliseconds: a number, whose fraction does not count, and a unit (else it is seconds).
pub fn timeout_ms(text: &str) -> Option<i64> {
    let (number, rest) = split_number(text)?;
    let value = clipped(number);
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
    Some(match rest.trim_end().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" => value.saturating_mul(1000),
        "ms" | "msec" => value,
        "us" | "usec" => value / 1000,
        "m" | "min" => value.saturating_mul(60_000),
        "h" | "hr" => value.saturating_mul(3_600_000),
        _ => return None,
    })
}

/// An operation's interval: a span, or an ISO 8601 duration whose months have 30 days and whose years have 365. What is
/// longer than 32 bits of milliseconds is cut off there; less than nothing is none.
pub fn parse_interval(text: &str) -> Option<Interval> {
    let ms = if text.starts_with('P') {
        let Duration { years, months, days, seconds } = Duration::parse(text).ok()?;
        let days = years.saturating_mul(365).saturating_add(months.saturating_mul(30)).saturating_add(days);
        days.saturating_mul(86_400).saturating_add(seconds).saturating_mul(1000)
    } else {
        timeout_ms(text)?
    };
    let ms = u64::try_from(ms).ok()?;
    Some(Interval::from_ms(ms.min(u64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_number_does_not_count() {
        for (text, expected) in [
            ("5", Some(5)),
            (" -5 apples", Some(-5)),
            ("+5.9", Some(5)),
            ("99999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999", Some(-i64::MAX)),
            ("five", None),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(integer(text), expected, "{text:?}");
        }
        assert_eq!(exact_integer("99999999999999999999"), None);
        assert_eq!(parse_score("100 points"), Some(Score::new(100)));
        assert_eq!(parse_score("-99999999999999999999"), Some(Score::MINUS_INFINITY));
        assert_eq!(parse_score("+INFINITY"), Some(Score::INFINITY));
        assert_eq!(parse_score("infinity"), None);
        assert_eq!(parse_score("red"), None);
    }

    #[test]
    fn spans_in_all_their_forms() {
        for (text, expected) in [
            ("10", Some(10_000)),
            ("1.5s", Some(1_000)),
            (" 10 MSEC ", Some(10)),
            ("2500us", Some(2)),
            ("1 hr", Some(3_600_000)),
            ("0", Some(0)),
            ("PT1M", Some(60_000)),
            ("P30S", Some(30_000)),
            ("P1DT1M", Some(86_460_000)),
            ("P1M", Some(2_592_000_000)),
            ("P2Y", Some(u64::from(u32::MAX))),
            ("99999999999999999999h", Some(u64::from(u32::MAX))),
            ("-3", None),
            ("PT-3S", None),
            ("P", None),
            ("3 days", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse_interval(text).map(Interval::as_ms), expected, "{text:?}");
        }
    }
}
