// SPDX-License-Identifier: GPL-2.0-or-later
//! Durations as ISO 8601 writes them: years, months, days and seconds, which have no common measure until they are added
//! to a date.

use std::fmt;

/// A span of time as the calendar counts it. Each part may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duration {
    /// Years.
    pub years: i64,
    /// Months.
    pub months: i64,
    /// Days, weeks being seven of them.
    pub days: i64,
    /// Seconds, minutes and hours being sixty and 3,600 of them.
    pub seconds: i64,
}

/// Amounts are limited to this, and the sums of those of one kind to 32 bits.
const MOST: i64 = i32::MAX as i64;

/// Why a text is no duration. The words are those of Pacemaker, which scripts and people know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationProblem {
    /// There is no text.
    #[error("it is empty")]
    Missing,
    /// Durations begin with `P`.
    #[error("it does not start with a 'P'")]
    NoP,
    /// A `P` alone.
    #[error("nothing follows 'P'")]
    OnlyP,
    /// A number is missing, is too large, or has a fraction.
    #[error("no valid integer at '{0}'")]
    Integer(String),
    /// The sum is too large.
    #[error("integer at '{at}' is too {}", if *.large { "large" } else { "small" })]
    Overflow {
        /// From where on.
        at: String,
        /// Else too small.
        large: bool,
    },
    /// It ends after a number.
    #[error("no units after {0}")]
    NoUnit(i64),
    /// There is no such unit.
    #[error("'{0}' is not a valid time unit")]
    Unit(char),
    /// It lasts no time at all.
    #[error("no amounts and units given")]
    Nothing,
}

impl Duration {
    /// Reads an ISO 8601 duration such as `P1Y2M3DT4H5M6S` or `P2W`. It ends at a blank or a `/`.
    ///
    /// More is taken than the standard asks for: signs, units in any order, and the `T` may be missing where no minutes
    /// are meant. Fractions are refused, and so is a duration of no time.
    pub fn parse(text: &str) -> Result<Duration, DurationProblem> {
        read(text)
    }

    /// How long Pacemaker takes it to be where it has no beginning, in seconds: for intervals.
    ///
    /// That is the time from the first second of the year 1 to the moment whose parts it has. So the first year and the
    /// first day are no time, negative years, months and days count for nothing, and a month has 30 days.
    pub fn seconds_without_start(&self) -> i64 {
        let years = (self.years - 1).max(0);
        let leap_days = years / 4 - years / 100 + years / 400;
        let days = years * 365 + leap_days + self.months.max(0) * 30 + (self.days - 1).max(0);
        days * 86_400 + self.seconds
    }
}

fn read(text: &str) -> Result<Duration, DurationProblem> {
    if text.is_empty() {
        return Err(DurationProblem::Missing);
    }
    let rest = text.strip_prefix('P').ok_or(DurationProblem::NoP)?;
    if rest.is_empty() || rest.bytes().next().is_some_and(is_blank) {
        return Err(DurationProblem::OnlyP);
    }
    let mut span = Duration::default();
    let (mut in_time, mut rest) = (false, rest);
    while let Some(first) = rest.chars().next() {
        if first == '/' || u8::try_from(first).is_ok_and(is_blank) {
            break;
        }
        if first == 'T' {
            in_time = true;
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let (amount, after) = amount(rest).ok_or_else(|| DurationProblem::Integer(rest.to_owned()))?;
        let unit = after.chars().next().ok_or(DurationProblem::NoUnit(amount))?;
        let (part, factor) = match unit {
            'Y' => (&mut span.years, 0),
            'M' if !in_time => (&mut span.months, 0),
            'W' => (&mut span.days, 7),
            'D' => (&mut span.days, 1),
            'H' => (&mut span.seconds, 3600),
            'M' => (&mut span.seconds, 60),
            'S' => (&mut span.seconds, 1),
            other => return Err(DurationProblem::Unit(other)),
        };
        // Of years and months the last word counts; the others add up.
        let sum = if factor == 0 { amount } else { *part + amount * factor };
        if i32::try_from(sum).is_err() {
            return Err(DurationProblem::Overflow { at: rest.to_owned(), large: sum > 0 });
        }
        *part = sum;
        rest = after.get(unit.len_utf8()..).unwrap_or_default();
    }
    if span == Duration::default() { Err(DurationProblem::Nothing) } else { Ok(span) }
}

/// What C's `isspace` calls so.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A number, and what follows it.
fn amount(text: &str) -> Option<(i64, &str)> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' | b':' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let length = digits.bytes().take(10).take_while(u8::is_ascii_digit).count();
    let amount = digits.get(..length)?.parse::<i64>().ok().filter(|&amount| amount <= MOST)?;
    Some((if negative { -amount } else { amount }, digits.get(length..)?))
}

fn plural(amount: i64) -> &'static str {
    if amount == 1 { "" } else { "s" }
}

impl fmt::Display for Duration {
    /// As Pacemaker's tools write it, to the blank: `   2 years  5 months 360 seconds (6 minutes)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Duration { years, months, days, seconds } = *self;
        if years != 0 {
            write!(f, "{years:4} year{} ", plural(years))?;
        }
        if months != 0 {
            write!(f, "{months:2} month{} ", plural(months))?;
        }
        if days != 0 {
            write!(f, "{days:2} day{} ", plural(days))?;
        }
        if seconds != 0 || (years == 0 && months == 0 && days == 0) {
            write!(f, "{seconds} second{}", plural(seconds))?;
        }
        let size = seconds.abs();
        if size < 60 {
            return Ok(());
        }
        let mut units = Vec::new();
        for (amount, unit) in [(size / 3600, "hour"), (size / 60 % 60, "minute")] {
            if amount != 0 {
                units.push(format!("{amount} {unit}{}", plural(amount)));
            }
        }
        if size % 60 != 0 {
            units.push(format!("{} second{}", size % 60, plural(seconds)));
        }
        write!(f, " ({})", units.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, expected) in [
            ("P1Y", "   1 year "),
            ("P2Y5MT6M", "   2 years  5 months 360 seconds (6 minutes)"),
            ("P1M", " 1 month "),
            ("P-1M", "-1 months "),
            ("P1W", " 7 days "),
            ("P1W1D", " 8 days "),
            ("P+1D", " 1 day "),
            ("P1H", "3600 seconds (1 hour)"),
            ("P-1H", "-3600 seconds (1 hour)"),
            ("PT90M", "5400 seconds (1 hour 30 minutes)"),
            ("PT61S", "61 seconds (1 minute 1 seconds)"),
            ("PT1S", "1 second"),
            ("P2Y5M3DT1H1M1S", "   2 years  5 months  3 days 3661 seconds (1 hour 1 minute 1 seconds)"),
            ("P1M1Y", "   1 year  1 month "),
            ("P1YT", "   1 year "),
            ("P1D foo", " 1 day "),
            ("P1D/foo", " 1 day "),
            ("P2147483647D", "2147483647 days "),
        ] {
            assert_eq!(Duration::parse(text).map(|span| span.to_string()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let because =
            |text: &str, why: &str| assert_eq!(Duration::parse(text).unwrap_err().to_string(), why, "{text}");
        because("1D", "it does not start with a 'P'");
        because("P", "nothing follows 'P'");
        because("P 1D", "nothing follows 'P'");
        because("PT", "no amounts and units given");
        because("P0D", "no amounts and units given");
        because("P1", "no units after 1");
        because("P1Z/2019-02-20 00:00:00Z", "'Z' is not a valid time unit");
        because("P1é", "'é' is not a valid time unit");
        because("P1YM/2019-02-20", "no valid integer at 'M/2019-02-20'");
        because("P1.5D", "'.' is not a valid time unit");
        because("P.5D", "no valid integer at '.5D'");
        because("P9999999999D", "no valid integer at '9999999999D'");
        because("P2147483647DT1H1D", "integer at '1D' is too large");
        because("PT-999999999H", "integer at '-999999999H' is too small");
        because("", "it is empty");
    }
}
