// SPDX-License-Identifier: GPL-2.0-or-later
//! The paths inside patches: a step is an element's name, with its `id` if it has one.

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

/// The steps of a path; `None` if it is none.
pub(super) fn parse(path: &str) -> Option<Vec<Step>> {
    let mut rest = path;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix('/')?;
        let end = rest.find(['/', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        let mut id = None;
        rest = after;
        if let Some(inside) = rest.strip_prefix("[@id='") {
            // An id may hold a slash or a bracket: it ends where a step can end.
            let ends_step = |at: usize| {
                inside.get(at + 2..).is_some_and(|after| after.is_empty() || after.starts_with('/'))
            };
            let (end, _) = inside.match_indices("']").find(|(at, _)| ends_step(*at))?;
            id = Some(inside.get(..end)?.to_owned());
            rest = inside.get(end + 2..)?;
        }
        steps.push(Step { name: name.to_owned(), id });
    }
    (!steps.is_empty()).then_some(steps)
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

    #[test]
    fn paths_read_back() {
        let step = |name: &str, id: Option<&str>| Step { name: name.into(), id: id.map(str::to_owned) };
        assert_eq!(
            parse("/cib/a[@id='x/y]']/b"),
            Some(vec![step("cib", None), step("a", Some("x/y]")), step("b", None)])
        );
        for bad in ["", "cib", "/", "//cib", "/cib[2]", "/cib[@id='x'", "/cib[@id='x']y"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
