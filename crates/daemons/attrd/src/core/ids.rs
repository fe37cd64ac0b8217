// SPDX-License-Identifier: GPL-2.0-or-later
//! Node ids, and the ids under which values are written to the CIB.

use super::table::{Attribute, key};
use std::collections::BTreeMap;
use xml::sanitized_id;

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
    sanitized_id(&match &attribute.set {
        Some(set) => set.clone(),
        None => format!("status-{node_id}"),
    })
}

/// The id of the value itself.
pub(super) fn nvpair_id(attribute: &Attribute, node_id: &str) -> String {
    let name = &attribute.name;
    sanitized_id(&match &attribute.set {
        Some(set) => format!("{set}-{name}"),
        None => format!("status-{node_id}-{name}"),
    })
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
