// SPDX-License-Identifier: GPL-2.0-or-later
//! What a tree is, in memory: elements that share everything they have in common with others.

mod attributes;
mod children;
mod element;
mod key;
mod marks;
mod name;
mod sequence;
mod shape;

#[cfg(test)]
mod tests;

pub use attributes::{Attribute, Attributes, AttributesIter};
pub use children::{Children, ChildrenIter, Elements};
pub use element::{Descendants, Element, Node};
pub use key::Ids;
pub use name::Name;

pub(crate) use attributes::{Packer, Values};
pub(crate) use marks::Mark;
pub(crate) use shape::Shape;
