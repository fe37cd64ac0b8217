// SPDX-License-Identifier: GPL-2.0-or-later
//! What must hold for any input, however absurd: one function per reader of text that strangers write.
//!
//! Decides: what is checked. Given: bytes. Leaves to others: where they come from. `cargo xtask fuzz` has libFuzzer make
//! them up (`fuzz/` holds its programs); this crate's tests replay what campaigns have found worth keeping
//! (`fuzz/corpus`).
//!
//! A function returns if all is well, and panics (by an assertion) if not. What it may take of time and memory is bounded
//! from outside.

mod dates;
mod mutate;
mod patch;
mod rule;
mod schema;
mod tree;
mod words;
mod xpath;

pub use mutate::mutate;

/// A reader of text, and what must hold for it.
pub struct Target {
    /// As `cargo xtask fuzz` knows it, and the corpus folder's name.
    pub name: &'static str,
    /// Checks one input.
    pub run: fn(&[u8]),
    /// What inputs are made of, for the fuzzer's dictionary.
    pub words: fn() -> Vec<&'static str>,
    /// Inputs are XML, so that `mutate` can change trees instead of bytes.
    pub is_xml: bool,
}

/// All of them.
pub const TARGETS: [Target; 6] = [
    Target { name: "xml", run: tree::run, words: words::xml, is_xml: true },
    Target { name: "xpath", run: xpath::run, words: words::xpath, is_xml: false },
    Target { name: "patch", run: patch::run, words: words::cib, is_xml: true },
    Target { name: "schema", run: schema::run, words: words::cib, is_xml: true },
    Target { name: "rules", run: rule::run, words: words::rules, is_xml: true },
    Target { name: "dates", run: dates::run, words: words::dates, is_xml: false },
];

/// Checks one input of a target; nothing if there is no such target.
pub fn run(target: &str, data: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|known| known.name == target) {
        (target.run)(data);
    }
}
