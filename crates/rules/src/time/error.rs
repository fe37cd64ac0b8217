// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a text is no date, time, duration or period. The words are those of Pacemaker, which scripts and people know.

use model::DurationProblem;

/// A text that is no date, time, duration or period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// No date and time.
    #[error("{}", explained("'", .text, "'", "date/time specification", .why))]
    Date {
        /// What should have been one.
        text: String,
        /// Why it is none.
        why: TimeErrorKind,
    },
    /// No time of day, or no offset from UTC.
    #[error("{}", explained("", .text, "", "time specification", .why))]
    Time {
        /// What should have been one.
        text: String,
        /// Why it is none.
        why: TimeErrorKind,
    },
    /// No duration.
    #[error("{}", no_duration(.text, .why))]
    Duration {
        /// What should have been one.
        text: String,
        /// Why it is none.
        why: DurationProblem,
    },
    /// No period.
    #[error("{}", explained("'", .text, "'", "time period", .why))]
    Period {
        /// What should have been one.
        text: String,
        /// Why it is none.
        why: TimeErrorKind,
    },
    /// No recurring interval.
    #[error("{}", explained("'", .text, "'", "recurring interval", .why))]
    Recurrence {
        /// What should have been one.
        text: String,
        /// Why it is none.
        why: TimeErrorKind,
    },
}

fn explained(open: &str, text: &str, close: &str, sort: &str, why: &TimeErrorKind) -> String {
    match why {
        TimeErrorKind::Missing => format!("No ISO 8601 {sort} given"),
        TimeErrorKind::Unknown => format!("'{text}' is not a valid ISO 8601 {sort}"),
        why => format!("{open}{text}{close} is not a valid ISO 8601 {sort} because {why}"),
    }
}

fn no_duration(text: &str, why: &DurationProblem) -> String {
    match why {
        DurationProblem::Missing => "No ISO 8601 time duration given".to_owned(),
        why => format!("'{text}' is not a valid ISO 8601 time duration because {why}"),
    }
}

/// Why a text is none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeErrorKind {
    /// There is no text.
    #[error("it is empty")]
    Missing,
    /// It has none of the known forms.
    #[error("it has none of the known forms")]
    Unknown,
    /// The year is 0 or too large.
    #[error("'{0}' is not a valid year")]
    Year(u32),
    /// Not 1 to 12.
    #[error("'{0}' is not a valid month")]
    Month(u32),
    /// The month does not have it.
    #[error("'{0}' is not a valid day of the month")]
    DayOfMonth(u32),
    /// The year does not have it.
    #[error("'{day}' is not a valid day of year {year} (1-{days})")]
    DayOfYear {
        /// The day.
        day: u32,
        /// The year.
        year: u32,
        /// How many days that has.
        days: i64,
    },
    /// The year does not have it.
    #[error("'{week}' is not a valid week of year {year} (1-{weeks})")]
    Week {
        /// The week.
        week: u32,
        /// The year.
        year: u32,
        /// How many weeks that has.
        weeks: i64,
    },
    /// Not 1 to 7.
    #[error("'{0}' is not a valid day of the week")]
    DayOfWeek(u32),
    /// Not 0 to 23, nor 24:00:00.
    #[error("{0} is not a valid hour")]
    Hour(u32),
    /// Not 0 to 59.
    #[error("{0} is not a valid minute")]
    Minute(u32),
    /// Not 0 to 59.
    #[error("{0} is not a valid second")]
    Second(u32),
    /// A duration cannot begin or end with a duration.
    #[error("it has two durations")]
    TwoDurations,
    /// A start alone.
    #[error("it has no duration or ending time")]
    NoEnd,
    /// Arithmetic has led to a day or second that there is not.
    #[error("the {0} is invalid")]
    OffTheCalendar(&'static str),
    /// Recurring intervals are `R`, perhaps a number, and a period after a `/`.
    #[error("it is not 'R', a number or none, '/', and a period")]
    NotRecurring,
    /// A recurring interval would begin again at once, for ever.
    #[error("its end is not after its start")]
    NotForward,
}
