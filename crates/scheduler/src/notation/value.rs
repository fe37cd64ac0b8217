// SPDX-License-Identifier: GPL-2.0-or-later
//! Texts that stand for booleans, numbers, spans, scores, names and keys.
//!
//! Decides: what is accepted, and what stands for what is not. Given: texts. Leaves to others: reading numbers
//! (`rules::lenient`), reporting what was nonsense.

use model::lenient::{integer, parse_interval, parse_score};
use model::{Interval, Score, parse_bool};
use std::cmp::Ordering;
use xml::Element;

/// True only if there is a text and it means so.
pub fn is_true(text: Option<&str>) -> bool {
    text.and_then(parse_bool).unwrap_or(false)
}

/// A boolean attribute, if it is there and is one.
pub fn flag(element: &Element, name: &str) -> Option<bool> {
    element.attr(name).and_then(parse_bool)
}

/// An integer attribute.
pub fn number(element: &Element, name: &str) -> Option<i64> {
    element.attr(name).and_then(integer)
}

/// A score attribute; zero if it is not there or is none.
pub fn score_attr(element: &Element, name: &str) -> Score {
    element.attr(name).and_then(parse_score).unwrap_or_default()
}

/// An operation's interval or another span in milliseconds; what is nonsense or negative is zero.
pub fn interval_ms(text: Option<&str>) -> u64 {
    text.and_then(parse_interval).map_or(0, Interval::as_ms)
}

/// Milliseconds as whole seconds: rounded, but never down to nothing.
pub fn whole_seconds(ms: u64) -> i64 {
    match ms {
        0 => 0,
        1..=999 => 1,
        _ => i64::try_from((ms + 500) / 1000).unwrap_or(i64::MAX),
    }
}

/// Names as people sort them: without regard to case, numbers in them by their value.
pub fn compare_names(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
                let (len_a, len_b) = (digits(a), digits(b));
                let value = |s: &[u8]| {
                    s.iter().fold(0u64, |n, c| n.saturating_mul(10).saturating_add(u64::from(c - b'0')))
                };
                let order = value(&a[..len_a]).cmp(&value(&b[..len_b])).then(len_a.cmp(&len_b));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[len_a..], &b[len_b..]);
            }
            (Some(x), Some(y)) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[1..], &b[1..]);
            }
        }
    }
}

/// An instance's name without its number: `web:1` gives `web`.
pub fn base_name(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((base, digits)) if !base.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => id,
    }
}

/// An operation's key.
pub fn op_key(resource: &str, task: &str, interval_ms: u64) -> String {
    format!("{resource}_{task}_{interval_ms}")
}

/// The parts of an operation's key: resource, task (with `pre_notify_` and the like), interval.
pub fn parse_op_key(key: &str) -> Option<(&str, &str, u64)> {
    let (head, interval) = key.rsplit_once('_')?;
    let interval = interval.parse().ok()?;
    let mut cut = head.rfind('_')?;
    for suffix in ["_migrate_to", "_migrate_from"] {
        if head.ends_with(suffix) && head.len() > suffix.len() {
            cut = head.len() - suffix.len();
        }
    }
    for kind in ["_pre_notify", "_post_notify", "_confirmed-pre_notify", "_confirmed-post_notify"] {
        if head[..cut].ends_with(kind) && cut > kind.len() {
            cut -= kind.len();
            break;
        }
    }
    (cut > 0).then(|| (&head[..cut], &head[cut + 1..], interval))
}

/// The key of an operation in the history; very old ones had it as their id.
pub fn history_key(operation: &Element) -> &str {
    operation.attr("operation_key").filter(|key| !key.is_empty()).or(operation.id()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_do() {
        let mut names = ["node10", "Node2", "node1", "node02", "a"];
        names.sort_by(|a, b| compare_names(a, b));
        assert_eq!(names, ["a", "node1", "Node2", "node02", "node10"]);
    }

    #[test]
    fn keys_are_read_from_the_right() {
        assert_eq!(parse_op_key("a_b_start_0"), Some(("a_b", "start", 0)));
        assert_eq!(parse_op_key("a_migrate_to_0"), Some(("a", "migrate_to", 0)));
        assert_eq!(parse_op_key("a_post_notify_start_0"), Some(("a", "post_notify_start", 0)));
        for bad in ["", "a", "a_0", "_start_0", "a_start_x"] {
            assert_eq!(parse_op_key(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn spans_that_are_none_are_zero() {
        assert_eq!(interval_ms(Some("10")), 10_000);
        assert_eq!(interval_ms(Some("-3")), 0);
        assert_eq!(interval_ms(Some("soon")), 0);
        assert_eq!(interval_ms(None), 0);
        assert_eq!(whole_seconds(400), 1);
        assert_eq!(whole_seconds(1_500), 2);
    }

    #[test]
    fn instance_numbers_are_stripped() {
        assert_eq!(base_name("a:12"), "a");
        assert_eq!(base_name("a:b"), "a:b");
        assert_eq!(base_name("a"), "a");
    }
}
