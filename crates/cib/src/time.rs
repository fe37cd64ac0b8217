// SPDX-License-Identifier: GPL-2.0-or-later
//! How the CIB says when it was written.

use model::WallTime;

/// The value of `cib-last-written`: `Sun Nov 22 04:39:53 2026`, in the zone that is `utc_offset_secs` east of Greenwich.
pub fn last_written(now: WallTime, utc_offset_secs: i32) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let local = now.secs.saturating_add(i64::from(utc_offset_secs));
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"Thu");
    let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"Jan");
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}")
}

/// The date so many days after 1970-01-01, in the Gregorian calendar. Years are counted from March, so that the leap
/// day is a year's last.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let day_of_era = from_march_0000.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ctime_writes_it() {
        let at = |secs, offset| last_written(WallTime::from_secs(secs), offset);
        assert_eq!(at(0, 0), "Thu Jan  1 00:00:00 1970");
        assert_eq!(at(1_795_322_393, 0), "Sun Nov 22 04:39:53 2026");
        assert_eq!(at(951_782_400, 0), "Tue Feb 29 00:00:00 2000");
        assert_eq!(at(0, -3_600), "Wed Dec 31 23:00:00 1969");
        assert_eq!(at(4_102_444_800, 0), "Fri Jan  1 00:00:00 2100");
    }
}
