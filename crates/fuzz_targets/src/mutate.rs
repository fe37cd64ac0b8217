// SPDX-License-Identifier: GPL-2.0-or-later
//! Changes trees as a careless or hostile hand would, so that most of what a fuzzer tries is still XML.

use xml::Element;

const MOST_BYTES: usize = 1 << 16;

/// The text with one to four changes of its tree; `None` if it is no XML, or becomes too large. Same text and seed, same
/// changes.
pub fn mutate(text: &[u8], seed: u64, words: &[&str]) -> Option<String> {
    let mut tree = xml::parse_bytes(text).ok()?;
    let mut chance = Chance::new(seed);
    for _ in 0..=chance.below(4) {
        let place = chance.below(tree.descendants().count());
        let taken = chance.below(tree.descendants().count());
        let elsewhere = tree.descendants().nth(taken).cloned()?;
        let edit = Edit { place, elsewhere: &elsewhere, words };
        // The root can be dropped or doubled too, which leaves no document: then it stays.
        let mut roots = edit.within(&tree, &mut 0, &mut chance);
        if roots.len() == 1 {
            tree = roots.pop()?;
        }
    }
    Some(xml::write_compact(&tree)).filter(|text| text.len() <= MOST_BYTES)
}

/// Numbers that look like chance and can be had again (xorshift).
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Chance {
        // Seeds next to each other must not begin alike.
        let mixed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Chance((mixed ^ (mixed >> 29)) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from((self.0 >> 11) % limit).unwrap_or(0)
    }

    /// A word of the dictionary, bare of markup.
    fn word(&mut self, words: &[&str]) -> String {
        let word = words.get(self.below(words.len())).copied().unwrap_or("x");
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-' && c != '#' && c != '%').to_owned()
    }

    fn name(&mut self, words: &[&str]) -> String {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = self.word(words).chars().filter(fits).collect();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { "x".to_owned() }
    }
}

struct Edit<'a> {
    /// The number, in document order, of the element to change.
    place: usize,
    /// Some element of the tree, to take things from.
    elsewhere: &'a Element,
    words: &'a [&'a str],
}

impl Edit<'_> {
    /// What becomes of an element. The recursion goes as deep as the parser allows.
    fn within(&self, element: &Element, number: &mut usize, chance: &mut Chance) -> Vec<Element> {
        let is_here = *number == self.place;
        *number += 1;
        let mut new = without_children(element, element.name(), |_| true);
        for child in element.elements() {
            for child in self.within(child, number, chance) {
                new.push(child);
            }
        }
        if is_here { self.change(new, chance) } else { vec![new] }
    }

    fn change(&self, mut element: Element, chance: &mut Chance) -> Vec<Element> {
        match chance.below(10) {
            0 => {
                let dropped = some_attribute(&element, chance);
                let mut new =
                    without_children(&element, element.name(), |name| dropped.as_deref() != Some(name));
                element.elements().for_each(|child| new.push(child.clone()));
                return vec![new];
            }
            1 => {
                let name = some_attribute(&element, chance).unwrap_or_else(|| "id".to_owned());
                element.set_attr(name, chance.word(self.words));
            }
            2 => {
                if let Some(name) = some_attribute(self.elsewhere, chance) {
                    let value = self.elsewhere.attr(&name).unwrap_or_default().to_owned();
                    element.set_attr(name, value);
                }
            }
            3 => element.set_attr(chance.name(self.words), chance.word(self.words)),
            4 => {
                let mut new = without_children(&element, &chance.name(self.words), |_| true);
                element.elements().for_each(|child| new.push(child.clone()));
                return vec![new];
            }
            5 => return vec![without_children(&element, element.name(), |_| true)],
            6 => element.push(self.elsewhere.clone()),
            7 => return Vec::new(),
            8 => return vec![element, self.elsewhere.clone()],
            _ => return vec![element.clone(), element],
        }
        vec![element]
    }
}

fn some_attribute(element: &Element, chance: &mut Chance) -> Option<String> {
    let mut names = Vec::new();
    for attribute in element.attributes() {
        names.push(attribute.name().to_string());
    }
    let chosen = chance.below(names.len());
    names.into_iter().nth(chosen)
}

fn without_children(element: &Element, name: &str, keep: impl Fn(&str) -> bool) -> Element {
    let mut new = Element::new(name.to_owned());
    for attribute in element.attributes() {
        let name = attribute.name().to_string();
        if keep(&name) {
            new.set_attr(name, attribute.value());
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_xml_stays_xml_and_changes() {
        let text = r#"<cib id="a"><nodes><node id="1" uname="n"/></nodes><status/></cib>"#;
        let words = ["group", "id=\"", "10s"];
        let mut different = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let changed = mutate(text.as_bytes(), seed, &words).unwrap();
            assert_eq!(mutate(text.as_bytes(), seed, &words).unwrap(), changed);
            xml::parse(&changed).unwrap();
            different.insert(changed);
        }
        assert!(different.len() > 200, "{}", different.len());
        assert_eq!(mutate(b"<cib", 1, &words), None);
    }
}
