// SPDX-License-Identifier: GPL-2.0-or-later
//! The persistent XML tree.
//!
//! Decides: what a tree is (elements, attributes in the order they came, comments, text), how it is read and written
//! to the byte as Pacemaker does, and what its digests are. Given: text. Leaves to others: what the elements mean.
//! No I/O, no clock.
//!
//! A tree is shared: cloning an [`Element`] copies a pointer, and a change copies only the elements on the way from
//! the root to the place of the change. So every holder of an element has a snapshot that nobody can change under it.

mod characters;
mod digest;
mod id;
mod markup;
mod parse;
mod tree;
mod write;
mod xpath;

pub use digest::{digest_v1, digest_v1_sorted, digest_v2};
pub use id::sanitized_id;
pub use markup::{Markup, TextMarkup, TreeMarkup};
pub use parse::{
    Limits, ParseError, ParseErrorKind, Position, TextPolicy, locate, locate_all, locate_attribute, parse,
    parse_bytes, parse_with, text_of,
};
pub use tree::{
    Attribute, Attributes, AttributesIter, Children, ChildrenIter, Descendants, Element, Elements, Ids, Name,
    Node,
};
pub use write::{Escaping, Style, write_compact, write_document, write_indented, write_with};
pub use xpath::{
    Found, Kind, MAX_EXPRESSION_BYTES, MAX_NESTING, MAX_WORK, Selected, Target, Value, XPath, XPathError,
    XPathErrorKind,
};
