// SPDX-License-Identifier: GPL-2.0-or-later
//! The dot form: what `crm_simulate -D` writes, for people who want to see a graph.
//!
//! Decides: the text. Given: nodes and edges with their style, from whoever still knows more than the graph does (what
//! was considered and left out has no place in the graph itself). Leaves to others: which of them to draw.

use std::fmt;

/// A drawing in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dot {
    lines: Vec<String>,
}

impl Dot {
    /// Nothing drawn yet.
    pub fn new() -> Dot {
        Dot::default()
    }

    /// Draws an action.
    pub fn node(&mut self, name: &str, style: &str, color: &str, font: &str) {
        self.lines.push(format!("\"{name}\" [ style={style} color=\"{color}\" fontcolor=\"{font}\"]"));
    }

    /// Draws that `first` comes before `then`.
    pub fn edge(&mut self, first: &str, then: &str, style: &str) {
        self.lines.push(format!("\"{first}\" -> \"{then}\" [ style = {style}]"));
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, " digraph \"g\" {{")?;
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "}}")
    }
}
