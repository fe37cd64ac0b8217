// SPDX-License-Identifier: GPL-2.0-or-later
//! XPaths that can be decided for one element by looking at it and its ancestors alone.
//!
//! Nearly all that ACLs use are such: names from the root (`/cib/status`), names anywhere (`//primitive`), with conditions
//! on attributes (`//nvpair[@name='target-role' and @value]`). A change of one operation result in a large CIB must not
//! cost a search through all of it, so these are not searched for: they are compared with what was changed.

use xml::Element;

/// Such an XPath. It selects what the expression selects, to the element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// Any number of elements may be between this and the step before.
    anywhere: bool,
    /// `None` for any name.
    name: Option<String>,
    conditions: Vec<Condition>,
}

/// An attribute that must be there, with this value if one is given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    attribute: String,
    value: Option<String>,
}

impl Pattern {
    /// Reads an expression; `None` if it is not of this sort (or not an XPath at all).
    pub fn parse(text: &str) -> Option<Pattern> {
        let mut rest = text.trim();
        let mut steps: Vec<Step> = Vec::new();
        while !rest.is_empty() {
            rest = rest.strip_prefix('/')?;
            let anywhere = rest.starts_with('/');
            rest = rest.strip_prefix('/').unwrap_or(rest);
            if let Some(attribute) = rest.strip_prefix('@') {
                // An attribute stands for the element that has it.
                let (attribute, end) = name(attribute)?;
                let step = steps.last_mut().filter(|_| !anywhere && end.is_empty())?;
                step.conditions.push(Condition { attribute: attribute.to_owned(), value: None });
                break;
            }
            let (step, after) = step(rest, anywhere)?;
            steps.push(step);
            rest = after;
        }
        (!steps.is_empty()).then_some(Pattern { steps })
    }

    /// Whether it selects the last of `chain`, which leads from the root to it.
    pub fn selects(&self, chain: &[&Element]) -> bool {
        leads(&self.steps, chain)
    }
}

/// Whether steps lead to the last of a chain. Tries the places for each `//`; there are few of either.
fn leads(steps: &[Step], chain: &[&Element]) -> bool {
    let (Some((step, before)), Some((element, ancestors))) = (steps.split_last(), chain.split_last()) else {
        return steps.is_empty() && chain.is_empty();
    };
    if !step.fits(element) {
        return false;
    }
    if !step.anywhere {
        return leads(before, ancestors);
    }
    before.is_empty()
        || (1..=ancestors.len())
            .rev()
            .any(|length| leads(before, ancestors.get(..length).unwrap_or_default()))
}

impl Step {
    fn fits(&self, element: &Element) -> bool {
        let holds = |condition: &Condition| match (element.attr(&condition.attribute), &condition.value) {
            (Some(found), Some(value)) => found == value,
            (found, None) => found.is_some(),
            (None, Some(_)) => false,
        };
        self.name.as_deref().is_none_or(|name| element.name() == name) && self.conditions.iter().all(holds)
    }
}

fn step(text: &str, anywhere: bool) -> Option<(Step, &str)> {
    let (name, mut rest) = match text.strip_prefix('*') {
        Some(rest) => (None, rest),
        None => name(text).map(|(name, rest)| (Some(name.to_owned()), rest))?,
    };
    let mut conditions = Vec::new();
    while let Some(inside) = rest.strip_prefix('[') {
        rest = inside.trim_start();
        loop {
            let (condition, after) = condition(rest)?;
            conditions.push(condition);
            rest = after.trim_start();
            if let Some(after) = rest.strip_prefix(']') {
                rest = after;
                break;
            }
            let spaced = after.len() > rest.len() || after.is_empty();
            rest = rest.strip_prefix("and").filter(|_| spaced)?;
            rest = Some(rest.trim_start()).filter(|next| next.starts_with('@'))?;
        }
    }
    Some((Step { anywhere, name, conditions }, rest))
}

fn condition(text: &str) -> Option<(Condition, &str)> {
    let (attribute, rest) = name(text.strip_prefix('@')?)?;
    let attribute = attribute.to_owned();
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return Some((Condition { attribute, value: None }, rest));
    };
    let value = value.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (value, rest) = value.strip_prefix(quote)?.split_once(quote)?;
    Some((Condition { attribute, value: Some(value.to_owned()) }, rest))
}

/// A plain name: what XPath could take for something else (prefixes, functions, axes) is left to XPath.
fn name(text: &str) -> Option<(&str, &str)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let end = text.find(|c| !plain(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let next = rest.chars().next();
    let ends_well = next.is_none_or(|c| matches!(c, '/' | '[' | ']' | '=') || c.is_ascii_whitespace());
    (begins_well && ends_well).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of all elements that a pattern selects.
    fn selected(pattern: &Pattern, root: &Element) -> Vec<Vec<usize>> {
        fn walk(
            pattern: &Pattern,
            chain: &mut Vec<&Element>,
            path: &mut Vec<usize>,
            found: &mut Vec<Vec<usize>>,
        ) {
            if pattern.selects(chain) {
                found.push(path.clone());
            }
            let Some(&element) = chain.last() else { return };
            for (at, node) in element.children().iter().enumerate() {
                if let Some(child) = node.element() {
                    chain.push(child);
                    path.push(at);
                    walk(pattern, chain, path, found);
                    path.pop();
                    chain.pop();
                }
            }
        }
        let mut found = Vec::new();
        walk(pattern, &mut vec![root], &mut Vec::new(), &mut found);
        found
    }

    #[test]
    fn patterns_select_what_their_xpaths_select() {
        let cib = xml::parse(
            "<cib a='1'><c id='x'><p id='p' a='1'><c a='2'><p/></c></p><!-- p --><p id='q'><n name='t' value='v'/></p></c>\
             <s><p id='p' b='1'/><n name='t'/><p><p><c><p id='p'/></c></p></p></s></cib>",
        )
        .unwrap();
        let texts = [
            "/cib",
            "//cib",
            "/p",
            "//p",
            "//*",
            "/cib/c",
            "/cib/*/p",
            "/cib//p",
            "//c//p",
            "//c/p",
            "//p//p",
            "//p/p",
            "//p[@id]",
            "//p[@id='p']",
            "//p[@id=\"p\" and @a]",
            "//p[@id='p'][@a='1']",
            "//n[ @name = 't' and @value ]/..",
            "//n[ @name = 't' and @value ]",
            "//@a",
            "//p/@id",
            "/cib/@a",
            "//*[@a]//p",
            "//*//*//p[@id='p']",
            "/cib/c//*",
            "/cib//c/p//p",
            "//p[@id='pp']",
        ];
        let mut understood = 0;
        for text in texts {
            let Some(pattern) = Pattern::parse(text) else { continue };
            understood += 1;
            let mut wanted: Vec<Vec<usize>> = XPath::parse(text)
                .unwrap()
                .select(&cib)
                .unwrap()
                .iter()
                .map(|s| s.nearest_element().0.to_vec())
                .collect();
            wanted.sort();
            let mut found = selected(&pattern, &cib);
            found.sort();
            assert_eq!(found, wanted, "{text}");
        }
        assert_eq!(understood, texts.len() - 2, "all but the parent axis and //@a");
    }

    use xml::XPath;

    #[test]
    fn what_is_more_than_that_is_left_to_xpath() {
        for text in [
            "",
            "cib",
            "/",
            "//",
            "/cib/",
            "//p[1]",
            "//p[last()]",
            "//p[@a or @b]",
            "//p[not(@a)]",
            "//text()",
            "//x:p",
            "//p[@a=1]",
            "//p | //q",
            "/cib/descendant::p",
            "//p[@a='1'",
            "//p[]",
            "//.",
            "//p[@a ='1'and@b]",
            "//p]",
            "//p[@a!='1']",
            "/cib/@a/b",
        ] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }
}
