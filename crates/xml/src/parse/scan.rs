// SPDX-License-Identifier: GPL-2.0-or-later
//! Text to marks: tags, attributes, comments and what is between them, each checked for being well-formed.
//!
//! Decides what XML 1.0 allows of each mark. Whether marks fit together (each tag closed by its own, one root, no
//! attribute twice) is left to the caller.

use super::{Limits, ParseErrorKind};
use crate::characters::{self, Stop};

/// What is wrong, and the byte at which.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: usize,
    pub kind: ParseErrorKind,
}

type Result<T> = std::result::Result<T, Fault>;

/// One mark. `at` of the scanner is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark<'t> {
    /// `<name`: [`Scanner::attribute`] is to be called until the tag ends.
    Open(&'t str),
    /// `</name>`.
    Close(&'t str),
    /// What is between tags.
    Text(Raw<'t>),
    /// `<![CDATA[...]]>`.
    Data(Raw<'t>),
    Comment(Raw<'t>),
    /// `<?...?>`, of which nothing is kept.
    Instruction,
    /// The end of the text.
    End,
}

/// What comes next in an open tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTag<'t> {
    Attribute {
        at: usize,
        name: &'t str,
        value: Raw<'t>,
    },
    /// `>`.
    End,
    /// `/>`.
    EmptyEnd,
}

/// Text as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raw<'t> {
    pub text: &'t str,
    /// It means what it says: there are no references or line ends in it to be looked after.
    pub plain: bool,
}

pub(super) struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    pub at: usize,
    limits: Limits,
}

/// As libxml2 has it.
const NAME_BYTES: usize = 50_000;

impl<'t> Scanner<'t> {
    /// Begins, behind the XML declaration if there is one.
    pub fn new(text: &'t str, limits: Limits) -> Result<Scanner<'t>> {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at, limits };
        let declared = scanner.rest().strip_prefix(b"<?xml").and_then(<[u8]>::first);
        if declared.is_some_and(|byte| characters::is_blank(*byte)) {
            scanner.declaration()?;
        }
        Ok(scanner)
    }

    fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> &'t str {
        // Both ends are next to ASCII, so this is always a text.
        self.text.get(from..to).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, mark: &str) -> bool {
        let there = self.rest().starts_with(mark.as_bytes());
        if there {
            self.at += mark.len();
        }
        there
    }

    fn blanks(&mut self) -> bool {
        let begin = self.at;
        while self.peek().is_some_and(characters::is_blank) {
            self.at += 1;
        }
        self.at > begin
    }

    /// What is here, for people.
    fn found(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("'{}'", c.escape_debug()),
            None => "the end of the text".to_owned(),
        }
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let kind = ParseErrorKind::Syntax(format!("expected {what}, found {}", self.found()));
        Err(Fault { at: self.at, kind })
    }

    /// The next mark.
    pub fn mark(&mut self) -> Result<Mark<'t>> {
        match self.peek() {
            None => Ok(Mark::End),
            Some(b'<') => match self.bytes.get(self.at + 1) {
                Some(b'/') => self.close(),
                Some(b'!') => self.declared(),
                Some(b'?') => self.instruction(),
                _ => {
                    self.at += 1;
                    Ok(Mark::Open(self.name("the name of an element")?))
                }
            },
            Some(_) => self.characters(),
        }
    }

    fn close(&mut self) -> Result<Mark<'t>> {
        self.at += 2;
        let name = self.name("the name of an element")?;
        self.blanks();
        if self.take(">") { Ok(Mark::Close(name)) } else { self.expected("'>'") }
    }

    fn declared(&mut self) -> Result<Mark<'t>> {
        let at = self.at;
        if self.take("<!--") {
            return self.comment();
        }
        if self.take("<![CDATA[") {
            let begin = self.at;
            let (end, plain) = self.until("]]>", "']]>'")?;
            return Ok(Mark::Data(Raw { text: self.slice(begin, end), plain }));
        }
        if self.take("<!DOCTYPE") {
            return Err(Fault { at, kind: ParseErrorKind::DocumentType });
        }
        self.at += 2;
        self.expected("a comment or CDATA after '<!'")
    }

    fn comment(&mut self) -> Result<Mark<'t>> {
        let begin = self.at;
        let (end, plain) = self.until("--", "'-->'")?;
        if !self.take(">") {
            self.at = end;
            return self.expected("no '--' in a comment");
        }
        Ok(Mark::Comment(Raw { text: self.slice(begin, end), plain }))
    }

    /// Up to the end mark, of allowed characters; where that begins, and whether there was no carriage return.
    fn until(&mut self, end: &str, called: &str) -> Result<(usize, bool)> {
        let stop = end.as_bytes().first().copied().unwrap_or_default();
        let mut plain = true;
        loop {
            self.at = characters::stop(self.bytes, self.at, [stop; 3]);
            match self.peek() {
                None => return self.expected(called),
                Some(byte) if byte == stop => {
                    let at = self.at;
                    if self.take(end) {
                        return Ok((at, plain));
                    }
                    self.at += 1;
                }
                Some(byte) => plain &= self.odd(byte)?,
            }
        }
    }

    /// Goes over a control character, or characters beyond ASCII, if they are allowed. False for a carriage return.
    fn odd(&mut self, byte: u8) -> Result<bool> {
        match characters::odd(self.bytes, self.at, byte) {
            Stop::Fine(next) => self.at = next,
            Stop::Return => {
                self.at += 1;
                return Ok(false);
            }
            Stop::Bad => return Err(self.bad_character()),
        }
        Ok(true)
    }

    fn bad_character(&self) -> Fault {
        let c = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        Fault { at: self.at, kind: ParseErrorKind::BadCharacter(c.map_or(0, u32::from)) }
    }

    fn instruction(&mut self) -> Result<Mark<'t>> {
        let at = self.at;
        self.at += 2;
        let target = self.name("the name of a processing instruction")?;
        if target.eq_ignore_ascii_case("xml") {
            let kind = ParseErrorKind::Syntax(
                "an XML declaration where there can be none: only at the very begin, as <?xml version=..."
                    .to_owned(),
            );
            return Err(Fault { at, kind });
        }
        if !self.blanks() && !self.rest().starts_with(b"?>") {
            return self.expected("a blank or '?>' after the name of a processing instruction");
        }
        self.until("?>", "'?>'")?;
        Ok(Mark::Instruction)
    }

    fn characters(&mut self) -> Result<Mark<'t>> {
        let begin = self.at;
        let mut plain = true;
        loop {
            while matches!(self.peek(), Some(b' ' | b'\n' | b'\t')) {
                self.at += 1;
            }
            self.at = characters::stop(self.bytes, self.at, [b'<', b'&', b']']);
            match self.peek() {
                None | Some(b'<') => break,
                Some(b'&') => {
                    plain = false;
                    self.reference()?;
                }
                Some(b']') => {
                    if self.rest().starts_with(b"]]>") {
                        let kind = ParseErrorKind::Syntax("']]>' outside CDATA (write ]]&gt;)".to_owned());
                        return Err(Fault { at: self.at, kind });
                    }
                    self.at += 1;
                }
                Some(byte) => plain &= self.odd(byte)?,
            }
        }
        Ok(Mark::Text(Raw { text: self.slice(begin, self.at), plain }))
    }

    /// The next attribute of the tag, or its end. `guess` is the name that is likely to come: if it is there, it need
    /// not be looked at character by character.
    #[inline]
    pub fn attribute(&mut self, guess: Option<&'t str>) -> Result<InTag<'t>> {
        let separated = self.blanks();
        match self.peek() {
            Some(b'>') => {
                self.at += 1;
                return Ok(InTag::End);
            }
            Some(b'/') => {
                self.at += 1;
                return if self.take(">") { Ok(InTag::EmptyEnd) } else { self.expected("'>' after '/'") };
            }
            Some(_) if separated => {}
            _ => return self.expected("a blank, '>' or '/>'"),
        }
        let at = self.at;
        let name = match guess {
            Some(guess) if self.is_name_here(guess) => {
                self.at += guess.len();
                guess
            }
            _ => self.name("an attribute, '>' or '/>'")?,
        };
        if self.peek() == Some(b'=') {
            self.at += 1;
        } else {
            self.blanks();
            if !self.take("=") {
                return self.expected(&format!("'=' and a value in quotes after attribute '{name}'"));
            }
        }
        let value = self.value(name)?;
        Ok(InTag::Attribute { at, name, value })
    }

    /// Goes to the end of the tag; says whether it is one with content.
    pub fn skip_attributes(&mut self) -> Result<bool> {
        loop {
            match self.attribute(None)? {
                InTag::Attribute { .. } => {}
                InTag::End => return Ok(true),
                InTag::EmptyEnd => return Ok(false),
            }
        }
    }

    fn is_name_here(&self, name: &str) -> bool {
        self.rest().strip_prefix(name.as_bytes()).is_some_and(|after| after.first() == Some(&b'='))
    }

    #[inline]
    fn value(&mut self, name: &str) -> Result<Raw<'t>> {
        self.blanks();
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return self.expected(&format!("the value of attribute '{name}' in quotes")),
        };
        self.at += 1;
        let begin = self.at;
        let most = begin.saturating_add(self.limits.value_bytes);
        let window = self.bytes.get(..most.saturating_add(1)).unwrap_or(self.bytes);
        let mut plain = true;
        loop {
            self.at = characters::stop(window, self.at, [quote, b'&', b'<']);
            match window.get(self.at) {
                Some(byte) if *byte == quote => break,
                None if self.at > most => {
                    let limit = self.limits.value_bytes;
                    return Err(Fault {
                        at: begin,
                        kind: ParseErrorKind::TooMuch { what: "bytes in one attribute value", limit },
                    });
                }
                None => return self.expected(&format!("the end of the value of attribute '{name}'")),
                Some(b'&') => {
                    plain = false;
                    self.reference()?;
                }
                Some(b'<') => {
                    let kind = ParseErrorKind::Syntax("'<' in an attribute value (write &lt;)".to_owned());
                    return Err(Fault { at: self.at, kind });
                }
                Some(byte) => {
                    let blank = matches!(byte, b'\t' | b'\n');
                    plain &= self.odd(*byte)? && !blank;
                }
            }
        }
        let text = self.slice(begin, self.at);
        self.at += 1;
        Ok(Raw { text, plain })
    }

    fn reference(&mut self) -> Result<()> {
        match characters::reference(self.rest()) {
            Some((c, length)) if characters::is_allowed(c) => {
                self.at += length;
                Ok(())
            }
            Some((c, _)) => Err(Fault { at: self.at, kind: ParseErrorKind::BadCharacter(u32::from(c)) }),
            None => {
                let shown = self.text.get(self.at..).unwrap_or_default().chars();
                let mut shown: String = shown.take(40).collect();
                if let Some(end) = shown.find(';') {
                    shown.truncate(end + 1);
                }
                Err(Fault { at: self.at, kind: ParseErrorKind::BadReference(shown) })
            }
        }
    }

    fn name(&mut self, what: &str) -> Result<&'t str> {
        let begin = self.at;
        self.at += characters::name_length(self.text, begin);
        let name = self.slice(begin, self.at);
        if name.is_empty() {
            return self.expected(what);
        }
        if name.len() > NAME_BYTES {
            let kind = ParseErrorKind::TooMuch { what: "bytes in one name", limit: NAME_BYTES };
            return Err(Fault { at: begin, kind });
        }
        if !name.starts_with(characters::is_name_start) {
            let shown = name.chars().take(40).collect();
            return Err(Fault { at: begin, kind: ParseErrorKind::BadName(shown) });
        }
        Ok(name)
    }

    /// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, of which only the version must be there.
    fn declaration(&mut self) -> Result<()> {
        let bad = |at, text: String| Err(Fault { at, kind: ParseErrorKind::Syntax(text) });
        self.at += "<?xml".len();
        let (at, version) = match self.declared_value("version")? {
            Some(found) => found,
            None => return self.expected("version=\"1.0\" in the XML declaration"),
        };
        let minor = version
            .strip_prefix("1.")
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()));
        if !minor {
            return bad(at, format!("XML of version '{version}'; expected 1.0"));
        }
        if let Some((at, encoding)) = self.declared_value("encoding")? {
            let ascii = encoding.eq_ignore_ascii_case("us-ascii") || encoding.eq_ignore_ascii_case("ascii");
            if ascii && let Some(at) = self.bytes.iter().position(|byte| !byte.is_ascii()) {
                let kind =
                    ParseErrorKind::Encoding(format!("encoding=\"{encoding}\" is declared, but this is not"));
                return Err(Fault { at, kind });
            }
            if !ascii && !encoding.eq_ignore_ascii_case("utf-8") {
                let said = format!(
                    "encoding=\"{encoding}\" is declared; convert the text (iconv -t UTF-8) and declare UTF-8 or nothing"
                );
                return Err(Fault { at, kind: ParseErrorKind::Encoding(said) });
            }
        }
        if let Some((at, standalone)) = self.declared_value("standalone")?
            && !matches!(standalone, "yes" | "no")
        {
            return bad(at, format!("standalone='{standalone}'; expected 'yes' or 'no'"));
        }
        self.blanks();
        if self.take("?>") { Ok(()) } else { self.expected("'?>' at the end of the XML declaration") }
    }

    /// The value of one of the declaration's parts, if that comes next, and where it begins.
    fn declared_value(&mut self, name: &str) -> Result<Option<(usize, &'t str)>> {
        let before = self.at;
        if !self.blanks() || !self.take(name) {
            self.at = before;
            return Ok(None);
        }
        self.blanks();
        if !self.take("=") {
            return self.expected(&format!("'=' after '{name}'"));
        }
        self.blanks();
        let at = self.at + 1;
        let value = self.value(name)?;
        Ok(Some((at, value.text)))
    }
}
