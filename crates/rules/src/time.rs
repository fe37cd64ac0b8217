// SPDX-License-Identifier: GPL-2.0-or-later
//! Dates, times, durations and periods as ISO 8601 writes and Pacemaker reads them.

mod calendar;
mod date_time;
mod error;
mod period;
mod read;
mod scan;

pub use calendar::{MAX_YEAR, WeekDate, days_in_month, days_in_year, is_leap_year, weeks_in_year};
pub use date_time::{DateForm, DateTime};
pub use error::{TimeError, TimeErrorKind};
pub use period::{Period, Recurrence};
