// SPDX-License-Identifier: GPL-2.0-or-later
//! The Gregorian calendar, continued backwards to the year 1: days to years, months and weeks, and back.
//!
//! Days count from Monday, 1 January of the year 1, which is day 0.

/// The last year that can be spoken of.
pub const MAX_YEAR: i64 = i32::MAX as i64;

/// 1970-01-01.
pub(super) const EPOCH_DAY: i64 = 719_162;
/// 31 December of [`MAX_YEAR`].
pub(super) const MAX_DAY: i64 = first_day(MAX_YEAR + 1) - 1;

const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Whether a year has a 29 February.
pub const fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a year.
pub const fn days_in_year(year: i64) -> i64 {
    if is_leap_year(year) { 366 } else { 365 }
}

/// Days of a month, 1 to 12; zero for any other.
pub const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

/// ISO weeks of a year, 52 or 53.
pub const fn weeks_in_year(year: i64) -> i64 {
    let (first, last) = (weekday(first_day(year)), weekday(first_day(year + 1) - 1));
    // A year has the weeks whose Thursday is in it.
    if first == 4 || last == 4 { 53 } else { 52 }
}

/// 1 January of a year.
pub(super) const fn first_day(year: i64) -> i64 {
    let before = year - 1;
    before * 365 + before / 4 - before / 100 + before / 400
}

/// The year of a day, and the day's number in it, from 1.
pub(super) fn year_and_ordinal(day: i64) -> (i64, i64) {
    let (cycles, rest) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    // The last century of a cycle is a day longer, and so is the last year of four.
    let centuries = (rest / 36_524).min(3);
    let rest = rest - centuries * 36_524;
    let fours = rest / 1_461;
    let rest = rest - fours * 1_461;
    let years = (rest / 365).min(3);
    (cycles * 400 + centuries * 100 + fours * 4 + years + 1, rest - years * 365 + 1)
}

/// The month of a day in a year, and the day's number in the month.
pub(super) fn month_and_day(year: i64, ordinal: i64) -> (i64, i64) {
    let before = |month: i64| days_before_month(year, month);
    let month = (1..=12).rev().find(|&month| before(month) < ordinal).unwrap_or(1);
    (month, ordinal - before(month))
}

/// The number in its year of a day of a month.
pub(super) fn ordinal(year: i64, month: i64, day: i64) -> i64 {
    days_before_month(year, month) + day
}

fn days_before_month(year: i64, month: i64) -> i64 {
    let index = usize::try_from(month - 1).unwrap_or(0);
    let days = DAYS_BEFORE_MONTH.get(index).copied().unwrap_or(0);
    days + i64::from(month > 2 && is_leap_year(year))
}

/// Monday is 1, Sunday 7.
const fn weekday(day: i64) -> i64 {
    day.rem_euclid(7) + 1
}

/// A day as ISO 8601 counts weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeekDate {
    /// The year the week belongs to, which around New Year is not always the day's own.
    pub year: i64,
    /// 1 to 53.
    pub week: i64,
    /// 1 is Monday, 7 Sunday.
    pub weekday: i64,
}

impl WeekDate {
    pub(super) fn of(day: i64) -> WeekDate {
        let weekday = weekday(day);
        // A week belongs to the year of its Thursday. Nothing is before the year 1, so its first days are its own.
        let (year, ordinal) = year_and_ordinal(day - weekday + 4);
        WeekDate { year, week: (ordinal - 1) / 7 + 1, weekday }
    }

    pub(super) fn day(self) -> i64 {
        // 4 January is always in the first week.
        let fourth = first_day(self.year) + 3;
        let first_monday = fourth - (weekday(fourth) - 1);
        first_monday + (self.week - 1) * 7 + self.weekday - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_goes_there_and_back() {
        let (mut year, mut ordinal_there) = (1, 1);
        for day in 0..900_000 {
            assert_eq!(year_and_ordinal(day), (year, ordinal_there), "{day}");
            assert_eq!(first_day(year) + ordinal_there - 1, day);
            let (month, of_month) = month_and_day(year, ordinal_there);
            assert!((1..=days_in_month(year, month)).contains(&of_month), "{day}");
            assert_eq!(ordinal(year, month, of_month), ordinal_there);
            let week = WeekDate::of(day);
            assert_eq!(week.day(), day);
            assert!((1..=weeks_in_year(week.year)).contains(&week.week), "{day} {week:?}");
            ordinal_there += 1;
            if ordinal_there > days_in_year(year) {
                (year, ordinal_there) = (year + 1, 1);
            }
        }
        assert_eq!(year_and_ordinal(EPOCH_DAY), (1970, 1));
        assert_eq!(year_and_ordinal(MAX_DAY), (MAX_YEAR, 365));
    }

    #[test]
    fn weeks_around_new_year() {
        for (year, month, day, expected) in [
            (2008, 12, 29, (2009, 1, 1)),
            (2010, 1, 3, (2009, 53, 7)),
            (2008, 9, 27, (2008, 39, 6)),
            (2021, 1, 1, (2020, 53, 5)),
            (1, 1, 1, (1, 1, 1)),
        ] {
            let week = WeekDate::of(first_day(year) + ordinal(year, month, day) - 1);
            assert_eq!((week.year, week.week, week.weekday), expected, "{year}-{month}-{day}");
        }
    }
}
