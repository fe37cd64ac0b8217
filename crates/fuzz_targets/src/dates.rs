// SPDX-License-Identifier: GPL-2.0-or-later
//! Dates, durations, periods and spans: read or refused, written, and read again as the same.

use model::{Duration, lenient};
use rules::{DateForm, DateTime, MAX_YEAR, Period, Recurrence};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (secs, offset_s) in
        [(1_700_000_000, 0), (951_782_399, 20_700), (i64::MAX, -43_200), (i64::MIN, 50_400)]
    {
        let now = DateTime::from_epoch(secs, offset_s);
        match DateTime::parse(text, &now) {
            Ok(at) => reads_back(&at),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        match Duration::parse(text) {
            Ok(span) => {
                assert!(!span.to_string().is_empty());
                reads_back(&now.plus(&span));
                reads_back(&now.minus(&span));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        if let Ok(period) = Period::parse(text, &now) {
            reads_back(&period.start);
            reads_back(&period.end);
        }
        if let Ok(recurrence) = Recurrence::parse(text, &now)
            && let Some(period) = recurrence.at_or_after(&now)
        {
            assert!(period.end > now && period.end > period.start, "{text}");
        }
    }
    let _ = (
        lenient::integer(text),
        lenient::parse_score(text),
        lenient::timeout_ms(text),
        lenient::parse_interval(text),
    );
}

fn reads_back(at: &DateTime) {
    let year = at.calendar().0;
    for form in [DateForm::Calendar, DateForm::Ordinal, DateForm::Week] {
        let written = at.text(form, false);
        // At both ends of time another place's day may be beyond it; and a week of a year of more digits reads like a
        // date without dashes.
        let last = if form == DateForm::Week { 9_999 } else { MAX_YEAR };
        if (2..last).contains(&year) {
            // The end of a day reads as the begin of the next, which is the same moment.
            let read = DateTime::parse(&written, at).map(|read| read.seconds());
            assert_eq!(read, Ok(at.seconds()), "{written}");
        }
        assert!(!at.text(form, true).is_empty());
    }
}
