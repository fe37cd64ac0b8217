// SPDX-License-Identifier: GPL-2.0-or-later
//! Ids made of texts that are no names.

/// An id with every byte of what XML does not allow in names replaced by a dot (an underscore in the first place). Two
/// texts may come to the same id.
pub fn sanitized_id(id: &str) -> String {
    let mut clean = String::with_capacity(id.len());
    for (at, c) in id.char_indices() {
        let allowed = if at == 0 { is_name_start(c) } else { is_name_char(c) };
        if allowed {
            clean.push(c);
            continue;
        }
        for byte in 0..c.len_utf8() {
            clean.push(if at == 0 && byte == 0 { '_' } else { '.' });
        }
    }
    clean
}

/// XML 1.0, production NameStartChar.
fn is_name_start(c: char) -> bool {
    matches!(c, ':' | 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// XML 1.0, production NameChar.
fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_becomes_one() {
        assert_eq!(sanitized_id("status-1-fail-count-db#start_0"), "status-1-fail-count-db.start_0");
        assert_eq!(sanitized_id("0 set:é×"), "_.set:é..");
        assert_eq!(sanitized_id(""), "");
    }
}
