// SPDX-License-Identifier: GPL-2.0-or-later
//! A moment as people write it: a date, a time of day, and how far that place is from UTC.

use super::calendar::{
    EPOCH_DAY, MAX_DAY, MAX_YEAR, WeekDate, days_in_month, days_in_year, first_day, month_and_day, ordinal,
    year_and_ordinal,
};
use model::{Duration, WallTime};
use std::fmt;

pub(super) const DAY_S: i64 = 86_400;

/// A date and time of day, with the offset from UTC of the place where it is meant.
///
/// Compares by the moment: 12:00+02:00 equals 10:00Z. Between 1 January of the year 1 and 31 December of [`MAX_YEAR`];
/// what would lead beyond stops there.
///
/// Pacemaker's arithmetic can leave a midnight written as the end of its day (24:00:00), and a leap year's last day,
/// moved by years, beyond the end of a common one. Both are kept: they come before the first second of the next day or
/// year, and decide what is within a range.
#[derive(Clone, Copy, Debug)]
pub struct DateTime {
    year: i64,
    /// Day of the year from 1, in that place.
    day: i64,
    /// Seconds since midnight.
    second: i64,
    offset_s: i64,
}

/// How a date is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateForm {
    /// `2024-12-30`.
    #[default]
    Calendar,
    /// `2024-365`.
    Ordinal,
    /// `2025-W01-1`.
    Week,
}

impl DateTime {
    /// A second of a day, counted from 0001-01-01; days beyond the ends of time are the first and the last.
    pub(super) fn of_day(day: i64, second: i64, offset_s: i64) -> DateTime {
        let (year, day) = year_and_ordinal(day.clamp(0, MAX_DAY));
        DateTime { year, day, second, offset_s }
    }

    /// Midnight UTC of a day of a year that has it, both from 1.
    pub(super) const fn of_ordinal(year: i64, day: i64) -> DateTime {
        DateTime { year, day, second: 0, offset_s: 0 }
    }

    /// A moment, as it is spoken of in a place `offset_s` seconds before UTC's clocks (negative: behind them).
    pub fn from_epoch(secs: i64, offset_s: i32) -> DateTime {
        let offset_s = i64::from(offset_s);
        let local = secs.saturating_add(offset_s);
        let (days, second) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S));
        match EPOCH_DAY.saturating_add(days) {
            ..0 => DateTime::of_day(0, 0, offset_s),
            day if day > MAX_DAY => DateTime::of_day(MAX_DAY, DAY_S - 1, offset_s),
            day => DateTime::of_day(day, second, offset_s),
        }
    }

    /// A moment of the wall clock, in whole seconds, as it is spoken of in a place with that offset from UTC.
    pub fn from_wall(wall: WallTime, offset_s: i32) -> DateTime {
        DateTime::from_epoch(wall.secs, offset_s)
    }

    /// Seconds since 1970-01-01 00:00:00Z.
    pub fn epoch_s(&self) -> i64 {
        self.seconds() - EPOCH_DAY * DAY_S
    }

    /// Seconds since 0001-01-01 00:00:00Z.
    pub fn seconds(&self) -> i64 {
        let utc = self.to_utc();
        utc.days() * DAY_S + utc.second
    }

    /// The offset from UTC, in seconds.
    pub const fn offset_s(&self) -> i64 {
        self.offset_s
    }

    /// The same moment as it is spoken of in UTC.
    #[must_use]
    pub fn to_utc(&self) -> DateTime {
        if self.offset_s == 0 {
            return *self;
        }
        DateTime { offset_s: 0, ..*self }.plus_seconds(-self.offset_s)
    }

    /// Days since 0001-01-01, in its own place.
    const fn days(&self) -> i64 {
        first_day(self.year) + self.day - 1
    }

    /// What moments are compared by: year, day and second in UTC, even if the calendar has ended there (or has not begun)
    /// but not here.
    fn key(&self) -> (i64, i64, i64) {
        let (days, second) = self.shifted(-self.offset_s);
        match self.days() + days {
            day @ ..0 => (0, day, second),
            day if day > MAX_DAY => (MAX_YEAR + 1, day, second),
            _ => {
                let utc = self.to_utc();
                (utc.year, utc.day, utc.second)
            }
        }
    }

    // --- its parts, in its own place -------------------------------------------------------------------------------

    /// Year, month and day of the month, the latter two from 1.
    pub fn calendar(&self) -> (i64, i64, i64) {
        let (year, ordinal) = self.ordinal();
        let (month, day) = month_and_day(year, ordinal);
        (year, month, day)
    }

    /// Year, and day of the year from 1.
    pub fn ordinal(&self) -> (i64, i64) {
        year_and_ordinal(self.days())
    }

    /// Its day as ISO 8601 counts weeks.
    pub fn week_date(&self) -> WeekDate {
        WeekDate::of(self.days())
    }

    /// Hour, minute, second; 24, 0, 0 is the end of the day.
    pub const fn time_of_day(&self) -> (i64, i64, i64) {
        (self.second / 3600, self.second / 60 % 60, self.second % 60)
    }

    pub(super) const fn with_time(&self, second: i64, offset_s: i64) -> DateTime {
        DateTime { second, offset_s, ..*self }
    }

    // --- arithmetic ------------------------------------------------------------------------------------------------

    /// Seconds later, or earlier if negative. What leads to the next midnight leads to the end of this day, 24:00:00.
    #[must_use]
    pub fn plus_seconds(&self, seconds: i64) -> DateTime {
        let (days, second) = self.shifted(seconds);
        DateTime { second, ..*self }.plus_days(days)
    }

    /// How many days, and to which second of the day, seconds lead.
    const fn shifted(&self, seconds: i64) -> (i64, i64) {
        let (days, second) = (seconds / DAY_S, self.second + seconds % DAY_S);
        if second > DAY_S {
            (days + 1, second - DAY_S)
        } else if second < 0 {
            (days - 1, second + DAY_S)
        } else {
            (days, second)
        }
    }

    /// Days later, or earlier if negative.
    #[must_use]
    pub fn plus_days(&self, days: i64) -> DateTime {
        if days == 0 {
            return *self;
        }
        DateTime::of_day(self.days().saturating_add(days), self.second, self.offset_s)
    }

    /// Months later, or earlier if negative: the same day of the month, or the last of a month that is too short.
    #[must_use]
    pub fn plus_months(&self, months: i64) -> DateTime {
        // What has no month (see `DateTime`) is taken as the last day that has: Pacemaker's own code gives up here.
        let (month, day) = month_and_day(self.year, self.day.min(days_in_year(self.year)));
        let index = (self.year * 12 + month - 1).saturating_add(months);
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
        if year < 1 {
            return DateTime { year: 1, day: 1, ..*self };
        }
        if year > MAX_YEAR {
            return DateTime { year: MAX_YEAR, day: days_in_year(MAX_YEAR), ..*self };
        }
        let day = ordinal(year, month, day.min(days_in_month(year, month)));
        DateTime { year, day, ..*self }
    }

    /// Years later, or earlier if negative.
    ///
    /// It is the day's number in the year that stays, as Pacemaker has it, so between a common and a leap year dates
    /// after February shift by one: 2019-03-01 and a year is 2020-02-29.
    #[must_use]
    pub fn plus_years(&self, years: i64) -> DateTime {
        DateTime { year: self.year.saturating_add(years).clamp(1, MAX_YEAR), ..*self }
    }

    /// Later by a duration: first its years, then its months, days and seconds.
    #[must_use]
    pub fn plus(&self, span: &Duration) -> DateTime {
        self.plus_years(span.years).plus_months(span.months).plus_days(span.days).plus_seconds(span.seconds)
    }

    /// Earlier by a duration, in the same order.
    #[must_use]
    pub fn minus(&self, span: &Duration) -> DateTime {
        self.plus(&negative(span))
    }

    /// Later by a duration, unless that is off the calendar: a year that has no such day, months before the year 1, or
    /// a midnight written as the end of its day. Pacemaker refuses periods with such an end.
    pub(super) fn plus_within(&self, span: &Duration) -> Option<DateTime> {
        let years_later = self.plus_years(span.years);
        let month = years_later.year * 12 + years_later.calendar().1 - 1;
        let has_month = (12..(MAX_YEAR + 1) * 12).contains(&month.saturating_add(span.months));
        let fits = years_later.day <= days_in_year(years_later.year) && has_month;
        fits.then(|| self.plus(span)).filter(|end| end.second < DAY_S)
    }

    /// The same for earlier.
    pub(super) fn minus_within(&self, span: &Duration) -> Option<DateTime> {
        self.plus_within(&negative(span))
    }

    // --- writing ---------------------------------------------------------------------------------------------------

    /// Its text, as Pacemaker's tools write it: in UTC, or (`local`) in its own place.
    pub fn text(&self, form: DateForm, local: bool) -> String {
        let shown = if local { *self } else { self.to_utc() };
        let date = match form {
            DateForm::Calendar => {
                let (year, month, day) = shown.calendar();
                format!("{year:04}-{month:02}-{day:02}")
            }
            DateForm::Ordinal => {
                let (year, day) = shown.ordinal();
                format!("{year}-{day:03}")
            }
            DateForm::Week => {
                let WeekDate { year, week, weekday } = shown.week_date();
                format!("{year}-W{week:02}-{weekday}")
            }
        };
        let (hour, minute, second) = shown.time_of_day();
        let offset = match shown.offset_s {
            0 => "Z".to_owned(),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                format!(" {sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
            }
        };
        format!("{date} {hour:02}:{minute:02}:{second:02}{offset}")
    }
}

fn negative(span: &Duration) -> Duration {
    Duration {
        years: span.years.saturating_neg(),
        months: span.months.saturating_neg(),
        days: span.days.saturating_neg(),
        seconds: span.seconds.saturating_neg(),
    }
}

impl fmt::Display for DateTime {
    /// In UTC, with a calendar date: `2024-12-30 10:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text(DateForm::Calendar, false))
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &DateTime) -> bool {
        self.key() == other.key()
    }
}

impl Eq for DateTime {}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &DateTime) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &DateTime) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        DateTime::parse(text, &DateTime::from_epoch(0, 0)).unwrap()
    }

    #[test]
    fn later_is_never_earlier_at_either_end_of_time() {
        for (end, offset_s) in
            [(i64::MIN, 50_400), (i64::MAX, -43_200), (i64::MIN, -43_200), (i64::MAX, 50_400)]
        {
            let end = DateTime::from_epoch(end, offset_s);
            for second in [0, 1, 50_399, 50_400, DAY_S - 1] {
                let of_that_day = end.with_time(second, end.offset_s());
                let later = of_that_day.plus_seconds(1);
                assert!(later >= of_that_day, "{of_that_day} and a second: {later}");
            }
        }
    }

    #[test]
    fn arithmetic() {
        for (text, years, months, days, seconds, expected) in [
            ("2009-01-31", 0, 1, 0, 0, "2009-02-28 00:00:00Z"),
            ("2009-01-31", 0, 3, 0, 0, "2009-04-30 00:00:00Z"),
            ("2009-03-31", 0, -1, 0, 0, "2009-02-28 00:00:00Z"),
            ("2009-03-31", 0, -15, 0, 0, "2007-12-31 00:00:00Z"),
            ("2019-03-01", 1, 0, 0, 0, "2020-02-29 00:00:00Z"),
            ("2019-03-01", 1, 1, 0, 0, "2020-03-29 00:00:00Z"),
            ("2020-12-31", 1, 0, 0, 0, "2021-12-31 00:00:00Z"),
            ("2020-12-31", 0, 0, 1, 0, "2021-01-01 00:00:00Z"),
            // Midnight is the end of the day that was begun, unless another day begins besides.
            ("2020-12-31 23:00Z", 0, 0, 0, 3600, "2020-12-31 24:00:00Z"),
            ("2020-12-31 23:00Z", 0, 0, 0, 3601, "2021-01-01 00:00:01Z"),
            ("2020-12-31", 0, 0, 0, 86_400, "2021-01-01 00:00:00Z"),
            ("2021-01-01 01:00Z", 0, 0, 0, -3600, "2021-01-01 00:00:00Z"),
            ("2021-01-01", 0, 0, 0, -1, "2020-12-31 23:59:59Z"),
            ("2021-01-01", 0, 0, 0, 1_000_000, "2021-01-12 13:46:40Z"),
            ("0001-01-01", -5, 0, 0, 0, "0001-01-01 00:00:00Z"),
            ("0001-02-01", 0, -2, 0, 0, "0001-01-01 00:00:00Z"),
            ("0001-02-01", 0, 0, -60, 0, "0001-01-01 00:00:00Z"),
            ("2021-01-01", i64::MAX, 0, 0, 0, "2147483647-01-01 00:00:00Z"),
            ("2021-01-01", 0, i64::MAX, 0, 0, "2147483647-12-31 00:00:00Z"),
            ("2021-01-01", 0, 0, i64::MAX, 0, "2147483647-12-31 00:00:00Z"),
            ("2021-01-01", 0, 0, 0, -99_999_999_999, "0001-01-01 14:13:21Z"),
        ] {
            let result = at(text).plus_years(years).plus_months(months).plus_days(days).plus_seconds(seconds);
            assert_eq!(result.to_string(), expected, "{text} {years} {months} {days} {seconds}");
        }
    }

    #[test]
    fn the_place_matters_for_the_text_only() {
        let (there, utc) = (at("2019-12-01T13:12:11 -05:00"), at("2019-12-01 18:12:11Z"));
        assert_eq!(there, utc);
        assert_eq!(there.epoch_s(), 1_575_223_931);
        assert_eq!(
            DateTime::from_epoch(1_575_223_931, -5 * 3600).text(DateForm::Calendar, true),
            "2019-12-01 13:12:11 -05:00"
        );
        assert_eq!(there.text(DateForm::Ordinal, false), "2019-335 18:12:11Z");
        assert_eq!(there.text(DateForm::Week, true), "2019-W48-7 13:12:11 -05:00");
        assert!(at("2019-12-01 12:00+02:00") < at("2019-12-01 12:00+01:00"));
        assert_eq!(at("2020-01-01 20:00:00 -04:00").to_string(), "2020-01-01 24:00:00Z");
        assert!(at("2020-01-01 20:00:00 -04:00") < at("2020-01-02 00:00:00Z"));
        assert_eq!(at("2020-01-01 20:00:00 -04:00").seconds(), at("2020-01-02 00:00:00Z").seconds());
        let beyond = at("2020-12-31 12:00Z").plus_years(1);
        assert!(at("2021-12-31 23:59:59Z") < beyond && beyond < at("2022-01-01 00:00Z"));
        assert_eq!(beyond.to_string(), "2022-01-01 12:00:00Z");
        assert_eq!(at("0001-01-01").seconds(), 0);
        assert_eq!(DateTime::from_epoch(i64::MIN, 0).to_string(), "0001-01-01 00:00:00Z");
        assert_eq!(DateTime::from_epoch(i64::MAX, 3600).to_string(), "2147483647-12-31 22:59:59Z");
    }
}
