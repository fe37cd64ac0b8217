// SPDX-License-Identifier: GPL-2.0-or-later
//! Old ways to say things: pairs that never count, ping nodes, promotable clones as elements of their own, several rules
//! in one location constraint.

use super::{PREFIX, as_copy, id, marked_changed, marked_new};
use crate::upgrade::walk::{self, Above, Transform, descend, descend_in_order};
use std::collections::HashMap;
use xml::{Element, Node};

/// The second step.
pub(in crate::upgrade) fn upgrade(cib: &Element) -> Element {
    let mut legacy = Legacy::default();
    for element in cib.descendants() {
        match element.name() {
            "node" if element.attr("type") == Some("ping") => legacy.ping_nodes.push(element),
            "rsc_location" => {
                if let Some(id) = element.id() {
                    legacy.rules.entry(id).or_default().push(element.elements_named("rule").count());
                }
            }
            _ => {}
        }
    }
    walk::transform(cib, &mut legacy)
}

#[derive(Default)]
struct Legacy<'a> {
    ping_nodes: Vec<&'a Element>,
    /// How many rules the location constraints of an id have.
    rules: HashMap<&'a str, Vec<usize>>,
}

impl Transform for Legacy<'_> {
    fn element(&mut self, element: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        match element.name() {
            "node" if element.attr("type") == Some("ping") => {
                let member = marked_changed(element.clone().with_attr("type", "member"));
                out.push(descend(self, &self.with_new_attributes(&member), above).into());
            }
            "master" => out.push(self.promotable(element, above).into()),
            "constraints" => {
                let constraints = descend(self, &self.with_new_attributes(element), above);
                out.push(match self.ping_nodes.is_empty() {
                    true => constraints.into(),
                    false => constraints.with_children(self.ping_nodes.iter().map(|node| ban(node))).into(),
                });
            }
            "rsc_location" if element.elements_named("rule").nth(1).is_some() => {
                self.location_per_rule(element, above, out);
            }
            _ => out.push(self.with_effective_pairs(&self.with_new_attributes(element), above).into()),
        }
    }
}

impl Legacy<'_> {
    /// Attributes that are called otherwise: a bundle's `masters`, and permissions about a constraint that is several
    /// from now on.
    fn with_new_attributes(&self, element: &Element) -> Element {
        let split = element.attr("reference").filter(|_| element.name() == "acl_permission");
        let xpath = split.and_then(|reference| self.xpath_of_split(reference));
        if element.attr("masters").is_none() && xpath.is_none() {
            return element.clone();
        }
        let mut new = Element::new(element.name_shared().clone());
        for attribute in element.attributes() {
            match (attribute.name().as_str(), &xpath) {
                ("masters", _) => new.set_attr("promoted-max", attribute.value()),
                ("reference", Some(xpath)) => new.set_attr("xpath", xpath),
                _ => new.set_attr(attribute.name().clone(), attribute.value()),
            }
        }
        marked_changed(new).with_children(element.children().iter().cloned())
    }

    /// Finds the constraints that a constraint with several rules has become.
    fn xpath_of_split(&self, location: &str) -> Option<String> {
        let counts = self.rules.get(location).filter(|counts| counts.iter().any(|count| *count > 1))?;
        let ids = (1..=counts.iter().sum()).map(|number| format!("@id = '{PREFIX}{location}-{number}'"));
        Some(format!("//*[{}]", ids.collect::<Vec<_>>().join(" or ")))
    }

    /// A promotable clone is a clone whose meta-attributes say so, before all others.
    fn promotable(&mut self, master: &Element, above: Option<&Above<'_>>) -> Element {
        let mut clone = Element::new("clone");
        clone.replace_attrs(&self.with_new_attributes(master));
        let set_id = format!("{PREFIX}promotable-legacy-{}-meta_attributes", id(master));
        let pair = marked_new(Element::new("nvpair"))
            .with_attr("id", format!("{set_id}-promotable"))
            .with_attr("name", "promotable")
            .with_attr("value", "true");
        let set = marked_new(Element::new("meta_attributes"))
            .with_attr("id", set_id)
            .with_attr("score", "INFINITY")
            .with_child(pair);
        let content = descend(self, master, above);
        marked_changed(clone).with_child(set).with_children(content.children().iter().cloned())
    }

    /// One constraint for each rule. The first keeps what else was there, the others have copies.
    fn location_per_rule(&mut self, location: &Element, above: Option<&Above<'_>>, out: &mut Vec<Node>) {
        let attributes = self.with_new_attributes(location).without_children();
        let whole = descend(self, location, above);
        for (index, rule) in whole.elements_named("rule").enumerate() {
            let new_id = format!("{PREFIX}{}-{}", id(location), index + 1);
            let shared = |name| {
                let all = whole.elements_named(name);
                all.map(move |element| if index == 0 { element.clone() } else { as_copy(element) })
            };
            let one = marked_new(attributes.clone())
                .with_attr("id", new_id)
                .with_children(shared("resource_set"))
                .with_child(rule.clone())
                .with_children(shared("lifetime"));
            out.push(one.into());
        }
    }

    /// Of pairs with one name in a set, the first counts, or the first after the last `#default`, which makes those before
    /// it void. The others go.
    fn with_effective_pairs(&mut self, element: &Element, above: Option<&Above<'_>>) -> Element {
        let children = element.children();
        let mut names: HashMap<&str, Named> = HashMap::new();
        let mut several = false;
        for (place, child) in children.iter().filter_map(Node::element).enumerate() {
            let Some(name) = child.attr("name") else { continue };
            let named = names.entry(name).or_default();
            several |= named.last.is_some();
            named.last = Some(place);
            if child.name() == "nvpair" && child.attr("value") == Some("#default") {
                named.last_default = Some(place);
            }
        }
        if !several {
            return descend(self, element, above);
        }
        let mut place = 0;
        let mut kept = Vec::with_capacity(children.len());
        for node in children.iter() {
            let Node::Element(child) = node else {
                kept.push(node);
                continue;
            };
            let counts = match child.attr("name").and_then(|name| names.get_mut(name)) {
                Some(named) if child.name() == "nvpair" => named.counts(place, child.attr("value")),
                _ => true,
            };
            if counts {
                kept.push(node);
            }
            place += 1;
        }
        descend_in_order(self, element, kept.into_iter(), above)
    }
}

/// The elements of one name in one parent.
#[derive(Default)]
struct Named {
    last: Option<usize>,
    last_default: Option<usize>,
    /// One with a value has been kept.
    kept: bool,
}

impl Named {
    fn counts(&mut self, place: usize, value: Option<&str>) -> bool {
        match value {
            None => true,
            Some("#default") => self.last == Some(place),
            Some(_) if self.last_default.is_some_and(|last| place < last) => false,
            Some(_) => !std::mem::replace(&mut self.kept, true),
        }
    }
}

/// A ping node ran nothing, so nothing may run on the member it is now, nor be looked for.
fn ban(node: &Element) -> Node {
    let name = node.attr("uname").unwrap_or_default();
    let ban = marked_new(Element::new("rsc_location"))
        .with_attr("id", format!("{PREFIX}ping-node-ban-{name}"))
        .with_attr("rsc-pattern", ".*")
        .with_attr("node", name)
        .with_attr("score", "-INFINITY")
        .with_attr("resource-discovery", "never");
    ban.into()
}
