// SPDX-License-Identifier: GPL-2.0-or-later
//! Whole numbers on command lines, read as C's `strtol` reads them for Pacemaker's tools: signed, 32 bits, and with `0x`
//! or a leading `0` not decimal.

use std::num::IntErrorKind;

/// Why it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IntegerError {
    /// It is not a number.
    #[error("not an integer")]
    NotANumber,
    /// It is one, but too large or too small.
    #[error("out of range")]
    OutOfRange,
}

/// Reads one; for `value_parser`.
pub(crate) fn integer(text: &str) -> Result<i32, IntegerError> {
    let text = text.trim_start();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (&*lower, 10),
    };
    if digits.starts_with(['-', '+']) {
        return Err(IntegerError::NotANumber);
    }
    let value = i64::from_str_radix(digits, radix).map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => IntegerError::OutOfRange,
        _ => IntegerError::NotANumber,
    })?;
    i32::try_from(if negative { -value } else { value }).map_err(|_| IntegerError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_does() {
        for (text, value) in [("30", 30), (" -5", -5), ("+7", 7), ("0x1F", 31), ("010", 8), ("0", 0)] {
            assert_eq!(integer(text), Ok(value), "{text}");
        }
        for text in ["", "-", "abc", "3s", "--3", "0x", "08", "0x-1"] {
            assert_eq!(integer(text), Err(IntegerError::NotANumber), "{text}");
        }
        for text in ["2147483648", "-2147483649", "99999999999999999999"] {
            assert_eq!(integer(text), Err(IntegerError::OutOfRange), "{text}");
        }
    }
}
