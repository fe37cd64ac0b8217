// SPDX-License-Identifier: GPL-2.0-or-later
//! Text to tokens, each with its column. Decides what `*` and words like `and` mean where they stand (XPath 1.0, 3.7).

use super::XPathErrorKind;
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Literal(String),
    Number(f64),
    /// A name, or `prefix:*`.
    Name(String),
    /// `*` as a node test.
    Star,
    /// `and`, `or`, `mod`, `div`, `*` between operands, or a sign: the text is the operator.
    Operator(&'static str),
    /// Brackets and the like.
    Mark(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Literal(text) => write!(f, "the string '{text}'"),
            Token::Number(number) => write!(f, "the number {number}"),
            Token::Name(name) => write!(f, "'{name}'"),
            Token::Star => f.write_str("'*'"),
            Token::Operator(text) | Token::Mark(text) => write!(f, "'{text}'"),
        }
    }
}

/// Longer ones first, so that the first that fits is the right one.
const OPERATORS: [&str; 11] = ["//", "!=", "<=", ">=", "/", "|", "+", "-", "=", "<", ">"];
const MARKS: [&str; 9] = ["::", "..", "(", ")", "[", "]", ".", "@", ","];
const WORDS: [&str; 4] = ["and", "or", "mod", "div"];

pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, XPathErrorKind> {
    let mut found: Vec<(Token, usize)> = Vec::new();
    let (mut rest, mut column) = (text, 1);
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        column += rest.len() - trimmed.len();
        rest = trimmed;
        if rest.is_empty() {
            return Ok(found);
        }
        let (token, length) = token(rest, column, found.last().map(|(token, _)| token))?;
        let (taken, after) = rest.split_at(length);
        found.push((token, column));
        column += taken.chars().count();
        rest = after;
    }
}

/// The first token of a text, and its length in bytes.
fn token(text: &str, column: usize, before: Option<&Token>) -> Result<(Token, usize), XPathErrorKind> {
    let after_operand = match before {
        None | Some(Token::Operator(_)) => false,
        Some(Token::Mark(mark)) => !matches!(*mark, "@" | "::" | "(" | "[" | ","),
        Some(_) => true,
    };
    let first = text.chars().next().unwrap_or_default();
    if let '"' | '\'' = first {
        return literal(text, first, column);
    }
    let second_is_digit = text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if first.is_ascii_digit() || (first == '.' && second_is_digit) {
        return Ok(number(text));
    }
    if first == '*' {
        return Ok((if after_operand { Token::Operator("*") } else { Token::Star }, 1));
    }
    if let Some(operator) = OPERATORS.into_iter().find(|operator| text.starts_with(operator)) {
        return Ok((Token::Operator(operator), operator.len()));
    }
    if let Some(mark) = MARKS.into_iter().find(|mark| text.starts_with(mark)) {
        return Ok((Token::Mark(mark), mark.len()));
    }
    let length = name_length(text);
    if length == 0 {
        let found =
            if first == '$' { "a variable, of which there are none".into() } else { format!("'{first}'") };
        return Err(XPathErrorKind::Syntax {
            column,
            expected: "a path, a value or an operator".into(),
            found,
        });
    }
    let name = &text[..length];
    if name.split_once(':').is_some_and(|(prefix, _)| prefix != "xml") {
        let expected = "a name without a prefix, or '::' after an axis (there are no namespaces here)".into();
        return Err(XPathErrorKind::Syntax { column, expected, found: format!("'{name}'") });
    }
    if after_operand {
        return match WORDS.into_iter().find(|word| *word == name) {
            Some(word) => Ok((Token::Operator(word), length)),
            None => Err(XPathErrorKind::Syntax {
                column,
                expected: "an operator or the end".into(),
                found: format!("'{name}'"),
            }),
        };
    }
    Ok((Token::Name(name.to_owned()), length))
}

fn literal(text: &str, quote: char, column: usize) -> Result<(Token, usize), XPathErrorKind> {
    match text[1..].find(quote) {
        Some(end) => Ok((Token::Literal(text[1..=end].to_owned()), end + 2)),
        None => Err(XPathErrorKind::Syntax {
            column: column + text.chars().count(),
            expected: format!("the closing {quote} of the string that begins at column {column}"),
            found: "the end".into(),
        }),
    }
}

fn number(text: &str) -> (Token, usize) {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    if text[length..].starts_with('.') {
        length += 1;
        length += digits(length);
    }
    // Digits and at most one point: the only failure would be an empty text, which the caller has ruled out.
    (Token::Number(text[..length].trim_end_matches('.').parse().unwrap_or(f64::NAN)), length)
}

fn name_length(text: &str) -> usize {
    let part = |text: &str| -> usize {
        let head = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}');
        if head { text.find(|c| !inside(c)).unwrap_or(text.len()) } else { 0 }
    };
    let length = part(text);
    match text[length..].strip_prefix(':') {
        Some(rest) if length > 0 && rest.starts_with('*') => length + 2,
        Some(rest) if length > 0 && part(rest) > 0 => length + 1 + part(rest),
        _ => length,
    }
}
