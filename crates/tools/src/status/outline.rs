// SPDX-License-Identifier: GPL-2.0-or-later
//! What people are told, before it is known on what they read it: titled lists within lists, and lines.
//!
//! Decides: the shape. Given: words. Leaves to others: how it looks as text (`lists`) and on a page (`html`).

use super::Lists;

/// Words, and what kind of words (a class of the page's style).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub class: Option<&'static str>,
    pub text: String,
}

/// Words of no kind.
pub(crate) fn span(text: impl Into<String>) -> Span {
    Span { class: None, text: text.into() }
}

impl Span {
    /// Words of a kind.
    pub fn classed(class: &'static str, text: impl Into<String>) -> Span {
        Span { class: Some(class), text: text.into() }
    }
}

/// A part of an outline; lists are its parts between a `Begin` and an `End`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A list begins, with its title if it has one.
    Begin(Option<String>),
    /// The list begun last ends.
    End,
    /// A line of plain words, of a class.
    Line { class: Option<&'static str>, text: String },
    /// A line of different words, after a label.
    Spans { label: Option<&'static str>, spans: Vec<Span> },
    /// A line under which more follows, until `Close`.
    Open(Vec<Span>),
    /// What follows the line that was opened last ends.
    Close,
    /// A blank line, where lines are all there is.
    Spacer,
    /// A banner, where lines are all there is.
    Banner(&'static str),
}

/// The whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(super) pieces: Vec<Piece>,
}

/// A list that begins with its first line, so that an empty one leaves no trace.
#[must_use]
pub(super) struct Section {
    title: String,
    spacer: bool,
    open: bool,
}

impl Outline {
    /// Begins a list.
    pub fn begin(&mut self, title: impl Into<String>) {
        self.pieces.push(Piece::Begin(Some(title.into())));
    }

    /// Begins a list without a title.
    pub fn begin_untitled(&mut self) {
        self.pieces.push(Piece::Begin(None));
    }

    /// Ends the list begun last.
    pub fn end(&mut self) {
        self.pieces.push(Piece::End);
    }

    /// A line.
    pub fn line(&mut self, text: impl Into<String>) {
        self.pieces.push(Piece::Line { class: None, text: text.into() });
    }

    /// A line of a class.
    pub fn classed_line(&mut self, class: &'static str, text: impl Into<String>) {
        self.pieces.push(Piece::Line { class: Some(class), text: text.into() });
    }

    /// A line of different words.
    pub fn spans(&mut self, spans: Vec<Span>) {
        self.pieces.push(Piece::Spans { label: None, spans });
    }

    /// A line of different words, with a label.
    pub fn labelled(&mut self, label: &'static str, spans: Vec<Span>) {
        self.pieces.push(Piece::Spans { label: Some(label), spans });
    }

    /// A line of words under which more follows, until [`Outline::close`].
    pub fn open(&mut self, spans: Vec<Span>) {
        self.pieces.push(Piece::Open(spans));
    }

    /// Ends what follows a line.
    pub fn close(&mut self) {
        self.pieces.push(Piece::Close);
    }

    /// A banner.
    pub fn banner(&mut self, text: &'static str) {
        self.pieces.push(Piece::Banner(text));
    }

    /// A list that begins with its first line, after a blank line if `spacer`.
    pub(super) fn section(&self, title: impl Into<String>, spacer: bool) -> Section {
        Section { title: title.into(), spacer, open: false }
    }

    /// Prints it as text.
    pub fn print(&self, lists: &mut Lists<'_>) {
        let words = |spans: &[Span]| spans.iter().map(|span| span.text.as_str()).collect::<String>();
        for piece in &self.pieces {
            match piece {
                Piece::Begin(Some(title)) => lists.begin(title),
                Piece::Begin(None) => lists.begin_untitled(),
                Piece::End => lists.end(),
                Piece::Line { text, .. } => lists.item(text),
                Piece::Spans { label: Some(label), spans } => lists.labelled(label, words(spans)),
                Piece::Spans { label: None, spans } | Piece::Open(spans) => lists.item(words(spans)),
                Piece::Close => {}
                Piece::Spacer => lists.spacer(),
                Piece::Banner(text) => lists.raw(format_args!("{text}")),
            }
        }
    }
}

impl Section {
    /// Begins the list if it has not begun.
    pub fn open(&mut self, out: &mut Outline) {
        if !self.open {
            if self.spacer {
                out.pieces.push(Piece::Spacer);
            }
            out.begin(self.title.as_str());
            self.open = true;
        }
    }

    /// Ends the list if it has begun; says whether it had.
    pub fn close(self, out: &mut Outline) -> bool {
        if self.open {
            out.end();
        }
        self.open
    }
}
