// SPDX-License-Identifier: GPL-2.0-or-later
//! Values of attributes, compared by type.

use crate::number::leading_number;
use model::lenient::exact_integer;
use std::cmp::Ordering;
use std::str::FromStr;

/// How values are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Text; case does not matter.
    String,
    /// Whole numbers.
    Integer,
    /// Numbers with a point.
    Number,
    /// Numbers with any number of points.
    Version,
}

impl ValueType {
    /// How it is written in the CIB.
    pub const WORDS: [(&'static str, ValueType); 4] = [
        ("string", ValueType::String),
        ("integer", ValueType::Integer),
        ("number", ValueType::Number),
        ("version", ValueType::Version),
    ];

    /// Compares two values. Integers and numbers may have something after them, which does not count; what is none at
    /// all is compared as text.
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        let as_text = || compare_text(a, b);
        match self {
            ValueType::String => as_text(),
            ValueType::Integer => match (exact_integer(a), exact_integer(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => as_text(),
            },
            ValueType::Number => match (leading_number(a), leading_number(b)) {
                // What is no number is neither less nor greater than any.
                (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
                _ => as_text(),
            },
            ValueType::Version => compare_versions(a, b),
        }
    }
}

/// The text was not a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a valid type (expected string, integer, number or version)")]
pub struct ParseValueTypeError(pub String);

impl FromStr for ValueType {
    type Err = ParseValueTypeError;
    fn from_str(text: &str) -> Result<ValueType, ParseValueTypeError> {
        let row = Self::WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        row.map(|&(_, value_type)| value_type).ok_or_else(|| ParseValueTypeError(text.to_owned()))
    }
}

fn compare_text(a: &str, b: &str) -> Ordering {
    let lower = |text: &str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    lower(a).cmp(&lower(b))
}

/// Compares versions such as `1.10.2` by their numbers; missing ones are zero. Blanks before and anything after the
/// numbers do not count, and what has none is version 0.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (version_numbers(a), version_numbers(b));
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    a.cmp(&b)
}

fn version_numbers(text: &str) -> Vec<i64> {
    let mut numbers = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return numbers;
        }
        // Only digits: a failure is an overflow.
        numbers.push(number.parse().unwrap_or(i64::MAX));
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None => return numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};

    #[test]
    fn values_compare_by_their_type() {
        for (value_type, a, b, expected) in [
            (ValueType::String, "abc", "ABC", Equal),
            (ValueType::String, "a", "b", Less),
            (ValueType::String, "10", "9", Less),
            (ValueType::String, "a", "_", Greater),
            (ValueType::Integer, "10", "9", Greater),
            (ValueType::Integer, " -10", "+9", Less),
            (ValueType::Integer, "10.9", "10", Equal),
            (ValueType::Integer, "5 apples", "5", Equal),
            (ValueType::Integer, "ten", "9", Greater),
            (ValueType::Integer, "99999999999999999999", "9", Equal.then(Greater)),
            (ValueType::Number, "10.5", "9.75", Greater),
            (ValueType::Number, "1e3", "1000", Equal),
            (ValueType::Number, ".5", "0.5x", Equal),
            (ValueType::Number, "1e", "1", Equal),
            (ValueType::Number, "inf", "1e308", Greater),
            (ValueType::Number, "1e999", "9", Less),
            (ValueType::Number, "0x10", "9", Greater),
            (ValueType::Number, "nan", "9", Equal),
            (ValueType::Number, "x", "9", Greater),
            (ValueType::Version, "1.10", "1.9", Greater),
            (ValueType::Version, "1.0", "1", Equal),
            (ValueType::Version, " 2.0.0-rc1", "2.0.0", Equal),
            (ValueType::Version, "x", "0.0.1", Less),
            (ValueType::Version, "", "0", Equal),
        ] {
            assert_eq!(value_type.compare(a, b), expected, "{value_type:?} {a:?} {b:?}");
        }
        assert_eq!("Number".parse(), Ok(ValueType::Number));
        assert!("float".parse::<ValueType>().is_err());
    }
}
