// SPDX-License-Identifier: GPL-2.0-or-later
//! Moments and spans as Pacemaker's tools read and write them.
//!
//! Decides: the formats. Given: text, seconds since the epoch, spans. Leaves to others: which moment it is.

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use model::{Interval, WallTime};

/// The text is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an ISO 8601 date or time (expected for example 2026-01-31, 2026-031 or 2026-01-31 12:30:00Z)"
)]
pub struct ParseDateError(pub String);

/// Reads a moment: a calendar (`2026-01-31`), ordinal (`2026-031`) or week (`2026-W05-6`) date, then perhaps a time of
/// day (after `T` or a blank), then perhaps an offset. Without an offset local time is meant.
pub fn parse(text: &str) -> Result<WallTime, ParseDateError> {
    let bad = || ParseDateError(text.to_owned());
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("epoch") {
        return Ok(WallTime::from_secs(0));
    }
    let (day, rest) = trimmed.split_once(['T', ' ']).unwrap_or((trimmed, ""));
    let rest = rest.trim();
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let date = parse_day(day).ok_or_else(bad)?;
    let time = parse_clock(clock.trim()).ok_or_else(bad)?;
    let zone = parse_zone(zone.trim()).ok_or_else(bad)?;
    let moment = zone.to_zoned(DateTime::from_parts(date, time)).map_err(|_| bad())?;
    Ok(WallTime::from_secs(moment.timestamp().as_second()))
}

fn parse_day(text: &str) -> Option<Date> {
    let number = |digits: &str| digits.parse::<i16>().ok();
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year, week, day] if week.starts_with('W') => {
            let week = i8::try_from(number(week.get(1..)?)?).ok()?;
            let weekday = Weekday::from_monday_one_offset(i8::try_from(number(day)?).ok()?).ok()?;
            Some(ISOWeekDate::new(number(year)?, week, weekday).ok()?.date())
        }
        [year, month, day] => {
            Date::new(number(year)?, i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?)
                .ok()
        }
        [year, of_year] if of_year.len() == 3 => {
            Date::new(number(year)?, 1, 1).ok()?.with().day_of_year(number(of_year)?).build().ok()
        }
        [digits] if digits.len() == 8 && digits.is_ascii() => {
            parse_day(&format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]))
        }
        _ => None,
    }
}

fn parse_clock(text: &str) -> Option<Time> {
    let compact = !text.contains(':') && text.len() > 2 && text.is_ascii();
    let parts: Vec<&str> = if compact {
        [text.get(..2), text.get(2..4), text.get(4..)].into_iter().flatten().collect()
    } else {
        text.split(':').collect()
    };
    let number = |at: usize| match parts.get(at).copied().unwrap_or_default() {
        "" => Some(0),
        digits if digits.len() <= 2 => digits.parse::<i8>().ok(),
        _ => None,
    };
    if parts.len() > 3 { None } else { Time::new(number(0)?, number(1)?, number(2)?, 0).ok() }
}

fn parse_zone(text: &str) -> Option<TimeZone> {
    let (sign, digits) = match text.as_bytes().first() {
        None => return Some(TimeZone::system()),
        Some(b'Z') if text.len() == 1 => return Some(TimeZone::UTC),
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        Some(_) => return None,
    };
    let plain: String = digits.chars().filter(|&c| c != ':').collect();
    let hours: i32 = plain.get(..2)?.parse().ok()?;
    let minutes: i32 = if plain.len() == 4 { plain.get(2..)?.parse().ok()? } else { 0 };
    Some(TimeZone::fixed(Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()?))
}

fn in_zone(secs: i64, zone: TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_second(secs).ok()?.to_zoned(zone))
}

/// This moment, in this place.
pub fn here_and_now() -> rules::DateTime {
    let now = Zoned::now();
    rules::DateTime::from_epoch(now.timestamp().as_second(), now.offset().seconds())
}

/// A moment as `ctime` writes it, in local time: `Sun Nov 22 04:57:05 2026`.
pub fn local(secs: i64) -> String {
    let moment = in_zone(secs, TimeZone::system());
    moment.map_or_else(|| secs.to_string(), |moment| moment.strftime("%a %b %e %H:%M:%S %Y").to_string())
}

/// A moment as it is shown with its zone, in UTC: `2026-11-22 04:57:05Z`.
pub fn utc(secs: i64) -> String {
    let moment = in_zone(secs, TimeZone::UTC);
    moment.map_or_else(|| secs.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// A span as people read it: `1m30s`.
pub fn readable_span(span: Interval) -> String {
    const UNITS_MS: [(u64, &str); 3] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")];
    let mut ms = span.as_ms();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_date() {
        for (text, secs) in [
            ("1970-01-02Z", None),
            ("1970-01-02T00:00:00Z", Some(86_400)),
            ("1970-002 01:00Z", Some(90_000)),
            ("19700102T000001Z", Some(86_401)),
            ("1970-01-02 00:00:00:00Z", None),
            ("1970-01-02 24:00Z", None),
            ("1970-01-02 01:00:00+01:00", Some(86_400)),
            ("1970-01-02 00:00:00-0130", Some(91_800)),
            ("1970-W01-5 00:00:00Z", Some(86_400)),
            ("epoch", Some(0)),
            ("tomorrow", None),
            ("1970-13-01 00:00Z", None),
            ("1970-366 00:00Z", None),
        ] {
            assert_eq!(parse(text).ok().map(|moment| moment.secs), secs, "{text}");
        }
    }

    #[test]
    fn writes_moments_and_spans() {
        assert_eq!(utc(86_399), "1970-01-01 23:59:59Z");
        for (ms, text) in
            [(0, "0s"), (500, "500ms"), (1500, "1.500s"), (90_000, "1m30s"), (90_061_000, "1d1h1m1s")]
        {
            assert_eq!(readable_span(Interval::from_ms(ms)), text);
        }
    }
}
