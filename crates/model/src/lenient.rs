// SPDX-License-Identifier: GPL-2.0-or-later
//! Numbers, scores and spans of time, read as leniently as Pacemaker reads them: what follows a number is not looked at.
//!
//! A configuration that works has to go on working, so what was written carelessly and taken is taken here too.

use crate::{Duration, Interval, Score};

/// The whole number a text begins with, as it is written there, and what follows it.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = text.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
    if digits == 0 { None } else { text.split_at_checked(sign + digits) }
}

/// The whole number that a text begins with; `None` if there is none, or it is too large for 64 bits.
pub fn exact_integer(text: &str) -> Option<i64> {
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

/// A span in milliseconds: a number, whose fraction does not count, and a unit (else it is seconds), of which only the
/// first letters are looked at. What 64 bits do not hold is cut off there.
pub fn timeout_ms(text: &str) -> Option<i64> {
    span(text).map(|(ms, _)| ms)
}

/// And whether its number was cut off.
fn span(text: &str) -> Option<(i64, bool)> {
    let (number, rest) = split_number(text)?;
    let value = clipped(number);
    let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
    let is = |unit: &[u8], word: &str| {
        unit.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    let ms = match unit.as_bytes() {
        b"" => value.saturating_mul(1000),
        unit if is(unit, "s") => value.saturating_mul(1000),
        unit if is(unit, "ms") => value,
        unit if is(unit, "us") => value / 1000,
        unit if is(unit, "m") => value.saturating_mul(60_000),
        unit if is(unit, "h") => value.saturating_mul(3_600_000),
        _ => return None,
    };
    Some((ms, number.parse::<i64>().is_err()))
}

/// An operation's interval: a span, or an ISO 8601 duration (for how long that is, see
/// [`Duration::seconds_without_start`]). What is longer than 32 bits of milliseconds is cut off there; less than nothing
/// is none.
pub fn parse_interval(text: &str) -> Option<Interval> {
    interval(text).map(|(interval, _)| interval)
}

/// The same, but none if its number is too large to be read: where it has to be exact.
pub fn exact_interval(text: &str) -> Option<Interval> {
    interval(text).and_then(|(interval, was_cut_off)| (!was_cut_off).then_some(interval))
}

fn interval(text: &str) -> Option<(Interval, bool)> {
    const MAX_MS: i64 = u32::MAX as i64;
    let (ms, was_cut_off) = if text.starts_with('P') {
        // In whole seconds, also where it is cut off.
        (Duration::parse(text).ok()?.seconds_without_start().min(MAX_MS / 1000) * 1000, false)
    } else {
        span(text)?
    };
    let ms = u64::try_from(ms.min(MAX_MS)).ok()?;
    Some((Interval::from_ms(ms), was_cut_off))
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
            ("10 seconds", Some(10_000)),
            ("4 m x", Some(240_000)),
            ("2 Hours", Some(7_200_000)),
            ("9223372036854775807", Some(u64::from(u32::MAX))),
            ("99999999999999999999h", Some(u64::from(u32::MAX))),
            ("PT1M", Some(60_000)),
            ("P30S", Some(30_000)),
            ("P1D", Some(0)),
            ("P1DT1M", Some(60_000)),
            ("P1W", Some(518_400_000)),
            ("P1Y", Some(0)),
            ("P1M", Some(2_592_000_000)),
            ("P2Y", Some(4_294_967_000)),
            ("P-5DT10M", Some(600_000)),
            ("P1D x", Some(0)),
            ("-3", None),
            ("PT-3S", None),
            ("P", None),
            ("3 days", None),
            ("1e3", None),
            ("0x10", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse_interval(text).map(Interval::as_ms), expected, "{text:?}");
        }
        assert_eq!(exact_interval("99999999999999999999us"), None);
        assert_eq!(exact_interval("9223372036854775807"), Some(Interval::from_ms(u64::from(u32::MAX))));
    }
}
