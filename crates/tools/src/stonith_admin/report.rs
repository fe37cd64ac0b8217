// SPDX-License-Identifier: GPL-2.0-or-later
//! What `stonith_admin` has found, for people and for programs.

use crate::date;
use crate::output::{Entry, Message};

/// Things by their names, with how many there are.
pub(super) struct List {
    title: &'static str,
    noun: &'static str,
    /// What reports call each.
    kind: Option<&'static str>,
    items: Vec<String>,
}

impl List {
    /// Of fence devices.
    pub fn devices(title: &'static str, items: Vec<String>) -> List {
        List { title, noun: "fence device", kind: Some("device"), items }
    }

    /// Of nodes that a device can fence.
    pub fn targets(items: Vec<String>) -> List {
        List { title: "Fence Targets", noun: "fence target", kind: None, items }
    }
}

/// How many there are, in a line.
pub(super) fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural} found\n")
}

/// A list in a report.
pub(super) fn list_entry(title: &str, items: impl ExactSizeIterator<Item = Entry>) -> Entry {
    let entry = Entry::new("list").attr("name", title.to_ascii_lowercase()).attr("count", items.len());
    entry.items(items)
}

impl Message for List {
    fn text(&self, quiet: bool) -> String {
        let lines: String = self.items.iter().map(|item| format!("{item}\n")).collect();
        if quiet { lines } else { lines + &count(self.items.len(), self.noun) }
    }

    fn entry(&self) -> Option<Entry> {
        let item = |text: &String| Entry::new("item").attr_opt("name", self.kind).text(text);
        Some(list_entry(self.title, self.items.iter().map(item)))
    }
}

/// When a node was last fenced.
pub(super) struct LastFenced {
    pub target: String,
    /// In seconds since the epoch, if ever.
    pub at_s: Option<i64>,
}

impl Message for LastFenced {
    fn text(&self, _quiet: bool) -> String {
        match self.at_s {
            Some(secs) => format!("Node {} last fenced at: {}\n", self.target, date::local(secs)),
            None => format!("Node {} has never been fenced\n", self.target),
        }
    }

    fn entry(&self) -> Option<Entry> {
        let when = date::utc(self.at_s?);
        Some(Entry::new("last-fenced").attr("target", &self.target).attr("when", when))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted() {
        let list = List::devices("Installed fence devices", vec!["fence_a".to_owned()]);
        assert_eq!(list.text(false), "fence_a\n1 fence device found\n");
        assert_eq!(List::targets(Vec::new()).text(false), "0 fence targets found\n");
        let expected = Entry::new("list")
            .attr("name", "installed fence devices")
            .attr("count", 1_usize)
            .item(Entry::new("item").attr("name", "device").text("fence_a"));
        assert_eq!(list.entry(), Some(expected));
    }

    #[test]
    fn the_last_fencing_is_told() {
        let at = |at_s| LastFenced { target: "n1".to_owned(), at_s };
        assert_eq!(at(None).text(false), "Node n1 has never been fenced\n");
        assert_eq!(at(None).entry(), None);
        let entry = at(Some(86_399)).entry().unwrap();
        assert_eq!(
            entry,
            Entry::new("last-fenced").attr("target", "n1").attr("when", "1970-01-01 23:59:59Z")
        );
    }
}
