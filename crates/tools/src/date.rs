// SPDX-License-Identifier: GPL-2.0-or-later
//! Moments and spans as Pacemaker's tools write them.
//!
//! Decides: the formats. Given: seconds since the epoch, spans. Leaves to others: which moment it is.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use model::Interval;

fn in_zone(secs: i64, zone: TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_second(secs).ok()?.to_zoned(zone))
}

/// This moment, in this place.
pub fn here_and_now() -> rules::DateTime {
    let now = Zoned::now();
    rules::DateTime::from_epoch(now.timestamp().as_second(), now.offset().seconds())
}

/// A moment as `ctime` writes it, in local time: `Sun Nov 22 04:57:05 2026`.
pub fn local(secs: i64) -> String {
    let moment = in_zone(secs, TimeZone::system());
    moment.map_or_else(|| secs.to_string(), |moment| moment.strftime("%a %b %e %H:%M:%S %Y").to_string())
}

/// A moment as it is shown with its zone, in UTC: `2026-11-22 04:57:05Z`.
pub fn utc(secs: i64) -> String {
    let moment = in_zone(secs, TimeZone::UTC);
    moment.map_or_else(|| secs.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// A span as people read it: `1m30s`.
pub fn readable_span(span: Interval) -> String {
    span.readable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_moments_and_spans() {
        assert_eq!(utc(86_399), "1970-01-01 23:59:59Z");
        for (ms, text) in
            [(0, "0s"), (500, "500ms"), (1500, "1.500s"), (90_000, "1m30s"), (90_061_000, "1d1h1m1s")]
        {
            assert_eq!(readable_span(Interval::from_ms(ms)), text);
        }
    }
}
