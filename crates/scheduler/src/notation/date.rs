//! Dates in rules: ranges and specifications.
//!
//! Decides: whether `now` fits (Pacemaker Explained, "Date/Time Expressions"). Given: the expression, the time. Times
//! without an offset are taken as UTC: the scheduler reads no time zone.
// SPDX-License-Identifier: GPL-2.0-or-later

use model::WallTime;
use xml::Element;

const DAY_S: i64 = 86_400;

/// A moment taken apart.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    year_day: i64,
    /// Monday is 1.
    week_day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil(secs: i64) -> Civil {
    let days = secs.div_euclid(DAY_S);
    let rest = secs.rem_euclid(DAY_S);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day,
        year_day: days - days_from_civil(year, 1, 1) + 1,
        week_day: (days + 3).rem_euclid(7) + 1,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
    }
}

/// Seconds since the epoch of an ISO 8601 date (calendar or ordinal) with or without a time and an offset.
pub fn parse_moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("epoch") {
        return Some(0);
    }
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let numbers: Vec<i64> = parts.iter().map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let days = match (numbers.as_slice(), parts.as_slice()) {
        (&[year, day], [_, text]) if text.len() == 3 => days_from_civil(year, 1, 1) + day - 1,
        (&[year, month], _) if (1..=12).contains(&month) => days_from_civil(year, month, 1),
        (&[year, month, day], _) if (1..=12).contains(&month) && (1..=31).contains(&day) => {
            days_from_civil(year, month, day)
        }
        (&[number], [text]) if text.len() == 8 => {
            let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
            ((1..=12).contains(&month) && (1..=31).contains(&day))
                .then(|| days_from_civil(year, month, day))?
        }
        _ => return None,
    };
    let seconds = time.map_or(Some(0), parse_time)?;
    days.checked_mul(DAY_S)?.checked_add(seconds)
}

/// Seconds since midnight UTC of a time with or without an offset.
fn parse_time(text: &str) -> Option<i64> {
    let cut = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (time, offset) = text.split_at(cut);
    let hms = |text: &str| -> Option<i64> {
        let mut seconds = 0;
        for (part, unit) in text.trim().split(':').zip([3600, 60, 1]) {
            seconds += part.split('.').next()?.parse::<i64>().ok()? * unit;
        }
        Some(seconds)
    };
    let offset = offset.trim();
    let shift = match offset.as_bytes().first() {
        None | Some(b'Z') => 0,
        Some(b'+') => hms(&offset[1..])?,
        Some(_) => -hms(&offset[1..])?,
    };
    Some(hms(time)? - shift)
}

/// Whether a `date_expression` passes; `recheck` is brought forward to when it may start or stop doing so.
pub fn evaluate_date(expression: &Element, now: WallTime, recheck: &mut Option<i64>) -> bool {
    if expression.id().is_none_or(str::is_empty) {
        return false;
    }
    let moment = |name: &str| expression.attr(name).and_then(parse_moment);
    let mut at = |when: i64| {
        if when > now.secs && recheck.is_none_or(|other| when < other) {
            *recheck = Some(when);
        }
    };
    let operation = expression.attr("operation").unwrap_or("in_range").to_ascii_lowercase();
    match operation.as_str() {
        "in_range" => {
            let start = moment("start");
            let duration = expression.child("duration");
            let end = moment("end").or_else(|| Some(start? + duration.map(duration_s)?));
            if start.is_none() && end.is_none() {
                return false;
            }
            if let Some(start) = start.filter(|&start| now.secs < start) {
                at(start);
                return false;
            }
            match end {
                Some(end) if now.secs > end => false,
                Some(end) => {
                    at(end + 1);
                    true
                }
                None => true,
            }
        }
        "date_spec" => expression.child("date_spec").is_some_and(|spec| matches_spec(spec, now)),
        "gt" => moment("start").is_some_and(|start| {
            at(start + 1);
            now.secs > start
        }),
        "lt" => moment("end").is_some_and(|end| {
            at(end);
            now.secs < end
        }),
        _ => false,
    }
}

fn duration_s(duration: &Element) -> i64 {
    const UNITS: [(&str, i64); 7] = [
        ("years", 365 * DAY_S),
        ("months", 30 * DAY_S),
        ("weeks", 7 * DAY_S),
        ("days", DAY_S),
        ("hours", 3600),
        ("minutes", 60),
        ("seconds", 1),
    ];
    let one = |&(name, unit): &(&str, i64)| super::number(duration, name).unwrap_or(0).saturating_mul(unit);
    UNITS.iter().map(one).fold(0, i64::saturating_add)
}

fn matches_spec(spec: &Element, now: WallTime) -> bool {
    let now = civil(now.secs);
    let fields = [
        ("seconds", now.second),
        ("minutes", now.minute),
        ("hours", now.hour),
        ("monthdays", now.day),
        ("weekdays", now.week_day),
        ("yeardays", now.year_day),
        ("months", now.month),
        ("years", now.year),
    ];
    fields.iter().all(|&(name, value)| spec.attr(name).is_none_or(|range| in_ranges(range, value)))
}

fn in_ranges(text: &str, value: i64) -> bool {
    text.split(',').any(|range| match range.trim().split_once('-') {
        None => super::integer(range) == Some(value),
        Some((low, high)) => {
            super::integer(low).is_none_or(|low| low <= value)
                && super::integer(high).is_none_or(|high| value <= high)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_many_spellings() {
        for text in ["2005-01-20", "2005-020", "20050120", "2005-01-20 00:00:00Z", "2005-01-20T02:00+02:00"] {
            assert_eq!(parse_moment(text), Some(1_106_179_200), "{text}");
        }
        for bad in ["", "today", "2005-13-01", "2005-01-20Tx"] {
            assert_eq!(parse_moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn calendar_fields() {
        let c = civil(1_106_179_200 + 3_723);
        assert_eq!((c.year, c.month, c.day, c.year_day, c.week_day), (2005, 1, 20, 20, 4));
        assert_eq!((c.hour, c.minute, c.second), (1, 2, 3));
    }

    #[test]
    fn ranges_tell_when_to_look_again() {
        let range =
            xml::parse("<date_expression id='d' operation='in_range' start='2005-01-20' end='2005-01-21'/>");
        let (range, mut recheck) = (range.unwrap(), None);
        let start = 1_106_179_200;
        assert!(!evaluate_date(&range, WallTime::from_secs(start - 1), &mut recheck));
        assert_eq!(recheck, Some(start));
        let mut recheck = None;
        assert!(evaluate_date(&range, WallTime::from_secs(start), &mut recheck));
        assert_eq!(recheck, Some(start + DAY_S + 1));
        assert!(!evaluate_date(&range, WallTime::from_secs(start + DAY_S + 1), &mut None));
    }
}
