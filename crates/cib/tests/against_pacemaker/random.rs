// SPDX-License-Identifier: GPL-2.0-or-later
//! Chance that repeats itself, and what it makes of elements.

use xml::{Element, Node};

/// A source of numbers (xorshift64*) that gives the same ones for the same seed.
pub struct Random {
    state: u64,
    /// Also values that Pacemaker 2.1 does not write as they are.
    odd_values: bool,
}

impl Random {
    pub fn new(seed: u64, odd_values: bool) -> Random {
        Random { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, odd_values }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Any element of a tree, the root included.
    pub fn element<'a>(&mut self, root: &'a Element) -> &'a Element {
        let all: Vec<&Element> = root.descendants().collect();
        all[self.below(all.len())]
    }

    /// Any but the root (a CIB in a CIB is beyond what anybody need agree on).
    fn inner_element<'a>(&mut self, root: &'a Element) -> &'a Element {
        let all: Vec<&Element> =
            root.descendants().skip(1).filter(|element| element.name() != "cib").collect();
        if all.is_empty() { root } else { all[self.below(all.len())] }
    }

    /// An element much like another.
    pub fn like(&mut self, element: &Element, known: &Element) -> Element {
        let mut like = element.clone();
        for _ in 0..=self.below(3) {
            like = self.edited(&like, known, 0);
        }
        like
    }

    /// The same tree with one change somewhere in it.
    pub fn edited(&mut self, element: &Element, known: &Element, depth: usize) -> Element {
        let children: Vec<usize> = (0..element.children().len()).collect();
        if !children.is_empty() && depth < 12 && !self.once_in(3) {
            let at = *self.one_of(&children);
            let child = element.children().iter().nth(at).and_then(Node::element).cloned();
            if let Some(child) = child {
                let edited = self.edited(&child, known, depth + 1);
                return with_children(element, |nodes| nodes[at] = edited.into());
            }
        }
        self.edited_here(element, known)
    }

    fn edited_here(&mut self, element: &Element, known: &Element) -> Element {
        let mut new = element.clone();
        let count = element.children().len();
        match self.below(10) {
            0 | 1 => new.set_attr(self.attribute_name(), self.value(known)),
            2 => {
                let names: Vec<String> = element.attributes().iter().map(|a| a.name().to_string()).collect();
                if !names.is_empty() {
                    let name = self.one_of(&names);
                    new.remove_attr(name);
                }
            }
            3 => {
                let names: Vec<String> = element.attributes().iter().map(|a| a.name().to_string()).collect();
                if !names.is_empty() {
                    new.set_attr(self.one_of(&names).clone(), self.value(known));
                }
            }
            4 if count > 0 => {
                let at = self.below(count);
                return with_children(&new, |nodes| drop(nodes.remove(at)));
            }
            5 if count > 1 => {
                let (from, to) = (self.below(count), self.below(count));
                return with_children(&new, |nodes| {
                    let node = nodes.remove(from);
                    nodes.insert(to, node);
                });
            }
            6 if count > 0 => {
                let (from, to) = (self.below(count), self.below(count + 1));
                return with_children(&new, |nodes| nodes.insert(to, nodes[from].clone()));
            }
            7 => {
                let (at, comment) = (
                    self.below(count + 1),
                    Node::Comment((*self.one_of(&[" a ", " b ", " A ", "c"])).into()),
                );
                return with_children(&new, |nodes| nodes.insert(at, comment));
            }
            _ => {
                let at = self.below(count + 1);
                let made =
                    if self.once_in(3) { self.inner_element(known).clone() } else { self.small(known) };
                return with_children(&new, |nodes| nodes.insert(at, made.into()));
            }
        }
        new
    }

    /// A new little element.
    pub fn small(&mut self, known: &Element) -> Element {
        let name = self.inner_element(known).name().to_owned();
        let mut small = Element::new(name);
        for _ in 0..self.below(3) {
            small.set_attr(self.attribute_name(), self.value(known));
        }
        if self.once_in(3) {
            small.push(Element::new("nvpair").with_attr("id", self.value(known)).with_attr("name", "x"));
        }
        small
    }

    fn attribute_name(&mut self) -> String {
        (*self.one_of(&["id", "id", "name", "value", "x", "score", "id-ref", "description", "crmd", "type"]))
            .to_owned()
    }

    fn value(&mut self, known: &Element) -> String {
        let odd = ["a&b<c>", "it's", "say \"x\"", "tab\there", "new\nline", "Grüße", "a]b", "/x'y", "a b"];
        let scores = ["value+=5", "score+=INFINITY", "x++", "x+=-3", "score+=x", "x+", "id++", "value++"];
        let numbers = ["1", "-1", "INFINITY", "+12", "1000000", "07", "", " 3"];
        let words = ["one", "two", "three", "target-role", "Started"];
        match self.below(8) {
            0 => self.element(known).id().unwrap_or("none").to_owned(),
            1 | 2 => (*self.one_of(&scores)).to_owned(),
            3 => (*self.one_of(&numbers)).to_owned(),
            4 if self.odd_values => (*self.one_of(&odd)).to_owned(),
            5 => format!("new-{}", self.below(5)),
            _ => (*self.one_of(&words)).to_owned(),
        }
    }
}

/// An element with its children changed.
pub fn with_children(element: &Element, change: impl FnOnce(&mut Vec<Node>)) -> Element {
    let mut children: Vec<Node> = element.children().iter().cloned().collect();
    change(&mut children);
    let mut new = Element::new(element.name_shared().clone());
    new.replace_attrs(element);
    new.with_children(children)
}
