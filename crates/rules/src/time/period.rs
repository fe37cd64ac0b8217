// SPDX-License-Identifier: GPL-2.0-or-later
//! Periods with a start and an end, and those that come again.

use super::date_time::DateTime;
use super::error::{TimeError, TimeErrorKind};
use model::Duration;

/// From a moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first second.
    pub start: DateTime,
    /// Its end.
    pub end: DateTime,
}

impl Period {
    /// Reads `start/end`, `start/duration`, `duration/end`, or a duration alone, which begins now.
    ///
    /// As in Pacemaker, an end is refused that arithmetic leads off the calendar, or to the last moment of a day (24:00:00).
    pub fn parse(text: &str, now: &DateTime) -> Result<Period, TimeError> {
        Ok(Halves::parse(text, now)?.0)
    }
}

fn duration(text: &str) -> Result<Duration, TimeError> {
    Duration::parse(text).map_err(|why| TimeError::Duration { text: text.to_owned(), why })
}

/// A period, and the duration it was written with.
struct Halves(Period, Option<Duration>);

impl Halves {
    fn parse(text: &str, now: &DateTime) -> Result<Halves, TimeError> {
        let refused = |why| TimeError::Period { text: text.to_owned(), why };
        if text.is_empty() {
            return Err(refused(TimeErrorKind::Missing));
        }
        let second = text.split_once('/').map(|(_, second)| second);
        let off = |half| {
            let text = second.unwrap_or("(null)").to_owned();
            TimeError::Period { text, why: TimeErrorKind::OffTheCalendar(half) }
        };
        if text.starts_with('P') {
            let span = duration(text)?;
            let period = match second {
                None => Period { start: *now, end: now.plus_within(&span).ok_or_else(|| off("end"))? },
                Some(second) if second.starts_with('P') => return Err(refused(TimeErrorKind::TwoDurations)),
                Some(second) => {
                    let end = DateTime::parse(second, now)?;
                    Period { start: end.minus_within(&span).ok_or_else(|| off("start"))?, end }
                }
            };
            return Ok(Halves(period, Some(span)));
        }
        let start = DateTime::parse(text, now)?;
        match second {
            None => Err(refused(TimeErrorKind::NoEnd)),
            Some(second) if second.starts_with('P') => {
                let span = duration(second)?;
                let end = start.plus_within(&span).ok_or_else(|| off("end"))?;
                Ok(Halves(Period { start, end }, Some(span)))
            }
            Some(second) => Ok(Halves(Period { start, end: DateTime::parse(second, now)? }, None)),
        }
    }
}

/// A period that comes again, each time beginning where the last one ended: `R5/2024-01-01/P1M`.
///
/// Pacemaker's rules have no word for these; they are for those who plan around the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrence {
    first: Period,
    span: Duration,
    /// How often it comes again after the first time; without end if not said.
    again: Option<u64>,
}

impl Recurrence {
    /// Reads `R`, how often it comes again (or nothing: without end), `/`, and a period.
    pub fn parse(text: &str, now: &DateTime) -> Result<Recurrence, TimeError> {
        let refused = |why| TimeError::Recurrence { text: text.to_owned(), why };
        let (count, period) = text
            .strip_prefix('R')
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| refused(TimeErrorKind::NotRecurring))?;
        let again = match count {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                // Only digits are left, so a failure is an overflow, which is as good as no end.
                digits.parse().ok()
            }
            _ => return Err(refused(TimeErrorKind::NotRecurring)),
        };
        let Halves(first, span) = Halves::parse(period, now)?;
        let length_s = first.end.seconds() - first.start.seconds();
        if length_s <= 0 {
            return Err(refused(TimeErrorKind::NotForward));
        }
        let span = span.unwrap_or(Duration { seconds: length_s, ..Duration::default() });
        Ok(Recurrence { first, span, again })
    }

    /// The period with a number, the first being 0; `None` after the last.
    ///
    /// Counted from the first start, so that months after 31 January do not wander: February's 28th, March's 31st.
    pub fn occurrence(&self, number: u64) -> Option<Period> {
        if self.again.is_some_and(|again| number > again) {
            return None;
        }
        let start_of = |number: u64| {
            let times = i64::try_from(number).unwrap_or(i64::MAX);
            let part = |amount: i64| amount.saturating_mul(times);
            self.first.start.plus(&Duration {
                years: part(self.span.years),
                months: part(self.span.months),
                days: part(self.span.days),
                seconds: part(self.span.seconds),
            })
        };
        if number == 0 {
            return Some(self.first);
        }
        let period = Period { start: start_of(number), end: start_of(number.saturating_add(1)) };
        // At the end of time nothing moves any more.
        (period.end > period.start).then_some(period)
    }

    /// The period in which a moment is, or the next one after it; `None` after the last.
    pub fn at_or_after(&self, moment: &DateTime) -> Option<Period> {
        // Ends only grow with the number, so the first that is after the moment is found by halving.
        let (mut low, mut high) = (0, 1);
        while self.occurrence(high).is_some_and(|period| period.end <= *moment) {
            (low, high) = (high, high.saturating_mul(2));
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.occurrence(middle) {
                Some(period) if period.end <= *moment => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        self.occurrence(low).filter(|period| period.end > *moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime {
        DateTime::from_epoch(1_000_000_000, 0)
    }

    #[test]
    fn periods_in_all_their_forms() {
        for (text, expected) in [
            ("2005-040/2005-043", "2005-02-09 00:00:00Z to 2005-02-12 00:00:00Z"),
            ("2019-01-31/P1M", "2019-01-31 00:00:00Z to 2019-02-28 00:00:00Z"),
            ("2020-01-01 22:00:00Z/PT1H", "2020-01-01 22:00:00Z to 2020-01-01 23:00:00Z"),
            ("P1Y/2019-02-20 00:00:00Z", "2018-02-20 00:00:00Z to 2019-02-20 00:00:00Z"),
            ("PT5M", "2001-09-09 01:46:40Z to 2001-09-09 01:51:40Z"),
            ("epoch/P1D", "1970-01-01 00:00:00Z to 1970-01-02 00:00:00Z"),
        ] {
            let read = Period::parse(text, &now()).map(|Period { start, end }| format!("{start} to {end}"));
            assert_eq!(read.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (text, expected) in [
            ("", "No ISO 8601 time period given"),
            (
                "2019-01-01 00:00:00Z",
                "'2019-01-01 00:00:00Z' is not a valid ISO 8601 time period because it has no duration or ending time",
            ),
            ("2019-01-01 00:00:00Z/", "No ISO 8601 date/time specification given"),
            ("PT2S/P1M", "'PT2S/P1M' is not a valid ISO 8601 time period because it has two durations"),
            (
                "P1Y/2019-02-29 00:00:00Z",
                "'2019-02-29 00:00:00Z' is not a valid ISO 8601 date/time specification because '29' is not a valid day of the month",
            ),
            (
                "2020-01-01 23:00:00Z/PT1H",
                "'PT1H' is not a valid ISO 8601 time period because the end is invalid",
            ),
            (
                "P2M/0001-01-01",
                "'0001-01-01' is not a valid ISO 8601 time period because the start is invalid",
            ),
            ("2020-12-31/P1Y", "'P1Y' is not a valid ISO 8601 time period because the end is invalid"),
            ("2019-01-01/P", "'P' is not a valid ISO 8601 time duration because nothing follows 'P'"),
        ] {
            let error = Period::parse(text, &now()).unwrap_err().to_string();
            assert_eq!(error, expected, "{text}");
        }
        for text in
            ["R5", "5/2019-01-01/P1D", "Rx/2019-01-01/P1D", "R/2019-01-01/P-1D", "R1/2019-01-01/2018-01-01"]
        {
            assert!(Recurrence::parse(text, &now()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_recurs() {
        let starts = |text: &str, after: &str| {
            let after = DateTime::parse(after, &now()).unwrap();
            let found = Recurrence::parse(text, &now()).unwrap().at_or_after(&after);
            found.map_or("never".to_owned(), |period| period.start.to_string())
        };
        assert_eq!(starts("R/2019-01-31/P1M", "2019-02-28 12:00Z"), "2019-02-28 00:00:00Z");
        assert_eq!(starts("R/2019-01-31/P1M", "2019-03-31"), "2019-03-31 00:00:00Z");
        assert_eq!(starts("R/2019-01-31/P1M", "1990-01-01"), "2019-01-31 00:00:00Z");
        assert_eq!(starts("R2/2019-01-01/P1D", "2019-01-03 23:59:59Z"), "2019-01-03 00:00:00Z");
        assert_eq!(starts("R2/2019-01-01/P1D", "2019-01-04"), "never");
        assert_eq!(starts("R0/2019-01-01/2019-01-03", "2019-01-02"), "2019-01-01 00:00:00Z");
        assert_eq!(
            starts("R/2019-01-01 00:00Z/2019-01-01 08:00Z", "2300-06-06 20:00Z"),
            "2300-06-06 16:00:00Z"
        );
        assert_eq!(starts("R/epoch/PT1S", "2147483647-12-31 23:59:59Z"), "never");
    }
}
