//! Node ids, and the ids under which values are written to the CIB.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::table::{Attribute, key};
use std::collections::BTreeMap;

/// The last known id of every node, by its name.
#[derive(Debug, Default)]
pub(super) struct NodeIds(BTreeMap<String, String>);

impl NodeIds {
    /// What is known of a node.
    pub fn of(&self, node: &str) -> Option<&String> {
        self.0.get(&key(node))
    }

    /// Remembers; true if that is news.
    pub fn learn(&mut self, node: &str, id: &str) -> bool {
        self.0.insert(key(node), id.to_owned()).as_deref() != Some(id)
    }

    /// Forgets a node.
    pub fn forget(&mut self, node: &str) {
        self.0.remove(&key(node));
    }
}

/// The id of the set that an attribute's value is written into. A set given by name is the same for every node.
pub(super) fn set_id(attribute: &Attribute, node_id: &str) -> String {
    sanitised(match &attribute.set {
        Some(set) => set.clone(),
        None => format!("status-{node_id}"),
    })
}

/// The id of the value itself.
pub(super) fn nvpair_id(attribute: &Attribute, node_id: &str) -> String {
    let name = &attribute.name;
    sanitised(match &attribute.set {
        Some(set) => format!("{set}-{name}"),
        None => format!("status-{node_id}-{name}"),
    })
}

/// An id with every byte of what XML does not allow in names replaced by a dot (an underscore in the first place).
fn sanitised(id: String) -> String {
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
    use messages::attrd::Update;

    #[test]
    fn ids_are_names() {
        let attribute = Attribute::new(&Update::default(), "fail-count-db#start_0").unwrap();
        assert_eq!(set_id(&attribute, "1"), "status-1");
        assert_eq!(nvpair_id(&attribute, "1"), "status-1-fail-count-db.start_0");
        let update = Update { set: Some("0 set:é×".into()), ..Update::default() };
        let attribute = Attribute::new(&update, "a").unwrap();
        assert_eq!(set_id(&attribute, "1"), "_.set:é..");
    }
}
