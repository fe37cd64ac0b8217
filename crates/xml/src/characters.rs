// SPDX-License-Identifier: GPL-2.0-or-later
//! Which characters XML allows where, and the quick search for those that mean something.

/// White space, as XML has it.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// XML 1.0, production Char.
pub(crate) fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// XML 1.0, production NameStartChar.
pub(crate) fn is_name_start(c: char) -> bool {
    matches!(c, ':' | 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// XML 1.0, production NameChar.
pub(crate) fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
}

/// For each byte, whether it is a character of names by itself.
const IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-' | b'.');
        byte += 1;
    }
    table
};

/// How many bytes from here on can be a name, but for its first character.
pub(crate) fn name_length(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let plain = |byte: &u8| IN_NAME.get(usize::from(*byte)).copied().unwrap_or(false);
    let ascii = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
    if rest.get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    let rest = text.get(from + ascii..).unwrap_or_default();
    ascii + rest.find(|c| !is_name_char(c)).unwrap_or(rest.len())
}

/// Where the next byte is that is one of these, a control character, or not ASCII; the length if there is none. Looks at
/// eight bytes at a time.
#[inline]
pub(crate) fn stop<const N: usize>(bytes: &[u8], from: usize, marks: [u8; N]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH << 7;
    let every = marks.map(|mark| EACH * u64::from(mark));
    let rest = bytes.get(from..).unwrap_or_default();
    let (words, tail) = rest.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The highest bit of a byte is set in these where it is equal to the mark, or less than a blank. What else they
        // set is above the first such byte.
        let equal = |mark: u64| {
            let other = word ^ mark;
            other.wrapping_sub(EACH) & !other
        };
        let control = word.wrapping_sub(EACH * 0x20) & !word;
        let any = every.iter().fold(0, |any, mark| any | equal(*mark));
        let hit = (any | control | word) & HIGH;
        if hit != 0 {
            return from + index * 8 + hit.trailing_zeros() as usize / 8;
        }
    }
    let odd = |byte: &u8| marks.contains(byte) || *byte < 0x20 || *byte >= 0x80;
    let begin = from + words.len() * 8;
    begin + tail.iter().position(odd).unwrap_or(tail.len())
}

/// What is to be done about a control character or one beyond ASCII.
pub(crate) enum Stop {
    /// Allowed; it goes on here.
    Fine(usize),
    /// A carriage return, which means a line end.
    Return,
    Bad,
}

/// `byte` is the one at `at`, and one of those that [`stop`] stops at unasked.
pub(crate) fn odd(bytes: &[u8], at: usize, byte: u8) -> Stop {
    match byte {
        b'\r' => Stop::Return,
        b'\t' | b'\n' => Stop::Fine(at + 1),
        0..0x20 => Stop::Bad,
        // U+FFFE and U+FFFF; what is no UTF-8 at all has no place in a text.
        0xef if matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => Stop::Bad,
        0xc0..0xe0 => Stop::Fine(at + 2),
        0xe0..0xf0 => Stop::Fine(at + 3),
        0xf0.. => Stop::Fine(at + 4),
        _ => Stop::Fine(at + 1),
    }
}

/// The character of the reference that begins here, and how long that is; `None` if it is none, or of an entity that XML
/// does not know by itself.
pub(crate) fn reference(rest: &[u8]) -> Option<(char, usize)> {
    for (text, c) in [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&apos;", '\'')] {
        if rest.starts_with(text.as_bytes()) {
            return Some((c, text.len()));
        }
    }
    let (digits, radix, before) = match (rest.strip_prefix(b"&#x"), rest.strip_prefix(b"&#")) {
        (Some(digits), _) => (digits, 16, 3),
        (None, Some(digits)) => (digits, 10, 2),
        (None, None) => return None,
    };
    let mut code: u32 = 0;
    for (length, byte) in digits.iter().enumerate() {
        match char::from(*byte).to_digit(radix) {
            // Leading zeros are allowed in any number.
            Some(digit) => code = code.checked_mul(radix)?.checked_add(digit)?,
            None if *byte == b';' && length > 0 => return Some((char::from_u32(code)?, before + length + 1)),
            None => return None,
        }
    }
    None
}

/// Adds what was written in an attribute value to `out`: references are resolved, blanks and line ends are blanks
/// (XML 1.0, 3.3.3).
pub(crate) fn unescape_value(raw: &str, out: &mut String) {
    unescape(raw, out, |byte| matches!(byte, b'\t' | b'\n').then_some(' '), ' ');
}

/// Adds what was written between tags to `out`: references are resolved, line ends are line feeds (XML 1.0, 2.11).
pub(crate) fn unescape_text(raw: &str, out: &mut String) {
    unescape(raw, out, |_| None, '\n');
}

/// Adds what was written in CDATA or a comment to `out`: line ends are line feeds, and no more.
pub(crate) fn normalize_line_ends(raw: &str, out: &mut String) {
    let mut lines = raw.split('\r');
    out.extend(lines.next());
    for line in lines {
        if !line.starts_with('\n') {
            out.push('\n');
        }
        out.push_str(line);
    }
}

fn unescape(raw: &str, out: &mut String, replaced: impl Fn(u8) -> Option<char>, line_end: char) {
    let bytes = raw.as_bytes();
    let (mut plain_from, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let (c, length) = match byte {
            // All references have been looked at before.
            b'&' => reference(bytes.get(at..).unwrap_or_default()).unwrap_or(('&', 1)),
            b'\r' => (line_end, if bytes.get(at + 1) == Some(&b'\n') { 2 } else { 1 }),
            byte => match replaced(byte) {
                Some(c) => (c, 1),
                None => {
                    at += 1;
                    continue;
                }
            },
        };
        out.push_str(raw.get(plain_from..at).unwrap_or_default());
        out.push(c);
        at += length;
        plain_from = at;
    }
    out.push_str(raw.get(plain_from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_search_stops_where_a_slow_one_does() {
        let marks = *b"\"&<";
        let slow = |bytes: &[u8]| {
            let odd = |byte: &u8| marks.contains(byte) || *byte < 0x20 || *byte >= 0x80;
            bytes.iter().position(odd).unwrap_or(bytes.len())
        };
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255_u8 {
                    for around in [b'a', b'!', b'#', b'=', b';', b'%', b'\'', b' ', 0x7f] {
                        let mut bytes = vec![around; length];
                        bytes[at] = byte;
                        assert_eq!(stop(&bytes, 0, marks), slow(&bytes), "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn references() {
        assert_eq!(reference(b"&#65;x"), Some(('A', 5)));
        assert_eq!(reference(b"&#x000000041;"), Some(('A', 13)));
        for none in
            ["&#;", "&#x;", "&#xD800;", "&#1114112;", "&#99999999999;", "&x;", "&lt", "&", "&#6 5;", "&#X41;"]
        {
            assert_eq!(reference(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn blanks_and_line_ends() {
        let value = |raw| {
            let mut out = String::new();
            unescape_value(raw, &mut out);
            out
        };
        assert_eq!(value("a\tb\r\nc\rd\ne&#10;&#13;f&lt;"), "a b c d e\n\rf<");
        let mut out = String::new();
        unescape_text("a\tb\r\nc\rd&#13;", &mut out);
        normalize_line_ends("\r\r\n&lt;\n", &mut out);
        assert_eq!(out, "a\tb\nc\nd\r\n\n&lt;\n");
    }
}
