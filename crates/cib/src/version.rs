// SPDX-License-Identifier: GPL-2.0-or-later
//! The version of a CIB: three numbers, the first that differs decides.

use std::fmt;
use xml::Element;

/// The three attributes, most significant first.
pub(crate) const FIELDS: [&str; 3] = ["admin_epoch", "epoch", "num_updates"];

/// How new a CIB is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised by people who want their CIB to win.
    pub admin_epoch: i32,
    /// Raised with every change of configuration.
    pub epoch: i32,
    /// Raised with every other change; zero again when the configuration changes.
    pub num_updates: i32,
}

impl Version {
    /// From its three numbers.
    pub const fn new(admin_epoch: i32, epoch: i32, num_updates: i32) -> Version {
        Version { admin_epoch, epoch, num_updates }
    }

    /// A CIB's. What is missing or no number is zero.
    pub fn of(cib: &Element) -> Version {
        Version::of_or(cib, 0)
    }

    /// A CIB's, with something else for what is missing or no number.
    pub(crate) fn of_or(cib: &Element, missing: i32) -> Version {
        let field = |name| number(cib, name).unwrap_or(missing);
        Version::new(field(FIELDS[0]), field(FIELDS[1]), field(FIELDS[2]))
    }

    /// A version that is wholly there; `None` otherwise.
    pub(crate) fn strict(element: &Element) -> Option<Version> {
        Some(Version::new(
            number(element, FIELDS[0])?,
            number(element, FIELDS[1])?,
            number(element, FIELDS[2])?,
        ))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.admin_epoch, self.epoch, self.num_updates)
    }
}

/// An attribute that is a number.
pub(crate) fn number(element: &Element, name: &str) -> Option<i32> {
    element.attr(name)?.trim().parse().ok()
}

/// Raises one of the numbers; what is missing or no number counts as zero.
pub(crate) fn raise(cib: &mut Element, field: &'static str) {
    let next = number(cib, field).unwrap_or(0).saturating_add(1);
    cib.set_attr(field, next);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_decides() {
        let of = |text: &str| Version::of(&xml::parse(text).unwrap());
        let old = of("<cib admin_epoch='0' epoch='9' num_updates='7'/>");
        let new = of("<cib admin_epoch='0' epoch='10' num_updates='0'/>");
        assert!(old < new, "{old} {new}");
        assert_eq!(of("<cib epoch='x'/>"), Version::default());
    }
}
