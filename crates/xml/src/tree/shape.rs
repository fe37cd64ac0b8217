// SPDX-License-Identifier: GPL-2.0-or-later
//! Shapes: what elements have in common that differ in values only.
//!
//! Of the 64,000 operation results of a large cluster nearly all have the same attributes in the same order. They share
//! one shape, wherever their text came from, so that an element itself costs little more than its values.

use super::key;
use super::name::Name;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The name of an element and those of its attributes, in order.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    name: Name,
    attributes: Vec<Name>,
    /// A short mark of each attribute's name, so that looking for one compares few names.
    marks: Vec<u32>,
    /// Where among the attributes `id` is.
    id_at: Option<usize>,
    name_key: u32,
}

/// The length of a name and three of its bytes: nearly always another for another attribute of an element.
fn mark(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let last = bytes.len().wrapping_sub(1);
    u32::from_le_bytes([bytes.len() as u8, byte(0), byte(bytes.len() / 2), byte(last)])
}

impl Shape {
    pub fn new(name: Name, attributes: Vec<Name>) -> Shape {
        let id_at = attributes.iter().position(|name| name.as_str() == "id");
        let name_key = key::of_name(&name);
        let marks = attributes.iter().map(|name| mark(name)).collect();
        Shape { name, attributes, marks, id_at, name_key }
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn name_key(&self) -> u32 {
        self.name_key
    }

    pub fn attributes(&self) -> &[Name] {
        &self.attributes
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        if name == "id" {
            return self.id_at;
        }
        let wanted = mark(name);
        let fits = |(own, attribute): (&u32, &Name)| *own == wanted && attribute.as_str() == name;
        self.marks.iter().zip(&self.attributes).position(fits)
    }

    pub fn push(&mut self, name: Name) {
        if name.as_str() == "id" {
            self.id_at = Some(self.attributes.len());
        }
        self.marks.push(mark(&name));
        self.attributes.push(name);
    }

    /// True if the attributes have the same names in the same order.
    pub fn has_same_attributes(self: &Arc<Shape>, other: &Arc<Shape>) -> bool {
        Arc::ptr_eq(self, other) || self.attributes == other.attributes
    }

    fn is(&self, name: &str, attributes: &[&str]) -> bool {
        self.name.as_str() == name
            && self.attributes.len() == attributes.len()
            && self.attributes.iter().zip(attributes).all(|(own, other)| own.as_str() == *other)
    }

    /// The shape of a name and attributes, shared with all others that have the same, if they are not too many. The
    /// names are known to be names, and to differ.
    pub fn shared(name: &str, attributes: &[&str]) -> Arc<Shape> {
        let make =
            || Arc::new(Shape::new(Name::new(name), attributes.iter().map(|name| Name::new(name)).collect()));
        if attributes.len() > WIDEST
            || name.len() + attributes.iter().map(|a| a.len()).sum::<usize>() > LONGEST
        {
            return make();
        }
        // Whoever panicked while holding it left a table that is whole: each change of it is one call.
        TABLE.lock().unwrap_or_else(PoisonError::into_inner).find(name, attributes, make)
    }
}

/// Shapes with more attributes, or more bytes of names, are not shared: no document of Pacemaker's has them.
const WIDEST: usize = 64;
const LONGEST: usize = 2_000;
/// How many shapes are known at a time. Those that nobody uses any more make room.
const KNOWN: usize = 4_096;
/// How many may come to the same sum, so that nobody can make the search long.
const ALIKE: usize = 8;

/// The shapes in use in this process. They are not kept alive by being here, so a stranger's names are gone when his
/// document is.
struct Table {
    known: BTreeMap<u64, Vec<Weak<Shape>>>,
    count: usize,
}

static TABLE: Mutex<Table> = Mutex::new(Table { known: BTreeMap::new(), count: 0 });

impl Table {
    fn find(&mut self, name: &str, attributes: &[&str], make: impl FnOnce() -> Arc<Shape>) -> Arc<Shape> {
        let sum = attributes.iter().fold(u64::from(key::fold(name)), |sum, attribute| {
            sum.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(key::fold(attribute))
        });
        let found = self.known.get(&sum).into_iter().flatten().filter_map(Weak::upgrade);
        if let Some(shape) = found.into_iter().find(|shape| shape.is(name, attributes)) {
            return shape;
        }
        let shape = make();
        if self.count >= KNOWN {
            self.sweep();
        }
        if self.count < KNOWN {
            let alike = self.known.entry(sum).or_default();
            if alike.len() < ALIKE {
                alike.push(Arc::downgrade(&shape));
                self.count += 1;
            }
        }
        shape
    }

    /// Forgets what nobody uses. If that is little, half of what is used is forgotten too, which costs memory later but
    /// keeps this from being done over and over.
    fn sweep(&mut self) {
        self.known.retain(|_, alike| {
            alike.retain(|shape| shape.strong_count() > 0);
            !alike.is_empty()
        });
        self.count = self.known.values().map(Vec::len).sum();
        if self.count > KNOWN / 2 {
            let mut at = 0;
            self.known.retain(|_, _| {
                at += 1;
                at % 2 == 0
            });
            self.count = self.known.values().map(Vec::len).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shapes_are_one_and_die_with_their_users() {
        let a = Shape::shared("shape-test", &["id", "x"]);
        let b = Shape::shared("shape-test", &["id", "x"]);
        assert!(Arc::ptr_eq(&a, &b));
        assert!(!Arc::ptr_eq(&a, &Shape::shared("shape-test", &["x", "id"])));
        let weak = Arc::downgrade(&a);
        drop((a, b));
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn the_table_does_not_grow_with_what_strangers_say() {
        let mut table = Table { known: BTreeMap::new(), count: 0 };
        let make = |n: usize| move || Arc::new(Shape::new(Name::from(format!("n{n}")), Vec::new()));
        let kept: Vec<_> = (0..3 * KNOWN).map(|n| table.find(&format!("n{n}"), &[], make(n))).collect();
        assert!(table.count <= KNOWN && kept.len() == 3 * KNOWN);
        drop(kept);
        for n in 0..3 * KNOWN {
            table.find(&format!("m{n}"), &[], make(n));
        }
        assert!(table.known.values().map(Vec::len).sum::<usize>() <= KNOWN);
    }
}
