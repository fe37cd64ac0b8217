// SPDX-License-Identifier: GPL-2.0-or-later
//! The marks that permissions lay on elements, and what follows from them for those below.

use super::Acl;
use super::permission::Selector;
use std::collections::BTreeSet;
use std::ops::BitOr;
use xml::Element;

/// The marks on one element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark(u8);

impl Mark {
    pub const READ: Mark = Mark(1);
    pub const WRITE: Mark = Mark(2);
    pub const DENY: Mark = Mark(4);

    pub const fn has(self, other: Mark) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Mark {
    type Output = Mark;
    fn bitor(self, other: Mark) -> Mark {
        Mark(self.0 | other.0)
    }
}

/// What an element may be used for, and on whose word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was said of it or those above.
    #[default]
    Unsaid,
    Allowed,
    /// Said of the element itself.
    Denied,
    /// Said of one above.
    ParentDenied,
}

/// What may be done to an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    pub read: Verdict,
    pub write: Verdict,
}

impl Rights {
    /// Those of a child with these marks.
    pub fn below(self, mark: Mark) -> Rights {
        let inherited = |verdict| if verdict == Verdict::Denied { Verdict::ParentDenied } else { verdict };
        if mark.has(Mark::DENY) {
            return Rights { read: Verdict::Denied, write: Verdict::Denied };
        }
        let allowed = |when, verdict| if when { Verdict::Allowed } else { inherited(verdict) };
        Rights {
            read: allowed(mark.has(Mark::READ | Mark::WRITE), self.read),
            write: allowed(mark.has(Mark::WRITE), self.write),
        }
    }
}

/// The marks of one user on one tree. Only expressions that are more than patterns are searched for, once.
pub(super) struct Marks<'a> {
    acl: &'a Acl,
    /// For every permission, the places that were found for it.
    found: Vec<BTreeSet<Vec<usize>>>,
}

impl<'a> Marks<'a> {
    pub fn of(acl: &'a Acl, root: &Element) -> Marks<'a> {
        let found = acl.permissions.iter().map(|permission| match &permission.selector {
            Selector::Pattern(_) | Selector::Nothing => BTreeSet::new(),
            Selector::XPath(xpath) => match xpath.select(root) {
                Ok(selected) => selected.iter().map(|one| one.nearest_element().0.to_vec()).collect(),
                // What takes too long to find is denied whole, if it is to be denied, and not allowed otherwise.
                Err(_) if permission.mark.has(Mark::DENY) => BTreeSet::from([Vec::new()]),
                Err(_) => BTreeSet::new(),
            },
        });
        Marks { acl, found: found.collect() }
    }

    /// The marks on the last of a chain from the root, which is at that path.
    pub fn on(&self, chain: &[&Element], path: &[usize]) -> Mark {
        self.on_pattern(chain) | self.on_found(path)
    }

    /// Those by patterns alone, wherever it is.
    pub fn on_pattern(&self, chain: &[&Element]) -> Mark {
        self.sum(|selector, _| matches!(selector, Selector::Pattern(pattern) if pattern.selects(chain)))
    }

    /// Those by expressions alone, whatever it is.
    pub fn on_found(&self, path: &[usize]) -> Mark {
        self.sum(|_, found| found.contains(path))
    }

    fn sum(&self, selects: impl Fn(&Selector, &BTreeSet<Vec<usize>>) -> bool) -> Mark {
        let selected = self.acl.permissions.iter().zip(&self.found);
        let selected = selected.filter(|(permission, found)| selects(&permission.selector, found));
        selected.fold(Mark::default(), |mark, (permission, _)| mark | permission.mark)
    }
}
