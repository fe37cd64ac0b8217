// SPDX-License-Identifier: GPL-2.0-or-later
//! Ids made of texts that are no names.

use crate::characters::{is_name_char, is_name_start};

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
