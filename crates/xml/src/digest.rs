// SPDX-License-Identifier: GPL-2.0-or-later
//! The two digests by which nodes, and past and present, are compared.

use crate::write::{Sink, write_to};
use crate::{Element, Escaping, Style};
use md5::{Digest, Md5};

/// Attributes that say who changed the CIB and when, which two equal CIBs may differ in.
fn is_provenance(attribute: &str) -> bool {
    matches!(
        attribute,
        "crm-debug-origin" | "cib-last-written" | "update-origin" | "update-client" | "update-user"
    )
}

/// The digest of signature files: MD5, in hexadecimal, of a blank, the compact text and a line feed.
pub fn digest_v1(element: &Element, escaping: Escaping) -> String {
    let mut sum = Sum::default();
    sum.push(" ");
    write_to(&mut sum, element, Style::Compact, escaping, |_| false);
    sum.push("\n");
    sum.finish()
}

/// The digest of operation parameters: like [`digest_v1`], with the attributes in the order of their names (of this
/// element: parameters have no children).
pub fn digest_v1_sorted(element: &Element, escaping: Escaping) -> String {
    let mut sorted = element.clone();
    sorted.sort_attrs();
    digest_v1(&sorted, escaping)
}

/// The digest between nodes: MD5, in hexadecimal, of the compact text without the attributes that say who changed the
/// CIB and when.
pub fn digest_v2(element: &Element, escaping: Escaping) -> String {
    let mut sum = Sum::default();
    write_to(&mut sum, element, Style::Compact, escaping, is_provenance);
    sum.finish()
}

/// Sums up text as it is written, so that the whole of it is never in memory.
#[derive(Default)]
struct Sum {
    md5: Md5,
    waiting: String,
}

impl Sink for Sum {
    fn push(&mut self, text: &str) {
        // The sum is made of blocks: many little pieces at a time cost little.
        const PIECE: usize = 1 << 13;
        self.waiting.push_str(text);
        if self.waiting.len() >= PIECE {
            self.md5.update(self.waiting.as_bytes());
            self.waiting.clear();
        }
    }
}

impl Sum {
    fn finish(mut self) -> String {
        self.md5.update(self.waiting.as_bytes());
        let digits =
            |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'));
        self.md5.finalize().iter().flat_map(digits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn hex_md5(text: &str) -> String {
        Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_ignore_what_they_should() {
        let a = parse("<cib epoch='1' update-client='me'><n crm-debug-origin='x' id='1'/></cib>").unwrap();
        let b = parse("<cib epoch='1'><n id='1'/></cib>").unwrap();
        assert_eq!(digest_v2(&a, Escaping::Modern), digest_v2(&b, Escaping::Modern));
        assert_ne!(digest_v1(&a, Escaping::Modern), digest_v1(&b, Escaping::Modern));
        // The MD5 of the text itself, so that the framing (blank, line feed) is pinned down.
        assert_eq!(digest_v2(&parse("<a/>").unwrap(), Escaping::Modern), hex_md5("<a/>"));
        assert_eq!(digest_v1(&parse("<a/>").unwrap(), Escaping::Modern), hex_md5(" <a/>\n"));
    }
}
