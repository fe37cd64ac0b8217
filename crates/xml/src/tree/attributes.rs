// SPDX-License-Identifier: GPL-2.0-or-later
//! The attributes of an element: names in its shape, all values in one piece of memory.

use super::name::Name;
use super::shape::Shape;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

/// One attribute. Their order in an element is kept: digests depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    name: &'a Name,
    value: &'a str,
}

impl<'a> Attribute<'a> {
    /// Its name.
    pub fn name(&self) -> &'a Name {
        self.name
    }

    /// Its value, unescaped.
    pub fn value(&self) -> &'a str {
        self.value
    }
}

/// The values of an element's attributes, one after another, and after them where each ends: two, three or five bytes
/// of seven bits for each, and a last byte that says which. So it is text through and through, as are its parts.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Values(Arc<str>);

impl Values {
    /// One of `count` values.
    pub fn value(&self, count: usize, index: usize) -> &str {
        let width = self.width();
        let ends = self.0.len().saturating_sub(1 + width * count);
        let begin = if index == 0 { 0 } else { self.end(ends, width, index - 1) };
        self.0.get(begin..self.end(ends, width, index)).unwrap_or_default()
    }

    fn width(&self) -> usize {
        self.0.as_bytes().last().map_or(0, |width| usize::from(*width))
    }

    fn end(&self, ends: usize, width: usize, index: usize) -> usize {
        let at = ends + width * index;
        let digits = self.0.as_bytes().get(at..at + width).unwrap_or_default();
        digits.iter().rev().fold(0, |end, digit| end << 7 | usize::from(*digit))
    }

    pub fn is_same(&self, other: &Values) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Makes [`Values`]; can be used again for the next element.
#[derive(Default)]
pub(crate) struct Packer {
    text: String,
    ends: Vec<usize>,
}

impl Packer {
    pub fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(self.text.len());
    }

    /// What was pushed since the last time.
    pub fn finish(&mut self) -> Values {
        if self.ends.is_empty() {
            self.text.clear();
            return Values::default();
        }
        let width: u8 = match self.text.len() {
            0..0x4000 => 2,
            0x4000..0x20_0000 => 3,
            _ => 5,
        };
        for end in self.ends.drain(..) {
            for place in 0..width {
                self.text.push(char::from((end >> (7 * place)) as u8 & 0x7f));
            }
        }
        self.text.push(char::from(width));
        let values = Values(Arc::from(self.text.as_str()));
        self.text.clear();
        // One huge value must not cost its memory for ever after.
        self.text.shrink_to(1 << 16);
        values
    }
}

/// The attributes of an element, in order.
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    shape: &'a Arc<Shape>,
    values: &'a Values,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(shape: &'a Arc<Shape>, values: &'a Values) -> Attributes<'a> {
        Attributes { shape, values }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shape.attributes().len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a position.
    pub fn get(&self, index: usize) -> Option<Attribute<'a>> {
        let name = self.shape.attributes().get(index)?;
        Some(Attribute { name, value: self.values.value(self.len(), index) })
    }

    /// The one of a name.
    pub fn named(&self, name: &str) -> Option<Attribute<'a>> {
        self.get(self.shape.position(name)?)
    }

    /// Where the one of a name is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.shape.position(name)
    }

    /// All, in order.
    pub fn iter(&self) -> AttributesIter<'a> {
        AttributesIter { of: *self, next: 0, end: self.len() }
    }
}

impl PartialEq for Attributes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.shape.has_same_attributes(other.shape)
            && (self.values.is_same(other.values) || self.values == other.values)
    }
}

impl Eq for Attributes<'_> {}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|attribute| (attribute.name, attribute.value))).finish()
    }
}

impl<'a> IntoIterator for Attributes<'a> {
    type Item = Attribute<'a>;
    type IntoIter = AttributesIter<'a>;
    fn into_iter(self) -> AttributesIter<'a> {
        self.iter()
    }
}

/// Iterates over attributes, see [`Attributes::iter`].
#[derive(Clone)]
pub struct AttributesIter<'a> {
    of: Attributes<'a>,
    next: usize,
    end: usize,
}

impl<'a> Iterator for AttributesIter<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        if self.next >= self.end {
            return None;
        }
        self.next += 1;
        self.of.get(self.next - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl DoubleEndedIterator for AttributesIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        self.end -= 1;
        self.of.get(self.end)
    }
}

impl ExactSizeIterator for AttributesIter<'_> {}
impl FusedIterator for AttributesIter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_lengths_come_back() {
        let long = ["x".repeat(20_000), "é".repeat(1_500_000)];
        for values in
            [vec!["", "a", "", "é"], vec!["b", &long[0], "", "c"], vec![&long[1], "d", &long[0]], vec![]]
        {
            let mut packer = Packer::default();
            values.iter().for_each(|value| packer.push(value));
            let packed = packer.finish();
            let back: Vec<&str> = (0..values.len()).map(|index| packed.value(values.len(), index)).collect();
            assert!(back == values);
        }
    }
}
