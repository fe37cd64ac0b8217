// SPDX-License-Identifier: GPL-2.0-or-later
//! Patterns for resource ids (`rsc-pattern`), and what they found put in place of `%0` to `%9`.

use regex_lite::{Regex, RegexBuilder};

/// A pattern is refused that needs more memory than this once compiled.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Names with what was found in them end here: no attribute has a longer one.
const MAX_EXPANDED_BYTES: usize = 1 << 20;

/// A POSIX extended regular expression, as far as resource ids need one: back-references are refused, and where several
/// alternatives fit, the first counts, not the longest.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{pattern}' is not a valid regular expression: {reason}")]
pub struct PatternError {
    /// The text.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(pattern: &str) -> Result<Pattern, PatternError> {
        let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_BYTES).build();
        built
            .map(Pattern)
            .map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.to_string() })
    }

    /// What it finds in a text, anywhere in it; `None` if it does not.
    pub fn find(&self, text: &str) -> Option<Submatches> {
        let captures = self.0.captures(text)?;
        let groups = captures.iter().take(10);
        Some(Submatches(groups.map(|group| group.map_or("", |part| part.as_str()).to_owned()).collect()))
    }
}

/// What a pattern found: the whole at 0, and what its brackets found from 1 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submatches(Vec<String>);

impl Submatches {
    /// A text with what was found in place of `%0` to `%9`; nothing in place of what was not.
    pub fn expand(&self, text: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            if expanded.len() > MAX_EXPANDED_BYTES {
                return expanded;
            }
            expanded.push_str(before);
            match after.chars().next().and_then(|c| c.to_digit(10)) {
                Some(digit) => {
                    let group = usize::try_from(digit).ok().and_then(|index| self.0.get(index));
                    expanded.push_str(group.map_or("", String::as_str));
                    rest = after.get(1..).unwrap_or_default();
                }
                None => {
                    expanded.push('%');
                    rest = after;
                }
            }
        }
        expanded.push_str(rest);
        expanded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_put_in() {
        let found = Pattern::parse("^ip-([a-z]+)-([0-9]+)?").unwrap().find("ip-db-7x").unwrap();
        assert_eq!(found.expand("loc-%1-%2"), "loc-db-7");
        assert_eq!(found.expand("%0|%3|%%1|100%"), "ip-db-7||%db|100%");
        assert_eq!(found.expand("plain"), "plain");
        let found = Pattern::parse("a(x)?(b)").unwrap().find("..ab").unwrap();
        assert_eq!(found.expand("[%1%2]"), "[b]");
        assert!(Pattern::parse("^b").unwrap().find("ab").is_none());
        assert!(Pattern::parse("[[:digit:]]+").unwrap().find("node12").is_some());
    }

    #[test]
    fn patterns_that_are_none_or_too_much() {
        let error = Pattern::parse("ip-(").unwrap_err();
        assert!(error.to_string().starts_with("'ip-(' is not a valid regular expression: "), "{error}");
        assert!(Pattern::parse(r"(a)\1").is_err());
        assert!(Pattern::parse("((((a{100}){100}){100}){100})").is_err());
        let long = "x".repeat(500_000);
        let found = Pattern::parse("x*").unwrap().find(&long).unwrap();
        assert!(found.expand(&"%0".repeat(500_000)).len() < 3_000_000);
    }
}
