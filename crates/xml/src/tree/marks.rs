// SPDX-License-Identifier: GPL-2.0-or-later
//! Which names there are below an element, roughly: so that a search from the root for what is in one section does not
//! walk the others.
//!
//! A name is one of 63 marks. Marks only rule out: a name whose mark is not there is surely not below. They are found
//! out by whoever asks first, and forgotten where a change passes.

use super::key;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A set of marks; the highest bit says that it is known.
const KNOWN: u64 = 1 << 63;

/// The mark of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Mark {
    pub fn of(name: &str) -> Mark {
        Mark::of_key(key::of_name(name))
    }

    pub(super) fn of_key(name_key: u32) -> Mark {
        Mark(1 << (name_key % 63))
    }
}

/// The marks of some names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(u64);

impl Marks {
    pub const NONE: Marks = Marks(KNOWN);
    pub const ALL: Marks = Marks(u64::MAX);

    pub fn has(self, mark: Mark) -> bool {
        self.0 & mark.0 != 0
    }

    pub fn with(self, mark: Mark) -> Marks {
        Marks(self.0 | mark.0)
    }

    pub fn and(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

/// Marks that are kept once they are known. All who find them out find the same, so it does not matter who comes first.
#[derive(Default)]
pub(super) struct Kept(AtomicU64);

impl Kept {
    pub fn or_find(&self, find: impl FnOnce() -> Marks) -> Marks {
        match self.0.load(Relaxed) {
            0 => {
                let found = find();
                self.0.store(found.0, Relaxed);
                found
            }
            known => Marks(known),
        }
    }

    pub fn forget(&mut self) {
        *self.0.get_mut() = 0;
    }
}

impl Clone for Kept {
    fn clone(&self) -> Kept {
        Kept(AtomicU64::new(self.0.load(Relaxed)))
    }
}
