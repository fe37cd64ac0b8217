// SPDX-License-Identifier: GPL-2.0-or-later
//! Texts to dates and times.
//!
//! Read as leniently as Pacemaker does, since configurations rely on it: numbers may have fewer digits than the standard
//! asks for, a blank may stand for the `T`, and what follows a complete date or time is not looked at.

use super::calendar::{MAX_YEAR, WeekDate, days_in_month, days_in_year, ordinal, weeks_in_year};
use super::date_time::{DAY_S, DateTime};
use super::error::{TimeError, TimeErrorKind};
use super::scan::{ANY, Part, is_blank, numbers};

impl DateTime {
    /// Reads a date, a time, or both.
    ///
    /// Dates: `2024-12-30`, `20241230`, `2024-365`, `2025-W01-1`, or `epoch`. Times, after a `T` or a blank: `10`,
    /// `10:30`, `10:30:15`, `1030`, `103015`; fractions of seconds are dropped. Offsets: `Z`, `+01`, `+01:00`, `-0130`.
    ///
    /// A date alone is midnight UTC. A time alone (`T10:30` or `10:30`) is today's, the day being `now`'s; a time
    /// without an offset is in `now`'s place.
    pub fn parse(text: &str, now: &DateTime) -> Result<DateTime, TimeError> {
        let refused = |why| TimeError::Date { text: text.to_owned(), why };
        if text.is_empty() {
            return Err(refused(TimeErrorKind::Missing));
        }
        if let Some(time) = text.strip_prefix('T') {
            return time_of(time, now, now);
        }
        if text.as_bytes().get(2) == Some(&b':') {
            return time_of(text, now, now);
        }
        if let Some((head, rest)) = text.split_at_checked("epoch".len())
            && head.eq_ignore_ascii_case("epoch")
            && rest.bytes().next().is_none_or(|next| next == b'/' || is_blank(next))
        {
            return Ok(DateTime::from_epoch(0, 0));
        }
        let date = date(text).map_err(refused)?;
        let after = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | 'W'));
        match after.strip_prefix(['T', ' ']) {
            Some(time) => time_of(time, &date, now),
            None => Ok(date),
        }
    }
}

const CALENDAR: [Part; 3] = [("", ANY), ("-", ANY), ("-", ANY)];
const CALENDAR_PACKED: [Part; 3] = [("", 4), ("", 2), ("", 2)];
const ORDINAL: [Part; 2] = [("", ANY), ("-", ANY)];
const WEEK: [Part; 3] = [("", ANY), ("-W", ANY), ("-", ANY)];
const TIME: [Part; 3] = [("", ANY), (":", ANY), (":", ANY)];
const TIME_PACKED: [Part; 3] = [("", 2), ("", 2), ("", 2)];

fn date(text: &str) -> Result<DateTime, TimeErrorKind> {
    let mut calendar = numbers(text, CALENDAR);
    if calendar.1 == 1 {
        calendar = numbers(text, CALENDAR_PACKED);
    }
    if let ([year, month, day], 3) = calendar {
        return calendar_date(year, month, day);
    }
    if let ([year, day], 2) = numbers(text, ORDINAL) {
        let days = days_in_year(i64::from(year));
        known_year(year)?;
        if day < 1 || i64::from(day) > days {
            return Err(TimeErrorKind::DayOfYear { day, year, days });
        }
        return Ok(DateTime::of_ordinal(year.into(), day.into()));
    }
    if let ([year, week, day], 3) = numbers(text, WEEK) {
        known_year(year)?;
        let weeks = weeks_in_year(i64::from(year));
        if week < 1 || i64::from(week) > weeks {
            return Err(TimeErrorKind::Week { week, year, weeks });
        }
        if !(1..=7).contains(&day) {
            return Err(TimeErrorKind::DayOfWeek(day));
        }
        let week = WeekDate { year: year.into(), week: week.into(), weekday: day.into() };
        return Ok(DateTime::of_day(week.day(), 0, 0));
    }
    Err(TimeErrorKind::Unknown)
}

fn known_year(year: u32) -> Result<(), TimeErrorKind> {
    if year < 1 || i64::from(year) > MAX_YEAR { Err(TimeErrorKind::Year(year)) } else { Ok(()) }
}

fn calendar_date(year: u32, month: u32, day: u32) -> Result<DateTime, TimeErrorKind> {
    if !(1..=12).contains(&month) {
        return Err(TimeErrorKind::Month(month));
    }
    known_year(year)?;
    let (of_year, of_month) = (i64::from(year), i64::from(month));
    if day < 1 || i64::from(day) > days_in_month(of_year, of_month) {
        return Err(TimeErrorKind::DayOfMonth(day));
    }
    Ok(DateTime::of_ordinal(of_year, ordinal(of_year, of_month, day.into())))
}

/// A date with the time that a text begins with.
///
/// The offset is looked for in all that follows, as Pacemaker does it: even in the other half of a period.
fn time_of(text: &str, date: &DateTime, now: &DateTime) -> Result<DateTime, TimeError> {
    let refused = |part: &str, why| TimeError::Time { text: part.to_owned(), why };
    let second = hms(text).map_err(|why| refused(text, why))?;
    let offset = text.find('Z').or_else(|| text.find([' ', '+', '-'])).and_then(|at| text.get(at..));
    let offset_s = match offset {
        None => now.offset_s(),
        Some(offset) => {
            let offset = offset.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(is_blank));
            offset_of(offset).map_err(|(part, why)| refused(part, why))?
        }
    };
    if second == DAY_S {
        return Ok(date.plus_days(1).with_time(0, offset_s));
    }
    Ok(date.with_time(second, offset_s))
}

/// Seconds since midnight; a whole day for 24:00:00.
fn hms(text: &str) -> Result<i64, TimeErrorKind> {
    let ([mut hour, mut minute, mut second], mut found) = numbers(text, TIME);
    if found == 1 {
        ([hour, minute, second], found) = numbers(text, TIME_PACKED);
    }
    if found < 1 {
        return Err(TimeErrorKind::Unknown);
    }
    if hour >= 24 && (hour, minute, second) != (24, 0, 0) {
        return Err(TimeErrorKind::Hour(hour));
    }
    if minute >= 60 {
        return Err(TimeErrorKind::Minute(minute));
    }
    if second >= 60 {
        return Err(TimeErrorKind::Second(second));
    }
    Ok(i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
}

/// Seconds before UTC. What is no offset is none.
fn offset_of(text: &str) -> Result<i64, (&str, TimeErrorKind)> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'0'..=b'9') => (false, text),
        _ => return Ok(0),
    };
    let seconds = hms(digits).map_err(|why| (digits, why))?;
    Ok(if negative { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DateForm;

    /// 2026-11-22 09:30:00 in a place two hours ahead of UTC.
    fn now() -> DateTime {
        DateTime::from_epoch(1_795_332_600, 7200)
    }

    #[test]
    fn dates_and_times_in_all_their_forms() {
        for (text, expected) in [
            ("2019-09-24", "2019-09-24 00:00:00Z"),
            ("2019-9-4", "2019-09-04 00:00:00Z"),
            ("20190924", "2019-09-24 00:00:00Z"),
            ("2019-040", "2019-02-09 00:00:00Z"),
            ("2020-366", "2020-12-31 00:00:00Z"),
            ("2019-12", "2019-01-12 00:00:00Z"),
            ("2009-W53-7", "2010-01-03 00:00:00Z"),
            ("2009-W01-1 00Z", "2008-12-29 00:00:00Z"),
            ("2020-02-29 00:00:00Z", "2020-02-29 00:00:00Z"),
            ("2019-12-31 24:00:00Z", "2020-01-01 00:00:00Z"),
            ("20191201T131211 -05:00", "2019-12-01 18:12:11Z"),
            ("2019-04-25T21:42:54+0200", "2019-04-25 19:42:54Z"),
            ("2019-04-25T21:42:54+0420", "2019-04-25 17:22:54Z"),
            ("2019-04-25T21:42:54 -0200", "2019-04-25 23:42:54Z"),
            ("20190101T120000+0130", "2019-01-01 10:30:00Z"),
            ("2019-01-01 12Z", "2019-01-01 12:00:00Z"),
            ("2019-01-01 1230Z", "2019-01-01 12:30:00Z"),
            ("2019-01-01 12:00:00.75Z", "2019-01-01 12:00:00Z"),
            ("2019-01-01 12:00 02:00", "2019-01-01 10:00:00Z"),
            ("2019-01-01 12:00:00 +02", "2019-01-01 10:00:00Z"),
            // Without an offset: in now's place.
            ("2019-01-01 12:00", "2019-01-01 10:00:00Z"),
            // A time alone: today.
            ("T12:00Z", "2026-11-22 12:00:00Z"),
            ("12:30", "2026-11-22 10:30:00Z"),
            ("T1230", "2026-11-22 10:30:00Z"),
            ("T24:00:00", "2026-11-22 22:00:00Z"),
            ("epoch", "1970-01-01 00:00:00Z"),
            ("EPOCH and more", "1970-01-01 00:00:00Z"),
            ("19-1-1", "0019-01-01 00:00:00Z"),
            ("99999999999-01-01", "1215752191-01-01 00:00:00Z"),
            ("2019-+1- 5", "2019-01-05 00:00:00Z"),
            ("2019- 1-05", "2019-01-05 06:00:05Z"),
            ("2019-01-01T00:00:00/2019-02-01 00:00", "2019-01-01 02:00:01Z"),
            ("2019-01-01 10:00 ", "2019-01-01 10:00:00Z"),
            ("2019-01-01 10:00 +24", "2018-12-31 10:00:00Z"),
            ("2019-12-31 23:00:00 -01:00", "2019-12-31 24:00:00Z"),
            ("99999-01-01", "99999-01-01 00:00:00Z"),
            ("2147483647-12-31", "2147483647-12-31 00:00:00Z"),
            ("2019-01-01x", "2019-01-01 00:00:00Z"),
            ("2019-01-01 00:00:00+01:00/2019-02-01 00:00:00Z", "2019-01-01 00:00:00Z"),
        ] {
            let read = DateTime::parse(text, &now()).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["2019-09-24 12:13:14Z", "2005-W52-6 01:02:03Z", "2004-366 23:59:59 -05:30"] {
            let read = DateTime::parse(text, &now()).unwrap();
            let form = if text.contains('W') {
                DateForm::Week
            } else if text.contains("366") {
                DateForm::Ordinal
            } else {
                DateForm::Calendar
            };
            assert_eq!(read.text(form, true), text);
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (text, expected) in [
            ("", "No ISO 8601 date/time specification given"),
            ("/2019-01-01", "'/2019-01-01' is not a valid ISO 8601 date/time specification"),
            ("tomorrow", "'tomorrow' is not a valid ISO 8601 date/time specification"),
            ("2019", "'2019' is not a valid ISO 8601 date/time specification"),
            ("2019W011", "'2019W011' is not a valid ISO 8601 date/time specification"),
            ("epochs", "'epochs' is not a valid ISO 8601 date/time specification"),
            (
                "2019-13-01 00:00:00Z/P1M",
                "'2019-13-01 00:00:00Z/P1M' is not a valid ISO 8601 date/time specification because '13' is not a valid month",
            ),
            (
                "20191077T15/P1M",
                "'20191077T15/P1M' is not a valid ISO 8601 date/time specification because '77' is not a valid day of the month",
            ),
            (
                "2019-02-29",
                "'2019-02-29' is not a valid ISO 8601 date/time specification because '29' is not a valid day of the month",
            ),
            (
                "0-1-1",
                "'0-1-1' is not a valid ISO 8601 date/time specification because '0' is not a valid year",
            ),
            (
                "99999999999999999999-01-01",
                "'99999999999999999999-01-01' is not a valid ISO 8601 date/time specification because '4294967295' is not a valid year",
            ),
            (
                "2019-366",
                "'2019-366' is not a valid ISO 8601 date/time specification because '366' is not a valid day of year 2019 (1-365)",
            ),
            (
                "2019-W53-1",
                "'2019-W53-1' is not a valid ISO 8601 date/time specification because '53' is not a valid week of year 2019 (1-52)",
            ),
            (
                "2019-W52-8",
                "'2019-W52-8' is not a valid ISO 8601 date/time specification because '8' is not a valid day of the week",
            ),
            (
                "2019-10-01T25:00:00Z/P1M",
                "25:00:00Z/P1M is not a valid ISO 8601 time specification because 25 is not a valid hour",
            ),
            (
                "2019-10-01T24:00:01Z/P1M",
                "24:00:01Z/P1M is not a valid ISO 8601 time specification because 24 is not a valid hour",
            ),
            (
                "20191001T007000Z",
                "007000Z is not a valid ISO 8601 time specification because 70 is not a valid minute",
            ),
            (
                "2019-10-01 00:00:80Z/P1M",
                "00:00:80Z/P1M is not a valid ISO 8601 time specification because 80 is not a valid second",
            ),
            (
                "2019-10-01 00:00:10 +25:00/P1M",
                "25:00/P1M is not a valid ISO 8601 time specification because 25 is not a valid hour",
            ),
            (
                "20191001T000010 -00:61/P1M",
                "00:61/P1M is not a valid ISO 8601 time specification because 61 is not a valid minute",
            ),
            ("2019-10-01 noon", "'noon' is not a valid ISO 8601 time specification"),
        ] {
            let read = DateTime::parse(text, &now()).map_err(|error| error.to_string());
            assert_eq!(read.map(|at| at.to_string()), Err(expected.to_owned()), "{text}");
        }
    }
}
