// SPDX-License-Identifier: GPL-2.0-or-later
//! Text as Pacemaker's tools lay it out: titled lists within lists.
//!
//! Decides: indentation, bullets, blank lines, what is left out when quiet. Given: titles and items. Leaves to others:
//! what they say.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};

/// Where a tool prints. The first failure to write is kept until [`Lists::finish`]: there is nothing to be done about it
/// in between.
pub struct Lists<'w> {
    out: &'w mut dyn Write,
    err: &'w mut dyn Write,
    fancy: bool,
    quiet: bool,
    depth: usize,
    failure: Option<io::Error>,
}

impl<'w> Lists<'w> {
    /// Prints to `out`, and what went wrong to `err`. `fancy` indents and titles lists; `quiet` leaves out what is not
    /// essential.
    pub fn new(out: &'w mut dyn Write, err: &'w mut dyn Write, fancy: bool, quiet: bool) -> Lists<'w> {
        Lists { out, err, fancy, quiet, depth: 0, failure: None }
    }

    /// Whether only the essential is to be printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Begins a list.
    pub fn begin(&mut self, title: impl Display) {
        if self.fancy {
            self.line(format_args!("{title}:"));
        }
        self.depth += 1;
    }

    /// Begins a list that has no title.
    pub fn begin_untitled(&mut self) {
        self.depth += 1;
    }

    /// Ends the list begun last.
    pub fn end(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// An item of the list begun last.
    pub fn item(&mut self, text: impl Display) {
        self.line(format_args!("{text}"));
    }

    /// An item with a label, which is left out where lists have no titles.
    pub fn labelled(&mut self, label: &str, text: impl Display) {
        if self.fancy {
            self.line(format_args!("{label}: {text}"));
        } else {
            self.item(text);
        }
    }

    /// A line that belongs to no list, unless quiet. Says whether it was printed.
    pub fn info(&mut self, text: impl Display) -> bool {
        if !self.quiet {
            self.raw(format_args!("{text}\n"));
        }
        !self.quiet
    }

    /// Something went wrong.
    pub fn error(&mut self, text: impl Display) {
        let result = writeln!(self.err, "{text}").and_then(|()| self.err.flush());
        self.remember(result);
    }

    /// A blank line.
    pub fn spacer(&mut self) {
        self.raw(format_args!("\n"));
    }

    /// Text as it is.
    pub fn raw(&mut self, text: Arguments<'_>) {
        let result = self.out.write_fmt(text);
        self.remember(result);
    }

    /// Ends; says whether everything could be written.
    pub fn finish(self) -> io::Result<()> {
        match self.failure {
            Some(failure) => Err(failure),
            None => self.out.flush().and_then(|()| self.err.flush()),
        }
    }

    fn line(&mut self, text: Arguments<'_>) {
        let bullet = if self.fancy && self.depth > 0 { "* " } else { "" };
        let indent = if self.fancy { self.depth * 2 } else { 0 };
        self.raw(format_args!("{:indent$}{bullet}{text}\n", ""));
    }

    fn remember(&mut self, result: io::Result<()>) {
        if let Err(failure) = result {
            self.failure.get_or_insert(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(fancy: bool, quiet: bool, say: impl FnOnce(&mut Lists<'_>)) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut lists = Lists::new(&mut out, &mut err, fancy, quiet);
        say(&mut lists);
        lists.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn nested(lists: &mut Lists<'_>) {
        lists.info("Hello");
        lists.begin("Outer");
        lists.begin("Inner");
        lists.labelled("Label", "text");
        lists.end();
        lists.spacer();
        lists.item("last");
        lists.end();
    }

    #[test]
    fn lists_are_titled_and_indented() {
        assert_eq!(print(true, false, nested), "Hello\nOuter:\n  * Inner:\n    * Label: text\n\n  * last\n");
    }

    #[test]
    fn plain_lists_are_their_items() {
        assert_eq!(print(false, true, nested), "text\n\nlast\n");
    }
}
