// SPDX-License-Identifier: GPL-2.0-or-later
//! From the second series to the third: old spellings of cluster properties, defaults where they belong, what an
//! operation may say.
//!
//! Three steps. What refers to a set of attributes elsewhere becomes a copy of it, as the sets are about to change and
//! may change differently in different places ([`references`]). Then everything is renamed, moved and dropped by the
//! tables ([`table`]). Then copies that are still equal to their originals become references again.

mod operation;
mod pairs;
mod properties;
pub(super) mod references;
mod resource;
pub mod table;
#[cfg(test)]
mod tests;

use super::note::Note;
use super::walk::{self, Above, Transform, descend};
use pairs::{Rest, sift};
use table::{Entry, Table};
use xml::{Element, Node};

/// What ids that are made here begin with.
const PREFIX: &str = "_2TO3_";

/// The second step: everything the tables say.
pub(super) fn by_tables(cib: &Element, notes: &mut Vec<Note>) -> Element {
    walk::transform(cib, &mut ByTables { notes: Notes(notes) })
}

/// Where notes go.
struct Notes<'a>(&'a mut Vec<Note>);

impl Notes<'_> {
    fn note(&mut self, table: &'static Table, entry: &'static Entry, context: impl Into<String>) {
        self.0.push(Note::Table { table, entry, context: context.into() });
    }
}

struct ByTables<'a> {
    notes: Notes<'a>,
}

impl Transform for ByTables<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        let new = match element.name() {
            "cib" => {
                let claiming = element.clone().with_attr("validate-with", "pacemaker-3.0");
                descend(self, &claiming, above)
            }
            "configuration" => {
                let moved = properties::moved(element);
                properties::into_defaults(&descend(self, element, above), moved)
            }
            "cluster_property_set" => match properties::stay(element, &mut self.notes) {
                Some(new) => new,
                None => return,
            },
            "node" => {
                let node = self.node(element);
                descend(self, &node, above)
            }
            "rsc_colocation" => {
                let colocation = self.colocation(element);
                descend(self, &colocation, above)
            }
            "primitive" | "template" => resource::resource(element, &mut self.notes),
            _ => descend(self, element, above),
        };
        out.push(new.into());
    }
}

impl ByTables<'_> {
    fn node(&mut self, node: &Element) -> Element {
        let mut new = node.clone();
        for attribute in node.attributes() {
            let Some(entry) = table::NODE.find(attribute.name(), attribute.value()) else { continue };
            let name = |name| node.attr(name).unwrap_or_default();
            self.notes.note(&table::NODE, entry, format!("{} (id={})", name("uname"), name("id")));
            if let Some(with) = entry.with {
                new.set_attr(with, entry.value(attribute.value()));
            }
        }
        new
    }

    fn colocation(&mut self, colocation: &Element) -> Element {
        let mut new = colocation.clone();
        for attribute in colocation.attributes() {
            let Some(entry) = table::COLOCATION.find(attribute.name(), attribute.value()) else { continue };
            self.notes.note(&table::COLOCATION, entry, id(colocation));
            new.remove_attr(attribute.name());
        }
        new
    }
}

fn id(element: &Element) -> &str {
    element.id().unwrap_or_default()
}

/// True if a set of attributes is for certain circumstances only.
fn has_rule(set: &Element) -> bool {
    set.child("rule").is_some()
}

/// The pairs of a set by a table, each of which keeps its name, has another or goes; and whether any is left.
fn renamed(set: &Element, rest: Rest, table: &'static Table, notes: &mut Notes<'_>) -> (Vec<Node>, bool) {
    let mut any = false;
    let content = sift(set, rest, |pair| {
        let entry = entry_for(pair, table);
        if let Some(entry) = entry {
            notes.note(table, entry, id(pair));
        }
        let stays = match entry {
            None => Some(pair.clone()),
            Some(entry) if entry.leaves() => None,
            Some(entry) => Some(redefined(pair, entry)),
        };
        any |= stays.is_some();
        stays
    });
    (content, any)
}

fn entry_for(pair: &Element, table: &'static Table) -> Option<&'static Entry> {
    table.find(pair.attr("name")?, pair.attr("value").unwrap_or_default())
}

/// The pair under another name, and with another value where the entry has one.
fn redefined(pair: &Element, entry: &Entry) -> Element {
    let mut new = Element::new(pair.name_shared().clone());
    for attribute in pair.attributes() {
        match (attribute.name().as_str(), entry.with) {
            ("name", Some(with)) => new.set_attr("name", with),
            ("value", _) => new.set_attr("value", entry.value(attribute.value())),
            _ => new.set_attr(attribute.name().clone(), attribute.value()),
        }
    }
    new
}
