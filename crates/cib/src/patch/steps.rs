// SPDX-License-Identifier: GPL-2.0-or-later
//! The paths inside patches: a step is an element's name, with its `id` if it has one.
//!
//! They are read as Pacemaker reads them, which knows no quoting: a slash ends a step, an apostrophe an id, and white space
//! (but in the first step) the path. What an id with such signs leads to is anybody's guess, but all nodes must guess
//! alike; so no path that we write leads through one (see [`is_addressable`]).

use xml::{Element, Node};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub name: String,
    pub id: Option<String>,
}

/// A path with the step to `element` added.
pub(super) fn below(path: &str, element: &Element) -> String {
    match element.id() {
        Some(id) => format!("{path}/{}[@id='{id}']", element.name()),
        None => format!("{path}/{}", element.name()),
    }
}

/// Whether a path can have a step to an element.
pub(super) fn is_addressable(element: &Element) -> bool {
    let breaks = |c: char| matches!(c, '/' | '\'') || is_space(c);
    // An empty id is written like any other, but read as none.
    element.id().is_none_or(|id| !id.is_empty() && !id.contains(breaks))
}

/// White space in the C locale.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r')
}

/// The steps of a path; `None` if it has none.
pub(super) fn parse(path: &str) -> Option<Vec<Step>> {
    let first = path.strip_prefix('/')?;
    let end = first.find('/').unwrap_or(first.len());
    let (first, rest) = first.split_at_checked(end)?;
    let rest = rest.split(is_space).next().unwrap_or_default();
    let mut steps = vec![step(first)?];
    for text in rest.split('/').skip(1) {
        // What comes after an empty step is not looked at.
        if text.is_empty() {
            break;
        }
        steps.push(step(text)?);
    }
    Some(steps)
}

fn step(text: &str) -> Option<Step> {
    let (name, condition) = text.split_once('[').unwrap_or((text, ""));
    let id = condition.strip_prefix("@id='").and_then(|id| id.split('\'').next());
    let id = id.filter(|id| !id.is_empty()).map(str::to_owned);
    (!name.is_empty()).then(|| Step { name: name.to_owned(), id })
}

impl Step {
    /// Whether it can lead to a comment.
    pub(super) fn may_be_comment(&self) -> bool {
        self.name == "comment" && self.id.is_none()
    }

    /// Whether this step leads to that child. Comments go by the name `comment`.
    pub(super) fn leads_to(&self, node: &Node) -> bool {
        match node {
            Node::Element(element) => {
                element.name() == self.name && self.id.as_deref().is_none_or(|id| element.id() == Some(id))
            }
            Node::Comment(_) => self.may_be_comment(),
            Node::Text(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, id: Option<&str>) -> Step {
        Step { name: name.into(), id: id.map(str::to_owned) }
    }

    #[test]
    fn paths_read_back() {
        let element = |name: &'static str, id: &str| Element::new(name).with_attr("id", id);
        let path = below(&below("", &Element::new("cib")), &element("a", "x[y]"));
        assert_eq!(path, "/cib/a[@id='x[y]']");
        assert_eq!(parse(&path), Some(vec![step("cib", None), step("a", Some("x[y]"))]));
        for id in ["x/y", "it's", "a b", "", "a\tb"] {
            assert!(!is_addressable(&element("a", id)), "{id:?}");
        }
        assert!(is_addressable(&element("a", "x[y]")) && is_addressable(&Element::new("a")));
    }

    #[test]
    fn odd_paths_are_read_as_pacemaker_reads_them() {
        assert_eq!(
            parse("/cib/a[@id='x/y']/b"),
            Some(vec![step("cib", None), step("a", Some("x")), step("y']", None), step("b", None)])
        );
        assert_eq!(parse("/cib/a[@id='x y']/b"), Some(vec![step("cib", None), step("a", Some("x"))]));
        assert_eq!(parse("/cib/"), Some(vec![step("cib", None)]));
        assert_eq!(parse("/cib//a"), Some(vec![step("cib", None)]));
        assert_eq!(parse("/cib[2]/a[@id='']"), Some(vec![step("cib", None), step("a", None)]));
        for bad in ["", "cib", "/", "//cib", "/[x]", "/cib/[@id='x']"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
