// SPDX-License-Identifier: GPL-2.0-or-later
//! Merging one element into another: attributes are set, children are merged into those they match, or added.

use crate::{CallOptions, Context, Request};
use model::{Profile, Score, lenient};
use std::collections::{BTreeMap, BTreeSet};
use xml::{Element, Ids, Node};

/// How values are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// As they are.
    Literal,
    /// `x++` and `x+=5` as a value of `x` add to what is there.
    Counted,
    /// And where nothing is there, to zero.
    CountedFromZero,
    /// The same, and children are told from each other by `id` alone.
    CountedFromZeroById,
}

impl Values {
    /// As a request wants them. Before 3.0, values were always counted.
    pub(super) fn of(request: &Request, context: &Context) -> Values {
        match context.profile {
            Profile::V2_1 => Values::CountedFromZero,
            Profile::V3_0 if request.options.has(CallOptions::SCORE_UPDATE) => Values::Counted,
            Profile::V3_0 => Values::Literal,
        }
    }
}

/// The target with the update merged into it; `None` if that changes nothing. What is not changed stays shared.
pub(super) fn merged(target: &Element, update: &Element, values: Values) -> Option<Element> {
    let mut out: Option<Element> = None;
    for attribute in update.attributes() {
        let name = attribute.name();
        let old = out.as_ref().unwrap_or(target).attr(name);
        let value = match (values, old) {
            (Values::Literal, _) | (Values::Counted, None) => None,
            (_, old) => counted(name, old.unwrap_or("0"), attribute.value()),
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

fn key(element: &Element, values: Values) -> Key<'_> {
    let id = element.id().map(|id| ("id", id));
    let id_ref = element.attr("id-ref").filter(|_| values != Values::CountedFromZeroById);
    (element.name(), id.or_else(|| id_ref.map(|id| ("id-ref", id))))
}

/// To merge more children than this, tables are made instead of looking at all children for each.
const MANY: usize = 16;

/// What is there already.
#[derive(Default)]
struct Known<'a> {
    /// The first child for every key that can lead to it.
    first: BTreeMap<Key<'a>, usize>,
    /// Comments, in small letters.
    comments: BTreeSet<String>,
}

impl<'a> Known<'a> {
    fn of(parent: &'a Element) -> Known<'a> {
        let mut known = Known::default();
        for (at, node) in parent.children().iter().enumerate() {
            match node {
                Node::Element(element) => known.add(element, at),
                Node::Comment(text) => drop(known.comments.insert(text.to_ascii_lowercase())),
                Node::Text(_) => {}
            }
        }
        known
    }

    fn add(&mut self, element: &'a Element, at: usize) {
        let id = ["id", "id-ref"].into_iter().filter_map(|name| Some((name, element.attr(name)?)));
        for key in std::iter::once(None).chain(id.map(Some)) {
            let first = self.first.entry((element.name(), key)).or_insert(at);
            *first = (*first).min(at);
        }
    }
}

fn children(target: &Element, out: &mut Option<Element>, update: &Element, values: Values) {
    let mut known = (update.children().len() > MANY).then(|| Known::of(target));
    for node in update.children() {
        let current = out.as_ref().unwrap_or(target);
        match node {
            Node::Text(_) => {}
            Node::Comment(text) => {
                let is_new = match &mut known {
                    Some(known) => known.comments.insert(text.to_ascii_lowercase()),
                    None => !has_comment(current, text),
                };
                if is_new {
                    out.get_or_insert_with(|| target.clone()).push(node.clone());
                }
            }
            Node::Element(child) => {
                let wanted = key(child, values);
                let at = match &known {
                    Some(known) => known.first.get(&wanted).copied(),
                    None => position(current, wanted),
                };
                let found = at.and_then(|at| Some((at, current.children().get(at)?.element()?)));
                let place = match found {
                    Some((at, match_)) => {
                        let Some(new) = merged(match_, child, values) else { continue };
                        let out = out.get_or_insert_with(|| target.clone());
                        if let Some(slot) = out.element_at_mut(at) {
                            *slot = new;
                        }
                        at
                    }
                    None => {
                        let fresh = fresh(child, values);
                        let out = out.get_or_insert_with(|| target.clone());
                        out.push(fresh);
                        out.children().len() - 1
                    }
                };
                // By an `id-ref` that it was given now, it is found from now on.
                if let Some(known) = &mut known {
                    known.add(child, place);
                }
            }
        }
    }
}

fn has_comment(element: &Element, text: &str) -> bool {
    let same = |node: &Node| matches!(node, Node::Comment(known) if known.eq_ignore_ascii_case(text));
    element.children().iter().any(same)
}

/// What creation adds is the input itself. Before 3.0, it was merged into nothing.
pub(super) fn created(input: Element, profile: Profile) -> Element {
    match profile {
        Profile::V3_0 => input,
        Profile::V2_1 => fresh(&input, Values::CountedFromZeroById),
    }
}

/// What is put in the place of something is the input itself. Before 3.0, its values were counted.
pub(super) fn replacement(input: Element, profile: Profile) -> Element {
    let counts = |attribute: &xml::Attribute<'_>| counted(attribute.name(), "0", attribute.value()).is_some();
    if profile == Profile::V3_0
        || !input.descendants().any(|element| element.attributes().iter().any(|a| counts(&a)))
    {
        return input;
    }
    let mut new = input.without_children();
    for attribute in input.attributes() {
        if let Some(value) = counted(attribute.name(), "0", attribute.value()) {
            new.set_attr(attribute.name().clone(), value);
        }
    }
    let children = input.children().iter().map(|node| match node {
        Node::Element(child) => replacement(child.clone(), profile).into(),
        other => other.clone(),
    });
    let children: Vec<Node> = children.collect();
    new.with_children(children)
}

/// A new element is an empty one with the update merged into it, so that its own children are merged with each other.
pub(super) fn fresh(update: &Element, values: Values) -> Element {
    let empty = Element::new(update.name_shared().clone());
    merged(&empty, update, values).unwrap_or(empty)
}

fn position(parent: &Element, wanted: Key<'_>) -> Option<usize> {
    let within = 0..parent.children().len();
    match wanted {
        (name, None) => parent.children().position(within, name, Ids::Any),
        (name, Some(("id", id))) => parent.children().position(within, name, Ids::Is(id)),
        (name, Some((attribute, value))) => {
            let fits = |element: &Element| element.name() == name && element.attr(attribute) == Some(value);
            parent.children().iter().position(|node| node.element().is_some_and(fits))
        }
    }
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
