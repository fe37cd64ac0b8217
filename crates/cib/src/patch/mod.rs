// SPDX-License-Identifier: GPL-2.0-or-later
//! Patches between two CIBs, in the form that travels (`<diff format="2">`).
//!
//! Decides: how to say what changed ([`make()`]) and how to do what was said ([`apply()`]). Given: two trees, or a tree and a
//! patch that may be anything. A patch names elements by path, `/cib/configuration/nodes/node[@id='1']`, so elements that
//! no path can tell apart are deleted and made again instead of changed.

mod apply;
mod compare;
mod describe;
mod error;
mod few;
mod listed;
mod make;
mod many;
mod ranked;
mod steps;

#[cfg(test)]
mod tests;

pub use apply::{Applied, apply, apply_unversioned, versions};
pub(crate) use apply::{apply_managed, places};
pub use describe::describe;
pub use error::PatchError;
pub use listed::{AttributeOrder, listed};
pub(crate) use make::make_always;
pub use make::{make, with_digest};

use xml::Element;

/// Whether a patch changes (makes, deletes, moves) anything at or below the elements that lead from the root to a
/// place, such as `["cib", "status"]`.
pub fn touches(patch: &Element, place: &[&str]) -> bool {
    patch.elements_named("change").any(|change| {
        let Some(steps) = change.attr("path").and_then(steps::parse) else { return false };
        let named = |names: &[&str]| {
            steps.len() >= names.len() && steps.iter().zip(names).all(|(step, name)| step.name == *name)
        };
        if named(place) {
            return true;
        }
        // Making the element itself is said of its parent.
        let Some((last, parents)) = place.split_last() else { return true };
        steps.len() == parents.len()
            && named(parents)
            && change.attr("operation") == Some("create")
            && change.first_element().is_some_and(|made| made.name() == *last)
    })
}
