// SPDX-License-Identifier: GPL-2.0-or-later
//! Damage as people do it, and worse: elements and attributes dropped, doubled, renamed, moved, and given other values.

use crate::chance::Chance;
use crate::examples::Example;
use std::collections::{BTreeMap, BTreeSet};
use xml::{Element, Node};

/// Values that are on the edge of one type or another.
const ODD_VALUES: [&str; 32] = [
    "",
    " ",
    "0",
    "1",
    " 5 ",
    "-1",
    "+7",
    "9",
    "10",
    "00",
    "3.5",
    "999999999999999999999999",
    "9999999999999999999999999",
    "true",
    "True",
    " true",
    "yes",
    "INFINITY",
    "-INFINITY",
    "+INFINITY",
    "infinity",
    "a",
    "a b",
    "a:b",
    "1a",
    "-",
    "é",
    "a,b",
    "a, b",
    "none",
    "string",
    "Started ",
];

/// Names that are nearly right.
const ODD_NAMES: [&str; 8] =
    ["primitve", "Primitive", "x", "id", "id-ref", "foo:bar", "rsc-location", "status"];

/// Knows what occurs in the examples, so that damage is not obvious.
pub struct Damager {
    elements: Vec<String>,
    attributes: Vec<String>,
    values: BTreeMap<String, Vec<String>>,
    parts: Vec<Element>,
}

impl Damager {
    pub fn new(examples: &[Example]) -> Damager {
        let (mut elements, mut attributes) = (BTreeSet::new(), BTreeSet::new());
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut parts = BTreeMap::new();
        for example in examples {
            let configuration = example.tree.elements().filter(|element| element.name() != "status");
            for element in configuration.flat_map(Element::descendants) {
                elements.insert(element.name().to_owned());
                for attribute in element.attributes() {
                    let name = attribute.name().as_str().to_owned();
                    let known = values.entry(name.clone()).or_default();
                    if known.len() < 40 {
                        known.insert(attribute.value().to_owned());
                    }
                    attributes.insert(name);
                }
                if element.children().len() <= 6 && example.size < 12_000 {
                    let names: Vec<&str> =
                        element.attributes().into_iter().map(|a| a.name().as_str()).collect();
                    parts.insert(format!("{} {names:?}", element.name()), element.clone());
                }
            }
        }
        let values = values.into_iter().map(|(name, values)| (name, values.into_iter().collect())).collect();
        Damager {
            elements: elements.into_iter().collect(),
            attributes: attributes.into_iter().collect(),
            values,
            parts: parts.into_values().collect(),
        }
    }

    /// A copy with one to three damages.
    pub fn damage(&self, tree: &Element, chance: &mut Chance) -> Element {
        let mut tree = tree.clone();
        for _ in 0..=chance.below(3) {
            // The status holds anything; so hardly anything is done there.
            let paths = paths(&tree);
            let path = chance.pick(&paths);
            self.damage_at(&mut tree, path, chance);
        }
        tree
    }

    fn damage_at(&self, root: &mut Element, path: &[usize], chance: &mut Chance) {
        let Some((last, above)) = path.split_last() else {
            return self.damage_attributes(root, chance);
        };
        let Some(parent) = follow(root, above) else { return };
        match chance.below(12) {
            0 => {
                parent.remove(*last);
            }
            1 => {
                if let Some(copy) = parent.children().get(*last).cloned() {
                    parent.insert(*last, copy);
                }
            }
            2 => {
                let copy = parent
                    .children()
                    .get(*last)
                    .and_then(Node::element)
                    .map(|element| self.with_own_ids(element, chance));
                if let Some(copy) = copy {
                    parent.insert(*last, copy);
                }
            }
            3 => {
                if let Some(element) = parent.children().get(*last).and_then(Node::element) {
                    let mut renamed = Element::new(self.element_name(chance));
                    renamed.replace_attrs(element);
                    renamed.set_children(element.children().iter().cloned());
                    parent.replace(*last, renamed);
                }
            }
            4 => {
                if let Some(moved) = parent.remove(*last) {
                    let to = chance.below(parent.children().len() + 1);
                    parent.insert(to, moved);
                }
            }
            5 => {
                let part = self.with_own_ids(chance.pick(&self.parts), chance);
                parent.insert(*last, part);
            }
            6 if chance.one_in(4) => {
                let text: std::sync::Arc<str> = (*chance.pick(&["text", " ", "\n  "])).into();
                parent.insert(*last, Node::Text(text));
            }
            _ => {
                if let Some(element) = parent.element_at_mut(*last) {
                    self.damage_attributes(element, chance);
                }
            }
        }
    }

    fn damage_attributes(&self, element: &mut Element, chance: &mut Chance) {
        let names: Vec<String> =
            element.attributes().into_iter().map(|a| a.name().as_str().to_owned()).collect();
        if names.is_empty() || chance.one_in(4) {
            let name = self.attribute_name(chance);
            let value = self.value(&name, chance);
            return element.set_attr(name, value);
        }
        let name = chance.pick(&names);
        match chance.below(4) {
            0 => {
                element.remove_attr(name);
            }
            1 => {
                let value = element.attr(name).unwrap_or_default().to_owned();
                element.remove_attr(name);
                element.set_attr(self.attribute_name(chance), value);
            }
            _ => {
                let value = self.value(name, chance);
                element.set_attr(name.clone(), value);
            }
        }
    }

    fn element_name(&self, chance: &mut Chance) -> String {
        if chance.one_in(8) {
            (*chance.pick(&ODD_NAMES)).to_owned()
        } else {
            chance.pick(&self.elements).clone()
        }
    }

    fn attribute_name(&self, chance: &mut Chance) -> String {
        match chance.below(12) {
            0 => "id-ref".to_owned(),
            1 => (*chance.pick(&["ID", "scor", "xml:lang", "clas", "xmlns:foo"])).to_owned(),
            _ => chance.pick(&self.attributes).clone(),
        }
    }

    fn value(&self, name: &str, chance: &mut Chance) -> String {
        let value = match self.values.get(name) {
            Some(values) if !chance.one_in(3) => chance.pick(values).clone(),
            _ => (*chance.pick(&ODD_VALUES)).to_owned(),
        };
        if name.starts_with("xmlns") && value.is_empty() { "urn:x".to_owned() } else { value }
    }

    /// A copy with ids that nothing else has, mostly.
    fn with_own_ids(&self, element: &Element, chance: &mut Chance) -> Element {
        let mut copy = element.clone();
        let suffix = chance.below(100_000);
        rename_ids(&mut copy, suffix);
        copy
    }
}

fn rename_ids(element: &mut Element, suffix: usize) {
    if let Some(id) = element.id().map(|id| format!("{id}-{suffix}"))
        && !matches!(element.name(), "resource_ref" | "obj_ref" | "role" | "role_ref")
    {
        element.set_attr("id", id);
    }
    element.elements_mut().for_each(|child| rename_ids(child, suffix));
}

fn follow<'a>(root: &'a mut Element, path: &[usize]) -> Option<&'a mut Element> {
    path.iter().try_fold(root, |element, index| element.element_at_mut(*index))
}

/// The ways to all elements that are not in the status.
fn paths(root: &Element) -> Vec<Vec<usize>> {
    let (mut paths, mut next) = (vec![(Vec::new(), root)], 0);
    while let Some((path, element)) = paths.get(next).cloned() {
        next += 1;
        if element.name() == "status" {
            continue;
        }
        for (index, child) in element.children().iter().enumerate() {
            if let Node::Element(child) = child {
                let mut way = path.clone();
                way.push(index);
                paths.push((way, child));
            }
        }
    }
    paths.into_iter().map(|(path, _)| path).collect()
}
