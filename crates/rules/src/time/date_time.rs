// SPDX-License-Identifier: GPL-2.0-or-later
//! A moment as people write it: a date, a time of day, and how far that place is from UTC.

use super::calendar::{
    EPOCH_DAY, MAX_DAY, MAX_YEAR, WeekDate, days_in_month, days_in_year, first_day, month_and_day, ordinal,
    year_and_ordinal,
};
use super::duration::Duration;
use model::WallTime;
use std::fmt;

pub(super) const DAY_S: i64 = 86_400;

/// A date and time of day, with the offset from UTC of the place where it is meant.
///
/// Compares by the moment: 12:00+02:00 equals 10:00Z. Between 1 January of the year 1 and 31 December of [`MAX_YEAR`];
/// what would lead beyond stops there.
#[derive(Clone, Copy, Debug)]
pub struct DateTime {
    /// Days since 0001-01-01, in that place.
    day: i64,
    /// Seconds since midnight, less than a day.
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
    pub(super) fn new(day: i64, second: i64, offset_s: i64) -> DateTime {
        let day = day.saturating_add(second.div_euclid(DAY_S));
        let mut this = DateTime { day, second: second.rem_euclid(DAY_S), offset_s };
        if this.day < 0 {
            (this.day, this.second) = (0, 0);
        } else if this.day > MAX_DAY {
            (this.day, this.second) = (MAX_DAY, DAY_S - 1);
        }
        this
    }

    /// Midnight UTC of a day of a year, both from 1; a number beyond the year's end counts into the next.
    pub(super) fn of_ordinal(year: i64, ordinal: i64) -> DateTime {
        DateTime::new(first_day(year) + ordinal - 1, 0, 0)
    }

    /// A moment, as it is spoken of in a place `offset_s` seconds before UTC's clocks (negative: behind them).
    pub fn from_epoch(secs: i64, offset_s: i32) -> DateTime {
        let local = secs.saturating_add(i64::from(offset_s));
        DateTime::new(EPOCH_DAY, 0, i64::from(offset_s)).plus_seconds(local)
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
        self.day * DAY_S + self.second - self.offset_s
    }

    /// The offset from UTC, in seconds.
    pub fn offset_s(&self) -> i64 {
        self.offset_s
    }

    /// The same moment as it is spoken of in UTC.
    #[must_use]
    pub fn to_utc(&self) -> DateTime {
        DateTime::new(self.day, self.second - self.offset_s, 0)
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
        year_and_ordinal(self.day)
    }

    /// Its day as ISO 8601 counts weeks.
    pub fn week_date(&self) -> WeekDate {
        WeekDate::of(self.day)
    }

    /// Hour, minute, second.
    pub fn time_of_day(&self) -> (i64, i64, i64) {
        (self.second / 3600, self.second / 60 % 60, self.second % 60)
    }

    pub(super) fn with_time(&self, second: i64, offset_s: i64) -> DateTime {
        DateTime::new(self.day, second, offset_s)
    }

    // --- arithmetic ------------------------------------------------------------------------------------------------

    /// Seconds later, or earlier if negative.
    #[must_use]
    pub fn plus_seconds(&self, seconds: i64) -> DateTime {
        let (days, rest) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
        DateTime::new(self.day.saturating_add(days), self.second + rest, self.offset_s)
    }

    /// Days later, or earlier if negative.
    #[must_use]
    pub fn plus_days(&self, days: i64) -> DateTime {
        DateTime::new(self.day.saturating_add(days), self.second, self.offset_s)
    }

    /// Months later, or earlier if negative: the same day of the month, or the last of a month that is too short.
    #[must_use]
    pub fn plus_months(&self, months: i64) -> DateTime {
        let (year, month, day) = self.calendar();
        let index = (year * 12 + month - 1).saturating_add(months);
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
        if year < 1 {
            return DateTime::new(0, self.second, self.offset_s);
        }
        let year = year.min(MAX_YEAR);
        let ordinal = ordinal(year, month, day.min(days_in_month(year, month)));
        DateTime::new(first_day(year) + ordinal - 1, self.second, self.offset_s)
    }

    /// Years later, or earlier if negative.
    ///
    /// It is the day's number in the year that stays, as Pacemaker has it, so between a common and a leap year dates
    /// after February shift by one: 2019-03-01 and a year is 2020-02-29.
    #[must_use]
    pub fn plus_years(&self, years: i64) -> DateTime {
        let (year, ordinal) = self.ordinal();
        let year = year.saturating_add(years).clamp(1, MAX_YEAR);
        let ordinal = ordinal.min(days_in_year(year));
        DateTime::new(first_day(year) + ordinal - 1, self.second, self.offset_s)
    }

    /// Later by a duration: first its years, then its months, days and seconds.
    #[must_use]
    pub fn plus(&self, span: &Duration) -> DateTime {
        self.plus_years(span.years).plus_months(span.months).plus_days(span.days).plus_seconds(span.seconds)
    }

    /// Earlier by a duration, in the same order.
    #[must_use]
    pub fn minus(&self, span: &Duration) -> DateTime {
        self.plus(&Duration {
            years: span.years.saturating_neg(),
            months: span.months.saturating_neg(),
            days: span.days.saturating_neg(),
            seconds: span.seconds.saturating_neg(),
        })
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

impl fmt::Display for DateTime {
    /// In UTC, with a calendar date: `2024-12-30 10:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text(DateForm::Calendar, false))
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &DateTime) -> bool {
        self.seconds() == other.seconds()
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
        self.seconds().cmp(&other.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        DateTime::parse(text, &DateTime::from_epoch(0, 0)).unwrap()
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
            ("2020-12-31 23:00Z", 0, 0, 0, 3600, "2021-01-01 00:00:00Z"),
            ("2021-01-01", 0, 0, 0, -1, "2020-12-31 23:59:59Z"),
            ("2021-01-01", 0, 0, 0, 1_000_000, "2021-01-12 13:46:40Z"),
            ("0001-01-01", -5, 0, 0, 0, "0001-01-01 00:00:00Z"),
            ("0001-02-01", 0, -2, 0, 0, "0001-01-01 00:00:00Z"),
            ("0001-02-01", 0, 0, -60, 0, "0001-01-01 00:00:00Z"),
            ("2021-01-01", i64::MAX, 0, 0, 0, "2147483647-01-01 00:00:00Z"),
            ("2021-01-01", 0, i64::MAX, 0, 0, "2147483647-08-01 00:00:00Z"),
            ("2021-01-01", 0, 0, i64::MAX, 0, "2147483647-12-31 23:59:59Z"),
            ("2021-01-01", 0, 0, 0, i64::MIN, "0001-01-01 00:00:00Z"),
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
        assert_eq!(at("2020-01-01 20:00:00 -04:00").to_string(), "2020-01-02 00:00:00Z");
        assert_eq!(at("0001-01-01").seconds(), 0);
        assert_eq!(DateTime::from_epoch(i64::MIN, 0).to_string(), "0001-01-01 00:00:00Z");
        assert_eq!(DateTime::from_epoch(i64::MAX, 3600).to_string(), "2147483647-12-31 22:59:59Z");
    }
}
