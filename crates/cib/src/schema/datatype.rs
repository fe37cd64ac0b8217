// SPDX-License-Identifier: GPL-2.0-or-later
//! Types of values, and which texts are of a type.
//!
//! They are XML Schema's, with the habits that Pacemaker's XML library has where the standard would have it otherwise: a
//! number of more than 24 digits is none, and ids follow the fourth edition of XML.

use super::ncname::is_ncname;
use regex_lite::Regex;
use std::borrow::Cow;
use std::fmt;

/// A type of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Datatype {
    /// Anything.
    Text,
    /// A name that is unique in the CIB.
    Id,
    /// The name of something in the CIB.
    IdRef,
    /// A number.
    Integer(Integer),
    /// `true`, `false`, `1` or `0`.
    Boolean,
    /// One of these, after blanks were made single and taken from both ends.
    Words(Vec<String>),
    /// Anything but these, compared in the same way.
    NotWords(Vec<String>),
    /// One of these, to the letter.
    Exactly(Vec<String>),
    /// What an expression matches from end to end.
    Matching(Expression),
    /// One of several types.
    OneOf(Vec<Datatype>),
}

/// Which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    pub sign: Sign,
    pub at_most: Option<u32>,
}

/// Which side of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Any,
    NotNegative,
    Positive,
}

/// A regular expression, with its text.
#[derive(Clone)]
pub(super) struct Expression {
    pub text: String,
    regex: Regex,
}

impl Expression {
    /// Reads one; it has to match all of a value.
    pub fn new(text: &str) -> Result<Expression, String> {
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())?;
        Ok(Expression { text: text.to_owned(), regex })
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}

const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// A text without blanks at its ends.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// A text without blanks at its ends, and with single ones between.
fn collapsed(text: &str) -> Cow<'_, str> {
    let text = trimmed(text);
    let single = |pair: &[u8]| !(pair[0] == b' ' && pair[1] == b' ');
    if text.as_bytes().windows(2).all(single) && !text.contains(['\t', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

impl Datatype {
    /// Whether a text is of this type. (Whether an id is unique, or known, is not its question.)
    pub fn admits(&self, text: &str) -> bool {
        match self {
            Datatype::Text => true,
            Datatype::Id | Datatype::IdRef => is_ncname(trimmed(text)),
            Datatype::Integer(integer) => integer.admits(trimmed(text)),
            Datatype::Boolean => matches!(trimmed(text), "true" | "false" | "1" | "0"),
            Datatype::Words(words) => has(words, &collapsed(text)),
            Datatype::NotWords(words) => !has(words, &collapsed(text)),
            Datatype::Exactly(words) => has(words, text),
            Datatype::Matching(expression) => expression.regex.is_match(text),
            Datatype::OneOf(types) => types.iter().any(|datatype| datatype.admits(text)),
        }
    }

    /// The words it consists of, if it does.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Datatype::Words(words) | Datatype::Exactly(words) => words.iter().map(String::as_str).collect(),
            Datatype::Boolean => vec!["true", "false"],
            Datatype::OneOf(types) => types.iter().flat_map(Datatype::words).collect(),
            _ => Vec::new(),
        }
    }
}

fn has(words: &[String], text: &str) -> bool {
    words.iter().any(|word| word == text)
}

/// What is expected, in words.
impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datatype::Text => f.write_str("any text"),
            Datatype::Id => f.write_str("a name (a letter or '_', then letters, digits, '.', '-', '_')"),
            Datatype::IdRef => f.write_str("the id of something in the CIB"),
            Datatype::Integer(integer) => integer.fmt(f),
            Datatype::Boolean => f.write_str("true or false"),
            Datatype::Words(words) | Datatype::Exactly(words) => f.write_str(&super::words::either(words)),
            Datatype::NotWords(words) => write!(f, "anything but {}", super::words::either(words)),
            Datatype::Matching(expression) => write!(f, "what matches {}", expression.text),
            Datatype::OneOf(types) => {
                f.write_str(&super::words::either(&types.iter().map(ToString::to_string).collect::<Vec<_>>()))
            }
        }
    }
}

/// More digits than this are not read, leading zeros aside.
const MAX_DIGITS: usize = 24;

impl Integer {
    fn admits(self, text: &str) -> bool {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let significant = digits.trim_start_matches('0');
        let zero = significant.is_empty();
        let side = match self.sign {
            Sign::Any => true,
            Sign::NotNegative => zero || !negative,
            Sign::Positive => !zero && !negative,
        };
        let small = self.at_most.is_none_or(|most| {
            zero || negative || significant.parse::<u32>().is_ok_and(|number| number <= most)
        });
        significant.len() <= MAX_DIGITS && side && small
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sign {
            Sign::Any => "a whole number",
            Sign::NotNegative => "a whole number, 0 or more",
            Sign::Positive => "a whole number above 0",
        })?;
        match self.at_most {
            Some(most) => write!(f, ", at most {most}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(sign: Sign, at_most: Option<u32>) -> Datatype {
        Datatype::Integer(Integer { sign, at_most })
    }

    #[test]
    fn numbers_are_what_libxml2_takes_for_them() {
        let any = integer(Sign::Any, None);
        for good in ["0", "-0", "+5", " 5\t", "00005", &"9".repeat(24), &format!("{}5", "0".repeat(30))] {
            assert!(any.admits(good), "{good:?}");
        }
        for bad in ["", " ", "-", "--5", "5.0", "1e3", "1 2", "0x5", "\u{663}", &"9".repeat(25)] {
            assert!(!any.admits(bad), "{bad:?}");
        }
        assert!(integer(Sign::NotNegative, None).admits("-0"));
        assert!(!integer(Sign::NotNegative, None).admits("-5"));
        assert!(!integer(Sign::Positive, None).admits("+0"));
        let level = integer(Sign::Positive, Some(9));
        assert!(level.admits(" 09 ") && !level.admits("10") && !level.admits(&"9".repeat(24)));
    }

    #[test]
    fn blanks_count_only_to_the_letter() {
        let words = |text: &str| Datatype::Words(vec![text.to_owned()]);
        for good in ["a b", " a b ", "a  b", "a\nb"] {
            assert!(words("a b").admits(good), "{good:?}");
        }
        assert!(!words("a b").admits("ab") && !words("a b").admits("a\u{a0}b"));
        let exactly = Datatype::Exactly(vec!["a b".to_owned()]);
        assert!(exactly.admits("a b") && !exactly.admits(" a b "));
    }

    #[test]
    fn expressions_match_from_end_to_end() {
        let devices = Datatype::Matching(Expression::new(r"[a-zA-Z0-9_.\-]+(,[a-zA-Z0-9_.\-]+)*").unwrap());
        for good in ["a", "a,b", "a.b-c_d"] {
            assert!(devices.admits(good), "{good:?}");
        }
        for bad in ["", ",", "a,", "a, b", "a\n", "\u{e9}", "a,,b"] {
            assert!(!devices.admits(bad), "{bad:?}");
        }
    }
}
