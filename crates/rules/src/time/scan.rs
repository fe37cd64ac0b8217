// SPDX-License-Identifier: GPL-2.0-or-later
//! Numbers out of texts, as C's `scanf` takes them, since that is how Pacemaker reads dates: blanks and a sign may stand
//! before every number, and what is too large is cut down to 32 bits.

/// What is to be found: the text before a number, and how many characters the number may have.
pub(super) type Part = (&'static str, usize);

/// No limit to a number's characters.
pub(super) const ANY: usize = usize::MAX;

/// The numbers found, from the first on, and how many there are. The rest of the text is not looked at.
pub(super) fn numbers<const N: usize>(text: &str, parts: [Part; N]) -> ([u32; N], usize) {
    let mut found = [0; N];
    let mut rest = text.as_bytes();
    for (index, (slot, (before, width))) in found.iter_mut().zip(parts).enumerate() {
        let Some((number, after)) = rest.strip_prefix(before.as_bytes()).and_then(|rest| number(rest, width))
        else {
            return (found, index);
        };
        *slot = number;
        rest = after;
    }
    (found, N)
}

/// A number of at most `width` characters, and what follows it.
fn number(text: &[u8], width: usize) -> Option<(u32, &[u8])> {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    let text = text.get(blanks..)?;
    let sign = text.first().filter(|byte| matches!(byte, b'+' | b'-'));
    let start = usize::from(sign.is_some());
    let digits = text.iter().take(width).skip(start).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (number, after) = text.split_at_checked(start + digits)?;
    let value = number
        .iter()
        .skip(start)
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    let bits = match value {
        None => u64::MAX,
        Some(value) if sign == Some(&b'-') => value.wrapping_neg(),
        Some(value) => value,
    };
    Some((u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX), after))
}

/// What C's `isspace` calls so.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_scanf_takes_them() {
        let date = |text| numbers(text, [("", ANY), ("-", ANY), ("-", ANY)]);
        assert_eq!(date("2024-12-30 and more"), ([2024, 12, 30], 3));
        assert_eq!(date(" 2024- 12-\t+3"), ([2024, 12, 3], 3));
        assert_eq!(date("2024-12-"), ([2024, 12, 0], 2));
        assert_eq!(date("2024 -12"), ([2024, 0, 0], 1));
        assert_eq!(date("-1-2"), ([u32::MAX, 2, 0], 2));
        assert_eq!(date("4294967297-99999999999999999999"), ([1, u32::MAX, 0], 2));
        assert_eq!(date("-99999999999999999999"), ([u32::MAX, 0, 0], 1));
        assert_eq!(date(""), ([0; 3], 0));
        let packed = |text| numbers(text, [("", 4), ("", 2), ("", 2)]);
        assert_eq!(packed("20241230"), ([2024, 12, 30], 3));
        assert_eq!(packed("2024-1230"), ([2024, u32::MAX, 23], 3));
        assert_eq!(packed("2024+-1"), ([2024, 0, 0], 1));
        assert_eq!(packed("20241"), ([2024, 1, 0], 2));
    }
}
