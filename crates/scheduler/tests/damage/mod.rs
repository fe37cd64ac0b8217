// SPDX-License-Identifier: GPL-2.0-or-later
//! Damaged CIBs: what a careless editor, a broken tool or an attacker may hand us.
//!
//! Decides: what is changed. Given: a CIB, numbers that are always the same. Leaves to others: what has to hold.

use xml::{Element, Node};

/// A generator of numbers that are always the same.
pub struct Numbers(u64);

impl Numbers {
    /// A generator that begins somewhere.
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    /// The next number below a limit.
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

const ODD_VALUES: [&str; 14] = [
    "",
    "-1",
    "99999999999999999999",
    "INFINITY",
    "-INFINITY",
    "true",
    "false",
    "n1",
    "web",
    "g",
    "stop",
    "P1Y",
    "ä:0",
    "web_start_0",
];

/// Changes something somewhere: an attribute's value, a missing attribute, a missing or doubled element.
pub fn damage(element: &mut Element, numbers: &mut Numbers) {
    let children = element.children().len();
    if children > 0 && numbers.next(4) > 0 {
        let index = numbers.next(children);
        match numbers.next(12) {
            0 => {
                element.remove(index);
            }
            1 => {
                let copy: Node = element.children().get(index).unwrap().clone();
                element.push(copy);
            }
            _ => {
                if let Some(child) = element.element_at_mut(index) {
                    damage(child, numbers);
                }
            }
        }
        return;
    }
    let attributes = element.attributes().len();
    if attributes > 0 {
        let name = element.attributes().get(numbers.next(attributes)).unwrap().name().clone();
        if numbers.next(3) == 0 {
            element.remove_attr(&name);
        } else {
            element.set_attr(name, ODD_VALUES[numbers.next(ODD_VALUES.len())]);
        }
    }
}
