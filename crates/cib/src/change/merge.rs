// SPDX-License-Identifier: GPL-2.0-or-later
//! Merging one element into another: attributes are set, children are merged into those they match, or added.

use model::{Score, lenient};
use std::collections::BTreeMap;
use xml::{Element, Ids, Node};

/// How values are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// As they are.
    Literal,
    /// `x++` and `x+=5` as a value of `x` add to what is there.
    Counted,
}

/// The target with the update merged into it; `None` if that changes nothing. What is not changed stays shared.
pub(super) fn merged(target: &Element, update: &Element, values: Values) -> Option<Element> {
    let mut out: Option<Element> = None;
    for attribute in update.attributes() {
        let name = attribute.name();
        let old = out.as_ref().unwrap_or(target).attr(name);
        let value = match (values, old) {
            (Values::Counted, Some(old)) => counted(name, old, attribute.value()),
            _ => None,
        };
        let value = value.as_deref().unwrap_or(attribute.value());
        if old != Some(value) {
            out.get_or_insert_with(|| target.clone()).set_attr(name.clone(), value);
        }
    }
    children(target, &mut out, update, values);
    out
}

/// Who a child is: its name, and its `id` or `id-ref`; those without either match any child of the name.
type Key<'a> = (&'a str, Option<(&'static str, &'a str)>);

fn key(element: &Element) -> Key<'_> {
    let id = element.id().map(|id| ("id", id));
    (element.name(), id.or_else(|| element.attr("id-ref").map(|id| ("id-ref", id))))
}

/// Above so many children, a table is made instead of looking at all of them for each.
const MANY: usize = 16;

fn children(target: &Element, out: &mut Option<Element>, update: &Element, values: Values) {
    // Positions of the target's own children never change here, as new ones are added at the end.
    let table = (update.children().len() > MANY && target.children().len() > MANY).then(|| first_of(target));
    let own = target.children().len();
    for node in update.children() {
        match node {
            Node::Text(_) => {}
            Node::Comment(text) => {
                let current = out.as_ref().unwrap_or(target).children();
                let there = current
                    .iter()
                    .any(|node| matches!(node, Node::Comment(known) if known.eq_ignore_ascii_case(text)));
                if !there {
                    out.get_or_insert_with(|| target.clone()).push(node.clone());
                }
            }
            Node::Element(child) => {
                let current = out.as_ref().unwrap_or(target);
                let wanted = key(child);
                let at = match &table {
                    Some(table) => table.get(&wanted).copied().or_else(|| position(current, own, child)),
                    None => position(current, 0, child),
                };
                let found = at.and_then(|at| Some((at, current.children().get(at)?.element()?)));
                match found {
                    Some((at, match_)) => {
                        let Some(new) = merged(match_, child, values) else { continue };
                        let out = out.get_or_insert_with(|| target.clone());
                        if let Some(slot) = out.element_at_mut(at) {
                            *slot = new;
                        }
                    }
                    None => {
                        let fresh = fresh(child, values);
                        out.get_or_insert_with(|| target.clone()).push(fresh);
                    }
                }
            }
        }
    }
}

/// A new element is an empty one with the update merged into it, so that its own children are merged with each other.
pub(super) fn fresh(update: &Element, values: Values) -> Element {
    let empty = Element::new(update.name_shared().clone());
    merged(&empty, update, values).unwrap_or(empty)
}

fn position(parent: &Element, from: usize, child: &Element) -> Option<usize> {
    let within = from..parent.children().len();
    match key(child) {
        (name, None) => parent.children().position(within, name, Ids::Any),
        (name, Some(("id", id))) => parent.children().position(within, name, Ids::Is(id)),
        (name, Some((attribute, value))) => {
            let fits = |element: &Element| element.name() == name && element.attr(attribute) == Some(value);
            let at = parent.children().range(within).position(|node| node.element().is_some_and(fits));
            at.map(|at| at + from)
        }
    }
}

/// The first child for every key that can lead to it.
fn first_of(parent: &Element) -> BTreeMap<Key<'_>, usize> {
    let mut table = BTreeMap::new();
    for (at, node) in parent.children().iter().enumerate() {
        let Some(element) = node.element() else { continue };
        table.entry((element.name(), None)).or_insert(at);
        for attribute in ["id", "id-ref"] {
            if let Some(value) = element.attr(attribute) {
                table.entry((element.name(), Some((attribute, value)))).or_insert(at);
            }
        }
    }
    table
}

/// What `name++` or `name+=n` comes to; `None` for any other value. All nodes must count alike, so `5s` counts as
/// 5 here, as it does for them.
fn counted(name: &str, old: &str, value: &str) -> Option<String> {
    let sum = value.strip_prefix(name)?.strip_prefix('+')?;
    let leading_score = |text: &str| lenient::parse_score(text).unwrap_or(Score::ZERO);
    let add = if sum.starts_with('+') { Score::new(1) } else { leading_score(sum.strip_prefix('=')?) };
    Some((leading_score(old) + add).value().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(target: &str, update: &str) -> String {
        let (target, update) = (xml::parse(target).unwrap(), xml::parse(update).unwrap());
        merged(&target, &update, Values::Counted).map_or("unchanged".into(), |merged| merged.to_string())
    }

    #[test]
    fn matches_by_id_then_id_ref_then_name() {
        assert_eq!(
            merge("<a><b id='1'/><b id='2'/></a>", "<a><b id='2' x='y'/></a>"),
            r#"<a><b id="1"/><b id="2" x="y"/></a>"#
        );
        assert_eq!(
            merge("<a><b id-ref='1'/></a>", "<a><b id-ref='1' x='y'/></a>"),
            r#"<a><b id-ref="1" x="y"/></a>"#
        );
        assert_eq!(merge("<a><b id='1'/></a>", "<a><b x='y'/></a>"), r#"<a><b id="1" x="y"/></a>"#);
        assert_eq!(
            merge("<a><b id='1'/></a>", "<a><b id='3'/><b id='3' x='y'/></a>"),
            r#"<a><b id="1"/><b id="3" x="y"/></a>"#
        );
        assert_eq!(merge("<a><!--Hi--></a>", "<a><!--hi--></a>"), "unchanged");
        assert_eq!(merge("<a x='1'><b id='1'/></a>", "<a x='1'><b id='1'/></a>"), "unchanged");
    }

    #[test]
    fn many_children_are_merged_alike() {
        let list = |range: std::ops::Range<usize>, value: &str| {
            let items: String = range.map(|n| format!("<b id=\"{n}\" x=\"{value}\"/>")).collect();
            format!("<a>{items}</a>")
        };
        let merged = merge(&list(0..40, "old"), &list(20..60, "new"));
        let wanted = list(0..20, "old").replace("</a>", "") + &list(20..60, "new").replace("<a>", "");
        assert_eq!(merged, wanted);
    }

    #[test]
    fn values_count_as_scores() {
        assert_eq!(counted("x", "5", "x++").as_deref(), Some("6"));
        assert_eq!(counted("x", "5", "x+=3").as_deref(), Some("8"));
        assert_eq!(counted("x", "INFINITY", "x++").as_deref(), Some("1000000"));
        assert_eq!(counted("x", "words", "x+=2").as_deref(), Some("2"));
        assert_eq!(counted("x", "1024M", "x+= -24bytes").as_deref(), Some("1000"));
        assert_eq!(counted("x", "99999999999999999999s", "x+=-").as_deref(), Some("1000000"));
        assert_eq!(counted("x", "5", "y++"), None);
        assert_eq!(counted("x", "5", "x+"), None);
        assert_eq!(merge("<a/>", "<a x='x++'/>"), r#"<a x="x++"/>"#);
    }
}
