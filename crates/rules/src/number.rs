// SPDX-License-Identifier: GPL-2.0-or-later
//! The number that a text begins with, as C's `strtod` finds it and Pacemaker takes it.

/// The number: decimal or hexadecimal, with a point and an exponent, an infinity, or none (NaN). What follows it does
/// not count.
///
/// `None` if there is none, if it is too large for 64 bits, or too small: then Pacemaker takes it for no number.
pub(crate) fn leading_number(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let blanks = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let sign = bytes.get(blanks).filter(|byte| matches!(byte, b'+' | b'-'));
    let start = blanks + usize::from(sign.is_some());
    let rest = text.get(start..)?;
    let word = word(rest);
    let (size, length) = word.or_else(|| hexadecimal(rest)).or_else(|| decimal(rest))?;
    // What was written as digits but became infinite is too large.
    if size.is_infinite() && word.is_none() {
        return None;
    }
    let consumed = text.get(..start + length)?;
    // A zero is written with zeros alone. Anything else that comes to nothing was too small.
    let is_plain_zero = consumed.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'e' | b'E'));
    if size <= f64::MIN_POSITIVE && !is_plain_zero {
        return None;
    }
    Some(if sign == Some(&b'-') { -size } else { size })
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn word(text: &str) -> Option<(f64, usize)> {
    if starts_with(text, "nan") {
        // More may be said of it in brackets, which changes nothing.
        return Some((f64::NAN, 3));
    }
    let length = ["infinity", "inf"].into_iter().find(|word| starts_with(text, word))?.len();
    Some((f64::INFINITY, length))
}

/// How many bytes from `at` on are digits.
fn digits(text: &str, at: usize, is_digit: fn(&u8) -> bool) -> usize {
    text.bytes().skip(at).take_while(is_digit).count()
}

/// How long an exponent is that begins at `at` with one of these letters; 0 if there is none.
fn exponent(text: &str, at: usize, letters: [u8; 2]) -> usize {
    let bytes = text.as_bytes();
    if !bytes.get(at).is_some_and(|byte| letters.contains(byte)) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
    match digits(text, at + 1 + sign, u8::is_ascii_digit) {
        0 => 0,
        found => 1 + sign + found,
    }
}

fn decimal(text: &str) -> Option<(f64, usize)> {
    let whole = digits(text, 0, u8::is_ascii_digit);
    let mut end = whole;
    let mut fraction = 0;
    if text.as_bytes().get(end) == Some(&b'.') {
        fraction = digits(text, end + 1, u8::is_ascii_digit);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    end += exponent(text, end, [b'e', b'E']);
    text.get(..end)?.parse().ok().map(|number| (number, end))
}

fn hexadecimal(text: &str) -> Option<(f64, usize)> {
    const START: usize = 2;
    if !starts_with(text, "0x") {
        return None;
    }
    let whole = digits(text, START, u8::is_ascii_hexdigit);
    let mut end = START + whole;
    let mut fraction = 0;
    if text.as_bytes().get(end) == Some(&b'.') {
        fraction = digits(text, end + 1, u8::is_ascii_hexdigit);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    let mut size = 0.0_f64;
    for digit in text.get(START..end)?.chars().filter_map(|c| c.to_digit(16)) {
        size = size.mul_add(16.0, f64::from(digit));
    }
    let length = exponent(text, end, [b'p', b'P']);
    let power = match length {
        0 => 0,
        length => text.get(end + 1..end + length)?.parse::<i32>().unwrap_or(i32::MAX),
    };
    let fraction_bits = i32::try_from(fraction).unwrap_or(i32::MAX).saturating_mul(4);
    Some((size * 2.0_f64.powi(power.saturating_sub(fraction_bits)), end + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_as_strtod_finds_them() {
        for (text, expected) in [
            ("10.5", Some(10.5)),
            (" -10.5 and more", Some(-10.5)),
            ("1e3", Some(1000.0)),
            ("1e", Some(1.0)),
            ("1e+", Some(1.0)),
            (".5x", Some(0.5)),
            ("5.", Some(5.0)),
            ("0x10", Some(16.0)),
            ("0x.8p1", Some(1.0)),
            ("-0xAp-1z", Some(-5.0)),
            ("0xg", Some(0.0)),
            ("inf", Some(f64::INFINITY)),
            ("-INFINITY", Some(f64::NEG_INFINITY)),
            ("0", Some(0.0)),
            ("00.0e", Some(0.0)),
            ("-0", None),
            (" 0", None),
            ("1e-400", None),
            ("1e400", None),
            ("0x1p9999", None),
            (".", None),
            ("- 8", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(leading_number(text), expected, "{text:?}");
        }
        assert!(leading_number("NaN").is_some_and(f64::is_nan));
    }
}
