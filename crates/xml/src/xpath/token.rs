//! The text of a path, cut into tokens.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::XPathError;

/// A piece of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// One of the marks: `/ // [ ] ( ) @ . .. * | , :: = != < <= > >= + -`.
    Mark(&'static str),
    /// A name, of an element, attribute, function, axis or operator.
    Name(String),
    /// A string.
    Text(String),
    /// A number.
    Number(f64),
}

/// Longer marks before those they begin with.
const MARKS: [&str; 21] = [
    "//", "::", "..", "!=", "<=", ">=", "/", "[", "]", "(", ")", "@", ".", "*", "|", ",", "=", "<", ">", "+",
    "-",
];

/// All tokens, each with its place (characters, from 1); and the place of the end.
pub(super) fn tokens(path: &str) -> Result<(Vec<(usize, Token)>, usize), XPathError> {
    let chars: Vec<char> = path.chars().collect();
    let error =
        |at: usize, what: &str| XPathError { path: path.to_owned(), at: at + 1, what: what.to_owned() };
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let begin = at;
        let rest = chars.get(at..).unwrap_or_default();
        let token = if c == '\'' || c == '"' {
            let length = rest.iter().skip(1).position(|&d| d == c);
            let length = length.ok_or_else(|| error(begin, "the quote is never closed"))?;
            at += length + 2;
            Token::Text(rest.iter().skip(1).take(length).collect())
        } else if c.is_ascii_digit() || (c == '.' && rest.get(1).is_some_and(char::is_ascii_digit)) {
            let text: String = rest.iter().take_while(|d| d.is_ascii_digit() || **d == '.').collect();
            at += text.len();
            Token::Number(text.parse().map_err(|_| error(begin, "this is not a number"))?)
        } else if c.is_alphabetic() || c == '_' {
            let name = name(rest);
            at += name.chars().count();
            Token::Name(name)
        } else {
            let mark = MARKS.iter().find(|mark| mark.chars().eq(rest.iter().copied().take(mark.len())));
            let mark = mark.ok_or_else(|| error(begin, &format!("'{c}' has no meaning here")))?;
            at += mark.len();
            Token::Mark(mark)
        };
        tokens.push((begin + 1, token));
    }
    Ok((tokens, chars.len() + 1))
}

/// A name at the beginning of `chars`. A single colon belongs to it, two are the mark of an axis.
fn name(chars: &[char]) -> String {
    let mut name = String::new();
    for (index, &c) in chars.iter().enumerate() {
        let single_colon = c == ':' && chars.get(index + 1) != Some(&':') && !name.ends_with(':');
        if !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.') || single_colon) {
            break;
        }
        name.push(c);
    }
    name
}
