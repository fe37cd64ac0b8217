// SPDX-License-Identifier: GPL-2.0-or-later
//! How text for people is marked: colour on a terminal, nothing elsewhere.

/// Whether there is colour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    pub(crate) colour: bool,
}

impl Style {
    fn with(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What a part is about.
    pub(crate) fn heading(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Well.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// To be looked at.
    pub(crate) fn warning(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Bad.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Beside the point.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }
}
