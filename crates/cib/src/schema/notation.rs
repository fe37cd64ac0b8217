// SPDX-License-Identifier: GPL-2.0-or-later
//! How a table of the schema is written; the head of `cib.schema` says it to its readers.
//!
//! Decides: what a text says, or in which line it says nothing. Leaves to others: whether names are known and the whole makes
//! sense (`grammar`).

use super::table::{
    Attribute, Definition, ElementPattern, Guard, Guarded, Pattern, Reference, Table, TableError, Times, Type,
};
use super::version::SchemaVersion;
use model::Profile;
use std::collections::BTreeMap;

/// Parentheses and braces in each other: the table needs four.
const MAX_DEPTH: usize = 20;

/// Reads a table.
pub(super) fn read(text: &str) -> Result<Table, TableError> {
    let mut reader = Reader { text, at: 0, elements: 0, depth: 0, abouts: BTreeMap::new(), last: None };
    let mut table = Table::default();
    loop {
        reader.skip();
        if reader.rest().is_empty() {
            break;
        }
        reader.definition(&mut table)?;
    }
    if table.start.is_empty() {
        return reader.fail("there is no 'start = name'");
    }
    Ok(table)
}

/// Where an element or attribute is written, by which the words that follow it find it.
type Mention = usize;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    elements: usize,
    depth: usize,
    /// What is said about each mentioned element or attribute.
    abouts: BTreeMap<Mention, &'a str>,
    last: Option<Mention>,
}

type Read<T> = Result<T, TableError>;

impl<'a> Reader<'a> {
    // --- characters ---------------------------------------------------------------------------------------------

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    fn fail<T>(&self, problem: impl Into<String>) -> Read<T> {
        Err(TableError { line: self.line(), problem: problem.into() })
    }

    /// Passes blanks and remarks, and keeps what is said about the element or attribute before.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let line = trimmed.split('\n').next().unwrap_or_default();
            if let Some(about) = line.strip_prefix("--") {
                if let Some(last) = self.last.take() {
                    self.abouts.insert(last, about.trim());
                }
            } else if !line.starts_with('#') {
                return;
            }
            self.at += line.len();
        }
    }

    /// Passes `token` if it is next.
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
            self.skip();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Read<()> {
        if self.take(token) {
            return Ok(());
        }
        let found: String = self.rest().chars().take_while(|c| *c != '\n').take(20).collect();
        self.fail(format!("expected '{token}' but found '{found}'"))
    }

    fn word(&mut self) -> Read<&'a str> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            let found: String = rest.chars().take_while(|c| *c != '\n').take(20).collect();
            return self.fail(format!("expected a name but found '{found}'"));
        }
        self.at += end;
        self.skip();
        Ok(&rest[..end])
    }

    /// Whether the next thing begins a line: a new definition.
    fn at_line_start(&self) -> bool {
        self.at == 0 || self.text[..self.at].ends_with('\n')
    }

    // --- definitions --------------------------------------------------------------------------------------------

    fn definition(&mut self, table: &mut Table) -> Read<()> {
        let line = self.line();
        if !self.at_line_start() {
            return self
                .fail("a definition begins at the start of a line; is an operator missing before this?");
        }
        let mut name = self.word()?;
        let is_type = name == "type" && !self.rest().starts_with('=');
        if is_type {
            name = self.word()?;
        }
        let parameters = self.list(|reader| reader.word().map(str::to_owned))?;
        self.expect("=")?;
        self.last = None;
        let known = if is_type {
            table.types.insert(name.to_owned(), self.types()?).is_some()
        } else if name == "start" {
            let known = !table.start.is_empty();
            table.start = self.word()?.to_owned();
            known
        } else {
            self.abouts.clear();
            let mut body = self.choice()?;
            self.tell(&mut body);
            let definition = Definition { parameters, body, line };
            table.definitions.insert(name.to_owned(), definition).is_some()
        };
        if known {
            return Err(TableError { line, problem: format!("'{name}' is defined already") });
        }
        Ok(())
    }

    /// Hands out what is said about elements and attributes; it stands after them, often after all that is in them.
    fn tell(&self, pattern: &mut Pattern) {
        let about = |mention: Mention| self.abouts.get(&mention).copied().unwrap_or_default().to_owned();
        match pattern {
            Pattern::Choice(parts) | Pattern::Interleave(parts) | Pattern::Group(parts) => {
                parts.iter_mut().for_each(|part| self.tell(&mut part.item));
            }
            Pattern::Repeat(part, _) => self.tell(part),
            Pattern::Attribute(attribute) => {
                attribute.about = about(attribute.line);
                attribute.line = self.line_of(attribute.line);
            }
            Pattern::Element(element) => {
                element.about = about(element.line);
                element.line = self.line_of(element.line);
                self.tell(&mut element.content);
            }
            Pattern::Reference(_) | Pattern::Anything => {}
        }
    }

    fn line_of(&self, mention: Mention) -> usize {
        self.text[..mention].matches('\n').count() + 1
    }

    // --- patterns -----------------------------------------------------------------------------------------------

    fn choice(&mut self) -> Read<Pattern> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("too many parentheses in each other");
        }
        let mut parts = vec![self.interleave()?];
        while self.take("|") {
            parts.push(self.interleave()?);
        }
        self.depth -= 1;
        Ok(joined(parts, Pattern::Choice))
    }

    fn interleave(&mut self) -> Read<Guarded<Pattern>> {
        let mut parts = vec![self.group()?];
        while self.take("&") {
            parts.push(self.group()?);
        }
        Ok(part(parts, Pattern::Interleave))
    }

    fn group(&mut self) -> Read<Guarded<Pattern>> {
        let mut parts = vec![self.repeated()?];
        while self.take(",") {
            parts.push(self.repeated()?);
        }
        Ok(part(parts, Pattern::Group))
    }

    fn repeated(&mut self) -> Read<Guarded<Pattern>> {
        let guard = self.guard()?;
        let item = self.single()?;
        let times = match self.rest().chars().next() {
            Some('?') => Times::Optional,
            Some('*') => Times::Any,
            Some('+') => Times::AtLeastOne,
            _ => return Ok(Guarded { guard, item }),
        };
        self.at += 1;
        self.skip();
        Ok(Guarded { guard, item: Pattern::Repeat(Box::new(item), times) })
    }

    fn single(&mut self) -> Read<Pattern> {
        let mention = self.at;
        if self.take("(") {
            let inner = self.choice()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("<") {
            return self.element(mention);
        }
        if self.take("@") {
            return self.attribute(mention);
        }
        Ok(Pattern::Reference(self.reference()?))
    }

    fn element(&mut self, mention: Mention) -> Read<Pattern> {
        let name = self.word()?.to_owned();
        self.expect(">")?;
        self.last = Some(mention);
        self.expect("{")?;
        let number = self.elements;
        self.elements += 1;
        let content = if self.rest().starts_with('}') {
            Pattern::Group(Vec::new())
        } else if self.take("anything") {
            Pattern::Anything
        } else {
            self.choice()?
        };
        self.last = Some(mention).filter(|_| !self.abouts.contains_key(&mention));
        self.expect("}")?;
        let content = Box::new(content);
        // Until `tell`, the line holds the mention.
        Ok(Pattern::Element(ElementPattern { number, name, content, about: String::new(), line: mention }))
    }

    fn attribute(&mut self, mention: Mention) -> Read<Pattern> {
        self.last = Some(mention);
        let name = self.word()?.to_owned();
        let optional = self.take("?");
        let value = if self.take(":") {
            vec![Guarded { guard: Guard::ALWAYS, item: self.single_type()? }]
        } else {
            let text = Type::Named { name: "text".to_owned(), at_most: None, line: self.line() };
            vec![Guarded { guard: Guard::ALWAYS, item: text }]
        };
        let attribute = Pattern::Attribute(Attribute { name, value, about: String::new(), line: mention });
        Ok(if optional { Pattern::Repeat(Box::new(attribute), Times::Optional) } else { attribute })
    }

    fn reference(&mut self) -> Read<Reference> {
        let line = self.line();
        if self.at_line_start() {
            return self.fail("the definition before this ends with an operator");
        }
        let name = self.word()?.to_owned();
        let arguments = self.list(Self::reference)?;
        Ok(Reference { name, arguments, line })
    }

    /// What stands in parentheses with commas between, if there are any.
    fn list<T>(&mut self, read: fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut list = Vec::new();
        if self.take("(") {
            list.push(read(self)?);
            while self.take(",") {
                list.push(read(self)?);
            }
            self.expect(")")?;
        }
        Ok(list)
    }

    // --- types --------------------------------------------------------------------------------------------------

    fn types(&mut self) -> Read<Vec<Guarded<Type>>> {
        let mut types = Vec::new();
        loop {
            let guard = self.guard()?;
            types.push(Guarded { guard, item: self.single_type()? });
            if !self.take("|") {
                return Ok(types);
            }
        }
    }

    fn single_type(&mut self) -> Read<Type> {
        let line = self.line();
        if self.rest().starts_with('{') {
            return Ok(Type::Words(self.words()?));
        }
        if let Some(rest) = self.rest().strip_prefix('/') {
            let Some(end) = rest.find('/') else { return self.fail("the pattern has no end; expected '/'") };
            self.at += end + 2;
            self.skip();
            return Ok(Type::Matching { expression: rest[..end].to_owned(), line });
        }
        let name = self.word()?;
        match name {
            "not" => Ok(Type::NotWords(self.words()?)),
            "exactly" => Ok(Type::Exactly(self.words()?)),
            _ => {
                let at_most = if self.take("<=") {
                    let number = self.word()?;
                    let Ok(number) = number.parse() else {
                        return self.fail(format!("'{number}' is not a number"));
                    };
                    Some(number)
                } else {
                    None
                };
                Ok(Type::Named { name: name.to_owned(), at_most, line })
            }
        }
    }

    fn words(&mut self) -> Read<Vec<Guarded<String>>> {
        self.expect("{")?;
        let mut words = Vec::new();
        while !self.take("}") {
            let guard = self.guard()?;
            let rest = self.rest();
            let (word, length) = match rest.strip_prefix('"') {
                Some(quoted) => match quoted.find('"') {
                    Some(end) => (&quoted[..end], end + 2),
                    None => return self.fail("the word has no end; expected '\"'"),
                },
                None => {
                    let end = rest.find(|c: char| c.is_whitespace() || c == '}').unwrap_or(rest.len());
                    (&rest[..end], end)
                }
            };
            if word.is_empty() {
                return self.fail("expected a word or '}'");
            }
            words.push(Guarded { guard, item: word.to_owned() });
            self.at += length;
            self.skip();
        }
        Ok(words)
    }

    // --- guards -------------------------------------------------------------------------------------------------

    fn guard(&mut self) -> Read<Guard> {
        let Some(rest) = self.rest().strip_prefix('[') else { return Ok(Guard::ALWAYS) };
        let Some(end) = rest.find(']') else { return self.fail("the guard has no end; expected ']'") };
        let text = &rest[..end];
        let guard = match text {
            "2.x" => Guard { profile: Some(Profile::V2_1), ..Guard::ALWAYS },
            "3.x" => Guard { profile: Some(Profile::V3_0), ..Guard::ALWAYS },
            _ => {
                let (since, until) = text.split_once("..").unwrap_or((text, text));
                let bound =
                    |text: &str| if text.is_empty() { Ok(None) } else { self.version(text).map(Some) };
                Guard { since: bound(since)?, until: bound(until)?, profile: None }
            }
        };
        if let (Some(since), Some(until)) = (guard.since, guard.until)
            && since > until
        {
            return self.fail(format!("[{text}] ends before it begins"));
        }
        self.at += end + 2;
        self.skip();
        Ok(guard)
    }

    fn version(&self, text: &str) -> Read<SchemaVersion> {
        match format!("pacemaker-{text}").parse() {
            Ok(version) => Ok(version),
            Err(_) => self.fail(format!("'{text}' is not a version of the schema")),
        }
    }
}

/// Several parts as one pattern; a single one keeps its guard only where that says the same.
fn joined(mut parts: Vec<Guarded<Pattern>>, join: fn(Vec<Guarded<Pattern>>) -> Pattern) -> Pattern {
    match parts.pop() {
        Some(only) if parts.is_empty() && only.guard == Guard::ALWAYS => only.item,
        Some(last) => {
            parts.push(last);
            // A single guarded part that is not there is nothing, as in a sequence.
            if parts.len() == 1 { Pattern::Group(parts) } else { join(parts) }
        }
        None => Pattern::Group(parts),
    }
}

/// Several parts as one, of which a single one keeps its guard.
fn part(mut parts: Vec<Guarded<Pattern>>, join: fn(Vec<Guarded<Pattern>>) -> Pattern) -> Guarded<Pattern> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Guarded { guard: Guard::ALWAYS, item: join(parts) }
        }
        None => Guarded { guard: Guard::ALWAYS, item: Pattern::Group(parts) },
    }
}
