// SPDX-License-Identifier: GPL-2.0-or-later
//! The two digests by which nodes, and past and present, are compared.

use crate::write::append_compact_without;
use crate::{Element, Escaping};
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
    let text = append_compact_without(String::from(" "), element, escaping, |_| false);
    hex_md5(&(text + "\n"))
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
    hex_md5(&append_compact_without(String::new(), element, escaping, is_provenance))
}

fn hex_md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

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
